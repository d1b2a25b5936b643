//! A server in the test's own process, on a disk whose syncs the test holds back.

use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use ccmux_core::geometry::Size;
use ccmux_keeper::{ChildEnd, KeeperRing, ServerRing};
use ccmux_protocol::{ClientFrame, Exit, FrameDecoder, Hello, ServerFrame, VersionRange, encode};

use super::{Server, Surroundings};
use crate::clock::{Clock as _, SystemClock};
use crate::event_loop::{Event, Poller};
use crate::pane::{Held, Stage};
use crate::persistence::sim::{CallKind, Fault, SimStorage};
use crate::persistence::storage::{Storage, StorageFile};
use crate::signals::Signals;

/// Matters only when a test fails.
const DEADLINE: Duration = Duration::from_mins(1);

/// Whether syncs of the log go through.
#[derive(Debug, Default)]
struct Gate {
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

    fn passed(&self) -> u64 {
        self.state.lock().unwrap().passed
    }

    fn wait_until_more_passed(&self, than: u64) {
        let state = self.state.lock().unwrap();
        let waited = self.changed.wait_timeout_while(state, DEADLINE, |state| state.passed <= than);
        assert!(!waited.unwrap().1.timed_out(), "nothing is synced");
    }

    fn set_closed(&self, is_closed: bool) {
        self.state.lock().unwrap().is_closed = is_closed;
        self.changed.notify_all();
    }

