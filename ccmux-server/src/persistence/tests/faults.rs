//! Calls that fail, one by one: what each costs, and when checkpoints are taken.

use std::collections::BTreeSet;
use std::path::Path;

use ccmux_core::change::{Change, OptionScope};
use ccmux_core::ids::PaneId;
use ccmux_core::model::Timestamp;
use uuid::Uuid;

use super::store::{established, files};
use super::world::{BOOT, NEXT_BOOT, World, open, same};
use crate::persistence::checkpoint::{CheckpointError, CheckpointStore, Snapshot};
use crate::persistence::sim::{CallKind, Fault, SimStorage};
use crate::persistence::storage::Storage;
use crate::persistence::{AppendError, CheckpointRefusal, LogEntry, LogHealth, Persistence, Seq};

/// The trap: a log marked as checkpointed when no checkpoint holds it is gone at the next start.
///
/// Goal: P5. Method: let each call of a checkpoint fail in each way, decay included, and find every
/// segment still there and the state whole, even after a power cut.
#[test]
fn a_failed_checkpoint_shortens_nothing() {
    for fault in [Fault::Io, Fault::NoSpace, Fault::Rot, Fault::PowerCut] {
        for nth in 1.. {
            let (storage, mut world) = established(1);
            let (mut persistence, _) = open(&storage, BOOT, world.now).unwrap();
            world.resume(&persistence, world.state.clone());
            world.act(&mut persistence);
            world.settle(&mut persistence);
            persistence.commit_now();
            world.observe(&persistence);
            let segments = files(&storage, "wal");
            let before = storage.calls();
            storage.strike(before + nth, fault);
            persistence.checkpoint(&world.state, world.now).unwrap();
            if storage.calls() < before + nth {
                assert!(nth > 8, "a checkpoint takes a few calls");
                break;
            }
            let made = persistence.backlog.not_before.is_none();
            let is_after_the_fact = files(&storage, "checkpoints").iter().any(|path| {
                path.to_string_lossy().contains(&format!("{:020}", persistence.issued().0))
            });
            if !made && !storage.is_off() {
                assert_eq!(files(&storage, "wal"), segments, "{fault:?} at {nth}");
                assert!(!is_after_the_fact || fault != Fault::Rot, "{fault:?} at {nth}");
            }
            drop(persistence);
            for seed in 0..4 {
                let after = storage.fork().power_cut(seed);
                let (_, recovered) = open(&after, NEXT_BOOT, world.now).unwrap();
                assert!(
                    same(&recovered.state, &world.state),
                    "{fault:?} at {nth}, seed {seed}: {}\n{}",
                    recovered.report,
                    storage.trace()
                );
            }
        }
    }
}

/// Decay between write and read-back makes no [`VerifiedCheckpoint`], whatever the sync said.
#[test]
fn what_does_not_read_back_is_no_checkpoint() {
    let storage = SimStorage::new(0);
    storage.create_dir(Path::new("checkpoints")).unwrap();
    let mut store =
        CheckpointStore::open(std::sync::Arc::new(storage.clone()), uuid::Uuid::nil(), &[]);
    let world = World::new(0);
    let snapshot = Snapshot {
        seq: Seq(5),
        time: world.now,
        state: world.state,
        emptied_by: None,
        is_terminating: false,
        closed_below: None,
    };
    storage.fail(CallKind::Sync, 1, 1, Fault::Rot);
    assert!(matches!(store.write(&snapshot), Err(CheckpointError::NotReadBack)));
    assert!(store.newest().is_none() && store.trim_floor().is_none());
    assert_eq!(store.write(&snapshot).unwrap().seq(), Seq(5));
    assert!(store.trim_floor().is_none(), "one checkpoint is not enough");
}

#[test]
fn an_empty_state_needs_a_reason() {
    let (storage, mut world) = established(2);
    let (mut persistence, _) = open(&storage, BOOT, world.now).unwrap();
    // With their contents: one that takes the place of another has its name.
    let checkpoints = || {
        let files = storage.files().into_iter();
        files.filter(|(path, _)| path.starts_with("checkpoints")).collect::<Vec<_>>()
    };
    let before = checkpoints();
    persistence.checkpoint(&ccmux_core::State::default(), world.now).unwrap();
    assert_eq!(checkpoints(), before, "refused");
    drop(persistence);
    let (mut persistence, recovered) = open(&storage, BOOT, world.now).unwrap();
    assert_eq!(recovered.state, world.state);
    while let Some(pane) = world.state.panes.keys().next().copied() {
        let close = world.close(pane, ccmux_core::change::CloseReason::Command);
        world.run(&mut persistence, "kill-pane", close);
    }
    persistence.checkpoint(&world.state, world.now).unwrap();
    drop(persistence);
    let (_, recovered) = open(&storage, BOOT, world.now).unwrap();
    assert!(recovered.state.sessions.is_empty() && recovered.report.is_clean());
    assert_eq!(recovered.report.replayed, 0, "the checkpoint was taken");
}

