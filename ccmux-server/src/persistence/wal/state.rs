//! The state of the log, and how it changes when the disk fails and comes back.
//!
//! ```text
//!            a write or sync fails            the rewrite fails
//!   Sound ─────────────────────────► Failed ────────────────────► Degraded ◄──┐
//!     ▲                                │ rewrite into a new segment   │ retry │ fails
//!     ├──────── synced ── Repaired ◄───┘                              ▼       │
//!     └──────── a verified checkpoint covers what was not logged ── Reopened ─┘
//! ```

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use ccmux_core::model::Timestamp;

use super::Seq;
use super::log::Log;
use super::mark::Marker;
use super::segment::{Frame, HEADER_BYTES, SEGMENT_BYTES_MAX, SegmentHeader};
use crate::persistence::record::Encoded;
use crate::persistence::storage::StorageFile;

/// How long a soft record may wait for its sync.
const SOFT_DELAY: Duration = Duration::from_secs(1);
pub(super) const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(30);

/// What the appending thread and the committer share.
#[derive(Debug)]
pub(super) struct LogState {
    /// The last number given out.
    pub(super) issued: Seq,
    /// Everything up to here survives a power cut; acknowledged.
    pub(super) durable: Seq,
    /// The last record that was synced as such, with all before it: records behind some that are only in
    /// memory prove nothing of those. A checkpoint moves `durable` alone.
    pub(super) logged: Seq,
    /// What is written but not durable, to be written again if the disk fails.
    pub(super) unacknowledged: VecDeque<Unacknowledged>,
    /// Where appends go; none while the disk fails.
    pub(super) current: Option<Segment>,
    /// The segment before the current one, while it has bytes to sync.
    pub(super) retired: Option<Arc<dyn StorageFile>>,
    pub(super) is_dir_dirty: bool,
    /// A sync runs, and nobody knows yet whether it fails.
    pub(super) is_syncing: bool,
    pub(super) demand: Demand,
    pub(super) is_retry_due: bool,
    pub(super) standing: Standing,
    pub(super) wants_checkpoint: bool,
    /// The segments, and perhaps names that a rename which failed has taken all the same.
    pub(super) segments: BTreeSet<Seq>,
    /// The last of them that certainly has its name.
    pub(super) newest: Option<Seq>,
    /// The last of them that this process synced, its name included.
    pub(super) settled: Option<Seq>,
    /// The record that the first one of a segment begun after a gap builds on; none if records
    /// were issued that no segment holds.
    pub(super) bridge: Option<Seq>,
    /// The record before the first one of the segment that was last begun after a gap.
    pub(super) bridge_to: Seq,
    /// What tells a later start how far the log reached.
    pub(super) marker: Marker,
    /// How many segments were begun, for their salts.
    pub(super) begun: u64,
    /// The time of the last append: the log has no clock.
    pub(super) now: Timestamp,
    pub(super) is_stopping: bool,
    pub(super) scratch: Vec<u8>,
}

/// A record that may have to be written again.
#[derive(Clone, Debug)]
pub(super) struct Unacknowledged {
    pub(super) seq: Seq,
    pub(super) record: Arc<Encoded>,
}

/// The segment being written.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) file: Arc<dyn StorageFile>,
    pub(super) salt: u32,
    pub(super) end: u64,
    /// The length at which the next segment is to be begun.
    pub(super) rotate_at: u64,
}

/// When a sync is wanted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Demand {
    None,
    Soon,
    Now,
}

/// How the log stands with the disk.
#[derive(Clone, Debug)]
pub(super) enum Standing {
    /// What is written is synced and acknowledged.
    Sound,
    /// A write or a sync failed: what was not acknowledged is to be rewritten into a new segment.
    Failed { why: String },
    /// It was rewritten, but not all of that is synced yet. A failure now degrades.
    Repaired { why: String },
    /// There is no segment to write to. What is logged is lost unless a checkpoint comes to hold it.
    Degraded { since: Timestamp, why: String, retry: Duration },
    /// There is a segment again, synced through `synced`; nothing is acknowledged before a
    /// checkpoint holds everything through `needs`.
    Reopened { since: Timestamp, why: String, retry: Duration, needs: Seq, synced: Seq },
}

/// What the committer does next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Job {
    Sync,
    Rotate,
    Repair,
    Reopen,
    Wait(Option<Duration>),
    Stop,
}

impl LogState {
    /// What is to be done now.
    pub(super) fn next_job(&self) -> Job {
        if self.is_stopping {
            return Job::Stop;
        }
        match &self.standing {
            Standing::Failed { .. } => Job::Repair,
            Standing::Degraded { .. } if self.is_retry_due => Job::Reopen,
            Standing::Degraded { retry, .. } => Job::Wait(Some(*retry)),
            Standing::Sound | Standing::Repaired { .. } | Standing::Reopened { .. } => {
                let is_full =
                    self.current.as_ref().is_some_and(|current| current.end >= current.rotate_at);
                match self.demand {
                    _ if is_full && self.retired.is_none() => Job::Rotate,
                    Demand::Now => Job::Sync,
                    Demand::Soon => Job::Wait(Some(SOFT_DELAY)),
                    Demand::None => Job::Wait(None),
                }
            }
        }
    }

    /// The time the committer was waiting for has come.
    pub(super) fn time_is_up(&mut self) {
        if self.demand == Demand::Soon {
            self.demand = Demand::Now;
        }
        self.is_retry_due = true;
    }

