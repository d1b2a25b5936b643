//! The spool: one append-only log for the output of all panes.
//!
//! One log and not one for each pane, because one file that is synced often is durable sooner than
//! many. What [`Spool::append`] took survives a kill of the server when it returns, and a power cut
//! about ten milliseconds later, when the syncer thread has come by. A pane's frames may go once a
//! durable keyframe covers them; segments go as a whole, oldest first.
//!
//! Invariants
//! * No process appends to a file that an earlier process wrote; the header of each segment says
//!   where its predecessor validly ends, so that what lies behind that is never read again.
//! * The frames of a pane are numbered without holes. A reader that misses a number shows a gap in
//!   that pane, and nowhere else; one that sees a number twice takes it once.
//! * After a failed write or sync the file is never synced again (P8): frames that were not durable
//!   are written once more, to a new segment. If that fails too the spool is degraded: it takes no
//!   frames, says why, and tries again with growing pauses.
//! * Removing a segment takes longer than many syncs, so a thread of its own does it, after a sync.
//! * A segment is removed only when no pane needs it, or when the total would be exceeded; then the
//!   panes that lose output are named. One that is not gone yet counts, and where removing is slow
//!   output waits for it (P6).

mod format;
mod lag;
mod log;
mod replay;
mod scan;
mod sync_work;
mod table;
mod tail;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use ccmux_core::ids::PaneUuid;
use uuid::Uuid;

pub use self::format::{FRAME_PAYLOAD_MAX, FrameKind, FrameRef};
pub use self::lag::SyncLag;
use self::log::SpoolLog;
pub use self::replay::{Frame, Replay, ReplayItem, StreamGap};
pub use self::scan::SpoolIndex;
use self::sync_work::remove_segments;
use super::layout::StreamPosition;
use super::{Health, Notify};
use crate::persistence::priority;
use crate::persistence::storage::Storage;

/// First and longest pause between attempts to leave degraded mode.
const RETRY_PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Output longer than this is no echo, and need not be on its way before the syncer is woken.
const ECHO_BYTES_MAX: usize = 4096;

/// How a spool is kept.
#[derive(Clone, Debug)]
pub struct SpoolOptions {
    /// Id of the store; segments of another one are not read.
    pub store: Uuid,
    /// The boot of the machine; nil where it cannot be told.
    pub boot: Uuid,
    /// Random bits, new for each start of the server.
    pub salt: u64,
    /// A new segment is begun at this length.
    pub segment_bytes: u64,
    /// Panes that need the oldest segment are reported once all that are needed are longer than this.
    pub pin_bytes: u64,
    /// The oldest output is given up once all segments that are needed are longer than this.
    pub total_bytes: u64,
    /// By so much the disk may hold more than `total_bytes`: segments that nobody needs, and that are not
    /// removed yet. [`Spool::has_room`] says no beyond that.
    pub leaving_bytes_max: u64,
    /// [`Spool::has_room`] says no while more than this is not durable.
    pub unsynced_bytes_max: usize,
    /// How long the syncer waits for more before it syncs, from the oldest frame that waits for it.
    pub sync_interval: Duration,
    /// How long the syncer may sleep on while there is something for it to do: see [`Spool::wake_syncer`].
    pub wake_delay_max: Duration,
    /// Tells the time since some fixed moment, to measure how long syncs take.
    pub elapsed: fn() -> Duration,
}

impl SpoolOptions {
    /// The usual sizes.
    pub fn new(store: Uuid, boot: Uuid, salt: u64) -> Self {
        Self {
            store,
            boot,
            salt,
            segment_bytes: 32 << 20,
            pin_bytes: 96 << 20,
            total_bytes: 512 << 20,
            leaving_bytes_max: 64 << 20,
            unsynced_bytes_max: 16 << 20,
            sync_interval: Duration::from_millis(10),
            wake_delay_max: Duration::from_millis(1),
            elapsed: || Duration::ZERO,
        }
    }
}

/// Something the server must act on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SpoolEvent {
    /// Frames are no longer taken, for this reason.
    Degraded(String),
    /// Frames are taken again, and durable. Every pane with output in between needs a keyframe.
    Recovered,
    /// The oldest output of this pane was given up before a keyframe covered it.
    Dropped(PaneUuid),
}

/// The spool of a running server.
#[derive(Debug)]
pub struct Spool {
    shared: Arc<Shared>,
    /// The syncer, and the thread that removes segments: removing one takes as long as many syncs.
    threads: Vec<JoinHandle<()>>,
    /// The syncer sleeps, and there is something for it to do.
    is_wake_due: bool,
}

struct Shared {
    storage: Arc<dyn Storage>,
    log: Mutex<SpoolLog>,
    wake: Condvar,
    wake_remover: Condvar,
    is_stopping: std::sync::atomic::AtomicBool,
    sync_interval: Duration,
    wake_delay_max: Duration,
    notify: Notify,
}

