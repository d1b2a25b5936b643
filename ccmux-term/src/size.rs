//! The size of a screen, and the bounds that keep a hostile size from costing memory.

/// Columns and rows of a screen.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Size {
    /// Columns.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
}

impl Size {
    /// Fewest columns a screen has: a wide character must fit on a row.
    pub const COLS_MIN: u16 = 2;
    /// Most columns and most rows a screen has.
    pub const SIDE_MAX: u16 = 10_000;
    /// Most cells a screen has.
    pub const CELLS_MAX: usize = 1 << 20;

    /// The nearest size a screen can have: within [`Size::COLS_MIN`], [`Size::SIDE_MAX`] and
    /// [`Size::CELLS_MAX`], with at least one row.
    #[must_use]
    pub fn clamped(self) -> Self {
        let cols = self.cols.clamp(Self::COLS_MIN, Self::SIDE_MAX);
        let rows_max = (Self::CELLS_MAX / usize::from(cols)).min(usize::from(Self::SIDE_MAX));
        let rows = usize::from(self.rows).clamp(1, rows_max) as u16;
        Self { cols, rows }
    }
}
