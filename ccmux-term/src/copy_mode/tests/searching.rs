//! Searching.

use super::*;

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
    let last_search = first.search_string().map(str::to_owned);
    assert_eq!(last_search.as_deref(), Some("one"));
    let options = CopyOptions { last_search, ..CopyOptions::default() };
    let mut second = CopyMode::new(&source, size(20, 2), (0, 1), options);
    run(&mut second, &source, &["toggle-position", "search-reverse"]);
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
        outcome = mode.resume(&source);
    }
    assert_eq!((turns, outcome), (20, CopyOutcome::Continue));
    assert_eq!(mode.cursor.line, 7);

    // A key gives it up; lost lines do not confuse it.
    assert_eq!(mode.run(search, Some("nothing"), &source), CopyOutcome::Searching);
    run(&mut mode, &source, &["cursor-down"]);
    assert_eq!(mode.resume(&source), CopyOutcome::Continue);
    assert_eq!(mode.cursor.line, 8);
    assert_eq!(mode.run(search, Some("line 99998"), &source), CopyOutcome::Continue);
    let forward = copy_command("search-forward").unwrap();
    assert_eq!(mode.run(forward, Some("line 5$"), &source), CopyOutcome::Continue);
    assert_eq!(mode.run(search, Some("line 99998"), &source), CopyOutcome::Continue);
    assert_eq!(mode.run(search, Some("nothing"), &source), CopyOutcome::Searching);
    source.start = 99_000;
    let mut turns = 0;
    while mode.resume(&source) == CopyOutcome::Searching {
        turns += 1;
    }
    assert_eq!((turns, mode.cursor.line), (0, 99_998), "only what is left is searched");
}

/// Expectations from tmux 3.3a. Lines far from the end are not counted.
#[test]
fn the_position_tells_how_much_was_found() {
    let source = FakeSource::numbered(1_000, 3);
    let mut mode = enter(&source, size(40, 3), ModeKeys::Vi);
    let results = |mode: &CopyMode, source: &FakeSource| {
        let row = view(mode, source).swap_remove(0);
        let (_, position) = row.split_once("  ").unwrap_or_default();
        position.split_once('[').unwrap_or_default().0.trim().to_owned()
    };
    for (commands, expected) in [
        (&["search-backward 99"] as &[&str], "(19 results)"),
        (&["search-again", "start-of-line"], "(19 results)"),
        (&["search-backward 9"], "(300 results)"),
        (&["begin-selection"], ""),
        (&["search-backward 998"], "(1 results)"),
        (&["set-mark"], ""),
    ] {
        run(&mut mode, &source, commands);
        assert_eq!(results(&mode, &source), expected, "{commands:?}");
    }
    let source = FakeSource::numbered(20_000, 3);
    let mut mode = enter(&source, size(40, 3), ModeKeys::Vi);
    run(&mut mode, &source, &["search-backward 1999"]);
    assert_eq!(results(&mode, &source), "(10+ results)");
}
