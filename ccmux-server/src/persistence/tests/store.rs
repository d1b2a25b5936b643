//! A store with a past, and what is in it.

use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::world::{BOOT, World, open};
use crate::persistence::sim::SimStorage;
use crate::persistence::{LogHealth, RecoveryReport};

/// A store with two checkpoints, a log of several segments, some of it after them, and everything
/// durable.
pub(super) fn established(seed: u64) -> (SimStorage, World) {
    let storage = SimStorage::new(seed);
    let mut world = World::new(seed);
    let (mut persistence, _) = open(&storage, BOOT, world.now).unwrap();
    for round in 0..3 {
        let started = files(&storage, "wal").len();
        while files(&storage, "wal").len() < started + 1 {
            world.act(&mut persistence);
            persistence.commit_now();
        }
        world.settle(&mut persistence);
        persistence.commit_now();
        if round < 2 {
            persistence.checkpoint(&world.state, world.now).unwrap();
        }
    }
    assert_eq!(persistence.durable(), persistence.issued());
    world.observe(&persistence);
    assert!(files(&storage, "wal").len() > 2, "{:?}", files(&storage, "wal"));
    assert_eq!(files(&storage, "checkpoints").len(), 2);
    (storage, world)
}

pub(super) fn files(storage: &SimStorage, dir: &str) -> Vec<PathBuf> {
    let paths = storage.files().into_iter().map(|(path, _)| path);
    paths.filter(|path| path.starts_with(dir)).collect()
}

/// Damages both copies of the header of a segment of the log.
pub(super) fn spoil_header(storage: &SimStorage, segment: &Path) {
    for copy in [0, 4096] {
        storage.flip_bit(segment, 8 * copy + 100);
    }
}

pub(super) fn quarantined(storage: &SimStorage) -> usize {
    files(storage, "quarantine").len()
}

/// Opens, and opens again: the damage is reported once, and the state stays.
pub(super) fn reopen_twice(
    storage: &SimStorage,
    world: &World,
) -> (ccmux_core::State, RecoveryReport) {
    reopen_twice_in(BOOT, storage, world)
}

/// The same in some boot of the machine.
pub(super) fn reopen_twice_in(
    boot: Uuid,
    storage: &SimStorage,
    world: &World,
) -> (ccmux_core::State, RecoveryReport) {
    let (persistence, first) = open(storage, boot, world.now).unwrap();
    assert_eq!(persistence.health(), LogHealth::Durable);
    drop(persistence);
    let (_, second) = open(storage, boot, world.now).unwrap();
    assert_eq!(second.state, first.state, "P3: {}\n{}", first.report, second.report);
    assert!(second.report.is_clean(), "reported again: {}", second.report);
    (first.state, first.report)
}
