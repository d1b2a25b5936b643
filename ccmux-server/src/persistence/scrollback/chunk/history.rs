//! Reading a pane's history.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ccmux_core::ids::PaneUuid;

use super::HistoryBlock;
use super::format::{BlockEntry, ChunkId};
use super::index::ChunkIndex;
use crate::persistence::scrollback::layout::{CHUNK_SUFFIX, number_of, numbered, pane_dir};
use crate::persistence::scrollback::removed::removed_before;
use crate::persistence::storage::{Storage, insist, unless_passing};

/// Chunks whose index is kept.
const INDEXES_MAX: usize = 4;
/// Blocks that are kept decompressed.
const BLOCKS_MAX: usize = 4;

/// What is at a line of the history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HistoryRead {
    /// A block of lines, of which those in `valid` count; the line asked for is among them.
    Block {
        /// The lines as they were archived.
        block: Arc<HistoryBlock>,
        /// Those that belong to the history: others were cleared, or written again elsewhere.
        valid: Range<u64>,
    },
    /// These lines, the one asked for among them, cannot be read.
    Missing(Range<u64>),
}

/// The history of one pane on disk, for reading; the archiver may append to it meanwhile.
///
/// Opening lists the directory and looks at the newest chunk; everything else is read when asked
/// for. Of two chunks the one with the greater first line counts where they overlap: it was written
/// later.
#[derive(Debug)]
pub struct PaneHistory {
    storage: Arc<dyn Storage>,
    pane: PaneUuid,
    dir: PathBuf,
    range: Range<u64>,
    /// First lines of the chunks.
    chunks: Vec<u64>,
    /// Lines before this one were removed on purpose; `None` if nothing says so.
    removed_before: Option<u64>,
    /// Recently used, the latest last.
    indexes: Vec<ChunkIndex>,
    blocks: Vec<Arc<HistoryBlock>>,
}

impl PaneHistory {
    /// The history of `pane`, limited to `range`: the lines that its keyframe or its last
    /// [`Archived`](crate::persistence::scrollback::Archived) names.
    pub fn open(storage: Arc<dyn Storage>, pane: PaneUuid, range: Range<u64>) -> io::Result<Self> {
        let dir = pane_dir(pane);
        let (chunks, removed_before) = look(&*storage, &dir)?;
        let (indexes, blocks) = (Vec::new(), Vec::new());
        Ok(Self { storage, pane, dir, range, chunks, removed_before, indexes, blocks })
    }

    /// First line that may be there.
    pub fn first_line(&self) -> u64 {
        let oldest = self.chunks.first().copied().unwrap_or(self.range.end);
        oldest.clamp(self.kept_from(), self.range.end)
    }

    /// The line before which lines were removed on purpose; `None` if nothing says so.
    pub(in crate::persistence::scrollback) fn removed_before(&self) -> Option<u64> {
        self.removed_before
    }

    /// First line that was not removed on purpose.
    fn kept_from(&self) -> u64 {
        self.range.start.max(self.removed_before.unwrap_or(0)).min(self.range.end)
    }

    /// Number of the line after the last.
    pub fn end_line(&self) -> u64 {
        self.range.end
    }

    /// Takes in what was archived, cleared or trimmed since.
    pub fn update(&mut self, range: Range<u64>) -> io::Result<()> {
        if range == self.range {
            return Ok(());
        }
        (self.chunks, self.removed_before) = look(&*self.storage, &self.dir)?;
        self.indexes.retain(|index| self.chunks.contains(&index.chunk.first_line));
        self.range = range;
        Ok(())
    }

    /// The block that holds `line`, or how much is missing there.
    pub fn read(&mut self, line: u64) -> HistoryRead {
        let at = self.chunks.partition_point(|&first| first <= line);
        let (Some(chunk), true) = (at.checked_sub(1), self.range.contains(&line)) else {
            let next = self.chunks.get(at).copied().unwrap_or(self.range.end);
            return HistoryRead::Missing(line..next.clamp(line.saturating_add(1), u64::MAX));
        };
        let first = self.chunks[chunk];
        let next = self.chunks.get(at).copied().unwrap_or(u64::MAX);
        let bounds = first.max(self.range.start)..next.min(self.range.end);
        match self.find(first, line) {
            Ok(Ok(entry)) => {
                let valid = entry.first_line.max(bounds.start)..entry.end_line().min(bounds.end);
                match self.block(first, &entry) {
                    Ok(block) => HistoryRead::Block { block, valid },
                    Err(error) => {
                        tracing::warn!(pane = %self.pane, ?valid, %error, "history is damaged");
                        HistoryRead::Missing(valid)
                    }
                }
            }
            Ok(Err(hole)) => {
                HistoryRead::Missing(hole.start.max(bounds.start)..hole.end.min(bounds.end))
            }
            Err(error) => {
                tracing::warn!(pane = %self.pane, ?bounds, %error, "history is damaged");
                HistoryRead::Missing(bounds)
            }
        }
    }

    /// The block of the chunk `first` that holds `line`, or the lines around it without a block.
    fn find(&mut self, first: u64, line: u64) -> io::Result<Result<BlockEntry, Range<u64>>> {
        let index = self.index(first)?;
        if line >= index.end_line() {
            index.refresh()?;
        }
        let at = index.blocks.partition_point(|block| block.end_line() <= line);
        let hole_start = at.checked_sub(1).map_or(first, |at| index.blocks[at].end_line());
        Ok(match index.blocks.get(at) {
            Some(block) if block.first_line <= line => Ok(*block),
            Some(block) => Err(hole_start..block.first_line),
            None => Err(hole_start..u64::MAX),
        })
    }