impl Spool {
    /// Opens the spool behind everything in `index`. If no segment can be made it starts degraded.
    ///
    /// Nothing is synced until [`Spool::start_syncer`] or [`Spool::sync`] is called. `notify` is
    /// called, from any thread, when there are events or when there is room again; it must not call
    /// back into the spool.
    pub fn open(
        storage: Arc<dyn Storage>,
        index: &SpoolIndex,
        options: SpoolOptions,
        notify: Notify,
    ) -> Self {
        let (sync_interval, wake_delay_max) = (options.sync_interval, options.wake_delay_max);
        let log = Mutex::new(SpoolLog::open(Arc::clone(&storage), index, options));
        let shared = Shared {
            storage,
            log,
            wake: Condvar::new(),
            wake_remover: Condvar::new(),
            is_stopping: false.into(),
            sync_interval,
            wake_delay_max,
            notify,
        };
        Self { shared: Arc::new(shared), threads: Vec::new(), is_wake_due: false }
    }

    /// Starts the threads that sync and remove. They sleep while there is nothing to do.
    pub fn start_syncer(&mut self) -> io::Result<()> {
        let tasks =
            [("spool-syncer", Shared::run as fn(&Shared)), ("spool-remover", Shared::remove)];
        for (name, task) in tasks {
            let shared = Arc::clone(&self.shared);
            let thread = std::thread::Builder::new().name(name.to_owned());
            self.threads.push(thread.spawn(move || task(&shared))?);
        }
        Ok(())
    }

    /// Appends a frame; when this returns it survives a kill of the server. Returns the point after
    /// it, which a keyframe taken after applying the frame must name.
    ///
    /// On an error (degraded, mostly) the frame is not in the spool.
    ///
    /// The syncer sleeps on until [`Spool::wake_syncer`], if that does not take too long.
    pub fn append(&mut self, frame: FrameRef<'_>) -> io::Result<StreamPosition> {
        let mut log = self.shared.lock();
        self.is_wake_due |= !(log.is_dirty() || log.needs_retry());
        let appended = log.append(&frame);
        drop(log);
        if frame.payload.len() > ECHO_BYTES_MAX {
            self.wake_syncer();
        } else {
            self.wake_late_syncer();
        }
        appended
    }

    /// Tells the syncer of frames that were appended: apart from that, so that an echo is on its
    /// way before another thread competes for a processor.
    pub fn wake_syncer(&mut self) {
        if std::mem::take(&mut self.is_wake_due) {
            self.shared.wake.notify_one();
        }
    }

    /// The same, if the oldest frame has waited for that already: there is too much going on for an echo.
    pub fn wake_late_syncer(&mut self) {
        if self.is_wake_due && self.shared.lock().waited() >= self.shared.wake_delay_max {
            self.wake_syncer();
        }
    }

    /// Lets the stream of a recovered pane go on at `position`. A pane that is not told of begins
    /// with its first frame.
    pub fn resume(&mut self, pane: PaneUuid, position: StreamPosition) {
        self.shared.lock().resume(pane, position);
    }

    /// The point after the last frame of `pane`.
    pub fn position(&self, pane: PaneUuid) -> Option<StreamPosition> {
        self.shared.lock().position(pane)
    }

    /// Gives up the frames of `pane` before `position`, which a durable keyframe covers.
    pub fn release(&mut self, pane: PaneUuid, position: StreamPosition) {
        self.change(|log| log.release(pane, position));
    }

    /// Gives up all frames of a pane that is closed.
    pub fn forget(&mut self, pane: PaneUuid) {
        self.change(|log| log.forget(pane));
    }

    /// Gives up all frames of the panes for which `is_kept` says no; after recovery.
    pub fn retain(&mut self, is_kept: impl Fn(PaneUuid) -> bool) {
        self.change(|log| log.retain(is_kept));
    }

    /// Lets all that was written so far go as soon as no pane needs it: [`Spool::pinning`] names
    /// those that do.
    pub fn retire(&mut self) {
        self.change(SpoolLog::retire);
    }

    fn change(&mut self, change: impl FnOnce(&mut SpoolLog)) {
        let mut log = self.shared.lock();
        change(&mut log);
        if log.is_dirty() {
            self.shared.wake.notify_one();
        }
    }

    /// The panes that keep the oldest segment from going although the spool has grown long, or any
    /// that was retired; each should get a keyframe.
    pub fn pinning(&self) -> Vec<PaneUuid> {
        self.shared.lock().pinning()
    }

    /// Whether the disk keeps up with writing and with removing. If not, rings should not be read for the moment.
    pub fn has_room(&self) -> bool {
        self.shared.lock().has_room()
    }

