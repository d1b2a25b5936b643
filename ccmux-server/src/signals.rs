//! Signals, turned into readiness of a descriptor and flags.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM, SIGUSR1};

/// Which signals arrived since the last look.
#[derive(Debug)]
pub(crate) struct Signals {
    reader: UnixStream,
    terminate: Arc<AtomicBool>,
    rebind: Arc<AtomicBool>,
    child: Arc<AtomicBool>,
}

/// What [`Signals::take`] found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Arrived {
    /// SIGTERM, SIGINT: stop in order.
    pub(crate) terminate: bool,
    /// SIGUSR1: bind the socket again, as in tmux.
    pub(crate) rebind: bool,
    /// SIGCHLD: a keeper or a shell command ended.
    pub(crate) child: bool,
}

impl Signals {
    /// Installs the handlers of this process. SIGHUP is ignored: the server has no terminal.
    pub(crate) fn install() -> io::Result<Self> {
        let (reader, writer) = UnixStream::pair()?;
        reader.set_nonblocking(true)?;
        let signals = Self {
            reader,
            terminate: Arc::default(),
            rebind: Arc::default(),
            child: Arc::default(),
        };
        for (signal, flag) in [
            (SIGTERM, &signals.terminate),
            (SIGINT, &signals.terminate),
            (SIGUSR1, &signals.rebind),
            (SIGCHLD, &signals.child),
        ] {
            signal_hook::flag::register(signal, Arc::clone(flag))?;
            signal_hook::low_level::pipe::register(signal, writer.try_clone()?)?;
        }
        signal_hook::flag::register(SIGHUP, Arc::default())?;
        Ok(signals)
    }

    /// What tells whether the process was told to stop since [`Signals::take`] was called last, and
    /// outlives the server.
    pub(crate) fn terminate(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.terminate)
    }

    /// A handle that no signal reaches: handlers are of the whole process.
    #[cfg(test)]
    pub(crate) fn unheard() -> io::Result<Self> {
        let (reader, _) = UnixStream::pair()?;
        reader.set_nonblocking(true)?;
        let (terminate, rebind, child) = <_>::default();
        Ok(Self { reader, terminate, rebind, child })
    }

    /// Takes the flags, after emptying the pipe that woke the loop.
    pub(crate) fn take(&self) -> Arrived {
        let mut scratch = [0; 64];
        while io::Read::read(&mut &self.reader, &mut scratch).is_ok_and(|len| len > 0) {}
        let take = |flag: &AtomicBool| flag.swap(false, Ordering::SeqCst);
        Arrived {
            terminate: take(&self.terminate),
            rebind: take(&self.rebind),
            child: take(&self.child),
        }
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}
