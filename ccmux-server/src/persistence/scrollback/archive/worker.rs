//! Doing one task after another, and keeping the total within its bound.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::Path;
use std::sync::Arc;

use ccmux_core::ids::PaneUuid;
use ccmux_core::model::Timestamp;

use super::pane::PaneArchive;
use super::{ArchiveEvent, ArchiveJob, Archived, HistorySource};
use crate::persistence::ballast::is_full;
use crate::persistence::scrollback::chunk::{PaneHistory, chunks_in};
use crate::persistence::scrollback::closed::{ClosedPane, closed_pane};
use crate::persistence::scrollback::compress::Compressor;
use crate::persistence::scrollback::layout::{
    CHUNK_SUFFIX, GONE_SUFFIX, KEYFRAME_SUFFIX, PANES_DIR, TEMPORARY_SUFFIX, numbered, pane_dir,
    removed_dir,
};
use crate::persistence::scrollback::load::{half_removed_panes, stored_panes};
use crate::persistence::storage::Storage;

/// So many closed panes are kept; each costs a start a moment, however short its history is.
pub(super) const CLOSED_MAX: usize = 500;
/// Files of closed panes count as whole blocks of a disk: many of them are short.
const DISK_BLOCK_BYTES: u64 = 4096;

/// What to do for a pane.
#[derive(Debug)]
pub(in crate::persistence::scrollback) enum Task {
    Archive(ArchiveJob),
    /// The same, after history from elsewhere; `is_sole` if nothing older is to stay.
    Rewrite {
        job: ArchiveJob,
        source: Option<HistorySource>,
        is_sole: bool,
    },
    /// Remove what the pane printed, and nothing else of it.
    Purge(PaneUuid),
    Remove(PaneUuid),
    Keep {
        pane: PaneUuid,
        note: ClosedPane,
        total: u64,
    },
}

impl Task {
    pub(in crate::persistence::scrollback) fn pane(&self) -> PaneUuid {
        match self {
            Self::Archive(job) | Self::Rewrite { job, .. } => job.pane,
            Self::Purge(pane) | Self::Remove(pane) | Self::Keep { pane, .. } => *pane,
        }
    }

    /// How much of the queue it takes.
    pub(in crate::persistence::scrollback) fn bytes(&self) -> usize {
        match self {
            Self::Archive(job) | Self::Rewrite { job, .. } => job.bytes(),
            Self::Purge(_) | Self::Remove(_) | Self::Keep { .. } => 0,
        }
    }
}

/// The archiver without its thread.
pub(in crate::persistence::scrollback) struct Worker {
    storage: Arc<dyn Storage>,
    compressor: Compressor,
    panes: HashMap<PaneUuid, PaneArchive>,
    /// Where panes got that failed and are to be opened anew.
    failed: HashMap<PaneUuid, Option<u64>>,
    /// Bytes of history by pane, of the panes not opened yet too.
    usage: HashMap<PaneUuid, u64>,
    /// Closed panes that are kept, in the order in which they were closed.
    closed: BTreeSet<(Timestamp, PaneUuid)>,
    /// Those of them that went because of a limit, and were not told of yet.
    removed: Vec<PaneUuid>,
    /// A chunk is complete at about this length.
    chunk_bytes: u64,
}

impl Worker {
    pub(in crate::persistence::scrollback) fn new(storage: Arc<dyn Storage>) -> io::Result<Self> {
        let compressor = Compressor::new()?;
        let (panes, failed, usage) = (HashMap::new(), HashMap::new(), HashMap::new());
        let (closed, removed, chunk_bytes) = (BTreeSet::new(), Vec::new(), super::CHUNK_BYTES);
        Ok(Self { storage, compressor, panes, failed, usage, closed, removed, chunk_bytes })
    }

    /// Lets panes that it has not looked at yet have chunks of another length.
    #[cfg(test)]
    pub(in crate::persistence::scrollback) fn set_chunk_bytes(&mut self, chunk_bytes: u64) {
        self.chunk_bytes = chunk_bytes;
    }

    /// Adds up what is there already.
    pub(in crate::persistence::scrollback) fn measure(&mut self) -> io::Result<()> {
        for pane in stored_panes(&*self.storage)? {
            let dir = pane_dir(pane);
            for first_line in chunks_in(&*self.storage, &dir)? {
                match self.storage.open(&numbered(&dir, first_line, CHUNK_SUFFIX)) {
                    // The server has just set the pane aside.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    file => *self.usage.entry(pane).or_default() += file?.len()?,
                }
            }
        }
        Ok(())
    }

