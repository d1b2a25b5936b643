//! Scrolling and moving the cursor.

use super::*;
use crate::copy_mode::CopyPosition;

/// Goal: scrolling does what tmux's does. The figures are tmux's own for the same lines and commands,
/// but for `scroll-bottom` and the like, which only newer versions have.
#[test]
fn commands_scroll_and_move_by_rows() {
    for (commands, expect) in [
        (&["cursor-up"] as &[&str], (0, 0, 8)),
        (&["scroll-up"], (1, 0, 9)),
        (&["scroll-up", "scroll-down"], (0, 0, 9)),
        (&["scroll-down"], (0, 0, 9)),
        (&["page-up"], (8, 0, 9)),
        (&["page-up", "page-up"], (16, 0, 9)),
        (&["halfpage-up"], (5, 0, 9)),
        (&["halfpage-up", "halfpage-up", "halfpage-down"], (5, 0, 9)),
        (&["page-up", "page-up", "page-up"], (20, 0, 1)),
        (&["page-up", "page-up", "page-up", "page-up"], (20, 0, 0)),
        (&["page-up", "page-up", "page-down"], (8, 0, 9)),
        (&["history-top"], (20, 0, 0)),
        (&["history-top", "cursor-up"], (20, 0, 0)),
        (&["history-top", "cursor-down"], (20, 0, 1)),
        (&["history-top", "history-bottom"], (0, 7, 9)),
        (&["top-line"], (0, 0, 0)),
        (&["middle-line"], (0, 0, 4)),
        (&["top-line", "cursor-up"], (1, 0, 0)),
        (&["top-line", "bottom-line"], (0, 0, 9)),
        (&["goto-line 5"], (5, 0, 9)),
        (&["goto-line 100"], (20, 0, 9)),
        (&["goto-line -1"], (20, 0, 9)),
        (&["goto-line x"], (0, 0, 9)),
        (&["goto-line 5", "goto-line 0"], (0, 0, 9)),
        (&["top-line", "scroll-bottom"], (9, 0, 9)),
        (&["middle-line", "scroll-top"], (0, 0, 4)),
        (&["top-line", "cursor-centre-vertical"], (4, 0, 4)),
        (&["history-top", "set-mark", "history-bottom", "jump-to-mark"], (20, 0, 0)),
    ] {
        let source = FakeSource::numbered(30, 10);
        let mut mode = enter(&source, size(20, 10), ModeKeys::Emacs);
        assert_eq!(run(&mut mode, &source, commands), CopyOutcome::Continue, "{commands:?}");
        assert_eq!(place(&mode, &source), expect, "{commands:?}");
    }
}

/// Goal: a column survives shorter rows in between, and the end of a row stays the end.
#[test]
fn moving_up_and_down_heads_for_a_column() {
    let source = FakeSource::new(["a long row", "short", "", "another long row"], 4);
    for (commands, expect) in [
        (&["top-line", "end-of-line", "cursor-down"] as &[&str], (5, 1)),
        (&["top-line", "end-of-line", "cursor-down", "cursor-down", "cursor-down"], (16, 3)),
        (&["top-line", "next-word", "next-word", "cursor-down", "cursor-down"], (0, 2)),
        (
            &["top-line", "next-word", "next-word", "cursor-down", "cursor-down", "cursor-down"],
            (7, 3),
        ),
        (&["end-of-line", "cursor-left", "cursor-up", "cursor-up", "cursor-up"], (10, 0)),
    ] {
        let mut mode = enter(&source, size(20, 4), ModeKeys::Emacs);
        run(&mut mode, &source, commands);
        let (_, x, y) = place(&mode, &source);
        assert_eq!((x, y), expect, "{commands:?}");
    }
}

