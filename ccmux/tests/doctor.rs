//! The doctor: says what is wrong with a state directory, changes nothing, and is right. And what a
//! server tells that starts from such a directory.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use ccmux_testkit::{Finished, TestEnv};

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// A store of two panes whose server has stopped in good order; the keepers are gone.
fn stopped() -> TestEnv {
    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    env.ok(&["new-session", "-d", "-s", "work", "seq -f 'line %.0f' 300; exec tail -f /dev/null"]);
    env.ok(&["split-window", "-t", "work", "echo the other pane; exec tail -f /dev/null"]);
    env.wait_ok(&["capture-pane", "-p", "-t", "%0"], |text| text.contains("line 300"));
    env.wait_ok(&["capture-pane", "-p", "-t", "%1"], |text| text.contains("the other"));
    env.shut_down();
    env
}

fn files(dir: &Path) -> Files {
    let mut found = Files::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).expect("it can be listed") {
            let path = entry.expect("it can be listed").path();
            let kind = path.symlink_metadata().expect("it is there").file_type();
            if kind.is_dir() {
                dirs.push(path);
            } else if kind.is_file() {
                found.insert(path.clone(), fs::read(&path).expect("it can be read"));
            }
        }
    }
    found
}

/// The newest file whose name ends so, with its contents.
fn newest<'a>(files: &'a Files, suffix: &str) -> (&'a Path, &'a [u8]) {
    let mut found = files.iter().filter(|(path, _)| path.to_string_lossy().ends_with(suffix));
    let (path, bytes) = found.next_back().expect("there is such a file");
    (path, bytes)
}

/// What is named when this file is damaged: its pane, or else itself.
fn named(path: &Path) -> String {
    let mut parts = path.components().rev().map(|part| part.as_os_str().to_string_lossy());
    let (file, directory) = (parts.next(), parts.next());
    match parts.next().as_deref() {
        Some("panes") => directory,
        _ => file,
    }
    .expect("it has a name")
    .into_owned()
}

/// Flips a byte in the middle of what is not zero.
fn flipped(bytes: &[u8]) -> Vec<u8> {
    let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |at| at + 1);
    let mut bytes = bytes.to_vec();
    bytes[end / 2] ^= 0xff;
    bytes
}

fn doctor(env: &TestEnv) -> Finished {
    let before = files(&env.state_dir());
    let finished = env.ccmux(&["doctor"]);
    assert!(files(&env.state_dir()) == before, "the doctor changes nothing");
    finished
}

#[test]
fn a_sound_store_is_called_sound() {
    let env = stopped();
    let finished = doctor(&env);
    assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), ""), "{finished:?}");
    for wanted in ["1 sessions, 1 windows, 2 panes; 0 living keepers", "result    sound"] {
        assert!(finished.stdout.contains(wanted), "{wanted}: {}", finished.stdout);
    }
    let json: serde_json::Value =
        serde_json::from_str(&env.ok(&["doctor", "--json"])).expect("it is JSON");
    assert_eq!(json["holds"]["panes"], 2, "{json}");
    assert_eq!(json["findings"], serde_json::json!([]), "{json}");
}

/// A file where a directory was: the doctor says which, what it costs, and all that there is to say of the rest.
#[test]
fn a_directory_that_is_none_is_told_of_by_its_name() {
    let env = stopped();
    let cases = [
        ("panes", 2, "loss      panes: the directory panes cannot be read: Not a directory"),
        ("spool", 2, "loss      spool: the spool is unreadable: Not a directory"),
        ("wal", 3, "cannot read wal of the state directory: Not a directory"),
        ("checkpoints", 3, "cannot read checkpoints of the state directory: Not a directory"),
    ];
    for (name, code, words) in cases {
        let (path, aside) = (env.state_dir().join(name), env.path().join("aside"));
        fs::rename(&path, &aside).expect("it is ours");
        fs::write(&path, b"").expect("it is ours");
        let finished = doctor(&env);
        assert_eq!((finished.code, finished.stderr.as_str()), (Some(code), ""), "{finished:?}");
        assert!(finished.stdout.contains(words), "{words}: {}", finished.stdout);
        if code == 3 {
            let finished = env.ccmux(&["list-sessions"]);
            let told = finished.stderr.matches("Not a directory").count();
            assert!(finished.stderr.contains(words) && told == 1, "{finished:?}");
        }
        fs::remove_file(&path).expect("it is ours");
        fs::rename(&aside, &path).expect("it is ours");
    }
    assert_eq!(doctor(&env).code, Some(0));
}

