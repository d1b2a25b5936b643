//! What must not disturb a keeper at work.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileExt as _;
use std::os::unix::net::UnixStream;

use ccmux_keeper::{ChildEnd, FailedStep, KeeperCommand, Link};

use super::harness::{PaneDir, Random, Server, UNDER_TEST, await_free, program, take_lock};
use super::wire::{frame, hello, hello_to};

/// Strangers that connect, talk nonsense, or stay silent do not cut off the server at work.
#[test]
fn strangers_do_not_cut_off_the_server() {
    let dir = PaneDir::new();
    let mut server = dir.spawn(program(&["/bin/cat"]));
    let mut random = Random::new(21);
    let mut silent = Vec::new();
    let mut stream = Vec::new();
    for round in 0..60 {
        let mut stranger = UnixStream::connect(dir.path().join("keeper.sock")).unwrap();
        let said = match round % 6 {
            0 => Vec::new(),
            1 => (0..random.below(5000)).map(|_| random.below(256) as u8).collect(),
            2 => frame(0x04, &[]),
            3 => hello((5, 9)),
            4 => hello_to((3, 3), &[9; 16]),
            _ => hello((3, 3))[..20].to_vec(),
        };
        // It may be cut off in the middle of its sentence.
        let _ = stranger.write_all(&said);
        silent.push(stranger);
        let line = format!("round {round}");
        server.type_keys(&format!("{line}\n"));
        server.take_until(&format!("{line}\r\n{line}\r\n"), &mut stream);
    }
    assert!(!server.is_closed);
    // And among all of them a true server still gets through.
    drop(server);
    dir.adopt().release();
}

/// A ring that someone has damaged stops the pane, says so, and can still be closed.
#[test]
fn a_damaged_ring_is_reported_and_the_pane_can_be_closed() {
    let dir = PaneDir::new();
    let mut server = dir.spawn(program(&["/bin/cat"]));
    let ring = File::from(server.pane().ring.as_fd().try_clone_to_owned().unwrap());
    ring.write_all_at(&u64::MAX.to_ne_bytes(), 192).unwrap();
    server.type_keys("x\n");
    while server.failure.is_none() {
        server.hear().unwrap();
    }
    let failure = server.failure.clone().unwrap();
    assert_eq!(failure.step, FailedStep::Ring);
    assert!(failure.message.contains("damaged: spooled is 18446744073709551615"), "{failure}");
    server.link.end(9).unwrap();
    while server.pane().ring.end().unwrap().is_none() {
        let head = server.pane().ring.head().unwrap();
        if server.pane().ring.arm_bell(head).unwrap() {
            server.hear().unwrap();
        }
    }
    assert_eq!(server.pane().ring.end().unwrap(), Some(ChildEnd::Signaled(9)));
    server.release();
}

/// Without memory for its ring a pane is refused in words that say so.
#[test]
#[cfg(target_os = "linux")]
fn a_ring_that_cannot_be_reserved_is_a_clear_error() {
    let dir = PaneDir::new();
    let alive = take_lock(&dir.path());
    // No file may grow beyond 50 KiB, not even in memory.
    let limited = "ulimit -f 100; exec \"$0\" keeper none \"$1\"";
    let command = KeeperCommand {
        exe: "/bin/sh".into(),
        name: None,
        open_files: None,
        args: vec!["-c".into(), limited.into(), UNDER_TEST.into()],
    };
    let mut server = Server::new(Link::spawn(&command, alive, program(&["/bin/cat"])).unwrap());
    server.await_closed();
    let failure = server.failure.clone().unwrap();
    assert_eq!((failure.step, failure.errno), (FailedStep::Ring, 27));
    assert!(
        failure.message.starts_with("cannot reserve 262144 bytes of shared memory for a pane"),
        "{failure}"
    );
    super::harness::await_exit(server.link.keeper_pid().unwrap());
    await_free(&dir.path());
}
