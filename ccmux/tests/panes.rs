//! What is switched on and off for single panes: their input, the mark.

use ccmux_testkit::TestEnv;

fn env() -> TestEnv {
    TestEnv::new(env!("CARGO_BIN_EXE_ccmux"))
}

/// A format of every pane, a line each.
fn of_panes(env: &TestEnv, format: &str) -> String {
    env.ok(&["list-panes", "-a", "-F", format])
}

/// Goal: a pane whose input is off gets nothing that is typed, pasted or sent, whatever happens to
/// the server, and everything again once it is on. Method: what arrives is shown by cat.
#[test]
fn a_pane_takes_no_input_until_it_is_told_to() {
    let env = env();
    env.ok(&["new-session", "-d", "-x", "40", "-y", "10", "stty -echo; echo ready; exec cat"]);
    let client = env.attach(40, 11);
    client.wait_text("ready");
    env.ok(&["select-pane", "-d"]);
    assert_eq!(of_panes(&env, "#{pane_input_off}"), "1\n");
    let send_all = |word: &str| {
        client.type_keys(&format!("typed-{word}\r\x1b[200~marked-{word}\x1b[201~"));
        env.ok(&["send-keys", &format!("sent-{word}"), "Enter"]);
        env.ok(&["set-buffer", &format!("pasted-{word}\n")]);
        env.ok(&["paste-buffer"]);
    };
    // The client's keys have arrived when the prompt that follows them is there.
    let after_keys = |text: &str| {
        client.type_keys("\x02:display-message -p ");
        client.wait_text(":display-message -p");
        client.type_keys(&format!("{text}\x15\x03"));
        client.wait_screen("the prompt is gone", |screen| !screen.text().contains(":display"));
    };
    send_all("before");
    after_keys("one");
    env.kill_server();
    assert_eq!(of_panes(&env, "#{pane_input_off}"), "1\n");
    client.wait_text("ready");
    send_all("after");
    after_keys("two");
    env.ok(&["select-pane", "-e"]);
    assert_eq!(of_panes(&env, "#{pane_input_off}"), "0\n");
    client.type_keys("again\r");
    client.wait_text("again");
    let lines: Vec<String> = env.ok(&["capture-pane", "-p"]).lines().map(str::to_owned).collect();
    let shown: Vec<&str> = lines.iter().map(String::as_str).filter(|l| !l.is_empty()).collect();
    assert_eq!(shown, ["ready", "again"]);
}

/// The answers are those of tmux 3.3a.
#[test]
fn the_input_of_other_panes_is_switched_too() {
    let env = env();
    env.ok(&["new-session", "-d", "-x", "81", "cat", ";", "split-window", "-h", "cat"]);
    let shown = || of_panes(&env, "#{pane_id} #{pane_active}#{pane_input_off}");
    for (args, expected) in [
        (&["select-pane", "-L", "-d", "-T", "no title"][..], "%0 01\n%1 10\n"),
        (&["last-pane", "-e"], "%0 00\n%1 10\n"),
        (&["last-pane", "-d"], "%0 01\n%1 10\n"),
        (&["last-pane", "-de"], "%0 00\n%1 10\n"),
        (&["select-pane", "-l", "-d"], "%0 01\n%1 10\n"),
        (&["select-pane", "-t", "%0"], "%0 11\n%1 00\n"),
    ] {
        env.ok(args);
        assert_eq!(shown(), expected, "{args:?}");
    }
    assert!(!of_panes(&env, "#{pane_title}").contains("no title"));
    env.ok(&["set-option", "-w", "synchronize-panes", "on"]);
    env.ok(&["send-keys", "-t", "%0", "of-left", "Enter"]);
    env.ok(&["send-keys", "-t", "%1", "of-right", "Enter"]);
    env.wait_ok(&["capture-pane", "-p", "-t", "%1"], |screen| screen.contains("of-right"));
    assert!(!env.ok(&["capture-pane", "-p", "-t", "%1"]).contains("of-left"));
    env.ok(&["select-pane", "-e", ";", "send-keys", "mark", "Enter"]);
    let left = env.wait_ok(&["capture-pane", "-p", "-t", "%0"], |screen| screen.contains("mark"));
    assert!(!left.contains("of-"), "{left}");
}

