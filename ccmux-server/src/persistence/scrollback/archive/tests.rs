//! The archiver on a simulated disk: with its thread where order and waiting matter, else without.

#![expect(clippy::single_range_in_vec_init, reason = "one range of lines is one block")]

use std::ops::Range;
use std::path::Path;
use std::sync::mpsc;

use ccmux_core::model::Timestamp;
use uuid::Uuid;

use super::worker::{Task, Worker};
use super::*;
use crate::persistence::scrollback::chunk::{HistoryRead, PaneHistory};
use crate::persistence::scrollback::layout::pane_dir;
use crate::persistence::scrollback::{SpoolIndex, load_pane, stored_panes};
use crate::persistence::sim::{CallKind, Fault, SimStorage};

mod closed;
mod removed;

const UNLIMITED: HistoryLimits = HistoryLimits { lines: None, bytes: u64::MAX, total: u64::MAX };

fn pane(n: u128) -> PaneUuid {
    PaneUuid(Uuid::from_u128(n))
}

/// A block whose lines do not compress well, 2 KiB each.
fn block(range: Range<u64>) -> HistoryBlock {
    let mut bytes = Vec::new();
    for line in range.clone() {
        let mut random = crate::persistence::sim::Random::new(line);
        bytes.extend((0..256).flat_map(|_| random.next_u64().to_le_bytes()));
    }
    let (first_line, count) = (range.start, (range.end - range.start) as u32);
    let (offset, time) = (range.end * 100, Timestamp(1));
    HistoryBlock { first_line, count, bytes, offset, time, has_times: false }
}

fn keyframe(offset: u64, history: Range<u64>) -> Keyframe {
    let position = StreamPosition { offset, frames: offset / 10 };
    let (has_note, time, bytes) = (true, Timestamp(2), offset.to_string().into_bytes());
    Keyframe { position, history, has_note, time, bytes }
}

fn job(blocks: &[Range<u64>], keyframe: Option<Keyframe>) -> ArchiveJob {
    let blocks = blocks.iter().cloned().map(block).collect();
    ArchiveJob { pane: pane(1), blocks, keyframe, limits: UNLIMITED }
}

fn worker(storage: &SimStorage) -> Worker {
    Worker::new(Arc::new(storage.clone())).unwrap()
}

fn run(worker: &mut Worker, job: ArchiveJob) -> Archived {
    match worker.run(&mut Task::Archive(job)).unwrap() {
        ArchiveEvent::Archived(archived) => archived,
        other => panic!("{other:?}"),
    }
}

fn image(storage: &SimStorage) -> crate::persistence::scrollback::PaneImage {
    let storage: Arc<dyn Storage> = Arc::new(storage.clone());
    load_pane(
        &storage,
        &SpoolIndex::scan(&*storage, Uuid::nil(), Uuid::nil()).unwrap(),
        pane(1),
        &mut |_| Ok(()),
    )
    .unwrap()
}

fn names(storage: &SimStorage) -> Vec<String> {
    storage.list(&pane_dir(pane(1))).unwrap()
}

fn chunk_count(storage: &SimStorage) -> usize {
    names(storage).iter().filter(|name| name.ends_with("chunk")).count()
}

fn assert_lines(storage: &SimStorage, range: Range<u64>) {
    let mut history = PaneHistory::open(Arc::new(storage.clone()), pane(1), range.clone()).unwrap();
    let mut line = range.start;
    while line < range.end {
        let HistoryRead::Block { block: found, valid } = history.read(line) else {
            panic!("line {line} of {range:?} is missing");
        };
        assert_eq!(found.bytes, block(found.first_line..found.end_line()).bytes);
        line = valid.end;
    }
}

