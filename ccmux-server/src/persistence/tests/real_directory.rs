//! The layer on a real directory, with its threads: what is let go without a clean shutdown is
//! there when the store is opened again.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;

use ccmux_core::State;
use ccmux_core::change::{Change, CloseReason, OptionScope};
use ccmux_core::ids::{PaneId, SessionId, WindowId};
use ccmux_core::model::Timestamp;

use super::world::{BOOT, World, options};
use crate::persistence::storage::FsStorage;
use crate::persistence::wal::SEGMENT_BYTES;
use crate::persistence::{LogHealth, OpenOptions, Persistence, Recovered, Seq};

fn open(root: &Path, now: Timestamp) -> (Persistence, Recovered) {
    let storage = Arc::new(FsStorage::open(root).unwrap());
    let options = OpenOptions { segment_bytes: SEGMENT_BYTES, ..options(BOOT, now) };
    Persistence::open(storage, &options).unwrap()
}

/// Runs commands on a fresh store and lets go of it without any ending; returns what was there and
/// what is found.
fn crash_after(act: impl FnOnce(&mut World, &mut Persistence)) -> (State, Recovered) {
    let temp = tempfile::tempdir().unwrap();
    let mut world = World::new(1);
    let (mut persistence, recovered) = open(temp.path(), world.now);
    assert_eq!(recovered.state, State::default());
    act(&mut world, &mut persistence);
    drop(persistence);
    let (persistence, recovered) = open(temp.path(), world.now);
    assert!(recovered.report.is_clean(), "{}", recovered.report);
    drop(persistence);
    (world.state, recovered)
}

/// Sessions, windows and panes come back from the log alone: there is no checkpoint yet.
#[test]
fn test_recovery_from_wal() {
    let (before, after) = crash_after(|world, persistence| {
        let session = world.new_session();
        world.run(persistence, "new-session", session);
        let window = world.new_window(WindowId(0));
        world.run(persistence, "new-window", window);
        for target in [0, 1, 1] {
            let split = world.split(PaneId(target)).unwrap();
            world.run(persistence, "split-window", vec![split]);
        }
    });
    assert_eq!(after.state, before);
    assert_eq!((after.state.windows.len(), after.state.panes.len()), (2, 5));
    assert_eq!((after.report.checkpoint, after.report.replayed), (None, 5));
}

/// The current window of a session and the active pane of a window are soft: nobody waited for
/// their sync, and they survive a kill all the same.
#[test]
fn test_recovery_active_window_pane() {
    let (before, after) = crash_after(|world, persistence| {
        let session = world.new_session();
        world.run(persistence, "new-session", session);
        let window = world.new_window(WindowId(0));
        world.run(persistence, "new-window", window);
        let split = world.split(PaneId(0)).unwrap();
        world.run(persistence, "split-window", vec![split]);
        let change = Change::WindowSelected { id: WindowId(1) };
        world.run(persistence, "select-window", vec![change]);
        let change = Change::PaneSelected { id: PaneId(2) };
        world.run(persistence, "select-pane", vec![change]);
    });
    assert_eq!(after.state, before);
    assert_eq!(after.state.sessions[&SessionId(0)].current, WindowId(1));
    assert_eq!(after.state.windows[&WindowId(0)].active, PaneId(2));
}

