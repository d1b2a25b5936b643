//! Printing: runs of ASCII, single characters, and what attaches to the character before.
//!
//! Widths are `unicode-width`'s. A character that has none attaches to the cell before the cursor,
//! and so do the later parts of an emoji sequence: what follows a zero-width joiner, a skin tone,
//! the second of two regional indicators. Variation selector 16 widens its cell when the emoji it
//! asks for is wide. (This is the behaviour that mode 2027 names; it is always on.)

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::Emulator;
use crate::grid::cell::{Content, ContentKind};
use crate::grid::clusters::CLUSTER_BYTES_MAX;

const ZERO_WIDTH_JOINER: char = '\u{200d}';
pub(crate) const EMOJI_PRESENTATION: char = '\u{fe0f}';

impl Emulator {
    #[inline]
    pub(super) fn print_ascii_run(&mut self, text: &[u8]) {
        if self.charsets.is_plain() {
            self.print_run(text);
        } else {
            for &byte in text {
                let c = self.charsets.map(byte);
                self.put(c, width(c).unwrap_or(1).max(1));
            }
        }
    }

    /// Prints ASCII as it is, whatever character set is in use.
    #[inline]
    pub(super) fn print_run(&mut self, text: &[u8]) {
        if self.modes.insert {
            for &byte in text {
                self.put(char::from(byte), 1);
            }
            return;
        }
        let pen = self.pen_id();
        let cols = self.cols();
        let mut rest = text;
        while !rest.is_empty() {
            if self.cursor.is_wrap_pending && self.modes.autowrap {
                self.wrap();
            }
            let end = self.print_end();
            let (now, later) = rest.split_at((end - self.cursor.x).min(rest.len()));
            self.grid.row_mut(self.cursor.y).write_ascii(self.cursor.x, now, pen, cols);
            self.advance_cursor(now.len(), end);
            // Without wrapping, only the last character stays in the last column.
            rest =
                if self.modes.autowrap { later } else { &later[later.len().saturating_sub(1)..] };
        }
        self.last_printed = text.last().map(|&byte| char::from(byte));
    }

    /// Prints characters outside ASCII. Those that are plainly one or two columns wide and fit on
    /// the row go straight to it, the others one by one.
    pub(super) fn print_chars(&mut self, text: &[char]) {
        let mut rest = text;
        while let Some((&first, later)) = rest.split_first() {
            let printed = self.print_simple(rest);
            if printed > 0 {
                rest = &rest[printed..];
                continue;
            }
            self.print_char(first);
            rest = later;
        }
    }

    /// Prints the simple characters at the front of `text` and returns how many there were.
    fn print_simple(&mut self, text: &[char]) -> usize {
        if self.cursor.is_wrap_pending || self.modes.insert || self.charsets.single.is_some() {
            return 0;
        }
        let (pen, cols, print_end) = (self.pen_id(), self.cols(), self.print_end());
        let row = self.grid.row_mut(self.cursor.y);
        let mut x = self.cursor.x;
        let mut printed = 0;
        for &c in text {
            let content = match simple_width(c) {
                Some(1) => Content::narrow(c),
                Some(2) => Content::wide(c),
                _ => break,
            };
            let end = x + 1 + usize::from(content.is_wide());
            // The last column is left to the careful path: it has a wrap to remember.
            if end >= print_end {
                break;
            }
            row.write(x, content, pen, cols);
            x = end;
            printed += 1;
        }
        if printed > 0 {
            self.cursor.x = x;
            self.last_printed = Some(text[printed - 1]);
        }
        printed
    }

    #[inline]
    pub(super) fn print_char(&mut self, c: char) {
        self.charsets.single = None;
        match width(c) {
            None => {}
            Some(0) => self.attach(c),
            Some(_) if may_join(c) && self.join(c) => {}
            Some(width) => self.put(c, width),
        }
    }

    /// Prints a character of one or two columns.
    #[inline]
    pub(super) fn put(&mut self, c: char, width: usize) {
        let cols = self.cols();
        if self.cursor.is_wrap_pending && self.modes.autowrap {
            self.wrap();
        }
        let mut end = self.print_end();
        if self.cursor.x + width > end {
            if !self.modes.autowrap {
                return;
            }
            if self.is_full_width() {
                let fill = self.fill_id();
                self.grid.row_mut(self.cursor.y).write(self.cursor.x, Content::SPACER, fill, cols);
            }
            self.wrap();
            end = self.print_end();
        }
        let pen = self.pen_id();
        let x = self.cursor.x;
        if self.modes.insert {
            self.make_room(width);
        }
        let content = if width == 2 { Content::wide(c) } else { Content::narrow(c) };
        self.grid.row_mut(self.cursor.y).write(x, content, pen, cols);
        self.advance_cursor(width, end);
        self.last_printed = Some(c);
    }

