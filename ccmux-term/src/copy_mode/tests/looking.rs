//! What is drawn, and that it stands still and stays cheap.

use super::*;
use crate::compose::Rect;
use crate::copy_mode::CopyPosition;
use crate::{Color, Run, Style, Terminal};

#[test]
fn entering_shows_the_screen_with_its_cursor() {
    let source = FakeSource::numbered(5, 3);
    let mode = CopyMode::new(&source, size(20, 3), (2, 1), CopyOptions::default());
    assert_eq!(view(&mode, &source), ["line 2", "li|ne 3", "line 4"]);
    assert_eq!(mode.position(&source), CopyPosition { offset: 0, total: 2 });
    assert!(mode.shows_position());
    let empty = FakeSource::new([""; 0], 0);
    let mode = CopyMode::new(&empty, size(10, 2), (4, 1), CopyOptions::default());
    assert_eq!(view(&mode, &empty), ["|", ""]);
    assert_eq!(mode.position(&empty), CopyPosition { offset: 0, total: 0 });
}

/// Goal: entering copy mode in a pane changes nothing but the position. Method: output that wraps and
/// scrolls, drawn both ways.
#[test]
fn entering_looks_like_the_screen() {
    let long = "0123456789".repeat(3);
    let red = "\x1b[31mred\x1b[m and \x1b[44mblue to the edge\x1b[K\x1b[m\r\n";
    for output in [
        String::new(),
        "one\r\ntwo\r\n".to_owned(),
        "x\r\n".repeat(20),
        format!("{long}\r\n{long}\r\n{long}\r\n{long}"),
        format!("{long}{long}{long}{long}"),
        red.repeat(6),
        "世界世界世界世界\r\n".repeat(9),
        "a\tb 👍🏽 e\u{301}\r\n".repeat(9),
        format!("{long}\x1b[?1049h\x1b[3Hon the alternate screen"),
    ] {
        let mut terminal = Terminal::new(size(11, 6));
        terminal.advance(output.as_bytes());
        let cursor = terminal.cursor();
        let mut mode =
            CopyMode::new(&terminal, size(11, 6), (cursor.x, cursor.y), CopyOptions::default());
        mode.run(copy_command("toggle-position").unwrap(), None, &terminal);
        let (mut live, mut copied) = (Frame::new(size(11, 6)), Frame::new(size(11, 6)));
        let area = live.area();
        live.draw_terminal(area, &terminal);
        mode.render(&terminal, &mut copied, area, &CopyStyles::default());
        let cells = |frame: &Frame| {
            let at = |x, y| frame.cell(x, y).map(|cell| (cell.text.to_string(), cell.style));
            (0..6).map(|y| (0..11).map(|x| at(x, y)).collect::<Vec<_>>()).collect::<Vec<_>>()
        };
        assert_eq!(cells(&copied), cells(&live), "{output:?}");
    }
}

#[test]
fn styles_selection_and_matches_are_drawn() {
    let red = Style { fg: Color::Indexed(1), ..Style::default() };
    let blue = Style { bg: Color::Indexed(4), ..Style::default() };
    let mut source = FakeSource::new(["ab ab", "ab", "x", "y"], 4);
    source.lines[0].runs = vec![Run { len_bytes: 1, style: red, link: None }];
    source.lines[1].fill = blue;
    let mut mode = enter(&source, size(8, 4), ModeKeys::Vi);
    run(&mut mode, &source, &["history-top", "search-forward ab", "cursor-down"]);
    run(&mut mode, &source, &["search-reverse", "cursor-down", "bottom-line"]);
    let mut frame = Frame::new(size(10, 5));
    let area = Rect { x: 1, y: 1, cols: 8, rows: 4 };
    let styles = CopyStyles::default();
    let mut row = |mode: &CopyMode, y| -> String {
        let cursor = mode.render(&source, &mut frame, area, &styles);
        assert!(cursor.visible);
        let letter = |x| match frame.cell(x, y).unwrap().style {
            style if style.bg == styles.mode.bg => 's',
            style if style.bg == styles.matches.bg => 'm',
            style if style.bg == styles.current_match.bg => 'c',
            style if style == red => 'r',
            style if style == blue => 'b',
            style if style == Style::default() => '.',
            style => panic!("unexpected {style:?} at {x}, {y}"),
        };
        (0..10).map(letter).collect()
    };
    assert_eq!(row(&mode, 0), "..........");
    assert_eq!(row(&mode, 1), ".mm.mm....");
    assert_eq!(row(&mode, 2), ".ccbbbbbb.");
    run(&mut mode, &source, &["begin-selection", "history-top"]);
    assert_eq!(row(&mode, 1), ".sssss....");
    assert_eq!(row(&mode, 2), ".ssbbbbbb.");
    assert_eq!(row(&mode, 4), ".s........");
}

