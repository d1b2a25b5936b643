//! Selections and the text they cover.

use std::ops::Range;

use super::ModeKeys;
use super::lines::{Lines, Point};

/// Most bytes copied at once.
const COPY_BYTES_MAX: usize = 64 << 20;

/// Text copied, and what is to become of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CopiedText {
    /// The text: UTF-8, lines separated by line feeds. At most 64 MiB; what would be longer ends
    /// there.
    pub text: Vec<u8>,
    /// Where it goes.
    pub target: CopyTarget,
    /// Copy mode ends.
    pub exits: bool,
}

/// Where copied text goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CopyTarget {
    /// To a new paste buffer.
    Buffer,
    /// To the end of the newest paste buffer.
    Append,
    /// To a new paste buffer and to this shell command, or to the one that the option
    /// `copy-command` names.
    BufferAndPipe(Option<String>),
    /// To a shell command only.
    Pipe(Option<String>),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum CopyWhat {
    Selection,
    Line,
    EndOfLine,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum CopyWhere {
    Buffer,
    Append,
    BufferAndPipe,
    Pipe,
}

impl CopyWhere {
    pub(super) fn target(self, command: Option<&str>) -> CopyTarget {
        let command = command.filter(|command| !command.is_empty()).map(str::to_owned);
        match self {
            Self::Buffer => CopyTarget::Buffer,
            Self::Append => CopyTarget::Append,
            Self::BufferAndPipe => CopyTarget::BufferAndPipe(command),
            Self::Pipe => CopyTarget::Pipe(command),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum CopyAfter {
    Clear,
    Keep,
    Exit,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unit {
    Character,
    Line,
}

/// A selection from its anchor to the cursor, or to where it was stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Selection {
    pub(super) anchor: Point,
    pub(super) stopped: Option<Point>,
    pub(super) unit: Unit,
}

impl Selection {
    pub(super) fn new(anchor: Point, unit: Unit) -> Self {
        Self { anchor, stopped: None, unit }
    }

    /// The points it covers, without the end. With vi's keys a selection includes the character at
    /// its end, be that the end of a line.
    pub(super) fn range(&self, lines: Lines<'_>, cursor: Point, keys: ModeKeys) -> Range<Point> {
        let anchor = lines.clamp_point(self.anchor);
        let head = lines.clamp_point(self.stopped.unwrap_or(cursor));
        let (start, end) = (anchor.min(head), anchor.max(head));
        match (self.unit, keys) {
            (Unit::Character, ModeKeys::Emacs) => start..end,
            (Unit::Character, ModeKeys::Vi) => start..after(lines, end),
            (Unit::Line, _) => whole_lines(lines, start.line, end.line, keys),
        }
    }
}

/// Lines `first..=last`; with vi's keys including the last line feed.
pub(super) fn whole_lines(lines: Lines<'_>, first: u64, last: u64, keys: ModeKeys) -> Range<Point> {
    let end = Point { line: last, offset: lines.line(last).text.len() };
    let end = match keys {
        ModeKeys::Emacs => end,
        ModeKeys::Vi => after(lines, end),
    };
    Point { line: first, offset: 0 }..end
}

/// The point after the character at `point`; the last line too has an end.
fn after(lines: Lines<'_>, point: Point) -> Point {
    lines.next(point).unwrap_or(Point { line: point.line + 1, offset: 0 })
}

/// The text from one point to another.
pub(super) fn text(lines: Lines<'_>, range: Range<Point>) -> Vec<u8> {
    let mut text = Vec::new();
    for number in range.start.line..=range.end.line {
        let line = lines.line(number);
        let from = if number == range.start.line { range.start.offset } else { 0 };
        let is_last = number == range.end.line;
        let to = if is_last { range.end.offset } else { line.text.len() };
        let piece = line.text.get(from..to).unwrap_or_default();
        if text.len() + piece.len() >= COPY_BYTES_MAX {
            let fitting = piece.floor_char_boundary(COPY_BYTES_MAX - text.len());
            text.extend_from_slice(&piece.as_bytes()[..fitting]);
            break;
        }
        text.extend_from_slice(piece.as_bytes());
        if !is_last && !line.continues {
            text.push(b'\n');
        }
    }
    text
}
