//! The committer's own thread while the disk fails: whoever waits is woken, with yes or with no.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use ccmux_core::model::Timestamp;

use super::world::{BOOT, World, options};
use crate::persistence::sim::{CallKind, Fault, SimStorage};
use crate::persistence::{LogHealth, Persistence, Seq, Workers, startup};

/// Matters only when a test fails.
const DEADLINE: Duration = Duration::from_mins(1);

fn open(storage: &SimStorage, world: &World) -> Persistence {
    let opened =
        startup::open(Arc::new(storage.clone()), &options(BOOT, world.now), Workers::Threads);
    opened.unwrap().0
}

/// Waits as the server does when it ends, but not for ever.
fn wait_durable(persistence: Persistence, seq: Seq) -> (Persistence, bool) {
    let (sender, answer) = channel();
    thread::spawn(move || {
        let is_durable = persistence.wait_durable(seq);
        // Nobody listens after the deadline.
        let _ = sender.send((persistence, is_durable));
    });
    answer.recv_timeout(DEADLINE).expect("whoever waits for a record is told what became of it")
}

/// A write that fails while the committer sleeps wakes it: it rewrites the record elsewhere.
///
/// Found by review: the failure raised the demand for a sync, so the append saw no demand to raise,
/// and rang nobody. The rounds are for the committer to have gone to sleep in at least one of them.
#[test]
fn a_failed_write_is_repaired_by_a_sleeping_committer() {
    let storage = SimStorage::new(1);
    let mut world = World::new(1);
    let mut persistence = open(&storage, &world);
    for _ in 0..20 {
        let seq = world.act(&mut persistence);
        let (sound, is_durable) = wait_durable(persistence, seq);
        persistence = sound;
        assert!(is_durable);
        storage.fail(CallKind::Write, 1, 1, Fault::NoSpace);
        let seq = world.act(&mut persistence);
        let (sound, is_durable) = wait_durable(persistence, seq);
        persistence = sound;
        assert!(is_durable && persistence.health() == LogHealth::Durable);
    }
}

/// A disk that takes nothing more is told of, and nobody waits for it; when it does again, a
/// checkpoint makes up for what was missed.
#[test]
fn a_disk_that_takes_nothing_leaves_nobody_waiting() {
    let storage = SimStorage::new(2);
    let mut world = World::new(2);
    let mut persistence = open(&storage, &world);
    let seq = world.act(&mut persistence);
    let (mut persistence, is_durable) = wait_durable(persistence, seq);
    assert!(is_durable);
    for kind in [CallKind::Write, CallKind::Allocate] {
        storage.fail(kind, 1, u64::MAX, Fault::NoSpace);
    }
    let seq = world.act(&mut persistence);
    let (mut persistence, is_durable) = wait_durable(persistence, seq);
    assert!(!is_durable);
    assert!(matches!(persistence.health(), LogHealth::Degraded { .. }));
    let seq = world.act(&mut persistence);
    let (persistence, is_durable) = wait_durable(persistence, seq);
    assert!(!is_durable, "and nobody waits later either");
    storage.heal();
    // Whether the log is whole again by then is a matter of luck; that nothing is lost is not.
    persistence.finalize(&world.state, Timestamp(world.now.0 + 20_000));
    let (_, recovered) = super::world::open(&storage.power_cut(3), BOOT, world.now).unwrap();
    assert_eq!(recovered.state, world.state, "{}", recovered.report);
}
