//! Prompts that take more than a line, and messages that take no keys.

use ccmux_testkit::{Attached, TestEnv};

fn env() -> TestEnv {
    TestEnv::new(env!("CARGO_BIN_EXE_ccmux"))
}

/// Waits until the cursor is in a row of the screen.
fn wait_cursor(client: &Attached, row: u16) {
    client.wait_screen("the cursor is there", |screen| screen.terminal().cursor().y == row);
}

/// A search while typing was run once, at the end, with its text taken for the way to search.
#[test]
fn a_search_follows_what_is_typed() {
    let env = env();
    let program = "printf 'fox\\nfor\\nfoo\\nend\\n'; exec cat";
    env.ok(&["new-session", "-d", "-x", "40", "-y", "10", program]);
    env.ok(&["set-option", "-gw", "mode-keys", "emacs"]);
    let client = env.attach(40, 11);
    client.wait_text("end");
    client.type_keys("\x02[\x12");
    client.wait_text("(search up)");
    for (typed, expected) in [("fo", "fo"), ("r", "for"), ("\x7f", "fo")] {
        client.type_keys(typed);
        let format = "#{pane_search_string}";
        env.wait_ok(&["display-message", "-p", format], |text| text.trim_end() == expected);
        assert!(client.screen_text().contains("(search up)"));
    }
    // From the lowest one up to the first of three.
    client.type_keys("\x12\x12\r");
    wait_cursor(&client, 0);
}

/// Goal: the digits typed before a command of copy mode say how often it is run, and the key that
/// ends them is that command's.
#[test]
fn a_command_of_copy_mode_is_repeated() {
    let env = env();
    env.ok(&["new-session", "-d", "-x", "40", "-y", "20", "seq 1 15; exec cat"]);
    env.ok(&["set-option", "-gw", "mode-keys", "emacs"]);
    let client = env.attach(40, 21);
    client.wait_text("15");
    client.type_keys("\x02[\x1b1");
    client.wait_text("(repeat)");
    client.type_keys("2\x10");
    wait_cursor(&client, 3);
    // Once only.
    client.type_keys("\x10");
    wait_cursor(&client, 2);
}

#[test]
fn a_prompt_takes_any_key_by_its_name_and_a_format_once() {
    let env = env();
    env.ok(&["new-session", "-d", "-s", "work", "cat"]);
    let client = env.attach(60, 10);
    client.wait_text("[work]");
    for (key, name) in [("\x1b[A", "Up"), ("\x03", "C-c"), ("x", "x")] {
        env.ok(&["command-prompt", "-b", "-k", "-p", "which", "set-option -g @key '%%'"]);
        client.wait_text("which");
        client.type_keys(key);
        let is_it = |value: &str| value.trim_end() == name;
        env.wait_ok(&["show-options", "-gqv", "@key"], is_it);
    }
    let template = "set-option -g @name '#{session_name}-%%'";
    for (flag, expected) in [("-b", "#{session_name}-a"), ("-bF", "work-a")] {
        env.ok(&["command-prompt", flag, "-p", "what", template]);
        client.wait_text("what");
        client.type_keys("a\r");
        let is_it = |value: &str| value.trim_end() == expected;
        env.wait_ok(&["show-options", "-gqv", "@name"], is_it);
    }
}

