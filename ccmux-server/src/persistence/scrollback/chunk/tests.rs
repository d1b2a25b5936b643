//! Chunks on a simulated disk, written and read without the archiver.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use ccmux_core::ids::PaneUuid;
use proptest::prelude::*;

use super::*;
use crate::persistence::scrollback::compress::Compressor;
use crate::persistence::scrollback::layout::pane_dir;
use crate::persistence::sim::{Random, SimStorage};
use crate::persistence::storage::Storage;

const PANE: PaneUuid = PaneUuid(uuid::Uuid::from_u128(7));

/// Lines as these tests encode them: text and a line break.
fn lines(range: Range<u64>, mark: &str) -> HistoryBlock {
    let lines: Vec<String> = range.clone().map(|line| format!("{mark}{line}\n")).collect();
    let text = lines.concat();
    HistoryBlock {
        first_line: range.start,
        count: (range.end - range.start) as u32,
        bytes: text.into_bytes(),
        offset: range.end * 10,
        time: Timestamp(5),
        has_times: range.start.is_multiple_of(2),
    }
}

/// A store with a chunk; each block is five lines long.
fn write(storage: &SimStorage, range: Range<u64>, mark: &str, is_complete: bool) -> PathBuf {
    let dir = pane_dir(PANE);
    storage.create_dir(&dir).unwrap();
    let mut compressor = Compressor::new().unwrap();
    let mut writer = ChunkWriter::create(storage, &dir, PANE, range.start).unwrap();
    for first in range.clone().step_by(5) {
        let block = lines(first..range.end.min(first + 5), mark);
        writer.append(&block, &mut compressor).unwrap();
    }
    if is_complete {
        writer.finish().unwrap();
    }
    writer.sync().unwrap();
    writer.publish(storage, &dir).unwrap();
    ChunkWriter::path(&dir, range.start)
}

fn open(storage: &SimStorage, range: Range<u64>) -> PaneHistory {
    PaneHistory::open(Arc::new(storage.clone()), PANE, range).unwrap()
}

/// All lines in order, missing ones as `(from-to)`.
fn read_all(history: &mut PaneHistory) -> String {
    let mut text = Vec::new();
    let mut line = history.first_line();
    while line < history.end_line() {
        match history.read(line) {
            HistoryRead::Block { block, valid } => {
                assert!(valid.contains(&line));
                let all: Vec<&str> = std::str::from_utf8(&block.bytes).unwrap().lines().collect();
                let skip = (valid.start - block.first_line) as usize;
                let count = (valid.end - valid.start) as usize;
                text.extend(all[skip..skip + count].iter().map(|&line| line.to_owned()));
                line = valid.end;
            }
            HistoryRead::Missing(lines) => {
                assert!(lines.contains(&line), "{line} in {lines:?}");
                text.push(format!("({}-{})", lines.start, lines.end));
                line = lines.end;
            }
        }
    }
    text.join(" ")
}

fn expected(range: Range<u64>, mark: &str) -> String {
    range.map(|line| format!("{mark}{line}")).collect::<Vec<_>>().join(" ")
}

#[test]
fn complete_and_growing_chunks_are_read() {
    for is_complete in [false, true] {
        let storage = SimStorage::new(1);
        write(&storage, 0..23, "a", is_complete);
        let mut history = open(&storage, 0..23);
        assert_eq!(read_all(&mut history), expected(0..23, "a"));
        assert!(history.missing_at_end().unwrap().is_empty());
        assert_eq!(read_all(&mut open(&storage, 3..11)), expected(3..11, "a"));
        assert_eq!(open(&storage, 0..25).missing_at_end().unwrap(), 23..25);
        let end = open(&storage, 0..0).end_before(120).unwrap();
        assert_eq!(end, 10, "the block to line 15 has offset 150");
        assert_eq!(history.read(23), HistoryRead::Missing(23..24));
    }
}

#[test]
fn a_reader_follows_the_writer() {
    let storage = SimStorage::new(1);
    let dir = pane_dir(PANE);
    storage.create_dir(&dir).unwrap();
    let mut history = open(&storage, 0..0);
    assert_eq!(history.first_line()..history.end_line(), 0..0);
    let mut compressor = Compressor::new().unwrap();
    let mut writer = ChunkWriter::create(&storage, &dir, PANE, 0).unwrap();
    writer.publish(&storage, &dir).unwrap();
    for first in 0..6 {
        writer.append(&lines(first * 5..first * 5 + 5, "a"), &mut compressor).unwrap();
        history.update(0..first * 5 + 5).unwrap();
        assert_eq!(read_all(&mut history), expected(0..first * 5 + 5, "a"));
    }
    writer.finish().unwrap();
    write(&storage, 30..40, "a", false);
    history.update(2..40).unwrap();
    assert_eq!(read_all(&mut history), expected(2..40, "a"));
    storage.remove(&ChunkWriter::path(&dir, 0)).unwrap();
    assert_eq!(history.read(31), history.read(33), "the same block");
    assert!(matches!(history.read(10), HistoryRead::Block { .. }), "an open chunk stays readable");
    history.update(2..41).unwrap();
    assert_eq!(read_all(&mut history), expected(30..40, "a") + " (40-41)");
}

