//! When server and keepers die together: what was there is there again, with fresh shells.

use ccmux_testkit::TestEnv;
use rustix::process::Signal;

fn env() -> TestEnv {
    TestEnv::new(env!("CARGO_BIN_EXE_ccmux"))
}

const LAYOUT: &str = "#{session_name} #{window_index}:#{window_name} #{window_layout} #{pane_id}";

#[test]
fn everything_is_back_after_server_and_keepers_were_killed() {
    let env = env();
    env.ok(&["new-session", "-d", "-s", "work", "-x", "80", "-y", "23"]);
    env.ok(&["rename-window", "-t", "work", "first"]);
    env.ok(&["split-window", "-d", "-h", "-t", "work"]);
    env.ok(&["split-window", "-d", "-t", "%1"]);
    env.ok(&["new-window", "-d", "-t", "work:7", "-n", "second"]);
    env.ok(&["set-option", "-g", "status-left", "kept "]);
    env.ok(&["bind-key", "F5", "display-message", "hello"]);
    env.ok(&["kill-pane", "-t", "%2"]);
    let client = env.attach(80, 24);
    client.wait_text("kept ");
    client.type_keys("mkdir place && cd place && printf '\\033]7;file://h%s\\a' \"$PWD\" && echo said $((40+2)) and seq 1 60 | tail -n 3\r");
    client.wait_text("said 42");
    let panes = env.ok(&["list-panes", "-a", "-F", LAYOUT]);
    let directory = env.home().join("place");
    assert_eq!(
        env.ok(&["display-message", "-p", "-t", "%0", "#{pane_current_path}"]).trim_end(),
        directory.to_str().expect("the path is text")
    );
    drop(client);
    env.kill_everything();

    // The next attach starts a server, which finds everything.
    let client = env.attach(80, 24);
    client.wait_text("[restored ");
    let screen = client.wait_text("kept ");
    assert!(screen.contains("said 42"), "{screen}");
    assert_eq!(env.ok(&["list-panes", "-a", "-F", LAYOUT]), panes);
    assert!(!panes.contains("%2"), "a closed pane stays closed");
    client.type_keys("pwd; echo alive\r");
    client.wait_screen("the shell is where the last one was", |screen| {
        screen.text().lines().any(|line| line.starts_with("alive"))
    });
    let shown = env.ok(&["capture-pane", "-p", "-J", "-t", "%0"]);
    assert!(shown.contains("this is a new shell]"), "{shown}");
    assert!(shown.contains("/place"), "{shown}");
    assert!(env.ok(&["list-keys", "-T", "prefix"]).contains("display-message hello"));
    assert_eq!(env.status()["durable"], true);
}

/// Most shells do not tell where they are (OSC 7). The directory is known as soon as the prompt
/// that was printed in it can be seen, also when everything is killed at that very moment.
#[test]
fn the_last_directory_is_kept_of_a_shell_that_does_not_tell() {
    let env = env();
    let client = env.attach(80, 24);
    for name in ["first", "second", "third"] {
        client.type_keys(&format!("mkdir -p ~/{name}; cd ~/{name}; echo in-$((7*6))-{name}\r"));
        client.wait_text(&format!("in-42-{name}"));
    }
    env.kill_everything();
    drop(client);
    let directory = env.home().join("third");
    assert_eq!(
        env.ok(&["display-message", "-p", "-t", "%0", "#{pane_current_path}"]).trim_end(),
        directory.to_str().expect("the path is text")
    );
    let client = env.attach(80, 24);
    client.wait_text("this is a new shell");
    client.type_keys("echo now-in:$(pwd):\r");
    client.wait_screen("the fresh shell is in the last directory", |screen| {
        screen.text().replace('\n', "").contains(&format!("now-in:{}:", directory.display()))
    });
}

