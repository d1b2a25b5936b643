//! A state directory on a disk that is full: words, panes that go on, and nothing called durable
//! that is not.

use std::fs;
use std::io::Write as _;

use ccmux_testkit::TestEnv;
use rustix::process::Signal;

const DISK_BYTES: u64 = 4 * 1024 * 1024;

fn env() -> Option<TestEnv> {
    TestEnv::on_small_disk(env!("CARGO_BIN_EXE_ccmux"), DISK_BYTES)
}

/// Takes what is left of the disk.
fn fill(env: &TestEnv) {
    let mut file = fs::File::create(env.state_dir().join("filler")).expect("it can be made");
    for size in [64 * 1024, 512, 1] {
        let block = vec![b'x'; size];
        while file.write_all(&block).is_ok() {}
    }
}

fn free(env: &TestEnv) {
    fs::remove_file(env.state_dir().join("filler")).expect("it is there");
}

fn wait_durable(env: &TestEnv, is_durable: bool) {
    wait_degraded(env, is_durable, "No space left on device");
}

fn wait_degraded(env: &TestEnv, is_durable: bool, reason: &str) {
    env.wait_status(|status| {
        let why = status["degraded"].as_str();
        assert_eq!(status["durable"].as_bool(), Some(why.is_none()), "{status}");
        assert!(why.is_none_or(|why| why.contains(reason)), "{status}");
        why.is_none() == is_durable
    });
}

