//! The state of the log between the thread that appends and the one that commits.
//!
//! One mutex guards it. It is never held during a sync, nor while a segment is prepared; it is held
//! for the write of a record, and for the rename that puts a prepared segment in its place.
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
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use ccmux_core::model::Timestamp;
use uuid::Uuid;

use super::segment::{
    Frame, HEADER_BYTES, PAYLOAD_BYTES_MAX, SEGMENT_BYTES_MAX, SegmentHeader, framed_bytes,
};
use super::{AppendError, LogHealth, NEXT_SEGMENT, Notifier, Seq, WAL_DIR, segment_path};
use crate::persistence::checkpoint::{TrimFloor, VerifiedCheckpoint};
use crate::persistence::record::{Encoded, FLAG_SOFT};
use crate::persistence::storage::{Storage, StorageFile, create_dir_durably};

/// How long a soft record may wait for its sync.
const SOFT_DELAY: Duration = Duration::from_secs(1);
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(30);

/// Where a log goes on.
#[derive(Clone, Debug)]
pub(in crate::persistence) struct LogStart {
    pub(in crate::persistence) store: Uuid,
    pub(in crate::persistence) boot: Uuid,
    /// Random, so that no two segments share a salt.
    pub(in crate::persistence) entropy: [u8; 16],
    /// The last number given out.
    pub(in crate::persistence) issued: Seq,
    /// The number up to which the disk is known to hold everything. If it is less than `issued`,
    /// nothing is durable until a checkpoint covers the rest.
    pub(in crate::persistence) durable: Seq,
    /// The record whose state the next one builds on; less than `issued` if numbers were voided.
    pub(in crate::persistence) follows: Seq,
    /// Records to be logged once more, because neither a checkpoint holds them nor anything proves
    /// that they are on the disk.
    pub(in crate::persistence) carried: Option<Carried>,
    /// The segments on the disk.
    pub(in crate::persistence) segments: BTreeSet<Seq>,
    /// What a segment is preallocated to.
    pub(in crate::persistence) segment_bytes: u64,
    pub(in crate::persistence) now: Timestamp,
    /// Why nothing is durable, as long as nothing is.
    pub(in crate::persistence) why: String,
}

/// The records after `follows`, to be repeated under new numbers in the first segment; the old ones
/// are void from then on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::persistence) struct Carried {
    pub(in crate::persistence) follows: Seq,
    pub(in crate::persistence) records: Vec<Encoded>,
}

pub(super) struct Log {
    storage: Arc<dyn Storage>,
    store: Uuid,
    boot: Uuid,
    entropy: [u8; 16],
    segment_bytes: u64,
    notify: Notifier,
    state: Mutex<LogState>,
    /// There is work for the committer.
    work: Condvar,
    /// Durability or health changed.
    published: Condvar,
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log").field("state", &self.state).finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct LogState {
    issued: Seq,
    durable: Seq,
    /// The last record that was synced as such. A checkpoint moves `durable` alone.
    logged: Seq,
    /// What is written but not durable, to be written again if the disk fails.
    unacknowledged: VecDeque<Unacknowledged>,
    /// Where appends go; none while the disk fails.
    current: Option<Segment>,
    /// The segment before the current one, while it has bytes to sync.
    retired: Option<Arc<dyn StorageFile>>,
    is_dir_dirty: bool,
    demand: Demand,
    is_retry_due: bool,
    standing: Standing,
    wants_checkpoint: bool,
    segments: BTreeSet<Seq>,
    /// The record that the first one of a segment begun after a gap builds on; none if records
    /// were issued that no segment holds.
    bridge: Option<Seq>,
    /// How many segments were begun, for their salts.
    begun: u64,
    /// The time of the last append: the log has no clock.
    now: Timestamp,
    is_stopping: bool,
    scratch: Vec<u8>,
}

#[derive(Clone, Debug)]
struct Unacknowledged {
    seq: Seq,
    record: Arc<Encoded>,
}

#[derive(Debug)]
struct Segment {
    file: Arc<dyn StorageFile>,
    salt: u32,
    end: u64,
    /// The length at which the next segment is to be begun.
    rotate_at: u64,
}

/// When a sync is wanted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Demand {
    None,
    Soon,
    Now,
}

