//! The ring: the last output of one pane, in memory that its keeper and the server share.
//!
//! A memory-backed file, one header page and [`CAPACITY`] bytes of output, handed over by
//! descriptor. It lives as long as anyone holds the descriptor, so a kill of either side loses
//! nothing that was read from the pty. Positions are **stream offsets**: the count of bytes the
//! program has printed since it started; byte `o` lies at `o % CAPACITY`.
//!
//! ```text
//!            spooled               head         guard          spooled + CAPACITY
//!  ---------|=====================|~~~~~~~~~~~~|--------------|
//!   free    | published, unspooled | the read   | free
//!           | only the server may  | in flight, |
//!           | move its start       | if any     |
//! ```
//!
//! [`KeeperRing`] writes, [`ServerRing`] reads; the two types keep a caller from making the other
//! side's moves. The header is drawn byte by byte in `docs/keeper-protocol.md`.
//!
//! Invariants
//! * R1 `spooled <= head <= guard <= spooled + CAPACITY`, each only ever grows, and the keeper
//!   never writes inside `[spooled, head)`.
//! * R2 Before a read of the pty begins, `[head, guard)` holds a pattern; the read is the only
//!   thing that overwrites it. So what a killed keeper had read but not published is found by
//!   looking where the pattern is gone ([`KeeperRing::adopt`]).
//! * R3 Whoever waits has said so in its `sleeping` word, fenced, and looked again; whoever
//!   publishes fences, then looks at that word. No wake-up is lost (`doorbell`).
//! * R4 Every value read from the header is checked before it is used. A damaged header is an
//!   error, never an access outside the mapping.

mod doorbell;
mod header;
mod keeper_half;
mod mapping;
mod memory;
#[cfg(test)]
mod model;
mod server_half;

use std::io;

pub use doorbell::Wake;
pub use keeper_half::KeeperRing;
pub use server_half::ServerRing;

/// Bytes of output a ring holds.
pub const CAPACITY: usize = 256 * 1024;

/// The most bytes one read of the pty may take, and so the most that a kill of the keeper can put
/// in doubt. Linux returns no more than this from a pty whatever is asked.
pub const READ_BYTES_MAX: usize = 4096;

/// No stream comes near this; a header that says so is damaged. Keeps sums from overflowing.
const OFFSET_MAX: u64 = 1 << 62;

/// What is known of the program in the pane.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChildState {
    /// No program has been started yet.
    NotStarted,
    /// It runs.
    Running,
    /// It has ended.
    Ended(ChildEnd),
}

/// How a program ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChildEnd {
    /// It exited with this code.
    Exited(i32),
    /// This signal killed it.
    Signaled(i32),
    /// It is gone, but its keeper was not its parent (the first keeper had been killed), and only
    /// a parent learns the status.
    Unknown,
}

/// A terminal's size, as the kernel keeps it for a pty.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct WindowSize {
    /// Rows of characters.
    pub rows: u16,
    /// Columns of characters.
    pub cols: u16,
    /// Width in pixels, 0 if unknown.
    pub width_px: u16,
    /// Height in pixels, 0 if unknown.
    pub height_px: u16,
}

/// Why a ring cannot be made, mapped or used.
#[derive(Debug, thiserror::Error)]
pub enum RingError {
    /// The memory could not be had.
    #[error("cannot reserve {CAPACITY} bytes of shared memory for a pane: {step}")]
    Reserve {
        /// The call that failed.
        step: &'static str,
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// The descriptor that was handed over cannot be mapped.
    #[error("cannot map a ring: {step}")]
    Map {
        /// The call that failed.
        step: &'static str,
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// The file is not a ring, or not one this release can read.
    #[error("not a usable ring: {field} is {found}, expected {expected}")]
    Foreign {
        /// The header field, or property of the file.
        field: &'static str,
        /// What it holds.
        found: u64,
        /// What this release needs.
        expected: u64,
    },
    /// A header word holds what no sequence of correct steps can produce.
    #[error("ring header is damaged: {field} is {found}, must be within {least}..={most}")]
    Corrupt {
        /// The header field.
        field: &'static str,
        /// What it holds.
        found: u64,
        /// The smallest value possible here.
        least: u64,
        /// The largest value possible here.
        most: u64,
    },
    /// The caller asked for bytes, or confirmed bytes, that the ring does not hold.
    #[error("stream offset {offset} is outside the ring's {least}..={most}")]
    Outside {
        /// The offset asked for.
        offset: u64,
        /// The first offset held.
        least: u64,
        /// The offset after the last one held.
        most: u64,
    },
}

/// Refuses a header value outside `least..=most`.
fn check(field: &'static str, found: u64, least: u64, most: u64) -> Result<u64, RingError> {
    if (least..=most).contains(&found) {
        Ok(found)
    } else {
        Err(RingError::Corrupt { field, found, least, most })
    }
}
