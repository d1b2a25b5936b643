//! What is wrong in a configuration.

use std::fs;

use ccmux_testkit::TestEnv;

/// Lines that are not understood are skipped, and the first client is told of all of them, by file
/// and line; the rest counts.
#[test]
fn bad_lines_are_told_and_the_others_count() {
    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    let configuration = "set -g @before 1\n\
                         set -g no-such-option on\n\
                         bogus -x\n\
                         set -g @after 2\n";
    fs::write(env.home().join(".tmux.conf"), configuration).expect("home is ours");
    let client = env.attach(80, 24);
    client.wait_screen("both mistakes, by their lines", |screen| {
        let text = screen.text();
        text.contains(".tmux.conf:2: invalid option: no-such-option")
            && text.contains(".tmux.conf:3: unknown command: bogus")
    });
    assert_eq!(env.ok(&["show-options", "-gv", "@before"]), "1\n");
    assert_eq!(env.ok(&["show-options", "-gv", "@after"]), "2\n");
    client.type_keys("q");
    client.wait_screen("the shell", |screen| !screen.text().contains("bogus"));
    let second = env.attach_with(&["attach-session"], 80, 24);
    second.wait_screen("a session without mistakes", |screen| {
        screen.status_line().starts_with("[0]") && !screen.text().contains("bogus")
    });
}

/// ccmux's own file counts, or else tmux's, or those that `-f` names.
#[test]
fn the_configuration_is_ccmuxs_own_or_else_tmuxs() {
    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    let write = |name: &str| {
        let path = env.home().join(name);
        fs::create_dir_all(path.parent().expect("it has one")).expect("home is ours");
        fs::write(&path, format!("set -g @from {name}\n")).expect("home is ours");
        path.to_str().expect("the path is text").to_owned()
    };
    let read = |flags: &[&str]| {
        let command =
            ["new-session", "-d", ";", "show-options", "-gv", "@from", ";", "kill-server"];
        env.ok(&[flags, &command].concat())
    };
    write(".tmux.conf");
    assert_eq!(read(&[]), ".tmux.conf\n");
    write(".config/ccmux/ccmux.conf");
    assert_eq!(read(&[]), ".config/ccmux/ccmux.conf\n");
    let named = write("named");
    assert_eq!(read(&["-f", &named]), "named\n");
}

/// `-L` names another server, with a state of its own.
#[test]
fn a_server_of_another_name_has_its_own_state() {
    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    let sessions = ["list-sessions", "-F", "#{session_name}"];
    let other = |args: &[&str]| env.ok(&[&["-L", "other"], args].concat());
    env.ok(&["new-session", "-d", "-s", "one"]);
    other(&["new-session", "-d", "-s", "two"]);
    assert_eq!((env.ok(&sessions), other(&sessions)), ("one\n".into(), "two\n".into()));
    assert!(env.state_dir().with_file_name("other").join("wal").is_dir());
    other(&["kill-server"]);
    assert_eq!(env.ok(&sessions), "one\n");
}

/// Options of tmux that nothing heeds yet are taken, so that a configuration loads, and `status` names
/// those that somebody counts on.
#[test]
fn options_without_effect_are_named() {
    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    env.ok(&["new-session", "-d"]);
    assert!(!env.ok(&["status"]).contains("without effect"));
    env.ok(&["set-option", "-g", "status-keys", "vi"]);
    env.ok(&["set-option", "-w", "window-style", "bg=red"]);
    env.ok(&["set-option", "-s", "copy-command", "cat"]);
    env.ok(&["set-option", "-g", "status-left", "left"]);
    let named =
        "set, but without effect in this version: copy-command, status-keys, window-style\n";
    assert!(env.ok(&["status"]).contains(named), "{}", env.ok(&["status"]));
    for (flag, name) in [("-gu", "status-keys"), ("-wu", "window-style"), ("-su", "copy-command")] {
        env.ok(&["set-option", flag, name]);
    }
    assert!(!env.ok(&["status"]).contains("without effect"));
}