#[test]
fn a_pane_is_styled_the_old_way() {
    let env = env();
    env.ok(&["new-session", "-d", "cat"]);
    env.ok(&["select-pane", "-P", "bg=red"]);
    let styles = "window-active-style bg=red\nwindow-style bg=red\n";
    assert_eq!(env.ok(&["show-options", "-p"]), styles);
    assert_eq!(env.ok(&["select-pane", "-g", "-d"]), "bg=red\n");
    assert_eq!(of_panes(&env, "#{pane_input_off}"), "0\n", "-g only shows");
}

/// Goal: the mark is where tmux 3.3a has it after each of these commands. It wanders with its pane
/// inside of its window, and is lost when the pane or the window goes elsewhere.
#[test]
fn one_pane_is_marked() {
    let env = env();
    env.ok(&["new-session", "-d", "-x", "81", "-n", "a", "cat", ";", "split-window", "-h", "cat"]);
    env.ok(&["new-window", "-d", "-n", "b", "cat"]);
    let shown = || {
        let format = "#{window_index}#{pane_id}#{window_flags}#{?pane_marked,!,}#{pane_marked_set}";
        of_panes(&env, format).replace('\n', " ")
    };
    assert_eq!(shown(), "0%0*0 0%1*0 1%20 ");
    for (args, expected) in [
        (&["select-pane", "-m", "-t", "%0"][..], "0%0*M!1 0%1*M1 1%21 "),
        (&["swap-pane"], "0%1*M1 0%0*M!1 1%21 "),
        (&["select-pane", "-m", "-t", "%0"], "0%1*0 0%0*0 1%20 "),
        (&["select-pane", "-m", "-t", "%1"], "0%1*M!1 0%0*M1 1%21 "),
        (&["select-pane", "-M", "-t", "%0"], "0%1*0 0%0*0 1%20 "),
        (&["select-pane", "-m", "-t", "%1"], "0%1*M!1 0%0*M1 1%21 "),
        // The source is relative to the mark, too.
        (&["join-pane", "-d", "-s", ".+", "-t", ":b"], "0%1*M!1 1%21 1%01 "),
        (&["swap-window", "-d", "-t", ":b"], "0%2-0 0%0-0 1%1*0 "),
    ] {
        env.ok(args);
        assert_eq!(shown(), expected, "{args:?}");
    }
}

#[test]
fn the_marked_pane_is_a_target() {
    let env = env();
    env.ok(&["new-session", "-d", "cat", ";", "split-window", "cat"]);
    let name = |target: &str| env.ok(&["display-message", "-p", "-t", target, "#{pane_id}"]);
    assert_eq!(env.ccmux(&["kill-pane", "-t", "~"]).stderr, "no marked target\n");
    // Of a zoomed window only what can be seen is marked.
    env.ok(&["resize-pane", "-Z", ";", "select-pane", "-m", "-t", "%0"]);
    assert_eq!(of_panes(&env, "#{pane_marked_set}"), "0\n0\n");
    env.ok(&["resize-pane", "-Z"]);
    let client = env.attach(80, 24);
    client.wait_text("[0]");
    client.type_keys("\x02o\x02m");
    env.wait_ok(&["list-panes", "-F", "#{pane_marked}"], |marks| marks == "1\n0\n");
    client.type_keys("\x02o");
    env.kill_server();
    assert_eq!((name("~"), name("{marked}")), ("%0\n".to_owned(), "%0\n".to_owned()));
    client.type_keys("\x02M");
    env.wait_ok(&["list-panes", "-F", "#{pane_marked_set}"], |marks| marks == "0\n0\n");
    env.ok(&["select-pane", "-m", "-t", "%0", ";", "kill-pane", "-t", "~"]);
    assert_eq!(of_panes(&env, "#{pane_id} #{pane_marked_set}"), "%1 0\n");
}