/// P8: the file whose sync failed is never synced again, and what it should have held is durable
/// elsewhere.
#[test]
fn a_file_whose_sync_failed_is_left_alone() {
    for seed in 0..20 {
        let (storage, mut world) = established(seed);
        let (mut persistence, _) = open(&storage, BOOT, world.now).unwrap();
        world.resume(&persistence, world.state.clone());
        let is_struck = |line: &&str| line.contains("Sync file") && line.contains("Io");
        world.act(&mut persistence);
        world.act(&mut persistence);
        storage.fail(CallKind::Sync, 1, 1, Fault::Io);
        persistence.commit_now();
        let trace = storage.trace();
        let struck = trace.lines().position(|line| is_struck(&line)).unwrap();
        let file = trace.lines().nth(struck).unwrap().split_once(' ').unwrap().1.to_owned();
        let file = file.strip_suffix(" -> Io").unwrap();
        assert!(trace.lines().skip(struck + 1).all(|line| !line.ends_with(file)), "{trace}");
        assert_eq!(persistence.health(), LogHealth::Durable);
        assert_eq!(persistence.durable(), persistence.issued());
        assert!(persistence.checkpoint_due(world.now) || persistence.is_unsettled());
        world.settle(&mut persistence);
        persistence.commit_now();
        let (_, recovered) = open(&storage.power_cut(seed), NEXT_BOOT, world.now).unwrap();
        assert!(same(&recovered.state, &world.state), "seed {seed}: {}", recovered.report);
    }
}

/// A full disk: panes live on, nothing is called durable; with room again everything is.
#[test]
fn a_full_disk_degrades_until_there_is_room() {
    let (storage, mut world) = established(3);
    let (mut persistence, _) = open(&storage, BOOT, world.now).unwrap();
    world.resume(&persistence, world.state.clone());
    storage.set_capacity(Some(0));
    let acknowledged = persistence.durable();
    while persistence.health() == LogHealth::Durable {
        world.act(&mut persistence);
        persistence.commit_now();
        assert!(persistence.issued() < Seq(acknowledged.0 + 1000), "a segment has an end");
    }
    let LogHealth::Degraded { since, why } = persistence.health() else { unreachable!() };
    assert!(why.contains("No space"), "{why}");
    assert_eq!(since, world.now);
    let durable = persistence.durable();
    for _ in 0..5 {
        world.act(&mut persistence);
        persistence.commit_now();
    }
    assert_eq!(persistence.durable(), durable);
    assert!(!persistence.wait_durable(persistence.issued()), "nobody waits for ever");
    storage.set_capacity(None);
    world.settle(&mut persistence);
    persistence.commit_now();
    assert!(matches!(persistence.health(), LogHealth::Degraded { .. }), "first a checkpoint");
    assert!(persistence.checkpoint_due(world.now));
    persistence.checkpoint(&world.state, world.now).unwrap();
    persistence.commit_now();
    assert_eq!(persistence.health(), LogHealth::Durable);
    assert_eq!(persistence.durable(), persistence.issued());
    let (_, recovered) = open(&storage.power_cut(1), NEXT_BOOT, world.now).unwrap();
    assert!(same(&recovered.state, &world.state), "{}", recovered.report);
    assert!(recovered.report.is_clean(), "{}", recovered.report);
}

