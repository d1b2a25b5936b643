//! How rows become history lines, and how history is read, released, bounded and cleared.

use ccmux_term::{
    Color, Event, HistoryBatch, HistoryFormat, HistoryLine, LineMarks, Size, Style, Terminal,
    decode_history,
};
use proptest::prelude::*;

use crate::screen::terminal;
use crate::support::{size, stream};

fn history(terminal: &Terminal) -> Vec<HistoryLine> {
    (terminal.history_start()..terminal.history_end())
        .map(|number| terminal.history_line(number).expect("in memory"))
        .collect()
}

fn texts(lines: &[HistoryLine]) -> Vec<&str> {
    lines.iter().map(|line| line.text.as_str()).collect()
}

/// Bytes on a screen of 5x2; the history's lines, then the screen's with the pending head.
#[test]
fn rows_leave_as_logical_lines() {
    let table: &[(&str, &[&str], &[&str])] = &[
        ("a\r\nb\r\nc", &["a"], &["b", "c"]),
        ("a\r\nb\r\nc\r\n", &["a", "b"], &["c", ""]),
        // A wrapped line stays whole.
        ("abcdefg\r\nx\r\ny", &["abcdefg"], &["x", "y"]),
        ("abcdefghijklmno", &[], &["abcdefghijklmno"]),
        ("abcdefghijklmno\r\nx", &[], &["abcdefghijklmno", "x"]),
        ("abcdefghijklmno\r\nx\r\n", &["abcdefghijklmno"], &["x", ""]),
        ("abcde\r\nx\r\ny", &["abcde"], &["x", "y"]),
        // Wide characters leave no hole where they wrapped.
        ("日本語\r\nx\r\ny", &["日本語"], &["x", "y"]),
        // Printed spaces stay, blank cells do not.
        ("a  \r\nb\x1b[3C\r\nx\r\ny", &["a  ", "b"], &["x", "y"]),
        ("\x1b[2Ca\r\nx\r\ny", &["  a"], &["x", "y"]),
        ("\r\n\r\n\r\n", &["", ""], &["", ""]),
        // A line printed over a wrapped one does not inherit the wrap.
        ("abcdefg\r\x1b[Avwxyz\r\nq\x1b[K\r\n\r\n", &["vwxyz", "q"], &["", ""]),
        // Erasing the end of a row ends its line.
        ("abcdefg\x1b[A\x1b[K\r\n\n\n", &["ab", "fg"], &["", ""]),
        // The whole screen cleared goes to history.
        ("a\r\nb\x1b[2J", &["a", "b"], &["", ""]),
        ("a\x1b[H\x1b[J\x1b[J", &["a"], &["", ""]),
        ("abcdefghijklmno\x1b[2J", &["abcdefghijklmno"], &["", ""]),
        ("\x1b[2J", &[], &["", ""]),
        // What is scrolled by SU goes, what DL deletes does not.
        ("a\r\nb\x1b[S", &["a"], &["b", ""]),
        ("a\r\nb\x1b[H\x1b[M", &[], &["b", ""]),
        // The rest of a line whose beginning has left is deleted or pushed away.
        ("abcdefghijklmno\x1b[H\x1b[M", &["abcde"], &["klmno", ""]),
        ("abcdefghijklmno\x1b[H\x1bM", &["abcde"], &["", "fghij"]),
        // The alternate screen has no history.
        ("\x1b[?1049ha\r\nb\r\nc\x1b[?1049l", &[], &["", ""]),
        ("\x1b[?1049ha\r\nb\x1b[2J\x1b[?1049l", &[], &["", ""]),
        (
            "abcdefghijk\x1b[?1049h\x1b[2J\x1b[H\x1b[M\x1bMx\r\n\n\x1b[?1049lZ\r\n\n",
            &["abcdefghijkZ"],
            &["", ""],
        ),
        ("a\r\nb\x1bc", &["a", "b"], &["", ""]),
    ];
    for (bytes, lines, screen) in table {
        let terminal = terminal(5, 2, bytes);
        assert_eq!(texts(&history(&terminal)), *lines, "history of {}", bytes.escape_debug());
        let found = terminal.screen_lines();
        assert_eq!(texts(&found), *screen, "screen of {}", bytes.escape_debug());
    }
}

