//! What the disk can do at all: a log without a server around it.
//!
//! The same bytes a second, in pieces as often as the panes print them, appended to files as long as segments of
//! the spool, synced as often, and the old ones removed as the spool removes them. What is measured is what the
//! server measures, in the same way: of the newest pieces, the time from the end of the write to the end of the
//! sync that covers it.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use super::world::pause;
use crate::bench::report::percentile;
use crate::bench::screen::now;

/// As the spool has them.
const SEGMENT_BYTES: u64 = 32 << 20;
const SYNC_INTERVAL: Duration = Duration::from_millis(10);
/// So many of the newest pieces are looked at.
const SAMPLES: usize = 4096;
/// Panes need about so many segments: beyond 96 MiB those that need the oldest are keyframed.
const SEGMENTS_KEPT: u64 = 4;

/// What is appended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    /// Bytes a second.
    pub(super) rate: u64,
    /// The time between two pieces.
    pub(super) every: Duration,
}

/// How long the newest pieces took, in milliseconds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct SyncLag {
    pub(super) p50: f64,
    pub(super) p99: f64,
}

/// Runs the log in a directory below `place`, and calls `watch` with what tells of it, until that returns.
pub(super) fn run<T>(
    place: &Path,
    load: Load,
    watch: impl FnOnce(&dyn Fn() -> SyncLag) -> T,
) -> Result<T> {
    let directory = TempDir::with_prefix_in("bare-log-", place)?;
    let log = BareLog::begin(directory.path())?;
    thread::scope(|scope| {
        let tasks: [Box<dyn FnOnce() -> io::Result<()> + Send>; 3] = [
            Box::new(|| log.append_all(load)),
            Box::new(|| log.sync_all()),
            Box::new(|| log.remove_all()),
        ];
        let threads = tasks.map(|task| scope.spawn(task));
        let watched = watch(&|| summary(&log.lock().samples));
        log.lock().is_over = true;
        log.wake.notify_all();
        for thread in threads {
            thread.join().expect("it does not panic").context("the bare log")?;
        }
        Ok(watched)
    })
}

struct BareLog<'a> {
    directory: &'a Path,
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    /// Files with bytes that are not durable, the one written to last.
    unsynced: Vec<Arc<File>>,
    is_directory_dirty: bool,
    newest: u64,
    oldest: u64,
    /// Files below this number may go.
    removable_below: u64,
    appended: u64,
    /// Where pieces end that are not durable, and when they were appended.
    pending: VecDeque<(u64, Instant)>,
    samples: VecDeque<Duration>,
    is_over: bool,
}

impl<'a> BareLog<'a> {
    fn begin(directory: &'a Path) -> io::Result<Self> {
        let state = Mutex::new(State { oldest: 1, ..State::default() });
        let log = Self { directory, state, wake: Condvar::new() };
        File::create_new(log.gone(0))?;
        log.begin_file(&mut log.lock())?;
        Ok(log)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while nothing is to be done.
    fn wait_while(&self, is_idle: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let idle = |state: &mut State| is_idle(state) && !state.is_over;
        self.wake.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner)
    }

    fn segment(&self, number: u64) -> PathBuf {
        self.directory.join(format!("{number}.spool"))
    }

    fn gone(&self, number: u64) -> PathBuf {
        self.directory.join(format!("{number}.gone"))
    }

    fn begin_file(&self, state: &mut State) -> io::Result<()> {
        state.newest += 1;
        state.unsynced.push(Arc::new(File::create_new(self.segment(state.newest))?));
        state.is_directory_dirty = true;
        Ok(())
    }

