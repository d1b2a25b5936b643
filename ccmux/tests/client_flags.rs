//! Clients that only look, that give no size, and that show a part of a larger window.

use ccmux_testkit::{Attached, TestEnv};

fn env() -> TestEnv {
    TestEnv::new(env!("CARGO_BIN_EXE_ccmux"))
}

/// A client of 60 by 21 gives the window its size; the returned one has this size and these flags.
fn second_client(
    env: &TestEnv,
    program: &str,
    flags: &str,
    size: (u16, u16),
) -> (Attached, Attached) {
    let first = env.attach_with(&["new-session", "-s", "work", program], 60, 21);
    first.wait_text("[work]");
    let second = env.attach_with(&["attach-session", "-f", flags], size.0, size.1);
    second.wait_text("[work]");
    (first, second)
}

/// The name of the client of that width.
fn name_of(env: &TestEnv, width: u16) -> String {
    let clients = env.ok(&["list-clients", "-F", "#{client_width} #{client_name}"]);
    let found = clients.lines().filter_map(|line| line.split_once(' '));
    let mut found = found.filter(|(found, _)| *found == width.to_string()).map(|(_, name)| name);
    found.next_back().expect("the client is there").to_owned()
}

/// A client with `ignore-size` gave the window its size all the same.
#[test]
fn a_client_that_ignores_sizes_gives_none() {
    let env = env();
    let (_first, second) = second_client(&env, "cat", "ignore-size", (40, 11));
    let size = ["display-message", "-p", "#{window_width}x#{window_height}"];
    // Neither when it is used nor when its terminal is resized.
    second.type_keys("typed\r");
    second.wait_text("typed");
    assert_eq!(env.ok(&size), "60x20\n");
    second.resize(50, 16);
    second.wait_screen("the new size", |screen| screen.status_line().len() > 40);
    assert_eq!(env.ok(&size), "60x20\n");
    // Flags outlive the server.
    env.kill_server();
    let name = || name_of(&env, 50);
    let wanted = "50 attached,focused,ignore-size,UTF-8";
    env.wait_ok(&["list-clients", "-F", "#{client_width} #{client_flags}"], |clients| {
        clients.lines().count() == 2 && clients.lines().any(|line| line == wanted)
    });
    env.ok(&["refresh-client", "-t", &name(), "-f", "!ignore-size"]);
    second.type_keys("x");
    env.wait_ok(&size, |size| size == "50x15\n");
    env.ok(&["refresh-client", "-t", &name(), "-f", "ignore-size"]);
    assert_eq!(env.ok(&size), "60x20\n");
    for (flags, message) in [
        ("bogus", "unknown client flag: bogus\n"),
        ("no-output", "no-output: not a control client\n"),
    ] {
        let refused = env.ccmux(&["refresh-client", "-t", &name(), "-f", flags]);
        assert_eq!((refused.code, &*refused.stderr), (Some(1), message));
        let refused = env.ccmux(&["new-session", "-d", "-s", "other", "-f", flags]);
        assert_eq!((refused.code, &*refused.stderr), (Some(1), message));
    }
    assert_eq!(env.ok(&["list-sessions", "-F", "#{session_name}"]), "work\n");
}

/// A client that was to look only could run every command that a key or a click is for.
#[test]
fn a_client_that_only_looks_changes_nothing() {
    let env = env();
    let first = env.attach_with(&["new-session", "-s", "work", "cat"], 60, 21);
    first.wait_text("[work]");
    env.ok(&["split-window", "-d", "cat"]);
    env.ok(&["set-option", "-g", "mouse", "on"]);
    // A message stays until a key.
    env.ok(&["set-option", "-g", "display-time", "0"]);
    let second = env.attach_with(&["attach-session", "-r"], 40, 21);
    second.wait_text("[work]");
    let flags = env.ok(&["list-clients", "-F", "#{client_flags}"]);
    assert_eq!(flags, "attached,focused,UTF-8\nattached,focused,ignore-size,read-only,UTF-8\n");
    // A click on the other pane, then keys.
    second.type_keys("\x1b[<0;1;18M\x1b[<0;1;18m\x02c");
    second.wait_text("Client is read-only");
    assert_eq!(env.ok(&["list-windows", "-F", "#{window_index} #{pane_index}"]), "0 0\n");
    second.type_keys("\x02d");
    second.wait_exit();
}

