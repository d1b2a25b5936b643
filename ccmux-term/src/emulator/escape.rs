//! Escape sequences without parameters.

use super::settings::mode;
use super::{Charset, Charsets, Emulator, Position, Protection, SavedCursor};
use crate::grid::cell::PenId;
use crate::grid::pens::Pen;
use crate::{Attributes, CursorShape, Event, Modes, Underline};

impl Emulator {
    pub(super) fn dispatch_escape(&mut self, intermediates: &[u8], last: u8) {
        match (intermediates, last) {
            ([], b'6') => self.back_index(),
            ([], b'7') => self.save_cursor(),
            ([], b'8') => self.restore_cursor(),
            ([], b'9') => self.forward_index(),
            ([], b'D') => self.index(),
            ([], b'E') => {
                self.index();
                self.carriage_return();
            }
            ([], b'H') => self.tabs.set(self.cursor.x, true),
            ([], b'M') => self.reverse_index(),
            ([], b'N') => self.charsets.single = Some(2),
            ([], b'O') => self.charsets.single = Some(3),
            ([], b'V') => self.protect(Protection::Iso, true),
            ([], b'W') => self.protect(self.settings.protection, false),
            ([], b'Z') => self.report_device_attributes(),
            ([], b'c') => self.reset(),
            ([], b'n') => self.charsets.locked = 2,
            ([], b'o') => self.charsets.locked = 3,
            ([], b'|') => self.charsets.right = 3,
            ([], b'}') => self.charsets.right = 2,
            ([], b'~') => self.charsets.right = 1,
            ([], b'=') => self.modes.application_keypad = true,
            ([], b'>') => self.modes.application_keypad = false,
            ([b'#'], b'8') => self.align_screen(),
            ([b' '], b'F') => self.settings.sends_8bit = false,
            ([b' '], b'G') => self.settings.sends_8bit = self.settings.level > 1,
            ([set @ b'('..=b'+'], last) => self.designate(set - b'(', &[last]),
            ([set @ b'('..=b'+', second], last) => self.designate(set - b'(', &[*second, last]),
            ([set @ b'-'..=b'/'], b'A') => {
                self.charsets.sets[usize::from(set - b'-') + 1] = Charset::Latin1;
            }
            _ => {}
        }
    }

    /// SCS: makes a set of 94 characters one of G0 to G3.
    fn designate(&mut self, slot: u8, designator: &[u8]) {
        let set = Charset::designated_by(designator);
        let is_allowed = !set.is_national() || self.settings.has(mode::NATIONAL_SETS);
        self.charsets.sets[usize::from(slot)] = if is_allowed { set } else { Charset::Ascii };
    }

    /// DECSC.
    pub(super) fn save_cursor(&mut self) {
        self.saved = SavedCursor {
            position: self.cursor,
            pen: self.pen.clone(),
            charsets: self.charsets,
            is_origin: self.modes.origin,
        };
    }

    /// DECRC; without a DECSC before it, what a reset sets.
    pub(super) fn restore_cursor(&mut self) {
        let saved = self.saved.clone();
        self.cursor = saved.position;
        self.pen = saved.pen;
        self.pen_changed();
        self.charsets = saved.charsets;
        self.modes.origin = saved.is_origin;
        // The margins may have moved since.
        self.cursor.is_wrap_pending &= self.cursor.x + 1 == self.print_end();
    }

    /// DECALN: fills the screen with `E` and resets the margins; as in xterm also origin mode and the
    /// attributes, but for colours.
    fn align_screen(&mut self) {
        self.unlink(0);
        self.reset_margins();
        self.modes.origin = false;
        self.pen.style.attributes = Attributes::empty();
        self.pen.style.underline = Underline::None;
        self.pen_changed();
        self.cursor = Position::default();
        let cols = self.cols();
        let text = vec![b'E'; cols];
        for y in 0..self.rows() {
            let row = self.grid.row_mut(y);
            row.clear(PenId::DEFAULT);
            row.write_ascii(0, &text, PenId::DEFAULT, cols);
        }
    }

    /// DECSTR, which leaves LNM and what is xterm's own alone.
    pub(super) fn soft_reset(&mut self) {
        let old = self.modes;
        self.modes = Modes {
            newline: old.newline,
            alternate_screen: old.alternate_screen,
            mouse: old.mouse,
            mouse_encoding: old.mouse_encoding,
            focus_events: old.focus_events,
            bracketed_paste: old.bracketed_paste,
            synchronized_output: old.synchronized_output,
            reverse_screen: old.reverse_screen,
            ..Modes::default()
        };
        self.keyboard.clear();
        self.cursor_shape = CursorShape::Default;
        self.is_cursor_blinking = false;
        for kept in [mode::NATIONAL_SETS, mode::REVERSE_WRAP_EXTENDED, mode::LEFT_RIGHT_MARGINS] {
            self.settings.set_private(kept, false);
        }
        self.settings.set_ansi(2, false);
        self.settings.protection = Protection::Off;
        self.reset_margins();
        self.pen = Pen::default();
        self.pen_changed();
        self.charsets = Charsets::default();
        self.saved = SavedCursor::default();
    }

    /// RIS. What the main screen shows becomes history; history itself stays.
    pub(crate) fn reset(&mut self) {
        if self.modes.alternate_screen {
            self.leave_alternate_screen();
        }
        self.pen = Pen::default();
        self.pen_changed();
        self.clear_screen();
        let title_changed = !self.title.is_empty();
        let narrows =
            self.settings.has(mode::COLUMNS_132) && self.settings.has(mode::ALLOWS_COLUMNS);
        let mut fresh = Self::new(self.size);
        fresh.grid.continue_versions(&self.grid);
        fresh.palette = self.palette.reset();
        fresh.scrolls_on_clear = self.scrolls_on_clear;
        fresh.reports_titles = self.reports_titles;
        fresh.widths = self.widths.clone();
        fresh.cell = self.cell;
        // Numbers of pictures are never given twice.
        fresh.images.next = self.images.next;
        std::mem::swap(&mut fresh.scrollback, &mut self.scrollback);
        std::mem::swap(&mut fresh.events, &mut self.events);
        *self = fresh;
        if title_changed {
            self.events.push(Event::Title(String::new()));
        }
        if narrows {
            self.ask_for_size(80, 0);
        }
    }
}
