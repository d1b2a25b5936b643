//! Closed panes whose output is kept for a while.

use ccmux_core::ids::PaneId;

use super::*;
use crate::persistence::scrollback::archive::worker::CLOSED_MAX;
use crate::persistence::scrollback::closed_pane;

fn note(at: u64) -> ClosedPane {
    ClosedPane { id: PaneId(7), command: "make".into(), title: "日本".into(), at: Timestamp(at) }
}

fn keep(worker: &mut Worker, pane: PaneUuid, at: u64) -> ArchiveEvent {
    worker.run(&mut Task::Keep { pane, note: note(at), total: u64::MAX }).unwrap()
}

#[test]
fn closed_panes_pay_for_the_total_before_open_ones() {
    let storage = SimStorage::new(1);
    let mut worker = worker(&storage);
    for n in 1..=3 {
        let lines = job(std::slice::from_ref(&(0..200)), Some(keyframe(100, 0..200)));
        run(&mut worker, ArchiveJob { pane: pane(n), ..lines });
    }
    keep(&mut worker, pane(2), 5);
    keep(&mut worker, pane(1), 9);
    let limits = HistoryLimits { total: 1100 << 10, ..UNLIMITED };
    let lines = job(std::slice::from_ref(&(200..300)), None);
    run(&mut worker, ArchiveJob { pane: pane(3), limits, ..lines });
    assert_eq!(worker.take_removed().collect::<Vec<_>>(), [pane(2)], "closed first");
    assert_eq!(stored_panes(&storage).unwrap(), [pane(1), pane(3)]);
    let history = PaneHistory::open(Arc::new(storage.clone()), pane(3), 0..300).unwrap();
    assert_eq!(history.first_line(), 0, "what is open is whole");
}

#[test]
fn closed_panes_are_bounded_in_number() {
    let storage = SimStorage::new(1);
    let mut worker = worker(&storage);
    for n in 1..=CLOSED_MAX as u64 + 2 {
        let closing = ArchiveJob { pane: pane(n.into()), ..job(&[], Some(keyframe(100, 0..0))) };
        run(&mut worker, closing);
        keep(&mut worker, pane(n.into()), n);
    }
    assert_eq!(worker.take_removed().collect::<Vec<_>>(), [pane(1), pane(2)]);
    assert_eq!(stored_panes(&storage).unwrap().len(), CLOSED_MAX);
}

/// Goal: a kept pane is found as such or as one whose closing is to be finished, with all its
/// output, whenever the power fails. Method: fail it at each call of the disk.
#[test]
fn a_note_is_there_or_not_and_never_half() {
    let before = SimStorage::new(1);
    run(&mut worker(&before), job(std::slice::from_ref(&(0..5)), Some(keyframe(100, 0..5))));
    let calls = {
        let storage = before.fork();
        keep(&mut worker(&storage), pane(1), 5);
        storage.calls() - before.calls()
    };
    for call in 1..=calls {
        let storage = before.fork();
        storage.strike(storage.calls() + call, Fault::PowerCut);
        let _cut_short =
            worker(&storage).run(&mut Task::Keep { pane: pane(1), note: note(5), total: 0 });
        let after = storage.kill();
        let found = closed_pane(&after, pane(1)).unwrap();
        assert!(found.is_none() || found == Some(note(5)), "call {call}: {found:?}");
        assert_lines(&after, 0..5);
        // What was cut short is made up for.
        keep(&mut worker(&after), pane(1), 5);
        for seed in 0..5 {
            let later = after.power_cut(seed);
            assert_eq!(closed_pane(&later, pane(1)).unwrap(), Some(note(5)), "call {call}");
            assert_lines(&later, 0..5);
        }
    }
}

#[test]
fn a_pane_that_is_written_for_again_is_not_closed() {
    let storage = SimStorage::new(1);
    let mut worker = worker(&storage);
    run(&mut worker, job(std::slice::from_ref(&(0..5)), Some(keyframe(100, 0..5))));
    keep(&mut worker, pane(1), 5);
    assert_eq!(closed_pane(&storage, pane(1)).unwrap(), Some(note(5)));
    run(&mut worker, job(std::slice::from_ref(&(5..6)), Some(keyframe(200, 0..6))));
    assert_eq!(closed_pane(&storage, pane(1)).unwrap(), None);
}

/// Goal: what is to go is not missed, and goes. Method: cut the power at each call of the removal, with any of
/// what was not synced done and the rest not. A part of the files was gone then, and the note there that called
/// them kept.
#[test]
fn a_closed_pane_goes_as_a_whole_whenever_the_power_fails() {
    let before = SimStorage::new(1);
    let mut first = worker(&before);
    first.set_chunk_bytes(1);
    for lines in [0..5, 5..9, 9..12] {
        let end = lines.end;
        run(&mut first, job(&[lines], Some(keyframe(end * 100, 0..end))));
    }
    keep(&mut first, pane(1), 5);
    assert_eq!(chunk_count(&before), 3);
    let calls = {
        let storage = before.fork();
        worker(&storage).run(&mut Task::Remove(pane(1))).unwrap();
        assert!(storage.list(Path::new("panes")).unwrap().is_empty());
        storage.calls() - before.calls()
    };
    for call in 1..=calls + 1 {
        let struck = before.fork();
        struck.strike(struck.calls() + call, Fault::PowerCut);
        let _cut_short = worker(&struck).run(&mut Task::Remove(pane(1)));
        let killed = struck.kill();
        for storage in (0..20).map(|seed| killed.fork().power_cut(seed)).chain([killed.fork()]) {
            let is_there = stored_panes(&storage).unwrap() == [pane(1)];
            if is_there {
                assert_eq!(closed_pane(&storage, pane(1)).unwrap(), Some(note(5)), "call {call}");
                assert_eq!(image(&storage).damage, [], "call {call}");
                assert_lines(&storage, 0..12);
            }
            let next = worker(&storage);
            next.finish_removals().unwrap();
            let left = storage.list(Path::new("panes")).unwrap();
            assert_eq!(left.is_empty(), !is_there, "call {call}: {left:?}");
        }
    }
}

/// A name that is longer takes room in a directory that may have none.
#[test]
fn a_closed_pane_goes_although_the_disk_is_full() {
    let storage = SimStorage::new(1);
    let mut worker = worker(&storage);
    run(&mut worker, job(std::slice::from_ref(&(0..5)), Some(keyframe(100, 0..5))));
    keep(&mut worker, pane(1), 5);
    storage.fail(CallKind::Rename, 1, u64::MAX, Fault::NoSpace);
    worker.run(&mut Task::Remove(pane(1))).unwrap();
    assert!(storage.power_cut(1).list(Path::new("panes")).unwrap().is_empty());
}
