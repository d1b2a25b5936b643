//! What people and scripts that know tmux expect of commands, settings and keys.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use ccmux_testkit::TestEnv;

fn env() -> TestEnv {
    TestEnv::new(env!("CARGO_BIN_EXE_ccmux"))
}

/// A format of a target.
fn shown(env: &TestEnv, target: &str, format: &str) -> String {
    env.ok(&["display-message", "-p", "-t", target, format]).trim_end().to_owned()
}

/// `-b` never answered: the job of the command line waited for what it had left behind, so that
/// every plugin that starts something this way hung.
#[test]
fn a_command_in_the_background_is_not_waited_for() {
    let env = env();
    env.ok(&["new-session", "-d"]);
    // These end by themselves only if the server is wrong.
    let pid_file = env.home().join("pid");
    env.ok(&["run-shell", "-b", "echo $$ > pid.new && mv pid.new pid && exec tail -f /dev/null"]);
    env.ok(&["if-shell", "-b", "exec tail -f /dev/null", "kill-server"]);
    let client = env.attach(40, 5);
    env.ok(&["if-shell", "-b", "true", "set-option -g status-left chosen"]);
    client.wait_text("chosen");
    // With the server they end.
    while !pid_file.exists() {
        env.ok(&["run-shell", "true"]);
    }
    let pid = fs::read_to_string(&pid_file).expect("home is ours");
    let pid = pid.trim().parse().expect("a process id");
    let left = ccmux_testkit::Process::open(pid).expect("processes can be opened");
    env.ok(&["kill-server"]);
    left.expect("it runs until then").wait_gone();
}

/// Goal: commands come after their delay, others do not wait for them, and whoever asked does.
/// Method: a delay that never ends here beside one that is short.
#[test]
fn commands_run_after_a_delay() {
    let env = env();
    env.ok(&["new-session", "-d", "-s", "work", "cat"]);
    let answer = |name: &str| env.ccmux(&["show-options", "-gqv", name]).stdout;
    env.ok(&["run-shell", "-b", "-d", "86400", "-C", "kill-server"]);
    env.ok(&["run-shell", "-d", "0.01", "-C", "set-option -g @waited yes"]);
    assert_eq!(answer("@waited"), "yes\n");
    env.ok(&["run-shell", "-b", "-d", "0.01", "-C", "set-option -g @later yes"]);
    env.wait_ok(&["show-options", "-gqv", "@later"], |value| value == "yes\n");
    assert_eq!(
        env.ok(&["run-shell", "-d", "0", "echo '#{session_name}#' '##{pane_id}'"]),
        "work# #{pane_id}\n"
    );
    assert_eq!(env.ok(&["run-shell", "-d", "0.01"]), "");
}

/// A client that was to be read-only by its flags could type.
#[test]
fn a_client_is_read_only_by_its_flags() {
    let env = env();
    let read_only = |args: &[&str]| {
        let client = env.attach_with(args, 40, 6);
        client.wait_text("[work]");
        let flags = env.ok(&["list-clients", "-F", "#{client_readonly}"]);
        client.type_keys("\x02d");
        client.wait_exit();
        flags
    };
    let new = ["new-session", "-s", "work", "-f", "ignore-size,read-only", "cat"];
    assert_eq!(read_only(&new), "1\n");
    assert_eq!(read_only(&["attach-session", "-f", "read-only"]), "1\n");
    assert_eq!(read_only(&["attach-session"]), "0\n");
}

#[test]
fn clearing_alerts_closes_no_session() {
    let env = env();
    env.ok(&["new-session", "-d", "-s", "work"]);
    env.ok(&["kill-session", "-C", "-t", "work"]);
    env.ok(&["has-session", "-t", "=work"]);
}

