//! Resizing: lines wrap anew, nothing is lost, the cursor stays with its text.

use ccmux_term::{Size, Terminal};
use proptest::prelude::*;

use crate::screen::terminal;
use crate::support::size;

fn screen(terminal: &Terminal) -> String {
    terminal.text().trim_end_matches('\n').replace('\n', "|")
}

/// Size and bytes; new size; the rows then, the cursor, and how many lines are history.
#[test]
fn rows_wrap_anew() {
    type Case<'a> = ((u16, u16), &'a str, (u16, u16), &'a str, (u16, u16), u64);
    let table: &[Case<'_>] = &[
        ((10, 4), "abcdef", (3, 4), "abc|def", (2, 1), 0),
        ((10, 4), "abcdefg", (3, 4), "abc|def|g", (1, 2), 0),
        ((3, 4), "abcdefg", (10, 4), "abcdefg", (7, 0), 0),
        ((3, 4), "abcdefg", (2, 4), "ab|cd|ef|g", (1, 3), 0),
        ((10, 4), "ab\r\ncd", (10, 2), "ab|cd", (2, 1), 0),
        ((10, 4), "ab\r\ncd", (10, 6), "ab|cd", (2, 1), 0),
        // Rows that do not fit leave at the top; blank ones at the bottom go first.
        ((10, 4), "a\r\nb\r\nc\r\nd", (10, 2), "c|d", (1, 1), 2),
        ((10, 4), "abcdefghi", (2, 4), "cd|ef|gh|i", (1, 3), 0),
        ((10, 4), "abcdefghi\r\nx", (2, 4), "ef|gh|i|x", (1, 3), 0),
        // The cursor stays on its character.
        ((10, 4), "abcdefgh\x1b[5G", (3, 4), "abc|def|gh", (1, 1), 0),
        ((3, 4), "abcdefgh\x1b[2;2H", (10, 4), "abcdefgh", (4, 0), 0),
        // A pending wrap is a place after the last character.
        ((5, 4), "abcde", (10, 4), "abcde", (5, 0), 0),
        ((10, 4), "abcde", (5, 4), "abcde", (4, 0), 0),
        // Wide characters move whole.
        ((10, 4), "ab日本", (3, 4), "ab|日|本", (2, 2), 0),
        ((3, 4), "ab日本", (10, 4), "ab日本", (6, 0), 0),
        // Beyond the text the cursor stays in its row.
        ((10, 4), "ab\x1b[2;8H", (5, 4), "ab", (4, 1), 0),
        // What lies below a cursor that was moved up stays as long as it fits.
        ((10, 4), "a\r\nb\r\nc\r\nd\x1b[2;1H", (10, 3), "b|c|d", (0, 0), 1),
        ((10, 4), "a\r\nb\r\nc\r\nd\x1b[H", (10, 2), "a|b", (0, 0), 0),
        ((10, 4), "\x1b[2;3r\x1b[?6hx", (10, 5), "|x", (1, 1), 0),
    ];
    for &((cols, rows), bytes, (new_cols, new_rows), expected, position, lines) in table {
        let mut terminal = terminal(cols, rows, bytes);
        terminal.resize(Size { cols: new_cols, rows: new_rows });
        let cursor = terminal.cursor();
        let found = (screen(&terminal), (cursor.x, cursor.y), terminal.history_end());
        assert_eq!(found, (expected.into(), position, lines), "{}", bytes.escape_debug());
    }
}

/// The next character goes where it would have gone without the resize.
#[test]
fn printing_goes_on_after_a_resize() {
    let mut terminal = terminal(5, 3, "abcde");
    terminal.resize(Size { cols: 8, rows: 3 });
    terminal.advance(b"f");
    assert_eq!(screen(&terminal), "abcdef");
    terminal.resize(Size { cols: 6, rows: 3 });
    terminal.advance(b"g");
    assert_eq!(screen(&terminal), "abcdef|g");
    terminal.resize(Size { cols: 20, rows: 3 });
    assert_eq!(screen(&terminal), "abcdefg");
}

#[test]
fn a_line_half_gone_comes_back() {
    let mut terminal = terminal(10, 2, "0123456789abcdefghijklmno");
    assert_eq!(screen(&terminal), "abcdefghij|klmno");
    terminal.resize(Size { cols: 13, rows: 2 });
    assert_eq!(screen(&terminal), "0123456789abc|defghijklmno");
    terminal.resize(Size { cols: 5, rows: 2 });
    assert_eq!(screen(&terminal), "fghij|klmno");
    terminal.resize(Size { cols: 30, rows: 2 });
    assert_eq!(screen(&terminal), "0123456789abcdefghijklmno");
}

#[test]
fn the_main_screen_wraps_behind_the_alternate_one() {
    let mut terminal = terminal(10, 4, "abcdefgh\x1b[?1049hxxxxxxxxxx");
    terminal.resize(Size { cols: 5, rows: 4 });
    assert_eq!(screen(&terminal), "|xxxxx");
    terminal.advance(b"\x1b[?1049lij");
    assert_eq!(screen(&terminal), "abcde|fghij");
}

#[test]
fn the_alternate_screen_is_cut() {
    let mut terminal = terminal(10, 4, "\x1b[?1049h\x1b[H1\r\n2\r\n3\r\n456789日");
    terminal.resize(Size { cols: 7, rows: 2 });
    assert_eq!(screen(&terminal), "3|456789");
    terminal.resize(Size { cols: 10, rows: 4 });
    assert_eq!(screen(&terminal), "3|456789");
}

fn all_text(terminal: &Terminal) -> Vec<String> {
    let mut lines: Vec<String> = (0..terminal.history_end())
        .filter_map(|number| terminal.history_line(number))
        .chain(terminal.screen_lines())
        .map(|line| line.text)
        .collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Goal: no resize loses or changes text. Method: print lines, resize at random, and compare
    /// history and screen together with what was printed.
    #[test]
    fn no_line_is_lost(
        first in size(),
        lines in proptest::collection::vec("[a-z日é ]{0,30}[a-z]", 1..12),
        sizes in proptest::collection::vec(size(), 1..8),
    ) {
        let mut terminal = Terminal::new(first);
        terminal.advance(lines.join("\r\n").as_bytes());
        prop_assert_eq!(all_text(&terminal), lines.clone());
        for size in sizes {
            terminal.resize(size);
            prop_assert_eq!(all_text(&terminal), lines.clone());
        }
        terminal.advance("END\r\n".as_bytes());
        let expected = lines.join("\n") + "END";
        prop_assert_eq!(all_text(&terminal).join("\n"), expected);
    }
}
