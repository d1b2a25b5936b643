//! The shared memory itself: making, checking and mapping it, and the only unsafe accesses to it.

use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::os::fd::OwnedFd;
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::atomic::{AtomicU64, Ordering, fence};

use rustix::mm::{MapFlags, ProtFlags};

use super::header::{HEADER_BYTES, MAGIC, PATTERN_AT, PATTERN_BYTES, VERSION, Word};
use super::memory::{Cells, FENCE, LOAD, Memory, STORE, SWAP};
use super::{CAPACITY, RingError};

const FILE_BYTES: usize = HEADER_BYTES + CAPACITY;

/// A ring's file, mapped for reading and writing.
#[derive(Debug)]
pub struct Mapping {
    base: NonNull<u8>,
    file: OwnedFd,
}

#[expect(unsafe_code, reason = "a raw pointer is not Send by itself")]
// SAFETY: `base` is this value's own mapping, valid in every thread until it is dropped.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Makes a new ring: memory reserved and populated, so that no later write can fail for want
    /// of it, and no read into it can fault.
    pub(super) fn create() -> Result<Mapping, RingError> {
        let file = memory_file().map_err(reserve("create a memory-backed file"))?;
        rustix::fs::ftruncate(&file, FILE_BYTES as u64)
            .map_err(io::Error::from)
            .map_err(reserve("set its size"))?;
        reserve_pages(&file).map_err(reserve("allocate its pages"))?;
        seal(&file).map_err(reserve("seal its size"))?;
        let mapping = Mapping::map(file).map_err(reserve("map it"))?;
        mapping.populate().map_err(reserve("populate it"))?;
        mapping.initialize();
        Ok(mapping)
    }

    /// Maps a ring that another process made, after checking that it is one.
    pub(super) fn open(file: OwnedFd) -> Result<Mapping, RingError> {
        let map_error = |step| move |source| RingError::Map { step, source };
        let status = rustix::fs::fstat(&file).map_err(io::Error::from);
        let size = status.map_err(map_error("look at it"))?.st_size.cast_unsigned();
        // Some systems round the size up to whole pages of theirs.
        foreign("file size", size.min(FILE_BYTES as u64), FILE_BYTES as u64)?;
        check_seal(&file)?;
        let mapping = Mapping::map(file).map_err(map_error("map it"))?;
        for (field, word, expected) in [
            ("magic", Word::Magic, MAGIC),
            ("version", Word::Version, VERSION),
            ("header size", Word::HeaderBytes, HEADER_BYTES as u64),
            ("capacity", Word::Capacity, CAPACITY as u64),
        ] {
            foreign(field, mapping.load(word), expected)?;
        }
        Ok(mapping)
    }

    /// The file behind the mapping.
    pub(super) fn file(&self) -> &OwnedFd {
        &self.file
    }

    /// Touches every page for writing.
    pub(super) fn populate(&self) -> io::Result<()> {
        if self.advise_populate()? {
            return Ok(());
        }
        for page in (0..FILE_BYTES).step_by(4096) {
            // An addition of nothing dirties the page and, being atomic, disturbs no one.
            self.atomic(page).fetch_add(0, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Has the kernel populate the mapping; false where it does not know how to.
    #[cfg(target_os = "linux")]
    fn advise_populate(&self) -> io::Result<bool> {
        use rustix::io::Errno;
        use rustix::mm::{Advice, madvise};
        #[expect(unsafe_code, reason = "madvise takes an address")]
        // SAFETY: the range is this mapping; populating changes no content.
        let populated =
            unsafe { madvise(self.base.as_ptr().cast(), FILE_BYTES, Advice::LinuxPopulateWrite) };
        match populated {
            Ok(()) => Ok(true),
            // Before Linux 5.14 the advice is unknown.
            Err(Errno::INVAL) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    #[cfg(not(target_os = "linux"))]
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "as its Linux twin")]
    fn advise_populate(&self) -> io::Result<bool> {
        Ok(false)
    }

    fn map(file: OwnedFd) -> io::Result<Mapping> {
        #[expect(unsafe_code, reason = "mapping memory")]
        // SAFETY: a fresh mapping at an address the kernel chooses. Its file cannot shrink: it is
        // sealed where seals exist, and elsewhere it has no name by which another could reach it.
        let base = unsafe {
            rustix::mm::mmap(
                ptr::null_mut(),
                FILE_BYTES,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED,
                &file,
                0,
            )
        }?;
        let base = NonNull::new(base.cast()).expect("a mapping is never at address zero");
        Ok(Mapping { base, file })
    }

    fn initialize(&self) {
        for (index, bytes) in fresh_pattern().as_chunks::<8>().0.iter().enumerate() {
            self.atomic(PATTERN_AT + index * 8)
                .store(u64::from_ne_bytes(*bytes), Ordering::Relaxed);
        }
        for (word, value) in [
            (Word::Version, VERSION),
            (Word::HeaderBytes, HEADER_BYTES as u64),
            (Word::Capacity, CAPACITY as u64),
            (Word::Magic, MAGIC),
        ] {
            self.store(word, value);
        }
    }

    fn atomic(&self, at: usize) -> &AtomicU64 {
        assert!(at.is_multiple_of(8) && at + 8 <= FILE_BYTES, "BUG: a word outside the ring");
        #[expect(unsafe_code, reason = "the words are shared with another process")]
        // SAFETY: aligned and inside the mapping, which lives as long as `self`.
        unsafe {
            AtomicU64::from_ptr(self.base.as_ptr().add(at).cast())
        }
    }
}

impl Cells for Mapping {
    fn load(&self, word: Word) -> u64 {
        self.atomic(word as usize).load(LOAD)
    }

    fn store(&self, word: Word, value: u64) {
        self.atomic(word as usize).store(value, STORE);
    }

    fn swap(&self, word: Word, value: u64) -> u64 {
        self.atomic(word as usize).swap(value, SWAP)
    }

    fn fence(&self) {
        fence(FENCE);
    }
}

impl Memory for Mapping {
    const CAPACITY: usize = CAPACITY;

    fn pattern(&self) -> [u8; PATTERN_BYTES] {
        let mut pattern = [0; PATTERN_BYTES];
        for (index, bytes) in pattern.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            *bytes = self.atomic(PATTERN_AT + index * 8).load(Ordering::Relaxed).to_ne_bytes();
        }
        pattern
    }

    fn copy_out(&self, offset: u64, len: usize, out: &mut Vec<u8>) {
        assert!(len <= CAPACITY, "BUG: more asked for than a ring holds");
        let start = Self::position(offset);
        let first = len.min(CAPACITY - start);
        out.reserve(len);
        for (at, count) in [(start, first), (0, len - first)] {
            #[expect(unsafe_code, reason = "the bytes are shared with another process")]
            // SAFETY: `at + count <= CAPACITY` and `out` has room. No reference to the shared
            // bytes is made: a keeper that breaks R1 can spoil them, but nothing else.
            unsafe {
                let source = self.base.as_ptr().add(HEADER_BYTES + at);
                ptr::copy_nonoverlapping(source, out.as_mut_ptr().add(out.len()), count);
                out.set_len(out.len() + count);
            }
        }
    }

    fn bytes_mut(&mut self, offset: u64, len: usize) -> &mut [u8] {
        let start = Self::position(offset);
        assert!(len <= CAPACITY - start, "BUG: a span crosses the end of the ring");
        #[expect(unsafe_code, reason = "the bytes are shared with another process")]
        // SAFETY: inside the mapping. Only the keeper's half calls this, and only for bytes
        // outside `[spooled, head)`, which by R1 no other process touches.
        unsafe {
            slice::from_raw_parts_mut(self.base.as_ptr().add(HEADER_BYTES + start), len)
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        #[expect(unsafe_code, reason = "unmapping memory")]
        // SAFETY: `base` came from `mmap` with this length; nothing borrowed from it survives.
        let unmapped = unsafe { rustix::mm::munmap(self.base.as_ptr().cast(), FILE_BYTES) };
        debug_assert!(unmapped.is_ok(), "BUG: the ring was not mapped");
    }
}

fn reserve(step: &'static str) -> impl FnOnce(io::Error) -> RingError {
    move |source| RingError::Reserve { step, source }
}

fn foreign(field: &'static str, found: u64, expected: u64) -> Result<(), RingError> {
    if found == expected { Ok(()) } else { Err(RingError::Foreign { field, found, expected }) }
}

/// 64 random bytes, none of which occurs in UTF-8, so that printed text never looks like them.
fn fresh_pattern() -> [u8; PATTERN_BYTES] {
    const NEVER_IN_UTF8: [u8; 13] =
        [0xc0, 0xc1, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff];
    let random = RandomState::new();
    std::array::from_fn(|index| {
        NEVER_IN_UTF8[(random.hash_one(index) % NEVER_IN_UTF8.len() as u64) as usize]
    })
}

#[cfg(target_os = "linux")]
fn memory_file() -> io::Result<OwnedFd> {
    use rustix::fs::MemfdFlags;
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    Ok(rustix::fs::memfd_create("ccmux-ring", flags)?)
}

#[cfg(not(target_os = "linux"))]
fn memory_file() -> io::Result<OwnedFd> {
    use rustix::fs::Mode;
    use rustix::shm;
    // The name exists only between the two calls; macOS allows 31 bytes of it.
    let name = format!("/ccmux-{:016x}", RandomState::new().hash_one(0));
    let flags = shm::OFlags::CREATE | shm::OFlags::EXCL | shm::OFlags::RDWR;
    let file = shm::open(name.as_str(), flags, Mode::RUSR | Mode::WUSR)?;
    shm::unlink(name.as_str())?;
    rustix::io::fcntl_setfd(&file, rustix::io::FdFlags::CLOEXEC)?;
    Ok(file)
}

#[cfg(target_os = "linux")]
fn reserve_pages(file: &OwnedFd) -> io::Result<()> {
    let whole = rustix::fs::FallocateFlags::empty();
    Ok(rustix::fs::fallocate(file, whole, 0, FILE_BYTES as u64)?)
}

/// Elsewhere memory objects have no `fallocate`; populating the mapping takes the pages.
#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "as its Linux twin")]
fn reserve_pages(_file: &OwnedFd) -> io::Result<()> {
    Ok(())
}

#[cfg(target_os = "linux")]
fn seal(file: &OwnedFd) -> io::Result<()> {
    use rustix::fs::SealFlags;
    let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
    Ok(rustix::fs::fcntl_add_seals(file, seals)?)
}

#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "as its Linux twin")]
fn seal(_file: &OwnedFd) -> io::Result<()> {
    Ok(())
}

/// A file that could shrink under the mapping would turn an access into SIGBUS.
#[cfg(target_os = "linux")]
fn check_seal(file: &OwnedFd) -> Result<(), RingError> {
    use rustix::fs::SealFlags;
    let seals = rustix::fs::fcntl_get_seals(file)
        .map_err(|errno| RingError::Map { step: "read its seals", source: errno.into() })?;
    let expected = SealFlags::SHRINK.bits().into();
    foreign("size seal", (seals & SealFlags::SHRINK).bits().into(), expected)
}

#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "as its Linux twin")]
fn check_seal(_file: &OwnedFd) -> Result<(), RingError> {
    Ok(())
}
