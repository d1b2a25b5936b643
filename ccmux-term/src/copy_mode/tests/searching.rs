//! Searching.

use proptest::prelude::*;

use super::super::{LastSearch, SearchError};
use super::*;
use crate::{LineMarks, Terminal};

/// Goal: the cursor goes to each match in turn. Method: mark it in the text of all rows.
#[test]
fn searches_go_from_match_to_match() {
    use ModeKeys::{Emacs, Vi};
    for (keys, commands, expect) in [
        (Vi, &["top-line", "search-forward two"] as &[&str], "one one/|two/One two/three"),
        (Vi, &["top-line", "search-forward two", "search-again"], "one one/two/One |two/three"),
        (
            Vi,
            &["top-line", "search-forward two", "search-again", "search-again"],
            "one one/|two/One two/three",
        ),
        (Vi, &["top-line", "search-forward one"], "one |one/two/One two/three"),
        (Vi, &["top-line", "search-forward One"], "one one/two/|One two/three"),
        (
            Vi,
            &["top-line", "search-forward one", "search-again", "search-reverse"],
            "one |one/two/One two/three",
        ),
        (Vi, &["search-backward two"], "one one/two/One |two/three"),
        (Vi, &["search-backward two", "search-again"], "one one/|two/One two/three"),
        (Vi, &["search-backward three"], "one one/two/One two/|three"),
        (Vi, &["search-forward none"], "one one/two/One two/|three"),
        (Vi, &["search-forward"], "one one/two/One two/|three"),
        (Vi, &["search-again"], "one one/two/One two/|three"),
        (Vi, &["search-forward t.o"], "one one/|two/One two/three"),
        (Vi, &["search-forward-text t.o"], "one one/two/One two/|three"),
        (Vi, &["top-line", "search-forward ^o", "search-again"], "|one one/two/One two/three"),
        (Emacs, &["top-line", "search-forward-text one"], "one| one/two/One two/three"),
        (
            Emacs,
            &["top-line", "search-forward-text one", "search-again", "search-again"],
            "one one/two/One| two/three",
        ),
        (Emacs, &["search-backward-text one"], "one one/two/|One two/three"),
        (
            Emacs,
            &["search-backward-text one", "search-again", "search-reverse"],
            "one one|/two/One two/three",
        ),
    ] {
        let source = FakeSource::new(["one one", "two", "One two", "three"], 4);
        let mut mode = enter(&source, size(20, 4), keys);
        run(&mut mode, &source, &["toggle-position"]);
        run(&mut mode, &source, commands);
        assert_eq!(view(&mode, &source).join("/"), expect, "{commands:?}");
    }
}

#[test]
fn without_wrap_search_the_ends_are_the_end() {
    let source = FakeSource::new(["x", "here", "y"], 3);
    let options = CopyOptions { wrap_search: false, keys: ModeKeys::Vi, ..CopyOptions::default() };
    let mut mode = CopyMode::new(&source, size(20, 3), (0, 1), options);
    run(&mut mode, &source, &["toggle-position", "search-forward y", "search-again"]);
    assert_eq!(view(&mode, &source), ["x", "here", "|y"]);
    run(&mut mode, &source, &["search-forward x"]);
    assert_eq!(view(&mode, &source), ["x", "here", "|y"]);
    run(&mut mode, &source, &["search-backward x"]);
    assert_eq!(view(&mode, &source), ["|x", "here", "y"]);
}

