//! Bytes of a spool segment; all integers little-endian.
//!
//! ```text
//! segment  = header zeros header frame*     both headers are the same, in blocks of their own: one
//!                                           may decay
//! header   = 0   8  "ccmuxspl"
//!            8   4  version, 7
//!            12  4  crc32c of the other 140 bytes
//!            16  8  number of the segment
//!            24 16  store id
//!            40  8  salt
//!            48  8  number of the predecessor, 0 if there is none
//!            56  4  where the predecessor validly ends
//!            60  4  where the repetitions end with which the segment begins; 0 if it goes on where the
//!                   predecessor ends
//!            64 16  boot of the machine in which all of the segment was written, 0 if not known
//!            80  8  number of the last segment that was written before that boot, 0 if there was none
//!            88  8  where that one validly ends
//!            96  8  number of the segment before the predecessor, 0 if there is none: what lies between the
//!                   two is void, and the predecessor may decay
//!            104 8  where that one validly ends
//!            112 32 the same of the two segments before that one
//! frame    = 0   4  crc32c of salt, position in the file, bytes 4..56
//!            4   4  crc32c of the payload
//!            8   4  length of the payload
//!            12  1  kind: 1 bytes, 2 resize, 3 clear, 4 reset, 5 option
//!            13  3  unsynced: how much of the log before this frame was not known to be synced when it
//!                   was written, in units of 8 bytes; 2^24-1 if that was not known
//!            16 16  pane
//!            32  8  stream offset
//!            40  8  sequence number in the pane
//!            48  8  time, milliseconds since 1970
//!            56     payload, then zeros up to a multiple of 8
//! ```
//!
//! Salt and position are part of a frame's checksum, so that neither stale blocks nor a segment
//! that was printed in a pane (and is therefore a payload itself) can pass for frames.

use ccmux_core::ids::PaneUuid;
use ccmux_core::model::Timestamp;
use uuid::Uuid;

use crate::persistence::scrollback::bytes::{Fields, u32_at, u64_at, uuid_at};
use crate::persistence::scrollback::layout::POSITION_MAX;

const MAGIC: &[u8; 8] = b"ccmuxspl";
pub(super) const VERSION: u32 = 7;
/// In this version a header names one segment before its predecessor.
const VERSION_WITH_ONE_BEFORE: u32 = 6;
/// Up to this version it names none.
const VERSION_WITHOUT_BEFORE: u32 = 5;
/// Up to this version a header does not say where the repetitions end.
pub(super) const VERSION_WITHOUT_REPETITIONS: u32 = 4;
/// In this version a header does not say where the log ended when the boot began.
pub(super) const VERSION_WITHOUT_EARLIER: u32 = 3;
/// Up to this version a header has no boot, and its copy follows it at once. In version 1 there are
/// zeros where a frame says what was not synced before it.
const VERSION_WITHOUT_BOOT: u32 = 2;
/// How many segments before its predecessor a header names.
const BEFORE: usize = 3;
const HEADER_COPY_BYTES: usize = COPY_WITHOUT_BEFORE_BYTES + BEFORE * PAIR_BYTES;
const PAIR_BYTES: usize = 16;
/// Where the second copy stands: not in the sector, page or block of the first.
pub(super) const SECOND_COPY_AT: usize = 4096;

/// Length of what precedes the first frame.
pub(super) const HEADER_BYTES: usize = SECOND_COPY_AT + HEADER_COPY_BYTES;
/// Length of a copy of the header that names one segment before the predecessor.
const COPY_WITH_ONE_BEFORE_BYTES: usize = COPY_WITHOUT_BEFORE_BYTES + PAIR_BYTES;
/// Length of a copy of the header that names none.
const COPY_WITHOUT_BEFORE_BYTES: usize = 96;
/// Length of a copy of the header that does not say where the log ended when the boot began.
const COPY_WITHOUT_EARLIER_BYTES: usize = 80;
/// Length of a copy of the header without a boot.
const OLD_COPY_BYTES: usize = 64;
/// Length of a frame without its payload.
pub(super) const FRAME_HEADER_BYTES: usize = 56;
/// Longest payload of a frame.
pub const FRAME_PAYLOAD_MAX: usize = 1 << 20;
/// Frames begin at multiples of this.
pub(super) const ALIGNMENT: usize = 8;

