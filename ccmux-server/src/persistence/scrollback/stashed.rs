//! One pane's keyframes and history in a stash instead of on the disk.
//!
//! Written by the code that writes the disk. What is different: it is done at once, since memory
//! does not keep anyone waiting, and bounded by the stash: the oldest history goes first.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use ccmux_core::ids::PaneUuid;
use ccmux_keeper::STASH_BYTES;

use super::archive::{ArchiveJob, Archived, HistoryLimits, PaneArchive};
use super::chunk::{HistoryRead, PaneHistory};
use super::compress::Compressor;
use super::keyframe::{Keyframe, keyframes_in};
use super::layout::{StreamPosition, pane_dir};
use crate::persistence::stash::{Memory, StashStorage};
use crate::persistence::storage::Storage;

/// A chunk is complete at about this length.
const CHUNK_BYTES: u64 = 1 << 20;
/// Compressed history to keep; the rest is for keyframes, and for a chunk that goes only after
/// the next one has begun.
const HISTORY_BYTES: u64 = STASH_BYTES - (3 << 20);
/// The most history, before compression, that is taken in at once.
const INTAKE_BYTES: usize = 4 << 20;

/// What a stash holds of its pane.
#[derive(Debug)]
pub struct StashedPane {
    pane: PaneUuid,
    storage: Arc<dyn Storage>,
    /// `None` after an error: to be opened anew.
    archive: Option<PaneArchive>,
    position: StreamPosition,
    lines: Range<u64>,
}

impl StashedPane {
    /// Nothing yet, in memory that is all zeros.
    pub fn create(pane: PaneUuid, memory: Box<dyn Memory>) -> io::Result<Self> {
        Ok(Self::with(pane, Arc::new(StashStorage::format(memory)?)))
    }

    /// What an earlier server left, and the newest keyframe of it that `thaw` makes a terminal of.
    ///
    /// # Errors
    /// There is none.
    pub fn open(
        pane: PaneUuid,
        memory: Box<dyn Memory>,
        thaw: &mut dyn FnMut(&Keyframe) -> Result<(), String>,
    ) -> io::Result<(Self, Keyframe)> {
        let mut stashed = Self::with(pane, Arc::new(StashStorage::open(memory)?));
        let dir = pane_dir(pane);
        let mut problem = "it has no keyframe".to_owned();
        for offset in keyframes_in(&*stashed.storage, &dir)?.into_iter().rev() {
            let read = Keyframe::read(&*stashed.storage, &dir, pane, offset)?;
            match read.and_then(|keyframe| thaw(&keyframe).map(|()| keyframe)) {
                Ok(keyframe) => {
                    stashed.position = keyframe.position;
                    let end = keyframe.history.end;
                    let stored = stashed.history(0..end)?.first_line();
                    stashed.lines = stored.max(keyframe.history.start).min(end)..end;
                    return Ok((stashed, keyframe));
                }
                Err(reason) => problem = reason,
            }
        }
        Err(io::Error::new(io::ErrorKind::InvalidData, problem))
    }

    fn with(pane: PaneUuid, storage: Arc<dyn Storage>) -> Self {
        let (archive, position, lines) = (None, StreamPosition::default(), 0..0);
        Self { pane, storage, archive, position, lines }
    }

    /// Takes in lines and a keyframe; if `is_sole` nothing older stays.
    ///
    /// # Errors
    /// The system has no memory. What was there is there still.
    pub fn archive(&mut self, mut job: ArchiveJob, is_sole: bool) -> io::Result<Archived> {
        job.limits =
            HistoryLimits { lines: job.limits.lines, bytes: HISTORY_BYTES, total: u64::MAX };
        job.keep_sane_blocks();
        job.blocks.drain(..beyond_intake(job.blocks.iter().map(|block| block.bytes.len())));
        let archived = self.insist(|archive, storage, compressor| match is_sole {
            true => archive.archive_anew(storage, &mut job, compressor),
            false => archive.archive(storage, &mut job, compressor),
        })?;
        if let Some(keyframe) = &job.keyframe {
            self.position = keyframe.position;
            let end = keyframe.history.end;
            self.lines = archived.first_line.unwrap_or(end).min(end)..end;
        }
        Ok(archived)
    }

