//! One row of the screen.
//!
//! Cells right of the last one in `cells` are blank in the row's `fill` pen, so clearing a row or
//! erasing to its end costs nothing, and an empty row owns no memory.
//!
//! Invariants
//! * A wide cell is followed by its continuation, and a continuation follows a wide cell. Who
//!   writes part of a pair first blanks the other half ([`Row::split_wide`]).
//! * `cells` is never longer than the screen is wide.

use super::cell::{Cell, Content, PenId};
use crate::LineTime;
use crate::image::{self, Slice};

bitflags::bitflags! {
    /// Marks of shell integration (OSC 133) on a line.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct LineMarks: u8 {
        /// A prompt begins here (A).
        const PROMPT = 1;
        /// The user's input begins here (B).
        const INPUT = 2;
        /// The command's output begins here (C).
        const OUTPUT = 4;
        /// The command ended here (D).
        const END = 8;
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) cells: Vec<Cell>,
    /// Pen of the blank cells right of `cells`.
    pub(crate) fill: PenId,
    /// The text goes on in the next row: it wrapped there by itself.
    pub(crate) wrapped: bool,
    pub(crate) marks: LineMarks,
    /// When a line feed last left it.
    pub(crate) time: LineTime,
    /// Parts of pictures, from the lowest on.
    pub(crate) slices: Vec<Slice>,
    /// Names this content of this row: see `Terminal::row_version`.
    pub(crate) version: u64,
}

impl Row {
    pub(crate) fn new() -> Self {
        Self {
            cells: Vec::new(),
            fill: PenId::DEFAULT,
            wrapped: false,
            marks: LineMarks::empty(),
            time: LineTime::UNKNOWN,
            slices: Vec::new(),
            version: 0,
        }
    }

    pub(crate) fn get(&self, x: usize) -> Cell {
        self.cells.get(x).copied().unwrap_or(Cell::blank(self.fill))
    }

    /// Makes every cell blank, and the row the end of its line.
    pub(crate) fn clear(&mut self, fill: PenId) {
        self.cells.clear();
        self.fill = fill;
        self.wrapped = false;
        self.marks = LineMarks::empty();
        self.time = LineTime::UNKNOWN;
        self.slices.clear();
    }

    /// Takes what sixels show in `from..to` away: something else comes there.
    #[inline]
    fn uncover(&mut self, from: usize, to: usize) {
        if !self.slices.is_empty() {
            image::uncover(&mut self.slices, from, to);
        }
    }

    /// Prints narrow ASCII from `x`; the caller has checked that it fits into `cols`.
    pub(crate) fn write_ascii(&mut self, x: usize, text: &[u8], pen: PenId, cols: usize) {
        let end = x + text.len();
        debug_assert!(end <= cols);
        self.open(x, end, cols);
        let cell = |&byte: &u8| Cell { content: Content(u32::from(byte)), pen };
        if x == self.cells.len() {
            self.cells.extend(text.iter().map(cell));
            return;
        }
        let overlap = (self.cells.len() - x).min(text.len());
        let (over, new) = text.split_at(overlap);
        for (old, byte) in self.cells[x..x + overlap].iter_mut().zip(over) {
            *old = cell(byte);
        }
        self.cells.extend(new.iter().map(cell));
    }

    /// Prints whole characters from `x`; the caller has checked that they fit into `cols`.
    pub(crate) fn write_cells(&mut self, x: usize, cells: &[Cell], cols: usize) {
        let end = x + cells.len();
        debug_assert!(end <= cols);
        self.open(x, end, cols);
        let (over, new) = cells.split_at((self.cells.len() - x).min(cells.len()));
        self.cells[x..x + over.len()].copy_from_slice(over);
        self.cells.extend_from_slice(new);
    }

    /// Prints one character of one or two columns at `x`; the caller has checked that it fits.
    pub(crate) fn write(&mut self, x: usize, content: Content, pen: PenId, cols: usize) {
        let width = 1 + usize::from(content.is_wide());
        debug_assert!(x + width <= cols);
        self.open(x, x + width, cols);
        self.put(x, Cell { content, pen });
        if width == 2 {
            self.put(x + 1, Cell { content: Content::CONTINUATION, pen });
        }
    }