#[test]
fn commands_move_by_text() {
    use ModeKeys::{Emacs, Vi};
    // Each from the `|` of the first text to that of the second one.
    for (keys, command, from, to) in [
        (Emacs, "cursor-right", "|ab", "a|b"),
        (Emacs, "cursor-right", "ab|/cd", "ab/|cd"),
        (Emacs, "cursor-left", "ab/|cd", "ab|/cd"),
        (Emacs, "cursor-left", "|ab", "|ab"),
        (Emacs, "cursor-right", "ab|", "ab|"),
        (Emacs, "cursor-right", "|世界", "世|界"),
        (Emacs, "cursor-right", "|e\u{301}x", "e\u{301}|x"),
        (Emacs, "cursor-left", "e\u{301}|x", "|e\u{301}x"),
        (Emacs, "start-of-line", "ab c|d", "|ab cd"),
        (Emacs, "end-of-line", "a|b cd", "ab cd|"),
        (Emacs, "back-to-indentation", "  ab| cd", "  |ab cd"),
        (Emacs, "back-to-indentation", "|  ", "  |"),
        (Emacs, "next-word", "|foo bar", "foo |bar"),
        (Emacs, "next-word", "f|oo.bar", "foo|.bar"),
        (Emacs, "next-word", "foo|.bar", "foo.|bar"),
        (Emacs, "next-word", "foo|//bar", "foo//|bar"),
        (Emacs, "next-word", "|foo", "foo|"),
        (Emacs, "next-word-end", "|foo bar", "foo| bar"),
        (Emacs, "next-word-end", "foo| bar", "foo bar|"),
        (Vi, "next-word-end", "|foo bar", "fo|o bar"),
        (Vi, "next-word-end", "fo|o bar", "foo ba|r"),
        (Emacs, "previous-word", "foo bar|", "foo |bar"),
        (Emacs, "previous-word", "foo |bar", "|foo bar"),
        (Emacs, "previous-word", "foo b|ar", "foo |bar"),
        (Emacs, "previous-word", "foo.|bar", "foo|.bar"),
        (Emacs, "next-space", "|foo.bar baz", "foo.bar |baz"),
        (Emacs, "next-space-end", "|foo.bar baz", "foo.bar| baz"),
        (Vi, "next-space-end", "|foo.bar baz", "foo.ba|r baz"),
        (Emacs, "previous-space", "foo.bar |baz", "|foo.bar baz"),
        (Emacs, "next-word", "foo|/bar", "foo/|bar"),
        (Emacs, "jump-forward o", "|foo boo", "f|oo boo"),
        (Emacs, "jump-forward x", "|foo", "|foo"),
        (Emacs, "jump-to-forward b", "|foo boo", "foo| boo"),
        (Emacs, "jump-to-forward o", "|foo boo", "f|oo boo"),
        (Emacs, "jump-backward f", "foo bo|o", "|foo boo"),
        (Emacs, "jump-to-backward f", "foo bo|o", "f|oo boo"),
        (Emacs, "jump-to-backward o", "foo b|oo", "foo| boo"),
    ] {
        // `/` stands for an end of line.
        let cursor_line = from.split('|').next().unwrap().matches('/').count();
        let lines: Vec<&str> = from.split('/').collect();
        let offset = lines[cursor_line].find('|').unwrap();
        let before = &lines[cursor_line][..offset];
        let source = FakeSource::new(from.replace('|', "").split('/'), lines.len() as u64);
        let options = CopyOptions { keys, ..CopyOptions::default() };
        let x = crate::compose::columns(before, crate::Widths::builtin()) as u16;
        let rows = lines.len() as u16;
        let mut mode = CopyMode::new(&source, size(30, rows), (x, cursor_line as u16), options);
        run(&mut mode, &source, &["toggle-position"]);
        assert_eq!(view(&mode, &source).join("/"), from.trim_end(), "before {command}");
        run(&mut mode, &source, &[command]);
        assert_eq!(view(&mode, &source).join("/"), to.trim_end(), "{command} from {from:?}");
    }
}

#[test]
fn paragraphs_and_repeated_jumps() {
    let source = FakeSource::new(["a", "b", "", "", "c.d.e", "f"], 6);
    let mut mode = enter(&source, size(10, 6), ModeKeys::Emacs);
    let mut at = |commands: &[&str]| {
        run(&mut mode, &source, commands);
        let (_, x, y) = place(&mode, &source);
        (x, y)
    };
    assert_eq!(at(&["top-line", "next-paragraph"]), (0, 2));
    assert_eq!(at(&["next-paragraph"]), (1, 5));
    assert_eq!(at(&["previous-paragraph"]), (0, 3));
    assert_eq!(at(&["previous-paragraph"]), (0, 0));
    assert_eq!(at(&["next-paragraph", "start-of-line", "cursor-down", "cursor-down"]), (5, 4));
    assert_eq!(at(&["start-of-line"]), (0, 4));
    assert_eq!(at(&["jump-forward ."]), (1, 4));
    assert_eq!(at(&["jump-again"]), (3, 4));
    assert_eq!(at(&["jump-reverse"]), (1, 4));
}

