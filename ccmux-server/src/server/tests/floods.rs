//! A program that prints a lot.

use std::os::fd::AsFd as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;

use ccmux_keeper::{KeeperRing, Link, ServerRing, Wake};

use super::world::World;
use crate::pane::{Held, Stage};
use crate::server::turn::GATHER;

/// Prints `len` bytes; returns whether the server wants to be rung.
fn print(keeper: &mut KeeperRing, len: usize) -> Wake {
    let (mut left, mut wake) = (len, Wake::Awake);
    while left > 0 {
        let vacant = keeper.vacant().unwrap();
        let count = vacant.len().min(left);
        vacant[..count].fill(b'x');
        if keeper.publish(count) == Wake::Ring {
            wake = Wake::Ring;
        }
        left -= count;
    }
    wake
}

/// A bell for each piece of a flood would wake the server for a few KiB at a time. So the server looks again
/// by itself a moment later, and sleeps until the bell only when little was printed.
#[test]
fn a_flood_gathers_for_a_moment_without_a_bell() {
    let mut world = World::new();
    let mut maker = world.command(&["new-session", "-d"]);
    world.finish(&mut maker);
    world.rest();
    let (id, pane) = world.server.panes.iter().next().unwrap();
    let (id, uuid, start) = (*id, pane.uuid, pane.output.consumed);
    let mut keeper = KeeperRing::create(start).unwrap();
    keeper.set_running(1);
    let ring = ServerRing::open(keeper.as_fd().try_clone_to_owned().unwrap()).unwrap();
    let pane_dir = world.server.pane_dir(uuid);
    let listener = UnixListener::bind(pane_dir.join("keeper.sock")).unwrap();
    let link = Link::adopt(&pane_dir).unwrap();
    let _connection = listener.accept().unwrap();
    let (master, _) = UnixStream::pair().unwrap();
    let held = Held { master: master.into(), ring, child_pid: 1 };
    world.server.panes.get_mut(&id).unwrap().stage = Stage::Replacing { link, held };
    world.rest();
    assert_eq!(print(&mut keeper, 100), Wake::Ring, "it sleeps");

    let _bell = print(&mut keeper, 20_000);
    let sleep = world.server.turn().unwrap();
    assert_eq!(world.server.panes[&id].output.consumed, keeper.head());
    assert!(sleep > Duration::ZERO && sleep <= GATHER, "{sleep:?}");
    assert_eq!(print(&mut keeper, 20_000), Wake::Awake, "it looks by itself");
    let sleep = world.server.turn().unwrap();
    assert!(sleep > Duration::ZERO && sleep <= GATHER, "{sleep:?}");

    assert_eq!(print(&mut keeper, 100), Wake::Awake, "the end of the flood");
    let sleep = world.server.turn().unwrap();
    assert_eq!(world.server.panes[&id].output.consumed, keeper.head());
    assert!(sleep > GATHER, "{sleep:?}");
    assert_eq!(print(&mut keeper, 64 * 1024), Wake::Ring, "it sleeps");
    assert_eq!(world.server.turn(), Some(Duration::ZERO), "there is more by now");
    assert_eq!(world.server.panes[&id].output.consumed, keeper.head());
}
