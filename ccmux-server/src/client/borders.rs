//! The lines between panes: which character goes where, and which belong to the active pane.

use ccmux_core::geometry::{Rect, Size};

/// One cell of a border.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct BorderCell {
    pub(crate) x: u16,
    pub(crate) y: u16,
    pub(crate) glyph: char,
    /// Whether it marks the active pane.
    pub(crate) is_active: bool,
}

/// The border cells of a window: everything that no pane covers.
///
/// Of two panes, each gets one half of the line between them, as in tmux: else the line would look
/// the same whichever is active.
pub(crate) fn border_cells(size: Size, panes: &[Rect], active: Option<Rect>) -> Vec<BorderCell> {
    if panes.len() < 2 {
        return Vec::new();
    }
    let grid = Coverage::of(size, panes);
    let mut cells = Vec::new();
    for y in 0..size.rows {
        for x in 0..size.cols {
            if grid.is_pane(x, y) {
                continue;
            }
            let is_active = active.is_some_and(|active| match panes {
                [first, second] => marks_half(active, *first, *second, (x, y)),
                _ => touches(active, x, y),
            });
            cells.push(BorderCell { x, y, glyph: grid.glyph(x, y), is_active });
        }
    }
    cells
}

/// Which cells panes cover.
struct Coverage {
    size: Size,
    is_pane: Vec<bool>,
}

impl Coverage {
    fn of(size: Size, panes: &[Rect]) -> Self {
        let mut is_pane = vec![false; usize::from(size.cols) * usize::from(size.rows)];
        for pane in panes {
            for y in pane.y..(pane.y + pane.rows).min(size.rows) {
                let row = usize::from(y) * usize::from(size.cols);
                let end = (pane.x + pane.cols).min(size.cols).max(pane.x);
                if pane.x < size.cols {
                    is_pane[row + usize::from(pane.x)..row + usize::from(end)].fill(true);
                }
            }
        }
        Self { size, is_pane }
    }

    fn is_pane(&self, x: u16, y: u16) -> bool {
        self.is_pane[usize::from(y) * usize::from(self.size.cols) + usize::from(x)]
    }

    fn is_border(&self, x: Option<u16>, y: Option<u16>) -> bool {
        matches!((x, y), (Some(x), Some(y))
            if x < self.size.cols && y < self.size.rows && !self.is_pane(x, y))
    }

    fn glyph(&self, x: u16, y: u16) -> char {
        let up = self.is_border(Some(x), y.checked_sub(1));
        let down = self.is_border(Some(x), y.checked_add(1));
        let left = self.is_border(x.checked_sub(1), Some(y));
        let right = self.is_border(x.checked_add(1), Some(y));
        match (up, down, left, right) {
            (true, true, true, true) => '┼',
            (true, true, true, false) => '┤',
            (true, true, false, true) => '├',
            (true, false, true, true) => '┴',
            (false, true, true, true) => '┬',
            (false, true, false, true) => '┌',
            (false, true, true, false) => '┐',
            (true, false, false, true) => '└',
            (true, false, true, false) => '┘',
            (false, false, true, _) | (false, false, _, true) => '─',
            _ => '│',
        }
    }
}

/// What stands for the character of a border where that is wide (`codepoint-widths`).
pub(crate) fn ascii(glyph: char) -> char {
    match glyph {
        '─' => '-',
        '│' => '|',
        _ => '+',
    }
}

/// Whether a border cell lies directly beside a pane, corners included.
pub(crate) fn touches(pane: Rect, x: u16, y: u16) -> bool {
    let columns = pane.x.saturating_sub(1)..=pane.x + pane.cols;
    let rows = pane.y.saturating_sub(1)..=pane.y + pane.rows;
    columns.contains(&x) && rows.contains(&y)
}

/// Of two panes side by side the left one owns the upper half of their border; of two above one
/// another the upper one owns the left half.
fn marks_half(active: Rect, first: Rect, second: Rect, (x, y): (u16, u16)) -> bool {
    let is_first = active == first;
    let is_upper_or_left = if first.y == second.y {
        y <= first.y + first.rows / 2
    } else {
        x <= first.x + first.cols / 2
    };
    is_first == is_upper_or_left
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rect(x: u16, y: u16, cols: u16, rows: u16) -> Rect {
        Rect { x, y, cols, rows }
    }

    /// Draws the borders; active cells of a light line become heavy ones.
    fn draw(size: Size, panes: &[Rect], active: Rect) -> String {
        let mut grid = vec![vec![' '; usize::from(size.cols)]; usize::from(size.rows)];
        for cell in border_cells(size, panes, Some(active)) {
            let heavy = match cell.glyph {
                '│' => '┃',
                '─' => '━',
                other => other,
            };
            grid[usize::from(cell.y)][usize::from(cell.x)] =
                if cell.is_active { heavy } else { cell.glyph };
        }
        grid.iter().map(|row| row.iter().collect::<String>() + "\n").collect()
    }

    #[test]
    fn one_pane_has_no_border() {
        let size = Size { cols: 4, rows: 2 };
        assert!(border_cells(size, &[rect(0, 0, 4, 2)], None).is_empty());
    }

    #[test]
    fn lines_meet_where_panes_do() {
        let size = Size { cols: 7, rows: 5 };
        let panes = [rect(0, 0, 3, 5), rect(4, 0, 3, 2), rect(4, 3, 3, 2)];
        assert_eq!(draw(size, &panes, panes[1]), "   ┃   \n   ┃   \n   ├━━━\n   │   \n   │   \n");
    }

    #[test]
    fn of_two_panes_each_has_half_the_line() {
        let size = Size { cols: 5, rows: 4 };
        let panes = [rect(0, 0, 2, 4), rect(3, 0, 2, 4)];
        assert_eq!(draw(size, &panes, panes[0]), "  ┃  \n  ┃  \n  ┃  \n  │  \n");
        assert_eq!(draw(size, &panes, panes[1]), "  │  \n  │  \n  │  \n  ┃  \n");
    }
}