#[test]
fn only_a_region_at_the_top_scrolls_into_history() {
    assert_eq!(texts(&history(&terminal(5, 3, "a\r\nb\r\nc\x1b[1;2r\x1b[2;1H\n\n"))), ["a", "b"]);
    assert_eq!(history(&terminal(5, 3, "a\r\nb\r\nc\x1b[2;3r\x1b[3;1H\n\n")), []);
}

#[test]
fn scroll_on_clear_can_be_off() {
    let mut terminal = Terminal::new(Size { cols: 5, rows: 2 });
    terminal.set_scroll_on_clear(false);
    terminal.advance(b"a\x1b[2J");
    assert_eq!(terminal.history_end(), 0);
}

#[test]
fn styles_links_and_marks_are_kept() {
    let terminal = terminal(
        20,
        1,
        "a\x1b[31mbc\x1b[m \x1b]8;;http://e\x07d\x1b]8;;\x07e\x1b[44m\x1b[K\x1b]133;A\x07\r\n",
    );
    let line = terminal.history_line(0).expect("one line");
    assert_eq!(line.text, "abc de");
    let pieces: Vec<_> = line
        .pieces()
        .map(|(text, style, link)| (text, style.fg, link.map(|link| &*link.uri)))
        .collect();
    let plain = Color::Default;
    let expected = [
        ("a", plain, None),
        ("bc", Color::Indexed(1), None),
        (" ", plain, None),
        ("d", plain, Some("http://e")),
        ("e", plain, None),
    ];
    assert_eq!(pieces, expected);
    assert_eq!(line.fill, Style { bg: Color::Indexed(4), ..Style::default() });
    assert_eq!(line.marks, LineMarks::PROMPT);
}

#[test]
fn plain_lines_cost_their_text_and_little_more() {
    let mut terminal = Terminal::new(Size { cols: 80, rows: 1 });
    for _ in 0..1000 {
        terminal.advance(&[b'x'; 70]);
        terminal.advance(b"\r\n");
    }
    assert_eq!(terminal.history_batch(0..u64::MAX, usize::MAX).bytes.len(), 4 + 1000 * 72);
}

#[test]
fn batches_fit_and_join() {
    let mut terminal = Terminal::new(Size { cols: 80, rows: 2 });
    for number in 0..20_000 {
        terminal.advance(format!("line \x1b[3{}m{number}\x1b[m\r\n", number % 8).as_bytes());
    }
    let whole = terminal.history_batch(0..u64::MAX, usize::MAX);
    assert_eq!((whole.first_line, whole.count), (0, terminal.history_end()));
    let decode = |batch: &HistoryBatch| -> Vec<HistoryLine> {
        let lines = decode_history(HistoryFormat::TimesAndLines, &batch.bytes, batch.count);
        lines.map(Result::unwrap).collect()
    };
    let mut joined = Vec::new();
    while (joined.len() as u64) < whole.count {
        let batch = terminal.history_batch(joined.len() as u64..u64::MAX, 10_000);
        assert_eq!(batch.first_line, joined.len() as u64);
        // The times come on top of it.
        assert!((1..=10_000 + 4).contains(&batch.bytes.len()));
        joined.extend(decode(&batch));
    }
    let lines = decode(&whole);
    assert_eq!(joined, lines);
    assert_eq!(terminal.history_batch(7..u64::MAX, 1).count, 1, "at least one line");
    assert_eq!(terminal.history_batch(whole.count..u64::MAX, 1000).count, 0);
    assert_eq!(lines[19_000].text, "line 19000");
    assert_eq!(terminal.history_line(19_000).as_ref(), Some(&lines[19_000]));
}

#[test]
fn released_lines_are_gone_and_numbers_stay() {
    let mut terminal = Terminal::new(Size { cols: 80, rows: 2 });
    terminal.advance(&b"0123456789\r\n".repeat(10_000));
    terminal.release_history(5_000);
    assert_eq!((terminal.history_start(), terminal.history_end()), (5_000, 9_999));
    assert_eq!(terminal.history_line(4_999), None);
    assert_eq!(terminal.history_line(5_000).expect("kept").text, "0123456789");
    let batch = terminal.history_batch(0..u64::MAX, usize::MAX);
    assert_eq!((batch.first_line, batch.count), (5_000, 4_999));
    // The last ones stay: a screen that grows takes them back.
    terminal.release_history(u64::MAX);
    assert_eq!((terminal.history_start(), terminal.history_end()), (9_871, 9_999));
    assert_eq!(terminal.history_sealed_end(), 9_871);
    assert_eq!(terminal.history_cleared_before(), 0);

    terminal.set_history_limit(Some(10));
    terminal.advance(&b"x\r\n".repeat(100));
    assert_eq!((terminal.history_start(), terminal.history_end()), (10_089, 10_099));
}