/// Panes ran /bin/sh whatever the shell of the person was: the default of `default-shell` hid it.
#[test]
fn panes_run_the_shell_of_the_person() {
    let mut env = env();
    let shell = env.home().join("my-shell");
    fs::write(&shell, "#!/bin/sh\necho this is my shell\nexec cat\n").expect("home is ours");
    fs::set_permissions(&shell, fs::Permissions::from_mode(0o700)).expect("the file is ours");
    env.set("SHELL", &shell);
    env.set("EDITOR", "/usr/bin/vim");
    let client = env.attach(80, 24);
    client.wait_text("this is my shell");
    let shell = shell.to_str().expect("the path is text");
    assert_eq!(env.ok(&["show-options", "-gv", "default-shell"]).trim_end(), shell);
    assert_eq!(env.ok(&["show-options", "-gwv", "mode-keys"]), "vi\n");
    assert_eq!(env.ok(&["show-options", "-sv", "editor"]), "/usr/bin/vim\n");
    assert_eq!(shown(&env, "", "#{mode-keys} #{default-shell}"), format!("vi {shell}"));
    env.ok(&["set-option", "-gw", "mode-keys", "emacs"]);
    assert_eq!(env.ok(&["show-options", "-gwv", "mode-keys"]), "emacs\n");
}

/// Goal: after an end that left nothing, the configuration counts and nothing else; a server that
/// is continued keeps what was set by hand. Before, an old configuration stayed for ever.
#[test]
fn the_configuration_is_read_at_a_new_beginning() {
    let env = env();
    let configure = |text: &str| {
        fs::write(env.home().join(".tmux.conf"), text).expect("home is ours");
    };
    let user_option = |name: &str| env.ccmux(&["show-options", "-gqv", name]).stdout;
    configure("set -g @file one\nbind X display-message one\nunbind c\n");
    env.ok(&["new-session", "-d"]);
    env.ok(&["set-option", "-g", "@hand", "kept"]);
    env.ok(&["set-environment", "-g", "BY_HAND", "kept"]);
    configure("set -g @file two\n");
    env.kill_server();
    assert_eq!((user_option("@file"), user_option("@hand")), ("one\n".into(), "kept\n".into()));
    env.ok(&["kill-server"]);
    env.ok(&["new-session", "-d"]);
    assert_eq!((user_option("@file"), user_option("@hand")), ("two\n".into(), String::new()));
    assert_eq!(env.ccmux(&["show-environment", "-g", "BY_HAND"]).code, Some(1));
    let keys = env.ok(&["list-keys", "-T", "prefix"]);
    assert!(!keys.contains(" X ") && keys.contains("new-window"), "{keys}");
}

/// Goal: an ordinary configuration works. Method: the idioms that once failed: a branch by version
/// took the one for the oldest tmux, and commands in the status line printed nothing.
#[test]
fn idioms_of_configurations_work() {
    let env = env();
    let configuration = "%if \"#{>=:#{version},2.9}\"\nset -g @branch new\n%else\n\
        set -g @branch old\n%endif\nset -g status-interval 1\n\
        set -g status-left \"#[fg=green]#(cat shown)#[default]|\"\n";
    fs::write(env.home().join(".tmux.conf"), configuration).expect("home is ours");
    let shown = |text: &str| fs::write(env.home().join("shown"), text).expect("home is ours");
    shown("first\nlast\n");
    let client = env.attach(80, 24);
    client.wait_text("last|");
    shown("changed");
    client.wait_text("changed|");
    assert_eq!(env.ok(&["show-options", "-gv", "@branch"]), "new\n");
}

/// Goal: what a server is started for meets all of the configuration. Method: a configuration that
/// waits for a shell command, which itself runs commands; the first window was made meanwhile.
#[test]
fn the_first_session_is_made_after_the_configuration() {
    let mut env = env();
    let exe = env!("CARGO_BIN_EXE_ccmux");
    env.set("CCMUX_EXE", exe);
    let configuration = "run-shell '$CCMUX_EXE set-option -g @inner yes'\n\
        set -g base-index 3\nset -g default-command 'exec cat'\n";
    fs::write(env.home().join(".tmux.conf"), configuration).expect("home is ours");
    env.ok(&["new-session", "-d"]);
    let windows = env.ok(&["list-windows", "-F", "#{window_index} #{pane_start_command}"]);
    assert_eq!(windows, "3 \"exec cat\"\n");
    assert_eq!(env.ok(&["show-options", "-gv", "@inner"]), "yes\n");
}

