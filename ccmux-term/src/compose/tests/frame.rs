//! Frames: what ends up in which cell.

use crate::compose::{CellText, Frame, FrameCell, Rect};
use crate::{Attributes, Color, Cursor, CursorShape, Size, Style, Terminal};

const RED: Style = Style {
    fg: Color::Indexed(1),
    bg: Color::Default,
    underline_color: Color::Default,
    underline: crate::Underline::None,
    attributes: Attributes::empty(),
};

fn frame(cols: u16, rows: u16) -> Frame {
    Frame::new(Size { cols, rows })
}

/// Rows as text: a right half is `>`.
fn text(frame: &Frame) -> Vec<String> {
    let size = frame.size();
    let cell = |x, y| {
        let cell = frame.cell(x, y).unwrap();
        if cell.width == 0 { ">".to_owned() } else { cell.text.to_string() }
    };
    (0..size.rows).map(|y| (0..size.cols).map(|x| cell(x, y)).collect()).collect()
}

#[test]
fn strings_are_placed_and_cut_at_the_edge() {
    for (x, input, columns, expect) in [
        (0, "abc", 3, "abc   "),
        (4, "abc", 2, "    ab"),
        (6, "abc", 0, "      "),
        (9, "abc", 0, "      "),
        (0, "", 0, "      "),
        (1, "世界", 4, " 世>界> "),
        (3, "世界", 3, "   世> "),
        (0, "a\u{301}b", 2, "a\u{301}b    "),
        (0, "a\x1b[mb\n", 4, "a[mb  "),
        (0, "\u{301}a", 1, "a     "),
        (0, "👨‍👩‍👧x", 3, "👨‍👩‍👧>x   "),
    ] {
        let mut frame = frame(6, 1);
        assert_eq!(frame.put_str(x, 0, input, RED), columns, "{input:?} at {x}");
        assert_eq!(text(&frame), [expect], "{input:?} at {x}");
    }
}

#[test]
fn strings_are_cut_at_the_right_of_an_area() {
    let mut frame = frame(6, 2);
    frame.put_str(0, 1, "------", RED);
    let area = Rect { x: 1, y: 1, cols: 3, rows: 9 };
    assert_eq!(frame.put_str_within(area, "世界", RED), 3);
    assert_eq!(text(&frame), ["      ", "-世> --"]);
    let outside = Rect { x: 1, y: 2, cols: 3, rows: 1 };
    assert_eq!(frame.put_str_within(outside, "a", RED), 0);
}

/// Goal: C2. Method: write over each half of two wide characters.
#[test]
fn half_a_wide_character_becomes_blank() {
    for (x, input, expect) in [
        (0, "a", "a 界>"),
        (1, "a", " a界>"),
        (1, "ab", " ab "),
        (1, "世", " 世> "),
        (3, "a", "世> a"),
        (2, "世", "世>世>"),
    ] {
        let mut frame = frame(4, 1);
        frame.put_str(0, 0, "世界", RED);
        frame.put_str(x, 0, input, RED);
        assert_eq!(text(&frame), [expect], "{input:?} at {x}");
    }
    let mut frame = frame(4, 1);
    frame.put_str(0, 0, "世界", RED);
    frame.fill(Rect { x: 1, y: 0, cols: 2, rows: 1 }, RED);
    assert_eq!(text(&frame), ["    "]);
}

