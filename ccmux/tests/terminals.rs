//! What goes to the terminals outside and comes from them, beside pictures and keys.

use ccmux_testkit::{Attached, PtyProcess, Tail, TestEnv};

fn env() -> TestEnv {
    TestEnv::new(env!("CARGO_BIN_EXE_ccmux"))
}

fn attached(env: &TestEnv) -> Attached {
    let client = env.attach(60, 10);
    client.wait_text("[work]");
    client
}

/// A program that sends text straight to a place of the terminal, and then says so.
fn passing(row: u16, text: &str) -> String {
    let sequence = format!("\\033Ptmux;\\033\\033[{row};20H{text}\\033\\\\");
    format!("printf '{sequence}'; echo has passed; exec cat")
}

/// It was sent what it shows as letters.
#[test]
fn a_terminal_that_moves_no_cursor_is_refused() {
    let mut env = env();
    env.ok(&["new-session", "-d", "-s", "work", "exec cat"]);
    env.set("TERM", "dumb");
    for command in ["attach-session", "new-session"] {
        let client = env.script_in_terminal(&format!("$0 {command}; echo status $?"), 60, 10);
        let text = client.wait_text("status 1");
        assert_eq!(
            text.lines().next(),
            Some("open terminal failed: terminal does not support clear")
        );
    }
    assert_eq!(env.ok(&["list-sessions"]).lines().count(), 1);
}

/// Goal: what programs send past ccmux reaches the terminals that `allow-passthrough` names, and no
/// other. Method: text at places that no picture touches; terminals get all that in order.
#[test]
fn sequences_pass_through_where_that_is_allowed() {
    let env = env();
    env.ok(&["new-session", "-d", "-s", "work", "exec cat"]);
    let client = attached(&env);
    let pass = |flags: &[&str], row: u16, text: &str| {
        let program = passing(row, text);
        let made = ["split-window", "-P", "-F", "#{pane_id}"];
        let made = if flags.is_empty() { &made[..] } else { flags };
        let pane = env.ok(&[made, &["-t", "work:0.0", program.as_str()]].concat());
        let pane = pane.trim_end().to_owned();
        env.wait_ok(&["capture-pane", "-p", "-t", &pane], |text| text.contains("has passed"));
        env.ok(&["kill-pane", "-t", &pane]);
    };
    let hidden = ["new-window", "-a", "-d", "-P", "-F", "#{pane_id}"];
    pass(&[], 1, "<off>");
    env.ok(&["set-option", "-g", "allow-passthrough", "on"]);
    pass(&hidden, 2, "<hidden>");
    pass(&[], 3, "<on>");
    env.ok(&["set-option", "-g", "allow-passthrough", "all"]);
    pass(&hidden, 4, "<all>");
    let text = client.wait_text("<all>");
    assert!(!text.contains("<off>") && !text.contains("<hidden>"), "{text}");
    // The picture is right again, wherever the cursor was put.
    client.type_keys("typed");
    client.wait_screen("the cursor is back", |screen| {
        screen.row(0).starts_with("typed") && screen.terminal().cursor().x == 5
    });
}

/// The rest of a program's sequence was taken for a title.
#[test]
fn a_wrapped_sequence_is_none_of_the_pane() {
    let env = env();
    let program = "printf '\\033Ptmux;\\033\\033]2;not a title\\007\\033\\\\'; echo done; exec cat";
    env.ok(&["new-session", "-d", "-s", "work", program]);
    env.wait_ok(&["capture-pane", "-p"], |text| text == "done\n" || text.contains("done\n\n"));
    assert!(!env.ok(&["display-message", "-p", "#{pane_title}"]).contains("title"));
}

