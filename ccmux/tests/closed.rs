//! Closed panes: what they have shown can be read for a while, and then it is gone.

use std::fs;

use ccmux_testkit::TestEnv;

/// Lines beyond any screen, then what is on it.
const PROGRAM: &str = "seq -f 'line %g' 1 3000; echo the end; exec tail -f /dev/null";

struct Scene(TestEnv);

impl Scene {
    /// A session that stays, and a window `closing` that has printed.
    fn new() -> Self {
        let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
        env.ok(&["new-session", "-d", "-x", "80", "-y", "24", "exec tail -f /dev/null"]);
        let scene = Self(env);
        scene.open();
        scene
    }

    fn open(&self) {
        self.0.ok(&["new-window", "-d", "-n", "closing", PROGRAM]);
        let is_there = |text: &str| text.contains("the end");
        self.0.wait_ok(&["capture-pane", "-p", "-t", "closing"], is_there);
    }

    fn close(&self) {
        self.0.ok(&["kill-window", "-t", "closing"]);
    }

    fn wait_listed(&self, count: usize) -> String {
        self.0.wait_ok(&["list-closed"], |text| text.lines().count() == count)
    }

    /// Waits until nothing but the panes that there are has files.
    fn wait_directories(&self, count: usize) {
        let panes = self.0.state_dir().join("panes");
        let is_so = |_: &str| fs::read_dir(&panes).expect("it can be listed").count() == count;
        self.0.wait_ok(&["list-closed"], is_so);
    }

    fn assert_whole(&self, pane: &str) {
        let numbers = (1..=3000).map(|n| format!("line {n}\n"));
        let expected: String = numbers.chain(["the end\n".to_owned()]).collect();
        assert_eq!(self.0.ok(&["show-closed", pane]), expected);
    }
}

#[test]
fn the_output_of_a_closed_pane_is_kept_across_servers_and_restarts() {
    let scene = Scene::new();
    scene.close();
    let list = scene.wait_listed(1);
    assert!(list.starts_with("%1: closed 2") && list.contains("seq -f"), "{list}");
    scene.assert_whole("%1");
    scene.0.kill_server();
    scene.assert_whole("%1");
    let refused = scene.0.ccmux(&["show-closed", "%0"]);
    assert_eq!((refused.code, refused.stderr.as_str()), (Some(1), "can't find closed pane: %0\n"));
    scene.0.shut_down();
    let doctor = scene.0.ccmux(&["doctor", "--json"]);
    assert_eq!(doctor.code, Some(0), "{doctor:?}");
    let found: serde_json::Value = serde_json::from_str(&doctor.stdout).expect("it is JSON");
    assert_eq!((&found["holds"]["closed"], &found["holds"]["panes"]), (&1.into(), &1.into()));
    scene.0.ok(&["start-server"]);
    scene.assert_whole("%1");
}

/// The closing was durable, and then the server was killed before it had looked after the files.
#[test]
fn a_server_that_is_killed_as_it_closes_a_pane_loses_none_of_its_output() {
    let scene = Scene::new();
    for count in 1..=5 {
        scene.close();
        scene.0.kill_server();
        scene.wait_listed(count);
        scene.assert_whole(&format!("%{count}"));
        scene.open();
    }
    scene.wait_directories(7);
}

#[test]
fn what_was_kept_long_enough_goes_also_when_no_server_ran() {
    let scene = Scene::new();
    scene.close();
    scene.wait_listed(1);
    scene.0.ok(&["set-option", "-s", "history-keep-closed", "1"]);
    scene.wait_listed(0);
    scene.wait_directories(1);

    scene.0.ok(&["set-option", "-s", "history-keep-closed", "3600"]);
    scene.open();
    scene.close();
    scene.wait_listed(1);
    scene.0.shut_down();
    // An hour passes.
    let panes = scene.0.state_dir().join("panes");
    let notes = fs::read_dir(panes).expect("it can be listed").flatten();
    let notes: Vec<_> =
        notes.map(|pane| pane.path().join("closed")).filter(|note| note.exists()).collect();
    assert_eq!(notes.len(), 1);
    let text = fs::read_to_string(&notes[0]).expect("it can be read");
    let mut note: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let closed = note["closed"].as_u64().expect("it is a time");
    note["closed"] = (closed - 3_600_000).into();
    fs::write(&notes[0], note.to_string()).expect("it can be written");
    scene.0.ok(&["start-server"]);
    scene.wait_listed(0);
    scene.wait_directories(1);
}

#[test]
fn what_was_cleared_or_is_not_to_be_kept_leaves_nothing() {
    let scene = Scene::new();
    scene.0.ok(&["clear-history", "-t", "closing", ";", "kill-window", "-t", "closing"]);
    scene.wait_directories(1);
    assert_eq!(scene.0.ok(&["list-closed"]), "");
    scene.open();
    scene.0.ok(&["set-option", "-s", "history-keep-closed", "0"]);
    scene.close();
    scene.wait_directories(1);
    assert_eq!(scene.0.ok(&["list-closed"]), "");
}
