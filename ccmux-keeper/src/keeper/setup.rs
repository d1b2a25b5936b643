//! Making the process a keeper: its descriptors, session and signals.

use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rustix::fs::{Mode, OFlags};
use signal_hook::consts::{
    SIGALRM, SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGIO, SIGPIPE, SIGPROF, SIGQUIT, SIGTERM, SIGTSTP,
    SIGTTIN, SIGTTOU, SIGURG, SIGUSR1, SIGUSR2, SIGVTALRM, SIGWINCH, SIGXCPU, SIGXFSZ,
};

/// What the process keeps for life besides its connections.
#[derive(Debug)]
pub(super) struct Setup {
    /// The lock that says "this pane's keeper lives"; close-on-exec, so the program never has it.
    _alive: OwnedFd,
    child_signal: UnixStream,
}

impl Setup {
    /// Lets go of everything inherited except the two descriptors described at
    /// [`run`](super::run); returns the connection to the server.
    pub(super) fn detach() -> io::Result<(Setup, UnixStream)> {
        close_strangers();
        // In this order: Linux closes a dying process's files from the highest number down, and
        // the lock should be free by the time the connection's end is seen.
        let server = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?;
        let alive = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3)?;
        let null = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
        rustix::stdio::dup2_stdin(&null)?;
        rustix::stdio::dup2_stdout(&null)?;
        rustix::stdio::dup2_stderr(&null)?;
        rustix::process::chdir("/")?;
        // Fails only for a process that already leads a group of its own, which is as good.
        let _ = rustix::process::setsid();
        let child_signal = handle_signals()?;
        Ok((Setup { _alive: alive, child_signal }, UnixStream::from(server)))
    }

    /// Readable when a child has changed state.
    pub(super) fn child_signal(&self) -> BorrowedFd<'_> {
        self.child_signal.as_fd()
    }

    pub(super) fn clear_child_signal(&mut self) {
        let mut bytes = [0; 64];
        while matches!(self.child_signal.read(&mut bytes), Ok(count) if count > 0) {}
    }
}

/// Gives this process, and what it starts, the given place in the out-of-memory killer's order.
/// Best effort: going below what was inherited takes privileges, and ccmux works without.
#[cfg(target_os = "linux")]
pub(super) fn set_oom_score_adj(value: Option<i32>) {
    if let Some(value) = value {
        let _ = std::fs::write("/proc/self/oom_score_adj", value.to_string());
    }
}

/// No such thing elsewhere.
#[cfg(not(target_os = "linux"))]
pub(super) fn set_oom_score_adj(_value: Option<i32>) {}

/// Handlers, not `SIG_IGN`: an exec resets handlers to the default, so the program starts with
/// every signal as it expects it.
fn handle_signals() -> io::Result<UnixStream> {
    let ignored = Arc::new(AtomicBool::new(false));
    for signal in [
        SIGALRM, SIGCONT, SIGHUP, SIGINT, SIGIO, SIGPIPE, SIGPROF, SIGQUIT, SIGTERM, SIGTSTP,
        SIGTTIN, SIGTTOU, SIGURG, SIGUSR1, SIGUSR2, SIGVTALRM, SIGWINCH, SIGXCPU, SIGXFSZ,
    ] {
        signal_hook::flag::register(signal, Arc::clone(&ignored))?;
    }
    let (read, write) = UnixStream::pair()?;
    read.set_nonblocking(true)?;
    signal_hook::low_level::pipe::register(SIGCHLD, write)?;
    Ok(read)
}

/// Closes what the server, or whoever started it, leaked: a pipe held here would never end, and a
/// descriptor passed on would end up in the program.
fn close_strangers() {
    let listed: Vec<RawFd> = match std::fs::read_dir("/dev/fd") {
        Ok(entries) => {
            entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
        }
        // Not everywhere is there such a list; few processes have more than these.
        Err(_) => (0..1024).collect(),
    };
    for descriptor in listed.into_iter().filter(|descriptor| *descriptor > 2) {
        #[expect(unsafe_code, reason = "closing descriptors that no value owns")]
        // SAFETY: by the contract of `run` nothing in this process owns a descriptor above 2 yet.
        // The one that listed the directory is closed already, so look before closing.
        unsafe {
            if rustix::io::fcntl_getfd(BorrowedFd::borrow_raw(descriptor)).is_ok() {
                rustix::io::close(descriptor);
            }
        }
    }
}
