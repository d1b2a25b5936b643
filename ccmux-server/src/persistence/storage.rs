//! The storage seam: everything the persistence layer asks of a file system.
//!
//! All durable state goes through [`Storage`], so that the same code runs on a real directory
//! ([`FsStorage`]) and on a simulated disk that crashes at every call. Paths are relative to the
//! root of the store and never contain `..`; the empty path is the root itself. Nothing here knows
//! what the bytes mean.

use std::fmt::Debug;
use std::fs::{DirBuilder, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt};
use std::path::{Component, Path};

use rustix::fs::{AtFlags, Dir, FallocateFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

/// How often a read is tried that fails in a way that may not last.
const READ_ATTEMPTS: u32 = 4;

/// An open file of a [`Storage`].
///
/// Writes are positional, so that a file may be written by one thread and synced by another.
#[expect(clippy::len_without_is_empty, reason = "`len` asks the disk and may fail")]
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
    /// Reserves disk space for the first `len` bytes and zero-fills what is new; a longer file
    /// keeps its length.
    fn allocate(&self, len: u64) -> io::Result<()>;
    /// Makes contents and length durable (`fdatasync`).
    ///
    /// After an error the caller must never sync this file again (P8).
    fn sync(&self) -> io::Result<()>;
    /// Asks that the next reads come from the disk instead of memory; a hint, after a sync.
    fn forget_cached(&self);
}

/// A directory tree to keep state in.
pub trait Storage: Debug + Send + Sync {
    /// Creates a file that must not exist; the entry is durable after [`Storage::sync_dir`].
    fn create(&self, path: &Path) -> io::Result<Box<dyn StorageFile>>;
    /// Opens an existing file for reading and writing; for reading alone where writing is refused.
    fn open(&self, path: &Path) -> io::Result<Box<dyn StorageFile>>;
    /// Renames a file, replacing any at `to`; durable after syncing both directories.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Creates a directory with its parents; no error if it exists. Durable after syncing the
    /// parent of each new one.
    fn create_dir(&self, path: &Path) -> io::Result<()>;
    /// Removes a directory and everything below it.
    fn remove_dir_all(&self, path: &Path) -> io::Result<()>;
    /// Names of the entries of a directory, sorted; an error of kind `NotFound` if there is none.
    /// Names that are not UTF-8 were not made by ccmux and are left out.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;
    /// Makes the entries of a directory durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
}

/// Reads a whole file of at most `bytes_max` bytes; a longer one is an error of kind `FileTooLarge`.
///
/// The limit is checked against the length before anything is allocated (P7).
pub fn read_whole(file: &dyn StorageFile, bytes_max: u64) -> io::Result<Vec<u8>> {
    let len = file.len()?;
    if len > bytes_max {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("{len} bytes where at most {bytes_max} are expected"),
        ));
    }
    let mut bytes = vec![0; len as usize];
    let got = read_full(file, 0, &mut bytes)?;
    bytes.truncate(got);
    Ok(bytes)
}

/// Fills `buf` from `offset` on as far as the file goes; returns how much that is.
pub fn read_full(file: &dyn StorageFile, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buf.len() {
        match file.read_at(offset + filled as u64, &mut buf[filled..])? {
            0 => break,
            n => filled += n,
        }
    }
    Ok(filled)
}

/// Reads a whole file, as [`read_whole`] does. What fails once may be good the next time.
pub(super) fn read_file(storage: &dyn Storage, path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    insist(|| storage.open(path).and_then(|file| read_whole(&*file, bytes_max)))
}

/// Tries again what was interrupted or what a device failed at, a few times: a device, a cable or a
/// network that fails for a moment has damaged nothing.
pub(super) fn insist<T>(mut read: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let may_be_good = |error: &io::Error| {
        error.kind() == io::ErrorKind::Interrupted
            || error.raw_os_error() == Some(Errno::IO.raw_os_error())
    };
    for _ in 1..READ_ATTEMPTS {
        match read() {
            Err(error) if may_be_good(&error) => {}
            done => return done,
        }
    }
    read()
}

