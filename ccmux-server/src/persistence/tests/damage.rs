//! Damaged, missing and foreign files, one by one: what each costs, and that it is said.

use std::path::{Path, PathBuf};

use ccmux_core::change::{Change, CloseReason, OptionScope};
use ccmux_core::ids::PaneId;
use ccmux_core::model::{Ended, ExitStatus};

use super::store::{established, files, quarantined, reopen_twice, spoil_header};
use super::world::{BOOT, World, open, options, same};
use crate::persistence::checkpoint::checkpoint_seq;
use crate::persistence::fuzzing::repair::repair;
use crate::persistence::recovery::breadcrumb::Breadcrumb;
use crate::persistence::sim::{CallKind, Fault, Random, SimStorage};
use crate::persistence::storage::Storage;
use crate::persistence::wal::segment_first;
use crate::persistence::{LogEntry, LogHealth, OpenError, Persistence, Seq, Workers, startup};

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
        spoil_header(&storage, &segment);
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

/// A checkpoint whose checksums are right was once believed whatever its state was, and the server went on
/// with windows whose panes were elsewhere.
#[test]
fn a_checkpoint_whose_state_does_not_hold_together_is_no_good_one() {
    let (storage, world) = established(5);
    let newest = files(&storage, "checkpoints").pop().unwrap();
    storage.damage(&newest, |bytes| {
        let at = memchr::memmem::find(bytes, b"\"active\":").unwrap() + b"\"active\":".len();
        bytes.splice(at..at, *b"77");
        repair(bytes);
    });
    let (state, report) = reopen_twice(&storage, &world);
    assert!(same(&state, &world.state) && report.lost.is_none(), "{report}");
    assert!(report.damage[0].what.contains("does not hold together"), "{report}");
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

/// A line that a power cut tore is no reason to spoil the next one.
#[test]
fn the_record_of_recoveries_has_whole_lines() {
    let (storage, world) = established(24);
    let path = Path::new("recovery.jsonl");
    storage.damage(path, |bytes| bytes.truncate(bytes.len() - 20));
    let newest = files(&storage, "checkpoints").pop().unwrap();
    storage.flip_bit(&newest, 8 * 100);
    drop(open(&storage, BOOT, world.now).unwrap());
    let after = storage.power_cut(1);
    let history = after.files().into_iter().find(|(known, _)| known == path).unwrap().1;
    let lines: Vec<&[u8]> = history.split(|byte| *byte == b'\n').collect();
    let last: serde_json::Value = serde_json::from_slice(lines[lines.len() - 2]).unwrap();
    assert_eq!(last["damage"][0]["file"], newest.display().to_string());
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

fn option(value: &str) -> Change {
    let (name, value) = ("@option".to_owned(), Some(value.to_owned()));
    Change::OptionSet { scope: OptionScope::Server, name, value }
}

/// Goal: no number is given out twice. Method: damage in front of soft changes and behind an end of a
/// program that is not final, and a start that is killed at each of its calls. Until the new segment is
/// there nothing but damaged files has the numbers, and they were moved away before.
#[test]
fn damage_behind_an_end_that_is_not_final_forgets_no_number() {
    let (pristine, mut world) = established(41);
    let (mut persistence, _) = open(&pristine, BOOT, world.now).unwrap();
    world.resume(&persistence, world.state.clone());
    let pane = *world.state.panes.keys().next().unwrap();
    let ended = Ended { status: ExitStatus::Code(0), time: world.now };
    let close = world.close(pane, CloseReason::ProgramEnded(ended));
    world.run(&mut persistence, "program ended", close);
    let kept = world.state.clone();
    let damaged = files(&pristine, "wal").pop().unwrap();
    let pane = *world.state.panes.keys().next().unwrap();
    let mut title = |persistence: &mut Persistence| {
        let title = "t".repeat(1500).into();
        world.run(persistence, "title", vec![Change::PaneTitled { id: pane, title }]);
        persistence.commit_now();
    };
    while files(&pristine, "wal").iter().filter(|path| **path > damaged).count() < 2 {
        title(&mut persistence);
    }
    // The last segment is not blank either.
    title(&mut persistence);
    drop(persistence);
    pristine.remove(Path::new("mark")).unwrap();
    let bytes = pristine.files().into_iter().find(|(path, _)| *path == damaged).unwrap().1;
    let titled = bytes.windows(100).position(|part| part.iter().all(|byte| *byte == b't')).unwrap();
    pristine.flip_bit(&damaged, titled as u64 * 8);
    let calls = {
        let storage = pristine.fork();
        let (persistence, recovered) = open(&storage, BOOT, world.now).unwrap();
        assert!(persistence.is_unsettled() && !recovered.report.is_clean());
        storage.calls() - pristine.calls()
    };
    for call in 1..=calls {
        let struck = pristine.fork();
        struck.strike(struck.calls() + call, Fault::PowerCut);
        drop(open(&struck, BOOT, world.now));
        let (persistence, recovered) = open(&struck.kill(), BOOT, world.now).unwrap();
        let context = format!("call {call} of {calls}: {}", recovered.report);
        assert!(same(&recovered.state, &kept), "{context}");
        assert!(persistence.issued() >= world.last(), "{context}");
    }
}
