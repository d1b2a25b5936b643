//! Which pane lies beside another.

use crate::geometry::{Direction, Rect};
use crate::ids::PaneId;

use super::Layout;

impl Layout {
    /// The pane beside `pane` in a direction; past the edge of the window the search goes on at
    /// the opposite edge. Where several panes touch, the first of `recent` (panes from the most
    /// recently active on) wins, and failing that the one with the lowest index.
    pub fn neighbour(
        &self,
        pane: PaneId,
        direction: Direction,
        recent: &[PaneId],
    ) -> Option<PaneId> {
        let rects = self.rects();
        let (_, from) = *rects.iter().find(|(id, _)| *id == pane)?;
        let touching: Vec<PaneId> = rects
            .iter()
            .filter(|(id, rect)| *id != pane && self.touches(from, *rect, direction))
            .map(|(id, _)| *id)
            .collect();
        let by_recency = recent.iter().find(|id| touching.contains(id));
        by_recency.or(touching.first()).copied()
    }

    fn touches(&self, from: Rect, to: Rect, direction: Direction) -> bool {
        let size = self.size();
        let adjacent = match direction {
            Direction::Left => wrap_back(from.x, size.cols) == to.x + to.cols + 1,
            Direction::Right => wrap_on(from.x + from.cols + 1, size.cols) == to.x,
            Direction::Up => wrap_back(from.y, size.rows) == to.y + to.rows + 1,
            Direction::Down => wrap_on(from.y + from.rows + 1, size.rows) == to.y,
        };
        adjacent
            && match direction {
                Direction::Left | Direction::Right => {
                    overlaps((from.y, from.rows), (to.y, to.rows))
                }
                Direction::Up | Direction::Down => overlaps((from.x, from.cols), (to.x, to.cols)),
            }
    }
}

fn wrap_back(edge: u16, extent: u16) -> u16 {
    if edge == 0 { extent + 1 } else { edge }
}

fn wrap_on(edge: u16, extent: u16) -> u16 {
    if edge >= extent { 0 } else { edge }
}

/// Whether two ranges share a border. As in tmux the separator after the first range counts as
/// part of it, so that panes meeting at a corner are neighbours on that side.
fn overlaps((start, extent): (u16, u16), (other, other_extent): (u16, u16)) -> bool {
    let end = start + extent;
    let other_end = other + other_extent - 1;
    other <= end && other_end >= start
}
