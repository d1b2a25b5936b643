//! S1, S2 and P7: random operations against a model, killed at random bytes, and damaged tables.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::table::NUMBER_MAX;
use super::test_memory::TestMemory;
use super::*;
use crate::persistence::sim::Random;
use crate::persistence::storage::{read_full, read_whole};

type Model = BTreeMap<String, Vec<u8>>;

#[derive(Clone, Debug)]
enum Operation {
    Create(String),
    Write(String, u64, Vec<u8>),
    SetLen(String, u64),
    Allocate(String, u64),
    Rename(String, String),
    Remove(String),
    RemoveAll(String),
}

impl Operation {
    fn random(random: &mut Random) -> Self {
        let dir = ["panes/one", "panes/two"][random.below(2) as usize].to_owned();
        let path = format!("{dir}/{}", random.below(3));
        match random.below(14) {
            0..=2 => Self::Create(path),
            3..=7 => {
                let len = random.below(3) * random.below(9000) + random.below(9);
                let offset = random.below(3) * random.below(10_000);
                Self::Write(path, offset, (0..len).map(|_| random.next_u64() as u8).collect())
            }
            8 => Self::SetLen(path, random.below(20_000)),
            9 => Self::Allocate(path, random.below(20_000)),
            10 | 11 => Self::Rename(path, format!("{dir}/{}", random.below(3))),
            12 => Self::Remove(path),
            _ => Self::RemoveAll(dir),
        }
    }

    /// What becomes of the files; `None` where there is an error.
    fn apply(&self, model: &mut Model) -> Option<()> {
        match self {
            Self::Create(path) => {
                if model.contains_key(path) {
                    return None;
                }
                model.insert(path.clone(), Vec::new());
            }
            Self::Write(path, offset, bytes) => {
                let file = model.get_mut(path)?;
                let (from, to) = (*offset as usize, *offset as usize + bytes.len());
                if file.len() < to.max(from) {
                    file.resize(to, 0);
                }
                file[from..to].copy_from_slice(bytes);
            }
            Self::SetLen(path, len) => model.get_mut(path)?.resize(*len as usize, 0),
            Self::Allocate(path, len) => {
                let file = model.get_mut(path)?;
                file.resize(file.len().max(*len as usize), 0);
            }
            Self::Rename(from, to) => {
                let file = model.remove(from)?;
                model.insert(to.clone(), file);
            }
            Self::Remove(path) => drop(model.remove(path)?),
            Self::RemoveAll(dir) => model.retain(|path, _| !path.starts_with(&format!("{dir}/"))),
        }
        Some(())
    }

    fn run(&self, storage: &StashStorage) -> io::Result<()> {
        let open = |path: &String| storage.open(Path::new(path));
        match self {
            Self::Create(path) => storage.create(Path::new(path)).map(drop),
            Self::Write(path, offset, bytes) => open(path)?.write_at(*offset, bytes),
            Self::SetLen(path, len) => open(path)?.set_len(*len),
            Self::Allocate(path, len) => open(path)?.allocate(*len),
            Self::Rename(from, to) => storage.rename(Path::new(from), Path::new(to)),
            Self::Remove(path) => storage.remove(Path::new(path)),
            Self::RemoveAll(dir) => storage.remove_dir_all(Path::new(dir)),
        }
    }
}

/// All there is, found by listing the directories.
fn files(storage: &StashStorage) -> Model {
    let mut found = Model::new();
    for dir in ["panes/one", "panes/two"] {
        for name in storage.list(Path::new(dir)).unwrap() {
            let path = format!("{dir}/{name}");
            let file = storage.open(Path::new(&path)).unwrap();
            found.insert(path, read_whole(&*file, 1 << 20).unwrap());
        }
    }
    found
}

