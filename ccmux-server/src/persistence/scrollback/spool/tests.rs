//! The spool on a simulated disk.

mod removals;
mod segments;
mod syncer;

use std::fmt::Write as _;
use std::path::Path;
use std::sync::mpsc;
use std::thread;

use ccmux_core::model::Timestamp;
use proptest::prelude::*;

use super::format::{FRAME_HEADER_BYTES, HEADER_BYTES};
use super::*;
use crate::persistence::scrollback::Damage;
use crate::persistence::scrollback::layout::{gone_path, segment_path};
use crate::persistence::sim::{CallKind, Fault, Random, SimStorage};

const STORE: Uuid = Uuid::from_u128(0x5707e);
/// The boot in which everything is written.
const BOOT: Uuid = Uuid::from_u128(1);
/// The boot in which it is read, if not told otherwise: the power may have been cut.
const LATER_BOOT: Uuid = Uuid::from_u128(2);

/// Matters only when a test fails.
const DEADLINE: Duration = Duration::from_mins(1);

const HEADER: u64 = HEADER_BYTES as u64;

fn pane(n: u128) -> PaneUuid {
    PaneUuid(Uuid::from_u128(n))
}

fn options() -> SpoolOptions {
    SpoolOptions {
        segment_bytes: HEADER + 4096,
        pin_bytes: 2 * HEADER + 8192,
        total_bytes: 4 * HEADER + 16384,
        unsynced_bytes_max: 8192,
        ..SpoolOptions::new(STORE, BOOT, 0x5a17)
    }
}

fn scan(storage: &SimStorage) -> SpoolIndex {
    SpoolIndex::scan(storage, STORE, LATER_BOOT).unwrap()
}

fn open(storage: &SimStorage) -> Spool {
    open_with(storage, options())
}

fn open_with(storage: &SimStorage, mut options: SpoolOptions) -> Spool {
    let index = scan(storage);
    // Each process has a salt of its own.
    options.salt += index.next_number();
    Spool::open(Arc::new(storage.clone()), &index, options, Box::new(|| ()))
}

fn bytes_frame(pane: PaneUuid, offset: u64, payload: &[u8]) -> FrameRef<'_> {
    FrameRef { pane, offset, time: Timestamp(7), kind: FrameKind::Bytes, payload }
}

/// Appends output where the pane's stream ends.
fn print(spool: &mut Spool, pane: PaneUuid, payload: &[u8]) -> StreamPosition {
    let offset = spool.position(pane).unwrap_or_default().offset;
    spool.append(bytes_frame(pane, offset, payload)).unwrap()
}

/// The stream of a pane as a replay from its beginning brings it, gaps as `<from-to>`.
fn replayed(storage: &SimStorage, pane: PaneUuid) -> String {
    let index = scan(storage);
    render(index.replay(pane, StreamPosition::default()))
}

fn render(replay: Replay) -> String {
    let mut text = String::new();
    for item in replay {
        match item {
            ReplayItem::Frame(frame) if frame.kind == FrameKind::Bytes => {
                text.push_str(&String::from_utf8_lossy(&frame.payload));
            }
            ReplayItem::Frame(frame) => write!(text, "[{:?}]", frame.kind).unwrap(),
            ReplayItem::Gap(gap) => {
                write!(text, "<{}-{}>", gap.from.offset, gap.to.offset).unwrap();
            }
        }
    }
    text
}

fn segment_count(storage: &SimStorage) -> usize {
    let paths = storage.files().into_iter().map(|(path, _)| path);
    paths.filter(|path| path.extension().is_some_and(|it| it == "spool")).count()
}

fn damage(storage: &SimStorage) -> Vec<Damage> {
    scan(storage).damage().to_vec()
}

