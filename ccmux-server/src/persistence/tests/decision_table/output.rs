//! What is found of what panes printed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ccmux_core::ids::PaneUuid;
use ccmux_core::model::Timestamp;
use uuid::Uuid;

use super::Case;
use crate::persistence::scrollback::{
    ArchiveEvent, ArchiveJob, Archiver, ArchiverOptions, Damage, FrameKind, FrameRef, HistoryBlock,
    HistoryLimits, HistoryRead, Keyframe, PaneHistory, ReplayItem, Spool, SpoolIndex, SpoolOptions,
    keep_output, load_pane, pane_dir,
};
use crate::persistence::sim::{CallKind, Fault, SimStorage};
use crate::persistence::storage::Storage;

const RESTORE: &str = include_str!("../../../../../ccmux/tests/restore.rs");
const CLOSED: &str = include_str!("../../../../../ccmux/tests/closed.rs");
const DOCTOR: &str = include_str!("../../../../../ccmux/tests/doctor.rs");
const ARCHIVE: &str = include_str!("../../scrollback/archive/tests/closed.rs");
const REMOVED: &str = include_str!("../../scrollback/archive/tests/removed.rs");
const KEEPERS: &str = include_str!("../../../server/tests/keepers.rs");
const ORPHANS: &str = include_str!("../../../server/tests/orphans.rs");

pub(super) const CASES: &[(&str, Case)] = &[
    ("O1", Case::Made(a_torn_tail)),
    ("O2", Case::Made(a_bad_tail_of_this_boot)),
    ("O3", Case::Made(a_torn_newest_segment)),
    ("O4", Case::Made(a_headless_newest_segment_of_this_boot)),
    ("O5", Case::Made(the_end_of_an_earlier_boot)),
    ("O6", Case::Made(a_bad_frame)),
    ("O7", Case::Made(a_missing_segment)),
    ("O8", Case::Made(an_unreadable_segment)),
    ("O9", Case::Made(a_segment_in_the_quarantine)),
    ("O10", Case::Made(an_unreadable_directory)),
    ("O11", Case::Made(a_bad_keyframe)),
    ("O12", Case::Made(no_keyframe)),
    ("O13", Case::Made(no_descriptors)),
    ("O14", Case::Made(a_bad_block)),
    ("O15", Case::Made(a_cut_chunk)),
    ("O16", Case::Made(lines_behind_the_keyframe)),
    ("O17", elsewhere(RESTORE, "spooled_output_that_is_gone_is_marked")),
    ("O18", Case::Made(output_of_a_fault)),
    ("O19", elsewhere(ORPHANS, "what_is_left_of_closed_panes_goes")),
    ("O20", elsewhere(RESTORE, "programs_without_a_record_are_recovered_under_their_numbers")),
    ("O21", elsewhere(RESTORE, "programs_without_a_record_are_recovered_under_their_numbers")),
    ("O22", elsewhere(ORPHANS, "what_is_left_of_closed_panes_goes")),
    ("O23", elsewhere(CLOSED, "the_output_of_a_closed_pane_is_kept_across_servers_and_restarts")),
    ("O25", elsewhere(KEEPERS, "a_stash_that_is_none_costs_a_gap_and_no_more")),
    ("O26", elsewhere(DOCTOR, "a_pane_of_which_nothing_is_left_is_named")),
    ("O24", elsewhere(ARCHIVE, "a_pane_that_is_written_for_again_is_not_closed")),
    ("O27", elsewhere(REMOVED, "the_first_chunks_are_missed_if_no_limit_took_them")),
    ("O28", elsewhere(REMOVED, "a_lost_note_is_told_if_lines_are_not_there")),
    ("O29", elsewhere(REMOVED, "what_an_earlier_version_trimmed_is_not_called_lost")),
    ("O30", elsewhere(REMOVED, "chunks_before_the_note_are_nobodys_and_go")),
    ("O31", elsewhere(DOCTOR, "what_is_being_removed_is_not_missed")),
];

const fn elsewhere(source: &'static str, test: &'static str) -> Case {
    Case::Elsewhere { source, test }
}

