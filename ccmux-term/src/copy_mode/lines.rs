//! The lines as copy mode sees them, and positions in them.

use std::borrow::Cow;

use super::LineSource;
use super::wrap::{row_count, wrap};
use crate::compose::width::{clusters, columns};
use crate::{EncodedLines, HistoryLine, Widths};

/// A place in the text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct Point {
    pub(super) line: u64,
    /// In bytes; the length of the text for the place after it.
    pub(super) offset: usize,
}

/// A row of a wrapped line.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct Anchor {
    pub(super) line: u64,
    pub(super) row: usize,
}

/// The screen when copy mode was entered: lines that follow those of the history. Never empty.
#[derive(Clone, Debug)]
pub(super) struct FrozenScreen {
    start: u64,
    lines: Vec<HistoryLine>,
}

impl FrozenScreen {
    pub(super) fn new(source: &dyn LineSource) -> Self {
        let mut lines = source.screen();
        if lines.is_empty() {
            lines.push(HistoryLine::default());
        }
        Self { start: source.end(), lines }
    }
}

/// All lines, wrapped at a width.
#[derive(Clone, Copy)]
pub(super) struct Lines<'a> {
    pub(super) source: &'a dyn LineSource,
    pub(super) frozen: &'a FrozenScreen,
    pub(super) width: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn first(self) -> u64 {
        self.source.start().min(self.frozen.start)
    }

    pub(super) fn last(self) -> u64 {
        self.frozen.start + self.frozen.lines.len() as u64 - 1
    }

    /// A line; one that cannot be read is empty.
    pub(super) fn line(self, number: u64) -> Cow<'a, HistoryLine> {
        match number.checked_sub(self.frozen.start) {
            Some(index) => match self.frozen.lines.get(index as usize) {
                Some(line) => Cow::Borrowed(line),
                None => Cow::Owned(HistoryLine::default()),
            },
            None => self.source.line(number).unwrap_or_default(),
        }
    }

    /// Calls `visit` with lines of the history as they are kept, `number` among them; false if it is not
    /// kept so.
    pub(super) fn visit_encoded(
        self,
        number: u64,
        visit: &mut dyn FnMut(EncodedLines<'_>),
    ) -> bool {
        number < self.frozen.start && self.source.visit_encoded(number, visit)
    }

    /// The line of a point, and the point's offset in it: the nearest one that exists, because a
    /// line that could be read before may be unreadable now.
    pub(super) fn line_at(self, point: Point) -> (Cow<'a, HistoryLine>, usize) {
        let line = self.line(point.line);
        let offset = line.text.floor_char_boundary(point.offset);
        (line, offset)
    }

    pub(super) fn row_count(self, number: u64) -> usize {
        row_count(&self.line(number).text, self.width, self.widths())
    }

    pub(super) fn bottom(self) -> Anchor {
        let line = self.last();
        Anchor { line, row: self.row_count(line) - 1 }
    }

    pub(super) fn end(self) -> Point {
        let line = self.last();
        Point { line, offset: self.line(line).text.len() }
    }

    /// The row `count` rows above, or the first one.
    pub(super) fn up(self, from: Anchor, count: usize) -> Anchor {
        let mut at = self.clamp(from);
        let mut left = count;
        while left > at.row {
            if at.line == self.first() {
                return Anchor { line: at.line, row: 0 };
            }
            left -= at.row + 1;
            at.line -= 1;
            at.row = self.row_count(at.line) - 1;
        }
        Anchor { row: at.row - left, ..at }
    }

    /// The row `count` rows below, or the last one.
    pub(super) fn down(self, from: Anchor, count: usize) -> Anchor {
        let mut at = self.clamp(from);
        let mut left = count;
        loop {
            let rows_below = self.row_count(at.line) - 1 - at.row;
            if left <= rows_below {
                return Anchor { row: at.row + left, ..at };
            }
            if at.line == self.last() {
                return Anchor { row: at.row + rows_below, ..at };
            }
            left -= rows_below + 1;
            at = Anchor { line: at.line + 1, row: 0 };
        }
    }

    /// How many rows `to` is below `from`, if it is at most `limit`.
    pub(super) fn distance(self, from: Anchor, to: Anchor, limit: usize) -> Option<usize> {
        if to < from || to.line - from.line > limit as u64 {
            return None;
        }
        let above: usize = (from.line..to.line).map(|line| self.row_count(line)).sum();
        Some(above + to.row - from.row).filter(|rows| *rows <= limit)
    }

    /// The nearest row that exists: lines may have disappeared at the beginning.
    pub(super) fn clamp(self, at: Anchor) -> Anchor {
        if at.line < self.first() {
            return Anchor { line: self.first(), row: 0 };
        }
        if at.line > self.last() {
            return self.bottom();
        }
        Anchor { row: at.row.min(self.row_count(at.line) - 1), ..at }
    }

    pub(super) fn clamp_point(self, at: Point) -> Point {
        if at.line < self.first() {
            return Point { line: self.first(), offset: 0 };
        }
        if at.line > self.last() { self.end() } else { at }
    }

    /// The row and column of a point. After the end of a full row the column is the width.
    pub(super) fn place(self, point: Point) -> (Anchor, usize) {
        let (line, offset) = self.line_at(point);
        let rows = wrap(&line.text, self.width, self.widths());
        let row = rows.iter().rposition(|row| row.start <= offset).unwrap_or(0);
        (
            Anchor { line: point.line, row },
            columns(&line.text[rows[row].start..offset], self.widths()),
        )
    }

    /// The point at column `x` of a row; the end of the row if it is shorter.
    pub(super) fn point(self, at: Anchor, x: usize) -> Point {
        let line = self.line(at.line);
        let rows = wrap(&line.text, self.width, self.widths());
        let row = rows[at.row.min(rows.len() - 1)].clone();
        let is_last = at.row + 1 >= rows.len();
        let mut column = 0;
        let mut last = row.start;
        for cluster in clusters(&line.text[row.clone()], self.widths()) {
            last = row.start + cluster.start;
            column += usize::from(cluster.width);
            if column > x {
                return Point { line: at.line, offset: last };
            }
        }
        // The end of a row that is continued is the beginning of the next one.
        Point { line: at.line, offset: if is_last { row.end } else { last } }
    }

    /// The columns of a row that its text takes.
    pub(super) fn row_columns(self, at: Anchor) -> usize {
        let line = self.line(at.line);
        let rows = wrap(&line.text, self.width, self.widths());
        columns(&line.text[rows[at.row.min(rows.len() - 1)].clone()], self.widths())
    }

    /// The character after the one at `point`, over ends of lines; `None` at the end.
    pub(super) fn next(self, point: Point) -> Option<Point> {
        let (line, offset) = self.line_at(point);
        match clusters(&line.text[offset..], self.widths()).next() {
            Some(cluster) => Some(Point { offset: offset + cluster.end(), ..point }),
            None if point.line < self.last() => Some(Point { line: point.line + 1, offset: 0 }),
            None => None,
        }
    }

    /// The character before the one at `point`, over beginnings of lines; `None` at the beginning.
    pub(super) fn previous(self, point: Point) -> Option<Point> {
        if point.offset > 0 {
            let line = self.line(point.line);
            let before = clusters(&line.text, self.widths());
            let before = before.take_while(|c| c.start < point.offset).last();
            return Some(Point { offset: before.map_or(0, |cluster| cluster.start), ..point });
        }
        let line = point.line.checked_sub(1).filter(|line| *line >= self.first())?;
        Some(Point { line, offset: self.line(line).text.len() })
    }

    pub(super) fn widths(self) -> &'a Widths {
        self.source.widths()
    }
}
