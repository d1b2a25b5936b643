//! Everything the server must never forget: the structural log, its checkpoints, their recovery.
//!
//! The server decides, logs, applies and only then acts:
//!
//! ```text
//!  decide ──► Persistence::log ──► apply ──► (durable ≥ seq) ──► reply, start programs
//!                  │                             ▲
//!                  ▼ written at once             │ Notifier
//!            wal/<first>.wal ──── committer: group fdatasync
//!                  │
//!                  ▼ now and then, from a clone of the state
//!        checkpoints/<seq>.ckpt ── read back, then old segments go
//! ```
//!
//! Nothing here has a clock: times are passed in. Threads exist only inside `wal` (the committer)
//! and for the length of a checkpoint; both end when the [`Persistence`] is dropped.
//!
//! # Invariants
//!
//! Tests cite these by number.
//!
//! * **P1** An acknowledged hard change survives any crash, power loss included. Soft changes and
//!   output survive any kill of the server.
//! * **P2** The recovered state is the state after exactly *k* records, `acknowledged <= k <=
//!   issued`: a prefix, never with a hole. A bad record ends the replay; none is skipped.
//! * **P3** Recovery is idempotent: recovering twice, or crashing inside recovery, gives the same
//!   state.
//! * **P4** Damage other than a torn tail is reported (file, offset, what was lost), set aside and
//!   survived: the older checkpoint, or the intact prefix, or an empty pane. The server always
//!   starts. Nothing is lost silently: a log that ends below a watermark recorded elsewhere is
//!   reported too. A breadcrumb names the pane or record being replayed; after the second crash
//!   there it is quarantined and the server starts without it.
//! * **P5** No log is shortened before the checkpoint that replaces it is durable: new segment,
//!   header, sync, directory sync; checkpoint to a temporary file, sync, *read back and compare*,
//!   rename, directory sync; only then what lies before the second-newest verified checkpoint is
//!   deleted. An empty state never replaces a non-empty one without a recorded reason.
//! * **P6** Disk use is bounded, by configuration, per pane and in total.
//! * **P7** Every length read from disk is checked before it is trusted or allocated.
//! * **P8** After a failed write or sync that file is never synced again: a second sync reports
//!   success while the disk holds old data. A new segment gets what was not acknowledged; if that
//!   fails too, the log is *degraded*: panes live on, nothing is called durable, it is retried with
//!   back-off, and on success a checkpoint comes first.

pub(crate) mod ballast;
pub mod checkpoint;
mod checkpointer;
mod examination;
mod facts;
mod format;
#[cfg(any(test, feature = "test-hooks"))]
pub mod fuzzing;
pub(crate) mod modes;
mod opening;
mod priority;
mod read_only;
pub mod record;
mod recovery;
mod reports;
pub(crate) mod restoration;
pub mod scrollback;
#[cfg(any(test, feature = "test-hooks"))]
pub mod sim;
mod startup;
pub mod stash;
pub mod storage;
#[cfg(test)]
mod tests;
mod wal;

use std::sync::Arc;

use ccmux_core::change::Change;
use ccmux_core::ids::PaneId;
use ccmux_core::model::{State, Timestamp};
use uuid::Uuid;

use self::checkpoint::{CheckpointError, EmptiedBy, Snapshot};
use self::checkpointer::Checkpointer;
pub use self::examination::{LogExamination, examine_log};
pub use self::facts::{boot_id, entropy};
pub use self::opening::{OpenError, OpenOptions};
pub use self::read_only::ReadOnly;
pub use self::record::LogEntry;
use self::record::LogRecord;
use self::recovery::UNDO_MS;
pub use self::recovery::{Damage, RecoveryReport};
pub(crate) use self::recovery::{dump_checkpoints, dump_log};
pub(crate) use self::reports::keep_pane_damage;
use self::storage::Storage;
use self::wal::Wal;
pub use self::wal::{AppendError, LogHealth, Notifier, Seq};

/// A checkpoint is due after this much of the log,
const CHECKPOINT_BYTES: u64 = 1 << 20;
/// this many records,
const CHECKPOINT_RECORDS: u64 = 10_000;
/// or this long after the first change that no checkpoint holds.
const CHECKPOINT_MS: u64 = 5 * 60 * 1000;
/// How long after a failed checkpoint the next one is tried.
const CHECKPOINT_RETRY_MS: u64 = 10_000;

