//! Moving the cursor: absolute positions count from the margins in origin mode, relative moves stop
//! at the margin that lies ahead, or at the border of the screen if none does.

use super::Emulator;
use super::settings::mode;

impl Emulator {
    /// CR: to the left margin, or to the border from left of it.
    pub(super) fn carriage_return(&mut self) {
        let to_margin = self.cursor.x >= self.left || self.modes.origin;
        self.cursor.x = if to_margin { self.left } else { 0 };
        self.cursor.is_wrap_pending = false;
    }

    /// Tabs stop at the right margin.
    pub(super) fn tab_forward(&mut self, count: usize) {
        for _ in 0..count.min(self.cols()) {
            if self.cursor.is_wrap_pending && self.settings.has(mode::TAB_WRAPS) {
                self.wrap();
            }
            let x = self.tabs.next(self.cursor.x).min(self.print_end() - 1);
            // A tab at the right border leaves a pending wrap alone, as in xterm.
            self.cursor.is_wrap_pending &= x == self.cursor.x;
            self.cursor.x = x;
        }
    }

    /// Back to earlier tabs, in origin mode no further than the left margin.
    pub(super) fn tab_back(&mut self, count: usize) {
        self.cursor.is_wrap_pending = false;
        let border = if self.modes.origin { self.left } else { 0 };
        for _ in 0..count.min(self.cols()) {
            self.cursor.x = self.tabs.previous(self.cursor.x).max(border);
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

    /// Left, not past the left margin if the cursor is right of it. With reverse wraparound it goes
    /// on at the right end of the row above: from a row that had wrapped (mode 45), or from any
    /// (mode 1045), then also from the top of the region to its bottom.
    pub(super) fn left(&mut self, count: usize) {
        let border = if self.cursor.x >= self.left { self.left } else { 0 };
        if count <= self.cursor.x - border && !self.cursor.is_wrap_pending {
            self.cursor.x -= count;
        } else {
            self.left_to_border(border, count);
        }
    }

    /// Goes left to `border`, or from there around it.
    fn left_to_border(&mut self, border: usize, count: usize) {
        let extended = self.settings.has(mode::REVERSE_WRAP_EXTENDED);
        let wraps = self.modes.autowrap && (self.modes.reverse_wrap || extended);
        let mut count = count;
        if wraps && self.cursor.is_wrap_pending {
            count -= 1;
        }
        self.cursor.is_wrap_pending = false;
        let room = self.cursor.x - border;
        if count <= room || !wraps {
            self.cursor.x -= count.min(room);
            return;
        }
        count -= room;
        self.cursor.x = border;
        if extended {
            self.left_around(count);
        } else {
            self.left_along_line(count);
        }
    }

    /// Goes `count` columns left from the left margin, around the edges of the region.
    fn left_around(&mut self, count: usize) {
        let (top, bottom) = if (self.top..=self.bottom).contains(&self.cursor.y) {
            (self.top, self.bottom)
        } else {
            (0, self.rows() - 1)
        };
        let (cols, rows) = (self.right - self.left + 1, bottom - top + 1);
        let cells = cols * rows;
        let place = ((self.cursor.y - top) * cols + cells - count % cells) % cells;
        self.cursor.y = top + place / cols;
        self.cursor.x = self.left + place % cols;
    }

    /// Goes `count` columns left from the left margin, over rows that wrapped.
    fn left_along_line(&mut self, mut count: usize) {
        let cols = self.right - self.left + 1;
        while count > 0 && self.cursor.y > 0 && self.grid.row(self.cursor.y - 1).wrapped {
            self.cursor.y -= 1;
            let step = count.min(cols);
            self.cursor.x = self.right + 1 - step;
            count -= step;
        }
    }

    /// Right, not past the right margin if the cursor is left of it.
    pub(super) fn right(&mut self, count: usize) {
        self.cursor.x = (self.cursor.x + count).min(self.print_end() - 1);
        self.cursor.is_wrap_pending = false;
    }

    /// The first position of the screen, or of the region in origin mode.
    pub(super) fn go_home(&mut self) {
        self.go_to_row(0);
        self.go_to_column(0);
    }

    /// Column `x`, from 0, counted from the left margin in origin mode.
    pub(super) fn go_to_column(&mut self, x: usize) {
        self.cursor.x = if self.modes.origin {
            (self.left + x).min(self.right)
        } else {
            x.min(self.cols() - 1)
        };
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

    /// HPR: as CHA to a column right of the cursor.
    pub(super) fn go_right(&mut self, count: usize) {
        let (x, _) = self.position();
        self.go_to_column(x + count);
    }

    /// VPR: as VPA to a row below the cursor.
    pub(super) fn go_down(&mut self, count: usize) {
        let (_, y) = self.position();
        self.go_to_row(y + count);
    }

    /// Where the cursor is, from 0, counted from the margins in origin mode.
    pub(super) fn position(&self) -> (usize, usize) {
        let (left, top) = if self.modes.origin { (self.left, self.top) } else { (0, 0) };
        (self.cursor.x.saturating_sub(left), self.cursor.y.saturating_sub(top))
    }
}
