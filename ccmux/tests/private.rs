//! Panes whose output may not be kept on the disk (`history-persist off`), and history that is
//! cleared: nothing of it is found there, and no kill of the server takes any of it.

use std::fs;
use std::path::{Path, PathBuf};

use ccmux_testkit::{Flood, Random, TestEnv};
use rustix::process::Signal;

fn env() -> TestEnv {
    TestEnv::new(env!("CARGO_BIN_EXE_ccmux"))
}

/// Every file below a directory.
fn files(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let entries = entries.map(|entry| entry.expect("it can be listed"));
    entries
        .flat_map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => files(&entry.path()),
            Ok(kind) if kind.is_file() => vec![entry.path()],
            _ => Vec::new(),
        })
        .collect()
}

/// The files of the state directory in which these bytes are.
fn files_with(env: &TestEnv, bytes: &[u8]) -> Vec<PathBuf> {
    let holds = |path: &PathBuf| {
        let text = fs::read(path).unwrap_or_default();
        text.windows(bytes.len()).any(|window| window == bytes)
    };
    files(&env.state_dir()).into_iter().filter(holds).collect()
}

/// The files that hold output of a pane: frames, chunks and keyframes carry its uuid as 16 bytes,
/// whether or not they are compressed. Nothing else does.
fn files_of_output(env: &TestEnv, uuid: &str) -> Vec<PathBuf> {
    let digits: String = uuid.chars().filter(char::is_ascii_hexdigit).collect();
    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("digits");
    let bytes: Vec<u8> = (0..32).step_by(2).map(byte).collect();
    files_with(env, &bytes)
}

fn uuid_of(env: &TestEnv, pane: &str) -> String {
    let status = env.status();
    let panes = status["panes"].as_array().expect("a list of panes");
    let found = panes.iter().find(|found| found["id"] == pane).expect("the pane is there");
    found["uuid"].as_str().expect("it has one").to_owned()
}

fn wait_kept(env: &TestEnv, pane: &str, place: &str) {
    env.wait_status(|status| {
        let panes = status["panes"].as_array().expect("a list of panes");
        panes.iter().any(|found| found["id"] == pane && found["kept"] == place)
    });
}

/// Waits for a shell's prompt: what is typed before it is printed in the middle of output.
fn wait_prompt(env: &TestEnv, pane: &str) {
    env.wait_ok(&["capture-pane", "-p", "-t", pane], |text| text.contains(['$', '#']));
}

/// Waits for something about the state directory, asking the server between the looks.
fn wait_files(env: &TestEnv, mut is_wanted: impl FnMut() -> bool) {
    env.wait_ok(&["list-sessions"], |_| is_wanted());
}

