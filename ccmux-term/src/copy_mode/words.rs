//! Words, spaces, paragraphs: tmux's rules on logical lines.

use std::borrow::Cow;

use super::lines::{Lines, Point};
use super::scan::Direction;
use crate::HistoryLine;

/// Most lines looked at for the border of a paragraph, or for a bracket.
const PARAGRAPH_LINES_MAX: u64 = 50_000;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Class {
    /// Also the place after the last character of a line.
    Space,
    Separator,
    Word,
}

/// A place that moves by characters.
struct Walker<'a> {
    lines: Lines<'a>,
    line: Cow<'a, HistoryLine>,
    at: Point,
    separators: &'a str,
}

impl<'a> Walker<'a> {
    fn new(lines: Lines<'a>, at: Point, separators: &'a str) -> Self {
        let (line, offset) = lines.line_at(at);
        Self { lines, line, at: Point { offset, ..at }, separators }
    }

    fn class(&self) -> Class {
        match self.line.text[self.at.offset..].chars().next() {
            None | Some(' ' | '\t') => Class::Space,
            Some(c) if self.separators.contains(c) => Class::Separator,
            Some(_) => Class::Word,
        }
    }

    fn step(&mut self) -> bool {
        if let Some(c) = self.line.text[self.at.offset..].chars().next() {
            self.at.offset += c.len_utf8();
            return true;
        }
        if self.at.line == self.lines.last() {
            return false;
        }
        self.at = Point { line: self.at.line + 1, offset: 0 };
        self.line = self.lines.line(self.at.line);
        true
    }

    fn step_back(&mut self) -> bool {
        if let Some(c) = self.line.text[..self.at.offset].chars().next_back() {
            self.at.offset -= c.len_utf8();
            return true;
        }
        if self.at.line <= self.lines.first() {
            return false;
        }
        let line = self.at.line - 1;
        self.line = self.lines.line(line);
        self.at = Point { line, offset: self.line.text.len() };
        true
    }

    fn skip(&mut self, class: Class) {
        while self.class() == class && self.step() {}
    }
}

/// The beginning of the next word.
pub(super) fn next_word(lines: Lines<'_>, from: Point, separators: &str) -> Point {
    let mut walker = Walker::new(lines, from, separators);
    match walker.class() {
        Class::Space => {}
        class => walker.skip(class),
    }
    walker.skip(Class::Space);
    walker.at
}

/// After the end of the word at `from`, or of the next one if there is none.
pub(super) fn next_word_end(lines: Lines<'_>, from: Point, separators: &str) -> Point {
    let mut walker = Walker::new(lines, from, separators);
    walker.skip(Class::Space);
    match walker.class() {
        Class::Space => {}
        class => walker.skip(class),
    }
    walker.at
}

/// The beginning of the word before `from`.
pub(super) fn previous_word(lines: Lines<'_>, from: Point, separators: &str) -> Point {
    let mut walker = Walker::new(lines, from, separators);
    loop {
        if !walker.step_back() {
            return walker.at;
        }
        if walker.class() != Class::Space {
            return word_start(lines, walker.at, separators);
        }
    }
}

/// The beginning of the word that `from` is in.
pub(super) fn word_start(lines: Lines<'_>, from: Point, separators: &str) -> Point {
    let mut walker = Walker::new(lines, from, separators);
    let class = walker.class();
    loop {
        let start = walker.at;
        if start.offset == 0 || !walker.step_back() || walker.class() != class {
            return start;
        }
    }
}

/// The word at `at`, or the one that begins after the space or separator there; empty if none does.
pub(super) fn word_at(lines: Lines<'_>, at: Point, separators: &str) -> String {
    let mut walker = Walker::new(lines, at, separators);
    let start = match walker.class() {
        Class::Word => word_start(lines, at, separators).offset,
        _ if walker.at.offset < walker.line.text.len() => {
            walker.step();
            walker.at.offset
        }
        _ => return String::new(),
    };
    let is_word = |c: &char| !matches!(c, ' ' | '\t') && !separators.contains(*c);
    walker.line.text[start..].chars().take_while(is_word).collect()
}

/// Brackets, each with the one that closes it.
const BRACKETS: [(char, char); 3] = [('(', ')'), ('[', ']'), ('{', '}')];

/// Where a bracket leads: the way to the one that matches it, and the two.
fn bracket(c: char) -> Option<(Direction, char, char)> {
    BRACKETS.into_iter().find_map(|(open, close)| match c {
        c if c == open => Some((Direction::Forward, open, close)),
        c if c == close => Some((Direction::Backward, close, open)),
        _ => None,
    })
}

/// The bracket at `from`, or with `on_line` the first one after it on its line: where it leads.
pub(super) fn bracket_at(
    lines: Lines<'_>,
    from: Point,
    on_line: bool,
) -> Option<(Point, Direction)> {
    let (line, start) = lines.line_at(from);
    let mut found = line.text[start..].char_indices();
    let among = if on_line { usize::MAX } else { 1 };
    let (at, (direction, ..)) =
        found.by_ref().take(among).find_map(|(at, c)| Some((at, bracket(c)?)))?;
    Some((Point { offset: start + at, ..from }, direction))
}

/// The bracket that matches the one at `from`; `None` if there is none there, or none that matches.
pub(super) fn matching_bracket(lines: Lines<'_>, from: Point) -> Option<Point> {
    let mut walker = Walker::new(lines, from, "");
    let here = |walker: &Walker<'_>| walker.line.text[walker.at.offset..].chars().next();
    let (direction, opens, closes) = bracket(here(&walker)?)?;
    let mut depth = 1_u32;
    while from.line.abs_diff(walker.at.line) <= PARAGRAPH_LINES_MAX {
        let has_moved = match direction {
            Direction::Forward => walker.step(),
            Direction::Backward => walker.step_back(),
        };
        if !has_moved {
            return None;
        }
        match here(&walker) {
            Some(c) if c == opens => depth += 1,
            Some(c) if c == closes => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(walker.at);
        }
    }
    None
}

/// The blank line after the paragraph at or after `from`.
pub(super) fn next_paragraph(lines: Lines<'_>, from: Point) -> Point {
    let limit = lines.last().min(from.line.saturating_add(PARAGRAPH_LINES_MAX));
    let is_blank = |line: u64| lines.line(line).text.is_empty();
    let text = (from.line..limit).find(|line| !is_blank(*line)).unwrap_or(limit);
    let line = (text..limit).find(|line| is_blank(*line)).unwrap_or(limit);
    Point { line, offset: lines.line(line).text.len() }
}

/// The blank line before the paragraph at or before `from`.
pub(super) fn previous_paragraph(lines: Lines<'_>, from: Point) -> Point {
    let limit = lines.first().max(from.line.saturating_sub(PARAGRAPH_LINES_MAX));
    let is_blank = |line: u64| lines.line(line).text.is_empty();
    let text = (limit..=from.line).rfind(|line| !is_blank(*line)).unwrap_or(limit);
    let line = (limit..=text).rfind(|line| is_blank(*line)).unwrap_or(limit);
    Point { line, offset: 0 }
}
