//! Doing one task after another, and keeping the total within its bound.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use ccmux_core::ids::PaneUuid;

use super::pane::{Compressor, PaneArchive};
use super::{ArchiveEvent, ArchiveJob, Archived};
use crate::persistence::scrollback::chunk::chunks_in;
use crate::persistence::scrollback::layout::{CHUNK_SUFFIX, PANES_DIR, numbered, pane_dir};
use crate::persistence::scrollback::load::stored_panes;
use crate::persistence::storage::Storage;

/// What to do for a pane.
#[derive(Debug)]
pub(in crate::persistence::scrollback) enum Task {
    Archive(ArchiveJob),
    Remove(PaneUuid),
}

impl Task {
    pub(in crate::persistence::scrollback) fn pane(&self) -> PaneUuid {
        match self {
            Self::Archive(job) => job.pane,
            Self::Remove(pane) => *pane,
        }
    }

    /// How much of the queue it takes.
    pub(in crate::persistence::scrollback) fn bytes(&self) -> usize {
        match self {
            Self::Archive(job) => job.bytes(),
            Self::Remove(_) => 0,
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
}

impl Worker {
    pub(in crate::persistence::scrollback) fn new(storage: Arc<dyn Storage>) -> io::Result<Self> {
        let compressor = Compressor::new(1)?;
        let (panes, failed, usage) = (HashMap::new(), HashMap::new(), HashMap::new());
        Ok(Self { storage, compressor, panes, failed, usage })
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
            Task::Archive(job) => self.archive(job).map(ArchiveEvent::Archived),
            Task::Remove(pane) => self.remove(*pane).map(|()| ArchiveEvent::Removed(*pane)),
        }
    }

    fn archive(&mut self, job: &mut ArchiveJob) -> io::Result<Archived> {
        let mut archive = self.open(job.pane)?;
        match archive.archive(&*self.storage, job, &mut self.compressor) {
            Ok(archived) => {
                self.usage.insert(job.pane, archived.bytes);
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
        self.failed.remove(&pane);
        Ok(archive)
    }

    /// Takes the oldest history from the pane that has most, until the total fits.
    fn enforce_total(&mut self, total: u64) {
        while self.usage.values().sum::<u64>() > total {
            let Some((&pane, _)) = self.usage.iter().max_by_key(|(_, bytes)| **bytes) else {
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

    fn remove(&mut self, pane: PaneUuid) -> io::Result<()> {
        self.panes.remove(&pane);
        match self.storage.remove_dir_all(&pane_dir(pane)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            removed => {
                removed?;
                self.storage.sync_dir(Path::new(PANES_DIR))?;
            }
        }
        self.usage.remove(&pane);
        self.failed.remove(&pane);
        Ok(())
    }
}
