//! What `capture-pane` takes: rows of the history and of the screen, a piece at a time.
//!
//! A history may be longer than what fits into memory, and its reader slower than the disk. So a
//! capture goes on in later turns, as its client takes what there is; the screen is as it was when
//! the command was run. Lines that a limit takes away before they were reached are left out.

use ccmux_core::ids::PaneId;
use ccmux_term::copy_mode::LineSource as _;
use ccmux_term::{HistoryLine, Terminal, Widths};

use super::Server;
use crate::command::{Bound, CommandError};
use crate::pane::mode::PaneLines;

/// History lines looked at in one turn.
const PIECE_LINES: u64 = 4096;

/// A capture on its way: first back to the line where it begins, then forward.
#[derive(Debug)]
pub(crate) struct Capture {
    pane: PaneId,
    /// The width to wrap at; `None` leaves lines whole.
    cols: Option<usize>,
    /// How far it has gone back, then the next history line to take.
    at: u64,
    /// The history line after the last one to take.
    end: u64,
    /// Rows that are still missing at the beginning, on the way back.
    missing: u64,
    /// Rows that are too many at the end, on the way back.
    surplus: u64,
    /// Rows of the first line that are before the beginning, and of the last one behind the end.
    cut: (usize, usize),
    /// The first history line that may be taken: the one that `history-limit` allowed at first.
    bound: u64,
    /// Where to go to for a capture of all history, once the end is found.
    beginning: Option<u64>,
    /// Rows that have left the screen of a line whose end is on it, and rows of the screen.
    tail: Vec<HistoryLine>,
}

impl Server {
    /// Begins to capture rows of a pane, wrapped at its width unless `joined`.
    pub(crate) fn begin_capture(
        &self,
        id: PaneId,
        (start, end): (Bound, Bound),
        joined: bool,
    ) -> Result<Capture, CommandError> {
        let Some(pane) = self.panes.get(&id) else {
            return Err(CommandError::new(format!("can't find pane: {id}")));
        };
        let terminal = &pane.terminal;
        let rows = i64::from(pane.size().rows);
        let last = match end {
            Bound::Screen | Bound::All => rows - 1,
            Bound::Row(row) => row.min(rows - 1),
        };
        let first = match start {
            Bound::Screen => 0,
            Bound::All => i64::MIN,
            Bound::Row(row) => row,
        };
        // A range written backwards means the same one, as in tmux.
        let is_backwards = first > last && start != Bound::Screen;
        let (first, last) = if is_backwards { (last, first) } else { (first, last) };

        let cols = usize::from(pane.size().cols);
        let history_end = terminal.history_end();
        let mut capture = Capture {
            pane: id,
            cols: (!joined).then_some(cols),
            at: history_end,
            end: history_end,
            missing: 0,
            surplus: if last < -1 { last.unsigned_abs() - 1 } else { 0 },
            cut: (0, 0),
            bound: self.history_bound(pane),
            beginning: None,
            tail: Vec::new(),
        };
        if first < 0 {
            if !joined {
                capture.tail = head_rows(terminal, cols);
            }
            capture.bound_tail(first.unsigned_abs());
            if start == Bound::All {
                let stored = self.history_of(pane);
                capture.beginning = Some(PaneLines::new(&stored, terminal).start());
                capture.missing = 0;
            }
        }
        let from = usize::try_from(first.max(0)).unwrap_or(0);
        let count = usize::try_from(last + 1).unwrap_or(0).saturating_sub(from);
        if joined && from == 0 && last == rows - 1 {
            // The first line may have begun in the history: it is whole here.
            capture.tail.extend(terminal.screen_lines());
        } else {
            let screen = (0..pane.size().rows).map(|y| terminal.row_line(y));
            capture.tail.extend(screen.skip(from).take(count));
        }
        Ok(capture)
    }

    /// Takes the next piece of a capture. Returns whether that was the last one.
    pub(crate) fn capture_piece(&self, capture: &mut Capture, out: &mut Vec<HistoryLine>) -> bool {
        let Some(pane) = self.panes.get(&capture.pane) else { return true };
        let stored = self.scrollback.stored_lines(pane.uuid).bounded(capture.bound);
        let lines = PaneLines::new(&stored, &pane.terminal);
        let (widths, mut budget) = (pane.terminal.widths(), PIECE_LINES);
        while capture.is_going_back() && capture.at > lines.start() {
            if budget == 0 {
                return false;
            }
            budget -= 1;
            capture.at -= 1;
            let line = lines.line(capture.at);
            capture.went_back(line.map_or(0, |line| capture.rows(&line, widths).len()));
        }
        capture.turn_round();
        while capture.at < capture.end {
            if budget == 0 {
                return false;
            }
            budget -= 1;
            let line = lines.line(capture.at);
            let rows = line.map(|line| capture.rows(&line, widths)).unwrap_or_default();
            capture.at += 1;
            let (front, mut back) = (std::mem::take(&mut capture.cut.0), 0);
            if capture.at == capture.end {
                back = capture.cut.1;
            }
            let kept = rows.len().saturating_sub(back);
            out.extend(rows.into_iter().take(kept).skip(front));
        }
        out.append(&mut capture.tail);
        true
    }
}

impl Capture {
    /// `wanted` rows of the tail's rows and those before them begin the capture.
    fn bound_tail(&mut self, wanted: u64) {
        let len = self.tail.len() as u64;
        self.missing = wanted.saturating_sub(len);
        let early = usize::try_from(len.saturating_sub(wanted)).expect("no more than there are");
        self.tail.drain(..early);
        let late = self.surplus.min(self.tail.len() as u64);
        self.surplus -= late;
        self.tail.truncate(self.tail.len() - late as usize);
    }

    fn is_going_back(&self) -> bool {
        self.missing > 0 || self.surplus > 0
    }

    /// The line at hand, on the way back, has so many rows.
    fn went_back(&mut self, rows: usize) {
        let count = rows as u64;
        if self.surplus >= count.max(1) {
            self.surplus -= count;
            self.end = self.at;
        } else if self.surplus > 0 {
            self.cut.1 = std::mem::take(&mut self.surplus) as usize;
        }
        self.cut.0 = count.saturating_sub(self.missing) as usize;
        self.missing = self.missing.saturating_sub(count);
    }

    /// The way back is over: goes forward from here, or from the beginning.
    fn turn_round(&mut self) {
        (self.missing, self.surplus) = (0, 0);
        if let Some(beginning) = self.beginning.take() {
            self.at = beginning.min(self.end);
            self.cut.0 = 0;
        }
    }

    fn rows(&self, line: &HistoryLine, widths: &Widths) -> Vec<HistoryLine> {
        match self.cols {
            Some(cols) => line.wrapped(cols, widths),
            None => vec![line.clone()],
        }
    }
}

/// Rows that have left the screen of a line whose end is still on it.
fn head_rows(terminal: &Terminal, cols: usize) -> Vec<HistoryLine> {
    if terminal.modes().alternate_screen {
        return Vec::new();
    }
    let on_screen = (0..terminal.size().rows)
        .take_while(|y| terminal.row_wrapped(*y))
        .count()
        .saturating_add(1);
    let Some(first) = terminal.screen_lines().into_iter().next() else { return Vec::new() };
    let mut rows = first.wrapped(cols, terminal.widths());
    rows.truncate(rows.len().saturating_sub(on_screen));
    rows
}
