//! A pane's directory, and a server in the test's own process that keeps what it has spooled.
//!
//! Dropping a [`Server`] is what a keeper sees of a server's SIGKILL: its descriptors close.

use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use ccmux_keeper::{
    AliveLock, ChildEnd, ChildSpec, Failure, KeeperCommand, Link, LinkError, LinkEvent, Orphan,
    ServerRing, Wake, WindowSize, lock_alive,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// The executable with the keeper and the programs.
pub(crate) const UNDER_TEST: &str = env!("CARGO_BIN_EXE_keeper-under-test");

pub(crate) const PANE: &str = "0194f7a0-0000-7000-8000-00000000002a";

/// Waits until `descriptor` is readable. The deadline matters only when a test fails.
pub(crate) fn await_readable(descriptor: BorrowedFd<'_>, what: &str) {
    await_ready(descriptor, PollFlags::IN, what);
}

fn await_ready(descriptor: BorrowedFd<'_>, flags: PollFlags, what: &str) {
    let mut waiting = [PollFd::from_borrowed_fd(descriptor, flags)];
    let deadline = Timespec { tv_sec: 60, tv_nsec: 0 };
    let ready = poll(&mut waiting, Some(&deadline)).unwrap();
    assert_eq!(ready, 1, "waited in vain for {what}");
}

/// Waits until a process has exited, whoever is its parent.
pub(crate) fn await_exit(pid: u32) {
    use rustix::process::{PidfdFlags, pidfd_open};
    let pid = Pid::from_raw(pid.cast_signed()).unwrap();
    match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(descriptor) => await_readable(descriptor.as_fd(), "the exit of a process"),
        Err(rustix::io::Errno::SRCH) => {}
        Err(errno) => panic!("pidfd_open: {errno}"),
    }
}

pub(crate) fn kill(pid: u32) {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL).unwrap();
}

pub(crate) fn program(words: &[&str]) -> ChildSpec {
    ChildSpec {
        argv: words.iter().map(|word| (*word).into()).collect(),
        argv0: None,
        env: vec![("PATH".into(), "/usr/bin:/bin".into())],
        cwd: None,
        size: WindowSize { rows: 24, cols: 80, width_px: 0, height_px: 0 },
        stream_offset: 0,
        oom_score_adj: None,
    }
}

pub(crate) fn flood(lines: u64) -> ChildSpec {
    program(&[UNDER_TEST, "flood", &lines.to_string()])
}

/// What `flood` prints, as it leaves the pty.
pub(crate) fn flood_output(lines: u64) -> Vec<u8> {
    use std::io::Write as _;
    let mut output = Vec::new();
    for line in 0..lines {
        write!(output, "{line:08} {:x}\r\n", line.wrapping_mul(0x9e37_79b9_7f4a_7c15)).unwrap();
    }
    output
}

/// Compares without printing megabytes.
pub(crate) fn assert_same(found: &[u8], expected: &[u8]) {
    let pairs = found.iter().zip(expected);
    if let Some(at) = pairs.enumerate().find(|(_, (a, b))| a != b).map(|(at, _)| at) {
        let around = |bytes: &[u8]| {
            let span = at.saturating_sub(40)..bytes.len().min(at + 40);
            String::from_utf8_lossy(&bytes[span]).into_owned()
        };
        panic!("differs at {at}: {:?} instead of {:?}", around(found), around(expected));
    }
    assert_eq!(found.len(), expected.len(), "one is a beginning of the other");
}

/// A pane's directory, and the socket that keepers connect to when they start a server.
pub(crate) struct PaneDir {
    temporary: TempDir,
    pub(crate) starter: UnixListener,
}

impl PaneDir {
    pub(crate) fn new() -> PaneDir {
        let temporary = TempDir::new().unwrap();
        let starter = UnixListener::bind(temporary.path().join("starter")).unwrap();
        std::fs::create_dir(temporary.path().join(PANE)).unwrap();
        PaneDir { temporary, starter }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.temporary.path().join(PANE)
    }

    pub(crate) fn keeper_command(&self) -> KeeperCommand {
        let starter: OsString = self.temporary.path().join("starter").into();
        KeeperCommand {
            exe: UNDER_TEST.into(),
            name: None,
            open_files: None,
            args: vec!["keeper".into(), starter],
        }
    }

    /// A server that starts `program`.
    pub(crate) fn spawn(&self, program: ChildSpec) -> Server {
        let mut server = self.spawn_unready(program);
        server.await_ready();
        server
    }

    pub(crate) fn spawn_unready(&self, program: ChildSpec) -> Server {
        let alive = take_lock(&self.path());
        Server::new(Link::spawn(&self.keeper_command(), alive, program).unwrap())
    }

    /// A server that finds the keeper of one that is gone.
    pub(crate) fn adopt(&self) -> Server {
        assert!(lock_alive(&self.path()).unwrap().is_none(), "the keeper is gone");
        let mut server = Server::new(Link::adopt(&self.path()).unwrap());
        server.await_ready();
        server
    }
}

/// The server's side of one pane.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) link: Link,
    pane: Option<Pane>,
    pub(crate) failure: Option<Failure>,
    pub(crate) is_closed: bool,
}