#[derive(Clone, Debug)]
enum Standing {
    Sound,
    Failed { why: String },
    Repaired { why: String },
    Degraded { since: Timestamp, why: String, retry: Duration },
    Reopened { since: Timestamp, why: String, retry: Duration, needs: Seq, synced: Seq },
}

/// What the committer does next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Job {
    Sync,
    Rotate,
    Repair,
    Reopen,
    Wait(Option<Duration>),
    Stop,
}

impl Log {
    pub(super) fn start(storage: Arc<dyn Storage>, start: LogStart, notify: Notifier) -> Self {
        let LogStart { store, boot, entropy, issued, durable, follows, segments, .. } = start;
        let standing = Standing::Degraded { since: start.now, why: start.why, retry: RETRY_FIRST };
        let state = LogState {
            issued,
            durable,
            logged: durable,
            unacknowledged: VecDeque::new(),
            current: None,
            retired: None,
            is_dir_dirty: false,
            demand: Demand::None,
            is_retry_due: true,
            standing,
            wants_checkpoint: false,
            segments,
            bridge: Some(follows),
            begun: 0,
            now: start.now,
            is_stopping: false,
            scratch: Vec::new(),
        };
        let log = Self {
            storage,
            store,
            boot,
            entropy,
            segment_bytes: start.segment_bytes,
            notify,
            state: Mutex::new(state),
            work: Condvar::new(),
            published: Condvar::new(),
        };
        // To begin is to leave the degraded state with nothing missing.
        match start.carried {
            Some(carried) => log.begin_with(&carried),
            None => log.reopen(),
        }
        log.sync();
        log
    }

    pub(super) fn append(&self, record: Encoded, now: Timestamp) -> Result<Seq, AppendError> {
        if record.payload.len() > PAYLOAD_BYTES_MAX {
            let (bytes, bytes_max) = (record.payload.len(), PAYLOAD_BYTES_MAX);
            return Err(AppendError::TooLarge { bytes, bytes_max });
        }
        let demand = if record.flags & FLAG_SOFT != 0 { Demand::Soon } else { Demand::Now };
        let mut state = self.lock();
        state.now = now;
        state.issued = state.issued.next();
        let entry = Unacknowledged { seq: state.issued, record: Arc::new(record) };
        if state.current.is_some()
            && let Err(error) = state.write(std::slice::from_ref(&entry))
        {
            state.fail(&format!("cannot write to the log: {error}"));
        }
        if matches!(state.standing, Standing::Degraded { .. }) {
            state.bridge = None;
        } else {
            state.unacknowledged.push_back(entry);
        }
        if state.demand < demand {
            state.demand = demand;
            self.work.notify_one();
        }
        Ok(state.issued)
    }

    pub(super) fn sync_now(&self) {
        let mut state = self.lock();
        if state.demand == Demand::Soon {
            state.demand = Demand::Now;
            self.work.notify_one();
        }
    }

    pub(super) fn issued(&self) -> Seq {
        self.lock().issued
    }

    pub(super) fn durable(&self) -> Seq {
        self.lock().durable
    }

    pub(super) fn wait_durable(&self, seq: Seq) -> bool {
        let mut state = self.lock();
        loop {
            if state.durable >= seq {
                return true;
            }
            if matches!(state.standing, Standing::Degraded { .. } | Standing::Reopened { .. }) {
                return false;
            }
            state = self.published.wait(state).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
    }

    pub(super) fn health(&self) -> LogHealth {
        match &self.lock().standing {
            Standing::Sound | Standing::Failed { .. } | Standing::Repaired { .. } => {
                LogHealth::Durable
            }
            Standing::Degraded { since, why, .. } | Standing::Reopened { since, why, .. } => {
                LogHealth::Degraded { since: *since, why: why.clone() }
            }
        }
    }

    pub(super) fn wants_checkpoint(&self) -> bool {
        let state = self.lock();
        state.wants_checkpoint || matches!(state.standing, Standing::Reopened { .. })
    }

    pub(super) fn can_checkpoint(&self) -> bool {
        !matches!(self.lock().standing, Standing::Degraded { .. })
    }

    pub(super) fn checkpointed(&self, checkpoint: &VerifiedCheckpoint) {
        let mut state = self.lock();
        state.wants_checkpoint = false;
        if let Standing::Reopened { needs, synced, .. } = state.standing
            && checkpoint.seq() >= needs
        {
            state.standing = Standing::Sound;
            let durable = checkpoint.seq().max(synced);
            state.acknowledge(durable);
        }
        drop(state);
        self.publish();
    }

    pub(super) fn trim(&self, floor: &TrimFloor) {
        let mut state = self.lock();
        let firsts: Vec<Seq> = state.segments.iter().copied().collect();
        // A segment ends where the next one begins; the last one has no end yet.
        let dead: Vec<Seq> = firsts
            .windows(2)
            .filter(|pair| pair[1] <= floor.seq().next())
            .map(|pair| pair[0])
            .collect();
        // Under the lock, so that none of the names can come back to life meanwhile.
        for first in dead {
            state.segments.remove(&first);
            match self.storage.remove(&segment_path(first)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(%first, %error, "an old log segment could not be removed");
                }
                _ => {}
            }
        }
    }

