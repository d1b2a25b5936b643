//! Panes whose records were lost, and starts that are cut short.

use std::path::Path;
use std::sync::Arc;

use ccmux_core::ids::{PaneId, PaneUuid};

use super::world::{World, take_lock};
use crate::persistence::sim::{Fault, SimStorage};
use crate::persistence::storage::Storage as _;

/// What an earlier server left: a disk whose log is damaged, and panes of which it does not know.
struct Left {
    disk: SimStorage,
    directory: Arc<tempfile::TempDir>,
    /// Panes behind the damage.
    lost: Vec<PaneUuid>,
}

fn left_with_damage() -> Left {
    let mut world = World::new();
    for argv in [
        &["new-session", "-d", "-s", "known"][..],
        &["set-option", "-g", "@mark", "decays"],
        &["new-window", "-d"],
        &["new-window", "-d"],
    ] {
        let mut peer = world.command(argv);
        world.finish(&mut peer);
    }
    // No keeper can be started here, but its directory is made before that is tried.
    world.rest();
    let panes = world.server.state.panes.values().filter(|pane| pane.id > PaneId(0));
    let lost: Vec<_> = panes.map(|pane| pane.uuid).collect();
    for uuid in &lost {
        world.disk.create_dir(Path::new("panes").join(uuid.to_string()).as_path()).unwrap();
    }
    let (disk, directory) = (world.disk.kill(), Arc::clone(&world.directory));
    drop(world);
    for (path, bytes) in disk.files() {
        if let Some(at) = bytes.windows(6).position(|part| part == b"decays") {
            disk.damage(&path, |bytes| bytes[at] ^= 1);
        }
    }
    Left { disk, directory, lost }
}

/// Goal: no living program is ended because the log was damaged, whatever becomes of the server that
/// finds that. Method: let the starting server be killed at each of its calls of the disk, and start
/// another. The first checkpoint after the damage knows all numbers, and the next start took the
/// panes that it did not know for closed ones.
#[test]
fn a_start_that_is_killed_ends_no_program_without_a_record() {
    let left = left_with_damage();
    assert_eq!(left.lost.len(), 2);
    let pane_dir = |uuid: &PaneUuid| left.directory.path().join("panes").join(uuid.to_string());
    let _alive: Vec<_> = left.lost.iter().map(|uuid| take_lock(&pane_dir(uuid))).collect();
    let start = |disk: &SimStorage| World::on(disk.clone(), Arc::clone(&left.directory));
    let calls = {
        let disk = left.disk.fork();
        let before = disk.calls();
        let _world = start(&disk).unwrap();
        disk.calls() - before
    };
    for call in 1..=calls {
        let disk = left.disk.fork();
        disk.strike(disk.calls() + call, Fault::PowerCut);
        drop(start(&disk));
        let world = start(&disk.kill()).unwrap();
        assert_eq!(world.server.closing.len(), 0, "call {call} of {calls}");
        let panes = world.server.state.panes.values();
        let found = panes.filter(|pane| left.lost.contains(&pane.uuid)).count();
        assert_eq!(found, left.lost.len(), "call {call} of {calls}");
    }
}

/// Directories of panes that the state does not know, and whose numbers it had given out: they were
/// closed. So were those without a number, which nothing was ever put into, or little was left of.
#[test]
fn what_is_left_of_closed_panes_goes() {
    let mut world = World::new();
    let mut peer = world.command(&["new-session", "-d"]);
    world.finish(&mut peer);
    let (disk, directory) = (world.disk.kill(), Arc::clone(&world.directory));
    drop(world);
    let mut alive = Vec::new();
    let mut lives = Vec::new();
    for (n, number, has_keeper) in
        [(1, Some("%0\n"), false), (2, Some("%0\n"), true), (3, None, false), (4, None, true)]
    {
        let uuid = PaneUuid(uuid::Uuid::from_u128(n));
        let place = Path::new("panes").join(uuid.to_string());
        disk.create_dir(&place).unwrap();
        std::fs::create_dir_all(directory.path().join(&place)).unwrap();
        if let Some(number) = number {
            std::fs::write(directory.path().join(&place).join("number"), number).unwrap();
        }
        if has_keeper {
            let lock = ccmux_keeper::lock_alive(&directory.path().join(&place));
            alive.push(lock.unwrap().unwrap());
            lives.push(uuid);
        }
    }
    let mut world = World::on(disk.clone(), directory).unwrap();
    let closing: Vec<_> = world.server.closing.iter().map(|closing| closing.pane.uuid).collect();
    assert_eq!(closing, lives, "their keepers are told");
    assert!(world.server.pane_damage.is_empty(), "{:?}", world.server.pane_damage);
    world.wait_until(|_| {
        let left = disk.list(Path::new("panes")).unwrap();
        let is_gone = |n| !left.contains(&uuid::Uuid::from_u128(n).to_string());
        is_gone(1) && is_gone(3)
    });
}

/// Goal: P4 for panes whose records and programs are gone. Method: let the starting server be killed at
/// each of its calls of the disk, and start another. It had set the panes aside before it said so: then
/// neither of the two told of them.
#[test]
fn a_start_that_is_killed_loses_no_pane_without_a_word() {
    let left = left_with_damage();
    let start = |disk: &SimStorage| World::on(disk.clone(), Arc::clone(&left.directory));
    let calls = {
        let disk = left.disk.fork();
        let before = disk.calls();
        let world = start(&disk).unwrap();
        assert_eq!(world.server.pane_damage.len(), left.lost.len());
        disk.calls() - before
    };
    for call in 1..=calls {
        let disk = left.disk.fork();
        disk.strike(disk.calls() + call, Fault::PowerCut);
        drop(start(&disk));
        let disk = disk.kill();
        drop(start(&disk).unwrap());
        let files = disk.files();
        let history = files.iter().find(|(path, _)| path == Path::new("recovery.jsonl"));
        let history = String::from_utf8_lossy(&history.unwrap().1);
        let kept = disk.list(Path::new("quarantine")).unwrap();
        for uuid in left.lost.iter().map(ToString::to_string) {
            assert!(history.contains(&uuid), "call {call} of {calls}: {history}");
            assert!(kept.iter().any(|name| name.ends_with(&uuid)), "call {call}: {kept:?}");
        }
    }
}
