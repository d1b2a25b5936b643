//! Keepers that do not do what they should, played by the test.

use std::io::Read as _;
use std::os::fd::AsFd as _;
use std::os::unix::net::{UnixListener, UnixStream};

use ccmux_keeper::{ChildEnd, KeeperRing, ServerRing};

use super::world::{DEADLINE, World, take_lock};
use crate::pane::{Held, Stage};
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
    pane.stage = Stage::Lost { held: Some(held), is_found: true, at };
    pane.is_shut_down = true;
    world.rest();
    let pane = world.server.panes.values().next().unwrap();
    // There is no executable for a keeper here, so it is tried again and again.
    assert!(
        matches!(pane.stage, Stage::Parting { program: Some(_), why: Some(_), .. }),
        "{:?}",
        pane.stage
    );
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
