//! Where the terminal's cursor is believed to be, and how it would write.

use std::sync::Arc;

use super::caps::{ColorDepth, OutputCaps, OutputFeatures};
use super::cell::{Cell, CellText, PackedStyle};
use super::frame::Frame;
use super::scroll::{Scroll, ScrollDirection};
use super::sgr::{reduce_style, write_change, write_decimal};
use super::shift::{Shift, ShiftDirection};
use super::width::{is_marked_letter, is_width_certain};
use crate::{Hyperlink, Size, Style};

/// Where the terminal's cursor is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Unknown,
    /// The row is known, the column is not: after the last column, or after a character whose
    /// width is uncertain.
    Row(u16),
    Cell(u16, u16),
}

/// Cursor and pen of the terminal as the bytes so far left them.
#[derive(Debug)]
pub(super) struct Pencil {
    caps: OutputCaps,
    cols: u16,
    place: Place,
    /// As asked for, to compare cheaply.
    style: PackedStyle,
    /// As the terminal has it.
    reduced: Style,
    link: Option<Arc<Hyperlink>>,
    /// Blanks are written, not erased.
    writes_blanks: bool,
}

impl Pencil {
    pub(super) fn new(caps: OutputCaps, cols: u16) -> Self {
        Self {
            caps,
            cols,
            place: Place::Unknown,
            style: PackedStyle::default(),
            reduced: Style::default(),
            link: None,
            writes_blanks: false,
        }
    }

    /// Whether blanks are written, and not erased, from now on.
    pub(super) fn set_writes_blanks(&mut self, writes_blanks: bool) {
        self.writes_blanks = writes_blanks;
    }

    /// Something moved the cursor.
    pub(super) fn lose_place(&mut self) {
        self.place = Place::Unknown;
    }

    /// Whether blanks may be erased.
    pub(super) fn may_erase(&self) -> bool {
        !self.writes_blanks
    }

    /// Whether erasing gives a background of its own.
    pub(super) fn erases_background(&self) -> bool {
        // Without colours a background is shown reversed, which erasing does not give.
        self.has(OutputFeatures::BACKGROUND_ERASE) && self.caps.colors != ColorDepth::None
    }

    pub(super) fn has(&self, feature: OutputFeatures) -> bool {
        self.caps.features.contains(feature)
    }

    pub(super) fn style(&self) -> PackedStyle {
        self.style
    }

    pub(super) fn has_link(&self) -> bool {
        self.link.is_some()
    }

    /// The column, if the cursor is known to be on row `y`.
    pub(super) fn column_on(&self, y: u16) -> Option<u16> {
        match self.place {
            Place::Cell(x, row) if row == y => Some(x),
            _ => None,
        }
    }

    /// Blanks the terminal and starts from a known state.
    pub(super) fn erase_all(&mut self, size: Size, out: &mut Vec<u8>) {
        self.cols = size.cols;
        if self.has(OutputFeatures::MARGINS) {
            out.extend_from_slice(b"\x1b[?69l");
        }
        out.extend_from_slice(b"\x1b[r");
        self.start_over(out);
        out.extend_from_slice(b"\x1b[H\x1b[2J");
        self.place = Place::Cell(0, 0);
    }

    pub(super) fn set_caps(&mut self, caps: OutputCaps, out: &mut Vec<u8>) {
        self.caps = caps;
        self.start_over(out);
    }

    /// Puts the pen back to a known state; where the cursor is is not known.
    pub(super) fn start_over(&mut self, out: &mut Vec<u8>) {
        *self = Self::new(self.caps, self.cols);
        if self.has(OutputFeatures::HYPERLINKS) {
            out.extend_from_slice(b"\x1b]8;;\x1b\\");
        }
        out.extend_from_slice(b"\x1b[m");
    }

    /// Moves rows as `scroll` says, and leaves the cursor anywhere.
    pub(super) fn scroll(&mut self, scroll: Scroll, size: Size, out: &mut Vec<u8>) {
        let area = scroll.area;
        let has_all_rows = area.rows == size.rows;
        let has_all_cols = area.cols == size.cols;
        // The rows that come in have the background of the pen.
        self.set_style(PackedStyle::default(), out);
        if !has_all_cols {
            out.extend_from_slice(b"\x1b[?69h");
            write_range(area.x, area.cols, b's', out);
        }
        if !has_all_rows {
            self.set_region(area.y, area.rows, out);
        }
        if !has_all_cols {
            // With margins at the sides terminals differ in where home is.
            self.place = Place::Unknown;
        }
        // Deleting and inserting lines rather than scrolling: consoles without SU and SD have it,
        // and no terminal takes the lines into its own scrollback.
        self.move_to(area.x, area.y, out);
        let last = if scroll.direction == ScrollDirection::Up { b'M' } else { b'L' };
        write_csi(scroll.lines.into(), last, out);
        if !has_all_cols {
            out.extend_from_slice(b"\x1b[?69l");
            self.place = Place::Unknown;
        }
        if !has_all_rows {
            self.reset_region(out);
        }
    }

