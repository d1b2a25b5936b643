//! Memory that an earlier server left files in.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use super::files::as_is_and_repaired;
use super::pack::{File, pack};
use crate::persistence::stash::{Memory, StashStorage};
use crate::persistence::storage::{Storage as _, read_file};

/// What a server left in a stash.
pub(super) fn stash(input: &[u8]) -> bool {
    as_is_and_repaired(input, |files| {
        let memory = SparseMemory::of(files);
        StashStorage::open(Box::new(memory.clone())).is_ok_and(|stash| {
            change_and_reopen(&stash, &memory);
            true
        })
    })
}

/// What another process opens is what this one has; a change changes nothing else.
fn change_and_reopen(stash: &StashStorage, memory: &SparseMemory) {
    let before = contents_of(stash);
    let added = Path::new("added");
    let is_added = stash.create(added).and_then(|file| file.write_at(0, &[7; 9000])).is_ok();
    let reopen = || StashStorage::open(Box::new(memory.clone())).expect("it has a table");
    let mut after = contents_of(&reopen());
    assert!(after == contents_of(stash), "another process finds something else");
    if is_added {
        assert_eq!(after.remove("added").as_deref(), Some([7; 9000].as_slice()));
        if let Err(error) = stash.remove(added) {
            // No table has a greater number, so there is no change at all any more.
            assert_eq!(error.kind(), io::ErrorKind::StorageFull, "what was added can be removed");
            assert!(stash.create(Path::new("more")).is_err(), "there is room for other changes");
        }
    } else {
        after.remove("added");
    }
    let before: BTreeMap<_, _> = before.into_iter().filter(|(name, _)| name != "added").collect();
    assert!(after == before, "a change of one file changed another");
}

/// All files that a stash names, and what is in them.
fn contents_of(stash: &StashStorage) -> BTreeMap<String, Vec<u8>> {
    let names = stash.names();
    let read = |name: String| {
        let contents = read_file(stash, Path::new(&name), ccmux_keeper::STASH_BYTES);
        contents.ok().map(|contents| (name, contents))
    };
    names.into_iter().filter_map(read).collect()
}

/// A stash with a file in two blocks and an empty one, and the table before the last change.
pub(super) fn seed() -> Vec<u8> {
    let memory = SparseMemory::default();
    let stash = StashStorage::format(Box::new(memory.clone())).expect("there is memory");
    let file = stash.create(Path::new("panes/x/1.chunk")).expect("there is room");
    file.write_at(0, &[b'x'; 9000]).expect("there is room");
    stash.create(Path::new("panes/x/2.keyframe")).expect("there is room");
    memory.packed()
}

/// Memory of a stash, of which an input says some blocks; the others are zeros. What is behind its end
/// can neither be read nor written.
#[derive(Clone, Debug, Default)]
pub(super) struct SparseMemory(Arc<Mutex<BTreeMap<usize, Vec<u8>>>>);

/// Size of a block, and of all memory.
const STASH_BLOCK_BYTES: usize = 8192;
const STASH_BLOCKS: usize = ccmux_keeper::STASH_BYTES as usize / STASH_BLOCK_BYTES;

impl SparseMemory {
    /// Blocks from files that have the number of a block as name.
    fn of(files: &[File]) -> Self {
        let block = |(name, contents): &File| {
            let number = name.parse().ok().filter(|number| *number < STASH_BLOCKS)?;
            let mut block = contents.clone();
            block.resize(STASH_BLOCK_BYTES, 0);
            Some((number, block))
        };
        Self(Arc::new(Mutex::new(files.iter().filter_map(block).collect())))
    }

    fn blocks(&self) -> MutexGuard<'_, BTreeMap<usize, Vec<u8>>> {
        self.0.lock().expect("nothing fails while it is held")
    }

    /// The input that gives these blocks, without the zeros at their ends.
    pub(super) fn packed(&self) -> Vec<u8> {
        let named = |(number, block): (&usize, &Vec<u8>)| {
            let len = block.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            (number.to_string(), block[..len].to_vec())
        };
        let files: Vec<File> = self.blocks().iter().map(named).collect();
        pack(&files)
    }
}

impl Memory for SparseMemory {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let (number, within) = block_of(offset)?;
        let count = buf.len().min(STASH_BLOCK_BYTES - within);
        match self.blocks().get(&number) {
            Some(block) => buf[..count].copy_from_slice(&block[within..within + count]),
            None => buf[..count].fill(0),
        }
        Ok(count)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut done = 0;
        while done < bytes.len() {
            let (number, within) = block_of(offset + done as u64)?;
            let count = (bytes.len() - done).min(STASH_BLOCK_BYTES - within);
            let mut blocks = self.blocks();
            let block = blocks.entry(number).or_insert_with(|| vec![0; STASH_BLOCK_BYTES]);
            block[within..within + count].copy_from_slice(&bytes[done..done + count]);
            done += count;
        }
        Ok(())
    }

    fn release(&self, offset: u64, _len: u64) {
        if let Ok((number, _)) = block_of(offset) {
            self.blocks().remove(&number);
        }
    }
}

fn block_of(offset: u64) -> io::Result<(usize, usize)> {
    let offset = usize::try_from(offset).ok().filter(|at| *at < STASH_BLOCKS * STASH_BLOCK_BYTES);
    let offset = offset.ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok((offset / STASH_BLOCK_BYTES, offset % STASH_BLOCK_BYTES))
}
