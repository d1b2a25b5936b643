//! Keepers that do not do what they should, played by the test.

use std::io::Read as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use ccmux_keeper::{ChildEnd, KeeperRing, Link, ServerRing, Stash};

use super::world::{DEADLINE, World, take_lock};
use crate::event_loop::Event;
use crate::pane::{Contact, Held, Stage};
use crate::persistence::Seq;

/// A keeper whose lock cannot be looked at may well live: the closed pane was taken for buried, and
/// its files removed, which are how a server finds that keeper.
#[test]
fn a_lock_that_cannot_be_looked_at_is_no_sign_that_a_keeper_is_gone() {
    let mut world = World::new();
    let mut maker = world.command(&["new-session", "-d", ";", "new-session", "-d", "-s", "doomed"]);
    world.finish(&mut maker);
    let doomed = world.server.state.session_named("doomed").unwrap().id;
    let panes = world.server.state.panes.values();
    let pane =
        panes.into_iter().find(|pane| world.server.state.windows[&pane.window].session == doomed);
    let pane_dir = world.server.pane_dir(pane.unwrap().uuid);
    // It cannot even be opened.
    let alive = pane_dir.join("alive");
    std::fs::remove_file(&alive).unwrap();
    std::fs::create_dir(&alive).unwrap();
    let mut killer = world.command(&["kill-session", "-t", "doomed"]);
    world.finish(&mut killer);
    world.wait_until(|server| server.closing.iter().all(|closing| closing.pane.tries >= 2));
    assert_eq!(world.server.closing.len(), 1);
    std::fs::remove_dir(&alive).unwrap();
    world.wait_until(|server| server.closing.is_empty());
}

/// The keeper of a program that a shutdown ended is killed before the end was looked at, and lets go
/// of its lock a moment after its connection. The pane stayed without a program.
#[test]
fn a_pane_is_restored_after_a_shutdown_although_its_keeper_is_killed_meanwhile() {
    let mut world = World::new();
    let mut maker = world.command(&["new-session", "-d"]);
    world.finish(&mut maker);
    let at = world.server.elapsed() + DEADLINE;
    let pane = world.server.panes.values_mut().next().unwrap();
    let mut keeper = KeeperRing::create(pane.output.consumed).unwrap();
    keeper.set_ended(ChildEnd::Exited(0));
    let _bell = keeper.set_drained();
    let ring = ServerRing::open(keeper.as_fd().try_clone_to_owned().unwrap()).unwrap();
    let (master, _) = UnixStream::pair().unwrap();
    let held = Held { master: master.into(), ring, child_pid: 1 };
    pane.stage = Stage::Lost { held: Some(held), contact: Contact::Found, at };
    pane.is_shut_down = true;
    // There is no executable for a keeper here, so it is tried again and again. (Another test's child
    // may hold a copy of the pane's lock until it executes its program, and delay the first try.)
    world.wait_until(|server| {
        let pane = server.panes.values().next().unwrap();
        matches!(pane.stage, Stage::Parting { program: Some(_), why: Some(_), .. })
    });
}

/// A server that is told to stop says goodbye to keepers of closed panes, too: one that does not
/// know better starts another server.
#[test]
fn keepers_of_closed_panes_are_told_goodbye() {
    let mut world = World::new();
    let mut maker = world.command(&["new-session", "-d", ";", "new-session", "-d", "-s", "doomed"]);
    world.finish(&mut maker);
    let doomed = world.server.state.session_named("doomed").unwrap().id;
    let windows = &world.server.state.windows;
    let mut panes = world.server.state.panes.values();
    let pane = panes.find(|pane| windows[&pane.window].session == doomed).unwrap();
    let pane_dir = world.server.pane_dir(pane.uuid);
    let listener = UnixListener::bind(pane_dir.join("keeper.sock")).unwrap();
    let _alive = take_lock(&pane_dir);
    let mut killer = world.command(&["kill-session", "-t", "doomed"]);
    world.finish(&mut killer);
    world.wait_until(|server| {
        let mut stages = server.closing.iter().map(|closing| &closing.pane.stage);
        stages.any(|stage| matches!(stage, Stage::Adopting { .. }))
    });
    let (mut keeper, _) = listener.accept().unwrap();
    keeper.set_nonblocking(true).unwrap();
    let mut heard = [0; 4096];
    let before = keeper.read(&mut heard).unwrap();
    assert!(before > 0 && keeper.read(&mut heard).is_err(), "it was asked, and no more");
    world.server.part_from_keepers();
    assert!(keeper.read(&mut heard).unwrap() > 0);
}

