//! The client as a process: in a terminal, with signals, against servers that the test plays.
//!
//! The client is this test binary, started anew with [`client_process`] as its only test.
#![cfg(test)]

use std::ffi::OsString;
use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::thread;

use bstr::BString;
use ccmux_client::{ClientOptions, run};
use ccmux_protocol::rendezvous::{
    Launch, LockOutcome, Place, Registration, Surroundings, bind, lock_or_holder,
};
use ccmux_protocol::{
    ClientFrame, Exit, ExitReason, FrameDecoder, Hello, Refusal, RefusalCode, Resume, ServerFrame,
    Size, VersionRange, Welcome, encode,
};
use ccmux_testkit::{DEADLINE, PtyProcess, Tail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Signal, getuid};
use tempfile::TempDir;

/// What gives the terminal back in these tests, and what that looks like.
const LEAVE: &[u8] = b"<leave>";
const GIVEN_BACK: &str = "\u{1b}\\<leave>";

/// Not a test of its own: the client of the others. Without their arguments it does nothing.
#[test]
fn client_process() {
    let args: Vec<OsString> = std::env::args_os().skip_while(|arg| arg != "--").skip(1).collect();
    let [state_dir, socket, never_starts, argv @ ..] = args.as_slice() else { return };
    let surroundings = Surroundings {
        exe: PathBuf::from("/nonexistent/ccmux"),
        env: std::env::vars_os().collect(),
        cwd: std::env::current_dir().unwrap(),
        uid: getuid().as_raw(),
    };
    let place = Place::at(PathBuf::from(state_dir), PathBuf::from(socket)).unwrap();
    let options = ClientOptions {
        launch: surroundings.launch(&place, &[]),
        place,
        never_starts: never_starts == "-N",
        surroundings,
        version: "test".to_owned(),
        argv: argv.iter().map(|word| BString::from(word.as_bytes())).collect(),
    };
    std::process::exit(i32::from(run(&options)));
}

/// A place for a server, and the server that the test plays there.
struct World {
    listener: UnixListener,
    place: Place,
    // Dropped last.
    _dir: TempDir,
}

impl World {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let place = Place {
            name: "n".into(),
            state_dir: dir.path().join("state"),
            socket: dir.path().join("run/n"),
        };
        place.prepare(getuid().as_raw()).unwrap();
        World { listener: bind(&place).unwrap(), place, _dir: dir }
    }

    fn command(&self, flag: &str, argv: &[&str]) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "client_process", "--nocapture", "--"])
            .args([&self.place.state_dir, &self.place.socket])
            .arg(flag)
            .args(argv)
            .env_clear()
            .env("TERM", "xterm-256color")
            .env("COLORTERM", "truecolor");
        command
    }

    /// Runs a client without a terminal to its end.
    fn one_shot(&self, argv: &[&str]) -> Output {
        self.command("", argv).output().unwrap()
    }

    /// A client in a terminal of 80 by 24, and its connection.
    fn client(&self, argv: &[&str]) -> (PtyProcess<Tail>, Peer) {
        let process = PtyProcess::spawn(self.command("", argv), 80, 24, Tail::default()).unwrap();
        (process, self.accept())
    }

    /// A client that is attached and shows `picture`.
    fn attached(&self) -> (PtyProcess<Tail>, Peer) {
        let (process, mut peer) = self.client(&["attach"]);
        peer.welcome();
        assert_eq!(peer.receive(), ClientFrame::Command(vec!["attach".into()]));
        peer.attach();
        peer.send(&[ServerFrame::Output(b"picture".to_vec())]);
        shows(&process, "picture");
        assert!(process.is_raw());
        (process, peer)
    }

    fn accept(&self) -> Peer {
        let deadline = Timespec::try_from(DEADLINE).unwrap();
        let mut fds = [PollFd::new(&self.listener, PollFlags::IN)];
        assert_eq!(poll(&mut fds, Some(&deadline)), Ok(1), "nobody connects");
        let (stream, _) = self.listener.accept().unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        Peer { stream, decoder: FrameDecoder::new() }
    }
}