    /// Erases the cells of `from..to`.
    pub(crate) fn erase(&mut self, from: usize, to: usize, pen: PenId, cols: usize) {
        if from >= to {
            return;
        }
        self.uncover(from, to);
        self.split_wide(from);
        if to < cols {
            self.split_wide(to);
            if self.fill == pen && to >= self.cells.len() {
                self.cells.truncate(from);
                return;
            }
            self.pad_to(to, cols);
            self.cells[from..to].fill(Cell::blank(pen));
            return;
        }
        self.wrapped = false;
        if self.fill != pen {
            self.pad_to(from, cols);
            self.fill = pen;
        }
        self.cells.truncate(from);
    }

    /// Erases those cells of `from..to` for which `erases` says so. What stays keeps the row's link.
    pub(crate) fn erase_some(
        &mut self,
        (from, to): (usize, usize),
        pen: PenId,
        cols: usize,
        erases: impl Fn(PenId) -> bool,
    ) {
        self.pad_to(to, cols);
        for x in from..to {
            if erases(self.cells[x].pen) {
                self.uncover(x, x + 1);
                self.split_wide(x);
                self.split_wide(x + 1);
                self.cells[x] = Cell::blank(pen);
            }
        }
    }

    /// The cells of `from..to`, for [`Row::put_span`].
    pub(crate) fn span(&self, from: usize, to: usize) -> Vec<Cell> {
        (from..to).map(|x| self.get(x)).collect()
    }

    /// Puts cells of a row to `x`; the caller has checked that they fit. Halves of wide characters at
    /// either end become blank, and the row is no longer one line with the next one.
    pub(crate) fn put_span(&mut self, x: usize, cells: &[Cell], cols: usize) {
        let end = x + cells.len();
        debug_assert!(end <= cols);
        self.open_span(x, end, cols);
        self.cells[x..end].copy_from_slice(cells);
        if let Some(first) = self.cells[x..end].first_mut()
            && first.content == Content::CONTINUATION
        {
            first.content = Content::EMPTY;
        }
        if let Some(last) = self.cells[x..end].last_mut()
            && (last.content.is_wide() || last.content == Content::SPACER)
        {
            last.content = Content::EMPTY;
        }
        self.end_line();
    }

    /// Fills `x..end` with one narrow cell.
    pub(crate) fn fill_span(&mut self, (x, end): (usize, usize), cell: Cell, cols: usize) {
        self.open_span(x, end, cols);
        self.cells[x..end].fill(cell);
        self.end_line();
    }

    /// Makes `x..end` cells of their own: no wide character lies across their ends.
    fn open_span(&mut self, x: usize, end: usize, cols: usize) {
        self.uncover(x, end);
        self.pad_to(end, cols);
        self.split_wide(x);
        self.split_wide(end);
    }

    /// Puts back what was read from `x` on, with other pens.
    pub(crate) fn put_pens(&mut self, x: usize, cells: &[Cell], cols: usize) {
        self.pad_to(x + cells.len(), cols);
        self.cells[x..x + cells.len()].copy_from_slice(cells);
    }

    /// Makes the row the end of its line.
    pub(crate) fn end_line(&mut self) {
        self.wrapped = false;
        if let Some(last) = self.cells.last_mut()
            && last.content == Content::SPACER
        {
            last.content = Content::EMPTY;
        }
    }

    /// Moves the cells of `x..end` `count` columns to the right and blanks what they leave.
    pub(crate) fn insert_within(
        &mut self,
        (x, end): (usize, usize),
        count: usize,
        pen: PenId,
        cols: usize,
    ) {
        let count = count.min(end - x);
        if self.move_within((x, end), end - count, pen, cols) {
            self.cells.copy_within(x..end - count, x + count);
            self.cells[x..x + count].fill(Cell::blank(pen));
        }
    }

    /// Removes `count` cells at `x`; blank ones come in at `end`.
    pub(crate) fn delete_within(
        &mut self,
        (x, end): (usize, usize),
        count: usize,
        pen: PenId,
        cols: usize,
    ) {
        let count = count.min(end - x);
        if self.move_within((x, end), x + count, pen, cols) {
            self.cells.copy_within(x + count..end, x);
            self.cells[end - count..end].fill(Cell::blank(pen));
        }
    }