/// What a frame is to the terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FrameKind {
    /// Output of the program; the only kind that moves the stream offset.
    Bytes,
    /// The terminal got another size.
    Resize,
    /// The history was cleared.
    Clear,
    /// The terminal was reset.
    Reset,
    /// An option of the terminal changed.
    Option,
    /// Rows below the cursor were given up for lines of the history.
    Trim,
}

impl FrameKind {
    fn to_byte(self) -> u8 {
        match self {
            Self::Bytes => 1,
            Self::Resize => 2,
            Self::Clear => 3,
            Self::Reset => 4,
            Self::Option => 5,
            Self::Trim => 6,
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        [Self::Bytes, Self::Resize, Self::Clear, Self::Reset, Self::Option, Self::Trim]
            .into_iter()
            .find(|kind| kind.to_byte() == byte)
    }

    /// How far a frame of this kind moves the stream offset.
    pub(crate) fn stream_bytes(self, payload_len: usize) -> u64 {
        if self == Self::Bytes { payload_len as u64 } else { 0 }
    }
}

/// An input of a pane's terminal, to be spooled before it is applied.
#[derive(Clone, Copy, Debug)]
pub struct FrameRef<'a> {
    /// Whose.
    pub pane: PaneUuid,
    /// Bytes of output before it.
    pub offset: u64,
    /// When it came.
    pub time: Timestamp,
    /// What it is.
    pub kind: FrameKind,
    /// Output, or the arguments of the other kinds; at most [`FRAME_PAYLOAD_MAX`] bytes.
    pub payload: &'a [u8],
}

/// Numbers and valid ends of the segments before a predecessor, the newest first.
pub(super) type Before = [(u64, u64); BEFORE];

/// The head of a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct SegmentHeader {
    pub(super) version: u32,
    pub(super) number: u64,
    pub(super) store: Uuid,
    pub(super) salt: u64,
    pub(super) predecessor: u64,
    pub(super) predecessor_end: u64,
    /// Where the repetitions end of all that was not known to be synced when the segment was begun, should
    /// a process or a log that failed have begun again with it. There may be none.
    pub(super) repeats_to: Option<u64>,
    /// In which boot of the machine all of it was written; nil if that is not known.
    pub(super) boot: Uuid,
    /// Number and valid end of the last segment that was written before that boot: known to each of
    /// its segments, because a power cut may take the first one.
    pub(super) earlier: (u64, u64),
    /// The segments that the predecessor goes on from, should that decay, and the next ones, too.
    pub(super) before: Before,
    /// Where the first frame begins.
    pub(super) frames_at: usize,
}

/// A place in a segment; none is as long as the greatest.
fn place_field(place: u64) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

fn pair_at(bytes: &[u8], at: usize) -> (u64, u64) {
    (u64_at(bytes, at), u64_at(bytes, at + 8))
}

/// How the salts of the segments that one process writes differ.
const SALT_STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A file that does not begin with a header to be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum HeaderError {
    #[error("no valid header")]
    Bad,
    #[error("its format is version {0}, and only versions up to {VERSION} are known")]
    Version(u32),
}

impl SegmentHeader {
    /// The salt of a segment of the process that was given `process`.
    pub(super) fn salt_of(process: u64, number: u64) -> u64 {
        process.wrapping_add(number.wrapping_mul(SALT_STEP))
    }

    /// What the process that wrote the segment was given.
    pub(super) fn process(&self) -> u64 {
        self.salt.wrapping_sub(self.number.wrapping_mul(SALT_STEP))
    }

