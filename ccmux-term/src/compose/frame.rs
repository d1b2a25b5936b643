//! A screenful: cells, cursor, and the modes wanted of the terminal.

use std::sync::Arc;

use super::caps::OutputFeatures;
use super::cell::{
    CLUSTER_BYTES_MAX, CLUSTERS_BYTES_MAX, Cell, CellText, FrameCell, Glyph, LinkId, PackedStyle,
};
use super::scroll::{Scroll, ScrollDirection};
use super::shift::{Shift, ShiftDirection};
use super::width::clusters;
use crate::image::area::ImageArea;
use crate::{Cursor, CursorShape, Hyperlink, KeyboardFlags, MouseTracking, Size, Style, Widths};

/// A rectangle of cells: offset from the top left corner of the frame, and extent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Rect {
    /// Column of the left edge, from 0.
    pub x: u16,
    /// Row of the top edge, from 0.
    pub y: u16,
    /// Columns.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
}

/// What a terminal should report. Keys are decoded by whoever reads them, so the modes that change
/// their encoding (application cursor keys and keypad) stay as they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ClientModes {
    /// Mouse events, always in SGR encoding.
    pub mouse: MouseTracking,
    /// Pastes are bracketed.
    pub bracketed_paste: bool,
    /// Focus changes are reported.
    pub focus_events: bool,
    /// Flags of the kitty keyboard protocol.
    pub keyboard: KeyboardFlags,
}

/// More areas than this are not looked at for rows that moved.
const SCROLL_AREAS_MAX: usize = 16;

const NO_CURSOR: Cursor =
    Cursor { x: 0, y: 0, visible: false, shape: CursorShape::Default, blinking: false };

/// What a terminal should show. Made once per client and composed anew for each screenful with
/// [`Frame::clear`], which keeps the memory.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The cursor; one outside of the frame is shown at its edge.
    pub cursor: Cursor,
    /// Reports wanted.
    pub modes: ClientModes,
    /// The title of the terminal's window; `None` leaves it alone.
    pub title: Option<String>,
    size: Size,
    pub(super) cells: Vec<Cell>,
    clusters: String,
    links: Vec<Arc<Hyperlink>>,
    /// Where rows may move by themselves: the panes.
    scroll_areas: Vec<Rect>,
    widths: Widths,
    /// Which pictures the terminal can show.
    pub(super) graphics: OutputFeatures,
    pub(super) images: Vec<ImageArea>,
}

impl Frame {
    /// A blank frame without cursor. At least one row and column, and at most what a [`Size`] allows.
    pub fn new(size: Size) -> Self {
        let cols = size.cols.clamp(1, Size::SIDE_MAX);
        let rows_max = (Size::CELLS_MAX / usize::from(cols)).min(usize::from(Size::SIDE_MAX));
        let size = Size { cols, rows: size.rows.clamp(1, rows_max as u16) };
        Self {
            cursor: NO_CURSOR,
            modes: ClientModes::default(),
            title: None,
            size,
            cells: vec![Cell::BLANK; usize::from(size.cols) * usize::from(size.rows)],
            clusters: String::new(),
            links: Vec::new(),
            scroll_areas: Vec::new(),
            widths: Widths::default(),
            graphics: OutputFeatures::empty(),
            images: Vec::new(),
        }
    }

    /// How many columns characters take on the terminal that is to show it.
    pub fn set_widths(&mut self, widths: &Widths) {
        self.widths = widths.clone();
    }

    /// What [`Frame::set_widths`] set.
    pub fn widths(&self) -> &Widths {
        &self.widths
    }

    /// Columns and rows.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Blank again, without cursor, title and reports.
    pub fn clear(&mut self) {
        self.cursor = NO_CURSOR;
        self.modes = ClientModes::default();
        self.title = None;
        self.cells.fill(Cell::BLANK);
        self.clusters.clear();
        self.links.clear();
        self.scroll_areas.clear();
        self.images.clear();
    }

    /// No cell is what a frame to come has there.
    pub(super) fn forget_cells(&mut self) {
        self.cells.fill(Cell::UNKNOWN);
    }

    /// The whole frame as a rectangle.
    pub fn area(&self) -> Rect {
        Rect { x: 0, y: 0, cols: self.size.cols, rows: self.size.rows }
    }