    /// Appends records to the current segment.
    pub(super) fn write(&mut self, entries: &[Unacknowledged]) -> io::Result<()> {
        let Some(current) = &mut self.current else { return Ok(()) };
        current.write(entries, self.logged, &mut self.scratch)
    }

    /// Writes the header of a new segment; returns its salt.
    pub(super) fn begin(
        &mut self,
        file: &Arc<dyn StorageFile>,
        first: Seq,
        follows: Option<Seq>,
        log: &Log,
    ) -> io::Result<u32> {
        self.begun += 1;
        let mut salt = crc32c::crc32c(&log.entropy);
        salt = crc32c::crc32c_append(salt, &first.0.to_le_bytes());
        salt = crc32c::crc32c_append(salt, &self.begun.to_le_bytes());
        let (store, boot, synced_through) = (log.store, log.boot, self.logged);
        let records_at = HEADER_BYTES;
        let header =
            SegmentHeader { salt, first, follows, synced_through, store, boot, records_at };
        file.write_at(0, &header.encode())?;
        Ok(salt)
    }

    /// Everything up to `target` was synced.
    pub(super) fn synced(&mut self, target: Seq) {
        match &mut self.standing {
            Standing::Reopened { needs, synced, .. } => {
                *synced = target;
                if self.durable >= *needs {
                    // Nothing was missed: the log was only begun.
                    self.standing = Standing::Sound;
                    self.logged = target;
                    self.acknowledge(target);
                } else {
                    // Safe where it is, once a checkpoint holds what lies before.
                    self.forget(target);
                }
            }
            Standing::Repaired { why } => {
                tracing::warn!(%why, "the log failed and went on in a new segment");
                self.standing = Standing::Sound;
                self.logged = target;
                self.acknowledge(target);
            }
            Standing::Sound | Standing::Failed { .. } => {
                self.logged = target;
                self.acknowledge(target);
            }
            Standing::Degraded { .. } => {}
        }
    }

    /// Whether every record given out is in the log.
    pub(super) fn is_whole(&self) -> bool {
        self.current.is_some()
            && matches!(self.standing, Standing::Sound | Standing::Repaired { .. })
    }

    /// Everything up to `seq` is durable.
    pub(super) fn acknowledge(&mut self, seq: Seq) {
        self.durable = self.durable.max(seq);
        self.forget(self.durable);
    }

    /// Drops the records up to `seq` that were kept to be rewritten.
    pub(super) fn forget(&mut self, seq: Seq) {
        while self.unacknowledged.front().is_some_and(|entry| entry.seq <= seq) {
            self.unacknowledged.pop_front();
        }
    }

    /// A write or a sync failed: no more of either on these files.
    pub(super) fn fail(&mut self, why: &str) {
        match &self.standing {
            Standing::Sound | Standing::Failed { .. } => {
                self.standing = Standing::Failed { why: why.to_owned() };
                self.current = None;
                self.retired = None;
                self.demand = Demand::Now;
            }
            Standing::Repaired { .. } | Standing::Degraded { .. } | Standing::Reopened { .. } => {
                self.degrade(why);
            }
        }
    }

    /// Gives up for now: nothing more is durable until a checkpoint is.
    pub(super) fn degrade(&mut self, why: &str) {
        tracing::error!(why, "changes are not durable any more");
        let (since, retry) = match &self.standing {
            Standing::Degraded { since, retry, .. } | Standing::Reopened { since, retry, .. } => {
                (*since, next_retry(*retry))
            }
            Standing::Sound | Standing::Failed { .. } | Standing::Repaired { .. } => {
                (self.now, RETRY_FIRST)
            }
        };
        self.bridge = match &self.standing {
            _ if !self.unacknowledged.is_empty() => None,
            Standing::Degraded { .. } => self.bridge,
            Standing::Reopened { needs, .. } if self.issued == *needs => self.bridge,
            Standing::Reopened { .. } => self.bridge.map(|_| self.issued),
            _ if self.issued == self.bridge_to => self.bridge,
            Standing::Sound | Standing::Failed { .. } | Standing::Repaired { .. } => {
                Some(self.issued)
            }
        };
        self.standing = Standing::Degraded { since, why: why.to_owned(), retry };
        self.current = None;
        self.retired = None;
        self.unacknowledged.clear();
        self.demand = Demand::None;
        self.is_retry_due = false;
    }
}

impl Segment {
    pub(super) fn new(file: Arc<dyn StorageFile>, salt: u32, rotate_at: u64) -> Self {
        Self { file, salt, end: HEADER_BYTES as u64, rotate_at }
    }

    /// Appends records in one write.
    pub(super) fn write(
        &mut self,
        entries: &[Unacknowledged],
        logged: Seq,
        scratch: &mut Vec<u8>,
    ) -> io::Result<()> {
        scratch.clear();
        for Unacknowledged { seq, record } in entries {
            let frame = Frame::new(*seq, record.kind, record.flags, logged);
            frame.encode(self.salt, &record.payload, scratch);
        }
        let end = self.end + scratch.len() as u64;
        if end > SEGMENT_BYTES_MAX {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "the segment is full and no other could be begun",
            ));
        }
        self.file.write_at(self.end, scratch)?;
        self.end = end;
        // One huge record must not pin its size in memory.
        scratch.shrink_to(64 << 10);
        Ok(())
    }
}

pub(super) fn next_retry(retry: Duration) -> Duration {
    (retry * 2).min(RETRY_MAX)
}
