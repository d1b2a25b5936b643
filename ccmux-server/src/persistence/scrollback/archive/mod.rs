//! The archiver: a thread that compresses and writes history chunks and keyframes.
//!
//! The server hands over lines and keyframes and goes on; what became durable comes back as
//! [`ArchiveEvent`]s. Tasks of one pane are done in the order they were submitted. A task that fails
//! twice stays in the queue, and the tasks of that pane behind it, and is tried again with growing
//! pauses; meanwhile the archiver is degraded and other panes go on.
//!
//! Closed panes whose history is kept count in the total, and are the first to go: whole, and the one
//! that was closed first before the others.

mod pane;
#[cfg(test)]
mod tests;
mod worker;

use std::collections::{HashSet, VecDeque};
use std::io;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use ccmux_core::ids::PaneUuid;

pub(super) use self::pane::PaneArchive;
pub(super) use self::worker::{Task, Worker};
use super::chunk::{BLOCK_RAW_MAX, HistoryBlock};
use super::closed::ClosedPane;
use super::keyframe::Keyframe;
use super::layout::StreamPosition;
use super::{Health, Notify};
use crate::persistence::priority;
use crate::persistence::storage::Storage;

/// A chunk is complete at about this length.
const CHUNK_BYTES: u64 = 4 << 20;
/// First and longest pause between attempts at a task that fails.
const RETRY_PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// What to keep of a pane.
#[derive(Clone, Debug)]
pub struct ArchiveJob {
    /// Whose.
    pub pane: PaneUuid,
    /// Lines that left the screen, in order. Lines that were archived before replace those.
    pub blocks: Vec<HistoryBlock>,
    /// A keyframe to be written after the lines. If its history is empty the chunks before its end
    /// are removed: all that they hold was cleared.
    pub keyframe: Option<Keyframe>,
    /// How much history to keep.
    pub limits: HistoryLimits,
}

impl ArchiveJob {
    pub(super) fn keep_sane_blocks(&mut self) {
        let pane = self.pane;
        self.blocks.retain(|block| {
            let is_sane = block.count > 0 && block.bytes.len() <= BLOCK_RAW_MAX;
            if !is_sane {
                tracing::error!(%pane, block.count, "BUG: no proper block of history");
            }
            is_sane
        });
    }

    /// The first line that it brings; if there is none, the one that comes after all that its keyframe counts on.
    fn begin(&self) -> Option<u64> {
        let block = self.blocks.first().map(|block| block.first_line);
        block.or_else(|| self.keyframe.as_ref().map(|keyframe| keyframe.history.end))
    }

    /// More than its lines will take of the disk.
    fn line_bytes(&self) -> usize {
        self.blocks.iter().map(|block| block.bytes.len()).sum()
    }

    /// Length of its keyframe's terminal.
    pub fn keyframe_bytes(&self) -> u64 {
        self.keyframe.as_ref().map_or(0, |keyframe| keyframe.bytes.len() as u64)
    }

    fn bytes(&self) -> usize {
        self.line_bytes() + self.keyframe.as_ref().map_or(0, |keyframe| keyframe.bytes.len())
    }
}

/// History that is kept in another place and is to be copied.
#[derive(Clone, Debug)]
pub struct HistorySource {
    /// Where it is kept.
    pub storage: Arc<dyn Storage>,
    /// Which lines.
    pub lines: Range<u64>,
}

/// Bounds of the history of one pane. History goes in whole chunks, so a little more may stay.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HistoryLimits {
    /// Lines to keep; `None` for as many as the bytes allow.
    pub lines: Option<u64>,
    /// Compressed bytes on disk.
    pub bytes: u64,
    /// Compressed bytes of all panes together; beyond it closed panes go, then the longest one loses
    /// its oldest lines.
    pub total: u64,
}

