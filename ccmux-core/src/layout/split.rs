//! Making room for a new pane, and giving room back when one closes.

use crate::geometry::{Extent, SplitDirection};
use crate::ids::PaneId;

use super::cell::{Cell, CellKind, PANE_MIN, with_extent};
use super::{DEPTH_MAX, Layout, LayoutError, PANES_MAX};

/// How large a new pane shall be along the split.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum NewPaneSize {
    /// Half of what is split, the separator taken off.
    #[default]
    Half,
    /// This much (`-l 20`, `-l 30%`, `-p 30`); percentages are of what is split.
    Extent(Extent),
}

/// How a pane is split.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Split {
    /// Side by side or stacked.
    pub direction: SplitDirection,
    /// The size of the new pane.
    pub size: NewPaneSize,
    /// `-b`: the new pane goes left or above.
    pub before: bool,
    /// `-f`: the new pane spans the window instead of the pane that is split.
    pub full: bool,
}

impl Layout {
    /// Splits `target` so that `new` gets a part of it (or with `full` a part of the window).
    ///
    /// A size beyond what there is becomes the nearest possible one.
    pub fn split(&self, target: PaneId, new: PaneId, split: Split) -> Result<Layout, LayoutError> {
        if self.contains(new) {
            return Err(LayoutError::DuplicatePane(new));
        }
        let path = self.root.path_to(target).ok_or(LayoutError::NoSuchPane(target))?;
        let mut layout = self.clone();
        if split.full {
            split_root(&mut layout.root, new, split)?;
        } else {
            split_cell(&mut layout.root, &path, Cell::leaf(new, self.size()), split)?;
        }
        if layout.root.depth() > DEPTH_MAX || layout.pane_count() > PANES_MAX {
            return Err(LayoutError::NoSpace);
        }
        Ok(layout)
    }

    /// Removes a pane. The pane before it gets the room, or the one after it if it was the first.
    pub fn close(&self, pane: PaneId) -> Result<Layout, LayoutError> {
        let path = self.root.path_to(pane).ok_or(LayoutError::NoSuchPane(pane))?;
        let Some((&index, parent)) = path.split_last() else {
            return Err(LayoutError::LastPane(pane));
        };
        let mut layout = self.clone();
        let cell = layout.root.at_mut(parent);
        let CellKind::Split(along, children) = &mut cell.kind else {
            unreachable!("BUG: a parent that is no split")
        };
        let along = *along;
        let removed = children.remove(index);
        let heir = &mut children[index.saturating_sub(1)];
        heir.adjust(along, i32::from(removed.extent(along)) + 1);
        if children.len() == 1 {
            let only = children.remove(0);
            *cell = only;
        }
        Ok(layout)
    }
}

/// Divides the cell at `path` with a new one, which becomes its sibling where the directions agree.
fn split_cell(
    root: &mut Cell,
    path: &[usize],
    mut new: Cell,
    split: Split,
) -> Result<(), LayoutError> {
    let along = split.direction;
    let size = root.at(path).size;
    let halves = Halves::of(root.at(path).extent(along), split)?;
    new.size = with_extent(size, along, halves.new);
    if let Some((&index, parent)) = path.split_last()
        && let CellKind::Split(direction, siblings) = &mut root.at_mut(parent).kind
        && *direction == along
    {
        siblings[index].set_extent(along, halves.old);
        siblings.insert(index + usize::from(!split.before), new);
        return Ok(());
    }
    let cell = root.at_mut(path);
    let mut old = cell.clone();
    old.set_extent(along, halves.old);
    *cell = Cell::split(along, size, in_order(old, new, split.before));
    Ok(())
}

/// The extents of the old and the new cell after a split.
struct Halves {
    old: u16,
    new: u16,
}

impl Halves {
    fn of(total: u16, split: Split) -> Result<Halves, LayoutError> {
        if total < 2 * PANE_MIN + 1 {
            return Err(LayoutError::NoSpace);
        }
        let wanted = match split.size {
            // tmux rounds the lower or right part down, whichever of the two is new.
            NewPaneSize::Half => {
                let second = total.div_ceil(2) - 1;
                if split.before { total - 1 - second } else { second }
            }
            NewPaneSize::Extent(extent) => extent.of(total),
        };
        let new = wanted.clamp(PANE_MIN, total - 1 - PANE_MIN);
        Ok(Halves { old: total - 1 - new, new })
    }
}

fn in_order(old: Cell, new: Cell, before: bool) -> Vec<Cell> {
    if before { vec![new, old] } else { vec![old, new] }
}

/// Puts a new pane beside everything else, which is squeezed in proportion.
fn split_root(root: &mut Cell, new: PaneId, split: Split) -> Result<(), LayoutError> {
    let along = split.direction;
    let size = root.size;
    let halves = Halves::of(root.extent(along), split)?;
    let new = Cell::leaf(new, with_extent(size, along, halves.new));
    let mut old = root.clone();
    squeeze(&mut old, along, halves.old)?;
    *root = match old.kind {
        CellKind::Split(direction, mut children) if direction == along => {
            let at = if split.before { 0 } else { children.len() };
            children.insert(at, new);
            Cell::split(along, size, children)
        }
        _ => Cell::split(along, size, in_order(old, new, split.before)),
    };
    Ok(())
}

/// Gives a cell a smaller size along a direction, its children keeping their proportions.
///
/// The estimate of what a child must leave to those after it is tmux's; it is refused here where
/// it leaves one of them too little, even if other parts would have done.
fn squeeze(cell: &mut Cell, along: SplitDirection, extent: u16) -> Result<(), LayoutError> {
    let previous = cell.extent(along);
    if extent < PANE_MIN {
        return Err(LayoutError::NoSpace);
    }
    cell.set_extent(along, extent);
    let CellKind::Split(direction, children) = &mut cell.kind else { return Ok(()) };
    if *direction != along {
        return children.iter_mut().try_for_each(|child| squeeze(child, along, extent));
    }
    let mut left = extent;
    let count = children.len();
    for (index, child) in children.iter_mut().enumerate() {
        if index + 1 == count {
            return squeeze(child, along, left);
        }
        let after = u16::try_from(count - index - 1).map_err(|_| LayoutError::NoSpace)?;
        let least = child.extent(along) - child.slack(along);
        let reserve = after.saturating_mul(PANE_MIN + 1).max(least);
        let share = u32::from(child.extent(along)) * u32::from(extent) / u32::from(previous);
        let share = u16::try_from(share).expect("a part is no larger than the whole");
        let part = share.min(left.saturating_sub(reserve)).max(PANE_MIN);
        left = left.checked_sub(part + 1).ok_or(LayoutError::NoSpace)?;
        squeeze(child, along, part)?;
    }
    Ok(())
}
