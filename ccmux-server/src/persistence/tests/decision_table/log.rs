//! What is found of the structural log.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ccmux_core::State;
use ccmux_core::change::{Change, CloseReason, OptionScope};
use ccmux_core::ids::PaneId;
use ccmux_core::model::{Ended, ExitStatus};

use super::{Case, covered, ends};
use crate::persistence::checkpoint::{CheckpointStore, Snapshot};
use crate::persistence::recovery::breadcrumb::Breadcrumb;
use crate::persistence::sim::{CallKind, Fault, SimStorage};
use crate::persistence::storage::Storage;
use crate::persistence::tests::store::{
    established, files, quarantined, reopen_twice, reopen_twice_in, spoil_header,
};
use crate::persistence::tests::world::{BOOT, NEXT_BOOT, World, open, options, same};
use crate::persistence::wal::{Found, Frame, SegmentHeader, scan, segment_first};
use crate::persistence::{LogEntry, OpenError, RecoveryReport, Seq, Workers, startup};

pub(super) const CASES: &[(&str, Case)] = &[
    ("L1", Case::Made(nothing)),
    ("L2", Case::Made(zeros_behind_the_records)),
    ("L3", Case::Made(torn_tail)),
    ("L4", Case::Made(records_behind_a_torn_one)),
    ("L5", Case::Made(a_bad_record_that_was_durable)),
    ("L6", Case::Made(a_gap_in_the_numbers)),
    ("L7", Case::Made(a_missing_segment)),
    ("L8", Case::Made(newest_segment_without_header)),
    ("L9", Case::Made(a_bad_header)),
    ("L10", Case::Made(made_up_frames)),
    ("L11", Case::Made(no_segment)),
    ("L12", Case::Made(files_of_another_store)),
    ("L13", Case::Made(an_unreadable_file)),
    ("L14", Case::Made(no_descriptors)),
    ("L15", Case::Made(a_bad_checkpoint)),
    ("L16", Case::Made(an_empty_checkpoint)),
    ("L17", Case::Made(covered::bad_records_before_a_checkpoint)),
    ("L18", Case::Made(no_checkpoint)),
    ("L19", Case::Made(below_a_watermark)),
    ("L20", Case::Made(no_format)),
    ("L21", Case::Made(another_version)),
    ("L22", Case::Made(an_unknown_critical_record)),
    ("L23", Case::Made(an_unknown_record)),
    ("L24", Case::Made(a_record_that_does_not_fit)),
    ("L25", Case::Made(a_record_that_crashes)),
    ("L26", Case::Made(ends_before_a_boot)),
    ("L27", Case::Made(damage_and_a_crash)),
    ("L28", Case::Made(ends::in_the_same_boot)),
    ("L29", Case::Made(ends::in_a_later_boot)),
    ("L30", Case::Made(ends::without_a_witness)),
    ("L31", Case::Made(ends::a_mark_that_is_none)),
    ("L32", Case::Made(covered::intact_records_behind_bad_ones)),
    ("L33", Case::Made(covered::intact_records_behind_torn_ones)),
    ("L34", Case::Made(a_bad_copy_of_a_header)),
];

/// What a report says, in the words of the table.
pub(super) fn reported(report: &RecoveryReport) -> &'static str {
    match report {
        _ if report.lost.is_some() => "damage; lost",
        _ if !report.damage.is_empty() => "damage",
        _ if report.undone > 0 => "undone",
        _ if !report.notes.is_empty() => "note",
        _ => "",
    }
}

/// An established store with three options set since, in a segment of their own, and the states
/// before the first, and after each.
pub(super) fn with_three(is_durable: bool) -> (SimStorage, World, Vec<State>) {
    let (storage, mut world) = established(31);
    let (mut persistence, _) = open(&storage, BOOT, world.now).unwrap();
    world.resume(&persistence, world.state.clone());
    let mut states = vec![world.state.clone()];
    for value in ["one", "two", "three"] {
        world.run(&mut persistence, "set-option", vec![option(value)]);
        states.push(world.state.clone());
        if is_durable {
            persistence.commit_now();
        }
    }
    drop(persistence);
    (storage.kill(), world, states)
}

pub(super) fn option(value: &str) -> Change {
    let (name, value) = ("@option".to_owned(), Some(value.to_owned()));
    Change::OptionSet { scope: OptionScope::Server, name, value }
}