    /// The committer thread.
    pub(super) fn run(&self) {
        raise_priority();
        let mut state = self.lock();
        loop {
            match state.next_job() {
                Job::Stop => return,
                Job::Wait(None) => {
                    state =
                        self.work.wait(state).unwrap_or_else(std::sync::PoisonError::into_inner);
                }
                Job::Wait(Some(delay)) => {
                    let (woken, wait) = self
                        .work
                        .wait_timeout(state, delay)
                        .unwrap_or_else(std::sync::PoisonError::into_inner);
                    state = woken;
                    if wait.timed_out() {
                        state.time_is_up();
                    }
                }
                job => {
                    drop(state);
                    self.perform(job);
                    state = self.lock();
                }
            }
        }
    }

    #[cfg(test)]
    pub(super) fn commit_now(&self) {
        let mut retried = false;
        loop {
            let mut state = self.lock();
            match state.next_job() {
                Job::Stop | Job::Wait(None) => return,
                Job::Wait(Some(_)) => {
                    if matches!(state.standing, Standing::Degraded { .. })
                        && std::mem::replace(&mut retried, true)
                    {
                        return;
                    }
                    state.time_is_up();
                }
                job => {
                    drop(state);
                    self.perform(job);
                }
            }
        }
    }

    pub(super) fn stop(&self) {
        self.lock().is_stopping = true;
        self.work.notify_one();
    }

    /// Nothing will be durable any more.
    pub(super) fn give_up(&self, why: &str) {
        self.lock().degrade(why);
        self.publish();
    }

    fn perform(&self, job: Job) {
        match job {
            Job::Sync => self.sync(),
            Job::Rotate => self.rotate(),
            Job::Repair => self.repair(),
            Job::Reopen => self.reopen(),
            Job::Wait(_) | Job::Stop => {}
        }
    }

    fn sync(&self) {
        let mut state = self.lock();
        let Some(current) = &state.current else { return };
        let files: Vec<_> = state.retired.iter().chain([&current.file]).map(Arc::clone).collect();
        let (target, is_dir_dirty) = (state.issued, state.is_dir_dirty);
        state.demand = Demand::None;
        drop(state);
        let mut result = files.iter().try_for_each(|file| file.sync());
        if is_dir_dirty {
            result = result.and_then(|()| self.storage.sync_dir(Path::new(WAL_DIR)));
        }
        let mut state = self.lock();
        match result {
            Ok(()) => {
                state.retired = None;
                state.is_dir_dirty = false;
                state.synced(target);
            }
            Err(error) => state.fail(&format!("cannot sync the log: {error}")),
        }
        drop(state);
        self.publish();
    }

    /// Begins the next segment. Records go on to the old one until the new one is in place, so
    /// that they never wait for the disk; both are synced before the next acknowledgement.
    fn rotate(&self) {
        let prepared = self.prepare(self.segment_bytes);
        let mut state = self.lock();
        let Some(old) = &state.current else { return };
        let old = Arc::clone(&old.file);
        let (follows, first) = (state.issued, state.issued.next());
        let begun = prepared.and_then(|file| {
            state.begin(&file, first, Some(follows), self).map(|salt| (file, salt))
        });
        match begun {
            Ok((file, salt)) => match self.install(&mut state, first) {
                Ok(()) => {
                    state.retired = Some(old);
                    state.current = Some(Segment::new(file, salt, self.segment_bytes));
                    state.demand = Demand::Now;
                }
                // The name may be taken all the same, and would hide what the old one gets now.
                Err(error) => state.fail(&format!("cannot put a log segment in place: {error}")),
            },
            Err(error) => {
                tracing::warn!(%error, "the log goes on in a full segment");
                if let Some(current) = &mut state.current {
                    current.rotate_at = current.end + self.segment_bytes;
                }
            }
        }
    }

