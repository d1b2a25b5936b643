//! Searching: forward and backward, around the ends, and from prompt to prompt.

use std::sync::Arc;

use super::lines::{Lines, Point};
use super::pattern::{Pattern, Syntax};
use super::scan::{Direction, Found, Scan, Step, Wanted};
use super::{CopyMode, CopyOutcome, LastSearch, LineSource, ModeKeys};
use crate::LineMarks;

impl CopyMode {
    /// What was last searched for.
    pub fn search_string(&self) -> Option<&str> {
        self.pattern.as_ref().map(|pattern| pattern.needle.as_str())
    }

    /// What another copy mode of the pane is to remember.
    pub fn last_search(&self) -> Option<LastSearch> {
        self.pattern.as_ref().map(|pattern| LastSearch {
            needle: pattern.needle.clone(),
            is_regex: pattern.syntax == Syntax::Regex,
        })
    }

    /// Goes on with a search after [`CopyOutcome::Searching`], for about `bytes` of text.
    pub fn resume(&mut self, source: &dyn LineSource, bytes: usize) -> CopyOutcome {
        let frozen = Arc::clone(&self.frozen);
        let lines = self.lines(&frozen, source);
        self.catch_up(lines);
        self.search_portion(lines, bytes)
    }

    /// The match that the cursor is at (`search_match`).
    pub fn match_at_cursor(&self, source: &dyn LineSource) -> Option<String> {
        let pattern = self.pattern.as_ref().filter(|_| self.shows_matches)?;
        let (line, offset) = self.lines(&self.frozen, source).line_at(self.cursor);
        // With emacs' keys the cursor is left after a match.
        let is_at = |end: usize| offset < end || offset == end && self.keys() == ModeKeys::Emacs;
        let mut at_cursor = pattern.matches(&line.text);
        let at_cursor = at_cursor.find(|bytes| bytes.start <= offset && is_at(bytes.end))?;
        Some(line.text[at_cursor].to_owned())
    }

    /// How many matches there are, and whether there may be more (`search_count`), while they are
    /// marked.
    pub fn search_count(&self) -> Option<(usize, bool)> {
        self.shows_matches.then_some((self.results.count, self.results.is_more))
    }

    /// What is to be said about a search beside how many matches there are.
    pub fn search_note(&self) -> Option<String> {
        match &self.progress {
            Some(Progress { scan, .. }) => Some(format!("(searching {}%)", scan.percent())),
            None => self.was_in_vain.then(|| "(not found)".to_owned()),
        }
    }

    /// Goes to the `count`th match from the cursor on; `count` is at least 1.
    pub(super) fn search(
        &mut self,
        lines: Lines<'_>,
        direction: Direction,
        count: u32,
    ) -> CopyOutcome {
        let scan = self.scan_from_cursor(lines, direction);
        self.progress = Some(Progress { scan, goal: Goal::Match { more: count - 1 } });
        self.search_portion(lines, PORTION_BYTES)
    }

    /// Goes to the next line, in a direction, on which a prompt or the output of a command begins.
    pub(super) fn go_to_prompt(
        &mut self,
        lines: Lines<'_>,
        direction: Direction,
        wants_output: bool,
    ) -> CopyOutcome {
        let mark = if wants_output { LineMarks::OUTPUT } else { LineMarks::PROMPT };
        let scan = Scan::beyond(lines, self.cursor, direction);
        self.progress = Some(Progress { scan, goal: Goal::Mark(mark) });
        self.search_portion(lines, PORTION_BYTES)
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
        self.pattern = None;
        self.shows_matches &= !needle.is_empty();
        if needle.is_empty() {
            return CopyOutcome::Continue;
        }
        match Pattern::new(needle, direction, Syntax::Text) {
            Ok(pattern) => self.pattern = Some(pattern),
            Err(error) => return CopyOutcome::Refused(error),
        }
        self.search(lines, direction, 1)
    }

    fn search_portion(&mut self, lines: Lines<'_>, bytes: usize) -> CopyOutcome {
        let Some(Progress { scan, goal }) = self.progress.take() else {
            return CopyOutcome::Continue;
        };
        let direction = scan.direction;
        let wanted = match (goal, &self.pattern) {
            (Goal::Mark(marks), _) => Wanted::Mark(marks),
            (Goal::Match { .. }, Some(pattern)) => Wanted::Match(pattern),
            (Goal::Match { .. }, None) => return CopyOutcome::Continue,
        };
        match (scan.step(lines, wanted, bytes), goal) {
            (Step::More(scan), goal) => self.progress = Some(Progress { scan, goal }),
            (Step::NotFound, Goal::Mark(_)) => {}
            (Step::NotFound, Goal::Match { .. }) => {
                (self.shows_matches, self.was_in_vain) = (false, true);
            }
            (Step::Found(found), Goal::Mark(_)) => {
                self.show_mark(lines, Point { line: found.line, offset: 0 });
            }
            (Step::Found(found), Goal::Match { more }) => {
                self.go_to_match(lines, found, direction);
                if let Some(more) = more.checked_sub(1) {
                    let scan = self.scan_from_cursor(lines, direction);
                    self.progress = Some(Progress { scan, goal: Goal::Match { more } });
                }
            }
        }
        if self.progress.is_some() { CopyOutcome::Searching } else { CopyOutcome::Continue }
    }

    /// With emacs' keys the cursor is left after a match that was found forward, so that the next
    /// one is at or after it; with vi's keys it is on the beginning of every match.
    fn scan_from_cursor(&self, lines: Lines<'_>, direction: Direction) -> Scan {
        let from = match (direction, self.keys()) {
            (Direction::Forward, ModeKeys::Vi) => lines.next(self.cursor).unwrap_or(self.cursor),
            _ => self.cursor,
        };
        Scan::new(lines, from, direction, self.options.wrap_search)
    }

    fn go_to_match(&mut self, lines: Lines<'_>, found: Found, direction: Direction) {
        let offset = match (direction, self.keys()) {
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

    fn keys(&self) -> ModeKeys {
        self.options.keys
    }
}

/// A search that is under way.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    scan: Scan,
    goal: Goal,
}

/// Where it leads.
#[derive(Clone, Copy, Debug)]
enum Goal {
    /// To a match, and from there to so many more.
    Match { more: u32 },
    /// To a line with one of these marks.
    Mark(LineMarks),
}

/// How many matches there are of what was searched for last.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Results {
    /// The text, whether it is a regular expression, and the last line that was counted.
    basis: Option<(String, Syntax, u64)>,
    count: usize,
    /// There are lines that were not counted.
    is_more: bool,
}

impl Results {
    /// Counts the matches in the last lines, unless that is done already.
    fn count(&mut self, lines: Lines<'_>, pattern: &Pattern) {
        let basis = Some((pattern.needle.clone(), pattern.syntax, lines.last()));
        if self.basis == basis {
            return;
        }
        let first = lines.first().max(lines.last().saturating_sub(COUNTED_LINES));
        let (mut count, mut bytes, mut next) = (0, 0, lines.last() + 1);
        while next > first && bytes < COUNTED_BYTES {
            next -= 1;
            let line = lines.line(next);
            bytes += line.text.len();
            count += pattern.matches(&line.text).count();
        }
        *self = Self { basis, count, is_more: next > lines.first() };
    }
}

/// Text searched before the caller gets a chance to do something else, in bytes.
const PORTION_BYTES: usize = 256 * 1024;
/// Lines, from the last one on, in which matches are counted, and about how many bytes of them.
const COUNTED_LINES: u64 = 1_500;
const COUNTED_BYTES: usize = 512 * 1024;