    /// The cell at column `x` of row `y`; `None` outside of the frame.
    pub fn cell(&self, x: u16, y: u16) -> Option<FrameCell<'_>> {
        let cell = self.row(y).get(usize::from(x))?;
        Some(FrameCell {
            text: cell.glyph.text(&self.clusters),
            width: cell.width,
            style: cell.style.style(),
            link: self.link(cell.link),
        })
    }

    /// Writes `text` from column `x` of row `y` on, up to the right edge of the frame, and returns
    /// the columns used. Control characters are left out. A wide character that would be cut by
    /// the edge becomes a space.
    pub fn put_str(&mut self, x: u16, y: u16, text: &str, style: Style) -> u16 {
        let cols = self.size.cols.saturating_sub(x);
        self.put_str_within(Rect { x, y, cols, rows: 1 }, text, style)
    }

    /// As [`Frame::put_str`], on the first row of `area` and cut at its right edge.
    pub fn put_str_within(&mut self, area: Rect, text: &str, style: Style) -> u16 {
        let area = self.clipped(area);
        if area.rows == 0 {
            return 0;
        }
        let style = PackedStyle::new(style);
        let mut used = 0;
        let widths = self.widths.clone();
        for cluster in clusters(text, &widths) {
            let left = area.cols - used;
            if left == 0 {
                break;
            }
            let width = u16::from(cluster.width);
            let is_cut = width > left;
            let glyph = if is_cut { Glyph::SPACE } else { self.glyph(cluster.text) };
            let width = width.min(left);
            self.write(area.x + used, area.y, Cell::new(glyph, width as u8, style, LinkId::NONE));
            used += width;
        }
        self.cover(Rect { cols: used, rows: 1, ..area });
        used
    }

    /// Writes one cell of width 1 or 2 at column `x` of row `y`. Does nothing outside of the frame;
    /// a wide character in the last column becomes a space.
    pub fn put_cell(&mut self, x: u16, y: u16, cell: &FrameCell<'_>) {
        if x >= self.size.cols || y >= self.size.rows {
            return;
        }
        let link = cell.link.map_or(LinkId::NONE, |link| self.link_id(link));
        let is_cut = cell.width == 2 && x + 1 == self.size.cols;
        let width = if is_cut { 1 } else { cell.width.clamp(1, 2) };
        let glyph = match cell.text {
            _ if is_cut => Glyph::SPACE,
            CellText::Char(c) => self.glyph_of_width(c.encode_utf8(&mut [0; 4]), width),
            CellText::Cluster(text) => self.glyph_of_width(text, width),
        };
        self.write(x, y, Cell::new(glyph, width, PackedStyle::new(cell.style), link));
    }

    /// Blanks `area` in `style`.
    pub fn fill(&mut self, area: Rect, style: Style) {
        let area = self.clipped(area);
        if area.cols == 0 {
            return;
        }
        self.cover(area);
        let blank = Cell::space(PackedStyle::new(style));
        for y in area.y..area.y + area.rows {
            // The first and the last cell may take halves of wide characters with them.
            self.write(area.x, y, blank);
            self.write(area.x + area.cols - 1, y, blank);
            let start = self.index(area.x, y);
            self.cells[start..start + usize::from(area.cols)].fill(blank);
        }
    }

    /// Gives all of `area` the style.
    pub fn set_style(&mut self, area: Rect, style: Style) {
        self.restyle(area, |_| style);
    }

    /// Changes the style of each cell of `area`. A wide character belongs to the area if its left
    /// half does.
    pub fn restyle(&mut self, area: Rect, change: impl Fn(Style) -> Style) {
        let area = self.clipped(area);
        for y in area.y..area.y + area.rows {
            for x in area.x..area.x + area.cols {
                let index = self.index(x, y);
                let cell = self.cells[index];
                let style = PackedStyle::new(change(cell.style.style()));
                match cell.width {
                    0 => {}
                    2 => {
                        self.cells[index].style = style;
                        self.cells[index + 1].style = style;
                    }
                    _ => self.cells[index] = Cell::new(cell.glyph, 1, style, cell.link),
                }
            }
        }
    }

    /// Shows a pane's cursor: `cursor` counts from the corner of `area`, and is hidden outside of
    /// it.
    pub fn place_cursor(&mut self, area: Rect, cursor: Cursor) {
        let (x, y) = (area.x.saturating_add(cursor.x), area.y.saturating_add(cursor.y));
        let is_inside = cursor.x < area.cols
            && cursor.y < area.rows
            && x < self.size.cols
            && y < self.size.rows;
        self.cursor = Cursor { x, y, visible: cursor.visible && is_inside, ..cursor };
    }

    /// Shows in `area` what `other` shows from the cell at `corner` (column, row) on, its cursor
    /// included. A wide character that would be cut becomes a space.
    pub fn draw_frame(&mut self, area: Rect, other: &Frame, corner: (u16, u16)) {
        let area = self.clipped(area);
        for y in 0..area.rows {
            for x in 0..area.cols {
                let (from_x, from_y) = (corner.0.saturating_add(x), corner.1.saturating_add(y));
                let Some(cell) = other.cell(from_x, from_y) else { break };
                let is_cut = match cell.width {
                    0 if x > 0 => continue,
                    0 => true,
                    width => u16::from(width) > area.cols - x,
                };
                let space = FrameCell { text: CellText::Char(' '), width: 1, ..cell };
                self.put_cell(area.x + x, area.y + y, if is_cut { &space } else { &cell });
            }
        }
        let Cursor { x, y, visible, .. } = other.cursor;
        let is_before = x < corner.0 || y < corner.1;
        let (x, y) = (x.saturating_sub(corner.0), y.saturating_sub(corner.1));
        self.place_cursor(area, Cursor { x, y, visible: visible && !is_before, ..other.cursor });
        self.copy_images(area, other, corner);
    }

    pub(super) fn row(&self, y: u16) -> &[Cell] {
        if y >= self.size.rows {
            return &[];
        }
        let start = self.index(0, y);
        &self.cells[start..start + usize::from(self.size.cols)]
    }

    pub(super) fn clusters(&self) -> &str {
        &self.clusters
    }

    pub(super) fn link(&self, id: LinkId) -> Option<&Arc<Hyperlink>> {
        self.links.get(usize::from(id.0).checked_sub(1)?)
    }

    /// Whether `cell` of this frame looks like `other_cell` of `other`.
    #[inline]
    pub(super) fn is_same(&self, cell: &Cell, other: &Frame, other_cell: &Cell) -> bool {
        let refers_to_frame = cell.glyph.is_cluster() || cell.link != LinkId::NONE;
        if refers_to_frame { self.is_alike(cell, other, other_cell) } else { cell == other_cell }
    }

    /// The same for cells that refer to what else is in their frames.
    fn is_alike(&self, cell: &Cell, other: &Frame, other_cell: &Cell) -> bool {
        cell.style == other_cell.style
            && cell.width == other_cell.width
            && cell.glyph.text(&self.clusters) == other_cell.glyph.text(&other.clusters)
            && self.link(cell.link) == other.link(other_cell.link)
    }

    /// Says that the rows of `area` may move by themselves, as those of a pane do: where they did,
    /// a painter can move them on the terminal. Changes nothing of what is shown.
    pub(crate) fn add_scroll_area(&mut self, area: Rect) {
        let area = self.clipped(area);
        if self.scroll_areas.len() < SCROLL_AREAS_MAX && area.cols > 0 {
            self.scroll_areas.push(area);
        }
    }

    pub(super) fn scroll_areas(&self) -> &[Rect] {
        &self.scroll_areas
    }

    /// The cells of row `y` within the columns of `area`, which lies in the frame.
    pub(super) fn cells_of(&self, area: Rect, y: u16) -> &[Cell] {
        let start = self.index(area.x, y);
        &self.cells[start..start + usize::from(area.cols)]
    }

    /// Whether a side of `area` lies in the middle of a wide character.
    pub(super) fn cuts_wide(&self, area: Rect) -> bool {
        let right = usize::from(area.x + area.cols);
        (area.y..area.y + area.rows).map(|y| self.row(y)).any(|row| {
            let is_right_half = |x: usize| row.get(x).is_some_and(|cell| cell.width == 0);
            is_right_half(area.x.into()) || is_right_half(right)
        })
    }

    pub(super) fn scroll(&mut self, scroll: Scroll) {
        let Scroll { area, direction, lines } = scroll;
        let kept = area.rows - lines;
        match direction {
            ScrollDirection::Up => {
                (0..kept).for_each(|y| self.copy_row(area, area.y + y + lines, area.y + y));
                self.blank(Rect { y: area.y + kept, rows: lines, ..area }, Cell::BLANK);
            }
            ScrollDirection::Down => {
                (0..kept).rev().for_each(|y| self.copy_row(area, area.y + y, area.y + y + lines));
                self.blank(Rect { rows: lines, ..area }, Cell::BLANK);
            }
        }
    }

    /// Makes a row unlike any other, so that all of it is written.
    pub(super) fn spoil_row(&mut self, y: u16) {
        let start = self.index(0, y);
        let unknown = Cell::new(Glyph::char('\0'), 1, PackedStyle::default(), LinkId::NONE);
        self.cells[start..start + usize::from(self.size.cols)].fill(unknown);
    }

    /// Copies the columns of `area` from row to row.
    fn copy_row(&mut self, area: Rect, from: u16, to: u16) {
        let start = self.index(area.x, from);
        let target = self.index(area.x, to);
        self.cells.copy_within(start..start + usize::from(area.cols), target);
    }

    /// Makes all cells of `area` blanks like `cell`. No wide character is cut by its sides.
    pub(super) fn blank(&mut self, area: Rect, cell: Cell) {
        for y in area.y..area.y + area.rows {
            let start = self.index(area.x, y);
            self.cells[start..start + usize::from(area.cols)].fill(cell);
        }
    }

    pub(super) fn shift(&mut self, shift: Shift) {
        let Shift { y, from, end, direction, count } = shift;
        let start = self.index(from, y);
        let cells = &mut self.cells[start..start + usize::from(end - from)];
        let count = usize::from(count);
        let kept = cells.len() - count;
        match direction {
            ShiftDirection::Insert => {
                cells.copy_within(..kept, count);
                cells[..count].fill(Cell::BLANK);
            }
            ShiftDirection::Delete => {
                cells.copy_within(count.., 0);
                cells[kept..].fill(Cell::BLANK);
            }
        }
    }

    /// Becomes a copy of `other`, reusing memory.
    pub(super) fn copy_from(&mut self, other: &Frame) {
        self.copy_wishes(other);
        self.size = other.size;
        self.cells.clone_from(&other.cells);
        self.clusters.clone_from(&other.clusters);
        self.links.clone_from(&other.links);
    }

    /// Takes over cursor, modes and title.
    pub(super) fn copy_wishes(&mut self, other: &Frame) {
        self.cursor = other.cursor;
        self.modes = other.modes;
        self.title.clone_from(&other.title);
    }

    /// The id of `link` in this frame; none if there are too many, or if it is not fit to be
    /// written to a terminal.
    pub(super) fn link_id(&mut self, link: &Arc<Hyperlink>) -> LinkId {
        if let Some(index) = self.links.iter().rposition(|known| known == link) {
            return LinkId(index as u16 + 1);
        }
        let is_fit = !link.uri.chars().any(char::is_control)
            && !link.id.chars().any(|c| c.is_control() || c == ';' || c == ':');
        if !is_fit || self.links.len() >= usize::from(u16::MAX) {
            return LinkId::NONE;
        }
        self.links.push(Arc::clone(link));
        LinkId(self.links.len() as u16)
    }

    pub(super) fn clipped(&self, area: Rect) -> Rect {
        let (x, y) = (area.x.min(self.size.cols), area.y.min(self.size.rows));
        Rect {
            x,
            y,
            cols: area.cols.min(self.size.cols - x),
            rows: area.rows.min(self.size.rows - y),
        }
    }

    /// The glyph of a text that is to take `width` columns. A text that a terminal would give
    /// another width (a sign that had no room to widen where it was printed) is reduced to its
    /// first character, or to a blank.
    pub(super) fn glyph_of_width(&mut self, text: &str, width: u8) -> Glyph {
        let fits = |text: &str| {
            clusters(text, &self.widths).map(|c| (c.text, c.width)).eq([(text, width)])
        };
        if fits(text) {
            return self.glyph(text);
        }
        let first = text.chars().next().filter(|c| fits(c.encode_utf8(&mut [0; 4])));
        let blank = if width == 2 { '\u{3000}' } else { ' ' };
        Glyph::char(first.unwrap_or(blank))
    }

    /// The glyph of one cluster.
    pub(super) fn glyph(&mut self, cluster: &str) -> Glyph {
        let mut chars = cluster.chars();
        let Some(first) = chars.next() else { return Glyph::SPACE };
        let offset = self.clusters.len();
        let is_stored = chars.next().is_some()
            && cluster.len() <= CLUSTER_BYTES_MAX
            && offset + cluster.len() <= CLUSTERS_BYTES_MAX;
        if !is_stored {
            return Glyph::char(first);
        }
        self.clusters.push_str(cluster);
        Glyph::cluster(offset, cluster.len())
    }

    /// Writes a cell inside of the frame; of width 2 only where two columns are left.
    pub(super) fn write(&mut self, x: u16, y: u16, cell: Cell) {
        let index = self.index(x, y);
        if self.cells[index].width == 0 {
            self.cells[index - 1] = self.cells[index - 1].emptied();
        }
        let next = index + usize::from(cell.width);
        if x + u16::from(cell.width) < self.size.cols && self.cells[next].width == 0 {
            self.cells[next] = self.cells[next].emptied();
        }
        self.cells[index] = cell;
        if cell.width == 2 {
            self.cells[index + 1] = Cell::right_half(cell.style, cell.link);
        }
    }

    pub(super) fn index(&self, x: u16, y: u16) -> usize {
        usize::from(y) * usize::from(self.size.cols) + usize::from(x)
    }
}