/// What changes about a pane comes back with its last value: title, directory, options; a pane that
/// was closed stays closed.
#[test]
fn test_recovery_pane_updates() {
    let (before, after) = crash_after(|world, persistence| {
        let session = world.new_session();
        world.run(persistence, "new-session", session);
        let split = world.split(PaneId(0)).unwrap();
        world.run(persistence, "split-window", vec![split]);
        for title in ["first", "second \u{2764}"] {
            let change = Change::PaneTitled { id: PaneId(0), title: title.into() };
            world.run(persistence, "title", vec![change]);
        }
        let cwd = b"/tmp/not utf-8 \xff".into();
        world.run(persistence, "cwd", vec![Change::PaneMoved { id: PaneId(0), cwd }]);
        let option = Change::OptionSet {
            scope: OptionScope::Pane(PaneId(0)),
            name: "@mark".into(),
            value: Some("1".into()),
        };
        world.run(persistence, "set-option", vec![option]);
        let close = world.close(PaneId(1), CloseReason::Command);
        world.run(persistence, "kill-pane", close);
    });
    assert_eq!(after.state, before);
    let pane = &after.state.panes[&PaneId(0)];
    assert_eq!(pane.title, "second \u{2764}");
    assert_eq!(pane.cwd.as_deref(), Some(&b"/tmp/not utf-8 \xff"[..].into()));
    assert_eq!(pane.options["@mark"], "1");
    assert_eq!(after.state.panes.len(), 1);
    assert_eq!(after.state.next.pane, 2, "ids are never given out twice");
}

/// The operations of the log together: entries, acknowledgement, checkpoints that shorten it, and
/// restarts in between, over several hundred commands.
#[test]
fn test_persistence_log_operations() {
    let temp = tempfile::tempdir().unwrap();
    let mut world = World::new(3);
    for round in 0..4 {
        let (mut persistence, recovered) = open(temp.path(), world.now);
        assert_eq!(recovered.state, world.state, "round {round}");
        world.resume(&persistence, recovered.state);
        for _ in 0..100 {
            world.act(&mut persistence);
        }
        let last = persistence.issued();
        assert!(persistence.wait_durable(last));
        assert!(persistence.durable() >= last);
        world.settle(&mut persistence);
        persistence.checkpoint(&world.state, world.now).unwrap();
        world.act(&mut persistence);
        assert_eq!(persistence.health(), LogHealth::Durable);
    }
    let names = |dir: &str| {
        let entries = std::fs::read_dir(temp.path().join(dir)).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert!(names("checkpoints").len() <= 4, "{:?}", names("checkpoints"));
    assert!(names("wal").len() <= 4, "the log is shortened: {:?}", names("wal"));
    assert!(!names("wal").contains(&"00000000000000000001.wal".to_owned()));
    let history = std::fs::read_to_string(temp.path().join("recovery.jsonl")).unwrap();
    assert_eq!(history.lines().count(), 4);
}

/// A clean ending leaves a checkpoint and nothing to replay.
#[test]
fn a_final_checkpoint_leaves_nothing_to_replay() {
    let temp = tempfile::tempdir().unwrap();
    let mut world = World::new(4);
    let (mut persistence, _) = open(temp.path(), world.now);
    for _ in 0..30 {
        world.act(&mut persistence);
    }
    world.settle(&mut persistence);
    let last = persistence.issued();
    assert_eq!(persistence.finalize(&world.state, world.now), LogHealth::Durable);
    let (_, recovered) = open(temp.path(), world.now);
    assert_eq!(recovered.state, world.state);
    assert_eq!((recovered.report.checkpoint, recovered.report.replayed), (Some(last), 0));
}

/// The server sleeps in its event loop: it must be woken for a hard change at once, and for a soft
/// one before long, without asking for anything.
#[test]
fn the_notifier_says_when_something_became_durable() {
    let temp = tempfile::tempdir().unwrap();
    let mut world = World::new(5);
    let (wake, woken) = mpsc::channel();
    let storage = Arc::new(FsStorage::open(temp.path()).unwrap());
    let notifier = Arc::new(move || {
        let _last_one_out = wake.send(());
    });
    let options = OpenOptions { notifier, ..options(BOOT, world.now) };
    let (mut persistence, _) = Persistence::open(storage, &options).unwrap();
    let wait_for = |persistence: &Persistence, seq: Seq| {
        while persistence.durable() < seq {
            woken.recv().expect("the committer lives");
        }
    };
    let session = world.new_session();
    let hard = world.run(&mut persistence, "new-session", session);
    wait_for(&persistence, hard);
    let soft = vec![Change::PaneTitled { id: PaneId(0), title: "soft".into() }];
    let soft = world.run(&mut persistence, "title", soft);
    wait_for(&persistence, soft);
}