/// The server's end of a connection.
struct Peer {
    stream: UnixStream,
    decoder: FrameDecoder<ClientFrame>,
}

impl Peer {
    fn receive(&mut self) -> ClientFrame {
        self.receive_or_end().expect("a frame before the end")
    }

    /// The next frame, or `None` at the end of the connection.
    fn receive_or_end(&mut self) -> Option<ClientFrame> {
        let mut bytes = [0; 4096];
        loop {
            if let Some(frame) = self.decoder.next_frame().unwrap() {
                return Some(frame);
            }
            match self.stream.read(&mut bytes) {
                Ok(0) => return None,
                // The client left something unread.
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Ok(n) => self.decoder.push(&bytes[..n]),
                Err(error) => panic!("no frame: {error}"),
            }
        }
    }

    fn hello(&mut self) -> Hello {
        match self.receive() {
            ClientFrame::Hello(hello) => *hello,
            other => panic!("{other:?}"),
        }
    }

    fn send(&mut self, frames: &[ServerFrame]) {
        let mut wire = Vec::new();
        for frame in frames {
            encode(frame, &mut wire).unwrap();
        }
        self.stream.write_all(&wire).unwrap();
    }

    fn welcome(&mut self) -> Hello {
        self.welcome_as(1)
    }

    fn welcome_as(&mut self, server_pid: u32) -> Hello {
        let hello = self.hello();
        let welcome = Welcome { version: 1, server_pid, server_version: String::new() };
        self.send(&[ServerFrame::Welcome(welcome)]);
        hello
    }

    fn attach(&mut self) {
        let token = ServerFrame::Token(b"token".to_vec());
        self.send(&[ServerFrame::Leave(LEAVE.to_vec()), ServerFrame::Attached, token]);
    }
}

fn text(process: &Tail) -> String {
    String::from_utf8_lossy(&process.bytes).into_owned()
}

fn shows(process: &PtyProcess<Tail>, what: &str) {
    process.wait_display(what, |tail| text(tail).contains(what).then_some(()));
}

/// Waits for the end and checks that the terminal was given back, once. Returns the exit status
/// and what was printed after the picture.
fn ends(process: &PtyProcess<Tail>) -> (Option<i32>, String) {
    let status = process.wait_exit();
    assert!(!process.is_raw());
    let text = process.wait_display("output", |tail| Some(text(tail)));
    let (_, rest) = text.split_once("picture").unwrap();
    assert_eq!(rest.matches(GIVEN_BACK).count(), 1, "{rest:?}");
    let (_, after) = rest.split_once(GIVEN_BACK).unwrap();
    (status.code(), after.to_owned())
}

#[test]
fn a_command_passes_on_output_and_status() {
    let world = World::new();
    let command = world.command("", &["ls", "-F", "x"]);
    let client = thread::spawn(move || { command }.output().unwrap());
    let mut peer = world.accept();
    let hello = peer.welcome();
    assert_eq!((hello.versions, hello.is_tty, hello.size), (VersionRange::OURS, false, None));
    assert_eq!(hello.term, Some("xterm-256color".into()));
    assert_eq!(hello.env("COLORTERM"), Some("truecolor".into()));
    assert_eq!(peer.receive(), ClientFrame::Command(["ls", "-F", "x"].map(BString::from).into()));
    peer.send(&[
        ServerFrame::Stdout(b"out\n".to_vec()),
        ServerFrame::Stderr(b"err\n".to_vec()),
        ServerFrame::Exit(Exit { durable: false, ..Exit::done(7) }),
    ]);
    let output = client.join().unwrap();
    assert!(output.stdout.ends_with(b"out\n"), "{output:?}");
    assert_eq!((output.stderr.as_slice(), output.status.code()), (&b"err\n"[..], Some(7)));
}