/// Goal: the clipboard of a terminal comes into a buffer when somebody asks for it, and only then.
#[test]
fn a_terminal_is_asked_for_its_clipboard() {
    let env = env();
    env.ok(&["new-session", "-d", "-s", "work", "stty -echo -icanon; echo ready; exec cat -v"]);
    let client = attached(&env);
    client.wait_text("ready");
    client.type_keys("\x1b]52;;dW5hc2tlZA==\x1b\\typed");
    env.wait_ok(&["capture-pane", "-p"], |text| text.contains("typed"));
    assert_eq!(env.ok(&["list-buffers"]), "");
    env.ok(&["refresh-client", "-l"]);
    client.type_keys("\x1b]52;c;aGVs");
    client.type_keys("bG8=\x07");
    env.wait_ok(&["list-buffers", "-F", "#{buffer_sample}"], |text| text == "hello\n");
    env.ok(&["refresh-client", "-l", "%0"]);
    client.type_keys("\x1b]52;;aGVsbG8=\x1b\\");
    env.wait_ok(&["capture-pane", "-p"], |text| text.contains("^[]52;;aGVsbG8=^[\\"));
}

/// Goal: a program that asks for the clipboard is told the newest buffer, where programs have the
/// clipboard, and nothing elsewhere.
#[test]
fn programs_may_ask_for_the_clipboard() {
    let env = env();
    let ask = "printf '\\033]52;c;?\\007'; printf '\\033[5n'; exec cat -v";
    let program = format!("stty -echo -icanon; {ask}");
    env.ok(&["set-buffer", "hello", ";", "new-session", "-d", "-s", "work", &program]);
    // The answer to another question comes after it.
    let answers = |pane: &str| {
        let capture = ["capture-pane", "-p", "-J", "-t", pane];
        env.wait_ok(&capture, |text| text.contains("^[[0n")).trim_end().to_owned()
    };
    assert_eq!(answers("%0"), "^[[0n");
    env.ok(&["set-option", "-s", "set-clipboard", "on"]);
    env.ok(&["new-window", "-d", &program]);
    assert_eq!(answers("%1"), "^[]52;c;aGVsbG8=^G^[[0n");
    env.ok(&["delete-buffer", ";", "new-window", "-d", &program]);
    assert_eq!(answers("%2"), "^[]52;c;^G^[[0n");
}

/// Without `COLORTERM` nobody saw true colours, whatever the options said of the terminal.
#[test]
fn options_say_what_a_terminal_can_do() {
    let env = env();
    let colour = "printf '\\033[38;2;1;2;3mX\\n'; exec cat";
    env.ok(&["new-session", "-d", "-s", "work", colour]);
    let is_true_colour = |client: &Attached| {
        let mut found = None;
        client.wait_screen("an X", |screen| {
            found = screen.true_colour(0, 0);
            screen.row(0).starts_with('X')
        });
        found == Some((1, 2, 3))
    };
    let features = |env: &TestEnv| env.ok(&["list-clients", "-F", "#{client_termfeatures}"]);
    let leave = |client: Attached| {
        client.type_keys("\x02d");
        client.wait_exit();
    };
    // What it would answer says more than its name.
    let attached = || {
        let client = env.attach_silent(60, 10);
        client.wait_text("[work]");
        client
    };
    let client = attached();
    assert!(!is_true_colour(&client));
    assert!(features(&env).starts_with("256,") && !features(&env).contains("RGB"));
    leave(client);
    env.ok(&["set-option", "-as", "terminal-features", ",xterm*:RGB"]);
    let client = attached();
    assert!(is_true_colour(&client));
    assert!(features(&env).contains("RGB"));
    leave(client);
    env.ok(&["set-option", "-su", "terminal-features"]);
    env.ok(&["set-option", "-as", "terminal-overrides", ",screen*:Tc@,xterm-256*:Tc"]);
    let client = attached();
    assert!(is_true_colour(&client));
}