#[test]
fn lines_come_before_the_keyframe_that_counts_on_them() {
    let storage = SimStorage::new(1);
    let archived = run(&mut worker(&storage), job(&[0..3, 3..5], Some(keyframe(500, 0..5))));
    assert_eq!(archived.keyframe, Some(StreamPosition { offset: 500, frames: 50 }));
    assert_eq!((archived.first_line, archived.end_line), (Some(0), Some(5)));
    assert_eq!(archived.release, None, "there is nothing to fall back to yet");
    // Whenever the power goes: if the keyframe is there, so are its lines.
    for call in 1..=storage.calls() {
        let storage = SimStorage::new(1);
        storage.strike(call, Fault::PowerCut);
        let task = job(&[0..3, 3..5], Some(keyframe(500, 0..5)));
        let _cut_short = worker(&storage).run(&mut Task::Archive(task));
        for seed in 0..4 {
            let after = storage.power_cut(seed);
            let image = image(&after);
            if image.keyframe.is_some() {
                assert_eq!((image.history, image.damage), (0..5, vec![]), "{}", storage.trace());
            }
        }
    }
    for seed in 0..20 {
        let after = storage.power_cut(seed);
        let image = image(&after);
        assert_eq!(image.keyframe, Some(keyframe(500, 0..5)));
        assert_eq!((image.history, image.damage), (0..5, vec![]));
        assert_lines(&after, 0..5);
    }
}

#[test]
fn two_keyframes_are_kept_and_a_bad_one_falls_back_to_the_older() {
    let storage = SimStorage::new(1);
    let mut worker = worker(&storage);
    for n in 1..=3 {
        let archived =
            run(&mut worker, job(&[n * 5 - 5..n * 5], Some(keyframe(n * 100, 0..n * 5))));
        let older = (n > 1).then(|| keyframe(n * 100 - 100, 0..0).position);
        assert_eq!(archived.release, older);
    }
    let path = |offset| Keyframe::path(&pane_dir(pane(1)), offset);
    let keyframes =
        |storage: &SimStorage| names(storage).iter().filter(|n| n.ends_with("keyframe")).count();
    assert_eq!(keyframes(&storage), 2);
    storage.flip_bit(&path(300), 8 * 90);
    let image = image(&storage);
    assert_eq!(image.keyframe, Some(keyframe(200, 0..10)));
    let [damage @ crate::persistence::scrollback::Damage::Keyframe { .. }] = &image.damage[..]
    else {
        panic!("{:?}", image.damage);
    };
    assert_eq!(image.history, 0..10, "lines 10 to 15 have offset 1500, beyond the bad keyframe");
    let aside = damage.set_aside(&storage).unwrap().unwrap();
    assert!(aside.starts_with("quarantine"), "{aside:?}");
    assert_eq!(self::image(&storage).damage, []);
}

/// The lock and the socket of a keeper that lives are in there.
#[test]
fn a_directory_that_cannot_be_listed_stays_where_it_is() {
    let storage = SimStorage::new(1);
    run(&mut worker(&storage), job(&[0..5], Some(keyframe(100, 0..5))));
    let before = names(&storage);
    let index = SpoolIndex::scan(&storage, Uuid::nil(), Uuid::nil()).unwrap();
    storage.fail(CallKind::List, 1, u64::MAX, Fault::Io);
    let shared: Arc<dyn Storage> = Arc::new(storage.clone());
    let image = load_pane(&shared, &index, pane(1), &mut |_| Ok(())).unwrap();
    storage.heal();
    assert!(!image.damage.is_empty());
    for damage in &image.damage {
        assert_eq!(damage.set_aside(&storage).unwrap(), None, "{damage}");
    }
    assert_eq!(names(&storage), before);
}

#[test]
fn the_same_point_keyframed_twice_releases_the_spool() {
    let storage = SimStorage::new(1);
    let mut first = worker(&storage);
    run(&mut first, job(&[], Some(keyframe(100, 0..0))));
    run(&mut first, job(&[], Some(keyframe(200, 0..0))));
    let archived = run(&mut first, job(&[], Some(keyframe(200, 0..0))));
    assert_eq!(archived.release, Some(keyframe(200, 0..0).position));
    assert_eq!(names(&storage).len(), 2);
    // Another process takes one of its own before it relies on that of an earlier one.
    let mut second = worker(&storage);
    for released in [100, 200] {
        let archived = run(&mut second, job(&[], Some(keyframe(200, 0..0))));
        assert_eq!(archived.release, Some(keyframe(released, 0..0).position));
    }
    assert_eq!(names(&storage).len(), 2);
}

