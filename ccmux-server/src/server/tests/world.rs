//! The server in the test's own process, and its peers.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use ccmux_core::geometry::Size;
use ccmux_core::model::Timestamp;
use ccmux_keeper::{AliveLock, lock_alive};
use ccmux_protocol::{
    ClientFrame, Exit, FrameDecoder, Hello, RefusalCode, ServerFrame, VersionRange, encode,
};

use crate::clock::{Clock, SystemClock};
use crate::event_loop::{Event, Poller};
use crate::persistence::sim::SimStorage;
use crate::persistence::storage::{Storage, StorageFile};
use crate::server::{Server, Stopping, Surroundings};
use crate::signals::Signals;

/// Matters only when a test fails.
pub(super) const DEADLINE: Duration = Duration::from_mins(1);

/// Whether syncs of the log go through.
#[derive(Debug, Default)]
pub(super) struct Gate {
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct GateState {
    is_closed: bool,
    /// How many syncs wait at it.
    waiting: u32,
    /// How many have passed it.
    passed: u64,
}

impl Gate {
    fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        state.waiting += 1;
        self.changed.notify_all();
        state = self.changed.wait_while(state, |state| state.is_closed).unwrap();
        state.waiting -= 1;
        state.passed += 1;
        self.changed.notify_all();
    }

    pub(super) fn passed(&self) -> u64 {
        self.state.lock().unwrap().passed
    }

    pub(super) fn wait_until_more_passed(&self, than: u64) {
        let state = self.state.lock().unwrap();
        let waited = self.changed.wait_timeout_while(state, DEADLINE, |state| state.passed <= than);
        assert!(!waited.unwrap().1.timed_out(), "nothing is synced");
    }

    pub(super) fn set_closed(&self, is_closed: bool) {
        self.state.lock().unwrap().is_closed = is_closed;
        self.changed.notify_all();
    }

    pub(super) fn wait_until_one_waits(&self) {
        let state = self.state.lock().unwrap();
        let waited =
            self.changed.wait_timeout_while(state, DEADLINE, |state| state.waiting == 0).unwrap();
        assert!(!waited.1.timed_out(), "nothing is synced");
    }
}

/// Takes the lock of a pane. A process that another test forks has a copy of each open file until it
/// executes something, so a lock that was just given back may be held for another moment.
pub(super) fn take_lock(pane_dir: &Path) -> AliveLock {
    let alive = std::fs::File::open(pane_dir.join("alive"));
    loop {
        if let Some(lock) = lock_alive(pane_dir).unwrap() {
            return lock;
        }
        let alive = alive.as_ref().expect("it is there if it is locked");
        alive.lock_shared().and_then(|()| alive.unlock()).unwrap();
    }
}

/// A disk on which syncs of log segments wait at a gate, and those of the spool at another.
#[derive(Clone, Debug)]
struct GatedStorage {
    disk: SimStorage,
    gate: Arc<Gate>,
    spool_gate: Arc<Gate>,
}

#[derive(Debug)]
struct GatedFile {
    file: Box<dyn StorageFile>,
    gate: Option<Arc<Gate>>,
}

impl GatedStorage {
    fn gated(&self, path: &Path, file: Box<dyn StorageFile>) -> Box<dyn StorageFile> {
        let gates = [("wal", &self.gate), ("spool", &self.spool_gate)];
        let gate = gates.into_iter().find(|(directory, _)| path.starts_with(directory));
        Box::new(GatedFile { file, gate: gate.map(|(_, gate)| Arc::clone(gate)) })
    }
}

impl Storage for GatedStorage {
    fn create(&self, path: &Path) -> io::Result<Box<dyn StorageFile>> {
        Ok(self.gated(path, self.disk.create(path)?))
    }
    fn open(&self, path: &Path) -> io::Result<Box<dyn StorageFile>> {
        Ok(self.gated(path, self.disk.open(path)?))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk.remove(path)
    }
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.disk.create_dir(path)
    }
    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.disk.remove_dir_all(path)
    }
    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.disk.list(path)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.disk.sync_dir(path)
    }
}

