//! Keepers that cannot be spoken with for a while, and those that have nothing to keep any more.

use std::fs;
use std::path::PathBuf;

use ccmux_testkit::{Process, TestEnv};
use rustix::process::Signal;

/// A pane whose keeper lives and does not answer: the server was killed and the socket is away.
struct Scene {
    env: TestEnv,
    keeper: Process,
    shell: Process,
    socket: PathBuf,
}

impl Scene {
    fn new() -> Self {
        let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
        env.ok(&["new-session", "-d", "-s", "work"]);
        env.ok(&["new-session", "-d", "-s", "other"]);
        env.ok(&["send-keys", "-t", "%0", "echo said $((40+2))", "Enter"]);
        env.wait_ok(&["capture-pane", "-p", "-t", "%0"], |text| text.contains("said 42"));
        let status = env.status();
        let process = |field: &str| {
            let pid = status["panes"][0][field].as_u64().expect("a process id");
            let pid = u32::try_from(pid).expect("a process id");
            Process::open(pid).expect("it can be opened").expect("it runs")
        };
        let (keeper, shell) = (process("keeper_pid"), process("pid"));
        let uuid = status["panes"][0]["uuid"].as_str().expect("panes have ids").to_owned();
        let socket = env.state_dir().join("panes").join(uuid).join("keeper.sock");
        env.kill_server();
        fs::rename(&socket, socket.with_extension("away")).expect("it is there");
        env.wait_status(|status| {
            let pane = &status["panes"][0];
            let why = pane["why"].as_str().unwrap_or_default();
            pane["state"] == "unreachable" && why.contains("No such file")
        });
        Self { env, keeper, shell, socket }
    }

    fn put_back(&self) {
        fs::rename(self.socket.with_extension("away"), &self.socket).expect("it is there");
    }

    fn wait_live(&self) {
        self.env.wait_status(|status| status["panes"][0]["state"] == "live");
    }

    fn wait_shows(&self, text: &str) {
        self.env.wait_ok(&["capture-pane", "-p", "-t", "%0"], |shown| shown.contains(text));
    }
}

#[test]
fn a_keeper_that_answers_again_is_found() {
    let scene = Scene::new();
    scene.wait_shows("said 42");
    scene.put_back();
    scene.wait_live();
    assert!(scene.shell.is_alive() && scene.keeper.is_alive());
    scene.env.ok(&["send-keys", "-t", "%0", "clear; echo alive $((6*7))", "Enter"]);
    scene.wait_shows("alive 42");
}

/// The end of such a program was seen by nobody, so nothing is closed.
#[test]
fn a_pane_whose_unreachable_keeper_dies_is_restored() {
    let scene = Scene::new();
    scene.keeper.signal(Signal::KILL);
    scene.shell.wait_gone();
    scene.wait_shows("this is a new shell]");
    scene.wait_shows("said 42");
    scene.wait_live();
}

/// Such a pane was forgotten at once, its files removed, and its program ran on for ever.
#[test]
fn a_closed_pane_s_program_ends_as_soon_as_its_keeper_answers() {
    let scene = Scene::new();
    scene.env.ok(&["kill-session", "-t", "work"]);
    assert_eq!(scene.env.ok(&["list-panes", "-a", "-F", "#{pane_id}"]), "%1\n");
    assert!(scene.shell.is_alive());
    scene.put_back();
    scene.shell.wait_gone();
    scene.keeper.wait_gone();
    let directory = scene.socket.parent().expect("the pane's directory");
    scene.env.wait_status(|_| !directory.exists());
}

/// A request for another program waited for ever.
#[test]
fn a_respawn_waits_for_the_keeper() {
    let scene = Scene::new();
    scene.put_back();
    let program = "echo the other; exec tail -f /dev/null";
    scene.env.ok(&["respawn-pane", "-k", "-t", "%0", program]);
    scene.shell.wait_gone();
    scene.keeper.wait_gone();
    scene.wait_shows("the other");
}

/// A pane that stays although its program has ended keeps no process. It had its keeper for ever.
#[test]
fn a_dead_pane_has_no_keeper() {
    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    env.ok(&["new-session", "-d", "exec tail -f /dev/null"]);
    env.ok(&["set-option", "-g", "remain-on-exit", "on"]);
    env.ok(&["new-window", "-d", "echo last words; exit 3"]);
    let dead = ["display-message", "-p", "-t", "%1", "#{pane_dead} #{pane_dead_status}"];
    env.wait_ok(&dead, |text| text == "1 3\n");
    env.wait_status(|_| env.keepers().len() == 1);
    for _ in 0..2 {
        env.wait_ok(&["capture-pane", "-p", "-t", "%1"], |text| text.contains("last words"));
        assert_eq!(env.ok(&dead), "1 3\n");
        env.kill_server();
    }
    assert_eq!(env.keepers().len(), 1);
    env.ok(&["respawn-pane", "-t", "%1", "echo again; exec tail -f /dev/null"]);
    env.wait_ok(&["capture-pane", "-p", "-t", "%1"], |text| text.contains("again"));
    assert_eq!(env.keepers().len(), 2);
    // At once, too, while the keeper is still on its way out.
    for _ in 0..5 {
        env.ok(&["respawn-pane", "-k", "-t", "%1", "echo word"]);
        env.wait_ok(&dead, |text| text == "1 0\n");
    }
    env.wait_status(|_| env.keepers().len() == 1);
}
