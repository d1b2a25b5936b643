//! Takes checkpoints beside the running server, and lets them shorten the log.

use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use super::checkpoint::{CheckpointError, CheckpointStore, Snapshot};
use super::format::{self, Format};
use super::reports::Unkept;
use super::storage::Storage;
use super::wal::{Notifier, Trimmer};

/// What a checkpoint needs, in whichever thread it is taken.
#[derive(Clone)]
struct Job {
    storage: Arc<dyn Storage>,
    checkpoints: Arc<Mutex<CheckpointStore>>,
    trimmer: Trimmer,
    format: Format,
    notify: Notifier,
    /// What has to be noted before.
    unkept: Arc<Mutex<Option<Unkept>>>,
}

/// Takes one checkpoint at a time in a thread of its own.
pub(super) struct Checkpointer {
    job: Job,
    thread: Option<JoinHandle<()>>,
    /// What became of the checkpoint that is under way; filled in before the notifier is called.
    outcome: Arc<Mutex<Option<Result<(), CheckpointError>>>>,
    is_busy: bool,
}

impl std::fmt::Debug for Checkpointer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checkpointer").field("is_busy", &self.is_busy).finish_non_exhaustive()
    }
}

impl Checkpointer {
    pub(super) fn new(
        storage: Arc<dyn Storage>,
        checkpoints: CheckpointStore,
        trimmer: Trimmer,
        format: Format,
        notify: Notifier,
        unkept: Option<Unkept>,
    ) -> Self {
        let checkpoints = Arc::new(Mutex::new(checkpoints));
        let unkept = Arc::new(Mutex::new(unkept));
        let job = Job { storage, checkpoints, trimmer, format, notify, unkept };
        Self { job, thread: None, outcome: Arc::default(), is_busy: false }
    }

    /// Whether a checkpoint is under way whose outcome was not polled yet.
    pub(super) fn is_busy(&self) -> bool {
        self.is_busy
    }

    /// Takes a checkpoint in the background. The notifier is called when it is done.
    pub(super) fn start(&mut self, snapshot: Snapshot) {
        self.join();
        self.is_busy = true;
        let (job, outcome) = (self.job.clone(), Arc::clone(&self.outcome));
        let run = move || {
            let result = job.run(&snapshot);
            put(&outcome, result);
            (job.notify)();
        };
        match std::thread::Builder::new().name("checkpoint".into()).spawn(run) {
            Ok(thread) => self.thread = Some(thread),
            Err(source) => {
                let action = "start the thread that writes";
                put(&self.outcome, Err(CheckpointError::Io { action, source }));
            }
        }
    }

    /// Takes a checkpoint in the calling thread.
    pub(super) fn take_now(&mut self, snapshot: &Snapshot) -> Result<(), CheckpointError> {
        self.join();
        self.job.run(snapshot)
    }

    /// The outcome of the last background checkpoint, once, as soon as there is one.
    pub(super) fn poll(&mut self) -> Option<Result<(), CheckpointError>> {
        if self.thread.as_ref().is_some_and(JoinHandle::is_finished) {
            self.join();
        }
        let outcome =
            self.outcome.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()?;
        self.is_busy = false;
        Some(outcome)
    }

    fn join(&mut self) {
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            // The panic was reported by its own thread; there is no checkpoint then.
            put(&self.outcome, Err(CheckpointError::NotReadBack));
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.join();
    }
}

fn put(outcome: &Mutex<Option<Result<(), CheckpointError>>>, result: Result<(), CheckpointError>) {
    *outcome.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(result);
}

impl Job {
    fn run(&self, snapshot: &Snapshot) -> Result<(), CheckpointError> {
        self.keep_report()?;
        let mut checkpoints =
            self.checkpoints.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let verified = checkpoints.write(snapshot)?;
        self.trimmer.checkpointed(verified);
        if let Some(floor) = checkpoints.trim_floor() {
            self.trimmer.trim(&floor);
        }
        let format = Format { watermark: snapshot.seq, ..self.format };
        if let Err(error) = format::write(&*self.storage, &format) {
            // A lower watermark only proves less.
            tracing::warn!(%error, "the watermark of the log could not be written");
        }
        Ok(())
    }

    /// What the recovery found is told of before anything hides it (P4).
    fn keep_report(&self) -> Result<(), CheckpointError> {
        let mut unkept = self.unkept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(report) = &*unkept {
            let action = "note what the recovery found before";
            report.keep(&*self.storage).map_err(|source| CheckpointError::Io { action, source })?;
            *unkept = None;
        }
        Ok(())
    }
}