#[test]
fn without_a_server_a_command_fails_as_in_tmux() {
    let world = World::new();
    fs::remove_file(&world.place.socket).unwrap();
    let expected = format!("no server running on {}\n", world.place.socket.display());
    let stderr = |output: Output| {
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(stderr(world.one_shot(&["ls"])), expected);
    assert_eq!(stderr(world.command("-N", &["new"]).output().unwrap()), expected);
    let cannot = "cannot start the server /nonexistent/ccmux: No such file or directory";
    assert!(stderr(world.one_shot(&["new"])).starts_with(cannot));
}

#[test]
fn a_refusal_is_told_with_its_hint() {
    let world = World::new();
    let command = world.command("", &["ls"]);
    let client = thread::spawn(move || { command }.output().unwrap());
    let mut peer = world.accept();
    peer.hello();
    peer.send(&[ServerFrame::Refused(Refusal {
        code: RefusalCode::Version,
        message: "too old".to_owned(),
        hint: Some("upgrade".to_owned()),
    })]);
    let output = client.join().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stderr, b"the server refused: too old\nhint: upgrade\n");
}

#[test]
fn an_attached_terminal_is_raw_and_given_back() {
    let world = World::new();
    let (process, mut peer) = world.client(&[]);
    let hello = peer.welcome();
    assert!(hello.is_tty && hello.tty.is_some());
    assert_eq!(hello.size, Some(Size { cols: 80, rows: 24 }));
    assert_eq!(peer.receive(), ClientFrame::Command(vec![]));
    assert!(!process.is_raw());
    peer.attach();
    peer.send(&[ServerFrame::Output(b"picture".to_vec())]);
    shows(&process, "picture");

    process.type_bytes(b"\x03\x1cabc\xff");
    assert_eq!(peer.receive(), ClientFrame::Input(b"\x03\x1cabc\xff".to_vec()));
    process.resize(100, 30);
    assert_eq!(peer.receive(), ClientFrame::Resize(Size { cols: 100, rows: 30 }));

    let reason = ExitReason::Detached { session: "0".into() };
    peer.send(&[ServerFrame::Exit(Exit { reason, ..Exit::done(0) })]);
    assert_eq!(ends(&process), (Some(0), "[detached (from session 0)]\r\n".to_owned()));
}

#[test]
fn a_terminal_that_nothing_was_drawn_on_is_left_alone() {
    let world = World::new();
    let (process, mut peer) = world.client(&[]);
    peer.welcome();
    peer.attach();
    let reason = ExitReason::Message { text: "picture".into() };
    peer.send(&[ServerFrame::Exit(Exit { reason, ..Exit::done(1) })]);
    assert_eq!(process.wait_exit().code(), Some(1));
    assert!(!process.is_raw());
    shows(&process, "[picture]");
    assert!(!process.wait_display("output", |tail| Some(text(tail))).contains("<leave>"));
}

#[test]
fn every_signal_that_ends_gives_the_terminal_back() {
    for (signal, line) in [
        (Signal::TERM, "[terminated]\r\n"),
        (Signal::INT, "[terminated]\r\n"),
        (Signal::QUIT, "[terminated]\r\n"),
        (Signal::HUP, "[lost tty]\r\n"),
    ] {
        let world = World::new();
        let (process, mut peer) = world.attached();
        process.signal(signal);
        assert_eq!(ends(&process), (Some(1), line.to_owned()), "{signal:?}");
        assert_eq!(peer.receive(), ClientFrame::Goodbye);
    }
}

#[test]
fn a_terminal_that_goes_away_ends_the_client() {
    let world = World::new();
    let (process, mut peer) = world.attached();
    drop(process);
    while peer.receive_or_end().is_some() {}
}