pub(super) fn newest(storage: &SimStorage, dir: &str) -> PathBuf {
    files(storage, dir).pop().unwrap()
}

pub(super) fn bytes_of(storage: &SimStorage, path: &Path) -> Vec<u8> {
    storage.files().into_iter().find(|(known, _)| known == path).unwrap().1
}

/// The records of a segment, and where they end.
pub(super) fn records(storage: &SimStorage, path: &Path) -> (SegmentHeader, Vec<Found>, usize) {
    let bytes = bytes_of(storage, path);
    let first = segment_first(&path.file_name().unwrap().to_string_lossy()).unwrap();
    let header = SegmentHeader::decode(&bytes).unwrap();
    let found = scan(&bytes, first, Some(&header));
    (header, found.records, found.end)
}

/// Flips a bit in record number `nth` of the newest segment.
pub(super) fn flip_record(storage: &SimStorage, nth: usize) {
    let path = newest(storage, "wal");
    let (_, records, _) = records(storage, &path);
    storage.flip_bit(&path, records[nth].payload.start as u64 * 8);
}

/// Appends a record of any kind to the newest segment.
fn append(storage: &SimStorage, kind: u8, flags: u8) {
    let path = newest(storage, "wal");
    let (header, records, end) = records(storage, &path);
    let last = records.last().unwrap().frame.seq;
    let mut bytes = Vec::new();
    Frame::new(last.next(), kind, flags, last).encode(header.salt, b"{}", &mut bytes);
    storage.damage(&path, |file| file[end..end + bytes.len()].copy_from_slice(&bytes));
}

fn nothing() -> &'static str {
    let (state, report) = reopen_twice(&SimStorage::new(1), &World::new(1));
    assert_eq!(state, State::default());
    reported(&report)
}

fn zeros_behind_the_records() -> &'static str {
    let (storage, world, states) = with_three(true);
    let path = newest(&storage, "wal");
    let (_, _, end) = records(&storage, &path);
    assert!(bytes_of(&storage, &path)[end..].iter().all(|byte| *byte == 0));
    let (state, report) = reopen_twice(&storage, &world);
    assert!(same(&state, &states[3]));
    reported(&report)
}

fn torn_tail() -> &'static str {
    let (storage, world, states) = with_three(false);
    flip_record(&storage, 2);
    let (state, report) = reopen_twice_in(NEXT_BOOT, &storage, &world);
    assert!(same(&state, &states[2]), "{report}");
    reported(&report)
}

fn records_behind_a_torn_one() -> &'static str {
    let (storage, world, states) = with_three(false);
    flip_record(&storage, 0);
    let (state, report) = reopen_twice_in(NEXT_BOOT, &storage, &world);
    assert!(same(&state, &states[0]), "{report}");
    reported(&report)
}

fn a_bad_record_that_was_durable() -> &'static str {
    let (storage, world, states) = with_three(true);
    flip_record(&storage, 0);
    let (state, report) = reopen_twice(&storage, &world);
    assert!(same(&state, &states[0]) && quarantined(&storage) > 0, "{report}");
    reported(&report)
}

fn a_gap_in_the_numbers() -> &'static str {
    let (storage, world, states) = with_three(true);
    let path = newest(&storage, "wal");
    let (_, records, _) = records(&storage, &path);
    let (from, to) = (records[1].offset, records[2].offset);
    storage.damage(&path, |bytes| {
        bytes.drain(from..to);
        bytes.resize(bytes.len() + to - from, 0);
    });
    let (state, report) = reopen_twice(&storage, &world);
    assert!(same(&state, &states[1]), "{report}");
    reported(&report)
}

fn a_missing_segment() -> &'static str {
    let storage = SimStorage::new(32);
    let mut world = World::new(32);
    let (mut persistence, _) = open(&storage, BOOT, world.now).unwrap();
    while files(&storage, "wal").len() < 4 {
        world.act(&mut persistence);
        world.settle(&mut persistence);
        persistence.commit_now();
    }
    drop(persistence);
    let missing = files(&storage, "wal").swap_remove(1);
    storage.remove(&missing).unwrap();
    let (state, report) = reopen_twice(&storage, &world);
    let first = segment_first(&missing.file_name().unwrap().to_string_lossy()).unwrap();
    assert!(same(&state, &world.history[&Seq(first.0 - 1)].state), "{report}");
    reported(&report)
}

