//! From cells to an encoded line without a [`HistoryLine`] in between, for all lines but those with
//! links: what a program prints in colours scrolls out this way.

use super::scrollback::{append_ascii, append_text, is_ascii};
use crate::LineMarks;
use crate::grid::cell::{Cell, PenId};
use crate::grid::clusters::ClusterTable;
use crate::grid::pens::{PenTable, StyleCode};
use crate::wire;

/// Everything about a line but its cells.
#[derive(Clone, Copy, Debug)]
pub(super) struct LineEnds {
    pub(super) marks: LineMarks,
    pub(super) fill: PenId,
    pub(super) continues: bool,
}

/// What lines are encoded with. It is kept for its memory only.
#[derive(Clone, Debug, Default)]
pub(super) struct LineEncoder {
    text: Vec<u8>,
    extras: Vec<u8>,
}

impl LineEncoder {
    /// Encodes a line as [`HistoryLine::encode`](super::HistoryLine::encode) does; [`Self::write`]
    /// writes it. Returns false if part of it is a link: then this is not the way.
    pub(super) fn encode(
        &mut self,
        cells: &[Cell],
        ends: LineEnds,
        pens: &PenTable,
        clusters: &ClusterTable,
    ) -> bool {
        self.text.clear();
        self.extras.clear();
        let Some(fill) = pens.code(ends.fill) else { return false };
        let has_fill = fill != StyleCode::DEFAULT;
        self.extras.push(
            u8::from(ends.continues)
                | u8::from(!ends.marks.is_empty()) << 1
                | u8::from(has_fill) << 2,
        );
        if !ends.marks.is_empty() {
            self.extras.push(ends.marks.bits());
        }
        if has_fill {
            fill.put(&mut self.extras);
        }
        let has_extras = self.extras[0] != 0;
        // Runs that end the line in the default style are not written.
        let mut styled_end = self.extras.len();
        let before_runs = styled_end;
        let is_ascii = is_ascii(cells);
        if is_ascii {
            append_ascii(&mut self.text, cells);
        }
        // Pens may differ in what is no part of a line, so runs are joined.
        let mut last = (0, StyleCode::DEFAULT);
        for run in cells.chunk_by(|a, b| a.pen == b.pen) {
            let Some(code) = pens.code(run[0].pen) else { return false };
            let len = if is_ascii {
                run.len()
            } else {
                let start = self.text.len();
                append_text(&mut self.text, run, clusters);
                self.text.len() - start
            };
            if code == last.1 {
                last.0 += len;
            } else {
                styled_end = self.put_run(last, styled_end);
                last = (len, code);
            }
        }
        styled_end = self.put_run(last, styled_end);
        self.extras.truncate(if has_extras || styled_end > before_runs { styled_end } else { 0 });
        true
    }

    /// Writes a run; returns where the last one ends that is not in the default style.
    fn put_run(&mut self, (len, code): (usize, StyleCode), styled_end: usize) -> usize {
        if len == 0 {
            return styled_end;
        }
        code.put_run(len, &mut self.extras);
        if code == StyleCode::DEFAULT { styled_end } else { self.extras.len() }
    }

    /// Appends the encoded line to `out`.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let has_extras = !self.extras.is_empty();
        wire::put_number(out, (self.text.len() as u64) << 1 | u64::from(has_extras));
        out.extend_from_slice(&self.text);
        if has_extras {
            wire::put_bytes(out, &self.extras);
        }
    }
}
