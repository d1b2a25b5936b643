//! A backup is made while everything runs, is checked, and brings everything back elsewhere.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use ccmux_testkit::{Flood, TestEnv};
use rustix::process::Signal;
use tempfile::TempDir;

const EXE: &str = env!("CARGO_BIN_EXE_ccmux");

fn text(path: &Path) -> &str {
    path.to_str().expect("the path is text")
}

/// Takes what is left of the disk.
fn fill(env: &TestEnv) {
    let mut file = fs::File::create(env.state_dir().join("filler")).expect("it can be made");
    for size in [64 * 1024, 512, 1] {
        let block = vec![b'x'; size];
        while file.write_all(&block).is_ok() {}
    }
}

#[test]
fn what_runs_can_be_backed_up_and_restored_elsewhere() {
    let shelf = TempDir::new().expect("there is room");
    let file = shelf.path().join("backup");
    let env = TestEnv::new(EXE);
    let command = Flood::command(&env);
    env.ok(&["new-session", "-d", "-s", "work", "-x", "80", "-y", "23", &command]);
    env.ok(&["split-window", "-d", "-t", "work", "exec tail -f /dev/null"]);
    env.ok(&["set-option", "-g", "@kept", "yes"]);
    let flood = Flood::of("%0");
    for burst in 1..=2 {
        flood.go(&env);
        env.wait_ok(&["capture-pane", "-p", "-t", "%0"], |text| text.contains(&Flood::done(burst)));
    }
    // More is printed while the backup is made.
    flood.go(&env);
    let said = env.ok(&["backup", text(&file)]);
    assert!(said.contains(": 1 sessions, 2 panes, "), "{said}");
    let mode = file.metadata().expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "nobody else can read it");
    let left = fs::read_dir(shelf.path()).expect("it can be listed").count();
    assert_eq!(left, 1, "nothing else is left beside it");
    let format = ["list-panes", "-a", "-F", "#{pane_id} #{session_name} #{window_layout}"];
    let panes = env.ok(&format);

    let other = TestEnv::new(EXE);
    let said = other.ok(&["restore", text(&file)]);
    assert!(said.contains(": 1 sessions, 2 panes, "), "{said}");
    assert_eq!(other.ok(&["doctor"]).lines().last(), Some("result    sound"));
    let client = other.attach(80, 24);
    client.wait_text("this is a new shell]");
    assert_eq!(other.ok(&format), panes);
    assert_eq!(other.ok(&["show-options", "-gv", "@kept"]), "yes\n");
    let lines = Flood::of("%0").lines(&other);
    let numbers: Vec<u32> = lines.iter().filter_map(|line| Flood::line_number(line)).collect();
    let expected: Vec<u32> = (1..).take(numbers.len()).collect();
    assert_eq!(numbers, expected, "in order, from the beginning");
    assert!(numbers.len() >= 2 * Flood::BURST_LINES as usize, "{}", numbers.len());
}

