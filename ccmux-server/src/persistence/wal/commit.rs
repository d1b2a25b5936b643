//! What the committer does: syncing, beginning segments, and starting over when the disk fails.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::log::{Carried, Log};
use super::segment::{HEADER_BYTES, framed_bytes};
use super::state::{Demand, Job, LogState, Segment, Standing, Unacknowledged, next_retry};
use super::{NEXT_SEGMENT, Seq, WAL_DIR, segment_path};
use crate::persistence::priority;
use crate::persistence::storage::{StorageFile, create_dir_durably};

impl Log {
    /// The committer thread.
    pub(super) fn run(&self) {
        priority::raise();
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

    #[cfg(any(test, feature = "test-hooks"))]
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

    fn perform(&self, job: Job) {
        match job {
            Job::Sync => self.sync(),
            Job::Rotate => self.rotate(),
            Job::Repair => self.repair(),
            Job::Reopen => self.reopen(),
            Job::Wait(_) | Job::Stop => {}
        }
    }

    pub(super) fn sync(&self) {
        let mut state = self.lock();
        let Some(current) = &state.current else { return };
        let files: Vec<_> = state.retired.iter().chain([&current.file]).map(Arc::clone).collect();
        let (target, is_dir_dirty, newest) = (state.issued, state.is_dir_dirty, state.newest);
        state.demand = Demand::None;
        // A kill may come between a failure of this sync and whoever would note it.
        state.is_syncing = true;
        self.mark(&mut state);
        drop(state);
        let mut result = files.iter().try_for_each(|file| file.sync());
        if is_dir_dirty {
            result = result.and_then(|()| self.storage.sync_dir(Path::new(WAL_DIR)));
        }
        let mut state = self.lock();
        state.is_syncing = false;
        match result {
            Ok(()) => {
                state.retired = None;
                state.is_dir_dirty = false;
                state.settled = newest;
                state.synced(target);
            }
            Err(error) => state.fail(&format!("cannot sync the log: {error}")),
        }
        self.mark(&mut state);
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
                Err(error) => {
                    state.fail(&format!("cannot put a log segment in place: {error}"));
                    self.mark(&mut state);
                }
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
                // Nothing was acknowledged since the log began here.
                let is_begun_again = state.durable == state.bridge_to;
                let follows = if is_begun_again { state.bridge } else { Some(state.durable) };
                let logged = state.logged;
                let salt = state.begin(&file, first, follows, self)?;
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
                self.mark(&mut state);
                drop(state);
                self.publish();
            }
        }
    }

    /// Begins the log with a segment that repeats records. It gets its name when it is whole: that
    /// is when the old ones are void.
    pub(super) fn begin_with(&self, carried: &Carried) {
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
    pub(super) fn reopen(&self) {
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
                state.bridge_to = state.issued;
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
        state.newest = Some(first);
        while let Some(repeated) = state.segments.last().copied().filter(|last| *last > first) {
            match self.storage.remove(&segment_path(repeated)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => state.segments.remove(&repeated),
            };
        }
        Ok(())
    }
}