/// Goal: `history-persist off` keeps output off the disk altogether, and promise 1 holds all the
/// same. Method: a flood in a private pane beside an ordinary one, kills of the server at seeded
/// moments and of the keeper; then look for the pane's uuid in every file, and for every line in
/// the pane.
#[test]
fn a_private_pane_leaves_nothing_on_the_disk_and_loses_nothing() {
    let mut random = Random::seeded(0x9817_0001);
    let env = env();
    env.ok(&["new-session", "-d", "-s", "work", "-x", "80", "-y", "24"]);
    env.ok(&["set-option", "-p", "-t", "%0", "history-persist", "on"]);
    env.ok(&["set-option", "-g", "history-persist", "off"]);
    let title = r"printf '\033]2;veiled %d\007' $((6*7))";
    let command = format!("{title}; {}", Flood::command(&env));
    env.ok(&["new-window", "-d", &command]);
    let flood = Flood::of("%1");
    let (public, private) = (uuid_of(&env, "%0"), uuid_of(&env, "%1"));
    for round in 0..5 {
        flood.go(&env);
        let past = u32::try_from(random.below(u64::from(Flood::BURST_LINES) / 2)).expect("small");
        let target = round * Flood::BURST_LINES + past;
        env.wait_ok(&["capture-pane", "-p", "-t", "%1"], |text| {
            text.lines().filter_map(Flood::line_number).max().is_some_and(|line| line >= target)
        });
        if round == 2 {
            // The next keeper is given what the last one held.
            let keepers = env.keepers();
            for keeper in &keepers {
                keeper.signal(Signal::KILL);
            }
            for keeper in &keepers {
                keeper.wait_gone();
            }
            env.wait_status(|status| {
                let mut panes = status["panes"].as_array().expect("a list").iter();
                panes.all(|pane| pane["state"] == "live")
            });
        }
        env.kill_server();
        env.wait_ok(&["capture-pane", "-p", "-t", "%1"], |text| {
            text.contains(&Flood::done(round + 1))
        });
        assert_eq!(files_of_output(&env, &private), Vec::<PathBuf>::new());
    }
    flood.assert_whole(&env, 5);
    assert_eq!(env.ok(&["display-message", "-p", "-t", "%1", "#{pane_title}"]), "veiled 42\n");
    assert_eq!(files_with(&env, b"veiled 42"), Vec::<PathBuf>::new());
    assert_eq!(files_of_output(&env, &private), Vec::<PathBuf>::new());
    assert!(!files_of_output(&env, &public).is_empty(), "the search finds what there is");

    // With its keeper everything of it is gone, but for the pane.
    env.kill_everything();
    env.wait_ok(&["capture-pane", "-p", "-J", "-S", "-", "-t", "%1"], |text| {
        assert!(!text.lines().any(|line| Flood::line_number(line).is_some()), "{text}");
        text.contains("the pane is private, and nothing of it was kept")
    });
    assert_eq!(env.status()["recovery"]["clean"], true, "{}", env.status());
    env.shut_down();
    let doctor = env.ccmux(&["doctor"]);
    assert_eq!(doctor.code, Some(0), "{doctor:?}");
}

/// A pane that becomes private takes its newest history into memory, and the disk forgets it, also
/// what it shared with other panes there; one that is so no longer is on the disk again.
#[test]
fn a_pane_becomes_private_and_public_again() {
    let env = env();
    env.ok(&["new-session", "-d", "-s", "work", "-x", "80", "-y", "24"]);
    env.ok(&["split-window", "-d"]);
    let uuid = uuid_of(&env, "%0");
    let all = ["capture-pane", "-p", "-S", "-", "-t", "%0"];
    let is_whole = |text: &str| {
        let numbers = text.lines().filter_map(|line| line.parse::<u32>().ok());
        numbers.eq(1..=20_000)
    };
    wait_prompt(&env, "%0");
    env.ok(&["send-keys", "-t", "%0", "clear; seq 1 20000; echo veiled $((6*7))", "Enter"]);
    env.wait_ok(&all, |text| text.contains("veiled 42"));
    wait_files(&env, || {
        let names = files_of_output(&env, &uuid);
        let is =
            |kind: &str| names.iter().any(|path| path.extension().is_some_and(|it| it == kind));
        is("chunk") && is("keyframe") && is("spool")
    });
    env.ok(&["set-option", "-p", "-t", "%0", "history-persist", "off"]);
    wait_files(&env, || files_of_output(&env, &uuid).is_empty());
    assert_eq!(files_with(&env, b"veiled 42"), Vec::<PathBuf>::new());
    wait_kept(&env, "%0", "keeper");
    for _ in 0..2 {
        env.kill_server();
        env.wait_ok(&all, |text| is_whole(text) && text.contains("veiled 42"));
    }
    assert_eq!(files_of_output(&env, &uuid), Vec::<PathBuf>::new());

    env.ok(&["set-option", "-up", "-t", "%0", "history-persist"]);
    wait_kept(&env, "%0", "disk");
    env.kill_everything();
    env.wait_ok(&all, |text| is_whole(text) && text.contains("veiled 42"));
    assert_eq!(env.status()["recovery"]["clean"], true, "{}", env.status());
}