#[test]
fn nothing_is_replaced_unasked() {
    let shelf = TempDir::new().expect("there is room");
    let file = shelf.path().join("backup");
    let env = TestEnv::new(EXE);
    let finished = env.ccmux(&["backup", text(&file)]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(finished.stderr.contains("there is no state directory at"), "{finished:?}");
    env.ok(&["start-server"]);
    let nowhere = shelf.path().join("nowhere/backup");
    let finished = env.ccmux(&["backup", text(&nowhere)]);
    let words = format!("ccmux: {}: No such file or directory (os error 2)\n", nowhere.display());
    assert_eq!((finished.code, finished.stderr), (Some(1), words), "told once");
    env.ok(&["new-session", "-d", "-s", "first", "exec tail -f /dev/null"]);
    env.ok(&["backup", text(&file)]);
    let finished = env.ccmux(&["backup", text(&file)]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(finished.stderr.contains("is there already"), "{finished:?}");

    let finished = env.ccmux(&["restore", text(&file)]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(finished.stderr.contains("a server (pid "), "{finished:?}");
    env.ok(&["rename-session", "-t", "first", "second"]);
    let server = env.server();
    server.signal(Signal::TERM);
    server.wait_gone();
    let finished = env.ccmux(&["restore", "--replace", text(&file)]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(finished.stderr.contains("1 programs of"), "{finished:?}");
    let _serves = env.ok(&["start-server"]);
    env.shut_down();
    let finished = env.ccmux(&["restore", text(&file)]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(finished.stderr.contains("holds a state already; --replace"), "{finished:?}");
    let said = env.ok(&["restore", "--replace", text(&file)]);
    let before = said.lines().find_map(|line| line.strip_prefix("what was there before is in "));
    let before = before.expect("it says where");
    env.ok(&["start-server"]);
    assert_eq!(env.ok(&["list-sessions", "-F", "#{session_name}"]), "first\n");
    env.shut_down();
    let checkpoint = env.ok(&["doctor", "--state-dir", before, "--dump", "checkpoint"]);
    assert!(checkpoint.contains("\"second\""), "{checkpoint}");
}

/// Nobody takes a backup for whole that is not: what a server cannot put on the disk is missing, and
/// so is what it is told to keep off it.
#[test]
fn a_backup_says_what_is_missing() {
    let shelf = TempDir::new().expect("there is room");
    let file = |name: &str| text(&shelf.path().join(name)).to_owned();
    let Some(env) = TestEnv::on_small_disk(EXE, 4 << 20) else { return };
    env.ok(&["new-session", "-d", "-s", "work", "read line; seq 200000; exec cat"]);
    env.ok(&["split-window", "-d", "exec cat"]);
    env.ok(&["set-option", "-p", "-t", "%1", "history-persist", "off"]);
    let said = env.ok(&["backup", &file("whole")]);
    assert!(said.ends_with(" bytes; nothing that private panes have printed: %1\n"), "{said}");

    fill(&env);
    env.ok(&["send-keys", "-t", "%0", "Enter"]);
    env.wait_status(|status| status["durable"] == false && status["panes"][0]["kept"] != "disk");
    let finished = env.ccmux(&["backup", &file("partial")]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(finished.stdout.contains(": 1 sessions, 2 panes, "), "{finished:?}");
    let warning = "ccmux: warning: the server is degraded (";
    assert!(finished.stderr.starts_with(warning), "{finished:?}");
    for words in ["No space left on device", "what these panes print now is missing: %0\n"] {
        assert!(finished.stderr.contains(words), "{words}: {finished:?}");
    }

    fs::remove_file(env.state_dir().join("filler")).expect("it is there");
    env.wait_status(|status| status["durable"] == true);
    env.ok(&["backup", &file("whole again")]);
}

/// A state directory that is not a whole backup is never left behind.
#[test]
fn a_file_that_is_no_backup_changes_nothing() {
    let shelf = TempDir::new().expect("there is room");
    let file = shelf.path().join("backup");
    let env = TestEnv::new(EXE);
    env.ok(&["new-session", "-d", "-s", "work", "seq 1000; exec tail -f /dev/null"]);
    env.wait_ok(&["capture-pane", "-p"], |text| text.contains("1000"));
    env.ok(&["backup", text(&file)]);
    let good = fs::read(&file).expect("it is ours");
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    let cases: [(&[u8], &str); 4] = [
        (b"", "incomplete frame"),
        (b"#!/bin/sh\n", "is not a backup that can be restored"),
        (&good[..good.len() - 9], "is not a backup that can be restored"),
        (&flipped, "is not a backup that can be restored"),
    ];
    let other = TestEnv::new(EXE);
    for (bytes, words) in cases {
        fs::write(&file, bytes).expect("it is ours");
        let finished = other.ccmux(&["restore", text(&file)]);
        assert_eq!(finished.code, Some(1), "{words}: {finished:?}");
        assert!(finished.stderr.contains(words), "{words}: {finished:?}");
        assert!(!other.state_dir().exists(), "{words}");
        let parent = other.state_dir();
        let beside = fs::read_dir(parent.parent().expect("it has one")).into_iter().flatten();
        assert_eq!(beside.count(), 0, "nothing is left beside it");
    }
}
