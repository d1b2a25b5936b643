//! Moving separators: the whole window to a new size, or one pane against its neighbours.

use crate::geometry::{Direction, Size, SplitDirection};
use crate::ids::PaneId;

use super::cell::{Cell, CellKind};
use super::{Layout, LayoutError};

impl Layout {
    /// Fits the layout into a new window size; it stays larger where its panes need it.
    #[must_use]
    pub fn resize(&self, size: Size) -> Layout {
        let mut layout = self.clone();
        for (along, wanted) in
            [(SplitDirection::Horizontal, size.cols), (SplitDirection::Vertical, size.rows)]
        {
            let wanted = wanted.clamp(1, Size::MAX);
            let change = i32::from(wanted) - i32::from(layout.root.extent(along));
            let change = change.max(-i32::from(layout.root.slack(along)));
            if change != 0 {
                layout.root.adjust(along, change);
            }
        }
        layout
    }

    /// Moves the pane's border by `amount` cells in a direction, as far as there is room: its
    /// right or lower border, or for the last pane of a split the one before it.
    pub fn resize_pane(
        &self,
        pane: PaneId,
        direction: Direction,
        amount: u16,
    ) -> Result<Layout, LayoutError> {
        let amount = i32::from(amount);
        let (along, change) = match direction {
            Direction::Left => (SplitDirection::Horizontal, -amount),
            Direction::Right => (SplitDirection::Horizontal, amount),
            Direction::Up => (SplitDirection::Vertical, -amount),
            Direction::Down => (SplitDirection::Vertical, amount),
        };
        let mut layout = self.clone();
        if let Some(place) = layout.place(pane, along)? {
            layout.move_border(&place, along, change);
        }
        Ok(layout)
    }

    /// Gives the pane (or the split that holds it) an extent in columns (`Horizontal`) or rows
    /// (`Vertical`), as far as there is room.
    pub fn resize_pane_to(
        &self,
        pane: PaneId,
        along: SplitDirection,
        extent: u16,
    ) -> Result<Layout, LayoutError> {
        let mut layout = self.clone();
        if let Some(place) = layout.place(pane, along)? {
            let siblings = layout.root.at(&place.parent).children();
            let change = i32::from(extent) - i32::from(siblings[place.index].extent(along));
            let last = place.index + 1 == siblings.len();
            layout.move_border(&place, along, if last { -change } else { change });
        }
        Ok(layout)
    }

    /// Gives a pane and those beside it in the innermost split equal extents, the last one what is
    /// left; where they have them already, the split around that one is next.
    pub fn spread(&self, pane: PaneId) -> Result<Layout, LayoutError> {
        let mut path = self.root.path_to(pane).ok_or(LayoutError::NoSuchPane(pane))?;
        let mut layout = self.clone();
        while path.pop().is_some() {
            if spread_children(layout.root.at_mut(&path)) {
                break;
            }
        }
        Ok(layout)
    }

    /// The innermost split along a direction that holds the pane, and which child of it does.
    fn place(&self, pane: PaneId, along: SplitDirection) -> Result<Option<Place>, LayoutError> {
        let mut path = self.root.path_to(pane).ok_or(LayoutError::NoSuchPane(pane))?;
        while let Some(index) = path.pop() {
            if self.root.at(&path).is_split_along(along) {
                return Ok(Some(Place { parent: path, index }));
            }
        }
        Ok(None)
    }

    fn move_border(&mut self, place: &Place, along: SplitDirection, change: i32) {
        let CellKind::Split(_, siblings) = &mut self.root.at_mut(&place.parent).kind else {
            unreachable!("BUG: a parent that is no split")
        };
        // The last child has no border after it; the one before it moves instead.
        let index = place.index.min(siblings.len() - 2);
        let mut needed = change;
        while needed != 0 {
            let moved = move_once(siblings, index, along, needed);
            if moved == 0 {
                break;
            }
            needed -= needed.signum() * moved;
        }
    }
}

struct Place {
    parent: Vec<usize>,
    index: usize,
}

/// One step of a border: takes from the nearest sibling that has something to give. Returns how
/// many cells went from one to the other.
fn move_once(siblings: &mut [Cell], index: usize, along: SplitDirection, needed: i32) -> i32 {
    let gives = |&candidate: &usize| siblings[candidate].slack(along) > 0;
    let (grows, shrinks) = if needed > 0 {
        let after = (index + 1..siblings.len()).find(gives);
        (index, after.or_else(|| (0..index).rev().find(gives)))
    } else {
        (index + 1, (0..=index).rev().find(gives))
    };
    let Some(shrinks) = shrinks else { return 0 };
    let size = needed.abs().min(siblings[shrinks].slack(along).into());
    siblings[grows].adjust(along, size);
    siblings[shrinks].adjust(along, -size);
    size
}

/// Evens out the children of a split as far as their panes allow. Returns whether that changed
/// anything.
fn spread_children(cell: &mut Cell) -> bool {
    let whole = cell.size;
    let CellKind::Split(along, children) = &mut cell.kind else { return false };
    let along = *along;
    let count = u16::try_from(children.len()).expect("BUG: more panes than a window has cells");
    let total = super::cell::extent(whole, along);
    let each = (total - (count - 1)) / count;
    let last = total - (each + 1) * (count - 1);
    let wanted = |index| if index + 1 == children.len() { last } else { each };
    let changes: Vec<i32> = children
        .iter()
        .enumerate()
        .map(|(index, child)| i32::from(wanted(index)) - i32::from(child.extent(along)))
        .collect();
    let fits = children
        .iter()
        .zip(&changes)
        .all(|(child, change)| i32::from(child.slack(along)) + change >= 0);
    if !fits || changes.iter().all(|change| *change == 0) {
        return false;
    }
    for (child, change) in children.iter_mut().zip(changes) {
        child.adjust(along, change);
    }
    true
}
