//! Segments go: in their order, beside syncs, and not before it is known that they may.

use super::*;

/// What a segment of [`print_and_release`] takes.
const SEGMENT: u64 = HEADER + FRAME_HEADER_BYTES as u64 + 3000;

/// Fills a segment, and gives up those before it.
fn print_and_release(log: &mut SpoolLog) {
    let offset = log.position(pane(1)).unwrap_or_default().offset;
    let end = log.append(&bytes_frame(pane(1), offset, &[b'x'; 3000])).unwrap();
    log.release(pane(1), end);
}

#[test]
fn what_is_appended_while_segments_are_removed_becomes_durable_and_they_go_in_order() {
    let storage = SimStorage::new(1);
    let mut log = SpoolLog::open(Arc::new(storage.clone()), &scan(&storage), options());
    let print = |log: &mut SpoolLog| {
        let offset = log.position(pane(1)).unwrap_or_default().offset;
        log.append(&bytes_frame(pane(1), offset, &[b'x'; 3000])).unwrap()
    };
    let sync = |log: &mut SpoolLog| {
        let work = log.begin_sync().unwrap();
        let result = work.run(&storage);
        log.finish_sync(&work, result);
        let (durable, appended) = log.progress();
        assert_eq!(durable, appended);
    };
    for _ in 0..3 {
        let end = print(&mut log);
        log.release(pane(1), end);
    }
    sync(&mut log);
    assert_eq!(storage.files().len(), 3, "a sync removes nothing itself");
    let first = log.begin_removal();
    assert_eq!(first, [1, 2]);

    let end = print(&mut log);
    log.release(pane(1), end);
    sync(&mut log);
    assert!(log.begin_removal().is_empty(), "the earlier ones are still being removed");
    storage.fail(CallKind::Remove, 2, 1, Fault::Io);
    let removed = remove_segments(&storage, &first);
    assert_eq!(removed.count, 1);
    log.finish_removal(&first, removed);
    assert!(log.begin_removal().is_empty(), "what failed waits for the next sync");

    print(&mut log);
    sync(&mut log);
    assert_eq!(log.begin_removal(), [2, 3, 4], "a later one does not go before an earlier one");
}

/// A log in which so many segments of pane 1 are no longer needed, and one is.
fn log_with_unneeded(storage: &SimStorage, count: usize) -> SpoolLog {
    let mut log = SpoolLog::open(Arc::new(storage.clone()), &scan(storage), options());
    for _ in 0..count {
        print_and_release(&mut log);
    }
    print_and_release(&mut log);
    log
}

fn sync_log(log: &mut SpoolLog, storage: &SimStorage) {
    let work = log.begin_sync().unwrap();
    let result = work.run(storage);
    log.finish_sync(&work, result);
}

/// Later segments went before an older one that could not be removed while they were being synced.
#[test]
fn a_removal_that_fails_beside_a_sync_keeps_the_order() {
    for does_sync_fail in [false, true] {
        let storage = SimStorage::new(1);
        let mut log = log_with_unneeded(&storage, 2);
        sync_log(&mut log, &storage);
        let first = log.begin_removal();
        assert_eq!(first, [1, 2]);
        print_and_release(&mut log);
        let work = log.begin_sync().unwrap();
        storage.fail(CallKind::Remove, 1, 1, Fault::Io);
        let removed = remove_segments(&storage, &first);
        log.finish_removal(&first, removed);
        if does_sync_fail {
            storage.fail(CallKind::Sync, 1, 1, Fault::Io);
        }
        let result = work.run(&storage);
        log.finish_sync(&work, result);
        assert!(log.begin_removal().is_empty(), "what is left is older than what was synced");
        print_and_release(&mut log);
        sync_log(&mut log, &storage);
        let next = log.begin_removal();
        assert!(next.starts_with(&[1, 2, 3]) && next.is_sorted(), "{next:?}");
    }
}

/// What waited for a removal that succeeded at last was synced by nobody: the syncer slept.
#[test]
fn a_removal_that_succeeds_at_last_leaves_work_to_do() {
    let storage = SimStorage::new(1);
    let mut log = log_with_unneeded(&storage, 1);
    sync_log(&mut log, &storage);
    let first = log.begin_removal();
    storage.fail(CallKind::Remove, 1, 1, Fault::Io);
    let removed = remove_segments(&storage, &first);
    log.finish_removal(&first, removed);
    assert!(!log.is_dirty(), "it waits for something to sync");
    let is_left = |log: &SpoolLog| log.stuck_bytes().is_some_and(|bytes| bytes > 0);
    assert!(is_left(&log), "and people are told");
    print_and_release(&mut log);
    sync_log(&mut log, &storage);
    let again = log.begin_removal();
    for _ in 0..2 {
        let offset = log.position(pane(1)).unwrap().offset;
        log.append(&bytes_frame(pane(1), offset, &[b'x'; 3000])).unwrap();
    }
    sync_log(&mut log, &storage);
    log.release(pane(1), log.position(pane(1)).unwrap());
    assert!(!log.is_dirty(), "removals are stuck as far as is known");
    let removed = remove_segments(&storage, &again);
    log.finish_removal(&again, removed);
    assert!(log.is_dirty(), "so whoever finishes a removal wakes the syncer");
    assert_eq!(log.stuck_bytes(), None);
}

