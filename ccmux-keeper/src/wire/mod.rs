//! The keeper protocol: what travels over the socket between a server and a keeper.
//!
//! `frame` cuts the byte stream into frames, `message` gives them meaning, `connection` moves
//! them without ever blocking, with the descriptors that belong to them. Drawn byte by byte in
//! `docs/keeper-protocol.md`.

pub(crate) mod connection;
pub(crate) mod frame;
pub(crate) mod fuzzing;
pub(crate) mod message;

/// The protocol versions this release speaks. Raised with every change until release 0.1.0.
pub const VERSIONS: std::ops::RangeInclusive<u16> = 3..=3;

/// A peer broke the protocol.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WireError {
    /// A frame announces more than its kind may carry.
    #[error("frame of kind {kind:#04x} announces {bytes} bytes, the limit is {limit}")]
    TooLong {
        /// The frame's kind byte.
        kind: u8,
        /// The length it announces.
        bytes: usize,
        /// The most that its kind may carry.
        limit: usize,
    },
    /// A frame that does not hold what its kind requires.
    #[error("malformed {frame} frame: {problem}")]
    Malformed {
        /// The frame's name.
        frame: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A keeper sent far more than it ever has to say.
    #[error("the peer does not stop talking")]
    Flood,
    /// A frame that does not belong here, or now.
    #[error("unexpected {frame} frame")]
    Unexpected {
        /// The frame's name.
        frame: &'static str,
    },
}
