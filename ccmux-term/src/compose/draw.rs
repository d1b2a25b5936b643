//! Panes and history drawn into a frame.

use std::ops::Range;

use super::cell::{Cell, Glyph, LinkId, PackedStyle};
use super::frame::{Frame, Rect};
use super::width::clusters;
use crate::grid::cell::{Content, ContentKind, PenId};
use crate::{Attributes, Color, HistoryLine, RowRef, Style, Terminal};

impl Frame {
    /// Draws the top left part of a terminal's screen that fits into `area`, with the colours that
    /// its program gave to the palette; what is left of the area becomes blank. Does not place the
    /// cursor: see [`Frame::place_cursor`].
    pub fn draw_terminal(&mut self, area: Rect, terminal: &Terminal) {
        let area = self.clipped(area);
        self.add_scroll_area(area);
        let size = terminal.size();
        let rows = area.rows.min(size.rows);
        let cols = area.cols.min(size.cols);
        let colors = PaneColors::new(terminal);
        for y in 0..rows {
            let row = Rect { y: area.y + y, rows: 1, cols, ..area };
            self.draw_row(row, terminal.row(y), &colors);
        }
        let blank = colors.resolve(Style::default());
        let below = Rect { y: area.y + rows, rows: area.rows - rows, ..area };
        self.fill(below, blank);
        self.fill(Rect { x: area.x + cols, cols: area.cols - cols, rows, ..area }, blank);
        self.draw_images(area, terminal);
    }

    /// Draws a row at `area`, which lies in the frame and is no wider than the row.
    fn draw_row(&mut self, area: Rect, source: RowRef<'_>, colors: &PaneColors<'_>) {
        if area.cols == 0 {
            return;
        }
        // Wide characters across the edges of the area lose their other halves.
        self.write(area.x, area.y, Cell::BLANK);
        self.write(area.x + area.cols - 1, area.y, Cell::BLANK);
        let start = self.index(area.x, area.y);
        let end = start + usize::from(area.cols);
        let mut pen = PenId::DEFAULT;
        let mut look = self.look(source, pen, colors);
        let cells = source.row.cells.iter().take(usize::from(area.cols));
        for (at, cell) in (start..).zip(cells) {
            if cell.pen != pen {
                pen = cell.pen;
                look = self.look(source, pen, colors);
            }
            self.cells[at] = match cell.content.0 {
                0 => look.blank,
                ascii @ 0x20..0x7f => look.cell(Glyph::ascii(ascii as u8), 1),
                _ => self.drawn(cell.content, at + 1 == end, source, &look),
            };
        }
        let drawn = start + source.row.cells.len().min(usize::from(area.cols));
        let fill = self.look(source, source.row.fill, colors);
        self.cells[drawn..end].fill(fill.blank);
    }

    /// Any content but ASCII as a cell.
    fn drawn(&mut self, content: Content, is_last: bool, source: RowRef<'_>, look: &Look) -> Cell {
        let width = 1 + u8::from(content.is_wide());
        match content.kind() {
            // Half of it is beyond the edge.
            _ if is_last && width == 2 => look.blank,
            ContentKind::Empty | ContentKind::Spacer => look.blank,
            ContentKind::Continuation => Cell::right_half(look.style, look.link),
            // Printed from a character set it takes a column, and as UTF-8 it does not.
            ContentKind::Char('\u{ad}') => look.cell(Glyph::ascii(b'-'), 1),
            ContentKind::Char(c) => look.cell(Glyph::char(c), width),
            ContentKind::Cluster(index) => {
                look.cell(self.glyph_of_width(source.clusters.get(index), width), width)
            }
        }
    }

    fn look(&mut self, source: RowRef<'_>, pen: PenId, colors: &PaneColors<'_>) -> Look {
        let pen = source.pens.get(pen);
        let style = PackedStyle::new(colors.resolve(pen.style));
        let link = pen.link.as_ref().map_or(LinkId::NONE, |link| self.link_id(link));
        Look { style, link, blank: Cell::space(style) }
    }

    /// Draws a piece of a history line (`bytes` of its text: one row of the line as wrapped) on the
    /// first row of `area`; the rest of the row gets the style `fill`.
    pub fn draw_history(
        &mut self,
        area: Rect,
        line: &HistoryLine,
        bytes: Range<usize>,
        fill: Style,
    ) {
        let area = self.clipped(Rect { rows: area.rows.min(1), ..area });
        self.fill(area, fill);
        if area.rows == 0 {
            return;
        }
        let mut runs = line.runs.iter();
        let mut run_end = 0;
        let mut style = PackedStyle::default();
        let mut link = LinkId::NONE;
        let mut x = 0;
        let widths = self.widths().clone();
        for cluster in clusters(&line.text[bytes.clone()], &widths) {
            let at = bytes.start + cluster.start;
            while at >= run_end {
                let Some(run) = runs.next() else {
                    (run_end, style, link) = (usize::MAX, PackedStyle::default(), LinkId::NONE);
                    break;
                };
                run_end += run.len_bytes as usize;
                if at < run_end {
                    style = PackedStyle::new(run.style);
                    link = run.link.as_ref().map_or(LinkId::NONE, |link| self.link_id(link));
                }
            }
            let width = u16::from(cluster.width);
            if x + width > area.cols {
                break;
            }
            let glyph = self.glyph(cluster.text);
            self.write(area.x + x, area.y, Cell::new(glyph, cluster.width, style, link));
            x += width;
        }
    }
}

/// A pen of a pane as it is drawn.
struct Look {
    style: PackedStyle,
    link: LinkId,
    blank: Cell,
}

impl Look {
    fn cell(&self, glyph: Glyph, width: u8) -> Cell {
        Cell::new(glyph, width, self.style, self.link)
    }
}

/// What a pane's program made of the colours.
struct PaneColors<'a> {
    terminal: &'a Terminal,
    foreground: Color,
    background: Color,
    is_reversed: bool,
}

impl<'a> PaneColors<'a> {
    fn new(terminal: &'a Terminal) -> Self {
        let (foreground, background) = terminal.program_colors();
        let color =
            |rgb: Option<crate::Rgb>| rgb.map_or(Color::Default, |(r, g, b)| Color::Rgb(r, g, b));
        Self {
            terminal,
            foreground: color(foreground),
            background: color(background),
            is_reversed: terminal.modes().reverse_screen,
        }
    }

    fn resolve(&self, style: Style) -> Style {
        let or_default = |color, default| if color == Color::Default { default } else { color };
        let mut attributes = style.attributes;
        attributes
            .set(Attributes::REVERSE, attributes.contains(Attributes::REVERSE) != self.is_reversed);
        Style {
            fg: or_default(self.named(style.fg), self.foreground),
            bg: or_default(self.named(style.bg), self.background),
            underline_color: self.named(style.underline_color),
            attributes,
            ..style
        }
    }

    fn named(&self, color: Color) -> Color {
        match color {
            Color::Indexed(index) => {
                self.terminal.palette_color(index).map_or(color, |(r, g, b)| Color::Rgb(r, g, b))
            }
            _ => color,
        }
    }
}
