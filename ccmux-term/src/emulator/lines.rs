//! Moving between rows: line feeds, wrapping, and how rows become history.

use super::Emulator;
use crate::Event;

impl Emulator {
    /// IND: down one row; at the bottom margin the region scrolls.
    #[inline]
    pub(super) fn index(&mut self) {
        self.cursor.is_wrap_pending = false;
        self.grid.row_mut_unseen(self.cursor.y).time = self.scrollback.now;
        if self.cursor.y == self.bottom {
            if self.is_full_width() {
                self.grid.row_mut_unseen(self.bottom).wrapped = false;
                self.scroll_rows_up(1);
            } else if self.is_in_side_margins() {
                self.scroll_box_up(self.top, 1);
            }
        } else if self.cursor.y + 1 < self.rows() {
            self.cursor.y += 1;
        }
    }

    /// RI: up one row; at the top margin the region scrolls down.
    pub(super) fn reverse_index(&mut self) {
        self.cursor.is_wrap_pending = false;
        if self.cursor.y == self.top {
            if self.is_in_side_margins() {
                self.scroll_down(1);
            }
        } else if self.cursor.y > 0 {
            self.cursor.y -= 1;
        }
    }

    /// Goes to the beginning of the next row, which continues the line of this one; with side
    /// margins to the left one, and the rows are no line.
    pub(super) fn wrap(&mut self) {
        if !self.is_full_width() {
            self.index();
            self.cursor.x = self.left;
            return;
        }
        self.cursor.is_wrap_pending = false;
        self.cursor.x = 0;
        if self.cursor.y == self.bottom {
            self.grid.row_mut_unseen(self.bottom).wrapped = true;
            self.scroll_rows_up(1);
        } else if self.cursor.y + 1 < self.rows() {
            self.grid.row_mut_unseen(self.cursor.y).wrapped = true;
            self.cursor.y += 1;
        }
    }

    /// Makes row `y` the beginning of a line.
    pub(super) fn unlink(&mut self, y: usize) {
        if y > 0 {
            self.grid.row_mut_unseen(y - 1).wrapped = false;
        } else if !self.modes.alternate_screen {
            self.finish_head();
        }
    }

    /// Completes a line whose beginning has left the screen and whose end never will.
    fn finish_head(&mut self) {
        self.scrollback.finish_head(&self.pens, &self.clusters);
    }

    /// Makes row `y` of the main screen, which is shown, part of the history.
    #[inline]
    pub(super) fn retire(&mut self, y: usize) {
        let row = self.grid.row(y);
        self.scrollback.retire(row, self.grid.cols(), &self.pens, &self.clusters);
    }

    /// Forgets the history, the pending beginning of a line included.
    pub(crate) fn clear_history(&mut self) {
        self.scrollback.drop_head();
        let history = &mut self.scrollback.history;
        if history.clear() {
            self.events.push(Event::HistoryCleared { before: history.cleared_before() });
        }
    }
}