#[test]
fn a_keyframe_removes_those_of_another_course_of_events() {
    let storage = SimStorage::new(1);
    run(&mut worker(&storage), job(&[], Some(keyframe(100, 0..0))));
    run(&mut worker(&storage), job(&[], Some(keyframe(900, 0..0))));
    run(&mut worker(&storage), job(&[], Some(keyframe(300, 0..0))));
    assert_eq!(image(&storage).keyframe, Some(keyframe(300, 0..0)));
}

#[test]
fn each_process_begins_a_chunk_and_stale_lines_are_replaced() {
    let storage = SimStorage::new(1);
    run(&mut worker(&storage), job(&[0..4, 4..9], Some(keyframe(100, 0..9))));
    run(&mut worker(&storage), job(&[9..12, 12..20], None));
    // The keyframe knows only nine lines: the next process goes on there.
    run(&mut worker(&storage), job(&[9..13], Some(keyframe(200, 0..13))));
    assert_eq!(chunk_count(&storage), 2);
    assert_lines(&storage, 0..13);
    let mut last = worker(&storage);
    let archived = run(&mut last, job(&[6..10], None));
    assert_eq!(archived.end_line, Some(10));
    run(&mut last, job(&[10..11, 15..16], None));
    assert_lines(&storage, 0..11);
    assert_lines(&storage, 15..16);
}

#[test]
fn chunks_are_completed_and_the_oldest_go_beyond_the_limits() {
    let storage = SimStorage::new(1);
    let mut worker = worker(&storage);
    // 2 KiB a line: about 2048 lines a chunk.
    for n in 0..50 {
        run(&mut worker, job(&[n * 200..n * 200 + 200], None));
    }
    let chunks = chunk_count(&storage);
    assert_eq!(chunks, 5);
    assert_lines(&storage, 0..10_000);
    let limited = |limits| ArchiveJob { limits, ..job(&[], None) };
    let by_lines = HistoryLimits { lines: Some(5000), bytes: u64::MAX, total: u64::MAX };
    let archived = run(&mut worker, limited(by_lines));
    let first = archived.first_line.unwrap();
    assert!((2800..=5000).contains(&first), "{first}");
    assert_lines(&storage, first..10_000);
    let by_bytes = HistoryLimits { lines: None, bytes: 5 << 20, total: u64::MAX };
    let archived = run(&mut worker, limited(by_bytes));
    assert!(archived.bytes <= 5 << 20, "{archived:?}");
    let on_disk: usize = storage.files().iter().map(|(_, bytes)| bytes.len()).sum();
    assert_eq!(on_disk as u64, archived.bytes);
    assert_lines(&storage, archived.first_line.unwrap()..10_000);
}

#[test]
fn the_longest_history_pays_for_the_total() {
    let storage = SimStorage::new(1);
    let mut first = worker(&storage);
    for n in 0..25 {
        run(&mut first, job(&[n * 200..n * 200 + 200], None));
    }
    let mut worker = Worker::new(Arc::new(storage.clone())).unwrap();
    worker.measure().unwrap();
    let limits = HistoryLimits { total: 9 << 20, ..UNLIMITED };
    let lines = job(std::slice::from_ref(&(0..200)), None);
    run(&mut worker, ArchiveJob { pane: pane(2), limits, ..lines });
    let bytes: usize = storage.files().iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(bytes <= 9 << 20, "{bytes}");
    let history = PaneHistory::open(Arc::new(storage.clone()), pane(1), 0..5000).unwrap();
    assert!(history.first_line() > 0);
}