    pub(super) fn encode(&self) -> [u8; HEADER_BYTES] {
        let fields = Fields::<HEADER_COPY_BYTES>::new()
            .put(0, MAGIC)
            .u32(8, self.version)
            .u64(16, self.number)
            .put(24, self.store.as_bytes())
            .u64(40, self.salt)
            .u64(48, self.predecessor)
            .u32(56, place_field(self.predecessor_end))
            .u32(60, self.repeats_to.map_or(0, place_field))
            .put(64, self.boot.as_bytes())
            .u64(80, self.earlier.0)
            .u64(88, self.earlier.1);
        let fields = (0..BEFORE).fold(fields, |fields, n| {
            let (number, end) = self.before[n];
            let at = COPY_WITHOUT_BEFORE_BYTES + n * PAIR_BYTES;
            fields.u64(at, number).u64(at + 8, end)
        });
        let crc = Self::checksum(&fields.0);
        let copy = fields.u32(12, crc).0;
        let mut both = [0; HEADER_BYTES];
        both[..HEADER_COPY_BYTES].copy_from_slice(&copy);
        both[SECOND_COPY_AT..].copy_from_slice(&copy);
        both
    }

    /// The header, from whichever copy is intact.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, HeaderError> {
        let intact = |at: usize, len: usize| {
            let copy = bytes.get(at..at + len)?;
            (&copy[..8] == MAGIC && u32_at(copy, 12) == Self::checksum(copy)).then_some(copy)
        };
        let old = || intact(0, OLD_COPY_BYTES).or_else(|| intact(OLD_COPY_BYTES, OLD_COPY_BYTES));
        let of_len = |len| [0, SECOND_COPY_AT].into_iter().find_map(|at| intact(at, len));
        let lens = [
            HEADER_COPY_BYTES,
            COPY_WITH_ONE_BEFORE_BYTES,
            COPY_WITHOUT_BEFORE_BYTES,
            COPY_WITHOUT_EARLIER_BYTES,
        ];
        let copy = lens.into_iter().find_map(of_len).or_else(old);
        let copy = copy.ok_or(HeaderError::Bad)?;
        let version = u32_at(copy, 8);
        let (boot, earlier, frames_at) = match (version, copy.len()) {
            (1..=VERSION_WITHOUT_BOOT, OLD_COPY_BYTES) => (Uuid::nil(), (0, 0), 2 * OLD_COPY_BYTES),
            (VERSION_WITHOUT_EARLIER, COPY_WITHOUT_EARLIER_BYTES) => {
                (uuid_at(copy, 64), (0, 0), SECOND_COPY_AT + COPY_WITHOUT_EARLIER_BYTES)
            }
            (VERSION_WITHOUT_REPETITIONS..=VERSION_WITHOUT_BEFORE, COPY_WITHOUT_BEFORE_BYTES)
            | (VERSION_WITH_ONE_BEFORE, COPY_WITH_ONE_BEFORE_BYTES) => {
                (uuid_at(copy, 64), pair_at(copy, 80), SECOND_COPY_AT + copy.len())
            }
            (VERSION, HEADER_COPY_BYTES) => (uuid_at(copy, 64), pair_at(copy, 80), HEADER_BYTES),
            _ => return Err(HeaderError::Version(version)),
        };
        let named = copy.get(COPY_WITHOUT_BEFORE_BYTES..).unwrap_or_default();
        let mut before = Before::default();
        for (pair, named) in before.iter_mut().zip(named.chunks(PAIR_BYTES)) {
            *pair = pair_at(named, 0);
        }
        Ok(Self {
            version,
            number: u64_at(copy, 16),
            store: uuid_at(copy, 24),
            salt: u64_at(copy, 40),
            predecessor: u64_at(copy, 48),
            predecessor_end: u64::from(u32_at(copy, 56)),
            repeats_to: Some(u64::from(u32_at(copy, 60)))
                .filter(|&place| place > 0 && version > VERSION_WITHOUT_REPETITIONS),
            boot,
            earlier,
            before,
            frames_at,
        })
    }

    /// The segments before its predecessor that it names, the newest first, with their valid ends.
    pub(super) fn named_before(&self) -> &[(u64, u64)] {
        match self.version {
            ..=VERSION_WITHOUT_BEFORE => &[],
            VERSION_WITH_ONE_BEFORE => &self.before[..1],
            _ => &self.before,
        }
    }

    /// What a segment that has this one as predecessor names before it.
    pub(super) fn before_next(&self) -> Before {
        let mut before = Before::default();
        let named = [(self.predecessor, self.predecessor_end)];
        for (pair, known) in before.iter_mut().zip(named.iter().chain(&self.before)) {
            *pair = *known;
        }
        before
    }

    fn checksum(copy: &[u8]) -> u32 {
        crc32c::crc32c_append(crc32c::crc32c(&copy[..12]), &copy[16..])
    }
}

