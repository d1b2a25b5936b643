//! Counting rows without wrapping all of the history at once.
//!
//! Lines are counted from the last one upwards, a portion with every command. Until all are
//! counted, a line without a count is taken for one row.

use super::lines::{Anchor, Lines};

/// Lines counted with every command.
const PORTION_LINES: u64 = 512;
/// Lines to a block; inside of a block they are counted again when needed.
const BLOCK_LINES: u64 = 128;
/// Rows walked over to find a row; what is farther away and not counted is found by line.
const WALK_ROWS_MAX: u64 = 10_000;

/// Row counts of blocks of lines.
#[derive(Clone, Debug, Default)]
pub(super) struct RowCounter {
    /// The width and the last line that the counts are for.
    basis: (usize, u64),
    /// Rows of the blocks; the first one ends with the last line.
    blocks: Vec<u64>,
}

impl RowCounter {
    /// Counts a portion more.
    pub(super) fn count_portion(&mut self, lines: Lines<'_>) {
        let basis = (lines.width, lines.last());
        if self.basis != basis {
            *self = Self { basis, blocks: Vec::new() };
        }
        for _ in 0..PORTION_LINES / BLOCK_LINES {
            let end = self.uncounted_end(lines);
            if end < lines.first() + BLOCK_LINES {
                return;
            }
            self.blocks.push(rows_of(lines, end - BLOCK_LINES, end));
        }
    }

    /// The rows from `from` to the end.
    pub(super) fn rows_from(&self, lines: Lines<'_>, from: Anchor) -> u64 {
        let end = lines.last() + 1;
        let full = (end - from.line) / BLOCK_LINES;
        let counted = full.min(self.blocks.len() as u64);
        let rows: u64 = self.blocks[..counted as usize].iter().sum();
        let rest_end = end - counted * BLOCK_LINES;
        // More than a block of them is left only where nothing is counted yet.
        let exact = rest_end.saturating_sub(BLOCK_LINES).max(from.line);
        let rows = rows + rows_of(lines, exact, rest_end) + (exact - from.line);
        rows.saturating_sub(from.row as u64)
    }

    /// The row `rows` rows above the end.
    pub(super) fn row_from_end(&self, lines: Lines<'_>, rows: u64) -> Anchor {
        let mut end = lines.last() + 1;
        let mut left = rows;
        for block in &self.blocks {
            if *block > left || end < lines.first() + BLOCK_LINES {
                break;
            }
            left -= block;
            end -= BLOCK_LINES;
        }
        let is_counted = end > self.uncounted_end(lines);
        let skipped = if is_counted { 0 } else { left.saturating_sub(WALK_ROWS_MAX) };
        let walked = (left - skipped) as usize;
        if skipped == 0 && end > lines.last() {
            return lines.up(lines.bottom(), walked.saturating_sub(1));
        }
        let line = end.saturating_sub(skipped).max(lines.first());
        lines.up(Anchor { line, row: 0 }, walked)
    }

    fn uncounted_end(&self, lines: Lines<'_>) -> u64 {
        lines.last() + 1 - self.blocks.len() as u64 * BLOCK_LINES
    }
}

fn rows_of(lines: Lines<'_>, from: u64, to: u64) -> u64 {
    (from..to).map(|line| lines.row_count(line) as u64).sum()
}
