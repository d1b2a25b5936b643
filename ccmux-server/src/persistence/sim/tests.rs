//! What the simulated disk promises to the tests that rely on it.

use super::disk::SECTOR;
use super::*;
use crate::persistence::storage::read_whole;

fn contents(storage: &SimStorage, path: &str) -> Option<Vec<u8>> {
    let file = storage.open(Path::new(path)).ok()?;
    Some(read_whole(&*file, 1 << 20).unwrap())
}

/// A file "f" that durably holds 2000 times `a`, with its entry.
fn settled() -> (SimStorage, Box<dyn StorageFile>) {
    let storage = SimStorage::new(7);
    let file = storage.create(Path::new("f")).unwrap();
    file.write_at(0, &[b'a'; 2000]).unwrap();
    file.sync().unwrap();
    storage.sync_dir(Path::new("")).unwrap();
    (storage, file)
}

#[test]
fn synced_contents_and_entries_survive_every_power_cut() {
    for seed in 0..200 {
        let (storage, _file) = settled();
        let after = storage.power_cut(seed);
        assert_eq!(contents(&after, "f").unwrap(), [b'a'; 2000], "seed {seed}");
    }
}

#[test]
fn a_power_cut_can_lose_keep_and_tear_what_was_not_synced() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..400 {
        let (storage, file) = settled();
        file.write_at(500, &[b'b'; 1000]).unwrap();
        storage.create(Path::new("g")).unwrap();
        storage.rename(Path::new("f"), Path::new("h")).unwrap();
        let after = storage.power_cut(seed);
        let entries = ["f", "g", "h"].map(|path| contents(&after, path).is_some());
        assert_ne!(entries[0], entries[2], "a rename is atomic, seed {seed}");
        let file = contents(&after, "f").or_else(|| contents(&after, "h")).unwrap();
        assert_eq!(file.len(), 2000);
        assert!(file[..500].iter().all(|&b| b == b'a'));
        seen.insert(entries.map(|entry| if entry { 'y' } else { 'n' }).iter().collect());
        seen.insert(match file.split(|&b| b == b'b').count() - 1 {
            0 => "old".to_owned(),
            1000 => "new".to_owned(),
            n if file[500..500 + n].iter().all(|&b| b == b'b') => "prefix".to_owned(),
            _ => "holes".to_owned(),
        });
        assert_eq!(after.files(), after.power_cut(seed + 1).files(), "nothing is pending");
    }
    for outcome in ["old", "new", "prefix", "holes", "ynn", "yyn", "nny", "nyy"] {
        assert!(seen.contains(outcome), "{outcome} never happened: {seen:?}");
    }
}

#[test]
fn lengths_are_lost_apart_from_contents() {
    let lengths: std::collections::BTreeSet<usize> = (0..200)
        .map(|seed| {
            let (storage, file) = settled();
            file.allocate(4000).unwrap();
            file.set_len(1000).unwrap();
            contents(&storage.power_cut(seed), "f").unwrap().len()
        })
        .collect();
    assert_eq!(lengths.into_iter().collect::<Vec<_>>(), [1000, 2000, 4000]);
}

#[test]
fn a_failed_sync_drops_its_data_and_the_next_one_lies() {
    for seed in 0..50 {
        let storage = SimStorage::new(seed);
        let file = storage.create(Path::new("f")).unwrap();
        storage.sync_dir(Path::new("")).unwrap();
        file.write_at(0, &vec![b'x'; 64 * SECTOR]).unwrap();
        storage.fail(CallKind::Sync, 1, 1, Fault::Io);
        assert!(file.sync().is_err());
        file.sync().unwrap();
        file.forget_cached();
        let after = storage.power_cut(seed);
        assert_ne!(contents(&after, "f").unwrap(), vec![b'x'; 64 * SECTOR], "seed {seed}");
        assert_eq!(contents(&after, "f"), contents(&after.kill(), "f"));
    }
}

#[test]
fn a_kill_loses_nothing_and_leaves_it_pending() {
    let (storage, file) = settled();
    file.write_at(0, b"new").unwrap();
    let after = storage.kill();
    assert!(file.sync().is_err(), "the old handle is dead");
    assert!(contents(&after, "f").unwrap().starts_with(b"new"));
    let lost = (0..50)
        .any(|seed| !contents(&after.fork().power_cut(seed), "f").unwrap().starts_with(b"new"));
    assert!(lost);
}