const STORE: Uuid = Uuid::from_u128(7);
const PANE: PaneUuid = PaneUuid(Uuid::from_u128(1));
const LATER_BOOT: Uuid = Uuid::from_u128(2);
/// Of a segment: its header, and two pieces of output.
const SEGMENT_BYTES: u64 = 4432;
const PIECE_BYTES: usize = 40;
const FRAME_BYTES: usize = 96;
const HEADER_BYTES: usize = 4240;

/// What there is of the pane, and all that is damaged.
struct Found {
    /// The pieces of output, a `-` for each that is missing before another.
    pieces: String,
    damage: Vec<Damage>,
}

fn dynamic(storage: &SimStorage) -> Arc<dyn Storage> {
    Arc::new(storage.clone())
}

fn find(storage: &SimStorage, boot: Uuid) -> Found {
    let index = SpoolIndex::scan(storage, STORE, boot).unwrap();
    let image = load_pane(&dynamic(storage), &index, PANE, &mut |_| Ok(())).unwrap();
    let mut damage = index.damage().to_vec();
    damage.extend(image.damage);
    let mut pieces = String::new();
    for item in image.frames {
        match item {
            ReplayItem::Frame(frame) => {
                assert_eq!(frame.payload, [frame.payload[0]; PIECE_BYTES]);
                pieces.push(char::from(frame.payload[0]));
            }
            ReplayItem::Gap(gap) => {
                pieces.extend(std::iter::repeat_n('-', gap.bytes() as usize / PIECE_BYTES));
            }
        }
    }
    Found { pieces, damage }
}

fn reported(found: &Found) -> &'static str {
    if found.damage.is_empty() { "" } else { "damage" }
}

fn open(storage: &SimStorage) -> Spool {
    let index = SpoolIndex::scan(storage, STORE, storage.boot()).unwrap();
    let salt = storage.files().len() as u64;
    let options = SpoolOptions {
        segment_bytes: SEGMENT_BYTES,
        ..SpoolOptions::new(STORE, storage.boot(), salt)
    };
    Spool::open(dynamic(storage), &index, options, Box::new(|| ()))
}

fn print(spool: &mut Spool, pieces: &str) {
    for piece in pieces.bytes() {
        let offset = spool.position(PANE).unwrap_or_default().offset;
        let (kind, time) = (FrameKind::Bytes, Timestamp(1));
        let payload = &[piece; PIECE_BYTES];
        spool.append(FrameRef { pane: PANE, offset, time, kind, payload }).unwrap();
    }
}

/// Three segments with two pieces each, none of which says that anything was synced.
fn six_pieces() -> SimStorage {
    let storage = SimStorage::new(1);
    print(&mut open(&storage), "abcdef");
    assert_eq!(segments(&storage).len(), 3);
    storage.kill()
}

/// The same, each synced before the next.
fn six_synced_pieces() -> SimStorage {
    let storage = SimStorage::new(1);
    let mut spool = open(&storage);
    for piece in ["a", "b", "c", "d", "e", "f"] {
        print(&mut spool, piece);
        spool.sync();
    }
    drop(spool);
    storage.kill()
}

fn segments(storage: &SimStorage) -> Vec<PathBuf> {
    let paths = storage.files().into_iter().map(|(path, _)| path);
    paths.filter(|path| path.starts_with("spool")).collect()
}

/// Flips a bit in the head of a piece.
fn flip(storage: &SimStorage, piece: usize) {
    let at = HEADER_BYTES + piece % 2 * FRAME_BYTES;
    storage.flip_bit(&segments(storage)[piece / 2], at as u64 * 8);
}

/// Takes both copies of a segment's header.
fn behead(storage: &SimStorage, segment: usize) {
    storage.damage(&segments(storage)[segment], |bytes| bytes[..HEADER_BYTES].fill(0));
}

fn set_aside(storage: &SimStorage, found: &Found) -> usize {
    let aside = found.damage.iter().filter_map(|damage| damage.set_aside(storage).unwrap());
    aside.filter(|path| path.starts_with("quarantine")).count()
}

fn a_torn_tail() -> &'static str {
    let pristine = six_pieces();
    for (boot, bytes) in [(pristine.boot(), 40), (LATER_BOOT, 40), (LATER_BOOT, 400)] {
        let storage = pristine.fork();
        storage.damage(&segments(&storage)[2], |file| file.resize(file.len() + bytes, 0x5a));
        let found = find(&storage, boot);
        assert_eq!((&*found.pieces, reported(&found)), ("abcdef", ""), "{bytes}");
    }
    // A frame that a kill cut short has a valid head.
    let storage = pristine.fork();
    storage.damage(&segments(&storage)[2], |file| file.truncate(file.len() - 8));
    let found = find(&storage, storage.boot());
    assert_eq!(found.pieces, "abcde");
    reported(&found)
}

