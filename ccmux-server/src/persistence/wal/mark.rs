//! The file `mark`: how far the log reaches, for the case that its end is gone.
//!
//! It is written in place after each record and each sync, and never synced itself: within a boot
//! of the machine it holds what was last written to it, and in a later one something older, or
//! nothing. A server writes to a file of its own, which takes the place of its predecessor's.

use std::io;
use std::path::Path;

use uuid::Uuid;

use super::segment::{u32_at, u64_at, uuid_at};
use super::{SEQ_MAX, Seq};
use crate::persistence::storage::{Storage, StorageFile, is_damage, read_file};

/// The name of the file.
pub(crate) const MARK_FILE: &str = "mark";
const NEXT_MARK: &str = "mark.tmp";

const BYTES: usize = 80;
const MAGIC: [u8; 8] = *b"ccmuxmrk";
const VERSION: u32 = 3;
const CHECKSUM_AT: usize = 12;
/// Apart from the rest, and with a checksum of its own: what a start withdraws costs no proof, should the disk take
/// half of it.
const VOUCHED_AT: usize = 64;

/// What the file says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Mark {
    /// Every record up to here was written, and is there as long as the boot lasts.
    pub(crate) written: Seq,
    /// Every record up to here was durable.
    pub(crate) durable: Seq,
    /// Every record up to here is in the log, no write or sync of it has failed, and none is running. What is
    /// found of later ones may be in memory only for ever: a failed sync forgets what it had to write, files show
    /// it all the same, and the next sync reports success.
    pub(crate) vouched: Seq,
    pub(crate) store: Uuid,
    /// The boot of the machine in which this was written; nil if it cannot be told.
    pub(crate) boot: Uuid,
}

impl Mark {
    /// The last record that must be there in this boot of the machine.
    pub(crate) fn proves(&self, boot: Uuid) -> Seq {
        if self.is_of(boot) { self.written.max(self.durable) } else { self.durable }
    }

    /// Whether the log was written in this boot of the machine.
    pub(crate) fn is_of(&self, boot: Uuid) -> bool {
        self.boot == boot && !boot.is_nil()
    }

    fn encode(&self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        bytes[0..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.written.0.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.durable.0.to_le_bytes());
        bytes[32..48].copy_from_slice(self.store.as_bytes());
        bytes[48..64].copy_from_slice(self.boot.as_bytes());
        bytes[VOUCHED_AT..].copy_from_slice(&encode_vouched(self.vouched));
        let checksum = checksum(&bytes);
        bytes[CHECKSUM_AT..CHECKSUM_AT + 4].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// What cannot be read proves nothing: a power cut may leave it so.
    fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; BYTES] = bytes.try_into().ok()?;
        let is_sound = bytes[..8] == MAGIC
            && u32_at(bytes, 8) == VERSION
            && u32_at(bytes, CHECKSUM_AT) == checksum(bytes);
        let mark = Self {
            written: Seq(u64_at(bytes, 16)),
            durable: Seq(u64_at(bytes, 24)),
            store: uuid_at(bytes, 32),
            boot: uuid_at(bytes, 48),
            vouched: decode_vouched(bytes),
        };
        (is_sound && mark.written.max(mark.durable) <= SEQ_MAX).then_some(mark)
    }
}

fn checksum(bytes: &[u8; BYTES]) -> u32 {
    let rest = &bytes[CHECKSUM_AT + 4..VOUCHED_AT];
    crc32c::crc32c_append(crc32c::crc32c(&bytes[..CHECKSUM_AT]), rest)
}

