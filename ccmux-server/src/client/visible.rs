//! The visible part of a window that is larger than a client's terminal.
//!
//! It follows the cursor, as in tmux, until it is moved by hand (`refresh-client -L` and so on).

use ccmux_core::geometry::{Direction, Size};
use ccmux_core::ids::WindowId;
use ccmux_term::Cursor;

/// The cell of a window that is shown in the top left corner.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Corner {
    pub(crate) x: u16,
    pub(crate) y: u16,
}

/// A part of a window that was chosen by hand; another window is shown where its cursor is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Pan {
    pub(crate) window: WindowId,
    pub(crate) corner: Corner,
}

impl Corner {
    /// The part of a window in which its cursor is.
    pub(crate) fn at_cursor(cursor: Cursor, window: Size, room: Size) -> Self {
        if !cursor.visible {
            return Self::default();
        }
        let follow = |cursor: u16, extent: u16, room: u16| match extent.saturating_sub(room) {
            _ if cursor < room => 0,
            last if cursor > last => last,
            _ => cursor - room / 2,
        };
        Self {
            x: follow(cursor.x, window.cols, room.cols),
            y: follow(cursor.y, window.rows, room.rows),
        }
    }

    /// The part that lies `amount` cells further.
    pub(crate) fn moved(self, direction: Direction, amount: u16) -> Self {
        let Self { x, y } = self;
        match direction {
            Direction::Left => Self { x: x.saturating_sub(amount), y },
            Direction::Right => Self { x: x.saturating_add(amount), y },
            Direction::Up => Self { x, y: y.saturating_sub(amount) },
            Direction::Down => Self { x, y: y.saturating_add(amount) },
        }
    }

    /// The same part, or the nearest one that shows nothing beyond the window.
    pub(crate) fn within(self, window: Size, room: Size) -> Self {
        Self {
            x: self.x.min(window.cols.saturating_sub(room.cols)),
            y: self.y.min(window.rows.saturating_sub(room.rows)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What tmux shows of a window of 60 by 20 in a terminal with room for 40 by 10.
    #[test]
    fn the_part_with_the_cursor_is_shown() {
        let (window, room) = (Size { cols: 60, rows: 20 }, Size { cols: 40, rows: 10 });
        for ((x, y), expected) in [
            ((0, 0), (0, 0)),
            ((39, 9), (0, 0)),
            ((40, 10), (20, 5)),
            ((59, 19), (20, 10)),
            ((0, 11), (0, 10)),
        ] {
            let shape = ccmux_term::CursorShape::default();
            let cursor = Cursor { x, y, visible: true, shape, blinking: false };
            let corner = Corner::at_cursor(cursor, window, room);
            assert_eq!((corner.x, corner.y), expected, "{x} {y}");
        }
    }

    #[test]
    fn a_part_that_is_moved_stays_in_the_window() {
        let (window, room) = (Size { cols: 60, rows: 20 }, Size { cols: 40, rows: 10 });
        let corner = Corner { x: 5, y: 10 };
        for (direction, amount, expected) in [
            (Direction::Left, 3, (2, 10)),
            (Direction::Left, 9, (0, 10)),
            (Direction::Right, u16::MAX, (20, 10)),
            (Direction::Up, 1, (5, 9)),
            (Direction::Down, 3, (5, 10)),
        ] {
            let moved = corner.moved(direction, amount).within(window, room);
            assert_eq!((moved.x, moved.y), expected, "{direction:?} {amount}");
        }
    }
}