/// All programs were started in one turn after a restart of the machine, and who attached saw
/// nothing before the last one was.
#[test]
fn many_programs_are_started_in_several_turns() {
    let mut world = World::new();
    let windows = std::iter::repeat_n([";", "new-window", "-d"], 8).flatten();
    let argv: Vec<&str> = ["new-session", "-d"].into_iter().chain(windows).collect();
    let mut maker = world.command(&argv);
    world.finish(&mut maker);
    for pane in world.server.panes.values_mut() {
        pane.stage = Stage::Waiting { seq: Seq(0), program: None };
    }
    let waiting = |world: &World| {
        let panes = world.server.panes.values();
        panes.filter(|pane| matches!(pane.stage, Stage::Waiting { .. })).count()
    };
    let mut counts = vec![waiting(&world)];
    while counts.last() > Some(&0) {
        world.server.settle();
        counts.push(waiting(&world));
    }
    assert_eq!(counts, [9, 5, 1, 0]);
}

/// A keeper is killed after it was told to start a program and before it said that it runs; its lock
/// is free at once, or a moment later. That was taken for the end of the program, and the pane closed.
#[test]
fn a_keeper_that_is_killed_while_it_starts_a_program_closes_no_pane() {
    for lets_go_later in [false, true] {
        let mut world = World::new();
        let mut maker = world.command(&["new-session", "-d"]);
        world.finish(&mut maker);
        world.rest();
        let (id, uuid) =
            world.server.panes.values().map(|pane| (pane.id, pane.uuid)).next().unwrap();
        let pane_dir = world.server.pane_dir(uuid);
        let listener = UnixListener::bind(pane_dir.join("keeper.sock")).unwrap();
        let link = Link::adopt(&pane_dir).unwrap();
        world.server.watcher.both(link.as_fd(), Event::Keeper(id)).unwrap();
        world.server.panes.get_mut(&id).unwrap().stage = Stage::Starting { link };
        let alive = lets_go_later.then(|| take_lock(&pane_dir));
        drop(listener.accept().unwrap());
        if let Some(alive) = alive {
            world.wait_until(|server| {
                let Stage::Lost { contact, .. } = server.panes[&id].stage else { return false };
                contact == Contact::Asked
            });
            drop(alive);
        }
        world.wait_until(|server| {
            !server.panes.contains_key(&id)
                || matches!(server.panes[&id].stage, Stage::Parting { why: Some(_), .. })
        });
        let recorded = world.server.state.panes.get(&id).expect("the pane stays");
        assert_eq!(recorded.ended, None);
        let Stage::Parting { program, .. } = &world.server.panes[&id].stage else { unreachable!() };
        assert!(program.is_some(), "a shell follows");
        let lines = world.server.panes[&id].terminal.screen_lines();
        let marks = lines.iter().filter(|line| line.text.contains("[restored")).count();
        assert_eq!(marks, 1);
    }
}

