//! Servers and keepers that are killed while a pane floods.

use std::os::fd::AsFd as _;

use ccmux_keeper::ChildEnd;

use super::harness::{
    PaneDir, Random, assert_same, await_readable, flood, flood_output, is_held, program,
};

const LINES: u64 = 200_000;

/// Goal: a killed server costs no byte. Method: at each of many random moments drop the server's
/// handle with bytes taken but not spooled, which are lost with it, and adopt.
#[test]
fn no_byte_is_lost_when_servers_are_killed_in_a_flood() {
    let dir = PaneDir::new();
    let mut random = Random::new(11);
    let mut spooled = Vec::new();
    let mut server = dir.spawn(flood(LINES));
    let child_pid = server.pane().child_pid;
    let mut rounds = 0;
    loop {
        let mut taken = Vec::new();
        let mut ended = false;
        // Less than a ring in all: a server that waits for more than that without spooling waits
        // for ever.
        for _ in 0..random.below(6) {
            ended |= !server.take(random.below(50_000) as usize + 1, &mut taken);
        }
        let pane = server.pane();
        if random.below(4) > 0 {
            assert_eq!(pane.offset, (spooled.len() + taken.len()) as u64);
            server.spool();
            spooled.append(&mut taken);
        }
        if ended && taken.is_empty() {
            break;
        }
        drop(server);
        server = dir.adopt();
        assert_eq!(server.pane().child_pid, child_pid);
        assert_eq!(server.pane().offset, spooled.len() as u64);
        rounds += 1;
    }
    assert_eq!(server.pane().ring.end().unwrap(), Some(ChildEnd::Exited(0)));
    assert_same(&spooled, &flood_output(LINES));
    assert!(rounds > 25, "only {rounds} rounds");
    server.release();
}

/// Goal: a SIGKILL of the keeper ends no program, and costs no byte of text. Method: kill at many
/// random moments of a flood, now and then with the server.
#[test]
fn no_byte_is_lost_when_keepers_are_killed_in_a_flood() {
    let dir = PaneDir::new();
    let mut random = Random::new(12);
    let mut stream = Vec::new();
    let mut server = dir.spawn(flood(LINES));
    for round in 0..30 {
        for _ in 0..random.below(8) {
            assert!(server.take(random.below(50_000) as usize + 1, &mut stream), "round {round}");
            server.spool();
        }
        server.replace_keeper(&dir);
        assert_eq!(server.pane().ring.doubt().unwrap(), None);
        if random.below(3) == 0 {
            // The second keeper serves a later server just as the first.
            drop(server);
            server = dir.adopt();
        }
    }
    // Its parent was killed, and only a parent learns the status.
    assert_eq!(server.take_all(&mut stream), ChildEnd::Unknown);
    assert_same(&stream, &flood_output(LINES));
    server.release();
}

#[test]
fn a_replaced_keeper_can_end_and_signal_the_program() {
    let dir = PaneDir::new();
    let mut server = dir.spawn(program(&[
        "/bin/sh",
        "-c",
        // A trap waits for the end of a `read`, but ends a `wait`.
        "trap 'echo usr1' USR1; echo ready; while :; do sleep 1000 & wait; done",
    ]));
    let mut stream = Vec::new();
    server.take_until("ready\r\n", &mut stream);
    server.replace_keeper(&dir);
    server.link.signal(10).unwrap();
    server.take_until("usr1\r\n", &mut stream);
    server.link.end(1).unwrap();
    assert_eq!(server.take_all(&mut stream), ChildEnd::Unknown);
    server.release();
}

/// A keeper killed after it had recorded the program's end leaves the status behind; one killed
/// before leaves an end without status.
#[test]
fn an_end_before_the_replacement_is_found() {
    let dir = PaneDir::new();
    let mut server = dir.spawn(program(&["/bin/sh", "-c", "exit 6"]));
    let mut stream = Vec::new();
    assert_eq!(server.take_all(&mut stream), ChildEnd::Exited(6));
    server.replace_keeper(&dir);
    assert_eq!(server.take_all(&mut stream), ChildEnd::Exited(6));
    server.release();
}

#[test]
fn a_keeper_calls_for_a_server_until_one_comes() {
    let dir = PaneDir::new();
    let mut server = dir.spawn(program(&["/bin/cat"]));
    drop(server);
    // Twice: at once, and after the first pause... the starter succeeds, so the pause is long.
    await_readable(dir.starter.as_fd(), "the first call");
    dir.starter.accept().unwrap();
    server = dir.adopt();
    let mut stream = Vec::new();
    server.type_keys("x\n");
    server.take_until("x\r\nx\r\n", &mut stream);
    drop(server);
    await_readable(dir.starter.as_fd(), "a call after the next death");
    dir.starter.accept().unwrap();
    dir.adopt().release();
}

/// A server that says goodbye is not started again. The proof that no call came needs no time:
/// the keeper would have called before it could serve the next server.
#[test]
fn goodbye_keeps_the_keeper_quiet() {
    let dir = PaneDir::new();
    let mut server = dir.spawn(program(&["/bin/cat"]));
    server.link.goodbye().unwrap();
    drop(server);
    let server = dir.adopt();
    dir.starter.set_nonblocking(true).unwrap();
    let error = dir.starter.accept().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    // Only that server's goodbye counts.
    drop(server);
    await_readable(dir.starter.as_fd(), "a call");
    dir.adopt().release();
}

#[test]
fn a_new_server_replaces_the_old_one() {
    let dir = PaneDir::new();
    // Found in the PATH that it is given.
    let mut old = dir.spawn(program(&["cat"]));
    let mut new = dir.adopt();
    old.await_closed();
    assert!(is_held(&dir.path()));
    let mut stream = Vec::new();
    new.type_keys("x\n");
    new.take_until("x\r\nx\r\n", &mut stream);
    new.release();
}
