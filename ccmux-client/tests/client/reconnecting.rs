//! Clients whose server is gone.

use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;

use bstr::BString;
use ccmux_protocol::rendezvous::{Launch, LockOutcome, Registration, lock_or_holder};
use ccmux_protocol::{
    ClientFrame, Exit, ExitReason, Resume, ServerFrame, Size, TerminalSize, Welcome, encode,
};

use crate::world::{Peer, World, ends, shows, text};

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
    process.resize_with_cells(90, 20, (9, 18));
    let welcome = Welcome { version: 1, server_pid: 2, server_version: String::new() };
    peer.send(&[ServerFrame::Welcome(welcome)]);
    let resume = Resume { is_drawn: true, token: b"token".to_vec() };
    assert_eq!(peer.receive(), ClientFrame::Resume(resume.clone()));
    let mut rest = [peer.receive(), peer.receive()];
    rest.sort_by_key(|frame| matches!(frame, ClientFrame::Resize(_)));
    let size = Size { cols: 90, rows: 20 };
    let told = TerminalSize { cells: size, cell_px: Some((9, 18)) };
    assert_eq!(rest, [ClientFrame::Input(b"typed".to_vec()), ClientFrame::Resize(told)]);
    assert!(process.is_raw(), "the terminal was never given back");

    // Dead again before it took the client up.
    drop(peer);
    let mut peer = world.accept();
    let hello = peer.welcome();
    assert_eq!((hello.size, hello.cell_px), (Some(size), Some((9, 18))));
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