    /// Erases all of `rows` rows from `y` on.
    pub(super) fn erase_rows(
        &mut self,
        (y, rows): (u16, u16),
        size: Size,
        style: PackedStyle,
        out: &mut Vec<u8>,
    ) {
        self.set_link(None, out);
        self.set_style(style, out);
        if y + rows == size.rows {
            self.move_to(0, y, out);
            out.extend_from_slice(b"\x1b[J");
        } else {
            self.set_region(y, rows, out);
            self.move_to(0, y, out);
            write_csi(rows.into(), b'M', out);
            self.reset_region(out);
        }
    }

    fn set_region(&mut self, y: u16, rows: u16, out: &mut Vec<u8>) {
        write_range(y, rows, b'r', out);
        self.place = Place::Cell(0, 0);
    }

    fn reset_region(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\x1b[r");
        self.place = Place::Cell(0, 0);
    }

    /// Moves cells as `shift` says.
    pub(super) fn shift(&mut self, shift: Shift, out: &mut Vec<u8>) {
        let Shift { y, from, end, direction, count } = shift;
        // The cells that come in have the background of the pen.
        self.set_link(None, out);
        self.set_style(PackedStyle::default(), out);
        let (insert_at, delete_at) = match direction {
            ShiftDirection::Insert => (from, end - count),
            ShiftDirection::Delete => (end - count, from),
        };
        let has_rest = end < self.cols;
        if has_rest || direction == ShiftDirection::Delete {
            self.move_to(delete_at, y, out);
            write_csi(count.into(), b'P', out);
        }
        if has_rest || direction == ShiftDirection::Insert {
            self.move_to(insert_at, y, out);
            write_csi(count.into(), b'@', out);
        }
    }

    pub(super) fn set_style(&mut self, style: PackedStyle, out: &mut Vec<u8>) {
        if style == self.style {
            return;
        }
        let reduced = reduce_style(style.style(), self.caps);
        write_change(self.reduced, reduced, out);
        self.style = style;
        self.reduced = reduced;
    }

    pub(super) fn set_link(&mut self, link: Option<&Arc<Hyperlink>>, out: &mut Vec<u8>) {
        if !self.has(OutputFeatures::HYPERLINKS) || link == self.link.as_ref() {
            return;
        }
        out.extend_from_slice(b"\x1b]8;");
        if let Some(link) = link {
            if !link.id.is_empty() {
                out.extend_from_slice(b"id=");
                out.extend_from_slice(link.id.as_bytes());
            }
            out.push(b';');
            out.extend_from_slice(link.uri.as_bytes());
        } else {
            out.push(b';');
        }
        out.extend_from_slice(b"\x1b\\");
        self.link = link.cloned();
    }

    /// Writes `cell` of `frame` where the cursor is, which is column `x` of row `y`. Returns whether
    /// the terminal is sure to have advanced by the cell's width.
    pub(super) fn write(
        &mut self,
        frame: &Frame,
        cell: &Cell,
        x: u16,
        y: u16,
        out: &mut Vec<u8>,
    ) -> bool {
        self.set_style(cell.style, out);
        self.set_link(frame.link(cell.link), out);
        let text = cell.glyph.text(frame.clusters());
        let is_certain = is_width_certain(text, frame.widths());
        if !is_certain && cell.width == 2 {
            // A terminal that takes it for narrow would leave the right half as it was.
            out.extend_from_slice(b"  ");
            self.advanced(x, y, 2, true);
            self.move_to(x, y, out);
        }
        match text {
            CellText::Char(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            // Without wrapping, some terminals attach marks that follow the last column to the
            // column before it: only a pending wrap tells them where the last character is. Marks
            // of a letter take no columns anywhere, so this cannot wrap.
            CellText::Cluster(text) if x + 1 == self.cols && is_marked_letter(text) => {
                out.extend_from_slice(b"\x1b[?7h");
                out.extend_from_slice(text.as_bytes());
                out.extend_from_slice(b"\x1b[?7l");
            }
            // Another sequence may be wide elsewhere, and would wrap.
            CellText::Cluster(text) if x + 1 == self.cols => {
                let first = text.chars().next().unwrap_or(' ');
                out.extend_from_slice(first.encode_utf8(&mut [0; 4]).as_bytes());
            }
            CellText::Cluster(text) => out.extend_from_slice(text.as_bytes()),
        }
        self.advanced(x, y, u16::from(cell.width), is_certain);
        is_certain
    }

    /// Repeats the cell just written (one of ASCII) up to before column `end`.
    pub(super) fn repeat(&mut self, count: u16, end: u16, y: u16, out: &mut Vec<u8>) {
        write_csi(count.into(), b'b', out);
        self.advanced(end, y, 0, true);
    }

    fn advanced(&mut self, x: u16, y: u16, width: u16, is_certain: bool) {
        let x = x + width;
        self.place = if is_certain && x < self.cols { Place::Cell(x, y) } else { Place::Row(y) };
    }

    /// Erases `count` cells from the cursor on, which stays.
    pub(super) fn erase(&mut self, style: PackedStyle, count: u16, out: &mut Vec<u8>) {
        self.set_style(style, out);
        write_csi(count.into(), b'X', out);
    }

    /// Erases from the cursor to the right edge.
    pub(super) fn erase_to_edge(&mut self, style: PackedStyle, out: &mut Vec<u8>) {
        self.set_style(style, out);
        out.extend_from_slice(b"\x1b[K");
    }

    /// Moves the cursor by the shortest sequence.
    pub(super) fn move_to(&mut self, x: u16, y: u16, out: &mut Vec<u8>) {
        let target = Place::Cell(x, y);
        if self.place == target {
            return;
        }
        let start = out.len();
        write_position(x, y, out);
        let absolute = out.len();
        if self.write_relative(x, y, out) && out.len() - absolute < absolute - start {
            out.drain(start..absolute);
        } else {
            out.truncate(absolute);
        }
        self.place = target;
    }

    /// Writes a motion relative to the known part of the place, if there is one.
    fn write_relative(&self, x: u16, y: u16, out: &mut Vec<u8>) -> bool {
        let row = match self.place {
            Place::Unknown => return false,
            Place::Row(row) | Place::Cell(_, row) => row,
        };
        if row == y {
            match self.place {
                _ if x == 0 => out.push(b'\r'),
                Place::Cell(column, _) if column < x => {
                    let by_column = out.len();
                    write_csi((x - column).into(), b'C', out);
                    if out.len() - by_column > column_len(x) {
                        out.truncate(by_column);
                        write_csi(u32::from(x) + 1, b'G', out);
                    }
                }
                Place::Cell(column, _) if column - x <= 3 => {
                    out.extend(std::iter::repeat_n(0x08, usize::from(column - x)));
                }
                Place::Cell(column, _) => write_csi((column - x).into(), b'D', out),
                _ => write_csi(u32::from(x) + 1, b'G', out),
            }
            return true;
        }
        let is_straight = self.place == Place::Cell(x, row);
        if !is_straight && x != 0 {
            return false;
        }
        if !is_straight {
            out.push(b'\r');
        }
        match (y > row, y.abs_diff(row)) {
            // The target is a row of the screen, so a line feed never scrolls.
            (true, down @ 1..=3) => out.extend(std::iter::repeat_n(b'\n', usize::from(down))),
            (true, down) => write_csi(down.into(), b'B', out),
            (false, up) => write_csi(up.into(), b'A', out),
        }
        true
    }
}

/// Bytes of the sequence to column `x`.
fn column_len(x: u16) -> usize {
    let digits = (u32::from(x) + 1).ilog10() as usize + 1;
    digits + 3
}

/// CUP, leaving out what is 1.
fn write_position(x: u16, y: u16, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\x1b[");
    if y > 0 {
        write_decimal(u32::from(y) + 1, out);
    }
    if x > 0 {
        out.push(b';');
        write_decimal(u32::from(x) + 1, out);
    }
    out.push(b'H');
}

/// A control sequence with the first and the last of `count` rows or columns.
fn write_range(start: u16, count: u16, last: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\x1b[");
    write_decimal(u32::from(start) + 1, out);
    out.push(b';');
    write_decimal(u32::from(start + count), out);
    out.push(last);
}

/// A control sequence with one parameter that defaults to 1.
fn write_csi(parameter: u32, last: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\x1b[");
    if parameter != 1 {
        write_decimal(parameter, out);
    }
    out.push(last);
}