fn a_bad_tail_of_this_boot() -> &'static str {
    let storage = six_synced_pieces();
    flip(&storage, 5);
    assert_eq!(reported(&find(&storage, LATER_BOOT)), "", "nothing witnesses it");
    let found = find(&storage, storage.boot());
    assert_eq!(found.pieces, "abcde");
    reported(&found)
}

fn a_torn_newest_segment() -> &'static str {
    let pristine = six_pieces();
    for (boot, bytes) in [(pristine.boot(), 10), (LATER_BOOT, 10), (LATER_BOOT, 5000)] {
        let storage = pristine.fork();
        let path = Path::new("spool/00000000000000000004.spool");
        storage.create(path).unwrap().write_at(0, &vec![0; bytes]).unwrap();
        let found = find(&storage, boot);
        assert_eq!((&*found.pieces, reported(&found)), ("abcdef", ""), "{bytes}");
    }
    ""
}

fn a_headless_newest_segment_of_this_boot() -> &'static str {
    let storage = six_synced_pieces();
    // One copy is enough.
    for at in [0, 4096] {
        let storage = storage.fork();
        storage.damage(&segments(&storage)[2], |bytes| bytes[at..at + 96].fill(0));
        let found = find(&storage, storage.boot());
        assert_eq!((&*found.pieces, reported(&found)), ("abcdef", ""));
    }
    behead(&storage, 2);
    let found = find(&storage, storage.boot());
    assert_eq!(found.pieces, "abcd");
    assert_eq!(set_aside(&storage, &found), 1);
    assert_eq!(find(&storage, storage.boot()).pieces, "abcd");
    // The number is not used again: a file in the quarantine has it.
    drop(open(&storage));
    assert!(segments(&storage)[2].ends_with("00000000000000000004.spool"));
    reported(&found)
}

fn the_end_of_an_earlier_boot() -> &'static str {
    let decays: [fn(&SimStorage); 3] = [
        |storage| flip(storage, 2),
        |storage| storage.remove(&segments(storage)[1]).unwrap(),
        |storage| behead(storage, 1),
    ];
    for decay in decays {
        let storage = six_pieces();
        decay(&storage);
        let found = find(&storage, LATER_BOOT);
        assert_eq!((&*found.pieces, reported(&found)), ("ab", ""));
    }
    ""
}

fn a_bad_frame() -> &'static str {
    for (storage, boot) in [(six_synced_pieces(), LATER_BOOT), (six_pieces(), six_pieces().boot())]
    {
        flip(&storage, 2);
        let found = find(&storage, boot);
        assert_eq!((&*found.pieces, reported(&found)), ("ab-def", "damage"));
    }
    "damage"
}

fn a_missing_segment() -> &'static str {
    for (storage, boot) in [(six_synced_pieces(), LATER_BOOT), (six_pieces(), six_pieces().boot())]
    {
        let headless = storage.fork();
        storage.remove(&segments(&storage)[1]).unwrap();
        let found = find(&storage, boot);
        assert_eq!((&*found.pieces, reported(&found)), ("ab--ef", "damage"));
        behead(&headless, 1);
        let found = find(&headless, boot);
        assert_eq!((&*found.pieces, reported(&found)), ("ab--ef", "damage"));
        assert_eq!(set_aside(&headless, &found), 1);
    }
    "damage"
}

fn an_unreadable_segment() -> &'static str {
    let decays: [fn(&SimStorage); 3] = [
        |storage| storage.make_unreadable(&segments(storage)[1]),
        |storage| storage.damage(&segments(storage)[1], |bytes| reseal(bytes, 8, 77)),
        |storage| storage.damage(&segments(storage)[1], |bytes| reseal(bytes, 16, 77)),
    ];
    for decay in decays {
        let storage = six_pieces();
        decay(&storage);
        let found = find(&storage, LATER_BOOT);
        assert_eq!((&*found.pieces, reported(&found)), ("ab--ef", "damage"));
        assert_eq!(set_aside(&storage, &found), 1);
    }
    "damage"
}