/// Files of a pane's screen that decayed cost the screen and the lines that a growing one would take
/// back. Its history is in other files, and what is printed from then on goes behind it.
#[test]
fn damaged_screens_cost_no_history() {
    let env = env();
    for (before, life) in ["first", "second"].into_iter().enumerate() {
        let client = env.attach(80, 10);
        client.type_keys(&format!("echo; seq -f '{life} line %.0f' 300; echo {life} $((40+2))\r"));
        client.wait_text(&format!("{life} 42"));
        // A server that stops in good order puts everything into history and keyframes.
        env.shut_down();
        assert!(decay(&env.state_dir(), ".keyframe") > 0 && decay(&env.state_dir(), ".spool") > 0);
        let client = env.attach(80, 10);
        client.wait_text("this is a new shell");
        let all = env.ok(&["capture-pane", "-p", "-S", "-", "-t", "%0"]);
        for life in &["first", "second"][..=before] {
            let kept: Vec<&str> = all.lines().filter(|line| line.starts_with(*life)).collect();
            let is_whole = (1..).zip(&kept).all(|(n, line)| *line == format!("{life} line {n}"));
            assert!(is_whole, "in order, from the beginning on: {all}");
            assert!(kept.len() > 160, "all but what was on the screen or recent: {all}");
        }
        let status = env.status();
        assert_eq!(status["recovery"]["clean"], false, "{status}");
    }
}

/// A state directory that lost the newest records (a disk that lied, a backup put back) knows
/// nothing of some panes. Their programs are not lost, and nobody else gets their numbers. What those
/// printed whose programs are gone is kept, and a person is told where; it was removed silently.
#[test]
fn programs_without_a_record_are_recovered_under_their_numbers() {
    let env = env();
    env.ok(&["new-session", "-d", "-s", "known", "exec tail -f /dev/null"]);
    let kept = env.path().join("kept");
    let log = ["wal", "checkpoints"];
    let copy = |from: &std::path::Path, to: &std::path::Path| {
        std::fs::create_dir_all(to).expect("it is ours");
        for entry in std::fs::read_dir(from).expect("it is a directory") {
            let path = entry.expect("it can be listed").path();
            let name = path.file_name().expect("it has a name");
            std::fs::copy(&path, to.join(name)).expect("it can be copied");
        }
    };
    // A checkpoint may be under way, which removes what is older.
    let server = env.server();
    server.stop();
    for dir in log {
        copy(&env.state_dir().join(dir), &kept.join(dir));
    }
    server.signal(Signal::CONT);
    for n in 0..4 {
        env.ok(&["new-window", "-d", &format!("echo this is {n}; exec tail -f /dev/null")]);
        env.wait_ok(&["capture-pane", "-p", "-t", &format!("%{}", n + 1)], |text| {
            text.contains(&format!("this is {n}"))
        });
    }
    // One of those that are lost is in a keyframe, the other one mostly still in the spool.
    let uuid = env.status()["panes"][2]["uuid"].as_str().expect("it has one").to_owned();
    let dir = env.state_dir().join("panes").join(uuid);
    env.wait_ok(&["list-sessions"], |_| {
        let entries = std::fs::read_dir(&dir).expect("it is there");
        let mut paths = entries.map(|entry| entry.expect("it can be listed").path());
        paths.any(|path| path.extension().is_some_and(|it| it == "keyframe"))
    });
    let format = ["list-panes", "-a", "-F", "#{pane_id} #{pane_pid}"];
    let mut panes: Vec<String> = env.ok(&format).lines().map(str::to_owned).collect();
    let keepers = env.status()["panes"].clone();
    server.signal(Signal::STOP);
    // Two of them are gone for good, the last one among them.
    for at in [2, 4] {
        let keeper = keepers[at]["keeper_pid"].as_u64().and_then(|pid| u32::try_from(pid).ok());
        let keeper = ccmux_testkit::Process::open(keeper.expect("a process id"));
        let keeper = keeper.expect("it can be opened").expect("it runs");
        keeper.signal(Signal::KILL);
        keeper.wait_gone();
    }
    // Or they would start the next one too early.
    let keepers = env.keepers();
    for keeper in &keepers {
        keeper.signal(Signal::STOP);
    }
    server.signal(Signal::KILL);
    server.wait_gone();
    for dir in log {
        std::fs::remove_dir_all(env.state_dir().join(dir)).expect("it is ours");
        copy(&kept.join(dir), &env.state_dir().join(dir));
    }
    for keeper in &keepers {
        keeper.signal(Signal::CONT);
    }
    panes.remove(4);
    panes.remove(2);
    let mut found: Vec<String> = env.ok(&format).lines().map(str::to_owned).collect();
    found.sort();
    assert_eq!(found, panes);
    let sessions = env.ok(&["list-panes", "-a", "-F", "#{session_name} #{pane_id}"]);
    assert_eq!(sessions, "known %0\nrecovered %1\nrecovered-1 %3\n");
    let shown = env.ok(&["capture-pane", "-p", "-t", "%3"]);
    assert!(shown.contains("this is 2"), "{shown}");
    assert_eq!(env.ok(&["new-window", "-dP", "-t", "known:", "-F", "#{pane_id}"]), "%5\n");

    let status = env.status();
    assert_eq!(status["recovery"]["clean"], false, "{status}");
    let history = std::fs::read_to_string(env.state_dir().join("recovery.jsonl"));
    let history = history.expect("recoveries are recorded");
    for (pane, text) in [("%2", "this is 1"), ("%4", "this is 3")] {
        let problems = status["recovery"]["problems"].as_array().expect("a list").iter();
        let problems = problems.filter_map(|problem| problem.as_str());
        let problem = problems.into_iter().find(|problem| problem.contains(pane));
        let problem = problem.unwrap_or_else(|| panic!("{pane} is lost silently: {status}"));
        assert!(history.contains(problem), "{history}");
        let place = problem.rsplit(' ').next().expect("it says where");
        assert!(place.starts_with("quarantine/"), "{problem}");
        let place = env.state_dir().join(place);
        let kept = std::fs::read_to_string(place.join("recent.txt")).expect("it is kept");
        assert!(kept.contains(text), "{kept}");
        assert_eq!(
            std::fs::read_to_string(place.join("number")).expect("it is"),
            pane.to_owned() + "\n"
        );
    }
}