/// The server dies in the middle of a frame; the next one gets the token and what was typed in
/// between, and the terminal shows nothing of the broken frame.
#[test]
fn a_client_finds_the_next_server() {
    let world = World::new();
    let (process, mut peer) = world.attached();
    let mut half = Vec::new();
    encode(&ServerFrame::Output(b"broken".to_vec()), &mut half).unwrap();
    peer.stream.write_all(&half[..half.len() - 1]).unwrap();
    drop(peer);

    // A server that dies as we come: one more try.
    world.accept().hello();
    let mut peer = world.accept();
    let hello = peer.hello();
    assert_eq!(hello.size, Some(Size { cols: 80, rows: 24 }));
    // Nobody has welcomed the client, so all this waits.
    process.type_bytes(b"typed");
    process.resize(90, 20);
    let welcome = Welcome { version: 1, server_pid: 2, server_version: String::new() };
    peer.send(&[ServerFrame::Welcome(welcome)]);
    let resume = Resume { is_drawn: true, token: b"token".to_vec() };
    assert_eq!(peer.receive(), ClientFrame::Resume(resume.clone()));
    let mut rest = [peer.receive(), peer.receive()];
    rest.sort_by_key(|frame| matches!(frame, ClientFrame::Resize(_)));
    let size = Size { cols: 90, rows: 20 };
    assert_eq!(rest, [ClientFrame::Input(b"typed".to_vec()), ClientFrame::Resize(size)]);
    assert!(process.is_raw(), "the terminal was never given back");

    // Dead again before it took the client up.
    drop(peer);
    let mut peer = world.accept();
    assert_eq!(peer.welcome().size, Some(size));
    assert_eq!(peer.receive(), ClientFrame::Resume(resume));
    peer.attach();
    peer.send(&[ServerFrame::Output(b"again".to_vec())]);
    shows(&process, "again");
    peer.send(&[ServerFrame::Exit(Exit { reason: ExitReason::Exited, ..Exit::done(0) })]);
    assert_eq!(ends(&process), (Some(0), "[exited]\r\n".to_owned()));
    let text = process.wait_display("output", |tail| Some(text(tail)));
    assert!(!text.contains("broken"), "{text:?}");
}

#[test]
fn a_client_says_why_when_there_is_no_next_server() {
    let world = World::new();
    let (process, peer) = world.attached();
    // How the last server was started does not work any more.
    let LockOutcome::Locked(mut lock) = lock_or_holder(&world.place).unwrap() else { panic!() };
    let launch = Launch { exe: "/bin/false".into(), args: vec![], env: vec![], cwd: "/".into() };
    let registration = Registration {
        pid: 1,
        started_unix_ms: 1,
        socket: BString::from(world.place.socket.as_os_str().as_bytes()),
        version: String::new(),
        ended: false,
        launch,
    };
    lock.register(&registration).unwrap();
    drop(lock);
    fs::remove_file(&world.place.socket).unwrap();
    drop(peer);
    let (code, line) = ends(&process);
    assert_eq!(code, Some(1));
    assert_eq!(line, "the server ended before it was ready (exit status: 1)\r\n");
}

/// Something in the state kills each server that draws it: the client went from one to the next for
/// ever. Servers that were killed before they greeted or after they had drawn count for nothing.
#[test]
fn a_client_gives_up_when_one_server_after_the_other_dies() {
    let world = World::new();
    let (process, mut peer) = world.attached();
    let mut next_pid = 2;
    let mut die = |peer: Peer, has_drawn: bool| {
        drop(peer);
        world.accept().hello();
        let mut peer = world.accept();
        peer.welcome_as(next_pid);
        next_pid += 1;
        assert!(matches!(peer.receive(), ClientFrame::Resume(_)));
        peer.attach();
        if has_drawn {
            peer.send(&[ServerFrame::Output(b"drawn".to_vec())]);
        }
        peer
    };
    for round in 0..3 {
        for _ in 0..15 {
            peer = die(peer, false);
        }
        peer = die(peer, true);
        process.wait_display("what is drawn", |tail| {
            (text(tail).matches("drawn").count() == round + 1).then_some(())
        });
    }
    for _ in 0..16 {
        peer = die(peer, false);
    }
    drop(peer);
    let (code, lines) = ends(&process);
    assert_eq!(code, Some(1));
    let log = world.place.state_dir.join("server.log");
    let said = "16 servers in a row died before they showed anything; their log is";
    assert!(lines.starts_with(&format!("{said} {}\r\nhint: ", log.display())), "{lines:?}");
}

