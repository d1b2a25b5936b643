//! Parts of a screen that move: painted, they are where they were composed.

use proptest::collection::vec;
use proptest::prelude::*;

use super::terminal::{Edit, Shown, apply, caps};
use crate::compose::scroll::ScrollDirection;
use crate::compose::shift::ShiftDirection;
use crate::compose::{ColorDepth, Frame, OutputCaps, OutputFeatures, Painter, Rect, enter};
use crate::{Size, Style, Terminal};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    /// Goal: C1 where the cells of a row move aside, for which a narrow frame has no room. Method:
    /// a row full of text, of which parts are moved.
    #[test]
    fn a_row_that_moved_aside_is_shown(
        caps in caps(),
        text in "[a-z世 ]{60}",
        shifts in vec((0..60_u16, 8..60_u16, 1..5_u16, any::<bool>()), 1..6),
    ) {
        let size = Size { cols: 60, rows: 2 };
        let mut frame = Frame::new(size);
        frame.put_str(0, 0, &text, Style::default());
        let mut painter = Painter::new(caps, size);
        let mut terminal = Terminal::new(size);
        terminal.advance(&enter(caps));
        for (x, cols, count, is_insert) in shifts {
            let mut out = Vec::new();
            painter.paint(&frame, &mut out);
            terminal.advance(&out);
            let shown = Shown::of_terminal(&terminal, caps);
            prop_assert_eq!(&shown, &Shown::of_frame(&frame, caps), "{:?}", String::from_utf8(out));
            let direction =
                if is_insert { ShiftDirection::Insert } else { ShiftDirection::Delete };
            apply(&mut frame, &Edit::Shift { x, y: 0, cols, count, direction });
        }
    }

    /// Goal: C1 where a pane scrolls beside another one. Method: a screen full of text, of which areas
    /// are moved between side margins.
    #[test]
    fn an_area_that_scrolled_is_shown(
        rows in vec("[a-z世]{40}", 10),
        scrolls in vec((0..16_u16, 12..24_u16, 0..3_u16, 1..3_u16, any::<bool>()), 1..4),
    ) {
        let caps = OutputCaps { colors: ColorDepth::TrueColor, features: OutputFeatures::all() };
        let size = Size { cols: 40, rows: 10 };
        let mut frame = Frame::new(size);
        for (y, row) in (0..).zip(&rows) {
            frame.put_str(0, y, row, Style::default());
        }
        let mut painter = Painter::new(caps, size);
        let mut terminal = Terminal::new(size);
        terminal.advance(&enter(caps));
        for (x, cols, y, lines, is_up) in scrolls {
            let mut out = Vec::new();
            painter.paint(&frame, &mut out);
            terminal.advance(&out);
            let shown = Shown::of_terminal(&terminal, caps);
            prop_assert_eq!(&shown, &Shown::of_frame(&frame, caps), "{:?}", String::from_utf8(out));
            let direction = if is_up { ScrollDirection::Up } else { ScrollDirection::Down };
            let area = Rect { x, y, cols, rows: size.rows - y };
            apply(&mut frame, &Edit::Scroll { area, lines, direction });
        }
    }
}
