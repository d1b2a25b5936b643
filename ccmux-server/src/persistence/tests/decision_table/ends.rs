//! A log whose end is gone, and what tells so.

use std::path::Path;

use super::log::{bytes_of, flip_record, newest, records, reported, with_three};
use crate::persistence::Seq;
use crate::persistence::sim::SimStorage;
use crate::persistence::storage::Storage;
use crate::persistence::tests::store::{reopen_twice, reopen_twice_in};
use crate::persistence::tests::world::{BOOT, NEXT_BOOT, same};
use crate::persistence::wal::MARK_FILE;

type Loss = fn(&SimStorage, &Path);

/// What becomes of the newest segment, and how many of its records are left.
const ENDS: [(Loss, usize); 6] = [
    (|storage, path| storage.remove(path).unwrap(), 0),
    (|storage, path| storage.damage(path, Vec::clear), 0),
    (|storage, path| storage.damage(path, |bytes| bytes.fill(0)), 0),
    (|storage, path| cut_off(storage, path, Vec::truncate), 1),
    (|storage, path| cut_off(storage, path, |bytes, at| bytes[at..].fill(0)), 1),
    (|storage, _| flip_record(storage, 2), 2),
];

/// Takes away what is behind the first record.
fn cut_off(storage: &SimStorage, path: &Path, cut: fn(&mut Vec<u8>, usize)) {
    let at = records(storage, path).1[1].offset;
    storage.damage(path, |bytes| cut(bytes, at));
}

/// Lets the log lose its end in each way; returns what is reported, which is the same for all.
fn lose_ends(boot: uuid::Uuid, is_durable: bool, prepare: fn(&SimStorage)) -> &'static str {
    let mut said = Vec::new();
    for (at, (lose, kept)) in ENDS.iter().enumerate() {
        let (storage, world, states) = with_three(is_durable);
        let last = world.last();
        prepare(&storage);
        lose(&storage, &newest(&storage, "wal"));
        let (state, report) = reopen_twice_in(boot, &storage, &world);
        assert!(same(&state, &states[*kept]), "{at}: {report}");
        if let Some(lost) = report.lost {
            assert_eq!(lost, (Seq(last.0 - 2 + *kept as u64), last), "{at}: {report}");
        }
        let is_said = report.to_string().contains("none was called durable");
        assert_eq!(is_said, !is_durable, "{at}: {report}");
        said.push(reported(&report));
    }
    assert!(said.iter().all(|words| *words == said[0]), "{said:?}");
    said[0]
}

/// A log that ended before what had been acknowledged was taken for a whole one: nothing in it speaks
/// of what is gone.
pub(super) fn in_the_same_boot() -> &'static str {
    let durable = lose_ends(BOOT, true, |_| ());
    assert_eq!(durable, lose_ends(BOOT, false, |_| ()), "soft changes survive a kill, too");
    durable
}

pub(super) fn in_a_later_boot() -> &'static str {
    lose_ends(NEXT_BOOT, true, |_| ())
}

pub(super) fn without_a_witness() -> &'static str {
    // What was only written was promised to nobody, mark or none.
    for is_durable in [true, false] {
        let (storage, world, states) = with_three(is_durable);
        if is_durable {
            storage.remove(Path::new(MARK_FILE)).unwrap();
        }
        storage.remove(&newest(&storage, "wal")).unwrap();
        let (state, report) = reopen_twice_in(NEXT_BOOT, &storage, &world);
        assert!(same(&state, &states[0]), "{report}");
        assert_eq!(reported(&report), "");
    }
    ""
}

pub(super) fn a_mark_that_is_none() -> &'static str {
    let (other, _, _) = with_three(true);
    let of_another_store = {
        let mut bytes = bytes_of(&other, Path::new(MARK_FILE));
        bytes[32] ^= 1;
        bytes[24..32].copy_from_slice(&99_u64.to_le_bytes());
        let checksum = crc32c::crc32c_append(crc32c::crc32c(&bytes[..12]), &bytes[16..64]);
        bytes[12..16].copy_from_slice(&checksum.to_le_bytes());
        bytes
    };
    let mut of_no_record = of_another_store.clone();
    of_no_record[31] = 0xff;
    for mark in [of_another_store, of_no_record, Vec::new(), vec![0; 72], vec![0; 80]] {
        let (storage, world, states) = with_three(true);
        storage.damage(Path::new(MARK_FILE), |bytes| bytes.clone_from(&mark));
        let (state, report) = reopen_twice(&storage, &world);
        assert!(same(&state, &states[3]), "{report}");
        assert_eq!(reported(&report), "", "{mark:?}: {report}");
    }
    ""
}
