//! Checkpoints: the whole structural state in one file, and the proof that it is on the disk.
//!
//! A checkpoint is written under another name, synced, read back and compared, renamed, and its
//! directory synced. Only then there is a [`VerifiedCheckpoint`], and nothing else makes one. The
//! log is shortened against a [`TrimFloor`] alone, which is the second-newest of them (P5): records
//! that no checkpoint holds cannot be taken for checkpointed, because no value says so.
//!
//! ```compile_fail,E0451
//! use ccmux_server::persistence::{Seq, checkpoint::VerifiedCheckpoint};
//! // There is no other way to claim that a checkpoint exists.
//! let claim = VerifiedCheckpoint { seq: Seq(1), is_empty: false };
//! ```

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ccmux_core::InvariantViolation;
use ccmux_core::ids::PaneId;
use ccmux_core::model::{State, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::record::{DecodeError, StoredState, to_json};
use super::storage::{Storage, StorageFile, create_dir_durably, read_file, read_whole};
use super::wal::{SEQ_MAX, Seq};

pub(super) const CHECKPOINT_DIR: &str = "checkpoints";
const NEXT_CHECKPOINT: &str = "checkpoints/next.tmp";

/// How many verified checkpoints are kept.
const KEPT: usize = 3;
/// The largest checkpoint that is written or believed.
const BYTES_MAX: u64 = 256 << 20;

const HEADER_BYTES: usize = 56;
const MAGIC: [u8; 8] = *b"ccmuxckp";
const VERSION: u32 = 1;
/// The header's checksum stands here in every version.
const CHECKSUM_AT: usize = 52;

/// A checkpoint that was read back from the disk after it was synced, under its final name.
#[derive(Debug)]
pub struct VerifiedCheckpoint {
    seq: Seq,
    is_empty: bool,
}

impl VerifiedCheckpoint {
    /// The last record whose changes it holds.
    pub fn seq(&self) -> Seq {
        self.seq
    }
}

/// The second-newest verified checkpoint, or what is as good: what lies before it may go.
#[derive(Debug)]
pub struct TrimFloor {
    seq: Seq,
}

impl TrimFloor {
    /// The last record that two verified checkpoints hold, or that is repeated elsewhere.
    pub fn seq(&self) -> Seq {
        self.seq
    }
}

/// A checkpoint that recovery could read: good, but nothing proves that it is durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct GoodCheckpoint {
    pub(super) seq: Seq,
    pub(super) is_empty: bool,
}

/// What a checkpoint holds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Snapshot {
    /// The last record whose changes the state has.
    pub(super) seq: Seq,
    pub(super) time: Timestamp,
    pub(super) state: State,
    /// Why there is no session, if there is none but was one before.
    pub(super) emptied_by: Option<EmptiedBy>,
    /// The server was asked to end, and what a shutdown ended has not all been looked at since.
    pub(super) is_terminating: bool,
    /// A pane with a smaller number that the state does not know was closed, any other was not. None
    /// if all were, whatever their number.
    pub(super) closed_below: Option<PaneId>,
}

/// What closed the last session.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct EmptiedBy {
    pub(super) seq: Seq,
    pub(super) actor: String,
    pub(super) cause: String,
}

/// No checkpoint was made; what there was before still stands.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file could not be written or made durable.
    #[error("cannot {action} the checkpoint: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// The file does not hold what was written to it, or not in a form that can be read.
    #[error("the checkpoint does not read back as it was written")]
    NotReadBack,
    /// It is too large.
    #[error("the checkpoint is too large: {bytes} bytes, at most {bytes_max}")]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The limit.
        bytes_max: u64,
    },
    /// There were sessions, now there are none, and no record says why.
    #[error("refusing to replace sessions by an empty state without a recorded reason")]
    EmptyWithoutReason,
}

