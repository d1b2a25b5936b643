//! Lines that have passed the screen before anybody could see them.
//!
//! A program that prints a lot fills the screen many times within one call of [`Terminal::advance`]. A line
//! that is off the screen again when the call returns goes to the history right from the output: it never
//! becomes cells. The outcome is the same to the last field, however the output was cut.
//!
//! So lines are put together as the history has them, as long as they consist of nothing but text and
//! colours. When so many have followed a line as the screen has rows above its last one, it is certain
//! that the line has passed, and so has all that the screen showed before: both become history. The
//! lines that stay are printed then, over rows that are history already (they are *vacant*).
//!
//! [`Terminal::advance`]: crate::Terminal::advance

use memchr::memchr;

use super::{Emulator, sgr};
use crate::grid::clusters::CLUSTER_BYTES_MAX;
use crate::grid::pens::StyleCode;
use crate::history::PassingLine;
use crate::memo::{Memo, Sequence};
use crate::parser::{Decoded, Params, Parser, State, ascii_len, decode};
use crate::unicode::Kind;
use crate::{Widths, work};

/// A longer line is printed as ever. The history has none that are much longer.
const LINE_BYTES_MAX: usize = 8 * 1024;

/// Lines that are put together, beyond those that stay, before they become history.
const PASSING_LINES_MAX: usize = 64;

const ESC: u8 = 0x1b;

/// What sequences make of the default style.
type StyleMemo = Memo<Sequence, StyleCode, 256, 2048>;

/// Lines that may have passed. It is kept for its memory only.
#[derive(Clone, Debug, Default)]
pub(crate) struct Passing {
    /// Encoded, one after another.
    bytes: Vec<u8>,
    lines: Vec<Gathered>,
    line: PassingLine,
    memo: StyleMemo,
}

/// A line that was put together.
#[derive(Clone, Copy, Debug)]
struct Gathered {
    /// Where it ends in [`Passing::bytes`].
    encoded_end: usize,
    /// Where it ends in the output.
    end: usize,
    /// What is in use after it.
    after: Looks,
}

/// How what comes next looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Looks {
    /// The style in use.
    style: StyleCode,
    /// That of the blanks in the row that is printed to.
    fill: StyleCode,
}

impl Emulator {
    /// Takes output. `parser` is the parser of this terminal.
    pub(crate) fn advance(&mut self, parser: &mut Parser, bytes: &[u8]) {
        let mut rest = bytes;
        while self.lets_pass()
            && let Some(end) = memchr(b'\n', rest)
        {
            // On to the beginning of a line.
            rest = self.print(parser, rest, end + 1);
            if parser.state != State::Ground || !self.lets_pass() || !self.is_at_fresh_row() {
                continue;
            }
            let (passed, gathered) = self.pass(rest);
            if passed == 0 {
                break;
            }
            rest = self.print(parser, &rest[passed..], gathered - passed);
        }
        parser.advance(self, rest);
        debug_assert_eq!(self.vacant, 0, "BUG: rows are history and on the screen");
    }