#[test]
fn faults_strike_the_calls_they_are_aimed_at() {
    let (storage, file) = settled();
    storage.fail(CallKind::Write, 2, 1, Fault::NoSpace);
    file.write_at(0, b"1").unwrap();
    let error = file.write_at(0, b"2").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    file.write_at(0, b"3").unwrap();

    storage.set_capacity(Some(2100));
    assert!(file.write_at(2000, &[1; 200]).is_err());
    assert_eq!(file.len().unwrap(), 2100, "a full disk takes what fits");
    assert!(file.allocate(3000).is_err());
    storage.set_capacity(None);
    file.allocate(3000).unwrap();

    storage.strike(storage.calls() + 2, Fault::PowerCut);
    file.write_at(0, b"4").unwrap();
    assert!(file.write_at(0, b"5").is_err());
    assert!(storage.is_off());
    assert!(storage.list(Path::new("")).is_err());
}

#[test]
fn a_short_write_is_two_calls_and_a_short_read_is_short() {
    let (storage, file) = settled();
    storage.fail(CallKind::Write, 1, u64::MAX, Fault::Short);
    storage.fail(CallKind::Read, 1, 1, Fault::Short);
    let before = storage.calls();
    file.write_at(2000, b"appended").unwrap();
    assert_eq!(storage.calls(), before + 2);
    assert!(file.read_at(2000, &mut [0; 8]).unwrap() < 8);
    assert!(contents(&storage, "f").unwrap().ends_with(b"appended"));
    storage.strike(storage.calls() + 2, Fault::NoSpace);
    file.write_at(2008, b"not all of this").unwrap_err();
    let left = contents(&storage, "f").unwrap();
    assert!((2009..2023).contains(&left.len()), "{}", left.len());
    assert!(!storage.power_cut(0).has_struck(), "a shortened call costs nothing");
}

#[test]
fn whoever_syncs_after_a_failure_is_noted() {
    let (storage, file) = settled();
    file.sync().unwrap();
    assert_eq!(storage.resyncs(), [""; 0]);
    storage.fail(CallKind::Write, 1, 1, Fault::NoSpace);
    file.write_at(0, b"x").unwrap_err();
    file.sync().unwrap();
    assert_eq!(storage.resyncs().len(), 1);
    storage.open(Path::new("f")).unwrap().sync().unwrap();
    assert_eq!(storage.resyncs().len(), 1, "another handle knows nothing of it");
}

#[test]
fn every_kind_of_decay_does_what_it_says() {
    let store = || {
        let (storage, _) = settled();
        let file = storage.create(Path::new("g.tmp")).unwrap();
        file.write_at(0, &[b'g'; 600]).unwrap();
        file.sync().unwrap();
        storage.rename(Path::new("g.tmp"), Path::new("g")).unwrap();
        storage.sync_dir(Path::new("")).unwrap();
        storage.kill()
    };
    let (f, g) = (vec![b'a'; 2000], vec![b'g'; 600]);
    let decayed = |decay: Decay| {
        let storage = store();
        assert!(storage.decay(decay).is_some(), "{decay:?}");
        // Not only for those who look now.
        let storage = storage.power_cut(1);
        ["f", "g", "g.tmp"].map(|path| contents(&storage, path))
    };
    let files = decayed(Decay::Bit { file: 0, bit: 9 });
    assert_eq!(files[0].as_ref().unwrap()[..3], [b'a', b'a' ^ 2, b'a']);
    let files = decayed(Decay::Sector { file: 2, sector: 1 });
    assert_eq!(files[0].as_ref().unwrap()[510..514], [b'a', b'a', 0, 0]);
    assert_eq!(decayed(Decay::Truncated { file: 0, bytes: 7 })[0], Some(f[..7].to_vec()));
    assert_eq!(decayed(Decay::Gone { file: 0 })[0], None);
    assert_eq!(decayed(Decay::Swapped { file: 0, with: 1 }), [Some(g.clone()), Some(f), None]);
    assert_eq!(decayed(Decay::LostRename { back: 0 })[1..], [None, Some(g)]);
    let storage = store();
    storage.decay(Decay::Unreadable { file: 1 }).unwrap();
    storage.rename(Path::new("g"), Path::new("h")).unwrap();
    let file = storage.open(Path::new("h")).unwrap();
    assert!(file.len().is_ok() && file.read_at(0, &mut [0]).is_err(), "under any name");
    assert_eq!(SimStorage::new(1).decay(Decay::Gone { file: 3 }), None);
}
