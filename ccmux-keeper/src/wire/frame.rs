//! Frames: a kind, a length, and tagged fields. Pure; knows no socket.
//!
//! ```text
//! doorbell   00
//! frame      kind(1) reserved(3) length(4) payload(length)
//! payload    { tag(2) reserved(2) length(4) bytes(length) }*
//! ```
//!
//! Numbers are little-endian, reserved bytes are zero when written and ignored when read, and a
//! field with an unknown tag is passed over.

use super::WireError;

/// The single byte of a doorbell.
pub(crate) const DOORBELL: u8 = 0;

const HEADER_BYTES: usize = 8;
const FIELD_HEADER_BYTES: usize = 8;

/// One frame as it arrived.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) payload: Vec<u8>,
}

/// Builds one frame, field by field.
#[derive(Debug)]
pub(crate) struct FrameBuilder {
    bytes: Vec<u8>,
}

impl FrameBuilder {
    pub(crate) fn new(kind: u8) -> FrameBuilder {
        FrameBuilder { bytes: vec![kind, 0, 0, 0, 0, 0, 0, 0] }
    }

    pub(crate) fn field(mut self, tag: u16, parts: &[&[u8]]) -> FrameBuilder {
        let len: usize = parts.iter().map(|part| part.len()).sum();
        self.bytes.extend_from_slice(&tag.to_le_bytes());
        self.bytes.extend_from_slice(&[0, 0]);
        // A field that does not fit 32 bits is over every limit; the sender checks the whole.
        self.bytes.extend_from_slice(&(len as u32).to_le_bytes());
        for part in parts {
            self.bytes.extend_from_slice(part);
        }
        self
    }

    /// The finished frame, or an error if it exceeds `limit` payload bytes.
    pub(crate) fn finish(mut self, limit: usize) -> Result<Vec<u8>, WireError> {
        let kind = self.bytes[0];
        let bytes = self.bytes.len() - HEADER_BYTES;
        if bytes > limit {
            return Err(WireError::TooLong { kind, bytes, limit });
        }
        self.bytes[4..8].copy_from_slice(&(bytes as u32).to_le_bytes());
        Ok(self.bytes)
    }
}

/// Cuts frames and doorbells out of a stream that arrives in arbitrary pieces.
#[derive(Debug, Default)]
pub(crate) struct FrameReader {
    bytes: Vec<u8>,
    start: usize,
}

/// What a [`FrameReader`] found next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Doorbell,
    Frame(Frame),
}

impl FrameReader {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole piece, or `None` until more arrives. `limit` gives the most payload bytes a
    /// kind may have; it is asked before anything is kept for the payload.
    pub(crate) fn next(&mut self, limit: impl Fn(u8) -> usize) -> Result<Option<Piece>, WireError> {
        let rest = &self.bytes[self.start..];
        let Some(&kind) = rest.first() else {
            // Nothing is left: also the moment to give back what a large frame took.
            *self = FrameReader::default();
            return Ok(None);
        };
        if kind == DOORBELL {
            self.start += 1;
            return Ok(Some(Piece::Doorbell));
        }
        let Some((header, body)) = rest.split_first_chunk::<HEADER_BYTES>() else {
            return Ok(self.wait());
        };
        let bytes = number(&header[4..8]);
        let limit = limit(kind);
        if bytes > limit {
            return Err(WireError::TooLong { kind, bytes, limit });
        }
        let Some(payload) = body.get(..bytes) else {
            return Ok(self.wait());
        };
        let payload = payload.to_vec();
        self.start += HEADER_BYTES + bytes;
        Ok(Some(Piece::Frame(Frame { kind, payload })))
    }

    /// Lets go of what was taken out, so that only one unfinished frame is ever kept.
    fn wait(&mut self) -> Option<Piece> {
        self.bytes.drain(..self.start);
        self.start = 0;
        None
    }
}

/// The fields of a payload, in order; an error if one overruns the payload.
pub(crate) fn fields<'a>(
    frame: &'static str,
    mut payload: &'a [u8],
) -> impl Iterator<Item = Result<(u16, &'a [u8]), WireError>> {
    std::iter::from_fn(move || {
        if payload.is_empty() {
            return None;
        }
        let cut = payload.split_first_chunk::<FIELD_HEADER_BYTES>().and_then(|(header, rest)| {
            let (value, rest) = rest.split_at_checked(number(&header[4..8]))?;
            Some((u16::from_le_bytes([header[0], header[1]]), value, rest))
        });
        let Some((tag, value, rest)) = cut else {
            payload = &[];
            return Some(Err(WireError::Malformed { frame, problem: "a field is cut short" }));
        };
        payload = rest;
        Some(Ok((tag, value)))
    })
}

/// A 32-bit length.
fn number(bytes: &[u8]) -> usize {
    let bytes = bytes.try_into().expect("callers slice four bytes");
    u32::from_le_bytes(bytes) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(pieces: &[&[u8]]) -> Result<Vec<Piece>, WireError> {
        let mut reader = FrameReader::default();
        let mut found = Vec::new();
        for piece in pieces {
            reader.push(piece);
            while let Some(piece) = reader.next(|_| 64)? {
                found.push(piece);
            }
        }
        Ok(found)
    }

    #[test]
    fn frames_and_doorbells_arrive_whole_however_they_are_cut() {
        let frame = FrameBuilder::new(7).field(1, &[b"ab", b"c"]).field(9, &[]).finish(64).unwrap();
        let stream = [&[DOORBELL][..], &frame, &[DOORBELL, DOORBELL], &frame].concat();
        let whole = all(&[&stream]).unwrap();
        assert_eq!(whole.len(), 5);
        for cut in 0..stream.len() {
            assert_eq!(all(&[&stream[..cut], &stream[cut..]]).unwrap(), whole, "cut at {cut}");
        }
        let bytewise: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(all(&bytewise).unwrap(), whole);
        let Piece::Frame(frame) = &whole[1] else { panic!("{whole:?}") };
        let fields: Vec<_> = fields("test", &frame.payload).map(Result::unwrap).collect();
        assert_eq!(fields, [(1, &b"abc"[..]), (9, &b""[..])]);
    }

    #[test]
    fn an_overlong_frame_is_refused_from_its_header() {
        let header = [7, 0, 0, 0, 65, 0, 0, 0];
        let error = all(&[&header]).unwrap_err();
        assert_eq!(error, WireError::TooLong { kind: 7, bytes: 65, limit: 64 });
        assert!(FrameBuilder::new(7).field(1, &[&[0; 65]]).finish(64).is_err());
    }

    #[test]
    fn a_field_that_overruns_its_payload_is_malformed() {
        for payload in [&[1, 0, 0][..], &[1, 0, 0, 0, 2, 0, 0, 0, b'x'], &[1; 12]] {
            assert!(fields("test", payload).any(|field| field.is_err()), "{payload:?}");
        }
    }
}
