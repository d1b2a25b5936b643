//! The program: whether it lives, and signals to it.
//!
//! Process ids are reused, so one is signalled or believed in only with proof that it still is
//! the program: it is our child and not yet reaped, or the pty says that its session is there.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitStatus, getsid, kill_process_group};
use rustix::termios::{tcgetpgrp, tcgetsid};

use crate::ring::ChildEnd;

/// The program in the pane, as far as this keeper can watch it.
#[derive(Debug)]
pub(super) enum Program {
    /// A child of this keeper.
    Own(Pid),
    /// Started by a keeper that was killed.
    Foreign {
        pid: Pid,
        /// Readable when it has ended, on systems that have such a thing.
        pidfd: Option<OwnedFd>,
    },
    /// It has ended.
    Ended,
}

impl Program {
    /// A program that another keeper started.
    pub(super) fn foreign(pid: Pid) -> Program {
        match open_pidfd(pid) {
            Err(Errno::SRCH) => Program::Ended,
            pidfd => Program::Foreign { pid, pidfd: pidfd.ok() },
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        matches!(self, Program::Ended)
    }

    /// What to poll to learn of its end.
    pub(super) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Program::Foreign { pidfd, .. } => pidfd.as_ref().map(OwnedFd::as_fd),
            Program::Own(_) | Program::Ended => None,
        }
    }

    /// Whether its end can only be found by looking now and then.
    pub(super) fn needs_looking(&self) -> bool {
        matches!(self, Program::Foreign { pidfd: None, .. })
    }

    /// A child was reaped: how it ended, if it was the program.
    pub(super) fn child_exited(&mut self, pid: Pid, status: WaitStatus) -> Option<ChildEnd> {
        if !matches!(self, Program::Own(own) if *own == pid) {
            return None;
        }
        let exited = status.exit_status().map(ChildEnd::Exited);
        let signaled = || status.terminating_signal().map(ChildEnd::Signaled);
        let end = exited.or_else(signaled)?;
        *self = Program::Ended;
        Some(end)
    }

    /// Looks whether a foreign program is still there.
    pub(super) fn look(&mut self) -> Option<ChildEnd> {
        let Program::Foreign { pid, pidfd } = self else { return None };
        let is_gone = match pidfd {
            Some(pidfd) => is_readable(pidfd.as_fd()),
            // It leads its session for life, so one that does not is another process.
            None => !matches!(getsid(Some(*pid)), Ok(session) if session == *pid),
        };
        if !is_gone {
            return None;
        }
        *self = Program::Ended;
        Some(ChildEnd::Unknown)
    }

    /// Sends a signal to the foreground process group of the pty.
    pub(super) fn signal_foreground(&self, master: &OwnedFd, signal: i32) {
        if let (Some(signal), Some(_)) = (Signal::from_named_raw(signal), self.proven(master))
            && let Ok(group) = tcgetpgrp(master)
        {
            let _ = kill_process_group(group, signal);
        }
    }

    /// Sends a signal to the program's process group and the one in the foreground, then wakes
    /// them, because a stopped process takes no other signal.
    pub(super) fn end(&self, master: &OwnedFd, signal: i32) {
        let (Some(signal), Some(pid)) = (Signal::from_named_raw(signal), self.proven(master))
        else {
            return;
        };
        let foreground = tcgetpgrp(master).ok().filter(|group| *group != pid);
        for group in [Some(pid), foreground].into_iter().flatten() {
            // A group that is gone needs no signal; another user's takes none.
            let _ = kill_process_group(group, signal);
            let _ = kill_process_group(group, Signal::CONT);
        }
    }

    /// The program's process id, if it certainly is its own.
    fn proven(&self, master: &OwnedFd) -> Option<Pid> {
        match self {
            Program::Own(pid) => Some(*pid),
            Program::Foreign { pid, .. } => tcgetsid(master).ok().filter(|leader| leader == pid),
            Program::Ended => None,
        }
    }
}

#[cfg(target_os = "linux")]
fn open_pidfd(pid: Pid) -> rustix::io::Result<OwnedFd> {
    rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty())
}

#[cfg(not(target_os = "linux"))]
fn open_pidfd(pid: Pid) -> rustix::io::Result<OwnedFd> {
    getsid(Some(pid)).and(Err(Errno::NOSYS))
}

fn is_readable(descriptor: BorrowedFd<'_>) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let mut waiting = [PollFd::from_borrowed_fd(descriptor, PollFlags::IN)];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    matches!(poll(&mut waiting, Some(&at_once)), Ok(1))
}
