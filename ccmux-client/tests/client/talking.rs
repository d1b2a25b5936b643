//! Clients and the server that they talk with.

use std::fs;
use std::io::Write as _;
use std::process::Output;
use std::thread;

use bstr::BString;
use ccmux_protocol::{
    ClientFrame, Exit, ExitReason, Refusal, RefusalCode, ServerFrame, Size, TerminalSize,
    VersionRange, encode,
};
use rustix::process::Signal;

use crate::world::{World, ends, shows, text};

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
    let cells = Size { cols: 100, rows: 30 };
    assert_eq!(peer.receive(), ClientFrame::Resize(cells.into()));
    for cell in [(9, 18), (12, 25)] {
        process.resize_with_cells(100, 30, cell);
        let size = TerminalSize { cells, cell_px: Some(cell) };
        assert_eq!(peer.receive(), ClientFrame::Resize(size), "another font");
    }

    let reason = ExitReason::Detached { session: "0".into() };
    peer.send(&[ServerFrame::Exit(Exit { reason, ..Exit::done(0) })]);
    assert_eq!(ends(&process), (Some(0), "[detached (from session 0)]\r\n".to_owned()));
}

/// Who leaves a terminal that owes no answer asks it nothing more.
#[test]
fn a_terminal_that_has_answered_is_left_at_once() {
    let world = World::new();
    let (process, mut peer) = world.attached();
    peer.send(&[ServerFrame::Asks, ServerFrame::Output(b"question".to_vec())]);
    shows(&process, "question");
    let exit = Exit { reason: ExitReason::Terminated, ..Exit::done(0) };
    peer.send(&[ServerFrame::Answered, ServerFrame::Exit(exit)]);
    assert_eq!(ends(&process), (Some(0), "[terminated]\r\n".to_owned()));
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
        let size = TerminalSize::from(Size { cols: 80, rows: 24 });
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
