//! The bytes of a segment: its header, the frames of its records, and reading them back.
//!
//! Pure: a segment is read as one slice, because it is small. Every length is checked before it is
//! used (P7). Drawn byte by byte in `docs/persistence-format.md`.

#[cfg(test)]
mod tests;

use std::ops::Range;

use uuid::Uuid;

use super::{SEQ_MAX, Seq};

/// The size segments are preallocated to, and after which the next one is begun.
pub(crate) const SEGMENT_BYTES: u64 = 1 << 20;
/// The size no segment reaches: the next one can usually be begun long before.
pub(crate) const SEGMENT_BYTES_MAX: u64 = 64 << 20;
/// The largest payload of a record.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 16 << 20;

/// Length of what precedes the first record.
pub(crate) const HEADER_BYTES: usize = SECOND_COPY_AT + COPY_BYTES;
/// Where the second copy of the header stands: not in the sector, page or block of the first.
pub(crate) const SECOND_COPY_AT: usize = 4096;
/// Length of a copy. In version 1 there is one, and records follow it at once.
pub(crate) const COPY_BYTES: usize = 80;
pub(crate) const RECORD_HEADER_BYTES: usize = 24;

const MAGIC: [u8; 8] = *b"ccmuxwal";
const VERSION: u32 = 2;
/// In this version there is one copy of the header.
const VERSION_WITH_ONE_COPY: u32 = 1;
/// The value of [`SegmentHeader::follows`] on disk that stands for none.
const FOLLOWS_A_CHECKPOINT: Seq = Seq(u64::MAX);
/// The header's checksum stands here in every version, so that a newer one can be believed.
const CHECKSUM_AT: usize = 72;

/// What a segment says about itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SegmentHeader {
    /// Repeated in every record: bytes of another file or another life of this one do not match.
    pub(crate) salt: u32,
    /// The number of its first record.
    pub(crate) first: Seq,
    /// The record whose state its first record builds on: the number before `first`, or a lower one
    /// if a recovery voided what lies between. None if only a checkpoint knows what came before.
    pub(crate) follows: Option<Seq>,
    /// Everything up to here was synced when the segment was begun: if it is gone, that is damage.
    pub(crate) synced_through: Seq,
    pub(crate) store: Uuid,
    /// The boot of the machine in which all records of the segment were written.
    pub(crate) boot: Uuid,
    /// Where its first record begins: at [`HEADER_BYTES`], but for an older version.
    pub(crate) records_at: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum HeaderError {
    /// Too short, torn, or damaged.
    Bad,
    /// Sound, but of a version this code does not read.
    Version(u32),
}

impl SegmentHeader {
    /// Both copies, and what lies between them.
    pub(crate) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[0..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.salt.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.first.0.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.synced_through.0.to_le_bytes());
        let follows = self.follows.unwrap_or(FOLLOWS_A_CHECKPOINT);
        bytes[32..40].copy_from_slice(&follows.0.to_le_bytes());
        bytes[40..56].copy_from_slice(self.store.as_bytes());
        bytes[56..72].copy_from_slice(self.boot.as_bytes());
        let checksum = crc32c::crc32c(&bytes[..CHECKSUM_AT]);
        bytes[CHECKSUM_AT..CHECKSUM_AT + 4].copy_from_slice(&checksum.to_le_bytes());
        bytes.copy_within(..COPY_BYTES, SECOND_COPY_AT);
        bytes
    }

    /// Reads the header at the beginning of a segment: the first copy, or for want of that the second.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, HeaderError> {
        let second = || {
            let copy = Self::decode_copy(bytes.get(SECOND_COPY_AT..).unwrap_or_default())?;
            if copy.records_at == HEADER_BYTES { Ok(copy) } else { Err(HeaderError::Bad) }
        };
        match Self::decode_copy(bytes) {
            Err(HeaderError::Bad) => second(),
            header => header,
        }
    }

    fn decode_copy(bytes: &[u8]) -> Result<Self, HeaderError> {
        let bytes: &[u8; COPY_BYTES] = bytes.first_chunk().ok_or(HeaderError::Bad)?;
        let checksum = crc32c::crc32c(&bytes[..CHECKSUM_AT]);
        if bytes[..8] != MAGIC || u32_at(bytes, CHECKSUM_AT) != checksum {
            return Err(HeaderError::Bad);
        }
        let records_at = match u32_at(bytes, 8) {
            VERSION => HEADER_BYTES,
            VERSION_WITH_ONE_COPY => COPY_BYTES,
            other => return Err(HeaderError::Version(other)),
        };
        let header = Self {
            salt: u32_at(bytes, 12),
            first: Seq(u64_at(bytes, 16)),
            synced_through: Seq(u64_at(bytes, 24)),
            follows: Some(Seq(u64_at(bytes, 32))).filter(|seq| *seq != FOLLOWS_A_CHECKPOINT),
            store: uuid_at(bytes, 40),
            boot: uuid_at(bytes, 56),
            records_at,
        };
        let numbers = [header.first, header.synced_through, header.follows.unwrap_or_default()];
        if numbers.into_iter().any(|number| number > SEQ_MAX) {
            return Err(HeaderError::Bad);
        }
        Ok(header)
    }

    /// Where in the file `bytes` a copy of this header is damaged, if one is.
    pub(crate) fn damaged_copy(&self, bytes: &[u8]) -> Option<usize> {
        let copies = if self.records_at == HEADER_BYTES { &[0, SECOND_COPY_AT][..] } else { &[0] };
        let is_bad =
            |at: &&usize| Self::decode_copy(bytes.get(**at..).unwrap_or_default()) != Ok(*self);
        copies.iter().find(is_bad).copied()
    }
}

