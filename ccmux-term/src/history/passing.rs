//! A line put together from text and styles as they come, without cells: of output that has left the
//! screen before anybody could see it.

use crate::{Style, wire};

/// A line of the history that is being put together. Its memory is used again for the next one.
#[derive(Clone, Debug, Default)]
pub(crate) struct PassingLine {
    text: Vec<u8>,
    /// Encoded runs, those at the end in the default style among them.
    runs: Vec<u8>,
    /// Where in `runs` the last one ends that is not in the default style.
    styled_end: usize,
    /// The run that may grow: where its text begins, and how it looks.
    start: usize,
    style: Style,
}

impl PassingLine {
    /// Begins the next line.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.runs.clear();
        self.styled_end = 0;
        self.start = 0;
        self.style = Style::default();
    }

    /// Adds the first `len` bytes of `text` in a style. What is behind them may be read, too.
    #[inline]
    pub(crate) fn push(&mut self, text: &[u8], len: usize, style: &Style) {
        if *style != self.style {
            self.end_run();
            self.style = *style;
        }
        wire::put_short(&mut self.text, text, len);
    }

    fn end_run(&mut self) {
        let len = self.text.len() - self.start;
        if len == 0 {
            return;
        }
        self.start = self.text.len();
        wire::put_number(&mut self.runs, len as u64);
        wire::put_style(&mut self.runs, &self.style, None);
        if self.style != Style::default() {
            self.styled_end = self.runs.len();
        }
    }

    /// Appends the line to `out`, as [`HistoryLine::encode`](super::HistoryLine::encode) does. `fill` is
    /// how the blanks behind the text look.
    #[inline]
    pub(crate) fn write(&mut self, fill: &Style, out: &mut Vec<u8>) {
        self.end_run();
        let has_fill = *fill != Style::default();
        let has_extras = has_fill || self.styled_end > 0;
        wire::put_number(out, (self.text.len() as u64) << 1 | u64::from(has_extras));
        out.extend_from_slice(&self.text);
        if !has_extras {
            return;
        }
        let mut head = Vec::new();
        if has_fill {
            wire::put_style(&mut head, fill, None);
        }
        wire::put_number(out, (1 + head.len() + self.styled_end) as u64);
        out.push(u8::from(has_fill) << 2);
        out.extend_from_slice(&head);
        out.extend_from_slice(&self.runs[..self.styled_end]);
    }
}