/// Records behind a damaged one are lost, and with them what tells of a pane. It was taken for a
/// closed one, and its program ended.
#[test]
fn programs_behind_a_damaged_record_live_on() {
    let env = env();
    env.ok(&["new-session", "-d", "-s", "known", "exec tail -f /dev/null"]);
    env.ok(&["set-option", "-g", "@mark", "decays"]);
    env.ok(&["new-window", "-d", "echo this lives; exec tail -f /dev/null"]);
    env.wait_ok(&["capture-pane", "-p", "-t", "%1"], |text| text.contains("this lives"));
    let format = ["list-panes", "-a", "-F", "#{pane_pid}"];
    let programs = env.ok(&format);
    let (server, keepers) = (env.server(), env.keepers());
    // Or they would start the next one too early.
    for keeper in &keepers {
        keeper.signal(Signal::STOP);
    }
    server.signal(Signal::KILL);
    server.wait_gone();
    for entry in std::fs::read_dir(env.state_dir().join("wal")).expect("it is a directory") {
        let path = entry.expect("it can be listed").path();
        let mut bytes = std::fs::read(&path).expect("it is a file");
        let at = bytes.windows(6).position(|part| part == b"decays");
        bytes[at.expect("it is in the log")] ^= 1;
        std::fs::write(&path, bytes).expect("it is ours");
    }
    for keeper in &keepers {
        keeper.signal(Signal::CONT);
    }
    assert_eq!(env.ok(&format), programs);
    let lost = env.ok(&["list-panes", "-t", "recovered", "-F", "#{pane_pid}"]);
    assert_eq!(Some(lost.trim()), programs.lines().last());
    env.wait_ok(&["capture-pane", "-p", "-t", "recovered:"], |text| text.contains("this lives"));
    assert_eq!(env.status()["recovery"]["clean"], false);
}

/// The ring of a living program knows how much of its output was spooled. Where that is gone the
/// screen says how much is missing, and the program goes on.
#[test]
fn spooled_output_that_is_gone_is_marked() {
    let env = env();
    env.ok(&["new-session", "-d", "echo said before; exec cat"]);
    let capture = ["capture-pane", "-p", "-t", "%0"];
    env.wait_ok(&capture, |text| text.contains("said before"));
    let (server, keepers) = (env.server(), env.keepers());
    // Or they would start the next one too early.
    for keeper in &keepers {
        keeper.signal(Signal::STOP);
    }
    server.signal(Signal::KILL);
    server.wait_gone();
    decay(&env.state_dir(), ".keyframe");
    assert!(decay(&env.state_dir(), ".spool") > 0);
    for keeper in &keepers {
        keeper.signal(Signal::CONT);
    }
    env.wait_ok(&capture, |text| text.contains("bytes of output are lost here]"));
    env.ok(&["send-keys", "-t", "%0", "said after", "Enter"]);
    let text = env.wait_ok(&capture, |text| text.matches("said after").count() == 2);
    assert!(!text.contains("said before"), "{text}");
}

