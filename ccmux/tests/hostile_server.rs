//! Whoever answers on the socket, whatever it says: a client ends with 1 and clear words, and gives
//! the terminal back.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;

use ccmux_protocol::{
    Exit, FRAME_BYTES_MAX, PROTOCOL_VERSION, Refusal, RefusalCode, ServerFrame, Welcome, encode,
};
use ccmux_testkit::{Attached, DEADLINE, Finished, Random, TestEnv};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// A world without a server, and what answers there instead.
struct Scene {
    env: TestEnv,
}

impl Scene {
    fn new() -> Self {
        let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
        let run = env.path().join("run/ccmux");
        fs::DirBuilder::new().mode(0o700).create(run).expect("it is ours");
        Self { env }
    }

    fn listen(&self) -> UnixListener {
        UnixListener::bind(self.env.socket()).expect("nobody else listens")
    }

    /// Takes one client, and no other after it.
    fn accept(&self, listener: &UnixListener) -> UnixStream {
        let stream = accept_one(listener);
        fs::remove_file(self.env.socket()).expect("it is ours");
        stream
    }

    /// What a command comes to whose server says this and hangs up.
    fn told(&self, bytes: &[u8]) -> Finished {
        let listener = self.listen();
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut stream = self.accept(&listener);
                // Once the client speaks, it listens.
                stream.read_exact(&mut [0]).expect("it greets");
                // It may end before it has heard everything.
                let _ = stream.write_all(bytes);
            });
            self.env.ccmux(&["list-sessions"])
        })
    }

    /// An attached client, and its server.
    fn attached(&self) -> (Attached, UnixStream) {
        let listener = self.listen();
        let client = self.env.attach(80, 24);
        let mut stream = self.accept(&listener);
        let attach = [
            welcome(PROTOCOL_VERSION),
            bytes(&ServerFrame::Leave(b"\x1b[2J\x1b[Hgiven back ".to_vec())),
            bytes(&ServerFrame::Attached),
            bytes(&ServerFrame::Output(b"picture".to_vec())),
        ];
        stream.write_all(&attach.concat()).expect("the client listens");
        client.wait_text("picture");
        assert!(client.is_raw());
        (client, stream)
    }
}

/// Takes a client that will come.
fn accept_one(listener: &UnixListener) -> UnixStream {
    let deadline = Timespec::try_from(DEADLINE).expect("a minute fits");
    let mut fds = [PollFd::new(listener, PollFlags::IN)];
    assert_eq!(poll(&mut fds, Some(&deadline)), Ok(1), "nobody connects");
    let (stream, _) = listener.accept().expect("the client connects");
    stream.set_read_timeout(Some(DEADLINE)).expect("it is a socket");
    stream
}

fn bytes(frame: &ServerFrame) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(frame, &mut bytes).expect("it fits into a frame");
    bytes
}

fn welcome(version: u32) -> Vec<u8> {
    bytes(&ServerFrame::Welcome(Welcome { version, server_pid: 1, server_version: String::new() }))
}

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    [header(payload.len(), kind), payload.to_vec()].concat()
}

fn header(len: usize, kind: u8) -> Vec<u8> {
    let len = u32::try_from(len).expect("it fits into the field");
    [&len.to_le_bytes()[..], &[kind]].concat()
}

/// What is no conversation, and what is said of it.
fn nonsense() -> Vec<(Vec<u8>, &'static str)> {
    vec![
        (header(FRAME_BYTES_MAX + 1, 0x87), "cannot talk to the server: frame of 1048577 bytes, "),
        (header(u32::MAX as usize, 0x8a), "cannot talk to the server: frame of 4294967295 bytes, "),
        (frame(0x01, b"{}"), "cannot talk to the server: unknown frame kind 0x01"),
        (frame(0xff, b""), "cannot talk to the server: unknown frame kind 0xff"),
        (frame(0x8a, b"{"), "cannot talk to the server: malformed payload in a frame of kind 0x8a"),
        (frame(0x82, b"\xff\xfe"), "cannot talk to the server: malformed payload"),
    ]
}

#[track_caller]
fn assert_fails(finished: &Finished, words: &str) {
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(1), ""), "{finished:?}");
    assert!(finished.stderr.contains(words), "{words}: {finished:?}");
    assert!(!finished.stderr.contains("panicked"), "{finished:?}");
}

