//! How programs and keepers end.

use std::os::fd::AsFd as _;

use ccmux_keeper::{ChildEnd, ChildState};

use super::harness::{PaneDir, await_exit, await_free, await_readable, is_held, program};

#[test]
fn the_exit_status_is_kept() {
    let dir = PaneDir::new();
    for (script, end) in [
        ("exit 0", ChildEnd::Exited(0)),
        ("exit 7", ChildEnd::Exited(7)),
        ("kill -9 $$", ChildEnd::Signaled(9)),
    ] {
        let mut server = dir.spawn(program(&["/bin/sh", "-c", script]));
        let mut stream = Vec::new();
        assert_eq!(server.take_all(&mut stream), end, "{script}");
        assert_eq!(stream, b"", "{script}");
        assert!(is_held(&dir.path()), "a keeper stays until it is released");
        server.release();
        await_free(&dir.path());
    }
}

/// The last words of a program come before its end, even if it leaves others on the terminal.
#[test]
fn the_end_comes_after_all_output() {
    let dir = PaneDir::new();
    let script = "(trap '' HUP; while echo background; do :; done) & \
                  i=0; while [ $i -lt 500 ]; do i=$((i+1)); echo line $i; done; echo last words";
    let mut server = dir.spawn(program(&["/bin/sh", "-c", script]));
    let mut stream = Vec::new();
    assert_eq!(server.take_all(&mut stream), ChildEnd::Exited(0));
    let text = String::from_utf8(stream).unwrap();
    assert!(
        text.contains("last words\r\n"),
        "ends in {:?}",
        &text[text.len().saturating_sub(80)..]
    );
    server.release();
}

/// While no process has the terminal open, reading the pty fails as it does at the end.
#[test]
fn a_program_that_leaves_its_terminal_and_comes_back_is_heard_again() {
    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    let dir = PaneDir::new();
    let fifo = dir.path().join("fifo");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let script = "tty=$(tty); exec <&- >&- 2>&-; read x <fifo; exec >$tty; echo after; exit 5";
    let mut spec = program(&["/bin/sh", "-c", script]);
    spec.cwd = Some(dir.path().to_str().unwrap().into());
    let mut server = dir.spawn(spec);
    let mut hung_up = [PollFd::new(&server.pane().master, PollFlags::empty())];
    assert_eq!(poll(&mut hung_up, None).unwrap(), 1);
    std::fs::write(&fifo, "come back\n").unwrap();
    let mut stream = Vec::new();
    assert_eq!(server.take_all(&mut stream), ChildEnd::Exited(5));
    assert_eq!(stream, b"after\r\n");
    server.release();
}

#[test]
fn a_status_outlives_the_server() {
    let dir = PaneDir::new();
    let script = "echo ready; read line; echo bye; exit 3";
    let mut server = dir.spawn(program(&["/bin/sh", "-c", script]));
    let mut stream = Vec::new();
    server.take_until("ready\r\n", &mut stream);
    let master = server.pane().master.try_clone().unwrap();
    drop(server);
    await_readable(dir.starter.as_fd(), "the keeper to notice");
    rustix::io::write(&master, b"\n").unwrap();
    drop(master);
    let mut server = dir.adopt();
    assert_eq!(server.take_all(&mut stream), ChildEnd::Exited(3));
    assert!(stream.ends_with(b"bye\r\n"), "{}", String::from_utf8_lossy(&stream));
    drop(server);
    // And the next one, which finds it over, is told the same.
    let mut server = dir.adopt();
    assert_eq!(server.pane().ring.end().unwrap(), Some(ChildEnd::Exited(3)));
    server.release();
}

#[test]
fn end_and_signal_reach_the_program_and_its_jobs() {
    let dir = PaneDir::new();
    // The job in the foreground has a process group of its own.
    let script = "set -m; trap 'exit 9' HUP; echo ready; cat; echo job ended with $?; read line";
    let mut server = dir.spawn(program(&["/bin/sh", "-c", script]));
    let mut stream = Vec::new();
    server.take_until("ready\r\n", &mut stream);
    server.type_keys("x\n");
    server.take_until("x\r\nx\r\n", &mut stream);
    server.link.signal(15).unwrap();
    server.take_until("job ended with 143\r\n", &mut stream);
    assert_eq!(server.pane().ring.child_state().unwrap(), ChildState::Running);
    server.link.end(1).unwrap();
    assert_eq!(server.take_all(&mut stream), ChildEnd::Exited(9));
    server.release();
}

#[test]
fn release_lets_a_running_program_be_hung_up() {
    let dir = PaneDir::new();
    let mut server = dir.spawn(program(&["/bin/cat"]));
    let child_pid = server.pane().child_pid;
    server.release();
    await_free(&dir.path());
    await_exit(child_pid);
}

#[test]
fn no_common_signal_ends_a_keeper() {
    use rustix::process::{Pid, Signal, kill_process};
    let dir = PaneDir::new();
    let mut server = dir.spawn(program(&["/bin/cat"]));
    let pid = Pid::from_raw(server.pane().keeper_pid.cast_signed()).unwrap();
    for signal in [
        Signal::HUP,
        Signal::INT,
        Signal::QUIT,
        Signal::TERM,
        Signal::PIPE,
        Signal::USR1,
        Signal::USR2,
        Signal::ALARM,
        Signal::TSTP,
    ] {
        kill_process(pid, signal).unwrap();
    }
    let mut stream = Vec::new();
    server.type_keys("still here\n");
    server.take_until("still here\r\nstill here\r\n", &mut stream);
    server.release();
}
