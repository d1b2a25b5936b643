//! One pane's keyframes and history in a stash instead of on the disk.
//!
//! Written by the code that writes the disk. What is different: it is done at once, since memory
//! does not keep anyone waiting, and bounded by the stash: the oldest history goes first.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use ccmux_core::ids::PaneUuid;
use ccmux_keeper::STASH_BYTES;

use super::archive::{ArchiveJob, Archived, Compressor, HistoryLimits, PaneArchive};
use super::chunk::{HistoryRead, PaneHistory};
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
        job.limits = HistoryLimits { lines: job.limits.lines, bytes: HISTORY_BYTES, total: u64::MAX };
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
        let (mut end_line, mut compressor) = (None, Compressor::new(1)?);
        loop {
            let mut archive = match self.archive.take() {
                Some(archive) => archive,
                None => PaneArchive::open(&*storage, self.pane, end_line)?
                    .with_chunk_bytes(CHUNK_BYTES),
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
