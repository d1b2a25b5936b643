//! The syncer's thread: when it is woken, and what it does then.

use super::*;

#[test]
fn the_syncer_thread_syncs_leaves_degraded_mode_and_sleeps_otherwise() {
    let storage = SimStorage::new(5);
    let (tell, told) = mpsc::channel();
    let index = scan(&storage);
    let notify = Box::new(move || tell.send(()).unwrap_or_default());
    let mut spool = Spool::open(Arc::new(storage.clone()), &index, options(), notify);
    spool.start_syncer().unwrap();
    print(&mut spool, pane(1), b"healthy ");
    storage.fail(CallKind::Write, 1, 3, Fault::NoSpace);
    spool.append(bytes_frame(pane(1), 8, b"refused")).unwrap_err();
    spool.wake_syncer();
    let mut events = spool.drain_events();
    while !events.contains(&SpoolEvent::Recovered) {
        told.recv().unwrap();
        events.extend(spool.drain_events());
    }
    assert!(matches!(events[..], [SpoolEvent::Degraded(_), SpoolEvent::Recovered]), "{events:?}");
    print(&mut spool, pane(1), b"again");
    drop(spool);
    assert_eq!(replayed(&storage.power_cut(1), pane(1)), "healthy again");
    assert!(told.try_recv().is_err(), "nothing was worth a word after that");
}

/// The server told the syncer of frames at the end of a turn, and a turn in which many panes print takes long.
/// Its thread may also lose its processor between two of them.
#[test]
fn the_syncer_is_woken_for_an_echo_later_and_in_a_long_turn_at_once() {
    let storage = SimStorage::new(1);
    let mut spool = open(&storage);
    spool.sync();
    print(&mut spool, pane(1), b"echo");
    spool.wake_late_syncer();
    assert!(spool.is_wake_due, "the turn has just begun");
    spool.wake_syncer();
    assert!(!spool.is_wake_due);
    for (len, is_left_asleep) in [(ECHO_BYTES_MAX, true), (ECHO_BYTES_MAX + 1, false)] {
        spool.sync();
        print(&mut spool, pane(1), &vec![b'x'; len]);
        assert_eq!(spool.is_wake_due, is_left_asleep, "{len} bytes");
    }

    let options = SpoolOptions { wake_delay_max: Duration::ZERO, ..options() };
    let mut spool = open_with(&storage, options);
    spool.sync();
    let shared = Arc::clone(&spool.shared);
    let mut log = shared.lock();
    thread::scope(|scope| {
        // It gets the lock once this thread sleeps, as the syncer does.
        scope.spawn(|| print(&mut spool, pane(1), b"flood"));
        while !log.is_dirty() {
            let (woken, wait) = shared.wake.wait_timeout(log, DEADLINE).unwrap();
            assert!(!wait.timed_out(), "nobody wakes the syncer");
            log = woken;
        }
        drop(log);
    });
    assert!(!spool.is_wake_due);
}
