//! Moving the cursor.

use super::command::{Jump, Motion};
use super::lines::{Anchor, Lines, Point};
use super::scan::Direction;
use super::words::{next_paragraph, next_word, next_word_end, previous_paragraph, previous_word};
use super::{CopyMode, ModeKeys};

impl CopyMode {
    pub(super) fn move_cursor(&mut self, lines: Lines<'_>, motion: Motion) {
        match motion {
            Motion::Up => self.move_rows(lines, false),
            Motion::Down => self.move_rows(lines, true),
            Motion::Part(part) => {
                self.goal = None;
                self.set_cursor_row(lines, self.part_row(part));
            }
            Motion::HistoryTop => {
                self.top = Anchor { line: lines.first(), row: 0 };
                self.move_to(lines, Point { line: lines.first(), offset: 0 });
            }
            Motion::HistoryBottom => {
                self.top = self.bottom_top(lines);
                self.move_to(lines, lines.end());
            }
            Motion::NextParagraph => self.jump_to(lines, next_paragraph(lines, self.cursor)),
            Motion::PreviousParagraph => {
                self.jump_to(lines, previous_paragraph(lines, self.cursor));
            }
            _ => self.move_to(lines, self.target(lines, motion)),
        }
    }

    fn move_to(&mut self, lines: Lines<'_>, point: Point) {
        self.cursor = point;
        self.goal = None;
        self.reveal(lines);
    }

    /// Where a motion by text leads.
    fn target(&self, lines: Lines<'_>, motion: Motion) -> Point {
        let from = self.cursor;
        let separators = &self.options.word_separators;
        match motion {
            Motion::Left => lines.previous(from).unwrap_or(from),
            Motion::Right => lines.next(from).unwrap_or(from),
            Motion::StartOfLine => Point { offset: 0, ..from },
            Motion::EndOfLine => Point { offset: lines.line(from.line).text.len(), ..from },
            Motion::Indentation => {
                let line = lines.line(from.line);
                let indentation = line.text.find(|c| c != ' ' && c != '\t');
                Point { offset: indentation.unwrap_or(line.text.len()), ..from }
            }
            Motion::NextWord => next_word(lines, from, separators),
            Motion::NextSpace => next_word(lines, from, ""),
            Motion::NextWordEnd => self.word_end(lines, separators),
            Motion::NextSpaceEnd => self.word_end(lines, ""),
            Motion::PreviousWord => previous_word(lines, from, separators),
            Motion::PreviousSpace => previous_word(lines, from, ""),
            Motion::NextParagraph
            | Motion::PreviousParagraph
            | Motion::Up
            | Motion::Down
            | Motion::Part(_)
            | Motion::HistoryTop
            | Motion::HistoryBottom => from,
        }
    }

    /// With emacs' keys after the last character of a word, with vi's on it.
    fn word_end(&self, lines: Lines<'_>, separators: &str) -> Point {
        match self.options.keys {
            ModeKeys::Emacs => next_word_end(lines, self.cursor, separators),
            ModeKeys::Vi => {
                let from = lines.next(self.cursor).unwrap_or(self.cursor);
                let end = next_word_end(lines, from, separators);
                lines.previous(end).unwrap_or(end)
            }
        }
    }

    /// To the next `target` on the cursor's line; stays if there is none.
    pub(super) fn jump(&mut self, lines: Lines<'_>, jump: Jump, target: char) {
        let (line, at) = lines.line_at(self.cursor);
        let found = match jump.direction {
            Direction::Forward => {
                // One already next to the cursor does not count when stopping before it.
                let skipped = 1 + usize::from(jump.stops_before);
                let from = line.text[at..].char_indices().nth(skipped).map(|(i, _)| at + i);
                from.and_then(|from| line.text[from..].find(target).map(|i| from + i))
            }
            Direction::Backward => {
                let skipped = usize::from(jump.stops_before);
                let before = line.text[..at].char_indices().rev().nth(skipped);
                let to = before.map_or(0, |(i, c)| i + c.len_utf8());
                line.text[..to].rfind(target)
            }
        };
        let Some(offset) = found else { return };
        let found = Point { offset, ..self.cursor };
        let target = match jump {
            Jump { stops_before: false, .. } => Some(found),
            Jump { direction: Direction::Forward, .. } => lines.previous(found),
            Jump { direction: Direction::Backward, .. } => lines.next(found),
        };
        self.move_to(lines, target.unwrap_or(found));
    }
}