/// Goal: a terminal's answers tell what it understands, the next server knows it too, and no byte of
/// them is typed into the pane. Method: a terminal that answers by hand, piece by piece, of which an
/// Escape would be a key at once.
#[test]
fn a_terminal_is_asked_what_it_is() {
    const QUESTIONS: &[u8] = b"\x1b[>q\x1b[16t\x1b[c";
    let env = env();
    let program = "stty -echo -icanon; echo ready; exec cat -v";
    env.ok(&["new-session", "-d", "-s", "work", "-x", "60", "-y", "9", program]);
    env.ok(&["set-option", "-s", "escape-time", "0"]);
    let client = PtyProcess::spawn(env.command(&[]), 60, 10, Tail::default()).unwrap();
    let asked = |tail: &Tail| {
        tail.bytes.windows(QUESTIONS.len()).filter(|bytes| *bytes == QUESTIONS).count()
    };
    client.wait_display("questions", |tail| (asked(tail) == 1).then_some(()));
    let known = ["list-clients", "-F", "#{client_termtype}|#{client_termfeatures}"];
    let before = env.ok(&known);
    assert!(before.starts_with('|') && !before.contains("margins"), "{before}");
    for piece in ["\x1bP>", "|XTerm(", "390)\x1b\\\x1b[?64;", "1;21;22c", "typed"] {
        client.type_bytes(piece.as_bytes());
    }
    let capture = ["capture-pane", "-p", "-t", "work"];
    let text = env.wait_ok(&capture, |text| text.contains("typed"));
    assert_eq!(text.trim_end(), "ready\ntyped");
    let after = env.ok(&known);
    assert!(after.starts_with("XTerm(390)|") && after.contains("margins"), "{after}");
    env.kill_server();
    client.type_bytes(b" more");
    let text = env.wait_ok(&capture, |text| text.contains("more"));
    assert_eq!(text.trim_end(), "ready\ntyped more");
    assert_eq!(env.ok(&known), after);
    let questions = client.wait_display("the output", |tail| Some(asked(tail)));
    assert_eq!(questions, 1, "it is not asked again");
    client.type_bytes(b"\x02d");
    client.wait_exit();
    let given_back = client.wait_display("the end", |tail| Some(tail.bytes.clone()));
    assert!(given_back.windows(6).any(|bytes| bytes == b"\x1b[?69l"), "margins are taken back");
}

/// Keys are those of the terminal that a program made of its pane, also after a kill.
#[test]
fn keys_are_those_of_the_panes_terminal() {
    let env = env();
    let program = "stty raw -echo; printf '\\033[?67h\\033[?2lready'; exec cat -v";
    env.ok(&["new-session", "-d", "-s", "work", program]);
    let capture = ["capture-pane", "-p", "-t", "work"];
    env.wait_ok(&capture, |text| text.contains("ready"));
    env.ok(&["send-keys", "-t", "work", "Up", "F1", "BSpace"]);
    env.wait_ok(&capture, |text| text.contains("ready^[A^[P^H"));
    env.kill_server();
    env.ok(&["send-keys", "-t", "work", "Left"]);
    env.wait_ok(&capture, |text| text.contains("ready^[A^[P^H^[D"));
}

/// A pane that takes no input was not told either that its terminal has the focus.
#[test]
fn a_pane_that_takes_no_input_is_told_of_the_focus() {
    let env = env();
    let program = "stty -echo -icanon; printf '\\033[?1004hready\\n'; exec cat -v";
    env.ok(&["new-session", "-d", "-s", "work", program]);
    let client = attached(&env);
    client.wait_text("ready");
    env.ok(&["select-pane", "-d"]);
    client.type_keys("typed\x1b[O\x1b[I");
    let text = env.wait_ok(&["capture-pane", "-p"], |text| text.contains("^[[O^[[I"));
    assert!(!text.contains("typed"), "{text}");
}

#[test]
fn the_border_of_the_marked_pane_is_reversed() {
    let env = env();
    env.ok(&["new-session", "-d", "-s", "work", "exec cat"]);
    env.ok(&["split-window", "-h", "exec cat"]);
    let client = attached(&env);
    let wait_reversed = |what: &str, expected: bool| {
        client.wait_screen(what, |screen| {
            let border = screen.row(1).chars().position(|c| c == '│');
            border.is_some_and(|x| screen.is_reversed(x as u16, 1) == expected)
        });
    };
    wait_reversed("a plain border", false);
    env.ok(&["select-pane", "-m", "-t", "%0"]);
    wait_reversed("a reversed border", true);
    env.ok(&["select-pane", "-M"]);
    wait_reversed("a plain border again", false);
}