#[derive(Debug)]
pub(crate) struct Pane {
    pub(crate) keeper_pid: u32,
    pub(crate) child_pid: u32,
    pub(crate) master: OwnedFd,
    pub(crate) ring: ServerRing,
    /// Taken from the ring.
    pub(crate) offset: u64,
}

impl Server {
    pub(crate) fn new(link: Link) -> Server {
        Server { link, pane: None, failure: None, is_closed: false }
    }

    pub(crate) fn pane(&mut self) -> &mut Pane {
        self.pane.as_mut().expect("the pane is ready")
    }

    /// Waits for what the keeper has to say and notes it.
    pub(crate) fn hear(&mut self) -> Result<(), LinkError> {
        assert!(!self.is_closed, "waits for a keeper that is gone: {:?}", self.failure);
        let mut flags = PollFlags::IN;
        flags.set(PollFlags::OUT, self.link.wants_write());
        await_ready(self.link.as_fd(), flags, "word from the keeper");
        for event in self.link.receive()? {
            match event {
                LinkEvent::Ready { keeper_pid, child_pid, master, ring, .. } => {
                    let offset = ring.spooled();
                    self.pane = Some(Pane { keeper_pid, child_pid, master, ring, offset });
                }
                LinkEvent::Failed(failure) => self.failure = Some(failure),
                LinkEvent::Bell => {}
                LinkEvent::Closed => self.is_closed = true,
            }
        }
        Ok(())
    }

    pub(crate) fn await_ready(&mut self) {
        while self.pane.is_none() {
            self.hear().unwrap();
        }
    }

    pub(crate) fn await_closed(&mut self) {
        while !self.is_closed {
            self.hear().unwrap();
        }
    }

    /// Takes at most `max` bytes, waiting if there are none; false at the end of the stream.
    pub(crate) fn take(&mut self, max: usize, stream: &mut Vec<u8>) -> bool {
        loop {
            let pane = self.pane();
            let end = pane.ring.end().unwrap();
            let count = pane.ring.copy_from(pane.offset, max, stream).unwrap();
            pane.offset += count as u64;
            if count > 0 || end.is_some() {
                return count > 0;
            }
            if pane.ring.arm_bell(pane.offset).unwrap() {
                self.hear().unwrap();
            }
        }
    }

    /// Gives free what was taken: now it is spooled.
    pub(crate) fn spool(&mut self) {
        let pane = self.pane();
        if pane.ring.set_spooled(pane.offset).unwrap() == Wake::Ring {
            self.link.bell().unwrap();
        }
    }

    /// Takes and spools until `stream` ends in `text`.
    pub(crate) fn take_until(&mut self, text: &str, stream: &mut Vec<u8>) {
        while !stream.ends_with(text.as_bytes()) {
            let seen = String::from_utf8_lossy(stream).into_owned();
            assert!(self.take(usize::MAX, stream), "the end came before {text:?}: {seen:?}");
            self.spool();
        }
    }

    /// Takes and spools all there is, until the program has ended.
    pub(crate) fn take_all(&mut self, stream: &mut Vec<u8>) -> ChildEnd {
        while self.take(usize::MAX, stream) {
            self.spool();
        }
        self.pane().ring.end().unwrap().expect("the stream has ended")
    }

    pub(crate) fn type_keys(&mut self, keys: &str) {
        let written = rustix::io::write(&self.pane().master, keys.as_bytes()).unwrap();
        assert_eq!(written, keys.len());
    }

    /// Lets the keeper go and waits until it has.
    pub(crate) fn release(mut self) {
        self.link.release().unwrap();
        self.await_closed();
        if let Some(pid) = self.link.keeper_pid() {
            await_exit(pid);
        }
    }

    /// SIGKILLs the keeper and has another go on with the pane.
    pub(crate) fn replace_keeper(&mut self, dir: &PaneDir) {
        let keeper_pid = self.pane().keeper_pid;
        kill(keeper_pid);
        self.await_closed();
        await_exit(keeper_pid);
        self.link.try_reap().unwrap();
        let alive = take_lock(&dir.path());
        let Pane { child_pid, master, ring, offset, .. } = self.pane.take().expect("ready");
        let orphan = Orphan { child_pid, master: &master, ring: &ring, oom_score_adj: None };
        let link = Link::replace(&dir.keeper_command(), alive, &orphan).unwrap();
        *self = Server::new(link);
        self.await_ready();
        let pane = self.pane();
        assert_eq!(pane.child_pid, child_pid);
        assert_ne!(pane.keeper_pid, keeper_pid);
        pane.offset = offset;
    }
}

/// A small generator of random numbers; the tests print its seed.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        println!("seed {seed}");
        Random(seed)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Waits until the lock is free, and takes it.
///
/// It may not be at once: between fork and exec the child of another test may still hold a copy
/// of a descriptor that this test has closed.
pub(crate) fn take_lock(pane_dir: &Path) -> AliveLock {
    let file = std::fs::File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(pane_dir.join("alive"))
        .unwrap();
    loop {
        file.lock().unwrap();
        file.unlock().unwrap();
        if let Some(alive) = lock_alive(pane_dir).unwrap() {
            return alive;
        }
    }
}

pub(crate) fn await_free(pane_dir: &Path) {
    drop(take_lock(pane_dir));
}

pub(crate) fn is_held(pane_dir: &Path) -> bool {
    lock_alive(pane_dir).unwrap().is_none()
}
