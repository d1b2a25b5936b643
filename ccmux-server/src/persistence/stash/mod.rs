//! Files in memory that outlives the server: the [`Storage`] of panes that have none on the disk.
//!
//! A pane whose output must not reach the disk, or whose output the disk refuses, is written by the
//! very code that writes every other pane, to files in a *stash*: a piece of memory that its keeper
//! holds, too (`ccmux_keeper::Stash`). There is one stash for each such pane.
//!
//! ```text
//! block 0, 1   the table of files, twice; the one with the greater number counts
//! block 2..    contents of files, each block in one file or in none
//! ```
//!
//! Memory keeps all that was written, but the server may be killed between any two bytes. So a
//! change writes blocks that no table names, then the older one of the two tables, whose checksum
//! is valid once all of it is there.
//!
//! Invariants
//! * A change happens whole or not at all, whenever the server is killed (S1).
//! * No block that the newest valid table names is written to, but behind the end of its file (S2).
//! * Every length and block number of a table is checked before it is used; a table in which
//!   something is wrong is none (P7).

mod table;
#[cfg(test)]
pub(crate) mod test_memory;
#[cfg(test)]
mod tests;

use std::fmt::Debug;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ccmux_keeper::Stash;

use self::table::{Table, block_index};
use super::storage::{Storage, StorageFile, check_path};

/// Size of a block.
const BLOCK_BYTES: usize = 8 << 10;
/// Number of blocks.
const BLOCKS: usize = (ccmux_keeper::STASH_BYTES as usize) / BLOCK_BYTES;

/// What a stash is made of: memory of [`ccmux_keeper::STASH_BYTES`].
pub trait Memory: Debug + Send + Sync {
    /// Reads up to `buf.len()` bytes.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize>;
    /// Writes all of `bytes`; on an error, or a kill, any beginning of them.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Gives memory back to the system; a hint. It reads as zeros, or as what it was.
    fn release(&self, offset: u64, len: u64);
}

impl Memory for Stash {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        Stash::read_at(self, offset, buf)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        Stash::write_at(self, offset, bytes)
    }

    fn release(&self, offset: u64, len: u64) {
        Stash::release(self, offset, len);
    }
}

/// Files in a stash. Every directory exists, and is empty if there is no file in it.
#[derive(Clone, Debug)]
pub struct StashStorage(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    memory: Box<dyn Memory>,
    table: Mutex<Table>,
}

impl StashStorage {
    /// An empty one in memory that is all zeros.
    pub fn format(memory: Box<dyn Memory>) -> io::Result<Self> {
        let table = Table::empty();
        memory.write_at(table.place(), &table.encode()?)?;
        Ok(Self::with(memory, table))
    }

    /// The files that an earlier server left.
    ///
    /// # Errors
    /// Of kind `InvalidData` if neither table is one.
    pub fn open(memory: Box<dyn Memory>) -> io::Result<Self> {
        let mut newest: Option<Table> = None;
        for slot in 0..2 {
            let mut bytes = vec![0; BLOCK_BYTES];
            read_exactly(&*memory, (slot * BLOCK_BYTES) as u64, &mut bytes)?;
            let table = Table::decode(&bytes);
            newest = [newest, table].into_iter().flatten().max_by_key(Table::number);
        }
        match newest {
            Some(table) => Ok(Self::with(memory, table)),
            None => Err(io::Error::new(io::ErrorKind::InvalidData, "no table of files")),
        }
    }

    /// Names of all files.
    #[cfg(any(test, feature = "test-hooks"))]
    pub(in crate::persistence) fn names(&self) -> Vec<String> {
        self.0.lock().names()
    }

    fn with(memory: Box<dyn Memory>, table: Table) -> Self {
        Self(Arc::new(Shared { memory, table: Mutex::new(table) }))
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a change of the table, whole or not at all.
    fn change<T>(
        &self,
        change: impl FnOnce(&mut Table, &dyn Memory) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut table = self.lock();
        let mut next = table.successor();
        let done = change(&mut next, &*self.memory)?;
        self.memory.write_at(next.place(), &next.encode()?)?;
        for block in table.blocks_not_in(&next) {
            self.memory.release(block_at(block), BLOCK_BYTES as u64);
        }
        *table = next;
        Ok(done)
    }
}

impl Storage for StashStorage {
    fn create(&self, path: &Path) -> io::Result<Box<dyn StorageFile>> {
        let name = name_of(path)?;
        let id = self.0.change(|table, _| table.add(name))?;
        Ok(Box::new(StashFile { shared: Arc::clone(&self.0), id }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn StorageFile>> {
        let id = self.0.lock().find(name_of(path)?)?;
        Ok(Box::new(StashFile { shared: Arc::clone(&self.0), id }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let (from, to) = (name_of(from)?, name_of(to)?);
        self.0.change(|table, _| table.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let name = name_of(path)?;
        self.0.change(|table, _| table.remove(name))
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        check_path(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        check_path(path)?;
        self.0.change(|table, _| {
            table.retain(|name| !Path::new(name).starts_with(path));
            Ok(())
        })
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        check_path(path)?;
        Ok(self.0.lock().list(path))
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        check_path(path)
    }
}

/// A file by its number, which no other file of this process ever has: of one that was removed
/// nothing can be read.
#[derive(Debug)]
struct StashFile {
    shared: Arc<Shared>,
    id: u64,
}

impl StorageFile for StashFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.shared.change(|table, memory| {
            let len = table.file(self.id)?.len;
            match offset.checked_sub(len) {
                None | Some(0) => table.write(memory, self.id, offset, bytes),
                Some(gap) => {
                    let gap = usize::try_from(gap).ok().filter(|gap| *gap <= BLOCKS * BLOCK_BYTES);
                    let mut whole = vec![0; gap.ok_or(io::ErrorKind::StorageFull)?];
                    whole.extend_from_slice(bytes);
                    table.write(memory, self.id, len, &whole)
                }
            }
        })
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let table = self.shared.lock();
        let file = table.file(self.id)?;
        let rest = usize::try_from(file.len.saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = buf.len().min(rest);
        let mut done = 0;
        while done < wanted {
            let at = offset + done as u64;
            let within = (at % BLOCK_BYTES as u64) as usize;
            let count = (BLOCK_BYTES - within).min(wanted - done);
            let place = block_at(file.blocks[block_index(at)]) + within as u64;
            read_exactly(&*self.shared.memory, place, &mut buf[done..done + count])?;
            done += count;
        }
        Ok(wanted)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.shared.lock().file(self.id)?.len)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let known = self.len()?;
        if len > known {
            return self.write_at(len, &[]);
        }
        self.shared.change(|table, _| table.truncate(self.id, len))
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        if len > self.len()? { self.set_len(len) } else { Ok(()) }
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn forget_cached(&self) {}
}

/// Where a block begins.
fn block_at(block: u16) -> u64 {
    u64::from(block) * BLOCK_BYTES as u64
}

fn name_of(path: &Path) -> io::Result<&str> {
    check_path(path)?;
    let name = path.to_str().filter(|name| !name.is_empty());
    name.ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

fn read_exactly(memory: &dyn Memory, offset: u64, buf: &mut [u8]) -> io::Result<()> {
    let mut done = 0;
    while done < buf.len() {
        match memory.read_at(offset + done as u64, &mut buf[done..])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => done += count,
        }
    }
    Ok(())
}
