//! Segments that are missing, damaged, repeated or cannot be removed.

use super::*;

/// A segment that cannot be removed was forgotten, later ones went before it, and the next start
/// missed them.
#[test]
fn no_segment_goes_before_an_older_one() {
    let storage = SimStorage::new(1);
    let mut spool = open(&storage);
    let release = |count: usize, spool: &mut Spool| {
        for _ in 0..count {
            print(spool, pane(1), &[b'x'; 3000]);
        }
        let end = spool.position(pane(1)).unwrap();
        spool.release(pane(1), end);
        assert_eq!(spool.sync(), Health::Durable);
    };
    storage.fail(CallKind::Remove, 1, 2, Fault::Io);
    release(3, &mut spool);
    let all = segment_count(&storage);
    assert!(all >= 3, "{all} segments");
    release(2, &mut spool);
    assert_eq!(segment_count(&storage), all + 2, "none may go before the first");
    assert_eq!(damage(&storage.fork()), []);
    storage.heal();
    release(1, &mut spool);
    assert_eq!(segment_count(&storage), 1, "all of them go as soon as the first can");
}

/// A power cut took what a failed sync had lost, and also its repetition in the next segment. The log was
/// ended in the latter, and when something else had been synced the former counted as damage.
#[test]
fn a_repetition_that_is_lost_as_well_repeats_nothing() {
    let storage = SimStorage::new(1);
    let mut spool = open(&storage);
    print(&mut spool, pane(1), b"durable ");
    spool.sync();
    print(&mut spool, pane(1), b"twice");
    storage.fail(CallKind::Sync, 1, 1, Fault::Io);
    assert_eq!(spool.sync(), Health::Durable);
    drop(spool);
    let storage = storage.kill();
    let first_frame = FRAME_HEADER_BYTES + b"durable ".len();
    storage.damage(&segment_path(1), |bytes| bytes.truncate(HEADER_BYTES + first_frame));
    storage.flip_bit(&segment_path(2), 8 * (HEADER + FRAME_HEADER_BYTES as u64));
    assert_eq!((replayed(&storage, pane(1)), damage(&storage)), ("durable ".to_owned(), vec![]));
    let mut spool = open_with(&storage, SpoolOptions { boot: LATER_BOOT, ..options() });
    for piece in [b"one ", b"more"] {
        print(&mut spool, pane(1), piece);
        spool.sync();
    }
    assert_eq!(replayed(&storage, pane(1)), "durable one more");
    assert_eq!(damage(&storage), []);
}

/// Starts again in the boot in which everything was written.
fn restart(storage: &SimStorage) -> Spool {
    let index = SpoolIndex::scan(storage, STORE, BOOT).unwrap();
    let options = SpoolOptions { salt: 0x5a17 + index.next_number(), ..options() };
    Spool::open(Arc::new(storage.clone()), &index, options, Box::new(|| ()))
}

/// Each start repeated the repetitions, too: they doubled with every kill.
#[test]
fn what_is_repeated_at_every_start_does_not_grow() {
    let mut storage = SimStorage::new(1);
    let mut spool = restart(&storage);
    print(&mut spool, pane(1), b"printed ");
    for _ in 0..9 {
        drop(spool);
        storage = storage.kill();
        spool = restart(&storage);
        spool.sync();
    }
    let lengths: Vec<usize> = storage.files().iter().map(|(_, bytes)| bytes.len()).collect();
    assert_eq!(lengths, [HEADER_BYTES + FRAME_HEADER_BYTES + 8; 10]);
    assert_eq!(replayed(&storage, pane(1)), "printed ");
}

