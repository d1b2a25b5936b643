//! The layout of a window: a tree of splits with panes as leaves, and what tmux does to it.
//!
//! Every operation takes the layout it starts from by reference and returns a new one, so that a
//! decision can be made, and refused, without touching the state. The tree is private: from
//! outside a layout is a size, a list of panes with rectangles, and a string.
//!
//! Invariants (held by construction and by [`Layout::parse`], tested by property):
//! * L1 The extents of a split's children plus one separator between neighbours add up to the
//!   split's own; across the split every child has the split's full extent.
//! * L2 No pane is smaller than one cell.
//! * L3 Every pane is in the tree exactly once, and there is at least one.
//! * L4 A split has at least two children. A child may split in the same direction as its parent:
//!   tmux leaves such nesting behind when panes close, and its layout strings show it.
//!
//! A layout never shrinks below what its panes need, so it can be larger than the size that was
//! asked for: a client then sees a part of the window, as in tmux.

mod cell;
mod neighbour;
mod preset;
mod resize;
mod split;
mod text;

use crate::geometry::{Rect, Size};
use crate::ids::PaneId;

use self::cell::Cell;

pub use self::preset::{Preset, PresetOptions, UnknownPreset};
pub use self::split::{NewPaneSize, Split};

/// How deep splits nest (L5). Real layouts stay under a dozen.
const DEPTH_MAX: usize = 128;

/// How many panes a window has (L5): side by side they still fit [`Size::MAX`].
const PANES_MAX: usize = 4096;

/// The arrangement of a window's panes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layout {
    root: Cell,
}

/// Why an operation on a layout was refused. The texts are tmux's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LayoutError {
    /// Both halves of a split need a cell, and the separator another.
    #[error("no space for new pane")]
    NoSpace,
    /// The pane is not in this layout.
    #[error("can't find pane: {0}")]
    NoSuchPane(PaneId),
    /// A window keeps its last pane until it closes itself.
    #[error("the layout needs {0}: it is its only pane")]
    LastPane(PaneId),
    /// The pane is in this layout already.
    #[error("{0} is in the layout already")]
    DuplicatePane(PaneId),
    /// A layout string has a wrong checksum, does not parse, or nests too deep.
    #[error("invalid layout")]
    Invalid,
    /// A layout string has fewer places than there are panes.
    #[error("have {panes} panes but need {cells}")]
    TooManyPanes {
        /// Panes to be placed.
        panes: usize,
        /// Places of the string.
        cells: usize,
    },
    /// The sizes in a layout string do not add up.
    #[error("size mismatch after applying layout")]
    SizeMismatch,
}

impl Layout {
    /// One pane that fills the window. Sizes below 1x1 become 1x1.
    pub fn single(pane: PaneId, size: Size) -> Layout {
        let size =
            Size { cols: size.cols.clamp(1, Size::MAX), rows: size.rows.clamp(1, Size::MAX) };
        Layout { root: Cell::leaf(pane, size) }
    }

    /// The size of the window.
    pub fn size(&self) -> Size {
        self.root.size
    }

    /// The panes in tmux's order of pane indexes, without `pane-base-index`.
    pub fn panes(&self) -> Vec<PaneId> {
        self.rects().into_iter().map(|(pane, _)| pane).collect()
    }

    /// How many panes there are; at least one.
    pub fn pane_count(&self) -> usize {
        self.root.leaf_count()
    }

    /// Whether the pane is in this layout.
    pub fn contains(&self, pane: PaneId) -> bool {
        self.root.path_to(pane).is_some()
    }

    /// The panes and where they lie, in tmux's order of pane indexes.
    pub fn rects(&self) -> Vec<(PaneId, Rect)> {
        let mut rects = Vec::new();
        self.root.for_each_leaf(0, 0, &mut |pane, rect| rects.push((pane, rect)));
        rects
    }

    /// Where a pane lies.
    pub fn rect(&self, pane: PaneId) -> Option<Rect> {
        self.rects().into_iter().find(|(id, _)| *id == pane).map(|(_, rect)| rect)
    }

    /// Gives the places of `a` and `b` to each other.
    pub fn swap(&self, a: PaneId, b: PaneId) -> Result<Layout, LayoutError> {
        for pane in [a, b] {
            if !self.contains(pane) {
                return Err(LayoutError::NoSuchPane(pane));
            }
        }
        let mut layout = self.clone();
        layout.root.rename_leaves(&mut |pane| match pane {
            pane if pane == a => b,
            pane if pane == b => a,
            other => other,
        });
        Ok(layout)
    }

    /// Puts `new` in the place of `old`.
    pub fn replace(&self, old: PaneId, new: PaneId) -> Result<Layout, LayoutError> {
        if self.contains(new) && old != new {
            return Err(LayoutError::DuplicatePane(new));
        }
        let mut layout = self.clone();
        let path = layout.root.path_to(old).ok_or(LayoutError::NoSuchPane(old))?;
        layout.root.at_mut(&path).rename_leaves(&mut |_| new);
        Ok(layout)
    }

    /// Puts the panes into the places of this layout, in order of pane indexes.
    ///
    /// # Errors
    /// [`LayoutError::TooManyPanes`] unless there is exactly one pane for each place.
    pub fn arranged(&self, panes: &[PaneId]) -> Result<Layout, LayoutError> {
        if panes.len() != self.pane_count() {
            return Err(LayoutError::TooManyPanes { panes: panes.len(), cells: self.pane_count() });
        }
        let mut layout = self.clone();
        let mut panes = panes.iter().copied();
        layout.root.rename_leaves(&mut |old| panes.next().unwrap_or(old));
        Ok(layout)
    }
}
