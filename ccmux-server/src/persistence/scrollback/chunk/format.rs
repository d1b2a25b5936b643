//! Bytes of a history chunk; all integers little-endian.
//!
//! ```text
//! chunk   = header block* [footer]           with a footer the chunk is complete
//! header  = 0   8  "ccmuxchk"
//!           8   4  version, 2; 1, whose blocks have no times, is read, too
//!           12  4  crc32c of the other 36 bytes
//!           16 16  pane
//!           32  8  first line
//! block   = 0   4  crc32c of pane, first line of the chunk, position in the file, bytes 4..48
//!           4   4  crc32c of the compressed lines
//!           8   4  length of the lines
//!           12  4  length of the compressed lines
//!           16  8  number of the first line
//!           24  4  how many lines
//!           28  4  1 if the times of the lines lie before them, or else 0
//!           32  8  stream offset: all lines were complete before it
//!           40  8  time, milliseconds since 1970
//!           48     lines, zstd, then zeros up to a multiple of 8
//! footer  = entry* trailer
//! entry   = 0   8  position of the block
//!           8  44  bytes 4..48 of its head
//! trailer = 0   4  crc32c of pane, first line, 0, all entries
//!           4   4  how many entries
//!           8   8  "ccmuxidx"
//! ```

use ccmux_core::ids::PaneUuid;
use ccmux_core::model::Timestamp;

use crate::persistence::scrollback::bytes::{Fields, u32_at, u64_at};
use crate::persistence::scrollback::layout::POSITION_MAX;

const MAGIC: &[u8; 8] = b"ccmuxchk";
const TRAILER_MAGIC: &[u8; 8] = b"ccmuxidx";
const VERSION: u32 = 2;
/// The oldest one that is read.
const OLDEST_VERSION: u32 = 1;

pub(super) const HEADER_BYTES: usize = 40;
pub(super) const BLOCK_HEADER_BYTES: usize = 48;
pub(super) const ENTRY_BYTES: usize = 52;
pub(super) const TRAILER_BYTES: usize = 16;
/// Blocks begin at multiples of this.
pub(super) const ALIGNMENT: usize = 8;
/// Longest lines of one block, before compression.
pub(in crate::persistence::scrollback) const BLOCK_RAW_MAX: usize = 16 << 20;
/// No chunk is longer.
pub(super) const CHUNK_BYTES_MAX: u64 = 256 << 20;

/// What binds a block to its place: taken from the file's path, not from its contents.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ChunkId {
    pub(super) pane: PaneUuid,
    pub(super) first_line: u64,
}

impl ChunkId {
    pub(super) fn encode_header(self) -> [u8; HEADER_BYTES] {
        let fields = Fields::<HEADER_BYTES>::new()
            .put(0, MAGIC)
            .u32(8, VERSION)
            .put(16, self.pane.0.as_bytes())
            .u64(32, self.first_line);
        let crc = Self::header_checksum(&fields.0);
        fields.u32(12, crc).0
    }

    /// Whether `bytes` are a header of a version that cannot be read. One that has decayed is
    /// none: the blocks can be read without.
    pub(super) fn is_unknown_version(bytes: &[u8]) -> bool {
        bytes.len() == HEADER_BYTES
            && &bytes[..8] == MAGIC
            && u32_at(bytes, 12) == Self::header_checksum(bytes)
            && !(OLDEST_VERSION..=VERSION).contains(&u32_at(bytes, 8))
    }

    fn header_checksum(bytes: &[u8]) -> u32 {
        crc32c::crc32c_append(crc32c::crc32c(&bytes[..12]), &bytes[16..])
    }

    fn checksum(self, position: u64, bytes: &[u8]) -> u32 {
        let place = Fields::<32>::new()
            .put(0, self.pane.0.as_bytes())
            .u64(16, self.first_line)
            .u64(24, position);
        crc32c::crc32c_append(crc32c::crc32c(&place.0), bytes)
    }
}

/// A block and where it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct BlockEntry {
    pub(super) position: u64,
    pub(super) payload_crc: u32,
    pub(super) raw_len: u32,
    pub(super) len: u32,
    pub(super) first_line: u64,
    pub(super) count: u32,
    pub(super) offset: u64,
    pub(super) time: Timestamp,
    pub(super) has_times: bool,
}

