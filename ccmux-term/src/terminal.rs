//! The public face of the emulator.

use std::ops::Range;

use crate::emulator::{Emulator, private_mode};
use crate::grid::row::Row;
use crate::history::{EncodedLines, HistoryBatch, HistoryLine, append_cells};
use crate::image::area::{ImageArea, areas};
use crate::keyframe::{self, KeyframeError};
use crate::parser::Parser;
use crate::view::RowRef;
use crate::{CellSize, Cursor, Event, LineTime, Modes, Rgb, Size, Widths};

/// A terminal: bytes of a program go in, the screen can be read, events come out.
///
/// It is deterministic: the same bytes and calls give the same terminal, however the bytes were
/// cut. It reads no clock, and no input makes it panic or use unbounded time or memory.
///
/// ```
/// use ccmux_term::{Size, Terminal};
///
/// let mut terminal = Terminal::new(Size { cols: 20, rows: 3 });
/// terminal.advance(b"hello \x1b[31mworld");
/// assert_eq!(terminal.row(0).text(), "hello world");
/// ```
#[derive(Clone, Debug)]
pub struct Terminal {
    pub(crate) parser: Parser,
    pub(crate) emulator: Emulator,
    pub(crate) version: u64,
}

impl Terminal {
    /// An empty terminal; the size is clamped as [`Size::clamped`] does.
    pub fn new(size: Size) -> Self {
        Self::from_parts(Parser::new(), Emulator::new(size))
    }

    pub(crate) fn from_parts(parser: Parser, emulator: Emulator) -> Self {
        Self { parser, emulator, version: 1 }
    }

    /// Takes output of the program.
    pub fn advance(&mut self, bytes: &[u8]) {
        self.version += 1;
        self.emulator.advance(&mut self.parser, bytes);
    }

    /// Says when the inputs that follow were made: lines that they end have that time.
    pub fn set_time(&mut self, time: LineTime) {
        self.emulator.scrollback.now = time;
    }

    /// Changes the size, clamped as [`Size::clamped`] does. Lines of the main screen wrap anew.
    pub fn resize(&mut self, size: Size) {
        self.version += 1;
        self.emulator.resize(size);
    }

    /// Gives up rows of the main screen below the cursor for lines of the history, as far as recent
    /// ones are there (tmux's `resize-pane -T`).
    pub fn trim(&mut self) {
        self.version += 1;
        self.emulator.trim();
    }

    /// Ends a synchronized update (mode 2026) whose program did not end it in time.
    pub fn end_synchronized_output(&mut self) {
        self.version += 1;
        self.emulator.modes.synchronized_output = false;
    }

    /// The size in use.
    pub fn size(&self) -> Size {
        self.emulator.size
    }

    /// Puts everything but history, size and settings of the owner back to the beginning; what the
    /// main screen shows becomes history.
    pub fn reset(&mut self) {
        self.version += 1;
        self.parser = Parser::new();
        self.emulator.reset();
    }