/// Each damage gets its exit status and its words; and what a start then makes of it is what the
/// doctor said.
#[test]
fn damage_is_found_and_told_by_what_it_costs() {
    let env = stopped();
    let good = files(&env.state_dir());
    let cases = [
        (".ckpt", 1, "warning   checkpoints/"),
        (".keyframe", 1, "is damaged: checksum"),
        (".chunk", 2, "lost history lines"),
    ];
    for (suffix, code, words) in cases {
        let (path, bytes) = newest(&good, suffix);
        fs::write(path, flipped(bytes)).expect("it is ours");
        let finished = doctor(&env);
        assert_eq!(finished.code, Some(code), "{suffix}: {finished:?}");
        assert!(finished.stdout.contains(words), "{suffix}: {}", finished.stdout);
        fs::write(path, bytes).expect("it is ours");
    }
    // An older one is not needed while the newest is good.
    let (path, bytes) = newest(&good, ".keyframe");
    let older = path.with_file_name(format!("{:020}.keyframe", 1));
    fs::write(&older, flipped(bytes)).expect("it is ours");
    fs::set_permissions(&older, fs::Permissions::from_mode(0o600)).expect("it is ours");
    let finished = doctor(&env);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(finished.stdout.contains("it is not needed: the newest one is good"), "{finished:?}");
    fs::remove_file(&older).expect("it is ours");
    let (log, bytes) = newest(&good, ".wal");
    // Its header says which records were synced before it; without them they are lost.
    let mut later = bytes.to_vec();
    later.truncate(80);
    fs::write(log, later).expect("it is ours");
    for (path, _) in good.iter().filter(|(path, _)| path.to_string_lossy().ends_with(".ckpt")) {
        fs::remove_file(path).expect("it is there");
    }
    let finished = doctor(&env);
    assert_eq!(finished.code, Some(2), "{finished:?}");
    assert!(finished.stdout.contains("were acknowledged and are gone"), "{}", finished.stdout);
    let said = finished.stdout.lines().filter(|line| line.starts_with("loss      log: records"));
    let said = said.map(|line| line.split(' ').skip_while(|word| *word != "records"));
    let said: Vec<String> = said.map(|words| words.take(4).collect::<Vec<_>>().join(" ")).collect();
    let status = env.ok(&["start-server", ";", "status"]);
    assert!(status.contains(&format!("{} lost", said[0])), "{said:?}: {status}");
}

/// Goal: P4 where people see it. Method: damage a file of each kind between two starts, and look at
/// the screen of the first client, at the status, and at what the recovery wrote down.
#[test]
fn whoever_attaches_first_is_told_of_damage() {
    const LINE: &str = "The state was damaged; `ccmux status` tells what was lost";
    for suffix in [".ckpt", ".keyframe"] {
        let env = stopped();
        let good = files(&env.state_dir());
        let (path, bytes) = newest(&good, suffix);
        fs::write(path, flipped(bytes)).expect("it is ours");
        let first = env.attach(80, 24);
        first.wait_text(LINE);
        let status = env.status();
        assert_eq!(status["recovery"]["clean"], false, "{status}");
        let problems = status["recovery"]["problems"].as_array().expect("a list").clone();
        assert_eq!(problems.len(), 1, "{status}");
        let problem = problems[0].as_str().expect("it is text");
        let told = env.ok(&["status"]);
        assert!(told.contains(problem), "{problem}");
        let file = path.file_name().expect("it is a file").to_string_lossy();
        assert_eq!(told.matches(&*file).count(), 1, "{told}");
        let log = fs::read_to_string(env.state_dir().join("recovery.jsonl")).expect("it is there");
        let last = log.lines().last().expect("this recovery wrote something");
        let what = problem.rsplit(": ").next().unwrap_or_default();
        for words in [what, named(path).as_str()] {
            assert!(problem.contains(words), "{suffix}: {words}: {problem}");
            assert!(last.contains(words), "{suffix}: {words}: {last}");
        }
        let second = env.attach(80, 24);
        second.wait_text("the other pane");
        assert!(!second.screen_text().contains(LINE), "once is enough");
        drop((first, second));
        // Nothing is wrong any more.
        env.kill_server();
        let third = env.attach(80, 24);
        third.wait_text("the other pane");
        assert!(!third.screen_text().contains(LINE), "{suffix}");
        assert_eq!(env.status()["recovery"]["clean"], true, "{}", env.status());
    }
}