    #[inline]
    fn advance_cursor(&mut self, columns: usize, end: usize) {
        let x = self.cursor.x + columns;
        if x == end {
            self.cursor.x = x - 1;
            self.cursor.is_wrap_pending = self.modes.autowrap;
        } else {
            self.cursor.x = x;
            self.cursor.is_wrap_pending = false;
        }
    }

    /// Column of the printed character before the cursor.
    fn previous_x(&self) -> Option<usize> {
        let row = self.grid.row(self.cursor.y);
        let last = if self.cursor.is_wrap_pending {
            self.cursor.x
        } else {
            self.cursor.x.checked_sub(1)?
        };
        let x = match row.get(last).content.kind() {
            ContentKind::Continuation => last - 1,
            _ => last,
        };
        matches!(row.get(x).content.kind(), ContentKind::Char(_) | ContentKind::Cluster(_))
            .then_some(x)
    }

    /// Adds `c` to the cell before the cursor; without one it is dropped.
    fn attach(&mut self, c: char) {
        self.sweep_if_due();
        let Some(x) = self.previous_x() else { return };
        let cols = self.cols();
        let cell = self.grid.row(self.cursor.y).get(x);
        let is_wide = cell.content.is_wide();
        let index = match cell.content.kind() {
            ContentKind::Cluster(index) => {
                if self.clusters.get(index).len() + c.len_utf8() > CLUSTER_BYTES_MAX {
                    return;
                }
                self.clusters.extend(index, c)
            }
            ContentKind::Char(base) => self.clusters.push([base, c]),
            _ => return,
        };
        let widens = !is_wide
            && !self.cursor.is_wrap_pending
            && (is_regional_indicator(c)
                || c == EMOJI_PRESENTATION && self.clusters.get(index).width() == 2);
        let row = self.grid.row_mut(self.cursor.y);
        if widens {
            row.write(x, Content::cluster(index, true), cell.pen, cols);
            let end = self.print_end();
            self.advance_cursor(1, end);
        } else {
            row.cells[x].content = Content::cluster(index, is_wide);
        }
    }

    /// Attaches `c` if it continues the emoji sequence before the cursor.
    fn join(&mut self, c: char) -> bool {
        let Some(x) = self.previous_x() else { return false };
        let content = self.grid.row(self.cursor.y).get(x).content;
        let (first, last, is_single) = match content.kind() {
            ContentKind::Char(base) => (base, base, true),
            ContentKind::Cluster(index) => {
                let text = self.clusters.get(index);
                match (text.chars().next(), text.chars().next_back()) {
                    (Some(first), Some(last)) => (first, last, false),
                    _ => return false,
                }
            }
            _ => return false,
        };
        // A pair needs two columns, so at the right border the second one begins anew.
        let has_room = !is_regional_indicator(c) || !self.cursor.is_wrap_pending;
        let joins = has_room && continues(first, last, is_single, c);
        if joins {
            self.attach(c);
        }
        joins
    }
}

/// Columns of a character; `None` for controls.
#[inline]
pub(crate) fn width(c: char) -> Option<usize> {
    match c {
        ' '..='~' | '\u{a0}'..='\u{ac}' | '\u{ae}'..='\u{2ff}' => Some(1),
        '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' => Some(2),
        _ => c.width(),
    }
}

/// Columns of a character if it stands for itself whatever is before it.
#[inline]
fn simple_width(c: char) -> Option<usize> {
    match c {
        '\u{a1}'..='\u{a8}' | '\u{aa}'..='\u{ac}' | '\u{af}'..='\u{2ff}' => Some(1),
        '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' => Some(2),
        _ if may_join(c) => None,
        _ => c.width().filter(|&width| width > 0),
    }
}

/// Whether `c` can be part of an emoji sequence (a superset of `Extended_Pictographic`, regional
/// indicators and skin tones).
#[inline]
pub(crate) fn may_join(c: char) -> bool {
    matches!(
        c,
        '\u{a9}'
            | '\u{ae}'
            | '\u{203c}'..='\u{2bff}'
            | '\u{3030}'
            | '\u{303d}'
            | '\u{3297}'
            | '\u{3299}'
            | '\u{1f000}'..='\u{1faff}'
    )
}

/// Whether `c`, which has a width of its own, still belongs to the cell that begins with `first`
/// and so far ends in `last`: emoji joined by a zero width joiner (rule GB11 of UAX #29), a skin
/// tone, the second half of a flag.
pub(crate) fn continues(first: char, last: char, is_single: bool, c: char) -> bool {
    if is_regional_indicator(c) {
        return is_single && is_regional_indicator(last);
    }
    may_join(c)
        && (last == ZERO_WIDTH_JOINER && may_join(first) && !is_regional_indicator(first)
            || is_skin_tone(c) && may_join(last) && !is_regional_indicator(last))
}

fn is_skin_tone(c: char) -> bool {
    matches!(c, '\u{1f3fb}'..='\u{1f3ff}')
}

pub(crate) fn is_regional_indicator(c: char) -> bool {
    matches!(c, '\u{1f1e6}'..='\u{1f1ff}')
}