    /// Prepares `x..end` for a move that cuts it at `cut`; false if there are only such blanks as come
    /// in.
    fn move_within(
        &mut self,
        (x, end): (usize, usize),
        cut: usize,
        pen: PenId,
        cols: usize,
    ) -> bool {
        self.uncover(x, end);
        if x >= self.cells.len() && self.fill == pen {
            return false;
        }
        self.open_span(x, end, cols);
        self.split_wide(cut);
        self.end_line();
        true
    }

    /// Moves the cells from `x` on `count` columns to the right and blanks what they leave.
    pub(crate) fn insert(&mut self, x: usize, count: usize, pen: PenId, cols: usize) {
        let count = count.min(cols - x);
        self.uncover(x, cols);
        if x >= self.cells.len() && self.fill == pen {
            return;
        }
        self.split_wide(x);
        self.wrapped = false;
        self.pad_to(cols, cols);
        self.split_wide(cols - count);
        self.cells[x..].rotate_right(count);
        self.cells[x..x + count].fill(Cell::blank(pen));
    }

    /// Removes `count` cells at `x`; blank ones come in at the right border.
    pub(crate) fn delete(&mut self, x: usize, count: usize, pen: PenId, cols: usize) {
        let count = count.min(cols - x);
        self.uncover(x, cols);
        self.split_wide(x);
        self.split_wide(x + count);
        self.wrapped = false;
        if let Some(last) = self.cells.last_mut()
            && last.content == Content::SPACER
        {
            last.content = Content::EMPTY;
        }
        if self.fill != pen {
            self.pad_to(cols, cols);
            self.fill = pen;
        }
        let end = (x + count).min(self.cells.len());
        self.cells.drain(x.min(end)..end);
    }

    /// Cuts the row to a new width.
    pub(crate) fn truncate(&mut self, cols: usize) {
        self.split_wide(cols);
        self.cells.truncate(cols);
        image::clip(&mut self.slices, cols);
    }

    /// Blanks both halves of a wide character that lies across the left edge of column `x`.
    pub(crate) fn split_wide(&mut self, x: usize) {
        if let Some(right) = self.cells.get_mut(x)
            && right.content == Content::CONTINUATION
        {
            right.content = Content::EMPTY;
            self.cells[x - 1].content = Content::EMPTY;
        }
    }

    /// Columns up to and with the last one that shows anything but the fill.
    pub(crate) fn occupied(&self) -> usize {
        let blank = Cell::blank(self.fill);
        self.cells.iter().rposition(|&cell| cell != blank).map_or(0, |last| last + 1)
    }

    /// Whether it shows nothing at all.
    pub(crate) fn is_blank(&self) -> bool {
        self.occupied() == 0 && self.slices.is_empty()
    }

    /// The row as text: where a picture begins, its label, as far as nothing is printed there.
    pub(crate) fn labelled(&self, cols: usize) -> Self {
        let mut row = Self { slices: Vec::new(), ..self.clone() };
        for slice in self.slices.iter().filter(|slice| (slice.from_col, slice.from_row) == (0, 0)) {
            let x = usize::from(slice.x);
            let label = slice.placement.label();
            let label = &label.as_bytes()[..label.len().min(cols - x)];
            if (x..x + label.len()).all(|x| self.get(x).content == Content::EMPTY) {
                row.write_ascii(x, label, PenId::DEFAULT, cols);
            }
        }
        row.wrapped = self.wrapped;
        row
    }

    fn put(&mut self, x: usize, cell: Cell) {
        match self.cells.get_mut(x) {
            Some(old) => *old = cell,
            None => self.cells.push(cell),
        }
    }

    /// Prepares `x..end` for printing: no wide character is cut, nothing is missing before `x`.
    fn open(&mut self, x: usize, end: usize, cols: usize) {
        self.uncover(x, end);
        if end == cols {
            self.wrapped = false;
        }
        if x < self.cells.len() {
            self.split_wide(x);
            self.split_wide(end);
        } else {
            self.pad_to(x, cols);
        }
    }

    pub(crate) fn pad_to(&mut self, len: usize, cols: usize) {
        if self.cells.capacity() == 0 {
            self.cells.reserve_exact(cols);
        }
        if self.cells.len() < len {
            self.cells.resize(len, Cell::blank(self.fill));
        }
    }
}
