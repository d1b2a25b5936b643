//! A pane that shows something other than its screen: its history in copy mode, or the output of a
//! command.

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::time::Duration;

use ccmux_core::options::Style as StyleChange;
use ccmux_term::compose::{Frame, Rect};
use ccmux_term::copy_mode::{CopyMode, CopyStyles, LineSource};
use ccmux_term::{EncodedLines, HistoryLine, Terminal, Widths};

use super::Pane;
use super::history::StoredLines;
use super::store::Scrollback;
use crate::client::style::look;

/// What a pane shows instead of its screen.
#[derive(Debug)]
pub(crate) struct PaneMode {
    /// View, cursor, search and selection.
    pub(crate) copy: CopyMode,
    /// What is looked at.
    pub(crate) source: ModeSource,
    /// How often the next command is run (`send-keys -N` without keys).
    pub(crate) repeat: Option<usize>,
    /// A search goes on when there is nothing more urgent.
    pub(crate) is_searching: bool,
    /// How much of it is done in one turn.
    pub(crate) portion: Portion,
}

/// How much text is searched in one turn: what takes a few milliseconds, be the pattern quick or slow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Portion {
    /// In bytes.
    pub(crate) bytes: usize,
}

/// A turn's share of a search takes between a half of this and all of it.
const PORTION_TIME: Duration = Duration::from_millis(4);
/// A portion is never smaller, and never larger.
const PORTION_BYTES: RangeInclusive<usize> = 16 * 1024..=8 << 20;

impl Default for Portion {
    fn default() -> Self {
        Self { bytes: 256 * 1024 }
    }
}

impl Portion {
    /// The next portion, after one that took so long.
    pub(crate) fn after(self, took: Duration) -> Self {
        let bytes = match took {
            took if took > PORTION_TIME => self.bytes / 2,
            took if took < PORTION_TIME / 2 => self.bytes * 2,
            _ => self.bytes,
        };
        Self { bytes: bytes.clamp(*PORTION_BYTES.start(), *PORTION_BYTES.end()) }
    }
}

/// What a mode looks at.
#[derive(Debug)]
pub(crate) enum ModeSource {
    /// The pane itself: chunks on disk, then lines in memory, then the screen.
    Pane(StoredLines),
    /// Lines a command printed (`list-keys` from a key binding).
    Text(Vec<HistoryLine>),
}

impl ModeSource {
    /// Lines of plain text.
    pub(crate) fn text(lines: impl IntoIterator<Item = String>) -> Self {
        let line = |text| HistoryLine { text, ..HistoryLine::default() };
        Self::Text(lines.into_iter().map(line).collect())
    }

    /// Asks something about the lines as they are now.
    pub(crate) fn with<T>(&self, terminal: &Terminal, ask: impl FnOnce(&dyn LineSource) -> T) -> T {
        match self {
            ModeSource::Pane(stored) => ask(&PaneLines::new(stored, terminal)),
            ModeSource::Text(lines) => ask(&TextLines(lines)),
        }
    }
}

impl Pane {
    /// Lets whoever looks at the history see what has left memory since.
    pub(crate) fn look_again(&mut self, scrollback: &Scrollback) {
        if let Some(PaneMode { source: ModeSource::Pane(lines), .. }) = &mut self.mode {
            *lines = scrollback.stored_lines(self.uuid).bounded(lines.bound());
        }
    }
}

impl PaneMode {
    /// Draws the mode where the pane lies.
    pub(crate) fn render(
        &self,
        terminal: &Terminal,
        frame: &mut Frame,
        place: Rect,
        styles: &[StyleChange; 3],
        is_active: bool,
    ) {
        let [mode, matches, current_match] = styles.each_ref().map(look);
        let styles = CopyStyles { mode, matches, current_match };
        let cursor =
            self.source.with(terminal, |lines| self.copy.render(lines, frame, place, &styles));
        if is_active {
            frame.place_cursor(place, cursor);
        }
    }
}

/// All lines of a pane, numbered as its history is: those on disk, in memory, and on the screen.
#[derive(Debug)]
pub(crate) struct PaneLines<'a> {
    stored: &'a StoredLines,
    terminal: &'a Terminal,
}

impl<'a> PaneLines<'a> {
    /// The lines as they are now.
    pub(crate) fn new(stored: &'a StoredLines, terminal: &'a Terminal) -> Self {
        Self { stored, terminal }
    }
}

impl LineSource for PaneLines<'_> {
    fn start(&self) -> u64 {
        let in_memory = self.terminal.history_start();
        let kept = self.stored.first_line().map_or(in_memory, |on_disk| on_disk.min(in_memory));
        kept.max(self.stored.bound()).min(self.end())
    }

    fn end(&self) -> u64 {
        self.terminal.history_end()
    }

    fn line(&self, number: u64) -> Option<Cow<'_, HistoryLine>> {
        if number < self.stored.bound() {
            return None;
        }
        let line = self.terminal.history_line(number).or_else(|| self.stored.line(number));
        line.or_else(|| self.terminal.returned_line(number)).map(Cow::Owned)
    }

    fn visit_encoded(&self, number: u64, visit: &mut dyn FnMut(EncodedLines<'_>)) -> bool {
        if number < self.stored.bound() {
            return false;
        }
        match self.terminal.encoded_history(number) {
            Some(lines) => {
                visit(lines.within(self.stored.bound()..u64::MAX));
                true
            }
            None => self.stored.visit(number, visit),
        }
    }

    fn screen(&self) -> Vec<HistoryLine> {
        self.terminal.screen_lines()
    }

    fn widths(&self) -> &Widths {
        self.terminal.widths()
    }
}

/// The lines of [`ModeSource::Text`]: a screen without history.
#[derive(Debug)]
struct TextLines<'a>(&'a [HistoryLine]);

impl LineSource for TextLines<'_> {
    fn start(&self) -> u64 {
        0
    }

    fn end(&self) -> u64 {
        0
    }

    fn line(&self, _number: u64) -> Option<Cow<'_, HistoryLine>> {
        None
    }

    fn screen(&self) -> Vec<HistoryLine> {
        self.0.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever a byte costs, after a few turns a portion takes a few milliseconds, as far as its bounds
    /// allow.
    #[test]
    fn portions_take_a_few_milliseconds() {
        for (nanos_per_byte, expected) in
            [(0, 8 << 20), (1, 2 << 20), (50, 64 << 10), (9000, 16 << 10)]
        {
            let mut portion = Portion::default();
            for _ in 0..20 {
                portion =
                    portion.after(Duration::from_nanos(nanos_per_byte * portion.bytes as u64));
            }
            assert_eq!(portion.bytes, expected, "{nanos_per_byte}");
        }
    }
}