/// Whether an error says that a file is broken, rather than that the machine is short of something.
pub(super) fn is_damage(error: &io::Error) -> bool {
    let is_broken = [Errno::IO, Errno::BADMSG, Errno::LOOP]
        .iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()));
    let is_odd = matches!(
        error.kind(),
        io::ErrorKind::FileTooLarge
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::NotFound
            | io::ErrorKind::InvalidData
    );
    is_broken || is_odd
}

/// Tells what is wrong with a file, the inner error, from what the machine is short of just now:
/// descriptors, memory, time, the right to read it. That says nothing about what is in any file.
pub(super) fn unless_passing<T>(read: io::Result<T>) -> io::Result<io::Result<T>> {
    const PASSING: [Errno; 12] = [
        Errno::ACCESS,
        Errno::PERM,
        Errno::MFILE,
        Errno::NFILE,
        Errno::NOMEM,
        Errno::NOBUFS,
        Errno::INTR,
        Errno::AGAIN,
        Errno::BUSY,
        Errno::TIMEDOUT,
        Errno::STALE,
        Errno::NOTCONN,
    ];
    let will_pass = |error: &io::Error| {
        let is_it = |errno: &Errno| error.raw_os_error() == Some(errno.raw_os_error());
        PASSING.iter().any(is_it)
    };
    match read {
        Err(error) if will_pass(&error) => Err(error),
        read => Ok(read),
    }
}

/// Makes a directory in the root of the store, and makes sure that it stays.
pub(super) fn create_dir_durably(storage: &dyn Storage, path: &Path) -> io::Result<()> {
    storage.create_dir(path)?;
    storage.sync_dir(Path::new(""))
}

/// Refuses a path that could leave the store.
pub(super) fn check_path(path: &Path) -> io::Result<()> {
    if path.components().all(|part| matches!(part, Component::Normal(_))) {
        Ok(())
    } else {
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("not a path inside the store: {}", path.display()),
        ))
    }
}

/// A store in a real directory.
///
/// Directories are made with mode 0700 and files with 0600. Every path is resolved from the
/// descriptor of the root, so the store stays the same one if a parent directory is renamed.
#[derive(Debug)]
pub struct FsStorage {
    root: OwnedFd,
}

impl FsStorage {
    /// Opens the store at `root`, creating the directory if need be.
    ///
    /// Refused (`PermissionDenied`) if the directory belongs to another user or others can write
    /// to it: whoever can put files there decides what the next server believes.
    pub fn open(root: &Path) -> io::Result<Self> {
        let missing: Vec<&Path> = root
            .ancestors()
            .take_while(|dir| !dir.as_os_str().is_empty() && !dir.exists())
            .collect();
        DirBuilder::new().recursive(true).mode(0o700).create(root)?;
        for dir in missing {
            // A store whose own directory a power cut takes away keeps no promise.
            let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
            File::open(parent.unwrap_or(Path::new(".")))?.sync_all()?;
        }
        Self::open_existing(root)
    }

    /// Opens the store at `root` and creates nothing; otherwise like [`FsStorage::open`].
    pub fn open_existing(root: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = File::from(rustix::fs::open(root, flags, Mode::empty())?);
        let metadata = dir.metadata()?;
        let refusal = if metadata.uid() != rustix::process::geteuid().as_raw() {
            Some("it belongs to another user")
        } else if metadata.mode() & 0o022 != 0 {
            Some("others can write to it")
        } else {
            None
        };
        match refusal {
            Some(why) => Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!("refusing to keep state in {}: {why}", root.display()),
            )),
            None => Ok(Self { root: dir.into() }),
        }
    }

    fn open_dir(&self, path: &Path) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        Ok(File::from(rustix::fs::openat(&self.root, or_dot(path), flags, Mode::empty())?))
    }
}

