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

/// How far a removal of segments came.
#[derive(Debug, Default)]
pub(super) struct Removed {
    /// How many are gone; the others are still there.
    pub(super) count: usize,
    /// The directory could not be synced. Whoever syncs it next may be told that all is well (P8).
    pub(super) unsynced: Option<io::Error>,
}

/// Removes segments, the oldest first, up to the first that cannot be removed.
pub(super) fn remove_segments(storage: &dyn Storage, numbers: &[u64]) -> Removed {
    let mut removed = Removed::default();
    let Some(last) = numbers.last() else { return removed };
    if let Err(error) = note_removal(storage, *last) {
        tracing::debug!(last, %error, "cannot note that spool segments are removed");
        return removed;
    }
    // Each is gone for good before a later one may go: a hole in the row of segments would look like
    // a lost file.
    removed.unsynced = sync(storage).err();
    while let (None, Some(&number)) = (&removed.unsynced, numbers.get(removed.count)) {
        match storage.remove(&segment_path(number)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::debug!(number, %error, "cannot remove a spool segment");
                break;
            }
            _ => removed.unsynced = sync(storage).err(),
        }
        removed.count += usize::from(removed.unsynced.is_none());
    }
    removed
}

fn sync(storage: &dyn Storage) -> io::Result<()> {
    storage.sync_dir(Path::new(SPOOL_DIR))
}

/// Notes that the segments up to `last` are missed by nobody. A power cut may take the first
/// segments of a boot and leave later ones, and that looks the same.
fn note_removal(storage: &dyn Storage, last: u64) -> io::Result<()> {
    let names = storage.list(Path::new(SPOOL_DIR))?;
    match names.iter().filter_map(|name| number_of(name, GONE_SUFFIX)).max() {
        Some(noted) if noted >= last => {}
        // A disk that is full has room for that.
        Some(noted) => storage.rename(&gone_path(noted), &gone_path(last))?,
        None => drop(storage.create(&gone_path(last))?),
    }
    Ok(())
}
