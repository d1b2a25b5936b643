//! Layouts of windows, as people know them from tmux.

use ccmux_testkit::TestEnv;

/// Goal: `select-layout -o` goes back to the layout before the last such command, as in tmux 3.3a,
/// also when the server was killed meanwhile; it did nothing. A second one undoes the first, other
/// changes of the layout and commands that fail do not count, and places whose panes are gone close.
/// Method: a sequence of commands with the layouts that tmux showed after each.
#[test]
fn the_layout_before_is_restored() {
    const STACKED: &str = "b05b,80x24,0,0[80x12,0,0,0,80x11,0,13{40x11,0,13,1,39x11,41,13,2}]";
    const EVEN: &str = "9bb2,80x24,0,0{26x24,0,0,0,26x24,27,0,1,26x24,54,0,2}";
    const TWO_EVEN: &str = "b365,80x24,0,0{26x24,0,0,0,53x24,27,0,1}";
    const TWO_STACKED: &str = "c195,80x24,0,0[80x12,0,0,0,80x11,0,13,1]";
    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    env.ok(&["new-session", "-d", "-x", "80", "-y", "24", "cat"]);
    env.ok(&["split-window", "cat"]);
    env.ok(&["split-window", "-h", "cat"]);
    let layout = || env.ok(&["display-message", "-p", "#{window_layout}"]).trim_end().to_owned();
    for (command, expected) in [
        (&["select-layout", "-o"][..], STACKED),
        (&["select-layout", "even-horizontal"], EVEN),
        (&["select-layout", "-o"], STACKED),
        (&["select-layout", "-o"], EVEN),
        (&["kill-pane", "-t", "2"], TWO_EVEN),
    ] {
        env.ok(command);
        assert_eq!(layout(), expected, "{command:?}");
    }
    env.kill_server();
    for (command, expected) in [
        (&["select-layout", "-o"][..], TWO_STACKED),
        (&["resize-pane", "-t", "0", "-D", "2"], "409f,80x24,0,0[80x14,0,0,0,80x9,0,15,1]"),
    ] {
        env.ok(command);
        assert_eq!(layout(), expected, "{command:?}");
    }
    let refusal = |text: &str| env.ccmux(&["select-layout", text]).stderr;
    assert_eq!(refusal("foo"), "invalid layout: foo\n");
    env.ok(&["select-layout", "-o"]);
    assert_eq!(layout(), TWO_EVEN);
    env.ok(&["split-window", "-h", "cat"]);
    assert!(refusal("-o").starts_with("have 3 panes but need 2: 409f"));
}