#[test]
fn a_greeting_that_is_none_is_told() {
    let scene = Scene::new();
    let early = |frame| (bytes(&frame), "cannot talk to the server: it does not greet\n");
    let newer = format!(
        "it speaks protocol {}, this client {PROTOCOL_VERSION} to {PROTOCOL_VERSION}\n",
        PROTOCOL_VERSION + 1
    );
    let mut cases = nonsense();
    cases.extend([
        early(ServerFrame::Exit(Exit::done(0))),
        early(ServerFrame::Attached),
        early(ServerFrame::Stdout(b"too early".to_vec())),
        (welcome(PROTOCOL_VERSION + 1), &newer),
        (Vec::new(), "no server running on "),
        (welcome(PROTOCOL_VERSION)[..20].to_vec(), "no server running on "),
    ]);
    for (said, words) in cases {
        assert_fails(&scene.told(&said), words);
    }
}

#[test]
fn a_conversation_that_ends_anywhere_or_in_nonsense_is_told() {
    let scene = Scene::new();
    let welcome = welcome(PROTOCOL_VERSION);
    for (said, words) in nonsense() {
        assert_fails(&scene.told(&[welcome.clone(), said].concat()), words);
    }
    let last = bytes(&ServerFrame::Exit(Exit::done(0)));
    for len in 0..last.len() {
        let said = [&welcome, &last[..len]].concat();
        assert_fails(&scene.told(&said), "server exited unexpectedly\n");
    }
    assert_eq!(scene.told(&[&welcome[..], &last].concat()).code, Some(0));
    let attach = bytes(&ServerFrame::Attached);
    let said = [&welcome[..], &attach].concat();
    assert_fails(&scene.told(&said), "open terminal failed: not a terminal\n");
    // The longest frame is one.
    let longest = bytes(&ServerFrame::Stdout(vec![b'x'; FRAME_BYTES_MAX]));
    let finished = scene.told(&[&welcome[..], &longest, &last].concat());
    assert_eq!((finished.code, finished.stdout.len()), (Some(0), FRAME_BYTES_MAX));
}

/// A server that gives way to another says so to whom it has done nothing for: who is told so asks
/// again, and nobody notices.
#[test]
fn who_comes_in_the_middle_of_a_restart_asks_the_next_server() {
    let scene = Scene::new();
    let listener = scene.listen();
    let refusal = bytes(&ServerFrame::Refused(Refusal {
        code: RefusalCode::Restarting,
        message: String::new(),
        hint: None,
    }));
    let first = [welcome(PROTOCOL_VERSION), refusal.clone()].concat();
    let last = [
        welcome(PROTOCOL_VERSION),
        bytes(&ServerFrame::Stdout(b"done".to_vec())),
        bytes(&ServerFrame::Exit(Exit::done(0))),
    ];
    let said = [first, refusal, last.concat()];
    let finished = thread::scope(|scope| {
        scope.spawn(|| {
            for said in said {
                let mut stream = accept_one(&listener);
                stream.read_exact(&mut [0]).expect("it greets");
                stream.write_all(&said).expect("the client listens");
                // All that it says, until it hangs up.
                let _ = stream.read_to_end(&mut Vec::new());
            }
        });
        scene.env.ccmux(&["list-sessions"])
    });
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(0), "done"), "{finished:?}");
    assert_eq!(finished.stderr, "");
}

#[test]
fn noise_ends_a_command_and_is_told() {
    let scene = Scene::new();
    let mut random = Random::seeded(0x006e_6f69_7365);
    for case in 0..60 {
        let mut said = if case % 2 == 0 { Vec::new() } else { welcome(PROTOCOL_VERSION) };
        let len = 1 + random.below(300) as usize;
        let noise = random.bytes(len);
        match case % 3 {
            0 => said.extend(noise),
            // A kind that there is and that must be something, of a length that is true.
            _ => said.extend(frame([0x81, 0x82, 0x8a][random.below(3) as usize], &noise)),
        }
        let finished = scene.told(&said);
        assert_fails(&finished, "");
        assert_ne!(finished.stderr, "", "case {case} is told in words");
    }
}

#[test]
fn an_attached_terminal_is_given_back_whatever_is_said() {
    let scene = Scene::new();
    for (said, words) in nonsense() {
        let (client, mut stream) = scene.attached();
        stream.write_all(&said).expect("the client listens");
        assert_eq!(client.wait_exit().code(), Some(1));
        assert!(!client.is_raw());
        let shown = client.screen_text();
        // A row is shorter than some of the words.
        let shown = shown.replace('\n', "");
        assert!(shown.starts_with(&format!("given back {words}")), "{shown}");
    }
}
