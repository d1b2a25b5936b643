//! The difference between two versions of a row.

use super::caps::OutputFeatures;
use super::cell::{Cell, LinkId};
use super::frame::Frame;
use super::pencil::Pencil;

/// Cells in between that are written again rather than jumped over.
const GAP_MAX: u16 = 3;
/// Bytes of a sequence with a number: what erasing or repeating a run costs.
const SEQUENCE_BYTES: usize = 5;

/// Writes what turns row `y` of `old` into that of `new`. Both have the same size. Returns between
/// which columns that is.
pub(super) fn paint_row(
    pencil: &mut Pencil,
    old: &Frame,
    new: &Frame,
    y: u16,
    out: &mut Vec<u8>,
) -> Option<(u16, u16)> {
    let row = Row { old, new, old_cells: old.row(y), cells: new.row(y), y };
    let cols = row.cells.len() as u16;
    let first = (0..cols).find(|&x| row.has_changed(x))?;
    let last = (first..cols).rfind(|&x| row.has_changed(x)).unwrap_or(first);
    let erase_from = row.erasable_from(pencil, first, last);
    let end = erase_from.unwrap_or(last + 1);

    // A cell written over a character of uncertain width is written even if it did not change:
    // the character may have reached into it.
    let mut forced_to = 0;
    let mut x = first;
    while x < end.max(forced_to) {
        if row.has_changed(x) || x < forced_to {
            (x, forced_to) = row.paint_from(pencil, x, end.max(x + 1), forced_to, out);
        } else {
            x += 1;
        }
    }
    if let Some(from) = erase_from {
        pencil.move_to(from, y, out);
        pencil.set_link(None, out);
        pencil.erase_to_edge(row.cells[usize::from(from)].style, out);
    }
    let to = if erase_from.is_some() { cols } else { x.max(forced_to).min(cols) };
    Some((first.saturating_sub(GAP_MAX), to))
}

struct Row<'a> {
    old: &'a Frame,
    new: &'a Frame,
    old_cells: &'a [Cell],
    cells: &'a [Cell],
    y: u16,
}

impl Row<'_> {
    fn has_changed(&self, x: u16) -> bool {
        let x = usize::from(x);
        !self.new.is_same(&self.cells[x], self.old, &self.old_cells[x])
    }

    /// Where to erase to the right edge from, if that saves bytes: the cells there are all blank
    /// and alike.
    fn erasable_from(&self, pencil: &Pencil, first: u16, last: u16) -> Option<u16> {
        let blank = self.cells.last().filter(|cell| can_erase(pencil, cell))?;
        let blanks = self.cells.iter().rev().take_while(|cell| *cell == blank).count();
        let from = (self.cells.len() - blanks).max(usize::from(first)) as u16;
        (from + 2 < last + 1).then_some(from)
    }

    /// Paints from the changed cell at `x` on; returns the column to go on from and the column up
    /// to which cells must be painted.
    fn paint_from(
        &self,
        pencil: &mut Pencil,
        x: u16,
        end: u16,
        forced_to: u16,
        out: &mut Vec<u8>,
    ) -> (u16, u16) {
        self.go_to(pencil, x, out);
        let cell = &self.cells[usize::from(x)];
        let run = self.run_length(x, end);
        let after = x + run;
        if can_erase(pencil, cell)
            && pencil.has(OutputFeatures::ECH)
            && usize::from(run) > SEQUENCE_BYTES + if after < end { SEQUENCE_BYTES } else { 0 }
        {
            pencil.set_link(None, out);
            pencil.erase(cell.style, run, out);
            return (after, forced_to);
        }
        let is_certain = pencil.write(self.new, cell, x, self.y, out);
        let width = u16::from(cell.width.max(1));
        if !is_certain {
            let reach = x + width + 1;
            return (x + width, if usize::from(reach) <= self.cells.len() { reach } else { 0 });
        }
        // Some terminals repeat nothing but ASCII.
        let can_repeat = cell.glyph.is_ascii() && pencil.has(OutputFeatures::REP);
        if can_repeat && cell.width == 1 && usize::from(run - 1) > SEQUENCE_BYTES {
            pencil.repeat(run - 1, after, self.y, out);
            return (after, forced_to);
        }
        (x + width, forced_to)
    }

    /// How many cells from `x` on are alike, up to `end` and up to the last that changed.
    fn run_length(&self, x: u16, end: u16) -> u16 {
        let cells = &self.cells[usize::from(x)..usize::from(end)];
        if cells[0].width != 1 || cells[0].glyph.is_cluster() {
            return 1;
        }
        let alike = cells.iter().take_while(|cell| **cell == cells[0]).count() as u16;
        (1..alike).rfind(|&n| self.has_changed(x + n)).map_or(1, |n| n + 1)
    }

    /// Brings the cursor to column `x`: over a short gap by writing what is there.
    fn go_to(&self, pencil: &mut Pencil, x: u16, out: &mut Vec<u8>) {
        let gap = pencil.column_on(self.y).filter(|&from| from < x && x - from <= GAP_MAX);
        if let Some(from) = gap {
            let cells = &self.cells[usize::from(from)..usize::from(x)];
            let is_cheap = |cell: &Cell| {
                cell.glyph.is_ascii()
                    && cell.width == 1
                    && cell.style == pencil.style()
                    && cell.link == LinkId::NONE
                    && !pencil.has_link()
            };
            if cells.iter().all(is_cheap) {
                for (column, cell) in (from..).zip(cells) {
                    pencil.write(self.new, cell, column, self.y, out);
                }
                return;
            }
        }
        pencil.move_to(x, self.y, out);
    }
}

/// Whether erasing gives this cell on this terminal.
pub(super) fn can_erase(pencil: &Pencil, cell: &Cell) -> bool {
    pencil.may_erase()
        && cell.is_erased()
        && (!cell.style.has_background() || pencil.erases_background())
}
