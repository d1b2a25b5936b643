//! The `alive` lock: the one answer to whether a pane's keeper still lives.
//!
//! The server locks `alive` in the pane's directory and hands the locked file to the keeper it
//! starts, which holds it for life and never passes it on. The lock belongs to the open file, so
//! the server may close its own descriptor, or die. Free: the keeper is gone. Held: it lives,
//! however slow, and must not be replaced. Stale sockets, reused process ids and wiped runtime
//! directories all give the right answer.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// The right to start a keeper for one pane. Dropped unused, it frees the lock at once, even while a
/// child that another thread just forked still has a copy of the open file.
#[derive(Debug)]
pub struct AliveLock {
    /// `None` once it was handed over.
    file: Option<File>,
    pane_dir: PathBuf,
}

/// Takes the lock of the pane whose directory this is; `None` means that its keeper lives.
///
/// A keeper that was just killed may hold the lock for a moment after its connection has closed.
pub fn lock_alive(pane_dir: &Path) -> io::Result<Option<AliveLock>> {
    let pane_dir = std::path::absolute(pane_dir)?;
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(pane_dir.join("alive"))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(AliveLock { file: Some(file), pane_dir })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Whether the keeper of the pane whose directory this is lives. Changes nothing; the caller sees to
/// it that no server starts one meanwhile.
pub fn is_alive(pane_dir: &Path) -> io::Result<bool> {
    let file = match File::open(pane_dir.join("alive")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        opened => opened?,
    };
    match file.try_lock_shared() {
        // Closing alone would leave it to copies in children.
        Ok(()) => file.unlock().map(|()| false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

impl AliveLock {
    /// The directory of the pane that this lock is for.
    pub fn pane_dir(&self) -> &Path {
        &self.pane_dir
    }

    /// The locked file, for the keeper: closing it leaves the lock to whoever has a copy.
    pub(crate) fn into_file(mut self) -> File {
        self.file.take().expect("BUG: handed over twice")
    }
}

impl Drop for AliveLock {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            // Refused, it goes with the last copy all the same.
            let _ = file.unlock();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A copy of the open file stands for that in a child which has not executed its program yet.
    #[test]
    fn a_lock_that_was_only_looked_at_is_free_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let looked_at = lock_alive(directory.path()).unwrap().unwrap();
        let copy = looked_at.file.as_ref().unwrap().try_clone().unwrap();
        drop(looked_at);
        let handed_over = lock_alive(directory.path()).unwrap().unwrap();
        drop(copy);
        let keeper = handed_over.into_file();
        let copy = keeper.try_clone().unwrap();
        drop(keeper);
        assert!(lock_alive(directory.path()).unwrap().is_none(), "the keeper's copy holds it");
        copy.unlock().unwrap();
        assert!(!is_alive(directory.path()).unwrap());
    }
}
