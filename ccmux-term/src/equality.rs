//! When two terminals are equal: in every field that can influence what they do or show.
//!
//! Ids of pens and clusters are compared by what they name. Versions of rows do not count: they
//! are for whoever draws this very terminal, and depend on how its input was cut.

use crate::Terminal;
use crate::emulator::Emulator;
use crate::grid::Grid;
use crate::grid::cell::{Cell, ContentKind, PenId};
use crate::grid::row::Row;
use crate::parser::{Parser, State};

impl PartialEq for Terminal {
    fn eq(&self, other: &Self) -> bool {
        let Self { parser, emulator, version: _ } = self;
        *parser == other.parser && *emulator == other.emulator
    }
}

impl Eq for Terminal {}

/// Between sequences only the state counts; what the last sequence left behind does not.
impl PartialEq for Parser {
    fn eq(&self, other: &Self) -> bool {
        let Self {
            state,
            params,
            intermediates: _,
            intermediates_len: _,
            is_ignored,
            dcs_last,
            string,
            is_string_overlong,
            utf8,
            utf8_len,
        } = self;
        if *state != other.state || (*utf8, *utf8_len) != (other.utf8, other.utf8_len) {
            return false;
        }
        matches!(state, State::Ground | State::Utf8)
            || (*params == other.params
                && self.intermediates() == other.intermediates()
                && *is_ignored == other.is_ignored
                && *dcs_last == other.dcs_last
                && *string == other.string
                && *is_string_overlong == other.is_string_overlong)
    }
}

impl Eq for Parser {}

impl PartialEq for Emulator {
    fn eq(&self, other: &Self) -> bool {
        let Self {
            size,
            grid,
            hidden_grid,
            overflow,
            images,
            cell,
            pens: _,
            clusters: _,
            widths,
            cursor,
            pen,
            pen_id: _,
            fill_id: _,
            charsets,
            saved,
            hidden_saved,
            top,
            bottom,
            left,
            right,
            last_printed,
            modes,
            settings,
            cursor_shape,
            is_cursor_blinking,
            keyboard,
            hidden_keyboard,
            tabs,
            palette,
            title,
            icon_name,
            title_stack,
            sgr_stack,
            notice,
            scrollback,
            scrolls_on_clear,
            reports_titles,
            events,
            vacant,
            passing: _,
        } = self;
        *size == other.size
            && *images == other.images
            && *cell == other.cell
            && *widths == other.widths
            && grids_equal((self, grid), (other, &other.grid))
            && grids_equal((self, hidden_grid), (other, &other.hidden_grid))
            && rows_equal((self, &overflow.rows), (other, &other.overflow.rows))
            && overflow.continues == other.overflow.continues
            && *cursor == other.cursor
            && *pen == other.pen
            && *charsets == other.charsets
            && *saved == other.saved
            && *hidden_saved == other.hidden_saved
            && (*top, *bottom) == (other.top, other.bottom)
            && (*left, *right) == (other.left, other.right)
            && *last_printed == other.last_printed
            && *modes == other.modes
            && *settings == other.settings
            && *cursor_shape == other.cursor_shape
            && *is_cursor_blinking == other.is_cursor_blinking
            && *keyboard == other.keyboard
            && *hidden_keyboard == other.hidden_keyboard
            && *tabs == other.tabs
            && *palette == other.palette
            && *title == other.title
            && *icon_name == other.icon_name
            && *title_stack == other.title_stack
            && *sgr_stack == other.sgr_stack
            && *notice == other.notice
            && scrollback.history == other.scrollback.history
            && cells_equal((self, &scrollback.head), (other, &other.scrollback.head))
            && scrollback.head_marks == other.scrollback.head_marks
            && scrollback.has_head == other.scrollback.has_head
            && scrollback.now == other.scrollback.now
            && *scrolls_on_clear == other.scrolls_on_clear
            && *reports_titles == other.reports_titles
            && *events == other.events
            && *vacant == other.vacant
    }
}

impl Eq for Emulator {}

fn grids_equal((a, a_grid): (&Emulator, &Grid), (b, b_grid): (&Emulator, &Grid)) -> bool {
    a_grid.cols() == b_grid.cols() && rows_equal((a, a_grid.rows()), (b, b_grid.rows()))
}

fn rows_equal<'a>(
    (a, a_rows): (&Emulator, impl IntoIterator<Item = &'a Row, IntoIter: ExactSizeIterator>),
    (b, b_rows): (&Emulator, impl IntoIterator<Item = &'a Row, IntoIter: ExactSizeIterator>),
) -> bool {
    let (mut a_rows, b_rows) = (a_rows.into_iter(), b_rows.into_iter());
    a_rows.len() == b_rows.len()
        && a_rows.by_ref().zip(b_rows).all(|(a_row, b_row)| {
            let Row { cells, fill, wrapped, marks, time, slices, version: _ } = a_row;
            *slices == b_row.slices
                && *wrapped == b_row.wrapped
                && *marks == b_row.marks
                && *time == b_row.time
                && pens_equal((a, *fill), (b, b_row.fill))
                && cells_equal((a, cells), (b, &b_row.cells))
        })
}

fn cells_equal((a, a_cells): (&Emulator, &[Cell]), (b, b_cells): (&Emulator, &[Cell])) -> bool {
    a_cells.len() == b_cells.len()
        && a_cells.iter().zip(b_cells).all(|(a_cell, b_cell)| {
            let contents_equal = match (a_cell.content.kind(), b_cell.content.kind()) {
                (ContentKind::Cluster(a_index), ContentKind::Cluster(b_index)) => {
                    a_cell.content.is_wide() == b_cell.content.is_wide()
                        && a.clusters.get(a_index) == b.clusters.get(b_index)
                }
                _ => a_cell.content == b_cell.content,
            };
            contents_equal && pens_equal((a, a_cell.pen), (b, b_cell.pen))
        })
}

fn pens_equal((a, a_pen): (&Emulator, PenId), (b, b_pen): (&Emulator, PenId)) -> bool {
    a.pens.get(a_pen) == b.pens.get(b_pen)
}
