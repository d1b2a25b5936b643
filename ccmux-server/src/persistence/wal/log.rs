//! The log as the server sees it: appending, and what is known of it.
//!
//! One mutex guards the state between the thread that appends and the one that commits. It is never
//! held during a sync, nor while a segment is prepared; it is held for the write of a record, and
//! for the rename that puts a prepared segment in its place.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use ccmux_core::model::Timestamp;
use uuid::Uuid;

use super::mark::{Mark, Marker};
use super::segment::PAYLOAD_BYTES_MAX;
use super::state::{Demand, LogState, RETRY_FIRST, Standing, Unacknowledged};
use super::{AppendError, LogHealth, Notifier, Seq, segment_path};
use crate::persistence::checkpoint::{TrimFloor, VerifiedCheckpoint};
use crate::persistence::record::{Encoded, FLAG_SOFT};
use crate::persistence::storage::Storage;

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
    /// The record whose state the next one builds on; less than `issued` if numbers were voided. None
    /// if only a checkpoint leads there.
    pub(in crate::persistence) follows: Option<Seq>,
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

/// The records since the newest checkpoint, to be repeated under new numbers in the first segment; the old ones
/// are void from then on, and so is what lies between `follows` and the checkpoint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::persistence) struct Carried {
    /// The record that leads to the checkpoint's state.
    pub(in crate::persistence) follows: Seq,
    pub(in crate::persistence) records: Vec<Encoded>,
}

pub(super) struct Log {
    pub(super) storage: Arc<dyn Storage>,
    pub(super) store: Uuid,
    pub(super) boot: Uuid,
    pub(super) entropy: [u8; 16],
    pub(super) segment_bytes: u64,
    pub(super) notify: Notifier,
    pub(super) state: Mutex<LogState>,
    /// There is work for the committer.
    pub(super) work: Condvar,
    /// Durability or health changed.
    pub(super) published: Condvar,
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log").field("state", &self.state).finish_non_exhaustive()
    }
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
            is_syncing: false,
            demand: Demand::None,
            is_retry_due: true,
            standing,
            wants_checkpoint: false,
            newest: segments.last().copied(),
            settled: None,
            segments,
            bridge: follows,
            bridge_to: issued,
            marker: Marker::Earlier,
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
        let mut has_failed = false;
        if state.current.is_some()
            && let Err(error) = state.write(std::slice::from_ref(&entry))
        {
            state.fail(&format!("cannot write to the log: {error}"));
            has_failed = true;
        }
        if matches!(state.standing, Standing::Degraded { .. }) {
            state.bridge = None;
        } else {
            state.unacknowledged.push_back(entry);
        }
        // A failure has raised the demand already, while the committer may still be asleep.
        if has_failed || state.demand < demand {
            state.demand = state.demand.max(demand);
            self.work.notify_one();
        }
        self.mark(&mut state);
        let seq = state.issued;
        drop(state);
        if has_failed {
            self.publish();
        }
        Ok(seq)
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

    pub(super) fn is_open(&self) -> bool {
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
        self.mark(&mut state);
        drop(state);
        self.publish();
    }

    pub(super) fn trim(&self, floor: &TrimFloor) {
        let mut state = self.lock();
        let firsts: Vec<Seq> = state.segments.iter().copied().collect();
        // A segment ends where the next one begins; the last one has no end yet, and a log without any
        // looks like one that is lost. So none goes before a later one is certain to be there (P5).
        let is_last = |first: Seq| state.settled.is_none_or(|settled| first >= settled);
        let dead: Vec<Seq> = firsts
            .windows(2)
            .filter(|pair| pair[1] <= floor.seq().next() && !is_last(pair[0]))
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

    /// Notes how far the log reaches: after every change of that.
    pub(super) fn mark(&self, state: &mut LogState) {
        let is_whole = state.is_whole();
        if !is_whole && !state.marker.is_own() {
            // What an earlier server noted is still to be found.
            return;
        }
        let (store, boot, durable) = (self.store, self.boot, state.durable);
        let issued = state.issued;
        let written = if is_whole { issued } else { durable };
        // What is being synced may be lost before anybody knows, records that come meanwhile with it.
        let vouched = if is_whole && !state.is_syncing { issued } else { state.logged };
        let mark = Mark { written, durable, vouched, store, boot };
        state.marker.set(&*self.storage, mark);
    }

    pub(super) fn stop(&self) {
        self.lock().is_stopping = true;
        self.work.notify_one();
    }

    /// Nothing will be durable any more.
    pub(super) fn give_up(&self, why: &str) {
        let mut state = self.lock();
        state.degrade(why);
        self.mark(&mut state);
        drop(state);
        self.publish();
    }

    pub(super) fn publish(&self) {
        self.published.notify_all();
        (self.notify)();
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, LogState> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
