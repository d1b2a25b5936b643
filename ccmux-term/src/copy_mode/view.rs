//! What is in view, and how it moves.

use std::sync::Arc;

use super::command::{Part, ScrollBy};
use super::lines::{Anchor, Lines, Point};
use super::words::word_at;
use super::wrap::wrap;
use super::{CopyMode, LineSource};
use crate::{LineTime, Size};

/// Where the view is, in rows (`scroll_position` and `history_size` of tmux). Exact for the part of
/// the history that has been counted so far; see [`CopyMode`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CopyPosition {
    /// Rows below the view.
    pub offset: u64,
    /// Rows above and below the view.
    pub total: u64,
}

/// Where the view and the cursor are in the text: lines are numbered as those of the history, which
/// never changes, so a place can be gone back to in another life of the pane.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CopyPlace {
    /// The line whose row is the first in view.
    pub top_line: u64,
    /// Which row of that line, wrapped at the pane's width.
    pub top_row: usize,
    /// The line of the cursor.
    pub cursor_line: u64,
    /// Where in that line, in bytes.
    pub cursor_offset: usize,
}

/// The column that moving up and down heads for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Goal {
    Column(usize),
    EndOfRow,
}

impl CopyMode {
    /// The pane has another size: the text is wrapped anew around the same place.
    pub fn resize(&mut self, size: Size, source: &dyn LineSource) {
        let frozen = Arc::clone(&self.frozen);
        let old_lines = self.lines(&frozen, source);
        let top = old_lines.point(old_lines.clamp(self.top), 0);
        self.size = size;
        let lines = self.lines(&frozen, source);
        self.top = lines.place(top).0;
        self.goal = None;
        self.reveal(lines);
    }

    /// Whether it is to be said where the view is (`toggle-position`).
    pub fn shows_position(&self) -> bool {
        !self.is_position_hidden
    }

    /// Where the view is.
    pub fn position(&self, source: &dyn LineSource) -> CopyPosition {
        let lines = self.lines(&self.frozen, source);
        let below = |from| {
            let rows = self.counter.rows_from(lines, lines.clamp(from));
            rows.saturating_sub(self.height() as u64)
        };
        let total = below(Anchor { line: lines.first(), row: 0 });
        CopyPosition { offset: below(self.top).min(total), total }
    }

    /// Row and column of the cursor in the view.
    pub fn cursor(&self, source: &dyn LineSource) -> (usize, usize) {
        self.cursor_place(self.lines(&self.frozen, source))
    }

    /// The word under the cursor, or after the space or separator there (`copy_cursor_word`).
    pub fn cursor_word(&self, source: &dyn LineSource) -> String {
        let lines = self.lines(&self.frozen, source);
        word_at(lines, lines.clamp_point(self.cursor), &self.options.word_separators)
    }

    /// The row of text that the cursor is on (`copy_cursor_line`).
    pub fn cursor_line(&self, source: &dyn LineSource) -> String {
        let lines = self.lines(&self.frozen, source);
        let at = lines.place(lines.clamp_point(self.cursor)).0;
        let line = lines.line(at.line);
        let rows = wrap(&line.text, lines.width, lines.widths());
        line.text[rows[at.row.min(rows.len() - 1)].clone()].to_owned()
    }

    /// When the first line in view was written (`top_line_time`).
    pub fn top_line_time(&self, source: &dyn LineSource) -> LineTime {
        let lines = self.lines(&self.frozen, source);
        lines.line(lines.clamp(self.top).line).time
    }

    /// When the line of the cursor was written (`copy_cursor_time`).
    pub fn cursor_time(&self, source: &dyn LineSource) -> LineTime {
        let lines = self.lines(&self.frozen, source);
        lines.line(lines.clamp_point(self.cursor).line).time
    }

    /// Whether what was searched for is marked.
    pub fn shows_matches(&self) -> bool {
        self.shows_matches
    }

    /// Whether anything is selected.
    pub fn has_selection(&self) -> bool {
        self.selection.is_some()
    }

    /// Where the view and the cursor are.
    pub fn place(&self) -> CopyPlace {
        CopyPlace {
            top_line: self.top.line,
            top_row: self.top.row,
            cursor_line: self.cursor.line,
            cursor_offset: self.cursor.offset,
        }
    }

    /// Goes back to a place, or to what is nearest to it now.
    pub fn return_to(&mut self, place: CopyPlace, source: &dyn LineSource) {
        let frozen = Arc::clone(&self.frozen);
        let lines = self.lines(&frozen, source);
        let cursor = Point { line: place.cursor_line, offset: place.cursor_offset };
        self.top = lines.clamp(Anchor { line: place.top_line, row: place.top_row });
        self.cursor = lines.clamp_point(cursor);
        self.goal = None;
        self.reveal(lines);
    }

    pub(super) fn height(&self) -> usize {
        usize::from(self.size.rows.max(1))
    }

    /// The top of the view when it is at the bottom.
    pub(super) fn bottom_top(&self, lines: Lines<'_>) -> Anchor {
        lines.up(lines.bottom(), self.height() - 1)
    }

    pub(super) fn is_at_bottom(&self, lines: Lines<'_>) -> bool {
        self.top >= self.bottom_top(lines)
    }