#[test]
fn what_was_appended_survives_a_kill_and_a_later_process_goes_on() {
    let storage = SimStorage::new(1);
    let mut spool = open(&storage);
    print(&mut spool, pane(1), b"one ");
    print(&mut spool, pane(2), b"other");
    let resize = FrameRef { kind: FrameKind::Resize, ..bytes_frame(pane(1), 4, b"80x24") };
    let end = spool.append(resize).unwrap();
    assert_eq!(end, StreamPosition { offset: 4, frames: 2 });
    let storage = storage.kill();
    let mut spool = open(&storage);
    assert_eq!(spool.position(pane(1)), Some(end));
    print(&mut spool, pane(1), b"two");
    assert_eq!(replayed(&storage, pane(1)), "one [Resize]two");
    assert_eq!(replayed(&storage, pane(2)), "other");
    assert_eq!(damage(&storage), []);
    let files = storage.files().len();
    assert_eq!(files, 2, "an earlier process's file is not appended to");
    let index = scan(&storage);
    let after = StreamPosition { offset: 4, frames: 1 };
    assert_eq!(render(index.replay(pane(1), after)), "[Resize]two");
    assert_eq!(render(index.replay(pane(1), end)), "two", "the resize is before the point");
    assert_eq!(index.end_of(pane(1), end).offset, 7);
    assert_eq!(index.end_of(pane(3), end), end);
}

#[test]
fn output_that_a_keyframe_covered_instead_of_the_spool_is_no_gap_after_it() {
    let storage = SimStorage::new(1);
    let mut spool = open(&storage);
    print(&mut spool, pane(1), b"spooled");
    spool.append(bytes_frame(pane(1), 1000, b"later")).unwrap();
    let index = scan(&storage);
    let keyframe = StreamPosition { offset: 1000, frames: 1 };
    assert_eq!(render(index.replay(pane(1), keyframe)), "later");
    assert_eq!(replayed(&storage, pane(1)), "spooled<7-1000>later");
    let inside = StreamPosition { offset: 1002, frames: 1 };
    assert_eq!(render(index.replay(pane(1), inside)), "ter", "an overlap is skipped by offset");
}

#[test]
fn segments_go_when_no_pane_needs_them_oldest_first() {
    let storage = SimStorage::new(1);
    let mut spool = open(&storage);
    print(&mut spool, pane(9), b"idle");
    let early = print(&mut spool, pane(1), &[b'x'; 1000]);
    for _ in 0..9 {
        print(&mut spool, pane(1), &[b'x'; 1000]);
    }
    assert_eq!(spool.pinning().len(), 2, "{:?}", spool.pinning());
    let count = |spool: &mut Spool| {
        assert_eq!(spool.sync(), Health::Durable);
        segment_count(&storage)
    };
    let all = count(&mut spool);
    spool.release(pane(1), early);
    assert_eq!(count(&mut spool), all, "pane 1 has later frames in the first segment");
    let end = spool.position(pane(1)).unwrap();
    spool.release(pane(1), end);
    assert_eq!(count(&mut spool), all, "the idle pane pins the first segment");
    assert_eq!(spool.pinning(), [pane(9)]);
    spool.forget(pane(9));
    assert_eq!(count(&mut spool), 1, "the current segment always stays");
    assert_eq!(spool.pinning(), []);
    assert_eq!(damage(&storage), []);
    let next = print(&mut spool, pane(1), b"more");
    assert_eq!(next, StreamPosition { offset: end.offset + 4, frames: end.frames + 1 });
}

#[test]
fn the_oldest_output_is_given_up_at_the_total_and_its_panes_are_named() {
    let storage = SimStorage::new(1);
    let mut spool = open(&storage);
    print(&mut spool, pane(9), b"idle");
    for _ in 0..40 {
        print(&mut spool, pane(1), &[b'x'; 1000]);
    }
    spool.sync();
    assert!(spool.bytes() <= 5 * HEADER + 16384 + 4096, "{}", spool.bytes());
    let on_disk: usize = storage.files().iter().map(|(_, bytes)| bytes.len()).sum();
    assert_eq!(on_disk as u64, spool.bytes());
    let events = spool.drain_events();
    assert!(events.contains(&SpoolEvent::Dropped(pane(9))), "{events:?}");
    assert!(replayed(&storage, pane(1)).starts_with("<0-"));
    assert_eq!(damage(&storage), [], "what was removed on purpose is not lost");
}

