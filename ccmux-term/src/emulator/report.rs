//! Answers to queries.

use super::{Emulator, TITLE_STACK_MAX};
use crate::Event;
use crate::parser::Params;

/// Pixels of a cell that size reports assume: the emulator does not know a font.
const CELL_WIDTH_PX: usize = 8;
const CELL_HEIGHT_PX: usize = 16;

impl Emulator {
    pub(super) fn reply(&mut self, bytes: &[u8]) {
        self.events.push(Event::Reply(bytes.to_vec()));
    }

    /// DA1: a VT220 with colour.
    pub(super) fn report_device_attributes(&mut self) {
        self.reply(b"\x1b[?62;22c");
    }

    /// DA2. The first number is ours (`C`); Vim reads a second one of at least 277 as a terminal
    /// with SGR mouse reports.
    pub(super) fn report_secondary_attributes(&mut self) {
        self.reply(b"\x1b[>67;400;0c");
    }

    /// DA3: no unit id.
    pub(super) fn report_tertiary_attributes(&mut self) {
        self.reply(b"\x1bP!|00000000\x1b\\");
    }

    /// XTVERSION.
    pub(super) fn report_version(&mut self) {
        self.reply(concat!("\x1bP>|ccmux ", env!("CARGO_PKG_VERSION"), "\x1b\\").as_bytes());
    }

    /// DSR.
    pub(super) fn report_status(&mut self, what: u16) {
        match what {
            5 => self.reply(b"\x1b[0n"),
            6 => {
                let (row, col) = self.reported_position();
                self.reply(format!("\x1b[{row};{col}R").as_bytes());
            }
            _ => {}
        }
    }

    /// DSR with a private marker.
    pub(super) fn report_private_status(&mut self, what: u16) {
        match what {
            6 => {
                let (row, col) = self.reported_position();
                self.reply(format!("\x1b[?{row};{col};1R").as_bytes());
            }
            // No printer, no locator; keyboard layout unknown.
            15 => self.reply(b"\x1b[?13n"),
            25 => self.reply(b"\x1b[?20n"),
            26 => self.reply(b"\x1b[?27;1;0;0n"),
            996 => {
                let scheme = if self.palette.is_dark() { 1 } else { 2 };
                self.reply(format!("\x1b[?997;{scheme}n").as_bytes());
            }
            _ => {}
        }
    }

    fn reported_position(&self) -> (usize, usize) {
        let top = if self.modes.origin { self.top } else { 0 };
        (self.cursor.y.saturating_sub(top) + 1, self.cursor.x + 1)
    }

    /// Mode 2048: the size after it changed.
    pub(super) fn report_size_in_band(&mut self) {
        if self.modes.in_band_resize {
            let (cols, rows) = (self.cols(), self.rows());
            let (width, height) = (cols * CELL_WIDTH_PX, rows * CELL_HEIGHT_PX);
            self.reply(format!("\x1b[48;{rows};{cols};{height};{width}t").as_bytes());
        }
    }

    /// XTWINOPS, as far as it asks for something or concerns titles. Titles are never reported:
    /// a program could make one pane type what another one printed.
    pub(super) fn window_operation(&mut self, params: &Params) {
        let (cols, rows) = (self.cols(), self.rows());
        let reply = match params.get(0) {
            14 => format!("\x1b[4;{};{}t", rows * CELL_HEIGHT_PX, cols * CELL_WIDTH_PX),
            16 => format!("\x1b[6;{CELL_HEIGHT_PX};{CELL_WIDTH_PX}t"),
            18 => format!("\x1b[8;{rows};{cols}t"),
            19 => format!("\x1b[9;{rows};{cols}t"),
            22 => return self.push_title(),
            23 => return self.pop_title(),
            _ => return,
        };
        self.reply(reply.as_bytes());
    }

    fn push_title(&mut self) {
        if self.title_stack.len() == TITLE_STACK_MAX {
            self.title_stack.remove(0);
        }
        self.title_stack.push((self.title.clone(), self.icon_name.clone()));
    }

    fn pop_title(&mut self) {
        if let Some((title, icon_name)) = self.title_stack.pop() {
            self.set_icon_name(icon_name);
            self.set_title(title);
        }
    }

    pub(super) fn set_title(&mut self, title: String) {
        if self.title != title {
            self.events.push(Event::Title(title.clone()));
            self.title = title;
        }
    }

    pub(super) fn set_icon_name(&mut self, name: String) {
        if self.icon_name != name {
            self.events.push(Event::IconName(name.clone()));
            self.icon_name = name;
        }
    }
}