#[test]
fn of_two_chunks_the_later_one_counts() {
    let storage = SimStorage::new(1);
    write(&storage, 0..20, "old", true);
    write(&storage, 12..18, "new", false);
    let both = expected(0..12, "old") + " " + &expected(12..18, "new");
    assert_eq!(read_all(&mut open(&storage, 0..18)), both);
    assert_eq!(read_all(&mut open(&storage, 0..12)), expected(0..12, "old"));
    write(&storage, 30..33, "new", false);
    let with_hole = both + " (18-30) " + &expected(30..33, "new");
    assert_eq!(read_all(&mut open(&storage, 0..33)), with_hole);
}

#[test]
fn every_flipped_bit_costs_at_most_one_block() {
    for is_complete in [false, true] {
        let storage = SimStorage::new(1);
        let path = write(&storage, 0..40, "a", is_complete);
        let len = storage.files()[0].1.len() as u64;
        for byte in 0..len {
            storage.flip_bit(&path, byte * 8 + byte % 8);
            let text = read_all(&mut open(&storage, 0..40));
            let lost = (0..40).step_by(5).find(|first| text.contains(&format!("({first}-")));
            let without = |first: u64| {
                [
                    expected(0..first, "a"),
                    format!("({first}-{})", first + 5),
                    expected(first + 5..40, "a"),
                ]
                .join(" ")
            };
            let whole = lost.map_or(expected(0..40, "a"), without);
            assert_eq!(text, whole.trim(), "byte {byte}");
            storage.flip_bit(&path, byte * 8 + byte % 8);
        }
    }
}

/// What earlier versions wrote is read, what later ones will write is not.
#[test]
fn versions_are_told_apart() {
    for (version, is_read) in [(0, false), (1, true), (2, true), (3, false)] {
        let storage = SimStorage::new(1);
        let path = write(&storage, 0..10, "a", true);
        storage.damage(&path, |bytes| {
            bytes[8] = version;
            let crc = crc32c::crc32c_append(crc32c::crc32c(&bytes[..12]), &bytes[16..40]);
            bytes[12..16].copy_from_slice(&crc.to_le_bytes());
        });
        let found = read_all(&mut open(&storage, 0..10));
        let whole = expected(0..10, "a");
        assert_eq!(found, if is_read { whole.as_str() } else { "(0-10)" }, "version {version}");
    }
}

/// Each block says whether its lines have times.
#[test]
fn blocks_with_and_without_times_are_told_apart() {
    for is_complete in [false, true] {
        let storage = SimStorage::new(1);
        write(&storage, 0..20, "a", is_complete);
        let mut history = open(&storage, 0..20);
        let found = [0, 5, 10, 15].map(|line| match history.read(line) {
            HistoryRead::Block { block, .. } => block.has_times,
            HistoryRead::Missing(lines) => panic!("{lines:?} are missing"),
        });
        assert_eq!(found, [true, false, true, false]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens to the bytes, each line is the right one or missing.
    #[test]
    fn damage_never_invents_lines(seed: u64, is_complete: bool) {
        let storage = SimStorage::new(1);
        let paths = [write(&storage, 0..40, "a", is_complete), write(&storage, 40..70, "a", false)];
        let mut random = Random::new(seed);
        for path in paths {
            storage.damage(&path, |bytes| {
                let from = random.below(bytes.len() as u64) as usize;
                let to = bytes.len().min(from + random.below(100) as usize);
                match random.below(3) {
                    0 => bytes.truncate(from),
                    1 => bytes[from..to].iter_mut().for_each(|b| *b = random.next_u64() as u8),
                    _ => drop(bytes.splice(from..from, [0; 9])),
                }
            });
        }
        let text = read_all(&mut open(&storage, 0..70));
        let mut line = 0;
        for word in text.split(' ') {
            match word.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
                Some(hole) => {
                    let (from, to) = hole.split_once('-').unwrap();
                    prop_assert_eq!(from, line.to_string());
                    line = to.parse().unwrap();
                }
                None => {
                    prop_assert_eq!(word, format!("a{line}"));
                    line += 1;
                }
            }
        }
        prop_assert_eq!(line, 70);
    }
}

/// A power cut takes any part of what was added last to a chunk, and nothing of one that is complete. 0 is what comes of no
/// line beyond those that are counted.
#[test]
fn lines_behind_a_hole_at_the_end_do_not_count() {
    for is_complete in [false, true] {
        for (counted, end) in [(0, 5), (5, 0), (8, 0), (10, 20)] {
            let storage = SimStorage::new(1);
            let path = write(&storage, 0..20, "a", is_complete);
            // The payload of the second block, which is behind its head and the whole first one.
            storage.damage(&path, |bytes| {
                let len = u32::from_le_bytes(bytes[52..56].try_into().unwrap()) as usize;
                let second = 40 + 48 + len.next_multiple_of(8);
                bytes[second + 48..second + 56].fill(0);
            });
            let found = open(&storage, 0..counted).end_before(u64::MAX).unwrap();
            assert_eq!(found, if is_complete { 20 } else { end }, "{counted}");
        }
    }
}