#[test]
fn panes_and_clients_go_on_without_room_and_are_durable_again_with_it() {
    let Some(env) = env() else { return };
    let client = env.attach(80, 24);
    client.type_keys("echo said $((40+2))\r");
    client.wait_text("said 42");
    env.ok(&["rename-window", "before"]);
    wait_durable(&env, true);
    let server = env.server().pid();

    fill(&env);
    client.type_keys("seq 1 200000; echo printed $((6*7))\r");
    client.wait_text("printed 42");
    wait_durable(&env, false);
    client.wait_screen("a warning", |screen| screen.status_line().contains("NOT DURABLE"));
    // Memory is all that has some of it.
    let refused = env.ccmux(&["restart-server"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.starts_with("not everything is on the disk: "), "{refused:?}");
    // Commands do what they say; what is not on the disk is no failure.
    env.ok(&["rename-window", "meanwhile"]);
    env.ok(&["set-option", "-g", "@option", "meanwhile"]);
    env.ok(&["new-window", "-d", "-n", "late"]);
    env.wait_ok(&["capture-pane", "-p", "-J", "-t", ":late"], |text| {
        text.contains("no program can be started yet") && text.contains("No space left on device")
    });
    client.type_keys("echo still $((40+2))\r");
    client.wait_text("still 42");
    wait_durable(&env, false);

    free(&env);
    wait_durable(&env, true);
    client.wait_screen("no warning", |screen| !screen.status_line().contains("NOT DURABLE"));
    env.wait_ok(&["display-message", "-p", "-t", ":late", "#{pane_pid}"], |pid| pid != "0\n");
    env.ok(&["rename-window", "after"]);
    assert_eq!(env.server().pid(), server, "it is the same server all the while");
    wait_durable(&env, true);
    let windows =
        env.ok(&["list-windows", "-F", "#{window_index} #{window_name} #{window_layout}"]);
    drop(client);
    env.kill_everything();
    let found = env.ok(&["list-windows", "-F", "#{window_index} #{window_name} #{window_layout}"]);
    assert_eq!(found, windows);
    assert_eq!(env.ok(&["show-options", "-gv", "@option"]), "meanwhile\n");
    env.wait_ok(&["capture-pane", "-p", "-S", "-", "-t", "%0"], |text| text.contains("still 42"));
    assert_eq!(env.status()["recovery"]["clean"], true, "{}", env.status());
}

/// Goal: the disk's refusal costs nothing even if the server is killed meanwhile. Method: print far more
/// than a ring holds while the disk is full, kill the server again and again, and look for every
/// line: while the disk is full, and on the disk once it is not.
#[test]
fn a_server_that_is_killed_on_a_full_disk_loses_nothing() {
    let Some(env) = env() else { return };
    env.ok(&["new-session", "-d", "-s", "kept"]);
    wait_prompt(&env, "%0");
    env.ok(&["send-keys", "seq 1 5000; echo before $((6*7))", "Enter"]);
    env.wait_ok(&["capture-pane", "-p"], |text| text.contains("before 42"));
    wait_durable(&env, true);
    let panes = env.ok(&["list-panes", "-a", "-F", "#{session_name} #{pane_id} #{pane_pid}"]);
    let is_whole = |text: &str| {
        let numbers = text.lines().filter_map(|line| line.parse::<u32>().ok());
        numbers.eq(1..=200_000) && !text.contains("lost here")
    };
    fill(&env);
    env.ok(&["send-keys", "seq 5001 150000; echo printed $((6*7))", "Enter"]);
    env.wait_ok(&["capture-pane", "-p"], |text| text.contains("printed 42"));
    wait_durable(&env, false);
    env.ok(&["send-keys", "seq 150001 200000; echo also $((6*7))", "Enter"]);
    for _ in 0..3 {
        env.kill_server();
        let found = env.ok(&["list-panes", "-a", "-F", "#{session_name} #{pane_id} #{pane_pid}"]);
        assert_eq!(found, panes);
        wait_durable(&env, false);
        env.wait_ok(&["capture-pane", "-p"], |text| text.contains("also 42"));
        let text = env.ok(&["capture-pane", "-p", "-S", "-"]);
        assert!(is_whole(&text), "{}", summary(&text));
    }
    env.ok(&["send-keys", "echo alive $((6*7))", "Enter"]);
    env.wait_ok(&["capture-pane", "-p"], |text| text.contains("alive 42"));
    free(&env);
    wait_durable(&env, true);
    let text = env.ok(&["capture-pane", "-p", "-S", "-"]);
    assert!(is_whole(&text), "{}", summary(&text));
    env.kill_everything();
    let text = env.ok(&["capture-pane", "-p", "-S", "-"]);
    assert!(is_whole(&text) && text.contains("alive 42"), "{}", summary(&text));
    assert_eq!(env.status()["recovery"]["clean"], true, "{}", env.status());
    env.shut_down();
    let doctor = env.ccmux(&["doctor"]);
    assert_eq!(doctor.code, Some(0), "{doctor:?}");
}

/// Waits for a shell's prompt: what is typed before it is printed in the middle of output.
fn wait_prompt(env: &TestEnv, pane: &str) {
    env.wait_ok(&["capture-pane", "-p", "-t", pane], |text| text.contains(['$', '#']));
}

/// Runs of numbers, and what else there is.
fn summary(text: &str) -> String {
    let mut found: Vec<String> = Vec::new();
    let mut last = None;
    for line in text.lines().filter(|line| !line.is_empty()) {
        let number = line.parse::<u32>().ok();
        if number.is_none() || number != last.map(|last: u32| last + 1) {
            found.push(line.to_owned());
        }
        last = number;
    }
    found.truncate(40);
    format!("{found:?}")
}

/// A server that is told to end where the disk is full has room for a last checkpoint, which the
/// ballast kept; the next one takes ballast in again, once it can.
#[test]
fn a_last_checkpoint_is_written_on_a_full_disk() {
    let Some(env) = env() else { return };
    env.ok(&["new-session", "-d", "-s", "kept"]);
    env.ok(&["rename-window", "before"]);
    let ballast = env.state_dir().join("ballast");
    assert!(ballast.exists());
    fill(&env);
    env.ok(&["rename-window", "meanwhile"]);
    let issued = env.status()["log"]["issued"].as_u64().expect("a number");
    let server = env.server();
    server.signal(Signal::TERM);
    server.wait_gone();
    let checkpoints = fs::read_dir(env.state_dir().join("checkpoints")).expect("it is there");
    let names = checkpoints.map(|entry| entry.expect("a name").file_name());
    let newest = names.filter_map(|name| name.to_str()?.strip_suffix(".ckpt")?.parse::<u64>().ok());
    assert!(newest.max() >= Some(issued), "{issued}");
    assert!(!ballast.exists(), "its room was used");
    free(&env);
    assert_eq!(env.ok(&["list-windows", "-F", "#{window_name}"]), "meanwhile\n");
    wait_durable(&env, true);
    assert!(ballast.exists());
}

/// The same as on a full disk where directories have become read-only: no word of a pane is lost to
/// kills of the server, and all is durable as soon as it can be.
#[test]
fn read_only_directories_cost_nothing_either() {
    let Some(env) = env() else { return };
    let directories = ["spool", "panes"];
    env.ok(&["new-session", "-d", "-s", "kept"]);
    env.ok(&["split-window", "-d"]);
    wait_prompt(&env, "%0");
    wait_durable(&env, true);
    for directory in directories {
        env.set_read_only(directory, true);
    }
    // The next segment of the spool cannot be made.
    env.ok(&["send-keys", "-t", "%1", "echo first $((6*7))", "Enter"]);
    env.wait_ok(&["capture-pane", "-p", "-t", "%1"], |text| text.contains("first 42"));
    env.ok(&["clear-history", "-t", "%1"]);
    wait_degraded(&env, false, "Read-only file system");
    env.ok(&["send-keys", "-t", "%0", "seq 1 100000; echo printed $((6*7))", "Enter"]);
    env.wait_ok(&["capture-pane", "-p", "-t", "%0"], |text| text.contains("printed 42"));
    let is_whole = |text: &str| {
        let numbers = text.lines().filter_map(|line| line.parse::<u32>().ok());
        numbers.eq(1..=100_000)
    };
    for _ in 0..2 {
        env.kill_server();
        wait_degraded(&env, false, "Read-only file system");
        let text = env.ok(&["capture-pane", "-p", "-S", "-", "-t", "%0"]);
        assert!(is_whole(&text), "{}", summary(&text));
    }
    env.ok(&["rename-window", "meanwhile"]);
    for directory in directories {
        env.set_read_only(directory, false);
    }
    wait_degraded(&env, true, "Read-only file system");
    env.kill_everything();
    let text = env.ok(&["capture-pane", "-p", "-S", "-", "-t", "%0"]);
    assert!(is_whole(&text), "{}", summary(&text));
    assert_eq!(env.ok(&["list-windows", "-F", "#{window_name}"]), "meanwhile\n");
    assert_eq!(env.status()["recovery"]["clean"], true, "{}", env.status());
}

/// A disk that fails becomes read-only as a whole. A server that is killed then comes back all the same, and
/// is the one that is registered as soon as it can be.
#[test]
fn a_server_that_is_killed_on_a_read_only_disk_comes_back() {
    let Some(env) = env() else { return };
    env.ok(&["new-session", "-d", "-s", "kept"]);
    wait_prompt(&env, "%0");
    wait_durable(&env, true);
    let registered = || {
        let text = fs::read(env.state_dir().join("lock")).expect("it is there");
        let registration: serde_json::Value = serde_json::from_slice(&text).expect("it is JSON");
        registration["pid"].as_u64().expect("a number")
    };
    let first = registered();
    env.set_read_only("", true);
    env.ok(&["send-keys", "-t", "%0", "seq 1 1000; echo printed $((6*7))", "Enter"]);
    env.wait_ok(&["capture-pane", "-p", "-t", "%0"], |text| text.contains("printed 42"));
    for _ in 0..2 {
        env.kill_server();
        wait_degraded(&env, false, "Read-only file system");
        let text = env.ok(&["capture-pane", "-p", "-S", "-", "-t", "%0"]);
        let numbers = text.lines().filter_map(|line| line.parse::<u32>().ok());
        assert!(numbers.eq(1..=1000), "{}", summary(&text));
    }
    assert_eq!(registered(), first);
    let client = env.attach(80, 24);
    client.wait_screen("a warning", |screen| screen.status_line().contains("NOT DURABLE"));
    client.type_keys("echo said $((40+2))\r");
    client.wait_text("said 42");
    env.ok(&["rename-window", "meanwhile"]);
    env.set_read_only("", false);
    wait_degraded(&env, true, "Read-only file system");
    let server = env.status()["pid"].as_u64().expect("a number");
    assert_eq!(registered(), server);
    env.kill_everything();
    assert_eq!(env.ok(&["list-windows", "-F", "#{window_name}"]), "meanwhile\n");
    let text = env.ok(&["capture-pane", "-p", "-S", "-", "-t", "%0"]);
    assert!(text.contains("said 42"), "{text}");
    assert_eq!(env.status()["recovery"]["clean"], true, "{}", env.status());
}

/// What cannot be printed is no success.
#[test]
fn a_full_device_is_an_error_with_words() {
    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    env.ok(&["new-session", "-d", "-s", "kept"]);
    let full = fs::File::options().write(true).open("/dev/full").expect("every system has it");
    let mut command = env.command(&["list-sessions"]);
    let printed = command.stdout(full).output().expect("it can be started");
    assert_eq!(printed.status.code(), Some(1), "{printed:?}");
    let words = String::from_utf8_lossy(&printed.stderr).into_owned();
    assert!(words.contains("No space left on device"), "{words}");
}

#[test]
fn a_first_start_without_room_says_so() {
    let Some(env) = env() else { return };
    fill(&env);
    for args in [&["new-session", "-d"][..], &["new-session", "-A", "-s", "work"]] {
        let finished = env.ccmux(args);
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(1), ""), "{finished:?}");
        let words = "the server did not start: ";
        assert!(finished.stderr.starts_with(words), "{finished:?}");
        assert_eq!(finished.stderr.matches("No space left on device").count(), 1, "{finished:?}");
    }
    assert_eq!(env.servers().len(), 0);
    free(&env);
    env.ok(&["new-session", "-d"]);
    wait_durable(&env, true);
    let server = env.server();
    server.signal(Signal::TERM);
    server.wait_gone();
}
