//! Which lines are missed at a start: those that no limit took.

use super::*;
use crate::persistence::scrollback::keyframe::keyframes_in;
use crate::persistence::scrollback::layout::{CHUNK_SUFFIX, GONE_SUFFIX, number_of, numbered};
use crate::persistence::scrollback::{Damage, PaneImage, examine_pane};

/// Two blocks of ten lines make a chunk.
const CHUNK_BYTES: u64 = 40 << 10;
/// Two chunks, and what is being written.
const LIMITS: HistoryLimits = HistoryLimits { bytes: 90 << 10, ..UNLIMITED };

fn dir() -> std::path::PathBuf {
    pane_dir(pane(1))
}

fn worker(storage: &SimStorage) -> Worker {
    let mut worker = super::worker(storage);
    worker.set_chunk_bytes(CHUNK_BYTES);
    worker
}

/// Ten lines, with a keyframe behind every third ten.
fn lines(step: u64) -> ArchiveJob {
    let (first, end) = (step * 10, step * 10 + 10);
    let keyframe = (step % 3 == 2).then(|| keyframe(end * 100, 0..end));
    ArchiveJob { limits: LIMITS, ..job(&[first..end], keyframe) }
}

/// A pane of which a limit took the first chunks after its newest keyframe, which counts them.
fn trimmed(storage: &SimStorage) -> PaneImage {
    let mut worker = worker(storage);
    for step in 0..9 {
        run(&mut worker, ArchiveJob { limits: UNLIMITED, ..lines(step) });
    }
    let limits = HistoryLimits { bytes: 120 << 10, ..UNLIMITED };
    run(&mut worker, ArchiveJob { limits, ..job(&[], None) });
    let image = image(storage);
    assert_eq!((&image.damage[..], image.history.clone()), (&[][..], 40..90));
    image
}

fn numbers(storage: &SimStorage, suffix: &str) -> Vec<u64> {
    let names = storage.list(&dir()).unwrap_or_default();
    names.iter().filter_map(|name| number_of(name, suffix)).collect()
}

/// What a start says is lost of the history.
fn missed(storage: &SimStorage) -> Vec<Range<u64>> {
    history_of(image(storage).damage)
}

/// The same, and the doctor says so, too.
fn lost(storage: &SimStorage) -> Vec<Range<u64>> {
    let index = SpoolIndex::scan(storage, Uuid::nil(), Uuid::nil()).unwrap();
    let shared: Arc<dyn Storage> = Arc::new(storage.clone());
    let examined = examine_pane(&shared, &index, pane(1), false, &mut |_| Ok(())).unwrap();
    let missed = missed(storage);
    assert_eq!(history_of(examined.damage), missed);
    missed
}

fn history_of(damage: Vec<Damage>) -> Vec<Range<u64>> {
    let history = damage.into_iter().filter_map(|damage| match damage {
        Damage::History { lines, .. } => Some(lines),
        // There is no spool, so without a keyframe there is nothing.
        Damage::Pane { .. } => None,
        other => panic!("{other}"),
    });
    history.collect()
}

/// Runs steps until the disk is struck.
fn struck(call: u64, fault: Fault) -> SimStorage {
    let storage = SimStorage::new(1);
    storage.strike(call, fault);
    let mut worker = worker(&storage);
    for step in 0..9 {
        let done = worker.run(&mut Task::Archive(lines(step)));
        assert!(done.is_ok() || fault == Fault::PowerCut, "{done:?}");
    }
    storage
}

/// Goal: nothing that a limit took is called lost, and nothing else is gone. Method: the power goes, the
/// server is killed, or a call fails, at each call of a pane that is trimmed again and again.
#[test]
fn whatever_happens_what_a_limit_took_is_not_called_lost() {
    let calls = struck(u64::MAX, Fault::PowerCut).calls();
    assert!(calls > 60, "{calls}");
    for call in 1..=calls {
        for (fault, seeds) in [(Fault::PowerCut, 6), (Fault::Io, 3), (Fault::NoSpace, 3)] {
            let storage = struck(call, fault);
            let killed = [(u64::MAX, storage.kill())];
            let cut = (0..seeds).map(|seed| (seed, storage.power_cut(seed)));
            for (seed, after) in killed.into_iter().chain(cut) {
                let image = image(&after);
                assert_eq!(lost(&after), [], "{call} {fault:?} {seed}: {:?}", names(&after));
                assert_lines(&after, image.history.clone());
                let newest = numbers(&after, CHUNK_SUFFIX).last().copied();
                assert!(image.history.start <= newest.unwrap_or(0), "{call} {fault:?} {seed}");
            }
        }
    }
}

