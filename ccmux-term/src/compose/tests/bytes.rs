//! Painting: how many bytes everyday changes cost.

use insta::assert_snapshot;

use crate::compose::{Frame, OutputCaps, OutputFeatures, Painter, Rect};
use crate::{Color, Size, Style};

const SIZE: Size = Size { cols: 80, rows: 24 };
const GREEN: Style = Style {
    fg: Color::Indexed(0),
    bg: Color::Indexed(2),
    underline_color: Color::Default,
    underline: crate::Underline::None,
    attributes: crate::Attributes::empty(),
};

/// A pane of numbered lines from `first` on, `rows` of them, above a status line.
fn lines(first: usize, rows: u16) -> Frame {
    let mut frame = Frame::new(SIZE);
    for y in 0..rows {
        let text = format!("line {} of a long text that goes on and on", first + usize::from(y));
        frame.put_str(0, y, &text, Style::default());
    }
    with_status(frame)
}

/// Two panes side by side, the left one with lines from `left` on, the right one from `right` on.
fn side_by_side(left: usize, right: usize) -> Frame {
    let mut frame = Frame::new(SIZE);
    for (x, first) in [(0, left), (40, right)] {
        let area = Rect { x, y: 0, cols: 39 + u16::from(x > 0), rows: SIZE.rows - 1 };
        frame.add_scroll_area(area);
        for y in 0..area.rows {
            let text = format!("line {} of a text", first + usize::from(y));
            frame.put_str(x, y, &text, Style::default());
        }
    }
    (0..SIZE.rows - 1).for_each(|y| _ = frame.put_str(39, y, "│", Style::default()));
    with_status(frame)
}

fn prompt(text: &str) -> Frame {
    let mut frame = lines(1, 10);
    let cols = frame.put_str(0, 10, text, Style::default());
    frame.cursor.x = cols;
    frame.cursor.y = 10;
    frame
}

fn with_status(mut frame: Frame) -> Frame {
    frame.fill(Rect { y: SIZE.rows - 1, rows: 1, ..frame.area() }, GREEN);
    frame.put_str(0, SIZE.rows - 1, "[0] 0:sh*", GREEN);
    frame.cursor.visible = true;
    frame
}

/// What leads from one frame to the other on an xterm, and that it stays so without further bytes.
fn bytes(from: &Frame, to: &Frame) -> String {
    bytes_with(OutputFeatures::empty(), from, to)
}

/// The same with more abilities.
fn bytes_with(more: OutputFeatures, from: &Frame, to: &Frame) -> String {
    let mut caps = OutputCaps::from_env("xterm-256color", "", "");
    caps.features |= more;
    let mut painter = Painter::new(caps, SIZE);
    let mut out = Vec::new();
    painter.paint(from, &mut out);
    out.clear();
    painter.paint(to, &mut out);
    let bytes = format!("{} {}", out.len(), String::from_utf8(out).unwrap().escape_debug());
    for _ in 0..3 {
        let mut idle = Vec::new();
        painter.paint(to, &mut idle);
        assert_eq!(idle, b"", "nothing changed");
    }
    bytes.replace("\\u{1b}", "^[")
}

#[test]
fn typing_costs_the_letters() {
    assert_snapshot!(bytes(&prompt("$ ech"), &prompt("$ echo")), @"4 ^[[mo");
    let [mut before, mut after] =
        ["$ mke install --with all the options", "$ make install --with all the options"]
            .map(prompt);
    (before.cursor.x, after.cursor.x) = (3, 4);
    assert_snapshot!(bytes(&before, &after), @"7 ^[[m^[[@a");
    assert_snapshot!(bytes(&after, &before), @r"7 ^[[m\u{8}^[[P");
}

/// Text in another pane right of it stays where it is.
#[test]
fn typing_moves_nothing_beside_the_pane() {
    let screen = |text: &str, x| {
        let mut frame = side_by_side(1, 1);
        frame.fill(Rect { x: 0, y: 9, cols: 39, rows: 1 }, Style::default());
        frame.put_str(0, 9, text, Style::default());
        (frame.cursor.x, frame.cursor.y) = (x, 9);
        frame
    };
    let before = screen("$ mke install --with all options", 3);
    let after = screen("$ make install --with all options", 4);
    assert_snapshot!(bytes(&before, &after), @"20 ^[[m^[[35C^[[P^[[35D^[[@a");
    assert_snapshot!(bytes(&after, &before), @r"20 ^[[m\u{8}^[[P^[[35C^[[@^[[35D");
}

#[test]
fn scrolling_by_a_line_costs_the_line() {
    assert_snapshot!(bytes(&lines(1, 23), &lines(2, 23)), @"66 ^[[m^[[1;23r^[[M^[[r^[[23Hline 24 of a long text that goes on and on^[[H");
    assert_snapshot!(bytes(&lines(2, 23), &lines(1, 23)), @r"58 ^[[m^[[1;23r^[[L^[[rline 1 of a long text that goes on and on\r");
    let (before, after) = (side_by_side(1, 1), side_by_side(2, 1));
    assert_snapshot!(bytes_with(OutputFeatures::MARGINS, &before, &after), @"63 ^[[m^[[?69h^[[1;39s^[[1;23r^[[H^[[M^[[?69l^[[r^[[23Hline 24 of a text^[[H");
    let (before, after) = (side_by_side(1, 2), side_by_side(1, 1));
    assert_snapshot!(bytes_with(OutputFeatures::MARGINS, &before, &after), @r"64 ^[[m^[[?69h^[[41;80s^[[1;23r^[[;41H^[[L^[[?69l^[[r^[[40Cline 1 of a text\r");
}

#[test]
fn clearing_costs_little() {
    assert_snapshot!(bytes(&lines(1, 23), &lines(1, 11)), @"24 ^[[m^[[12;23r^[[12H^[[12M^[[r");
    assert_snapshot!(bytes(&lines(1, 23), &lines(1, 0)), @"18 ^[[m^[[1;23r^[[23M^[[r");
    let mut blue = lines(1, 11);
    let area = Rect { y: 11, rows: 12, ..blue.area() };
    blue.fill(area, Style { bg: Color::Indexed(4), ..Style::default() });
    assert_snapshot!(bytes(&lines(1, 23), &blue), @"26 ^[[44m^[[12;23r^[[12H^[[12M^[[r");
    let blank = Frame::new(SIZE);
    assert_snapshot!(bytes(&lines(1, 23), &blank), @"12 ^[[m^[[J^[[?25l");
}
