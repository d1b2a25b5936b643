//! The stash: memory that a server leaves with a keeper, for the next server.
//!
//! To the keeper it is a descriptor and nothing else. What the bytes mean is the server's business;
//! they are read and written with system calls and never mapped, so a file that another process
//! shrinks costs an error and no signal.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt as _;

/// Size of a stash. It takes only as much memory as was written.
pub const STASH_BYTES: u64 = 8 << 20;

/// A memory-backed file of [`STASH_BYTES`] whose size is sealed.
#[derive(Debug)]
pub struct Stash(File);

impl Stash {
    /// A new one, all zeros.
    ///
    /// # Errors
    /// Of kind `Unsupported` on systems without such files.
    pub fn create() -> io::Result<Stash> {
        sealed_file().map(Stash)
    }

    /// One that a keeper handed over, after checking that it is one.
    ///
    /// # Errors
    /// Of kind `InvalidData` if it is another kind of file.
    pub fn open(file: OwnedFd) -> io::Result<Stash> {
        let file = File::from(file);
        let len = file.metadata()?.len();
        if len == STASH_BYTES && is_sealed(&file) {
            return Ok(Stash(file));
        }
        let problem = format!("no stash: a file of {len} bytes, or one whose size may change");
        Err(io::Error::new(io::ErrorKind::InvalidData, problem))
    }

    /// Reads up to `buf.len()` bytes.
    pub fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(buf, offset)
    }

    /// Writes all of `bytes`. A SIGKILL may leave any beginning of them.
    pub fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    /// Gives the memory of these bytes back; they read as zeros, or as what they were.
    pub fn release(&self, offset: u64, len: u64) {
        #[cfg(target_os = "linux")]
        {
            use rustix::fs::FallocateFlags;
            let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            let _hint = rustix::fs::fallocate(&self.0, flags, offset, len);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = (offset, len);
    }

    /// Another descriptor of the same memory.
    pub fn to_descriptor(&self) -> io::Result<OwnedFd> {
        self.0.as_fd().try_clone_to_owned()
    }
}

impl AsFd for Stash {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(target_os = "linux")]
fn sealed_file() -> io::Result<File> {
    use rustix::fs::{MemfdFlags, SealFlags};
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let file = File::from(rustix::fs::memfd_create("ccmux-stash", flags)?);
    file.set_len(STASH_BYTES)?;
    rustix::fs::fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
    Ok(file)
}

#[cfg(not(target_os = "linux"))]
fn sealed_file() -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Only a memory-backed file has seals at all.
#[cfg(target_os = "linux")]
fn is_sealed(file: &File) -> bool {
    use rustix::fs::SealFlags;
    let size = SealFlags::SHRINK | SealFlags::GROW;
    rustix::fs::fcntl_get_seals(file).is_ok_and(|seals| seals.contains(size))
}

#[cfg(not(target_os = "linux"))]
fn is_sealed(_file: &File) -> bool {
    false
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_stash_holds_what_was_written_and_cannot_grow() {
        let stash = Stash::create().unwrap();
        stash.write_at(STASH_BYTES - 3, b"end").unwrap();
        assert!(stash.write_at(STASH_BYTES, b"end").is_err());
        let again = Stash::open(stash.to_descriptor().unwrap()).unwrap();
        let mut found = [1; 8];
        assert_eq!(again.read_at(STASH_BYTES - 3, &mut found).unwrap(), 3);
        assert_eq!(&found[..3], b"end");
        again.release(STASH_BYTES - 4096, 4096);
        assert_eq!(stash.read_at(STASH_BYTES - 3, &mut found).unwrap(), 3);
        assert_eq!(&found[..3], [0; 3]);
    }

    /// A keeper that was tampered with hands over what it likes.
    #[test]
    fn other_descriptors_are_refused() {
        let directory = tempfile::TempDir::new().unwrap();
        let on_disk = File::create_new(directory.path().join("file")).unwrap();
        on_disk.set_len(STASH_BYTES).unwrap();
        let memory = |bytes: u64, seals: bool| {
            use rustix::fs::{MemfdFlags, SealFlags};
            let file = rustix::fs::memfd_create("x", MemfdFlags::ALLOW_SEALING).unwrap();
            rustix::fs::ftruncate(&file, bytes).unwrap();
            if seals {
                rustix::fs::fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW).unwrap();
            }
            file
        };
        let pipe = rustix::pipe::pipe().unwrap().0;
        let null = File::open("/dev/null").unwrap().into();
        let strangers = [
            on_disk.into(),
            memory(STASH_BYTES - 1, true),
            memory(STASH_BYTES + 1, true),
            memory(STASH_BYTES, false),
            pipe,
            null,
        ];
        for (at, stranger) in strangers.into_iter().enumerate() {
            let error = Stash::open(stranger).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{at}");
        }
        Stash::open(memory(STASH_BYTES, true)).unwrap();
    }
}