    fn wait_until_one_waits(&self) {
        let state = self.state.lock().unwrap();
        let waited =
            self.changed.wait_timeout_while(state, DEADLINE, |state| state.waiting == 0).unwrap();
        assert!(!waited.1.timed_out(), "nothing is synced");
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

/// The other end of a client's connection.
struct Peer {
    stream: UnixStream,
    decoder: FrameDecoder<ServerFrame>,
    heard: Vec<ServerFrame>,
}

impl Peer {
    fn say(&self, frame: &ClientFrame) {
        let mut bytes = Vec::new();
        encode(frame, &mut bytes).unwrap();
        (&self.stream).write_all(&bytes).unwrap();
    }

    fn listen(&mut self) {
        let mut bytes = [0; 4096];
        while let Ok(len @ 1..) = self.stream.read(&mut bytes) {
            self.decoder.push(&bytes[..len]);
        }
        while let Some(frame) = self.decoder.next_frame().unwrap() {
            self.heard.push(frame);
        }
    }

    /// What it was told beyond the greeting: output as text, and how it ended.
    fn answer(&self) -> (String, Option<&Exit>) {
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

struct World {
    server: Server,
    poller: Poller,
    disk: SimStorage,
    gate: Arc<Gate>,
    spool_gate: Arc<Gate>,
    directory: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
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
        let disk = SimStorage::new(1);
        let (gate, spool_gate) = (Arc::new(Gate::default()), Arc::new(Gate::default()));
        let storage = Arc::new(GatedStorage {
            disk: disk.clone(),
            gate: Arc::clone(&gate),
            spool_gate: Arc::clone(&spool_gate),
        });
        let poller = Poller::new().unwrap();
        let signals = Signals::unheard().unwrap();
        let server =
            Server::restore_on(storage, surroundings, Box::new(clock), &poller, signals).unwrap();
        Self { server, poller, disk, gate, spool_gate, directory }
    }

    /// Connects, and sends a command line.
    fn command(&mut self, argv: &[&str]) -> Peer {
        self.command_from(None, argv)
    }

    /// The same from a terminal of some size.
    fn command_from(&mut self, terminal: Option<Size>, argv: &[&str]) -> Peer {
        let (stream, other) = UnixStream::pair().unwrap();
        stream.set_nonblocking(true).unwrap();
        self.server.welcome(other);
        let hello = Hello {
            versions: VersionRange::OURS,
            client_version: String::new(),
            pid: 1,
            is_tty: terminal.is_some(),
            tty: None,
            size: terminal,
            term: None,
            colorterm: None,
            term_program: None,
            cwd: "/".into(),
            env: Vec::new(),
            read_only: false,
        };
        let argv = argv.iter().map(|word| (*word).into()).collect();
        let mut bytes = Vec::new();
        encode(&ClientFrame::Hello(Box::new(hello)), &mut bytes).unwrap();
        encode(&ClientFrame::Command(argv), &mut bytes).unwrap();
        (&stream).write_all(&bytes).unwrap();
        Peer { stream, decoder: FrameDecoder::new(), heard: Vec::new() }
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

    /// Lets the server go on until it would sleep.
    fn rest(&mut self) {
        loop {
            let would_sleep = self.server.turn() != Some(Duration::ZERO);
            if !self.wait(Duration::ZERO) && would_sleep {
                return;
            }
        }
    }

    /// Lets the server go on until a client was told the last word.
    fn finish(&mut self, peer: &mut Peer) {
        loop {
            let sleep = self.server.turn().unwrap_or(DEADLINE);
            peer.listen();
            if peer.answer().1.is_some() {
                return;
            }
            assert!(self.wait(sleep) || sleep < DEADLINE, "no answer: {:?}", peer.heard);
        }
    }
}

impl World {
    /// Lets the server go on until something is so.
    fn wait_until(&mut self, is_so: impl Fn(&Server) -> bool) {
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

/// Goal: P1 at the reply. Method: hold back the sync of a change, and ask for it as somebody else:
/// nobody is told of what a power cut would take back, whether by output, by an error, or by an
/// exit status. When the disk goes on everybody is.
#[test]
fn nobody_is_told_of_a_change_that_is_not_durable() {
    let mut world = World::new();
    let mut first = world.command(&["set-option", "-g", "@mark", "0"]);
    world.finish(&mut first);

    world.gate.set_closed(true);
    let mut maker =
        world.command(&["set-option", "-g", "@mark", "1", ";", "show-options", "-gv", "@mark"]);
    world.rest();
    world.gate.wait_until_one_waits();
    let mut reader = world.command(&["show-options", "-gv", "@mark"]);
    let mut refused = world.command(&["set-option", "-go", "@mark", "2"]);
    world.rest();
    for peer in [&mut maker, &mut reader, &mut refused] {
        peer.listen();
        assert_eq!(peer.answer(), (String::new(), None));
    }

    world.gate.set_closed(false);
    for peer in [&mut maker, &mut reader, &mut refused] {
        world.finish(peer);
    }
    for peer in [&maker, &reader] {
        assert_eq!(peer.answer(), ("1\n".to_owned(), Some(&Exit::done(0))));
        assert!(peer.answer().1.is_some_and(|exit| exit.durable));
    }
    let (text, exit) = refused.answer();
    assert_eq!(text, "already set: @mark\n");
    assert!(exit.is_some_and(|exit| exit.code == 1 && exit.durable));
}

/// A program that a command starts is told as much as a reply tells: it is started afterwards.
#[test]
fn a_shell_command_waits_for_the_changes_before_it() {
    let mut world = World::new();
    world.gate.set_closed(true);
    let mark = world.directory.path().join("mark");
    let touch = format!("echo told > '{}'", mark.display());
    let mut maker = world.command(&["set-option", "-g", "@mark", "1", ";", "run-shell", &touch]);
    world.rest();
    world.gate.wait_until_one_waits();
    world.rest();
    let jobs = world.server.jobs.ids();
    assert!(!jobs.is_empty() && jobs.iter().all(|job| !world.server.has_shell(*job)));
    assert!(!mark.exists());
    world.gate.set_closed(false);
    world.finish(&mut maker);
    assert!(mark.exists());
}

/// What a reply says of durability is decided when it goes out: the disk failed only after the
/// command had run.
#[test]
fn a_reply_says_what_is_durable_when_it_goes_out() {
    let mut world = World::new();
    world.gate.set_closed(true);
    let mut maker = world.command(&["set-option", "-g", "@mark", "1"]);
    world.rest();
    world.gate.wait_until_one_waits();
    for kind in [CallKind::Sync, CallKind::Write, CallKind::Create] {
        world.disk.fail(kind, 1, u64::MAX, Fault::Io);
    }
    world.gate.set_closed(false);
    world.finish(&mut maker);
    let (text, exit) = maker.answer();
    assert_eq!(text, "");
    assert!(exit.is_some_and(|exit| exit.code == 0 && !exit.durable), "{exit:?}");
}

/// What a client reads depends on no record if there is none on its way: a sync of soft changes is
/// no reason to wait.
#[test]
fn a_reader_waits_for_nothing_that_is_soft() {
    let mut world = World::new();
    world.gate.set_closed(true);
    let mut maker = world.command(&["set-buffer", "-b", "name", "text"]);
    world.finish(&mut maker);
    let mut reader = world.command(&["show-buffer", "-b", "name"]);
    world.finish(&mut reader);
    assert_eq!(reader.answer().0, "text");
    world.gate.set_closed(false);
}

/// Inputs of a pane are on the disk soon, also when nothing else happens.
#[test]
fn inputs_of_panes_are_synced_by_themselves() {
    let mut world = World::new();
    let mut maker = world.command(&["new-session", "-d"]);
    world.finish(&mut maker);
    for _ in 0..5 {
        let before = world.spool_gate.passed();
        let mut clearing = world.command(&["clear-history"]);
        world.finish(&mut clearing);
        world.rest();
        world.spool_gate.wait_until_more_passed(before);
    }
}

/// A window that is dragged has another size with every step, and each was a hard record of its
/// own. Whoever asks meets the last one, and it is taken over although nobody asks.
#[test]
fn sizes_in_quick_succession_are_few_records() {
    let mut world = World::new();
    let size = |cols| Size { cols, rows: 24 };
    let mut client = world.command_from(Some(size(80)), &["new-session"]);
    world.wait_until(|server| server.clients.values().any(|client| client.attachment().is_some()));
    let (before, began) = (world.server.persistence.issued(), world.server.elapsed());
    for cols in 100..300 {
        client.say(&ClientFrame::Resize(size(cols)));
        world.rest();
        client.listen();
    }
    let mut reader = world.command(&["display-message", "-p", "#{window_width}"]);
    world.finish(&mut reader);
    assert_eq!(reader.answer().0, "299\n");
    let took = world.server.elapsed().saturating_sub(began);
    let logged = u128::from(world.server.persistence.issued().0 - before.0);
    // The first, the one asked for, and those in between.
    let most = 2 + took.as_millis() / 100;
    assert!(logged <= most, "{logged} records in {took:?}");

    for cols in [90, 91, 92] {
        client.say(&ClientFrame::Resize(size(cols)));
        world.rest();
    }
    world.wait_until(|server| {
        let mut sessions = server.state.sessions.values();
        sessions.all(|session| session.size.cols == 92)
    });
}

/// A keeper whose lock cannot be looked at may well live: the closed pane was taken for buried, and
/// its files removed, which are how a server finds that keeper.
#[test]
fn a_lock_that_cannot_be_looked_at_is_no_sign_that_a_keeper_is_gone() {
    let mut world = World::new();
    let mut maker = world.command(&["new-session", "-d", ";", "new-session", "-d", "-s", "doomed"]);
    world.finish(&mut maker);
    let doomed = world.server.state.session_named("doomed").unwrap().id;
    let panes = world.server.state.panes.values();
    let pane =
        panes.into_iter().find(|pane| world.server.state.windows[&pane.window].session == doomed);
    let pane_dir = world.server.pane_dir(pane.unwrap().uuid);
    // It cannot even be opened.
    let alive = pane_dir.join("alive");
    std::fs::remove_file(&alive).unwrap();
    std::fs::create_dir(&alive).unwrap();
    let mut killer = world.command(&["kill-session", "-t", "doomed"]);
    world.finish(&mut killer);
    world.wait_until(|server| server.closing.iter().all(|closing| closing.pane.tries >= 2));
    assert_eq!(world.server.closing.len(), 1);
    std::fs::remove_dir(&alive).unwrap();
    world.wait_until(|server| server.closing.is_empty());
}

/// The keeper of a program that a shutdown ended is killed before the end was looked at, and lets go
/// of its lock a moment after its connection. The pane stayed without a program.
#[test]
fn a_pane_is_restored_after_a_shutdown_although_its_keeper_is_killed_meanwhile() {
    let mut world = World::new();
    let mut maker = world.command(&["new-session", "-d"]);
    world.finish(&mut maker);
    let at = world.server.elapsed() + DEADLINE;
    let pane = world.server.panes.values_mut().next().unwrap();
    let mut keeper = KeeperRing::create(pane.output.consumed).unwrap();
    keeper.set_ended(ChildEnd::Exited(0));
    let _bell = keeper.set_drained();
    let ring = ServerRing::open(keeper.as_fd().try_clone_to_owned().unwrap()).unwrap();
    let (master, _) = UnixStream::pair().unwrap();
    let held = Held { master: master.into(), ring, child_pid: 1 };
    pane.stage = Stage::Lost { held: Some(held), is_found: true, at };
    pane.is_shut_down = true;
    world.rest();
    let pane = world.server.panes.values().next().unwrap();
    // There is no executable for a keeper here, so it is tried again and again.
    assert!(
        matches!(pane.stage, Stage::Parting { program: Some(_), why: Some(_), .. }),
        "{:?}",
        pane.stage
    );
}

/// A server that is told to stop says goodbye to keepers of closed panes, too: one that does not
/// know better starts another server.
#[test]
fn keepers_of_closed_panes_are_told_goodbye() {
    let mut world = World::new();
    let mut maker = world.command(&["new-session", "-d", ";", "new-session", "-d", "-s", "doomed"]);
    world.finish(&mut maker);
    let doomed = world.server.state.session_named("doomed").unwrap().id;
    let windows = &world.server.state.windows;
    let mut panes = world.server.state.panes.values();
    let pane = panes.find(|pane| windows[&pane.window].session == doomed).unwrap();
    let pane_dir = world.server.pane_dir(pane.uuid);
    let listener = UnixListener::bind(pane_dir.join("keeper.sock")).unwrap();
    let _alive = ccmux_keeper::lock_alive(&pane_dir).unwrap().unwrap();
    let mut killer = world.command(&["kill-session", "-t", "doomed"]);
    world.finish(&mut killer);
    world.wait_until(|server| {
        let mut stages = server.closing.iter().map(|closing| &closing.pane.stage);
        stages.any(|stage| matches!(stage, Stage::Adopting { .. }))
    });
    let (mut keeper, _) = listener.accept().unwrap();
    keeper.set_nonblocking(true).unwrap();
    let mut heard = [0; 4096];
    let before = keeper.read(&mut heard).unwrap();
    assert!(before > 0 && keeper.read(&mut heard).is_err(), "it was asked, and no more");
    world.server.part_from_keepers();
    assert!(keeper.read(&mut heard).unwrap() > 0);
}
