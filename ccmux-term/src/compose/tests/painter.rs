//! Painting: which bytes.

use crate::compose::{ColorDepth, Frame, OutputCaps, OutputFeatures, Painter};
use crate::{Size, Style};

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
        (rep, "", "────", "─\x1b[3b\r"),
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
