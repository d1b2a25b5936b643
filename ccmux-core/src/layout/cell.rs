//! The tree itself: cells with sizes, paths to cells, and the two primitives all resizing uses,
//! how much a cell can lose ([`Cell::slack`]) and adding or taking that much ([`Cell::adjust`]).

use crate::geometry::{Rect, Size, SplitDirection};
use crate::ids::PaneId;

/// The least extent of a pane, in either direction.
pub(super) const PANE_MIN: u16 = 1;

/// Indexes of children, from the root down.
pub(super) type Path = Vec<usize>;

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Cell {
    pub(super) size: Size,
    pub(super) kind: CellKind,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum CellKind {
    Leaf(PaneId),
    Split(SplitDirection, Vec<Cell>),
}

/// The extent of a size along a split: columns side by side, rows when stacked.
pub(super) fn extent(size: Size, along: SplitDirection) -> u16 {
    match along {
        SplitDirection::Horizontal => size.cols,
        SplitDirection::Vertical => size.rows,
    }
}

/// A size with its extent along a split replaced.
pub(super) fn with_extent(size: Size, along: SplitDirection, extent: u16) -> Size {
    match along {
        SplitDirection::Horizontal => Size { cols: extent, ..size },
        SplitDirection::Vertical => Size { rows: extent, ..size },
    }
}

impl Cell {
    pub(super) fn leaf(pane: PaneId, size: Size) -> Cell {
        Cell { size, kind: CellKind::Leaf(pane) }
    }

    pub(super) fn split(along: SplitDirection, size: Size, children: Vec<Cell>) -> Cell {
        Cell { size, kind: CellKind::Split(along, children) }
    }

    pub(super) fn extent(&self, along: SplitDirection) -> u16 {
        extent(self.size, along)
    }

    pub(super) fn set_extent(&mut self, along: SplitDirection, extent: u16) {
        self.size = with_extent(self.size, along, extent);
    }

    pub(super) fn is_split_along(&self, along: SplitDirection) -> bool {
        matches!(self.kind, CellKind::Split(direction, _) if direction == along)
    }

    pub(super) fn children(&self) -> &[Cell] {
        match &self.kind {
            CellKind::Leaf(_) => &[],
            CellKind::Split(_, children) => children,
        }
    }

    pub(super) fn leaf_count(&self) -> usize {
        match &self.kind {
            CellKind::Leaf(_) => 1,
            CellKind::Split(_, children) => children.iter().map(Cell::leaf_count).sum(),
        }
    }

    /// How many splits lie around the innermost pane.
    pub(super) fn depth(&self) -> usize {
        match &self.kind {
            CellKind::Leaf(_) => 0,
            CellKind::Split(_, children) => 1 + children.iter().map(Cell::depth).max().unwrap_or(0),
        }
    }

    /// Calls `visit` for each leaf, depth first, which is the order of pane indexes.
    pub(super) fn for_each_leaf(&self, x: u16, y: u16, visit: &mut impl FnMut(PaneId, Rect)) {
        match &self.kind {
            CellKind::Leaf(pane) => {
                visit(*pane, Rect { x, y, cols: self.size.cols, rows: self.size.rows });
            }
            CellKind::Split(along, children) => {
                let (mut x, mut y) = (x, y);
                for child in children {
                    child.for_each_leaf(x, y, visit);
                    match along {
                        SplitDirection::Horizontal => x += child.size.cols + 1,
                        SplitDirection::Vertical => y += child.size.rows + 1,
                    }
                }
            }
        }
    }

    /// Replaces each pane by what `rename` makes of it, in order of pane indexes.
    pub(super) fn rename_leaves(&mut self, rename: &mut impl FnMut(PaneId) -> PaneId) {
        match &mut self.kind {
            CellKind::Leaf(pane) => *pane = rename(*pane),
            CellKind::Split(_, children) => {
                for child in children {
                    child.rename_leaves(rename);
                }
            }
        }
    }

    pub(super) fn path_to(&self, wanted: PaneId) -> Option<Path> {
        match &self.kind {
            CellKind::Leaf(pane) => (*pane == wanted).then(Vec::new),
            CellKind::Split(_, children) => children.iter().enumerate().find_map(|(i, child)| {
                let mut path = child.path_to(wanted)?;
                path.insert(0, i);
                Some(path)
            }),
        }
    }

    /// The cell at a path that [`Cell::path_to`] gave.
    pub(super) fn at_mut(&mut self, path: &[usize]) -> &mut Cell {
        let mut cell = self;
        for &index in path {
            let CellKind::Split(_, children) = &mut cell.kind else {
                unreachable!("BUG: a path leads through a pane")
            };
            cell = &mut children[index];
        }
        cell
    }

    /// The cell at a path, by reference.
    pub(super) fn at(&self, path: &[usize]) -> &Cell {
        path.iter().fold(self, |cell, &index| &cell.children()[index])
    }

    /// How much the cell can lose along a direction until a pane in it reaches the minimum.
    pub(super) fn slack(&self, along: SplitDirection) -> u16 {
        match &self.kind {
            CellKind::Leaf(_) => self.extent(along).saturating_sub(PANE_MIN),
            CellKind::Split(direction, children) => {
                let slacks = children.iter().map(|child| child.slack(along));
                if *direction == along { slacks.sum() } else { slacks.min().unwrap_or(0) }
            }
        }
    }

    /// Grows (or, by at most its slack, shrinks) the cell. Its children get the change one cell at a
    /// time, round after round, those that have nothing left to lose being passed over.
    ///
    /// Each of these steps is an adjustment of its own to the splits further in, and so begins with
    /// their first child again: that is tmux's rule, visible in where its borders end up.
    pub(super) fn adjust(&mut self, along: SplitDirection, change: i32) {
        let extent = i32::from(self.extent(along)) + change;
        let extent = u16::try_from(extent).expect("BUG: a cell was shrunk by more than its slack");
        self.set_extent(along, extent);
        let CellKind::Split(direction, children) = &mut self.kind else { return };
        if *direction != along {
            for child in children {
                child.adjust(along, change);
            }
            return;
        }
        let step = change.signum();
        let mut left = change.abs();
        while left > 0 {
            let before = left;
            for child in children.iter_mut() {
                if left > 0 && (step > 0 || child.slack(along) > 0) {
                    child.adjust(along, step);
                    left -= 1;
                }
            }
            assert!(left < before, "BUG: a split was shrunk by more than its slack");
        }
    }
}
