//! What the performed sequences do: the state of the terminal behind the parser.
//!
//! One file per family of sequences; the state itself is here. Positions are kept as `usize` and
//! always lie on the screen.
//!
//! Invariants
//! * E1 `top < bottom < rows`, or the screen has one row and both are 0; `left < right < cols`, and
//!   both lie at the borders unless DECLRMM is set.
//! * E2 Ids of pens and clusters are held by cells only, in rows, in the overflow of the screen and in
//!   the head of the scrollback, so that a sweep can renumber them. The pen in use is interned when it is
//!   needed, and what sequences make of pens is forgotten by a sweep.

mod charset;
mod csi;
mod dcs;
mod edit;
mod escape;
mod graphics;
mod keyboard;
mod kitty;
mod lines;
mod margins;
mod mode;
mod motion;
mod notify;
mod osc;
mod palette;
mod passing;
mod perform;
mod presentation;
mod print;
mod queue;
mod rect;
mod report;
mod resize;
mod settings;
mod sgr;
mod sgr_stack;
mod tabs;
mod vt52;
mod window;
mod xcms;

pub(crate) use self::charset::{Charset, Charsets};
pub(crate) use self::keyboard::{KEYBOARD_STACK_MAX, KeyboardStack};
pub(crate) use self::mode::SAVED_MAX;
pub(crate) use self::notify::Notice;
pub(crate) use self::palette::Palette;
pub use self::palette::Rgb;
use self::passing::Passing;
pub(crate) use self::queue::EventQueue;
pub(crate) use self::settings::{
    LEVEL_MAX, Protection, Settings, TitleModes, mode as private_mode,
};
pub(crate) use self::sgr_stack::{PushedStyle, SGR_STACK_MAX, StyleParts};
pub(crate) use self::tabs::Tabs;
pub(crate) use self::window::PushedTitles;
use crate::grid::Grid;
use crate::grid::cell::{Cell, Content, PenId};
use crate::grid::clusters::ClusterTable;
use crate::grid::pens::{Pen, PenTable};
use crate::grid::row::Row;
use crate::history::{History, Scrollback};
use crate::image::store::ImageStore;
use crate::{CellSize, Color, CursorShape, Modes, Size, Style, Widths, work};

/// Longest title kept, in bytes.
pub(crate) const TITLE_BYTES_MAX: usize = 4096;
/// Titles on the stack (XTWINOPS 22); pushing more drops the oldest.
pub(crate) const TITLE_STACK_MAX: usize = 10;

/// Where the next character goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Position {
    pub(crate) x: usize,
    pub(crate) y: usize,
    /// The last column, or that of the right margin, was printed: the next character wraps first.
    pub(crate) is_wrap_pending: bool,
}

/// What DECSC saves.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct SavedCursor {
    pub(crate) position: Position,
    pub(crate) pen: Pen,
    pub(crate) charsets: Charsets,
    pub(crate) is_origin: bool,
}

/// Rows kept in an [`Overflow`].
pub(crate) const OVERFLOW_ROWS_MAX: usize = 10_000;

/// Rows of the main screen for which a resize left no room below the cursor. They come back with the
/// next one, unless a program has done something on the main screen by then.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overflow {
    pub(crate) rows: Vec<Row>,
    /// The line of the screen's last row goes on in the first one.
    pub(crate) continues: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Emulator {
    pub(crate) size: Size,
    /// The screen that is shown, and the other one.
    pub(crate) grid: Grid,
    pub(crate) hidden_grid: Grid,
    pub(crate) overflow: Overflow,
    pub(crate) images: ImageStore,
    /// Pixels of a cell, for programs that ask and for pictures.
    pub(crate) cell: CellSize,
    pub(crate) pens: PenTable,
    pub(crate) clusters: ClusterTable,
    /// How many columns characters take.
    pub(crate) widths: Widths,

    pub(crate) cursor: Position,
    pub(crate) pen: Pen,
    /// Ids of `pen` and of blanks in its background; `None` until needed.
    pub(crate) pen_id: Option<PenId>,
    pub(crate) fill_id: Option<PenId>,
    pub(crate) charsets: Charsets,
    pub(crate) saved: SavedCursor,
    pub(crate) hidden_saved: SavedCursor,
    /// Margins (DECSTBM), both inclusive.
    pub(crate) top: usize,
    pub(crate) bottom: usize,
    /// Side margins (DECSLRM), both inclusive.
    pub(crate) left: usize,
    pub(crate) right: usize,
    /// The character REP repeats; only directly after it was printed.
    pub(crate) last_printed: Option<char>,

    pub(crate) modes: Modes,
    pub(crate) settings: Settings,
    pub(crate) cursor_shape: CursorShape,
    pub(crate) is_cursor_blinking: bool,
    pub(crate) keyboard: KeyboardStack,
    pub(crate) hidden_keyboard: KeyboardStack,
    pub(crate) tabs: Tabs,
    pub(crate) palette: Palette,

    pub(crate) title: String,
    pub(crate) icon_name: String,
    pub(crate) title_stack: Vec<PushedTitles>,
    /// Styles that XTPUSHSGR kept.
    pub(crate) sgr_stack: Vec<PushedStyle>,
    /// A notification that is not complete yet.
    pub(crate) notice: Option<Notice>,

    pub(crate) scrollback: Scrollback,
    /// Clearing the whole main screen moves it to history (tmux's `scroll-on-clear`).
    pub(crate) scrolls_on_clear: bool,
    /// XTWINOPS 20 and 21 are answered. Off, because with it a program could make a pane type what
    /// another one printed.
    pub(crate) reports_titles: bool,

    pub(crate) events: EventQueue,
    /// So many rows at the top are history already: see `passing`. None between two calls of
    /// `Terminal::advance`.
    pub(crate) vacant: usize,
    pub(crate) passing: Passing,
}

