//! When lines were written.

use ccmux_term::{HistoryFormat, LineTime, Size, Terminal, decode_history};

/// A terminal that got each piece at a time, in seconds.
fn terminal_at(size: (u16, u16), pieces: &[(u64, &str)]) -> Terminal {
    let mut terminal = Terminal::new(Size { cols: size.0, rows: size.1 });
    for (seconds, bytes) in pieces {
        terminal.set_time(LineTime::from_millis(seconds * 1000 + 999));
        terminal.advance(bytes.as_bytes());
    }
    terminal
}

/// Texts and times of the lines in memory, then of those on the screen; 0 is unknown.
fn lines(terminal: &Terminal) -> Vec<(String, u64)> {
    (terminal.history_start()..terminal.history_end())
        .filter_map(|number| terminal.history_line(number))
        .chain(terminal.screen_lines())
        .map(|line| (line.text, line.time.seconds().unwrap_or(0)))
        .collect()
}

/// Pieces with their times on a screen of 4x2; the lines and their times.
#[test]
fn a_line_has_the_time_of_the_line_feed_that_ended_it() {
    type Case<'a> = (&'a [(u64, &'a str)], &'a [(&'a str, u64)]);
    let table: &[Case<'_>] = &[
        (&[(5, "a\r\nb")], &[("a", 5), ("b", 0)]),
        (&[(5, "a"), (6, "b\r\n"), (7, "c\r\nd")], &[("ab", 6), ("c", 7), ("d", 0)]),
        // Hours later it leaves the screen.
        (&[(5, "a\r\nb\r\n"), (9000, "\r\n")], &[("a", 5), ("b", 5), ("", 9000)]),
        // A line that wraps is ended once.
        (&[(5, "abcde"), (6, "f\r\n"), (7, "\n\n")], &[("abcdef", 6), ("", 7), ("", 7)]),
        // Nothing ended it but that it left.
        (&[(5, "a"), (8, "\x1b[2S")], &[("a", 8), ("", 8), ("", 0), ("", 0)]),
        // What is written over what was cleared is new.
        (
            &[(5, "a\r\nb\r\n"), (6, "\x1b[H\x1b[2Jx"), (7, "\r\ny\r\n")],
            &[("a", 5), ("b", 5), ("x", 7), ("y", 7), ("", 0)],
        ),
        // A clock that was set back.
        (&[(9, "a\r\n"), (5, "b\r\nc\r\n")], &[("a", 9), ("b", 5), ("c", 5), ("", 0)]),
    ];
    for (pieces, expected) in table {
        let mut found = lines(&terminal_at((4, 2), pieces));
        found.truncate(expected.len());
        let expected: Vec<_> =
            expected.iter().map(|(text, at)| ((*text).to_owned(), *at)).collect();
        assert_eq!(found, expected, "{pieces:?}");
    }
}

/// Lines that come back to a screen that grows, and leave it again, keep their time.
#[test]
fn resizing_changes_no_time() {
    let pieces: Vec<(u64, String)> =
        (1..40).map(|n| (n * 10, format!("line {n} 日\r\n"))).collect();
    let pieces: Vec<(u64, &str)> = pieces.iter().map(|(at, text)| (*at, text.as_str())).collect();
    let mut terminal = terminal_at((20, 5), &pieces);
    let before = lines(&terminal);
    assert_eq!(before[2], ("line 3 日".to_owned(), 30));
    terminal.set_time(LineTime::from_millis(9_000_000));
    for (cols, rows) in [(5, 3), (3, 50), (40, 9), (20, 5)] {
        terminal.resize(Size { cols, rows });
        let mut now = lines(&terminal);
        now.retain(|(text, _)| !text.is_empty());
        assert_eq!(now, before[..39], "{cols}x{rows}");
    }
}

#[test]
fn stored_lines_have_their_times() {
    let pieces: Vec<(u64, String)> =
        (1..300).map(|n| (n / 7 * 10 + 10, format!("{n}\r\n"))).collect();
    let pieces: Vec<(u64, &str)> = pieces.iter().map(|(at, text)| (*at, text.as_str())).collect();
    let terminal = terminal_at((20, 5), &pieces);
    for (first, end) in [(0, 290), (8, 9), (13, 200)] {
        let batch = terminal.history_batch(first..end, usize::MAX);
        assert_eq!(batch.count, end - first);
        let decoded = decode_history(HistoryFormat::TimesAndLines, &batch.bytes, batch.count);
        for (line, number) in decoded.zip(first..) {
            let line = line.expect("it was encoded here");
            assert_eq!(line.text, (number + 1).to_string());
            assert_eq!(line.time.seconds(), Some((number + 1) / 7 * 10 + 10));
            assert_eq!(Some(line), terminal.history_line(number));
        }
    }
}

/// Times that few lines share cost little; those that many share cost next to nothing.
#[test]
fn times_are_small() {
    let bytes = |every: u64| {
        let line = format!("{}\r\n", "x".repeat(79));
        let mut terminal = Terminal::new(Size { cols: 80, rows: 2 });
        for n in 0..1000 {
            terminal.set_time(LineTime::from_millis(1_700_000_000_000 + n / every * 1000));
            terminal.advance(line.as_bytes());
        }
        let batch = terminal.history_batch(0..u64::MAX, usize::MAX);
        batch.bytes.len() as u64 - 81 * batch.count
    };
    assert!(bytes(1) < 2100, "{}", bytes(1));
    assert!(bytes(100) < 50, "{}", bytes(100));
}