#[test]
fn incremental_searches_start_over_when_the_text_changes() {
    let source = FakeSource::new(["fox", "for", "foo", "end"], 4);
    let mut mode = enter(&source, size(20, 4), ModeKeys::Emacs);
    run(&mut mode, &source, &["toggle-position"]);
    for (command, expect) in [
        ("search-backward-incremental =f", "fox/for/|foo/end"),
        ("search-backward-incremental -f", "fox/|for/foo/end"),
        ("search-backward-incremental =fo", "fox/for/|foo/end"),
        ("search-backward-incremental =fox", "|fox/for/foo/end"),
        ("search-backward-incremental =foxy", "fox/for/foo/|end"),
        ("search-backward-incremental =", "fox/for/foo/|end"),
        ("search-forward-incremental =o", "fo|x/for/foo/end"),
        ("search-forward-incremental +o", "fox/fo|r/foo/end"),
    ] {
        run(&mut mode, &source, &[command]);
        assert_eq!(view(&mode, &source).join("/"), expect, "{command}");
    }
}

#[test]
fn the_last_search_of_the_pane_is_remembered() {
    let source = FakeSource::new(["one", "two"], 2);
    let mut first = enter(&source, size(20, 2), ModeKeys::Vi);
    assert_eq!(first.search_string(), None);
    run(&mut first, &source, &["search-backward one"]);
    let last_search = first.last_search();
    let expected = LastSearch { needle: "one".into(), is_regex: true };
    assert_eq!(last_search.as_ref(), Some(&expected));
    let options = CopyOptions { last_search, ..CopyOptions::default() };
    let mut second = CopyMode::new(&source, size(20, 2), (0, 1), options);
    run(&mut second, &source, &["toggle-position", "search-again"]);
    assert_eq!(view(&second, &source), ["|one", "two"]);
}

#[test]
fn a_match_far_away_is_shown_with_its_surroundings() {
    let mut source = FakeSource::numbered(100, 10);
    source.lines[50].text = "needle".into();
    let mut mode = enter(&source, size(20, 10), ModeKeys::Vi);
    run(&mut mode, &source, &["search-backward needle"]);
    assert_eq!(place(&mode, &source), (48, 0, 8));
    // A match across rows is found, as the line is one.
    source.lines[20].text = "0123456789abcdefghijklmnop".into();
    run(&mut mode, &source, &["search-backward hijklm"]);
    assert_eq!(view(&mode, &source)[8], "0123456789abcdefg|hij");
}

/// Goal: a search through much history can be interrupted, and goes on where it was.
#[test]
fn far_searches_pause() {
    let mut source = FakeSource::numbered(100_000, 10);
    source.lines[7].text = "needle".into();
    let mut mode = enter(&source, size(20, 10), ModeKeys::Vi);
    let search = copy_command("search-backward").unwrap();
    let mut turns = 1;
    let mut outcome = mode.run(search, Some("needle"), &source);
    while outcome == CopyOutcome::Searching {
        turns += 1;
        outcome = mode.resume(&source, 256 * 1024);
    }
    assert_eq!((turns, outcome), (16, CopyOutcome::Continue));
    assert_eq!(mode.cursor.line, 7);

    // A key gives it up; lost lines do not confuse it.
    assert_eq!(mode.run(search, Some("nothing"), &source), CopyOutcome::Searching);
    run(&mut mode, &source, &["cursor-down"]);
    assert_eq!(mode.resume(&source, 256 * 1024), CopyOutcome::Continue);
    assert_eq!(mode.cursor.line, 8);
    assert_eq!(mode.run(search, Some("line 99998"), &source), CopyOutcome::Continue);
    let forward = copy_command("search-forward").unwrap();
    assert_eq!(mode.run(forward, Some("line 5$"), &source), CopyOutcome::Continue);
    assert_eq!(mode.run(search, Some("line 99998"), &source), CopyOutcome::Continue);
    assert_eq!(mode.run(search, Some("nothing"), &source), CopyOutcome::Searching);
    source.start = 99_000;
    let mut turns = 0;
    while mode.resume(&source, 256 * 1024) == CopyOutcome::Searching {
        turns += 1;
    }
    assert_eq!((turns, mode.cursor.line), (0, 99_998), "only what is left is searched");
}

