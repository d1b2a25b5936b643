//! Going through all lines for a match or a mark, in bounded portions.
//!
//! Lines of the history are looked at as they are kept, block by block: what takes time is reading
//! and searching, not taking lines apart.

use std::ops::Range;

use super::lines::{Lines, Point};
use super::pattern::Pattern;
use crate::LineMarks;
use crate::history::{EncodedLines, LineText};

/// What looking at a line costs beside its text, in bytes.
const LINE_COST: usize = 32;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Direction {
    Forward,
    Backward,
}

impl Direction {
    pub(super) fn reversed(self) -> Self {
        match self {
            Self::Forward => Self::Backward,
            Self::Backward => Self::Forward,
        }
    }
}

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wanted<'a> {
    Match(&'a Pattern),
    /// A line with any of these marks.
    Mark(LineMarks),
}

/// A match; for a mark the beginning of its line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Found {
    pub(super) line: u64,
    pub(super) bytes: Range<usize>,
}

/// How far one has come.
#[derive(Clone, Debug)]
pub(super) struct Scan {
    pub(super) direction: Direction,
    line: u64,
    /// On the first line: matches begin at or after it (forward) or before it (backward).
    offset: Option<usize>,
    /// Lines still to look at, `line` included, and how many they were.
    lines_left: u64,
    total: u64,
}

pub(super) enum Step {
    Found(Found),
    NotFound,
    /// Not finished; go on later.
    More(Scan),
}

impl Scan {
    /// From `from` in a direction to the end of the lines, or once around.
    pub(super) fn new(lines: Lines<'_>, from: Point, direction: Direction, wraps: bool) -> Self {
        let to_end = match direction {
            Direction::Forward => lines.last() - from.line + 1,
            Direction::Backward => from.line - lines.first() + 1,
        };
        let lines_left = if wraps { once_around(lines) } else { to_end };
        let offset = Some(from.offset);
        Self { direction, line: from.line, offset, lines_left, total: lines_left }
    }

    /// The lines beyond the one at `from`, in a direction to the end.
    pub(super) fn beyond(lines: Lines<'_>, from: Point, direction: Direction) -> Self {
        let mut scan = Self::new(lines, from, direction, false);
        scan.offset = None;
        scan.pass((lines.first(), lines.last()), 1);
        scan
    }

    /// How much of it is done, in percent.
    pub(super) fn percent(&self) -> u64 {
        (self.total - self.lines_left) * 100 / self.total.max(1)
    }

    /// Looks at lines until `bytes` of them are through.
    pub(super) fn step(mut self, lines: Lines<'_>, wanted: Wanted<'_>, bytes: usize) -> Step {
        // Lines may have disappeared since the last portion.
        self.lines_left = self.lines_left.min(once_around(lines));
        let (first, last) = (lines.first(), lines.last());
        let mut bytes_left = bytes;
        while self.lines_left > 0 {
            if bytes_left == 0 {
                return Step::More(self);
            }
            if self.line < first {
                self.line = match self.direction {
                    Direction::Forward => first,
                    Direction::Backward => last,
                };
            }
            let mut found = None;
            let is_encoded = lines.visit_encoded(self.line, &mut |encoded| {
                found = self.look_through((first, last), &encoded, wanted, &mut bytes_left);
            });
            if !is_encoded {
                let line = lines.line(self.line);
                let line = LineText { number: self.line, text: &line.text, marks: line.marks };
                found = self.look_at((first, last), line, wanted, &mut bytes_left);
            }
            if let Some(bytes) = found {
                return Step::Found(bytes);
            }
        }
        Step::NotFound
    }

    fn look_through(
        &mut self,
        bounds: (u64, u64),
        encoded: &EncodedLines<'_>,
        wanted: Wanted<'_>,
        bytes_left: &mut usize,
    ) -> Option<Found> {
        let (from, before) = (self.line, *bytes_left);
        let found = match self.direction {
            Direction::Forward => {
                let block = encoded.iter().skip_while(|line| line.number < from);
                self.look_at_all(bounds, block, wanted, bytes_left)
            }
            Direction::Backward => {
                let block: Vec<_> = encoded.iter().take_while(|line| line.number <= from).collect();
                self.look_at_all(bounds, block.into_iter().rev(), wanted, bytes_left)
            }
        };
        if found.is_none() && *bytes_left == before {
            // Not even the first line can be read.
            let numbers = encoded.numbers();
            self.pass(
                bounds,
                match self.direction {
                    Direction::Forward => numbers.end.saturating_sub(from).max(1),
                    Direction::Backward => (from + 1).saturating_sub(numbers.start).max(1),
                },
            );
            *bytes_left = bytes_left.saturating_sub(LINE_COST);
        }
        found
    }

    fn look_at_all<'a>(
        &mut self,
        bounds: (u64, u64),
        block: impl Iterator<Item = LineText<'a>>,
        wanted: Wanted<'_>,
        bytes_left: &mut usize,
    ) -> Option<Found> {
        for line in block {
            // At the end of all lines it goes on elsewhere.
            if line.number != self.line || self.lines_left == 0 || *bytes_left == 0 {
                break;
            }
            let found = self.look_at(bounds, line, wanted, bytes_left);
            if found.is_some() {
                return found;
            }
        }
        None
    }

    fn look_at(
        &mut self,
        bounds: (u64, u64),
        line: LineText<'_>,
        wanted: Wanted<'_>,
        bytes_left: &mut usize,
    ) -> Option<Found> {
        *bytes_left = bytes_left.saturating_sub(line.text.len() + LINE_COST);
        let offset = self.offset.take();
        let bytes = match wanted {
            Wanted::Mark(marks) => line.marks.intersects(marks).then_some(0..0),
            Wanted::Match(pattern) => {
                let mut matches = pattern.matches(line.text);
                match (self.direction, offset) {
                    (Direction::Forward, Some(offset)) => {
                        matches.find(|bytes| bytes.start >= offset)
                    }
                    (Direction::Forward, None) => matches.next(),
                    (Direction::Backward, Some(offset)) => {
                        matches.take_while(|bytes| bytes.start < offset).last()
                    }
                    (Direction::Backward, None) => matches.last(),
                }
            }
        };
        if bytes.is_none() {
            self.pass(bounds, 1);
        }
        bytes.map(|bytes| Found { line: line.number, bytes })
    }

    /// Goes on by so many lines, of those from the first to the last; behind an end at the other one.
    fn pass(&mut self, (first, last): (u64, u64), count: u64) {
        self.lines_left = self.lines_left.saturating_sub(count);
        self.line = match self.direction {
            Direction::Forward => match self.line.saturating_add(count) {
                line if line > last => first,
                line => line,
            },
            Direction::Backward => match self.line.checked_sub(count) {
                Some(line) if line >= first => line,
                _ => last,
            },
        };
    }
}

/// All lines, and the first one again for what lies on the other side of where the search began.
fn once_around(lines: Lines<'_>) -> u64 {
    lines.last() - lines.first() + 2
}