impl StorageFile for GatedFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_at(offset, bytes)
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(offset, buf)
    }
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }
    fn allocate(&self, len: u64) -> io::Result<()> {
        self.file.allocate(len)
    }
    fn sync(&self) -> io::Result<()> {
        if let Some(gate) = &self.gate {
            gate.pass();
        }
        self.file.sync()
    }
    fn forget_cached(&self) {
        self.file.forget_cached();
    }
}

/// A clock that stands still, as far as deadlines go.
#[derive(Debug)]
struct Stopped {
    clock: SystemClock,
    elapsed: Duration,
}

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }
    fn elapsed(&self) -> Duration {
        self.elapsed
    }
}

/// The other end of a client's connection.
pub(super) struct Peer {
    stream: UnixStream,
    decoder: FrameDecoder<ServerFrame>,
    heard: Vec<ServerFrame>,
}

impl Peer {
    pub(super) fn say(&self, frame: &ClientFrame) {
        let mut bytes = Vec::new();
        encode(frame, &mut bytes).unwrap();
        (&self.stream).write_all(&bytes).unwrap();
    }

    pub(super) fn listen(&mut self) {
        let mut bytes = [0; 4096];
        while let Ok(len @ 1..) = self.stream.read(&mut bytes) {
            self.decoder.push(&bytes[..len]);
        }
        while let Some(frame) = self.decoder.next_frame().unwrap() {
            self.heard.push(frame);
        }
    }

    /// How many pictures it was sent.
    pub(super) fn pictures(&self) -> usize {
        self.heard.iter().filter(|frame| matches!(frame, ServerFrame::Output(_))).count()
    }

    /// How often its terminal was asked something, and whether it has answered.
    pub(super) fn questions(&self) -> (usize, bool) {
        let count = |wanted| self.heard.iter().filter(|frame| **frame == wanted).count();
        (count(ServerFrame::Asks), count(ServerFrame::Answered) > 0)
    }

    /// Why it was refused, if it was.
    pub(super) fn refusal(&self) -> Option<RefusalCode> {
        self.heard.iter().find_map(|frame| match frame {
            ServerFrame::Refused(refusal) => Some(refusal.code),
            _ => None,
        })
    }

    /// What it was told beyond the greeting: output as text, and how it ended.
    pub(super) fn answer(&self) -> (String, Option<&Exit>) {
        let (mut text, mut end) = (Vec::new(), None);
        for frame in &self.heard {
            assert!(end.is_none(), "nothing comes after the end");
            match frame {
                ServerFrame::Stdout(bytes) | ServerFrame::Stderr(bytes) => text.extend(bytes),
                ServerFrame::Exit(exit) => end = Some(exit),
                _ => {}
            }
        }
        (String::from_utf8(text).unwrap(), end)
    }
}

pub(super) struct World {
    pub(super) server: Server,
    pub(super) poller: Poller,
    pub(super) disk: SimStorage,
    pub(super) gate: Arc<Gate>,
    pub(super) spool_gate: Arc<Gate>,
    pub(super) directory: Arc<tempfile::TempDir>,
}

impl World {
    pub(super) fn new() -> Self {
        Self::on(SimStorage::new(1), Arc::new(tempfile::tempdir().unwrap())).unwrap()
    }

    /// A server on a disk and a directory that may be an earlier one's.
    pub(super) fn on(disk: SimStorage, directory: Arc<tempfile::TempDir>) -> anyhow::Result<Self> {
        let clock = SystemClock::new();
        let surroundings = Surroundings {
            state_dir: directory.path().to_owned(),
            socket: directory.path().join("socket"),
            exe: directory.path().join("no keeper"),
            environment: std::collections::BTreeMap::new(),
            oom_score_adj: None,
            open_files: None,
            started: clock.now(),
            host: "host".to_owned(),
            uid: rustix::process::getuid().as_raw(),
        };
        let (gate, spool_gate) = (Arc::new(Gate::default()), Arc::new(Gate::default()));
        let storage = Arc::new(GatedStorage {
            disk: disk.clone(),
            gate: Arc::clone(&gate),
            spool_gate: Arc::clone(&spool_gate),
        });
        let poller = Poller::new().unwrap();
        let signals = Signals::unheard().unwrap();
        let server = Server::restore_on(storage, surroundings, Box::new(clock), &poller, signals)?;
        Ok(Self { server, poller, disk, gate, spool_gate, directory })
    }

