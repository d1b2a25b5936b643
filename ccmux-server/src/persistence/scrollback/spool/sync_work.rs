//! What is synced and removed beside the log: it takes long, and the log goes on.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::persistence::scrollback::layout::{
    GONE_SUFFIX, SPOOL_DIR, gone_path, number_of, segment_path,
};
use crate::persistence::storage::{Storage, StorageFile};

/// What the next sync has to do; run without holding the log.
#[derive(Debug)]
pub(super) struct SyncWork {
    pub(super) files: Vec<Arc<dyn StorageFile>>,
    pub(super) dirs: Vec<&'static str>,
    /// Segments that may go once this is durable.
    pub(super) removals: Vec<u64>,
    pub(super) target: u64,
    pub(super) replacements: u64,
}

impl SyncWork {
    /// Makes everything durable that was appended before the work was taken.
    pub(super) fn run(&self, storage: &dyn Storage) -> io::Result<()> {
        // Earlier segments first, so that what a power cut takes is mostly the end.
        for file in &self.files {
            file.sync()?;
        }
        for dir in &self.dirs {
            storage.sync_dir(Path::new(dir))?;
        }
        Ok(())
    }
}

/// Removes segments, the oldest first, up to the first that cannot be removed; returns how many are
/// gone.
pub(super) fn remove_segments(storage: &dyn Storage, numbers: &[u64]) -> usize {
    let Some(last) = numbers.last() else { return 0 };
    if let Err(error) = note_removal(storage, *last) {
        tracing::debug!(last, %error, "cannot note that spool segments are removed");
        return 0;
    }
    let is_gone = |number: &&u64| match remove_segment(storage, **number) {
        Ok(()) => true,
        Err(error) => {
            tracing::debug!(number, %error, "cannot remove a spool segment");
            false
        }
    };
    numbers.iter().take_while(is_gone).count()
}

/// Notes for good that the segments up to `last` are missed by nobody. A power cut may take the first
/// segments of a boot and leave later ones, and that looks the same.
fn note_removal(storage: &dyn Storage, last: u64) -> io::Result<()> {
    let names = storage.list(Path::new(SPOOL_DIR))?;
    match names.iter().filter_map(|name| number_of(name, GONE_SUFFIX)).max() {
        Some(noted) if noted >= last => {}
        // A disk that is full has room for that.
        Some(noted) => storage.rename(&gone_path(noted), &gone_path(last))?,
        None => drop(storage.create(&gone_path(last))?),
    }
    storage.sync_dir(Path::new(SPOOL_DIR))
}

/// Removes a segment for good, before any later one may go: a hole in the row of segments would
/// look like a lost file.
fn remove_segment(storage: &dyn Storage, number: u64) -> io::Result<()> {
    match storage.remove(&segment_path(number)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => storage.sync_dir(Path::new(SPOOL_DIR)),
    }
}
