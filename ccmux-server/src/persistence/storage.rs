//! The storage seam: everything the persistence layer asks of a file system.
//!
//! All durable state goes through [`Storage`], so that the same code runs on a real directory
//! ([`FsStorage`]) and on a simulated disk that crashes at every call. Paths are relative to the
//! root of the store and never contain `..`. Nothing here knows what the bytes mean.

use std::fmt::Debug;
use std::io;
use std::path::Path;

/// An open file of a [`Storage`].
///
/// Writes are positional, so that a file may be written by one thread and synced by another.
pub trait StorageFile: Debug + Send + Sync {
    /// Writes all of `bytes` at `offset`, extending the file if need be. On error any part of them
    /// may have been written.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Reads up to `buf.len()` bytes at `offset`; 0 at the end of the file.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize>;
    /// The file's length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Sets the length, dropping or zero-filling the end.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Reserves disk space for the first `len` bytes and zero-fills what is new.
    fn allocate(&self, len: u64) -> io::Result<()>;
    /// Makes contents and length durable (`fdatasync`).
    ///
    /// After an error the caller must never sync this file again (P8).
    fn sync(&self) -> io::Result<()>;
}

/// A directory tree to keep state in.
pub trait Storage: Debug + Send + Sync {
    /// Creates a file that must not exist; the entry is durable after [`Storage::sync_dir`].
    fn create(&self, path: &Path) -> io::Result<Box<dyn StorageFile>>;
    /// Opens an existing file for reading and writing.
    fn open(&self, path: &Path) -> io::Result<Box<dyn StorageFile>>;
    /// Renames a file, replacing any at `to`; durable after syncing both directories.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Creates a directory with its parents; no error if it exists.
    fn create_dir(&self, path: &Path) -> io::Result<()>;
    /// Removes a directory and everything below it.
    fn remove_dir_all(&self, path: &Path) -> io::Result<()>;
    /// Names of the entries of a directory, sorted; an error of kind `NotFound` if there is none.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;
    /// Makes the entries of a directory durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
}
