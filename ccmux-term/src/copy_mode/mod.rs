//! Looking through a pane's history: moving, searching, selecting, copying.
//!
//! History is kept as logical lines and wrapped when looked at. The view is therefore anchored to
//! a row of a line, never to a count of rows, and every key costs what is on the screen: no line
//! outside of it is wrapped but for counting (in small portions) and searching (interruptibly).
//!
//! The screen may still change and is copied on entering; history never changes, it can only
//! disappear at the beginning. So the view stands still while the pane's program goes on writing.
//!
//! Commands have tmux's names and do what tmux's do; see [`copy_command`].

mod command;
mod copy;
mod counter;
mod lines;
mod motion;
mod pattern;
mod render;
mod run;
mod scan;
mod search;
mod view;
mod words;
mod wrap;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub use command::{CopyCommand, copy_command};
pub use copy::{CopiedText, CopyTarget};
pub use pattern::SearchError;
pub use render::CopyStyles;
pub use run::{CopyMode, CopyOutcome};
pub use view::{CopyPlace, CopyPosition};
pub(crate) use wrap::wrap as wrap_ranges;

use crate::{EncodedLines, HistoryLine, Terminal, Widths};

/// The lines of a pane: its history, numbered from the pane's beginning, and its screen.
pub trait LineSource {
    /// The first line of the history that is still kept.
    fn start(&self) -> u64;

    /// One more than the last line of the history. Lines before it keep their number until they
    /// disappear, and their contents unless they go back to a screen that grows.
    fn end(&self) -> u64;

    /// A line of the history, or one that went back to the screen; `None` if it is not kept or cannot
    /// be read.
    fn line(&self, number: u64) -> Option<Cow<'_, HistoryLine>>;

    /// Calls `visit` with lines around `number`, that one among them, as they are kept. False if there
    /// are none such: then `line` is to be asked.
    fn visit_encoded(&self, number: u64, visit: &mut dyn FnMut(EncodedLines<'_>)) -> bool {
        let _ = (number, visit);
        false
    }

    /// The screen as it is now, blank lines at the bottom included. Asked for on entering and on
    /// `refresh-from-pane` only.
    fn screen(&self) -> Vec<HistoryLine>;

    /// How many columns characters take.
    fn widths(&self) -> &Widths {
        Widths::builtin()
    }
}

/// For panes whose history is in memory.
impl LineSource for Terminal {
    fn start(&self) -> u64 {
        self.history_start()
    }

    fn end(&self) -> u64 {
        self.history_end()
    }

    fn line(&self, number: u64) -> Option<Cow<'_, HistoryLine>> {
        self.history_line(number).or_else(|| self.returned_line(number)).map(Cow::Owned)
    }

    fn visit_encoded(&self, number: u64, visit: &mut dyn FnMut(EncodedLines<'_>)) -> bool {
        self.encoded_history(number).map(visit).is_some()
    }

    fn screen(&self) -> Vec<HistoryLine> {
        self.screen_lines()
    }

    fn widths(&self) -> &Widths {
        self.widths()
    }
}

/// Whose keys are in use (`mode-keys`): they differ in where the cursor stops.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum ModeKeys {
    /// A selection ends before the cursor.
    #[default]
    Emacs,
    /// A selection includes the character under the cursor.
    Vi,
}

/// What the user's options say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CopyOptions {
    /// `mode-keys`.
    pub keys: ModeKeys,
    /// `word-separators`.
    pub word_separators: String,
    /// `wrap-search`.
    pub wrap_search: bool,
    /// Scrolling down to the bottom leaves the mode (`copy-mode -e`).
    pub exit_at_bottom: bool,
    /// What `search-again` looks for before anything was searched for: the last search in the pane.
    pub last_search: Option<LastSearch>,
}

/// What was searched for last in a pane.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LastSearch {
    /// The text.
    pub needle: String,
    /// Whether it is a regular expression.
    pub is_regex: bool,
}

impl Default for CopyOptions {
    fn default() -> Self {
        Self {
            keys: ModeKeys::Emacs,
            word_separators: "!\"#$%&'()*+,-./:;<=>?@[\\]^`{|}~".to_owned(),
            wrap_search: true,
            exit_at_bottom: false,
            last_search: None,
        }
    }
}