/// No checkpoint was begun; the log goes on as it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CheckpointRefusal {
    /// The last one is still being written.
    #[error("a checkpoint is being written")]
    Busy,
    /// The log ends in ends of programs that may have to be taken back.
    #[error("programs have just ended, which may be the beginning of a shutdown")]
    Unsettled,
}

/// What a recovery hands to the server.
#[derive(Debug)]
pub struct Recovered {
    /// The state to go on with.
    pub state: State,
    /// What was found and done.
    pub report: RecoveryReport,
    /// The identity of the store; its other files carry it too.
    pub store: Uuid,
    /// The machine was started anew since the log was last written.
    pub is_new_boot: bool,
    /// A pane with a smaller number that the state does not know was closed. One from this number on
    /// may be of records that were lost, although `state` gives out none of those numbers again. To
    /// be told to [`Persistence::note_orphans`].
    pub closed_below: PaneId,
    /// The last server was asked to end, perhaps by the same shutdown that ended programs which
    /// it could not note any more.
    pub is_after_shutdown: bool,
}

/// Who does what takes long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Workers {
    Threads,
    /// Nobody but the caller: a test decides when what happens.
    #[cfg(any(test, feature = "test-hooks"))]
    None,
}

/// The durable side of a running server. One owner, one thread.
///
/// Dropping it is like a kill: what is written stays, nothing more is synced.
#[derive(Debug)]
pub struct Persistence {
    // Before the log, so that a checkpoint at work ends before it.
    checkpointer: Checkpointer,
    wal: Wal,
    workers: Workers,
    backlog: Backlog,
    inherited: Inherited,
}

/// What beside the state goes from one server to the next.
#[derive(Debug)]
struct Inherited {
    /// Why the state may be empty although it was not.
    emptied_by: Option<EmptiedBy>,
    ends: Ends,
    /// The number below which panes that the state does not know were closed, while others were not.
    closed_below: Option<PaneId>,
}

/// What is not certain about ends of programs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Ends {
    /// When the trailing ones are final.
    unsettled_until: Option<Timestamp>,
    /// The log, or what a checkpoint holds of it, ends in a request to end.
    is_terminating: bool,
    /// The record that made them final, as long as it may not be durable.
    settled_by: Option<Seq>,
}

/// What was logged since the last checkpoint was begun.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Backlog {
    bytes: u64,
    records: u64,
    since: Option<Timestamp>,
    /// After a failure: not before this.
    not_before: Option<Timestamp>,
}

impl Persistence {
    /// Recovers the store and begins to log. Whatever the damage, the server starts; how it starts
    /// is in the report and in [`Persistence::health`].
    ///
    /// # Errors
    /// Only if the store must not or cannot be read at all; it is untouched then.
    pub fn open(
        storage: Arc<dyn Storage>,
        options: &OpenOptions,
    ) -> Result<(Self, Recovered), OpenError> {
        startup::open(storage, options, Workers::Threads)
    }

    fn new(wal: Wal, checkpointer: Checkpointer, workers: Workers, inherited: Inherited) -> Self {
        Self { checkpointer, wal, workers, backlog: Backlog::default(), inherited }
    }

    /// Writes an entry to the log; apply it to the state afterwards, and before the next
    /// checkpoint. It is durable once [`Persistence::durable`] reaches the number returned; for an
    /// entry of soft changes alone there is no need to wait.
    ///
    /// A failing disk is no error here: see [`Persistence::health`].
    pub fn log(&mut self, entry: &LogEntry) -> Result<Seq, AppendError> {
        let record = LogRecord::Entry(entry.clone());
        let encoded = record.encode();
        // What could not be read back must not be acknowledged.
        match LogRecord::decode(encoded.kind, &encoded.payload) {
            Ok(read) if read == record => {}
            Ok(_) => return Err(AppendError::Unfaithful { why: "it reads differently".into() }),
            Err(error) => return Err(AppendError::Unfaithful { why: error.to_string() }),
        }
        let bytes = encoded.payload.len() as u64;
        let seq = self.wal.append(encoded, entry.time)?;
        self.backlog.bytes += bytes;
        self.backlog.records += 1;
        self.backlog.since.get_or_insert(entry.time);
        if entry.is_program_end() {
            self.inherited.ends.unsettled_until = Some(Timestamp(entry.time.0 + UNDO_MS));
        } else if !entry.is_soft() {
            self.ends_settled(seq);
        }
        for change in &entry.changes {
            match change {
                Change::SessionClosed { .. } => {
                    let (actor, cause) = (entry.actor.clone(), entry.cause.clone());
                    self.inherited.emptied_by = Some(EmptiedBy { seq, actor, cause });
                }
                Change::SessionCreated { .. } => self.inherited.emptied_by = None,
                _ => {}
            }
        }
        Ok(seq)
    }

