//! Session groups: sessions that share their windows, each with its own view of them.

use ccmux_testkit::{Attached, TestEnv};

const SHOWN: &str = "#{session_name}:#{window_index}:#{window_name}#{window_flags}";

/// Sessions `a` and `b` of one group with the windows `first` and `second`.
fn env() -> TestEnv {
    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    env.ok(&["new-session", "-d", "-s", "a", "-n", "first", "-x", "80", "-y", "23", "cat"]);
    env.ok(&["new-session", "-d", "-s", "b", "-t", "a"]);
    env.ok(&["new-window", "-d", "-t", "a:", "-n", "second", "cat"]);
    env
}

fn attach(env: &TestEnv, session: &str, cols: u16, rows: u16) -> Attached {
    let client = env.attach_with(&["attach-session", "-t", session], cols, rows);
    client.wait_text(&format!("[{session}]"));
    client
}

fn windows(env: &TestEnv) -> Vec<String> {
    env.ok(&["list-windows", "-a", "-F", SHOWN]).lines().map(str::to_owned).collect()
}

/// What follows the time in the lines of `list-sessions`.
fn sessions(env: &TestEnv) -> Vec<String> {
    let listed = env.ok(&["list-sessions"]);
    listed
        .lines()
        .map(|line| {
            let (name, _) = line.split_once(':').expect("a name");
            let (_, tail) = line.split_once(')').expect("a time");
            format!("{name}{tail}")
        })
        .collect()
}

fn format(env: &TestEnv, session: &str, format: &str) -> String {
    let target = format!("{session}:");
    env.ok(&["display-message", "-p", "-t", &target, format]).trim_end().to_owned()
}

#[test]
fn clients_of_a_group_see_the_same_windows_and_choose_their_own() {
    let env = env();
    let first = attach(&env, "a", 80, 24);
    let second = attach(&env, "b", 80, 24);
    first.type_keys("hello\r");
    first.wait_text("hello\nhello");
    second.wait_text("hello\nhello");

    second.type_keys("\x02n");
    second.wait_text("1:second*");
    second.type_keys("elsewhere\r");
    second.wait_text("elsewhere\nelsewhere");
    let shown = ["a:0:first*", "a:1:second", "b:0:first-", "b:1:second*"];
    assert_eq!(windows(&env).iter().map(|line| line.trim_end()).collect::<Vec<_>>(), shown);
    assert!(first.screen_text().contains("hello\nhello"), "{}", first.screen_text());
    assert_eq!(sessions(&env), ["a (group a) (attached)", "b (group a) (attached)"]);
    assert_eq!(format(&env, "b", "#{session_group_attached}#{session_group_many_attached}"), "21");

    // What one does to the list of windows the other sees.
    second.type_keys("\x02,");
    second.wait_text("(rename-window)");
    second.type_keys("\x15renamed\r");
    first.wait_text("0:first* 1:renamed");
    env.ok(&["new-window", "-d", "-t", "b:5", "-n", "third", "cat"]);
    first.wait_text("0:first* 1:renamed  5:third");
    env.ok(&["swap-window", "-s", "b:5", "-t", "b:0"]);
    second.wait_text("0:third- 1:renamed* 5:first");
    env.ok(&["kill-window", "-t", "a:0"]);
    second.wait_screen("the window is gone", |screen| !screen.text().contains("third"));
}

/// Two terminals of different sizes on two windows do not disturb each other; a window that both
/// show has the size of the one that was used last.
#[test]
fn a_window_follows_the_client_that_shows_it() {
    let env = env();
    let large = attach(&env, "a", 100, 30);
    let small = attach(&env, "b", 60, 20);
    let width = |window: &str, width: &str| {
        env.wait_ok(&["display-message", "-p", "-t", window, "#{window_width}"], |answer| {
            answer.trim_end() == width
        });
    };
    width("a:0", "60");
    small.type_keys("\x02n");
    small.wait_text("1:second*");
    // The one that still shows it gets it back, without a key.
    width("a:0", "100");
    width("a:1", "60");
    large.type_keys("x");
    large.wait_text("x");
    width("a:1", "60");
    small.type_keys("\x02p");
    small.wait_text("0:first*");
    width("a:0", "60");
    // A session that nobody looks at does not take a window away.
    env.ok(&["new-session", "-d", "-s", "c", "-t", "a", "-x", "40", "-y", "10"]);
    env.ok(&["select-window", "-t", "c:1", ";", "select-window", "-t", "c:0"]);
    width("a:0", "60");
}