#[test]
fn a_server_that_ended_in_order_is_not_started_again() {
    let world = World::new();
    let (process, peer) = world.attached();
    fs::remove_file(&world.place.socket).unwrap();
    drop(peer);
    assert_eq!(ends(&process), (Some(0), "[server exited]\r\n".to_owned()));
}

/// C4: a terminal that takes nothing blocks neither input nor signals, and the server notices,
/// because its socket fills. Every key that comes through is a turn of the client's loop, in which
/// it could have read more.
#[test]
fn a_stuck_terminal_blocks_nobody() {
    const KEYS: usize = 200;
    const BUFFERED_BYTES_MAX: usize = 4 * 1024 * 1024;
    let world = World::new();
    let (process, mut peer) = world.attached();
    process.pause(true);
    let mut stream = peer.stream.try_clone().unwrap();
    let flood = thread::spawn(move || {
        let mut wire = Vec::new();
        encode(&ServerFrame::Output(vec![b'x'; 60_000]), &mut wire).unwrap();
        let mut sent = 0;
        // Ends when the client does.
        while stream.write_all(&wire).is_ok() {
            sent += wire.len();
        }
        sent
    });
    for _ in 0..KEYS {
        process.type_bytes(b"q");
        assert_eq!(peer.receive(), ClientFrame::Input(b"q".to_vec()));
    }
    process.signal(Signal::TERM);
    assert_eq!(peer.receive(), ClientFrame::Goodbye);
    assert_eq!(peer.receive_or_end(), None);
    let sent = flood.join().unwrap();
    assert!(sent < BUFFERED_BYTES_MAX, "{sent} bytes are buffered");
    process.pause(false);
    assert_eq!(process.wait_exit().code(), Some(1));
    assert!(!process.is_raw());
}

/// Whether it was asked to stop or not: when it goes on, the terminal is taken again, and what was
/// drawn for the time before is not shown.
#[test]
fn a_client_that_was_stopped_has_everything_drawn_anew() {
    for signal in [Signal::TSTP, Signal::STOP] {
        let world = World::new();
        let (process, mut peer) = world.attached();
        process.signal(signal);
        process.wait_stopped();
        assert_eq!(process.is_raw(), signal == Signal::STOP);
        process.signal(Signal::CONT);
        let size = Size { cols: 80, rows: 24 };
        assert_eq!(peer.receive(), ClientFrame::Wakeup(size), "{signal:?}");
        assert!(process.is_raw());
        // A signal that ends a stop may be noticed a second time; each is answered.
        let server = thread::spawn(move || {
            let mut wakeup = Some(ClientFrame::Wakeup(size));
            while wakeup == Some(ClientFrame::Wakeup(size)) {
                peer.send(&[
                    ServerFrame::Output(b"stale".to_vec()),
                    ServerFrame::Attached,
                    ServerFrame::Output(b"picture".to_vec()),
                ]);
                wakeup = peer.receive_or_end();
            }
        });
        process.wait_display("both pictures", |tail| {
            (text(tail).matches("picture").count() >= 2).then_some(())
        });
        let all = process.wait_display("output", |tail| Some(text(tail)));
        assert!(all.contains("picture\u{1b}\\<leave>picture"), "{all:?}");
        drop(process);
        // It may have been answering when the client was ended.
        let _ = server.join();
    }
}