/// A full disk may have room for a checkpoint where it has none for a segment: then that is what
/// holds the changes made meanwhile. Nothing of it makes the loop turn without need.
#[test]
fn a_degraded_log_is_checkpointed_now_and_then_and_at_the_end() {
    let (storage, mut world) = established(13);
    let (mut persistence, _) = open(&storage, BOOT, world.now).unwrap();
    world.resume(&persistence, world.state.clone());
    for kind in [CallKind::Allocate, CallKind::Write] {
        storage.fail(kind, 1, u64::MAX, Fault::NoSpace);
    }
    world.act(&mut persistence);
    world.settle(&mut persistence);
    persistence.commit_now();
    assert!(matches!(persistence.health(), LogHealth::Degraded { .. }));
    for _ in 0..3 {
        assert!(persistence.checkpoint_due(world.now));
        persistence.checkpoint(&world.state, world.now).unwrap();
        assert!(!persistence.checkpoint_due(world.now), "it failed a moment ago");
        let next = persistence.next_deadline().unwrap();
        assert!(next > world.now, "the loop may sleep");
        world.now = next;
    }
    storage.heal();
    storage.fail(CallKind::Allocate, 1, u64::MAX, Fault::NoSpace);
    world.act(&mut persistence);
    world.settle(&mut persistence);
    let health = persistence.finalize(&world.state, world.now);
    assert!(matches!(health, LogHealth::Degraded { .. }), "{health:?}");
    let (_, recovered) = open(&storage.power_cut(1), NEXT_BOOT, world.now).unwrap();
    assert!(same(&recovered.state, &world.state), "{}", recovered.report);
}

/// What closed one of two sessions does not explain a state without any.
#[test]
fn the_reason_for_an_empty_state_is_the_end_of_its_last_session() {
    let (storage, mut world) = established(14);
    let (mut persistence, _) = open(&storage, BOOT, world.now).unwrap();
    world.resume(&persistence, world.state.clone());
    let changes = world.new_session();
    world.run(&mut persistence, "new-session", changes);
    let session = *world.state.sessions.keys().last().unwrap();
    let panes: Vec<PaneId> = world
        .state
        .windows
        .values()
        .filter(|window| window.session == session)
        .flat_map(|window| window.layout.panes())
        .collect();
    for pane in panes {
        let close = world.close(pane, ccmux_core::change::CloseReason::Command);
        world.run(&mut persistence, "kill-session", close);
    }
    world.settle(&mut persistence);
    assert!(!world.state.sessions.is_empty());
    persistence.checkpoint(&world.state, world.now).unwrap();
    // With their contents: one that takes the place of another has its name.
    let checkpoints = || {
        let files = storage.files().into_iter();
        files.filter(|(path, _)| path.starts_with("checkpoints")).collect::<Vec<_>>()
    };
    let before = checkpoints();
    persistence.checkpoint(&ccmux_core::State::default(), world.now).unwrap();
    assert_eq!(checkpoints(), before, "refused");
}

#[test]
fn a_change_too_large_for_a_record_is_refused_and_costs_nothing() {
    let (storage, mut world) = established(11);
    let (mut persistence, _) = open(&storage, BOOT, world.now).unwrap();
    let (before, value) = (persistence.issued(), Some("x".repeat(17 << 20)));
    let scope = OptionScope::Server;
    let change = Change::OptionSet { scope, name: "@huge".into(), value };
    let (actor, cause) = ("test".into(), "set".into());
    let entry = LogEntry { time: world.now, actor, cause, changes: vec![change] };
    assert!(matches!(persistence.log(&entry), Err(AppendError::TooLarge { .. })));
    assert_eq!(persistence.issued(), before);
    let title = vec![Change::PaneTitled { id: first_pane(&world), title: "next".into() }];
    world.run(&mut persistence, "title", title);
    drop(persistence);
    assert_eq!(open(&storage, BOOT, world.now).unwrap().1.state, world.state);
}

fn first_pane(world: &World) -> PaneId {
    *world.state.panes.keys().next().unwrap()
}

/// P6: however many commands there are, the log and the checkpoints stay small, and recovery is
/// short.
#[test]
fn disk_use_is_bounded() {
    let storage = SimStorage::new(12);
    let mut world = World::new(12);
    let (mut persistence, _) = open(&storage, BOOT, world.now).unwrap();
    let mut most = BTreeSet::new();
    for _ in 0..20 {
        for _ in 0..10 {
            world.act(&mut persistence);
        }
        world.settle(&mut persistence);
        persistence.commit_now();
        persistence.checkpoint(&world.state, world.now).unwrap();
        most.insert(storage.files().len());
    }
    assert!(
        *most.last().unwrap() < 16,
        "{:?}",
        storage.files().iter().map(|f| &f.0).collect::<Vec<_>>()
    );
}