#[test]
fn cells_are_written_and_read() {
    let mut frame = frame(3, 1);
    let cell = |text, width| FrameCell { text, width, style: RED, link: None };
    frame.put_cell(0, 0, &cell(CellText::Cluster("e\u{301}"), 1));
    frame.put_cell(1, 0, &cell(CellText::Char('\x07'), 1));
    frame.put_cell(2, 0, &cell(CellText::Char('世'), 2));
    frame.put_cell(3, 0, &cell(CellText::Char('x'), 1));
    assert_eq!(text(&frame), ["e\u{301}  "]);
    frame.put_cell(1, 0, &cell(CellText::Char('a'), 2));
    assert_eq!(text(&frame), ["e\u{301}\u{3000}>"], "a width that no terminal would give it");
    frame.put_cell(1, 0, &cell(CellText::Char('世'), 1));
    frame.put_cell(2, 0, &cell(CellText::Cluster("❤\u{fe0f}"), 1));
    assert_eq!(text(&frame), ["e\u{301} ❤"]);
    assert_eq!(frame.cell(0, 0), Some(cell(CellText::Cluster("e\u{301}"), 1)));
    assert_eq!(frame.cell(3, 0), None);
    assert_eq!(frame.cell(0, 1), None);
}

#[test]
fn styles_of_wide_characters_change_as_a_whole() {
    let mut frame = frame(4, 1);
    frame.put_str(0, 0, "a世b", Style::default());
    frame.set_style(Rect { x: 1, y: 0, cols: 1, rows: 1 }, RED);
    let styles = |frame: &Frame| [0, 1, 2, 3].map(|x| frame.cell(x, 0).unwrap().style == RED);
    assert_eq!(styles(&frame), [false, true, true, false]);
    frame.set_style(Rect { x: 2, y: 0, cols: 9, rows: 9 }, Style::default());
    assert_eq!(styles(&frame), [false, true, true, false]);
}

/// Blanks that look alike are alike, whatever their invisible foreground.
#[test]
fn blanks_keep_only_what_shows() {
    let mut frame = frame(3, 1);
    let reverse = Style { attributes: Attributes::REVERSE, ..RED };
    let bold = Style { attributes: Attributes::BOLD, bg: Color::Indexed(4), ..RED };
    frame.put_str(0, 0, " ", RED);
    frame.put_str(1, 0, " ", reverse);
    frame.put_str(2, 0, " ", bold);
    let style = |x| frame.cell(x, 0).unwrap().style;
    assert_eq!(style(0), Style::default());
    assert_eq!(style(1), reverse);
    assert_eq!(style(2), Style { bg: Color::Indexed(4), ..Style::default() });
}

#[test]
fn a_cleared_frame_is_a_new_one() {
    let mut frame = frame(4, 2);
    frame.put_str(0, 0, "e\u{301}e\u{301}", RED);
    frame.title = Some("t".into());
    frame.cursor.visible = true;
    frame.modes.focus_events = true;
    frame.clear();
    assert_eq!(text(&frame), ["    ", "    "]);
    assert!(frame.title.is_none() && !frame.cursor.visible && !frame.modes.focus_events);
}

#[test]
fn sizes_are_kept_within_bounds() {
    for ((cols, rows), expect) in
        [((0, 0), (1, 1)), ((80, 24), (80, 24)), ((65_535, 65_535), (10_000, 104))]
    {
        let size = frame(cols, rows).size();
        assert_eq!((size.cols, size.rows), expect);
    }
}

/// Goal: a pane never draws outside of its area, and fills all of it.
#[test]
fn panes_are_cut_and_filled_to_their_area() {
    let mut terminal = Terminal::new(Size { cols: 6, rows: 2 });
    terminal.advance("ab世cd\r\nx".as_bytes());
    for (x, y, cols, rows, expect) in [
        (1, 0, 6, 2, ["#ab世>cd#", "#x     #", "########"]),
        (1, 0, 3, 1, ["#ab ####", "########", "########"]),
        (1, 1, 7, 9, ["########", "#ab世>cd ", "#x      "]),
        (6, 0, 9, 1, ["######ab", "########", "########"]),
        (8, 0, 9, 1, ["########", "########", "########"]),
        (0, 2, 0, 1, ["########", "########", "########"]),
    ] {
        let mut frame = frame(8, 3);
        for row in 0..3 {
            frame.put_str(0, row, "########", RED);
        }
        frame.draw_terminal(Rect { x, y, cols, rows }, &terminal);
        assert_eq!(text(&frame), expect, "at {x}, {y}: {cols}x{rows}");
    }
}

