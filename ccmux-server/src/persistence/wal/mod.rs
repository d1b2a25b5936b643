//! Write-ahead log: an append-only sequence of checksummed, numbered records.
//!
//! Owns framing, segments, group commit and what happens when the disk fails. Knows nothing of
//! sessions: payloads are opaque (see [`super::record`]), files are reached only through
//! [`Storage`].
//!
//! ```text
//!  append ──► write at once ──► current segment          any thread, never waits for a sync
//!                                   │ fdatasync
//!  committer thread ────────────────┴──► durable, notify   one sync for all that came meanwhile
//! ```
//!
//! Invariants
//! * W1 Numbers are dense: record `n + 1` follows `n`, in the same segment or in the one named after
//!   it. Of two segments that hold a number, the one with the later name counts.
//! * W2 `durable` moves to `n` only after everything up to `n` was synced, directory entries
//!   included.
//! * W3 After a failed write or sync that file is neither written nor synced again (P8): what was
//!   not acknowledged is rewritten into a new segment.
//! * W4 A segment is removed only against a [`TrimFloor`], which only two verified checkpoints
//!   give (P5).
//! * W5 What the file `mark` calls written is in the log, what it calls durable is durable. What it vouches
//!   for, no sync has lost: it vouches only for what is synced while a sync runs, because a kill
//!   may come before a failure is noted.

mod commit;
mod log;
mod mark;
mod segment;
mod state;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use ccmux_core::model::Timestamp;

use self::log::Log;
pub(super) use self::log::{Carried, LogStart};
pub(super) use self::mark::{MARK_FILE, Mark, read_mark, withdraw};
pub(super) use self::segment::{
    Found, Frame, HeaderError, SEGMENT_BYTES, SEGMENT_BYTES_MAX, Scan, SegmentHeader, scan,
};
use super::checkpoint::{TrimFloor, VerifiedCheckpoint};
use super::record::Encoded;
use super::storage::Storage;

/// The directory of the segments.
pub(super) const WAL_DIR: &str = "wal";
/// A segment being prepared; never read.
pub(super) const NEXT_SEGMENT: &str = "wal/next.tmp";

/// The number of a record, from 1; 0 is before the first.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Debug,
    Default,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(transparent)]
pub struct Seq(pub u64);

/// No number beyond this was ever given out: a name or a record that claims more is none of ours.
pub(super) const SEQ_MAX: Seq = Seq(1 << 62);

impl Seq {
    /// The number after it.
    #[must_use]
    pub fn next(self) -> Self {
        Seq(self.0 + 1)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Called by helper threads whenever durability or health may have changed; must not block.
pub type Notifier = Arc<dyn Fn() + Send + Sync>;

/// Whether what is logged becomes durable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LogHealth {
    /// It does.
    Durable,
    /// It does not, and nothing logged since is safe; the log keeps trying.
    Degraded {
        /// The time of the last entry logged before it was noticed.
        since: Timestamp,
        /// The error.
        why: String,
    },
}

/// An entry was refused; the log is as before.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AppendError {
    /// One command can change only so much.
    #[error("the change is too large to be logged: {bytes} bytes, at most {bytes_max}")]
    TooLarge {
        /// Its size when encoded.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// It does not read back as it is, which is a bug; better found now than at the next start.
    #[error("BUG: the change cannot be stored faithfully: {why}")]
    Unfaithful {
        /// What happens to it.
        why: String,
    },
}

/// The path of the segment that begins with record `first`.
pub(super) fn segment_path(first: Seq) -> PathBuf {
    PathBuf::from(format!("{WAL_DIR}/{:020}.wal", first.0))
}

/// The first record of the segment of that file name.
pub(super) fn segment_first(name: &str) -> Option<Seq> {
    let digits = name.strip_suffix(".wal").filter(|digits| digits.len() == 20)?;
    digits.parse().ok().map(Seq).filter(|seq| *seq <= SEQ_MAX)
}

/// The log of a running server.
///
/// Dropping it ends the committer thread without a last sync, as a kill would.
#[derive(Debug)]
pub(super) struct Wal {
    log: Arc<Log>,
    committer: Option<JoinHandle<()>>,
}

impl Wal {
    /// Begins a new segment and starts the committer.
    ///
    /// A disk that does not take a segment makes a degraded log, not an error.
    pub(super) fn start(storage: Arc<dyn Storage>, start: LogStart, notify: Notifier) -> Self {
        let mut wal = Self::start_without_thread(storage, start, notify);
        let log = Arc::clone(&wal.log);
        let run = move || log.run();
        match std::thread::Builder::new().name("wal-committer".into()).spawn(run) {
            Ok(thread) => wal.committer = Some(thread),
            Err(error) => wal.log.give_up(&format!("cannot start the committer thread: {error}")),
        }
        wal
    }

    /// A log whose commits happen in [`Wal::commit_now`] alone.
    pub(super) fn start_without_thread(
        storage: Arc<dyn Storage>,
        start: LogStart,
        notify: Notifier,
    ) -> Self {
        Self { log: Arc::new(Log::start(storage, start, notify)), committer: None }
    }

    /// Does all the committer has to do, in the calling thread, without waiting for timers.
    #[cfg(any(test, feature = "test-hooks"))]
    pub(super) fn commit_now(&self) {
        self.log.commit_now();
    }

    /// Writes a record and asks for its sync, at once or soon. `now` dates what may fail.
    pub(super) fn append(&self, record: Encoded, now: Timestamp) -> Result<Seq, AppendError> {
        self.log.append(record, now)
    }

    /// Asks for a sync at once.
    pub(super) fn sync_now(&self) {
        self.log.sync_now();
    }

    /// The number of the last record appended.
    pub(super) fn issued(&self) -> Seq {
        self.log.issued()
    }

    /// The number up to which every record survives a power cut.
    pub(super) fn durable(&self) -> Seq {
        self.log.durable()
    }

    /// Waits until `seq` is durable; false if the log is degraded instead.
    pub(super) fn wait_durable(&self, seq: Seq) -> bool {
        self.log.wait_durable(seq)
    }

    pub(super) fn health(&self) -> LogHealth {
        self.log.health()
    }

    /// What checkpoints need of the log, for another thread.
    pub(super) fn trimmer(&self) -> Trimmer {
        Trimmer { log: Arc::clone(&self.log) }
    }

    /// Whether the log waits for a checkpoint: to be durable again, or after a repair.
    pub(super) fn wants_checkpoint(&self) -> bool {
        self.log.wants_checkpoint()
    }

    /// Whether there is a segment that records go to, or soon will be: false while degraded.
    pub(super) fn is_open(&self) -> bool {
        self.log.is_open()
    }
}

impl Drop for Wal {
    fn drop(&mut self) {
        self.log.stop();
        if let Some(thread) = self.committer.take() {
            // A panic of the committer was reported by its own thread.
            let _ended = thread.join();
        }
    }
}

/// Tells the log what checkpoints hold, and so what it need not.
#[derive(Clone, Debug)]
pub(super) struct Trimmer {
    log: Arc<Log>,
}

impl Trimmer {
    /// Everything up to the checkpoint is durable, whatever became of its records.
    pub(super) fn checkpointed(&self, checkpoint: &VerifiedCheckpoint) {
        self.log.checkpointed(checkpoint);
    }

    /// Removes the segments that lie wholly at or before the floor.
    pub(super) fn trim(&self, floor: &TrimFloor) {
        self.log.trim(floor);
    }
}
