//! Takes checkpoints beside the running server, and lets them shorten the log.

use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use super::checkpoint::{CheckpointError, CheckpointStore, Snapshot};
use super::format::{self, Format};
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
}

/// Takes one checkpoint at a time in a thread of its own.
pub(super) struct Checkpointer {
    job: Job,
    running: Option<JoinHandle<Result<(), CheckpointError>>>,
    finished: Option<Result<(), CheckpointError>>,
}

impl std::fmt::Debug for Checkpointer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checkpointer").field("running", &self.running).finish_non_exhaustive()
    }
}

impl Checkpointer {
    pub(super) fn new(
        storage: Arc<dyn Storage>,
        checkpoints: CheckpointStore,
        trimmer: Trimmer,
        format: Format,
        notify: Notifier,
    ) -> Self {
        let checkpoints = Arc::new(Mutex::new(checkpoints));
        let job = Job { storage, checkpoints, trimmer, format, notify };
        Self { job, running: None, finished: None }
    }

    pub(super) fn is_busy(&self) -> bool {
        self.running.is_some() || self.finished.is_some()
    }

    /// Takes a checkpoint in the background. The notifier is called when it is done.
    pub(super) fn start(&mut self, snapshot: Snapshot) {
        let job = self.job.clone();
        let run = move || {
            let result = job.run(&snapshot);
            (job.notify)();
            result
        };
        match std::thread::Builder::new().name("checkpoint".into()).spawn(run) {
            Ok(thread) => self.running = Some(thread),
            Err(source) => {
                let action = "start the thread that writes";
                self.finished = Some(Err(CheckpointError::Io { action, source }));
            }
        }
    }

    /// Takes a checkpoint in the calling thread.
    pub(super) fn take_now(&mut self, snapshot: &Snapshot) -> Result<(), CheckpointError> {
        self.wait();
        self.job.run(snapshot)
    }

    /// The outcome of the last background checkpoint, once, as soon as there is one.
    pub(super) fn poll(&mut self) -> Option<Result<(), CheckpointError>> {
        if self.running.as_ref().is_some_and(JoinHandle::is_finished) {
            self.wait();
        }
        self.finished.take()
    }

    fn wait(&mut self) {
        if let Some(thread) = self.running.take() {
            // A panic was reported by its own thread; there is no checkpoint then.
            self.finished = Some(thread.join().unwrap_or(Err(CheckpointError::NotReadBack)));
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.wait();
    }
}

impl Job {
    fn run(&self, snapshot: &Snapshot) -> Result<(), CheckpointError> {
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
}
