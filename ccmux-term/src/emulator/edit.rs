//! Erasing, inserting, deleting and repeating.

use super::{Emulator, Protection};

impl Emulator {
    /// ED, and DECSED if `heeded` is [`Protection::Dec`].
    pub(super) fn erase_in_display(&mut self, what: u16, heeded: Protection) {
        let (rows, y) = (self.rows(), self.cursor.y);
        let is_plain = !self.is_heeded(heeded);
        match what {
            0 if is_plain && (self.cursor.x, y) == (0, 0) => self.clear_screen(),
            0 => {
                self.erase_in_line(0, heeded);
                self.erase_rows((y + 1, rows), heeded);
            }
            1 => {
                if is_plain {
                    self.unlink(0);
                }
                self.erase_rows((0, y), heeded);
                self.erase_in_line(1, heeded);
            }
            2 if is_plain => self.clear_screen(),
            2 => self.erase_rows((0, rows), heeded),
            3 if !self.modes.alternate_screen => self.clear_history(),
            _ => {}
        }
        self.cursor.is_wrap_pending = false;
    }

    /// Whether erasing that heeds this kind of protection has to look at each cell: DECSED and
    /// DECSEL heed any protection, ED, EL and ECH only that of ISO 6429, as in xterm.
    #[inline]
    fn is_heeded(&self, heeded: Protection) -> bool {
        match self.settings.protection {
            Protection::Off => false,
            Protection::Iso => true,
            Protection::Dec => heeded == Protection::Dec,
        }
    }

    fn erase_rows(&mut self, (from, to): (usize, usize), heeded: Protection) {
        if self.is_heeded(heeded) {
            let cols = self.cols();
            for y in from..to {
                self.erase_columns(y, (0, cols), heeded);
            }
        } else {
            let fill = self.fill_id();
            self.grid.clear_rows(from, to, fill);
        }
    }

    #[inline]
    fn erase_columns(&mut self, y: usize, columns: (usize, usize), heeded: Protection) {
        let (fill, cols) = (self.fill_id(), self.cols());
        if self.is_heeded(heeded) {
            let pens = &self.pens;
            let row = self.grid.row_mut(y);
            row.erase_some(columns, fill, cols, |pen| !pens.get(pen).is_protected);
        } else {
            self.grid.row_mut(y).erase(columns.0, columns.1, fill, cols);
        }
    }

    /// Clears every row; those of the main screen become history first, up to the last one that
    /// shows anything.
    pub(super) fn clear_screen(&mut self) {
        let rows = self.rows();
        if self.scrolls_on_clear && !self.modes.alternate_screen {
            let used = self.grid.rows().rposition(|row| !row.is_blank());
            for y in 0..used.map_or(0, |last| last + 1) {
                self.retire(y);
            }
        }
        self.unlink(0);
        if !self.modes.alternate_screen {
            // Whoever cleared the screen wants none of it back.
            self.scrollback.history.seal();
        }
        let fill = self.fill_id();
        self.grid.clear_rows(0, rows, fill);
    }

    /// EL, and DECSEL if `heeded` is [`Protection::Dec`].
    pub(super) fn erase_in_line(&mut self, what: u16, heeded: Protection) {
        let (cols, x) = (self.cols(), self.cursor.x);
        let columns = match what {
            0 => (x, cols),
            1 => (0, x + 1),
            2 => (0, cols),
            _ => return,
        };
        self.erase_columns(self.cursor.y, columns, heeded);
        self.cursor.is_wrap_pending = false;
    }

    /// ECH.
    pub(super) fn erase_chars(&mut self, count: usize) {
        let (cols, x) = (self.cols(), self.cursor.x);
        self.erase_columns(self.cursor.y, (x, (x + count).min(cols)), Protection::Iso);
        self.cursor.is_wrap_pending = false;
    }

    /// ICH; nothing outside the side margins.
    pub(super) fn insert_chars(&mut self, count: usize) {
        if self.is_in_side_margins() {
            self.make_room(count);
        }
        self.cursor.is_wrap_pending = false;
    }

    /// Moves the characters from the cursor to the right margin to the right.
    pub(super) fn make_room(&mut self, count: usize) {
        let (cols, x, end) = (self.cols(), self.cursor.x, self.print_end());
        let fill = self.fill_id();
        let row = self.grid.row_mut(self.cursor.y);
        if end == cols {
            row.insert(x, count, fill, cols);
        } else {
            row.insert_within((x, end), count, fill, cols);
        }
    }

    /// DCH; nothing outside the side margins.
    pub(super) fn delete_chars(&mut self, count: usize) {
        if self.is_in_side_margins() {
            let (cols, x, end) = (self.cols(), self.cursor.x, self.right + 1);
            let fill = self.fill_id();
            let row = self.grid.row_mut(self.cursor.y);
            if end == cols {
                row.delete(x, count, fill, cols);
            } else {
                row.delete_within((x, end), count, fill, cols);
            }
        }
        self.cursor.is_wrap_pending = false;
    }

    /// IL; nothing outside the margins.
    pub(super) fn insert_lines(&mut self, count: usize) {
        if self.is_in_margins() {
            self.insert_rows(self.cursor.y, count);
            self.carriage_return();
        }
    }

    /// DL; nothing outside the margins.
    pub(super) fn delete_lines(&mut self, count: usize) {
        if self.is_in_margins() {
            self.delete_rows(self.cursor.y, count);
            self.carriage_return();
        }
    }

    /// REP: repeats the last character, as xterm does over the ends of rows; no more often than the
    /// screen has cells.
    pub(super) fn repeat(&mut self, count: usize) {
        let Some(c) = self.last_printed else { return };
        let count = count.min(self.cols() * self.rows());
        if c.is_ascii() {
            let text = vec![c as u8; count];
            self.print_run(&text);
        } else {
            for _ in 0..count {
                self.print_char(c);
            }
        }
        self.last_printed = Some(c);
    }
}