    fn append_all(&self, load: Load) -> io::Result<()> {
        let (start, mut len, mut bytes) = (now(), 0, Vec::new());
        let mut done = 0;
        loop {
            pause(load.every);
            let mut state = self.lock();
            if state.is_over {
                return Ok(());
            }
            let due = bytes_in(load.rate, start.elapsed());
            bytes.resize(usize::try_from(due - done).expect("what is due fits"), b'x');
            done = due;
            if len > 0 && len + bytes.len() as u64 > SEGMENT_BYTES {
                self.begin_file(&mut state)?;
                len = 0;
            }
            let file = state.unsynced.last().expect("the current one is always there");
            file.write_all_at(&bytes, len)?;
            len += bytes.len() as u64;
            state.appended = done;
            state.pending.push_back((done, now()));
            drop(state);
            self.wake.notify_all();
        }
    }

    fn sync_all(&self) -> io::Result<()> {
        // As the server's thread does, where that is allowed.
        #[cfg(target_os = "linux")]
        let _where_allowed = rustix::process::setpriority_process(None, -10);
        loop {
            let state = self.wait_while(|state| state.pending.is_empty());
            let waited = state.pending.front().map_or(SYNC_INTERVAL, |(_, at)| at.elapsed());
            let is_over = state.is_over;
            drop(state);
            if is_over {
                return Ok(());
            }
            pause(SYNC_INTERVAL.saturating_sub(waited));
            let mut state = self.lock();
            let (files, target) = (state.unsynced.clone(), state.appended);
            let is_directory_dirty = std::mem::take(&mut state.is_directory_dirty);
            let removable_below = state.newest.saturating_sub(SEGMENTS_KEPT - 1);
            drop(state);
            for file in &files {
                file.sync_data()?;
            }
            if is_directory_dirty {
                File::open(self.directory)?.sync_all()?;
            }
            let time = now();
            let mut state = self.lock();
            state.durable(target, time);
            state.unsynced.drain(..files.len() - 1);
            state.removable_below = removable_below;
            drop(state);
            self.wake.notify_all();
        }
    }

    fn remove_all(&self) -> io::Result<()> {
        loop {
            let mut state = self.wait_while(|state| state.oldest >= state.removable_below);
            if state.is_over {
                return Ok(());
            }
            let (from, to) = (state.oldest, state.removable_below);
            state.oldest = to;
            drop(state);
            fs::rename(self.gone(from - 1), self.gone(to - 1))?;
            File::open(self.directory)?.sync_all()?;
            for number in from..to {
                fs::remove_file(self.segment(number))?;
                File::open(self.directory)?.sync_all()?;
            }
        }
    }
}

impl State {
    /// What was appended up to `target` is durable.
    fn durable(&mut self, target: u64, time: Instant) {
        while let Some(&(end, at)) = self.pending.front()
            && end <= target
        {
            self.pending.pop_front();
            if self.samples.len() == SAMPLES {
                self.samples.pop_front();
            }
            self.samples.push_back(time - at);
        }
    }
}

fn bytes_in(rate: u64, time: Duration) -> u64 {
    u64::try_from(u128::from(rate) * time.as_micros() / 1_000_000).unwrap_or(u64::MAX)
}

fn summary(samples: &VecDeque<Duration>) -> SyncLag {
    let mut samples: Vec<f64> = samples.iter().map(|lag| lag.as_secs_f64() * 1e3).collect();
    SyncLag { p50: percentile(&mut samples, 50), p99: percentile(&mut samples, 99) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_count_once_they_are_durable_and_old_ones_no_more() {
        let (start, mut state) = (now(), State::default());
        let ms = |ms| start + Duration::from_millis(ms);
        state.pending.extend([(10, ms(1)), (20, ms(4))]);
        state.durable(19, ms(9));
        assert_eq!(summary(&state.samples), SyncLag { p50: 8.0, p99: 8.0 });
        state.durable(20, ms(9));
        assert_eq!(summary(&state.samples), SyncLag { p50: 5.0, p99: 8.0 });
        let later = (0..SAMPLES as u64).map(|n| (21 + n, ms(10)));
        state.pending.extend(later);
        state.durable(u64::MAX, ms(13));
        assert_eq!(summary(&state.samples), SyncLag { p50: 3.0, p99: 3.0 });
    }
}