/// The head of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct FrameHeader {
    pub(super) payload_crc: u32,
    pub(super) len: u32,
    pub(super) kind: FrameKind,
    pub(super) pane: PaneUuid,
    pub(super) offset: u64,
    pub(super) sequence: u64,
    pub(super) time: Timestamp,
    /// How many bytes of the log before it were not known to be synced when it was written.
    pub(super) unsynced: Option<u64>,
}

/// What stands for an unknown amount of bytes.
const UNSYNCED_UNKNOWN: u32 = 0x00ff_ffff;

/// Where the amount stands in the head of a frame.
const UNSYNCED_AT: std::ops::Range<usize> = 13..16;

fn unsynced_field(bytes: u64) -> [u8; 3] {
    let units = u32::try_from(bytes.div_ceil(ALIGNMENT as u64)).unwrap_or(UNSYNCED_UNKNOWN);
    let [a, b, c, _] = units.min(UNSYNCED_UNKNOWN).to_le_bytes();
    [a, b, c]
}

impl FrameHeader {
    /// The head of the frame at `position` of a segment; `None` if `bytes` do not begin with one.
    pub(super) fn decode(bytes: &[u8], salt: u64, position: u64) -> Option<Self> {
        let head = bytes.get(..FRAME_HEADER_BYTES)?;
        let len = u32_at(head, 8);
        if len as usize > FRAME_PAYLOAD_MAX {
            return None;
        }
        let kind = FrameKind::from_byte(head[12])?;
        let (offset, sequence) = (u64_at(head, 32), u64_at(head, 40));
        if offset.max(sequence) > POSITION_MAX
            || u32_at(head, 0) != frame_checksum(head, salt, position)
        {
            return None;
        }
        Some(Self {
            payload_crc: u32_at(head, 4),
            len,
            kind,
            pane: PaneUuid(uuid_at(head, 16)),
            offset,
            sequence,
            time: Timestamp(u64_at(head, 48)),
            unsynced: match u32::from_le_bytes([head[13], head[14], head[15], 0]) {
                UNSYNCED_UNKNOWN => None,
                units => Some(u64::from(units) * ALIGNMENT as u64),
            },
        })
    }

    /// Length of the whole frame in the file.
    pub(super) fn frame_len(&self) -> usize {
        frame_len(self.len as usize)
    }
}

/// Length in the file of a frame with a payload of `payload_len` bytes.
pub(super) fn frame_len(payload_len: usize) -> usize {
    (FRAME_HEADER_BYTES + payload_len).next_multiple_of(ALIGNMENT)
}

/// Appends the frame to `out`, as it will stand at `position` of a segment with `salt`, behind so many
/// bytes that are not known to be synced.
pub(super) fn encode_frame(
    out: &mut Vec<u8>,
    frame: &FrameRef<'_>,
    sequence: u64,
    salt: u64,
    position: u64,
    unsynced: u64,
) {
    let fields = Fields::<FRAME_HEADER_BYTES>::new()
        .u32(4, crc32c::crc32c(frame.payload))
        .u32(8, frame.payload.len() as u32)
        .put(12, &[frame.kind.to_byte()])
        .put(UNSYNCED_AT.start, &unsynced_field(unsynced))
        .put(16, frame.pane.0.as_bytes())
        .u64(32, frame.offset)
        .u64(40, sequence)
        .u64(48, frame.time.0);
    let crc = frame_checksum(&fields.0, salt, position);
    let head = fields.u32(0, crc).0;
    let start = out.len();
    out.extend_from_slice(&head);
    out.extend_from_slice(frame.payload);
    out.resize(start + frame_len(frame.payload.len()), 0);
}