fn newest_segment_without_header() -> &'static str {
    let (pristine, world, states) = with_three(true);
    drop(open(&pristine, BOOT, world.now).unwrap());
    let path = newest(&pristine, "wal");
    assert!(records(&pristine, &path).1.is_empty());
    for byte in [0, 0x5a] {
        let storage = pristine.fork();
        storage.damage(&path, |bytes| bytes[..4176].fill(byte));
        let (state, report) = reopen_twice(&storage, &world);
        assert!(same(&state, &states[3]), "{report}");
        assert_eq!(reported(&report), "");
    }
    ""
}

fn a_bad_header() -> &'static str {
    let (storage, world, states) = with_three(true);
    spoil_header(&storage, &newest(&storage, "wal"));
    let (state, report) = reopen_twice(&storage, &world);
    assert!(same(&state, &states[3]), "{report}");
    reported(&report)
}

fn a_bad_copy_of_a_header() -> &'static str {
    let (pristine, world, states) = with_three(true);
    let segment = newest(&pristine, "wal");
    for (at, len) in [(12, 1), (4096 + 12, 1), (0, 512), (4096, 64)] {
        let storage = pristine.fork();
        storage.damage(&segment, |bytes| bytes[at..at + len].fill(0x5a));
        let (state, report) = reopen_twice(&storage, &world);
        assert!(same(&state, &states[3]) && report.is_clean(), "{report}");
        assert_eq!(reported(&report), "note", "{report}");
    }
    "note"
}

fn made_up_frames() -> &'static str {
    let (storage, world, states) = with_three(true);
    let path = newest(&storage, "wal");
    let (header, records, end) = records(&storage, &path);
    let next = records.last().unwrap().frame.seq.0 + 1;
    storage.damage(&path, |bytes| {
        bytes.resize(64 << 10, 0);
        let len = bytes.len();
        for at in (end..len - 24).step_by(24) {
            bytes[at + 4..at + 8].copy_from_slice(&((len - at - 24) as u32).to_le_bytes());
            bytes[at + 8..at + 16].copy_from_slice(&(next + 7).to_le_bytes());
            bytes[at + 20..at + 24].copy_from_slice(&header.salt.to_le_bytes());
        }
    });
    let (state, report) = reopen_twice(&storage, &world);
    assert!(same(&state, &states[3]), "{report}");
    reported(&report)
}

fn no_segment() -> &'static str {
    let (storage, mut world, _) = with_three(true);
    let (mut persistence, recovered) = open(&storage, BOOT, world.now).unwrap();
    world.resume(&persistence, recovered.state);
    world.settle(&mut persistence);
    persistence.finalize(&world.state, world.now);
    for path in files(&storage, "wal") {
        storage.remove(&path).unwrap();
    }
    let (state, report) = reopen_twice(&storage, &world);
    assert!(same(&state, &world.state), "{report}");
    reported(&report)
}

fn files_of_another_store() -> &'static str {
    let other = SimStorage::new(33);
    let mut elsewhere = World::new(33);
    let foreign =
        crate::persistence::OpenOptions { entropy: [9; 16], ..options(BOOT, elsewhere.now) };
    let opened = startup::open(Arc::new(other.clone()), &foreign, Workers::None);
    let (mut persistence, _) = opened.unwrap();
    for _ in 0..2 {
        elsewhere.act(&mut persistence);
        elsewhere.settle(&mut persistence);
        persistence.commit_now();
        persistence.checkpoint(&elsewhere.state, elsewhere.now).unwrap();
    }
    let mut said = Vec::new();
    for dir in ["wal", "checkpoints"] {
        let (storage, world, states) = with_three(true);
        let bytes = bytes_of(&other, &newest(&other, dir));
        // Under the number that it names, or it would merely be bad.
        let path = newest(&other, dir);
        assert!(!files(&storage, dir).contains(&path));
        storage.create(&path).unwrap().write_at(0, &bytes).unwrap();
        let (state, report) = reopen_twice(&storage, &world);
        assert!(same(&state, &states[3]), "{report}");
        assert!(report.to_string().contains("another store"), "{report}");
        said.push(reported(&report));
    }
    assert_eq!(said[0], said[1]);
    said[0]
}