    /// The row of the view that the cursor is on, and its column.
    pub(super) fn cursor_place(&self, lines: Lines<'_>) -> (usize, usize) {
        let (row, x) = lines.place(lines.clamp_point(self.cursor));
        let y = lines.distance(lines.clamp(self.top), row, self.height() - 1).unwrap_or(0);
        (y, x.min(lines.width - 1))
    }

    /// Puts the cursor on a row of the view, at the column it heads for.
    pub(super) fn set_cursor_row(&mut self, lines: Lines<'_>, y: usize) {
        let x = match self.goal {
            Some(Goal::Column(x)) => x,
            Some(Goal::EndOfRow) => usize::MAX,
            None => 0,
        };
        self.cursor = lines.point(lines.down(self.top, y), x);
    }

    /// Remembers the column, if the last motion was not up or down.
    pub(super) fn set_goal(&mut self, lines: Lines<'_>) {
        if self.goal.is_none() {
            let (row, x) = lines.place(self.cursor);
            let is_at_end = x >= lines.row_columns(row);
            self.goal = Some(if is_at_end { Goal::EndOfRow } else { Goal::Column(x) });
        }
    }

    /// Moves the cursor by rows; the view follows by as little as needed.
    pub(super) fn move_rows(&mut self, lines: Lines<'_>, is_down: bool) {
        self.set_goal(lines);
        let (y, _) = self.cursor_place(lines);
        if is_down && y + 1 == self.height() {
            self.top = lines.down(self.top, 1).min(self.bottom_top(lines));
            self.set_cursor_row(lines, y);
        } else if is_down {
            self.set_cursor_row(lines, y + 1);
        } else if y == 0 {
            self.top = lines.up(self.top, 1);
            self.set_cursor_row(lines, 0);
        } else {
            self.set_cursor_row(lines, y - 1);
        }
    }

    /// Moves the view; the cursor stays on its row of it, except where the lines end.
    pub(super) fn scroll(&mut self, lines: Lines<'_>, by: ScrollBy) {
        self.set_goal(lines);
        let (y, _) = self.cursor_place(lines);
        let page = self.height().saturating_sub(2).max(1);
        let half = (self.height() / 2).max(1);
        let (is_down, rows) = match by {
            ScrollBy::LineUp => (false, 1),
            ScrollBy::HalfPageUp => (false, half),
            ScrollBy::PageUp => (false, page),
            ScrollBy::LineDown => (true, 1),
            ScrollBy::HalfPageDown => (true, half),
            ScrollBy::PageDown => (true, page),
        };
        let is_page = !matches!(by, ScrollBy::LineUp | ScrollBy::LineDown);
        let old = self.top;
        let y = if is_down {
            self.top = lines.down(old, rows).min(self.bottom_top(lines)).max(old);
            let is_short = is_page && lines.distance(old, self.top, rows) != Some(rows);
            if is_short { (y + rows).min(self.height() - 1) } else { y }
        } else {
            self.top = lines.up(old, rows);
            let is_short = is_page && lines.distance(self.top, old, rows) != Some(rows);
            if is_short { y.saturating_sub(rows) } else { y }
        };
        self.set_cursor_row(lines, y);
    }

    /// Moves the view so that the cursor's row is in this part of it.
    pub(super) fn scroll_cursor_to(&mut self, lines: Lines<'_>, part: Part) {
        let above = self.part_row(part);
        let (row, _) = lines.place(self.cursor);
        self.top = lines.up(row, above).min(self.bottom_top(lines));
    }

    pub(super) fn part_row(&self, part: Part) -> usize {
        match part {
            Part::Top => 0,
            Part::Middle => (self.height() - 1) / 2,
            Part::Bottom => self.height() - 1,
        }
    }

    /// Scrolls by as little as needed to have the cursor in view.
    pub(super) fn reveal(&mut self, lines: Lines<'_>) {
        let (row, _) = lines.place(self.cursor);
        if row < self.top {
            self.top = row;
        } else if lines.distance(self.top, row, self.height() - 1).is_none() {
            self.top = lines.up(row, self.height() - 1);
        }
        self.top = self.top.min(self.bottom_top(lines));
    }

    /// Moves the cursor far away: what comes into view is shown with what is around it.
    pub(super) fn jump_to(&mut self, lines: Lines<'_>, point: Point) {
        self.cursor = point;
        self.goal = None;
        let (row, _) = lines.place(point);
        if row < self.top || lines.distance(self.top, row, self.height() - 1).is_none() {
            let above = (self.height() - self.height() / 4).min(self.height() - 1);
            self.top = lines.up(row, above).min(self.bottom_top(lines));
        }
    }

    /// Goes back to a marked place: with it at the top of the view, or at the bottom of all lines.
    pub(super) fn show_mark(&mut self, lines: Lines<'_>, mark: Point) {
        self.cursor = mark;
        self.goal = None;
        self.top = lines.place(mark).0.min(self.bottom_top(lines));
    }

    /// Puts the view so many rows above the bottom; the cursor stays on its row of it.
    pub(super) fn goto_offset(&mut self, lines: Lines<'_>, offset: u64) {
        let (y, x) = self.cursor_place(lines);
        self.goal = Some(Goal::Column(x));
        let rows = offset.saturating_add(self.height() as u64);
        self.top = self.counter.row_from_end(lines, rows).min(self.bottom_top(lines));
        self.set_cursor_row(lines, y);
    }
}
