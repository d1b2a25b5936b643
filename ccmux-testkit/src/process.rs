//! Processes of others: the server, keepers, programs in panes.

use std::io;

use rustix::io::Errno;
use rustix::process::{Pid, Signal};
#[cfg(not(target_os = "linux"))]
use rustix::process::{kill_process, test_kill_process};

#[cfg(target_os = "linux")]
use crate::stat::Stat;

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
            // The number is that of a thread, or of a group or session whose leader is gone (which
            // kernels tell in different ways): of no process, in any case.
            Err(Errno::SRCH | Errno::NOENT | Errno::INVAL) => Ok(None),
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

    /// Stops the process, and waits until it does nothing more: each of its threads may be in the
    /// middle of a system call, which is done first.
    #[cfg(target_os = "linux")]
    pub fn stop(&self) {
        self.signal(Signal::STOP);
        while self.is_alive() && !self.is_stopped() {
            std::thread::yield_now();
        }
    }

    /// Whether all of its threads are stopped.
    #[cfg(target_os = "linux")]
    fn is_stopped(&self) -> bool {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.pid()));
        // One that cannot be read any more has ended.
        let stats = tasks.into_iter().flatten().flatten().filter_map(|it| Stat::read(&it.path()));
        stats.into_iter().all(|stat| stat.is_stopped())
    }

    /// Stops the process.
    #[cfg(not(target_os = "linux"))]
    pub fn stop(&self) {
        self.signal(Signal::STOP);
    }

    /// Whether it is the program that its command line tells, and not a copy of whoever started it
    /// that has yet to become its own.
    #[cfg(target_os = "linux")]
    pub(crate) fn has_begun(&self) -> bool {
        Stat::of(self.pid()).is_some_and(|stat| !stat.is_copy())
    }

    /// Elsewhere there is no telling.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn has_begun(&self) -> bool {
        true
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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::Stdio;

    use super::*;
    use crate::env::TestEnv;

    /// Threads have numbers like processes, and a number may come to mean one.
    #[test]
    fn a_thread_is_no_process() {
        let opened = std::thread::spawn(|| {
            let thread = rustix::thread::gettid().as_raw_nonzero().get().cast_unsigned();
            Process::open(thread).map(|process| process.is_some())
        });
        let opened = opened.join().expect("it does not panic");
        assert!(matches!(opened, Ok(false)), "{opened:?}");
    }

    #[test]
    fn what_is_stopped_does_nothing_more() {
        // Which ends it, whatever comes.
        let env = TestEnv::new("/bin/cat");
        let mut child = env.command(&[]).stdin(Stdio::piped()).spawn().expect("it can be started");
        let process = Process::open(child.id()).expect("it can be opened").expect("it runs");
        process.stop();
        assert!(process.is_alive() && process.is_stopped());
        process.signal(Signal::CONT);
        drop(child.stdin.take());
        assert!(child.wait().expect("it is our child").success());
        process.stop();
        assert!(!process.is_alive());
    }
}