/// The last copy of a frame decayed, and the one before it was in memory alone. It was shown, and not
/// written again, because a later frame said that what was before it had been synced.
#[test]
fn a_copy_whose_successor_is_damaged_is_written_again() {
    let storage = SimStorage::new(1);
    let mut spool = restart(&storage);
    print(&mut spool, pane(1), b"printed ");
    drop(spool);
    let storage = storage.kill();
    let mut spool = restart(&storage);
    for _ in 0..5 {
        print(&mut spool, pane(2), &[b'x'; 1500]);
        spool.sync();
    }
    drop(spool);
    let storage = storage.kill();
    let damages: [fn(&mut Vec<u8>); 3] =
        [Vec::clear, |bytes| bytes.truncate(HEADER_BYTES), |bytes| bytes[HEADER_BYTES] ^= 1];
    for damage in damages {
        let storage = storage.fork();
        storage.damage(&segment_path(2), damage);
        let mut spool = restart(&storage);
        spool.sync();
        for seed in 0..20 {
            let storage = storage.fork().power_cut(seed);
            assert_eq!(replayed(&storage, pane(1)), "printed ", "{seed}");
        }
    }
}

/// A server that had failed began again with a segment of repetitions, and a power cut took some of those.
/// Those that were left counted, so that what had been printed had a gap in it.
#[test]
fn repetitions_count_only_if_all_of_them_are_there() {
    let storage = SimStorage::new(1);
    let mut spool = open(&storage);
    for piece in ["a", "b", "c", "d"] {
        print(&mut spool, pane(1), piece.as_bytes());
    }
    storage.fail(CallKind::Write, 1, 1, Fault::Io);
    print(&mut spool, pane(1), b"e");
    drop(spool);
    let storage = storage.kill();
    let frame_at = |n: usize| HEADER_BYTES + n * (FRAME_HEADER_BYTES + 8);
    let clear = |storage: &SimStorage, segment, n| {
        storage.damage(&segment_path(segment), |bytes| bytes[frame_at(n)..frame_at(n + 1)].fill(0));
    };
    for (original, copy, left) in [
        // All copies are there, whatever became of the originals.
        (Some(1), None, "abcde"),
        // Not all of them are, so that those behind count for nothing.
        (None, Some(1), "abcd"),
        (Some(2), Some(1), "ab"),
        (Some(0), Some(3), ""),
    ] {
        let storage = storage.fork();
        for (segment, n) in [(1, original), (2, copy)] {
            if let Some(n) = n {
                clear(&storage, segment, n);
            }
        }
        let found = (replayed(&storage, pane(1)), damage(&storage));
        assert_eq!(found, (left.to_owned(), vec![]), "{original:?} {copy:?}");
        let mut spool = open_with(&storage, SpoolOptions { boot: LATER_BOOT, ..options() });
        for piece in ["since ", "then"] {
            print(&mut spool, pane(1), piece.as_bytes());
            spool.sync();
        }
        drop(spool);
        let found = (replayed(&storage, pane(1)), damage(&storage));
        assert_eq!(found, (format!("{left}since then"), vec![]), "{original:?} {copy:?}");
    }
}

/// A power cut took the first segments of a store and left a later one, which looked like a store of which
/// the first segments had been removed. So there was a gap in what was left.
#[test]
fn the_first_segments_are_not_missed_only_if_they_were_removed() {
    let storage = SimStorage::new(1);
    let mut spool = open(&storage);
    let end = print(&mut spool, pane(1), &[b'x'; 3000]);
    print(&mut spool, pane(2), &[b'y'; 3000]);
    let cut = storage.fork();
    cut.remove(&segment_path(1)).unwrap();
    assert_eq!((replayed(&cut, pane(2)), damage(&cut)), (String::new(), vec![]));
    let same_boot = SpoolIndex::scan(&cut, STORE, BOOT).unwrap();
    assert_eq!(same_boot.panes().count(), 1, "no power was cut");

    spool.release(pane(1), end);
    assert_eq!(spool.sync(), Health::Durable);
    assert_eq!(segment_count(&storage), 1);
    for seed in 0..20 {
        let cut = storage.fork().power_cut(seed);
        assert_eq!(replayed(&cut, pane(2)).len(), 3000, "{seed}");
        assert_eq!(damage(&cut), [], "{seed}");
    }
}