/// Whoever was told that a directory could not be synced had the next one believe that it was (P8).
#[test]
fn nothing_goes_once_it_is_not_known_that_a_segment_is_gone() {
    let storage = SimStorage::new(1);
    let mut log = log_with_unneeded(&storage, 2);
    sync_log(&mut log, &storage);
    let first = log.begin_removal();
    // That of the note before.
    storage.fail(CallKind::SyncDir, 2, 1, Fault::Io);
    let removed = remove_segments(&storage, &first);
    assert_eq!(removed.count, 0);
    assert_eq!(log.stuck_bytes(), None);
    log.finish_removal(&first, removed);
    assert!(log.stuck_bytes().is_some(), "people are told");
    for _ in 0..2 {
        print_and_release(&mut log);
        sync_log(&mut log, &storage);
        assert!(log.begin_removal().is_empty());
    }
    let (durable, appended) = log.progress();
    assert_eq!(durable, appended);
    assert_eq!(damage(&storage.fork()), []);
    let mut spool = open(&storage.kill());
    let end = spool.position(pane(1)).unwrap();
    spool.release(pane(1), end);
    assert_eq!(spool.sync(), Health::Durable);
}

/// A flood on a disk whose removals were slow made the spool as long as it liked, because what was to go was no
/// longer counted.
#[test]
fn output_waits_for_removals_that_are_slow() {
    let storage = SimStorage::new(1);
    let options = SpoolOptions { leaving_bytes_max: 2 * SEGMENT, ..options() };
    let bytes_max = options.total_bytes + options.leaving_bytes_max;
    let (notify, news) = mpsc::channel();
    let notify = Box::new(move || notify.send(()).expect("the test listens"));
    let spool = Spool::open(Arc::new(storage.clone()), &scan(&storage), options, notify);
    let on_disk = || storage.files().iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>();
    for _ in 0..3 {
        let mut segments = 0;
        while spool.has_room() {
            print_and_release(&mut spool.shared.lock());
            assert!(spool.shared.sync_once());
            assert_eq!(spool.bytes(), on_disk(), "what is still there counts");
            segments += 1;
            assert!(segments < 20, "{} bytes", spool.bytes());
        }
        assert!((bytes_max..bytes_max + SEGMENT).contains(&on_disk()), "{}", on_disk());
        assert_eq!(news.try_recv(), Err(mpsc::TryRecvError::Empty));
        assert!(spool.shared.remove_once());
        assert_eq!(news.try_recv(), Ok(()), "whoever waits is told");
        assert_eq!(spool.bytes(), on_disk());
    }
}

/// Programs would stand still for ever if a disk removed nothing at all, and nobody could mend that by waiting.
#[test]
fn nobody_waits_for_a_removal_that_fails() {
    for kind in [CallKind::Remove, CallKind::SyncDir] {
        let storage = SimStorage::new(1);
        let options = SpoolOptions { total_bytes: 0, leaving_bytes_max: 0, ..options() };
        let spool =
            Spool::open(Arc::new(storage.clone()), &scan(&storage), options, Box::new(|| ()));
        for _ in 0..3 {
            print_and_release(&mut spool.shared.lock());
        }
        assert!(spool.shared.sync_once() && !spool.has_room());
        storage.fail(kind, 1, 1, Fault::Io);
        assert!(spool.shared.remove_once());
        assert!(spool.has_room(), "{kind:?}");
    }
}

/// What waited for a removal that succeeded at last was synced by nobody: the syncer slept.
#[test]
fn a_removal_that_succeeds_at_last_wakes_the_syncer() {
    let storage = SimStorage::new(1);
    let spool = Spool::open(Arc::new(storage.clone()), &scan(&storage), options(), Box::new(|| ()));
    let shared = &spool.shared;
    for _ in 0..2 {
        print_and_release(&mut shared.lock());
    }
    storage.fail(CallKind::Remove, 1, 1, Fault::Io);
    assert!(shared.sync_once() && shared.remove_once());
    print_and_release(&mut shared.lock());
    print_and_release(&mut shared.lock());
    assert!(shared.sync_once(), "removals are tried once more");
    for _ in 0..2 {
        let offset = shared.lock().position(pane(1)).unwrap().offset;
        shared.lock().append(&bytes_frame(pane(1), offset, &[b'x'; 3000])).unwrap();
    }
    assert!(shared.sync_once());
    let mut log = shared.lock();
    let end = log.position(pane(1)).unwrap();
    log.release(pane(1), end);
    assert!(!log.is_dirty(), "it is not known yet whether they go");
    thread::scope(|scope| {
        // It gets the lock once this thread sleeps, as the syncer does.
        scope.spawn(|| assert!(shared.remove_once()));
        while !log.is_dirty() {
            let (woken, wait) = shared.wake.wait_timeout(log, DEADLINE).unwrap();
            assert!(!wait.timed_out(), "nobody wakes the syncer");
            log = woken;
        }
    });
}

/// What would follow them is not there, or not known to be on the disk.
#[test]
fn nothing_is_removed_while_degraded() {
    let storage = SimStorage::new(1);
    let mut log = log_with_unneeded(&storage, 2);
    storage.fail(CallKind::Write, 1, 2, Fault::Io);
    let offset = log.position(pane(1)).unwrap().offset;
    log.append(&bytes_frame(pane(1), offset, b"refused")).unwrap_err();
    assert!(log.needs_retry());
    assert!(!log.is_dirty() && log.begin_sync().is_none());
    assert!(log.begin_removal().is_empty());
    log.retry();
    sync_log(&mut log, &storage);
    assert!(log.begin_removal().starts_with(&[1, 2]));
}
