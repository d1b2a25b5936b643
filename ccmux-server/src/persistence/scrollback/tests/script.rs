//! Random scripts for spool, chunks and keyframes: work, faults, accidents, decay.

use proptest::prelude::*;

use super::told::Stored;
use super::world::{Accident, Model, PANES, World};
use crate::persistence::scrollback::HistoryLimits;
use crate::persistence::sim::{CallKind, Decay, Fault, SimStorage};
use crate::persistence::tests::decay;

/// What happens next.
#[derive(Clone, Debug)]
pub(in crate::persistence) enum Step {
    Print {
        pane: usize,
        bytes: u64,
    },
    Resize {
        pane: usize,
        to: u64,
    },
    Sync,
    /// From now on no more history than that is kept.
    Limit(HistoryLimits),
    Archive {
        pane: usize,
        with_keyframe: bool,
    },
    /// The server is killed, and another starts.
    Kill(Vec<Crash>),
    /// The power goes, and comes back.
    Cut(u64, Vec<Crash>),
    /// The power goes at one of the next calls.
    CutAt {
        call: u64,
        seed: u64,
    },
    /// Calls fail.
    Fail {
        kind: CallKind,
        nth: u64,
        times: u64,
        fault: Fault,
    },
    /// No call fails any more.
    Heal,
    /// The server is killed, and something decays before another starts.
    Decay(Vec<Decay>, u64),
}

/// A start that is cut short at a call: by a kill, or by a power cut with a seed.
pub(in crate::persistence) type Crash = (u64, Option<u64>);

/// A seed for the disk, and what happens to it.
pub(in crate::persistence) fn scripts() -> impl Strategy<Value = (u64, Vec<Step>)> {
    let scripts = (any::<u64>(), prop::collection::vec(step(), 1..80), prop::option::of(limits()));
    scripts.prop_map(|(seed, steps, limits)| {
        (seed, limits.map(Step::Limit).into_iter().chain(steps).collect())
    })
}

/// What lets most of the history go.
fn limits() -> impl Strategy<Value = HistoryLimits> {
    let bytes = |least: u64| prop::option::of(least..5000).prop_map(|it| it.unwrap_or(u64::MAX));
    (prop::option::of(5_u64..100), bytes(600), bytes(1000))
        .prop_map(|(lines, bytes, total)| HistoryLimits { lines, bytes, total })
}

fn step() -> impl Strategy<Value = Step> {
    use CallKind::{Create, CreateDir, Read, Remove, Rename, Sync, SyncDir, Write};
    let crashes = || prop::collection::vec((1_u64..12, prop::option::of(any::<u64>())), 0..3);
    let kinds = vec![Create, CreateDir, Remove, Rename, Sync, SyncDir, Write];
    let times = prop_oneof![Just(1_u64), 2_u64..6, Just(u64::MAX)];
    let faults = prop::sample::select(vec![Fault::Io, Fault::NoSpace]);
    prop_oneof![
        20 => (0..PANES, 1_u64..300).prop_map(|(pane, bytes)| Step::Print { pane, bytes }),
        3 => (0..PANES, any::<u64>()).prop_map(|(pane, to)| Step::Resize { pane, to }),
        8 => Just(Step::Sync),
        8 => (0..PANES, any::<bool>())
            .prop_map(|(pane, with_keyframe)| Step::Archive { pane, with_keyframe }),
        2 => crashes().prop_map(Step::Kill),
        2 => (any::<u64>(), crashes()).prop_map(|(seed, crashes)| Step::Cut(seed, crashes)),
        2 => (1_u64..20, any::<u64>()).prop_map(|(call, seed)| Step::CutAt { call, seed }),
        2 => (prop::sample::select(kinds), 1_u64..6, times, faults)
            .prop_map(|(kind, nth, times, fault)| Step::Fail { kind, nth, times, fault }),
        1 => (prop::sample::select(vec![Sync, SyncDir, Write, Rename]), 1_u64..6)
            .prop_map(|(kind, nth)| Step::Fail { kind, nth, times: 1, fault: Fault::IoUnseen }),
        1 => prop::sample::select(vec![Read, Write])
            .prop_map(|kind| Step::Fail { kind, nth: 1, times: u64::MAX, fault: Fault::Short }),
        2 => Just(Step::Heal),
        1 => (prop::collection::vec(decay(), 1..3), 1_u64..12)
            .prop_map(|(decays, call)| Step::Decay(decays, call)),
    ]
}

/// Runs a script; panics where a promise is broken.
pub(in crate::persistence) fn run((seed, steps): &(u64, Vec<Step>)) -> Result<(), String> {
    let mut world = World::new(&SimStorage::new(*seed));
    let mut cut_with = 0;
    for step in steps {
        match step {
            Step::Print { pane, bytes } => world.print(*pane, *bytes),
            Step::Resize { pane, to } => world.resize(*pane, *to),
            Step::Sync => world.sync(),
            Step::Limit(limits) => world.limit(*limits),
            Step::Archive { pane, with_keyframe } => world.archive(*pane, *with_keyframe),
            Step::Kill(crashes) => world = restart(world, None, crashes),
            Step::Cut(seed, crashes) => world = restart(world, Some(*seed), crashes),
            Step::CutAt { call, seed } => {
                world.storage.strike(world.storage.calls() + call, Fault::PowerCut);
                cut_with = *seed;
            }
            Step::Fail { kind, nth, times, fault } => {
                world.storage.fail(*kind, *nth, *times, *fault);
            }
            Step::Heal => world.storage.heal(),
            Step::Decay(decays, call) => world = decayed(world, decays, *call),
        }
        let resyncs = world.storage.resyncs();
        if !resyncs.is_empty() {
            return Err(format!("P8: synced again after a failure: {resyncs:?}"));
        }
        if world.storage.is_off() {
            let cut = (!world.storage.was_killed()).then_some(cut_with);
            world = restart(world, cut, &[]);
        }
    }
    Ok(())
}

/// An accident, starts that are cut short, and one that is not.
fn restart(world: World, cut: Option<u64>, crashes: &[Crash]) -> World {
    let (mut storage, mut models, mut accident) = strike(world, cut);
    for &(call, cut) in crashes {
        storage.strike(storage.calls() + call, Fault::PowerCut);
        let world = World::start(&storage, &models, accident);
        (storage, models, accident) = strike(world, cut);
    }
    World::start(&storage, &models, accident)
}

/// Ends a server.
fn strike(world: World, cut: Option<u64>) -> (SimStorage, Vec<Model>, Accident) {
    let World { storage, models, .. } = world;
    match cut {
        Some(seed) => (storage.power_cut(seed), models, Accident::PowerCut),
        None if storage.has_struck() && (!storage.is_off() || storage.was_killed()) => {
            (storage.kill(), models, Accident::KillAfterFaults)
        }
        None => (storage.kill(), models, Accident::Kill),
    }
}

/// Decay while there is no server. One that starts and is killed leaves nothing untold.
fn decayed(world: World, decays: &[Decay], call: u64) -> World {
    let (storage, models, _) = strike(world, None);
    let before = Stored::look(&storage);
    let decayed: Vec<_> = decays.iter().filter_map(|decay| storage.decay(*decay)).collect();
    before.check(&storage, &decayed);
    storage.strike(storage.calls() + call, Fault::PowerCut);
    let world = World::start(&storage, &models, Accident::Decay);
    let (storage, models, _) = strike(world, None);
    let mut world = World::start(&storage, &models, Accident::Kill);
    // Until then a power cut may take what no later frame says was synced.
    for to in 0..2 {
        world.resize(0, to);
        world.sync();
    }
    world
}
