//! Every message of `docs/keeper-protocol.md`, byte by byte, in both directions.
//!
//! `wire` builds what it says from kinds and tags, as the code does. Here are the bytes themselves, so
//! that no change of a kind, a tag, a width or an order goes unnoticed.

use std::fs::File;
use std::io::{IoSlice, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt as _;
use std::os::unix::net::{UnixListener, UnixStream};

use ccmux_keeper::{ChildSpec, KeeperCommand, KeeperRing, Link, Orphan, ServerRing, WindowSize};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use super::harness::{PaneDir, await_free, await_readable, kill, take_lock};
use super::wire::{next_frame, raw_keeper, start, word};

/// The version of the protocol. Raised with every change of it, and then here.
const VERSION: u8 = 3;

/// A HELLO without the server's process id, which is its last four bytes.
const HELLO: [u8; 60] = [
    0x01, 0, 0, 0, 56, 0, 0, 0, // HELLO, 56 bytes
    1, 0, 0, 0, 2, 0, 0, 0, VERSION, 0, // oldest version
    2, 0, 0, 0, 2, 0, 0, 0, VERSION, 0, // newest version
    4, 0, 0, 0, 16, 0, 0, 0, // the pane's uuid
    0x01, 0x94, 0xf7, 0xa0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 0x2a, //
    5, 0, 0, 0, 4, 0, 0, 0, // the server's process id
];

const RELEASE: [u8; 8] = [0x04, 0, 0, 0, 0, 0, 0, 0];
const END_HUP: [u8; 20] = [0x05, 0, 0, 0, 12, 0, 0, 0, 32, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0];
const SIGNAL_USR1: [u8; 20] = [0x06, 0, 0, 0, 12, 0, 0, 0, 32, 0, 0, 0, 4, 0, 0, 0, 10, 0, 0, 0];
const GOODBYE: [u8; 8] = [0x07, 0, 0, 0, 0, 0, 0, 0];
const STASH: [u8; 8] = [0x08, 0, 0, 0, 0, 0, 0, 0];
const FORGET: [u8; 8] = [0x09, 0, 0, 0, 0, 0, 0, 0];

/// What WELCOME carries before the keeper's process id.
const WELCOME: [u8; 42] = [
    3, 0, 0, 0, 2, 0, 0, 0, VERSION, 0, // the version chosen
    4, 0, 0, 0, 16, 0, 0, 0, // the pane's uuid
    0x01, 0x94, 0xf7, 0xa0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 0x2a, //
    6, 0, 0, 0, 4, 0, 0, 0, // the keeper's process id
];

/// What READY carries before the program's process id.
const READY: [u8; 8] = [7, 0, 0, 0, 4, 0, 0, 0];

fn own_pid() -> [u8; 4] {
    rustix::process::getpid().as_raw_pid().to_le_bytes()
}

/// What a server says to a keeper that is a process which only listens.
fn heard_by_a_new_keeper(begin: impl FnOnce(&KeeperCommand, &PaneDir) -> Link) -> Vec<u8> {
    let dir = PaneDir::new();
    let listen = "cat >\"$0/heard.tmp\"; mv \"$0/heard.tmp\" \"$0/heard\"";
    let command = KeeperCommand {
        exe: "/bin/sh".into(),
        name: None,
        args: vec!["-c".into(), listen.into()],
        open_files: None,
    };
    let link = begin(&command, &dir);
    drop(link);
    await_free(&dir.path());
    std::fs::read(dir.path().join("heard")).unwrap()
}

#[test]
fn a_server_s_start_and_replace_are_as_drawn() {
    let spec = ChildSpec {
        argv: vec!["/bin/a".into(), "b".into()],
        argv0: Some("-a".into()),
        env: vec![("N".into(), "v".into())],
        cwd: Some("/tmp".into()),
        size: WindowSize { rows: 24, cols: 80, width_px: 800, height_px: 600 },
        stream_offset: 0x0102,
        oom_score_adj: Some(-5),
    };
    let heard = heard_by_a_new_keeper(|command, dir| {
        Link::spawn(command, take_lock(&dir.path()), spec).unwrap()
    });
    let start: [&[u8]; 14] = [
        &[0x02, 0, 0, 0, 100, 0, 0, 0],
        &[16, 0, 0, 0, 6, 0, 0, 0],
        b"/bin/a",
        &[16, 0, 0, 0, 1, 0, 0, 0],
        b"b",
        &[17, 0, 0, 0, 2, 0, 0, 0],
        b"-a",
        &[18, 0, 0, 0, 3, 0, 0, 0],
        b"N=v",
        &[19, 0, 0, 0, 4, 0, 0, 0],
        b"/tmp",
        &[20, 0, 0, 0, 8, 0, 0, 0, 24, 0, 80, 0, 0x20, 0x03, 0x58, 0x02],
        &[22, 0, 0, 0, 8, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0],
        &[21, 0, 0, 0, 4, 0, 0, 0, 0xfb, 0xff, 0xff, 0xff],
    ];
    assert_eq!(heard, [&HELLO[..], &own_pid(), &start.concat()].concat());

    let master: OwnedFd = File::open("/dev/null").unwrap().into();
    let keeper = KeeperRing::create(0).unwrap();
    let ring = ServerRing::open(keeper.as_fd().try_clone_to_owned().unwrap()).unwrap();
    let orphan =
        Orphan { child_pid: 0x0102_0304, master: &master, ring: &ring, oom_score_adj: Some(7) };
    let heard = heard_by_a_new_keeper(|command, dir| {
        Link::replace(command, take_lock(&dir.path()), &orphan).unwrap()
    });
    let replace = [
        0x03, 0, 0, 0, 24, 0, 0, 0, // REPLACE, 24 bytes
        7, 0, 0, 0, 4, 0, 0, 0, 4, 3, 2, 1, // the program's process id
        21, 0, 0, 0, 4, 0, 0, 0, 7, 0, 0, 0, // oom_score_adj
    ];
    assert_eq!(heard, [&HELLO[..], &own_pid(), &replace].concat());
}

#[test]
fn what_a_server_says_to_a_keeper_is_as_drawn() {
    let dir = PaneDir::new();
    let listener = UnixListener::bind(dir.path().join("keeper.sock")).unwrap();
    let mut link = Link::adopt(&dir.path()).unwrap();
    let (mut keeper, _) = listener.accept().unwrap();
    link.bell().unwrap();
    link.end(1).unwrap();
    link.signal(10).unwrap();
    link.stash(File::open("/dev/null").unwrap().into()).unwrap();
    link.forget_stash().unwrap();
    link.goodbye().unwrap();
    link.release().unwrap();
    drop(link);
    let mut heard = Vec::new();
    keeper.read_to_end(&mut heard).unwrap();
    let bell = [0];
    let before: [&[u8]; 5] = [&HELLO, &own_pid(), &bell, &END_HUP, &SIGNAL_USR1];
    let after: [&[u8]; 4] = [&STASH, &FORGET, &GOODBYE, &RELEASE];
    assert_eq!(heard, [before.concat(), after.concat()].concat());
}

/// What the keeper answers to a HELLO; returns the ring and the master.
fn greet(
    stream: &UnixStream,
    keeper_pid: u32,
    child_pid: Option<u32>,
    has_stash: bool,
) -> (OwnedFd, File) {
    let (kind, payload, descriptors) = next_frame(stream);
    assert_eq!((kind, descriptors.len()), (0x81, 0));
    assert_eq!(payload, [&WELCOME[..], &keeper_pid.to_le_bytes()].concat());
    let (mut kind, mut payload, mut descriptors) = next_frame(stream);
    if has_stash {
        assert_eq!((kind, payload.len(), descriptors.len()), (0x84, 0, 1));
        let mut found = Vec::new();
        File::from(descriptors.remove(0)).read_to_end(&mut found).unwrap();
        assert_eq!(found, b"stashed");
        (kind, payload, descriptors) = next_frame(stream);
    }
    assert_eq!((kind, payload.len()), (0x82, 12));
    assert_eq!(payload[..8], READY);
    if let Some(pid) = child_pid {
        assert_eq!(payload[8..], pid.to_le_bytes());
    }
    let [master, ring] = <[OwnedFd; 2]>::try_from(descriptors).unwrap();
    (master, ring.into())
}

/// Waits, as a server does, until the program's output ends in `text`.
fn await_output(stream: &UnixStream, ring: &File, text: &str) {
    loop {
        ring.write_all_at(&1_u64.to_ne_bytes(), 216).unwrap();
        let mut output = vec![0; usize::try_from(word(ring, 128)).unwrap()];
        ring.read_exact_at(&mut output, 4096).unwrap();
        if output.ends_with(text.as_bytes()) {
            return;
        }
        await_bell(stream, text);
    }
}

/// Waits, as a server does, until the program has ended; returns the child state.
fn await_end(stream: &UnixStream, ring: &File) -> u64 {
    const RUNNING: u64 = 1;
    loop {
        ring.write_all_at(&1_u64.to_ne_bytes(), 216).unwrap();
        match word(ring, 168) {
            RUNNING => await_bell(stream, "the end"),
            state => return state,
        }
    }
}

fn await_bell(mut stream: &UnixStream, what: &str) {
    await_readable(stream.as_fd(), what);
    let mut bells = [0xff; 64];
    let count = stream.read(&mut bells).unwrap();
    assert!(count > 0 && bells[..count].iter().all(|byte| *byte == 0), "{bells:x?}");
}

#[test]
fn a_keeper_obeys_every_message_as_drawn() {
    let dir = PaneDir::new();
    let (mut stream, mut keeper) = raw_keeper(&dir);
    let hello = [&HELLO[..], &[1, 0, 0, 0]].concat();
    stream.write_all(&hello).unwrap();
    let script = "trap 'echo usr1' USR1; trap 'echo hup; exit 9' HUP; echo ready; \
                  while :; do sleep 1000 & wait; done";
    stream.write_all(&start(script)).unwrap();
    let (master, ring) = greet(&stream, keeper.id(), None, false);
    let child_pid = u32::try_from(word(&ring, 160)).unwrap();
    await_output(&stream, &ring, "ready\r\n");
    stream.write_all(&SIGNAL_USR1).unwrap();
    await_output(&stream, &ring, "usr1\r\n");

    kill(keeper.id());
    keeper.wait().unwrap();
    let (mut stream, mut keeper) = raw_keeper(&dir);
    stream.write_all(&hello).unwrap();
    let [a, b, c, d] = child_pid.to_le_bytes();
    let replace = [0x03, 0, 0, 0, 12, 0, 0, 0, 7, 0, 0, 0, 4, 0, 0, 0, a, b, c, d];
    send_with(&stream, &replace, &[master.as_fd(), ring.as_fd()]);
    drop((master, ring));
    let (_master, ring) = greet(&stream, keeper.id(), Some(child_pid), false);
    stream.write_all(&END_HUP).unwrap();
    await_output(&stream, &ring, "hup\r\n");

    let stash = dir.path().join("stash");
    std::fs::write(&stash, "stashed").unwrap();
    send_with(&stream, &STASH, &[File::open(&stash).unwrap().as_fd()]);
    stream.write_all(&GOODBYE).unwrap();
    stream.shutdown(std::net::Shutdown::Both).unwrap();
    let mut stream = UnixStream::connect(dir.path().join("keeper.sock")).unwrap();
    stream.write_all(&hello).unwrap();
    greet(&stream, keeper.id(), Some(child_pid), true);
    stream.write_all(&FORGET).unwrap();
    stream.write_all(&GOODBYE).unwrap();
    stream.shutdown(std::net::Shutdown::Both).unwrap();
    let mut stream = UnixStream::connect(dir.path().join("keeper.sock")).unwrap();
    stream.write_all(&hello).unwrap();
    let (_master, ring) = greet(&stream, keeper.id(), Some(child_pid), false);
    assert_eq!(await_end(&stream, &ring), 4, "ended, and only its parent would know how");
    stream.write_all(&RELEASE).unwrap();
    assert!(keeper.wait().unwrap().success());
    dir.starter.set_nonblocking(true).unwrap();
    let error = dir.starter.accept().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock, "called although it said goodbye");
}

fn send_with(stream: &UnixStream, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    assert!(control.push(SendAncillaryMessage::ScmRights(descriptors)));
    let sent = sendmsg(stream, &[IoSlice::new(bytes)], &mut control, SendFlags::empty());
    assert_eq!(sent.unwrap(), bytes.len());
}
