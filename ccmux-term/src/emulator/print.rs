//! Printing: runs of ASCII, single characters, and what attaches to the character before.
//!
//! Widths are `unicode-width`'s. A character that has none attaches to the cell before the cursor,
//! and so do the later parts of an emoji sequence: what follows a zero-width joiner, a skin tone,
//! the second of two regional indicators. Variation selector 16 widens its cell when the emoji it
//! asks for is wide. (This is the behaviour that mode 2027 names; it is always on.)

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::Emulator;
use super::class::{self, Class};
use crate::grid::cell::{Cell, Content, ContentKind};
use crate::grid::clusters::CLUSTER_BYTES_MAX;

const ZERO_WIDTH_JOINER: char = '\u{200d}';
pub(crate) const EMOJI_PRESENTATION: char = '\u{fe0f}';

/// Most columns that are printed together.
const FITTING_CELLS: usize = 128;

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

    /// Prints characters, most of them outside ASCII. Those that fit on the row go there together,
    /// the others one by one.
    pub(super) fn print_chars(&mut self, text: &[char]) {
        let mut rest = text;
        while let Some((&first, later)) = rest.split_first() {
            let printed = self.print_fitting(rest);
            if printed > 0 {
                rest = &rest[printed..];
                continue;
            }
            match u8::try_from(first) {
                Ok(byte @ 0..=0x7f) => self.print_ascii_run(&[byte]),
                _ => self.print_char(first),
            }
            rest = later;
        }
    }

    /// Prints the characters at the front of `text` that need nothing but room, and returns how many
    /// there were. What attaches to one of them is among them.
    fn print_fitting(&mut self, text: &[char]) -> usize {
        if self.cursor.is_wrap_pending || self.modes.insert || !self.charsets.is_plain() {
            return 0;
        }
        // Not later: it would not know of the cells that are gathered here.
        self.sweep_if_due();
        let (pen, cols, classes) = (self.pen_id(), self.cols(), class::classes());
        let mut cells = [Cell::default(); FITTING_CELLS];
        // The last column is left to the careful path: it has a wrap to remember.
        let room = (self.print_end() - self.cursor.x - 1).min(FITTING_CELLS);
        let (mut len, mut printed) = (0_usize, 0);
        for &c in text {
            let class = classes.of(c);
            let content = match class {
                Class::Narrow => Content::narrow(c),
                Class::Wide => Content::wide(c),
                Class::Mark | Class::NarrowEmoji | Class::WideEmoji => {
                    // What is on the screen before the first one is left to the careful path, too.
                    let Some(mut at) = len.checked_sub(1) else { break };
                    at -= usize::from(cells[at].content == Content::CONTINUATION);
                    let before = cells[at].content;
                    if class == Class::Mark || self.joins(before, c) {
                        if let Some(content) = self.attached(before, c) {
                            let widens = content.is_wide() && !before.is_wide();
                            if widens && len == room {
                                break;
                            }
                            cells[at].content = content;
                            if widens {
                                cells[len] = Cell { content: Content::CONTINUATION, pen };
                                len += 1;
                            }
                        }
                        printed += 1;
                        continue;
                    }
                    if class == Class::WideEmoji { Content::wide(c) } else { Content::narrow(c) }
                }
                Class::Control => break,
            };
            let end = len + 1 + usize::from(content.is_wide());
            if end > room {
                break;
            }
            cells[len] = Cell { content, pen };
            if content.is_wide() {
                cells[len + 1] = Cell { content: Content::CONTINUATION, pen };
            }
            len = end;
            printed += 1;
            self.last_printed = Some(c);
        }
        if len > 0 {
            let x = self.cursor.x;
            self.grid.row_mut(self.cursor.y).write_cells(x, &cells[..len], cols);
            self.cursor.x = x + len;
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
        let Some(content) = self.attached(cell.content, c) else { return };
        let is_wide = cell.content.is_wide();
        if content.is_wide() && !is_wide && !self.cursor.is_wrap_pending {
            self.grid.row_mut(self.cursor.y).write(x, content, cell.pen, cols);
            let end = self.print_end();
            self.advance_cursor(1, end);
        } else {
            self.grid.row_mut(self.cursor.y).cells[x].content = content.with_width_of(cell.content);
        }
    }

    /// A printed cell with `c` added, wide if that makes it so; none if it is full.
    fn attached(&mut self, content: Content, c: char) -> Option<Content> {
        let index = match content.kind() {
            ContentKind::Cluster(index) => {
                if self.clusters.get(index).len() + c.len_utf8() > CLUSTER_BYTES_MAX {
                    return None;
                }
                self.clusters.extend(index, c)
            }
            ContentKind::Char(base) => self.clusters.push([base, c]),
            _ => return None,
        };
        let is_wide = content.is_wide()
            || is_regional_indicator(c)
            || c == EMOJI_PRESENTATION && self.clusters.get(index).width() == 2;
        Some(Content::cluster(index, is_wide))
    }

    /// Attaches `c` if it continues the emoji sequence before the cursor.
    fn join(&mut self, c: char) -> bool {
        let Some(x) = self.previous_x() else { return false };
        let content = self.grid.row(self.cursor.y).get(x).content;
        // A pair needs two columns, so at the right border the second one begins anew.
        let has_room = !is_regional_indicator(c) || !self.cursor.is_wrap_pending;
        let joins = has_room && self.joins(content, c);
        if joins {
            self.attach(c);
        }
        joins
    }

    /// Whether `c` continues the emoji sequence that a cell shows.
    #[inline]
    fn joins(&self, content: Content, c: char) -> bool {
        match content.kind() {
            ContentKind::Char(base) => continues(base, base, true, c),
            ContentKind::Cluster(index) => {
                let text = self.clusters.get(index);
                match (text.chars().next(), text.chars().next_back()) {
                    (Some(first), Some(last)) => continues(first, last, false, c),
                    _ => false,
                }
            }
            _ => false,
        }
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
