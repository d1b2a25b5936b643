//! Waiting for somebody else to touch a file.

use std::path::Path;

/// A watch on a file or directory, made before what it waits for can happen.
#[derive(Debug)]
#[cfg(target_os = "linux")]
pub(crate) struct Watch(std::os::fd::OwnedFd);

#[cfg(target_os = "linux")]
impl Watch {
    /// Watches a file for writes.
    pub(crate) fn writes(path: &Path) -> Self {
        Self::new(path, rustix::fs::inotify::WatchFlags::MODIFY)
    }

    /// Watches a directory for files that are opened.
    pub(crate) fn opens(path: &Path) -> Self {
        Self::new(path, rustix::fs::inotify::WatchFlags::OPEN)
    }

    fn new(path: &Path, flags: rustix::fs::inotify::WatchFlags) -> Self {
        use rustix::fs::inotify::{CreateFlags, add_watch, init};
        let watch = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).expect("inotify");
        add_watch(&watch, path, flags).expect("what is watched is there");
        Self(watch)
    }

    /// Waits for the next time; false when the deadline passes.
    pub(crate) fn wait(&self) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let deadline = Timespec::try_from(crate::DEADLINE).expect("a minute fits");
        let mut fds = [PollFd::new(&self.0, PollFlags::IN)];
        let is_ready = poll(&mut fds, Some(&deadline)).is_ok_and(|count| count > 0);
        let mut events = [0; 4096];
        while rustix::io::read(&self.0, &mut events).is_ok_and(|len| len > 0) {}
        is_ready
    }
}

/// Elsewhere one looks again and again.
#[derive(Debug)]
#[cfg(not(target_os = "linux"))]
pub(crate) struct Watch;

#[cfg(not(target_os = "linux"))]
impl Watch {
    pub(crate) fn writes(_: &Path) -> Self {
        Self
    }

    pub(crate) fn opens(_: &Path) -> Self {
        Self
    }

    pub(crate) fn wait(&self) -> bool {
        std::thread::yield_now();
        true
    }
}
