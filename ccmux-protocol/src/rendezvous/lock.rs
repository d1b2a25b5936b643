//! The lock file: who is the server, and how the next one is started.
//!
//! The lock belongs to the open file description, so it passes through `fork` and `exec` with the
//! descriptor and is released when the last copy is closed, however its holders end. The contents
//! are a hint for people and for starters: written in place (a rename would leave the lock on a
//! nameless file), so a reader takes whatever does not parse for an empty file.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use bstr::BString;
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Place;
use crate::wire_bytes;

/// The name of the lock file in the state directory.
pub(super) const LOCK: &str = "lock";

/// What is read of a lock file at most; a registration carries an environment.
const REGISTRATION_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// How to start a program: the parts of an `execve`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Launch {
    /// The executable.
    #[serde(with = "wire_bytes::one")]
    pub exe: BString,
    /// Its arguments, without its name and without the descriptors that each start adds anew.
    #[serde(with = "wire_bytes::list")]
    pub args: Vec<BString>,
    /// Its whole environment.
    #[serde(with = "wire_bytes::pairs")]
    pub env: Vec<(BString, BString)>,
    /// Its working directory.
    #[serde(with = "wire_bytes::one")]
    pub cwd: BString,
}

/// What a server says of itself in its lock file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Registration {
    /// Its process.
    pub pid: u32,
    /// When it started, in milliseconds since 1970.
    pub started_unix_ms: u64,
    /// Its socket.
    #[serde(with = "wire_bytes::one")]
    pub socket: BString,
    /// Its release.
    pub version: String,
    /// Set at an end that leaves nothing to come back to: `kill-server`, or the last session
    /// closed. Otherwise the next server continues this one, so it is started in the same way,
    /// and by any command.
    #[serde(default)]
    pub ended: bool,
    /// How to start it again.
    pub launch: Launch,
}

/// The lock file, locked by us. Dropping it releases the lock, unless a started server has
/// inherited the descriptor.
#[derive(Debug)]
pub struct LockedFile {
    file: File,
    path: PathBuf,
}

/// Whether the lock was free.
#[derive(Debug)]
pub enum LockOutcome {
    /// It is ours now.
    Locked(LockedFile),
    /// A server, or somebody starting one, has it. The registration is that of the holder once it
    /// has registered, that of its predecessor before.
    Held(Option<Registration>),
}

/// Why the lock file cannot be used.
#[derive(Debug, Error)]
pub enum LockError {
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// An inherited descriptor is not the lock file of the place, or not locked by us.
    #[error("the inherited descriptor is not the lock on {}", path.display())]
    NotTheLock {
        /// The lock file.
        path: PathBuf,
    },
}

/// Takes the lock of `place` if it is free. The state directory must exist. On a file system that can
/// only be read that keeps servers away, and nothing can be registered.
pub fn lock_or_holder(place: &Place) -> Result<LockOutcome, LockError> {
    lock_or_holder_at(place.lock_path())
}

pub(super) fn lock_or_holder_at(path: PathBuf) -> Result<LockOutcome, LockError> {
    let io = |source| LockError::Io { path: path.clone(), source };
    loop {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = match options.open(&path) {
            Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => File::open(&path),
            opened => opened,
        }
        .map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Ok(LockOutcome::Held(read_registration(&mut file)));
            }
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        // Somebody may have removed the file between open and lock: then the lock says nothing.
        if is_same_file(&file, &path) {
            return Ok(LockOutcome::Locked(LockedFile { file, path }));
        }
    }
}

/// What the last server of a state directory registered, without touching the lock; `None` if
/// none has, or not legibly.
pub fn registration(state_dir: &Path) -> Option<Registration> {
    read_registration(&mut File::open(state_dir.join(LOCK)).ok()?)
}

impl LockedFile {
    /// Takes over a locked descriptor that a starter passed on.
    pub fn inherited(place: &Place, fd: OwnedFd) -> Result<Self, LockError> {
        let path = place.lock_path();
        let file = File::from(fd);
        // Locking again through the same description succeeds, through another it does not.
        if !is_same_file(&file, &path) || file.try_lock().is_err() {
            return Err(LockError::NotTheLock { path });
        }
        Ok(LockedFile { file, path })
    }

    /// What the last server registered; `None` if none has, or not legibly.
    pub fn registration(&mut self) -> Option<Registration> {
        read_registration(&mut self.file)
    }

    /// Replaces the registration.
    pub fn register(&mut self, registration: &Registration) -> Result<(), LockError> {
        let mut text = serde_json::to_vec_pretty(registration)
            .expect("a registration has nothing that JSON cannot hold");
        text.push(b'\n');
        self.write(&text).map_err(|source| LockError::Io { path: self.path.clone(), source })
    }

    /// Replaces the contents. A lock that was taken while the file system could only be read is held through
    /// a descriptor that cannot write; the file itself may be writable by now.
    fn write(&self, text: &[u8]) -> io::Result<()> {
        if !rustix::fs::fcntl_getfl(&self.file)?.contains(OFlags::RDWR) {
            let file = OpenOptions::new().write(true).open(&self.path)?;
            return match is_same_file(&self.file, &self.path) {
                true => replace(&file, text),
                false => Err(io::ErrorKind::NotFound.into()),
            };
        }
        replace(&self.file, text)
    }

    /// Whether it is the lock of this state directory.
    pub(super) fn is_in(&self, state_dir: &Path) -> bool {
        is_same_file(&self.file, &state_dir.join(LOCK))
    }

    pub(super) fn duplicate(&self) -> Result<OwnedFd, LockError> {
        let file = self.file.try_clone();
        file.map(OwnedFd::from).map_err(|source| LockError::Io { path: self.path.clone(), source })
    }
}

impl AsFd for LockedFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

fn read_registration(file: &mut File) -> Option<Registration> {
    file.seek(SeekFrom::Start(0)).ok()?;
    let mut text = Vec::new();
    file.take(REGISTRATION_BYTES_MAX).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

fn replace(file: &File, text: &[u8]) -> io::Result<()> {
    file.write_all_at(text, 0)?;
    file.set_len(text.len() as u64)
}

fn is_same_file(file: &File, path: &Path) -> bool {
    match (file.metadata(), path.symlink_metadata()) {
        (Ok(ours), Ok(named)) => (ours.dev(), ours.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}
