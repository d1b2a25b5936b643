//! Shutdowns: programs, server and keepers are ended in every order, and everything is back.

use std::process::Stdio;

use ccmux_testkit::{Process, TestEnv};
use rustix::process::Signal;

const PANES: &str = "#{session_name} #{window_index}:#{window_name} #{window_layout} #{pane_id}";

/// Three shells in two sessions, each of which has shown something.
struct Scene {
    env: TestEnv,
    panes: String,
    server: Process,
    keepers: Vec<Process>,
}

impl Scene {
    fn new() -> Self {
        let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
        let directory = env.home().join("d");
        std::fs::create_dir(&directory).expect("the home directory is ours");
        let directory = directory.to_str().expect("the path is text");
        env.ok(&["new-session", "-d", "-s", "one", "-n", "first", "-c", directory]);
        env.ok(&["split-window", "-d", "-t", "one", "-c", directory]);
        env.ok(&["new-session", "-d", "-s", "two", "-n", "second", "-c", directory]);
        for pane in ["%0", "%1", "%2"] {
            env.ok(&["send-keys", "-t", pane, "echo said $((40+2))", "Enter"]);
            wait_shows(&env, pane, "said 42");
        }
        let panes = env.ok(&["list-panes", "-a", "-F", PANES]);
        let (server, keepers) = (env.server(), env.keepers());
        assert_eq!(keepers.len(), 3);
        Self { env, panes, server, keepers }
    }

    /// What the shells get when their session ends.
    fn hang_up_shells(&self) -> Vec<Process> {
        let shells = shells(&self.env);
        for shell in &shells {
            shell.signal(Signal::HUP);
        }
        shells
    }

    /// Ends the server as a shutdown does, and the keepers, which ignore it.
    fn terminate(&self) {
        self.server.signal(Signal::TERM);
        for keeper in &self.keepers {
            keeper.signal(Signal::TERM);
        }
        self.server.wait_gone();
    }

    fn kill_keepers(&self) {
        for keeper in &self.keepers {
            keeper.signal(Signal::KILL);
            keeper.wait_gone();
        }
    }

    /// Sessions, windows, layouts, and in every pane the history, a mark and a fresh shell where
    /// the last one was. No keeper of before is left.
    fn assert_everything_is_back(&self) {
        assert_eq!(self.env.ok(&["list-panes", "-a", "-F", PANES]), self.panes);
        for pane in ["%0", "%1", "%2"] {
            wait_shows(&self.env, pane, "this is a new shell]");
            wait_shows(&self.env, pane, "said 42");
            self.env.ok(&[
                "send-keys",
                "-t",
                pane,
                "clear; pwd | tr / :; echo alive $((6*7))",
                "Enter",
            ]);
            wait_shows(&self.env, pane, "alive 42");
            wait_shows(&self.env, pane, ":home:d");
        }
        for keeper in &self.keepers {
            keeper.wait_gone();
        }
        assert_eq!(self.env.keepers().len(), 3);
        assert_eq!(self.env.status()["recovery"]["clean"], true);
    }
}

fn shells(env: &TestEnv) -> Vec<Process> {
    let pids = env.ok(&["list-panes", "-a", "-F", "#{pane_pid}"]);
    let open = |pid: &str| {
        let pid = pid.parse().expect("a process id");
        Process::open(pid).expect("it can be opened").expect("it runs")
    };
    pids.lines().map(open).collect()
}

/// Waits until a pane shows something, history included.
fn wait_shows(env: &TestEnv, pane: &str, what: &str) {
    env.wait_ok(&["capture-pane", "-p", "-J", "-S", "-", "-t", pane], |text| text.contains(what));
}

/// Shells first, and the server has noted the end of each by the time it is told to stop: the last
/// one took the sessions along, and the keepers are released.
#[test]
fn shells_first_and_the_server_has_seen_it() {
    let scene = Scene::new();
    scene.hang_up_shells();
    scene.env.wait_status(|status| status["sessions"] == 0);
    for keeper in &scene.keepers {
        keeper.wait_gone();
    }
    scene.terminate();
    scene.assert_everything_is_back();
}

/// The same at once, and the keepers are killed in the end.
#[test]
fn shells_first_and_the_server_at_the_same_time() {
    let scene = Scene::new();
    scene.hang_up_shells();
    scene.terminate();
    scene.kill_keepers();
    scene.assert_everything_is_back();
}

/// The keepers live on, as they do when a service is restarted, and hold programs that have ended.
#[test]
fn keepers_that_live_on_with_ended_programs() {
    let scene = Scene::new();
    scene.hang_up_shells();
    scene.terminate();
    scene.assert_everything_is_back();
}