/// `clear-history` removes chunks and older keyframes, and the spool goes as soon as all other
/// panes can do without.
#[test]
fn what_is_cleared_is_gone_from_the_disk() {
    let env = env();
    env.ok(&["new-session", "-d", "-s", "work", "-x", "80", "-y", "24"]);
    env.ok(&["split-window", "-d"]);
    env.ok(&["send-keys", "-t", "%1", "echo other $((40+2))", "Enter"]);
    env.wait_ok(&["capture-pane", "-p", "-t", "%1"], |text| text.contains("other 42"));
    let script = "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo veiled-$i-end; done";
    env.ok(&["send-keys", "-t", "%0", script, "Enter"]);
    env.wait_ok(&["capture-pane", "-p", "-S", "-", "-t", "%0"], |text| {
        text.contains("veiled-3000-end")
    });
    wait_files(&env, || !files_with(&env, b"veiled-2999-end").is_empty());
    env.ok(&["set-option", "-p", "-t", "%0", "scroll-on-clear", "off"]);
    let clear = r"printf '\033[H\033[2J'; echo after $((40+2))";
    env.ok(&["send-keys", "-t", "%0", clear, "Enter"]);
    env.wait_ok(&["capture-pane", "-p", "-t", "%0"], |text| text.starts_with("after 42"));
    env.ok(&["clear-history", "-t", "%0"]);
    // What is in the spool is not compressed.
    wait_files(&env, || files_with(&env, b"veiled-2999-end").is_empty());
    let uuid = uuid_of(&env, "%0");
    let pane_dir = env.state_dir().join("panes").join(uuid);
    let of_kind = |kind: &str| {
        let names = files(&pane_dir).into_iter();
        names.filter(|path| path.extension().is_some_and(|it| it == kind)).count()
    };
    wait_files(&env, || of_kind("chunk") == 0);
    env.kill_server();
    let text = env.ok(&["capture-pane", "-p", "-S", "-", "-t", "%0"]);
    assert!(text.starts_with("after 42"), "{text}");
    env.wait_ok(&["capture-pane", "-p", "-t", "%1"], |text| text.contains("other 42"));
    env.shut_down();
    let dump = env.ok(&["doctor", "--dump", "pane", "%0"]);
    assert!(dump.contains("after 42") && !dump.contains("veiled-2999"), "{dump}");
    assert_eq!(env.ccmux(&["doctor"]).code, Some(0));
}

/// A pane that stays when its program has ended has nothing on the disk either: its keeper stays.
#[test]
fn the_last_words_of_a_private_program_stay() {
    let env = env();
    env.ok(&["new-session", "-d", "-s", "work", "-x", "80", "-y", "24"]);
    env.ok(&["set-option", "-g", "history-persist", "off"]);
    env.ok(&["set-option", "-g", "remain-on-exit", "on"]);
    env.ok(&["new-window", "-d", "seq 1 60000; echo last $((6*7))"]);
    let dead = ["display-message", "-p", "-t", "%1", "#{pane_dead}"];
    env.wait_ok(&dead, |dead| dead == "1\n");
    wait_kept(&env, "%1", "keeper");
    env.kill_server();
    env.wait_ok(&["capture-pane", "-p", "-S", "-", "-t", "%1"], |text| {
        let numbers = text.lines().filter_map(|line| line.parse::<u32>().ok());
        numbers.eq(1..=60_000) && text.contains("last 42")
    });
    env.wait_ok(&dead, |dead| dead == "1\n");
    let keepers = env.keepers().len();
    env.ok(&["respawn-pane", "-t", "%1", "echo again; exec cat"]);
    env.wait_ok(&["capture-pane", "-p", "-t", "%1"], |text| text.contains("again"));
    env.ok(&["kill-pane", "-t", "%1"]);
    wait_files(&env, || env.keepers().len() < keepers);
}