fn encode_vouched(vouched: Seq) -> [u8; BYTES - VOUCHED_AT] {
    let mut bytes = [0; BYTES - VOUCHED_AT];
    bytes[..8].copy_from_slice(&vouched.0.to_le_bytes());
    let checksum = crc32c::crc32c(&bytes[..8]);
    bytes[8..12].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

/// Nothing is vouched for where that cannot be read.
fn decode_vouched(bytes: &[u8; BYTES]) -> Seq {
    let vouched = Seq(u64_at(bytes, VOUCHED_AT));
    if bytes[VOUCHED_AT..] == encode_vouched(vouched) { vouched } else { Seq(0) }
}

/// Reads the file, if there is one and it is good.
///
/// # Errors
/// Only what says nothing about the file.
pub(crate) fn read_mark(storage: &dyn Storage) -> io::Result<Option<Mark>> {
    match read_file(storage, Path::new(MARK_FILE), BYTES as u64) {
        Ok(bytes) => Ok(Mark::decode(&bytes)),
        Err(error) if is_damage(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Vouches for nothing any more, before files of an earlier server are synced: should that fail, and this start
/// be cut short, the next one must not take its own sync of them for a proof.
pub(crate) fn withdraw(storage: &dyn Storage) -> io::Result<()> {
    let file = storage.open(Path::new(MARK_FILE))?;
    file.write_at(VOUCHED_AT as u64, &encode_vouched(Seq(0)))
}

/// Keeps the file. A disk that does not take it does without: less is proven then.
#[derive(Debug)]
pub(super) enum Marker {
    /// What an earlier server left still stands.
    Earlier,
    Own {
        file: Box<dyn StorageFile>,
        last: Mark,
    },
    Off,
}

impl Marker {
    /// Whether this server has written one.
    pub(super) fn is_own(&self) -> bool {
        matches!(self, Self::Own { .. })
    }

    /// Writes what holds from now on.
    pub(super) fn set(&mut self, storage: &dyn Storage, mark: Mark) {
        let set = match self {
            Self::Off => return,
            Self::Own { last, .. } if *last == mark => return,
            Self::Own { file, last } => {
                *last = mark;
                file.write_at(0, &mark.encode())
            }
            Self::Earlier => begin(storage, &mark).map(|file| {
                *self = Self::Own { file, last: mark };
            }),
        };
        if let Err(error) = set {
            tracing::warn!(%error, "how far the log reaches is not noted any more");
            // It could say more than holds after this.
            if self.is_own() {
                let _best_effort = storage.remove(Path::new(MARK_FILE));
            }
            *self = Self::Off;
        }
    }
}

fn begin(storage: &dyn Storage, mark: &Mark) -> io::Result<Box<dyn StorageFile>> {
    match storage.remove(Path::new(NEXT_MARK)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = storage.create(Path::new(NEXT_MARK))?;
    file.write_at(0, &mark.encode())?;
    storage.rename(Path::new(NEXT_MARK), Path::new(MARK_FILE))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persistence::sim::{CallKind, Fault, SimStorage};

    const BOOT: Uuid = Uuid::from_u128(2);
    const MARK: Mark = Mark {
        written: Seq(9),
        durable: Seq(7),
        vouched: Seq(8),
        store: Uuid::from_u128(1),
        boot: BOOT,
    };

    #[test]
    fn it_reads_as_written_and_damaged_it_proves_nothing() {
        let storage = SimStorage::new(0);
        assert_eq!(read_mark(&storage).unwrap(), None);
        let mut marker = Marker::Earlier;
        for mark in [MARK, Mark { written: Seq(10), ..MARK }] {
            marker.set(&storage, mark);
            assert_eq!(read_mark(&storage).unwrap(), Some(mark));
        }
        let vouches_for_nothing = Mark { written: Seq(10), vouched: Seq(0), ..MARK };
        for bit in 0..BYTES as u64 * 8 {
            storage.flip_bit(Path::new(MARK_FILE), bit);
            let proves = (bit >= VOUCHED_AT as u64 * 8).then_some(vouches_for_nothing);
            assert_eq!(read_mark(&storage).unwrap(), proves, "bit {bit}");
            storage.flip_bit(Path::new(MARK_FILE), bit);
        }
        storage.damage(Path::new(MARK_FILE), Vec::clear);
        assert_eq!(read_mark(&storage).unwrap(), None);
    }

    /// What a start takes back costs no proof, whatever the disk does with it.
    #[test]
    fn one_that_is_withdrawn_proves_as_much() {
        for way in 0..20 {
            let storage = SimStorage::new(way);
            Marker::Earlier.set(&storage, MARK);
            storage.fail(CallKind::Write, 1, way % 2, Fault::Io);
            let is_withdrawn = withdraw(&storage).is_ok();
            let found = read_mark(&storage).unwrap().expect("it can be read");
            assert_eq!(Mark { vouched: MARK.vouched, ..found }, MARK);
            assert!(found.vouched == Seq(0) || (!is_withdrawn && found == MARK), "{found:?}");
        }
    }

    #[test]
    fn what_was_only_written_counts_in_the_same_boot_alone() {
        assert_eq!(MARK.proves(BOOT), Seq(9));
        assert_eq!(MARK.proves(Uuid::from_u128(3)), Seq(7));
        let unknown = Mark { boot: Uuid::nil(), ..MARK };
        assert_eq!(unknown.proves(Uuid::nil()), Seq(7));
    }

    /// What could not be taken back would be missed by the next start.
    #[test]
    fn one_that_cannot_be_written_over_goes() {
        let storage = SimStorage::new(0);
        let mut marker = Marker::Earlier;
        marker.set(&storage, MARK);
        storage.fail(CallKind::Write, 1, 1, Fault::Io);
        marker.set(&storage, Mark { written: Seq(7), ..MARK });
        assert_eq!(read_mark(&storage).unwrap(), None);
    }
}
