//! Logical lines that left the screen, encoded, numbered from 0 for the life of the pane.
//!
//! Lines are encoded when they leave the screen and from then on are bytes: the owner takes them
//! in batches, stores them and releases them here. Numbers never change and are never reused;
//! clearing the history only moves its start.

mod line;
mod scrollback;

use std::collections::VecDeque;

pub use self::line::{HistoryLine, Run};
use self::line::{encode_plain, encoded_len};
pub use self::scrollback::LINE_COLS_MAX;
pub(crate) use self::scrollback::{Scrollback, append_cells, push_wrapped_cells};
use crate::wire::{CodecError, Reader};

/// Encoded lines, one after another.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HistoryBatch {
    /// Number of the first line.
    pub first_line: u64,
    /// How many lines there are.
    pub count: u64,
    /// The lines; see [`decode_history`].
    pub bytes: Vec<u8>,
}

/// Reads the lines of a [`HistoryBatch`]. Yields exactly `count` items, or stops after the first
/// error; bytes left over after the last line are an error too.
pub fn decode_history(
    bytes: &[u8],
    count: u64,
) -> impl Iterator<Item = Result<HistoryLine, CodecError>> {
    let mut reader = Reader::new(bytes);
    let mut left = count;
    std::iter::from_fn(move || {
        if left == 0 {
            return None;
        }
        left -= 1;
        let mut line = HistoryLine::decode(&mut reader);
        if left == 0 && line.is_ok() && !reader.is_empty() {
            line = Err(CodecError::Invalid("end of history batch"));
        }
        if line.is_err() {
            left = 0;
        }
        Some(line)
    })
}

/// Bytes in a block before the next one is begun.
const BLOCK_BYTES: usize = 64 * 1024;

/// Encoded lines kept in memory, in bytes, however rarely the owner takes them; older lines are
/// dropped. No output that comes in reasonable pieces reaches this: it bounds what a few bytes that
/// fill and clear a huge screen can do.
pub const HISTORY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The lines still in memory.
#[derive(Clone, Debug)]
pub(crate) struct History {
    blocks: VecDeque<Block>,
    /// First line that may be read.
    start: u64,
    /// Number of the next line.
    end: u64,
    /// Lines before this one were cleared by the program or the user.
    cleared_before: u64,
    /// Lines kept in memory.
    limit: Option<u64>,
}

#[derive(Clone, Debug)]
struct Block {
    first: u64,
    count: u64,
    bytes: Vec<u8>,
}

impl Block {
    fn end(&self) -> u64 {
        self.first + self.count
    }

    /// Where line `line` begins; the end of the block for the line after the last.
    fn offset(&self, line: u64) -> usize {
        if line == self.end() {
            return self.bytes.len();
        }
        let mut at = 0;
        for _ in self.first..line {
            at += encoded_len(&self.bytes[at..]);
        }
        at
    }
}

impl History {
    pub(crate) fn new() -> Self {
        Self::starting_at(0, 0)
    }

    /// An empty history whose next line has the number `end`.
    pub(crate) fn starting_at(end: u64, cleared_before: u64) -> Self {
        Self { blocks: VecDeque::new(), start: end, end, cleared_before, limit: None }
    }

    pub(crate) fn start(&self) -> u64 {
        self.start
    }

    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    pub(crate) fn cleared_before(&self) -> u64 {
        self.cleared_before
    }

    pub(crate) fn limit(&self) -> Option<u64> {
        self.limit
    }

    pub(crate) fn set_limit(&mut self, limit: Option<u64>) {
        self.limit = limit;
        self.enforce_limit();
    }

    /// Adds one line, which `encode` appends to the bytes it is given.
    #[inline]
    pub(crate) fn push(&mut self, encode: impl FnOnce(&mut Vec<u8>)) {
        if self.blocks.back().is_none_or(|block| block.bytes.len() >= BLOCK_BYTES) {
            self.begin_block();
        }
        let block = self.blocks.back_mut().expect("begun above");
        encode(&mut block.bytes);
        block.count += 1;
        self.end += 1;
        if self.limit.is_some() {
            self.enforce_limit();
        }
    }

