//! Resizing: lines wrap anew, nothing is lost, the cursor stays with its text.

use ccmux_term::{Size, Terminal};
use proptest::prelude::*;

use crate::screen::terminal;
use crate::support::{size, stream_of_text};

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

fn numbered(cols: u16, rows: u16, count: u32) -> Terminal {
    let lines: Vec<String> = (1..=count).map(|n| n.to_string()).collect();
    terminal(cols, rows, &lines.join("\r\n"))
}

#[test]
fn a_screen_that_grows_takes_lines_back() {
    let mut terminal = numbered(10, 3, 9);
    assert_eq!((screen(&terminal).as_str(), terminal.history_end()), ("7|8|9", 6));
    terminal.resize(Size { cols: 10, rows: 5 });
    assert_eq!((screen(&terminal).as_str(), terminal.history_end()), ("5|6|7|8|9", 4));
    assert_eq!((terminal.cursor().x, terminal.cursor().y), (1, 4));
    // It can be found by its number wherever it is.
    let found = |terminal: &Terminal, number| {
        let line = terminal.history_line(number).or_else(|| terminal.returned_line(number));
        line.map(|line| line.text)
    };
    assert_eq!(found(&terminal, 3).as_deref(), Some("4"));
    assert_eq!(found(&terminal, 5).as_deref(), Some("6"));
    terminal.resize(Size { cols: 10, rows: 3 });
    assert_eq!((screen(&terminal).as_str(), terminal.history_end()), ("7|8|9", 6));
    terminal.resize(Size { cols: 10, rows: 20 });
    assert_eq!(screen(&terminal), "1|2|3|4|5|6|7|8|9");
    assert_eq!((terminal.cursor().y, terminal.history_end()), (8, 0));
}

/// A row that was blank counts as one: what a program left empty is not filled up.
#[test]
fn only_room_that_is_new_is_filled() {
    let mut terminal = numbered(10, 4, 9);
    terminal.advance(b"\x1b[2;1H\x1b[J");
    assert_eq!((screen(&terminal).as_str(), terminal.history_end()), ("6", 5));
    terminal.resize(Size { cols: 12, rows: 4 });
    assert_eq!((screen(&terminal).as_str(), terminal.history_end()), ("6", 5));
    terminal.resize(Size { cols: 12, rows: 6 });
    assert_eq!((screen(&terminal).as_str(), terminal.history_end()), ("4|5|6", 3));
    assert_eq!(terminal.cursor().y, 3);
}

/// Of a line that does not fit the beginning stays above the screen, and comes with the next rows.
#[test]
fn a_line_comes_back_in_parts() {
    let mut terminal = terminal(4, 2, "abcdefghijkl\r\n1\r\n2");
    assert_eq!((screen(&terminal).as_str(), terminal.history_end()), ("1|2", 1));
    terminal.resize(Size { cols: 4, rows: 4 });
    assert_eq!((screen(&terminal).as_str(), terminal.history_end()), ("efgh|ijkl|1|2", 0));
    terminal.resize(Size { cols: 6, rows: 4 });
    assert_eq!((screen(&terminal).as_str(), terminal.history_end()), ("abcdef|ghijkl|1|2", 0));
    terminal.resize(Size { cols: 4, rows: 2 });
    assert_eq!((screen(&terminal).as_str(), terminal.history_end()), ("1|2", 1));
}

#[test]
fn lines_come_back_as_they_looked() {
    let text =
        "\x1b[31mre\x1b[4md\x1b[m \x1b]8;;http://e\x07日e\u{301}\x1b]8;;\x07\x1b[44m\x1b[K\x1b[m";
    let before = terminal(10, 3, text);
    let mut after = terminal(10, 3, &format!("{text}\r\n\r\n\r\n"));
    assert_eq!(after.history_end(), 1);
    after.resize(Size { cols: 10, rows: 4 });
    assert_eq!(after.history_end(), 0);
    let cells = |terminal: &Terminal| -> Vec<_> {
        let cells = terminal.row(0).cells();
        cells.map(|cell| (cell.text().replace(' ', ""), cell.width, cell.style)).collect()
    };
    assert_eq!(cells(&after), cells(&before));
    assert_eq!(after.row_line(0), before.row_line(0));
}