#[test]
fn counts_repeat_what_can_be_repeated() {
    let source = FakeSource::numbered(30, 10);
    let mut mode = enter(&source, size(20, 10), ModeKeys::Emacs);
    let mut times = |count, name| {
        mode.run_counted(copy_command(name).unwrap(), count, None, &source);
        place(&mode, &source)
    };
    assert_eq!(times(5, "scroll-up"), (5, 0, 9));
    assert_eq!(times(3, "cursor-up"), (5, 0, 6));
    assert_eq!(times(2, "toggle-position"), (5, 0, 6));
    assert!(!mode.shows_position());
    assert_eq!(
        mode.run_counted(copy_command("cursor-up").unwrap(), u32::MAX, None, &source),
        CopyOutcome::Continue
    );
    assert_eq!(place(&mode, &source), (20, 0, 0));
}

#[test]
fn scrolling_to_the_bottom_may_leave() {
    let source = FakeSource::numbered(30, 10);
    for (exits, commands, expect) in [
        (true, &["page-up", "page-down"] as &[&str], CopyOutcome::Exit),
        (false, &["page-up", "page-down"], CopyOutcome::Continue),
        (true, &["page-up", "page-up", "page-down"], CopyOutcome::Continue),
        (true, &["scroll-up", "scroll-down"], CopyOutcome::Exit),
        (true, &["cursor-down"], CopyOutcome::Continue),
        (false, &["page-up", "page-down-and-cancel"], CopyOutcome::Exit),
        (false, &["page-up", "halfpage-down-and-cancel"], CopyOutcome::Continue),
        (false, &["scroll-up", "scroll-down-and-cancel"], CopyOutcome::Exit),
        (false, &["cursor-down-and-cancel"], CopyOutcome::Exit),
        (false, &["cursor-up", "cursor-down-and-cancel"], CopyOutcome::Continue),
        (false, &["scroll-up", "cursor-down-and-cancel"], CopyOutcome::Continue),
        (false, &["cancel"], CopyOutcome::Exit),
    ] {
        let options = CopyOptions { exit_at_bottom: exits, ..CopyOptions::default() };
        let mut mode = CopyMode::new(&source, size(20, 10), (0, 9), options);
        assert_eq!(run(&mut mode, &source, commands), expect, "{commands:?}");
    }
}

#[test]
fn wrapped_lines_are_scrolled_by_rows() {
    let source = FakeSource::new(["abcdefghij", "x", "世界世界", "y"], 1);
    let mut mode = enter(&source, size(4, 2), ModeKeys::Emacs);
    run(&mut mode, &source, &["toggle-position", "top-line"]);
    assert_eq!(view(&mode, &source), ["|世界", "y"]);
    let mut rows = Vec::new();
    for _ in 0..5 {
        run(&mut mode, &source, &["cursor-up"]);
        rows.push(view(&mode, &source)[0].clone());
    }
    assert_eq!(rows, ["|世界", "|x", "|ij", "|efgh", "|abcd"]);
    assert_eq!(mode.position(&source), CopyPosition { offset: 5, total: 5 });
    run(&mut mode, &source, &["end-of-line"]);
    assert_eq!(view(&mode, &source), ["efgh", "ij|"]);
    run(&mut mode, &source, &["start-of-line"]);
    assert_eq!(view(&mode, &source), ["|abcd", "efgh"]);
}

