//! The protocol from raw bytes, as `docs/keeper-protocol.md` draws it: each side against a peer
//! that is written here from the drawing alone.

use std::fs::File;
use std::io::{IoSlice, IoSliceMut, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Command, Stdio};

use ccmux_keeper::{FailedStep, KeeperRing, Link, LinkError, LinkEvent, Stash};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

use super::harness::{PANE, PaneDir, UNDER_TEST, await_free, await_readable, take_lock};

const DOORBELL: u8 = 0x00;
const HELLO: u8 = 0x01;
const START: u8 = 0x02;
const RELEASE: u8 = 0x04;
const STASH: u8 = 0x08;
const FORGET: u8 = 0x09;
const WELCOME: u8 = 0x81;
const READY: u8 = 0x82;
const FAILED: u8 = 0x83;
const STASHED: u8 = 0x84;

/// A field: tag, reserved, length, value.
fn field(tag: u16, value: &[u8]) -> Vec<u8> {
    let length = u32::try_from(value.len()).unwrap();
    [&tag.to_le_bytes()[..], &[0, 0], &length.to_le_bytes(), value].concat()
}

/// A frame: kind, reserved, length, fields.
pub(crate) fn frame(kind: u8, fields: &[Vec<u8>]) -> Vec<u8> {
    let payload = fields.concat();
    let length = u32::try_from(payload.len()).unwrap();
    [&[kind, 0, 0, 0][..], &length.to_le_bytes(), &payload].concat()
}

fn uuid() -> Vec<u8> {
    let digits: String = PANE.chars().filter(char::is_ascii_hexdigit).collect();
    (0..16).map(|at| u8::from_str_radix(&digits[at * 2..at * 2 + 2], 16).unwrap()).collect()
}

pub(crate) fn hello(versions: (u16, u16)) -> Vec<u8> {
    hello_to(versions, &uuid())
}

pub(crate) fn hello_to((least, most): (u16, u16), uuid: &[u8]) -> Vec<u8> {
    frame(
        HELLO,
        &[
            field(1, &least.to_le_bytes()),
            field(2, &most.to_le_bytes()),
            field(4, uuid),
            field(5, &4711_u32.to_le_bytes()),
        ],
    )
}

pub(crate) fn start(script: &str) -> Vec<u8> {
    let size = [24_u16, 80, 0, 0].map(u16::to_le_bytes).concat();
    frame(
        START,
        &[
            field(16, b"/bin/sh"),
            field(16, b"-c"),
            field(16, script.as_bytes()),
            field(18, b"PATH=/bin:/usr/bin"),
            field(0xfff0, b"a field from the future"),
            field(20, &size),
            field(22, &0_u64.to_le_bytes()),
        ],
    )
}

/// A keeper started with a raw connection.
pub(crate) fn raw_keeper(dir: &PaneDir) -> (UnixStream, Child) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let alive = File::create(dir.path().join("alive")).unwrap();
    alive.lock().unwrap();
    let command = dir.keeper_command();
    let child = Command::new(UNDER_TEST)
        .args(command.args)
        .arg(dir.path())
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::from(alive))
        .spawn()
        .unwrap();
    (ours, child)
}

/// The next frame, doorbells passed over, and the descriptors that came with it.
pub(crate) fn next_frame(stream: &UnixStream) -> (u8, Vec<u8>, Vec<OwnedFd>) {
    let mut descriptors = Vec::new();
    let mut take = |count: usize| {
        let mut bytes = vec![0; count];
        let mut filled = 0;
        while filled < count {
            await_readable(stream.as_fd(), "a frame");
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
            let mut control = RecvAncillaryBuffer::new(&mut space);
            let mut buffers = [IoSliceMut::new(&mut bytes[filled..])];
            let received =
                recvmsg(stream, &mut buffers, &mut control, RecvFlags::CMSG_CLOEXEC).unwrap();
            assert_ne!(received.bytes, 0, "the keeper hung up");
            filled += received.bytes;
            for message in control.drain() {
                if let RecvAncillaryMessage::ScmRights(arrived) = message {
                    descriptors.extend(arrived);
                }
            }
        }
        bytes
    };
    let mut kind = DOORBELL;
    while kind == DOORBELL {
        kind = take(1)[0];
    }
    let header = take(7);
    let length = u32::from_le_bytes(header[3..7].try_into().unwrap());
    let payload = take(length as usize);
    (kind, payload, descriptors)
}

/// The kinds of whole frames.
fn kinds_of(mut bytes: &[u8]) -> Vec<u8> {
    let mut kinds = Vec::new();
    while let Some(kind) = bytes.first() {
        kinds.push(*kind);
        let length = u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
        bytes = &bytes[8 + length..];
    }
    kinds
}

