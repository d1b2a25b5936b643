//! Which client gives windows their size (`window-size`), and sizes set by hand.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;

use ccmux_testkit::TestEnv;
use rustix::fs::OFlags;
use rustix::termios::tcgetwinsize;

fn env() -> TestEnv {
    TestEnv::new(env!("CARGO_BIN_EXE_ccmux"))
}

fn size(env: &TestEnv, target: &str) -> String {
    let format = "#{window_width}x#{window_height}";
    env.ok(&["display-message", "-p", "-t", target, format]).trim_end().to_owned()
}

/// Expectations from tmux 3.3a.
#[test]
fn the_size_is_that_of_the_clients_that_count() {
    let env = env();
    env.ok(&["new-session", "-d", "-s", "work", "exec cat"]);
    let wide = env.attach(80, 24);
    wide.wait_text("[work]");
    let tall = env.attach(60, 30);
    tall.wait_text("[work]");
    assert_eq!(size(&env, "work"), "60x29", "that of the latest");
    let choose = |policy: &str| env.ok(&["set-option", "-g", "window-size", policy]);
    for (policy, expected) in [("largest", "80x29"), ("smallest", "60x23"), ("latest", "60x29")] {
        choose(policy);
        assert_eq!(size(&env, "work"), expected, "{policy}");
    }
    wide.type_keys("x");
    env.wait_ok(&["display-message", "-p", "#{window_width}"], |width| width == "80\n");
    choose("smallest");
    tall.resize(50, 20);
    let now = ["display-message", "-p", "#{window_width}x#{window_height}"];
    env.wait_ok(&now, |size| size == "50x19\n");
    tall.type_keys("\x02d");
    tall.wait_exit();
    env.wait_ok(&now, |size| size == "80x23\n");
    choose("manual");
    wide.resize(100, 50);
    wide.type_keys("y");
    env.wait_ok(&["capture-pane", "-p"], |text| text.contains("xy"));
    assert_eq!(size(&env, "work"), "80x23");
    choose("latest");
    env.wait_ok(&now, |size| size == "100x49\n");
}

/// Goal: a window that was given a size keeps it, whatever clients and servers do, until its option is
/// unset. Expectations from tmux 3.3a.
#[test]
fn a_window_keeps_the_size_that_it_was_given() {
    let env = env();
    env.ok(&["new-session", "-d", "-s", "work", "-x", "80", "-y", "24", "exec cat"]);
    env.ok(&["new-window", "-d", "exec cat"]);
    let resize = |args: &[&str]| {
        env.ok(&[&["resize-window", "-t", "work:0"], args].concat());
        size(&env, "work:0")
    };
    assert_eq!(resize(&["-x", "70", "-y", "20"]), "70x20");
    assert_eq!(env.ok(&["show-options", "-wv", "-t", "work:0", "window-size"]), "manual\n");
    assert_eq!(resize(&["-L", "5"]), "65x20");
    assert_eq!(resize(&["-R"]), "66x20");
    assert_eq!(resize(&["-U", "21"]), "66x20", "less than nothing");
    assert_eq!(resize(&["-D", "3"]), "66x23");
    let refused = env.ccmux(&["resize-window", "-x", "0"]);
    assert_eq!(refused.stderr, "width too small\n");
    env.ok(&["split-window", "-d", "-h", "-t", "work:0", "exec cat"]);
    env.ok(&["select-layout", "-t", "work:0", "even-vertical"]);
    let first = env.attach(90, 30);
    first.wait_text("[work]");
    assert_eq!((size(&env, "work:0"), size(&env, "work:1")), ("66x23".into(), "90x29".into()));
    env.kill_server();
    first.wait_shows_panes(&env);
    env.ok(&["kill-pane", "-t", "work:0.1"]);
    assert_eq!((size(&env, "work:0"), size(&env, "work:1")), ("66x23".into(), "90x29".into()));
    let second = env.attach(50, 40);
    second.wait_text("[work]");
    assert_eq!(resize(&["-A"]), "90x39");
    assert_eq!(resize(&["-a"]), "50x29");
    env.ok(&["set-option", "-wu", "-t", "work:0", "window-size"]);
    assert_eq!(size(&env, "work:0"), "50x39");
    env.ok(&["set-option", "-g", "default-size", "33x11"]);
    env.ok(&["new-session", "-d", "-s", "other", "exec cat"]);
    assert_eq!(size(&env, "other"), "33x11");
    env.ok(&[
        "resize-window",
        "-t",
        "other",
        "-x",
        "44",
        ";",
        "resize-window",
        "-t",
        "other",
        "-A",
    ]);
    assert_eq!(size(&env, "other"), "33x11");
}

/// Width and height in pixels that the system tells a pane's program.
fn pixels(env: &TestEnv, target: &str) -> (u16, u16) {
    let tty = env.ok(&["display-message", "-p", "-t", target, "#{pane_tty}"]);
    let flags = i32::try_from(OFlags::NOCTTY.bits()).expect("flags are an int");
    let tty = OpenOptions::new().read(true).custom_flags(flags).open(tty.trim_end());
    let size = tcgetwinsize(tty.expect("the pane has a terminal")).expect("it has a size");
    (size.ws_xpixel, size.ws_ypixel)
}

/// Goal: the pixels of a pane are those of the client that was used last, in its pty, in its answers and
/// in what is told in band; they outlast clients and servers. Method: `cat` shows what is typed, answers
/// of its terminal among that.
#[test]
fn cells_have_the_pixels_of_the_client_that_was_used_last() {
    let env = env();
    let program = "printf '\\033[?2048h'; exec cat";
    env.ok(&["new-session", "-d", "-s", "work", "-x", "50", "-y", "9", program]);
    assert_eq!(pixels(&env, "work"), (50 * 8, 9 * 16), "nobody has told");
    let wait = |expected: (u16, u16)| {
        env.wait_ok(&["list-clients"], |_| pixels(&env, "work") == expected);
    };
    let wait_told = |report: &str| {
        env.wait_ok(&["capture-pane", "-Jp", "-t", "work:0"], |text| text.contains(report));
    };
    wait_told("^[[48;9;50;144;400t");
    let small = env.attach(50, 10);
    small.resize_with_cells(50, 10, (10, 20));
    wait((50 * 10, 9 * 20));
    wait_told("^[[48;9;50;180;500t");
    // Another font, and as many cells.
    small.resize_with_cells(50, 10, (12, 25));
    wait((50 * 12, 9 * 25));
    wait_told("^[[48;9;50;225;600t");
    let large = env.attach(60, 12);
    large.resize_with_cells(60, 12, (20, 40));
    wait((60 * 20, 11 * 40));
    small.type_keys("x");
    wait((50 * 12, 9 * 25));
    large.type_keys("\x02d");
    large.wait_exit();
    small.type_keys("\x02d");
    small.wait_exit();
    wait((50 * 12, 9 * 25));

    env.kill_server();
    let query = "printf '\\033[16t\\033[14t\\033[18t'; exec cat";
    env.ok(&["new-window", "-d", "-t", "work", query]);
    for window in ["work:0", "work:1"] {
        assert_eq!(pixels(&env, window), (50 * 12, 9 * 25), "{window}");
    }
    let answers = "^[[6;25;12t^[[4;225;600t^[[8;9;50t";
    env.wait_ok(&["capture-pane", "-Jp", "-t", "work:1"], |text| text.contains(answers));
    env.ok(&["respawn-pane", "-k", "-t", "work:0", query]);
    wait_told(answers);
}
