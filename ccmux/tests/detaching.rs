//! What clients leave behind, and what they bring along.

use ccmux_testkit::TestEnv;

fn env() -> TestEnv {
    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    env.ok(&["new-session", "-d", "-s", "s", "sleep 1000"]);
    env
}

/// Attaches, and says how the client ended and whether its parent was hung up on.
const OBSERVED: &str = "trap 'echo hung up' HUP; \"$0\" attach-session -t s; echo status $?.";

/// As recorded from tmux 3.3a.
#[test]
fn a_detached_client_hangs_up_on_its_parent() {
    let env = env();
    let hung_up = |args: &[&str]| {
        let client = env.script_in_terminal(OBSERVED, 60, 10);
        client.wait_text("[s]");
        let bystander = env.attach_with(args, 60, 10);
        let text = client.wait_text("status 0.");
        assert!(text.contains("[detached and SIGHUP (from session s)]\nhung up\n"), "{text}");
        bystander.wait_text("[s]");
    };
    hung_up(&["attach-session", "-x", "-t", "s"]);
    hung_up(&["attach-session", "-dx", "-t", "s"]);
    hung_up(&["new-session", "-AX", "-s", "s"]);
    let client = env.script_in_terminal(OBSERVED, 60, 10);
    client.wait_text("[s]");
    env.ok(&["detach-client", "-P", "-s", "s"]);
    client.wait_text("hung up");
    // Without the flag nobody is.
    let client = env.script_in_terminal(OBSERVED, 60, 10);
    client.wait_text("[s]");
    env.ok(&["detach-client", "-s", "s"]);
    let text = client.wait_text("status 0.");
    assert!(text.contains("[detached (from session s)]\nstatus"), "{text}");
    // Who sends others away stays, also where it is there already.
    let client = env.script_in_terminal(OBSERVED, 60, 10);
    client.wait_text("[s]");
    let sender = env.attach_with(&["attach-session", "-t", "s"], 60, 10);
    sender.wait_text("[s]");
    sender.type_keys("\u{2}:");
    sender.type_keys("attach-session -d -t s\r");
    client.wait_text("status 0.");
    assert_eq!(env.ok(&["list-clients"]).lines().count(), 1);
}

/// As recorded from tmux 3.3a.
#[test]
fn a_detached_client_becomes_a_command() {
    let env = env();
    let client = env.script_in_terminal(OBSERVED, 60, 10);
    client.wait_text("[s]");
    // Another one than that of the client's environment.
    let shell = env.home().join("shell");
    std::os::unix::fs::symlink("/bin/sh", &shell).expect("home is ours");
    let shell = shell.to_str().expect("the path is text");
    env.ok(&["set-option", "-g", "default-shell", shell]);
    env.ok(&["detach-client", "-E", "echo \"ran by $0 $SHELL\"; exit 7"]);
    let text = client.wait_text("status 7.");
    let ran = format!("ran by shell {shell}\n");
    assert!(text.contains(&ran) && !text.contains("detached"), "{text}");

    let client = env.script_in_terminal(OBSERVED, 60, 10);
    client.wait_text("[s]");
    env.ok(&["set-option", "-g", "default-shell", "/none/sh"]);
    env.ok(&["detach-client", "-E", "true"]);
    let text = client.wait_text("status 1.");
    assert!(text.contains("/none/sh: No such file or directory"), "{text}");
}

#[test]
fn a_session_takes_over_the_variables_of_a_client_that_comes_to_it() {
    let mut env = env();
    env.ok(&["set-option", "-g", "update-environment", "DISPLAY LC_* GONE"]);
    let shown = |env: &TestEnv| env.ok(&["show-environment", "-t", "s"]);
    let before = shown(&env);
    env.set("DISPLAY", ":7");
    env.set("LC_ONE", "1");
    env.set("LC_TWO", "2");
    env.attach_with(&["attach-session", "-E", "-t", "s"], 60, 10).wait_text("[s]");
    assert_eq!(shown(&env), before, "-E");
    env.attach_with(&["attach-session", "-t", "s"], 60, 10).wait_text("[s]");
    let after = shown(&env);
    let has = |text: &str, line: &str| text.lines().any(|found| found == line);
    for line in ["DISPLAY=:7", "LC_ONE=1", "LC_TWO=2", "-GONE"] {
        assert!(has(&after, line), "{line}: {after}");
    }
    env.ok(&["new-session", "-dEs", "other"]);
    assert_eq!(env.ok(&["show-environment", "-t", "other"]), "");
    env.ok(&["new-session", "-ds", "third"]);
    assert!(has(&env.ok(&["show-environment", "-t", "third"]), "DISPLAY=:7"));

    let client = env.attach_with(&["attach-session", "-t", "third"], 60, 10);
    client.wait_text("[third]");
    env.ok(&["switch-client", "-E", "-t", "other"]);
    client.wait_text("[other]");
    assert_eq!(env.ok(&["show-environment", "-t", "other"]), "");
    env.ok(&["switch-client", "-t", "third"]);
    client.wait_text("[third]");
    env.ok(&["switch-client", "-t", "other"]);
    client.wait_text("[other]");
    assert!(has(&env.ok(&["show-environment", "-t", "other"]), "DISPLAY=:7"));
    // It is a change like any other.
    env.kill_server();
    assert!(has(&shown(&env), "LC_TWO=2"));
}

/// `attach-session -c`: new windows start there from then on, whatever is killed.
#[test]
fn a_session_moves_to_a_directory() {
    let env = env();
    let client = env.attach_with(&["attach-session", "-c", "/usr", "-t", "s"], 60, 10);
    client.wait_text("[s]");
    let directory = || env.ok(&["display-message", "-p", "-t", "s", "#{session_path}"]);
    assert_eq!(directory(), "/usr\n");
    env.kill_server();
    assert_eq!(directory(), "/usr\n");
}

/// Goal: what a terminal was asked and answers only when its client has left is typed into nothing.
/// Method: one that answers when the alternate screen is left, and a shell that reads then.
#[test]
fn answers_that_come_late_are_read_by_nobody() {
    let env = env();
    let read = "IFS= read -r line; echo \"read <$(printf %s \"$line\" | cat -v)>.\"";
    let script = format!("\"$0\" attach-session -t s; {read}");
    let client = env.script_in_slow_terminal(&script, 60, 10);
    client.wait_text("[s]");
    env.ok(&["detach-client", "-s", "s"]);
    client.wait_text("[detached (from session s)]");
    client.type_keys("typed\r");
    let text = client.wait_text("read <");
    assert!(text.contains("read <typed>."), "{text}");
}
