//! Finding the part of a row that only moved aside.

use super::cell::Cell;
use super::frame::Frame;
use super::width::is_width_certain;

/// Which way text moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ShiftDirection {
    /// To the right: blanks are inserted.
    Insert,
    /// To the left: characters are deleted.
    Delete,
}

/// The cells of row `y` in columns `from..end` move by `count`; blank ones come in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Shift {
    pub(super) y: u16,
    pub(super) from: u16,
    pub(super) end: u16,
    pub(super) direction: ShiftDirection,
    pub(super) count: u16,
}

/// What a shift costs in bytes, and so must save in cells: going there and the sequence.
pub(super) const SHIFT_COST: usize = 10;
/// The farthest shift that is looked for.
const COUNT_MAX: usize = 16;

/// The shift of cells of row `y` of `old` that saves most on the way to `new`, if any does. Text
/// right of what moves stays where it is.
pub(super) fn find(old: &Frame, new: &Frame, y: u16) -> Option<Shift> {
    let row = Row { old, new, old_cells: old.row(y), cells: new.row(y) };
    let from = (0..row.cells.len()).find(|&x| !row.is_same(x, x))?;
    // A terminal that gives a character another width would move something else.
    let is_certain = |cell: &Cell| is_width_certain(cell.glyph.text(old.clusters()), old.widths());
    if !row.old_cells[from..].iter().all(is_certain) {
        return None;
    }
    let counts = 1..=COUNT_MAX.min(row.cells.len() - from - 1);
    let candidates = counts
        .flat_map(|count| [(ShiftDirection::Insert, count), (ShiftDirection::Delete, count)])
        .filter_map(|(direction, count)| row.shift(from, direction, count));
    let (_, (end, direction, count)) = candidates.max_by_key(|(saved, _)| *saved)?;
    let (from, end, count) = (from as u16, end as u16, count as u16);
    Some(Shift { y, from, end, direction, count })
}

struct Row<'a> {
    old: &'a Frame,
    new: &'a Frame,
    old_cells: &'a [Cell],
    cells: &'a [Cell],
}

impl Row<'_> {
    /// Whether the new cell at column `x` looks like the old one at `old_x`.
    fn is_same(&self, x: usize, old_x: usize) -> bool {
        self.new.is_same(&self.cells[x], self.old, &self.old_cells[old_x])
    }

    /// What shifting by `count` from column `from` on saves in cells beyond its cost, if anything,
    /// and the shift.
    fn shift(
        &self,
        from: usize,
        direction: ShiftDirection,
        count: usize,
    ) -> Option<(usize, (usize, ShiftDirection, usize))> {
        let (to, source) = match direction {
            ShiftDirection::Insert => (from + count, from),
            ShiftDirection::Delete => (from, from + count),
        };
        let room = self.cells.len() - from - count;
        let moved = (0..room).take_while(|&i| self.is_same(to + i, source + i)).count();
        let end = from + count + moved;
        let is_wasted = |x: &usize| !self.is_same(*x, *x) && self.cells[*x] != Cell::BLANK;
        let saved = (to..to + moved).filter(is_wasted).count();
        let came_in = match direction {
            ShiftDirection::Insert => from..from + count,
            ShiftDirection::Delete => end - count..end,
        };
        let is_lost = |x: &usize| self.is_same(*x, *x) && self.cells[*x] != Cell::BLANK;
        let lost = came_in.filter(is_lost).count();
        // What is right of it is moved away and back again.
        let cost = if end < self.cells.len() { 2 * SHIFT_COST } else { SHIFT_COST };
        let borders = [from, from + count, end - count, end];
        let is_cut =
            borders.iter().any(|&x| self.old_cells.get(x).is_some_and(|cell| cell.width == 0));
        let gain = saved.checked_sub(cost + lost).filter(|&gain| gain > 0 && !is_cut)?;
        Some((gain, (end, direction, count)))
    }
}
