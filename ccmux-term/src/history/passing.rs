//! A line put together from text and styles as they come, without cells: of output that has left the
//! screen before anybody could see it.

use crate::grid::pens::StyleCode;
use crate::wire;

/// A line of the history that is being put together. Its memory is used again for the next one.
#[derive(Clone, Debug)]
pub(crate) struct PassingLine {
    text: Vec<u8>,
    /// Encoded runs, those at the end in the default style among them.
    runs: Vec<u8>,
    /// Where in `runs` the last one ends that is not in the default style.
    styled_end: usize,
    /// The run that may grow: where its text begins, and how it looks.
    start: usize,
    style: StyleCode,
}

impl Default for PassingLine {
    fn default() -> Self {
        let (text, runs) = (Vec::new(), Vec::new());
        Self { text, runs, styled_end: 0, start: 0, style: StyleCode::DEFAULT }
    }
}

impl PassingLine {
    /// Begins the next line.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.runs.clear();
        self.styled_end = 0;
        self.start = 0;
        self.style = StyleCode::DEFAULT;
    }

    /// Adds the first `len` bytes of `text` in a style. What is behind them may be read, too.
    #[inline]
    pub(crate) fn push(&mut self, text: &[u8], len: usize, style: StyleCode) {
        if style != self.style {
            self.end_run();
            self.style = style;
        }
        wire::put_short(&mut self.text, text, len);
    }

    #[inline]
    fn end_run(&mut self) {
        let len = self.text.len() - self.start;
        if len == 0 {
            return;
        }
        self.start = self.text.len();
        self.style.put_run(len, &mut self.runs);
        if self.style != StyleCode::DEFAULT {
            self.styled_end = self.runs.len();
        }
    }

    /// Appends the line to `out`, as [`HistoryLine::encode`](super::HistoryLine::encode) does. `fill` is
    /// how the blanks behind the text look.
    #[inline]
    pub(crate) fn write(&mut self, fill: StyleCode, out: &mut Vec<u8>) {
        self.end_run();
        let has_fill = fill != StyleCode::DEFAULT;
        let has_extras = has_fill || self.styled_end > 0;
        wire::put_number(out, (self.text.len() as u64) << 1 | u64::from(has_extras));
        out.extend_from_slice(&self.text);
        if !has_extras {
            return;
        }
        let fill_len = if has_fill { fill.len() } else { 0 };
        wire::put_number(out, (1 + fill_len + self.styled_end) as u64);
        out.push(u8::from(has_fill) << 2);
        if has_fill {
            fill.put(out);
        }
        out.extend_from_slice(&self.runs[..self.styled_end]);
    }
}