/// Changes a byte of both copies of a header, and makes them valid again.
fn reseal(bytes: &mut [u8], at: usize, byte: u8) {
    for copy in [0, 4096] {
        let copy = &mut bytes[copy..copy + 96];
        copy[at] = byte;
        let crc = crc32c::crc32c_append(crc32c::crc32c(&copy[..12]), &copy[16..]);
        copy[12..16].copy_from_slice(&crc.to_le_bytes());
    }
}

/// An unreadable segment was set aside, the power went before anything else was written, and the next
/// start took the place where it had been for the end of the log.
fn a_segment_in_the_quarantine() -> &'static str {
    let storage = six_pieces();
    storage.make_unreadable(&segments(&storage)[1]);
    let first = find(&storage, LATER_BOOT);
    assert_eq!(set_aside(&storage, &first), 1);
    let second = find(&storage, LATER_BOOT);
    assert_eq!(second.pieces, first.pieces, "P3");
    assert!(matches!(second.damage[..], [Damage::Stream { .. }]), "{:?}", second.damage);
    reported(&second)
}

/// A pane that printed `abcdef`, with a keyframe after each of the last two and a line of history for
/// each piece.
fn archived() -> SimStorage {
    let storage = SimStorage::new(1);
    let mut spool = open(&storage);
    let mut archiver =
        Archiver::start(dynamic(&storage), ArchiverOptions::default(), Box::new(|| ())).unwrap();
    print(&mut spool, "abcd");
    for (lines, pieces) in [(0..4, "e"), (4..5, "f"), (5..6, "")] {
        archiver.submit(job(&spool, lines, true));
        print(&mut spool, pieces);
    }
    for event in archiver.finish() {
        let ArchiveEvent::Archived(archived) = event else { panic!("{event:?}") };
        if let Some(position) = archived.release {
            spool.release(PANE, position);
        }
    }
    spool.sync();
    drop(spool);
    storage.kill()
}

fn job(spool: &Spool, lines: std::ops::Range<u64>, with_keyframe: bool) -> ArchiveJob {
    let position = spool.position(PANE).unwrap_or_default();
    let block = HistoryBlock {
        first_line: lines.start,
        count: (lines.end - lines.start) as u32,
        bytes: lines.clone().flat_map(|line| [line as u8; 16]).collect(),
        offset: position.offset,
        time: Timestamp(2),
        has_times: false,
    };
    let keyframe = with_keyframe.then(|| Keyframe {
        position,
        history: 0..lines.end,
        has_note: true,
        time: Timestamp(3),
        bytes: b"a terminal".to_vec(),
    });
    let limits = HistoryLimits { lines: None, bytes: u64::MAX, total: u64::MAX };
    ArchiveJob { pane: PANE, blocks: vec![block], keyframe, limits }
}

/// The files of the pane with that suffix.
fn of_pane(storage: &SimStorage, suffix: &str) -> Vec<PathBuf> {
    let paths = storage.files().into_iter().map(|(path, _)| path);
    let is_it = |path: &PathBuf| {
        path.starts_with(pane_dir(PANE)) && path.extension() == Some(suffix.as_ref())
    };
    paths.filter(is_it).collect()
}

fn an_unreadable_directory() -> &'static str {
    let storage = archived();
    storage.make_unreadable(&pane_dir(PANE));
    let found = find(&storage, storage.boot());
    assert!(found.pieces.ends_with("ef"), "the spool alone: {}", found.pieces);
    assert_eq!(set_aside(&storage, &found), 0, "it stays where it is");
    reported(&found)
}

fn a_bad_keyframe() -> &'static str {
    let pristine = archived();
    assert_eq!(of_pane(&pristine, "keyframe").len(), 2);
    assert_eq!(find(&pristine, pristine.boot()).pieces, "");
    let newest = of_pane(&pristine, "keyframe").swap_remove(1);
    for is_refused in [false, true] {
        let storage = pristine.fork();
        if !is_refused {
            storage.flip_bit(&newest, 8 * 50);
        }
        let index = SpoolIndex::scan(&storage, STORE, storage.boot()).unwrap();
        let mut thaw = |keyframe: &Keyframe| {
            let is_newest = keyframe.position.frames == 6;
            if is_newest { Err("not for this emulator".to_owned()) } else { Ok(()) }
        };
        let image = load_pane(&dynamic(&storage), &index, PANE, &mut thaw).unwrap();
        assert_eq!(image.keyframe.unwrap().position.frames, 5);
        assert_eq!(image.frames.count(), 1, "the rest is in the spool");
        let [damage @ Damage::Keyframe { .. }] = &image.damage[..] else {
            panic!("{:?}", image.damage)
        };
        assert!(damage.set_aside(&storage).unwrap().unwrap().starts_with("quarantine"));
    }
    "damage"
}

