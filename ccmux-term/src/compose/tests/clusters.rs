//! Text falls into the same cells where it is drawn as where it is printed.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::compose::width::clusters;
use crate::{Size, Terminal};

/// The cells that the emulator prints `text` into, behind a blank.
fn cells_of(text: &str) -> Vec<(String, u8)> {
    let mut terminal = Terminal::new(Size { cols: 60, rows: 1 });
    terminal.advance(b" ");
    terminal.advance(text.as_bytes());
    let cells = terminal.row(0).cells().map(|cell| (cell.text().to_owned(), cell.width));
    cells.take(cells_composed(text).len()).collect()
}

/// The cells it is cut into to be drawn.
fn cells_composed(text: &str) -> Vec<(String, u8)> {
    // A mark at the beginning attaches to the blank before it.
    let line = format!(" {text}");
    clusters(&line, crate::Widths::builtin())
        .map(|cluster| (cluster.text.to_owned(), cluster.width))
        .collect()
}

#[test]
fn half_a_flag_joins_no_other_emoji() {
    for (text, cells) in [
        ("❤🏽\u{200d}🇩", &[(" ", 1), ("❤🏽\u{200d}", 2), ("🇩", 1)][..]),
        ("🇩\u{200d}👩", &[(" ", 1), ("🇩\u{200d}", 1), ("👩", 2)]),
        ("🇩🇪🇩", &[(" ", 1), ("🇩🇪", 2), ("🇩", 1)]),
        ("👩\u{200d}❤", &[(" ", 1), ("👩\u{200d}❤", 2)]),
    ] {
        let cells: Vec<_> =
            cells.iter().map(|(text, width)| ((*text).to_owned(), *width)).collect();
        assert_eq!(cells_of(text), cells);
        assert_eq!(cells_composed(text), cells);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    /// Goal: text falls into the same cells wherever it is cut. Method: random sequences of what
    /// attaches, joins and widens, printed on a long row.
    #[test]
    fn text_is_cut_into_cells_as_the_emulator_does(
        text in vec(prop::sample::select(
            "ab 世é\u{301}\u{200d}\u{fe0f}\u{fe0e}👍🏽👩❤©ক্ষ🇩🇪\u{ad}가\u{1100}\u{1161}".chars().collect::<Vec<_>>()
        ), 0..16).prop_map(String::from_iter),
    ) {
        prop_assert_eq!(cells_of(&text), cells_composed(&text));
    }
}
