//! Copy mode drawn into a frame.

use std::ops::Range;

use super::lines::{Anchor, Lines, Point};
use super::wrap::wrap;
use super::{CopyMode, LineSource};
use crate::compose::width::clusters;
use crate::compose::{Frame, Rect};
use crate::{Color, Cursor, CursorShape, HistoryLine, Style, Widths};

/// How the parts of copy mode look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CopyStyles {
    /// `mode-style`: the selection.
    pub mode: Style,
    /// `copy-mode-match-style`.
    pub matches: Style,
    /// `copy-mode-current-match-style`.
    pub current_match: Style,
}

impl Default for CopyStyles {
    fn default() -> Self {
        let black_on =
            |color| Style { fg: Color::Indexed(0), bg: Color::Indexed(color), ..Style::default() };
        Self { mode: black_on(3), matches: black_on(6), current_match: black_on(5) }
    }
}

impl CopyMode {
    /// Draws the view at the top left of `area` and returns the cursor, counted from there. The
    /// area has the size that the mode was told. Where the view is, is for others to say.
    pub fn render(
        &self,
        source: &dyn LineSource,
        frame: &mut Frame,
        area: Rect,
        styles: &CopyStyles,
    ) -> Cursor {
        let lines = self.lines(&self.frozen, source);
        let rows = self.height().min(usize::from(area.rows)) as u16;
        frame.fill(area, Style::default());
        frame.add_scroll_area(area);
        let mut y = 0;
        let mut first_row = lines.clamp(self.top);
        while y < rows && first_row.line <= lines.last() {
            let line = lines.line(first_row.line);
            let marks = self.marks(lines, first_row.line, &line, styles);
            let wrapped = wrap(&line.text, lines.width, lines.widths());
            for (index, row) in wrapped.iter().enumerate().skip(first_row.row) {
                if y == rows {
                    break;
                }
                let is_last = index + 1 == wrapped.len();
                let fill = if is_last { line.fill } else { Style::default() };
                let row_area = Rect { y: area.y + y, rows: 1, ..area };
                frame.draw_history(row_area, &line, row.clone(), fill);
                draw_marks(frame, row_area, (&line.text, lines.widths()), row.clone(), &marks);
                y += 1;
            }
            first_row = Anchor { line: first_row.line + 1, row: 0 };
        }
        let (y, x) = self.cursor_place(lines);
        Cursor {
            x: x as u16,
            y: y as u16,
            visible: true,
            shape: CursorShape::Default,
            blinking: false,
        }
    }

    /// Parts of a line with their styles; later ones lie over earlier ones.
    fn marks(
        &self,
        lines: Lines<'_>,
        number: u64,
        line: &HistoryLine,
        styles: &CopyStyles,
    ) -> Vec<(Range<usize>, Style)> {
        let mut marks = Vec::new();
        if let Some(pattern) = self.pattern.as_ref().filter(|_| self.shows_matches) {
            for bytes in pattern.matches(&line.text) {
                let is_current = self
                    .found
                    .as_ref()
                    .is_some_and(|found| found.line == number && found.bytes == bytes);
                marks.push((bytes, if is_current { styles.current_match } else { styles.matches }));
            }
        }
        if let Some(selection) = &self.selection {
            let Range { start, end } = selection.range(lines, self.cursor, self.options.keys);
            let whole =
                Point { line: number, offset: 0 }..Point { line: number, offset: line.text.len() };
            let (from, to) = (start.max(whole.start), end.min(whole.end));
            if from < to {
                marks.push((from.offset..to.offset, styles.mode));
            }
        }
        marks
    }
}

fn draw_marks(
    frame: &mut Frame,
    area: Rect,
    (text, widths): (&str, &Widths),
    row: Range<usize>,
    marks: &[(Range<usize>, Style)],
) {
    if marks.is_empty() {
        return;
    }
    let mut x = 0;
    for cluster in clusters(&text[row.clone()], widths) {
        let at = row.start + cluster.start;
        let width = u16::from(cluster.width);
        if x + width > area.cols {
            break;
        }
        if let Some((_, style)) = marks.iter().rfind(|(bytes, _)| bytes.contains(&at)) {
            frame.set_style(Rect { x: area.x + x, cols: width, ..area }, *style);
        }
        x += width;
    }
}
