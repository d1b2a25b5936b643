//! A terminal that keeps all that it was sent.

use ccmux_term::{Size, Terminal};

use crate::pty_process::Display;
use crate::screen::advance;

/// What a program sent to a terminal, and the terminal that answers it.
#[derive(Debug)]
pub struct Recorder {
    terminal: Terminal,
    bytes: Vec<u8>,
    sizes: Vec<(usize, Size)>,
}

impl Recorder {
    /// A terminal of this size.
    pub fn new(cols: u16, rows: u16) -> Self {
        let size = Size { cols, rows };
        Self { terminal: Terminal::new(size), bytes: Vec::new(), sizes: vec![(0, size)] }
    }

    /// All bytes so far.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The sizes so far: columns and rows, and how many bytes there were before.
    pub fn sizes(&self) -> impl Iterator<Item = (usize, u16, u16)> {
        self.sizes.iter().map(|(at, size)| (*at, size.cols, size.rows))
    }

    /// The text that is shown.
    pub fn text(&self) -> String {
        self.terminal.text()
    }
}

impl Display for Recorder {
    fn show(&mut self, output: &[u8]) -> Vec<u8> {
        self.bytes.extend_from_slice(output);
        advance(&mut self.terminal, output)
    }

    fn resize(&mut self, cols: u16, rows: u16) {
        let size = Size { cols, rows };
        self.sizes.push((self.bytes.len(), size));
        self.terminal.resize(size);
    }

    fn dump(&self) -> String {
        self.terminal.text()
    }
}
