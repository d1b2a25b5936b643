//! The header's words: where each lies, who writes it, how composite values are packed.
//!
//! All words are 64-bit, aligned, in the byte order of the machine (a ring never leaves it).

use super::{ChildEnd, ChildState, WindowSize};

/// Bytes before the data; one page on most systems, and a multiple of the pattern.
pub(super) const HEADER_BYTES: usize = 4096;

/// `ccmuxrng`, read as a little-endian number.
pub(super) const MAGIC: u64 = u64::from_le_bytes(*b"ccmuxrng");

/// Raised with every change of this layout.
pub(super) const VERSION: u64 = 2;

/// Where the 64 bytes of the guard pattern lie.
pub(super) const PATTERN_AT: usize = 64;

/// Length of the guard pattern; it divides the capacity, so that the pattern byte of an offset
/// is the same on every turn of the ring.
pub(super) const PATTERN_BYTES: usize = 64;

/// A word of the header, by its byte offset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub enum Word {
    Magic = 0,
    Version = 8,
    HeaderBytes = 16,
    Capacity = 24,
    // Written by the keeper.
    Head = 128,
    Guard = 136,
    Doubt = 144,
    KeeperSleeping = 152,
    ChildPid = 160,
    ChildState = 168,
    Drained = 176,
    // Written by the server, on a cache line of its own.
    Spooled = 192,
    Answered = 200,
    WindowSize = 208,
    ServerSleeping = 216,
    Pasting = 224,
}

const NOT_STARTED: u32 = 0;
const RUNNING: u32 = 1;
const EXITED: u32 = 2;
const SIGNALED: u32 = 3;
const ENDED_UNKNOWN: u32 = 4;

/// Kind in the low half, code or signal in the high half, so that one store publishes both.
pub(super) fn pack_child_state(state: ChildState) -> u64 {
    let (kind, status) = match state {
        ChildState::NotStarted => (NOT_STARTED, 0),
        ChildState::Running => (RUNNING, 0),
        ChildState::Ended(ChildEnd::Exited(code)) => (EXITED, code),
        ChildState::Ended(ChildEnd::Signaled(signal)) => (SIGNALED, signal),
        ChildState::Ended(ChildEnd::Unknown) => (ENDED_UNKNOWN, 0),
    };
    u64::from(kind) | u64::from(status.cast_unsigned()) << 32
}

/// The inverse of [`pack_child_state`]; `None` for a kind that this release does not know.
pub(super) fn unpack_child_state(word: u64) -> Option<ChildState> {
    let status = ((word >> 32) as u32).cast_signed();
    match word as u32 {
        NOT_STARTED => Some(ChildState::NotStarted),
        RUNNING => Some(ChildState::Running),
        EXITED => Some(ChildState::Ended(ChildEnd::Exited(status))),
        SIGNALED => Some(ChildState::Ended(ChildEnd::Signaled(status))),
        ENDED_UNKNOWN => Some(ChildState::Ended(ChildEnd::Unknown)),
        _ => None,
    }
}

/// Rows, columns, width and height, from the low end up.
pub(super) fn pack_window_size(size: WindowSize) -> u64 {
    u64::from(size.rows)
        | u64::from(size.cols) << 16
        | u64::from(size.width_px) << 32
        | u64::from(size.height_px) << 48
}

/// The inverse of [`pack_window_size`].
pub(super) fn unpack_window_size(word: u64) -> WindowSize {
    WindowSize {
        rows: word as u16,
        cols: (word >> 16) as u16,
        width_px: (word >> 32) as u16,
        height_px: (word >> 48) as u16,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_words_come_back() {
        for state in [
            ChildState::NotStarted,
            ChildState::Running,
            ChildState::Ended(ChildEnd::Exited(0)),
            ChildState::Ended(ChildEnd::Exited(255)),
            ChildState::Ended(ChildEnd::Signaled(9)),
            ChildState::Ended(ChildEnd::Unknown),
        ] {
            assert_eq!(unpack_child_state(pack_child_state(state)), Some(state));
        }
        assert_eq!(unpack_child_state(77), None);
        let size = WindowSize { rows: 24, cols: 80, width_px: 65_535, height_px: 1 };
        assert_eq!(unpack_window_size(pack_window_size(size)), size);
    }
}
