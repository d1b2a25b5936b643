//! What is written is read, and what is damaged is told from it.

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
    let most =
        SegmentHeader { first: SEQ_MAX, synced_through: SEQ_MAX, follows: Some(SEQ_MAX), ..HEADER };
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
