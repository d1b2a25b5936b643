//! Rectangles: copying (DECCRA), filling (DECFRA), erasing (DECERA, DECSERA), changing attributes
//! (DECCARA, DECRARA) and checksums (DECRQCRA).
//!
//! Positions count from the margins in origin mode, and then end there; otherwise margins do not
//! matter. What lies beyond is clamped, so that no rectangle costs more than the screen.

use super::{Emulator, Protection};
use crate::grid::cell::{Cell, Content, ContentKind};
use crate::parser::Params;
use crate::{Attributes, Style, Underline};

bitflags::bitflags! {
    /// How DECRQCRA counts (XTCHECKSUM), as xterm numbers it.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    struct Checksum: u8 {
        /// The sum is not negated.
        const POSITIVE = 1;
        /// Attributes do not count.
        const NO_ATTRIBUTES = 2;
        /// Blanks at the ends of rows count.
        const NO_TRIM = 4;
        /// Cells in which nothing was printed do not count.
        const DRAWN = 8;
        /// Characters count with all their bits, and with their combining marks; else with eight bits.
        /// (The flag after it asks for eight bits, which is what xterm counts in UTF-8 anyway.)
        const WHOLE = 16;
    }
}

/// Rows and columns, from 0; `bottom` and `end` lie behind the last ones.
#[derive(Clone, Copy, Debug)]
struct Rect {
    top: usize,
    left: usize,
    bottom: usize,
    end: usize,
}

impl Emulator {
    /// The part of the screen that positions count in.
    fn page(&self) -> Rect {
        if self.modes.origin {
            Rect { top: self.top, left: self.left, bottom: self.bottom + 1, end: self.right + 1 }
        } else {
            Rect { top: 0, left: 0, bottom: self.rows(), end: self.cols() }
        }
    }

    /// The rectangle of the parameters from `first` on; `None` if it ends before it begins.
    fn rect(&self, params: &Params, first: usize) -> Option<Rect> {
        let rect = self.corners(params, first);
        (rect.top < rect.bottom && rect.left < rect.end).then_some(rect)
    }

    /// Top, left, bottom and right of the parameters from `first` on, which count from 1.
    fn corners(&self, params: &Params, first: usize) -> Rect {
        let page = self.page();
        let row = |index| (page.top + params.count(index) - 1).min(page.bottom - 1);
        let column = |index| (page.left + params.count(index) - 1).min(page.end - 1);
        let (top, left) = (row(first), column(first + 1));
        let is_given = |index| params.get(index) != 0;
        let bottom = if is_given(first + 2) { row(first + 2) + 1 } else { page.bottom };
        let end = if is_given(first + 3) { column(first + 3) + 1 } else { page.end };
        Rect { top, left, bottom, end }
    }

    /// The styles of the cells in the rectangle of some parameters, row by row; none if it ends before
    /// it begins.
    pub(super) fn rect_styles(&self, params: &Params) -> impl Iterator<Item = Style> {
        let rows = self.rect(params, 0).map(|rect| {
            let row = move |y| (rect.left..rect.end).map(move |x| self.grid.row(y).get(x).pen);
            (rect.top..rect.bottom).flat_map(row)
        });
        rows.into_iter().flatten().map(|pen| self.pens.get(pen).style)
    }

    /// DECCRA. There is one page; the numbers of pages do not count.
    pub(super) fn copy_rect(&mut self, params: &Params) {
        let Some(from) = self.rect(params, 0) else { return };
        let page = self.page();
        let top = (page.top + params.count(5) - 1).min(page.bottom - 1);
        let left = (page.left + params.count(6) - 1).min(page.end - 1);
        let rows = (from.bottom - from.top).min(page.bottom - top);
        let end = from.end.min(from.left + page.end - left);
        let copied: Vec<_> =
            (from.top..from.top + rows).map(|y| self.grid.row(y).span(from.left, end)).collect();
        let cols = self.cols();
        for (y, cells) in (top..).zip(&copied) {
            self.grid.row_mut(y).put_span(left, cells, cols);
        }
    }

    /// DECFRA: fills with a character in the attributes in use.
    pub(super) fn fill_rect(&mut self, params: &Params) {
        let c = u32::from(params.get(0));
        let c = char::from_u32(c).filter(|_| matches!(c, 0x20..=0x7e | 0xa0..=0xff));
        if let (Some(c), Some(rect)) = (c, self.rect(params, 1))
            && self.widths.width(c) == Some(1)
        {
            let cell = Cell { content: Content::narrow(c), pen: self.pen_id() };
            self.put_rect(rect, cell);
        }
    }

    /// DECERA.
    pub(super) fn erase_rect(&mut self, params: &Params) {
        if let Some(rect) = self.rect(params, 0) {
            let blank = Cell::blank(self.fill_id());
            self.put_rect(rect, blank);
        }
    }

    fn put_rect(&mut self, rect: Rect, cell: Cell) {
        let cols = self.cols();
        for y in rect.top..rect.bottom {
            self.grid.row_mut(y).fill_span((rect.left, rect.end), cell, cols);
        }
    }

    /// DECSERA: heeds the protection of DECSCA only.
    pub(super) fn erase_rect_selectively(&mut self, params: &Params) {
        let Some(rect) = self.rect(params, 0) else { return };
        if self.settings.protection != Protection::Dec {
            return self.erase_rect(params);
        }
        let (fill, cols, pens) = (self.fill_id(), self.cols(), &self.pens);
        for y in rect.top..rect.bottom {
            let row = self.grid.row_mut(y);
            row.erase_some((rect.left, rect.end), fill, cols, |pen| !pens.get(pen).is_protected);
        }
    }