/// Scripts ask whether a pane exists this way: nothing there is no failure.
#[test]
fn a_format_can_be_asked_of_what_is_gone() {
    let env = env();
    env.ok(&["new-session", "-d", "-s", "work"]);
    assert_eq!(shown(&env, "%99", "<#{pane_id}>"), "<>");
    assert_eq!(shown(&env, "work:9", "#{session_name}:#{window_index}"), "work:0");
    // Nobody is attached: there is nobody to show it to, which is no failure either.
    env.ok(&["display-message", "hello"]);
    env.ok(&["display-message", "-c", "gone", "hello"]);
    let host = shown(&env, "work", "#{host}");
    assert_eq!(shown(&env, "work", "#{pane_title}"), host, "the title until a program sets one");
    assert!(shown(&env, "work", "#{pane_tty}").starts_with("/dev/"));
    let flags = "#{window_bell_flag}#{window_activity_flag}#{window_silence_flag}";
    assert_eq!(shown(&env, "work", flags), "000");
}

#[test]
fn formats_can_be_looked_into() {
    let env = env();
    env.ok(&["new-session", "-d", "-s", "look", "-x", "60", "-y", "10", "sleep 1000"]);
    let all = env.ok(&["display-message", "-a", "-t", "look:"]);
    for line in ["session_name=look", "pane_width=60", "version=3.3a", "pane_dead=0"] {
        assert!(all.lines().any(|found| found == line), "{line}: {all}");
    }
    assert!(all.lines().is_sorted() && !all.contains("client_name"), "{all}");
    let log = env.ok(&["display-message", "-vpt", "look:", "#{session_name}"]);
    let expected = "# expanding format: #{session_name}\n# found #{}: session_name\n\
        # format 'session_name' found: look\n# replaced 'session_name' with 'look'\n\
        # result is: look\nlook\n";
    assert_eq!(log, expected);
}

#[test]
fn lists_are_ordered_by_the_names_of_sessions() {
    let env = env();
    for name in ["beta", "alpha"] {
        env.ok(&["new-session", "-d", "-s", name]);
    }
    let lists = [
        &["list-sessions", "-F", "#{session_name}"][..],
        &["list-windows", "-a", "-F", "#{session_name}"],
        &["list-panes", "-a", "-F", "#{session_name}"],
    ];
    for list in lists {
        assert_eq!(env.ok(list), "alpha\nbeta\n", "{list:?}");
    }
}

/// The words are those of tmux 3.3a.
#[test]
fn mistakes_are_told_in_the_words_of_tmux() {
    let env = env();
    env.ok(&["new-session", "-d", "-s", "work"]);
    for (args, message) in [
        (&["set-option", "-t", "nope", "status", "on"][..], "no such session: nope\n"),
        (&["set-option", "-wt", "nope", "mode-keys", "vi"], "no such window: nope\n"),
        (&["set-option", "-pt", "nope", "@a", "b"], "no such pane: nope\n"),
        (&["next-window", "-a"], "no next window\n"),
        (&["previous-window", "-a"], "no previous window\n"),
        (&["resize-pane", "-x", "wide"], "width invalid\n"),
        (&["split-window", "-l", "large"], "lines invalid\n"),
        (&["capture-pane", "-a", "-p"], "no alternate screen\n"),
        (&["source-file", "/nowhere.conf"], "/nowhere.conf: No such file or directory\n"),
    ] {
        let finished = env.ccmux(args);
        assert_eq!((finished.code, finished.stderr.as_str()), (Some(1), message), "{args:?}");
    }
    assert_eq!(env.ok(&["capture-pane", "-a", "-p", "-q"]), "");
    assert_eq!(env.ok(&["show-options", "-s", "user-keys"]), "user-keys\n");
    assert_eq!(env.ok(&["list-sessions", "-F", "#{session_name}"]), "work\n");
}

