//! The table of files; all integers little-endian.
//!
//! ```text
//! table = 0   8  "ccmuxsth"
//!         8   4  version, 1
//!         12  4  crc32c of the bytes from 16 to the end
//!         16  8  number, one more for each change; at block (number mod 2)
//!         24  4  length of what follows
//!         28  4  zero
//!         32     files
//! file  = 0   2  length of the name
//!         2   2  how many blocks
//!         4   8  length of the contents
//!         12     name, then the blocks' numbers, 2 bytes each
//! ```

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::{BLOCK_BYTES, BLOCKS, Memory, block_at, read_exactly};

const MAGIC: &[u8; 8] = b"ccmuxsth";
const VERSION: u32 = 1;
const HEADER_BYTES: usize = 32;
/// No table has a greater number, and what would need one is refused.
pub(super) const NUMBER_MAX: u64 = 1 << 62;
/// Blocks of the tables themselves.
const FIRST_BLOCK: u16 = 2;

/// All files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Table {
    number: u64,
    files: BTreeMap<String, File>,
    next_id: u64,
    /// Blocks that the table before this one names: they must stay as they are.
    kept: Vec<bool>,
}

/// One file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct File {
    /// Known to this process alone.
    id: u64,
    /// Length of the contents.
    pub(super) len: u64,
    /// As many as the contents need.
    pub(super) blocks: Vec<u16>,
}

impl Table {
    pub(super) fn empty() -> Self {
        Self { number: 1, files: BTreeMap::new(), next_id: 0, kept: vec![false; BLOCKS] }
    }

    /// A copy that is to be changed and to take its place.
    pub(super) fn successor(&self) -> Self {
        Self { number: self.number + 1, kept: self.used(), ..self.clone() }
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Where it is written.
    pub(super) fn place(&self) -> u64 {
        self.number % 2 * BLOCK_BYTES as u64
    }

    pub(super) fn encode(&self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; HEADER_BYTES];
        for (name, file) in &self.files {
            bytes.extend_from_slice(&(name.len() as u16).to_le_bytes());
            bytes.extend_from_slice(&(file.blocks.len() as u16).to_le_bytes());
            bytes.extend_from_slice(&file.len.to_le_bytes());
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend(file.blocks.iter().flat_map(|block| block.to_le_bytes()));
        }
        if bytes.len() > BLOCK_BYTES || self.number > NUMBER_MAX {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let len = (bytes.len() - HEADER_BYTES) as u32;
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.number.to_le_bytes());
        bytes[24..28].copy_from_slice(&len.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[16..]);
        bytes[12..16].copy_from_slice(&crc.to_le_bytes());
        Ok(bytes)
    }

    /// The table in a block; `None` if there is none, or something is wrong with it.
    pub(super) fn decode(block: &[u8]) -> Option<Self> {
        let mut header = Reader(block);
        let is_ours = header.take(8)? == MAGIC && header.u32()? == VERSION;
        let crc = header.u32()?;
        let (number, len) = (header.u64()?, header.u32()? as usize);
        let end = HEADER_BYTES.checked_add(len)?;
        if !is_ours || number > NUMBER_MAX || crc32c::crc32c(block.get(16..end)?) != crc {
            return None;
        }
        let mut table = Self { number, ..Self::empty() };
        let mut used = vec![false; BLOCKS];
        let mut rest = Reader(&block[HEADER_BYTES..end]);
        while !rest.0.is_empty() {
            let (name_len, count) = (usize::from(rest.u16()?), usize::from(rest.u16()?));
            let len = rest.u64()?;
            let name = std::str::from_utf8(rest.take(name_len)?).ok()?.to_owned();
            let blocks: Vec<u16> = (0..count).map(|_| rest.u16()).collect::<Option<_>>()?;
            for &block in &blocks {
                let is_used = used.get_mut(usize::from(block))?;
                if block < FIRST_BLOCK || std::mem::replace(is_used, true) {
                    return None;
                }
            }
            if blocks.len() as u64 != blocks_of(len) {
                return None;
            }
            let file = File { id: table.take_id(), len, blocks };
            if table.files.insert(name, file).is_some() {
                return None;
            }
        }
        Some(table)
    }

    pub(super) fn find(&self, name: &str) -> io::Result<u64> {
        self.files.get(name).map(|file| file.id).ok_or_else(not_found)
    }

    pub(super) fn file(&self, id: u64) -> io::Result<&File> {
        self.files.values().find(|file| file.id == id).ok_or_else(not_found)
    }

    fn file_mut(&mut self, id: u64) -> io::Result<&mut File> {
        self.files.values_mut().find(|file| file.id == id).ok_or_else(not_found)
    }