/// The server first: nobody but the keepers sees the shells end.
#[test]
fn the_server_first() {
    let scene = Scene::new();
    let shells = shells(&scene.env);
    scene.terminate();
    for shell in shells {
        assert!(shell.is_alive(), "a server that stops leaves the programs");
        shell.signal(Signal::HUP);
        shell.wait_gone();
    }
    assert!(scene.keepers.iter().all(Process::is_alive));
    scene.assert_everything_is_back();
}

/// A server that is killed while it restores leaves the rest to the next one.
#[test]
fn the_server_first_and_the_next_one_killed_early() {
    let scene = Scene::new();
    let shells = shells(&scene.env);
    scene.terminate();
    for shell in shells {
        shell.signal(Signal::HUP);
        shell.wait_gone();
    }
    let mut starts = scene.env.watch_starts();
    let mut starters = Vec::new();
    for _ in 0..3 {
        // One for each server: its starter may have been served or told before the kill.
        let mut starter = scene.env.command(&["list-sessions"]);
        starter.stdout(Stdio::null()).stderr(Stdio::null());
        starters.push(starter.spawn().expect("it can be started"));
        let server = starts.wait();
        starts = scene.env.watch_starts();
        server.signal(Signal::KILL);
        server.wait_gone();
    }
    for mut starter in starters {
        // It may have got the connection of one that was killed, and said so.
        starter.wait().expect("it is our child");
    }
    scene.assert_everything_is_back();
}

/// A stop of the server alone, and a start: the same programs.
#[test]
fn a_stop_of_the_server_ends_no_program() {
    let scene = Scene::new();
    let programs = scene.env.ok(&["list-panes", "-a", "-F", "#{pane_id} #{pane_pid}"]);
    scene.terminate();
    assert_eq!(scene.env.ok(&["list-panes", "-a", "-F", "#{pane_id} #{pane_pid}"]), programs);
    let keepers: Vec<u32> = scene.env.keepers().iter().map(Process::pid).collect();
    assert!(scene.keepers.iter().all(|keeper| keepers.contains(&keeper.pid())));
}

/// Keepers have to be asked for the process ids of their programs. A command that is run right
/// after a server died waits for the answers; drawing and `status` do not.
#[test]
fn the_first_commands_wait_for_the_keepers() {
    let scene = Scene::new();
    let format = ["list-panes", "-a", "-F", "#{pane_id} #{pane_pid}"];
    let programs = scene.env.ok(&format);
    let keeper = &scene.keepers[1];
    keeper.signal(Signal::STOP);
    scene.env.kill_server();
    let mut list = scene.env.command(&format);
    let list = list.stdout(Stdio::piped()).spawn().expect("it can be started");
    // One that has answered, and one that cannot.
    scene.env.wait_status(|status| {
        let states: Vec<_> = (0..3).map(|n| status["panes"][n]["state"].as_str()).collect();
        states.contains(&Some("live")) && states.contains(&Some("adopting"))
    });
    let client = scene.env.attach_with(&["attach-session", "-t", "one"], 80, 24);
    client.wait_text("said 42");
    keeper.signal(Signal::CONT);
    let listed = list.wait_with_output().expect("it is our child");
    assert_eq!(String::from_utf8_lossy(&listed.stdout), programs);
}

/// Without a shutdown, the end of a program closes its pane, even if no server saw it: the next
/// one finds it with the keeper.
#[test]
fn a_program_that_ends_while_there_is_no_server_closes_its_pane() {
    let scene = Scene::new();
    let shell = shells(&scene.env).remove(0);
    // Stopped, so that the server cannot see it.
    scene.server.signal(Signal::STOP);
    shell.signal(Signal::HUP);
    shell.wait_gone();
    scene.server.signal(Signal::KILL);
    scene.server.wait_gone();
    scene.env.wait_ok(&["list-panes", "-a", "-F", "#{pane_id}"], |panes| !panes.contains("%0"));
    assert_eq!(scene.env.ok(&["list-panes", "-a", "-F", "#{pane_id}"]), "%1\n%2\n");
}

/// What was ended by a command is not taken back by a stop that follows at once.
#[test]
fn what_was_closed_by_a_command_stays_closed() {
    let scene = Scene::new();
    scene.env.ok(&["kill-session", "-t", "two"]);
    scene.terminate();
    assert_eq!(scene.env.ok(&["list-sessions", "-F", "#{session_name}"]), "one\n");
}