#[test]
fn a_chunk_whose_removal_cannot_be_noted_stays() {
    for kind in [CallKind::SyncDir, CallKind::Rename] {
        let storage = SimStorage::new(1);
        let mut worker = worker(&storage);
        for step in 0..6 {
            run(&mut worker, ArchiveJob { limits: UNLIMITED, ..lines(step) });
        }
        let chunks = numbers(&storage, CHUNK_SUFFIX);
        let tight =
            ArchiveJob { limits: HistoryLimits { bytes: 1, ..UNLIMITED }, ..job(&[], None) };
        storage.fail(kind, 1, 1, Fault::Io);
        run(&mut worker, tight.clone());
        assert_eq!(numbers(&storage, CHUNK_SUFFIX), chunks, "{kind:?}");
        // What was synced in vain is written anew, even under the same name, before two chunks go.
        let calls = storage.calls();
        run(&mut worker, tight);
        assert!(storage.calls() - calls >= 4, "{kind:?}: a sync alone proves nothing");
        assert_eq!(numbers(&storage, CHUNK_SUFFIX).len(), 1, "{kind:?}");
        assert_eq!(lost(&storage.power_cut(3)), []);
    }
}

#[test]
fn the_first_chunks_are_missed_if_no_limit_took_them() {
    let pristine = SimStorage::new(1);
    let history = trimmed(&pristine).history;
    let chunks = numbers(&pristine, CHUNK_SUFFIX);
    assert_eq!((chunks.len() > 2, history.start), (true, chunks[0]));
    for gone in 1..=chunks.len() {
        let storage = pristine.fork();
        for &first in &chunks[..gone] {
            storage.remove(&numbered(&dir(), first, CHUNK_SUFFIX)).unwrap();
        }
        let end = chunks.get(gone).copied().unwrap_or(history.end);
        assert_eq!(lost(&storage), [history.start..end]);
        assert!(image(&storage).damage[0].to_string().contains("no chunk holds them"));
        if gone < chunks.len() {
            assert!(image(&storage).damage[0].to_string().contains("no limit"));
            // It is said until the next keyframe, which counts on what there is.
            run(&mut worker(&storage), job(&[], Some(keyframe(99_000, 0..history.end))));
            assert_eq!(lost(&storage), []);
        }
    }
}

/// Where the note is lost nobody knows which lines were.
#[test]
fn a_lost_note_is_told_if_lines_are_not_there() {
    let storage = SimStorage::new(1);
    let history = trimmed(&storage).history;
    let whole = SimStorage::new(2);
    run(&mut worker(&whole), job(&[0..5], Some(keyframe(500, 0..5))));
    for storage in [&storage, &whole] {
        let [noted] = numbers(storage, GONE_SUFFIX)[..] else { panic!("there is one note") };
        storage.remove(&numbered(&dir(), noted, GONE_SUFFIX)).unwrap();
    }
    assert_eq!(lost(&whole), [], "all is there");
    let [Damage::History { lines, reason, .. }] = &image(&storage).damage[..] else {
        panic!("it is told once")
    };
    assert!(lines.end == history.start && lines.start < lines.end, "{lines:?}");
    assert!(reason.contains("the note of that is missing"), "{reason}");
    // The next process makes one, and what it counts is there.
    let end = history.end;
    run(&mut worker(&storage), job(&[end..end + 5], Some(keyframe(99_000, 0..end + 5))));
    assert_eq!(lost(&storage), []);
    assert_eq!(numbers(&storage, GONE_SUFFIX), [0]);
}