/// Goal: output does not move the view, and neither does the loss of old lines.
#[test]
fn the_view_stands_still_while_lines_come_and_go() {
    let mut source = FakeSource::numbered(30, 5);
    let mut mode = enter(&source, size(20, 5), ModeKeys::Emacs);
    run(&mut mode, &source, &["toggle-position", "page-up", "page-up"]);
    let before = view(&mode, &source);
    assert_eq!(before[0], "line 19");
    for number in 30..40 {
        source.push(&format!("line {number}"));
    }
    // What was on the screen is rewritten by the program.
    source.lines[29].text = "rewritten".into();
    assert_eq!(view(&mode, &source), before);
    source.start = 15;
    assert_eq!(view(&mode, &source), before);
    run(&mut mode, &source, &["history-bottom"]);
    assert_eq!(view(&mode, &source)[4], "line 29|");
    run(&mut mode, &source, &["refresh-from-pane"]);
    assert_eq!(view(&mode, &source)[4], "line 39|");

    // The view's own lines go, and in the end all history.
    run(&mut mode, &source, &["history-top"]);
    assert_eq!(view(&mode, &source)[0], "|line 15");
    source.start = 25;
    assert_eq!(view(&mode, &source)[0], "|line 25");
    source.start = 40;
    run(&mut mode, &source, &["cursor-down"]);
    assert_eq!(view(&mode, &source), ["line 35", "|line 36", "line 37", "line 38", "line 39"]);
}

/// Goal: history that becomes unreadable is blank, and no command minds. Method: stand at the end of
/// an old line, lose all history, run every command.
#[test]
fn unreadable_lines_are_blank() {
    let names = include_str!("../command.rs").lines().filter_map(|line| {
        line.trim_start().strip_prefix("(\"").and_then(|rest| rest.split('"').next())
    });
    let names: Vec<&str> = names.collect();
    assert!(names.contains(&"append-selection") && names.contains(&"top-line"));
    for (name, keys) in
        names.iter().flat_map(|&name| [(name, ModeKeys::Emacs), (name, ModeKeys::Vi)])
    {
        let mut source = FakeSource::numbered(50, 5);
        let mut mode = enter(&source, size(20, 5), keys);
        run(&mut mode, &source, &["search-backward ine 2", "begin-selection", "end-of-line"]);
        source.is_broken = true;
        for arg in [None, Some("-1"), Some("=e")] {
            let command = copy_command(name).unwrap_or_else(|| panic!("no command {name}"));
            for count in [0, 1, 7] {
                while mode.run_counted(command, count, arg, &source) == CopyOutcome::Searching {}
                view(&mode, &source);
            }
        }
        run(&mut mode, &source, &["history-top"]);
        assert_eq!(view(&mode, &source)[1], "", "{name}");
    }
}

/// Goal: no key but a far search looks at more than a few hundred lines. Method: count the lines
/// read by each in a history of 200,000 lines.
#[test]
fn keys_cost_what_is_on_the_screen() {
    let source = FakeSource::numbered(200_000, 50);
    let mut mode = enter(&source, size(80, 50), ModeKeys::Vi);
    let commands = [
        "cursor-up",
        "page-up",
        "scroll-up",
        "history-top",
        "page-down",
        "next-word",
        "previous-word",
        "history-bottom",
        "goto-line 150000",
        "begin-selection",
        "search-forward line",
        "set-mark",
        "history-top",
        "jump-to-mark",
        "select-line",
        "refresh-from-pane",
    ];
    for command in commands {
        source.reads.set(0);
        run(&mut mode, &source, &[command]);
        view(&mode, &source);
        let reads = source.reads.get();
        let limit = if command.starts_with("goto-line") { 12_000 } else { 3_000 };
        assert!(reads < limit, "{command} read {reads} lines");
    }
}

/// Goal: positions become exact as lines are counted, and are near before.
#[test]
fn positions_count_rows() {
    // Every line takes two rows of ten columns.
    let source = FakeSource::new((0..5_000).map(|n| format!("number {n:06}")), 5);
    let mut mode = enter(&source, size(10, 10), ModeKeys::Emacs);
    let position = |mode: &CopyMode| mode.position(&source);
    assert_eq!(position(&mode).offset, 0);
    run(&mut mode, &source, &["history-top"]);
    for _ in 0..20 {
        run(&mut mode, &source, &["set-mark"]);
    }
    assert_eq!(position(&mode), CopyPosition { offset: 9_990, total: 9_990 });
    run(&mut mode, &source, &["page-down"]);
    assert_eq!(position(&mode), CopyPosition { offset: 9_982, total: 9_990 });
    for offset in [0, 1, 7, 255, 256, 257, 1_000, 1_001, 5_555, 9_989, 9_990] {
        run(&mut mode, &source, &[&format!("goto-line {offset}")]);
        assert_eq!(position(&mode), CopyPosition { offset, total: 9_990 });
    }
    mode.resize(size(20, 10), &source);
    run(&mut mode, &source, &["history-top"]);
    assert_eq!(position(&mode), CopyPosition { offset: 4_990, total: 4_990 });
}
