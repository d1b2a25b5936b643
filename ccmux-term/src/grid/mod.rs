//! A screen's worth of rows.
//!
//! Rows lie in a ring, so that a line feed at the bottom of the screen moves one row and not all
//! of them. Every change of a row stamps it with a number that is never given twice: equal
//! versions mean equal content, wherever the row has moved since.

pub(crate) mod cell;
pub(crate) mod clusters;
pub(crate) mod pens;
pub(crate) mod row;

use std::collections::VecDeque;

use self::cell::{Cell, PenId};
use self::row::Row;
use crate::Size;

#[derive(Clone, Debug)]
pub(crate) struct Grid {
    rows: VecDeque<Row>,
    cols: usize,
    /// The last version given to a row.
    stamp: u64,
}

impl Grid {
    pub(crate) fn new(size: Size) -> Self {
        let mut grid = Self { rows: VecDeque::new(), cols: usize::from(size.cols), stamp: 0 };
        grid.resize_rows(usize::from(size.rows));
        grid
    }

    pub(crate) fn cols(&self) -> usize {
        self.cols
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Gives every row a version later than all of `shown`, in whose place this grid comes.
    pub(crate) fn continue_versions(&mut self, shown: &Self) {
        self.stamp = self.stamp.max(shown.stamp);
        for y in 0..self.rows.len() {
            self.row_mut(y);
        }
    }

    pub(crate) fn row(&self, y: usize) -> &Row {
        &self.rows[y]
    }

    /// A row to change; it gets a new version.
    pub(crate) fn row_mut(&mut self, y: usize) -> &mut Row {
        self.stamp += 1;
        let row = &mut self.rows[y];
        row.version = self.stamp;
        row
    }

    /// A row whose change cannot be seen (its link to the next one).
    pub(crate) fn row_mut_unseen(&mut self, y: usize) -> &mut Row {
        &mut self.rows[y]
    }

    pub(crate) fn rows(&self) -> impl DoubleEndedIterator<Item = &Row> + ExactSizeIterator {
        self.rows.iter()
    }

    pub(crate) fn rows_mut_unseen(&mut self) -> impl Iterator<Item = &mut Row> {
        self.rows.iter_mut()
    }

    /// Clears the rows of `from..to`.
    pub(crate) fn clear_rows(&mut self, from: usize, to: usize, fill: PenId) {
        for y in from..to {
            self.row_mut(y).clear(fill);
        }
    }

    /// Moves the rows of `top..=bottom` up by `count`; blank rows come in at the bottom.
    pub(crate) fn scroll_up(&mut self, top: usize, bottom: usize, count: usize, fill: PenId) {
        let count = count.min(bottom - top + 1);
        crate::work::note(count);
        if top == 0 && bottom + 1 == self.rows.len() {
            // Cheaper than `rotate_left` for the one row of a line feed.
            for _ in 0..count {
                let row = self.rows.pop_front().expect("a screen has rows");
                self.rows.push_back(row);
            }
        } else {
            crate::work::note(bottom + 1 - count - top);
            for y in top..bottom + 1 - count {
                self.rows.swap(y, y + count);
            }
        }
        self.clear_rows(bottom + 1 - count, bottom + 1, fill);
    }

    /// Moves the rows of `top..=bottom` down by `count`; blank rows come in at the top.
    pub(crate) fn scroll_down(&mut self, top: usize, bottom: usize, count: usize, fill: PenId) {
        let count = count.min(bottom - top + 1);
        crate::work::note(bottom - top + 1);
        for y in (top + count..=bottom).rev() {
            self.rows.swap(y, y - count);
        }
        self.clear_rows(top, top + count, fill);
    }

    /// Moves the cells of `left..end` in the rows of `top..=bottom` up by `count`.
    pub(crate) fn scroll_up_within(
        &mut self,
        (top, bottom): (usize, usize),
        (left, end): (usize, usize),
        count: usize,
        fill: PenId,
    ) {
        let count = count.min(bottom - top + 1);
        for y in top..bottom + 1 - count {
            self.copy_span(y + count, y, (left, end));
        }
        self.blank_spans((bottom + 1 - count, bottom + 1), (left, end), fill);
    }

    /// Moves the cells of `left..end` in the rows of `top..=bottom` down by `count`.
    pub(crate) fn scroll_down_within(
        &mut self,
        (top, bottom): (usize, usize),
        (left, end): (usize, usize),
        count: usize,
        fill: PenId,
    ) {
        let count = count.min(bottom - top + 1);
        for y in (top + count..=bottom).rev() {
            self.copy_span(y - count, y, (left, end));
        }
        self.blank_spans((top, top + count), (left, end), fill);
    }

    fn copy_span(&mut self, from: usize, to: usize, (left, end): (usize, usize)) {
        let cols = self.cols;
        self.rows[from].pad_to(end, cols);
        let cells = std::mem::take(&mut self.rows[from].cells);
        self.row_mut(to).put_span(left, &cells[left..end], cols);
        self.rows[from].cells = cells;
    }

    fn blank_spans(&mut self, (from, to): (usize, usize), columns: (usize, usize), pen: PenId) {
        let cols = self.cols;
        for y in from..to {
            self.row_mut(y).fill_span(columns, Cell::blank(pen), cols);
        }
    }

    /// Cuts or widens every row.
    pub(crate) fn resize_cols(&mut self, cols: usize) {
        for y in 0..self.rows.len() {
            if cols < self.cols {
                self.row_mut(y).truncate(cols);
            }
            let row = self.row_mut(y);
            row.wrapped = false;
        }
        self.cols = cols;
    }

    /// Cuts rows at the bottom or adds blank ones there.
    pub(crate) fn resize_rows(&mut self, rows: usize) {
        self.rows.truncate(rows);
        while self.rows.len() < rows {
            self.stamp += 1;
            let mut row = Row::new();
            row.version = self.stamp;
            self.rows.push_back(row);
        }
    }

    /// Replaces all rows; the caller gives exactly as many as the screen has.
    pub(crate) fn replace(&mut self, rows: Vec<Row>, cols: usize) {
        self.rows = rows.into();
        self.cols = cols;
        for y in 0..self.rows.len() {
            self.row_mut(y);
        }
    }
}