    fn index(&mut self, first: u64) -> io::Result<&mut ChunkIndex> {
        let index = match self.indexes.iter().position(|index| index.chunk.first_line == first) {
            Some(at) => self.indexes.remove(at),
            None => {
                let path = numbered(&self.dir, first, CHUNK_SUFFIX);
                let chunk = ChunkId { pane: self.pane, first_line: first };
                let index = insist(|| ChunkIndex::read(chunk, self.storage.open(&path)?))?;
                if self.indexes.len() == INDEXES_MAX {
                    self.indexes.remove(0);
                }
                index
            }
        };
        self.indexes.push(index);
        Ok(self.indexes.last_mut().expect("just pushed"))
    }

    fn block(&mut self, first: u64, entry: &BlockEntry) -> io::Result<Arc<HistoryBlock>> {
        // The same lines may have been written twice, so the line alone does not name a block.
        let is_it = |block: &Arc<HistoryBlock>| {
            (block.first_line, block.count, block.offset, block.time)
                == (entry.first_line, entry.count, entry.offset, entry.time)
        };
        let block = match self.blocks.iter().position(is_it) {
            Some(at) => self.blocks.remove(at),
            None => {
                let block = Arc::new(self.index(first)?.load(entry)?);
                if self.blocks.len() == BLOCKS_MAX {
                    self.blocks.remove(0);
                }
                block
            }
        };
        self.blocks.push(Arc::clone(&block));
        Ok(block)
    }

    /// The lines at the end that no chunk holds although the range says so.
    ///
    /// # Errors
    /// Only what says nothing about the chunks.
    pub fn missing_at_end(&mut self) -> io::Result<Range<u64>> {
        let end = self.range.end;
        let newest = self.chunks.iter().rev().find(|&&first| first < end).copied();
        let stored = match newest {
            None => self.kept_from(),
            Some(first) => {
                unless_passing(self.index(first))?.map_or(first, |index| index.end_line())
            }
        };
        Ok(stored.clamp(self.kept_from(), end)..end)
    }

    /// The lines before the first chunk that were not removed on purpose; none if there is no chunk, since they
    /// are missing at the end then.
    ///
    /// # Errors
    /// Only what says nothing about the chunks.
    pub(in crate::persistence::scrollback) fn missing_at_start(
        &mut self,
    ) -> io::Result<Range<u64>> {
        let from = self.kept_from();
        let at = self.chunks.partition_point(|&first| first <= from);
        let next = self.chunks.get(at).copied().filter(|&next| next < self.range.end);
        let Some(next) = next else { return Ok(from..from) };
        let stored = match at.checked_sub(1).map(|before| self.chunks[before]) {
            None => from,
            Some(first) if first == from => next,
            // It may be one that was to be removed, and what followed it is gone.
            Some(first) => unless_passing(self.index(first))?.map_or(next, |it| it.end_line()),
        };
        Ok(stored.clamp(from, next)..next)
    }

    /// Where the lines end that were complete before `offset` bytes of the stream, and can be read: what
    /// was being written when the power went is made again. A power cut may have left a hole in what was
    /// added last to the newest chunk: lines behind it do not count.
    ///
    /// # Errors
    /// Only what says nothing about the chunks.
    pub(in crate::persistence::scrollback) fn end_before(
        &mut self,
        offset: u64,
    ) -> io::Result<u64> {
        let chunks = self.chunks.clone();
        // Of lines that a later chunk should have, an earlier one may have others: nobody reads those.
        let mut next = u64::MAX;
        for &first in chunks.iter().rev() {
            let beyond = std::mem::replace(&mut next, first);
            let Ok(index) = unless_passing(self.index(first))? else { continue };
            let may_have_hole = chunks.last() == Some(&first) && !index.is_complete;
            let counts = |block: &&BlockEntry| block.offset <= offset && block.first_line < beyond;
            let before: Vec<BlockEntry> = index.blocks.iter().filter(counts).copied().collect();
            if may_have_hole {
                if let Some(end) = self.intact_end(first, &before)? {
                    return Ok(end);
                }
                continue;
            }
            for block in before.iter().rev() {
                if unless_passing(self.block(first, block))?.is_ok() {
                    return Ok(block.end_line().min(beyond));
                }
            }
        }
        Ok(0)
    }

    /// Where the lines of these blocks of the chunk `first` end that follow each other, beginning with what the
    /// range counts.
    fn intact_end(&mut self, first: u64, blocks: &[BlockEntry]) -> io::Result<Option<u64>> {
        let mut reached = self.range.end.max(first);
        let mut end = None;
        let counted = self.range.end;
        for block in blocks.iter().filter(|block| block.end_line() > counted) {
            if block.first_line > reached || unless_passing(self.block(first, block))?.is_err() {
                break;
            }
            reached = block.end_line();
            end = Some(reached);
        }
        Ok(end)
    }
}

/// First lines of the chunks in a pane's directory, ascending, and before which line they were removed.
fn look(storage: &dyn Storage, dir: &Path) -> io::Result<(Vec<u64>, Option<u64>)> {
    let names = names_in(storage, dir)?;
    Ok((chunks_among(&names), removed_before(&names)))
}

/// First lines of the chunks in a pane's directory, ascending.
pub(in crate::persistence::scrollback) fn chunks_in(
    storage: &dyn Storage,
    dir: &Path,
) -> io::Result<Vec<u64>> {
    Ok(chunks_among(&names_in(storage, dir)?))
}

fn chunks_among(names: &[String]) -> Vec<u64> {
    names.iter().filter_map(|name| number_of(name, CHUNK_SUFFIX)).collect()
}

fn names_in(storage: &dyn Storage, dir: &Path) -> io::Result<Vec<String>> {
    match insist(|| storage.list(dir)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        names => names,
    }
}