/// Keyframes of an earlier version count from lines on that limits had taken.
#[test]
fn what_an_earlier_version_trimmed_is_not_called_lost() {
    let storage = SimStorage::new(1);
    let mut of_old = worker(&storage);
    for step in 0..8 {
        let mut job = lines(step);
        job.keyframe.iter_mut().for_each(|keyframe| keyframe.has_note = false);
        run(&mut of_old, job);
    }
    for noted in numbers(&storage, GONE_SUFFIX) {
        storage.remove(&numbered(&dir(), noted, GONE_SUFFIX)).unwrap();
    }
    let first = numbers(&storage, CHUNK_SUFFIX)[0];
    assert!(first > 0 && !image(&storage).keyframe.unwrap().has_note);
    assert_eq!(lost(&storage), []);
    let mut worker = worker(&storage);
    for step in 8..15 {
        run(&mut worker, lines(step));
        assert_eq!(lost(&storage), [], "{step}");
        let chunks = numbers(&storage, CHUNK_SUFFIX);
        let counted =
            image(&storage).keyframe.filter(|keyframe| keyframe.has_note).unwrap().history;
        let fork = storage.fork();
        fork.remove(&numbered(&dir(), chunks[0], CHUNK_SUFFIX)).unwrap();
        assert_eq!(lost(&fork).is_empty(), chunks[0] >= counted.end, "{step}: {chunks:?}");
    }
}

/// A server that is killed between the note and the removal leaves chunks that go with the next job; and
/// if the power goes they may be any of them.
#[test]
fn chunks_before_the_note_are_nobodys_and_go() {
    let storage = SimStorage::new(1);
    let mut first = worker(&storage);
    for step in 0..9 {
        run(&mut first, ArchiveJob { limits: UNLIMITED, ..lines(step) });
    }
    let chunks = numbers(&storage, CHUNK_SUFFIX);
    let [_, second, third, fourth, ..] = chunks[..] else { panic!("{chunks:?}") };
    let note = numbers(&storage, GONE_SUFFIX)[0];
    let [from, to] = [note, fourth].map(|line| numbered(&dir(), line, GONE_SUFFIX));
    storage.rename(&from, &to).unwrap();
    for removed in [vec![], vec![second], vec![second, third]] {
        let storage = storage.fork();
        for line in removed {
            storage.remove(&numbered(&dir(), line, CHUNK_SUFFIX)).unwrap();
        }
        assert_eq!((lost(&storage), image(&storage).history), (vec![], fourth..90));
        let archived = run(&mut worker(&storage), ArchiveJob { limits: UNLIMITED, ..lines(9) });
        assert_eq!(archived.first_line, Some(fourth));
        assert_eq!(numbers(&storage, CHUNK_SUFFIX)[0], fourth);
        assert_eq!(lost(&storage.fork().power_cut(1)), []);
        // A chunk of the others is missed as ever.
        storage.remove(&numbered(&dir(), fourth, CHUNK_SUFFIX)).unwrap();
        assert_eq!(lost(&storage).len(), 1);
    }
}

/// Without the keyframe that had counted them, lines are made again that a limit had taken: these are there
/// from then on, and are missed if they are not.
#[test]
fn lines_that_are_written_again_count_again() {
    let storage = SimStorage::new(1);
    let mut first = worker(&storage);
    for step in 0..12 {
        run(&mut first, lines(step));
    }
    let noted = numbers(&storage, GONE_SUFFIX);
    assert!(noted[0] > 30, "{noted:?}");
    for newer in keyframes_in(&storage, &dir()).unwrap() {
        storage.remove(&Keyframe::path(&dir(), newer)).unwrap();
    }
    let again = storage.fork();
    let write_again = |storage: &SimStorage| {
        let mut worker = worker(storage);
        for step in 0..3 {
            worker.run(&mut Task::Archive(ArchiveJob { limits: UNLIMITED, ..lines(step) }))?;
        }
        Ok::<(), io::Error>(())
    };
    write_again(&again).unwrap();
    assert_eq!((lost(&again), numbers(&again, GONE_SUFFIX)), (vec![], vec![0]));
    assert_lines(&again, 0..30);
    again.remove(&numbered(&dir(), 0, CHUNK_SUFFIX)).unwrap();
    assert_eq!(lost(&again), [0..20]);
    for call in 1..=again.calls() - storage.calls() {
        let cut = storage.fork();
        cut.strike(cut.calls() + call, Fault::PowerCut);
        let _cut_short = write_again(&cut);
        for seed in 0..4 {
            let after = cut.power_cut(seed);
            assert_eq!(missed(&after), [], "{call} {seed}");
            write_again(&after).unwrap();
            assert_eq!(missed(&after.fork().power_cut(seed)), [], "{call} {seed}");
            assert_lines(&after, 0..30);
        }
    }
}
