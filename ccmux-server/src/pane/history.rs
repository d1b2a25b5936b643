//! A pane's history on disk, line by line.

use std::cell::RefCell;
use std::sync::Arc;

use ccmux_term::{HistoryLine, decode_history};

use crate::persistence::scrollback::{HistoryBlock, HistoryRead, PaneHistory};

/// History lines in chunks, decoded as they are asked for. The last block stays decoded, since
/// lines are mostly read in order.
#[derive(Debug, Default)]
pub(crate) struct StoredLines {
    parts: RefCell<Vec<Part>>,
    /// Lines before this one are beyond `history-limit`: chunks go whole, and so they are still there.
    bound: u64,
}

/// Lines that are kept in one place.
#[derive(Debug)]
struct Part {
    history: PaneHistory,
    block: Option<Arc<HistoryBlock>>,
    lines: Vec<HistoryLine>,
}

impl StoredLines {
    /// The lines of a history in one place or several, oldest first.
    pub(crate) fn new(histories: impl IntoIterator<Item = PaneHistory>) -> Self {
        let parts =
            histories.into_iter().map(|history| Part { history, block: None, lines: Vec::new() });
        Self { parts: RefCell::new(parts.collect()), bound: 0 }
    }

    /// The same without the lines before `bound`.
    pub(crate) fn bounded(self, bound: u64) -> Self {
        Self { bound, ..self }
    }

    /// Lines before this one are not shown, wherever they are kept.
    pub(crate) fn bound(&self) -> u64 {
        self.bound
    }

    /// Number of the first line; `None` if there are none.
    pub(crate) fn first_line(&self) -> Option<u64> {
        let parts = self.parts.borrow();
        let lines = parts.iter().map(|part| part.history.first_line()..part.history.end_line());
        lines.into_iter().find(|lines| !lines.is_empty()).map(|lines| lines.start)
    }

    /// A line; `None` if it is not there or cannot be read.
    pub(crate) fn line(&self, number: u64) -> Option<HistoryLine> {
        let mut parts = self.parts.borrow_mut();
        parts.iter_mut().find(|part| number < part.history.end_line())?.line(number)
    }
}

impl Part {
    fn line(&mut self, number: u64) -> Option<HistoryLine> {
        let HistoryRead::Block { block, valid } = self.history.read(number) else { return None };
        if !valid.contains(&number) {
            return None;
        }
        if !self.block.as_ref().is_some_and(|known| Arc::ptr_eq(known, &block)) {
            self.lines = decode_history(&block.bytes, u64::from(block.count))
                .collect::<Result<_, _>>()
                .ok()?;
            self.block = Some(Arc::clone(&block));
        }
        let at = usize::try_from(number - block.first_line).ok()?;
        self.lines.get(at).cloned()
    }
}