/// All that an earlier boot had left was void. Nobody said so but the first segment of the next boot, so
/// that it came back when a power cut took that one.
#[test]
fn that_nothing_was_left_of_an_earlier_boot_is_known_without_the_first_segment() {
    let storage = SimStorage::new(1);
    let mut spool = open(&storage);
    print(&mut spool, pane(1), b"lost");
    print(&mut spool, pane(1), b"behind it");
    drop(spool);
    let storage = storage.kill();
    storage.flip_bit(&segment_path(1), 8 * HEADER);
    let mut spool = open_with(&storage, SpoolOptions { boot: LATER_BOOT, ..options() });
    assert_eq!(spool.position(pane(1)), None);
    for _ in 0..3 {
        print(&mut spool, pane(2), &[b'y'; 3000]);
    }
    drop(spool);
    let storage = storage.kill();
    storage.remove(&segment_path(2)).unwrap();
    let index = SpoolIndex::scan(&storage, STORE, Uuid::from_u128(3)).unwrap();
    assert_eq!(index.damage(), []);
    assert_eq!(index.panes().filter(|it| *it == pane(1)).count(), 0);
}

/// The segment that a boot began with says where the log ended then. A power cut may take just that
/// one; what lay behind that end came back, instead of what had been printed since.
#[test]
fn where_the_log_ended_before_a_boot_is_known_without_its_first_segment() {
    let storage = SimStorage::new(1);
    let mut spool = open(&storage);
    print(&mut spool, pane(1), b"durable ");
    spool.sync();
    print(&mut spool, pane(1), b"lost ");
    print(&mut spool, pane(1), b"behind it ");
    drop(spool);
    let storage = storage.kill();
    let lost = HEADER_BYTES + (FRAME_HEADER_BYTES + b"durable ".len()).next_multiple_of(8);
    storage.damage(&segment_path(1), |bytes| bytes[lost..lost + FRAME_HEADER_BYTES].fill(0));

    let in_boot = |boot| SpoolOptions { boot, ..options() };
    let mut spool = open_with(&storage, in_boot(LATER_BOOT));
    print(&mut spool, pane(1), b"printed ");
    print(&mut spool, pane(1), b"since ");
    drop(spool);
    let storage = storage.kill();
    let mut spool = open_with(&storage, in_boot(LATER_BOOT));
    print(&mut spool, pane(1), b"and later");
    spool.sync();
    drop(spool);
    storage.damage(&segment_path(2), Vec::clear);

    let index = SpoolIndex::scan(&storage, STORE, Uuid::from_u128(3)).unwrap();
    assert_eq!(index.damage(), []);
    let stream = render(index.replay(pane(1), StreamPosition::default()));
    assert_eq!(stream, "durable printed since and later");
}

/// One server in a boot could not tell which it was. What it had printed, and all before, was then taken
/// for what that boot had found void.
#[test]
fn a_server_that_cannot_tell_the_boot_costs_nothing() {
    let mut storage = SimStorage::new(1);
    let pieces = [(BOOT, "one "), (Uuid::nil(), "two "), (BOOT, "three "), (LATER_BOOT, "four")];
    for (at, (boot, piece)) in pieces.into_iter().enumerate() {
        let index = SpoolIndex::scan(&storage, STORE, boot).unwrap();
        let options = SpoolOptions { boot, salt: 0x5a17 + at as u64, ..options() };
        let mut spool = Spool::open(Arc::new(storage.clone()), &index, options, Box::new(|| ()));
        spool.resume(pane(1), index.end_of(pane(1), StreamPosition::default()));
        print(&mut spool, pane(1), piece.as_bytes());
        spool.sync();
        drop(spool);
        storage = storage.kill();
    }
    assert_eq!(replayed(&storage, pane(1)), "one two three four");
    assert_eq!(damage(&storage), []);
}

