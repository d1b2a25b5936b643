//! Up to which line of a pane's history chunks were removed on purpose: the number in the name of an empty
//! file beside them.
//!
//! A history whose first chunk is lost looks like one of which a limit took it. So the note is raised, and
//! that is durable, before a chunk goes, and a keyframe says of the lines that it counts that all of them
//! are there, but for those before the note.
//!
//! The file is made with the first chunk, so that raising it takes no room of a disk that is full.

use std::io;
use std::path::{Path, PathBuf};

use super::layout::{GONE_SUFFIX, number_of, numbered};
use crate::persistence::storage::Storage;

/// Ends in what the archive takes for unfinished.
const TEMPORARY_SUFFIX: &str = ".gone.tmp";

/// The line before which chunks were removed on purpose, by the names in a pane's directory; `None` if nothing
/// says so.
pub(super) fn removed_before(names: &[String]) -> Option<u64> {
    names.iter().filter_map(|name| number_of(name, GONE_SUFFIX)).max()
}

/// The note of a pane whose chunks this process writes.
#[derive(Debug)]
pub(super) struct RemovalNote {
    line: Option<u64>,
    /// Up to this line this process has made it durable: what another one wrote, and what was synced in
    /// vain, may be in memory alone (P8).
    durable: u64,
}

impl RemovalNote {
    /// The note that is among these files of a pane's directory, and the only one from now on.
    pub(super) fn open(storage: &dyn Storage, dir: &Path, names: &[String]) -> io::Result<Self> {
        let line = removed_before(names);
        for older in names.iter().filter_map(|name| number_of(name, GONE_SUFFIX)) {
            if Some(older) != line {
                storage.remove(&path(dir, older))?;
            }
        }
        Ok(Self { line, durable: 0 })
    }

    /// Lines before this one were removed, or are about to be.
    pub(super) fn line(&self) -> u64 {
        self.line.unwrap_or(0)
    }

    /// Notes, durably, that chunks with lines before `line` go. They must not if this fails.
    pub(super) fn raise(&mut self, storage: &dyn Storage, dir: &Path, line: u64) -> io::Result<()> {
        if line <= self.durable {
            return Ok(());
        }
        match self.line {
            Some(noted) if noted < line => storage.rename(&path(dir, noted), &path(dir, line))?,
            Some(noted) => renew(storage, dir, noted)?,
            None => drop(storage.create(&path(dir, line))?),
        }
        self.line = self.line.max(Some(line));
        storage.sync_dir(dir)?;
        self.durable = self.line();
        Ok(())
    }

    /// Makes room for a chunk that begins with `line`: there is a note, and none that says of these lines
    /// that they were removed. They were, if a keyframe is gone that had counted them.
    pub(super) fn admit(&mut self, storage: &dyn Storage, dir: &Path, line: u64) -> io::Result<()> {
        match self.line {
            Some(noted) if noted > line => {
                // As long as both are there the greater one counts; without either lines would be missed.
                drop(storage.create(&path(dir, line))?);
                storage.sync_dir(dir)?;
                storage.remove(&path(dir, noted))?;
                (self.line, self.durable) = (Some(line), 0);
                storage.sync_dir(dir)?;
            }
            Some(_) => {}
            // Durable with the chunk's name, and not missed before anything is removed.
            None => {
                drop(storage.create(&path(dir, 0))?);
                self.line = Some(0);
            }
        }
        Ok(())
    }
}

/// Puts a file in the place of the note, so that the next sync is of something that it has to write.
fn renew(storage: &dyn Storage, dir: &Path, line: u64) -> io::Result<()> {
    let temporary = numbered(dir, line, TEMPORARY_SUFFIX);
    match storage.remove(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    drop(storage.create(&temporary)?);
    storage.rename(&temporary, &path(dir, line))
}

fn path(dir: &Path, line: u64) -> PathBuf {
    numbered(dir, line, GONE_SUFFIX)
}