/// Goal: S1 and S2. Method: before each of many random operations, run it on copies of the memory
/// whose user is killed after a random number of bytes, and look at them as the next server does.
#[test]
fn every_operation_happens_whole_or_not_at_all() {
    for seed in 0..4 {
        let mut random = Random::new(seed);
        let memory = TestMemory::default();
        let storage = StashStorage::format(Box::new(memory.clone())).unwrap();
        let mut model = Model::new();
        let mut killed = 0;
        for step in 0..80 {
            let operation = Operation::random(&mut random);
            let before = model.clone();
            let is_possible = operation.apply(&mut model).is_some();
            let whole = memory.fork(None);
            let _ = operation.run(&whole.storage());
            let written = whole.written();
            for _ in 0..3 {
                let budget = random.below(written as u64 + 1) as usize;
                let copy = memory.fork(Some(budget));
                let is_done = operation.run(&copy.storage()).is_ok();
                let found = files(&copy.fork(None).storage());
                // The bytes that were not written may be there already.
                let is_whole = found == model || (!is_done && found == before);
                assert!(is_whole, "seed {seed} step {step} after {budget} bytes");
                killed += usize::from(budget < written);
            }
            assert_eq!(operation.run(&storage).is_ok(), is_possible, "{seed} {step}");
            assert!(files(&storage) == model, "seed {seed} step {step}");
            assert!(files(&memory.storage()) == model, "seed {seed} step {step}: opened anew");
        }
        assert!(killed > 60, "only {killed} kills hit an operation");
    }
}