    pub(crate) fn line(&self, number: u64) -> Option<HistoryLine> {
        let block = self.block(number)?;
        let mut reader = Reader::new(&block.bytes[block.offset(number)..]);
        HistoryLine::decode(&mut reader).ok()
    }

    pub(crate) fn batch(&self, from: u64, max_bytes: usize) -> HistoryBatch {
        let first_line = from.clamp(self.start, self.end);
        let mut batch = HistoryBatch { first_line, ..HistoryBatch::default() };
        while let Some(block) = self.block(first_line + batch.count) {
            let next = first_line + batch.count;
            let start = block.offset(next);
            if batch.bytes.len() + block.bytes.len() - start <= max_bytes {
                batch.bytes.extend_from_slice(&block.bytes[start..]);
                batch.count += block.end() - next;
                continue;
            }
            let (len, count) = fitting(&block.bytes[start..], max_bytes - batch.bytes.len());
            if count > 0 {
                batch.bytes.extend_from_slice(&block.bytes[start..start + len]);
                batch.count += count;
            } else if batch.count == 0 {
                let len = encoded_len(&block.bytes[start..]);
                batch.bytes.extend_from_slice(&block.bytes[start..start + len]);
                batch.count = 1;
            }
            break;
        }
        batch
    }

    pub(crate) fn release(&mut self, before: u64) {
        self.start = before.clamp(self.start, self.end);
        while self.blocks.front().is_some_and(|block| block.end() <= self.start) {
            self.blocks.pop_front();
        }
    }

    /// Gives the next line the number `end`, unless its number is greater already.
    pub(crate) fn skip(&mut self, end: u64) {
        if end > self.end {
            self.blocks.clear();
            (self.start, self.end) = (end, end);
        }
    }

    /// Forgets everything; returns whether there was anything to forget.
    pub(crate) fn clear(&mut self) -> bool {
        let had_lines = self.cleared_before < self.end;
        self.release(self.end);
        self.cleared_before = self.end;
        had_lines
    }

    fn block(&self, line: u64) -> Option<&Block> {
        if line < self.start || line >= self.end {
            return None;
        }
        let index = self.blocks.partition_point(|block| block.end() <= line);
        self.blocks.get(index)
    }

    /// Begins a block, and drops the oldest ones over [`HISTORY_BYTES_MAX`].
    fn begin_block(&mut self) {
        let mut bytes: usize = self.blocks.iter().map(|block| block.bytes.len()).sum();
        while bytes > HISTORY_BYTES_MAX
            && let Some(oldest) = self.blocks.front()
        {
            bytes -= oldest.bytes.len();
            self.release(oldest.end());
        }

        // A pane that has filled a block fills more; a quiet one should not reserve 64 KiB.
        let capacity = if self.blocks.is_empty() { 0 } else { BLOCK_BYTES + BLOCK_BYTES / 16 };
        let bytes = Vec::with_capacity(capacity);
        self.blocks.push_back(Block { first: self.end, count: 0, bytes });
    }

    fn enforce_limit(&mut self) {
        if let Some(limit) = self.limit {
            self.release(self.end.saturating_sub(limit));
        }
    }
}

/// Equal lines, however they lie in blocks.
impl PartialEq for History {
    fn eq(&self, other: &Self) -> bool {
        let Self { blocks: _, start, end, cleared_before, limit } = self;
        (*start, *end, *cleared_before, *limit)
            == (other.start, other.end, other.cleared_before, other.limit)
            && self.batch(*start, usize::MAX) == other.batch(*start, usize::MAX)
    }
}

impl Eq for History {}

/// Bytes and count of the encoded lines at the front of `bytes` that fit into `max_bytes`.
fn fitting(bytes: &[u8], max_bytes: usize) -> (usize, u64) {
    let (mut len, mut count) = (0, 0);
    while len < bytes.len() {
        let next = len + encoded_len(&bytes[len..]);
        if next > max_bytes {
            break;
        }
        (len, count) = (next, count + 1);
    }
    (len, count)
}