/// A pane whose files are all gone was called sound: nothing that was there was damaged.
#[test]
fn a_pane_of_which_nothing_is_left_is_named() {
    let env = stopped();
    let listed = env.ok(&["doctor", "--dump", "pane"]);
    // Panes are listed in the order of names that are random.
    let mut words = listed.split_whitespace();
    let (id, uuid) = words.next().zip(words.next()).expect("one of the panes has a name");
    fs::remove_dir_all(env.state_dir().join("panes").join(uuid)).expect("it is ours");
    for (path, _) in files(&env.state_dir().join("spool")) {
        fs::remove_file(path).expect("it is ours");
    }
    let finished = doctor(&env);
    assert_eq!(finished.code, Some(2), "{finished:?}");
    let words = format!(": pane {uuid} lost all that it had shown");
    let losses = finished.stdout.lines().filter(|line| line.starts_with("loss "));
    let losses: Vec<&str> = losses.collect();
    assert!(matches!(losses[..], [loss] if loss.ends_with(&words)), "{}", finished.stdout);
    // The start that follows says the same.
    let status = env.ok(&["start-server", ";", "status"]);
    let words = format!("pane {id}: pane {uuid} lost all that it had shown");
    assert!(status.contains(&words), "{status}");
}

/// A history of which the first chunk was missing, or all of it, was called sound: it might have been a limit.
#[test]
fn lines_that_no_limit_took_are_missed() {
    let env = stopped();
    let good = files(&env.state_dir());
    let (chunk, _) = newest(&good, ".chunk");
    fs::remove_file(chunk).expect("it is ours");
    let words = format!("pane {} lost history lines 0 to ", named(chunk));
    let finished = doctor(&env);
    assert_eq!(finished.code, Some(2), "{finished:?}");
    assert_eq!(finished.stdout.matches(&words).count(), 1, "{}", finished.stdout);
    let dumped = env.ok(&["doctor", "--dump", "pane", "%0"]);
    assert!(dumped.starts_with(&format!("[{words}")), "{dumped}");
    assert!(dumped.ends_with("line 300\n"), "{dumped}");
    let status = env.ok(&["start-server", ";", "status"]);
    assert!(status.contains(&words), "{status}");
}

#[test]
fn what_a_newer_version_wrote_is_refused_in_words() {
    let env = stopped();
    let format = env.state_dir().join("format");
    fs::write(&format, "{\"layout\":9,\"oldest_reader\":9}\nnone\n").expect("it is ours");
    let finished = doctor(&env);
    assert_eq!(finished.code, Some(3), "{finished:?}");
    assert!(finished.stdout.contains("written by a newer ccmux (layout 9)"), "{finished:?}");
    assert!(!finished.stdout.contains("0 sessions"), "nothing was read: {finished:?}");
}

#[test]
fn files_that_others_can_read_are_named() {
    let env = stopped();
    let format = env.state_dir().join("format");
    fs::set_permissions(&format, fs::Permissions::from_mode(0o644)).expect("it is ours");
    let finished = doctor(&env);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(finished.stdout.contains("other users can get at format\n"), "{finished:?}");
}

