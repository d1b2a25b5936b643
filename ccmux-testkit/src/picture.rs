//! What a terminal shows, to be compared with what another one shows.

use std::fmt::{self, Write as _};

use ccmux_term::{Attributes, Color, Size, Style, Terminal, Underline};

/// A rectangle of a screen: for each row its cells, each with its text, width and looks.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    rows: Vec<Vec<Cell>>,
}

/// One character, or a cluster of them.
#[derive(Clone, PartialEq, Eq)]
struct Cell {
    text: String,
    width: u8,
    style: Style,
}

/// Where a pane lies on the screen of a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Area {
    /// First column.
    pub left: u16,
    /// First row.
    pub top: u16,
    /// Columns.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
}

impl Picture {
    /// What `terminal` shows in `area`.
    pub fn of(terminal: &Terminal, area: Area) -> Picture {
        let row = |y| {
            let mut x = 0;
            let mut cells = Vec::new();
            for cell in terminal.row(y).cells() {
                if x >= area.left && x < area.left + area.cols {
                    let text = cell.text().to_owned();
                    let style = visible(&text, cell.style);
                    cells.push(Cell { text, width: cell.width, style });
                }
                x += u16::from(cell.width);
            }
            cells
        };
        Picture { rows: (area.top..area.top + area.rows).map(row).collect() }
    }

    /// What lines with escape sequences look like, as `capture-pane -e -p` prints them.
    pub fn of_capture(capture: &str, cols: u16, rows: u16) -> Picture {
        let mut terminal = Terminal::new(Size { cols, rows });
        // A line that fills its row must not push the next one down.
        terminal.advance(b"\x1b[?7l");
        let lines: Vec<&str> = capture.lines().collect();
        terminal.advance(lines.join("\r\n").as_bytes());
        Picture::of(&terminal, Area { left: 0, top: 0, cols, rows })
    }
}

/// What of a style can be seen on this text: a space has no weight, and nothing of a foreground
/// but lines.
fn visible(text: &str, mut style: Style) -> Style {
    if text.trim().is_empty() {
        style.attributes &= Attributes::REVERSE | Attributes::STRIKETHROUGH | Attributes::OVERLINE;
        if style.attributes.is_empty() && style.underline == Underline::None {
            style.fg = Color::Default;
        }
    }
    style
}

impl Picture {
    /// The first row that differs, in both, for a person to compare.
    pub fn difference(&self, other: &Picture) -> Option<String> {
        let mut rows = self.rows.iter().zip(&other.rows).enumerate();
        let (y, (ours, theirs)) = rows.find(|(_, (ours, theirs))| ours != theirs)?;
        let show = |row: &Vec<Cell>| format!("{:?}", Picture { rows: vec![row.clone()] });
        Some(format!("row {y}:{}{}", show(ours), show(theirs)))
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in &self.rows {
            f.write_char('\n')?;
            let mut style = Style::default();
            for cell in row {
                if cell.style != style {
                    style = cell.style;
                    write!(f, "<{style:?}>")?;
                }
                f.write_str(&cell.text)?;
            }
        }
        Ok(())
    }
}