/// Expectations from tmux 3.3a. Lines far from the end are not counted.
#[test]
fn the_position_tells_how_much_was_found() {
    let source = FakeSource::numbered(1_000, 3);
    let mut mode = enter(&source, size(40, 3), ModeKeys::Vi);
    for (commands, expected) in [
        (&["search-backward 99"] as &[&str], Some((19, false))),
        (&["search-again", "start-of-line"], Some((19, false))),
        (&["search-backward 9"], Some((300, false))),
        (&["begin-selection"], None),
        (&["search-backward 998"], Some((1, false))),
        (&["set-mark"], None),
    ] {
        run(&mut mode, &source, commands);
        assert_eq!(mode.search_count(), expected, "{commands:?}");
    }
    let source = FakeSource::numbered(20_000, 3);
    let mut mode = enter(&source, size(40, 3), ModeKeys::Vi);
    run(&mut mode, &source, &["search-backward 1999"]);
    assert_eq!(mode.search_count(), Some((10, true)));
}

/// A search is seen, and a key ends it without ending copy mode.
#[test]
fn a_search_tells_how_far_it_is() {
    let mut source = FakeSource::numbered(100_000, 10);
    source.lines[3].text.clear();
    let mut mode = enter(&source, size(60, 10), ModeKeys::Vi);
    let (search, cancel) =
        (copy_command("search-backward").unwrap(), copy_command("cancel").unwrap());
    assert_eq!(mode.run(search, Some("nothing"), &source), CopyOutcome::Searching);
    assert_eq!(mode.search_note().as_deref(), Some("(searching 6%)"));
    assert_eq!(mode.resume(&source, 2 << 20), CopyOutcome::Searching);
    assert_eq!(mode.search_note().as_deref(), Some("(searching 56%)"));
    assert_eq!(mode.run(cancel, None, &source), CopyOutcome::Continue);
    assert_eq!(mode.search_note(), None);
    assert_eq!(mode.resume(&source, usize::MAX), CopyOutcome::Continue);

    run(&mut mode, &source, &["search-backward nothing"]);
    assert_eq!(mode.search_note().as_deref(), Some("(not found)"));
    run(&mut mode, &source, &["cursor-up"]);
    assert_eq!(mode.search_note(), None);
    assert_eq!(mode.run(cancel, None, &source), CopyOutcome::Exit);
}

/// What cannot be searched for is refused, and the search before it goes on counting.
#[test]
fn bad_patterns_are_refused() {
    let source = FakeSource::new(["a(b", "x", "end"], 3);
    let mut mode = enter(&source, size(20, 3), ModeKeys::Vi);
    run(&mut mode, &source, &["search-backward x"]);
    let refused = |text: &str| CopyOutcome::Refused(SearchError::Syntax(text.into()));
    let before = mode.place();
    for (pattern, expected) in [
        ("a(b", refused("unclosed group")),
        ("*", refused("repetition operator missing expression")),
        ("(?:x{1000}){1000}", CopyOutcome::Refused(SearchError::TooBig)),
        (&"x".repeat(1025), CopyOutcome::Refused(SearchError::TooLong)),
    ] {
        assert_eq!(run(&mut mode, &source, &[&format!("search-forward {pattern}")]), expected);
        assert_eq!((mode.place(), mode.search_string()), (before, Some("x")), "{pattern}");
    }
    run(&mut mode, &source, &["search-backward-text a(b"]);
    assert_eq!(mode.place().cursor_line, 0, "text may be anything");
}

#[test]
fn the_match_at_the_cursor_is_known() {
    for (keys, commands, expected) in [
        (ModeKeys::Vi, &["search-backward t.o"] as &[&str], Some("two")),
        (ModeKeys::Vi, &["search-backward t.o", "cursor-right"], Some("two")),
        (ModeKeys::Vi, &["search-backward t.o", "cursor-left"], None),
        (ModeKeys::Vi, &["search-backward t.o", "begin-selection"], None),
        (ModeKeys::Emacs, &["top-line", "search-forward t.o"], Some("two")),
        (ModeKeys::Emacs, &[], None),
    ] {
        let source = FakeSource::new(["one two", "end"], 2);
        let mut mode = enter(&source, size(20, 2), keys);
        run(&mut mode, &source, commands);
        assert_eq!(mode.match_at_cursor(&source).as_deref(), expected, "{commands:?}");
    }
}