/// What a keeper hands over as the stash is no stash, or has no keyframe: the pane goes on from what
/// the disk has of it, and what only the stash had is marked and told of.
#[cfg(target_os = "linux")]
#[test]
fn a_stash_that_is_none_costs_a_gap_and_no_more() {
    const LOST: u64 = 100;
    let without_a_table = Stash::create().unwrap();
    let with_a_bad_one = Stash::create().unwrap();
    with_a_bad_one.write_at(0, b"ccmuxsth of nobody").unwrap();
    let stashes: [OwnedFd; 3] = [
        tempfile::tempfile().unwrap().into(),
        without_a_table.to_descriptor().unwrap(),
        with_a_bad_one.to_descriptor().unwrap(),
    ];
    for stash in stashes {
        let mut world = World::new();
        let mut maker = world.command(&["new-session", "-d"]);
        world.finish(&mut maker);
        world.rest();
        let now = world.server.now();
        let (id, pane) = world.server.panes.iter_mut().next().unwrap();
        let (id, uuid) = (*id, pane.uuid);
        pane.print(&mut world.server.scrollback, now, b"on the disk\r\n");
        let mut keeper = KeeperRing::create(pane.output.consumed + LOST).unwrap();
        keeper.set_running(1);
        keeper.vacant().unwrap()[..5].copy_from_slice(b"later");
        let _bell = keeper.publish(5);
        let ring = ServerRing::open(keeper.as_fd().try_clone_to_owned().unwrap()).unwrap();
        let pane_dir = world.server.pane_dir(uuid);
        let listener = UnixListener::bind(pane_dir.join("keeper.sock")).unwrap();
        let link = Link::adopt(&pane_dir).unwrap();
        let _connection = listener.accept().unwrap();
        world.server.panes.get_mut(&id).unwrap().stage = Stage::Adopting { link, held: None };
        let (master, _) = UnixStream::pair().unwrap();
        let held = Held { master: master.into(), ring, child_pid: 1 };
        world.server.keeper_ready(id, 1, held, Some(stash));
        let end = keeper.head();
        world.wait_until(|server| server.panes[&id].output.consumed == end);

        let lines = world.server.panes[&id].terminal.screen_lines();
        let text = lines.iter().map(|line| line.text.clone()).collect::<Vec<_>>().join("\n");
        let parts = ["on the disk", "100 bytes of output are lost", "later"];
        let at: Vec<_> = parts.iter().map(|part| text.find(part)).collect();
        assert!(at[0].is_some() && at.is_sorted() && at[2].is_some(), "{text}");
        let found = &world.server.pane_damage;
        let told = ["what memory held of pane %0 cannot be used", "pane %0: 100 bytes of output"];
        let files = world.disk.files();
        let history = files.iter().find(|(path, _)| path == Path::new("recovery.jsonl"));
        let history = String::from_utf8_lossy(&history.unwrap().1);
        for (found, told) in found.iter().zip(told) {
            assert!(found.contains(told), "{found}");
            assert!(history.contains(found), "{history}");
        }
        assert_eq!(found.len(), told.len());
    }
}

/// A keeper was killed while its pane had no spool, and the ring was full before the next one was
/// ready. When the pane got its spool, nobody gave the ring free, and its program waited for ever.
#[test]
fn a_full_ring_is_given_free_when_its_pane_is_spooled_again() {
    let mut world = World::new();
    let mut maker = world.command(&["new-session", "-d"]);
    world.finish(&mut maker);
    let mut hider = world.command(&["set-option", "-p", "history-persist", "off"]);
    world.finish(&mut hider);
    world.rest();
    let (id, pane) = world.server.panes.iter().next().unwrap();
    let (id, uuid, start) = (*id, pane.uuid, pane.output.consumed);
    let mut keeper = KeeperRing::create(start).unwrap();
    keeper.set_running(1);
    loop {
        let len = keeper.vacant().unwrap().len();
        if len == 0 {
            break;
        }
        keeper.vacant().unwrap().fill(b'x');
        let _bell = keeper.publish(len);
    }
    let ring = ServerRing::open(keeper.as_fd().try_clone_to_owned().unwrap()).unwrap();
    let pane_dir = world.server.pane_dir(uuid);
    let listener = UnixListener::bind(pane_dir.join("keeper.sock")).unwrap();
    let link = Link::adopt(&pane_dir).unwrap();
    let _connection = listener.accept().unwrap();
    let (master, _) = UnixStream::pair().unwrap();
    let held = Held { master: master.into(), ring, child_pid: 1 };
    world.server.panes.get_mut(&id).unwrap().stage = Stage::Replacing { link, held };
    let end = keeper.head();
    world.wait_until(|server| server.panes[&id].output.consumed == end);
    assert_eq!(keeper.vacant().unwrap().len(), 0, "the ring alone has it");
    let mut shower = world.command(&["set-option", "-up", "history-persist"]);
    world.finish(&mut shower);
    world.wait_until(|server| !server.scrollback.is_away(uuid));
    world.rest();
    assert!(!keeper.vacant().unwrap().is_empty(), "the disk has it");
}