    /// The number of the last entry logged.
    pub fn issued(&self) -> Seq {
        self.wal.issued()
    }

    /// Everything up to this number survives a power cut.
    pub fn durable(&self) -> Seq {
        self.wal.durable()
    }

    /// Blocks until `seq` is durable; false if the log is degraded instead. Not for the event loop.
    pub fn wait_durable(&self, seq: Seq) -> bool {
        self.wal.sync_now();
        self.wal.wait_durable(seq)
    }

    /// Whether what is logged becomes durable.
    pub fn health(&self) -> LogHealth {
        self.wal.health()
    }

    /// When [`Persistence::tick`] and [`Persistence::checkpoint_due`] are to be asked next, if
    /// nothing else happens.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        [self.checkpoint_at(), self.inherited.ends.unsettled_until].into_iter().flatten().min()
    }

    /// Does what time brings: makes ends of programs final, notices that a checkpoint is done.
    /// To be called at [`Persistence::next_deadline`] and after each call of the notifier.
    pub fn tick(&mut self, now: Timestamp) {
        if let Some(Err(error)) = self.checkpointer.poll() {
            self.checkpoint_failed(&error, now);
        }
        self.heed_clock(now);
        if self.inherited.ends.unsettled_until.is_some_and(|until| until <= now) {
            self.settle(now);
        }
    }

    /// A clock that was put back must not make anything wait longer than it would have to from now
    /// on.
    fn heed_clock(&mut self, now: Timestamp) {
        let sooner = |at: &mut Option<Timestamp>, ms: u64| {
            *at = at.map(|at| at.min(Timestamp(now.0 + ms)));
        };
        sooner(&mut self.inherited.ends.unsettled_until, UNDO_MS);
        sooner(&mut self.backlog.since, 0);
        sooner(&mut self.backlog.not_before, CHECKPOINT_RETRY_MS);
    }

    /// Whether the log ends in ends of programs that may have to be taken back.
    pub fn is_unsettled(&self) -> bool {
        self.inherited.ends.unsettled_until.is_some()
    }

    /// Whether the next recovery may take back ends of programs, because they are not final or
    /// because it would not know. What such a program has left must be kept.
    pub fn may_take_back(&self) -> bool {
        let is_unknown = |seq| self.durable() < seq;
        self.is_unsettled() || self.inherited.ends.settled_by.is_some_and(is_unknown)
    }

    /// Makes what ended so far final, and takes a request to end that the log may end in as done
    /// with.
    pub fn settle(&mut self, now: Timestamp) {
        let seq = self.mark(&LogRecord::Settled { time: now }, now);
        self.ends_settled(seq);
    }

    /// Notes that panes with smaller numbers than this that the state does not know were closed, and
    /// any others were not, however many numbers the state gives out meanwhile. To be logged before
    /// the numbers of such panes are, and with none once all of them were looked after: until then
    /// the next server must not take one for closed and end its program.
    pub fn note_orphans(&mut self, closed_below: Option<PaneId>, now: Timestamp) {
        if self.inherited.closed_below != closed_below {
            self.mark(&LogRecord::Orphans { time: now, closed_below }, now);
            self.inherited.closed_below = closed_below;
        }
    }

    fn ends_settled(&mut self, seq: Seq) {
        let had_ends =
            self.inherited.ends.unsettled_until.is_some() || self.inherited.ends.is_terminating;
        let settled_by = if had_ends { Some(seq) } else { self.inherited.ends.settled_by };
        self.inherited.ends = Ends { settled_by, ..Ends::default() };
    }

    /// Whether [`Persistence::checkpoint`] should be called.
    pub fn checkpoint_due(&self, now: Timestamp) -> bool {
        self.checkpoint_at().is_some_and(|at| at <= now)
    }

    /// When the next checkpoint is due by what is known now; the past if at once, `None` while
    /// none is possible, the end of which is told by the notifier or by `unsettled_until`.
    ///
    /// A degraded log holds nothing of what is logged, so a checkpoint is all that can: it is tried
    /// as often as after a failure.
    fn checkpoint_at(&self) -> Option<Timestamp> {
        let Backlog { bytes, records, since, not_before } = self.backlog;
        if self.checkpointer.is_busy() || self.inherited.ends.unsettled_until.is_some() {
            return None;
        }
        let is_full = bytes >= CHECKPOINT_BYTES || records >= CHECKPOINT_RECORDS;
        let is_only_hope = records > 0 && !self.wal.is_open();
        let at = if is_full || is_only_hope || self.wal.wants_checkpoint() {
            Some(Timestamp(0))
        } else {
            since.map(|since| Timestamp(since.0 + CHECKPOINT_MS))
        };
        at.map(|at| at.max(not_before.unwrap_or_default()))
    }

    /// Begins to write a checkpoint in the background. `state` is the state with every logged entry
    /// applied.
    pub fn checkpoint(&mut self, state: &State, now: Timestamp) -> Result<(), CheckpointRefusal> {
        if self.checkpointer.is_busy() {
            return Err(CheckpointRefusal::Busy);
        }
        if self.inherited.ends.unsettled_until.is_some() {
            return Err(CheckpointRefusal::Unsettled);
        }
        let snapshot = self.snapshot(state, now);
        let retry_at = Timestamp(now.0 + CHECKPOINT_RETRY_MS);
        let not_before = (!self.wal.is_open()).then_some(retry_at);
        self.backlog = Backlog { not_before, ..Backlog::default() };
        match self.workers {
            Workers::Threads => self.checkpointer.start(snapshot),
            #[cfg(any(test, feature = "test-hooks"))]
            Workers::None => {
                if let Err(error) = self.checkpointer.take_now(&snapshot) {
                    self.checkpoint_failed(&error, now);
                }
            }
        }
        Ok(())
    }

    /// Notes that the server was asked to end (SIGTERM): programs that ended just before, or end
    /// from now on, may have been ended by the same shutdown.
    pub fn mark_shutdown(&mut self, now: Timestamp) {
        self.inherited.ends.is_terminating = true;
        self.mark(&LogRecord::Terminating { time: now }, now);
    }

    /// Makes everything durable, takes a last checkpoint and ends. `state` is the state with every
    /// logged entry applied.
    ///
    /// While the log ends in ends of programs younger than ten seconds there is no checkpoint; a
    /// server that exits because nothing is left should wait until [`Persistence::next_deadline`]
    /// has passed, or a reboot takes those ends back.
    pub fn finalize(mut self, state: &State, now: Timestamp) -> LogHealth {
        self.tick(now);
        let issued = self.issued();
        #[cfg(any(test, feature = "test-hooks"))]
        if self.workers == Workers::None {
            self.wal.commit_now();
        }
        let is_durable = self.wait_durable(issued);
        let is_useful = self.backlog.records > 0 || !is_durable;
        if is_useful && self.inherited.ends.unsettled_until.is_none() {
            let snapshot = self.snapshot(state, now);
            if let Err(error) = self.checkpointer.take_now(&snapshot) {
                tracing::error!(%error, is_durable, "there is no final checkpoint");
            }
        }
        self.health()
    }

    fn snapshot(&mut self, state: &State, now: Timestamp) -> Snapshot {
        if !state.sessions.is_empty() {
            // What closed one of several sessions is no reason for a state without any.
            self.inherited.emptied_by = None;
        }
        let emptied_by = self.inherited.emptied_by.clone();
        Snapshot {
            seq: self.issued(),
            time: now,
            state: state.clone(),
            emptied_by,
            is_terminating: self.inherited.ends.is_terminating,
            closed_below: self.inherited.closed_below,
        }
    }

    fn checkpoint_failed(&mut self, error: &CheckpointError, now: Timestamp) {
        tracing::error!(%error, "a checkpoint failed; the log is kept");
        self.backlog.since.get_or_insert(now);
        self.backlog.bytes = self.backlog.bytes.max(CHECKPOINT_BYTES);
        self.backlog.not_before = Some(Timestamp(now.0 + CHECKPOINT_RETRY_MS));
    }

    fn mark(&mut self, record: &LogRecord, now: Timestamp) -> Seq {
        let appended = self.wal.append(record.encode(), now);
        let seq = appended.expect("BUG: a mark is a small record");
        self.wal.sync_now();
        seq
    }
}
