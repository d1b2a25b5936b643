//! Tests of copy mode: a source of lines, and screens as text.

mod copying;
mod looking;
mod moving;
mod searching;

use std::borrow::Cow;
use std::cell::Cell;

use super::{CopyMode, CopyOptions, CopyOutcome, CopyStyles, LineSource, ModeKeys, copy_command};
use crate::compose::Frame;
use crate::{HistoryLine, Size};

/// Lines in memory; counts how many are read.
struct FakeSource {
    start: u64,
    /// From line 0 on, also those before `start`.
    lines: Vec<HistoryLine>,
    on_screen: u64,
    reads: Cell<u64>,
    is_broken: bool,
}

impl FakeSource {
    /// The last `on_screen` of `lines` are the screen.
    fn new<S: Into<String>>(lines: impl IntoIterator<Item = S>, on_screen: u64) -> Self {
        let line = |text: S| HistoryLine { text: text.into(), ..HistoryLine::default() };
        let lines = lines.into_iter().map(line).collect();
        Self { start: 0, lines, on_screen, reads: Cell::new(0), is_broken: false }
    }

    /// `line 0` to `line {count - 1}`.
    fn numbered(count: u64, on_screen: u64) -> Self {
        Self::new((0..count).map(|number| format!("line {number}")), on_screen)
    }

    fn push(&mut self, text: &str) {
        self.lines.push(HistoryLine { text: text.to_owned(), ..HistoryLine::default() });
    }
}

impl LineSource for FakeSource {
    fn start(&self) -> u64 {
        self.start
    }

    fn end(&self) -> u64 {
        (self.lines.len() as u64).saturating_sub(self.on_screen)
    }

    fn line(&self, number: u64) -> Option<Cow<'_, HistoryLine>> {
        self.reads.set(self.reads.get() + 1);
        let is_kept = number >= self.start && number < self.end() && !self.is_broken;
        self.lines.get(number as usize).filter(|_| is_kept).map(Cow::Borrowed)
    }

    fn screen(&self) -> Vec<HistoryLine> {
        self.lines[self.end() as usize..].to_vec()
    }
}

fn size(cols: u16, rows: u16) -> Size {
    Size { cols, rows }
}

/// Copy mode at the bottom, with the cursor at the beginning of the last row.
fn enter(source: &FakeSource, size: Size, keys: ModeKeys) -> CopyMode {
    let options = CopyOptions { keys, ..CopyOptions::default() };
    CopyMode::new(source, size, (0, size.rows - 1), options)
}

/// Runs commands, each a name with an optional argument after a space.
fn run(mode: &mut CopyMode, source: &FakeSource, commands: &[&str]) -> CopyOutcome {
    let mut outcome = CopyOutcome::Continue;
    for text in commands {
        let (name, arg) = text.split_once(' ').map_or((*text, None), |(n, a)| (n, Some(a)));
        let command = copy_command(name).unwrap_or_else(|| panic!("no command {name}"));
        outcome = mode.run(command, arg, source);
        while outcome == CopyOutcome::Searching {
            outcome = mode.resume(source, 256 * 1024);
        }
    }
    outcome
}

/// The rows of the view without the position, with `|` where the cursor is.
fn view(mode: &CopyMode, source: &FakeSource) -> Vec<String> {
    let mut mode_without_position = Frame::new(mode.size);
    let area = mode_without_position.area();
    let frame = &mut mode_without_position;
    let cursor = mode.render(source, frame, area, &CopyStyles::default());
    let size = frame.size();
    (0..size.rows)
        .map(|y| {
            let mut row = String::new();
            for x in 0..size.cols {
                if (x, y) == (cursor.x, cursor.y) {
                    row.push('|');
                }
                let cell = frame.cell(x, y).unwrap();
                if cell.width > 0 {
                    row.push_str(&cell.text.to_string());
                }
            }
            row.trim_end().to_owned()
        })
        .collect()
}

/// Where the view and the cursor are: rows below the view, column and row.
fn place(mode: &CopyMode, source: &FakeSource) -> (u64, u16, u16) {
    let mut frame = Frame::new(mode.size);
    let area = frame.area();
    let cursor = mode.render(source, &mut frame, area, &CopyStyles::default());
    (mode.position(source).offset, cursor.x, cursor.y)
}
