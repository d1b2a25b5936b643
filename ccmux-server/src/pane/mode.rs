//! A pane that shows something other than its screen: its history in copy mode, or the output of a
//! command.

use ccmux_term::copy_mode::{CopyMode, LineSource};
use ccmux_term::{HistoryLine, Terminal};

use crate::persistence::scrollback::PaneHistory;

/// What a pane shows instead of its screen.
#[derive(Debug)]
pub(crate) struct PaneMode {
    /// View, cursor, search and selection.
    pub(crate) copy: CopyMode,
    /// What is looked at.
    pub(crate) source: ModeSource,
}

/// What a mode looks at.
#[derive(Debug)]
pub(crate) enum ModeSource {
    /// The pane itself: chunks on disk, then lines in memory, then the screen.
    Pane(PaneHistory),
    /// Lines a command printed (`list-keys` from a key binding).
    Text(Vec<HistoryLine>),
}

impl ModeSource {
    /// Lines of plain text.
    pub(crate) fn text(lines: impl IntoIterator<Item = String>) -> Self {
        let line = |text| HistoryLine { text, ..HistoryLine::default() };
        Self::Text(lines.into_iter().map(line).collect())
    }
}

/// All lines of a pane, numbered as its history is: those on disk, in memory, and on the screen.
#[derive(Debug)]
pub(crate) struct PaneLines<'a> {
    history: &'a PaneHistory,
    terminal: &'a Terminal,
    screen: Vec<HistoryLine>,
}

impl<'a> PaneLines<'a> {
    /// The lines as they are now.
    pub(crate) fn new(history: &'a PaneHistory, terminal: &'a Terminal) -> Self {
        Self { history, terminal, screen: terminal.screen_lines() }
    }
}

impl LineSource for PaneLines<'_> {
    fn start(&self) -> u64 {
        let in_memory = self.terminal.history_start();
        match self.history.first_line() {
            Some(on_disk) => on_disk.min(in_memory).max(self.terminal.history_cleared_before()),
            None => in_memory,
        }
    }

    fn end(&self) -> u64 {
        self.terminal.history_end() + self.screen.len() as u64
    }

    fn line(&self, number: u64) -> Option<HistoryLine> {
        let end = self.terminal.history_end();
        if number >= end {
            return self.screen.get(usize::try_from(number - end).ok()?).cloned();
        }
        self.terminal.history_line(number).or_else(|| self.history.line(number))
    }
}

/// The lines of [`ModeSource::Text`].
#[derive(Debug)]
pub(crate) struct TextLines<'a>(pub(crate) &'a [HistoryLine]);

impl LineSource for TextLines<'_> {
    fn start(&self) -> u64 {
        0
    }

    fn end(&self) -> u64 {
        self.0.len() as u64
    }

    fn line(&self, number: u64) -> Option<HistoryLine> {
        self.0.get(usize::try_from(number).ok()?).cloned()
    }
}
