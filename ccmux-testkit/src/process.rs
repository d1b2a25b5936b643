//! Processes of others: the server, keepers, programs in panes.

use std::io;

use rustix::io::Errno;
use rustix::process::{Pid, Signal};
#[cfg(not(target_os = "linux"))]
use rustix::process::{kill_process, test_kill_process};

/// A process that somebody else started, held in such a way that its number cannot come to mean
/// another one where the system allows that.
#[derive(Debug)]
pub struct Process {
    pid: Pid,
    #[cfg(target_os = "linux")]
    handle: std::os::fd::OwnedFd,
}

impl Process {
    /// The process with this id, if there is one.
    pub fn open(pid: u32) -> io::Result<Option<Process>> {
        let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return Ok(None) };
        match Process::open_pid(pid) {
            Err(Errno::SRCH) => Ok(None),
            result => Ok(Some(result?)),
        }
    }

    #[cfg(target_os = "linux")]
    fn open_pid(pid: Pid) -> rustix::io::Result<Process> {
        let flags = rustix::process::PidfdFlags::empty();
        Ok(Process { pid, handle: rustix::process::pidfd_open(pid, flags)? })
    }

    #[cfg(not(target_os = "linux"))]
    fn open_pid(pid: Pid) -> rustix::io::Result<Process> {
        test_kill_process(pid).map(|()| Process { pid })
    }

    /// Its id.
    pub fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().cast_unsigned()
    }

    /// Sends a signal; nothing happens if the process has ended.
    pub fn signal(&self, signal: Signal) {
        #[cfg(target_os = "linux")]
        let result = rustix::process::pidfd_send_signal(&self.handle, signal);
        #[cfg(not(target_os = "linux"))]
        let result = kill_process(self.pid, signal);
        assert!(matches!(result, Ok(()) | Err(Errno::SRCH)), "{signal:?}: {result:?}");
    }

    /// Waits until the process has ended.
    ///
    /// # Panics
    /// When the deadline passes.
    #[cfg(target_os = "linux")]
    pub fn wait_gone(&self) {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};

        let deadline = Timespec::try_from(crate::DEADLINE).expect("a minute fits");
        loop {
            let mut fds = [PollFd::new(&self.handle, PollFlags::IN)];
            match poll(&mut fds, Some(&deadline)) {
                Ok(0) => panic!("process {} does not end", self.pid()),
                Ok(_) => return,
                Err(Errno::INTR) => {}
                Err(errno) => panic!("{errno}"),
            }
        }
    }

    /// Waits until the process has ended. There is no portable event for that.
    #[cfg(not(target_os = "linux"))]
    pub fn wait_gone(&self) {
        while test_kill_process(self.pid).is_ok() {
            std::thread::yield_now();
        }
    }

    /// Whether it runs still.
    pub fn is_alive(&self) -> bool {
        #[cfg(target_os = "linux")]
        {
            use rustix::event::{PollFd, PollFlags, Timespec, poll};
            let now = Timespec { tv_sec: 0, tv_nsec: 0 };
            let mut fds = [PollFd::new(&self.handle, PollFlags::IN)];
            poll(&mut fds, Some(&now)) == Ok(0)
        }
        #[cfg(not(target_os = "linux"))]
        test_kill_process(self.pid).is_ok()
    }
}