    /// Rewrites what was not acknowledged into a new segment (P8).
    fn repair(&self) {
        let state = self.lock();
        let Standing::Failed { why } = state.standing.clone() else { return };
        let first = state.durable.next();
        let backlog: Vec<_> = state.unacknowledged.iter().cloned().collect();
        drop(state);
        let bytes: usize =
            backlog.iter().map(|entry| framed_bytes(entry.record.payload.len())).sum();
        let rewritten =
            self.prepare(self.segment_bytes.max((HEADER_BYTES + bytes) as u64)).and_then(|file| {
                let mut state = self.lock();
                let (follows, logged) = (state.durable, state.logged);
                let salt = state.begin(&file, first, Some(follows), self)?;
                drop(state);
                let mut segment = Segment::new(file, salt, self.segment_bytes);
                let mut scratch = Vec::new();
                segment.write(&backlog, logged, &mut scratch)?;
                segment.file.sync()?;
                Ok(segment)
            });
        let mut state = self.lock();
        let installed = rewritten.and_then(|mut segment| {
            // What came meanwhile; the next sync covers it.
            let late: Vec<_> = state.unacknowledged.iter().skip(backlog.len()).cloned().collect();
            let logged = state.logged;
            segment.write(&late, logged, &mut Vec::new())?;
            self.install(&mut state, first)?;
            Ok(segment)
        });
        match installed {
            Ok(segment) => {
                state.current = Some(segment);
                state.standing = Standing::Repaired { why };
                state.demand = Demand::Now;
                state.wants_checkpoint = true;
            }
            Err(error) => {
                state.degrade(&format!("{why}; then a new segment failed: {error}"));
                drop(state);
                self.publish();
            }
        }
    }

    /// Begins the log with a segment that repeats records. It gets its name when it is whole: that
    /// is when the old ones are void.
    fn begin_with(&self, carried: &Carried) {
        let mut state = self.lock();
        let Standing::Degraded { since, why, retry } = state.standing.clone() else { return };
        let first = state.issued.next();
        let numbers = (first.0..).map(Seq);
        let records = carried.records.iter().cloned().map(Arc::new);
        let entries: Vec<_> =
            numbers.zip(records).map(|(seq, record)| Unacknowledged { seq, record }).collect();
        let written = self.prepare(self.segment_bytes).and_then(|file| {
            let salt = state.begin(&file, first, Some(carried.follows), self)?;
            let mut segment = Segment::new(file, salt, self.segment_bytes);
            segment.write(&entries, state.logged, &mut Vec::new())?;
            segment.file.sync()?;
            self.install(&mut state, first)?;
            Ok(segment)
        });
        state.is_retry_due = false;
        match written {
            Ok(segment) => {
                state.current = Some(segment);
                state.issued = entries.last().map_or(state.issued, |entry| entry.seq);
                state.unacknowledged.extend(entries);
                let (needs, synced) = (state.durable, state.durable);
                state.standing = Standing::Reopened { since, why, retry, needs, synced };
            }
            Err(error) => {
                let why = format!("cannot begin the log: {error}");
                state.standing = Standing::Degraded { since, why, retry };
            }
        }
    }