/// Goal: each type of prompt recalls its own answers; what was searched for came up where a command
/// was asked for. A type that does not exist is refused, as in tmux.
#[test]
fn each_type_of_prompt_has_its_history() {
    let env = env();
    env.ok(&["new-session", "-d", "-s", "work", "cat"]);
    let client = env.attach(60, 10);
    client.wait_text("[work]");
    let ask = |flags: &[&str], keys: &str| {
        let mut args = vec!["command-prompt", "-b", "-p", "what"];
        args.extend(flags);
        args.push("set-option -g @answer '<%%>'");
        env.ok(&args);
        client.wait_text("what");
        client.type_keys(keys);
    };
    // Each begins with what was recalled, and ends with a text of its own to wait for.
    let up = "\x1b[A";
    for (flags, keys, expected) in [
        (&["-T", "search"][..], "needle\r".to_owned(), "<needle>\n"),
        (&[], format!("{up}new\r"), "<new>\n"),
        (&["-T", "target"], format!("{up}work\r"), "<work>\n"),
        (&["-T", "command"], format!("{up}er\r"), "<newer>\n"),
        (&["-T", "window-target"], format!("{up}1\r"), "<1>\n"),
        (&["-T", "search"], format!("{up}s\r"), "<needles>\n"),
    ] {
        ask(flags, &keys);
        env.wait_ok(&["show-options", "-gqv", "@answer"], |answer| answer == expected);
    }
    let refusal = env.ccmux(&["command-prompt", "-T", "sear"]);
    assert_eq!((refusal.code, &*refusal.stderr), (Some(1), "unknown type: sear\n"));
}

#[test]
fn keys_are_for_nobody_while_a_message_says_so() {
    let env = env();
    env.ok(&["new-session", "-d", "-s", "work", "stty -echo; echo ready; exec cat"]);
    let client = env.attach(40, 6);
    client.wait_text("ready");
    env.ok(&["display-message", "-N", "-d", "600000", "look at this"]);
    client.wait_text("look at this");
    // The window follows the client used last: the size says that the keys were looked at.
    let other = env.attach(50, 6);
    let width = ["display-message", "-p", "#{window_width}"];
    env.wait_ok(&width, |width| width == "50\n");
    client.type_keys("dropped\r");
    env.wait_ok(&width, |width| width == "40\n");
    client.wait_text("look at this");
    drop(other);
    env.ok(&["display-message", "-d", "600000", "any key"]);
    client.wait_text("any key");
    client.type_keys("typed\r");
    client.wait_text("typed");
    assert!(!env.ok(&["capture-pane", "-p"]).contains("dropped"));
}

/// The words are those of tmux 3.3a, which says nothing of a mouse in the last two.
#[test]
fn flags_that_mean_nothing_here_are_refused() {
    let env = env();
    env.ok(&["new-session", "-d", "cat"]);
    let client = env.attach(40, 6);
    client.wait_text("[0]");
    for (args, message) in [
        (&["refresh-client", "-A", "%0:on"][..], "not a control client\n"),
        (&["refresh-client", "-B", "name"], "not a control client\n"),
        (&["refresh-client", "-C", "80x24"], "not a control client\n"),
        (&["send-keys", "-M"], "no mouse target\n"),
        (&["copy-mode", "-M"], "no mouse target\n"),
        (&["resize-pane", "-M"], "no mouse target\n"),
    ] {
        assert_eq!(env.ccmux(args).stderr, message, "{args:?}");
    }
    assert_eq!(env.ok(&["display-message", "-p", "#{pane_in_mode}"]), "0\n");
}

/// A prompt was gone with its server, and what was typed next went to the pane.
#[test]
fn a_prompt_goes_on_with_the_next_server() {
    let env = env();
    env.ok(&["new-session", "-d", "-s", "work", "cat"]);
    let client = env.attach(60, 10);
    client.wait_text("[work]");
    let is_back = || {
        env.wait_ok(&["list-clients", "-F", "#{client_session}"], |text| text == "work\n");
    };
    let asks = [
        ("\x02,\x15new na", "me\r", "(rename-window) new na", "#{window_name}", "new name"),
        ("\x02:set -g @x 4", "2\r", ":set -g @x 4", "#{@x}", "42"),
    ];
    for (typed, rest, shown, format, expected) in asks {
        client.type_keys(typed);
        client.wait_text(shown);
        env.kill_server();
        is_back();
        client.type_keys(rest);
        env.wait_ok(&["display-message", "-p", format], |text| text.trim_end() == expected);
    }
    client.type_keys("\x02x");
    client.wait_text("kill-pane 0? (y/n)");
    env.kill_server();
    is_back();
    client.type_keys("ntyped");
    client.wait_text("typed");
}