    /// Removes what a killed server had begun to remove.
    pub(in crate::persistence::scrollback) fn finish_removals(&self) -> io::Result<()> {
        half_removed_panes(&*self.storage)?
            .into_iter()
            .try_for_each(|pane| self.finish_removal(pane))
    }

    /// Does a task; if it fails, once more with new files (P8).
    pub(in crate::persistence::scrollback) fn run(
        &mut self,
        task: &mut Task,
    ) -> io::Result<ArchiveEvent> {
        self.attempt(task).or_else(|error| {
            tracing::warn!(pane = %task.pane(), %error, "archiving failed, trying with new files");
            self.attempt(task)
        })
    }

    fn attempt(&mut self, task: &mut Task) -> io::Result<ArchiveEvent> {
        match task {
            Task::Archive(job) => self.archive(job, None, false).map(ArchiveEvent::Archived),
            Task::Rewrite { job, source, is_sole } => {
                self.archive(job, source.as_ref(), *is_sole).map(ArchiveEvent::Archived)
            }
            Task::Purge(pane) => self.purge(*pane).map(|()| ArchiveEvent::Purged(*pane)),
            Task::Remove(pane) => self.remove(*pane).map(|()| ArchiveEvent::Removed(*pane)),
            Task::Keep { pane, note, total } => {
                let bytes = self.keep(*pane, note, *total)?;
                Ok(ArchiveEvent::Kept { pane: *pane, note: note.clone(), bytes })
            }
        }
    }

    fn archive(
        &mut self,
        job: &mut ArchiveJob,
        source: Option<&HistorySource>,
        is_sole: bool,
    ) -> io::Result<Archived> {
        // What is about to be written must find room, or the total would be exceeded until after.
        self.enforce_total(job.limits.total.saturating_sub(job.line_bytes() as u64));
        let mut archive = self.open(job.pane)?;
        let (storage, compressor) = (&*self.storage, &mut self.compressor);
        if is_sole {
            archive.close_chunk();
        }
        let begin = source.map(|source| source.lines.start).or_else(|| job.begin());
        let unproven = begin.filter(|_| !is_sole).map_or(0..0, |begin| archive.unproven(begin));
        if !unproven.is_empty() {
            let of_its_own = Arc::clone(&self.storage);
            let mut from = PaneHistory::open(of_its_own, job.pane, unproven.clone())?;
            archive.take_over(storage, &mut from, unproven, compressor)?;
        }
        let copied = source.map_or(Ok(()), |HistorySource { storage: from, lines }| {
            let mut from = PaneHistory::open(Arc::clone(from), job.pane, lines.clone())?;
            archive.copy_history(storage, &mut from, lines.start, compressor)
        });
        let archived = copied.and_then(|()| match is_sole {
            true => archive.archive_anew(storage, job, compressor),
            false => archive.archive(storage, job, compressor),
        });
        match archived {
            Ok(archived) => {
                self.usage.insert(job.pane, archived.bytes);
                self.closed.retain(|(_, closed)| *closed != job.pane);
                self.panes.insert(job.pane, archive);
                self.enforce_total(job.limits.total);
                Ok(archived)
            }
            Err(error) => {
                self.failed.insert(job.pane, archive.end_line());
                Err(error)
            }
        }
    }

    fn open(&mut self, pane: PaneUuid) -> io::Result<PaneArchive> {
        if let Some(archive) = self.panes.remove(&pane) {
            return Ok(archive);
        }
        let end_line = self.failed.get(&pane).copied().flatten();
        let archive = PaneArchive::open(&*self.storage, pane, end_line)?;
        let archive = archive.with_chunk_bytes(self.chunk_bytes);
        self.failed.remove(&pane);
        Ok(archive)
    }

