//! Bad records that a checkpoint has.

use super::log::{newest, option, records, reported, with_three};
use crate::persistence::sim::SimStorage;
use crate::persistence::tests::store::{established, files, reopen_twice, reopen_twice_in};
use crate::persistence::tests::world::{BOOT, NEXT_BOOT, World, open, same};

pub(super) fn bad_records_before_a_checkpoint() -> &'static str {
    let (storage, world) = established(34);
    let newest_checkpoint = newest(&storage, "checkpoints");
    let covered: u64 = newest_checkpoint.file_stem().unwrap().to_string_lossy().parse().unwrap();
    let oldest = files(&storage, "wal").swap_remove(0);
    let (_, records, _) = records(&storage, &oldest);
    let between = records.iter().rfind(|found| found.frame.seq.0 < covered).unwrap();
    storage.flip_bit(&oldest, between.payload.start as u64 * 8);
    let (state, report) = reopen_twice(&storage, &world);
    assert!(same(&state, &world.state), "{report}");
    reported(&report)
}

/// A store with a checkpoint behind three records, one record behind that in the same segment, and a bad
/// one among the three.
fn with_a_bad_one(is_durable: bool) -> (SimStorage, World) {
    let (storage, mut world, _) = with_three(is_durable);
    let (mut persistence, _) = open(&storage, BOOT, world.now).unwrap();
    world.resume(&persistence, world.state.clone());
    for value in ["four", "five", "six"] {
        world.run(&mut persistence, "set-option", vec![option(value)]);
        if is_durable {
            persistence.commit_now();
        }
    }
    persistence.checkpoint(&world.state, world.now).unwrap();
    world.run(&mut persistence, "set-option", vec![option("seven")]);
    if is_durable {
        persistence.commit_now();
    }
    drop(persistence);
    let path = newest(&storage, "wal");
    let (_, records, _) = records(&storage, &path);
    assert_eq!(records.len(), 4);
    storage.flip_bit(&path, records[1].payload.start as u64 * 8);
    (storage.kill(), world)
}

pub(super) fn intact_records_behind_bad_ones() -> &'static str {
    let (storage, world) = with_a_bad_one(true);
    let (state, report) = reopen_twice(&storage, &world);
    assert!(same(&state, &world.state), "{report}");
    reported(&report)
}

pub(super) fn intact_records_behind_torn_ones() -> &'static str {
    let (storage, world) = with_a_bad_one(false);
    let (state, report) = reopen_twice_in(NEXT_BOOT, &storage, &world);
    assert!(same(&state, &world.state), "{report}");
    reported(&report)
}
