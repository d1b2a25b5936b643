//! A client in a terminal that is emulated.

use std::io;
use std::ops::Deref;
use std::path::PathBuf;
use std::process::Command;

use ccmux_term::{Attributes, Color, Event, Size, Terminal};

use crate::env::log_tail;
use crate::pty_process::{Display, PtyProcess};

/// What a terminal shows.
#[derive(Debug)]
pub struct Screen {
    terminal: Terminal,
    answering: Answering,
    /// Answers that are not given yet.
    held: Vec<u8>,
    state_dir: PathBuf,
}

impl Screen {
    /// The text, a line for each row.
    pub fn text(&self) -> String {
        self.terminal.text()
    }

    /// The text of one row, from 0.
    pub fn row(&self, y: u16) -> String {
        self.terminal.row(y).text()
    }

    /// The text of the last row: ccmux's status line.
    pub fn status_line(&self) -> String {
        self.row(self.terminal.size().rows - 1)
    }

    /// What a cell shows, and which colour of the palette it has; `None` for any other colour.
    pub fn cell(&self, x: u16, y: u16) -> (String, Option<u8>) {
        let Some(cell) = self.terminal.row(y).cells().nth(usize::from(x)) else {
            return (String::new(), None);
        };
        let colour = match cell.style.fg {
            Color::Indexed(index) => Some(index),
            _ => None,
        };
        (cell.text().to_owned(), colour)
    }

    /// The 24-bit colour of a cell's text, if it has one.
    pub fn true_colour(&self, x: u16, y: u16) -> Option<(u8, u8, u8)> {
        match self.terminal.row(y).cells().nth(usize::from(x))?.style.fg {
            Color::Rgb(red, green, blue) => Some((red, green, blue)),
            _ => None,
        }
    }

    /// Whether a cell is shown in reverse.
    pub fn is_reversed(&self, x: u16, y: u16) -> bool {
        let cell = self.terminal.row(y).cells().nth(usize::from(x));
        cell.is_some_and(|cell| cell.style.attributes.contains(Attributes::REVERSE))
    }

    /// The emulated terminal, for everything else.
    pub fn terminal(&self) -> &Terminal {
        &self.terminal
    }
}

/// When a terminal answers what it is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Answering {
    AtOnce,
    /// Once the main screen is shown again: a slow line to somebody who has left meanwhile.
    WhenLeft,
    Never,
}

/// Shows output on a terminal; returns what that answers.
pub(crate) fn advance(terminal: &mut Terminal, output: &[u8]) -> Vec<u8> {
    terminal.advance(output);
    let replies = terminal.take_events().into_iter().filter_map(|event| match event {
        Event::Reply(bytes) => Some(bytes),
        _ => None,
    });
    replies.flatten().collect()
}

impl Display for Screen {
    fn show(&mut self, output: &[u8]) -> Vec<u8> {
        let answers = advance(&mut self.terminal, output);
        self.held.extend(answers);
        let is_time = match self.answering {
            Answering::AtOnce => true,
            Answering::WhenLeft => !self.terminal.modes().alternate_screen,
            Answering::Never => false,
        };
        if is_time { std::mem::take(&mut self.held) } else { Vec::new() }
    }

    fn resize(&mut self, cols: u16, rows: u16) {
        self.terminal.resize(Size { cols, rows });
    }

    fn dump(&self) -> String {
        let text = self.terminal.text();
        let cursor = self.terminal.cursor();
        format!(
            "{text}
{cursor:?}
server log:
{}",
            log_tail(&self.state_dir)
        )
    }
}

/// An attached client.
#[derive(Debug)]
pub struct Attached(PtyProcess<Screen>);

impl Attached {
    pub(crate) fn spawn(
        command: Command,
        cols: u16,
        rows: u16,
        answering: Answering,
        state_dir: PathBuf,
    ) -> io::Result<Self> {
        let terminal = Terminal::new(Size { cols, rows });
        let screen = Screen { terminal, answering, held: Vec::new(), state_dir };
        PtyProcess::spawn(command, cols, rows, screen).map(Attached)
    }

    /// Types.
    pub fn type_keys(&self, keys: &str) {
        self.0.type_bytes(keys.as_bytes());
    }

    /// Waits until the screen is as asked for, and returns its text then.
    ///
    /// # Panics
    /// When the deadline passes, with the screen and the server's log.
    pub fn wait_screen(&self, what: &str, mut is_there: impl FnMut(&Screen) -> bool) -> String {
        self.0.wait_display(what, |screen| is_there(screen).then(|| screen.text()))
    }

    /// Waits until the screen contains `text`.
    pub fn wait_text(&self, text: &str) -> String {
        self.wait_screen(text, |screen| screen.text().contains(text))
    }

    /// What the screen shows now.
    pub fn screen_text(&self) -> String {
        self.0.wait_display("screen", |screen| Some(screen.text()))
    }
}

impl Deref for Attached {
    type Target = PtyProcess<Screen>;

    fn deref(&self) -> &PtyProcess<Screen> {
        &self.0
    }
}
