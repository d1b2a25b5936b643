//! Writing one chunk.

use std::io;
use std::path::{Path, PathBuf};

use ccmux_core::ids::PaneUuid;

use super::HistoryBlock;
use super::format::{BLOCK_RAW_MAX, BlockEntry, ChunkId, HEADER_BYTES, block_len, encode_footer};
use crate::persistence::scrollback::compress::{Compressor, Effort};
use crate::persistence::scrollback::layout::{CHUNK_SUFFIX, TEMPORARY_SUFFIX, numbered};
use crate::persistence::storage::{Storage, StorageFile};

/// A chunk that grows. It has a temporary name until it is published, so that no chunk is ever seen
/// without the lines that it began with. It is never written to again after an error.
#[derive(Debug)]
pub(in crate::persistence::scrollback) struct ChunkWriter {
    chunk: ChunkId,
    file: Box<dyn StorageFile>,
    is_published: bool,
    entries: Vec<BlockEntry>,
    bytes: u64,
    end_line: u64,
    /// For the next block.
    effort: Effort,
}

impl ChunkWriter {
    /// The path of the chunk of a pane's directory that begins with `first_line`.
    pub(in crate::persistence::scrollback) fn path(dir: &Path, first_line: u64) -> PathBuf {
        numbered(dir, first_line, CHUNK_SUFFIX)
    }

    /// Begins a chunk with line `first_line`; there must be none that is not published.
    pub(in crate::persistence::scrollback) fn create(
        storage: &dyn Storage,
        dir: &Path,
        pane: PaneUuid,
        first_line: u64,
    ) -> io::Result<Self> {
        let chunk = ChunkId { pane, first_line };
        let file = storage.create(&numbered(dir, first_line, TEMPORARY_SUFFIX))?;
        file.write_at(0, &chunk.encode_header())?;
        let (is_published, entries, bytes) = (false, Vec::new(), HEADER_BYTES as u64);
        let (end_line, effort) = (first_line, Effort::default());
        Ok(Self { chunk, file, is_published, entries, bytes, end_line, effort })
    }

    /// Gives it its name, in place of what has that name. What was appended has to be synced before; the name
    /// is durable once the directory is.
    pub(in crate::persistence::scrollback) fn publish(
        &mut self,
        storage: &dyn Storage,
        dir: &Path,
    ) -> io::Result<()> {
        let first_line = self.chunk.first_line;
        storage.rename(&self.temporary_path(dir), &Self::path(dir, first_line))?;
        self.is_published = true;
        Ok(())
    }

    /// Its path before it is published.
    pub(in crate::persistence::scrollback) fn temporary_path(&self, dir: &Path) -> PathBuf {
        numbered(dir, self.chunk.first_line, TEMPORARY_SUFFIX)
    }

    pub(in crate::persistence::scrollback) fn is_published(&self) -> bool {
        self.is_published
    }

    pub(in crate::persistence::scrollback) fn first_line(&self) -> u64 {
        self.chunk.first_line
    }

    /// Appends a block; its first line must be [`ChunkWriter::end_line`].
    pub(in crate::persistence::scrollback) fn append(
        &mut self,
        block: &HistoryBlock,
        compressor: &mut Compressor,
    ) -> io::Result<()> {
        assert!(block.first_line == self.end_line, "BUG: a hole inside a chunk");
        assert!(block.bytes.len() <= BLOCK_RAW_MAX, "BUG: a block too long to be read back");
        let payload = compressor.compress(&block.bytes, self.effort)?;
        self.effort = self.effort.next(block.bytes.len(), payload.len());
        let entry = BlockEntry {
            position: self.bytes,
            payload_crc: crc32c::crc32c(&payload),
            raw_len: block.bytes.len() as u32,
            len: payload.len() as u32,
            first_line: block.first_line,
            count: block.count,
            offset: block.offset,
            time: block.time,
            has_times: block.has_times,
        };
        let mut bytes = Vec::with_capacity(block_len(payload.len()));
        bytes.extend_from_slice(&entry.encode(self.chunk));
        bytes.extend_from_slice(&payload);
        bytes.resize(block_len(payload.len()), 0);
        self.file.write_at(self.bytes, &bytes)?;
        self.bytes = entry.end();
        self.end_line = entry.end_line();
        self.entries.push(entry);
        Ok(())
    }

    /// Writes the footer, after which nothing more is appended.
    pub(in crate::persistence::scrollback) fn finish(&mut self) -> io::Result<()> {
        let footer = encode_footer(self.chunk, &self.entries);
        self.file.write_at(self.bytes, &footer)?;
        self.bytes += footer.len() as u64;
        Ok(())
    }

    /// Makes it durable.
    pub(in crate::persistence::scrollback) fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }

    pub(in crate::persistence::scrollback) fn end_line(&self) -> u64 {
        self.end_line
    }

    pub(in crate::persistence::scrollback) fn bytes(&self) -> u64 {
        self.bytes
    }
}