/// Fills the files of the state whose names end like this with zeroes; returns how many.
fn decay(dir: &std::path::Path, suffix: &str) -> usize {
    let mut count = 0;
    for entry in std::fs::read_dir(dir).expect("it is a directory") {
        let path = entry.expect("it can be listed").path();
        let is_quarantine = path.ends_with("quarantine");
        if path.is_dir() && !is_quarantine {
            count += decay(&path, suffix);
        } else if path.to_string_lossy().ends_with(suffix) {
            let len = path.metadata().expect("it is there").len();
            std::fs::write(&path, vec![0; len as usize]).expect("it can be written");
            count += 1;
        }
    }
    count
}

#[test]
fn scripts_get_exit_codes_and_messages() {
    let env = env();
    let finished = env.ccmux(&["has-session"]);
    assert_eq!(finished.code, Some(1), "there is no server");
    env.ok(&["new-session", "-d", "-s", "here"]);
    env.ok(&["has-session", "-t", "here"]);
    for (args, message) in [
        (&["has-session", "-t", "=gone"][..], "can't find session: gone"),
        (&["no-such-command"], "unknown command: no-such-command"),
        (&["new-window", "-z"], "command new-window: unknown flag -z"),
        (&["kill-pane", "-t", "%99"], "can't find pane: %99"),
        (&["new-session", "-d", "-s", "here"], "duplicate session: here"),
    ] {
        let finished = env.ccmux(args);
        let stderr = &finished.stderr;
        assert_eq!(finished.code, Some(1), "{args:?}: {stderr}");
        assert!(stderr.starts_with(message), "{args:?}: {stderr}");
    }
}

#[test]
fn a_client_detaches_and_the_last_session_ends_the_server() {
    let env = env();
    let client = env.attach_with(&["new-session", "-s", "only"], 80, 24);
    client.wait_text("[only]");
    let server = env.server();
    client.type_keys("\x02d");
    assert!(client.wait_exit().success());
    env.ok(&["kill-session", "-t", "only"]);
    server.wait_gone();
}

/// Goal: a replay makes the same screen and history, whatever sizes the pane has had. Method: the
/// pane prints at one size, gets another, and the server is killed. The first size was not known to
/// the replay, so lines scrolled away that had not, and others stayed.
#[test]
fn the_screen_after_a_kill_is_that_of_all_sizes() {
    let env = env();
    env.ok(&["new-session", "-d", "-x", "80", "-y", "24", "exec cat"]);
    env.ok(&["split-window", "-t", "%0", "seq 1 300; exec cat"]);
    let client = env.attach(80, 25);
    client.wait_text("300");
    env.ok(&["kill-pane", "-t", "%0"]);
    let look = || {
        let format = "#{pane_width}x#{pane_height} #{history_size} #{cursor_x},#{cursor_y}";
        let place = env.ok(&["display-message", "-p", "-t", "%1", format]);
        place + &env.ok(&["capture-pane", "-p", "-t", "%1", "-S", "-"])
    };
    let before = look();
    env.kill_server();
    assert_eq!(look(), before);
}

/// History that was cleared came back with the server, from the disk.
#[test]
fn cleared_history_stays_cleared_after_a_kill() {
    let env = env();
    env.ok(&["new-session", "-d", "-x", "80", "-y", "10", "seq 1 300; exec cat"]);
    let client = env.attach(80, 11);
    client.wait_text("300");
    // An orderly end puts the history on the disk.
    let server = env.server();
    server.signal(Signal::TERM);
    server.wait_gone();
    let size = || env.ok(&["display-message", "-p", "-t", "%0", "#{history_size}"]);
    assert_eq!(size(), "291\n");
    env.ok(&["clear-history", "-t", "%0"]);
    env.kill_server();
    assert_eq!(size(), "0\n");
    let screen = env.ok(&["capture-pane", "-p", "-t", "%0", "-S", "-"]);
    assert!(screen.starts_with("292\n"), "{screen}");
}

/// After the last `exit` the server stays for ten seconds, because a shutdown may have caused it;
/// a command in between settles that.
#[test]
fn the_last_exit_is_final_once_a_command_says_so() {
    let env = env();
    let client = env.attach(80, 24);
    client.wait_text("[0]");
    let server = env.server();
    client.type_keys("exit\r");
    assert!(client.wait_exit().success());
    assert!(server.is_alive());
    env.ok(&["kill-server"]);
    server.wait_gone();
    env.ok(&["new-session", "-d", "-s", "next"]);
    assert_eq!(env.ok(&["list-sessions", "-F", "#{session_name}"]), "next\n");
}
