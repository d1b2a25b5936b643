//! Painting: which bytes.

use crate::compose::{
    ColorDepth, Frame, OutputCaps, OutputFeatures, Painter, Rect, enter, enter_more, leave,
};
use crate::{Color, CursorShape, KeyboardFlags, MouseTracking, Size, Style};

fn painter(features: OutputFeatures, size: Size) -> Painter {
    Painter::new(OutputCaps { colors: ColorDepth::TrueColor, features }, size)
}

fn paint(painter: &mut Painter, frame: &Frame) -> String {
    let mut out = Vec::new();
    painter.paint(frame, &mut out);
    String::from_utf8(out).unwrap()
}

/// Frames of 20 columns from rows of text, with the cursor at the top left.
fn frame(rows: &[&str]) -> Frame {
    let mut frame = Frame::new(Size { cols: 20, rows: rows.len() as u16 });
    frame.cursor.visible = true;
    for (y, row) in (0..).zip(rows) {
        frame.put_str(0, y, row, Style::default());
    }
    frame
}

/// What painting `to` writes when the terminal shows `from`.
fn diff(features: OutputFeatures, from: &Frame, to: &Frame) -> String {
    let mut painter = painter(features, from.size());
    paint(&mut painter, from);
    let out = paint(&mut painter, to);
    assert_eq!(paint(&mut painter, to), "", "a second time");
    out
}

#[test]
fn the_first_frame_is_painted_in_full() {
    let mut painter = painter(OutputFeatures::empty(), Size { cols: 20, rows: 2 });
    let first = frame(&["hello", "  world"]);
    let full = "\x1b[r\x1b[m\x1b[H\x1b[2Jhello\x1b[2;3Hworld\x1b[H\x1b[?25h";
    assert_eq!(paint(&mut painter, &first), full);
    assert_eq!(paint(&mut painter, &first), "");
    painter.invalidate();
    assert_eq!(paint(&mut painter, &first), full);
}

/// Nothing is erased, so that nothing flickers.
#[test]
fn a_terminal_that_understands_more_is_painted_over() {
    let mut painter = painter(OutputFeatures::empty(), Size { cols: 20, rows: 2 });
    let frame = frame(&["hello", "世"]);
    paint(&mut painter, &frame);
    let caps = |features| OutputCaps { colors: ColorDepth::TrueColor, features };
    let more = OutputFeatures::CURSOR_SHAPE | OutputFeatures::ECH | OutputFeatures::MARGINS;
    let mut out = Vec::new();
    painter.set_caps(caps(more), &mut out);
    assert_eq!(out, b"\x1b[m");
    let over = "\x1b[Hhello\x1b[K\r\n世\x1b[K\x1b[H\x1b[0 q";
    assert_eq!(paint(&mut painter, &frame), over);
    assert_eq!(paint(&mut painter, &frame), "");
    let entered = enter_more(caps(OutputFeatures::TITLE), caps(more | OutputFeatures::TITLE));
    assert_eq!(entered, b"\x1b[?69l");
}

#[test]
fn changes_of_a_row_cost_few_bytes() {
    let none = OutputFeatures::empty();
    let ech = OutputFeatures::ECH;
    let rep = OutputFeatures::REP;
    for (features, from, to, expect) in [
        (none, "abc", "abc", ""),
        (none, "abc", "abd", "abd\r"),
        (none, "abcdef", "abcdex", "\x1b[5Cx\r"),
        (none, "abcdef", "xbcxef", "xbcx\r"),
        (none, "abcdefghi", "xbcdefghx", "x\x1b[7Cx\r"),
        (none, "hello world", "hello", "\x1b[6C\x1b[K\r"),
        (none, "hello", "hel", "hel  \r"),
        (none, "abcdefghijklm", "a           m", "a           \r"),
        (ech, "abcdefghijklm", "a           m", "a\x1b[11X\r"),
        (none, "", "------------", "------------\r"),
        (rep, "", "------------", "-\x1b[11b\r"),
        (rep, "", "────────────", "────────────\r"),
        (none, "世界", "世x", "\x1b[2Cx \r"),
        (none, "abcd", "世cd", "世\r"),
        // The terminal may take what follows for overwritten, or be elsewhere.
        (none, "", "e\u{301}x", "e\u{301}\x1b[2Gx\r"),
        (none, "", "👍x", "  \r👍\x1b[3Gx\r"),
        (none, "a x", "⏺ x", "⏺\x1b[2G \r"),
    ] {
        let got = diff(features, &frame(&[from]), &frame(&[to]));
        assert_eq!(got, expect, "{from:?} to {to:?} with {features:?}");
    }
}