pub(crate) fn word(ring: &File, at: u64) -> u64 {
    let mut bytes = [0; 8];
    ring.read_exact_at(&mut bytes, at).unwrap();
    u64::from_ne_bytes(bytes)
}

#[test]
fn a_keeper_serves_a_raw_server() {
    let dir = PaneDir::new();
    let (mut stream, mut keeper) = raw_keeper(&dir);
    let mut said = hello((3, 3));
    said.push(DOORBELL);
    said.extend(frame(0x70, &[b"a kind from the future".to_vec()]));
    said.extend(start("printf hello; read line; printf $line; exit 3"));
    for byte in said {
        stream.write_all(&[byte]).unwrap();
    }

    let (kind, payload, _) = next_frame(&stream);
    let keeper_pid = keeper.id().to_le_bytes();
    let welcome = [field(3, &3_u16.to_le_bytes()), field(4, &uuid()), field(6, &keeper_pid)];
    assert_eq!((kind, payload), (WELCOME, welcome.concat()));

    let (kind, payload, mut descriptors) = next_frame(&stream);
    assert_eq!((kind, descriptors.len()), (READY, 2));
    assert_eq!(payload[..8], field(7, &[0; 4])[..8]);
    let ring = File::from(descriptors.pop().unwrap());
    let master = descriptors.pop().unwrap();
    let mut magic = [0; 8];
    ring.read_exact_at(&mut magic, 0).unwrap();
    assert_eq!(&magic, b"ccmuxrng");
    assert_eq!([word(&ring, 8), word(&ring, 16), word(&ring, 24)], [2, 4096, 262_144]);
    assert_eq!(word(&ring, 160).to_le_bytes()[..4], payload[8..]);

    // Sleep until a word says so: announce it in `server sleeping`, look, wait for a bell.
    let mut sleep_until = |at, enough: u64| loop {
        ring.write_all_at(&1_u64.to_ne_bytes(), 216).unwrap();
        if word(&ring, at) >= enough {
            break;
        }
        await_readable(stream.as_fd(), "a doorbell");
        let mut bells = [0xff; 64];
        let count = stream.read(&mut bells).unwrap();
        assert!(count > 0 && bells[..count].iter().all(|byte| *byte == DOORBELL));
    };
    sleep_until(128, 5);
    rustix::io::write(&master, b"x\n").unwrap();
    sleep_until(176, 1);
    assert_eq!(word(&ring, 168), 2 | 3 << 32, "exited, code 3");
    let mut output = vec![0; usize::try_from(word(&ring, 128)).unwrap()];
    ring.read_exact_at(&mut output, 4096).unwrap();
    let output = String::from_utf8(output).unwrap();
    assert!(output.starts_with("hello") && output.ends_with('x'), "{output:?}");

    stream.write_all(&frame(RELEASE, &[])).unwrap();
    assert!(keeper.wait().unwrap().success());
    await_free(&dir.path());
}

#[test]
fn a_keeper_refuses_what_it_does_not_understand() {
    let dir = PaneDir::new();
    let other = [7; 16];
    for (said, reason) in [
        (hello((4, 9)), "the server speaks protocol versions 4 to 9, the keeper 3 to 3"),
        (hello_to((3, 3), &other), "this keeper keeps pane 0194f7a0-0000-7000-8000-00000000002a"),
    ] {
        let (mut stream, mut keeper) = raw_keeper(&dir);
        stream.write_all(&said).unwrap();
        let (kind, payload, _) = next_frame(&stream);
        assert_eq!(kind, FAILED);
        assert!(payload.starts_with(&[field(48, &[1]), field(49, &[0; 4])].concat()));
        assert!(String::from_utf8_lossy(&payload).contains(reason), "{reason}");
        assert!(keeper.wait().unwrap().success(), "it holds nothing, so it leaves");
    }
    for said in [
        start("exit 0"),
        [hello((3, 3)), hello((3, 3))].concat(),
        [hello((3, 3)), frame(START, &[field(16, b"/bin/sh")])].concat(),
        [hello((3, 3)), frame(START, &[vec![1, 2, 3]])].concat(),
        [hello((3, 3)), frame(0x03, &[field(7, &1_u32.to_le_bytes())])].concat(),
        [hello((3, 3)), frame(0x05, &[field(32, &1_u32.to_le_bytes())])].concat(),
        [hello((3, 3)), frame(STASH, &[])].concat(),
        vec![HELLO, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
        [hello((3, 3)), vec![START, 0, 0, 0, 1, 0, 0x40, 0]].concat(),
        hello((3, 3)),
        Vec::new(),
    ] {
        let (mut stream, mut keeper) = raw_keeper(&dir);
        stream.write_all(&said).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        assert!(keeper.wait().unwrap().success(), "{said:?}");
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).unwrap();
        let kinds = kinds_of(&heard);
        assert!(kinds.is_empty() || kinds == [WELCOME], "{said:?} was answered by {kinds:x?}");
    }
}