#[test]
fn checkpoints_fall_due_by_records_bytes_and_age() {
    let storage = SimStorage::new(13);
    let mut world = World::new(13);
    let (mut persistence, _) = open(&storage, BOOT, world.now).unwrap();
    assert_eq!(persistence.next_deadline(), None, "nothing to do, nothing to wake up for");
    let session = world.new_session();
    world.run(&mut persistence, "new-session", session);
    assert!(!persistence.checkpoint_due(world.now));
    let deadline = persistence.next_deadline().unwrap();
    assert_eq!(deadline.0, world.now.0 + 5 * 60 * 1000);
    assert!(persistence.checkpoint_due(deadline));
    persistence.checkpoint(&world.state, deadline).unwrap();
    assert!(!persistence.checkpoint_due(deadline) && persistence.next_deadline().is_none());
    let value = Some("x".repeat(1 << 20));
    let scope = OptionScope::Server;
    let long = Change::OptionSet { scope, name: "@long".into(), value };
    world.run(&mut persistence, "set-option", vec![long]);
    assert!(persistence.checkpoint_due(world.now));
    let busy: Result<(), CheckpointRefusal> = persistence.checkpoint(&world.state, world.now);
    assert_eq!(busy, Ok(()));
    for _ in 0..10_000 {
        let title = vec![Change::PaneTitled { id: PaneId(0), title: "t".into() }];
        world.run(&mut persistence, "title", title);
        world.history.clear();
    }
    assert!(persistence.checkpoint_due(world.now));
}

/// A sync fails, the server is killed, and the next start finds what was written in memory. It took a checkpoint
/// of it and said in a new segment that it was synced, so that the loss of it in a power cut was called damage.
#[test]
fn what_a_failed_sync_has_lost_is_no_damage_after_the_power_cut() {
    for seed in 0..24 {
        let (storage, persistence, now) = with_unsynced_changes(seed, BOOT);
        storage.fail(CallKind::Sync, 1, u64::MAX, Fault::Io);
        persistence.commit_now();
        assert!(matches!(persistence.health(), LogHealth::Degraded { .. }));
        drop(persistence);
        what_a_start_finds_survives_a_power_cut(&storage, now, (BOOT, seed));
    }
}

/// The server was killed in the sync that failed, so that `mark` still vouched for what it should have synced.
#[test]
fn what_a_sync_lost_in_which_the_server_was_killed_is_no_damage_after_the_power_cut() {
    for seed in 0..24 {
        let (storage, persistence, now) = with_unsynced_changes(seed, BOOT);
        storage.fail(CallKind::Sync, 1, 1, Fault::IoUnseen);
        persistence.commit_now();
        assert!(storage.is_off());
        drop(persistence);
        what_a_start_finds_survives_a_power_cut(&storage, now, (BOOT, seed));
    }
}

/// Where the boot id cannot be told a kill cannot be told from a power cut: nothing vouches for what is found.
#[test]
fn records_of_an_unknown_boot_are_in_doubt() {
    for seed in 0..24 {
        for boots in [[Uuid::nil(), Uuid::nil()], [Uuid::nil(), BOOT], [BOOT, Uuid::nil()]] {
            let (storage, persistence, now) = with_unsynced_changes(seed, boots[0]);
            storage.fail(CallKind::Sync, 1, 1, Fault::IoUnseen);
            persistence.commit_now();
            drop(persistence);
            what_a_start_finds_survives_a_power_cut(&storage, now, (boots[1], seed));
        }
    }
}

/// A store with two hard changes that are written and not synced.
fn with_unsynced_changes(seed: u64, boot: Uuid) -> (SimStorage, Persistence, Timestamp) {
    let (storage, mut world) = established(seed);
    let (mut persistence, _) = open(&storage, boot, world.now).unwrap();
    world.resume(&persistence, world.state.clone());
    for value in ["one", "two"] {
        let (name, value) = ("@option".to_owned(), Some(value.to_owned()));
        let changes = vec![Change::OptionSet { scope: OptionScope::Server, name, value }];
        world.run(&mut persistence, "set-option", changes);
    }
    (storage, persistence, world.now)
}

/// Starts in `boot` after a kill, and once more after a power cut: what the first one believed is there,
/// and nothing is missed.
fn what_a_start_finds_survives_a_power_cut(
    storage: &SimStorage,
    now: Timestamp,
    (boot, seed): (Uuid, u64),
) {
    let storage = storage.kill();
    let (persistence, recovered) = open(&storage, boot, now).unwrap();
    assert!(persistence.health() == LogHealth::Durable, "{}", recovered.report);
    drop(persistence);
    let (_, after) = open(&storage.power_cut(seed), NEXT_BOOT, now).unwrap();
    assert!(after.report.is_clean(), "{seed}: {}", after.report);
    assert!(same(&after.state, &recovered.state), "{seed}: {}", after.report);
}