/// Goal: of a window that is larger than its terminal a client shows the part with the cursor, or
/// the part that was asked for; it showed the upper left part, wherever the cursor was. Clicks are
/// meant for what is seen.
#[test]
fn a_client_shows_a_part_of_a_larger_window() {
    let env = env();
    let program = "stty -echo; i=0; while [ $i -lt 19 ]; do \
        printf 'row%s 6789-123456789-123456789end\\n' $i; i=$((i+1)); done; exec cat";
    let (_first, second) = second_client(&env, program, "ignore-size", (20, 6));
    let top = |text: &str| {
        second.wait_screen(text, |screen| screen.row(0).starts_with(text));
    };
    let name = name_of(&env, 20);
    let refresh = |args: &[&str]| {
        env.ok(&[&["refresh-client", "-t", &name][..], args].concat());
    };
    let offset = || {
        let format = "#{window_bigger} #{window_offset_x},#{window_offset_y}";
        env.ok(&["display-message", "-p", "-c", &name, format]).trim_end().to_owned()
    };
    // The cursor is in the last row.
    top("row15");
    assert_eq!(offset(), "1 0,15");
    refresh(&["-U", "2"]);
    top("row13");
    refresh(&["-R", "6"]);
    top("6789-12");
    assert_eq!(offset(), "1 6,13");
    refresh(&["-L"]);
    refresh(&["-L", "2"]);
    top("13 6789");
    // By keys, ten at a time, and no further than there is something.
    second.type_keys("\x02\x1b[1;2A\x1b[1;2A");
    top("0 6789");
    assert_eq!(offset(), "1 3,0");
    refresh(&["-c"]);
    top("row15");
    // The first client sees all.
    let first = name_of(&env, 60);
    let format = "#{window_bigger}#{window_offset_x}";
    assert_eq!(env.ok(&["display-message", "-p", "-c", &first, format]), "0\n");
    let refused = env.ccmux(&["refresh-client", "-t", &name, "-R", "foo"]).stderr;
    assert_eq!(refused, "adjustment invalid\n");

    env.ok(&["set-option", "-g", "mouse", "on"]);
    env.ok(&["split-window", "-d", "cat"]);
    refresh(&["-D", "20"]);
    second.type_keys("\x1b[<0;1;2M\x1b[<0;1;2m");
    env.wait_ok(&["display-message", "-p", "#{pane_index}"], |index| index == "1\n");
}

/// Goal: a client with `active-pane` types into the pane that it selected, whatever the others have
/// selected, and sees its cursor there.
#[test]
fn a_client_has_active_panes_of_its_own() {
    let env = env();
    let (first, second) = second_client(&env, "cat", "active-pane", (60, 21));
    env.ok(&["split-window", "cat"]);
    let flags = env.ok(&["list-clients", "-F", "#{client_flags}"]);
    assert!(flags.contains("active-pane"), "{flags}");
    second.type_keys("\x02\x1b[A");
    second.wait_screen("the cursor above", |screen| screen.terminal().cursor().y == 0);
    first.type_keys("below");
    second.type_keys("above");
    let shows = |pane: &str, text: &str| {
        env.wait_ok(&["capture-pane", "-p", "-t", pane], |shown| shown.trim_end() == text);
    };
    shows("%0", "above");
    shows("%1", "below");
    assert_eq!(env.ok(&["list-panes", "-F", "#{pane_id}#{pane_active}"]), "%00\n%11\n");
    second.type_keys("\x02\x1b[B");
    second.wait_screen("the cursor below", |screen| screen.terminal().cursor().y > 10);
    second.type_keys("!");
    shows("%1", "below!");
    env.ok(&["select-pane", "-t", "%0"]);
    second.type_keys("?");
    shows("%1", "below!?");
    env.ok(&["kill-pane", "-t", "%1"]);
    second.type_keys("!");
    shows("%0", "above!");
}
