//! Every command says of a mistake what tmux says of it, and does nothing.
//!
//! `recordings/record.py` recorded what tmux 3.3a says, and says how it reads.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;

use bstr::BString;
use ccmux_protocol::{ClientFrame, FrameDecoder, PROTOCOL_VERSION, ServerFrame, encode};
use ccmux_testkit::{DEADLINE, TestEnv};

/// What tmux lacks.
const OURS: &[&str] = &["list-closed", "restart-server", "show-closed", "status"];

/// A step of the recording, and what tmux said.
fn steps() -> Vec<(&'static str, String)> {
    let recording = include_str!("recordings/mistakes.txt");
    let mut steps: Vec<(&str, String)> = Vec::new();
    for line in recording.lines() {
        match (line.strip_prefix("> "), steps.last_mut()) {
            (Some(step), _) => steps.push((step, String::new())),
            (None, Some((_, said))) => writeln!(said, "{line}").expect("it is memory"),
            (None, None) => panic!("it begins with a step"),
        }
    }
    steps
}

/// A usage that we show after what tmux says alone.
fn without_usage(said: &str) -> String {
    match said.split_once("\nusage: ") {
        Some((said, _)) => format!("{said}\n"),
        None => said.to_owned(),
    }
}

/// What a command comes to: its status, and what it prints and complains of. Hundreds of processes
/// would take seconds, so the server is spoken with directly.
fn run(env: &TestEnv, step: &str) -> (Option<u8>, String, String) {
    let version = PROTOCOL_VERSION;
    let hello = format!(r#"{{"versions":{{"min":{version},"max":{version}}},"pid":1}}"#);
    let len = u32::try_from(hello.len()).expect("it is short");
    let mut bytes = [&len.to_le_bytes()[..], &[1], hello.as_bytes()].concat();
    let command = ClientFrame::Command(step.split(' ').map(BString::from).collect());
    encode(&command, &mut bytes).expect("it fits into a frame");
    let mut stream = UnixStream::connect(env.socket()).expect("the socket is there");
    stream.set_read_timeout(Some(DEADLINE)).expect("it is a socket");
    stream.write_all(&bytes).expect("the server listens");
    bytes.clear();
    stream.read_to_end(&mut bytes).expect("the server answers and hangs up");
    let mut decoder = FrameDecoder::new();
    decoder.push(&bytes);
    let (mut code, mut stdout, mut stderr) = (None, String::new(), String::new());
    while let Some(frame) = decoder.next_frame().expect("a server says frames") {
        match frame {
            ServerFrame::Stdout(bytes) => stdout += &String::from_utf8_lossy(&bytes),
            ServerFrame::Stderr(bytes) => stderr += &String::from_utf8_lossy(&bytes),
            ServerFrame::Exit(exit) => code = Some(exit.code),
            _ => {}
        }
    }
    (code, stdout, stderr)
}

#[test]
fn every_command_tells_of_mistakes_in_the_words_of_tmux() {
    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    // With a name of its own the window does not follow its program.
    env.ok(&["new-session", "-d", "-s", "work", "-n", "one", "-x", "80", "-y", "24", "cat"]);
    let shown = || {
        let format = "#{session_name} #{window_index} #{window_name} #{window_layout} #{pane_pid}";
        env.ok(&["list-panes", "-a", "-F", format]) + &env.ok(&["show-options"])
    };
    let before = shown();
    let mut wrong = String::new();
    for (step, expected) in steps() {
        let (code, stdout, stderr) = run(&env, step);
        let found = (code, stdout.as_str(), without_usage(&stderr));
        if found != (Some(1), "", expected.clone()) {
            write!(wrong, "> {step}\ntmux: {expected}ccmux: {found:?}\n").expect("memory");
        }
    }
    assert_eq!(wrong, "");
    assert_eq!(shown(), before, "a mistake does nothing");
}

#[test]
fn the_recording_has_every_command() {
    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    let recorded: BTreeSet<&str> =
        steps().iter().filter_map(|(step, _)| step.split(' ').next()).collect();
    let commands = env.ok(&["start-server", ";", "list-commands"]);
    let names = commands.lines().filter_map(|line| line.split(' ').next());
    let missing: Vec<&str> =
        names.filter(|name| !recorded.contains(name) && !OURS.contains(name)).collect();
    assert_eq!(missing, Vec::<&str>::new());
}
