//! Ballast: a file that holds room on the disk for what must be written even where it is full.
//!
//! Output takes whatever room there is, so when the disk is full the log has none for its next
//! segment and no checkpoint can be written, and a server that ends then would forget what it was
//! told since. So when a write of anything but output finds no room, the ballast is thrown off and
//! the write tried once more. It is taken in again at a start and after a checkpoint, as soon as
//! there is room for it.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::storage::{Storage, StorageFile};

/// Its name.
const BALLAST_FILE: &str = "ballast";
/// Its size: room for a segment of the log, or for a checkpoint of any usual state.
const BALLAST_BYTES: u64 = 1 << 20;

/// A store with ballast.
#[derive(Debug)]
pub(crate) struct Ballasted(Arc<Ballast>);

#[derive(Debug)]
struct Ballast {
    storage: Arc<dyn Storage>,
    is_on_board: AtomicBool,
}

impl Ballasted {
    /// The store with ballast in it, if there is room.
    pub(crate) fn new(storage: Arc<dyn Storage>) -> Self {
        let ballast = Ballast { storage, is_on_board: AtomicBool::new(false) };
        ballast.take_in();
        Self(Arc::new(ballast))
    }
}

impl Ballast {
    fn take_in(&self) {
        if self.is_on_board.load(Ordering::SeqCst) {
            return;
        }
        let path = Path::new(BALLAST_FILE);
        let file = match self.storage.create(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.storage.open(path),
            created => created,
        };
        match file.and_then(|file| file.allocate(BALLAST_BYTES)) {
            Ok(()) => self.is_on_board.store(true, Ordering::SeqCst),
            // Half of it is of no use, and its room is.
            Err(_) => drop(self.storage.remove(path)),
        }
    }

    /// Does what needs room; where there is none, once more without the ballast.
    fn make_room<T>(&self, write: impl Fn() -> io::Result<T>) -> io::Result<T> {
        match write() {
            Err(error) if is_full(&error) && self.is_on_board.swap(false, Ordering::SeqCst) => {
                tracing::warn!(%error, "the disk is full; the ballast goes");
                self.storage.remove(Path::new(BALLAST_FILE))?;
                write()
            }
            done => done,
        }
    }

    fn file(self: &Arc<Self>, path: &Path, file: Box<dyn StorageFile>) -> Box<dyn StorageFile> {
        match is_output(path) {
            true => file,
            false => Box::new(BallastedFile { file, ballast: Arc::clone(self) }),
        }
    }
}

impl Storage for Ballasted {
    fn create(&self, path: &Path) -> io::Result<Box<dyn StorageFile>> {
        let create = || self.0.storage.create(path);
        let file = if is_output(path) { create() } else { self.0.make_room(create) };
        Ok(self.0.file(path, file?))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn StorageFile>> {
        Ok(self.0.file(path, self.0.storage.open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.storage.rename(from, to)?;
        if !is_output(to) {
            self.0.take_in();
        }
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.storage.remove(path)
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        let create = || self.0.storage.create_dir(path);
        if is_output(path) { create() } else { self.0.make_room(create) }
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.0.storage.remove_dir_all(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.0.storage.list(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.0.storage.sync_dir(path)
    }
}

#[derive(Debug)]
struct BallastedFile {
    file: Box<dyn StorageFile>,
    ballast: Arc<Ballast>,
}

impl StorageFile for BallastedFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.ballast.make_room(|| self.file.write_at(offset, bytes))
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(offset, buf)
    }

    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.ballast.make_room(|| self.file.set_len(len))
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        self.ballast.make_room(|| self.file.allocate(len))
    }

    fn sync(&self) -> io::Result<()> {
        // Never tried again (P8).
        self.file.sync()
    }

    fn forget_cached(&self) {
        self.file.forget_cached();
    }
}

/// Whether a path is of output, which would use up any room.
fn is_output(path: &Path) -> bool {
    ["spool", "panes", "quarantine"].iter().any(|dir| path.starts_with(dir))
}

/// Whether the disk has no room for something.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persistence::sim::SimStorage;

    fn names(disk: &SimStorage) -> Vec<String> {
        disk.list(Path::new("")).unwrap()
    }

    /// Output finds the disk full while the ballast is there; the log and checkpoints do not.
    #[test]
    fn ballast_makes_room_for_everything_but_output() {
        let disk = SimStorage::new(1);
        let store = Ballasted::new(Arc::new(disk.clone()));
        for dir in ["wal", "spool", "checkpoints"] {
            store.create_dir(Path::new(dir)).unwrap();
        }
        disk.set_capacity(Some(BALLAST_BYTES));
        let output = store.create(Path::new("spool/1")).unwrap();
        assert!(is_full(&output.write_at(0, b"output").unwrap_err()));
        assert!(is_full(&store.create(Path::new("spool/2")).unwrap().allocate(1).unwrap_err()));
        assert!(names(&disk).contains(&"ballast".to_owned()));

        let log = store.create(Path::new("wal/1")).unwrap();
        log.write_at(0, &vec![7; 1000]).unwrap();
        assert!(!names(&disk).contains(&"ballast".to_owned()));
        log.allocate(BALLAST_BYTES).unwrap();
        assert!(is_full(&log.allocate(BALLAST_BYTES + 1).unwrap_err()), "it goes only once");

        // A checkpoint that was written is no reason as long as there is no room.
        store.remove(Path::new("spool/2")).unwrap();
        store.rename(Path::new("spool/1"), Path::new("checkpoints/1")).unwrap();
        assert!(!names(&disk).contains(&"ballast".to_owned()));
        disk.set_capacity(None);
        store.rename(Path::new("checkpoints/1"), Path::new("checkpoints/2")).unwrap();
        assert!(names(&disk).contains(&"ballast".to_owned()));
        assert!(Ballasted::new(Arc::new(disk.clone())).0.is_on_board.load(Ordering::SeqCst));
    }
}