    /// DECCARA and, with `toggles`, DECRARA; the extent is DECSACE's.
    pub(super) fn change_attributes(&mut self, params: &Params, toggles: bool) {
        let (rect, page) = (self.corners(params, 0), self.page());
        let is_stream = self.settings.extent != 2;
        let goes_on = is_stream && rect.top + 1 < rect.bottom;
        if rect.left >= rect.end && !goes_on {
            return;
        }
        let codes = params.values().get(4..).unwrap_or_default();
        let codes = if codes.is_empty() { &[0] } else { codes };
        let cols = self.cols();
        for y in rect.top..rect.bottom {
            let from = if is_stream && y > rect.top { page.left } else { rect.left };
            let end = if is_stream && y + 1 < rect.bottom { page.end } else { rect.end };
            let mut cells: Vec<Cell> = (from..end).map(|x| self.grid.row(y).get(x)).collect();
            for run in cells.chunk_by_mut(|a, b| a.pen == b.pen) {
                let mut pen = self.pens.get(run[0].pen).clone();
                for &code in codes {
                    change(&mut pen.style, code, toggles);
                }
                let id = self.pens.intern(&pen);
                for cell in run {
                    cell.pen = id;
                }
            }
            self.grid.row_mut(y).put_pens(from, &cells, cols);
        }
    }

    /// DECRQCRA, counted as xterm does.
    pub(super) fn report_checksum(&mut self, params: &Params) {
        let sum = self.rect(params, 2).map_or(0, |rect| self.checksum(rect));
        self.reply(format!("\x1bP{}!~{sum:04X}\x1b\\", params.get(0)).as_bytes());
    }

    fn checksum(&self, rect: Rect) -> u16 {
        let how = Checksum::from_bits_truncate(self.settings.checksum);
        let (mut sum, mut blanks) = (0_u16, 0_u16);
        let mut is_first = true;
        for y in rect.top..rect.bottom {
            for x in rect.left..rect.end {
                let cell = self.grid.row(y).get(x);
                let style = self.pens.get(cell.pen).style;
                let is_drawn = !matches!(cell.content.kind(), ContentKind::Empty);
                // Nobody sees hidden text, so it counts as blank.
                let is_hidden = style.attributes.contains(Attributes::HIDDEN);
                let mut value = if is_hidden { b' '.into() } else { self.cell_value(cell, how) };
                if !is_drawn && how.contains(Checksum::DRAWN) {
                    continue;
                }
                if !how.contains(Checksum::NO_ATTRIBUTES) {
                    value = value.wrapping_add(attributes_value(style));
                }
                let is_blank = value == u16::from(b' ') && style == Style::default();
                if how.contains(Checksum::NO_TRIM) || is_first || !is_blank {
                    sum = sum.wrapping_add(value).wrapping_add(std::mem::take(&mut blanks));
                } else {
                    blanks = blanks.wrapping_add(value);
                }
                is_first = false;
            }
            blanks = 0;
        }
        if how.contains(Checksum::POSITIVE) { sum } else { sum.wrapping_neg() }
    }

    /// What a cell's text adds to a checksum.
    fn cell_value(&self, cell: Cell, how: Checksum) -> u16 {
        let whole = |c: char| u32::from(c) as u16;
        let value = match cell.content.kind() {
            ContentKind::Empty | ContentKind::Spacer | ContentKind::Continuation => whole(' '),
            ContentKind::Char(c) => whole(c),
            ContentKind::Cluster(index) => {
                let text = self.clusters.get(index);
                if how.contains(Checksum::WHOLE) {
                    return text.chars().map(whole).fold(0, u16::wrapping_add);
                }
                text.chars().next().map_or(0, whole)
            }
        };
        if how.contains(Checksum::WHOLE) { value } else { value & 0xff }
    }
}

/// What a cell's attributes add to a checksum. Protection is none of those that are shown.
fn attributes_value(style: Style) -> u16 {
    [
        (style.underline != Underline::None, 0x10),
        (style.attributes.contains(Attributes::REVERSE), 0x20),
        (style.attributes.contains(Attributes::BLINK), 0x40),
        (style.attributes.contains(Attributes::BOLD), 0x80),
    ]
    .into_iter()
    .map(|(is_set, value)| if is_set { value } else { 0 })
    .sum()
}

/// Sets, resets or toggles what one parameter of DECCARA or DECRARA names.
fn change(style: &mut Style, code: u16, toggles: bool) {
    if toggles && code >= 22 {
        return;
    }
    let all = Attributes::BOLD | Attributes::BLINK | Attributes::REVERSE | Attributes::HIDDEN;
    let (attributes, has_underline) = match code {
        0 => (all, true),
        1 | 22 => (Attributes::BOLD, false),
        4 | 24 => (Attributes::empty(), true),
        5 | 25 => (Attributes::BLINK, false),
        7 | 27 => (Attributes::REVERSE, false),
        8 | 28 => (Attributes::HIDDEN, false),
        _ => return,
    };
    let is_set = !matches!(code, 0 | 22..);
    if toggles {
        style.attributes ^= attributes;
    } else {
        style.attributes.set(attributes, is_set);
    }
    if has_underline {
        let sets = if toggles { style.underline == Underline::None } else { is_set };
        style.underline = if sets { Underline::Single } else { Underline::None };
    }
}