#[test]
fn what_was_cleared_does_not_come_back() {
    for clear in ["\x1b[H\x1b[2J", "\x1bc", "\x1b[3J"] {
        let mut terminal = numbered(10, 3, 9);
        terminal.advance(clear.as_bytes());
        let before = (screen(&terminal), terminal.history_end());
        terminal.resize(Size { cols: 10, rows: 9 });
        let after = (screen(&terminal), terminal.history_end());
        assert_eq!(after, before, "{}", clear.escape_debug());
    }
}

/// However long a history is, the newest lines are at hand, and only those.
#[test]
fn lines_long_gone_do_not_come_back() {
    let mut whole = numbered(10, 3, 1000);
    let sealed = whole.history_sealed_end();
    assert_eq!(whole.history_end() - sealed, 128);
    let mut terminal = Terminal::restore(&whole.keyframe()).expect("its own keyframe");
    whole.release_history(u64::MAX);
    for terminal in [&mut whole, &mut terminal] {
        terminal.resize(Size { cols: 10, rows: 500 });
        assert_eq!(terminal.history_end(), sealed, "sealed lines keep their numbers");
        assert!(screen(terminal).starts_with(&format!("{}|", sealed + 1)));
    }
    assert!(whole == terminal);
    // Long lines are sealed sooner: a keyframe holds them all.
    let long: Vec<String> = (0..100).map(|n| format!("{n:0>1000}")).collect();
    let terminal = self::terminal(80, 3, &long.join("\r\n"));
    assert!(terminal.history_end() - terminal.history_sealed_end() <= 16);
    assert!(terminal.keyframe().len() < 20_000);
}