/// A record as it is framed, without its payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Frame {
    pub(crate) seq: Seq,
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    /// How many records before this one were not known to be synced when it was written.
    pub(crate) unsynced: u16,
}

/// The value of [`Frame::unsynced`] that stands for "this many or more".
const UNSYNCED_MANY: u16 = u16::MAX;

impl Frame {
    pub(crate) fn new(seq: Seq, kind: u8, flags: u8, logged: Seq) -> Self {
        let before = seq.0.saturating_sub(1).saturating_sub(logged.0);
        let unsynced = u16::try_from(before).unwrap_or(UNSYNCED_MANY);
        Self { seq, kind, flags, unsynced }
    }

    /// The last record that was certainly synced when this one was written.
    pub(crate) fn synced_through(&self) -> Option<Seq> {
        (self.unsynced != UNSYNCED_MANY)
            .then(|| Seq((self.seq.0 - 1).saturating_sub(u64::from(self.unsynced))))
    }

    /// Appends the frame, its payload and padding up to the next multiple of eight.
    pub(crate) fn encode(&self, salt: u32, payload: &[u8], out: &mut Vec<u8>) {
        debug_assert!(payload.len() <= PAYLOAD_BYTES_MAX, "BUG: checked at append");
        let start = out.len();
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&(payload.len() as u32).to_le_bytes());
        out.extend_from_slice(&self.seq.0.to_le_bytes());
        out.push(self.kind);
        out.push(self.flags);
        out.extend_from_slice(&self.unsynced.to_le_bytes());
        out.extend_from_slice(&salt.to_le_bytes());
        out.extend_from_slice(payload);
        let checksum = crc32c::crc32c(&out[start + 4..]);
        out[start..start + 4].copy_from_slice(&checksum.to_le_bytes());
        out.resize(start + framed_bytes(payload.len()), 0);
    }
}

/// The bytes a payload takes in a segment, frame and padding included.
pub(crate) fn framed_bytes(payload_bytes: usize) -> usize {
    (RECORD_HEADER_BYTES + payload_bytes).next_multiple_of(8)
}

/// A record found in a segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Found {
    pub(crate) frame: Frame,
    /// Where its frame begins.
    pub(crate) offset: usize,
    /// Where its payload lies.
    pub(crate) payload: Range<usize>,
}

/// What a segment holds.
#[derive(Clone, Debug)]
pub(crate) struct Scan {
    /// The intact records from the first on, without a gap.
    pub(crate) records: Vec<Found>,
    /// Where they end.
    pub(crate) end: usize,
    /// Whether anything but zeros follows.
    pub(crate) has_debris: bool,
    /// Intact records behind the debris: replayed only if a checkpoint has all before them, but they
    /// witness what was there.
    pub(crate) beyond: Vec<Found>,
    /// There may be more of them: so much looks like records and is none that the search was ended.
    pub(crate) is_cut_short: bool,
}

/// While records behind debris are looked for, so many times the length of the segment may be
/// checksummed in vain. Records whose payloads are damaged cost their own length each, so once is
/// usually enough; made-up frames, each as long as the rest of the file, would cost the square.
const VAIN_LENGTHS_MAX: usize = 4;

