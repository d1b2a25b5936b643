//! What a keeper is worth to the machine: it goes after the server, and outlives the session.

#![cfg(target_os = "linux")]

use ccmux_testkit::TestEnv;

fn env() -> TestEnv {
    TestEnv::new(env!("CARGO_BIN_EXE_ccmux"))
}

fn score_adj(pid: &str) -> i32 {
    let path = format!("/proc/{pid}/oom_score_adj");
    let text = std::fs::read_to_string(path).expect("the process runs");
    text.trim().parse().expect("the kernel writes a number")
}

/// Nothing is lost with the server, and much with a keeper or a program.
#[test]
fn the_server_is_the_first_to_go_when_memory_runs_out() {
    let env = env();
    let ours = score_adj("self");
    env.ok(&["new-session", "-d", "-s", "first", "-n", "shell", "sleep 1000"]);
    let check = || {
        let status = env.status();
        let pane = &status["panes"][0];
        assert!(score_adj(&status["pid"].to_string()) > ours);
        assert_eq!(score_adj(&pane["keeper_pid"].to_string()), ours);
        assert_eq!(score_adj(&pane["pid"].to_string()), ours, "as if its own shell ran it");
        assert!(status["notes"].as_array().is_some_and(Vec::is_empty), "{status}");
    };
    check();
    // A command of the server's is a program too, and so is what it starts.
    let job = env.ok(&["run-shell", "cat /proc/self/oom_score_adj"]);
    assert_eq!(job.trim(), ours.to_string());
    // The keeper starts the next server, and that the next keeper.
    env.kill_server();
    env.ok(&["kill-pane", "-a", "-t", "%0"]);
    env.ok(&["respawn-pane", "-k", "-t", "%0"]);
    check();
}

#[test]
fn a_keeper_is_moved_into_a_scope_and_the_status_says_whether_it_is_in_one() {
    let env = env();
    env.ok(&["new-session", "-d", "-s", "plain", "sleep 1000"]);
    let text = env.ok(&["status"]);
    // The kernel knows: this test runs where no scope is made.
    assert!(text.contains("0 of 1 keepers in one of their own: "), "{text}");

    let ccmux = env!("CARGO_BIN_EXE_ccmux");
    let moved = env.home().join("moved");
    let script = format!("echo \"$@\" > {}; {ccmux} rename-session moved", moved.display());
    env.ok(&["set-option", "-s", "scope-command", &script]);
    let client = env.attach(80, 24);
    client.wait_text("[plain]");
    env.ok(&["new-window", "-d", "sleep 1000"]);
    client.wait_text("[moved]");
    let status = env.status();
    let pane = &status["panes"][1];
    let uuid = pane["uuid"].as_str().expect("panes have ids");
    let (keeper, program) = (&pane["keeper_pid"], &pane["pid"]);
    assert_eq!(
        std::fs::read_to_string(moved).expect("the command ran").trim_end(),
        format!("ccmux-{uuid}-{keeper}.scope {keeper} {program}")
    );

    // One that fails costs nothing but the scope.
    env.ok(&["set-option", "-s", "scope-command", "exit 3"]);
    env.ok(&["new-window", "-d", "sleep 1000"]);
    let text = env.wait_ok(&["status"], |text| text.contains("status: 3"));
    assert!(text.contains("0 of 3 keepers in one of their own: the command"), "{text}");
    assert!(text.contains("%2 live"), "{text}");
}
