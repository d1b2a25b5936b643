//! A state directory as one file, and back.
//!
//! The archive is a tar file compressed with zstd, so that it can be looked into without ccmux. Its
//! first entry says what it is. A server may be writing while a backup is made: files are taken in
//! an order in which what is newer in a later one does no harm (the spool before the keyframes that
//! replace it, those before the chunks that they count on, the log before the checkpoints that
//! replace it; of the spool a beginning may be missing, and then what says that it was removed is
//! there), and what came out is unpacked and examined as a whole; if it is not sound because
//! something moved in between, it is made again.

mod archive;
#[cfg(any(test, feature = "test-hooks"))]
pub(crate) mod fuzzing;
mod restore;

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use thiserror::Error;

use self::archive::{Source, pack, unpack};
pub use self::restore::{Restored, Unpacked, check_place};
use crate::doctor::{Examination, Severity, examine};

/// How often a backup is made again if what came out is not sound.
const TRIES: u32 = 5;

/// Why there is no backup, or nothing was restored. Nothing was changed then.
#[derive(Debug, Error)]
pub enum BackupError {
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// The file to be written is there already.
    #[error("{} is there already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file is no backup that this version can read.
    #[error("{} is not a backup that can be restored: {why}", path.display())]
    NotABackup {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// There is something where the backup would go.
    #[error("{} holds a state already", path.display())]
    Occupied {
        /// The state directory.
        path: PathBuf,
    },
    /// Programs of the state that would be replaced are running.
    #[error("{keepers} programs of {} are running", path.display())]
    InUse {
        /// The state directory.
        path: PathBuf,
        /// How many.
        keepers: usize,
    },
}

impl BackupError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| BackupError::Io { path, source }
    }
}

/// A backup that was made.
#[derive(Debug)]
pub struct Made {
    /// Its size in bytes.
    pub bytes: u64,
    /// What is in it, and what is wrong with that, if the state itself is damaged.
    pub contents: Examination,
}

/// Writes everything that is stored in `directory` to the new file `target`, unpacks that beside it
/// and examines what comes out. `is_live` says that a server may be using the directory.
pub fn back_up(directory: &Path, target: &Path, is_live: bool) -> Result<Made, BackupError> {
    if target.exists() {
        return Err(BackupError::Exists { path: target.to_owned() });
    }
    let parent = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let failed = |error| BackupError::io(target)(error);
    let mut last = None;
    for _ in 0..if is_live { TRIES } else { 1 } {
        let file = tempfile::Builder::new().prefix(".ccmux-backup-").tempfile_in(parent);
        let file = file.map_err(|error| failed(without_path(&error)))?;
        pack(directory, file.as_file()).map_err(BackupError::io(directory))?;
        file.as_file().sync_all().map_err(failed)?;
        let unpacked = private_dir(parent).map_err(failed)?;
        let reader = File::open(file.path()).map_err(failed)?;
        let why = |why| BackupError::NotABackup { path: target.to_owned(), why };
        unpack(&Source::new(reader), unpacked.path()).map_err(why)?;
        let contents = examine(unpacked.path()).map_err(BackupError::io(unpacked.path()))?;
        let is_sound = contents.worst().is_none_or(|worst| worst == Severity::Note);
        last = Some((file, contents));
        if is_sound {
            break;
        }
    }
    let (file, contents) = last.expect("BUG: there is at least one try");
    let bytes = file.as_file().metadata().map_err(failed)?.len();
    let contents = Examination { directory: directory.to_owned(), ..contents };
    file.persist_noclobber(target).map_err(|error| failed(error.error))?;
    sync_dir(parent).map_err(failed)?;
    Ok(Made { bytes, contents })
}

/// What the system said of a temporary file, whose name says nothing to anybody.
fn without_path(error: &io::Error) -> io::Error {
    let text = error.to_string();
    let said = text.split(" at path ").next().unwrap_or_default();
    io::Error::new(error.kind(), said.to_owned())
}

/// A temporary directory in `parent`, readable by its owner alone.
fn private_dir(parent: &Path) -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".ccmux-").permissions(Permissions::from_mode(0o700)).tempdir_in(parent)
}

fn sync_dir(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Makes everything below `directory` durable.
fn sync_tree(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            sync_tree(&path)?;
        } else {
            File::open(&path)?.sync_all()?;
        }
    }
    sync_dir(directory)
}
