//! Finding rows that only moved.

use super::cell::{Cell, CellText};
use super::frame::{Frame, Rect};

/// Which way text moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ScrollDirection {
    Up,
    Down,
}

/// The rows of `area` move by `lines`; blank rows come in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Scroll {
    pub(super) area: Rect,
    pub(super) direction: ScrollDirection,
    pub(super) lines: u16,
}

/// What scrolling costs in bytes, and so must save in cells.
const SCROLL_COST: usize = 20;
/// The same between margins at the sides.
const MARGINS_COST: usize = 45;
/// What going to a row costs.
const ROW_COST: usize = 6;
/// Fewest changed rows for which it is worth looking.
const CHANGED_ROWS_MIN: usize = 3;

/// Farthest scroll that is looked for.
const SCROLL_LINES_MAX: u16 = 256;

/// Finds scrolls. Kept between frames for its memory.
#[derive(Debug, Default)]
pub(super) struct ScrollFinder {
    /// What painting each row costs: how many of its cells changed, and going there.
    costs: Vec<usize>,
    /// Of the area that is looked at: the hashes of its rows, what painting them costs, and how many
    /// of their new cells are not blank.
    old_hashes: Vec<u64>,
    new_hashes: Vec<u64>,
    area_costs: Vec<usize>,
    texts: Vec<usize>,
}

impl ScrollFinder {
    /// Compares two frames row by row.
    pub(super) fn compare(&mut self, old: &Frame, new: &Frame) {
        self.costs.clear();
        self.costs.extend((0..new.size().rows).map(|y| row_cost(old, new, new.area(), y)));
    }

    /// Whether a row differed when last compared.
    pub(super) fn has_changed(&self, y: u16) -> bool {
        self.cost(y) > 0
    }

    /// What painting a row costs, as it was when last compared.
    pub(super) fn cost(&self, y: u16) -> usize {
        self.costs[usize::from(y)]
    }

    /// Whether anything differed when last compared.
    pub(super) fn has_any_changed(&self) -> bool {
        self.costs.iter().any(|&cost| cost > 0)
    }

    /// How many rows differed when last compared.
    pub(super) fn changed_rows(&self) -> usize {
        self.costs.iter().filter(|&&cost| cost > 0).count()
    }

    /// The scroll of rows of `area` in `old` that saves most on the way to `new`, if any does. They
    /// have just been compared.
    pub(super) fn find(&mut self, old: &Frame, new: &Frame, area: Rect) -> Option<Scroll> {
        let rows = area.y..area.y + area.rows;
        let is_narrow = area.cols < new.size().cols;
        self.area_costs.clear();
        if is_narrow {
            self.area_costs.extend(rows.clone().map(|y| match self.costs[usize::from(y)] {
                0 => 0,
                _ => row_cost(old, new, area, y),
            }));
        } else {
            let costs = &self.costs[usize::from(rows.start)..usize::from(rows.end)];
            self.area_costs.extend_from_slice(costs);
        }
        let changed = self.area_costs.iter().filter(|&&cost| cost > 0).count();
        if changed < CHANGED_ROWS_MIN {
            return None;
        }
        self.texts.clear();
        self.texts
            .extend(rows.clone().map(|y| {
                new.cells_of(area, y).iter().filter(|cell| **cell != Cell::BLANK).count()
            }));
        self.old_hashes.clear();
        self.old_hashes.extend(rows.clone().map(|y| row_hash(old, area, y)));
        self.new_hashes.clear();
        self.new_hashes.extend(rows.map(|y| row_hash(new, area, y)));
        let moves = (1..usize::from(area.rows.min(SCROLL_LINES_MAX)))
            .flat_map(|lines| [(ScrollDirection::Up, lines), (ScrollDirection::Down, lines)]);
        let candidates = moves.filter_map(|(direction, lines)| self.best_run(direction, lines));
        let (saved, (first, rows, direction, lines)) =
            candidates.max_by_key(|(saved, _)| *saved)?;
        let cost = if is_narrow { MARGINS_COST } else { SCROLL_COST };
        let area = Rect { y: area.y + first, rows, ..area };
        (saved > cost && !old.cuts_wide(area)).then_some(Scroll { area, direction, lines })
    }

    /// The run of rows moved by `lines` that saves most, with the cells it saves: first row and
    /// number of rows within the area, direction, lines.
    fn best_run(
        &self,
        direction: ScrollDirection,
        lines: usize,
    ) -> Option<(usize, (u16, u16, ScrollDirection, u16))> {
        // Of two rows `lines` apart, which is to look like which?
        let (to, from) = match direction {
            ScrollDirection::Up => (0, lines),
            ScrollDirection::Down => (lines, 0),
        };
        let pairs = self.new_hashes.len() - lines;
        let mut best = None;
        let mut best_saved = 0;
        let mut y = 0;
        while y < pairs {
            let start = y;
            let mut saved = 0;
            while y < pairs && self.new_hashes[y + to] == self.old_hashes[y + from] {
                saved += self.area_costs[y + to];
                y += 1;
            }
            if y == start {
                y += 1;
                continue;
            }
            let came_in = match direction {
                ScrollDirection::Up => y..y + lines,
                ScrollDirection::Down => start..start + lines,
            };
            let was_right = |y: &usize| self.area_costs[*y] == 0;
            let lost: usize = came_in.filter(was_right).map(|y| self.texts[y]).sum();
            let saved = saved.saturating_sub(lost);
            if best.is_none() || saved > best_saved {
                best_saved = saved;
                best = Some((start as u16, (y + lines - start) as u16, direction, lines as u16));
            }
        }
        best.map(|run| (best_saved, run))
    }
}

/// What painting the part of row `y` in `area` costs.
fn row_cost(old: &Frame, new: &Frame, area: Rect, y: u16) -> usize {
    let cells = new.cells_of(area, y).iter().zip(old.cells_of(area, y));
    let changed =
        cells.filter(|(new_cell, old_cell)| !new.is_same(new_cell, old, old_cell)).count();
    if changed == 0 { 0 } else { ROW_COST + changed }
}

/// A hash of a row's text. Two rows may collide, which costs bytes only: what is painted afterwards
/// is the difference to what really is there.
fn row_hash(frame: &Frame, area: Rect, y: u16) -> u64 {
    let mut hash = 0_u64;
    let mut add = |bits: u32| {
        hash = (hash.rotate_left(5) ^ u64::from(bits)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    };
    for cell in frame.cells_of(area, y) {
        match cell.glyph.text(frame.clusters()) {
            CellText::Char(c) => add(c.into()),
            CellText::Cluster(text) => text.bytes().for_each(|byte| add(byte.into())),
        }
    }
    hash
}