/// Reads the records of a segment whose first is to be number `first`.
///
/// Without a header, because it is damaged, the first record's own salt is taken: a file is never
/// used twice, so that a sound record with the right number belongs.
pub(crate) fn scan(bytes: &[u8], first: Seq, header: Option<&SegmentHeader>) -> Scan {
    let mut records = Vec::new();
    let mut end = header.map_or_else(|| beginning(bytes, first), |header| header.records_at);
    let mut seq = first;
    let own_salt = || Some(u32_at(bytes.get(end..end + RECORD_HEADER_BYTES)?, 20));
    let Some(salt) = header.map(|header| header.salt).or_else(own_salt) else {
        let beyond = Vec::new();
        return Scan { records, end, has_debris: false, beyond, is_cut_short: false };
    };
    while let Some(found) = frame_at(bytes, end, salt)
        .filter(|framed| framed.found.frame.seq == seq && framed.is_intact(bytes))
        .map(|framed| framed.found)
    {
        end = found.payload.end.next_multiple_of(8);
        seq = seq.next();
        records.push(found);
    }
    let rest = bytes.get(end..).unwrap_or_default();
    let has_debris = !is_zero(rest);
    let mut search = Search { beyond: Vec::new(), vain_bytes: 0 };
    let is_cut_short = has_debris && !search.run(bytes, end, salt, seq);
    Scan { records, end, has_debris, beyond: search.beyond, is_cut_short }
}

/// Where the records of a segment without a header begin: where one of an older version has them, if there is the first
/// and not at the other place.
fn beginning(bytes: &[u8], first: Seq) -> usize {
    let is_at = |at: usize| {
        bytes.get(at..at + RECORD_HEADER_BYTES).is_some_and(|head| u64_at(head, 8) == first.0)
    };
    if is_at(COPY_BYTES) && !is_at(HEADER_BYTES) { COPY_BYTES } else { HEADER_BYTES }
}

/// The search for records behind debris.
#[derive(Debug)]
struct Search {
    beyond: Vec<Found>,
    /// How much was checksummed that was no record.
    vain_bytes: usize,
}

impl Search {
    /// Looks from `at` on for records numbered above `seq`; returns whether it came to the end.
    fn run(&mut self, bytes: &[u8], mut at: usize, salt: u32, seq: Seq) -> bool {
        while at < bytes.len() {
            if at.is_multiple_of(4096) && bytes.get(at..at + 4096).is_some_and(is_zero) {
                at += 4096;
                continue;
            }
            let framed = frame_at(bytes, at, salt).filter(|framed| framed.found.frame.seq > seq);
            let Some(framed) = framed else {
                at += 8;
                continue;
            };
            if framed.is_intact(bytes) {
                at = framed.found.payload.end.next_multiple_of(8);
                self.beyond.push(framed.found);
            } else {
                at += 8;
                self.vain_bytes += framed.found.payload.end - framed.found.offset;
                if self.vain_bytes > VAIN_LENGTHS_MAX * bytes.len() {
                    return false;
                }
            }
        }
        true
    }
}

/// Compares block by block, because most of a segment is preallocated.
fn is_zero(bytes: &[u8]) -> bool {
    static ZEROS: [u8; 4096] = [0; 4096];
    bytes.chunks(ZEROS.len()).all(|block| *block == ZEROS[..block.len()])
}

/// What has the form of a record.
struct Framed {
    found: Found,
    checksum: u32,
}

impl Framed {
    /// Whether it is one: its checksum is right.
    fn is_intact(&self, bytes: &[u8]) -> bool {
        crc32c::crc32c(&bytes[self.found.offset + 4..self.found.payload.end]) == self.checksum
    }
}

fn frame_at(bytes: &[u8], offset: usize, salt: u32) -> Option<Framed> {
    let header = bytes.get(offset..offset.checked_add(RECORD_HEADER_BYTES)?)?;
    let payload_bytes = u32_at(header, 4) as usize;
    let seq = Seq(u64_at(header, 8));
    if payload_bytes > PAYLOAD_BYTES_MAX
        || u32_at(header, 20) != salt
        || !(Seq(1)..=SEQ_MAX).contains(&seq)
    {
        return None;
    }
    let start = offset + RECORD_HEADER_BYTES;
    let payload = start..start + payload_bytes;
    if payload.end > bytes.len() {
        return None;
    }
    let unsynced = u16::from_le_bytes([header[18], header[19]]);
    let frame = Frame { seq, kind: header[16], flags: header[17], unsynced };
    Some(Framed { found: Found { frame, offset, payload }, checksum: u32_at(header, 0) })
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes were sliced"))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes were sliced"))
}

pub(super) fn uuid_at(bytes: &[u8], at: usize) -> Uuid {
    Uuid::from_bytes(bytes[at..at + 16].try_into().expect("sixteen bytes were sliced"))
}
