//! Logical lines that left the screen, encoded, numbered from 0 for the life of the pane.
//!
//! Lines are encoded when they leave the screen and from then on are bytes: the owner takes them
//! in batches, stores them and releases them here. Clearing the history only moves its start.
//!
//! When lines were written is kept beside them, for runs of lines: most follow each other within a
//! second.
//!
//! The newest lines are *recent*: a screen that grows takes them back. They stay here, are part of
//! a keyframe, and are sealed as others follow. The number of a sealed line never changes and is
//! never reused.

mod direct;
mod encoded;
mod line;
mod passing;
mod scrollback;
#[cfg(test)]
mod tests;
mod times;

use std::collections::VecDeque;
use std::ops::Range;

pub use self::encoded::EncodedLines;
pub(crate) use self::encoded::LineText;
pub use self::line::{HistoryLine, Run};
use self::line::{encode_plain, encoded_len};
pub(crate) use self::passing::PassingLine;
pub use self::scrollback::LINE_COLS_MAX;
pub(crate) use self::scrollback::{
    Cutting, Scrollback, append_cells, line_cells, push_wrapped_cells,
};
pub use self::times::LineTime;
use self::times::LineTimes;
pub(crate) use self::times::read_times;
use crate::wire::{CodecError, Reader};
use crate::work;

/// How encoded history lines are laid out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HistoryFormat {
    /// Lines, as earlier versions stored them.
    Lines,
    /// The times of the lines, then the lines: what [`HistoryBatch`] has.
    TimesAndLines,
}

/// Encoded lines, one after another, behind their times.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HistoryBatch {
    /// Number of the first line.
    pub first_line: u64,
    /// How many lines there are.
    pub count: u64,
    /// The lines; see [`decode_history`].
    pub bytes: Vec<u8>,
}

/// Reads the lines of a [`HistoryBatch`], or of what was made of one. Yields exactly `count` items, or
/// stops after the first error; bytes left over after the last line are an error too.
pub fn decode_history(
    format: HistoryFormat,
    bytes: &[u8],
    count: u64,
) -> impl Iterator<Item = Result<HistoryLine, CodecError>> {
    let mut reader = Reader::new(bytes);
    let runs = match format {
        HistoryFormat::Lines => Ok(Vec::new()),
        HistoryFormat::TimesAndLines => read_times(&mut reader, count),
    };
    let mut failure = runs.as_ref().err().copied();
    let runs = runs.unwrap_or_default().into_iter();
    let mut times = runs.flat_map(|run| std::iter::repeat_n(run.time, run.count as usize));
    let mut left = count;
    std::iter::from_fn(move || {
        if left == 0 {
            return None;
        }
        left -= 1;
        let mut line = match failure.take() {
            Some(error) => Err(error),
            None => HistoryLine::decode(&mut reader),
        };
        if left == 0 && line.is_ok() && !reader.is_empty() {
            line = Err(CodecError::Invalid("end of history batch"));
        }
        match &mut line {
            Ok(line) => line.time = times.next().unwrap_or_default(),
            Err(_) => left = 0,
        }
        Some(line)
    })
}

/// Bytes in a block before the next one is begun.
const BLOCK_BYTES: usize = 60 * 1024;

/// Blocks whose memory is kept for the next ones while lines keep coming: as much as a few megabytes of
/// output, after which the owner takes the lines.
const SPARE_BLOCKS_MAX: usize = 96;

/// Encoded lines kept in memory, in bytes, however rarely the owner takes them; older lines are
/// dropped. No output that comes in reasonable pieces reaches this: it bounds what a few bytes that
/// fill and clear a huge screen can do.
pub const HISTORY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Recent lines: at most so many.
pub(crate) const RECENT_LINES_MAX: usize = 128;
/// Recent lines take at most so many bytes, encoded: they are in every keyframe.
pub(crate) const RECENT_BYTES_MAX: usize = 16 * 1024;

