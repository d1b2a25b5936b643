//! The scrolling region: top and bottom margins (DECSTBM), left and right ones (DECSLRM), and moving
//! text inside it.

use super::Emulator;
use super::settings::mode;

impl Emulator {
    /// DECSTBM: rows count from 1; 0 means the border of the screen.
    pub(super) fn set_margins(&mut self, top: u16, bottom: u16) {
        let rows = self.rows();
        let top = usize::from(top.max(1)) - 1;
        let bottom = if bottom == 0 { rows } else { usize::from(bottom).min(rows) } - 1;
        if top < bottom {
            (self.top, self.bottom) = (top, bottom);
            self.go_home();
        }
    }

    /// DECSLRM: columns count from 1; 0 means the border of the screen.
    pub(super) fn set_side_margins(&mut self, left: u16, right: u16) {
        let cols = self.cols();
        let left = usize::from(left.max(1)) - 1;
        let right = if right == 0 { cols } else { usize::from(right).min(cols) } - 1;
        if left < right {
            (self.left, self.right) = (left, right);
            self.go_home();
        }
    }

    /// DECLRMM: allows left and right margins, or puts them to the borders. Those that are there stay
    /// when they are allowed once more.
    pub(super) fn allow_side_margins(&mut self, is_allowed: bool) {
        if self.settings.level >= 4 {
            self.settings.set_private(mode::LEFT_RIGHT_MARGINS, is_allowed);
            if !is_allowed {
                (self.left, self.right) = (0, self.cols() - 1);
            }
            self.cursor.is_wrap_pending = false;
        }
    }

    pub(crate) fn has_side_margins(&self) -> bool {
        self.settings.has(mode::LEFT_RIGHT_MARGINS)
    }

    /// Puts all margins to the borders of the screen.
    pub(super) fn reset_margins(&mut self) {
        (self.top, self.bottom) = (0, self.rows() - 1);
        (self.left, self.right) = (0, self.cols() - 1);
    }

    /// Whether the region is as wide as the screen: only then its rows are lines of text, which wrap
    /// and become history.
    #[inline]
    pub(super) fn is_full_width(&self) -> bool {
        self.left == 0 && self.right + 1 == self.cols()
    }

    /// The column where text that is printed at the cursor ends: behind the right margin, or behind
    /// the screen if the cursor is already right of the margin.
    #[inline]
    pub(super) fn print_end(&self) -> usize {
        if self.cursor.x > self.right { self.cols() } else { self.right + 1 }
    }

    /// Whether the cursor is within the region.
    pub(super) fn is_in_margins(&self) -> bool {
        (self.top..=self.bottom).contains(&self.cursor.y) && self.is_in_side_margins()
    }

    #[inline]
    pub(super) fn is_in_side_margins(&self) -> bool {
        (self.left..=self.right).contains(&self.cursor.x)
    }

    /// The left and the right margin as a range of columns.
    fn columns(&self) -> (usize, usize) {
        (self.left, self.right + 1)
    }

    /// Scrolls the region up: its bottom row loses its link to what was below it.
    pub(super) fn scroll_up(&mut self, count: usize) {
        if self.is_full_width() {
            self.grid.row_mut_unseen(self.bottom).wrapped = false;
            self.scroll_rows_up(count);
        } else {
            self.scroll_box_up(self.top, count);
        }
    }

    /// Scrolls a region as wide as the screen up.
    #[inline]
    pub(super) fn scroll_rows_up(&mut self, count: usize) {
        let count = count.min(self.bottom - self.top + 1);
        if self.top > 0 {
            self.grid.row_mut_unseen(self.top - 1).wrapped = false;
        } else if !self.modes.alternate_screen {
            for y in self.vacant.min(count)..count {
                self.retire(y);
            }
            self.vacant -= self.vacant.min(count);
        }
        let fill = self.fill_id();
        self.grid.scroll_up(self.top, self.bottom, count, fill);
    }

    /// Scrolls the region down; rows pushed over its bottom margin are lost.
    pub(super) fn scroll_down(&mut self, count: usize) {
        self.insert_rows(self.top, count);
    }

    /// Inserts blank rows at `y`, within the region.
    pub(super) fn insert_rows(&mut self, y: usize, count: usize) {
        let fill = self.fill_id();
        if !self.is_full_width() {
            let columns = self.columns();
            return self.grid.scroll_down_within((y, self.bottom), columns, count, fill);
        }
        self.unlink(y);
        self.grid.scroll_down(y, self.bottom, count, fill);
        self.grid.row_mut_unseen(self.bottom).wrapped = false;
    }

    /// Deletes rows at `y`, within the region. They do not become history.
    pub(super) fn delete_rows(&mut self, y: usize, count: usize) {
        if !self.is_full_width() {
            return self.scroll_box_up(y, count);
        }
        self.unlink(y);
        self.grid.row_mut_unseen(self.bottom).wrapped = false;
        let fill = self.fill_id();
        self.grid.scroll_up(y, self.bottom, count, fill);
    }

    /// Moves the rows of the region below `y` up, between the side margins.
    #[cold]
    pub(super) fn scroll_box_up(&mut self, y: usize, count: usize) {
        let (fill, columns) = (self.fill_id(), self.columns());
        self.grid.scroll_up_within((y, self.bottom), columns, count, fill);
    }

    /// Moves the text of the region right of column `x` to the right (DECIC, SR, DECBI).
    pub(super) fn insert_columns(&mut self, x: usize, count: usize) {
        let (fill, cols) = (self.fill_id(), self.cols());
        for y in self.top..=self.bottom {
            self.grid.row_mut(y).insert_within((x, self.right + 1), count, fill, cols);
        }
        self.cursor.is_wrap_pending = false;
    }

    /// Moves the text of the region right of column `x` to the left (DECDC, SL, DECFI).
    pub(super) fn delete_columns(&mut self, x: usize, count: usize) {
        let (fill, cols) = (self.fill_id(), self.cols());
        for y in self.top..=self.bottom {
            self.grid.row_mut(y).delete_within((x, self.right + 1), count, fill, cols);
        }
        self.cursor.is_wrap_pending = false;
    }

    /// DECBI: back one column; at the left margin the region moves to the right.
    pub(super) fn back_index(&mut self) {
        if self.cursor.x == self.left && self.is_in_margins() {
            self.insert_columns(self.left, 1);
        } else {
            self.cursor.x = self.cursor.x.saturating_sub(1);
            self.cursor.is_wrap_pending = false;
        }
    }

    /// DECFI: forward one column; at the right margin the region moves to the left.
    pub(super) fn forward_index(&mut self) {
        if self.cursor.x == self.right && self.is_in_margins() {
            self.delete_columns(self.left, 1);
        } else {
            self.cursor.x = (self.cursor.x + 1).min(self.cols() - 1);
            self.cursor.is_wrap_pending = false;
        }
    }
}
