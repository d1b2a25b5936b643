//! A server that the test plays, and what is seen of its clients.

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Command, Output};

use ccmux_protocol::rendezvous::{Place, bind};
use ccmux_protocol::{ClientFrame, FrameDecoder, Hello, ServerFrame, Welcome, encode};
use ccmux_testkit::{DEADLINE, PtyProcess, Tail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::getuid;
use tempfile::TempDir;

/// What gives the terminal back in these tests, and what that looks like.
pub(crate) const LEAVE: &[u8] = b"<leave>";
pub(crate) const GIVEN_BACK: &str = "\u{1b}\\<leave>";

/// A place for a server, and the server that the test plays there.
pub(crate) struct World {
    pub(crate) listener: UnixListener,
    pub(crate) place: Place,
    // Dropped last.
    pub(crate) _dir: TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let place = Place {
            name: "n".into(),
            state_dir: dir.path().join("state"),
            socket: dir.path().join("run/n"),
        };
        place.prepare(getuid().as_raw()).unwrap();
        World { listener: bind(&place).unwrap(), place, _dir: dir }
    }

    pub(crate) fn command(&self, flag: &str, argv: &[&str]) -> Command {
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
    pub(crate) fn one_shot(&self, argv: &[&str]) -> Output {
        self.command("", argv).output().unwrap()
    }

    /// A client in a terminal of 80 by 24, and its connection.
    pub(crate) fn client(&self, argv: &[&str]) -> (PtyProcess<Tail>, Peer) {
        let process = PtyProcess::spawn(self.command("", argv), 80, 24, Tail::default()).unwrap();
        (process, self.accept())
    }

    /// A client that is attached and shows `picture`.
    pub(crate) fn attached(&self) -> (PtyProcess<Tail>, Peer) {
        let (process, mut peer) = self.client(&["attach"]);
        peer.welcome();
        assert_eq!(peer.receive(), ClientFrame::Command(vec!["attach".into()]));
        peer.attach();
        peer.send(&[ServerFrame::Output(b"picture".to_vec())]);
        shows(&process, "picture");
        assert!(process.is_raw());
        (process, peer)
    }

    pub(crate) fn accept(&self) -> Peer {
        let deadline = Timespec::try_from(DEADLINE).unwrap();
        let mut fds = [PollFd::new(&self.listener, PollFlags::IN)];
        assert_eq!(poll(&mut fds, Some(&deadline)), Ok(1), "nobody connects");
        let (stream, _) = self.listener.accept().unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        Peer { stream, decoder: FrameDecoder::new() }
    }
}

/// The server's end of a connection.
pub(crate) struct Peer {
    pub(crate) stream: UnixStream,
    pub(crate) decoder: FrameDecoder<ClientFrame>,
}

impl Peer {
    pub(crate) fn receive(&mut self) -> ClientFrame {
        self.receive_or_end().expect("a frame before the end")
    }

    /// The next frame, or `None` at the end of the connection.
    pub(crate) fn receive_or_end(&mut self) -> Option<ClientFrame> {
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

    pub(crate) fn hello(&mut self) -> Hello {
        match self.receive() {
            ClientFrame::Hello(hello) => *hello,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn send(&mut self, frames: &[ServerFrame]) {
        let mut wire = Vec::new();
        for frame in frames {
            encode(frame, &mut wire).unwrap();
        }
        self.stream.write_all(&wire).unwrap();
    }

    pub(crate) fn welcome(&mut self) -> Hello {
        self.welcome_as(1)
    }

    pub(crate) fn welcome_as(&mut self, server_pid: u32) -> Hello {
        let hello = self.hello();
        let welcome = Welcome { version: 1, server_pid, server_version: String::new() };
        self.send(&[ServerFrame::Welcome(welcome)]);
        hello
    }

    pub(crate) fn attach(&mut self) {
        let token = ServerFrame::Token(b"token".to_vec());
        self.send(&[ServerFrame::Leave(LEAVE.to_vec()), ServerFrame::Attached, token]);
    }
}

pub(crate) fn text(process: &Tail) -> String {
    String::from_utf8_lossy(&process.bytes).into_owned()
}

pub(crate) fn shows(process: &PtyProcess<Tail>, what: &str) {
    process.wait_display(what, |tail| text(tail).contains(what).then_some(()));
}

/// Waits for the end and checks that the terminal was given back, once. Returns the exit status
/// and what was printed after the picture.
pub(crate) fn ends(process: &PtyProcess<Tail>) -> (Option<i32>, String) {
    let status = process.wait_exit();
    assert!(!process.is_raw());
    let text = process.wait_display("output", |tail| Some(text(tail)));
    let (_, rest) = text.split_once("picture").unwrap();
    assert_eq!(rest.matches(GIVEN_BACK).count(), 1, "{rest:?}");
    let (_, after) = rest.split_once(GIVEN_BACK).unwrap();
    (status.code(), after.to_owned())
}
