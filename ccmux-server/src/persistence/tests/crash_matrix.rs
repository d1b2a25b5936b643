//! The crash matrix: a workload, struck at every call that could matter.

use ccmux_core::State;

use super::world::{BOOT, Moment, NEXT_BOOT, World, open, same};
use crate::persistence::sim::{Fault, Random, SimStorage};
use crate::persistence::{LogHealth, Persistence, RecoveryReport};

/// Runs a workload of commands, commits, checkpoints and restarts until it is over or the power
/// goes; returns the running server with it, unless it could not be restarted.
fn run_script(storage: &SimStorage, seed: u64, steps: usize) -> (World, Option<Persistence>) {
    let mut world = World::new(seed);
    let mut random = Random::new(seed ^ 0x5eed);
    let Ok((mut persistence, _)) = open(storage, BOOT, world.now) else { return (world, None) };
    for _ in 0..steps {
        match random.below(12) {
            0..=6 => drop(world.act(&mut persistence)),
            7 | 8 => persistence.commit_now(),
            9 => take_checkpoint(&mut persistence, &world),
            10 => world.settle(&mut persistence),
            _ => {
                drop(persistence);
                let Some(restarted) = restart(storage, &mut world) else { return (world, None) };
                persistence = restarted;
            }
        }
        world.observe(&persistence);
        if storage.is_off() {
            break;
        }
    }
    (world, Some(persistence))
}

/// A kill and a restart in the same boot. Without faults it loses nothing at all.
fn restart(storage: &SimStorage, world: &mut World) -> Option<Persistence> {
    match open(storage, BOOT, world.now) {
        Ok((persistence, recovered)) => {
            if storage.has_struck() {
                check_prefix(world, &recovered.state, &recovered.report, |moment| &moment.state)
                    .unwrap();
            } else {
                assert_eq!(recovered.state, world.state, "a kill loses nothing");
                assert!(recovered.report.is_clean(), "{}", recovered.report);
            }
            world.resume(&persistence, recovered.state);
            Some(persistence)
        }
        Err(_) if storage.is_off() => None,
        Err(error) => panic!("{error}"),
    }
}

fn take_checkpoint(persistence: &mut Persistence, world: &World) {
    // Refused while programs have just ended, which is part of what is tested.
    let _refused = persistence.checkpoint(&world.state, world.now);
}

/// P1 and P2: what was recovered is one of the states gone through, and none before what was
/// acknowledged.
fn check_prefix(
    world: &World,
    recovered: &State,
    report: &RecoveryReport,
    of: fn(&Moment) -> &State,
) -> Result<(), String> {
    let is_it = |moment: &Moment| same(of(moment), recovered);
    if world.history.range(world.acknowledged..).any(|(_, moment)| is_it(moment)) {
        return Ok(());
    }
    let earlier = world.history.iter().rev().find(|(_, moment)| is_it(moment));
    Err(format!(
        "acknowledged {}, issued {:?}, recovered the state of {:?}: {report}",
        world.acknowledged,
        world.history.keys().last(),
        earlier.map(|(seq, _)| seq),
    ))
}

/// Recovers after a power cut, and again after a crash inside the recovery.
fn check_recovery(after: &SimStorage, world: &World, random: &mut Random) -> Result<(), String> {
    let untouched = after.fork();
    let (persistence, first) = open(after, NEXT_BOOT, world.now).map_err(|e| e.to_string())?;
    check_prefix(world, &first.state, &first.report, |moment| &moment.undone)?;
    if !first.report.is_clean() {
        return Err(format!("damage reported after a mere power cut: {}", first.report));
    }
    if persistence.health() != LogHealth::Durable {
        return Err(format!("not durable: {:?}", persistence.health()));
    }
    let calls = after.calls();
    drop(persistence);
    let (_, second) = open(&after.kill(), NEXT_BOOT, world.now).map_err(|e| e.to_string())?;
    if second.state != first.state || second.report.undone > 0 {
        return Err(format!("P3: the second recovery differs: {}", second.report));
    }
    let call = 1 + random.below(calls);
    untouched.strike(call, Fault::PowerCut);
    drop(open(&untouched, NEXT_BOOT, world.now));
    let crashed = untouched.power_cut(random.next_u64());
    let (_, third) = open(&crashed, NEXT_BOOT, world.now).map_err(|e| e.to_string())?;
    if third.state != first.state {
        return Err(format!("P3: crashed at call {call} of the recovery: {}", third.report));
    }
    Ok(())
}

/// Counts the calls of a script that nothing strikes.
fn calls_of(script: u64, steps: usize) -> u64 {
    let storage = SimStorage::new(script);
    let _ended = run_script(&storage, script, steps);
    storage.calls()
}

fn cut_power_everywhere(script: u64, steps: usize, kept: u64) {
    for call in 1..=calls_of(script, steps) {
        let storage = SimStorage::new(script);
        storage.strike(call, Fault::PowerCut);
        let (world, _) = run_script(&storage, script, steps);
        for seed in (0..kept).map(|kept| call * 1000 + kept) {
            let after = storage.power_cut(seed);
            if let Err(error) = check_recovery(&after, &world, &mut Random::new(seed)) {
                panic!("script {script}, call {call}, seed {seed}: {error}\n{}", storage.trace());
            }
        }
    }
}

/// Goal: P1, P2, P3, P5. Method: count the calls of a workload, then run it again once per call,
/// cut the power there, keep of what was not synced what each seed says, and recover.
#[test]
fn every_crash_point_recovers_an_acknowledged_prefix() {
    for script in 0..2 {
        cut_power_everywhere(script, 30, 2);
    }
}

fn fail_everywhere(script: u64, steps: usize, fault: Fault, times: u64) {
    for call in 1..=calls_of(script, steps) {
        let storage = SimStorage::new(script);
        (call..call + times).for_each(|call| storage.strike(call, fault));
        let (mut world, persistence) = run_script(&storage, script, steps);
        let context = || format!("script {script}, {fault:?} at {call}\n{}", storage.trace());
        let mut persistence = persistence.expect("the server always starts");
        storage.heal();
        for _ in 0..2 {
            world.settle(&mut persistence);
            persistence.commit_now();
            if persistence.checkpoint_due(world.now) {
                persistence.checkpoint(&world.state, world.now).unwrap();
            }
        }
        assert_eq!(persistence.health(), LogHealth::Durable, "{}", context());
        assert_eq!(persistence.durable(), persistence.issued(), "{}", context());
        world.observe(&persistence);
        for seed in 0..2 {
            let (_, recovered) =
                open(&storage.fork().power_cut(call + seed), NEXT_BOOT, world.now).unwrap();
            assert!(same(&recovered.state, &world.state), "{}\n{}", recovered.report, context());
            assert_eq!(recovered.report.lost, None, "{}", context());
        }
    }
}

/// Goal: P1 and P8. Method: let each call of a workload fail once, or many in a row, go on, take
/// the fault away, and expect that everything becomes durable again, and is.
#[test]
fn every_failing_call_is_survived_and_made_up_for() {
    fail_everywhere(2, 18, Fault::Io, 1);
    fail_everywhere(3, 18, Fault::NoSpace, 1);
    fail_everywhere(4, 18, Fault::Io, 30);
    fail_everywhere(5, 18, Fault::NoSpace, 30);
}