/// Goal: text that moved is moved. Method: numbered rows with a status line, moved by scrolling.
#[test]
fn moved_rows_are_scrolled() {
    let rows = |first: usize, count: usize| -> Vec<String> {
        (first..first + count).map(|number| format!("this is row {number:02}")).collect()
    };
    let screen = |rows: &[String]| frame(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    let with_status = |first: usize| {
        let mut rows = rows(first, 7);
        rows.push("status".into());
        screen(&rows)
    };
    let none = OutputFeatures::empty();
    for (from, to, expect) in [
        (screen(&rows(0, 8)), screen(&rows(1, 8)), "\x1b[M\x1b[8Hthis is row 08\x1b[H"),
        (screen(&rows(2, 8)), screen(&rows(0, 8)), "\x1b[2Lthis is row 00\r\nthis is row 01\x1b[H"),
        (with_status(0), with_status(1), "\x1b[1;7r\x1b[M\x1b[r\x1b[7Hthis is row 07\x1b[H"),
        (
            with_status(0),
            with_status(3),
            "\x1b[1;7r\x1b[3M\x1b[r\x1b[5Hthis is row 07\r\n\
             this is row 08\r\nthis is row 09\x1b[H",
        ),
    ] {
        let got = diff(none, &from, &to);
        assert_eq!(got.replace("\x1b[?25l", "").replace("\x1b[?25h", ""), expect);
    }
    // Alike rows move without moving, and nothing is gained by scrolling two rows of one letter.
    let unmoved = diff(none, &frame(&["y"; 8]), &frame(&["y"; 8]));
    assert_eq!(unmoved, "");
    let short = diff(none, &frame(&["a", "b", "c"]), &frame(&["b", "c", "d"]));
    assert_eq!(short, "b\r\nc\r\nd\x1b[H");
}

#[test]
fn blanks_in_a_colour_are_erased_where_erasing_colours() {
    let blue = Style { bg: Color::Indexed(4), ..Style::default() };
    let blank = frame(&[""]);
    let mut bar = frame(&[""]);
    bar.fill(Rect { x: 4, y: 0, cols: 16, rows: 1 }, blue);
    let spaces = " ".repeat(16);
    for (features, expect) in [
        (OutputFeatures::empty(), format!("\x1b[4C\x1b[44m{spaces}\r")),
        (OutputFeatures::BACKGROUND_ERASE, "\x1b[4C\x1b[44m\x1b[K\r".to_owned()),
    ] {
        assert_eq!(diff(features, &blank, &bar), expect);
    }
}

#[test]
fn large_changes_are_drawn_at_once() {
    let (before, after) = (frame(&[""; 8]), frame(&["a whole row of text"; 8]));
    let hidden = diff(OutputFeatures::empty(), &before, &after);
    assert!(hidden.starts_with("\x1b[?25l") && hidden.ends_with("\x1b[?25h"));
    let synchronized = diff(OutputFeatures::SYNCHRONIZED_OUTPUT, &before, &after);
    assert!(synchronized.starts_with("\x1b[?2026h") && synchronized.ends_with("\x1b[?2026l"));
    assert!(!synchronized.contains("\x1b[?25"));
}

#[test]
fn cursor_modes_and_title_follow_the_frame() {
    let base = frame(&["", ""]);
    let check = |change: fn(&mut Frame), expect: &str| {
        let mut next = base.clone();
        change(&mut next);
        assert_eq!(diff(OutputFeatures::all(), &base, &next), expect);
        assert!(!diff(OutputFeatures::empty(), &base, &next).contains("\x1b[?1"));
    };
    check(|frame| frame.cursor.x = 5, "\x1b[5C");
    check(|frame| frame.cursor.y = 1, "\n");
    check(|frame| (frame.cursor.x, frame.cursor.y) = (99, 99), "\x1b[2;20H");
    check(|frame| frame.cursor.visible = false, "\x1b[?25l");
    check(|frame| frame.cursor.shape = CursorShape::Bar, "\x1b[6 q");
    check(
        |frame| (frame.cursor.shape, frame.cursor.blinking) = (CursorShape::Block, true),
        "\x1b[1 q",
    );
    check(|frame| frame.modes.bracketed_paste = true, "\x1b[?2004h");
    check(|frame| frame.modes.focus_events = true, "\x1b[?1004h");
    check(|frame| frame.modes.keyboard = KeyboardFlags::DISAMBIGUATE, "\x1b[=1;1u");
    check(
        |frame| frame.modes.mouse = MouseTracking::ButtonMotion,
        "\x1b[?1006l\x1b[?1003l\x1b[?1002l\x1b[?1000l\x1b[?1006h\x1b[?1002h",
    );
    check(|frame| frame.title = Some("a\x1b\x07b\u{9c}".into()), "\x1b]2;ab\x07");
}

/// Goal: C3. Method: put what a hostile program might into every text of a frame.
#[test]
fn no_control_character_gets_through() {
    let hostile = "x\x1b]0;pwned\x07\x1b[2J\u{9b}1m\r\n\x7f";
    let mut next = frame(&[hostile]);
    next.title = Some(hostile.into());
    let style = Style::default();
    for (x, (uri, id)) in (0..).zip([(hostile, ""), ("u", hostile), ("u", "a;b")]) {
        let link = std::sync::Arc::new(crate::Hyperlink { uri: uri.into(), id: id.into() });
        let text = crate::compose::CellText::Cluster(hostile);
        let cell = crate::compose::FrameCell { text, width: 1, style, link: Some(&link) };
        next.put_cell(15 + x, 0, &cell);
    }
    let mut out = diff(OutputFeatures::all(), &frame(&[""]), &next);
    for known in ["\x1b]2;", "\x07", "\x1b[?25h", "\r", "\x1b[K"] {
        out = out.replacen(known, "", 1);
    }
    assert!(!out.chars().any(|c| c.is_control() && c != '\x1b'), "{out:?}");
    assert!(!out.contains("\x1b]") && !out.contains("\x1b[2J"), "{out:?}");
}

#[test]
fn entering_and_leaving_follow_the_caps() {
    let caps = |features| OutputCaps { colors: ColorDepth::TrueColor, features };
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let none = caps(OutputFeatures::empty());
    assert_eq!(
        text(enter(none)),
        "\x1b[?1049h\x1b(B\x0f\x1b[4l\x1b[?6l\x1b[r\x1b[m\x1b[H\x1b[2J\x1b[?7l\x1b[?25l"
    );
    assert_eq!(text(leave(none)), "\x1b[?25h\x1b[?7h\x1b[r\x1b[m\x1b[H\x1b[2J\x1b[?1049l");
    let all = text(leave(caps(OutputFeatures::all())));
    for undone in
        ["[?1000l", "[?2004l", "[?1004l", "[<u", "[0 q", "[23;0t", "[?2026l", "]8;;\x1b\\", "[?25h"]
    {
        assert!(all.contains(&format!("\x1b{undone}")), "{undone}");
    }
}
