//! Panes that grow and shrink, and the lines that come and go above them.

use ccmux_testkit::TestEnv;

const NUMBERS: &str = "stty -echo; seq 100; exec cat";

fn env() -> TestEnv {
    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    env.ok(&["new-session", "-d", "-s", "grow", "-x", "80", "-y", "20", NUMBERS]);
    env.wait_ok(&["capture-pane", "-p"], |screen| screen.contains("100\n"));
    env
}

fn seq(from: u32, to: u32) -> String {
    let numbers: Vec<String> = (from..=to).map(|n| n.to_string()).collect();
    numbers.join("\n") + "\n"
}

/// What was pushed out by a split is back when the other pane is closed, as in tmux; and whatever is
/// killed in between, each line is there once.
#[test]
fn lines_come_back_to_a_pane_that_grows() {
    let env = env();
    let screen = || env.ok(&["capture-pane", "-p", "-t", "%0"]);
    let whole = || env.ok(&["capture-pane", "-p", "-S", "-", "-t", "%0"]);
    let size = || env.ok(&["display-message", "-p", "-t", "%0", "#{history_size}"]);
    assert_eq!((screen(), size()), (seq(82, 100) + "\n", "81\n".to_owned()));
    env.ok(&["split-window", "-d", "-l", "9", "exec cat"]);
    assert_eq!((screen(), size()), (seq(92, 100) + "\n", "91\n".to_owned()));
    env.kill_server();
    assert_eq!((screen(), size()), (seq(92, 100) + "\n", "91\n".to_owned()));
    env.ok(&["resize-pane", "-Z", "-t", "%0"]);
    assert_eq!((screen(), size()), (seq(82, 100) + "\n", "81\n".to_owned()));
    env.kill_server();
    assert_eq!(screen(), seq(82, 100) + "\n");
    env.ok(&["resize-pane", "-Z", "-t", "%0"]);
    env.ok(&["kill-pane", "-t", "%1"]);
    assert_eq!(screen(), seq(82, 100) + "\n");
    assert_eq!(whole(), seq(1, 100) + "\n");
    env.ok(&["send-keys", "-t", "%0", "more", "Enter"]);
    env.wait_ok(&["capture-pane", "-p", "-t", "%0"], |screen| screen.contains("more"));
    env.kill_server();
    assert_eq!(whole(), seq(1, 100) + "more\n\n");
}

/// `resize-pane -T`.
#[test]
fn rows_below_the_cursor_are_given_up_for_lines() {
    let env = env();
    env.ok(&["send-keys", "-l", "-t", "%0", "\x1b[5;1H"]);
    env.ok(&["send-keys", "-t", "%0", "Enter"]);
    let cursor = || env.ok(&["display-message", "-p", "-t", "%0", "#{cursor_y} #{history_size}"]);
    env.wait_ok(&["display-message", "-p", "-t", "%0", "#{cursor_y}"], |y| y == "5\n");
    env.ok(&["resize-pane", "-T", "-t", "%0"]);
    assert_eq!(cursor(), "19 67\n");
    let expected = seq(68, 87);
    assert_eq!(env.ok(&["capture-pane", "-p", "-t", "%0"]), expected);
    env.kill_server();
    assert_eq!(env.ok(&["capture-pane", "-p", "-t", "%0"]), expected);
    assert_eq!(cursor(), "19 67\n");
}

/// Copy mode goes on showing what it showed when the screen below it takes lines back.
#[test]
fn copy_mode_keeps_its_lines_when_the_pane_grows() {
    let env = env();
    let client = env.attach(80, 21);
    client.wait_text("100");
    env.ok(&["split-window", "-d", "-l", "9", "exec cat"]);
    env.ok(&["copy-mode", "-t", "%0"]);
    env.ok(&["send-keys", "-X", "-N", "6", "-t", "%0", "scroll-up"]);
    client.wait_screen("six lines up", |screen| screen.row(1).trim() == "87");
    env.ok(&["kill-pane", "-t", "%1"]);
    client.wait_screen("the same lines and more", |screen| {
        let rows: Vec<String> = (1..20).map(|y| screen.row(y).trim().to_owned()).collect();
        let first: u32 = rows[0].parse().unwrap_or(0);
        first > 0
            && rows.iter().enumerate().all(|(y, row)| {
                row.parse::<u32>().is_ok_and(|n| n == first + y as u32) || first + y as u32 > 100
            })
    });
}