fn an_unreadable_file() -> &'static str {
    let (storage, world, states) = with_three(true);
    storage.make_unreadable(&newest(&storage, "checkpoints"));
    let (state, report) = reopen_twice(&storage, &world);
    assert!(same(&state, &states[3]) && quarantined(&storage) == 1, "{report}");
    reported(&report)
}

fn no_descriptors() -> &'static str {
    let (storage, world, _) = with_three(true);
    let before = storage.files();
    storage.fail(CallKind::Open, 2, u64::MAX, Fault::TooManyFiles);
    let refused = open(&storage, BOOT, world.now).map(drop);
    assert!(matches!(refused, Err(OpenError::Read { .. })), "{refused:?}");
    assert_eq!(storage.files(), before);
    "error"
}

fn a_bad_checkpoint() -> &'static str {
    let (storage, world, states) = with_three(true);
    storage.flip_bit(&newest(&storage, "checkpoints"), 8 * 100);
    let (state, report) = reopen_twice(&storage, &world);
    assert!(same(&state, &states[3]) && report.checkpoint.is_some(), "{report}");
    reported(&report)
}

fn an_empty_checkpoint() -> &'static str {
    let (storage, world, states) = with_three(true);
    let (persistence, recovered) = open(&storage, BOOT, world.now).unwrap();
    let seq = persistence.issued().next();
    drop(persistence);
    let mut checkpoints = CheckpointStore::open(Arc::new(storage.clone()), recovered.store, &[]);
    let (state, time) = (State::default(), world.now);
    let empty =
        Snapshot { seq, time, state, emptied_by: None, is_terminating: false, closed_below: None };
    checkpoints.write(&empty).unwrap();
    let (state, report) = reopen_twice(&storage, &world);
    assert!(same(&state, &states[3]), "{report}");
    reported(&report)
}

fn no_checkpoint() -> &'static str {
    let (storage, world) = established(35);
    let first = files(&storage, "wal").swap_remove(0);
    assert!(segment_first(&first.file_name().unwrap().to_string_lossy()).unwrap() > Seq(1));
    for path in files(&storage, "checkpoints") {
        storage.flip_bit(&path, 8 * 100);
    }
    let (state, report) = reopen_twice(&storage, &world);
    assert!(same(&state, &State::default()), "{report}");
    reported(&report)
}

fn below_a_watermark() -> &'static str {
    let (storage, world) = established(36);
    let last = *world.history.keys().last().unwrap();
    let mut with_watermark = options(BOOT, world.now);
    with_watermark.watermarks.push(("elsewhere".into(), Seq(last.0 + 3)));
    let opened = startup::open(Arc::new(storage.clone()), &with_watermark, Workers::None);
    let (_, recovered) = opened.unwrap();
    assert!(same(&recovered.state, &world.state));
    reported(&recovered.report)
}

fn no_format() -> &'static str {
    let mut said = Vec::new();
    let decays: [fn(&SimStorage); 2] = [
        |storage| storage.remove(Path::new("format")).unwrap(),
        |storage| storage.flip_bit(Path::new("format"), 8 * 12),
    ];
    for decay in decays {
        let (storage, world, states) = with_three(true);
        decay(&storage);
        let (state, report) = reopen_twice(&storage, &world);
        assert!(same(&state, &states[3]) && !files(&storage, "format").is_empty(), "{report}");
        said.push(reported(&report));
    }
    assert_eq!(said[0], said[1]);
    said[0]
}

fn another_version() -> &'static str {
    for (dir, checksum_at) in [("wal", 72), ("checkpoints", 52), ("format", 0)] {
        let (storage, world, _) = with_three(true);
        storage.damage(&newest(&storage, dir), |bytes| {
            if dir == "format" {
                *bytes = br#"{"layout":9,"oldest_reader":9}"#.to_vec();
                return;
            }
            bytes[8] = 77;
            let checksum = crc32c::crc32c(&bytes[..checksum_at]);
            bytes[checksum_at..checksum_at + 4].copy_from_slice(&checksum.to_le_bytes());
        });
        let before = storage.files();
        assert!(open(&storage, BOOT, world.now).is_err(), "{dir}");
        assert_eq!(storage.files(), before, "{dir}");
    }
    "error"
}

