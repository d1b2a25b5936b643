//! Searching: forward and backward, around the ends, in bounded portions.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use super::lines::{Lines, Point};
use super::{CopyMode, CopyOutcome, LineSource, ModeKeys};

impl CopyMode {
    /// What was last searched for.
    pub fn search_string(&self) -> Option<&str> {
        self.pattern.as_ref().map(|pattern| pattern.needle.as_str())
    }

    /// Goes on with a search after [`CopyOutcome::Searching`].
    pub fn resume(&mut self, source: &dyn LineSource) -> CopyOutcome {
        let frozen = Arc::clone(&self.frozen);
        let lines = self.lines(&frozen, source);
        self.catch_up(lines);
        self.search_portion(lines)
    }

    /// Goes to the `count`th match from the cursor on; `count` is at least 1.
    pub(super) fn search(
        &mut self,
        lines: Lines<'_>,
        direction: Direction,
        count: u32,
    ) -> CopyOutcome {
        self.progress = Some((self.search_from_cursor(lines, direction), count - 1));
        self.search_portion(lines)
    }

    /// Searches for what a prompt holds while it is being edited. The first character of `arg` says
    /// what happened: `=` the text changed, `+` and `-` on to the next or previous match.
    pub(super) fn search_incremental(
        &mut self,
        lines: Lines<'_>,
        direction: Direction,
        arg: &str,
    ) -> CopyOutcome {
        let direction = match arg.chars().next() {
            Some('+') => Direction::Forward,
            Some('-') => Direction::Backward,
            _ => direction,
        };
        let needle = arg.get(1..).unwrap_or_default();
        let (top, cursor) = *self.incremental_start.get_or_insert((self.top, self.cursor));
        if self.pattern.as_ref().is_some_and(|pattern| pattern.needle != needle) {
            (self.top, self.cursor) = (lines.clamp(top), lines.clamp_point(cursor));
        }
        self.pattern = Pattern::new(needle, direction, Syntax::Text);
        if self.pattern.is_none() {
            self.shows_matches = false;
            return CopyOutcome::Continue;
        }
        self.search(lines, direction, 1)
    }

    fn search_portion(&mut self, lines: Lines<'_>) -> CopyOutcome {
        let (Some((progress, more)), Some(pattern)) = (self.progress.take(), &self.pattern) else {
            return CopyOutcome::Continue;
        };
        let direction = progress.direction;
        match progress.step(lines, pattern) {
            Step::NotFound => {
                self.shows_matches = false;
                return CopyOutcome::Continue;
            }
            Step::More(progress) => self.progress = Some((progress, more)),
            Step::Found(found) => {
                self.go_to_match(lines, found, direction);
                if more > 0 {
                    self.progress = Some((self.search_from_cursor(lines, direction), more - 1));
                }
            }
        }
        if self.progress.is_some() { CopyOutcome::Searching } else { CopyOutcome::Continue }
    }

    /// With emacs' keys the cursor is left after a match that was found forward, so that the next
    /// one is at or after it; with vi's keys it is on the beginning of every match.
    fn search_from_cursor(&self, lines: Lines<'_>, direction: Direction) -> Progress {
        let from = match (direction, self.options.keys) {
            (Direction::Forward, ModeKeys::Vi) => lines.next(self.cursor).unwrap_or(self.cursor),
            _ => self.cursor,
        };
        Progress::new(lines, from, direction, self.options.wrap_search)
    }

    fn go_to_match(&mut self, lines: Lines<'_>, found: Found, direction: Direction) {
        let offset = match (direction, self.options.keys) {
            (Direction::Forward, ModeKeys::Emacs) => found.bytes.end,
            _ => found.bytes.start,
        };
        self.jump_to(lines, Point { line: found.line, offset });
        self.found = Some(found);
        self.shows_matches = true;
        if let Some(pattern) = &self.pattern {
            self.results.count(lines, pattern);
        }
    }
}

/// How many matches there are of what was searched for last.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Results {
    needle: String,
    /// The last line that was counted.
    last: u64,
    count: usize,
    /// There are lines that were not counted.
    is_more: bool,
}

impl Results {
    /// Counts the matches in the last lines, unless that is done already.
    fn count(&mut self, lines: Lines<'_>, pattern: &Pattern) {
        if self.needle == pattern.needle && self.last == lines.last() {
            return;
        }
        let first = lines.first().max(lines.last().saturating_sub(COUNTED_LINES));
        let numbers = first..=lines.last();
        let count = numbers.map(|line| pattern.matches(&lines.line(line).text).count()).sum();
        let (needle, last) = (pattern.needle.clone(), lines.last());
        *self = Self { needle, last, count, is_more: first > lines.first() };
    }
}

impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = if self.is_more { "+" } else { "" };
        write!(f, "({}{more} results)", self.count)
    }
}

/// Lines searched before the caller gets a chance to do something else.
const PORTION_LINES: u64 = 5_000;
/// Lines, from the last one on, in which matches are counted.
const COUNTED_LINES: u64 = 1_500;
/// Longest text to search for, in bytes.
const NEEDLE_BYTES_MAX: usize = 1024;

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

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Syntax {
    Text,
    /// Text if it is not a valid regular expression.
    Regex,
}

/// What is searched for.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pub(super) needle: String,
    pub(super) direction: Direction,
    regex: Regex,
}

impl Pattern {
    /// Case counts only if `needle` has an upper case letter. `None` if it is empty or too long.
    pub(super) fn new(needle: &str, direction: Direction, syntax: Syntax) -> Option<Self> {
        if needle.is_empty() || needle.len() > NEEDLE_BYTES_MAX {
            return None;
        }
        let build = |pattern: &str| {
            let ignores_case = !needle.chars().any(char::is_uppercase);
            RegexBuilder::new(pattern).case_insensitive(ignores_case).build().ok()
        };
        let regex = match syntax {
            Syntax::Text => None,
            Syntax::Regex => build(needle),
        };
        let regex = regex.or_else(|| build(&regex::escape(needle)))?;
        Some(Self { needle: needle.to_owned(), direction, regex })
    }

    /// All matches in a line; those of no length are none.
    pub(super) fn matches(&self, text: &str) -> impl Iterator<Item = Range<usize>> {
        self.regex.find_iter(text).map(|found| found.range()).filter(|range| !range.is_empty())
    }
}

/// A match.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Found {
    pub(super) line: u64,
    pub(super) bytes: Range<usize>,
}

/// A search that is under way.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    direction: Direction,
    line: u64,
    /// On the first line: matches begin at or after it (forward) or before it (backward).
    offset: Option<usize>,
    /// Lines still to search, `line` included.
    lines_left: u64,
}

pub(super) enum Step {
    Found(Found),
    NotFound,
    /// Not finished; go on later.
    More(Progress),
}

impl Progress {
    /// From `from` in a direction to the end of the lines, or once around.
    pub(super) fn new(lines: Lines<'_>, from: Point, direction: Direction, wraps: bool) -> Self {
        let to_end = match direction {
            Direction::Forward => lines.last() - from.line + 1,
            Direction::Backward => from.line - lines.first() + 1,
        };
        let lines_left = if wraps { once_around(lines) } else { to_end };
        Self { direction, line: from.line, offset: Some(from.offset), lines_left }
    }

    /// Searches a portion.
    pub(super) fn step(mut self, lines: Lines<'_>, pattern: &Pattern) -> Step {
        // Lines may have disappeared since the last portion.
        self.lines_left = self.lines_left.min(once_around(lines));
        for _ in 0..PORTION_LINES.min(self.lines_left) {
            if self.line < lines.first() {
                self.line = match self.direction {
                    Direction::Forward => lines.first(),
                    Direction::Backward => lines.last(),
                };
            }
            let line = lines.line(self.line);
            let mut matches = pattern.matches(&line.text);
            let bytes = match (self.direction, self.offset.take()) {
                (Direction::Forward, Some(offset)) => matches.find(|bytes| bytes.start >= offset),
                (Direction::Forward, None) => matches.next(),
                (Direction::Backward, Some(offset)) => {
                    matches.take_while(|bytes| bytes.start < offset).last()
                }
                (Direction::Backward, None) => matches.last(),
            };
            if let Some(bytes) = bytes {
                return Step::Found(Found { line: self.line, bytes });
            }
            self.lines_left -= 1;
            self.line = match self.direction {
                Direction::Forward if self.line == lines.last() => lines.first(),
                Direction::Forward => self.line + 1,
                Direction::Backward if self.line == lines.first() => lines.last(),
                Direction::Backward => self.line - 1,
            };
        }
        if self.lines_left == 0 { Step::NotFound } else { Step::More(self) }
    }
}

/// All lines, and the first one again for what lies on the other side of where the search began.
fn once_around(lines: Lines<'_>) -> u64 {
    lines.last() - lines.first() + 2
}
