//! A store that can be looked at and not changed.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustix::io::Errno;

use super::storage::{Storage, StorageFile};

/// A [`Storage`] that refuses every change as a read-only file system does (`EROFS`).
#[derive(Clone, Debug)]
pub struct ReadOnly(Arc<dyn Storage>);

impl ReadOnly {
    /// A view of `storage`.
    pub fn new(storage: Arc<dyn Storage>) -> Self {
        Self(storage)
    }
}

impl Storage for ReadOnly {
    fn create(&self, _path: &Path) -> io::Result<Box<dyn StorageFile>> {
        refuse()
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn StorageFile>> {
        Ok(Box::new(ReadOnlyFile(self.0.open(path)?)))
    }

    fn rename(&self, _from: &Path, _to: &Path) -> io::Result<()> {
        refuse()
    }

    fn remove(&self, _path: &Path) -> io::Result<()> {
        refuse()
    }

    fn create_dir(&self, _path: &Path) -> io::Result<()> {
        refuse()
    }

    fn remove_dir_all(&self, _path: &Path) -> io::Result<()> {
        refuse()
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.0.list(path)
    }

    fn sync_dir(&self, _path: &Path) -> io::Result<()> {
        refuse()
    }
}

#[derive(Debug)]
struct ReadOnlyFile(Box<dyn StorageFile>);

impl StorageFile for ReadOnlyFile {
    fn write_at(&self, _offset: u64, _bytes: &[u8]) -> io::Result<()> {
        refuse()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(offset, buf)
    }

    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn set_len(&self, _len: u64) -> io::Result<()> {
        refuse()
    }

    fn allocate(&self, _len: u64) -> io::Result<()> {
        refuse()
    }

    fn sync(&self) -> io::Result<()> {
        refuse()
    }

    fn forget_cached(&self) {}
}

fn refuse<T>() -> io::Result<T> {
    Err(Errno::ROFS.into())
}
