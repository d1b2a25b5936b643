//! Panes that stay although their programs have ended (`remain-on-exit`).

use ccmux_testkit::TestEnv;

fn env() -> TestEnv {
    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    env.ok(&["new-session", "-d", "-x", "80", "-y", "30", "exec cat"]);
    env.ok(&["set-option", "-g", "remain-on-exit", "on"]);
    env
}

fn shown(env: &TestEnv, format: &str) -> String {
    env.ok(&["display-message", "-p", "-t", "%1", format]).trim_end().to_owned()
}

/// Goal: such a pane says below its output, once, that its program has ended and how. Method: ends of
/// several kinds; a kill of the server; another program.
#[test]
fn a_dead_pane_says_so() {
    const CAPTURE: &[&str] = &["capture-pane", "-p", "-t", "%1"];
    let env = env();
    env.ok(&["split-window", "-d", "echo out; exit 3"]);
    let is_said = |what: &'static str| {
        move |text: &str| text.lines().last().is_some_and(|line| line.starts_with(what))
    };
    env.wait_ok(CAPTURE, is_said("Pane is dead (status 3, "));
    let whole = ["capture-pane", "-p", "-S", "-", "-t", "%1"];
    assert!(env.ok(&whole).starts_with("out\n"));
    assert_eq!(shown(&env, "#{cursor_flag} #{pane_dead} #{pane_dead_status}"), "0 1 3");
    env.kill_server();
    assert_eq!(env.ok(&whole).matches("Pane is dead").count(), 1);
    env.ok(&["respawn-pane", "-t", "%1", "echo again; exec cat"]);
    let screen = env.wait_ok(CAPTURE, |text| text.contains("again"));
    assert!(!screen.contains("dead"), "{screen}");
    assert_eq!(shown(&env, "#{cursor_flag} #{pane_dead}"), "1 0");
    env.ok(&["respawn-pane", "-k", "-t", "%1", "kill -9 $$"]);
    env.wait_ok(CAPTURE, is_said("Pane is dead (signal 9, "));

    let format = "#[align=right]#[fg=red]gone #{pane_dead_status}";
    env.ok(&["set-option", "-g", "remain-on-exit-format", format]);
    env.ok(&["respawn-pane", "-t", "%1", "exit 4"]);
    let expected = format!("{}gone 4", " ".repeat(74));
    env.wait_ok(CAPTURE, |text| text.lines().last() == Some(&expected));
    let styled = env.ok(&["capture-pane", "-p", "-e", "-t", "%1"]);
    assert!(styled.contains("\x1b[31mgone"), "{styled:?}");
    env.ok(&["set-option", "-g", "remain-on-exit-format", ""]);
    env.ok(&["respawn-pane", "-t", "%1", "echo last"]);
    env.wait_ok(&["display-message", "-p", "-t", "%1", "#{pane_dead}"], |dead| dead == "1\n");
    env.wait_ok(CAPTURE, |text| text.trim_end() == "last");
}

/// A private pane keeps its keeper, and says it as well.
#[test]
fn a_dead_private_pane_says_so() {
    let env = env();
    env.ok(&["set-option", "-g", "history-persist", "off"]);
    env.ok(&["split-window", "-d", "echo out; exit 5"]);
    let whole = ["capture-pane", "-p", "-S", "-", "-t", "%1"];
    env.wait_ok(&whole, |text| text.contains("Pane is dead (status 5, "));
    env.kill_server();
    assert_eq!(env.ok(&whole).matches("Pane is dead").count(), 1);
}