impl Emulator {
    pub(crate) fn new(size: Size) -> Self {
        let size = size.clamped();
        Self {
            size,
            grid: Grid::new(size),
            hidden_grid: Grid::new(size),
            overflow: Overflow::default(),
            images: ImageStore::default(),
            cell: CellSize::default(),
            pens: PenTable::new(),
            clusters: ClusterTable::default(),
            widths: Widths::default(),
            cursor: Position::default(),
            pen: Pen::default(),
            pen_id: None,
            fill_id: None,
            charsets: Charsets::default(),
            saved: SavedCursor::default(),
            hidden_saved: SavedCursor::default(),
            top: 0,
            bottom: usize::from(size.rows) - 1,
            left: 0,
            right: usize::from(size.cols) - 1,
            last_printed: None,
            modes: Modes::default(),
            settings: Settings::default(),
            cursor_shape: CursorShape::Default,
            is_cursor_blinking: false,
            keyboard: KeyboardStack::default(),
            hidden_keyboard: KeyboardStack::default(),
            tabs: Tabs::new(usize::from(size.cols)),
            palette: Palette::default(),
            title: String::new(),
            icon_name: String::new(),
            title_stack: Vec::new(),
            sgr_stack: Vec::new(),
            notice: None,
            scrollback: Scrollback::new(History::new()),
            scrolls_on_clear: true,
            reports_titles: false,
            events: EventQueue::default(),
            vacant: 0,
            passing: Passing::default(),
        }
    }

    pub(crate) fn cols(&self) -> usize {
        usize::from(self.size.cols)
    }

    pub(crate) fn rows(&self) -> usize {
        usize::from(self.size.rows)
    }

    /// The id of the pen in use.
    #[inline]
    pub(crate) fn pen_id(&mut self) -> PenId {
        if let Some(id) = self.pen_id {
            return id;
        }
        let id = self.pens.intern(&self.pen);
        self.pen_id = Some(id);
        id
    }

    /// The pen of erased cells: only the background of the pen in use (back colour erase).
    #[inline]
    pub(crate) fn fill_id(&mut self) -> PenId {
        if let Some(id) = self.fill_id {
            return id;
        }
        let bg = self.pen.style.bg;
        let id = if bg == Color::Default {
            PenId::DEFAULT
        } else {
            let style = Style { bg, ..Style::default() };
            self.pens.intern(&Pen { style, ..Pen::default() })
        };
        self.fill_id = Some(id);
        id
    }

    /// Must follow every change of `pen`.
    #[inline]
    pub(crate) fn pen_changed(&mut self) {
        self.pen_id = None;
        self.fill_id = None;
    }

    /// Drops pens and clusters that no cell uses any more, when enough of them may have gathered.
    /// Called between sequences only: it renumbers the ids that rows hold.
    #[inline]
    pub(crate) fn sweep_if_due(&mut self) {
        if self.pens.is_due_for_sweep() {
            self.sweep_pens();
        }
        if self.clusters.is_due_for_sweep() {
            self.sweep_clusters();
        }
    }

    #[cold]
    fn sweep_pens(&mut self) {
        let mut used = vec![false; self.pens.len()];
        work::note(used.len());
        let rows = self.grid.rows().chain(self.hidden_grid.rows()).chain(&self.overflow.rows);
        for row in rows {
            used[row.fill.0 as usize] = true;
        }
        self.for_each_cell(|cell| used[cell.pen.0 as usize] = true);
        let new_ids = self.pens.sweep(&used);
        let rows = self.grid.rows_mut_unseen().chain(self.hidden_grid.rows_mut_unseen());
        for row in rows.chain(&mut self.overflow.rows) {
            row.fill = new_ids[row.fill.0 as usize];
        }
        self.for_each_cell(|cell| cell.pen = new_ids[cell.pen.0 as usize]);
        self.pen_changed();
    }

    #[cold]
    fn sweep_clusters(&mut self) {
        let mut used = vec![false; self.clusters.len()];
        work::note(used.len());
        self.for_each_cell(|cell| {
            if let Some(index) = cell.content.cluster_index() {
                used[index as usize] = true;
            }
        });
        let new_ids = self.clusters.sweep(&used);
        self.for_each_cell(|cell| {
            if let Some(index) = cell.content.cluster_index() {
                let index = new_ids[index as usize];
                cell.content = Content::cluster(index, cell.content.is_wide());
            }
        });
    }

    fn for_each_cell(&mut self, mut visit: impl FnMut(&mut Cell)) {
        let mut visit = |cell: &mut Cell| {
            work::note(1);
            visit(cell);
        };
        let rows = self.grid.rows_mut_unseen().chain(self.hidden_grid.rows_mut_unseen());
        let rows = rows.chain(&mut self.overflow.rows);
        for cells in rows.map(|row| &mut row.cells).chain([&mut self.scrollback.head]) {
            cells.iter_mut().for_each(&mut visit);
        }
    }
}
