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