#[test]
fn panes_have_the_colours_their_programs_set() {
    let rgb = |n| Color::Rgb(n, n, n);
    for (output, fg, bg, is_reversed) in [
        ("x", Color::Default, Color::Default, false),
        ("\x1b[31mx", Color::Indexed(1), Color::Default, false),
        ("\x1b]4;1;rgb:07/07/07\x07\x1b[31mx", rgb(7), Color::Default, false),
        ("\x1b]10;rgb:08/08/08\x07\x1b]11;rgb:09/09/09\x07x", rgb(8), rgb(9), false),
        ("\x1b[?5hx", Color::Default, Color::Default, true),
        ("\x1b[?5h\x1b[7mx", Color::Default, Color::Default, false),
    ] {
        let mut terminal = Terminal::new(Size { cols: 4, rows: 1 });
        terminal.advance(output.as_bytes());
        let mut frame = frame(4, 1);
        frame.draw_terminal(frame.area(), &terminal);
        let style = frame.cell(0, 0).unwrap().style;
        let got = (style.fg, style.bg, style.attributes.contains(Attributes::REVERSE));
        assert_eq!(got, (fg, bg, is_reversed), "{output:?}");
    }
}

#[test]
fn cursors_are_shown_inside_of_their_area() {
    let area = Rect { x: 2, y: 1, cols: 3, rows: 2 };
    let cursor = |x, y, visible| Cursor { x, y, visible, shape: CursorShape::Bar, blinking: true };
    for (from, expect) in [
        (cursor(0, 0, true), cursor(2, 1, true)),
        (cursor(2, 1, true), cursor(4, 2, true)),
        (cursor(0, 0, false), cursor(2, 1, false)),
        (cursor(3, 0, true), cursor(5, 1, false)),
        (cursor(0, 2, true), cursor(2, 3, false)),
    ] {
        let mut frame = frame(9, 9);
        frame.place_cursor(area, from);
        assert_eq!(frame.cursor, expect);
    }
}

/// A part of a frame is shown in another one: what is cut at its edges becomes blank, and a cursor
/// beyond them is hidden.
#[test]
fn a_part_of_a_frame_is_drawn() {
    let mut whole = frame(8, 3);
    whole.put_str(0, 1, "a世界bcd", RED);
    for (corner, cursor, expect, shown) in [
        ((0, 1), (1, 1), [" a世>", ""], Some((2, 0))),
        ((1, 1), (1, 1), [" 世>", ""], Some((1, 0))),
        ((2, 1), (1, 1), ["  界>", ""], None),
        ((2, 0), (5, 1), ["", "  界>"], None),
        ((7, 2), (7, 2), ["", ""], Some((1, 0))),
    ] {
        let (x, y) = cursor;
        whole.cursor = Cursor { x, y, visible: true, shape: CursorShape::Default, blinking: false };
        let mut part = frame(5, 3);
        part.put_str(0, 2, "below", RED);
        part.draw_frame(Rect { x: 1, y: 0, cols: 3, rows: 2 }, &whole, corner);
        let rows = text(&part);
        let rows: Vec<&str> = rows.iter().map(|row| row.trim_end()).collect();
        assert_eq!(rows, [expect[0], expect[1], "below"], "{corner:?}");
        let found = part.cursor.visible.then_some((part.cursor.x, part.cursor.y));
        assert_eq!(found, shown, "{corner:?}");
    }
}

/// A soft hyphen of a character set takes a column; sent to a terminal as UTF-8 it would take none.
#[test]
fn soft_hyphens_of_a_character_set_are_hyphens() {
    let mut terminal = Terminal::new(Size { cols: 4, rows: 1 });
    terminal.advance(b"\x1b-A\x0ea-b");
    let mut frame = frame(4, 1);
    frame.draw_terminal(frame.area(), &terminal);
    assert_eq!(text(&frame), ["á-â "]);
}