#[test]
fn cleared_history_leaves_the_disk() {
    let storage = SimStorage::new(1);
    let mut worker = worker(&storage);
    run(&mut worker, job(&[0..5], Some(keyframe(100, 0..5))));
    let archived = run(&mut worker, job(&[5..7], Some(keyframe(200, 7..7))));
    assert_eq!((archived.first_line, archived.bytes), (None, 0));
    assert_eq!(chunk_count(&storage), 0);
    run(&mut worker, job(&[7..9], Some(keyframe(300, 7..9))));
    let image = image(&storage);
    assert_eq!((image.history, image.damage), (7..9, vec![]));
    assert_lines(&storage, 7..9);
}

#[test]
fn history_that_nobody_cleared_stays() {
    let storage = SimStorage::new(1);
    let mut worker = worker(&storage);
    run(&mut worker, job(&[0..9], None));
    // Of a terminal that had to begin anew and knows of no lines.
    run(&mut worker, job(&[], Some(keyframe(200, 0..0))));
    assert_lines(&storage, 0..9);
    run(&mut worker, job(&[9..12], Some(keyframe(300, 12..12))));
    assert_eq!(chunk_count(&storage), 0);
}

#[test]
fn a_keyframe_that_cannot_be_thawed_falls_back_to_the_older() {
    let storage = SimStorage::new(1);
    let mut worker = worker(&storage);
    run(&mut worker, job(&[0..5], Some(keyframe(100, 0..5))));
    run(&mut worker, job(&[5..9], Some(keyframe(200, 0..9))));
    let (index, dyn_storage) =
        (SpoolIndex::scan(&storage, Uuid::nil(), Uuid::nil()).unwrap(), Arc::new(storage.clone()));
    let mut tried = Vec::new();
    let mut thaw = |keyframe: &Keyframe| {
        tried.push(keyframe.position.offset);
        if keyframe.position.offset == 200 { Err("of another kind".to_owned()) } else { Ok(()) }
    };
    let image = load_pane(&(dyn_storage as Arc<dyn Storage>), &index, pane(1), &mut thaw).unwrap();
    assert_eq!(tried, [200, 100]);
    assert_eq!(image.keyframe, Some(keyframe(100, 0..5)));
    let [damage] = &image.damage[..] else { panic!("{:?}", image.damage) };
    assert!(damage.to_string().contains("of another kind"), "{damage}");
}

#[test]
fn one_fault_anywhere_costs_nothing() {
    use CallKind::{Create, CreateDir, List, Open, Read, Remove, Rename, Sync, SyncDir, Write};
    for kind in [Create, CreateDir, List, Open, Read, Remove, Rename, Sync, SyncDir, Write] {
        for (nth, fault) in (1..9).flat_map(|nth| [(nth, Fault::Io), (nth, Fault::NoSpace)]) {
            let storage = SimStorage::new(nth);
            let mut worker = worker(&storage);
            run(&mut worker, job(&[0..3], Some(keyframe(100, 0..3))));
            run(&mut worker, job(&[3..5], None));
            storage.fail(kind, nth, 1, fault);
            let archived = run(&mut worker, job(&[5..6, 6..9], Some(keyframe(200, 0..9))));
            assert_eq!(archived.end_line, Some(9), "{kind:?} {nth} {fault:?}");
            let storage = storage.power_cut(nth);
            let image = image(&storage);
            assert_eq!(image.keyframe, Some(keyframe(200, 0..9)), "{kind:?} {nth} {fault:?}");
            assert_eq!(image.damage, [], "{kind:?} {nth} {fault:?}");
            assert_lines(&storage, 0..9);
        }
    }
}