/// A stash that is full refuses, keeps what it has, and takes as much again once something went.
#[test]
fn a_full_stash_refuses_and_loses_nothing() {
    let memory = TestMemory::default();
    let storage = StashStorage::format(Box::new(memory.clone())).unwrap();
    let first = storage.create(Path::new("d/first")).unwrap();
    first.write_at(0, &vec![1; 3 << 20]).unwrap();
    let second = storage.create(Path::new("d/second")).unwrap();
    second.write_at(0, &vec![2; 4 << 20]).unwrap();
    let error = second.write_at(4 << 20, &vec![3; 1 << 20]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert_eq!(second.set_len(u64::MAX).unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!(second.write_at(u64::MAX, b"x").unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!((first.len().unwrap(), second.len().unwrap()), (3 << 20, 4 << 20));
    storage.remove(Path::new("d/first")).unwrap();
    assert!(first.read_at(0, &mut [0; 1]).is_err(), "its blocks are another's by now");
    second.write_at(4 << 20, &vec![3; 3 << 20]).unwrap();
    let again = memory.storage().open(Path::new("d/second")).unwrap();
    let mut bytes = vec![0; 8 << 20];
    assert_eq!(read_full(&*again, 0, &mut bytes).unwrap(), 7 << 20);
    assert!(bytes[..4 << 20].iter().all(|byte| *byte == 2));
    assert!(bytes[4 << 20..7 << 20].iter().all(|byte| *byte == 3));
    let create = |number| storage.create(Path::new(&format!("d/{number}")));
    let refused = (0..1000).find_map(|number| create(number).err()).expect("a table is bounded");
    assert_eq!(refused.kind(), io::ErrorKind::StorageFull);
    assert_eq!(files_of(&memory.storage(), "d"), files_of(&storage, "d"));
}

fn files_of(storage: &StashStorage, dir: &str) -> Vec<String> {
    storage.list(Path::new(dir)).unwrap()
}

/// Whatever happens to the newest table, the one before it counts, or that one as it was.
#[test]
fn a_damaged_table_is_none() {
    let memory = TestMemory::default();
    assert!(StashStorage::open(Box::new(memory.clone())).is_err(), "there is nothing");
    let storage = StashStorage::format(Box::new(memory.clone())).unwrap();
    for name in ["one", "two"] {
        let file = storage.create(Path::new(name)).unwrap();
        file.write_at(0, &[b'x'; BLOCK_BYTES + 1]).unwrap();
    }
    // format 1, and two changes for each file.
    let newest = BLOCK_BYTES as u64;
    let listed = || files_of(&memory.storage(), "");
    let len = |name: &str| memory.storage().open(Path::new(name)).unwrap().len().unwrap();
    assert_eq!((listed().len(), len("two")), (2, BLOCK_BYTES as u64 + 1));
    for at in 0..100 {
        for bit in 0..8 {
            memory.damage(newest + at, |byte| *byte ^= 1 << bit);
            assert_eq!(listed().len(), 2);
            // Zeros that nothing is made of are no part of it.
            let is_part = !(28..32).contains(&at) || len("two") == 0;
            assert!(is_part || len("two") == BLOCK_BYTES as u64 + 1, "byte {at}");
            memory.damage(newest + at, |byte| *byte ^= 1 << bit);
        }
    }
}

/// Tables with a good checksum that somebody made up.
#[test]
fn tables_that_cannot_be_are_refused() {
    let good = file_entry("a", 3, &[2]);
    assert!(Table::decode(&table_of(&good, 7)).is_some());
    let big = vec![2; BLOCKS];
    for (what, files) in [
        ("a block of the tables", file_entry("a", 3, &[1])),
        ("a block beyond the end", file_entry("a", 3, &[BLOCKS as u16])),
        ("a block twice", file_entry("a", BLOCK_BYTES as u64 * 2, &[2, 2])),
        ("a block in two files", [file_entry("a", 3, &[2]), file_entry("b", 3, &[2])].concat()),
        ("more contents than blocks", file_entry("a", BLOCK_BYTES as u64 + 1, &[2])),
        ("fewer contents than blocks", file_entry("a", 3, &[2, 3])),
        ("a length beyond all", file_entry("a", u64::MAX, &[2])),
        ("a name twice", [file_entry("a", 3, &[2]), file_entry("a", 3, &[3])].concat()),
        ("a list that is cut", file_entry("a", 3, &[2])[..14].to_vec()),
        ("a name longer than all", [&[0xff, 0xff], &good[2..]].concat()),
        ("more blocks than there are", file_entry("a", u64::MAX, &big[..1000])),
    ] {
        assert!(Table::decode(&table_of(&files, 7)).is_none(), "{what}");
    }
    assert!(Table::decode(&table_of(&good, NUMBER_MAX + 1)).is_none(), "a number too great");
    for len in [0, 5, 31, 32] {
        assert!(Table::decode(&table_of(&good, 7)[..len]).is_none(), "{len} bytes");
    }
    let mut long = table_of(&good, 7);
    long[24..28].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(Table::decode(&long).is_none(), "longer than its block");
}

/// One whose number was the last but one was once changed twice: the second time without a number, and
/// after the first no process could read it.
#[test]
fn a_change_without_a_number_left_is_refused_and_changes_nothing() {
    let memory = TestMemory::default();
    let place = NUMBER_MAX % 2 * BLOCK_BYTES as u64;
    memory.write_at(place, &table_of(&file_entry("a", 3, &[2]), NUMBER_MAX - 1)).unwrap();
    let storage = memory.storage();
    storage.rename(Path::new("a"), Path::new("b")).unwrap();
    let refused = storage.rename(Path::new("b"), Path::new("c")).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::StorageFull);
    assert_eq!(files_of(&storage, ""), ["b"]);
    assert_eq!(files_of(&memory.storage(), ""), ["b"]);
}

fn file_entry(name: &str, len: u64, blocks: &[u16]) -> Vec<u8> {
    let mut bytes = (name.len() as u16).to_le_bytes().to_vec();
    bytes.extend_from_slice(&(blocks.len() as u16).to_le_bytes());
    bytes.extend_from_slice(&len.to_le_bytes());
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend(blocks.iter().flat_map(|block| block.to_le_bytes()));
    bytes
}

fn table_of(files: &[u8], number: u64) -> Vec<u8> {
    let mut bytes = b"ccmuxsth\x01\0\0\0\0\0\0\0".to_vec();
    bytes.extend_from_slice(&number.to_le_bytes());
    bytes.extend_from_slice(&(files.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(files);
    let crc = crc32c::crc32c(&bytes[16..]);
    bytes[12..16].copy_from_slice(&crc.to_le_bytes());
    bytes.resize(BLOCK_BYTES, 0);
    bytes
}

/// The same on the memory that it is for.
#[test]
#[cfg(target_os = "linux")]
fn a_real_stash_is_opened_again() {
    let stash = Stash::create().unwrap();
    let again = || Stash::open(stash.to_descriptor().unwrap()).unwrap();
    let storage = StashStorage::format(Box::new(again())).unwrap();
    let path = PathBuf::from("panes/one/file");
    storage.create(&path).unwrap().write_at(0, b"text").unwrap();
    storage.rename(&path, Path::new("panes/one/other")).unwrap();
    let found = StashStorage::open(Box::new(again())).unwrap();
    assert_eq!(files_of(&found, "panes/one"), ["other"]);
    assert_eq!(
        read_whole(&*found.open(Path::new("panes/one/other")).unwrap(), 9).unwrap(),
        b"text"
    );
}
