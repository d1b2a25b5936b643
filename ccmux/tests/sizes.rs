//! Which client gives windows their size (`window-size`), and sizes set by hand.

use ccmux_testkit::TestEnv;

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