/// A file that is no checkpoint to be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadCheckpoint {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("its header is torn or damaged")]
    Header,
    #[error("its format is version {0}, and only version {VERSION} is known")]
    Version(u32),
    #[error("its contents are torn or damaged")]
    Contents,
    #[error("its contents cannot be read: {0}")]
    Decode(#[from] DecodeError),
    #[error("its state does not hold together: {0}")]
    Inconsistent(#[from] InvariantViolation),
    #[error("it belongs to another store")]
    OtherStore,
    #[error("it is not the one its name says")]
    OtherName,
    #[error("it is empty and does not say why")]
    EmptyWithoutReason,
}

/// The checkpoints of a store that are known to be good.
#[derive(Debug)]
pub(super) struct CheckpointStore {
    storage: Arc<dyn Storage>,
    store: Uuid,
    /// Newest first.
    verified: Vec<VerifiedCheckpoint>,
}

impl CheckpointStore {
    /// Verifies the checkpoints that recovery found good: what was read may have been in memory
    /// only, if the server was killed before it had synced it.
    pub(super) fn open(storage: Arc<dyn Storage>, store: Uuid, good: &[GoodCheckpoint]) -> Self {
        let mut verified: Vec<VerifiedCheckpoint> =
            good.iter().filter_map(|good| reverify(&*storage, store, *good)).collect();
        verified.sort_by_key(|checkpoint| std::cmp::Reverse(checkpoint.seq));
        if storage.sync_dir(Path::new(CHECKPOINT_DIR)).is_err() {
            verified.clear();
        }
        Self { storage, store, verified }
    }

    pub(super) fn newest(&self) -> Option<&VerifiedCheckpoint> {
        self.verified.first()
    }

    /// The point before which the log is not needed, once there are two verified checkpoints.
    pub(super) fn trim_floor(&self) -> Option<TrimFloor> {
        self.verified.get(1).map(|second| TrimFloor { seq: second.seq })
    }

    /// The newest checkpoint, before which the log is not needed where all that followed the one
    /// before it is repeated behind the newest.
    pub(super) fn repeated_floor(&self) -> Option<TrimFloor> {
        self.newest().map(|newest| TrimFloor { seq: newest.seq })
    }

    /// Writes a checkpoint and proves it; older ones than the newest three go.
    pub(super) fn write(
        &mut self,
        snapshot: &Snapshot,
    ) -> Result<&VerifiedCheckpoint, CheckpointError> {
        debug_assert_eq!(snapshot.state.check(), Ok(()), "BUG: an inconsistent state");
        let is_empty = snapshot.state.sessions.is_empty();
        let had_sessions = self.newest().is_some_and(|newest| !newest.is_empty);
        if is_empty && had_sessions && snapshot.emptied_by.is_none() {
            return Err(CheckpointError::EmptyWithoutReason);
        }
        let bytes = encode(snapshot, self.store);
        if bytes.len() as u64 > BYTES_MAX {
            let (bytes, bytes_max) = (bytes.len() as u64, BYTES_MAX);
            return Err(CheckpointError::TooLarge { bytes, bytes_max });
        }
        self.write_durably(&bytes, snapshot)?;
        self.verified.retain(|checkpoint| checkpoint.seq != snapshot.seq);
        let at = self.verified.partition_point(|checkpoint| checkpoint.seq > snapshot.seq);
        self.verified.insert(at, VerifiedCheckpoint { seq: snapshot.seq, is_empty });
        for old in self.verified.split_off(self.verified.len().min(KEPT)) {
            if let Err(error) = self.storage.remove(&checkpoint_path(old.seq)) {
                tracing::warn!(seq = %old.seq, %error, "an old checkpoint could not be removed");
            }
        }
        Ok(&self.verified[at])
    }

    fn write_durably(&self, bytes: &[u8], snapshot: &Snapshot) -> Result<(), CheckpointError> {
        let failed = |action| move |source| CheckpointError::Io { action, source };
        // It is missing if the disk failed when the store was opened.
        create_dir_durably(&*self.storage, Path::new(CHECKPOINT_DIR))
            .map_err(failed("create the directory of"))?;
        let temporary = Path::new(NEXT_CHECKPOINT);
        match self.storage.remove(temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed("replace")(error));
            }
            _ => {}
        }
        let file = self.storage.create(temporary).map_err(failed("create"))?;
        file.write_at(0, bytes).map_err(failed("write"))?;
        file.sync().map_err(failed("sync"))?;
        file.forget_cached();
        let found = read_whole(&*file, BYTES_MAX).map_err(failed("read back"))?;
        // Equal bytes prove the disk, an equal snapshot proves the encoding.
        let is_same =
            found == bytes && decode(&found, self.store).is_ok_and(|read| read == *snapshot);
        if !is_same {
            return Err(CheckpointError::NotReadBack);
        }
        let path = checkpoint_path(snapshot.seq);
        self.storage.rename(temporary, &path).map_err(failed("rename"))?;
        self.storage.sync_dir(Path::new(CHECKPOINT_DIR)).map_err(failed("sync the directory of"))
    }
}

/// Reads the checkpoint of that number, as recovery does: what it says may not be durable.
pub(super) fn read(storage: &dyn Storage, seq: Seq) -> Result<(Snapshot, Uuid), BadCheckpoint> {
    let bytes = read_file(storage, &checkpoint_path(seq), BYTES_MAX)?;
    let store = decode_header(&bytes)?.store;
    let snapshot = decode(&bytes, store)?;
    if snapshot.seq != seq {
        return Err(BadCheckpoint::OtherName);
    }
    Ok((snapshot, store))
}

/// The JSON of a checkpoint whose contents are good, as it is.
pub(super) fn payload_of(storage: &dyn Storage, seq: Seq) -> io::Result<Vec<u8>> {
    let mut bytes = read_whole(&*storage.open(&checkpoint_path(seq))?, BYTES_MAX)?;
    Ok(bytes.split_off(HEADER_BYTES.min(bytes.len())))
}