    /// Connects, and sends a command line.
    pub(super) fn command(&mut self, argv: &[&str]) -> Peer {
        self.command_from(None, argv)
    }

    /// Connects, and says nothing yet.
    pub(super) fn connect(&mut self) -> Peer {
        let (stream, other) = UnixStream::pair().unwrap();
        stream.set_nonblocking(true).unwrap();
        self.server.welcome(other);
        Peer { stream, decoder: FrameDecoder::new(), heard: Vec::new() }
    }

    /// The same from a terminal of some size.
    pub(super) fn command_from(&mut self, terminal: Option<Size>, argv: &[&str]) -> Peer {
        let peer = self.connect();
        let hello = Hello {
            versions: VersionRange::OURS,
            client_version: String::new(),
            pid: 1,
            is_tty: terminal.is_some(),
            tty: None,
            size: terminal,
            term: terminal.map(|_| "xterm".into()),
            colorterm: None,
            cell_px: None,
            term_program: None,
            cwd: "/".into(),
            env: Vec::new(),
            read_only: false,
        };
        let argv = argv.iter().map(|word| (*word).into()).collect();
        peer.say(&ClientFrame::Hello(Box::new(hello)));
        peer.say(&ClientFrame::Command(argv));
        peer
    }

    /// Lets time pass, and stops the clock then.
    pub(super) fn advance(&mut self, by: Duration) {
        let elapsed = self.server.elapsed() + by;
        self.server.clock = Box::new(Stopped { clock: SystemClock::new(), elapsed });
    }

    fn wait(&mut self, timeout: Duration) -> bool {
        let mut events: Vec<Event> = Vec::new();
        self.poller.wait(Some(timeout), &mut events).unwrap();
        let is_any = !events.is_empty();
        for event in events {
            self.server.handle(event);
        }
        is_any
    }

    /// Lets the server go on until it would sleep, or end.
    pub(super) fn rest(&mut self) {
        loop {
            let would_sleep = self.server.turn() != Some(Duration::ZERO);
            if self.server.stopping != Stopping::No {
                return;
            }
            if !self.wait(Duration::ZERO) && would_sleep {
                return;
            }
        }
    }

    /// Lets the server go on until a client was told the last word.
    pub(super) fn finish(&mut self, peer: &mut Peer) {
        loop {
            let sleep = self.server.turn().unwrap_or(DEADLINE);
            peer.listen();
            if peer.answer().1.is_some() {
                return;
            }
            assert!(self.wait(sleep) || sleep < DEADLINE, "no answer: {:?}", peer.heard);
        }
    }

    /// Lets the server go on until a client has heard something.
    pub(super) fn hear(&mut self, peer: &mut Peer, is_heard: impl Fn(&Peer) -> bool) {
        loop {
            let sleep = self.server.turn().unwrap_or(DEADLINE);
            peer.listen();
            if is_heard(peer) {
                return;
            }
            assert!(self.wait(sleep) || sleep < DEADLINE, "not heard: {:?}", peer.heard);
        }
    }

    /// Lets the server go on until something is so.
    pub(super) fn wait_until(&mut self, is_so: impl Fn(&Server) -> bool) {
        loop {
            let sleep = self.server.turn().unwrap_or(DEADLINE);
            if is_so(&self.server) {
                return;
            }
            assert!(self.wait(sleep) || sleep < DEADLINE, "nothing happens any more");
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // The committer is waited for.
        self.gate.set_closed(false);
    }
}