#[test]
fn a_full_screen_program_hides_a_screen_that_can_be_captured() {
    let env = env();
    let program = "printf 'below\\n'; printf '\\033[?1049habove'; exec cat";
    env.ok(&["new-session", "-d", "-x", "20", "-y", "4", program]);
    let client = env.attach(20, 5);
    client.wait_text("above");
    assert_eq!(env.ok(&["capture-pane", "-p", "-a"]), "below\n\n\n\n");
    assert_eq!(env.ok(&["capture-pane", "-p", "-a", "-S", "0", "-E", "0"]), "below\n");
    assert!(env.ok(&["capture-pane", "-p"]).contains("above"));
}

#[test]
fn files_to_source_may_be_a_pattern() {
    let env = env();
    env.ok(&["new-session", "-d"]);
    let directory = env.home().join("conf.d");
    fs::create_dir(&directory).expect("home is ours");
    for (name, value) in [("1.conf", "a"), ("2.conf", "b"), (".3.conf", "hidden"), ("4", "c")] {
        let text = format!("set -ga @read {value}\n");
        fs::write(directory.join(name), text).expect("home is ours");
    }
    assert!(env.ok(&["source-file", "-nv", "conf.d/*.conf"]).contains("2.conf:1: set-option"));
    env.ok(&["source-file", "conf.d/*.conf"]);
    assert_eq!(env.ok(&["show-options", "-gv", "@read"]), "ab\n");
}

/// A style that is a format, as the default of the active border is, was drawn as no style.
#[test]
fn the_border_of_the_active_pane_is_marked() {
    let env = env();
    env.ok(&["new-session", "-d", "-x", "21", "-y", "5", "cat"]);
    env.ok(&["split-window", "-h", "cat"]);
    let client = env.attach(21, 6);
    let border = |row: u16, colour: Option<u8>| {
        let expected = ("│".to_owned(), colour);
        client.wait_screen("a border in its colour", |screen| screen.cell(10, row) == expected);
    };
    // Of two panes each has half of the line; the right one is active.
    border(0, None);
    border(4, Some(2));
    env.ok(&["select-pane", "-L"]);
    border(0, Some(2));
    env.ok(&["set-option", "-g", "pane-border-style", "#{?#{==:1,1},fg=colour9,fg=blue}"]);
    border(4, Some(9));
}

/// While a key could be repeated, the prefix was taken for the second half of `C-b C-b`.
#[test]
fn the_prefix_works_while_a_key_may_repeat() {
    let env = env();
    env.ok(&["new-session", "-d", "cat", ";", "split-window", "cat"]);
    env.ok(&["set-option", "-g", "repeat-time", "60000"]);
    let client = env.attach(40, 12);
    client.wait_text("0:cat*");
    let height = || shown(&env, ":.1", "#{pane_height}");
    let before: u16 = height().parse().expect("a number");
    client.type_keys("\x02\x1b[1;5A\x1b[1;5A\x02c");
    client.wait_text("1:");
    assert_eq!(env.ok(&["list-windows", "-F", "#{window_index}"]), "0\n1\n");
    let after = shown(&env, ":0.1", "#{pane_height}");
    assert_eq!(after, (before + 2).to_string());
}

/// What was being looked at is looked at again after the server was killed: keys that were meant
/// for copy mode went to the shell.
#[test]
fn copy_mode_survives_the_server() {
    let env = env();
    env.ok(&["new-session", "-d", "seq 1 500; exec cat"]);
    let client = env.attach(40, 11);
    client.wait_text("500");
    client.type_keys("\x02[\x1b[5~\x1b[5~");
    client.wait_text("[16/");
    let old = env.kill_server();
    assert_ne!(env.server().pid(), old);
    // The client is back when it shows what only the new server can have told it.
    env.ok(&["set-option", "-g", "status-left", "again "]);
    client.wait_text("again ");
    client.type_keys("\x1b[5~");
    let screen = client.wait_text("[24/");
    client.type_keys("q");
    client.wait_screen("the end of the history", |screen| screen.text().contains("500"));
    assert!(!screen.contains('~'), "{screen}");
}

