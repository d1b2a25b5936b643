//! Finding rows that only moved.

use super::cell::{Cell, CellText};
use super::frame::Frame;

/// Which way text moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ScrollDirection {
    Up,
    Down,
}

/// Rows `top..=bottom` move by `lines`; blank rows come in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Scroll {
    pub(super) top: u16,
    pub(super) bottom: u16,
    pub(super) direction: ScrollDirection,
    pub(super) lines: u16,
}

/// What scrolling costs in bytes, and so must save in cells.
const SCROLL_COST: usize = 20;
/// What going to a row costs.
const ROW_COST: usize = 6;
/// Fewest changed rows for which it is worth looking.
const CHANGED_ROWS_MIN: usize = 3;

/// Farthest scroll that is looked for.
const SCROLL_LINES_MAX: u16 = 256;

/// Finds scrolls. Kept between frames for its memory.
#[derive(Debug, Default)]
pub(super) struct ScrollFinder {
    old_hashes: Vec<u64>,
    new_hashes: Vec<u64>,
    /// What painting each row costs: how many of its cells changed, and going there.
    costs: Vec<usize>,
    /// How many cells of each new row are not blank.
    texts: Vec<usize>,
}

impl ScrollFinder {
    /// Compares two frames row by row.
    pub(super) fn compare(&mut self, old: &Frame, new: &Frame) {
        self.costs.clear();
        self.costs.extend((0..new.size().rows).map(|y| row_cost(old, new, y)));
    }

    /// Whether a row differed when last compared.
    pub(super) fn has_changed(&self, y: u16) -> bool {
        self.costs[usize::from(y)] > 0
    }

    /// Whether anything differed when last compared.
    pub(super) fn has_any_changed(&self) -> bool {
        self.costs.iter().any(|&cost| cost > 0)
    }

    /// The scroll of `old` that saves most on the way to `new`, if any does. They have just been
    /// compared.
    pub(super) fn find(&mut self, old: &Frame, new: &Frame) -> Option<Scroll> {
        let rows = new.size().rows;
        if self.costs.iter().filter(|&&cost| cost > 0).count() < CHANGED_ROWS_MIN {
            return None;
        }
        self.texts.clear();
        self.texts.extend(
            (0..rows).map(|y| new.row(y).iter().filter(|cell| **cell != Cell::BLANK).count()),
        );
        self.old_hashes.clear();
        self.old_hashes.extend((0..rows).map(|y| row_hash(old, y)));
        self.new_hashes.clear();
        self.new_hashes.extend((0..rows).map(|y| row_hash(new, y)));
        let moves = (1..usize::from(rows.min(SCROLL_LINES_MAX)))
            .flat_map(|lines| [(ScrollDirection::Up, lines), (ScrollDirection::Down, lines)]);
        let candidates = moves.filter_map(|(direction, lines)| self.best_run(direction, lines));
        let best = candidates.max_by_key(|(saved, _)| *saved);
        best.filter(|(saved, _)| *saved > SCROLL_COST).map(|(_, scroll)| scroll)
    }

    /// The run of rows moved by `lines` that saves most, with the cells it saves.
    fn best_run(&self, direction: ScrollDirection, lines: usize) -> Option<(usize, Scroll)> {
        // Of two rows `lines` apart, which is to look like which?
        let (to, from) = match direction {
            ScrollDirection::Up => (0, lines),
            ScrollDirection::Down => (lines, 0),
        };
        let pairs = self.new_hashes.len() - lines;
        let mut best: Option<(usize, Scroll)> = None;
        let mut y = 0;
        while y < pairs {
            let start = y;
            let mut saved = 0;
            while y < pairs && self.new_hashes[y + to] == self.old_hashes[y + from] {
                saved += self.costs[y + to];
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
            let was_right = |y: &usize| self.costs[*y] == 0;
            let lost: usize = came_in.filter(was_right).map(|y| self.texts[y]).sum();
            let saved = saved.saturating_sub(lost);
            if best.is_none_or(|(most, _)| saved > most) {
                let (top, bottom) = (start as u16, (y - 1 + lines) as u16);
                best = Some((saved, Scroll { top, bottom, direction, lines: lines as u16 }));
            }
        }
        best
    }
}

fn row_cost(old: &Frame, new: &Frame, y: u16) -> usize {
    let cells = new.row(y).iter().zip(old.row(y));
    let changed =
        cells.filter(|(new_cell, old_cell)| !new.is_same(new_cell, old, old_cell)).count();
    if changed == 0 { 0 } else { ROW_COST + changed }
}

/// A hash of a row's text. Two rows may collide, which costs bytes only: what is painted afterwards
/// is the difference to what really is there.
fn row_hash(frame: &Frame, y: u16) -> u64 {
    let mut hash = 0_u64;
    let mut add = |bits: u32| {
        hash = (hash.rotate_left(5) ^ u64::from(bits)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    };
    for cell in frame.row(y) {
        match cell.glyph.text(frame.clusters()) {
            CellText::Char(c) => add(c.into()),
            CellText::Cluster(text) => text.bytes().for_each(|byte| add(byte.into())),
        }
    }
    hash
}
