//! The bytes of a segment: its header, the frames of its records, and reading them back.
//!
//! Pure: a segment is read as one slice, because it is small. Every length is checked before it is
//! used (P7). Drawn byte by byte in `docs/persistence-format.md`.

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEADER: SegmentHeader = SegmentHeader {
        salt: 0xfeed_beef,
        first: Seq(7),
        follows: Some(Seq(6)),
        synced_through: Seq(5),
        store: Uuid::from_u128(1),
        boot: Uuid::from_u128(2),
        records_at: HEADER_BYTES,
    };

    fn segment(payloads: &[&[u8]], preallocated: usize) -> Vec<u8> {
        let mut bytes = HEADER.encode().to_vec();
        for (number, payload) in payloads.iter().enumerate() {
            let frame = Frame::new(Seq(7 + number as u64), 1, 0, Seq(5));
            frame.encode(HEADER.salt, payload, &mut bytes);
        }
        bytes.resize(bytes.len().max(preallocated), 0);
        bytes
    }

    fn payloads(bytes: &[u8], found: &[Found]) -> Vec<Vec<u8>> {
        found.iter().map(|found| bytes[found.payload.clone()].to_vec()).collect()
    }

    #[test]
    fn a_segment_reads_as_written() {
        let bytes = segment(&[b"one", b"", b"three...."], 8192);
        assert_eq!(SegmentHeader::decode(&bytes), Ok(HEADER));
        let after_a_gap = SegmentHeader { follows: None, ..HEADER };
        assert_eq!(SegmentHeader::decode(&after_a_gap.encode()), Ok(after_a_gap));
        for header in [Some(&HEADER), None] {
            let scan = scan(&bytes, Seq(7), header);
            assert_eq!(payloads(&bytes, &scan.records), [&b"one"[..], b"", b"three...."]);
            assert!(!scan.has_debris && scan.beyond.is_empty());
            assert_eq!(scan.end, HEADER_BYTES + 32 + 24 + 40);
            assert_eq!(scan.records[2].frame.synced_through(), Some(Seq(5)));
        }
        let of_another = SegmentHeader { salt: 1, ..HEADER };
        assert!(scan(&bytes, Seq(7), Some(&of_another)).records.is_empty(), "another salt");
        assert!(scan(&bytes, Seq(8), Some(&HEADER)).records.is_empty(), "another number");
    }

    #[test]
    fn a_bad_record_ends_the_reading_and_later_ones_are_witnesses() {
        let mut bytes = segment(&[b"one", b"two", b"three", b"four"], 8192);
        bytes[HEADER_BYTES + 32 + 24] ^= 1;
        let scan = scan(&bytes, Seq(7), Some(&HEADER));
        assert_eq!(payloads(&bytes, &scan.records), [b"one"]);
        assert!(scan.has_debris);
        assert_eq!(payloads(&bytes, &scan.beyond), [&b"three"[..], b"four"]);
    }

    /// Every eight bytes seem to begin a record that reaches to the end of the file: each was
    /// checksummed, which costs the square of its length.
    #[test]
    fn the_work_on_made_up_frames_is_linear() {
        const LEN: usize = 1 << 20;
        let mut bytes = segment(&[b"one", b"two"], 0);
        let debris_at = bytes.len();
        // Numbers, lengths and salts lie in each other's places.
        let salt = (LEN / 2) as u32;
        bytes[HEADER_BYTES..].fill(0);
        while bytes.len() < LEN {
            bytes.extend_from_slice(&1_u32.to_le_bytes());
            bytes.extend_from_slice(&salt.to_le_bytes());
        }
        let mut search = Search { beyond: Vec::new(), vain_bytes: 0 };
        assert!(!search.run(&bytes, debris_at, salt, Seq(7)));
        assert!(search.beyond.is_empty());
        assert!((LEN..5 * LEN).contains(&search.vain_bytes), "{}", search.vain_bytes);
        let header = SegmentHeader { salt, ..HEADER };
        assert!(scan(&bytes, Seq(7), Some(&header)).is_cut_short);
    }

    /// Damaged payloads behind intact frames are what a bad disk makes: none keeps the others from
    /// being found.
    #[test]
    fn many_damaged_records_hide_no_intact_one() {
        let payload = [b'x'; 3000];
        let mut bytes = segment(&[&payload[..]; 300], 0);
        let framed = framed_bytes(payload.len());
        for record in (0..300).filter(|record| record % 10 > 0) {
            bytes[HEADER_BYTES + record * framed + 100] ^= 1;
        }
        let scan = scan(&bytes, Seq(7), Some(&HEADER));
        assert_eq!((scan.records.len(), scan.beyond.len()), (1, 29));
        assert!(!scan.is_cut_short);
    }

    #[test]
    fn headers_of_other_versions_are_told_from_damage() {
        let mut bytes = HEADER.encode();
        bytes[8] = 9;
        assert_eq!(SegmentHeader::decode(&bytes[..COPY_BYTES]), Err(HeaderError::Bad));
        reseal(&mut bytes);
        assert_eq!(SegmentHeader::decode(&bytes), Err(HeaderError::Version(9)));
        assert_eq!(SegmentHeader::decode(&bytes[..40]), Err(HeaderError::Bad));
        bytes[0] = 0;
        bytes.copy_within(..COPY_BYTES, SECOND_COPY_AT);
        assert_eq!(SegmentHeader::decode(&bytes), Err(HeaderError::Bad));
    }

    /// Makes the checksum of the first copy right.
    fn reseal(bytes: &mut [u8]) {
        let checksum = crc32c::crc32c(&bytes[..CHECKSUM_AT]);
        bytes[CHECKSUM_AT..CHECKSUM_AT + 4].copy_from_slice(&checksum.to_le_bytes());
    }

    /// A header that decayed made a record follow one that was void: that was said nowhere else.
    #[test]
    fn either_copy_of_a_header_will_do() {
        let whole = segment(&[b"one"], 8192);
        assert_eq!(HEADER.damaged_copy(&whole), None);
        for copy in [0, SECOND_COPY_AT] {
            for at in copy..copy + CHECKSUM_AT + 4 {
                let mut bytes = whole.clone();
                bytes[at] ^= 1;
                assert_eq!(SegmentHeader::decode(&bytes), Ok(HEADER), "{at}");
                assert_eq!(HEADER.damaged_copy(&bytes), Some(copy), "{at}");
            }
        }
        let mut bytes = whole;
        (bytes[20], bytes[SECOND_COPY_AT]) = (0xff, 0);
        assert_eq!(SegmentHeader::decode(&bytes), Err(HeaderError::Bad));
        assert_eq!(payloads(&bytes, &scan(&bytes, Seq(7), None).records), [b"one"]);
    }

    #[test]
    fn a_segment_of_the_first_version_reads_as_written() {
        let mut bytes = HEADER.encode()[..COPY_BYTES].to_vec();
        bytes[8] = 1;
        reseal(&mut bytes);
        // In the place of the second copy there may be anything.
        Frame::new(Seq(7), 1, 0, Seq(5)).encode(HEADER.salt, &[7; 6000], &mut bytes);
        Frame::new(Seq(8), 1, 0, Seq(5)).encode(HEADER.salt, b"two", &mut bytes);
        let header = SegmentHeader::decode(&bytes).unwrap();
        assert_eq!(header, SegmentHeader { records_at: COPY_BYTES, ..HEADER });
        assert_eq!(header.damaged_copy(&bytes), None);
        for header in [Some(&header), None] {
            let found = scan(&bytes, Seq(7), header).records;
            assert_eq!(payloads(&bytes, &found), [&[7; 6000][..], b"two"]);
        }
        bytes[0] = 0;
        assert_eq!(SegmentHeader::decode(&bytes), Err(HeaderError::Bad));
    }

    #[test]
    fn a_header_of_numbers_that_nobody_gave_out_is_damaged() {
        let most = SegmentHeader {
            first: SEQ_MAX,
            synced_through: SEQ_MAX,
            follows: Some(SEQ_MAX),
            ..HEADER
        };
        assert_eq!(SegmentHeader::decode(&most.encode()), Ok(most));
        let follows = SegmentHeader { follows: None, ..most };
        assert_eq!(SegmentHeader::decode(&follows.encode()), Ok(follows));
        let beyond = SEQ_MAX.next();
        for header in [
            SegmentHeader { first: beyond, ..most },
            SegmentHeader { synced_through: beyond, ..most },
            SegmentHeader { follows: Some(beyond), ..most },
        ] {
            assert_eq!(SegmentHeader::decode(&header.encode()), Err(HeaderError::Bad));
        }
    }

    #[test]
    fn the_count_of_unsynced_records_saturates() {
        let frame = |durable| Frame::new(Seq(100_000), 1, 0, Seq(durable));
        assert_eq!(frame(99_990).synced_through(), Some(Seq(99_990)));
        assert_eq!(frame(100_000).synced_through(), Some(Seq(99_999)));
        assert_eq!(frame(1).synced_through(), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        /// P2 and P7: whatever the damage, what is read is a prefix of what was written.
        #[test]
        fn damage_leaves_a_prefix(
            records in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 0..8),
            damage in proptest::collection::vec((any::<prop::sample::Index>(), 1u8..), 1..4),
            cut in any::<prop::sample::Index>(),
        ) {
            let records: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
            let mut bytes = segment(&records, 0);
            for (at, flip) in damage {
                let at = at.index(bytes.len());
                bytes[at] ^= flip;
            }
            let extra = cut.index(20);
            bytes.truncate(bytes.len() - extra.min(bytes.len()));
            for header in [Some(&HEADER), None] {
                let read = payloads(&bytes, &scan(&bytes, Seq(7), header).records);
                prop_assert!(read.len() <= records.len());
                prop_assert_eq!(&read[..], &records[..read.len()]);
            }
        }
    }
}