    /// Takes in the newest of the history that is in another place; before anything else.
    pub fn copy_newest(&mut self, source: &Arc<dyn Storage>, lines: Range<u64>) -> io::Result<()> {
        let mut source = PaneHistory::open(Arc::clone(source), self.pane, lines.clone())?;
        let (mut from, mut bytes) = (lines.end, 0);
        while from > source.first_line() {
            let first = match source.read(from - 1) {
                HistoryRead::Block { block, .. } => {
                    bytes += block.bytes.len();
                    block.first_line
                }
                HistoryRead::Missing(_) => break,
            };
            if bytes > INTAKE_BYTES || first < source.first_line() {
                break;
            }
            from = first;
        }
        self.insist(|archive, storage, compressor| {
            archive.copy_history(storage, &mut source, from, compressor)
        })
    }

    /// Does some work; where there is no room the oldest history goes.
    fn insist<T>(
        &mut self,
        mut work: impl FnMut(&mut PaneArchive, &dyn Storage, &mut Compressor) -> io::Result<T>,
    ) -> io::Result<T> {
        let storage = Arc::clone(&self.storage);
        let (mut end_line, mut compressor) = (None, Compressor::new()?);
        loop {
            let mut archive = match self.archive.take() {
                Some(archive) => archive,
                None => {
                    PaneArchive::open(&*storage, self.pane, end_line)?.with_chunk_bytes(CHUNK_BYTES)
                }
            };
            match work(&mut archive, &*storage, &mut compressor) {
                Ok(done) => {
                    self.archive = Some(archive);
                    return Ok(done);
                }
                Err(error) => {
                    end_line = archive.end_line();
                    let is_full = error.kind() == io::ErrorKind::StorageFull;
                    if !is_full || !archive.remove_oldest(&*storage) {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// The point of the stream that its newest keyframe shows.
    pub fn position(&self) -> StreamPosition {
        self.position
    }

    /// The history lines that it holds.
    pub fn lines(&self) -> Range<u64> {
        self.lines.clone()
    }

    /// Where its files are.
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }

    /// The history in `range`, to read.
    pub fn history(&self, range: Range<u64>) -> io::Result<PaneHistory> {
        PaneHistory::open(Arc::clone(&self.storage), self.pane, range)
    }
}

/// How many of these, from the first on, are more than is taken in at once.
fn beyond_intake(lengths: impl DoubleEndedIterator<Item = usize> + ExactSizeIterator) -> usize {
    let (count, mut bytes) = (lengths.len(), 0);
    let fitting = lengths.rev().take_while(|length| {
        bytes += length;
        bytes <= INTAKE_BYTES
    });
    count - fitting.count()
}

#[cfg(test)]
mod tests {
    use ccmux_core::model::Timestamp;
    use uuid::Uuid;

    use super::super::chunk::HistoryBlock;
    use super::*;
    use crate::persistence::sim::Random;
    use crate::persistence::stash::test_memory::TestMemory;

    const PANE: PaneUuid = PaneUuid(Uuid::from_u128(0x517));
    const LIMITS: HistoryLimits = HistoryLimits { lines: None, bytes: u64::MAX, total: u64::MAX };

    /// Lines that do not get shorter by compression.
    fn block(lines: Range<u64>, line_bytes: usize) -> HistoryBlock {
        let mut bytes = Vec::new();
        for line in lines.clone() {
            let mut random = Random::new(line);
            bytes.extend((0..line_bytes / 8).flat_map(|_| random.next_u64().to_le_bytes()));
        }
        let (first_line, count) = (lines.start, (lines.end - lines.start) as u32);
        let (offset, time) = (lines.end * 10, Timestamp(1));
        HistoryBlock { first_line, count, bytes, offset, time, has_times: false }
    }

    fn job(blocks: Vec<HistoryBlock>, history: Range<u64>) -> ArchiveJob {
        let position = StreamPosition { offset: history.end * 10, frames: history.end };
        let bytes = format!("terminal at {}", history.end).into_bytes();
        let (has_note, time) = (true, Timestamp(1));
        let keyframe = Some(Keyframe { position, history, has_note, time, bytes });
        ArchiveJob { pane: PANE, blocks, keyframe, limits: LIMITS }
    }

    fn open(memory: &TestMemory) -> io::Result<(StashedPane, Keyframe)> {
        StashedPane::open(PANE, Box::new(memory.clone()), &mut |_| Ok(()))
    }

    /// The lines that can be read, which must be those that were written.
    fn readable(stashed: &StashedPane, line_bytes: usize) -> Range<u64> {
        let lines = stashed.lines();
        let mut history = stashed.history(lines.clone()).unwrap();
        let mut line = lines.start;
        while line < lines.end {
            let HistoryRead::Block { block: found, valid } = history.read(line) else {
                panic!("line {line} of {lines:?} is missing");
            };
            assert_eq!(found.bytes, block(found.first_line..found.end_line(), line_bytes).bytes);
            line = valid.end;
        }
        lines
    }

    /// However much is printed, the newest of it is there, and the oldest goes.
    #[test]
    fn history_is_bounded_by_the_stash() {
        let memory = TestMemory::default();
        let mut stashed = StashedPane::create(PANE, Box::new(memory.clone())).unwrap();
        for step in 0..40 {
            let lines = step * 5..step * 5 + 5;
            let job = job(vec![block(lines.clone(), 60_000)], 0..lines.end);
            stashed.archive(job, false).unwrap();
            assert_eq!(stashed.lines().end, lines.end);
        }
        let lines = readable(&stashed, 60_000);
        assert!(lines.start > 0, "12 MB do not fit");
        assert!(lines.end - lines.start > 60, "{lines:?} is all that is kept of 8 MiB");
        let (again, keyframe) = open(&memory).unwrap();
        assert_eq!((again.lines(), keyframe.bytes), (lines, b"terminal at 200".to_vec()));

        // More at once than there is room for.
        let many = (200..400).map(|line| block(line..line + 1, 60_000)).collect();
        stashed.archive(job(many, 0..400), false).unwrap();
        let lines = readable(&open(&memory).unwrap().0, 60_000);
        assert!(
            lines.start >= 200 && lines.end == 400 && lines.end - lines.start > 60,
            "{lines:?}"
        );
    }

    /// Goal: a kill costs nothing that was there. Method: run a step on copies of the memory whose
    /// user is killed after each of many numbers of bytes, and open what is left.
    #[test]
    fn a_kill_leaves_the_keyframe_before_or_the_next() {
        let memory = TestMemory::default();
        let mut stashed = StashedPane::create(PANE, Box::new(memory.clone())).unwrap();
        stashed.archive(job(vec![block(0..30, 100)], 0..30), false).unwrap();
        for (is_sole, first) in [(false, 0), (true, 50)] {
            let end = stashed.lines().end;
            let next = || job(vec![block(end..end + 20, 100)], first..end + 20);
            let step = |memory: &TestMemory| {
                let (mut stashed, _) = open(memory).unwrap();
                stashed.archive(next(), is_sole).is_ok()
            };
            let whole = memory.fork(None);
            assert!(step(&whole));
            for budget in (0..=whole.written()).step_by(397) {
                let copy = memory.fork(Some(budget));
                let is_done = step(&copy);
                let (found, keyframe) = open(&copy.fork(None)).unwrap();
                let is_next = keyframe.position.frames == end + 20;
                assert!(is_next || (!is_done && keyframe.position.frames == end), "{budget}");
                let lines = readable(&found, 100);
                assert!(lines.start <= first.max(lines.end - 20), "{lines:?} after {budget}");
            }
            stashed.archive(next(), is_sole).unwrap();
        }
        assert_eq!(readable(&stashed, 100), 50..70);
    }

    /// A pane that becomes private takes along the newest of what the disk has.
    #[test]
    fn the_newest_history_is_taken_in() {
        let source: Arc<dyn Storage> =
            Arc::new(StashStorage::format(Box::new(TestMemory::default())).unwrap());
        let mut compressor = Compressor::new().unwrap();
        let mut archive = PaneArchive::open(&*source, PANE, None).unwrap();
        let blocks = (0..80).map(|at| block(at * 2..at * 2 + 2, 30_000)).collect();
        archive.archive(&*source, &mut job(blocks, 0..160), &mut compressor).unwrap();
        let mut stashed = StashedPane::create(PANE, Box::new(TestMemory::default())).unwrap();
        stashed.copy_newest(&source, 7..160).unwrap();
        stashed.archive(job(vec![block(160..170, 30_000)], 0..170), false).unwrap();
        let lines = readable(&stashed, 30_000);
        assert!(lines.start > 7 && lines.start < 40 && lines.end == 170, "{lines:?}");
    }
}