fn welcome(version: u16, uuid: &[u8]) -> Vec<u8> {
    let pid = 77_u32.to_le_bytes();
    frame(WELCOME, &[field(3, &version.to_le_bytes()), field(4, uuid), field(6, &pid)])
}

/// A server's link to a keeper that is a listening socket in this test.
fn link_to_raw_keeper(dir: &PaneDir) -> (Link, UnixStream) {
    let _ = std::fs::remove_file(dir.path().join("keeper.sock"));
    let listener = UnixListener::bind(dir.path().join("keeper.sock")).unwrap();
    let link = Link::adopt(&dir.path()).unwrap();
    let (stream, _) = listener.accept().unwrap();
    (link, stream)
}

fn send_ready(stream: &UnixStream, ring: &KeeperRing) {
    let master = File::open("/dev/null").unwrap();
    let ready = frame(READY, &[field(7, &78_u32.to_le_bytes())]);
    send_with(stream, &ready, &[master.as_fd(), ring.as_fd()]);
}

/// Sends a frame, and its descriptors with its first byte.
fn send_with(stream: &UnixStream, frame: &[u8], descriptors: &[BorrowedFd<'_>]) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    assert!(control.push(SendAncillaryMessage::ScmRights(descriptors)));
    let sent = sendmsg(stream, &[IoSlice::new(frame)], &mut control, SendFlags::empty());
    assert_eq!(sent.unwrap(), frame.len());
}

#[test]
fn a_server_adopts_a_raw_keeper() {
    let dir = PaneDir::new();
    let (mut link, mut stream) = link_to_raw_keeper(&dir);
    let mut heard = vec![0; hello((3, 3)).len()];
    stream.read_exact(&mut heard).unwrap();
    let mut expected = hello((3, 3));
    let at = expected.len() - 4;
    expected.splice(at.., rustix::process::getpid().as_raw_pid().to_le_bytes());
    assert_eq!(heard, expected);

    let ring = KeeperRing::create(0).unwrap();
    for byte in welcome(3, &uuid()) {
        stream.write_all(&[byte]).unwrap();
        assert_eq!(link.receive().unwrap().len(), 0);
    }
    stream.write_all(&[DOORBELL, DOORBELL]).unwrap();
    stream.write_all(&frame(0xf0, &[b"a kind from the future".to_vec()])).unwrap();
    send_ready(&stream, &ring);
    let events = link.receive().unwrap();
    assert!(
        matches!(
            events.as_slice(),
            [LinkEvent::Ready { keeper_pid: 77, child_pid: 78, .. }, LinkEvent::Bell]
        ),
        "{events:?}"
    );

    let ring_damaged = [field(48, &[3]), field(49, &0_i32.to_le_bytes()), field(50, b"damaged")];
    stream.write_all(&frame(FAILED, &ring_damaged)).unwrap();
    // Not by dropping: a test that forks at this moment holds a copy until its child has exec'd.
    stream.shutdown(std::net::Shutdown::Both).unwrap();
    let events = link.receive().unwrap();
    let [LinkEvent::Failed(failure), LinkEvent::Closed] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert_eq!(
        (failure.step, failure.to_string()),
        (FailedStep::Ring, "cannot use the ring: damaged".into())
    );
    assert!(link.receive().unwrap().is_empty(), "closed once");
}

/// What a server leaves with a keeper every later server gets, right before READY, until one says
/// FORGET. The keeper does not look at it: here it is an end of a pipe.
#[test]
fn a_keeper_holds_a_stash_for_the_next_server() {
    let dir = PaneDir::new();
    let (mut stream, mut keeper) = raw_keeper(&dir);
    stream.write_all(&[hello((3, 3)), start("read line")].concat()).unwrap();
    assert_eq!(next_frame(&stream).0, WELCOME);
    assert_eq!(next_frame(&stream).0, READY);
    let (output, input) = rustix::pipe::pipe().unwrap();
    // The second one takes the place of the first.
    let (first, _) = rustix::pipe::pipe().unwrap();
    send_with(&stream, &frame(STASH, &[]), &[first.as_fd()]);
    send_with(&stream, &frame(STASH, &[]), &[input.as_fd()]);
    drop(input);
    let socket = dir.path().join("keeper.sock");
    for round in 0_u8..2 {
        // The old connection's end; what it said before is heard first.
        stream.shutdown(std::net::Shutdown::Both).unwrap();
        stream = UnixStream::connect(&socket).unwrap();
        stream.write_all(&hello((3, 3))).unwrap();
        assert_eq!(next_frame(&stream).0, WELCOME);
        let (kind, payload, mut descriptors) = next_frame(&stream);
        assert_eq!((kind, payload.len(), descriptors.len()), (STASHED, 0, 1));
        let input = descriptors.pop().unwrap();
        assert_eq!(next_frame(&stream).0, READY);
        rustix::io::write(&input, &[round]).unwrap();
        let mut byte = [0xff];
        rustix::io::read(&output, &mut byte).unwrap();
        assert_eq!(byte, [round]);
    }
    stream.write_all(&frame(FORGET, &[])).unwrap();
    // Nobody has the other end any more.
    await_readable(output.as_fd(), "the end of what is forgotten");
    assert_eq!(rustix::io::read(&output, &mut [0; 1]).unwrap(), 0);
    stream.shutdown(std::net::Shutdown::Both).unwrap();
    let mut stream = UnixStream::connect(&socket).unwrap();
    stream.write_all(&hello((3, 3))).unwrap();
    assert_eq!(next_frame(&stream).0, WELCOME);
    assert_eq!(next_frame(&stream).0, READY);
    // One without a descriptor breaks the protocol; the program lives on.
    stream.write_all(&frame(STASH, &[])).unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert!(rest.iter().all(|byte| *byte == DOORBELL), "{rest:?}");
    let mut stream = UnixStream::connect(&socket).unwrap();
    stream.write_all(&[hello((3, 3)), frame(RELEASE, &[])].concat()).unwrap();
    assert!(keeper.wait().unwrap().success());
}

/// A stash that is announced comes with READY, as the descriptor that it is.
#[test]
fn a_server_gets_the_stash_with_the_pane() {
    let dir = PaneDir::new();
    let (mut link, mut stream) = link_to_raw_keeper(&dir);
    let stash = Stash::create().unwrap();
    stash.write_at(5, b"kept").unwrap();
    stream.write_all(&welcome(3, &uuid())).unwrap();
    send_with(&stream, &frame(STASHED, &[]), &[stash.as_fd()]);
    assert!(link.receive().unwrap().is_empty());
    send_ready(&stream, &KeeperRing::create(0).unwrap());
    let [LinkEvent::Ready { stash: Some(stash), .. }] = &mut link.receive().unwrap()[..] else {
        panic!("no stash");
    };
    let mut found = [0; 4];
    let stash = Stash::open(stash.try_clone().unwrap()).unwrap();
    assert_eq!(stash.read_at(5, &mut found).unwrap(), 4);
    assert_eq!(&found, b"kept");
}

#[test]
fn a_server_refuses_a_keeper_that_breaks_the_protocol() {
    type Check = fn(&LinkError) -> bool;
    let dir = PaneDir::new();
    let cases: [(Vec<u8>, Check); 6] = [
        (welcome(4, &uuid()), |error| matches!(error, LinkError::Version(4))),
        (welcome(3, &[7; 16]), |error| matches!(error, LinkError::WrongPane { .. })),
        (frame(WELCOME, &[]), |error| matches!(error, LinkError::Wire(_))),
        (
            [welcome(3, &uuid()), frame(READY, &[field(7, &78_u32.to_le_bytes())])].concat(),
            |error| matches!(error, LinkError::Wire(_)),
        ),
        ([welcome(3, &uuid()), frame(STASHED, &[])].concat(), |error| {
            matches!(error, LinkError::Wire(_))
        }),
        (vec![READY, 0, 0, 0, 0, 0, 1, 0], |error| matches!(error, LinkError::Wire(_))),
    ];
    for (said, check) in cases {
        let (mut link, mut stream) = link_to_raw_keeper(&dir);
        stream.write_all(&said).unwrap();
        let error = link.receive().unwrap_err();
        assert!(check(&error), "{said:?}: {error:?}");
    }
    // READY before WELCOME, with everything it needs.
    let (mut link, stream) = link_to_raw_keeper(&dir);
    send_ready(&stream, &KeeperRing::create(0).unwrap());
    assert!(matches!(link.receive().unwrap_err(), LinkError::Wire(_)));
}

#[test]
fn the_lock_is_given_back_when_no_keeper_can_be_started() {
    let dir = PaneDir::new();
    let alive = take_lock(&dir.path());
    let mut command = dir.keeper_command();
    command.exe = "/no/such/executable".into();
    let error = Link::spawn(&command, alive, super::harness::program(&["/bin/true"])).unwrap_err();
    assert!(matches!(error, LinkError::Io(_)), "{error}");
    await_free(&dir.path());
}
