//! Moving the cursor and erasing, inserting and deleting.

use super::{Emulator, print};

impl Emulator {
    pub(super) fn carriage_return(&mut self) {
        self.cursor.x = 0;
        self.cursor.is_wrap_pending = false;
    }

    pub(super) fn backspace(&mut self) {
        if self.cursor.x > 0 {
            self.cursor.x -= 1;
        } else if self.modes.reverse_wrap && self.modes.autowrap && self.cursor.y > self.top {
            self.cursor.x = self.cols() - 1;
            self.cursor.y -= 1;
        }
        self.cursor.is_wrap_pending = false;
    }

    pub(super) fn tab_forward(&mut self, count: usize) {
        for _ in 0..count.min(self.cols()) {
            let x = self.tabs.next(self.cursor.x);
            // A tab at the right border leaves a pending wrap alone, as in xterm.
            self.cursor.is_wrap_pending &= x == self.cursor.x;
            self.cursor.x = x;
        }
    }

    pub(super) fn tab_back(&mut self, count: usize) {
        self.cursor.is_wrap_pending = false;
        for _ in 0..count.min(self.cols()) {
            self.cursor.x = self.tabs.previous(self.cursor.x);
        }
    }

    /// Up, not past the top margin if the cursor is below it.
    pub(super) fn up(&mut self, count: usize) {
        let stop = if self.cursor.y >= self.top { self.top } else { 0 };
        self.cursor.y = self.cursor.y.saturating_sub(count).max(stop);
        self.cursor.is_wrap_pending = false;
    }

    /// Down, not past the bottom margin if the cursor is above it.
    pub(super) fn down(&mut self, count: usize) {
        let stop = if self.cursor.y <= self.bottom { self.bottom } else { self.rows() - 1 };
        self.cursor.y = (self.cursor.y + count).min(stop);
        self.cursor.is_wrap_pending = false;
    }

    pub(super) fn left(&mut self, count: usize) {
        self.cursor.x = self.cursor.x.saturating_sub(count);
        self.cursor.is_wrap_pending = false;
    }

    pub(super) fn right(&mut self, count: usize) {
        self.go_to_column(self.cursor.x + count);
    }

    /// Column `x`, from 0.
    pub(super) fn go_to_column(&mut self, x: usize) {
        self.cursor.x = x.min(self.cols() - 1);
        self.cursor.is_wrap_pending = false;
    }

    /// Row `y`, from 0, counted from the top margin in origin mode.
    pub(super) fn go_to_row(&mut self, y: usize) {
        self.cursor.y = if self.modes.origin {
            (self.top + y).min(self.bottom)
        } else {
            y.min(self.rows() - 1)
        };
        self.cursor.is_wrap_pending = false;
    }

    /// DECSTBM: rows count from 1; 0 means the border of the screen.
    pub(super) fn set_margins(&mut self, top: u16, bottom: u16) {
        let rows = self.rows();
        let top = usize::from(top.max(1)) - 1;
        let bottom = if bottom == 0 { rows } else { usize::from(bottom).min(rows) } - 1;
        if top >= bottom {
            return;
        }
        (self.top, self.bottom) = (top, bottom);
        self.go_to_column(0);
        self.go_to_row(0);
    }

    /// ED.
    pub(super) fn erase_in_display(&mut self, what: u16) {
        let (rows, y) = (self.rows(), self.cursor.y);
        let fill = self.fill_id();
        match what {
            0 if (self.cursor.x, y) == (0, 0) => self.clear_screen(),
            0 => {
                self.erase_in_line(0);
                self.grid.clear_rows(y + 1, rows, fill);
            }
            1 => {
                self.unlink(0);
                self.grid.clear_rows(0, y, fill);
                self.erase_in_line(1);
            }
            2 => self.clear_screen(),
            3 if !self.modes.alternate_screen => self.clear_history(),
            _ => {}
        }
        self.cursor.is_wrap_pending = false;
    }

    /// Clears every row; those of the main screen become history first, up to the last one that
    /// shows anything.
    pub(super) fn clear_screen(&mut self) {
        let rows = self.rows();
        if self.scrolls_on_clear && !self.modes.alternate_screen {
            let used = self.grid.rows().rposition(|row| row.occupied() > 0);
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

    /// EL.
    pub(super) fn erase_in_line(&mut self, what: u16) {
        let (cols, x) = (self.cols(), self.cursor.x);
        let (from, to) = match what {
            0 => (x, cols),
            1 => (0, x + 1),
            2 => (0, cols),
            _ => return,
        };
        let fill = self.fill_id();
        self.grid.row_mut(self.cursor.y).erase(from, to, fill, cols);
        self.cursor.is_wrap_pending = false;
    }

    /// ECH.
    pub(super) fn erase_chars(&mut self, count: usize) {
        let (cols, x) = (self.cols(), self.cursor.x);
        let fill = self.fill_id();
        self.grid.row_mut(self.cursor.y).erase(x, (x + count).min(cols), fill, cols);
        self.cursor.is_wrap_pending = false;
    }

    /// ICH.
    pub(super) fn insert_chars(&mut self, count: usize) {
        let (cols, x) = (self.cols(), self.cursor.x);
        let fill = self.fill_id();
        self.grid.row_mut(self.cursor.y).insert(x, count, fill, cols);
        self.cursor.is_wrap_pending = false;
    }

    /// DCH.
    pub(super) fn delete_chars(&mut self, count: usize) {
        let (cols, x) = (self.cols(), self.cursor.x);
        let fill = self.fill_id();
        self.grid.row_mut(self.cursor.y).delete(x, count, fill, cols);
        self.cursor.is_wrap_pending = false;
    }

    /// IL; nothing outside the margins.
    pub(super) fn insert_lines(&mut self, count: usize) {
        if (self.top..=self.bottom).contains(&self.cursor.y) {
            self.insert_rows(self.cursor.y, count);
            self.carriage_return();
        }
    }

    /// DL; nothing outside the margins.
    pub(super) fn delete_lines(&mut self, count: usize) {
        if (self.top..=self.bottom).contains(&self.cursor.y) {
            self.delete_rows(self.cursor.y, count);
            self.carriage_return();
        }
    }

    /// REP: repeats the last character up to the end of the row, as tmux does. (xterm goes on in
    /// the next rows, but then ten bytes could print a screenful into the history.)
    pub(super) fn repeat(&mut self, count: usize) {
        let Some(c) = self.last_printed else { return };
        let room = self.cols() - self.cursor.x - usize::from(self.cursor.is_wrap_pending);
        for _ in 0..count.min(room / print::width(c).unwrap_or(1).max(1)) {
            self.print_char(c);
        }
        self.last_printed = Some(c);
    }
}
