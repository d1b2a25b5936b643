//! How much memory it takes to open what is stored: not more, however much that is.
//!
//! An executable of its own, because its allocator counts for all threads: no other test may run
//! beside this one.

use std::alloc::{GlobalAlloc, Layout, System};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ccmux_core::ids::PaneUuid;
use ccmux_core::model::Timestamp;
use ccmux_server::persistence::scrollback::{
    ArchiveJob, Archiver, ArchiverOptions, FrameKind, FrameRef, HistoryBlock, HistoryLimits,
    HistoryRead, Keyframe, PaneHistory, ReplayItem, Spool, SpoolIndex, SpoolOptions,
    StreamPosition, load_pane,
};
use ccmux_server::persistence::storage::{FsStorage, Storage};
use uuid::Uuid;

const MIB: usize = 1 << 20;
const PANE: PaneUuid = PaneUuid(Uuid::from_u128(1));
const STORE: Uuid = Uuid::from_u128(2);
const BOOT: Uuid = Uuid::from_u128(3);
/// As the server archives them.
const BLOCK_BYTES: usize = 64 << 10;
const BLOCK_LINES: u64 = 64;
const FRAME_BYTES: usize = 16 << 10;
const SEGMENT_BYTES: usize = MIB;
/// What opening and reading may take: a segment of the spool, some blocks and indexes.
const BOUND: usize = 4 * MIB;

/// The system's allocator, and how much of it is in use.
struct Counting;

static USED: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[expect(unsafe_code, reason = "there is no other way to count allocations")]
// SAFETY: every call goes to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let used = USED.fetch_add(layout.size(), Ordering::SeqCst) + layout.size();
        PEAK.fetch_max(used, Ordering::SeqCst);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        USED.fetch_sub(layout.size(), Ordering::SeqCst);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// What `work` needs at once beyond what there was before.
fn peak(work: impl FnOnce()) -> usize {
    let before = USED.load(Ordering::SeqCst);
    PEAK.store(before, Ordering::SeqCst);
    work();
    PEAK.load(Ordering::SeqCst) - before
}

/// Bytes that cannot be compressed.
fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut word = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..len.div_ceil(8)).flat_map(|_| word()).take(len).collect()
}

fn open(root: &Path) -> Arc<dyn Storage> {
    Arc::new(FsStorage::open(root).expect("the directory is ours"))
}

/// A pane with so many mebibytes of history and as much output behind it.
fn store(root: &Path, mebibytes: usize) {
    let storage = open(root);
    let limits = HistoryLimits { lines: None, bytes: u64::MAX, total: u64::MAX };
    let options = ArchiverOptions::default();
    let mut archiver = Archiver::start(Arc::clone(&storage), options, Box::new(|| ()))
        .expect("a thread can be started");
    let blocks = (mebibytes * MIB / BLOCK_BYTES) as u64;
    let lines = blocks * BLOCK_LINES;
    let position = StreamPosition { offset: 1, frames: 1 };
    for first_line in (0..lines).step_by(BLOCK_LINES as usize) {
        let bytes = noise(first_line, BLOCK_BYTES);
        let (count, time) = (BLOCK_LINES as u32, Timestamp(1));
        let block = HistoryBlock { first_line, count, bytes, offset: 1, time, has_times: false };
        let is_last = first_line + BLOCK_LINES == lines;
        let bytes = b"keyframe".to_vec();
        let keyframe = is_last.then_some(Keyframe {
            position,
            history: 0..lines,
            has_note: true,
            time,
            bytes,
        });
        archiver.submit(ArchiveJob { pane: PANE, blocks: vec![block], keyframe, limits });
    }
    archiver.finish();
    let index = SpoolIndex::scan(&*storage, STORE, BOOT).expect("it can be read");
    let options = SpoolOptions::new(STORE, BOOT, 1);
    let options = SpoolOptions { segment_bytes: SEGMENT_BYTES as u64, ..options };
    let mut spool = Spool::open(storage, &index, options, Box::new(|| ()));
    spool.resume(PANE, position);
    let (payload, mut offset) = (noise(7, FRAME_BYTES), position.offset);
    for _ in 0..mebibytes * MIB / FRAME_BYTES {
        let (kind, time) = (FrameKind::Bytes, Timestamp(1));
        let frame = FrameRef { pane: PANE, offset, time, kind, payload: &payload };
        offset = spool.append(frame).expect("the disk takes it").offset;
    }
}

/// Everything of the pane: as a start of the server reads it, and then as a reader of all history.
fn read_all(root: &Path, mebibytes: usize) {
    let storage = open(root);
    let index = SpoolIndex::scan(&*storage, STORE, BOOT).expect("it can be read");
    let mut image = load_pane(&storage, &index, PANE, &mut |_| Ok(())).expect("it can be read");
    assert!(image.keyframe.is_some() && image.damage.is_empty(), "{:?}", image.damage);
    let mut printed = 0;
    for item in image.frames.by_ref() {
        let ReplayItem::Frame(frame) = item else { panic!("there is no gap") };
        printed += frame.payload.len();
    }
    assert_eq!(printed, mebibytes * MIB);
    let mut history =
        PaneHistory::open(storage, PANE, image.history.clone()).expect("it can be read");
    let (mut line, mut bytes) = (0, 0);
    while line < image.history.end {
        let HistoryRead::Block { block, valid } = history.read(line) else {
            panic!("line {line} is missing");
        };
        bytes += block.bytes.len();
        line = valid.end;
    }
    assert_eq!(bytes, mebibytes * MIB);
}

/// Goal: P7, what is stored is not what is needed. Method: the same with one size and with another,
/// and count.
#[test]
fn opening_and_reading_what_is_stored_takes_no_more_memory_for_more_of_it() {
    let peaks = [4, 32].map(|mebibytes| {
        let directory = tempfile::TempDir::new().expect("there is room");
        store(directory.path(), mebibytes);
        peak(|| read_all(directory.path(), mebibytes))
    });
    let [small, large] = peaks;
    assert!(large < BOUND, "{large} bytes for 32 MiB twice");
    // Of each frame its place is known, of each chunk its name.
    let grown = large.saturating_sub(small);
    assert!(grown < 28 * MIB / 64, "{grown} bytes more for eight times as much");
}