/// The checksum is enough here: recovery has understood the contents already.
fn reverify(
    storage: &dyn Storage,
    store: Uuid,
    good: GoodCheckpoint,
) -> Option<VerifiedCheckpoint> {
    let GoodCheckpoint { seq, is_empty } = good;
    let verify = || -> Result<Seq, BadCheckpoint> {
        let file: Box<dyn StorageFile> = storage.open(&checkpoint_path(seq))?;
        file.sync()?;
        file.forget_cached();
        let bytes = read_whole(&*file, BYTES_MAX)?;
        Ok(check(&bytes, store)?.0.seq)
    };
    match verify() {
        Ok(found) if found == seq => Some(VerifiedCheckpoint { seq, is_empty }),
        Ok(_) => None,
        Err(error) => {
            tracing::warn!(%seq, %error, "a checkpoint could not be verified");
            None
        }
    }
}

pub(super) fn checkpoint_path(seq: Seq) -> PathBuf {
    PathBuf::from(format!("{CHECKPOINT_DIR}/{:020}.ckpt", seq.0))
}

/// The number in a checkpoint's file name.
pub(super) fn checkpoint_seq(name: &str) -> Option<Seq> {
    let digits = name.strip_suffix(".ckpt").filter(|digits| digits.len() == 20)?;
    digits.parse().ok().map(Seq).filter(|seq| *seq <= SEQ_MAX)
}

#[derive(Serialize, Deserialize)]
struct Payload {
    time: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    emptied_by: Option<EmptiedBy>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    terminating: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closed_below: Option<u32>,
    state: StoredState,
}

fn encode(snapshot: &Snapshot, store: Uuid) -> Vec<u8> {
    let payload = to_json(&Payload {
        time: snapshot.time.0,
        emptied_by: snapshot.emptied_by.clone(),
        terminating: snapshot.is_terminating,
        closed_below: snapshot.closed_below.map(|id| id.0),
        state: StoredState::new(&snapshot.state),
    });
    let mut bytes = Vec::with_capacity(HEADER_BYTES + payload.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&crc32c::crc32c(&payload).to_le_bytes());
    bytes.extend_from_slice(&snapshot.seq.0.to_le_bytes());
    bytes.extend_from_slice(&(payload.len() as u64).to_le_bytes());
    bytes.extend_from_slice(store.as_bytes());
    bytes.extend_from_slice(&[0; 4]);
    let checksum = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes.extend_from_slice(&payload);
    bytes
}

struct Header {
    payload_crc: u32,
    seq: Seq,
    payload_bytes: u64,
    store: Uuid,
}

fn decode_header(bytes: &[u8]) -> Result<Header, BadCheckpoint> {
    let header: &[u8; HEADER_BYTES] = bytes.first_chunk().ok_or(BadCheckpoint::Header)?;
    let u32_at = |at: usize| {
        u32::from_le_bytes(header[at..at + 4].try_into().expect("four bytes were sliced"))
    };
    let u64_at = |at: usize| {
        u64::from_le_bytes(header[at..at + 8].try_into().expect("eight bytes were sliced"))
    };
    if header[..8] != MAGIC || u32_at(CHECKSUM_AT) != crc32c::crc32c(&header[..CHECKSUM_AT]) {
        return Err(BadCheckpoint::Header);
    }
    if u32_at(8) != VERSION {
        return Err(BadCheckpoint::Version(u32_at(8)));
    }
    Ok(Header {
        payload_crc: u32_at(12),
        seq: Seq(u64_at(16)),
        payload_bytes: u64_at(24),
        store: Uuid::from_bytes(header[32..48].try_into().expect("sixteen bytes were sliced")),
    })
}

/// Checks everything but the meaning of the payload, and returns it.
fn check(bytes: &[u8], store: Uuid) -> Result<(Header, &[u8]), BadCheckpoint> {
    let header = decode_header(bytes)?;
    if header.store != store {
        return Err(BadCheckpoint::OtherStore);
    }
    let payload = &bytes[HEADER_BYTES..];
    if header.payload_bytes != payload.len() as u64 || header.payload_crc != crc32c::crc32c(payload)
    {
        return Err(BadCheckpoint::Contents);
    }
    Ok((header, payload))
}

fn decode(bytes: &[u8], store: Uuid) -> Result<Snapshot, BadCheckpoint> {
    let (header, payload) = check(bytes, store)?;
    let read: Payload = serde_json::from_slice(payload).map_err(DecodeError::from)?;
    let state = read.state.into_state()?;
    state.check()?;
    Ok(Snapshot {
        seq: header.seq,
        time: Timestamp(read.time),
        state,
        emptied_by: read.emptied_by,
        is_terminating: read.terminating,
        closed_below: read.closed_below.map(PaneId),
    })
}

/// Reads a checkpoint of any store and writes it again, which must give the same; false if it is none.
#[cfg(any(test, feature = "test-hooks"))]
pub(super) fn reencode(bytes: &[u8]) -> bool {
    let store = decode_header(bytes).map(|header| header.store);
    let Ok((store, snapshot)) = store.and_then(|store| Ok((store, decode(bytes, store)?))) else {
        return false;
    };
    let again = decode(&encode(&snapshot, store), store);
    assert!(again.is_ok_and(|again| again == snapshot), "a checkpoint reads differently");
    true
}