#[test]
fn a_killed_session_leaves_its_windows_to_the_group() {
    let env = env();
    let client = attach(&env, "b", 80, 24);
    client.type_keys("before\r");
    client.wait_text("before\nbefore");
    let panes = env.ok(&["list-panes", "-s", "-t", "b", "-F", "#{pane_id} #{pane_pid}"]);
    env.ok(&["kill-session", "-t", "a"]);
    assert_eq!(env.ok(&["list-panes", "-s", "-t", "b", "-F", "#{pane_id} #{pane_pid}"]), panes);
    assert_eq!(sessions(&env), ["b (group a) (attached)"]);
    client.type_keys("after\r");
    client.wait_text("after\nafter");
    // Another one joins by the group's name, or by that of a session of it.
    assert_eq!(env.ok(&["new-session", "-d", "-P", "-t", "a"]), "a-2:\n");
    assert_eq!(env.ok(&["new-session", "-d", "-P", "-t", "b", "-F", "#S #I"]), "a-3 0\n");
    assert_eq!(format(&env, "b", "#{session_group_list} #{session_group_size}"), "b,a-2,a-3 3");
    // Which is printed before what the next command prints.
    let args = ["new-session", "-d", "-P", "-t", "a", ";", "display-message", "-p", "then"];
    assert_eq!(env.ok(&args), "a-4:\nthen\n");
    // The last window takes all of them along.
    env.ok(&["kill-window", "-t", "b:1"]);
    client.type_keys("\x04");
    assert!(client.wait_exit().success());
}

#[test]
fn groups_survive_kills() {
    let env = env();
    env.ok(&["new-session", "-d", "-t", "other"]);
    env.ok(&["select-window", "-t", "b:1"]);
    let client = attach(&env, "b", 80, 24);
    client.type_keys("kept\r");
    client.wait_text("kept\nkept");
    let described = || (windows(&env), sessions(&env), format(&env, "b", "#{session_group_list}"));
    let before = described();
    env.kill_server();
    client.type_keys("more\r");
    client.wait_text("more\nmore");
    assert_eq!(described(), before);
    drop(client);
    env.kill_everything();
    let client = attach(&env, "b", 80, 24);
    client.wait_text("kept\nkept");
    assert_eq!(described(), before);
    env.ok(&["new-window", "-t", "a:", "-n", "new", "cat"]);
    client.wait_text("new");
}

#[test]
fn what_a_group_cannot_have_is_refused_in_tmux_words() {
    let env = env();
    for (args, message) in [
        (&["-t", "a", "cat"][..], "command or window name given with target"),
        (&["-t", "a", "-n", "name"], "command or window name given with target"),
        (&["-t", "nothing", "cat"], "command or window name given with target"),
        (&["-s", "a", "-t", "zz"], "duplicate session: a"),
        (&["-A", "-s", "a", "-t", "b", "cat"], "command or window name given with target"),
    ] {
        let refused = env.ccmux(&[&["new-session", "-d"], args].concat());
        assert_eq!((refused.code, refused.stderr.trim_end()), (Some(1), message), "{args:?}");
    }
    for (args, message) in [
        (["swap-window", "-s", "a:0", "-t", "b:1"], "can't move window, sessions are grouped"),
        (["move-window", "-s", "a:0", "-t", "b:5"], "sessions are grouped"),
        (["break-pane", "-s", "a:0", "-t", "b:5"], "sessions are grouped"),
    ] {
        let refused = env.ccmux(&args);
        assert_eq!((refused.code, refused.stderr.trim_end()), (Some(1), message), "{args:?}");
    }
    assert_eq!(sessions(&env), ["a (group a)", "b (group a)"]);
}
