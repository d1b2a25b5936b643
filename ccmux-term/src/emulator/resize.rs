//! Resizing.
//!
//! The main screen's logical lines are wrapped anew, the head in the scrollback included, so going
//! narrower and wider again gives the same lines. Rows that no longer fit leave at the top like
//! rows that scroll; blank rows below the cursor go first. Rows below the cursor that do not fit either
//! are kept aside until a program does something on the main screen: it draws them anew, or wants
//! none. Pictures stay with the text of the row that they lie on, and lose what a narrower screen has
//! no columns for. Where there is more room recent lines of
//! the history come back, as in tmux. The alternate screen belongs to a program that redraws it: it
//! is cut.

use super::{Emulator, OVERFLOW_ROWS_MAX, Overflow, Position};
use crate::grid::Grid;
use crate::grid::cell::{Cell, Content, PenId};
use crate::grid::clusters::ClusterTable;
use crate::grid::pens::{Pen, PenTable};
use crate::grid::row::{LineMarks, Row};
use crate::history::{Cutting, Scrollback, line_cells, push_wrapped_cells};
use crate::image::{self, Slice};
use crate::{LineTime, Size};

impl Emulator {
    pub(crate) fn resize(&mut self, size: Size) {
        let size = size.clamped();
        if size == self.size {
            return;
        }
        self.sweep_if_due();
        if self.modes.alternate_screen {
            crop(&mut self.grid, size, [&mut self.cursor, &mut self.saved.position]);
            let mut position = self.hidden_saved.position;
            rewrap(self, size, [&mut position, &mut Position::default()], Below::Keep);
            self.hidden_saved.position = position;
        } else {
            let hidden = &mut self.hidden_saved.position;
            crop(&mut self.hidden_grid, size, [hidden, &mut Position::default()]);
            let (mut cursor, mut saved) = (self.cursor, self.saved.position);
            rewrap(self, size, [&mut cursor, &mut saved], Below::Keep);
            (self.cursor, self.saved.position) = (cursor, saved);
        }
        self.size = size;
        self.reset_margins();
        self.tabs.resize(self.cols());
        self.last_printed = None;
        self.report_size_in_band();
    }

    /// What a program does on the main screen, it does on what it sees there.
    #[inline]
    pub(super) fn settle(&mut self) {
        if !self.overflow.rows.is_empty() && !self.modes.alternate_screen {
            self.overflow = Overflow::default();
        }
    }

    /// Gives up rows below the cursor for recent lines of the history, as far as there are any.
    pub(crate) fn trim(&mut self) {
        if self.modes.alternate_screen {
            return;
        }
        self.sweep_if_due();
        let (mut cursor, mut saved) = (self.cursor, self.saved.position);
        rewrap(self, self.size, [&mut cursor, &mut saved], Below::GiveUp);
        (self.cursor, self.saved.position) = (cursor, saved);
        self.last_printed = None;
    }
}

/// What becomes of the rows below the cursor.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Below {
    Keep,
    /// They make room for lines of the history.
    GiveUp,
}

/// Cuts or extends a screen and moves positions onto it; the first one stays visible.
fn crop(grid: &mut Grid, size: Size, positions: [&mut Position; 2]) {
    let (cols, rows) = (usize::from(size.cols), usize::from(size.rows));
    let above = (positions[0].y + 1).saturating_sub(rows);
    let bottom = grid.len() - 1;
    if above > 0 {
        grid.scroll_up(0, bottom, above, PenId::DEFAULT);
    }
    grid.resize_cols(cols);
    grid.resize_rows(rows);
    for position in positions {
        position.y = position.y.saturating_sub(above).min(rows - 1);
        position.x = position.x.min(cols - 1);
        position.is_wrap_pending = false;
    }
}

/// A logical line taken off the screen.
struct Line {
    cells: Vec<Cell>,
    fill: PenId,
    marks: LineMarks,
    time: LineTime,
    /// Parts of pictures, and at which cell the row begins on which they lie.
    slices: Vec<(usize, Slice)>,
}

impl Line {
    fn new(cells: Vec<Cell>, marks: LineMarks) -> Self {
        let slices = Vec::new();
        Self { cells, fill: PenId::DEFAULT, marks, time: LineTime::UNKNOWN, slices }
    }

    fn is_blank(&self) -> bool {
        self.cells.is_empty() && self.marks.is_empty() && self.slices.is_empty()
    }
}

/// A place in a line: the `offset`-th of its cells, or beyond them.
struct Place {
    line: usize,
    offset: usize,
}