#[test]
fn what_was_synced_survives_every_power_cut() {
    for seed in 0..100 {
        let storage = SimStorage::new(seed);
        let mut spool = open(&storage);
        for _ in 0..6 {
            print(&mut spool, pane(1), &[b'x'; 1000]);
        }
        assert_eq!(spool.sync(), Health::Durable);
        assert_eq!(spool.durable(), spool.appended());
        print(&mut spool, pane(1), b"not synced");
        let text = replayed(&storage.power_cut(seed), pane(1));
        assert!(text.starts_with(&"x".repeat(6000)), "seed {seed}");
        assert!(["", "not synced"].contains(&&text[6000..]), "seed {seed}");
    }
}

#[test]
fn frames_of_a_failed_sync_are_written_again_to_a_new_segment() {
    // The first file fails whose frames are not durable, be it the current one or not.
    let cases = [(CallKind::Sync, false), (CallKind::Sync, true), (CallKind::SyncDir, true)];
    for ((kind, rolls_over), seed) in
        cases.iter().flat_map(|case| (0..40).map(move |seed| (*case, seed)))
    {
        let storage = SimStorage::new(seed);
        let mut spool = open(&storage);
        print(&mut spool, pane(1), b"durable ");
        spool.sync();
        print(&mut spool, pane(2), &[b'y'; 2000]);
        print(&mut spool, pane(1), b"pending");
        if rolls_over {
            print(&mut spool, pane(2), &[b'y'; 2500]);
        }
        storage.fail(kind, 1, 1, Fault::Io);
        assert_eq!(spool.sync(), Health::Durable);
        assert_eq!(spool.durable(), spool.appended());
        let storage = storage.power_cut(seed);
        assert_eq!(replayed(&storage, pane(1)), "durable pending", "{kind:?} seed {seed}");
        assert!(replayed(&storage, pane(2)).bytes().all(|b| b == b'y'));
    }
}

#[test]
fn frames_of_a_failed_write_are_written_again_or_refused() {
    for seed in 0..40 {
        let storage = SimStorage::new(seed);
        let mut spool = open(&storage);
        print(&mut spool, pane(1), b"one ");
        storage.fail(CallKind::Write, 1, 1, Fault::Io);
        print(&mut spool, pane(1), b"two ");
        assert_eq!(replayed(&storage, pane(1)), "one two ", "without any sync");
        storage.fail(CallKind::Write, 1, 2, Fault::Io);
        spool.append(bytes_frame(pane(1), 8, b"refused")).unwrap_err();
        assert!(matches!(spool.health(), Health::Degraded(_)));
        assert!(matches!(spool.drain_events()[..], [SpoolEvent::Degraded(_)]));
        spool.append(bytes_frame(pane(1), 8, b"refused")).unwrap_err();
        assert_eq!(spool.sync(), Health::Durable, "it tries again");
        assert_eq!(spool.drain_events(), [SpoolEvent::Recovered]);
        // The refused bytes were covered by a keyframe; the number of the frame is free again.
        let end = spool.append(bytes_frame(pane(1), 15, b"three")).unwrap();
        assert_eq!(end, StreamPosition { offset: 20, frames: 3 });
        spool.sync();
        assert_eq!(replayed(&storage.power_cut(seed), pane(1)), "one two <8-15>three");
    }
}

#[test]
fn a_full_disk_degrades_and_space_heals() {
    let storage = SimStorage::new(3);
    let mut spool = open(&storage);
    print(&mut spool, pane(1), b"before ");
    spool.sync();
    storage.set_capacity(Some(1200));
    let error = spool.append(bytes_frame(pane(1), 7, &[b'z'; 2000])).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    assert!(matches!(spool.sync(), Health::Degraded(_)));
    storage.set_capacity(None);
    assert_eq!(spool.sync(), Health::Durable);
    print(&mut spool, pane(1), b"after");
    spool.sync();
    assert_eq!(replayed(&storage.power_cut(1), pane(1)), "before after");
}

#[test]
fn a_spool_that_cannot_begin_starts_degraded() {
    let storage = SimStorage::new(3);
    storage.fail(CallKind::CreateDir, 1, 1, Fault::NoSpace);
    let mut spool = open(&storage);
    assert!(matches!(spool.health(), Health::Degraded(_)));
    assert_eq!(spool.sync(), Health::Durable);
    print(&mut spool, pane(1), b"well");
    spool.sync();
    assert_eq!(replayed(&storage.power_cut(3), pane(1)), "well");
}

