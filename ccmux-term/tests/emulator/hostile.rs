//! Nothing printed makes the emulator panic, hang or grow without bound, and how the input was cut
//! does not matter.

use crate::support::{size, stream};
use ccmux_term::{HistoryFormat, Size, Terminal, decode_history};
use proptest::prelude::*;

/// What must hold in any state.
fn check_consistency(terminal: &Terminal) {
    let Size { cols, rows } = terminal.size();
    let cursor = terminal.cursor();
    assert!(cursor.x < cols && cursor.y < rows);
    for y in 0..rows {
        let width: usize = terminal.row(y).cells().map(|cell| usize::from(cell.width)).sum();
        assert_eq!(width, usize::from(cols), "row {y} is as wide as the screen");
    }
    let batch = terminal.history_batch(0..u64::MAX, usize::MAX);
    assert_eq!(batch.first_line, terminal.history_start());
    assert_eq!(batch.first_line + batch.count, terminal.history_end());
    for (line, number) in decode_history(HistoryFormat::TimesAndLines, &batch.bytes, batch.count)
        .zip(batch.first_line..)
    {
        assert_eq!(terminal.history_line(number), Some(line.expect("history decodes")));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_and_resizes_leave_a_consistent_terminal(
        first in size(),
        steps in proptest::collection::vec((stream(20), proptest::option::of(size())), 1..6),
    ) {
        let mut terminal = Terminal::new(first);
        for (bytes, size) in steps {
            terminal.advance(&bytes);
            check_consistency(&terminal);
            if let Some(size) = size {
                terminal.resize(size);
                check_consistency(&terminal);
            }
        }
    }

    #[test]
    fn noise_leaves_a_consistent_terminal(
        size in size(),
        bytes in proptest::collection::vec(any::<u8>(), 0..2000),
    ) {
        let mut terminal = Terminal::new(size);
        terminal.advance(&bytes);
        check_consistency(&terminal);
    }

    #[test]
    fn chunks_do_not_matter(size in size(), bytes in stream(60), chunk in 1_usize..9) {
        let (mut whole, mut cut) = (Terminal::new(size), Terminal::new(size));
        whole.advance(&bytes);
        for chunk in bytes.chunks(chunk) {
            cut.advance(chunk);
        }
        whole.take_events();
        cut.take_events();
        prop_assert!(whole == cut, "differs from the terminal fed at once");
    }

    /// Goal: the contract of `row_version`. Method: remember the content seen under each version;
    /// the same version never shows another content.
    #[test]
    fn equal_versions_mean_equal_rows(size in size(), parts in proptest::collection::vec(stream(4), 1..30)) {
        let mut seen = std::collections::HashMap::new();
        let mut terminal = Terminal::new(size);
        for part in parts {
            terminal.advance(&part);
            for y in 0..terminal.size().rows {
                let row = terminal.row(y);
                let cells: Vec<_> = row.cells().map(|cell| (cell.text().to_owned(), cell.style, cell.link.cloned())).collect();
                let content = (cells, row.fill());
                let old = seen.entry(terminal.row_version(y)).or_insert_with(|| content.clone());
                prop_assert_eq!(&*old, &content);
            }
        }
    }
}

#[test]
fn extreme_sizes_are_clamped() {
    let mut terminal = Terminal::new(Size { cols: 0, rows: 0 });
    assert_eq!(terminal.size(), Size { cols: 2, rows: 1 });
    terminal.advance("日本x\r\n\x1b[5;5H\x1b[2;3r日\x1b[L\x1b[M\x1b[P\x1b[@".as_bytes());
    check_consistency(&terminal);
    terminal.resize(Size { cols: 65535, rows: 65535 });
    let Size { cols, rows } = terminal.size();
    assert!(usize::from(cols) * usize::from(rows) <= Size::CELLS_MAX);
    terminal.advance(b"\x1b[999;999Hx\x1b[2J\x1b[99999S\x1b[99999T\x1b[99999L");
    check_consistency(&terminal);
}

/// Screens of one column are two wide inside, so that every character fits.
#[test]
fn the_smallest_screens_can_be_used() {
    let text = "日本x\u{301}👩‍💻ab\r\n\x1b[9b\x1b[2;2Hq\x1b[T\x1b[S\x1bM\x1bD\x1b[?1049hy\x1b[2J\x1b[?1049l\
                \x1b[1;1r\x1b[3;1r\x1b[?69h\x1b[1;1s\x1b[?6hz\x1b[999999999b\x1b[4hw\x1b[P\x1b[X";
    for (cols, rows) in [(1, 1), (1, 9), (2, 1), (9, 1), (1, 500)] {
        let mut terminal = Terminal::new(Size { cols, rows });
        for size in [Size { cols, rows }, Size { cols: rows, rows: cols }, Size { cols, rows }] {
            terminal.resize(size);
            terminal.advance(text.as_bytes());
            check_consistency(&terminal);
        }
    }
}

/// A size that a program asks for is an event, however large; a size that is set is clamped.
#[test]
fn huge_sizes_are_bounded() {
    let mut terminal = Terminal::new(Size { cols: 80, rows: 24 });
    terminal.advance(b"x\x1b[999999999b");
    assert_eq!(terminal.screen_lines()[0].text.len(), 1 + 80 * 24, "REP fills the screen at most");
    for _ in 0..50 {
        terminal.advance(b"\x1b[8;10000;10000t");
    }
    assert_eq!(terminal.size(), Size { cols: 80, rows: 24 });
    for (cols, rows) in [(10_000, 10_000), (1, 65535), (65535, 1), (80, 24)] {
        terminal.resize(Size { cols, rows });
        let Size { cols, rows } = terminal.size();
        assert!(usize::from(cols) * usize::from(rows) <= Size::CELLS_MAX);
        terminal.advance(b"\x1b[2J\x1b[999;999Hab\r\n\x1b#8");
    }
    check_consistency(&terminal);
}

/// Sequences with huge counts or lengths cost no more than what the screen can show.
#[test]
fn huge_counts_are_bounded() {
    let mut terminal = Terminal::new(Size { cols: 80, rows: 24 });
    for last in "@ABCDEFGHIJKLMPSTXZ`abde".chars() {
        for _ in 0..200 {
            terminal.advance(format!("x\x1b[65535{last}").as_bytes());
        }
    }
    check_consistency(&terminal);
}

/// A string that never ends is dropped when it is too long, and costs no more memory however long it
/// is: a keyframe in the middle of it holds all there is.
#[test]
fn endless_strings_are_dropped() {
    let mut terminal = Terminal::new(Size { cols: 20, rows: 2 });
    let piece = vec![b'x'; 1 << 20];
    for start in ["\x1b]0;", "\x1b]52;c;", "\x1bP$q", "\x1b_", "\x1b^", "\x1bX"] {
        terminal.advance(start.as_bytes());
        for _ in 0..64 {
            terminal.advance(&piece);
        }
        assert!(terminal.keyframe().len() < 10_000, "{}", start.escape_debug());
        terminal.advance(b"\x1b\\");
    }
    terminal.advance(b"alive");
    assert_eq!(terminal.row(0).text(), "alive");
    assert_eq!(terminal.title(), "");
    assert!(terminal.keyframe().len() < 10_000);
}

#[test]
fn endless_lines_are_cut() {
    let mut terminal = Terminal::new(Size { cols: 80, rows: 24 });
    for _ in 0..100 {
        terminal.advance(&[b'x'; 10_000]);
    }
    terminal.advance(b"\r\n");
    let lines: Vec<_> =
        (0..terminal.history_end()).filter_map(|number| terminal.history_line(number)).collect();
    assert!(lines.len() > 10);
    assert!(lines.iter().all(|line| line.continues));
    assert!(lines.iter().all(|line| line.text.len() <= ccmux_term::LINE_COLS_MAX + 80));
    let in_history: usize = lines.iter().map(|line| line.text.len()).sum();
    let on_screen: usize = terminal.screen_lines().iter().map(|line| line.text.len()).sum();
    assert_eq!(in_history + on_screen, 1_000_000);
}

/// A few bytes that fill a large screen and clear it cannot fill the memory.
#[test]
fn history_in_memory_is_bounded() {
    let mut terminal = Terminal::new(Size { cols: 5000, rows: 200 });
    for _ in 0..100 {
        terminal.advance(b"\x1b#8\x1b[2J");
    }
    assert_eq!(terminal.history_end(), 20_000);
    let batch = terminal.history_batch(0..u64::MAX, usize::MAX);
    assert!(batch.bytes.len() < ccmux_term::HISTORY_BYTES_MAX + 1_000_000);
    assert_eq!(batch.first_line + batch.count, 20_000, "the newest lines are kept");
    assert!(batch.first_line > 0);
}

#[test]
fn marks_on_one_cell_are_bounded() {
    let mut terminal = Terminal::new(Size { cols: 20, rows: 2 });
    terminal.advance(b"a");
    let piece = "\u{301}".repeat(100_000);
    for _ in 0..160 {
        terminal.advance(piece.as_bytes());
    }
    assert!(terminal.keyframe().len() < 10_000);
    terminal.advance(b"b");
    assert!(terminal.row(0).text().len() < 100);
    assert_eq!(terminal.cursor().x, 2);
}

/// A screen of cells that all differ in style, redrawn often: the table of pens stays bounded.
#[test]
fn styles_are_swept() {
    let mut terminal = Terminal::new(Size { cols: 40, rows: 10 });
    for frame in 0..200_u32 {
        terminal.advance(b"\x1b[H");
        for cell in 0..400_u32 {
            let color = frame * 400 + cell;
            let (r, g, b) = (color >> 16, color >> 8 & 0xff, color & 0xff);
            terminal.advance(format!("\x1b[38;2;{r};{g};{b}mx").as_bytes());
        }
    }
    let last = terminal.row(9).cells().last().expect("forty cells");
    assert_eq!(last.style.fg, ccmux_term::Color::Rgb(1, 0x38, 0x7f));
    assert!(terminal.keyframe().len() < 10_000);
}