    /// Tries to begin a segment after what could not be logged.
    fn reopen(&self) {
        // The probe: what cannot be synced while it is empty need not be tried.
        let prepared = create_dir_durably(&*self.storage, Path::new(WAL_DIR))
            .and_then(|()| self.prepare(self.segment_bytes))
            .and_then(|file| file.sync().map(|()| file));
        let mut state = self.lock();
        state.is_retry_due = false;
        let Standing::Degraded { since, why, retry } = state.standing.clone() else { return };
        let (follows, first) = (state.bridge, state.issued.next());
        let installed = prepared
            .and_then(|file| state.begin(&file, first, follows, self).map(|salt| (file, salt)))
            .and_then(|(file, salt)| self.install(&mut state, first).map(|()| (file, salt)));
        match installed {
            Ok((file, salt)) => {
                state.current = Some(Segment::new(file, salt, self.segment_bytes));
                let (needs, synced) = (state.issued, state.durable);
                state.standing = Standing::Reopened { since, why, retry, needs, synced };
                state.demand = Demand::Now;
            }
            Err(error) => {
                let why = format!("cannot begin a log segment: {error}");
                state.standing = Standing::Degraded { since, why, retry: next_retry(retry) };
            }
        }
        drop(state);
        self.publish();
    }

    /// Creates a segment under a name that is never read.
    fn prepare(&self, bytes: u64) -> io::Result<Arc<dyn StorageFile>> {
        let path = Path::new(NEXT_SEGMENT);
        match self.storage.remove(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = self.storage.create(path)?;
        file.allocate(bytes)?;
        Ok(file.into())
    }

    /// Gives the prepared segment its name, and takes away those whose records it repeats.
    fn install(&self, state: &mut LogState, first: Seq) -> io::Result<()> {
        state.is_dir_dirty = true;
        state.segments.insert(first);
        self.storage.rename(Path::new(NEXT_SEGMENT), &segment_path(first))?;
        while let Some(repeated) = state.segments.last().copied().filter(|last| *last > first) {
            match self.storage.remove(&segment_path(repeated)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => state.segments.remove(&repeated),
            };
        }
        Ok(())
    }

    fn publish(&self) {
        self.published.notify_all();
        (self.notify)();
    }

    fn lock(&self) -> MutexGuard<'_, LogState> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl LogState {
    fn next_job(&self) -> Job {
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

    fn time_is_up(&mut self) {
        if self.demand == Demand::Soon {
            self.demand = Demand::Now;
        }
        self.is_retry_due = true;
    }

    fn write(&mut self, entries: &[Unacknowledged]) -> io::Result<()> {
        let Some(current) = &mut self.current else { return Ok(()) };
        current.write(entries, self.logged, &mut self.scratch)
    }

    /// Writes the header of a new segment; returns its salt.
    fn begin(
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
        let header = SegmentHeader { salt, first, follows, synced_through, store, boot };
        file.write_at(0, &header.encode())?;
        Ok(salt)
    }

    /// Everything up to `target` was synced.
    fn synced(&mut self, target: Seq) {
        self.logged = target;
        match &mut self.standing {
            Standing::Reopened { needs, synced, .. } => {
                *synced = target;
                if self.durable >= *needs {
                    // Nothing was missed: the log was only begun.
                    self.standing = Standing::Sound;
                    self.acknowledge(target);
                } else {
                    // Safe where it is, once a checkpoint holds what lies before.
                    self.forget(target);
                }
            }
            Standing::Repaired { why } => {
                tracing::warn!(%why, "the log failed and went on in a new segment");
                self.standing = Standing::Sound;
                self.acknowledge(target);
            }
            Standing::Sound | Standing::Failed { .. } => self.acknowledge(target),
            Standing::Degraded { .. } => {}
        }
    }

    fn acknowledge(&mut self, seq: Seq) {
        self.durable = self.durable.max(seq);
        self.forget(self.durable);
    }

    /// Drops the records up to `seq` that were kept to be rewritten.
    fn forget(&mut self, seq: Seq) {
        while self.unacknowledged.front().is_some_and(|entry| entry.seq <= seq) {
            self.unacknowledged.pop_front();
        }
    }

    /// A write or a sync failed: no more of either on these files.
    fn fail(&mut self, why: &str) {
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

    fn degrade(&mut self, why: &str) {
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
    fn new(file: Arc<dyn StorageFile>, salt: u32, rotate_at: u64) -> Self {
        Self { file, salt, end: HEADER_BYTES as u64, rotate_at }
    }

    /// Appends records in one write.
    fn write(
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

fn next_retry(retry: Duration) -> Duration {
    (retry * 2).min(RETRY_MAX)
}

/// The scheduler's delay, not the disk, dominates a sync on a busy machine.
fn raise_priority() {
    #[cfg(target_os = "linux")]
    let _where_allowed = rustix::process::setpriority_process(None, -10);
}
