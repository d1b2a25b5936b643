//! Which blocks a chunk has: from its footer, or by walking from head to head.

use std::io;

use super::HistoryBlock;
use super::format::{
    ALIGNMENT, BLOCK_HEADER_BYTES, BlockEntry, CHUNK_BYTES_MAX, ChunkId, ENTRY_BYTES, HEADER_BYTES,
    TRAILER_BYTES, decode_footer, footer_entries,
};
use crate::persistence::storage::{StorageFile, read_full};

/// Heads are read this many bytes at a time when the next one has to be searched for.
const SEARCH_BYTES: usize = 256 * 1024;

/// An open chunk and its blocks, in ascending order of lines.
#[derive(Debug)]
pub(super) struct ChunkIndex {
    pub(super) chunk: ChunkId,
    file: Box<dyn StorageFile>,
    pub(super) blocks: Vec<BlockEntry>,
    /// There is a footer: nothing will be appended.
    pub(super) is_complete: bool,
    /// Where a walk goes on once there is more.
    walked_to: u64,
}

impl ChunkIndex {
    /// Reads the footer, or walks as far as there are blocks.
    pub(super) fn read(chunk: ChunkId, file: Box<dyn StorageFile>) -> io::Result<Self> {
        let walked_to = HEADER_BYTES as u64;
        let mut header = [0; HEADER_BYTES];
        let got = read_full(&*file, 0, &mut header)?;
        if ChunkId::is_unknown_version(&header[..got]) {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "unknown version"));
        }
        let mut index = Self { chunk, file, blocks: Vec::new(), is_complete: false, walked_to };
        index.refresh()?;
        Ok(index)
    }

    /// Takes in what was appended since.
    pub(super) fn refresh(&mut self) -> io::Result<()> {
        if self.is_complete {
            return Ok(());
        }
        let len = self.file.len()?.min(CHUNK_BYTES_MAX);
        match self.footer(len)? {
            Some(blocks) => {
                self.is_complete = true;
                self.blocks.clear();
                for block in blocks {
                    self.add(block);
                }
            }
            None => self.walk(len)?,
        }
        Ok(())
    }

    fn footer(&self, len: u64) -> io::Result<Option<Vec<BlockEntry>>> {
        let Some(trailer_at) = len.checked_sub(TRAILER_BYTES as u64) else { return Ok(None) };
        let mut trailer = [0; TRAILER_BYTES];
        let got = read_full(&*self.file, trailer_at, &mut trailer)?;
        let Some(count) = footer_entries(&trailer[..got]) else { return Ok(None) };
        let footer_len = (count * ENTRY_BYTES + TRAILER_BYTES) as u64;
        let Some(start) = len.checked_sub(footer_len) else { return Ok(None) };
        let mut footer = vec![0; footer_len as usize];
        let got = read_full(&*self.file, start, &mut footer)?;
        Ok(decode_footer(self.chunk, &footer[..got]))
    }

    fn walk(&mut self, len: u64) -> io::Result<()> {
        while self.walked_to < len {
            let mut head = [0; BLOCK_HEADER_BYTES];
            let got = read_full(&*self.file, self.walked_to, &mut head)?;
            let found = match BlockEntry::decode(&head[..got], self.chunk, self.walked_to) {
                Some(block) => Some(block),
                None => self.search(len)?,
            };
            match found {
                Some(block) if block.end() <= len => {
                    self.walked_to = block.end();
                    self.add(block);
                }
                _ => break,
            }
        }
        Ok(())
    }

    /// The next valid head behind a bad one.
    fn search(&self, len: u64) -> io::Result<Option<BlockEntry>> {
        let mut start = self.walked_to + ALIGNMENT as u64;
        let mut window = vec![0; len.saturating_sub(start).min(SEARCH_BYTES as u64) as usize];
        while start + BLOCK_HEADER_BYTES as u64 <= len {
            let got = read_full(&*self.file, start, &mut window)?;
            let mut at = 0;
            while at + BLOCK_HEADER_BYTES <= got {
                let position = start + at as u64;
                if let Some(block) = BlockEntry::decode(&window[at..got], self.chunk, position) {
                    return Ok(Some(block));
                }
                at += ALIGNMENT;
            }
            if at == 0 {
                break;
            }
            start += at as u64;
        }
        Ok(None)
    }

    fn add(&mut self, block: BlockEntry) {
        let end = self.blocks.last().map_or(self.chunk.first_line, BlockEntry::end_line);
        if block.first_line >= end {
            self.blocks.push(block);
        }
    }

    /// Number of the line after the last.
    pub(super) fn end_line(&self) -> u64 {
        self.blocks.last().map_or(self.chunk.first_line, BlockEntry::end_line)
    }

    /// The lines of a block.
    pub(super) fn load(&self, block: &BlockEntry) -> io::Result<HistoryBlock> {
        let bad = |what| io::Error::new(io::ErrorKind::InvalidData, what);
        // The length was checked with the head, but only the file says what there is.
        if block.end() > self.file.len()? {
            return Err(bad("block beyond the end"));
        }
        let mut payload = vec![0; block.len as usize];
        let got = read_full(&*self.file, block.payload_at(), &mut payload)?;
        if crc32c::crc32c(&payload[..got]) != block.payload_crc {
            return Err(bad("checksum of a block"));
        }
        let bytes = zstd::bulk::decompress(&payload, block.raw_len as usize)?;
        if bytes.len() != block.raw_len as usize {
            return Err(bad("length of a block"));
        }
        let BlockEntry { first_line, count, offset, time, has_times, .. } = *block;
        Ok(HistoryBlock { first_line, count, bytes, offset, time, has_times })
    }
}
