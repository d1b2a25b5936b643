//! Framing: length-prefixed frames of a kind and a payload.
//!
//! ```text
//! 0        4      5
//! +--------+------+------------------ - - -
//! | length | kind | payload, `length` bytes
//! +--------+------+------------------ - - -
//!  u32 LE    u8
//! ```
//!
//! Structured payloads are JSON objects: rates are low, unknown fields are ignored and missing
//! optional ones get their default, so versions can drift apart. Bulk payloads (terminal input and
//! output) are the bytes themselves.
//!
//! Invariants
//! * A length above [`FRAME_BYTES_MAX`] is refused when the header is read, before anything is
//!   allocated for the payload.
//! * After an error the stream has lost its frame boundaries: the decoder repeats the error and
//!   yields nothing more.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// The largest payload of one frame. Longer output is split over several.
pub const FRAME_BYTES_MAX: usize = 1024 * 1024;

const HEADER_BYTES: usize = 5;

/// Something that travels as frames of one direction: [`ClientFrame`](crate::ClientFrame) or
/// [`ServerFrame`](crate::ServerFrame).
pub trait Frame: Sized {
    /// Appends the frame, in as many wire frames as its payload needs.
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), FrameError>;

    /// Reads the payload of one wire frame.
    fn decode(kind: u8, payload: &[u8]) -> Result<Self, FrameError>;
}

/// Why bytes are not frames, or a frame cannot become bytes.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum FrameError {
    /// The payload exceeds [`FRAME_BYTES_MAX`].
    #[error("frame of {bytes} bytes, at most {FRAME_BYTES_MAX} are allowed")]
    TooLong {
        /// The length found or asked for.
        bytes: usize,
    },
    /// No frame of this direction has the kind.
    #[error("unknown frame kind {kind:#04x}")]
    UnknownKind {
        /// The kind found.
        kind: u8,
    },
    /// A structured payload that does not parse.
    #[error("malformed payload in a frame of kind {kind:#04x}: {message}")]
    Malformed {
        /// The kind of the frame.
        kind: u8,
        /// What the parser says.
        message: String,
    },
}

/// Appends `frame` to `out`. On error `out` is as it was.
pub fn encode<F: Frame>(frame: &F, out: &mut Vec<u8>) -> Result<(), FrameError> {
    let before = out.len();
    frame.encode(out).inspect_err(|_| out.truncate(before))
}

/// Cuts a byte stream into frames of one direction.
#[derive(Debug)]
pub struct FrameDecoder<F> {
    buffer: Vec<u8>,
    /// Start of what is not yet decoded; the space before it is reclaimed on `push`.
    start: usize,
    failed: Option<FrameError>,
    direction: PhantomData<fn() -> F>,
}

impl<F: Frame> FrameDecoder<F> {
    /// A decoder at the start of a stream.
    pub fn new() -> Self {
        FrameDecoder { buffer: Vec::new(), start: 0, failed: None, direction: PhantomData }
    }

    /// Takes bytes as they came from the stream. Call [`next_frame`](Self::next_frame) until it
    /// yields `None` before pushing more, so that at most one frame is held.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.failed.is_none() {
            self.buffer.drain(..self.start);
            self.start = 0;
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// The next complete frame; `None` when more bytes are needed.
    pub fn next_frame(&mut self) -> Result<Option<F>, FrameError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let decoded = self.decode_front();
        if let Err(error) = &decoded {
            self.failed = Some(error.clone());
            self.buffer = Vec::new();
            self.start = 0;
        }
        decoded
    }

    fn decode_front(&mut self) -> Result<Option<F>, FrameError> {
        let pending = &self.buffer[self.start..];
        let Some((&[l0, l1, l2, l3, kind], rest)) = pending.split_first_chunk::<HEADER_BYTES>()
        else {
            return Ok(None);
        };
        let bytes = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        check_length(bytes)?;
        let Some(payload) = rest.get(..bytes) else { return Ok(None) };
        let frame = F::decode(kind, payload)?;
        self.start += HEADER_BYTES + bytes;
        Ok(Some(frame))
    }
}

impl<F: Frame> Default for FrameDecoder<F> {
    fn default() -> Self {
        Self::new()
    }
}

/// Appends one wire frame.
pub(crate) fn put_frame(kind: u8, payload: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
    check_length(payload.len())?;
    out.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    out.push(kind);
    out.extend_from_slice(payload);
    Ok(())
}

/// Appends a structured payload as one wire frame.
pub(crate) fn put_json<T: Serialize>(
    kind: u8,
    value: &T,
    out: &mut Vec<u8>,
) -> Result<(), FrameError> {
    let payload = serde_json::to_vec(value)
        .map_err(|error| FrameError::Malformed { kind, message: error.to_string() })?;
    put_frame(kind, &payload, out)
}

/// Appends bulk bytes: pieces of the kind `part` where they exceed one frame, the last one of
/// the kind `last`.
pub(crate) fn put_bulk(part: u8, last: u8, bytes: &[u8], out: &mut Vec<u8>) {
    let mut rest = bytes;
    while rest.len() > FRAME_BYTES_MAX {
        let (piece, tail) = rest.split_at(FRAME_BYTES_MAX);
        put_frame(part, piece, out).expect("the piece has the length that is allowed");
        rest = tail;
    }
    put_frame(last, rest, out).expect("the loop leaves at most the length that is allowed");
}

/// Reads a structured payload.
pub(crate) fn get_json<T: DeserializeOwned>(kind: u8, payload: &[u8]) -> Result<T, FrameError> {
    serde_json::from_slice(payload)
        .map_err(|error| FrameError::Malformed { kind, message: error.to_string() })
}

fn check_length(bytes: usize) -> Result<(), FrameError> {
    if bytes > FRAME_BYTES_MAX { Err(FrameError::TooLong { bytes }) } else { Ok(()) }
}