#[test]
fn a_failing_task_waits_and_is_tried_again() {
    let storage = SimStorage::new(1);
    let (tell, told) = mpsc::channel();
    let notify = Box::new(move || tell.send(()).unwrap_or_default());
    let options = ArchiverOptions { queue_bytes: 4096 };
    storage.fail(CallKind::Create, 1, 4, Fault::NoSpace);
    let mut archiver = Archiver::start(Arc::new(storage.clone()), options, notify).unwrap();
    archiver.submit(job(&[0..2], None));
    archiver.submit(job(&[2..4], Some(keyframe(100, 0..4))));
    let mut events = Vec::new();
    while !events.contains(&ArchiveEvent::Recovered) {
        told.recv().unwrap();
        events.extend(archiver.drain_completions());
    }
    assert!(matches!(events[0], ArchiveEvent::Degraded(_)), "{events:?}");
    let last = archiver.finish();
    events.extend(last);
    let ends: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            ArchiveEvent::Archived(archived) => Some(archived.end_line),
            _ => None,
        })
        .collect();
    assert_eq!(ends, [Some(2), Some(4)], "in order");
    assert_eq!(image(&storage).damage, []);
    assert_lines(&storage, 0..4);
}

#[test]
fn the_queue_is_bounded_in_bytes_and_drained_at_the_end() {
    let storage = SimStorage::new(1);
    // As long as reading the directory of the panes fails nothing gets through.
    storage.fail(CallKind::CreateDir, 1, 1000, Fault::Io);
    let options = ArchiverOptions { queue_bytes: 10 << 10 };
    let mut archiver =
        Archiver::start(Arc::new(storage.clone()), options, Box::new(|| ())).unwrap();
    let mut lines = 0;
    while archiver.has_room() {
        archiver.submit(job(&[lines..lines + 1], None));
        lines += 1;
    }
    assert_eq!(lines, 5);
    storage.heal();
    let events = archiver.finish();
    assert!(events.iter().any(|e| matches!(e, ArchiveEvent::Archived(a) if a.end_line == Some(5))));
    assert_lines(&storage, 0..5);
}

/// A flood takes all processors that there are: compressing its history must not hold up those who read it.
#[cfg(target_os = "linux")]
#[test]
fn the_archiver_runs_after_others() {
    let nice = || rustix::process::getpriority_process(None).unwrap();
    let (tell, told) = mpsc::channel();
    let notify = Box::new(move || tell.send(nice()).unwrap_or_default());
    let storage = Arc::new(SimStorage::new(1));
    let mut archiver = Archiver::start(storage, ArchiverOptions::default(), notify).unwrap();
    archiver.submit(job(&[0..2], None));
    assert_eq!(told.recv().unwrap(), (nice() + 10).min(19));
}

#[test]
fn a_closed_pane_leaves_nothing_behind() {
    let storage = SimStorage::new(1);
    let mut archiver =
        Archiver::start(Arc::new(storage.clone()), ArchiverOptions::default(), Box::new(|| ()))
            .unwrap();
    archiver.submit(job(&[0..2], Some(keyframe(100, 0..2))));
    archiver.submit(ArchiveJob { pane: pane(2), ..job(std::slice::from_ref(&(0..1)), None) });
    archiver.remove(pane(1));
    archiver.remove(pane(3));
    let events = archiver.finish();
    assert!(events.contains(&ArchiveEvent::Removed(pane(1))), "{events:?}");
    assert!(events.contains(&ArchiveEvent::Removed(pane(3))), "one that never was is gone too");
    let storage = storage.power_cut(1);
    storage.create_dir(Path::new("panes/not-a-pane")).unwrap();
    assert_eq!(stored_panes(&storage).unwrap(), [pane(2)]);
}

/// After `clear-history` no file holds what was cleared: not the older keyframe, and not the chunk
/// that was being written.
#[test]
fn an_only_keyframe_is_all_that_stays() {
    let storage = SimStorage::new(1);
    let mut worker = worker(&storage);
    run(&mut worker, job(&[0..5], Some(keyframe(500, 0..5))));
    run(&mut worker, job(&[5..8], Some(keyframe(800, 0..8))));
    let job = job(&[8..10], Some(keyframe(1000, 8..10)));
    let mut task = Task::Rewrite { job, source: None, is_sole: true };
    let Ok(ArchiveEvent::Archived(archived)) = worker.run(&mut task) else { panic!("it is done") };
    assert_eq!(archived.release, Some(keyframe(1000, 0..0).position));
    assert_eq!(archived.first_line, Some(8));
    let purged = storage.fork();
    for seed in 0..10 {
        let after = storage.power_cut(seed);
        let only = ["00000000000000000008.chunk", "00000000000000001000.keyframe"];
        let mut names = names(&after);
        names.retain(|name| !name.ends_with("gone"));
        assert_eq!(names, only);
        assert_eq!((image(&after).history, image(&after).damage), (8..10, vec![]));
        assert_lines(&after, 8..10);
    }
    self::worker(&purged).run(&mut Task::Purge(pane(1))).unwrap();
    assert_eq!(names(&purged), Vec::<String>::new());
}

