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
    env.wait_status(|status| {
        let why = status["degraded"].as_str();
        assert_eq!(status["durable"].as_bool(), Some(why.is_none()), "{status}");
        assert!(why.is_none_or(|why| why.contains("No space left on device")), "{status}");
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
