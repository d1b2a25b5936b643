//! The sleep and wake-up protocol between the two sides of a ring.
//!
//! ```text
//!  publisher                         sleeper
//!  store value                       store sleeping = 1
//!  fence                             fence
//!  sleeping? swap to 0, ring         look at the value again: unchanged? wait for the bell
//! ```
//!
//! The fences make this a store-then-load on both sides that cannot both miss: in their total
//! order one comes first, and the other side's load then sees its store. The bell is a byte in a
//! socket and stays there until read; a socket too full to take one holds unread bytes, which
//! wake the sleeper just as well.
//!
//! Written over [`Cells`], so that the tests can run this very code under every interleaving,
//! with the store buffers that real processors have.

use super::header::Word;
use super::memory::Cells;

/// Whether the other side waits for a doorbell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "a sleeper that is not rung sleeps for ever"]
pub enum Wake {
    /// It does: ring it, or what was just published stays unseen.
    Ring,
    /// It is awake and will see what was published.
    Awake,
}

/// Publishes `value` in `word` and says whether the side that waits in `sleeping` must be rung.
pub(super) fn publish(cells: &impl Cells, word: Word, value: u64, sleeping: Word) -> Wake {
    cells.store(word, value);
    cells.fence();
    // The load first: a swap on every publication would bounce the other side's cache line.
    if cells.load(sleeping) != 0 && cells.swap(sleeping, 0) != 0 { Wake::Ring } else { Wake::Awake }
}

/// Declares in `sleeping` that this side is about to wait, unless `idle` finds news.
///
/// Returns true when it may wait for the bell.
pub(super) fn fall_asleep<E>(
    cells: &impl Cells,
    sleeping: Word,
    idle: impl FnOnce() -> Result<bool, E>,
) -> Result<bool, E> {
    cells.store(sleeping, 1);
    cells.fence();
    let idle = idle();
    if !matches!(idle, Ok(true)) {
        cells.store(sleeping, 0);
    }
    idle
}

#[cfg(test)]
mod interleavings;