/// What a job came to. All of it is durable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Archived {
    /// Whose.
    pub pane: PaneUuid,
    /// First line on disk that is not cleared; `None` if there is none.
    pub first_line: Option<u64>,
    /// Number of the line after the last one archived by this process, if it archived any.
    pub end_line: Option<u64>,
    /// Where the stream stood at the keyframe, if there was one.
    pub keyframe: Option<StreamPosition>,
    /// The spool before this point may be released. It is the keyframe before the last, so that
    /// one bad file costs nothing, unless the same point was keyframed twice.
    pub release: Option<StreamPosition>,
    /// Compressed bytes of history on disk.
    pub bytes: u64,
}

/// Something the server must act on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ArchiveEvent {
    /// A job is done.
    Archived(Archived),
    /// What a pane printed is gone.
    Purged(PaneUuid),
    /// A pane's directory is gone.
    Removed(PaneUuid),
    /// A closed pane is kept, and takes so many bytes of the disk.
    Kept {
        /// Which.
        pane: PaneUuid,
        /// What its note says.
        note: ClosedPane,
        /// Bytes of all its files.
        bytes: u64,
    },
    /// Nothing of some pane can be written, for this reason.
    Degraded(String),
    /// Everything can be written again.
    Recovered,
}

/// Bounds of the archiver.
#[derive(Clone, Copy, Debug)]
pub struct ArchiverOptions {
    /// [`Archiver::has_room`] says no while this much waits.
    pub queue_bytes: usize,
}

impl Default for ArchiverOptions {
    fn default() -> Self {
        Self { queue_bytes: 32 << 20 }
    }
}

/// The archiver of a running server.
#[derive(Debug)]
pub struct Archiver {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
    queue_bytes: usize,
    notify: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    tasks: VecDeque<Task>,
    bytes: usize,
    events: Vec<ArchiveEvent>,
    /// Panes whose last task failed, and those of them that wait for the pause to end.
    failing: HashSet<PaneUuid>,
    blocked: HashSet<PaneUuid>,
    reason: Option<String>,
    is_stopping: bool,
}

impl Queue {
    fn next(&mut self) -> Option<Task> {
        let at = self.tasks.iter().position(|task| !self.blocked.contains(&task.pane()))?;
        self.tasks.remove(at)
    }

    fn has_next(&self) -> bool {
        self.tasks.iter().any(|task| !self.blocked.contains(&task.pane()))
    }

    fn done(&mut self, task: &Task, event: ArchiveEvent) {
        self.bytes -= task.bytes();
        self.events.push(event);
        self.failing.remove(&task.pane());
        if self.failing.is_empty() && self.reason.take().is_some() {
            self.events.push(ArchiveEvent::Recovered);
        }
    }

    fn failed(&mut self, task: Task, error: &io::Error) {
        if self.reason.is_none() {
            tracing::error!(pane = %task.pane(), %error, "history is no longer kept");
            self.events.push(ArchiveEvent::Degraded(error.to_string()));
        }
        self.reason = Some(error.to_string());
        self.failing.insert(task.pane());
        self.blocked.insert(task.pane());
        self.tasks.push_front(task);
    }
}

