//! A pane's history on disk, line by line.

use std::cell::RefCell;
use std::sync::Arc;

use ccmux_term::{HistoryLine, decode_history};

use crate::persistence::scrollback::{HistoryBlock, HistoryRead, PaneHistory};

/// History lines in chunks, decoded as they are asked for. The last block stays decoded, since
/// lines are mostly read in order.
#[derive(Debug, Default)]
pub(crate) struct StoredLines(RefCell<Option<Inner>>);

#[derive(Debug)]
struct Inner {
    history: PaneHistory,
    block: Option<Arc<HistoryBlock>>,
    lines: Vec<HistoryLine>,
}

impl StoredLines {
    /// The lines of a history.
    pub(crate) fn new(history: PaneHistory) -> Self {
        let inner = Inner { history, block: None, lines: Vec::new() };
        Self(RefCell::new(Some(inner)))
    }

    /// Number of the first line; `None` if there are none.
    pub(crate) fn first_line(&self) -> Option<u64> {
        let inner = self.0.borrow();
        let history = &inner.as_ref()?.history;
        (history.first_line() < history.end_line()).then(|| history.first_line())
    }

    /// A line; `None` if it is not there or cannot be read.
    pub(crate) fn line(&self, number: u64) -> Option<HistoryLine> {
        let mut inner = self.0.borrow_mut();
        inner.as_mut()?.line(number)
    }
}

impl Inner {
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
