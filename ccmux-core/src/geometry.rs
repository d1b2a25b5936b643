//! Sizes and directions on the character grid.

/// A size in character cells.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Size {
    /// Columns, at least 1.
    pub cols: u16,
    /// Rows, at least 1.
    pub rows: u16,
}

impl Size {
    /// The size tmux gives a detached session (`default-size`).
    pub const DEFAULT: Size = Size { cols: 80, rows: 24 };
    /// The largest size accepted in either dimension (tmux's `WINDOW_MAXIMUM`).
    pub const MAX: u16 = 10_000;

    /// The nearest size within the bounds.
    #[must_use]
    pub fn clamped(self) -> Size {
        Size { cols: self.cols.clamp(1, Size::MAX), rows: self.rows.clamp(1, Size::MAX) }
    }
}

/// A rectangle on a window: offset from its top left corner, and extent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Rect {
    /// Column of the left edge, from 0.
    pub x: u16,
    /// Row of the top edge, from 0.
    pub y: u16,
    /// Columns.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
}

/// How a split lies: `Horizontal` puts panes side by side (tmux's `-h`), `Vertical` stacks them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SplitDirection {
    /// Left and right.
    Horizontal,
    /// Above and below.
    Vertical,
}

impl SplitDirection {
    /// The other one.
    #[must_use]
    pub fn across(self) -> SplitDirection {
        match self {
            SplitDirection::Horizontal => SplitDirection::Vertical,
            SplitDirection::Vertical => SplitDirection::Horizontal,
        }
    }
}

/// One of four directions, as in `select-pane -L`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Direction {
    /// Left.
    Left,
    /// Right.
    Right,
    /// Up.
    Up,
    /// Down.
    Down,
}

/// A length in one dimension, absolute or relative.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Extent {
    /// So many cells.
    Cells(u16),
    /// So many hundredths of a whole; at most 100.
    Percent(u8),
}

impl Extent {
    /// The length in cells, given the whole.
    pub fn of(self, whole: u16) -> u16 {
        match self {
            Extent::Cells(cells) => cells,
            Extent::Percent(percent) => {
                let part = u32::from(whole) * u32::from(percent.min(100)) / 100;
                u16::try_from(part).expect("a part is no larger than the whole")
            }
        }
    }
}

/// The text is neither a number of cells nor a percentage.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("invalid size: {0}")]
pub struct ParseExtentError(String);

impl std::str::FromStr for Extent {
    type Err = ParseExtentError;

    fn from_str(text: &str) -> Result<Extent, ParseExtentError> {
        let extent = match text.strip_suffix('%') {
            Some(percent) => percent.parse().ok().filter(|p| *p <= 100).map(Extent::Percent),
            None => text.parse().ok().map(Extent::Cells),
        };
        extent.ok_or_else(|| ParseExtentError(text.to_owned()))
    }
}
