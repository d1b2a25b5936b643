//! A pane's history on disk, line by line.

use std::cell::RefCell;
use std::sync::Arc;

use ccmux_term::{EncodedLines, HistoryFormat, HistoryLine, decode_history};

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

    /// Calls `visit` with lines around `number` as they are stored; false if it is beyond them.
    pub(crate) fn visit(&self, number: u64, visit: &mut dyn FnMut(EncodedLines<'_>)) -> bool {
        // `visit` may ask for other lines: nothing is borrowed while it runs.
        let read = {
            let mut parts = self.parts.borrow_mut();
            let mut parts = parts.iter_mut();
            parts
                .find(|part| number < part.history.end_line())
                .map(|part| part.history.read(number))
        };
        let (block, valid) = match read {
            None => return false,
            Some(HistoryRead::Block { block, valid }) => (block, valid),
            Some(HistoryRead::Missing(lines)) => {
                visit(EncodedLines::missing(lines));
                return true;
            }
        };
        let count = u64::from(block.count);
        let lines = EncodedLines::new(format_of(&block), block.first_line, count, &block.bytes);
        let lines = lines.unwrap_or_else(|_| EncodedLines::missing(valid.clone()));
        visit(lines.within(valid.start.max(self.bound)..valid.end));
        true
    }

    /// A line; `None` if it is not there or cannot be read.
    pub(crate) fn line(&self, number: u64) -> Option<HistoryLine> {
        let mut parts = self.parts.borrow_mut();
        parts.iter_mut().find(|part| number < part.history.end_line())?.line(number)
    }
}

fn format_of(block: &HistoryBlock) -> HistoryFormat {
    if block.has_times { HistoryFormat::TimesAndLines } else { HistoryFormat::Lines }
}

impl Part {
    fn line(&mut self, number: u64) -> Option<HistoryLine> {
        let HistoryRead::Block { block, valid } = self.history.read(number) else { return None };
        if !valid.contains(&number) {
            return None;
        }
        if !self.block.as_ref().is_some_and(|known| Arc::ptr_eq(known, &block)) {
            self.lines = decode_history(format_of(&block), &block.bytes, u64::from(block.count))
                .collect::<Result<_, _>>()
                .ok()?;
            self.block = Some(Arc::clone(&block));
        }
        let at = usize::try_from(number - block.first_line).ok()?;
        self.lines.get(at).cloned()
    }
}