impl BlockEntry {
    /// Number of the line after the last.
    pub(super) fn end_line(&self) -> u64 {
        self.first_line + u64::from(self.count)
    }

    /// Where the compressed lines begin.
    pub(super) fn payload_at(&self) -> u64 {
        self.position + BLOCK_HEADER_BYTES as u64
    }

    /// Where the next block begins.
    pub(super) fn end(&self) -> u64 {
        self.position + block_len(self.len as usize) as u64
    }

    pub(super) fn encode(&self, chunk: ChunkId) -> [u8; BLOCK_HEADER_BYTES] {
        let fields = Fields::<BLOCK_HEADER_BYTES>::new().put(4, &self.fields());
        let crc = chunk.checksum(self.position, &fields.0[4..]);
        fields.u32(0, crc).0
    }

    /// The block whose head is `bytes`, at `position`; `None` if there is none.
    pub(super) fn decode(bytes: &[u8], chunk: ChunkId, position: u64) -> Option<Self> {
        let head = bytes.get(..BLOCK_HEADER_BYTES)?;
        let entry = Self::from_fields(&head[4..], position)?;
        (u32_at(head, 0) == chunk.checksum(position, &head[4..])).then_some(entry)
    }

    fn fields(&self) -> [u8; BLOCK_HEADER_BYTES - 4] {
        Fields::new()
            .u32(0, self.payload_crc)
            .u32(4, self.raw_len)
            .u32(8, self.len)
            .u64(12, self.first_line)
            .u32(20, self.count)
            .u32(24, u32::from(self.has_times))
            .u64(28, self.offset)
            .u64(36, self.time.0)
            .0
    }

    fn from_fields(fields: &[u8], position: u64) -> Option<Self> {
        let entry = Self {
            position,
            payload_crc: u32_at(fields, 0),
            raw_len: u32_at(fields, 4),
            len: u32_at(fields, 8),
            first_line: u64_at(fields, 12),
            count: u32_at(fields, 20),
            offset: u64_at(fields, 28),
            time: Timestamp(u64_at(fields, 36)),
            has_times: u32_at(fields, 24) == 1,
        };
        let is_sane = entry.raw_len as usize <= BLOCK_RAW_MAX
            && entry.count > 0
            && u32_at(fields, 24) <= 1
            && u64::from(entry.len) <= CHUNK_BYTES_MAX
            && position <= CHUNK_BYTES_MAX
            && entry.first_line <= POSITION_MAX;
        is_sane.then_some(entry)
    }
}

/// Length in the file of a block with `len` bytes of compressed lines.
pub(super) fn block_len(len: usize) -> usize {
    (BLOCK_HEADER_BYTES + len).next_multiple_of(ALIGNMENT)
}

pub(super) fn encode_footer(chunk: ChunkId, entries: &[BlockEntry]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(entries.len() * ENTRY_BYTES + TRAILER_BYTES);
    for entry in entries {
        bytes.extend_from_slice(&entry.position.to_le_bytes());
        bytes.extend_from_slice(&entry.fields());
    }
    let crc = chunk.checksum(0, &bytes);
    bytes.extend_from_slice(&crc.to_le_bytes());
    bytes.extend_from_slice(&(entries.len() as u32).to_le_bytes());
    bytes.extend_from_slice(TRAILER_MAGIC);
    bytes
}

/// Number of entries that the trailer at the end of a chunk promises.
pub(super) fn footer_entries(trailer: &[u8]) -> Option<usize> {
    (trailer.len() == TRAILER_BYTES && &trailer[8..] == TRAILER_MAGIC)
        .then(|| u32_at(trailer, 4) as usize)
}

/// The entries of a footer, trailer included.
pub(super) fn decode_footer(chunk: ChunkId, footer: &[u8]) -> Option<Vec<BlockEntry>> {
    let (entries, trailer) = footer.split_at_checked(footer.len().checked_sub(TRAILER_BYTES)?)?;
    if u32_at(trailer, 0) != chunk.checksum(0, entries) {
        return None;
    }
    entries
        .chunks_exact(ENTRY_BYTES)
        .map(|entry| BlockEntry::from_fields(&entry[8..], u64_at(entry, 0)))
        .collect()
}