#[test]
fn missing_and_headless_segments_are_reported_and_torn_ones_are_not() {
    let (storage, _) = three_panes();
    let files = storage.files();
    let lost = |number| Damage::Segment { number, reason: "it is missing".to_owned() };
    storage.remove(&files[1].0).unwrap();
    assert_eq!(damage(&storage), [lost(2)]);

    let (storage, _) = three_panes();
    storage.damage(&files[1].0, |bytes| bytes[..HEADER_BYTES].fill(0));
    let headless = Damage::Segment { number: 2, reason: "no valid header".to_owned() };
    assert_eq!(damage(&storage), std::slice::from_ref(&headless));
    let aside = headless.set_aside(&storage).unwrap().unwrap();
    assert_eq!(aside, Path::new("quarantine").join(files[1].0.file_name().unwrap()));
    assert_eq!(damage(&storage), [], "what is in the quarantine was reported");
    assert_eq!(lost(2).set_aside(&storage).unwrap(), None);

    let (storage, _) = three_panes();
    storage.create(&segment_path(90)).unwrap().write_at(0, b"ccmux").unwrap();
    assert_eq!(damage(&storage), [], "a new segment that was never synced");
    let mut spool = open(&storage);
    print(&mut spool, pane(1), b"later");
    assert!(storage.files().iter().any(|(path, _)| *path == segment_path(91)));
    assert_eq!(damage(&storage), [], "nor later on");
    spool.retain(|_| false);
    spool.sync();
    assert_eq!(segment_count(&storage), 1, "it goes with the others");
}

#[test]
fn a_segment_of_another_store_is_not_read() {
    let (storage, _) = three_panes();
    let index = SpoolIndex::scan(&storage, Uuid::from_u128(1), LATER_BOOT).unwrap();
    assert_eq!(index.panes().count(), 0);
    assert_eq!(index.damage().len(), storage.files().len());
}

/// A power cut left no segment, and what said that they had been removed. The next one got a number of theirs, and
/// was missed by nobody when a power cut took it.
#[test]
fn a_segment_does_not_get_the_number_of_one_that_is_gone() {
    let storage = SimStorage::new(1);
    storage.create_dir(Path::new("spool")).unwrap();
    for number in [3, 5, 4] {
        drop(storage.create(&gone_path(number)).unwrap());
    }
    let mut spool = open(&storage);
    for _ in 0..2 {
        print(&mut spool, pane(1), &[b'x'; 3000]);
    }
    drop(spool);
    assert_eq!(replayed(&storage, pane(1)).len(), 6000);
    storage.remove(&segment_path(6)).unwrap();
    assert_eq!((replayed(&storage, pane(1)), damage(&storage)), (String::new(), vec![]));
}

/// A file with the last of all numbers ended the server; without the checks of a debug build segments were
/// numbered from 0 on, before all that were there.
#[test]
fn behind_the_last_number_there_is_no_segment() {
    for number in [u64::MAX, u64::MAX - 1] {
        let storage = SimStorage::new(1);
        storage.create_dir(Path::new("spool")).unwrap();
        drop(storage.create(&segment_path(number)).unwrap());
        let storage: Arc<dyn Storage> = Arc::new(storage);
        let index = SpoolIndex::scan(&*storage, STORE, LATER_BOOT).unwrap();
        let mut spool = Spool::open(Arc::clone(&storage), &index, options(), Box::new(|| ()));
        assert!(spool.health() != Health::Durable);
        for _ in 0..2 {
            spool.append(bytes_frame(pane(1), 0, b"x")).unwrap_err();
            spool.sync();
        }
        assert_eq!(storage.list(Path::new("spool")).unwrap().len(), 1);
    }
}

/// A kill, or a power cut, came between the note and the removals.
#[test]
fn segments_that_were_to_go_are_read_and_go_later() {
    let storage = SimStorage::new(1);
    let mut spool = open(&storage);
    for _ in 0..3 {
        print(&mut spool, pane(1), &[b'x'; 3000]);
    }
    drop(spool);
    drop(storage.create(&gone_path(2)).unwrap());
    for gone in 0..=2 {
        if gone > 0 {
            storage.remove(&segment_path(gone)).unwrap();
        }
        let storage = storage.fork();
        let text = replayed(&storage, pane(1));
        assert_eq!(text.matches('x').count() as u64, 3000 * (3 - gone), "{gone} are gone");
        assert_eq!(damage(&storage), [], "{gone} are gone");
        let mut spool = open_with(&storage, SpoolOptions { boot: LATER_BOOT, ..options() });
        let end = spool.position(pane(1)).unwrap();
        spool.release(pane(1), end);
        assert_eq!(spool.sync(), Health::Durable);
        assert_eq!(segment_count(&storage), 1, "{gone} were gone");
    }
}