    /// Whether everything appended becomes durable, and if not, why.
    pub fn health(&self) -> Health {
        Health::from_reason(self.shared.lock().degraded())
    }

    /// What happened since the last call.
    pub fn drain_events(&mut self) -> Vec<SpoolEvent> {
        self.shared.lock().take_events()
    }

    /// Bytes of frames appended by this process.
    pub fn appended(&self) -> u64 {
        self.shared.lock().progress().1
    }

    /// How many of the appended bytes are durable.
    pub fn durable(&self) -> u64 {
        self.shared.lock().progress().0
    }

    /// How long the newest frames took until they were durable.
    pub fn lag(&self) -> SyncLag {
        self.shared.lock().lag()
    }

    /// Bytes of segments that nobody needs and the disk does not remove; `None` while it does.
    pub fn stuck_bytes(&self) -> Option<u64> {
        self.shared.lock().stuck_bytes()
    }

    /// Bytes of all segments that are there, needed or not.
    pub fn bytes(&self) -> u64 {
        self.shared.lock().bytes()
    }

    /// Syncs what was appended so far, removes what is not needed and, if degraded, tries again to
    /// be well, all on the calling thread: for a clean shutdown. Returns the health after that.
    pub fn sync(&mut self) -> Health {
        self.shared.lock().retry();
        while self.shared.sync_once() || self.shared.remove_once() {}
        self.health()
    }
}

impl Drop for Spool {
    /// Syncs what is left and ends the threads.
    fn drop(&mut self) {
        if self.threads.is_empty() {
            return;
        }
        {
            let _log = self.shared.lock();
            self.shared.is_stopping.store(true, std::sync::atomic::Ordering::SeqCst);
        }
        self.shared.wake.notify_one();
        self.shared.wake_remover.notify_one();
        for thread in self.threads.drain(..) {
            let _panicked = thread.join();
        }
        // What the last sync left, if the remover had ended by then.
        self.shared.remove_once();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, SpoolLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopping(&self) -> bool {
        self.is_stopping.load(std::sync::atomic::Ordering::SeqCst)
    }

    /// Waits until `timeout` is over or the spool ends.
    fn pause(&self, timeout: Duration) {
        let waited = self.wake.wait_timeout_while(self.lock(), timeout, |_| !self.is_stopping());
        drop(waited);
    }

    /// The syncer thread.
    fn run(&self) {
        priority::raise();
        let mut pause = RETRY_PAUSES.0;
        loop {
            let (is_degraded, waited) = {
                let idle = |log: &mut SpoolLog| {
                    !log.is_dirty() && !log.needs_retry() && !self.is_stopping()
                };
                let log = self.wake.wait_while(self.lock(), idle);
                let log = log.unwrap_or_else(PoisonError::into_inner);
                if self.is_stopping() && !log.is_dirty() {
                    return;
                }
                (log.needs_retry() && !log.is_dirty(), log.waited())
            };
            if is_degraded {
                self.pause(pause);
                pause = (pause * 2).min(RETRY_PAUSES.1);
                self.lock().retry();
            } else {
                // What came during a long sync has waited already.
                self.pause(self.sync_interval.saturating_sub(waited));
            }
            self.sync_once();
            if self.lock().degraded().is_none() {
                pause = RETRY_PAUSES.0;
            }
        }
    }

    /// The remover thread.
    fn remove(&self) {
        loop {
            let idle = |log: &mut SpoolLog| !log.has_removable() && !self.is_stopping();
            drop(self.wake_remover.wait_while(self.lock(), idle));
            if !self.remove_once() && self.is_stopping() {
                return;
            }
        }
    }

    /// Removes what may go, if there is anything; returns whether there was.
    fn remove_once(&self) -> bool {
        let segments = self.lock().begin_removal();
        if segments.is_empty() {
            return false;
        }
        let removed = remove_segments(&*self.storage, &segments);
        let mut log = self.lock();
        let had_room = log.has_room();
        log.finish_removal(&segments, removed);
        // What waited until it was known that segments go.
        if log.is_dirty() {
            self.wake.notify_one();
        }
        let is_news = log.has_events() || (!had_room && log.has_room());
        drop(log);
        if is_news {
            (self.notify)();
        }
        true
    }

    /// Does one sync, if there is anything to do; returns whether there was.
    fn sync_once(&self) -> bool {
        let (work, had_room) = {
            let mut log = self.lock();
            (log.begin_sync(), log.has_room())
        };
        let Some(work) = work else { return false };
        let result = work.run(&*self.storage);
        let mut log = self.lock();
        log.finish_sync(&work, result);
        let is_news = log.has_events() || (!had_room && log.has_room());
        let has_removable = log.has_removable();
        drop(log);
        if has_removable {
            self.wake_remover.notify_one();
        }
        if is_news {
            (self.notify)();
        }
        true
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("log", &self.log).finish_non_exhaustive()
    }
}