/// The lines still in memory.
#[derive(Clone, Debug)]
pub(crate) struct History {
    blocks: VecDeque<Block>,
    times: LineTimes,
    /// First line that may be read.
    start: u64,
    /// Number of the next line.
    end: u64,
    /// Lines before this one were cleared by the program or the user.
    cleared_before: u64,
    /// Lines kept in memory.
    limit: Option<u64>,
    /// The lengths of the recent lines, encoded; all of them are in memory.
    recent: VecDeque<u32>,
    recent_bytes: usize,
    /// Empty memory of blocks that were dropped: what is given back to the system comes back one fault a
    /// page.
    spare: Vec<Vec<u8>>,
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
        Self {
            blocks: VecDeque::new(),
            times: LineTimes::default(),
            start: end,
            end,
            cleared_before,
            limit: None,
            recent: VecDeque::new(),
            recent_bytes: 0,
            spare: Vec::new(),
        }
    }

    pub(crate) fn start(&self) -> u64 {
        self.start
    }

    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// Number of the first recent line; of the next line if there is none.
    pub(crate) fn sealed_end(&self) -> u64 {
        self.end - self.recent.len() as u64
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
    pub(crate) fn push(&mut self, time: LineTime, encode: impl FnOnce(&mut Vec<u8>)) {
        if self.blocks.back().is_none_or(|block| block.bytes.len() >= BLOCK_BYTES) {
            self.begin_block();
        }
        let block = self.blocks.back_mut().expect("begun above");
        let before = block.bytes.len();
        encode(&mut block.bytes);
        let len = block.bytes.len() - before;
        block.count += 1;
        self.times.push(self.end, time);
        self.end += 1;
        self.recent.push_back(len as u32);
        self.recent_bytes += len;
        while self.recent.len() > RECENT_LINES_MAX || self.recent_bytes > RECENT_BYTES_MAX {
            self.seal_oldest();
        }
        if self.limit.is_some() {
            self.enforce_limit();
        }
    }

    /// Takes the newest line out again, if it is recent and whole.
    pub(crate) fn take_newest(&mut self) -> Option<HistoryLine> {
        let len = *self.recent.back()? as usize;
        let block = self.blocks.back_mut()?;
        let at = block.bytes.len().checked_sub(len)?;
        let mut line = HistoryLine::decode(&mut Reader::new(&block.bytes[at..])).ok()?;
        if line.continues {
            return None;
        }
        block.bytes.truncate(at);
        block.count -= 1;
        if block.count == 0 {
            self.blocks.pop_back();
        }
        self.end -= 1;
        line.time = self.times.get(self.end);
        self.times.truncate(self.end);
        self.recent.pop_back();
        self.recent_bytes -= len;
        Some(line)
    }

    /// Makes every line one that no screen takes back.
    pub(crate) fn seal(&mut self) {
        self.recent.clear();
        self.recent_bytes = 0;
    }

    /// The same lines, sealed, without what may have been left of one that was not finished.
    pub(crate) fn after_failure(&self) -> Self {
        let mut history = self.clone();
        if let Some(block) = history.blocks.back_mut() {
            let whole = (0..block.count).fold(0, |at, _| at + encoded_len(&block.bytes[at..]));
            block.bytes.truncate(whole);
            history.end = block.end();
            history.times.truncate(history.end);
        }
        history.seal();
        history
    }

    fn seal_oldest(&mut self) {
        if let Some(len) = self.recent.pop_front() {
            self.recent_bytes -= len as usize;
        }
    }

    pub(crate) fn line(&self, number: u64) -> Option<HistoryLine> {
        let block = self.block(number)?;
        let mut reader = Reader::new(&block.bytes[block.offset(number)..]);
        let line = HistoryLine::decode(&mut reader).ok()?;
        Some(HistoryLine { time: self.times.get(number), ..line })
    }

    /// Lines in memory around `number`.
    pub(crate) fn encoded(&self, number: u64) -> Option<EncodedLines<'_>> {
        let block = self.block(number)?;
        let lines = block.first.max(self.start)..block.end();
        Some(EncodedLines::of_block(lines, block.first, &block.bytes))
    }

    /// When lines were written; see [`read_times`].
    pub(crate) fn encode_times(&self, lines: Range<u64>, out: &mut Vec<u8>) {
        self.times.encode(lines, out);
    }

    /// Lines behind their times. `max_bytes` is for the lines alone.
    pub(crate) fn batch(&self, lines: Range<u64>, max_bytes: usize) -> HistoryBatch {
        let HistoryBatch { first_line, count, bytes } = self.lines(lines, max_bytes);
        let mut timed = Vec::with_capacity(bytes.len() + 16);
        if count > 0 {
            self.times.encode(first_line..first_line + count, &mut timed);
        }
        timed.extend_from_slice(&bytes);
        HistoryBatch { first_line, count, bytes: timed }
    }

    /// Lines without their times.
    pub(crate) fn lines(&self, lines: Range<u64>, max_bytes: usize) -> HistoryBatch {
        let first_line = lines.start.clamp(self.start, self.end);
        let end = lines.end.min(self.end);
        let mut batch = HistoryBatch { first_line, ..HistoryBatch::default() };
        while let Some(block) = self.block(first_line + batch.count) {
            let next = first_line + batch.count;
            if next >= end {
                break;
            }
            let start = block.offset(next);
            let most = max_bytes - batch.bytes.len();
            let fits = block.bytes.len() - start <= most;
            if fits && block.end() <= end {
                batch.bytes.extend_from_slice(&block.bytes[start..]);
                batch.count += block.end() - next;
                continue;
            }
            // The block is left to the next batch, which then takes it without a look at its lines.
            if !fits && batch.count > 0 {
                break;
            }
            let (len, count) = fitting(&block.bytes[start..], most, end - next);
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

    /// Drops sealed lines before `before` from memory.
    pub(crate) fn release(&mut self, before: u64) {
        self.drop_before(before.min(self.sealed_end()));
    }

    fn drop_before(&mut self, before: u64) {
        self.start = before.clamp(self.start, self.end);
        while self.sealed_end() < self.start {
            work::note(1);
            self.seal_oldest();
        }
        self.times.drop_before(self.start);
        while self.blocks.front().is_some_and(|block| block.end() <= self.start) {
            if let Some(Block { mut bytes, .. }) = self.blocks.pop_front()
                && bytes.len() >= BLOCK_BYTES
                && self.spare.len() < SPARE_BLOCKS_MAX
            {
                bytes.clear();
                self.spare.push(bytes);
            }
        }
        // Recent lines may lie in two blocks. A pane that has no more than these is not flooding.
        if self.blocks.len() <= 2 {
            self.spare = Vec::new();
        }
    }

    /// Gives the next line the number `end`, unless its number is greater already.
    pub(crate) fn skip(&mut self, end: u64) {
        if end > self.end {
            self.blocks.clear();
            self.seal();
            (self.start, self.end) = (end, end);
        }
    }

    /// Forgets everything; returns whether there was anything to forget.
    pub(crate) fn clear(&mut self) -> bool {
        let had_lines = self.cleared_before < self.end;
        self.drop_before(self.end);
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
        work::note(self.blocks.len());
        let mut bytes: usize = self.blocks.iter().map(|block| block.bytes.len()).sum();
        while bytes > HISTORY_BYTES_MAX
            && let Some(oldest) = self.blocks.front()
        {
            bytes -= oldest.bytes.len();
            self.drop_before(oldest.end());
        }

        // A pane that has filled a block fills more; a quiet one should not reserve 64 KiB.
        let capacity = if self.blocks.is_empty() { 0 } else { BLOCK_BYTES + BLOCK_BYTES / 16 };
        let bytes = self.spare.pop().unwrap_or_else(|| Vec::with_capacity(capacity));
        self.blocks.push_back(Block { first: self.end, count: 0, bytes });
    }

    fn enforce_limit(&mut self) {
        if let Some(limit) = self.limit {
            self.drop_before(self.end.saturating_sub(limit));
        }
    }
}

/// Equal lines, however they lie in blocks.
impl PartialEq for History {
    fn eq(&self, other: &Self) -> bool {
        let Self {
            blocks: _,
            times: _,
            start,
            end,
            cleared_before,
            limit,
            recent,
            recent_bytes: _,
            spare: _,
        } = self;
        (*start, *end, *cleared_before, *limit, recent)
            == (other.start, other.end, other.cleared_before, other.limit, &other.recent)
            && self.batch(*start..*end, usize::MAX) == other.batch(*start..*end, usize::MAX)
    }
}

impl Eq for History {}

/// Bytes and count of the encoded lines at the front of `bytes` that fit into `max_bytes`, but no
/// more than `max_count`.
fn fitting(bytes: &[u8], max_bytes: usize, max_count: u64) -> (usize, u64) {
    let (mut len, mut count) = (0, 0);
    while len < bytes.len() && count < max_count {
        let next = len + encoded_len(&bytes[len..]);
        if next > max_bytes {
            break;
        }
        (len, count) = (next, count + 1);
    }
    (len, count)
}