#[test]
fn a_store_in_use_or_not_there_is_not_examined() {
    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    let finished = env.ccmux(&["doctor"]);
    assert_eq!(finished.code, Some(4), "{finished:?}");
    assert!(finished.stderr.contains("there is no state directory at "), "{finished:?}");
    assert!(!env.state_dir().exists(), "looking makes nothing");
    // Of one that is not its own it used to find only that others can read it, and how to change that.
    let home = env.home();
    fs::write(home.join("notes"), "mine").expect("it is ours");
    let finished = env.ccmux(&["doctor", "--state-dir", home.to_str().expect("it is text")]);
    assert_eq!(finished.code, Some(4), "{finished:?}");
    assert!(finished.stderr.contains("there is nothing of a server in it"), "{finished:?}");
    env.ok(&["new-session", "-d", "exec tail -f /dev/null"]);
    let finished = env.ccmux(&["doctor"]);
    assert_eq!(finished.code, Some(4), "{finished:?}");
    let server = format!("a server (pid {}) is using ", env.server().pid());
    assert!(finished.stderr.contains(&server), "{finished:?}");
    let finished = env.ccmux(&["doctor", "%0"]);
    assert_eq!(finished.code, Some(4), "{finished:?}");
    let finished = env.ccmux(&["doctor", "--dump", "nothing"]);
    assert_eq!(finished.code, Some(4), "{finished:?}");
    assert!(finished.stderr.contains("[possible values: wal, checkpoint, pane]"), "{finished:?}");
}

/// What one does with a disk that fails: it is mounted so that nothing changes it any more.
#[test]
fn a_store_that_can_only_be_read_is_examined() {
    let Some(env) = TestEnv::on_small_disk(env!("CARGO_BIN_EXE_ccmux"), 16 << 20) else { return };
    env.ok(&["new-session", "-d", "exec tail -f /dev/null"]);
    env.shut_down();
    env.set_read_only("", true);
    let finished = doctor(&env);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(finished.stdout.contains("1 sessions, 1 windows, 1 panes"), "{finished:?}");
    env.set_read_only("", false);
}

#[test]
fn what_is_stored_can_be_read_without_a_server() {
    let env = stopped();
    let log = env.ok(&["doctor", "--dump", "wal"]);
    assert!(log.contains("the server was asked to end"), "{log}");
    let checkpoint = env.ok(&["doctor", "--dump", "checkpoint"]);
    let json = checkpoint.find('{').map_or("", |at| &checkpoint[at..]);
    let json: serde_json::Value = serde_json::from_str(json).expect("it is JSON");
    assert_eq!(json["state"]["next"]["pane"], 2, "{checkpoint}");

    let output = env.ok(&["doctor", "--dump", "pane", "%0"]);
    let lines: Vec<String> = (1..=300).map(|n| format!("line {n}")).collect();
    assert_eq!(output.lines().collect::<Vec<_>>(), lines);
    let (reader, writer) = std::io::pipe().expect("there are descriptors");
    drop(reader);
    let mut command = env.command(&["doctor", "--dump", "pane", "%0"]);
    let output = command.stdout(writer).output().expect("it starts");
    assert!(output.status.success() && output.stderr.is_empty(), "who has read enough: {output:?}");
    let panes = env.ok(&["doctor", "--dump", "pane"]);
    let other = panes.lines().find(|line| line.starts_with("%1 ")).expect("it is listed");
    let uuid = other.split_whitespace().nth(1).expect("it has a name");
    assert_eq!(env.ok(&["doctor", "--dump", "pane", uuid]), "the other pane\n");
    let finished = env.ccmux(&["doctor", "--dump", "pane", "%9"]);
    assert_eq!(finished.code, Some(4), "{finished:?}");
    assert!(finished.stderr.ends_with(": no pane %9 in the store\n"), "{finished:?}");
}

/// What is left of a closed pane whose removal was cut short is no loss, and the next start removes it.
#[test]
fn what_is_being_removed_is_not_missed() {
    let env = stopped();
    let dir = env.state_dir().join("panes/c45b5c0e-3a52-4b5e-9d0e-0a4c1d6f2b7a.removed");
    fs::create_dir(&dir).expect("it is ours");
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).expect("it is ours");
    let stored = files(&env.state_dir());
    let (chunk, _) = newest(&stored, ".chunk");
    fs::copy(chunk, dir.join(chunk.file_name().expect("it has a name"))).expect("it is ours");
    let finished = doctor(&env);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(finished.stdout.contains("is what is left of a closed pane"), "{finished:?}");
    assert!(finished.stdout.contains("result    sound"), "{finished:?}");
    env.ok(&["start-server"]);
    env.wait_ok(&["list-sessions"], |_| !dir.exists());
    assert_eq!(env.status()["recovery"]["clean"], true);
}
