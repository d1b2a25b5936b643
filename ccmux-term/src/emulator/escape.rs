//! Escape sequences without parameters.

use super::{Charset, Charsets, Emulator, Position, SavedCursor};
use crate::grid::cell::PenId;
use crate::grid::pens::Pen;
use crate::{CursorShape, Event, Modes};

impl Emulator {
    pub(super) fn dispatch_escape(&mut self, intermediates: &[u8], last: u8) {
        match (intermediates, last) {
            ([], b'7') => self.save_cursor(),
            ([], b'8') => self.restore_cursor(),
            ([], b'D') => self.index(),
            ([], b'E') => {
                self.index();
                self.carriage_return();
            }
            ([], b'H') => self.tabs.set(self.cursor.x, true),
            ([], b'M') => self.reverse_index(),
            ([], b'N') => self.charsets.single = Some(2),
            ([], b'O') => self.charsets.single = Some(3),
            ([], b'Z') => self.report_device_attributes(),
            ([], b'c') => self.reset(),
            ([], b'n') => self.charsets.locked = 2,
            ([], b'o') => self.charsets.locked = 3,
            ([], b'=') => self.modes.application_keypad = true,
            ([], b'>') => self.modes.application_keypad = false,
            ([b'#'], b'8') => self.align_screen(),
            ([set @ b'('..=b'+'], designator) => {
                self.charsets.sets[usize::from(set - b'(')] = Charset::designated_by(designator);
            }
            _ => {}
        }
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
    }

    /// DECALN: fills the screen with `E` and resets the margins.
    fn align_screen(&mut self) {
        self.unlink(0);
        self.reset_margins();
        self.cursor = Position::default();
        let cols = self.cols();
        let text = vec![b'E'; cols];
        for y in 0..self.rows() {
            let row = self.grid.row_mut(y);
            row.clear(PenId::DEFAULT);
            row.write_ascii(0, &text, PenId::DEFAULT, cols);
        }
    }

    pub(super) fn reset_margins(&mut self) {
        self.top = 0;
        self.bottom = self.rows() - 1;
    }

    /// DECSTR.
    pub(super) fn soft_reset(&mut self) {
        let old = self.modes;
        self.modes = Modes {
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
        let mut fresh = Self::new(self.size);
        fresh.grid.continue_versions(&self.grid);
        fresh.palette = self.palette.reset();
        fresh.scrolls_on_clear = self.scrolls_on_clear;
        std::mem::swap(&mut fresh.scrollback, &mut self.scrollback);
        std::mem::swap(&mut fresh.events, &mut self.events);
        *self = fresh;
        if title_changed {
            self.events.push(Event::Title(String::new()));
        }
    }
}
