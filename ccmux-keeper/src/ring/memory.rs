//! What the two halves of a ring need of the memory they share, and how its words are accessed.
//!
//! There is one such memory, [`Mapping`](super::mapping::Mapping). The halves are written over
//! traits all the same, so that the tests can run this very code on memory of a few bytes in which
//! every interleaving, every stale value and every kill can be tried (`model`).
//!
//! ```text
//!  keeper                                     server
//!  bytes of the read                          load head, LOAD
//!  store head, STORE  --- happens before -->  the bytes are there
//!
//!  the bytes were copied                      ... and in the other direction:
//!  store spooled, STORE  <-- the server's     load spooled, LOAD; then the bytes are overwritten
//! ```

use std::sync::atomic::Ordering;

use super::header::{PATTERN_BYTES, Word};

/// How words are loaded: whoever sees an offset sees what was written before it.
pub(super) const LOAD: Ordering = Ordering::Acquire;
/// How words are stored.
pub(super) const STORE: Ordering = Ordering::Release;
/// How words are exchanged.
pub(super) const SWAP: Ordering = Ordering::SeqCst;
/// The fence between a store and the load that must not come before it (`doorbell`).
pub(super) const FENCE: Ordering = Ordering::SeqCst;

/// The words of the header.
pub trait Cells {
    /// What a word holds.
    fn load(&self, word: Word) -> u64;
    /// Sets a word.
    fn store(&self, word: Word, value: u64);
    /// Sets a word and returns what it held.
    fn swap(&self, word: Word, value: u64) -> u64;
    /// Keeps the loads after it from being done before the stores before it.
    fn fence(&self);
}

/// The words and the data.
pub trait Memory: Cells {
    /// Bytes of data.
    const CAPACITY: usize;

    /// The guard pattern of this ring.
    fn pattern(&self) -> [u8; PATTERN_BYTES];

    /// Appends `len` bytes from stream offset `offset` to `out`.
    fn copy_out(&self, offset: u64, len: usize, out: &mut Vec<u8>);

    /// The `len` bytes from stream offset `offset`, which must not cross the end of the data.
    fn bytes_mut(&mut self, offset: u64, len: usize) -> &mut [u8];

    /// Where the byte at a stream offset lies in the data.
    fn position(offset: u64) -> usize {
        (offset % Self::CAPACITY as u64) as usize
    }
}
