//! What is on the disk.

use std::path::Path;
use std::sync::Arc;

use ccmux_core::ids::PaneUuid;
use ccmux_core::model::{State, Timestamp};
use ccmux_term::Terminal;
use uuid::Uuid;

use super::pack::{File, disk_with, unpack};
use super::repair::repair;
use super::streams;
use crate::persistence::checkpoint;
use crate::persistence::record::LogRecord;
use crate::persistence::scrollback::{
    FrameKind, FrameRef, Health, HistoryRead, Keyframe, POSITION_MAX, PaneHistory, ReplayItem,
    Spool, SpoolIndex, SpoolOptions, StreamPosition, load_pane, pane_dir, stored_panes,
};
use crate::persistence::sim::SimStorage;
use crate::persistence::storage::Storage;
use crate::persistence::{OpenOptions, Workers, examine_log, startup};

const NOW: Timestamp = Timestamp(1_700_000_000_000);
const BOOT: Uuid = Uuid::from_u128(0xb007);

/// Runs `look` on the files of the input as they are, and with their checksums made right.
pub(super) fn as_is_and_repaired(input: &[u8], look: impl Fn(&[File]) -> bool) -> bool {
    let mut files = unpack(input);
    let as_is = look(&files);
    for (_, contents) in &mut files {
        repair(contents);
    }
    let repaired = look(&files);
    as_is || repaired
}

/// How the files of an input are tried, by its first byte: as they are or with their checksums made
/// right, and in a later boot of the machine or in the one in which they were written.
pub(super) const FILE_WAYS: u8 = 4;

/// The files of an input as they are to be tried, and whether that is in their own boot.
fn files_and_boot(input: &[u8]) -> (Vec<File>, bool) {
    let Some((way, input)) = input.split_first() else { return (Vec::new(), false) };
    let mut files = unpack(input);
    if way & 1 == 1 {
        for (_, contents) in &mut files {
            repair(contents);
        }
    }
    (files, way & 2 == 2)
}

/// A log, checkpoints and what else recovery reads.
pub(super) fn log(input: &[u8]) -> bool {
    let (files, is_same_boot) = files_and_boot(input);
    let own = files.iter().find_map(|(_, contents)| boot_of(contents)).filter(|_| is_same_boot);
    recover_twice(&disk_with(&files), own.unwrap_or(BOOT))
}

/// P3: a look changes nothing, and recovering what was recovered gives the same state.
fn recover_twice(disk: &SimStorage, boot: Uuid) -> bool {
    let before = disk.files();
    let storage: Arc<dyn Storage> = Arc::new(disk.clone());
    let examined = examine_log(&storage, NOW, boot);
    assert!(disk.files() == before, "a look has changed something");
    let opened = open_log(disk, boot, 1);
    let (Ok(examined), Some(first)) = (&examined, &opened) else {
        let is_same = examined.is_err() == opened.is_none();
        assert!(is_same, "looked at: {examined:?}, opened: {}", opened.is_some());
        assert!(disk.files() == before, "a store that is refused was changed");
        return false;
    };
    assert!(examined.state == *first, "what is opened is not what was looked at");
    first.check().expect("a state that holds together");
    let second = open_log(&disk.kill(), boot, 2).expect("what was opened can be opened");
    // Numbers may be kept back once more.
    let second = State { next: first.next, ..second };
    assert!(second == *first, "recovered twice it differs");
    !first.sessions.is_empty()
}

fn open_log(disk: &SimStorage, boot: Uuid, life: u8) -> Option<State> {
    let options = OpenOptions {
        now: NOW,
        boot,
        entropy: [life; 16],
        notifier: Arc::new(|| ()),
        watermarks: Vec::new(),
        segment_bytes: 8192,
    };
    let opened = startup::open(Arc::new(disk.clone()), &options, Workers::None);
    opened.ok().map(|(_, recovered)| recovered.state)
}

/// The payload of one record, behind its kind.
pub(super) fn record(input: &[u8]) -> bool {
    let Some((kind, payload)) = input.split_first() else { return false };
    match LogRecord::decode(*kind, payload) {
        Err(_) | Ok(LogRecord::Unknown) => false,
        Ok(record) => {
            let encoded = record.encode();
            let again = LogRecord::decode(encoded.kind, &encoded.payload);
            assert_eq!(again.expect("what is written can be read"), record);
            true
        }
    }
}

/// One checkpoint.
pub(super) fn checkpoint(input: &[u8]) -> bool {
    let mut file = input.to_vec();
    repair(&mut file);
    checkpoint::reencode(input) | checkpoint::reencode(&file)
}

/// Spool segments and what is in the directories of panes.
pub(super) fn spool(input: &[u8]) -> bool {
    let (files, is_same_boot) = files_and_boot(input);
    let store = files.iter().find_map(|(_, contents)| store_of(contents)).unwrap_or_default();
    // After a power cut, or in the boot in which the last of them was written.
    let boot = files.iter().rev().find_map(|(_, contents)| boot_of(contents));
    let boot = boot.filter(|_| is_same_boot).unwrap_or_default();
    let len = files.iter().map(|(_, contents)| contents.len()).sum();
    scan_twice(&disk_with(&files), store, boot, len)
}

/// The store that a segment says it belongs to.
fn store_of(segment: &[u8]) -> Option<Uuid> {
    segment.starts_with(b"ccmuxspl").then(|| uuid_at(segment, 24))?
}