    /// Puts down that a pane is closed, unless that is there, and from now on counts it as such.
    fn keep(&mut self, pane: PaneUuid, note: &ClosedPane, total: u64) -> io::Result<u64> {
        if let Some(archive) = self.panes.remove(&pane) {
            archive.finish(&*self.storage)?;
        }
        let dir = pane_dir(pane);
        match closed_pane(&*self.storage, pane)? {
            // Whoever wrote it may have been killed before it was durable.
            Some(known) if known == *note => self.storage.sync_dir(&dir)?,
            _ => note.write(&*self.storage, pane)?,
        }
        self.failed.remove(&pane);
        let mut bytes = 0;
        for name in self.storage.list(&dir)? {
            match self.storage.open(&dir.join(name)) {
                Ok(file) => bytes += file.len()?.next_multiple_of(DISK_BLOCK_BYTES),
                // A socket that a keeper left behind.
                Err(error) => tracing::debug!(%pane, %error, "not counted"),
            }
        }
        self.usage.insert(pane, bytes);
        self.closed.retain(|(_, known)| *known != pane);
        self.closed.insert((note.at, pane));
        while self.closed.len() > CLOSED_MAX && self.remove_closed() {}
        self.enforce_total(total);
        Ok(bytes)
    }

    /// Removes the pane that was closed first. Returns whether there was one that could be removed.
    fn remove_closed(&mut self) -> bool {
        let Some((_, pane)) = self.closed.first().copied() else { return false };
        match self.remove(pane) {
            Ok(()) => {
                self.removed.push(pane);
                true
            }
            Err(error) => {
                tracing::warn!(%pane, %error, "cannot remove what is kept of a closed pane");
                false
            }
        }
    }

    /// Closed panes that went because of a limit since the last call.
    pub(in crate::persistence::scrollback) fn take_removed(
        &mut self,
    ) -> impl Iterator<Item = PaneUuid> {
        std::mem::take(&mut self.removed).into_iter()
    }

    /// Removes closed panes, then the oldest history of the pane that has most, until the total fits.
    fn enforce_total(&mut self, total: u64) {
        while self.usage.values().sum::<u64>() > total {
            if self.remove_closed() {
                continue;
            }
            let is_closed = |pane| self.closed.iter().any(|(_, closed)| closed == pane);
            let open = self.usage.iter().filter(|(pane, _)| !is_closed(*pane));
            let Some((&pane, _)) = open.max_by_key(|(_, bytes)| **bytes) else {
                break;
            };
            let Ok(mut archive) = self.open(pane) else { break };
            let is_shorter = archive.remove_oldest(&*self.storage);
            self.usage.insert(pane, archive.bytes());
            self.panes.insert(pane, archive);
            if !is_shorter {
                break;
            }
        }
    }

    fn purge(&mut self, pane: PaneUuid) -> io::Result<()> {
        self.panes.remove(&pane);
        let dir = pane_dir(pane);
        let names = match self.storage.list(&dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            names => names?,
        };
        let suffixes = [CHUNK_SUFFIX, GONE_SUFFIX, KEYFRAME_SUFFIX, TEMPORARY_SUFFIX];
        let is_output = |name: &&String| suffixes.iter().any(|suffix| name.ends_with(suffix));
        let output: Vec<&String> = names.iter().filter(is_output).collect();
        for name in &output {
            self.storage.remove(&dir.join(name))?;
        }
        if !output.is_empty() {
            self.storage.sync_dir(&dir)?;
        }
        self.usage.remove(&pane);
        self.failed.remove(&pane);
        Ok(())
    }

    fn remove(&mut self, pane: PaneUuid) -> io::Result<()> {
        self.panes.remove(&pane);
        // Of a removal that was cut short, if the pane was written for again.
        self.finish_removal(pane)?;
        match self.storage.rename(&pane_dir(pane), &removed_dir(pane)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // What is to make room must not need any.
            Err(error) if is_full(&error) => {
                self.storage.remove_dir_all(&pane_dir(pane))?;
                self.storage.sync_dir(Path::new(PANES_DIR))?;
            }
            renamed => {
                renamed?;
                self.finish_removal(pane)?;
            }
        }
        self.usage.remove(&pane);
        self.failed.remove(&pane);
        self.closed.retain(|(_, closed)| *closed != pane);
        Ok(())
    }

    /// Removes the directory of a pane that has got its last name, once the disk has that name: with the other
    /// one it would be a pane of which files are missing.
    fn finish_removal(&self, pane: PaneUuid) -> io::Result<()> {
        let dir = removed_dir(pane);
        match self.storage.list(&dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            _ => self.storage.sync_dir(Path::new(PANES_DIR))?,
        }
        self.storage.remove_dir_all(&dir)
    }
}