impl Storage for FsStorage {
    fn create(&self, path: &Path) -> io::Result<Box<dyn StorageFile>> {
        check_path(path)?;
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let fd = rustix::fs::openat(&self.root, path, flags, Mode::RUSR | Mode::WUSR)?;
        Ok(Box::new(FsFile { file: fd.into(), refusal: None }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn StorageFile>> {
        check_path(path)?;
        let flags = OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let open = |access| rustix::fs::openat(&self.root, path, flags | access, Mode::empty());
        let (fd, refusal) = match open(OFlags::RDWR) {
            // What cannot be written any more must still be recovered.
            Err(why @ (Errno::ROFS | Errno::ACCESS | Errno::PERM)) => {
                (open(OFlags::RDONLY)?, Some(why))
            }
            opened => (opened?, None),
        };
        Ok(Box::new(FsFile { file: fd.into(), refusal }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        check_path(from)?;
        check_path(to)?;
        Ok(rustix::fs::renameat(&self.root, from, &self.root, to)?)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        check_path(path)?;
        Ok(rustix::fs::unlinkat(&self.root, path, AtFlags::empty())?)
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        check_path(path)?;
        let ancestors: Vec<&Path> =
            path.ancestors().filter(|part| !part.as_os_str().is_empty()).collect();
        for dir in ancestors.into_iter().rev() {
            match rustix::fs::mkdirat(&self.root, dir, Mode::RWXU) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
        // Whatever existed must really be a directory.
        self.open_dir(path).map(drop)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        check_path(path)?;
        for entry in Dir::read_from(self.open_dir(path)?)? {
            let entry = entry?;
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            let child = path.join(bytes_to_path(name.to_bytes()));
            let stat = rustix::fs::statat(&self.root, &child, AtFlags::SYMLINK_NOFOLLOW)?;
            if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
                self.remove_dir_all(&child)?;
            } else {
                rustix::fs::unlinkat(&self.root, &child, AtFlags::empty())?;
            }
        }
        Ok(rustix::fs::unlinkat(&self.root, path, AtFlags::REMOVEDIR)?)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        check_path(path)?;
        let mut names = Vec::new();
        for entry in Dir::read_from(self.open_dir(path)?)? {
            match entry?.file_name().to_str() {
                Ok("." | "..") | Err(_) => {}
                Ok(name) => names.push(name.to_owned()),
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        check_path(path)?;
        self.open_dir(path)?.sync_all()
    }
}

fn or_dot(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

fn bytes_to_path(bytes: &[u8]) -> &Path {
    use std::os::unix::ffi::OsStrExt;
    Path::new(std::ffi::OsStr::from_bytes(bytes))
}

/// An open file, and why it was opened for reading alone, if it was.
#[derive(Debug)]
struct FsFile {
    file: File,
    refusal: Option<Errno>,
}

impl StorageFile for FsFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.check_writable()?;
        self.file.write_all_at(bytes, offset)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.file.read_at(buf, offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return done,
            }
        }
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.check_writable()?;
        self.file.set_len(len)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        self.check_writable()?;
        match rustix::fs::fallocate(&self.file, FallocateFlags::empty(), 0, len) {
            Ok(()) => Ok(()),
            // Not every file system can reserve; written zeros are as good.
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => self.write_zeros_up_to(len),
            Err(error) => Err(error.into()),
        }
    }

    fn sync(&self) -> io::Result<()> {
        // The standard library asks macOS for F_FULLFSYNC here: its fsync stops at the drive.
        self.file.sync_data()
    }

    fn forget_cached(&self) {
        #[cfg(target_vendor = "apple")]
        let _hint = rustix::fs::fcntl_nocache(&self.file, true);
        #[cfg(not(target_vendor = "apple"))]
        let _hint = rustix::fs::fadvise(&self.file, 0, None, rustix::fs::Advice::DontNeed);
    }
}

impl FsFile {
    /// The system itself would speak of a bad descriptor.
    fn check_writable(&self) -> io::Result<()> {
        self.refusal.map_or(Ok(()), |why| Err(why.into()))
    }

    fn write_zeros_up_to(&self, len: u64) -> io::Result<()> {
        static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];
        let mut end = self.len()?;
        while end < len {
            let part = (len - end).min(ZEROS.len() as u64);
            self.write_at(end, &ZEROS[..part as usize])?;
            end += part;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn files_and_directories_are_private_and_hold_what_was_written() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().join("a/store");
        let storage = FsStorage::open(&root).unwrap();
        storage.create_dir(Path::new("x/y")).unwrap();
        storage.create_dir(Path::new("x/y")).unwrap();
        let path = Path::new("x/y/file");
        let file = storage.create(path).unwrap();
        assert_eq!(storage.create(path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        file.allocate(4096).unwrap();
        file.write_at(10, b"hello").unwrap();
        file.allocate(100).unwrap();
        assert_eq!(file.len().unwrap(), 4096);
        file.sync().unwrap();
        storage.sync_dir(Path::new("x/y")).unwrap();
        file.forget_cached();
        let mut buf = [0; 7];
        assert_eq!(read_full(&*file, 9, &mut buf).unwrap(), 7);
        assert_eq!(&buf, b"\0hello\0");
        assert_eq!(read_full(&*file, 4094, &mut buf).unwrap(), 2);
        let mode = |path| root.join(path).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("x"), mode("x/y"), mode("x/y/file")), (0o700, 0o700, 0o600));

        storage.rename(path, Path::new("z")).unwrap();
        assert_eq!(storage.list(Path::new("")).unwrap(), ["x", "z"]);
        assert_eq!(storage.open(path).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(read_whole(&*file, 4096).unwrap().len(), 4096);
        assert_eq!(read_whole(&*file, 4095).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        storage.create(Path::new("x/y/other")).unwrap();
        storage.remove_dir_all(Path::new("x")).unwrap();
        storage.remove(Path::new("z")).unwrap();
        assert!(storage.list(Path::new("")).unwrap().is_empty());
        assert_eq!(storage.list(Path::new("x")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn paths_cannot_leave_the_store() {
        let temp = tempfile::tempdir().unwrap();
        let storage = FsStorage::open(temp.path()).unwrap();
        for path in ["../x", "/etc/passwd", "a/../../b", "./a"] {
            let error = storage.open(Path::new(path)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{path}");
        }
        std::os::unix::fs::symlink("/etc/passwd", temp.path().join("link")).unwrap();
        assert!(storage.open(Path::new("link")).is_err());
    }

    #[test]
    fn a_directory_that_others_can_write_is_refused() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().join("store");
        drop(FsStorage::open(&root).unwrap());
        std::fs::set_permissions(&root, std::fs::Permissions::from_mode(0o770)).unwrap();
        assert_eq!(FsStorage::open(&root).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }

    #[test]
    fn a_file_that_cannot_be_written_is_read_and_says_why() {
        let temp = tempfile::tempdir().unwrap();
        let storage = FsStorage::open(temp.path()).unwrap();
        let path = Path::new("f");
        storage.create(path).unwrap().write_at(0, b"text").unwrap();
        let file = File::open(temp.path().join("f")).unwrap();
        let file = FsFile { file, refusal: Some(Errno::ROFS) };
        assert_eq!(read_whole(&file, 4096).unwrap(), b"text");
        for refused in [file.write_at(0, b"x"), file.set_len(1), file.allocate(4096)] {
            assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::ReadOnlyFilesystem);
        }
        assert_eq!(read_whole(&file, 4096).unwrap(), b"text");
    }

    #[test]
    fn zeros_stand_in_for_a_reservation() {
        let temp = tempfile::tempdir().unwrap();
        let storage = FsStorage::open(temp.path()).unwrap();
        storage.create(Path::new("f")).unwrap().write_at(0, b"x").unwrap();
        let file = File::options().write(true).read(true).open(temp.path().join("f")).unwrap();
        let file = FsFile { file, refusal: None };
        file.write_zeros_up_to(100_000).unwrap();
        assert_eq!(file.len().unwrap(), 100_000);
        let mut first = [0];
        file.read_at(0, &mut first).unwrap();
        assert_eq!(&first, b"x");
    }
}