    /// Takes what happened since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        self.emulator.events.take()
    }

    /// Row `y` of the screen, from 0.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, y: u16) -> RowRef<'_> {
        RowRef {
            row: self.emulator.grid.row(usize::from(y)),
            cols: self.emulator.cols(),
            pens: &self.emulator.pens,
            clusters: &self.emulator.clusters,
        }
    }

    /// Names the content of row `y`: equal numbers, at any time and for any row of this terminal,
    /// mean equal content. So a row that moved is recognized by its number.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row_version(&self, y: u16) -> u64 {
        self.emulator.grid.row(usize::from(y)).version
    }

    /// Changes whenever anything visible may have changed: rows, cursor, modes, title.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Whether the text of row `y` goes on in the next row because it wrapped there by itself.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row_wrapped(&self, y: u16) -> bool {
        self.emulator.grid.row(usize::from(y)).wrapped
    }

    /// The screen's text: rows with a newline after each, blank cells at their ends left out.
    pub fn text(&self) -> String {
        (0..self.size().rows).map(|y| self.row(y).text() + "\n").collect()
    }

    /// The cursor.
    pub fn cursor(&self) -> Cursor {
        let emulator = &self.emulator;
        Cursor {
            x: emulator.cursor.x as u16,
            y: emulator.cursor.y as u16,
            visible: emulator.modes.cursor_visible,
            shape: emulator.cursor_shape,
            blinking: emulator.is_cursor_blinking,
        }
    }

    /// The modes.
    pub fn modes(&self) -> Modes {
        self.emulator.modes
    }

    /// Whether it is a VT52 (DECANM is reset): keys are to be sent as one sends them.
    pub fn is_vt52(&self) -> bool {
        self.emulator.settings.is_vt52()
    }

    /// DECBKM: the Backspace key is to send BS, not DEL.
    pub fn backspace_sends_bs(&self) -> bool {
        self.emulator.settings.has(private_mode::BACKARROW_KEY)
    }

    /// The window title.
    pub fn title(&self) -> &str {
        &self.emulator.title
    }

    /// A colour of the palette, if the program changed it.
    pub fn palette_color(&self, index: u8) -> Option<Rgb> {
        self.emulator.palette.indexed.get(&index).copied()
    }

    /// The colours that the program set as foreground and background (OSC 10 and 11).
    pub fn program_colors(&self) -> (Option<Rgb>, Option<Rgb>) {
        (self.emulator.palette.foreground, self.emulator.palette.background)
    }

    /// Sets what queries for the default colours are answered: those of the client's terminal.
    pub fn set_default_colors(&mut self, foreground: Rgb, background: Rgb) {
        let was_dark = self.emulator.palette.is_dark();
        self.emulator.palette.default_foreground = foreground;
        self.emulator.palette.default_background = background;
        self.emulator.note_color_scheme(was_dark);
    }

    /// Whether the program gets its title and icon name when it asks for them (XTWINOPS 20 and 21);
    /// false in a new terminal, because what one program printed could then be typed into another.
    pub fn set_title_reports(&mut self, reports: bool) {
        self.emulator.reports_titles = reports;
    }

    /// Gives it a title, as a program does with OSC 2, whatever sequence is being read.
    pub fn set_title(&mut self, title: &[u8]) {
        self.emulator.take_title(title);
    }

    /// Whether clearing the whole main screen moves what it shows to the history (tmux's
    /// `scroll-on-clear`); true in a new terminal.
    pub fn set_scroll_on_clear(&mut self, scrolls: bool) {
        self.emulator.scrolls_on_clear = scrolls;
    }

    /// What [`Terminal::set_scroll_on_clear`] set.
    pub fn scroll_on_clear(&self) -> bool {
        self.emulator.scrolls_on_clear
    }

    /// How many columns characters take from now on; what is on the screen stays as it is.
    pub fn set_widths(&mut self, widths: &Widths) {
        self.emulator.widths = widths.clone();
    }

    /// What [`Terminal::set_widths`] set.
    pub fn widths(&self) -> &Widths {
        &self.emulator.widths
    }

    /// How many pixels a cell has from now on: programs are told so, and pictures that come take as many
    /// cells. Those that are there keep theirs.
    pub fn set_cell_size(&mut self, cell: CellSize) {
        self.version += 1;
        if std::mem::replace(&mut self.emulator.cell, cell) != cell {
            self.emulator.report_size_in_band();
        }
    }

    /// What [`Terminal::set_cell_size`] set.
    pub fn cell_size(&self) -> CellSize {
        self.emulator.cell
    }

    /// Where pictures are on the screen, the lowest ones first.
    pub fn images(&self) -> Vec<ImageArea> {
        areas(self.emulator.grid.rows().map(|row| row.slices.as_slice()))
    }

    /// Number of the first history line in memory.
    pub fn history_start(&self) -> u64 {
        self.emulator.scrollback.history.start()
    }

    /// Number of the first recent line, or of the next line if there is none: lines before it never
    /// come back to the screen and can be stored elsewhere. Recent ones are kept in memory.
    pub fn history_sealed_end(&self) -> u64 {
        self.emulator.scrollback.history.sealed_end()
    }

    /// Number of complete lines above the screen and cleared ones; the number of the next one.
    pub fn history_end(&self) -> u64 {
        self.emulator.scrollback.history.end()
    }

    /// Lines before this one were cleared by the program or by [`Terminal::clear_history`],
    /// wherever they are stored.
    pub fn history_cleared_before(&self) -> u64 {
        self.emulator.scrollback.history.cleared_before()
    }

    /// A history line, if it is in memory.
    pub fn history_line(&self, number: u64) -> Option<HistoryLine> {
        self.emulator.scrollback.history.line(number)
    }

    /// History lines in memory around `number`, as they are kept.
    pub fn encoded_history(&self, number: u64) -> Option<EncodedLines<'_>> {
        self.emulator.scrollback.history.encoded(number)
    }

    /// A line that has or had the number `number`, if it is on the screen: one that goes back there
    /// keeps its number until it is written over.
    pub fn returned_line(&self, number: u64) -> Option<HistoryLine> {
        let index = usize::try_from(number.checked_sub(self.history_end())?).ok()?;
        let is_shown = !self.emulator.modes.alternate_screen;
        self.screen_lines().into_iter().nth(index).filter(|_| is_shown)
    }

    /// An empty terminal of the same size whose history is that of this one, in which the emulator
    /// failed.
    #[must_use]
    pub fn after_failure(&self) -> Self {
        let mut fresh = Self::new(self.size());
        fresh.emulator.widths = self.emulator.widths.clone();
        fresh.emulator.cell = self.emulator.cell;
        fresh.emulator.scrollback.history = self.emulator.scrollback.history.after_failure();
        fresh.emulator.scrollback.now = self.emulator.scrollback.now;
        fresh
    }

    /// Those of some history lines that are in memory, encoded: as many as fit into `max_bytes`, times
    /// not counted, but at least one if there is any. They begin with the first one in memory if `lines` begin before
    /// it.
    pub fn history_batch(&self, lines: Range<u64>, max_bytes: usize) -> HistoryBatch {
        self.emulator.scrollback.history.batch(lines, max_bytes)
    }

    /// Drops sealed history lines before `before` from memory: they are stored elsewhere.
    pub fn release_history(&mut self, before: u64) {
        self.emulator.scrollback.history.release(before);
    }

    /// Bounds the number of history lines in memory; older ones are dropped.
    pub fn set_history_limit(&mut self, limit: Option<u64>) {
        self.emulator.scrollback.history.set_limit(limit);
    }

    /// Lets the history go on with line `end`, because lines up to it exist elsewhere; those in
    /// memory are dropped then. Does nothing if the history has come that far.
    pub fn skip_history(&mut self, end: u64) {
        self.emulator.scrollback.history.skip(end);
    }

    /// Clears the history, as ED 3 does.
    pub fn clear_history(&mut self) {
        self.version += 1;
        self.emulator.clear_history();
    }

    /// The shown screen as logical lines; the first one includes what of it has already left the
    /// screen. Blank lines at the bottom are included.
    pub fn screen_lines(&self) -> Vec<HistoryLine> {
        let Emulator { grid, scrollback, pens, clusters, modes, .. } = &self.emulator;
        let mut lines = Vec::new();
        let mut line = HistoryLine::default();
        if !modes.alternate_screen {
            line.marks = scrollback.head_marks;
            append_cells(&mut line, &scrollback.head, pens, clusters);
        }
        for row in grid.rows() {
            line.marks |= row.marks;
            append_cells(&mut line, &row_cells(row, grid.cols()), pens, clusters);
            if !row.wrapped {
                line.fill = pens.get(row.fill).style;
                line.time = row.time;
                lines.push(std::mem::take(&mut line));
            }
        }
        lines
    }

    /// Row `y` of the screen as a line of its own.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row_line(&self, y: u16) -> HistoryLine {
        let Emulator { grid, pens, clusters, .. } = &self.emulator;
        let row = grid.row(usize::from(y));
        let fill = pens.get(row.fill).style;
        let (marks, time) = (row.marks, row.time);
        let mut line = HistoryLine { fill, marks, time, ..HistoryLine::default() };
        append_cells(&mut line, &row_cells(row, grid.cols()), pens, clusters);
        line
    }

    /// Everything but the sealed history lines, of which it names where they begin and end; see
    /// [`Terminal::restore`]. Events should have been taken: they are not part of it.
    pub fn keyframe(&self) -> Vec<u8> {
        keyframe::write(self)
    }

    /// The terminal that [`Terminal::keyframe`] described. Of its history the recent lines are in
    /// memory.
    pub fn restore(keyframe: &[u8]) -> Result<Self, KeyframeError> {
        keyframe::read(keyframe)
    }
}

fn row_cells(row: &Row, cols: usize) -> Vec<crate::grid::cell::Cell> {
    if row.wrapped {
        let mut cells = Vec::with_capacity(cols);
        crate::history::push_wrapped_cells(&mut cells, row, cols);
        cells
    } else {
        row.cells[..row.occupied()].to_vec()
    }
}
