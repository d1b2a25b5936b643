//! The course of a client, from the command line to the exit status.

use std::ffi::OsStr;
use std::io::{Write, stderr, stdin, stdout};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::Arc;

use bstr::BString;
use ccmux_protocol::rendezvous::{
    Connected, Launch, Patience, Place, StartError, Surroundings, connect, connect_or_continue,
    connect_or_start,
};
use ccmux_protocol::{ClientFrame, Exit, ExitReason, Hello, starts_server};
use rustix::process::{Signal, getppid, kill_process};

use crate::attach::{Attachment, Reconnect};
use crate::error::ClientError;
use crate::farewell::farewell;
use crate::greeting::greet;
use crate::hello::hello;
use crate::link::Link;
use crate::one_shot::{Outcome, Streams, converse};
use crate::signals::Signals;
use crate::terminal::{Terminal, TerminalName};

/// What a client is to do.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// Where the server lives.
    pub place: Place,
    /// How to start one, should none run.
    pub launch: Launch,
    /// Starts none, whatever the command (`-N`).
    pub never_starts: bool,
    /// The process that we are.
    pub surroundings: Surroundings,
    /// The release.
    pub version: String,
    /// The command line for the server; empty attaches to the last session or makes one.
    pub argv: Vec<BString>,
}

/// Runs a client to its end and returns the exit status. Prints what there is to say.
pub fn run(options: &ClientOptions) -> u8 {
    match try_run(options) {
        Ok(code) => code,
        Err(error) => {
            let mut stderr = stderr().lock();
            // Nobody may be left to tell.
            let _ = writeln!(stderr, "{error}");
            if let Some(hint) = error.hint() {
                let _ = writeln!(stderr, "hint: {hint}");
            }
            1
        }
    }
}

/// What a command line came to whose output is not for the terminal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The exit status.
    pub code: u8,
    /// What it printed.
    pub stdout: Vec<u8>,
    /// What it complained of.
    pub stderr: Vec<u8>,
}

/// Runs a command line for its output.
///
/// # Errors
/// There is no server that answers; it refuses; or the command attaches, which needs a terminal.
pub fn ask(options: &ClientOptions) -> Result<Answer, ClientError> {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    match command(options, &hello(options, None), &mut stdout, &mut stderr)?.1 {
        Outcome::Ended(exit) => Ok(Answer { code: exit.code, stdout, stderr }),
        Outcome::Attached(_) => Err(ClientError::NoTerminal),
    }
}

fn try_run(options: &ClientOptions) -> Result<u8, ClientError> {
    options.place.prepare(options.surroundings.uid).map_err(StartError::Place)?;
    let name = TerminalName::of_stdin();
    if options.argv.is_empty() && name.is_none() {
        // It would attach. No server is started for that, to be left without a session.
        return Err(ClientError::NoTerminal);
    }
    let hello = hello(options, name.as_ref());
    let (link, outcome) = command(options, &hello, &mut stdout(), &mut stderr())?;
    let early = match outcome {
        Outcome::Ended(exit) => return Ok(exit.code),
        Outcome::Attached(early) => early,
    };
    let name = name.ok_or(ClientError::NoTerminal)?;
    // In this order: no signal may end us while the terminal is raw.
    let signals = Signals::register().map_err(ClientError::Signals)?;
    let terminal = Terminal::take(&name).map_err(ClientError::Terminal)?;
    terminal.give_back_on_panic();
    let (place, launch) = (options.place.clone(), options.launch.clone());
    let log = place.server_log();
    let reconnect = Reconnect {
        find: Arc::new(move |hello| greet(hello, || connect_or_continue(&place, &launch))),
        log,
    };
    let exit = Attachment::new(terminal, link, hello, signals, reconnect).run(early)?;
    // The terminal was given back with the attachment.
    say_farewell(&exit);
    match &exit.reason {
        ExitReason::HungUp { .. } => hang_up_on_parent(),
        ExitReason::Replaced { shell, command } => return Err(become_shell(shell, command)),
        _ => {}
    }
    Ok(exit.code)
}

/// Finds a server and has it run the command line. One that gives way to another before it has begun
/// to says so; then that is asked.
fn command(
    options: &ClientOptions,
    hello: &Hello,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> Result<(Link, Outcome), ClientError> {
    let stdin = stdin();
    let mut patience = Patience::new();
    loop {
        let mut link = greet(hello, || find_server(options))?;
        link.send(&ClientFrame::Command(options.argv.clone()))?;
        let streams = Streams { stdin: stdin.as_fd(), stdout, stderr };
        match converse(&mut link, streams) {
            Ok(outcome) => return Ok((link, outcome)),
            Err(error) if error.is_restart() && patience.pause() => {}
            Err(error) => return Err(error),
        }
    }
}

/// Whoever started us ends too, as when its terminal is closed (`detach-client -P`).
fn hang_up_on_parent() {
    if let Some(parent) = getppid().filter(|parent| !parent.is_init()) {
        // One that has just ended, or is another user's, is none of ours.
        let _ = kill_process(parent, Signal::HUP);
    }
}

/// Runs a shell command in place of this client (`detach-client -E`). Returns only if that fails.
fn become_shell(shell: &BString, command: &BString) -> ClientError {
    let path = OsStr::from_bytes(shell);
    let name = shell.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    let error = Command::new(path)
        .arg0(OsStr::from_bytes(name))
        .arg("-c")
        .arg(OsStr::from_bytes(command))
        .env("SHELL", path)
        .exec();
    ClientError::Shell(shell.clone(), error)
}

fn find_server(options: &ClientOptions) -> Result<Connected, StartError> {
    let ClientOptions { place, launch, .. } = options;
    if options.never_starts {
        let stream = connect(place)?;
        Ok(Connected { stream, started: false })
    } else if starts_server(&options.argv) {
        connect_or_start(place, launch)
    } else {
        connect_or_continue(place, launch)
    }
}

fn say_farewell(exit: &Exit) {
    if let Some(line) = farewell(&exit.reason) {
        let mut stdout = stdout().lock();
        // Nobody may be left to tell.
        let _ = stdout.write_all(&line).and_then(|()| stdout.flush());
    }
}