impl Archiver {
    /// Starts the thread. `notify` is called when there are events.
    pub fn start(
        storage: Arc<dyn Storage>,
        options: ArchiverOptions,
        notify: Notify,
    ) -> io::Result<Self> {
        let mut worker = Worker::new(storage)?;
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            wake: Condvar::new(),
            queue_bytes: options.queue_bytes,
            notify,
        });
        let thread = std::thread::Builder::new().name("archiver".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || {
                priority::lower();
                if let Err(error) = worker.finish_removals() {
                    tracing::warn!(%error, "what is left of closed panes cannot be removed");
                }
                if let Err(error) = worker.measure() {
                    tracing::warn!(%error, "cannot tell how much history there is");
                }
                shared.run(&mut worker);
            }
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Hands over a job. It is taken even if there is no room.
    pub fn submit(&mut self, mut job: ArchiveJob) {
        job.keep_sane_blocks();
        self.push(Task::Archive(job));
    }

    /// The same, after history from `source`; if `is_sole` nothing older stays.
    pub fn rewrite(&mut self, mut job: ArchiveJob, source: Option<HistorySource>, is_sole: bool) {
        job.keep_sane_blocks();
        self.push(Task::Rewrite { job, source, is_sole });
    }

    /// Removes all that a pane has printed, and what was still to be written of it.
    pub fn purge(&mut self, pane: PaneUuid) {
        let mut queue = self.shared.lock();
        let is_other = |task: &Task| task.pane() != pane || matches!(task, Task::Remove(_));
        let (kept, gone): (VecDeque<Task>, VecDeque<Task>) =
            std::mem::take(&mut queue.tasks).into_iter().partition(is_other);
        queue.tasks = kept;
        queue.bytes -= gone.iter().map(Task::bytes).sum::<usize>();
        drop(queue);
        self.push(Task::Purge(pane));
    }

    /// Whether the last task of a pane failed and is tried again.
    pub fn is_failing(&self, pane: PaneUuid) -> bool {
        self.shared.lock().failing.contains(&pane)
    }

    /// Removes the directory of a pane that is closed and whose keeper is gone.
    pub fn remove(&mut self, pane: PaneUuid) {
        self.push(Task::Remove(pane));
    }

    /// Keeps a closed pane as it is, whose last keyframe was submitted before. `total` bounds all
    /// history, as in [`HistoryLimits`].
    pub fn keep_closed(&mut self, pane: PaneUuid, note: ClosedPane, total: u64) {
        self.push(Task::Keep { pane, note, total });
    }

    fn push(&mut self, task: Task) {
        let mut queue = self.shared.lock();
        queue.bytes += task.bytes();
        queue.tasks.push_back(task);
        self.shared.wake.notify_one();
    }

    /// Whether the disk keeps up. If not, rings should not be read for the moment; while degraded,
    /// lines have to be given up.
    pub fn has_room(&self) -> bool {
        self.shared.lock().bytes < self.shared.queue_bytes
    }

    /// What happened since the last call.
    pub fn drain_completions(&mut self) -> Vec<ArchiveEvent> {
        std::mem::take(&mut self.shared.lock().events)
    }

    /// Whether everything submitted becomes durable, and if not, why.
    pub fn health(&self) -> Health {
        Health::from_reason(self.shared.lock().reason.as_deref())
    }

    /// Does what is left, trying once what fails, and ends the thread. Returns the last events.
    pub fn finish(mut self) -> Vec<ArchiveEvent> {
        self.stop();
        self.drain_completions()
    }

    fn stop(&mut self) {
        if let Some(thread) = self.thread.take() {
            let mut queue = self.shared.lock();
            queue.is_stopping = true;
            queue.blocked.clear();
            drop(queue);
            self.shared.wake.notify_one();
            let _panicked = thread.join();
        }
    }
}

impl Drop for Archiver {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, worker: &mut Worker) {
        let mut pause = RETRY_PAUSES.0;
        while let Some(mut task) = self.next_task(&mut pause) {
            let bytes = task.bytes();
            let result = worker.run(&mut task);
            let mut queue = self.lock();
            // Lines that are durable are out of the job already.
            queue.bytes -= bytes - task.bytes();
            queue.events.extend(worker.take_removed().map(ArchiveEvent::Removed));
            match result {
                Ok(event) => {
                    queue.done(&task, event);
                    pause = RETRY_PAUSES.0;
                }
                Err(error) => queue.failed(task, &error),
            }
            drop(queue);
            (self.notify)();
        }
    }

    /// The next task to do, after waiting for one; `None` at the end.
    fn next_task(&self, pause: &mut Duration) -> Option<Task> {
        let mut queue = self.lock();
        loop {
            if let Some(task) = queue.next() {
                return Some(task);
            }
            if queue.is_stopping {
                return None;
            }
            if queue.blocked.is_empty() {
                queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
            } else {
                let idle = |queue: &mut Queue| !queue.has_next() && !queue.is_stopping;
                let waited = self.wake.wait_timeout_while(queue, *pause, idle);
                let (guard, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
                queue = guard;
                if timeout.timed_out() {
                    *pause = (*pause * 2).min(RETRY_PAUSES.1);
                    queue.blocked.clear();
                }
            }
        }
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("queue", &self.queue).finish_non_exhaustive()
    }
}