    /// Prints the first `len` bytes, and returns the others.
    fn print<'a>(&mut self, parser: &mut Parser, bytes: &'a [u8], len: usize) -> &'a [u8] {
        let (now, later) = bytes.split_at(len);
        parser.advance(self, now);
        later
    }

    /// Whether lines may go to the history without becoming cells, as far as modes have a say.
    fn lets_pass(&self) -> bool {
        (self.top, self.bottom + 1) == (0, self.rows())
            && self.is_full_width()
            && self.modes.autowrap
            && !self.modes.alternate_screen
            && !self.modes.insert
            && !self.settings.is_vt52()
            && !self.settings.sends_8bit
            && self.prints_plain()
    }

    /// Whether the cursor is at the beginning of the last row, which is blank and begins a line.
    fn is_at_fresh_row(&self) -> bool {
        let row = self.grid.row(self.bottom);
        (self.cursor.x, self.cursor.y, self.cursor.is_wrap_pending) == (0, self.bottom, false)
            && row.cells.is_empty()
            && row.slices.is_empty()
            && row.marks.is_empty()
            && !self.bottom.checked_sub(1).is_some_and(|above| self.grid.row(above).wrapped)
            && self.overflow.rows.is_empty()
    }

    /// Puts lines at the front of `bytes` together and makes those history that have passed. Returns where
    /// these end, and where all of them do.
    fn pass(&mut self, bytes: &[u8]) -> (usize, usize) {
        if self.pen.link.is_some() {
            return (0, 0);
        }
        let fill = StyleCode::of(&self.pens.get(self.grid.row(self.bottom).fill).style);
        let mut passing = std::mem::take(&mut self.passing);
        let mut looks = Looks { style: StyleCode::of(&self.pen.style), fill };
        let (mut passed, mut gathered) = (0, 0);
        while let Some(len) = memchr(b'\n', &bytes[gathered..]) {
            let gatherer = Gatherer {
                widths: &self.widths,
                cols: self.cols(),
                looks,
                line: &mut passing.line,
                memo: &mut passing.memo,
            };
            let Some(after) = gatherer.take(&bytes[gathered..], len + 1) else { break };
            work::note(len + 1);
            gathered += len + 1;
            passing.line.write(after.fill, &mut passing.bytes);
            // As the row that a line feed brings in.
            looks = Looks { style: after.style, fill: after.style.background() };
            let encoded_end = passing.bytes.len();
            passing.lines.push(Gathered { encoded_end, end: gathered, after: looks });
            if passing.lines.len() > self.bottom + PASSING_LINES_MAX {
                passed = self.keep_passed(&mut passing);
            }
        }
        if passing.lines.len() > self.bottom {
            passed = self.keep_passed(&mut passing);
        }
        passing.lines.clear();
        passing.bytes.clear();
        self.passing = passing;
        (passed, gathered)
    }

    /// Makes lines history, and what is on the screen before them, but for the last ones, which are to
    /// be printed. Returns where these begin in the output.
    fn keep_passed(&mut self, passing: &mut Passing) -> usize {
        for y in self.vacant..self.bottom {
            self.retire(y);
        }
        self.vacant = self.bottom;
        let count = passing.lines.len() - self.bottom;
        let mut start = 0;
        for line in &passing.lines[..count] {
            let encoded = &passing.bytes[start..line.encoded_end];
            self.scrollback.push_encoded(encoded);
            start = line.encoded_end;
        }
        let Gathered { end, after, .. } = passing.lines[count - 1];
        passing.bytes.drain(..start);
        passing.lines.drain(..count);
        for line in &mut passing.lines {
            line.encoded_end -= start;
        }
        let style = after.style.style();
        if style != self.pen.style {
            self.pen.style = style;
            self.pen_changed();
        }
        self.sweep_if_due();
        let fill = self.fill_id();
        if self.grid.row(self.bottom).fill != fill {
            self.grid.row_mut(self.bottom).fill = fill;
        }
        end
    }
}

/// Puts a line of the history together.
struct Gatherer<'a> {
    widths: &'a Widths,
    cols: usize,
    looks: Looks,
    line: &'a mut PassingLine,
    memo: &'a mut StyleMemo,
}