#[test]
fn rows_below_the_cursor_are_given_up_for_lines() {
    let mut terminal = numbered(10, 4, 9);
    terminal.advance(b"\x1b[2;1H");
    terminal.trim();
    assert_eq!((screen(&terminal).as_str(), terminal.history_end()), ("4|5|6|7", 3));
    assert_eq!((terminal.cursor().x, terminal.cursor().y), (0, 3));
    terminal.trim();
    assert_eq!(screen(&terminal), "4|5|6|7", "nothing is below the cursor");
    terminal.advance(b"\x1b[H");
    terminal.trim();
    assert_eq!((screen(&terminal).as_str(), terminal.history_end()), ("1|2|3|4", 0));
    terminal.advance(b"\x1b[H");
    terminal.trim();
    assert_eq!(screen(&terminal), "1|2|3|4", "there is nothing to take back");
    terminal.advance(b"\x1b[?1049h\x1b[Hx\r\ny\x1b[H");
    terminal.trim();
    assert_eq!(screen(&terminal), "x|y", "a program draws the alternate screen itself");
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

/// The text of the main screen and of the history, whichever screen is shown: without blanks at the
/// ends, which depend on what was erased and not on the size.
fn main_text(terminal: &Terminal) -> String {
    let mut main = terminal.clone();
    // What waits for room below the cursor counts: it is lost only by what a program does.
    main.resize(Size { rows: 100, ..main.size() });
    main.advance(b"\x1b[?47l");
    let lines: Vec<String> =
        all_text(&main).iter().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n").trim_end().to_owned()
}

/// The character that the cursor is on, be it on its first or second half.
fn at_cursor(terminal: &Terminal) -> String {
    let cursor = terminal.cursor();
    let mut end = 0;
    let cell = terminal.row(cursor.y).cells().find(|cell| {
        end += cell.width;
        end > cursor.x as u8
    });
    cell.map(|cell| cell.text().to_owned()).unwrap_or_default()
}

/// What a resize leaves no room for below the cursor is there again when there is room, unless the
/// program has done something since: then it has seen the screen as it was.
#[test]
fn rows_below_the_cursor_wait_for_room() {
    let drawn = "abcdef\r\nb\r\nc\x1b[H";
    let mut waiting = terminal(6, 3, drawn);
    waiting.resize(Size { cols: 3, rows: 2 });
    assert_eq!((screen(&waiting).as_str(), waiting.history_end()), ("abc|def", 0));
    waiting.resize(Size { cols: 3, rows: 1 });
    assert_eq!((screen(&waiting).as_str(), waiting.history_end()), ("abc", 0));
    let mut restored = Terminal::restore(&waiting.keyframe()).expect("its own keyframe");
    for terminal in [&mut waiting, &mut restored] {
        terminal.advance(b"\x1b]2;a title\x07");
        terminal.resize(Size { cols: 6, rows: 3 });
        assert_eq!((screen(terminal).as_str(), terminal.history_end()), ("abcdef|b|c", 0));
    }
    for done in ["x", "\r", "\x1b[C", "\x1bM", "日"] {
        let mut terminal = terminal(6, 3, drawn);
        terminal.resize(Size { cols: 3, rows: 1 });
        terminal.advance(done.as_bytes());
        terminal.resize(Size { cols: 6, rows: 3 });
        assert!(!screen(&terminal).contains("|b"), "{}", done.escape_debug());
    }
    // Another screen is no reason.
    let mut hidden = terminal(6, 3, &format!("{drawn}\x1b[?47h"));
    hidden.resize(Size { cols: 3, rows: 1 });
    hidden.advance(b"\x1b[Hxyz\r\nu");
    hidden.resize(Size { cols: 6, rows: 3 });
    hidden.advance(b"\x1b[?47l");
    assert_eq!(screen(&hidden), "abcdef|b|c");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Goal: whatever a program has drawn, with regions, wide characters and both screens, and wherever
    /// it left the cursor: resizes there and back lose no text of the main screen or of the history.
    /// Method: draw at random, resize at random, go back, and compare. While a program is on the
    /// alternate screen it may draw there.
    #[test]
    fn whatever_was_drawn_stays(
        first in size(),
        bytes in stream_of_text(50),
        row in 1_u16..12,
        is_alternate in any::<bool>(),
        sizes in proptest::collection::vec(size(), 1..6),
    ) {
        let mut terminal = Terminal::new(first);
        terminal.advance(&bytes);
        terminal.advance(format!("\x18\x1b<\x1b[?47l\x1b[?69l\x1b[?6l\x1b[{row}H").as_bytes());
        if is_alternate {
            terminal.advance(b"\x1b[?47h\x1b[H");
        }
        let before = main_text(&terminal);
        for size in sizes.into_iter().chain([first]) {
            terminal.resize(size);
            if is_alternate {
                terminal.advance(b"\x1b[H\x1b[2Jdrawn\r\nanew");
            }
        }
        prop_assert_eq!(main_text(&terminal), before);
    }

    /// The cursor stays on its character, be it wide or in the middle of a long line.
    #[test]
    fn the_cursor_stays_on_its_character(
        first in size(),
        lines in proptest::collection::vec("[a-z日é]{0,40}", 1..8),
        (x, y) in (0_u16..24, 0_u16..9),
        sizes in proptest::collection::vec(size(), 1..6),
    ) {
        let mut terminal = Terminal::new(first);
        terminal.advance(lines.join("\r\n").as_bytes());
        terminal.advance(format!("\x1b[{};{}H", y + 1, x + 1).as_bytes());
        let before = at_cursor(&terminal);
        if before.trim().is_empty() {
            return Ok(());
        }
        for size in sizes.into_iter().chain([first]) {
            terminal.resize(size);
            prop_assert_eq!(at_cursor(&terminal), before.as_str(), "{:?}", size);
        }
    }
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