/// Makes a frame that this process encoded valid at another position of another segment. Returns
/// its pane, sequence number and length.
pub(super) fn move_frame(bytes: &mut [u8], salt: u64, position: u64) -> (PaneUuid, u64, usize) {
    // What was synced before it was in another file.
    bytes[UNSYNCED_AT].copy_from_slice(&UNSYNCED_UNKNOWN.to_le_bytes()[..3]);
    let crc = frame_checksum(&bytes[..FRAME_HEADER_BYTES], salt, position);
    bytes[..4].copy_from_slice(&crc.to_le_bytes());
    let len = frame_len(u32_at(bytes, 8) as usize);
    (PaneUuid(uuid_at(bytes, 16)), u64_at(bytes, 40), len)
}

fn frame_checksum(head: &[u8], salt: u64, position: u64) -> u32 {
    let mut place = [0; 16];
    place[..8].copy_from_slice(&salt.to_le_bytes());
    place[8..].copy_from_slice(&position.to_le_bytes());
    crc32c::crc32c_append(crc32c::crc32c(&place), &head[4..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: SegmentHeader = SegmentHeader {
        version: VERSION,
        number: 7,
        store: Uuid::from_u128(1),
        salt: 2,
        predecessor: 6,
        predecessor_end: 5000,
        repeats_to: Some(4300),
        boot: Uuid::from_u128(3),
        earlier: (4, 4500),
        before: [(5, 4600), (3, 4700), (1, 4800)],
        frames_at: HEADER_BYTES,
    };

    /// A copy of the header as another version has it.
    fn copy_of(version: u32, len: usize) -> Vec<u8> {
        let mut copy = SegmentHeader { version, ..HEADER }.encode()[..len].to_vec();
        let crc = SegmentHeader::checksum(&copy);
        copy[12..16].copy_from_slice(&crc.to_le_bytes());
        copy
    }

    #[test]
    fn headers_of_every_version_are_read_from_either_copy() {
        let before = [(5, 4600), (0, 0), (0, 0)];
        let sixth = SegmentHeader { before, frames_at: 4208, ..HEADER };
        let fifth = SegmentHeader { before: Before::default(), frames_at: 4192, ..sixth };
        let fourth = SegmentHeader { repeats_to: None, ..fifth };
        let third = SegmentHeader { earlier: (0, 0), frames_at: 4176, ..fourth };
        let second = SegmentHeader { boot: Uuid::nil(), frames_at: 128, ..third };
        for (version, len, second_at, expected) in [
            (7, 144, 4096, HEADER),
            (6, 112, 4096, sixth),
            (5, 96, 4096, fifth),
            (4, 96, 4096, fourth),
            (3, 80, 4096, third),
            (2, 64, 64, second),
            (1, 64, 64, second),
        ] {
            let copy = copy_of(version, len);
            for at in [0, second_at] {
                let mut bytes = vec![0; HEADER_BYTES];
                bytes[at..at + len].copy_from_slice(&copy);
                assert_eq!(
                    SegmentHeader::decode(&bytes),
                    Ok(SegmentHeader { version, ..expected }),
                    "version {version} at {at}"
                );
            }
        }
        let newer = copy_of(8, 144);
        assert_eq!(SegmentHeader::decode(&newer), Err(HeaderError::Version(8)));
        assert_eq!(SegmentHeader::decode(&[0; HEADER_BYTES]), Err(HeaderError::Bad));
    }
}