impl Gatherer<'_> {
    /// Takes the line of `len` bytes, its end among them, that `bytes` begins with. Returns how things look
    /// at its end, or `None` if there is anything about it that printing has to see to.
    fn take(mut self, bytes: &[u8], len: usize) -> Option<Looks> {
        let text =
            bytes[..len].strip_suffix(b"\r\n").filter(|text| text.len() <= LINE_BYTES_MAX)?;
        self.line.clear();
        let first_fill = self.looks.fill;
        let (mut is_ascii, mut has_background) = (true, first_fill != StyleCode::DEFAULT);
        // Columns that are printed in the row, if all is ASCII.
        let mut column = 0;
        let mut at = 0;
        while at < text.len() {
            // What follows the text is there to be looked at, too: a lane is read at once.
            let mut len = ascii_len(&bytes[at..]);
            column += len;
            if column > self.cols {
                column = (column - 1) % self.cols + 1;
                // The row that a wrap brings in.
                self.looks.fill = self.looks.style.background();
            }
            if let Some(0x80..) = text.get(at + len) {
                len += self.simple_len(&text[at + len..], len > 0)?;
                is_ascii = false;
            }
            if len > 0 {
                self.line.push(&bytes[at..], len, self.looks.style);
                has_background |= self.looks.style.has_background();
                at += len;
            }
            match text[at..] {
                [] => break,
                [ESC, b'[', b'm', ..] => {
                    self.looks.style = StyleCode::DEFAULT;
                    at += 3;
                }
                [ESC, b'[', b'0', b'm', ..] => {
                    self.looks.style = StyleCode::DEFAULT;
                    at += 4;
                }
                [ESC, b'[', ..] => at += 2 + self.select_style(&bytes[at + 2..])?,
                _ => return None,
            }
        }
        if !is_ascii {
            // No text has more columns than bytes. Where one wraps that is not ASCII, is not known.
            if has_background && text.len() > self.cols {
                return None;
            }
            self.looks.fill = first_fill;
        }
        Some(self.looks)
    }

    /// Takes the parameters and the end of a sequence that sets the style; returns how many bytes it
    /// has, or `None` if it is another one.
    #[inline]
    fn select_style(&mut self, bytes: &[u8]) -> Option<usize> {
        let is_default = self.looks.style == StyleCode::DEFAULT;
        let sequence = if is_default { Sequence::at(bytes) } else { None };
        let Some((sequence, len)) = sequence else { return self.take_apart(bytes) };
        if let Some(&style) = self.memo.get(sequence) {
            self.looks.style = style;
        } else {
            self.take_apart(bytes)?;
            self.memo.remember(sequence, self.looks.style);
        }
        Some(len)
    }

    #[inline(never)]
    fn take_apart(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut params = Params::new();
        let len = params.scan(bytes);
        (bytes.get(len) == Some(&b'm')).then(|| {
            let mut style = self.looks.style.style();
            sgr::apply(&mut style, &params);
            self.looks.style = StyleCode::of(&style);
            len + 1
        })
    }

    /// Length of the text up to the next control, if it becomes just these characters in cells,
    /// whatever cells they are. `follows` says that a character of ASCII is before it.
    fn simple_len(&self, bytes: &[u8], follows: bool) -> Option<usize> {
        // At most so many bytes may be in the cell that was printed last; 0 if there is none.
        let mut cluster = usize::from(follows);
        // Whether what begins a cluster does so behind what is before it.
        let mut is_apart = true;
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if byte < 0x80 {
                if !(0x20..0x7f).contains(&byte) {
                    break;
                }
                (is_apart, cluster) = (true, 1);
                at += 1;
                continue;
            }
            if is_apart && let (len @ 1.., last) = self.widths.beginners_len(&bytes[at..]) {
                (at, cluster) = (at + len, last);
                continue;
            }
            let Decoded::Char(c, len) = decode(&bytes[at..]) else { return None };
            at += len;
            let class = self.widths.class(c);
            if is_apart && class.begins_cluster() {
                cluster = len;
                continue;
            }
            if class.plain_width().is_some() {
                (is_apart, cluster) = (true, len);
                continue;
            }
            let (kind, width) = (class.kind(), class.width()?);
            // What attaches needs something to attach to, and a cell can be full.
            if kind == Kind::Prepend || (width, cluster) == (0, 0) {
                return None;
            }
            cluster += len;
            if cluster > CLUSTER_BYTES_MAX {
                return None;
            }
            is_apart = kind.begins_cluster();
        }
        Some(at)
    }
}