fn an_unknown_critical_record() -> &'static str {
    let (storage, world, _) = with_three(true);
    append(&storage, 99, 1);
    let before = storage.files();
    let refused = open(&storage, BOOT, world.now).map(drop);
    assert!(matches!(refused, Err(OpenError::NotUnderstood { .. })), "{refused:?}");
    assert_eq!(storage.files(), before);
    "error"
}

fn an_unknown_record() -> &'static str {
    let (storage, world, states) = with_three(true);
    append(&storage, 99, 0);
    let (state, report) = reopen_twice(&storage, &world);
    assert!(same(&state, &states[3]), "{report}");
    reported(&report)
}

fn a_record_that_does_not_fit() -> &'static str {
    let mut said = Vec::new();
    for is_half_a_session in [false, true] {
        let (storage, mut world, states) = with_three(true);
        let (mut persistence, _) = open(&storage, BOOT, world.now).unwrap();
        let changes = if is_half_a_session {
            let mut changes = world.new_session();
            changes.truncate(1);
            changes
        } else {
            vec![Change::PaneTitled { id: PaneId(4_000), title: "of nobody".into() }]
        };
        let (actor, cause) = ("test".to_owned(), "mistake".to_owned());
        persistence.log(&LogEntry { time: world.now, actor, cause, changes }).unwrap();
        persistence.commit_now();
        drop(persistence);
        let (state, report) = reopen_twice(&storage, &world);
        assert!(same(&state, &states[3]), "{report}");
        said.push(reported(&report));
    }
    assert_eq!(said[0], said[1]);
    said[0]
}

fn a_record_that_crashes() -> &'static str {
    let (storage, world, states) = with_three(true);
    let last = records(&storage, &newest(&storage, "wal")).1.last().unwrap().frame.seq;
    for _ in 0..2 {
        Breadcrumb::read(&storage, BOOT).replaying(last);
    }
    let (state, report) = reopen_twice(&storage, &world);
    assert!(same(&state, &states[2]), "{report}");
    reported(&report)
}

fn ends_before_a_boot() -> &'static str {
    let (storage, mut world, _) = with_three(true);
    let (mut persistence, recovered) = open(&storage, BOOT, world.now).unwrap();
    world.resume(&persistence, recovered.state);
    let before = world.state.clone();
    let ended = Ended { status: ExitStatus::Signal(1), time: world.now };
    let pane = *world.state.panes.keys().next().unwrap();
    let close = world.close(pane, CloseReason::ProgramEnded(ended));
    world.run(&mut persistence, "program ended", close);
    persistence.commit_now();
    drop(persistence);
    let headless = storage.fork();
    spoil_header(&headless, &newest(&headless, "wal"));
    let (_, recovered) = open(&headless, BOOT, world.now).unwrap();
    assert!(same(&recovered.state, &before) && recovered.report.undone == 1);
    let (_, recovered) = open(&storage, NEXT_BOOT, world.now).unwrap();
    assert!(same(&recovered.state, &before), "{}", recovered.report);
    reported(&recovered.report)
}

/// The start that found the damage set the files aside before it told of them. One that was killed in
/// between left a sound store, and nothing that told of the loss.
fn damage_and_a_crash() -> &'static str {
    let (pristine, world, states) = with_three(true);
    flip_record(&pristine, 0);
    let calls = {
        let storage = pristine.fork();
        drop(open(&storage, BOOT, world.now).unwrap());
        storage.calls() - pristine.calls()
    };
    for call in 1..=calls {
        for cut in [None, Some(call)] {
            let struck = pristine.fork();
            struck.strike(struck.calls() + call, Fault::PowerCut);
            drop(open(&struck, BOOT, world.now));
            let after = cut.map_or_else(|| struck.kill(), |seed| struck.power_cut(seed));
            let (persistence, recovered) = open(&after, after.boot(), world.now).unwrap();
            let context = format!("call {call}, cut {cut:?}: {}", recovered.report);
            assert!(same(&recovered.state, &states[0]), "{context}");
            assert!(persistence.issued() >= *world.history.keys().last().unwrap(), "{context}");
            let history = bytes_of(&after, Path::new("recovery.jsonl"));
            let history = String::from_utf8_lossy(&history);
            assert!(history.contains(r#""lost":["#), "{context}\n{history}");
        }
    }
    "damage"
}
