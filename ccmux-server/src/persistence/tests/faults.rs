//! Single faults, one by one: what each costs, and that it is said.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ccmux_core::change::{Change, OptionScope};
use ccmux_core::ids::PaneId;

use super::world::{BOOT, NEXT_BOOT, World, open, options, same};
use crate::persistence::checkpoint::{CheckpointError, CheckpointStore, Snapshot, checkpoint_seq};
use crate::persistence::recovery::breadcrumb::Breadcrumb;
use crate::persistence::sim::{CallKind, Fault, Random, SimStorage};
use crate::persistence::storage::Storage;
use crate::persistence::wal::segment_first;
use crate::persistence::{
    AppendError, CheckpointRefusal, LogEntry, LogHealth, OpenError, RecoveryReport, Seq, Workers,
    startup,
};

/// A store with two checkpoints, a log of several segments, some of it after them, and everything
/// durable.
fn established(seed: u64) -> (SimStorage, World) {
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

fn files(storage: &SimStorage, dir: &str) -> Vec<PathBuf> {
    let paths = storage.files().into_iter().map(|(path, _)| path);
    paths.filter(|path| path.starts_with(dir)).collect()
}

fn quarantined(storage: &SimStorage) -> usize {
    files(storage, "quarantine").len()
}

/// Opens, and opens again: the damage is reported once, and the state stays.
fn reopen_twice(storage: &SimStorage, world: &World) -> (ccmux_core::State, RecoveryReport) {
    let (persistence, first) = open(storage, BOOT, world.now).unwrap();
    assert_eq!(persistence.health(), LogHealth::Durable);
    drop(persistence);
    let (_, second) = open(storage, BOOT, world.now).unwrap();
    assert_eq!(second.state, first.state, "P3: {}\n{}", first.report, second.report);
    assert!(second.report.is_clean(), "reported again: {}", second.report);
    (first.state, first.report)
}

/// A record that the server would have refused to apply is refused by the replay as well, with what
/// it would leave: a session without windows.
#[test]
fn a_record_that_leaves_a_session_empty_ends_the_replay() {
    let storage = SimStorage::new(21);
    let mut world = World::new(21);
    let (mut persistence, _) = open(&storage, BOOT, world.now).unwrap();
    let session = world.new_session();
    world.run(&mut persistence, "new-session", session);
    let mut changes = world.new_session();
    changes.truncate(1);
    let (actor, cause) = ("test".to_owned(), "half a session".to_owned());
    persistence.log(&LogEntry { time: world.now, actor, cause, changes }).unwrap();
    let before = world.state.clone();
    let named = vec![Change::PaneTitled { id: PaneId(0), title: "after it".into() }];
    world.run(&mut persistence, "title", named);
    persistence.commit_now();
    drop(persistence);
    let (state, report) = reopen_twice(&storage, &world);
    assert!(same(&state, &before), "{report}");
    assert!(report.to_string().contains("has no window"), "{report}");
    assert_eq!(report.lost, Some((Seq(2), Seq(3))));
}

/// A name with a number that cannot be belongs to nobody; the next number would be none at all.
#[test]
fn impossible_numbers_in_names_are_left_alone() {
    let (storage, world) = established(22);
    for name in ["wal/18446744073709551615.wal", "checkpoints/18446744073709551615.ckpt"] {
        drop(storage.create(Path::new(name)).unwrap());
    }
    let (state, report) = reopen_twice(&storage, &world);
    assert!(same(&state, &world.state), "{report}");
    let (persistence, _) = open(&storage, BOOT, world.now).unwrap();
    assert!(persistence.issued() < Seq(10_000), "{}", persistence.issued());
}

/// Records that were never logged, because the disk took no segment, are in a checkpoint alone. If
/// it cannot be read they are lost, and its name is what says so, and what keeps their numbers.
#[test]
fn the_name_of_a_damaged_checkpoint_proves_what_it_held() {
    let (storage, mut world) = established(23);
    let format = storage.files().into_iter().find(|(path, _)| path == Path::new("format"));
    let (mut persistence, _) = open(&storage, BOOT, world.now).unwrap();
    world.resume(&persistence, world.state.clone());
    storage.fail(CallKind::Allocate, 1, u64::MAX, Fault::NoSpace);
    storage.fail(CallKind::Sync, 1, 1, Fault::Io);
    let logged = persistence.durable();
    world.run(&mut persistence, "set-option", vec![option("first")]);
    persistence.commit_now();
    assert!(matches!(persistence.health(), LogHealth::Degraded { .. }));
    world.run(&mut persistence, "set-option", vec![option("second")]);
    persistence.checkpoint(&world.state, world.now).unwrap();
    let last = persistence.issued();
    drop(persistence);
    let newest = files(&storage, "checkpoints").pop().unwrap();
    assert_eq!(newest, PathBuf::from(format!("checkpoints/{:020}.ckpt", last.0)));
    storage.flip_bit(&newest, 8 * 200);
    // As if the server had been killed before it noted how far the log reaches.
    let (path, old) = format.unwrap();
    storage.damage(&path, |bytes| *bytes = old);
    let (mut persistence, recovered) = open(&storage, BOOT, world.now).unwrap();
    let report = recovered.report;
    assert!(report.lost.is_some_and(|(first, end)| first > logged && end == last), "{report}");
    let what: Vec<&str> = report.damage.iter().map(|damage| damage.what.as_str()).collect();
    assert!(matches!(what[..], [bad, lost] if bad.contains("not used") && lost.contains("prove")));
    world.resume(&persistence, recovered.state);
    let seq = world.run(&mut persistence, "set-option", vec![option("third")]);
    assert!(seq > last, "{seq}: numbers are not given out twice");
}

fn option(value: &str) -> Change {
    let (name, value) = ("@option".to_owned(), Some(value.to_owned()));
    Change::OptionSet { scope: OptionScope::Server, name, value }
}

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
    let checkpoints = files(&storage, "checkpoints");
    persistence.checkpoint(&ccmux_core::State::default(), world.now).unwrap();
    assert_eq!(files(&storage, "checkpoints"), checkpoints, "refused");
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

/// Goal: only what a file holds can be damaged. Method: fail each reading call of a recovery in turn,
/// with an error that says that the machine has no descriptor left, or once with one that a device
/// gives and does not repeat. The former refuses the store, the latter is nothing; the file `format`
/// was set aside at either, and other good files at the latter.
#[test]
fn an_error_that_passes_is_no_damage() {
    let (pristine, world) = established(15);
    for kind in [CallKind::Open, CallKind::Read, CallKind::List] {
        for (fault, times) in
            [(Fault::TooManyFiles, u64::MAX), (Fault::TooManyFiles, 1), (Fault::Io, 1)]
        {
            let mut nth = 1;
            loop {
                let storage = pristine.fork();
                storage.fail(kind, nth, times, fault);
                let context = format!("{kind:?} {nth} {fault:?}");
                match open(&storage, BOOT, world.now) {
                    Ok((_, recovered)) => {
                        assert!(recovered.report.is_clean(), "{context}: {}", recovered.report);
                        assert!(same(&recovered.state, &world.state), "{context}");
                    }
                    Err(OpenError::Read { .. }) => {
                        assert_eq!(storage.files(), pristine.files(), "{context}");
                    }
                    Err(error) => panic!("{context}: {error}"),
                }
                assert_eq!(quarantined(&storage), 0, "{context}");
                if !storage.has_failed() {
                    break;
                }
                storage.heal();
                let (_, recovered) = open(&storage, BOOT, world.now).unwrap();
                assert!(recovered.report.is_clean(), "{context}: {}", recovered.report);
                assert!(same(&recovered.state, &world.state), "{context}");
                nth += 1;
            }
            assert!(nth > 3 || kind == CallKind::List, "{kind:?}");
        }
    }
}

/// P4: whichever bit of whichever file is flipped, the server starts with a prefix, and says so if
/// anything acknowledged is missing. The very last record is the exception: nothing witnesses that
/// it was ever whole.
#[test]
fn a_flipped_bit_costs_what_it_held_and_is_reported() {
    let (pristine, world) = established(4);
    let (_, before_last) = world.history.iter().rev().nth(1).unwrap();
    let mut random = Random::new(9);
    for (path, bytes) in pristine.files() {
        for _ in 0..16 {
            let storage = pristine.fork();
            let bit = random.below(bytes.len() as u64 * 8);
            storage.flip_bit(&path, bit);
            let what = format!("bit {bit} of {}", path.display());
            let (state, report) = reopen_twice(&storage, &world);
            let is_whole = same(&state, &world.state) || same(&state, &before_last.state);
            let is_prefix = world.history.values().any(|moment| same(&moment.state, &state));
            assert!(is_prefix, "{what}: {report}");
            assert!(is_whole || !report.is_clean(), "{what}: lost silently: {report}");
            assert!(is_whole || quarantined(&storage) > 0, "{what}: not set aside: {report}");
        }
    }
}

/// Records do not depend on the header before them, whose loss is said once. The last segment that had
/// any stayed where it was and was found damaged again at the next start.
#[test]
fn a_damaged_header_costs_nothing_and_is_reported_once() {
    let (storage, mut world) = established(5);
    let (mut persistence, _) = open(&storage, BOOT, world.now).unwrap();
    world.resume(&persistence, world.state.clone());
    world.act(&mut persistence);
    world.settle(&mut persistence);
    persistence.commit_now();
    drop(persistence);
    for segment in files(&storage, "wal") {
        let storage = storage.fork();
        storage.flip_bit(&segment, 100);
        let (state, report) = reopen_twice(&storage, &world);
        assert!(same(&state, &world.state) && report.lost.is_none(), "{report}");
        assert_eq!((report.damage.len(), quarantined(&storage)), (1, 1), "{report}");
    }
}

#[test]
fn a_damaged_checkpoint_is_replaced_by_the_one_before_and_the_log() {
    let (storage, world) = established(5);
    let newest = files(&storage, "checkpoints").pop().unwrap();
    storage.flip_bit(&newest, 8 * 100);
    let (state, report) = reopen_twice(&storage, &world);
    assert!(same(&state, &world.state), "{report}");
    assert_eq!(report.lost, None);
    assert_eq!(report.damage[0].file, newest.display().to_string());
    assert_eq!(quarantined(&storage), 1);
}

/// The same after a clean exit, when no record follows the newest checkpoint: the damaged file is
/// kept, those that replace it stay in place, and so the next damage is survived as well.
#[test]
fn a_damaged_checkpoint_of_a_clean_exit_is_set_aside_and_replaced_by_two() {
    let (storage, mut world) = established(5);
    let (mut persistence, _) = open(&storage, BOOT, world.now).unwrap();
    world.act(&mut persistence);
    world.settle(&mut persistence);
    assert_eq!(persistence.finalize(&world.state, world.now), LogHealth::Durable);
    let newest = files(&storage, "checkpoints").pop().unwrap();
    storage.flip_bit(&newest, 8 * 100);
    let damaged = storage.files().into_iter().find(|(path, _)| *path == newest).unwrap().1;
    let (state, report) = reopen_twice(&storage, &world);
    assert!(same(&state, &world.state), "{report}");
    let aside = files(&storage, "quarantine");
    let kept = storage.files().into_iter().find(|(path, _)| Some(path) == aside.first()).unwrap();
    assert_eq!((aside.len(), kept.1), (1, damaged), "the damaged file itself");
    let good = files(&storage, "checkpoints");
    assert!(!good.contains(&newest) && good.len() >= 2, "{good:?}");
    storage.flip_bit(good.last().unwrap(), 8 * 100);
    let (state, report) = reopen_twice(&storage, &world);
    assert!(same(&state, &world.state) && report.lost.is_none(), "{report}");
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
    let checkpoints = files(&storage, "checkpoints");
    persistence.checkpoint(&ccmux_core::State::default(), world.now).unwrap();
    assert_eq!(files(&storage, "checkpoints"), checkpoints, "refused");
}

#[test]
fn a_missing_segment_ends_the_replay_before_it() {
    let (pristine, world) = established(6);
    let segments = files(&pristine, "wal");
    let newest_checkpoint = files(&pristine, "checkpoints").pop().unwrap();
    let newest_checkpoint =
        checkpoint_seq(&newest_checkpoint.file_name().unwrap().to_string_lossy()).unwrap();
    for missing in &segments {
        let storage = pristine.fork();
        storage.remove(missing).unwrap();
        let (state, report) = reopen_twice(&storage, &world);
        let first = segment_first(&missing.file_name().unwrap().to_string_lossy()).unwrap();
        let is_needed = first > newest_checkpoint;
        if is_needed && missing != segments.last().unwrap() {
            let before = &world.history[&Seq(first.0 - 1)].state;
            assert!(same(&state, before), "{}: {report}", missing.display());
            assert_eq!(report.lost.unwrap().0, first);
            assert!(!report.is_clean() && quarantined(&storage) > 0);
        }
    }
}

#[test]
fn everything_gone_is_said_and_not_the_end() {
    for kinds in [&["wal"][..], &["checkpoints"], &["wal", "checkpoints"], &["format"]] {
        let (storage, world) = established(7);
        for path in kinds.iter().flat_map(|kind| files(&storage, kind)) {
            storage.remove(&path).unwrap();
        }
        let (state, report) = reopen_twice(&storage, &world);
        assert!(!report.is_clean(), "{kinds:?}: {report}");
        assert!(world.history.values().any(|moment| same(&moment.state, &state)), "{kinds:?}");
        assert_eq!(kinds == ["format"], same(&state, &world.state));
    }
}

#[test]
fn a_log_that_ends_below_a_known_watermark_is_reported() {
    let (storage, world) = established(8);
    let last = *world.history.keys().last().unwrap();
    let mut with_watermark = options(BOOT, world.now);
    with_watermark.watermarks.push(("lock".into(), Seq(last.0 + 3)));
    let (_, recovered) =
        startup::open(std::sync::Arc::new(storage.clone()), &with_watermark, Workers::None)
            .unwrap();
    assert!(same(&recovered.state, &world.state));
    assert_eq!(recovered.report.lost, Some((last.next(), Seq(last.0 + 3))));
    assert!(recovered.report.to_string().contains("lock proves"), "{}", recovered.report);
    let (persistence, recovered) = open(&storage, BOOT, world.now).unwrap();
    assert!(recovered.report.is_clean(), "once is enough");
    assert!(persistence.issued() >= Seq(last.0 + 3), "numbers are not given out twice");
}

#[test]
fn other_versions_are_refused_and_not_touched() {
    let newer_format: &[u8] = br#"{"layout":9,"oldest_reader":9}"#;
    for kind in ["format", "wal", "checkpoints"] {
        let (storage, world) = established(9);
        storage.damage(&files(&storage, kind)[0], |bytes| match kind {
            "format" => *bytes = newer_format.to_vec(),
            "wal" => reversion(bytes, 72),
            _ => reversion(bytes, 52),
        });
        let before = storage.files();
        let error = open(&storage, BOOT, world.now).unwrap_err();
        let is_refusal = matches!(
            error,
            OpenError::Newer { layout: 9 } | OpenError::OtherVersion { version: 77, .. }
        );
        assert!(is_refusal, "{kind}: {error}");
        assert_eq!(storage.files(), before, "{kind}");
    }
}

/// Gives a header another version and the checksum that goes with it.
fn reversion(bytes: &mut [u8], checksum_at: usize) {
    bytes[8] = 77;
    let checksum = crc32c::crc32c(&bytes[..checksum_at]);
    bytes[checksum_at..checksum_at + 4].copy_from_slice(&checksum.to_le_bytes());
}

/// A record that kills the server again and again is left out, with all that follows.
#[test]
fn after_two_crashes_at_a_record_the_server_starts_without_it() {
    let (storage, world) = established(10);
    let poisoned = Seq(world.history.keys().last().unwrap().0 - 3);
    for _ in 0..2 {
        Breadcrumb::read(&storage, BOOT).replaying(poisoned);
    }
    let (state, report) = reopen_twice(&storage, &world);
    assert!(same(&state, &world.history[&Seq(poisoned.0 - 1)].state), "{report}");
    assert_eq!(report.lost.unwrap().0, poisoned);
    assert!(report.to_string().contains("crashed at it twice") && quarantined(&storage) > 0);
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
