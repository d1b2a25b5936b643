//! Runs a program with nothing but the emulator as its terminal, and with an owner that grants what
//! panes are refused: other sizes, reports of titles, and a clipboard.
//!
//! For programs that test their terminal and write down what they find:
//! `cargo run -p ccmux-testkit --example emulator -- PROGRAM ARGUMENTS`. The terminal has 80 columns and
//! 25 rows, black on white. Nothing is shown; the exit status is the program's.

use std::process::{Command, ExitCode};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ccmux_term::{Event, Size, Terminal};
use ccmux_testkit::{Display, PtyProcess};

/// The size at first.
const SIZE: Size = Size { cols: 80, rows: 25 };
/// How long a new size may stay unknown to the kernel.
const SIZE_INTERVAL: Duration = Duration::from_millis(20);

struct Owner {
    terminal: Terminal,
    clipboard: Vec<u8>,
}

impl Display for Owner {
    fn show(&mut self, output: &[u8]) -> Vec<u8> {
        let mut answers = Vec::new();
        // A size is granted before what follows is shown, wherever the output asks for it.
        for byte in output {
            self.terminal.advance(std::slice::from_ref(byte));
            for event in self.terminal.take_events() {
                match event {
                    Event::Reply(bytes) => answers.extend(bytes),
                    Event::SizeRequest(size) => self.terminal.resize(size),
                    Event::Clipboard { data, .. } => self.clipboard = data,
                    Event::ClipboardQuery { selection, end } => {
                        answers.extend(b"\x1b]52;");
                        answers.extend(selection);
                        answers.push(b';');
                        answers.extend(STANDARD.encode(&self.clipboard).bytes());
                        answers.extend(end.bytes());
                    }
                    _ => {}
                }
            }
        }
        answers
    }

    fn resize(&mut self, _cols: u16, _rows: u16) {}

    fn dump(&self) -> String {
        self.terminal.text()
    }
}

fn main() -> std::io::Result<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    let Some(program) = words.next() else {
        return Err(std::io::Error::other("no program was named"));
    };
    let mut command = Command::new(program);
    command.args(words).env("TERM", "xterm-256color");
    let mut terminal = Terminal::new(SIZE);
    terminal.set_title_reports(true);
    terminal.set_default_colors((0, 0, 0), (0xff, 0xff, 0xff));
    let owner = Owner { terminal, clipboard: Vec::new() };
    let process = PtyProcess::spawn(command, SIZE.cols, SIZE.rows, owner)?;
    let mut size = SIZE;
    let status = loop {
        if let Some(status) = process.wait_exit_within(SIZE_INTERVAL) {
            break status;
        }
        let wanted = process.wait_display("a size", |owner| Some(owner.terminal.size()));
        if wanted != size {
            process.resize(wanted.cols, wanted.rows);
            size = wanted;
        }
    };
    Ok(status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from))
}