    /// Adds an empty file.
    pub(super) fn add(&mut self, name: &str) -> io::Result<u64> {
        if self.files.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let id = self.take_id();
        self.files.insert(name.to_owned(), File { id, len: 0, blocks: Vec::new() });
        Ok(id)
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let file = self.files.remove(from).ok_or_else(not_found)?;
        self.files.insert(to.to_owned(), file);
        Ok(())
    }

    pub(super) fn remove(&mut self, name: &str) -> io::Result<()> {
        self.files.remove(name).map(drop).ok_or_else(not_found)
    }

    pub(super) fn retain(&mut self, is_kept: impl Fn(&str) -> bool) {
        self.files.retain(|name, _| is_kept(name));
    }

    /// Names of all files.
    #[cfg(any(test, feature = "test-hooks"))]
    pub(super) fn names(&self) -> Vec<String> {
        self.files.keys().cloned().collect()
    }

    /// Names of the files in a directory.
    pub(super) fn list(&self, dir: &Path) -> Vec<String> {
        let in_dir = self.files.keys().filter_map(|name| {
            let name = Path::new(name).strip_prefix(dir).ok()?;
            (name.components().count() == 1).then(|| name.to_str().map(str::to_owned))?
        });
        in_dir.collect()
    }

    /// Writes to a file at most at its end.
    pub(super) fn write(
        &mut self,
        memory: &dyn Memory,
        id: u64,
        offset: u64,
        bytes: &[u8],
    ) -> io::Result<()> {
        let old_len = self.file(id)?.len;
        let end = offset.checked_add(bytes.len() as u64).ok_or(io::ErrorKind::StorageFull)?;
        let mut done = 0;
        while done < bytes.len() {
            let at = offset + done as u64;
            let (index, within) = (block_index(at), (at % BLOCK_BYTES as u64) as usize);
            let count = (BLOCK_BYTES - within).min(bytes.len() - done);
            let piece = &bytes[done..done + count];
            let start = at - within as u64;
            let held = old_len.saturating_sub(start).min(BLOCK_BYTES as u64) as usize;
            self.write_in_block(memory, id, (index, within), held, piece)?;
            done += count;
        }
        let file = self.file_mut(id)?;
        file.len = old_len.max(end);
        Ok(())
    }

    /// Writes to one block, of which the first `held` bytes are contents: those are never touched.
    fn write_in_block(
        &mut self,
        memory: &dyn Memory,
        id: u64,
        (index, within): (usize, usize),
        held: usize,
        piece: &[u8],
    ) -> io::Result<()> {
        let known = self.file(id)?.blocks.get(index).copied();
        if let Some(block) = known.filter(|_| within >= held) {
            return memory.write_at(block_at(block) + within as u64, piece);
        }
        let block = self.free_block().ok_or(io::ErrorKind::StorageFull)?;
        let mut contents = vec![0; held.max(within + piece.len())];
        if let Some(old) = known {
            read_exactly(memory, block_at(old), &mut contents[..held])?;
        }
        contents[within..within + piece.len()].copy_from_slice(piece);
        memory.write_at(block_at(block), &contents)?;
        let file = self.file_mut(id)?;
        match file.blocks.get_mut(index) {
            Some(known) => *known = block,
            None => file.blocks.push(block),
        }
        Ok(())
    }

    pub(super) fn truncate(&mut self, id: u64, len: u64) -> io::Result<()> {
        let file = self.file_mut(id)?;
        file.len = file.len.min(len);
        file.blocks.truncate(blocks_of(file.len) as usize);
        Ok(())
    }

    /// Blocks that `next` gives up.
    pub(super) fn blocks_not_in(&self, next: &Self) -> Vec<u16> {
        let used = next.used();
        self.all_blocks().filter(|block| !used[usize::from(*block)]).collect()
    }

    fn all_blocks(&self) -> impl Iterator<Item = u16> + '_ {
        self.files.values().flat_map(|file| file.blocks.iter().copied())
    }

    fn used(&self) -> Vec<bool> {
        let mut used = vec![false; BLOCKS];
        for block in self.all_blocks() {
            used[usize::from(block)] = true;
        }
        used
    }

    /// A block that neither this table nor the one before it names.
    fn free_block(&self) -> Option<u16> {
        let used = self.used();
        let is_free = |block: &u16| {
            let block = usize::from(*block);
            !used[block] && !self.kept[block]
        };
        (FIRST_BLOCK..BLOCKS as u16).find(is_free)
    }

    fn take_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }
}

/// Which block of its file holds a byte.
pub(super) fn block_index(offset: u64) -> usize {
    usize::try_from(offset / BLOCK_BYTES as u64).unwrap_or(usize::MAX)
}

fn blocks_of(len: u64) -> u64 {
    len.div_ceil(BLOCK_BYTES as u64)
}

fn not_found() -> io::Error {
    io::ErrorKind::NotFound.into()
}

/// Takes fields off the front; `None` where there are not enough bytes.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.take(2)?.try_into().ok()?))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }
}