/// The boot of the machine in which a file says that it was written.
fn boot_of(file: &[u8]) -> Option<Uuid> {
    let at = match file.first_chunk()? {
        b"ccmuxspl" => 64,
        b"ccmuxwal" => 56,
        b"ccmuxmrk" => 48,
        _ => return None,
    };
    uuid_at(file, at).filter(|boot| !boot.is_nil())
}

fn uuid_at(file: &[u8], at: usize) -> Option<Uuid> {
    file.get(at..at + 16).and_then(|bytes| Uuid::from_slice(bytes).ok())
}

/// What is found is found again behind another segment, and what is appended follows it.
fn scan_twice(disk: &SimStorage, store: Uuid, boot: Uuid, input_len: usize) -> bool {
    let storage: Arc<dyn Storage> = Arc::new(disk.clone());
    let index = SpoolIndex::scan(&*storage, store, boot).expect("nothing fails");
    let mut panes: Vec<PaneUuid> = index.panes().collect();
    panes.extend(stored_panes(&*storage).expect("nothing fails"));
    panes.sort_unstable();
    panes.dedup();
    let found: Vec<_> = panes.iter().map(|pane| load(&storage, &index, *pane)).collect();
    let bytes: usize = found.iter().flat_map(|(items, _)| items).map(payload_len).sum();
    assert!(bytes <= input_len, "{bytes} bytes out of {input_len}");

    let mut spool = Spool::open(
        Arc::clone(&storage),
        &index,
        SpoolOptions { segment_bytes: 8192, ..SpoolOptions::new(store, boot, 0x5a17) },
        Box::new(|| ()),
    );
    for (pane, (_, resume)) in panes.iter().zip(&found) {
        spool.resume(*pane, *resume);
        let (pane, offset, kind) = (*pane, resume.offset, FrameKind::Bytes);
        let frame = FrameRef { pane, offset, time: NOW, kind, payload: b"more" };
        if spool.append(frame).is_err() {
            // There is no number left for another segment, say, or for another frame.
            let is_at_its_end = resume.offset.max(resume.frames) > POSITION_MAX;
            assert!(is_at_its_end || spool.health() != Health::Durable);
            return bytes > 0;
        }
    }
    drop(spool);
    let index = SpoolIndex::scan(&*storage, store, boot).expect("nothing fails");
    for (pane, (mut items, resume)) in panes.iter().zip(found) {
        let (again, _) = load(&storage, &index, *pane);
        let Some(ReplayItem::Frame(last)) = again.last() else { panic!("it is not there") };
        assert_eq!((last.offset, last.payload.as_slice()), (resume.offset, b"more".as_slice()));
        items.push(again[again.len() - 1].clone());
        assert_eq!(again, items, "scanned twice it differs");
    }
    bytes > 0
}

type Loaded = (Vec<ReplayItem>, StreamPosition);

fn load(storage: &Arc<dyn Storage>, index: &SpoolIndex, pane: PaneUuid) -> Loaded {
    let mut thaw = |keyframe: &Keyframe| {
        Terminal::restore(&keyframe.bytes).map(drop).map_err(|error| error.to_string())
    };
    let mut image = load_pane(storage, index, pane, &mut thaw).expect("nothing fails");
    let items = image.frames.by_ref().collect();
    (items, image.resume)
}

fn payload_len(item: &ReplayItem) -> usize {
    match item {
        ReplayItem::Frame(frame) => frame.payload.len(),
        ReplayItem::Gap(_) => 0,
    }
}

/// One keyframe.
pub(super) fn keyframe(input: &[u8]) -> bool {
    let mut file = input.to_vec();
    repair(&mut file);
    let pane = pane_at(input, 16);
    let frozen = [input, &file].map(|bytes| Keyframe::reencode(pane, bytes));
    frozen.into_iter().flatten().fold(false, |_, keyframe| {
        streams::terminal(&keyframe.bytes);
        true
    })
}

/// One chunk of history.
pub(super) fn chunk(input: &[u8]) -> bool {
    let mut file = input.to_vec();
    repair(&mut file);
    read_history(input) | read_history(&file)
}

fn read_history(file: &[u8]) -> bool {
    let pane = pane_at(file, 16);
    let first = file.get(32..40).and_then(|bytes| bytes.first_chunk());
    let first = first.map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let name = pane_dir(pane).join(format!("{first:020}.chunk"));
    let path = name.to_str().expect("digits").to_owned();
    let storage: Arc<dyn Storage> = Arc::new(disk_with(&[(path, file.to_vec())]));
    let mut history = PaneHistory::open(storage, pane, 0..u64::MAX).expect("nothing fails");
    let missing = history.missing_at_end().expect("nothing fails");
    let (mut line, mut rounds, mut is_any) = (history.first_line(), 0, false);
    while line < history.end_line() {
        let lines = match history.read(line) {
            HistoryRead::Block { block, valid } => {
                assert!(!missing.contains(&line), "{line} of {missing:?} is there");
                streams::history_lines(&block.bytes, block.count, block.has_times);
                is_any = true;
                valid
            }
            HistoryRead::Missing(lines) => lines,
        };
        assert!(lines.contains(&line), "{line} is not among {lines:?}");
        line = lines.end;
        rounds += 1;
        assert!(rounds <= file.len() + 1, "more blocks than bytes");
    }
    is_any
}

fn pane_at(file: &[u8], at: usize) -> PaneUuid {
    PaneUuid(uuid_at(file, at).unwrap_or_default())
}

/// Whether `path` is of the log.
pub(super) fn is_of_log(path: &Path) -> bool {
    ["wal", "checkpoints", "format", "mark", "replaying"].iter().any(|part| path.starts_with(part))
}