/// With `mouse` the wheel was taken from the terminal and did nothing.
#[test]
fn the_wheel_looks_through_the_history() {
    let env = env();
    env.ok(&["new-session", "-d", "seq 1 200; exec cat"]);
    env.ok(&["set-option", "-g", "mouse", "on"]);
    let client = env.attach(40, 11);
    client.wait_text("200");
    let (up, down) = ("\x1b[<64;5;5M", "\x1b[<65;5;5M");
    client.type_keys(up);
    client.wait_text("[0/");
    client.type_keys(up);
    client.wait_text("[5/");
    client.type_keys(down);
    client.wait_screen("the end of copy mode", |screen| !screen.row(0).contains('['));
    client.type_keys("typed\r");
    client.wait_text("typed");
}

/// A click selected panes for people who had not asked for the mouse, when a program had.
#[test]
fn without_the_option_the_mouse_is_the_program_s() {
    let env = env();
    env.ok(&["new-session", "-d", "-x", "41", "-y", "5", "exec cat"]);
    env.ok(&["split-window", "-h", "printf '\\033[?1000h\\033[?1006hready'; exec cat"]);
    let client = env.attach(41, 6);
    client.wait_text("ready");
    client.type_keys("\x1b[<0;2;2M\x1b[<0;2;2mtyped");
    let column = |screen: &str| screen.lines().find_map(|line| line.find("typed"));
    let screen = client.wait_text("typed");
    assert!(column(&screen).is_some_and(|column| column > 20), "{screen}");
    env.ok(&["set-option", "-g", "mouse", "on"]);
    client.type_keys("\x1b[<0;2;2M\x1b[<0;2;2mtyped");
    client.wait_screen("typed in the left pane", |screen| screen.row(0).starts_with("typed"));
}

/// A pane whose program had ended was called dead for ever, whatever was started in it.
#[test]
fn a_respawned_pane_lives() {
    let env = env();
    env.ok(&["new-session", "-d", "exec cat"]);
    env.ok(&["set-option", "-wg", "remain-on-exit", "on"]);
    env.ok(&["set-option", "-g", "status-left", "dead:#{pane_dead} "]);
    let client = env.attach(40, 6);
    env.ok(&["respawn-pane", "-k", "exit 3"]);
    client.wait_text("dead:1");
    env.ok(&["respawn-pane", "echo anew; exec cat"]);
    client.wait_text("anew");
    client.wait_text("dead:0");
    assert_eq!(env.ok(&["list-panes", "-F", "#{pane_dead}#{pane_dead_status}"]), "0\n");
}

/// Goal: where one is in the history is told as the options say, over what the pane shows.
#[test]
fn the_position_in_copy_mode_has_a_format() {
    let env = env();
    env.ok(&["new-session", "-d", "-x", "40", "-y", "10", "seq 101 200; exec cat"]);
    let client = env.attach(40, 11);
    client.wait_text("200");
    env.ok(&["copy-mode"]);
    client.wait_screen("the position as it is", |screen| screen.row(0).ends_with("[0/91]"));
    env.ok(&[
        "set-option",
        "-g",
        "copy-mode-position-format",
        "#[align=right]<#{scroll_position}>",
    ]);
    env.ok(&["set-option", "-g", "copy-mode-position-style", "fg=green"]);
    client.wait_screen("the chosen position", |screen| {
        let row = screen.row(0);
        row.starts_with("192 ")
            && row.ends_with("<0>")
            && screen.cell(38, 0) == ("0".into(), Some(2))
    });
    env.ok(&["send-keys", "-X", "scroll-up"]);
    client.wait_screen("it follows", |screen| screen.row(0).ends_with("<1>"));
    env.ok(&["send-keys", "-X", "search-backward-text", "no such"]);
    client.wait_screen("a note", |screen| screen.row(0).ends_with("(not found) <1>"));
    env.ok(&["set-option", "-g", "copy-mode-position-format", ""]);
    client.wait_screen("nothing", |screen| screen.row(0) == "191");
}