#[test]
fn there_is_no_room_while_the_disk_is_behind() {
    let storage = SimStorage::new(3);
    let mut spool = open(&storage);
    while spool.has_room() {
        print(&mut spool, pane(1), &[b'x'; 1000]);
    }
    assert!((8192..10240).contains(&spool.appended()));
    spool.sync();
    assert!(spool.has_room());
}

/// Three panes taking turns, everything synced, and a fourth whose output came later and says so.
fn three_panes() -> (SimStorage, [String; 3]) {
    let storage = SimStorage::new(5);
    let mut spool = open_with(&storage, SpoolOptions { segment_bytes: HEADER + 370, ..options() });
    let mut texts = [const { String::new() }; 3];
    for round in 0..5 {
        spool.sync();
        for (n, text) in texts.iter_mut().enumerate() {
            let piece = format!("{n}:{round}, ").repeat(1 + n * round);
            print(&mut spool, pane(n as u128), piece.as_bytes());
            text.push_str(&piece);
        }
    }
    spool.sync();
    print(&mut spool, pane(3), b"later");
    (storage, texts)
}

#[test]
fn every_flipped_bit_costs_at_most_one_frame_of_one_pane() {
    let (storage, texts) = three_panes();
    let files = storage.files();
    assert!(files.len() >= 3);
    let mut losses = 0;
    // Every byte, a bit of it that differs from byte to byte.
    for (path, bytes) in &files {
        for byte in 0..bytes.len() as u64 {
            let bit = byte * 8 + byte % 8;
            storage.flip_bit(path, bit);
            let index = scan(&storage);
            let got: Vec<String> =
                (0..3).map(|n| render(index.replay(pane(n), StreamPosition::default()))).collect();
            let hit: Vec<usize> = (0..3).filter(|&n| got[n] != texts[n]).collect();
            assert!(hit.len() <= 1, "{path:?} byte {byte}: {got:?}");
            for &n in &hit {
                losses += 1;
                check_one_loss(&got[n], &texts[n]);
                let is_tail = path == &files.last().unwrap().0;
                assert!(is_tail || !index.damage().is_empty(), "{path:?} byte {byte}");
            }
            storage.flip_bit(path, bit);
        }
    }
    assert!(losses > 1000, "{losses}");
}

/// `got` is `whole` with one piece missing: in the middle, marked as a gap, or at the end.
fn check_one_loss(got: &str, whole: &str) {
    let Some((before, rest)) = got.split_once('<') else {
        assert!(whole.starts_with(got), "{got} of {whole}");
        return;
    };
    let (gap, after) = rest.split_once('>').unwrap();
    let (from, to) = gap.split_once('-').unwrap();
    let (from, to): (usize, usize) = (from.parse().unwrap(), to.parse().unwrap());
    assert_eq!((before, after), (&whole[..from], &whole[to..]));
}

