//! `history-limit`: how many lines of its history people see of a pane.

use ccmux_testkit::TestEnv;

fn env() -> TestEnv {
    TestEnv::new(env!("CARGO_BIN_EXE_ccmux"))
}

fn shown(env: &TestEnv, format: &str) -> String {
    env.ok(&["display-message", "-p", "-t", "%0", format]).trim_end().to_owned()
}

/// The numbers that a pane shows, of its history and its screen.
fn numbers(env: &TestEnv, command: &[&str]) -> Vec<u32> {
    env.ok(command).lines().filter_map(|line| line.parse().ok()).collect()
}

/// Goal: nobody sees more than the limit, although chunks go whole. Method: look in every way there is,
/// after a kill, in a pane that shrinks and grows, with another limit, and at what is left of it.
#[test]
fn no_more_lines_are_seen_than_the_limit() {
    const WHOLE: &[&str] = &["capture-pane", "-p", "-S", "-", "-t", "%0"];
    let env = env();
    let program = "stty -echo; seq 5000; exec cat";
    let new = ["new-session", "-d", "-x", "80", "-y", "10", program];
    env.ok(&[&["set-option", "-g", "history-limit", "100", ";"], &new[..]].concat());
    env.wait_ok(&["capture-pane", "-p"], |text| text.contains("5000\n"));
    let limited = |first: u32| {
        assert_eq!(shown(&env, "#{history_size}"), "100");
        assert_eq!(numbers(&env, WHOLE), (first..=5000).collect::<Vec<_>>());
        assert_eq!(env.status()["panes"][0]["history_lines"], 100);
    };
    limited(4892);
    env.ok(&["copy-mode", "-t", "%0", ";", "send-keys", "-X", "-t", "%0", "history-top"]);
    assert_eq!(shown(&env, "#{scroll_position} #{copy_cursor_line}"), "100 4892");
    env.ok(&["send-keys", "-X", "-t", "%0", "cancel"]);
    env.kill_server();
    limited(4892);
    env.ok(&["split-window", "-d", "-l", "4", "exec cat"]);
    limited(4897);
    env.ok(&["kill-pane", "-t", "%1"]);
    let left = numbers(&env, WHOLE);
    assert_eq!(left, (left[0]..=5000).collect::<Vec<_>>());
    assert!(shown(&env, "#{history_size}").parse::<u32>().is_ok_and(|size| size <= 100));

    env.ok(&["set-option", "-g", "history-limit", "7"]);
    assert_eq!(shown(&env, "#{history_size}"), "7");
    assert_eq!(numbers(&env, WHOLE), (4985..=5000).collect::<Vec<_>>());
    env.ok(&["set-option", "-g", "history-limit", "150"]);
    env.ok(&["split-window", "-d", "exec cat", ";", "kill-pane", "-t", "%0"]);
    let closed = ["show-closed", "%0"];
    env.wait_ok(&["list-closed"], |text| text.contains("%0"));
    let closed = numbers(&env, &closed);
    assert!(closed.len() <= 160 && closed.ends_with(&[4999, 5000]), "{closed:?}");
}

/// What was in memory when copy mode was entered, and is on the disk meanwhile, was blank.
#[test]
fn copy_mode_shows_lines_that_have_gone_to_the_disk_meanwhile() {
    let env = env();
    env.ok(&["new-session", "-d", "-x", "80", "-y", "10", "seq 3000; exec cat"]);
    env.wait_ok(&["capture-pane", "-p"], |text| text.contains("3000\n"));
    let in_memory = |env: &TestEnv| shown(env, "#{history_bytes}").parse::<u32>().unwrap();
    env.ok(&["copy-mode"]);
    if in_memory(&env) > 10_000 {
        env.wait_ok(&["display-message", "-p", "#{history_bytes}"], |bytes| {
            bytes.trim_end().parse::<u32>().is_ok_and(|bytes| bytes < 2_000)
        });
    }
    env.ok(&["send-keys", "-X", "history-top"]);
    assert_eq!(shown(&env, "#{copy_cursor_line}"), "1");
    env.ok(&["send-keys", "-X", "-N", "2000", "cursor-down"]);
    assert_eq!(shown(&env, "#{copy_cursor_line}"), "2001");
}