/// A pane that the disk refused comes home: history of its stash, then lines, then the keyframe.
/// Wherever the power goes there is the keyframe before or the next, with all its lines; and an error
/// of the disk only makes it take longer.
#[test]
fn coming_home_can_be_cut_short_anywhere() {
    use crate::persistence::stash::{StashStorage, test_memory::TestMemory};
    let memory = StashStorage::format(Box::new(TestMemory::default())).unwrap();
    let stash: Arc<dyn Storage> = Arc::new(memory);
    let mut in_stash = Worker::new(Arc::clone(&stash)).unwrap();
    run(&mut in_stash, job(&[5..7, 7..9], Some(keyframe(900, 0..9))));
    let storage = SimStorage::new(1);
    run(&mut worker(&storage), job(&[0..5], Some(keyframe(500, 0..5))));
    let come_home = |storage: &SimStorage| {
        let source = HistorySource { storage: Arc::clone(&stash), lines: 5..9 };
        let job = job(&[9..11], Some(keyframe(1100, 0..11)));
        let mut task = Task::Rewrite { job, source: Some(source), is_sole: false };
        worker(storage).run(&mut task)
    };
    let whole = storage.fork();
    come_home(&whole).unwrap();
    let calls = whole.calls() - storage.calls();
    assert!(calls > 10, "{calls}");
    for call in 1..=calls {
        for fault in [Fault::PowerCut, Fault::Io, Fault::NoSpace] {
            let struck = storage.fork();
            struck.strike(struck.calls() + call, fault);
            let done = come_home(&struck);
            assert!(fault == Fault::PowerCut || done.is_ok(), "{call} {fault:?}: {done:?}");
            let after = struck.power_cut(call);
            let image = image(&after);
            assert_eq!(image.damage, vec![], "{call} {fault:?}");
            let is_home = image.keyframe == Some(keyframe(1100, 0..11));
            assert!(is_home || (done.is_err() && image.keyframe == Some(keyframe(500, 0..5))));
            assert_lines(&after, image.history);
        }
    }
}

/// Goal: P6 at every moment. Method: stop the disk at each call of a job for which there is no room
/// yet, and add up what is there.
#[test]
fn room_is_made_before_lines_are_written() {
    let stored = |storage: &SimStorage| -> u64 {
        storage.files().iter().map(|(_, bytes)| bytes.len() as u64).sum()
    };
    let before = SimStorage::new(1);
    let mut first = worker(&before);
    for n in 0..20 {
        let known = (n == 19).then(|| keyframe(40_000, 0..4000));
        run(&mut first, job(&[n * 200..n * 200 + 200], known));
    }
    // Half of what the next lines take.
    let limit = stored(&before) + (200 << 10);
    for limits in
        [HistoryLimits { bytes: limit, ..UNLIMITED }, HistoryLimits { total: limit, ..UNLIMITED }]
    {
        for call in 1.. {
            let storage = before.fork();
            storage.strike(storage.calls() + call, Fault::PowerCut);
            let mut worker = worker(&storage);
            let next = ArchiveJob { limits, ..job(std::slice::from_ref(&(4000..4200)), None) };
            let is_done = worker.measure().is_ok() && worker.run(&mut Task::Archive(next)).is_ok();
            let after = storage.kill();
            assert!(stored(&after) <= limit, "call {call}");
            if is_done {
                assert_lines(&after, 4000..4200);
                break;
            }
        }
    }
}
