//! Goal: P1 for output, P3, P8. Method: run a script of appends, syncs, archiving and releases;
//! count its calls; then run it once per call with the power cut there, tear what was not synced,
//! start again and check, go on and have a second accident.

use super::world::{Accident, Model, PANES, World, load_all};
use crate::persistence::sim::{CallKind, Fault, Random, SimStorage};

const STEPS: usize = 40;

/// Runs the script of `seed` up to the power cut at `call`.
fn run_until(seed: u64, call: u64) -> (SimStorage, Vec<Model>) {
    let storage = SimStorage::new(seed);
    storage.strike(call, Fault::PowerCut);
    let mut world = World::new(&storage);
    world.run(&mut Random::new(seed), STEPS);
    (storage, world.models)
}

fn calls_of(seed: u64) -> u64 {
    let (storage, _) = run_until(seed, u64::MAX);
    assert!(storage.calls() > 60, "a script worth the name");
    storage.calls()
}

#[test]
fn every_power_cut_leaves_what_was_durable() {
    for seed in 0..3 {
        for call in 1..=calls_of(seed) {
            let (storage, models) = run_until(seed, call);
            let storage = storage.power_cut(seed * 1000 + call);
            let mut random = Random::new(call);
            storage.strike(storage.calls() + 1 + random.below(60), Fault::PowerCut);
            let mut world = World::start(&storage, &models, Accident::PowerCut);
            world.run(&mut random, STEPS / 2);
            let storage = storage.power_cut(call);
            World::start(&storage, &world.models, Accident::PowerCut);
        }
    }
}

#[test]
fn every_kill_loses_nothing_and_a_power_cut_after_it_only_what_was_not_synced() {
    for seed in 10..12 {
        for call in 1..=calls_of(seed) {
            let (storage, models) = run_until(seed, call);
            let storage = storage.kill();
            let mut world = World::start(&storage, &models, Accident::Kill);
            let mut random = Random::new(call);
            world.run(&mut random, 6);
            world.sync();
            world.run(&mut random, 6);
            let storage = storage.power_cut(call);
            World::start(&storage, &world.models, Accident::PowerCut);
        }
    }
}

#[test]
fn loading_changes_nothing_and_finds_the_same_twice() {
    for call in (1..=calls_of(3)).step_by(7) {
        let (storage, _) = run_until(3, call);
        let storage = storage.power_cut(call);
        let files = storage.files();
        let images: Vec<_> = (0..2)
            .map(|_| {
                let images = load_all(&storage).into_iter();
                images.map(|i| (i.keyframe, i.resume, i.history, i.damage)).collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(images[0], images[1]);
        assert_eq!(storage.files(), files);
        assert_eq!(storage.calls(), 0, "nothing that could change the disk was called");
    }
}

#[test]
fn one_fault_anywhere_costs_nothing_that_was_called_durable() {
    use CallKind::{Create, CreateDir, Remove, Rename, Sync, SyncDir, Write};
    for kind in [Create, CreateDir, Write, Sync, SyncDir, Rename, Remove] {
        for nth in 1..30 {
            let storage = SimStorage::new(nth);
            storage.fail(kind, nth, 1, if nth % 2 == 0 { Fault::Io } else { Fault::NoSpace });
            let mut world = World::new(&storage);
            world.run(&mut Random::new(nth), STEPS);
            let storage = storage.power_cut(nth);
            let mut world = World::start(&storage, &world.models, Accident::PowerCut);
            // And whatever went wrong does not last.
            world.sync();
            for n in 0..PANES {
                world.archive(n, true);
            }
            World::start(&storage.power_cut(nth), &world.models, Accident::PowerCut);
        }
    }
}
