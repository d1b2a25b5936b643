//! VT52 mode: what is left of a terminal after DECANM is reset, until `ESC <` sets it again.
//!
//! Sequences are `ESC` and a letter; neither control sequences nor strings nor C1 controls are any.
//! It prints ASCII, or DEC special graphics after `ESC F`; the sets that were designated before are
//! back afterwards, as in xterm. Everything else (margins, wrapping, style) stays as it was.

use super::{Charset, Emulator, Protection};

impl Emulator {
    pub(super) fn dispatch_vt52(&mut self, intermediates: &[u8], last: u8) {
        if !intermediates.is_empty() {
            return;
        }
        match last {
            b'<' => self.settings.set_vt52(false),
            b'=' => self.modes.application_keypad = true,
            b'>' => self.modes.application_keypad = false,
            b'A' => self.up(1),
            b'B' => self.down(1),
            b'C' => self.right(1),
            b'D' => self.left(1),
            b'F' => self.shift_to(1),
            b'G' => self.shift_to(0),
            b'H' => self.go_to_vt52_position(0, 0),
            b'I' => self.reverse_index(),
            b'J' => self.erase_in_display(0, Protection::Iso),
            b'K' => self.erase_in_line(0, Protection::Iso),
            b'Z' => self.reply(b"\x1b/Z"),
            _ => {}
        }
    }

    /// Counted from the corner of the screen also in origin mode, as in xterm.
    pub(super) fn go_to_vt52_position(&mut self, y: usize, x: usize) {
        self.cursor.y = y.min(self.rows() - 1);
        self.cursor.x = x.min(self.cols() - 1);
        self.cursor.is_wrap_pending = false;
    }

    /// SO and SI: a locking shift to G1 or G0, which of a VT52 are graphics and text.
    pub(super) fn shift_to(&mut self, set: u8) {
        if self.settings.is_vt52() {
            self.settings.set_vt52_graphics(set == 1);
        } else {
            self.charsets.locked = set;
        }
    }

    /// Whether ASCII prints as itself.
    #[inline]
    pub(super) fn prints_plain(&self) -> bool {
        match self.settings.is_vt52() {
            true => !self.settings.has_vt52_graphics(),
            false => self.charsets.is_plain(),
        }
    }

    /// The character that a byte of ASCII prints; a single shift is used up.
    pub(super) fn mapped(&mut self, byte: u8) -> char {
        match (self.settings.is_vt52(), self.settings.has_vt52_graphics()) {
            (true, true) => Charset::Graphics.map(byte),
            (true, false) => char::from(byte),
            (false, _) => self.charsets.map(byte),
        }
    }
}
