//! Printing: runs of ASCII, single characters, and what attaches to the character before.
//!
//! With mode 2027, which is on unless a program resets it, a cell holds a grapheme cluster (UAX
//! #29), as wide as its widest character; a pair of regional indicators and what variation selector
//! 16 makes an emoji are wide. Without it every character that has a width has a cell. A character
//! of no width attaches to the cell before the cursor in any case: it has no cell to go to.
//!
//! A character of some width only joins what was printed directly before it. So a program that
//! moves the cursor to a cell and prints there begins anew, whatever is to the left.

use super::Emulator;
use crate::Widths;
use crate::grid::cell::{Cell, Content, ContentKind};
use crate::grid::clusters::{CLUSTER_BYTES_MAX, ClusterTable};
use crate::unicode::{Kind, Segment, widens};

/// Most columns that are printed together.
const FITTING_CELLS: usize = 128;
/// No character below it asks the next one to join it.
const FIRST_PREPEND: char = '\u{600}';

impl Emulator {
    #[inline]
    pub(super) fn print_ascii_run(&mut self, text: &[u8]) {
        if self.follows_prepend() {
            let (&first, later) = text.split_first().expect("a run is not empty");
            let c = self.mapped(first);
            self.print_char(c);
            if !later.is_empty() {
                self.print_ascii_run(later);
            }
        } else if self.prints_plain() {
            self.print_run(text);
        } else {
            for &byte in text {
                let c = self.mapped(byte);
                self.put(c, self.widths.width(c).unwrap_or(1).max(1));
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
        if self.cursor.is_wrap_pending
            || self.modes.insert
            || !self.prints_plain()
            || self.follows_prepend()
        {
            return 0;
        }
        let is_clustered = self.modes.grapheme_clusters;
        // What attaches to the screen is left to the careful path.
        let class = self.widths.class(text[0]);
        if class.plain_width().is_none()
            && (class.width().is_none_or(|width| width == 0)
                || is_clustered && self.joins_screen(class.kind()))
        {
            return 0;
        }
        // Not later: it would not know of the cells that are gathered here.
        self.sweep_if_due();
        let (pen, cols) = (self.pen_id(), self.cols());
        let mut cells = [Cell::default(); FITTING_CELLS];
        // The last column is left to the careful path: it has a wrap to remember.
        let room = (self.print_end() - self.cursor.x - 1).min(FITTING_CELLS);
        let Self { widths, clusters, .. } = self;
        let (mut len, mut printed, mut last) = (0_usize, 0, None);
        // What the last cell holds, once one is gathered.
        let mut segment = Segment::OTHER;
        for &c in text {
            let class = widths.class(c);
            let width = match class.plain_width() {
                Some(width) => {
                    segment = Segment::OTHER;
                    width
                }
                None => {
                    let Some(width) = class.width() else { break };
                    let kind = class.kind();
                    if len > 0 && (width == 0 || is_clustered && segment.continues_with(kind)) {
                        // There may be no room to widen, and nothing is attached twice.
                        if len == room {
                            break;
                        }
                        let mut at = len - 1;
                        at -= usize::from(cells[at].content == Content::CONTINUATION);
                        let before = cells[at].content;
                        let content = attached((widths, clusters), is_clustered, before, c);
                        if let Some(content) = content {
                            segment.push(kind);
                            cells[at].content = content;
                            if content.is_wide() && !before.is_wide() {
                                cells[len] = Cell { content: Content::CONTINUATION, pen };
                                len += 1;
                            }
                        }
                        printed += 1;
                        continue;
                    }
                    segment = Segment::new(kind);
                    width
                }
            };
            let end = len + width;
            if end > room {
                break;
            }
            if width == 2 {
                cells[len] = Cell { content: Content::wide(c), pen };
                cells[len + 1] = Cell { content: Content::CONTINUATION, pen };
            } else {
                cells[len] = Cell { content: Content::narrow(c), pen };
            }
            len = end;
            printed += 1;
            last = Some(c);
            if segment.last() == Kind::Prepend {
                // The next one joins it, whatever it is.
                break;
            }
        }
        if len > 0 {
            let x = self.cursor.x;
            self.grid.row_mut(self.cursor.y).write_cells(x, &cells[..len], cols);
            self.cursor.x = x + len;
            self.last_printed = last;
        }
        printed
    }

    #[inline]
    pub(super) fn print_char(&mut self, c: char) {
        self.charsets.single = None;
        let class = self.widths.class(c);
        match class.width() {
            None => {}
            Some(0) => self.attach(c),
            Some(width) => {
                let joined = self.modes.grapheme_clusters && self.join(c, class.kind());
                if !joined {
                    self.put(c, width);
                }
            }
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
        // Beside the side margins nothing is inserted, as by ICH.
        if self.modes.insert && self.is_in_side_margins() {
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
        let is_clustered = self.modes.grapheme_clusters;
        let Self { widths, clusters, .. } = self;
        let content = attached((widths, clusters), is_clustered, cell.content, c);
        let Some(content) = content else { return };
        let is_wide = cell.content.is_wide();
        if content.is_wide() && !is_wide && !self.cursor.is_wrap_pending {
            self.grid.row_mut(self.cursor.y).write(x, content, cell.pen, cols);
            let end = self.print_end();
            self.advance_cursor(1, end);
        } else {
            self.grid.row_mut(self.cursor.y).cells[x].content = content.with_width_of(cell.content);
        }
    }

    /// Attaches `c`, which has a width, if it belongs to the cluster before the cursor.
    fn join(&mut self, c: char, kind: Kind) -> bool {
        // A flag needs two columns, so at the right border its second half begins anew.
        let has_room = kind != Kind::RegionalIndicator || !self.cursor.is_wrap_pending;
        let joins = has_room && self.joins_screen(kind);
        if joins {
            self.attach(c);
        }
        joins
    }

    /// Whether what was printed last, before the cursor, goes on with a character of this kind.
    #[inline]
    fn joins_screen(&self, kind: Kind) -> bool {
        self.last_printed.is_some()
            && self
                .previous_x()
                .and_then(|x| self.segment(self.grid.row(self.cursor.y).get(x).content))
                .is_some_and(|segment| segment.continues_with(kind))
    }

    /// What is known of the cluster in a printed cell.
    fn segment(&self, content: Content) -> Option<Segment> {
        match content.kind() {
            ContentKind::Char(c) => Some(Segment::new(self.widths.class(c).kind())),
            ContentKind::Cluster(index) => {
                let mut kinds =
                    self.clusters.get(index).chars().map(|c| self.widths.class(c).kind());
                let mut segment = Segment::new(kinds.next()?);
                kinds.for_each(|kind| segment.push(kind));
                Some(segment)
            }
            _ => None,
        }
    }

    /// Whether the next character joins what was printed last because that asks for it (rule `GB9b`).
    #[inline]
    fn follows_prepend(&self) -> bool {
        self.last_printed.is_some_and(|c| c >= FIRST_PREPEND) && self.ends_in_prepend()
    }

    fn ends_in_prepend(&self) -> bool {
        let is_prepend = |c| self.widths.class(c).kind() == Kind::Prepend;
        self.modes.grapheme_clusters
            && self.last_printed.is_some_and(is_prepend)
            && self.joins_screen(Kind::Other)
    }
}

/// A printed cell with `c` added, wide if that makes it so; none if it is full.
fn attached(
    (widths, clusters): (&Widths, &mut ClusterTable),
    is_clustered: bool,
    content: Content,
    c: char,
) -> Option<Content> {
    let (last, index) = match content.kind() {
        ContentKind::Cluster(index) => {
            let text = clusters.get(index);
            if text.len() + c.len_utf8() > CLUSTER_BYTES_MAX {
                return None;
            }
            (text.chars().next_back()?, clusters.extend(index, c))
        }
        ContentKind::Char(base) => (base, clusters.push_pair(base, c)),
        _ => return None,
    };
    let is_wide = content.is_wide() || is_clustered && widens(widths, last, c);
    Some(Content::cluster(index, is_wide))
}
