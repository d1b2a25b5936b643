//! Signals as something to poll.

use std::io::{self, Read as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::SigId;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH};
use signal_hook::{flag, low_level};

/// What a signal asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Signal {
    /// To end. On a raw terminal `C-c` and `C-\` are input, so SIGINT and SIGQUIT come from
    /// elsewhere and mean the same as SIGTERM.
    Terminate,
    /// To end, because the terminal is gone.
    HangUp,
    /// To stop, as `C-z` would.
    Stop,
    /// We were stopped, however that was, and go on.
    Continue,
    /// The terminal has another size.
    Resize,
}

/// Every signal that is caught, in the order in which pending ones are looked at.
const CAUGHT: [(i32, Signal); 7] = [
    (SIGTERM, Signal::Terminate),
    (SIGINT, Signal::Terminate),
    (SIGQUIT, Signal::Terminate),
    (SIGHUP, Signal::HangUp),
    (SIGTSTP, Signal::Stop),
    (SIGCONT, Signal::Continue),
    (SIGWINCH, Signal::Resize),
];

/// The signals caught since they were last taken. Catches them until it is dropped.
#[derive(Debug)]
pub(crate) struct Signals {
    wake: UnixStream,
    flags: Flags,
    registered: Vec<SigId>,
}

type Flags = [Arc<AtomicBool>; CAUGHT.len()];

impl Signals {
    /// Starts catching.
    pub(crate) fn register() -> io::Result<Self> {
        let (wake, waker) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        let mut signals = Signals { wake, flags: Flags::default(), registered: Vec::new() };
        for ((number, _), is_pending) in CAUGHT.iter().zip(&signals.flags) {
            // The flag first: it is up when the wake-up comes.
            signals.registered.push(flag::register(*number, Arc::clone(is_pending))?);
            signals.registered.push(low_level::pipe::register(*number, waker.try_clone()?)?);
        }
        Ok(signals)
    }

    /// The signals that are pending, each once.
    pub(crate) fn take(&mut self) -> Vec<Signal> {
        // The wake-ups first: a signal that comes in between is taken now and wakes once in vain.
        let mut bytes = [0; 64];
        while self.wake.read(&mut bytes).is_ok_and(|n| n > 0) {}
        let pending = CAUGHT.iter().zip(&self.flags);
        pending
            .filter(|(_, is_pending)| is_pending.swap(false, Ordering::SeqCst))
            .map(|((_, signal), _)| *signal)
            .collect()
    }

    /// Forgets a continuation that was noticed otherwise.
    pub(crate) fn forget_continue(&mut self) {
        for ((_, signal), is_pending) in CAUGHT.iter().zip(&self.flags) {
            if *signal == Signal::Continue {
                is_pending.store(false, Ordering::SeqCst);
            }
        }
    }

    /// Stops this process, as the default action of SIGTSTP does; returns when it is continued.
    pub(crate) fn stop_process() -> io::Result<()> {
        low_level::emulate_default_handler(SIGTSTP)
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        for id in self.registered.drain(..) {
            low_level::unregister(id);
        }
    }
}