/// Wraps the main screen, shown or hidden, to a new width. `positions` move with the text; the
/// first one stays visible.
fn rewrap(emulator: &mut Emulator, size: Size, positions: [&mut Position; 2], below: Below) {
    let (cols, rows_wanted) = (usize::from(size.cols), usize::from(size.rows));
    let Emulator { grid, hidden_grid, overflow, scrollback, pens, clusters, modes, widths, .. } =
        emulator;
    let grid = if modes.alternate_screen { hidden_grid } else { grid };
    // A head without cells follows a line that was cut: its text cannot come back, the link stays.
    scrollback.has_head &= scrollback.head.is_empty();
    let (mut lines, places) = unwrap(
        (&*grid, std::mem::take(overflow)),
        std::mem::take(&mut scrollback.head),
        std::mem::take(&mut scrollback.head_marks),
        positions.each_ref().map(|position| **position),
    );
    let last_shown =
        lines.iter().rposition(|line| !line.is_blank()).unwrap_or(0).max(places[0].line);
    let blank = match below {
        Below::Keep => lines.len() - (last_shown + 1),
        Below::GiveUp => 0,
    };
    lines.truncate(last_shown + 1);

    let mut rows: Vec<Row> = Vec::new();
    let mut moved = positions.each_ref().map(|position| position.y);
    for (index, line) in lines.iter().enumerate() {
        let (first, len) = (rows.len(), line.cells.len());
        let starts = wrap_line(line, cols, &mut rows);
        for (slot, place) in places.iter().enumerate().filter(|(_, place)| place.line == index) {
            let row = starts.partition_point(|&start| start <= place.offset) - 1;
            let x = place.offset - starts[row];
            // Right after text that fills its row, the next character wraps.
            positions[slot].is_wrap_pending = x == cols && place.offset == len;
            positions[slot].x = x;
            moved[slot] = first + row;
        }
    }
    let given_up = match below {
        Below::Keep => Vec::new(),
        Below::GiveUp => rows.split_off(moved[0] + 1),
    };
    let room = rows_wanted.saturating_sub(rows.len() + blank);
    let cutting = Cutting { widths, is_clustered: modes.grapheme_clusters };
    let taken = take_back(scrollback, (pens, clusters), cutting, (cols, room));
    moved = moved.map(|y| y + taken.len());
    rows.splice(..0, taken);
    rows.extend(given_up.into_iter().take(rows_wanted.saturating_sub(rows.len())));

    let above = rows.len().saturating_sub(rows_wanted).min(moved[0]);
    for row in rows.drain(..above) {
        scrollback.retire(&row, cols, pens, clusters);
    }
    if rows.len() > rows_wanted {
        overflow.rows = rows.split_off(rows_wanted);
        overflow.rows.truncate(OVERFLOW_ROWS_MAX);
        overflow.continues = rows.last().is_some_and(|last| last.wrapped);
    }
    rows.resize_with(rows_wanted, Row::new);
    if let Some(last) = rows.last_mut() {
        last.wrapped = false;
    }
    grid.replace(rows, cols);
    for (position, y) in positions.into_iter().zip(moved) {
        position.y = y.saturating_sub(above).min(rows_wanted - 1);
        position.x = position.x.min(cols - 1);
        position.is_wrap_pending &= position.x == cols - 1;
    }
}

/// Takes up to `room` rows back from the history, the newest ones. Where a line does not fit, its
/// beginning becomes the head.
fn take_back(
    scrollback: &mut Scrollback,
    (pens, clusters): (&mut PenTable, &mut ClusterTable),
    cutting: Cutting<'_>,
    (cols, room): (usize, usize),
) -> Vec<Row> {
    let mut taken: Vec<Row> = Vec::new();
    while taken.len() < room
        && let Some(line) = scrollback.history.take_newest()
    {
        let fill = Pen { style: line.fill, ..Pen::default() };
        let line = Line {
            cells: line_cells(&line, (pens, clusters), cutting),
            fill: pens.intern(&fill),
            marks: line.marks,
            time: line.time,
            slices: Vec::new(),
        };
        let mut rows = Vec::new();
        wrap_line(&line, cols, &mut rows);
        taken.splice(..0, rows);
    }
    let surplus = taken.len().saturating_sub(room);
    for row in taken.drain(..surplus) {
        scrollback.retire(&row, cols, pens, clusters);
    }
    taken
}

/// Joins the rows of a screen, and those below it, to lines, and finds the places of positions in them.
fn unwrap(
    (grid, overflow): (&Grid, Overflow),
    head: Vec<Cell>,
    head_marks: LineMarks,
    positions: [Position; 2],
) -> (Vec<Line>, [Place; 2]) {
    let cols = grid.cols();
    let mut lines = Vec::new();
    let mut places = positions.map(|_| Place { line: usize::MAX, offset: 0 });
    let mut line = Line::new(head, head_marks);
    for (y, row) in grid.rows().chain(&overflow.rows).enumerate() {
        for (place, position) in places.iter_mut().zip(&positions) {
            if position.y == y {
                place.line = lines.len();
                place.offset =
                    line.cells.len() + position.x + usize::from(position.is_wrap_pending);
            }
        }
        line.marks |= row.marks;
        let start = line.cells.len();
        line.slices.extend(row.slices.iter().map(|slice| (start, slice.clone())));
        if row.wrapped || overflow.continues && y + 1 == grid.len() {
            push_wrapped_cells(&mut line.cells, row, cols);
            continue;
        }
        line.cells.extend_from_slice(&row.cells[..row.occupied()]);
        line.fill = row.fill;
        line.time = row.time;
        lines.push(line);
        line = Line::new(Vec::new(), LineMarks::empty());
    }
    if !line.cells.is_empty() || !line.slices.is_empty() {
        lines.push(line);
    }
    (lines, places)
}

/// Appends the rows of a line and returns at which of its cells each begins.
fn wrap_line(line: &Line, cols: usize, rows: &mut Vec<Row>) -> Vec<usize> {
    let (mut starts, first) = (vec![0], rows.len());
    let mut row = Row::new();
    row.marks = line.marks;
    for (offset, &cell) in line.cells.iter().enumerate() {
        let width = 1 + usize::from(cell.content.is_wide());
        if row.cells.len() + width > cols && cell.content != Content::CONTINUATION {
            if row.cells.len() < cols {
                row.cells.push(Cell { content: Content::SPACER, pen: PenId::DEFAULT });
            }
            row.wrapped = true;
            rows.push(std::mem::replace(&mut row, Row::new()));
            starts.push(offset);
        }
        row.cells.push(if cell.content == Content::SPACER { Cell::blank(cell.pen) } else { cell });
    }
    row.fill = line.fill;
    row.time = line.time;
    rows.push(row);
    for (start, slice) in &line.slices {
        let row = &mut rows[first + starts.partition_point(|at| at <= start) - 1];
        image::add(&mut row.slices, slice.clone());
        image::clip(&mut row.slices, cols);
    }
    starts
}