/// `codepoint-widths` is an input of the terminal, too: what was printed under it takes as many
/// columns in a server that replays it, and what is printed there goes by it.
#[test]
fn widths_of_characters_are_an_option() {
    const PROGRAM: &str = r#"stty -echo; echo ready; while read -r line; do printf "$line"; done"#;
    let env = env();
    env.ok(&["new-session", "-d", "-x", "40", "-y", "6", PROGRAM]);
    let client = env.attach(40, 7);
    client.wait_text("ready");
    let column = || env.ok(&["display-message", "-p", "#{cursor_x}"]);
    client.type_keys("\\342\\206\\222one\r");
    client.wait_text("one");
    assert_eq!(column(), "4\n");
    env.ok(&["set-option", "-s", "codepoint-widths[0]", "ambiguous=2"]);
    client.type_keys("\\342\\206\\222two\r");
    client.wait_text("two");
    assert_eq!(column(), "9\n");
    env.kill_server();
    assert_eq!(column(), "9\n");
    client.type_keys("\\342\\206\\222three\r");
    client.wait_text("three");
    assert_eq!(column(), "16\n");
    // The later entry wins; what is no entry does nothing.
    env.ok(&["set-option", "-s", "codepoint-widths", "ambiguous=2,U+2190-U+21FF=1,nonsense"]);
    client.type_keys("\\r\\342\\206\\222four\r");
    client.wait_text("four");
    assert_eq!(column(), "5\n");
    // Formats measure, cut and pad by them.
    env.ok(&["set-option", "-s", "codepoint-widths", "U+2190-U+21FF=2"]);
    env.ok(&["set-option", "-g", "@arrows", "a→→b"]);
    let format = "#{w:@arrows} #{=3:@arrows} [#{p8:@arrows}]";
    assert_eq!(env.ok(&["display-message", "-p", format]), "6 a→ [a→→b  ]\n");
    let heart = "\\r\\342\\235\\244\\357\\270\\217";
    client.type_keys(&format!("{heart}five\r"));
    client.wait_text("five");
    assert_eq!(column(), "6\n");
    env.ok(&["set-option", "-s", "variation-selector-always-wide", "off"]);
    client.type_keys(&format!("{heart}sixty\r"));
    client.wait_text("sixty");
    assert_eq!(column(), "6\n");
}

/// `scroll-on-clear` is an input of the terminal like any output, so a server that replays it
/// clears as the one before it did.
#[test]
fn what_a_cleared_screen_leaves_is_an_option() {
    const PROGRAM: &str =
        r#"stty -echo; echo ready; while read -r line; do printf "$line\n"; done"#;
    let env = env();
    env.ok(&["new-session", "-d", "-x", "40", "-y", "6", PROGRAM]);
    let client = env.attach(40, 7);
    client.wait_text("ready");
    let assert_shown = || {
        let all = env.ok(&["capture-pane", "-p", "-S", "-"]);
        let lines: Vec<&str> = all.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(lines, ["ready", "first", "end"]);
    };
    for word in ["first", "second"] {
        client.type_keys(&format!("{word}\r"));
        client.wait_text(word);
        client.type_keys("\\033[2J\\033[Hend\r");
        client.wait_screen("it is cleared", |screen| !screen.text().contains(word));
        client.wait_text("end");
        assert_shown();
        env.ok(&["set-option", "-w", "scroll-on-clear", "off"]);
    }
    env.kill_server();
    assert_shown();
}