/// As tmux 3.4 does it: the prompt is at the top of the view, or as near as the end allows.
#[test]
fn prompts_are_found() {
    let mut source = FakeSource::numbered(30, 5);
    for (line, marks) in [
        (2, LineMarks::PROMPT),
        (3, LineMarks::OUTPUT),
        (10, LineMarks::PROMPT | LineMarks::INPUT),
        (12, LineMarks::OUTPUT),
        (27, LineMarks::PROMPT),
    ] {
        source.lines[line].marks = marks;
    }
    let mut mode = enter(&source, size(20, 5), ModeKeys::Emacs);
    for (command, line, (offset, y)) in [
        ("next-prompt", 29, (0, 4)),
        ("previous-prompt", 27, (0, 2)),
        ("previous-prompt", 10, (15, 0)),
        ("previous-prompt -o", 3, (22, 0)),
        ("previous-prompt", 2, (23, 0)),
        ("previous-prompt", 2, (23, 0)),
        ("next-prompt -o", 3, (22, 0)),
        ("next-prompt -o", 12, (13, 0)),
        ("next-prompt", 27, (0, 2)),
    ] {
        run(&mut mode, &source, &[command]);
        assert_eq!(mode.place().cursor_line, line, "{command}");
        assert_eq!(place(&mode, &source), (offset, 0, y), "{command}");
    }
}

/// A search whose text is at no place of the screen, and what else is far away.
fn commands() -> impl Strategy<Value = Vec<&'static str>> {
    let command = prop::sample::select(vec![
        "search-forward line 1",
        "search-backward line 1",
        "search-forward-text 日",
        "search-backward 2.*日$",
        "search-backward none",
        "search-again",
        "search-reverse",
        "next-prompt",
        "previous-prompt",
        "history-top",
        "history-bottom",
        "page-up",
    ]);
    proptest::collection::vec(command, 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    /// Goal: lines that are looked through as they are kept are found like others. Method: the same
    /// commands with lines from blocks and with single lines, in portions that end anywhere.
    #[test]
    fn kept_lines_are_searched_like_others(
        commands in commands(),
        portion in 40_usize..200_000,
        wraps in any::<bool>(),
    ) {
        let mut terminal = Terminal::new(size(20, 4));
        for number in 0..6_000 {
            let text = match number % 700 {
                3 => format!("\x1b]133;A\x07$ line {number}\r\n"),
                5 => format!("\x1b[31mline\x1b[m {number} 日\r\n"),
                _ => format!("{number} - - - -\r\n"),
            };
            terminal.advance(text.as_bytes());
        }
        let mut single = FakeSource::new([] as [&str; 0], 0);
        single.lines = (0..terminal.history_end())
            .filter_map(|number| terminal.history_line(number))
            .chain(terminal.screen_lines())
            .collect();
        single.on_screen = terminal.screen_lines().len() as u64;
        let places = |source: &dyn LineSource| {
            let options = CopyOptions { wrap_search: wraps, ..CopyOptions::default() };
            let mut mode = CopyMode::new(source, size(20, 4), (0, 3), options);
            let mut places = Vec::new();
            for text in &commands {
                let (name, arg) = text.split_once(' ').map_or((*text, None), |(n, a)| (n, Some(a)));
                let mut outcome = mode.run(copy_command(name).unwrap(), arg, source);
                while outcome == CopyOutcome::Searching {
                    outcome = mode.resume(source, portion);
                }
                places.push((mode.place(), outcome));
            }
            places
        };
        prop_assert_eq!(places(&terminal), places(&single));
    }
}