#[test]
fn a_printed_segment_cannot_pass_for_frames() {
    let storage = SimStorage::new(5);
    let mut spool = open_with(&storage, SpoolOptions { segment_bytes: 1 << 20, ..options() });
    print(&mut spool, pane(1), b"original ");
    print(&mut spool, pane(2), b"other");
    let path = segment_path(1);
    // At a multiple of the alignment and at others, as `cat` of the file in a pane would.
    for shift in [0, 8, 3] {
        let copy = storage.files().into_iter().find(|(p, _)| *p == path).unwrap().1;
        let mut payload = vec![b'-'; shift];
        payload.extend_from_slice(&copy);
        print(&mut spool, pane(3), &payload);
    }
    let index = scan(&storage);
    let frames = |index: &SpoolIndex| {
        [1, 2].map(|n| render(index.replay(pane(n), StreamPosition::default())))
    };
    assert_eq!(frames(&index), ["original ", "other"]);
    // Damage to the head of each frame of pane 3 makes the scan look for frames inside.
    let mut at = HEADER_BYTES as u64;
    for n in 0..5 {
        let file = storage.files()[0].1.clone();
        let len = u32::from_le_bytes(file[at as usize + 8..at as usize + 12].try_into().unwrap());
        if n >= 2 {
            storage.flip_bit(&path, at * 8);
        }
        at += (FRAME_HEADER_BYTES as u64 + u64::from(len)).next_multiple_of(8);
    }
    let index = scan(&storage);
    assert_eq!(frames(&index), ["original ", "other"]);
    assert_eq!(render(index.replay(pane(3), StreamPosition::default())), "");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any appends, over any number of processes and segments, come back; from any point of them.
    #[test]
    fn replay_brings_what_was_appended(
        script in prop::collection::vec((0_u128..3, 0_usize..3000, any::<bool>()), 1..40),
        segment_bytes in 200_u64..6000,
        from in 0_usize..40,
    ) {
        let storage = SimStorage::new(0);
        let roomy = SpoolOptions { segment_bytes, total_bytes: 1 << 30, ..options() };
        let mut spool = open_with(&storage, roomy.clone());
        let mut streams = [const { Vec::new() }; 3];
        let mut ends = [const { Vec::new() }; 3];
        for (at, (n, len, is_restart)) in script.into_iter().enumerate() {
            if is_restart && at % 8 == 0 {
                spool = open_with(&storage, roomy.clone());
            }
            let payload: Vec<u8> = (0..len).map(|i| b'a' + ((i + at) % 26) as u8).collect();
            ends[n as usize].push(print(&mut spool, pane(n), &payload));
            streams[n as usize].extend(payload);
        }
        let index = scan(&storage);
        prop_assert_eq!(index.damage(), &[]);
        for n in 0..3 {
            let point = ends[n].get(from).copied().unwrap_or_default();
            let rest = std::str::from_utf8(&streams[n][point.offset as usize..]).unwrap();
            prop_assert_eq!(render(index.replay(pane(n as u128), point)), rest);
            let end = ends[n].last().copied().unwrap_or_default();
            prop_assert_eq!(index.end_of(pane(n as u128), point), end);
        }
    }

    /// Whatever happens to the bytes, a scan ends, and what it brings was once appended there.
    #[test]
    fn damage_never_invents_anything(seed: u64) {
        let (storage, texts) = three_panes();
        let mut random = Random::new(seed);
        for (path, bytes) in storage.files() {
            storage.damage(&path, |bytes| match random.below(4) {
                0 => bytes.truncate(random.below(bytes.len() as u64) as usize),
                1 => {
                    let from = random.below(bytes.len() as u64) as usize;
                    let to = bytes.len().min(from + 1 + random.below(200) as usize);
                    bytes[from..to].iter_mut().for_each(|b| *b = random.next_u64() as u8);
                }
                2 => {
                    let at = random.below(bytes.len() as u64) as usize;
                    let (n, byte) = (random.below(64) as usize, random.next_u64() as u8);
                    bytes.splice(at..at, std::iter::repeat_n(byte, n));
                }
                _ => {}
            });
            drop(bytes);
        }
        let index = scan(&storage);
        for (n, text) in texts.iter().enumerate() {
            let mut position = 0;
            for item in index.replay(pane(n as u128), StreamPosition::default()) {
                match item {
                    ReplayItem::Frame(frame) => {
                        prop_assert_eq!(frame.offset, position);
                        let at = frame.offset as usize;
                        prop_assert_eq!(&frame.payload[..], &text.as_bytes()[at..frame.end.offset as usize]);
                        position = frame.end.offset;
                    }
                    ReplayItem::Gap(gap) => {
                        prop_assert_eq!(gap.from.offset, position);
                        prop_assert!(gap.bytes() > 0 || gap.to.frames > gap.from.frames);
                        position = gap.to.offset;
                    }
                }
            }
        }
        // In the boot that found it so: one before it would have left a log that ends where this one is cut.
        let mut spool = open_with(&storage, SpoolOptions { boot: LATER_BOOT, ..options() });
        spool.append(bytes_frame(pane(7), 0, b"goes on")).unwrap();
        prop_assert_eq!(replayed(&storage, pane(7)), "goes on");
    }
}