/// Goal: after a resize the view shows the same place. Method: stand in the middle of a long line.
#[test]
fn a_resize_keeps_the_place() {
    let text: String = ('a'..='z').collect();
    let source = FakeSource::new(["first", &text, "last"], 1);
    let mut mode = enter(&source, size(5, 3), ModeKeys::Emacs);
    run(&mut mode, &source, &["toggle-position", "history-top"]);
    run(&mut mode, &source, &["scroll-down", "scroll-down"]);
    assert_eq!(view(&mode, &source), ["|fghij", "klmno", "pqrst"]);
    mode.resize(size(10, 2), &source);
    assert_eq!(view(&mode, &source), ["abcde|fghij", "klmnopqrst"]);
    mode.resize(size(4, 2), &source);
    assert_eq!(view(&mode, &source), ["abcd", "e|fgh"]);
    mode.resize(size(40, 6), &source);
    assert_eq!(view(&mode, &source)[1], "abcde|fghijklmnopqrstuvwxyz");
}

/// Expectations from tmux 3.3a.
#[test]
fn the_word_under_the_cursor_is_told() {
    let source = FakeSource::new(["foo-bar  baz.qux(x) end"], 1);
    let mut mode = CopyMode::new(&source, size(40, 1), (0, 0), CopyOptions::default());
    let words =
        "foo foo foo bar bar bar bar - baz baz baz baz qux qux qux qux x x - end end end end -";
    for (x, word) in words.split(' ').enumerate() {
        assert_eq!(mode.cursor_word(&source), word.trim_matches('-'), "column {x}");
        assert_eq!(mode.cursor(&source), (0, x));
        assert_eq!(mode.cursor_line(&source), "foo-bar  baz.qux(x) end");
        run(&mut mode, &source, &["cursor-right"]);
    }
}

/// Expectations from tmux 3.3a: from a row and column forward and backward, with vi's keys and with
/// emacs'.
#[test]
fn brackets_lead_to_those_that_match() {
    let source = FakeSource::new(["a (b [c] d) e", "  {x", "y} (z", "end ] (q)"], 4);
    let commands = ["next-matching-bracket", "previous-matching-bracket"];
    for (from, vi, emacs) in [
        ((0, 0), [(0, 10), (0, 0)], [(0, 1), (0, 0)]),
        ((0, 2), [(0, 10), (0, 2)], [(0, 10), (0, 0)]),
        ((0, 5), [(0, 7), (0, 5)], [(0, 7), (0, 2)]),
        ((0, 7), [(0, 5), (0, 5)], [(0, 8), (0, 5)]),
        ((0, 10), [(0, 2), (0, 2)], [(0, 11), (0, 2)]),
        ((0, 12), [(0, 12), (0, 12)], [(0, 13), (0, 10)]),
        ((1, 0), [(2, 1), (1, 0)], [(1, 3), (0, 12)]),
        ((1, 2), [(2, 1), (1, 2)], [(2, 1), (0, 12)]),
        ((2, 1), [(1, 2), (1, 2)], [(2, 2), (1, 2)]),
        ((2, 3), [(2, 3), (2, 3)], [(2, 3), (2, 1)]),
        ((3, 0), [(3, 0), (3, 0)], [(3, 3), (2, 3)]),
        ((3, 4), [(3, 4), (3, 4)], [(3, 5), (3, 4)]),
        ((3, 8), [(3, 6), (3, 6)], [(3, 9), (3, 6)]),
    ] {
        for (keys, expected) in [(ModeKeys::Vi, vi), (ModeKeys::Emacs, emacs)] {
            for (command, expected) in commands.into_iter().zip(expected) {
                let options = CopyOptions { keys, ..CopyOptions::default() };
                let mut mode = CopyMode::new(&source, size(40, 4), (from.1, from.0), options);
                run(&mut mode, &source, &[command]);
                assert_eq!(mode.cursor(&source), expected, "{keys:?} {command} from {from:?}");
            }
        }
    }
}

/// Expectations from tmux 3.3a.
#[test]
fn a_mark_is_shown_at_the_top_or_with_the_last_lines() {
    let source = FakeSource::numbered(30, 10);
    let mut mode = enter(&source, size(20, 10), ModeKeys::Vi);
    run(&mut mode, &source, &["top-line", "cursor-down", "set-mark", "history-top"]);
    run(&mut mode, &source, &["jump-to-mark"]);
    assert_eq!(place(&mode, &source), (0, 0, 1));
    run(&mut mode, &source, &["page-up", "set-mark", "history-bottom", "jump-to-mark"]);
    assert_eq!(place(&mode, &source), (7, 0, 0));
}
