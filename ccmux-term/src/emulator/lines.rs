//! Moving between rows: line feeds, scrolling, and how rows become history.

use super::Emulator;
use crate::Event;

impl Emulator {
    /// IND: down one row; at the bottom margin the region scrolls.
    #[inline]
    pub(super) fn index(&mut self) {
        self.cursor.is_wrap_pending = false;
        if self.cursor.y == self.bottom {
            self.scroll_up(1);
        } else if self.cursor.y + 1 < self.rows() {
            self.cursor.y += 1;
        }
    }

    /// RI: up one row; at the top margin the region scrolls down.
    pub(super) fn reverse_index(&mut self) {
        self.cursor.is_wrap_pending = false;
        if self.cursor.y == self.top {
            self.scroll_down(1);
        } else if self.cursor.y > 0 {
            self.cursor.y -= 1;
        }
    }

    /// Goes to the beginning of the next row, which continues the line of this one.
    pub(super) fn wrap(&mut self) {
        self.cursor.is_wrap_pending = false;
        self.cursor.x = 0;
        if self.cursor.y == self.bottom {
            self.grid.row_mut_unseen(self.bottom).wrapped = true;
            self.scroll_region_up(1);
        } else if self.cursor.y + 1 < self.rows() {
            self.grid.row_mut_unseen(self.cursor.y).wrapped = true;
            self.cursor.y += 1;
        }
    }

    /// Scrolls the region up: its bottom row loses its link to what was below it.
    pub(super) fn scroll_up(&mut self, count: usize) {
        self.grid.row_mut_unseen(self.bottom).wrapped = false;
        self.scroll_region_up(count);
    }

    fn scroll_region_up(&mut self, count: usize) {
        let count = count.min(self.bottom - self.top + 1);
        if self.top > 0 {
            self.grid.row_mut_unseen(self.top - 1).wrapped = false;
        } else if !self.modes.alternate_screen {
            for y in 0..count {
                self.retire(y);
            }
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
        self.unlink(y);
        let fill = self.fill_id();
        self.grid.scroll_down(y, self.bottom, count, fill);
        self.grid.row_mut_unseen(self.bottom).wrapped = false;
    }

    /// Deletes rows at `y`, within the region. They do not become history.
    pub(super) fn delete_rows(&mut self, y: usize, count: usize) {
        self.unlink(y);
        self.grid.row_mut_unseen(self.bottom).wrapped = false;
        let fill = self.fill_id();
        self.grid.scroll_up(y, self.bottom, count, fill);
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