#[test]
fn skipped_lines_are_elsewhere() {
    let mut terminal = Terminal::new(Size { cols: 80, rows: 1 });
    terminal.advance(b"a\r\nb\r\n");
    terminal.skip_history(7);
    assert_eq!((terminal.history_start(), terminal.history_end()), (7, 7));
    terminal.skip_history(3);
    terminal.advance(b"c\r\n");
    assert_eq!((terminal.history_start(), terminal.history_end()), (7, 8));
    assert_eq!(terminal.history_line(7).expect("kept").text, "c");
    assert_eq!(terminal.history_cleared_before(), 0);
    let restored = Terminal::restore(&terminal.keyframe()).expect("it is whole");
    assert_eq!(restored.history_end(), 8);
}

#[test]
fn clearing_is_visible() {
    let mut terminal = terminal(5, 2, "a\r\nb\r\nc\r\nd\x1b[3J");
    assert_eq!(terminal.history_cleared_before(), 2);
    assert_eq!((terminal.history_start(), terminal.history_end()), (2, 2));
    assert_eq!(terminal.take_events(), [Event::HistoryCleared { before: 2 }]);
    assert_eq!(texts(&terminal.screen_lines()), ["c", "d"]);
    terminal.clear_history();
    assert_eq!(terminal.take_events(), [], "nothing was left to clear");
    terminal.advance(b"\r\ne");
    terminal.clear_history();
    assert_eq!(terminal.take_events(), [Event::HistoryCleared { before: 3 }]);
    // Lines that are stored elsewhere are cleared too.
    terminal.advance(b"\r\nf");
    terminal.release_history(4);
    terminal.clear_history();
    assert_eq!(terminal.history_cleared_before(), 4);
}

#[test]
fn damaged_history_is_an_error() {
    let terminal = terminal(20, 1, "a\x1b[1mb\x1b]8;;http://e\x07cde\r\nplain\r\n");
    let HistoryBatch { bytes, count, .. } = terminal.history_batch(0..u64::MAX, usize::MAX);
    let decode = |bytes: &[u8], count| -> Vec<_> {
        decode_history(HistoryFormat::TimesAndLines, bytes, count).collect()
    };
    assert!(decode(&bytes, count).iter().all(Result::is_ok));
    assert!(decode(&bytes, count + 1).iter().any(Result::is_err));
    assert!(decode(&bytes, count - 1).iter().any(Result::is_err));
    for len in 0..bytes.len() {
        assert!(decode(&bytes[..len], count).iter().any(Result::is_err));
    }
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        for byte in 0..=255 {
            damaged[at] = byte;
            assert!(decode(&damaged, count).len() <= 2);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_codec_round_trips(size in size(), bytes in stream(60)) {
        let mut terminal = Terminal::new(size);
        terminal.advance(&bytes);
        let mut lines = terminal.screen_lines();
        lines.extend((0..terminal.history_end()).filter_map(|number| terminal.history_line(number)));
        let mut encoded = Vec::new();
        for line in &lines {
            line.encode(&mut encoded);
        }
        let decoded: Result<Vec<_>, _> = decode_history(HistoryFormat::Lines, &encoded, lines.len() as u64).collect();
        let texts = |lines: &[HistoryLine]| -> Vec<String> { lines.iter().map(|line| line.text.clone()).collect() };
        let decoded = decoded.unwrap();
        prop_assert_eq!(texts(&decoded), texts(&lines));
        for (a, b) in decoded.iter().zip(&lines) {
            prop_assert!(a.pieces().eq(b.pieces()), "{:?} {:?}", a, b);
            prop_assert_eq!((a.fill, a.marks, a.continues), (b.fill, b.marks, b.continues));
        }
    }
}
