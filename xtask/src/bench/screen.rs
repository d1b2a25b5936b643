//! A terminal that notes when something appears in what it is sent.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use ccmux_testkit::{Display, PtyProcess};
use memchr::memmem;

/// How long anything measured here may take before the run is given up.
const DEADLINE: Duration = Duration::from_mins(1);

/// The present moment.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// A program in a pseudo-terminal, and what is waited for in its output.
#[derive(Debug)]
pub(super) struct Terminal {
    pub(super) process: PtyProcess<Watch>,
    wanted: Arc<Mutex<Option<Wanted>>>,
}

/// The display behind a [`Terminal`]: it draws nothing.
#[derive(Debug)]
pub(super) struct Watch {
    wanted: Arc<Mutex<Option<Wanted>>>,
    /// The end of the output: at least what a text that is not complete yet can consist of.
    tail: Vec<u8>,
}

#[derive(Debug)]
struct Wanted {
    text: Vec<u8>,
    seen: Sender<Instant>,
}

/// A text that was asked for, and will have been seen at some time.
#[derive(Debug)]
pub(super) struct Sighting(Receiver<Instant>, String);

impl Sighting {
    /// Waits for it, and returns when it was seen.
    pub(super) fn wait(self) -> Result<Instant> {
        let seen = self.0.recv_timeout(DEADLINE);
        seen.with_context(|| format!("{:?} never appears", self.1))
    }
}

impl Terminal {
    /// Starts `command` in a terminal of 80 by 24, unless `size` says otherwise.
    pub(super) fn open(command: std::process::Command, size: (u16, u16)) -> Result<Self> {
        let wanted = Arc::new(Mutex::new(None));
        let watch = Watch { wanted: Arc::clone(&wanted), tail: Vec::new() };
        let process = PtyProcess::spawn(command, size.0, size.1, watch)?;
        Ok(Terminal { process, wanted })
    }

    /// Looks for `text` in what is printed from now on, together with the last few bytes.
    pub(super) fn look_for(&self, text: &str) -> Sighting {
        let (seen, sighting) = channel();
        *lock(&self.wanted) = Some(Wanted { text: text.into(), seen });
        Sighting(sighting, text.to_owned())
    }

    /// Types `keys` and returns how long it took until `text` appeared.
    pub(super) fn time_until(&self, text: &str, keys: &str) -> Result<Duration> {
        let sighting = self.look_for(text);
        let start = now();
        self.process.type_bytes(keys.as_bytes());
        Ok(sighting.wait()?.duration_since(start))
    }
}

impl Display for Watch {
    fn show(&mut self, output: &[u8]) -> Vec<u8> {
        let mut wanted = lock(&self.wanted);
        let Some(want) = wanted.as_ref() else { return Vec::new() };
        self.tail.extend_from_slice(output);
        if memmem::find(&self.tail, &want.text).is_some() {
            // Whoever asked may have given up.
            let _ = want.seen.send(now());
            *wanted = None;
            self.tail.clear();
        } else {
            let excess = self.tail.len().saturating_sub(want.text.len() - 1);
            self.tail.drain(..excess);
        }
        Vec::new()
    }

    fn resize(&mut self, _cols: u16, _rows: u16) {}

    fn dump(&self) -> String {
        self.tail.escape_ascii().to_string()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
