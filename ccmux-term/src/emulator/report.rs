//! Answers to queries.

use super::Emulator;
use crate::Event;

impl Emulator {
    /// Writes to the program. Controls that begin and end sequences are one byte after S8C1T.
    pub(super) fn reply(&mut self, bytes: &[u8]) {
        let mut reply = bytes.to_vec();
        if self.settings.sends_8bit {
            reply.clear();
            let mut rest = bytes;
            while let [first, later @ ..] = rest {
                rest = later;
                match (first, later) {
                    (0x1b, [second @ 0x40..=0x5f, after @ ..]) => {
                        reply.push(second + 0x40);
                        rest = after;
                    }
                    _ => reply.push(*first),
                }
            }
        }
        self.events.push(Event::Reply(reply));
    }

    /// DA1: a VT420 with 132 columns, a printer port, sixels, selective erase, national sets, technical
    /// characters, a locator port, terminal state reports, windows of text, horizontal scrolling, colour,
    /// rectangles and a text locator, as far as the level has them. That neither printer nor locator is
    /// there is told by DSR 15 and 55. (52, a clipboard, is not among them: programs would ask for its
    /// contents and wait for an answer.)
    pub(super) fn report_device_attributes(&mut self) {
        match self.settings.level {
            1 => self.reply(b"\x1b[?1;2c"),
            level => {
                let extras = if level < 4 { ";22;29" } else { ";16;17;18;21;22;28;29" };
                self.reply(format!("\x1b[?6{level};1;2;4;6;9;15{extras}c").as_bytes());
            }
        }
    }

    /// DA2: a VT420. Programs take the second number for xterm's version, and what they then expect
    /// (SGR mouse reports, bracketed paste, queries of colours) is there.
    pub(super) fn report_secondary_attributes(&mut self) {
        self.reply(b"\x1b[>41;400;0c");
    }

    /// DA3: no unit id.
    pub(super) fn report_tertiary_attributes(&mut self) {
        self.reply(b"\x1bP!|00000000\x1b\\");
    }

    /// XTVERSION.
    pub(super) fn report_version(&mut self) {
        self.reply(concat!("\x1bP>|ccmux ", env!("CARGO_PKG_VERSION"), "\x1b\\").as_bytes());
    }

    /// DECREQTPARM: no parity, eight bits, 19200 baud.
    pub(super) fn report_parameters(&mut self, what: u16) {
        self.reply(format!("\x1b[{};1;1;128;128;1;0x", what + 2).as_bytes());
    }

    /// DECRQDE: the whole page is shown.
    pub(super) fn report_displayed_extent(&mut self) {
        self.reply(format!("\x1b[{};{};1;1;1\"w", self.rows(), self.cols()).as_bytes());
    }

    /// DECRQLP: there is no locator. (So DECELR, DECSLE and DECEFR have nothing to act on.)
    pub(super) fn report_locator(&mut self) {
        self.reply(b"\x1b[0&w");
    }

    /// DSR.
    pub(super) fn report_status(&mut self, what: u16) {
        match what {
            5 => self.reply(b"\x1b[0n"),
            6 => {
                let (x, y) = self.position();
                self.reply(format!("\x1b[{};{}R", y + 1, x + 1).as_bytes());
            }
            _ => {}
        }
    }

    /// DSR with a private marker; `id` is that of a checksum.
    pub(super) fn report_private_status(&mut self, what: u16, id: u16) {
        match what {
            6 => {
                let (x, y) = self.position();
                self.reply(format!("\x1b[?{};{};1R", y + 1, x + 1).as_bytes());
            }
            // No printer, no user-defined keys to lock; keyboard layout unknown.
            15 => self.reply(b"\x1b[?13n"),
            25 => self.reply(b"\x1b[?20n"),
            26 => self.reply(b"\x1b[?27;1;0;0n"),
            // No locator (its kind then is unknown), no room for macros and none of them.
            53 | 55 => self.reply(b"\x1b[?50n"),
            56 => self.reply(b"\x1b[?57;0n"),
            62 => self.reply(b"\x1b[0*{"),
            63 => self.reply(format!("\x1bP{id}!~0000\x1b\\").as_bytes()),
            // No error since the last report, no sessions.
            75 => self.reply(b"\x1b[?70n"),
            85 => self.reply(b"\x1b[?83n"),
            996 => self.report_color_scheme(),
            _ => {}
        }
    }

    /// Whether the background is dark or light.
    pub(super) fn report_color_scheme(&mut self) {
        let scheme = if self.palette.is_dark() { 1 } else { 2 };
        self.reply(format!("\x1b[?997;{scheme}n").as_bytes());
    }

    /// Mode 2048: the size after it changed.
    pub(crate) fn report_size_in_band(&mut self) {
        if self.modes.in_band_resize {
            let (cols, rows) = (self.cols(), self.rows());
            let (width, height) = self.pixels();
            self.reply(format!("\x1b[48;{rows};{cols};{height};{width}t").as_bytes());
        }
    }
}