fn no_keyframe() -> &'static str {
    let storage = archived();
    for path in of_pane(&storage, "keyframe") {
        storage.flip_bit(&path, 8 * 50);
    }
    let index = SpoolIndex::scan(&storage, STORE, storage.boot()).unwrap();
    let image = load_pane(&dynamic(&storage), &index, PANE, &mut |_| Ok(())).unwrap();
    assert!(image.keyframe.is_none());
    assert!(image.history.end >= 4, "lines go on behind the stored ones");
    let found = find(&storage, storage.boot());
    assert_eq!(found.pieces, "----ef");
    reported(&found)
}

fn no_descriptors() -> &'static str {
    let storage = archived();
    let before = storage.files();
    for nth in 1.. {
        let storage = storage.fork();
        storage.fail(CallKind::Open, nth, u64::MAX, Fault::TooManyFiles);
        let index = SpoolIndex::scan(&storage, STORE, storage.boot());
        let loaded =
            index.and_then(|index| load_pane(&dynamic(&storage), &index, PANE, &mut |_| Ok(())));
        assert_eq!(storage.files(), before);
        if !storage.has_failed() {
            assert!(nth > 2 && loaded.is_ok());
            break;
        }
        assert!(loaded.is_err(), "open {nth}");
    }
    "error"
}

fn a_bad_block() -> &'static str {
    let storage = archived();
    let chunk = of_pane(&storage, "chunk").swap_remove(0);
    storage.flip_bit(&chunk, 8 * (40 + 48));
    let found = find(&storage, storage.boot());
    assert!(found.damage.is_empty(), "{:?}", found.damage);
    let mut history = PaneHistory::open(dynamic(&storage), PANE, 0..6).unwrap();
    assert_eq!(history.read(1), HistoryRead::Missing(0..4));
    assert!(matches!(history.read(4), HistoryRead::Block { .. }));
    "in the log"
}

fn a_cut_chunk() -> &'static str {
    let storage = archived();
    let chunk = of_pane(&storage, "chunk").swap_remove(0);
    storage.damage(&chunk, |bytes| bytes.truncate(40 + 48 + 8));
    reported(&find(&storage, storage.boot()))
}

/// What becomes of the screen is a test of `pane::fault`, which catches the panic.
fn output_of_a_fault() -> &'static str {
    let storage = archived();
    for output in [&b"first"[..], b"second"] {
        let place = keep_output(&storage, PANE, 160, output).unwrap();
        assert!(place.starts_with("quarantine"));
        let kept = storage.files().into_iter().find(|(path, _)| *path == place);
        assert_eq!(kept.unwrap().1, output);
    }
    assert_eq!(reported(&find(&storage, storage.boot())), "");
    "in the log"
}

fn lines_behind_the_keyframe() -> &'static str {
    let storage = archived();
    let mut spool = open(&storage);
    for bytes in [b"killed before a keyframe", b"and made once more.....!"] {
        let mut archiver =
            Archiver::start(dynamic(&storage), ArchiverOptions::default(), Box::new(|| ()))
                .unwrap();
        let mut archived = job(&spool, 6..7, false);
        archived.blocks[0].bytes = bytes.to_vec();
        archiver.submit(archived);
        archiver.finish();
        let index = SpoolIndex::scan(&storage, STORE, storage.boot()).unwrap();
        let image = load_pane(&dynamic(&storage), &index, PANE, &mut |_| Ok(())).unwrap();
        assert_eq!((image.history, &image.damage[..]), (0..6, &[][..]));
        let mut history = PaneHistory::open(dynamic(&storage), PANE, 0..7).unwrap();
        let HistoryRead::Block { block, .. } = history.read(6) else { panic!("line 6") };
        assert_eq!(block.bytes, bytes);
    }
    spool.sync();
    reported(&find(&storage, storage.boot()))
}
