//! What sequences do to the screen, as tables: bytes, the rows they give, where the cursor ends.
//!
//! Behaviour is xterm's unless a line says otherwise.

use ccmux_term::{
    Attributes, Color, CursorShape, KeyboardFlags, MouseEncoding, MouseTracking, Size, Style,
    Terminal, Underline,
};

pub(crate) fn terminal(cols: u16, rows: u16, bytes: &str) -> Terminal {
    let mut terminal = Terminal::new(Size { cols, rows });
    terminal.advance(bytes.as_bytes());
    terminal
}

/// Runs each line of a table on a screen of 10x4: bytes, rows joined by `|` (empty ones at the end
/// left out), cursor as `(x, y)`.
fn check(table: &[(&str, &str, (u16, u16))]) {
    for &(bytes, rows, position) in table {
        let terminal = terminal(10, 4, bytes);
        let screen = terminal.text().trim_end_matches('\n').replace('\n', "|");
        let cursor = terminal.cursor();
        let found = (screen.as_str(), (cursor.x, cursor.y));
        assert_eq!(found, (rows, position), "{}", bytes.escape_debug());
    }
}

#[test]
fn text_and_controls() {
    check(&[
        ("hello", "hello", (5, 0)),
        ("ab\r\ncd", "ab|cd", (2, 1)),
        ("ab\ncd", "ab|  cd", (4, 1)),
        ("ab\x0bc\x0cd", "ab|  c|   d", (4, 2)),
        ("abc\x08\x08X", "aXc", (2, 0)),
        ("\x08\x08a", "a", (1, 0)),
        ("a\tb", "a       b", (9, 0)),
        ("a\t\t\tb", "a        b", (9, 0)),
        ("1\r\n2\r\n3\r\n4\r\n5", "2|3|4|5", (1, 3)),
        ("a\x7fb\x00c", "abc", (3, 0)),
        ("a\u{85}b\u{9b}31mc", "a|bc", (2, 1)),
    ]);
}

#[test]
fn wrapping() {
    check(&[
        // The cursor waits in the last column.
        ("0123456789", "0123456789", (9, 0)),
        ("0123456789a", "0123456789|a", (1, 1)),
        ("0123456789\rX", "X123456789", (1, 0)),
        ("0123456789\nX", "0123456789|         X", (9, 1)),
        ("0123456789\x08X", "01234567X9", (9, 0)),
        ("0123456789\x1b[DX", "01234567X9", (9, 0)),
        ("0123456789\x1b[KX", "012345678X", (9, 0)),
        ("0123456789\x1b7\x1b[H\x1b8X", "0123456789|X", (1, 1)),
        ("0123456789\tX", "0123456789|X", (1, 1)),
        ("\x1b[?7l0123456789abc", "012345678c", (9, 0)),
        ("\x1b[?7l01234567日本", "01234567日", (9, 0)),
        ("0123456789\x1b[?7lX", "012345678X", (9, 0)),
        ("\x1b[4;1H0123456789abc", "||0123456789|abc", (3, 3)),
        ("\x1b[?1045h\x1b[2;1H\x08X", "         X", (9, 0)),
    ]);
}

#[test]
fn wide_characters() {
    check(&[
        ("日本", "日本", (4, 0)),
        ("012345678日", "012345678|日", (2, 1)),
        ("01234567日", "01234567日", (9, 0)),
        // Overwriting half of a wide character erases the other half.
        ("日本\rx", "x 本", (1, 0)),
        ("日本\x1b[2Gx", " x本", (2, 0)),
        ("日本\x1b[2G日", " 日", (3, 0)),
        ("日本\x1b[2G\x1b[K", "", (1, 0)),
        ("日本\x1b[2G\x1b[X", "  本", (1, 0)),
        ("日本\x1b[2G\x1b[P", " 本", (1, 0)),
        ("日本\x1b[2G\x1b[@", "   本", (1, 0)),
        ("\x1b[9G日\x1b[G\x1b[@", "", (0, 0)),
        ("ｗ", "ｗ", (2, 0)),
    ]);
}

#[test]
fn clusters() {
    check(&[
        ("e\u{301}x", "e\u{301}x", (2, 0)),
        ("\u{301}x", "x", (1, 0)),
        ("日\u{301}x", "日\u{301}x", (3, 0)),
        ("012345678e\u{301}", "012345678e\u{301}", (9, 0)),
        ("👩‍💻x", "👩‍💻x", (3, 0)),
        ("👨‍👩‍👧‍👦x", "👨‍👩‍👧‍👦x", (3, 0)),
        ("👍🏽x", "👍🏽x", (3, 0)),
        ("🇩🇪x", "🇩🇪x", (3, 0)),
        ("🇩🇪🇫🇷x", "🇩🇪🇫🇷x", (5, 0)),
        ("❤x", "❤x", (2, 0)),
        ("❤\u{fe0f}x", "❤\u{fe0f}x", (3, 0)),
        // No room to widen.
        ("012345678❤\u{fe0f}x", "012345678❤\u{fe0f}|x", (1, 1)),
        ("a\u{fe0f}x", "a\u{fe0f}x", (2, 0)),
        ("a\u{200b}b", "a\u{200b}b", (2, 0)),
        ("한", "한", (2, 0)),
        ("e\u{301}\rx", "x", (1, 0)),
    ]);
}

#[test]
fn malformed_text() {
    let mut terminal = Terminal::new(Size { cols: 10, rows: 1 });
    terminal.advance(b"a\xffb\xe6\x97c\xf0\x9f\x98");
    assert_eq!(terminal.row(0).text(), "a\u{fffd}b\u{fffd}c");
    terminal.advance(b"\x80");
    assert_eq!(terminal.row(0).text(), "a\u{fffd}b\u{fffd}c😀");
}

#[test]
fn cursor_motion() {
    check(&[
        ("\x1b[2;3Hx", "|  x", (3, 1)),
        ("\x1b[2;3fx", "|  x", (3, 1)),
        ("\x1b[99;99Hx", "|||         x", (9, 3)),
        ("\x1b[2;2H\x1b[Ax", " x", (2, 0)),
        ("\x1b[2;2H\x1b[9Ax", " x", (2, 0)),
        ("\x1b[2;2H\x1b[Bx", "|| x", (2, 2)),
        ("\x1b[2;2H\x1b[9Bx", "||| x", (2, 3)),
        ("\x1b[3Cx", "   x", (4, 0)),
        ("\x1b[99Cx", "         x", (9, 0)),
        ("abc\x1b[2Dx", "axc", (2, 0)),
        ("\x1b[2;3H\x1b[Ex", "||x", (1, 2)),
        ("\x1b[2;3H\x1b[Fx", "x", (1, 0)),
        ("abc\x1b[6Gx", "abc  x", (6, 0)),
        ("abc\x1b[6`x", "abc  x", (6, 0)),
        ("abc\x1b[3dx", "abc||   x", (4, 2)),
        ("abc\x1b[2ax", "abc  x", (6, 0)),
        ("abc\x1b[2ex", "abc||   x", (4, 2)),
        // Motion stops at the margins.
        ("\x1b[2;3r\x1b[3;1H\x1b[9Ax", "|x", (1, 1)),
        ("\x1b[2;3r\x1b[2;1H\x1b[9Bx", "||x", (1, 2)),
        ("\x1b[2;3r\x1b[4;1H\x1b[9Ax", "|x", (1, 1)),
        ("\x1b[2;3r\x1b[4;1H\x1b[9Bx", "|||x", (1, 3)),
        // Origin mode.
        ("\x1b[2;3r\x1b[?6hx", "|x", (1, 1)),
        ("\x1b[2;3r\x1b[?6h\x1b[9;2Hx", "|| x", (2, 2)),
        ("\x1b[2;3r\x1b[?6h\x1b[?6lx", "x", (1, 0)),
        ("\x1b7\x1b[3;3H\x1b8x", "x", (1, 0)),
        ("\x1b[s\x1b[3;3H\x1b[ux", "x", (1, 0)),
        ("\x1b[3;3H\x1b8x", "x", (1, 0)),
    ]);
}

#[test]
fn tabs() {
    check(&[
        ("\x1b[4G\x1bH\r\tx", "   x", (4, 0)),
        ("\x1b[9G\x1b[g\r\tx", "         x", (9, 0)),
        ("\x1b[3g\tx", "         x", (9, 0)),
        ("\x1b[2Ix", "         x", (9, 0)),
        ("\x1b[3g\x1b[?5W\tx", "        x", (9, 0)),
        ("\x1b[10G\x1b[Zx", "        x", (9, 0)),
        ("\x1b[10G\x1b[2Zx", "x", (1, 0)),
    ]);
}

#[test]
fn erasing() {
    check(&[
        ("abcdef\x1b[3G\x1b[K", "ab", (2, 0)),
        ("abcdef\x1b[3G\x1b[1K", "   def", (2, 0)),
        ("abcdef\x1b[3G\x1b[2K", "", (2, 0)),
        ("abcdef\x1b[3G\x1b[2X", "ab  ef", (2, 0)),
        ("abcdef\x1b[3G\x1b[99X", "ab", (2, 0)),
        ("abcdef\x1b[3G\x1b[?K", "ab", (2, 0)),
        ("ab\r\ncd\r\nef\x1b[2;2H\x1b[J", "ab|c", (1, 1)),
        ("ab\r\ncd\r\nef\x1b[2;2H\x1b[1J", "||ef", (1, 1)),
        ("ab\r\ncd\r\nef\x1b[2;2H\x1b[2J", "", (1, 1)),
        ("ab\r\ncd\x1b[3J", "ab|cd", (2, 1)),
    ]);
}

#[test]
fn inserting_and_deleting() {
    check(&[
        ("abcdef\x1b[3G\x1b[2@", "ab  cdef", (2, 0)),
        ("0123456789\x1b[3G\x1b[2@", "01  234567", (2, 0)),
        ("abcdef\x1b[3G\x1b[2P", "abef", (2, 0)),
        ("abcdef\x1b[3G\x1b[99P", "ab", (2, 0)),
        ("abcdef\x1b[3G\x1b[4hXY\x1b[4lZ", "abXYZdef", (5, 0)),
        ("1\r\n2\r\n3\r\n4\x1b[2;2H\x1b[L", "1||2|3", (0, 1)),
        ("1\r\n2\r\n3\r\n4\x1b[2;2H\x1b[2M", "1|4", (0, 1)),
        ("1\r\n2\r\n3\r\n4\x1b[2;3r\x1b[2;1H\x1b[L", "1||2|4", (0, 1)),
        ("1\r\n2\r\n3\r\n4\x1b[2;3r\x1b[2;1H\x1b[M", "1|3||4", (0, 1)),
        ("1\r\n2\r\n3\r\n4\x1b[2;3r\x1b[4;1H\x1b[M", "1|2|3|4", (0, 3)),
    ]);
}

#[test]
fn scrolling() {
    check(&[
        ("1\r\n2\r\n3\r\n4\x1b[S", "2|3|4", (1, 3)),
        ("1\r\n2\r\n3\r\n4\x1b[2T", "||1|2", (1, 3)),
        ("1\r\n2\r\n3\r\n4\x1b[99S", "", (1, 3)),
        ("1\r\n2\r\n3\r\n4\x1b[2;3r\x1b[S", "1|3||4", (0, 0)),
        ("1\r\n2\r\n3\r\n4\x1b[2;3r\x1b[T", "1||2|4", (0, 0)),
        ("1\r\n2\r\n3\r\n4\x1b[2;3r\x1b[3;1H\n", "1|3||4", (0, 2)),
        ("1\r\n2\r\n3\r\n4\x1b[2;3r\x1b[4;1H\n", "1|2|3|4", (0, 3)),
        ("1\r\n2\r\n3\r\n4\x1b[H\x1bM", "|1|2|3", (0, 0)),
        ("1\r\n2\r\n3\r\n4\x1b[2;3r\x1b[2;1H\x1bM", "1||2|4", (0, 1)),
        ("1\r\n2\r\n3\r\n4\x1bD", "2|3|4", (1, 3)),
        ("1\r\n2\r\n3\r\n4\x1bEx", "2|3|4|x", (1, 3)),
        ("1\r\n2\r\n3\r\n4\x1b[1;2r\x1b[9S", "||3|4", (0, 0)),
        // Impossible margins are ignored.
        ("1\r\n2\r\n3\r\n4\x1b[3;3r\x1b[2;1rx", "1|2|3|4x", (2, 3)),
    ]);
}

#[test]
fn character_sets_and_repetition() {
    check(&[
        ("\x1b(0lqk\x1b(Blqk", "┌─┐lqk", (6, 0)),
        ("\x1b)0\x0eq\x0fq", "─q", (2, 0)),
        ("\x1b*0\x1bNqq", "─q", (2, 0)),
        ("\x1b+0\x1bOqq", "─q", (2, 0)),
        ("\x1b(A#", "£", (1, 0)),
        ("\x1b7\x1b(0\x1b8q", "q", (1, 0)),
        ("ab\x1b[3b", "abbbb", (5, 0)),
        ("日\x1b[2b", "日日日", (6, 0)),
        ("\x1b(0q\x1b[2b", "───", (3, 0)),
        // Over the end of the row, as in xterm.
        ("ab\x1b[9b", "abbbbbbbbb|b", (1, 1)),
        ("a日\x1b[4b", "a日日日日|日", (2, 1)),
        // Only directly after a character.
        ("\x1b[3b", "", (0, 0)),
        ("a\r\x1b[3b", "a", (0, 0)),
        ("\x1b#8\x1b[2;2Hx", "EEEEEEEEEE|ExEEEEEEEE|EEEEEEEEEE|EEEEEEEEEE", (2, 1)),
    ]);
}

#[test]
fn alternate_screen() {
    check(&[
        ("ab\x1b[?1049hcd", "  cd", (4, 0)),
        ("ab\x1b[?1049hcd\r\n\n\x1b[?1049lx", "abx", (3, 0)),
        ("ab\x1b[?1049hcd\x1b[?1049l\x1b[?1049h", "", (2, 0)),
        ("ab\x1b[?1049h\x1b[?1049l\rx\x1b[?1049ly", "xby", (3, 0)),
        ("ab\x1b[?1049hcd\x1b[?1049h\x1b[?1049lx", "abx", (3, 0)),
        ("ab\x1b[?47hcd\x1b[?47le", "ab  e", (5, 0)),
        ("ab\x1b[?47hcd\x1b[?47l\x1b[?47h", "  cd", (4, 0)),
        ("ab\x1b[?1047hcd\x1b[?1047l\x1b[?1047h", "", (4, 0)),
        ("ab\x1b[?1048h\r\n\x1b[?1048lx", "abx", (3, 0)),
        ("ab\x1b[?1049h\x1bcx", "x", (1, 0)),
    ]);
    assert!(terminal(10, 4, "\x1b[?1049h").modes().alternate_screen);
    assert!(!terminal(10, 4, "\x1b[?1049h\x1b[?1049l").modes().alternate_screen);
}

#[test]
fn unknown_sequences_do_nothing() {
    check(&[
        ("a\x1b[?99hb\x1b[99xc\x1b[>1;2;3wd", "abcd", (4, 0)),
        ("a\x1b]999;x\x07b\x1bPx\x1b\\c\x1b_x\x1b\\d\x1b^x\x1b\\e\x1bXx\x1b\\f", "abcdef", (6, 0)),
        ("a\x1b%Gb\x1b Fc", "abc", (3, 0)),
        // Cancelled.
        ("a\x1b[3\x18b", "ab", (2, 0)),
        ("a\x1b[3\x1b[Cb", "a b", (3, 0)),
        ("a\x1b]0;x\x18b", "ab", (2, 0)),
        // A control inside a sequence acts at once.
        ("ab\x1b[\r1Cx", "ax", (2, 0)),
    ]);
}

fn style_after(sgr: &str) -> Style {
    let terminal = terminal(10, 2, &format!("{sgr}x"));
    terminal.row(0).cells().next().expect("ten cells").style
}

#[test]
fn graphic_rendition() {
    let plain = Style::default();
    let fg = |fg| Style { fg, ..plain };
    let attributes = |attributes| Style { attributes, ..plain };
    let underline = |underline| Style { underline, ..plain };
    let table = [
        ("\x1b[m", plain),
        ("\x1b[1;3m", attributes(Attributes::BOLD | Attributes::ITALIC)),
        ("\x1b[1;2;22m", plain),
        ("\x1b[1;31m\x1b[0m", plain),
        ("\x1b[5;7;8;9;53m\x1b[25;27;28;29;55m", plain),
        ("\x1b[31m", fg(Color::Indexed(1))),
        ("\x1b[91m", fg(Color::Indexed(9))),
        ("\x1b[31;39m", plain),
        ("\x1b[38;5;200m", fg(Color::Indexed(200))),
        ("\x1b[38:5:200m", fg(Color::Indexed(200))),
        ("\x1b[38;2;1;2;3m", fg(Color::Rgb(1, 2, 3))),
        ("\x1b[38:2:1:2:3m", fg(Color::Rgb(1, 2, 3))),
        ("\x1b[38:2::1:2:3m", fg(Color::Rgb(1, 2, 3))),
        ("\x1b[38:2:9:1:2:3:0:1m", fg(Color::Rgb(1, 2, 3))),
        ("\x1b[38;5m", fg(Color::Indexed(0))),
        ("\x1b[38;5;300m", plain),
        ("\x1b[38:9:1m", plain),
        (
            "\x1b[38;5;1;3m",
            Style { fg: Color::Indexed(1), attributes: Attributes::ITALIC, ..plain },
        ),
        ("\x1b[48;5;1;31m", Style { fg: Color::Indexed(1), bg: Color::Indexed(1), ..plain }),
        ("\x1b[103m", Style { bg: Color::Indexed(11), ..plain }),
        ("\x1b[4m", underline(Underline::Single)),
        ("\x1b[4:3m", underline(Underline::Curly)),
        ("\x1b[4:0m", plain),
        (
            "\x1b[4;3m",
            Style { underline: Underline::Single, attributes: Attributes::ITALIC, ..plain },
        ),
        ("\x1b[21m", underline(Underline::Double)),
        ("\x1b[4m\x1b[24m", plain),
        ("\x1b[58:5:3m", Style { underline_color: Color::Indexed(3), ..plain }),
        ("\x1b[58;2;1;2;3m", Style { underline_color: Color::Rgb(1, 2, 3), ..plain }),
        ("\x1b[58;5;3;59m", plain),
        ("\x1b[31m\x1b7\x1b[m\x1b8", fg(Color::Indexed(1))),
        ("\x1b[31m\x1b[!p", plain),
        ("\x1b[31m\x1bc", plain),
        ("\x1b[>4;1m", plain),
        ("\x1b[?4m", plain),
    ];
    for (sgr, expected) in table {
        assert_eq!(style_after(sgr), expected, "{}", sgr.escape_debug());
    }
}

/// Erased cells take the background of the pen, and nothing else of it.
#[test]
fn erasing_uses_the_background() {
    let blue = Style { bg: Color::Indexed(4), ..Style::default() };
    for bytes in [
        "\x1b[1;4;44m\x1b[K",
        "\x1b[44m\x1b[2J",
        "\x1b[44m\x1b[3X",
        "\x1b[44m\x1b[2@",
        "\x1b[44m\x1b[L",
        "\x1b[44m\x1b[T",
        "\x1b[4;1H\x1b[44m\n\x1b[A",
    ] {
        let terminal = terminal(10, 4, &format!("{bytes}\x1b[m"));
        let y = terminal.cursor().y + u16::from(bytes.ends_with('A'));
        let cell = terminal.row(y).cells().nth(1).expect("ten cells");
        assert_eq!((cell.style, cell.is_blank()), (blue, true), "{}", bytes.escape_debug());
    }
    let terminal = terminal(10, 2, "abc\x1b[44m\x1b[2G\x1b[P\x1b[m");
    assert_eq!(terminal.row(0).cells().last().expect("ten cells").style, blue);
}

#[test]
fn links() {
    let terminal = terminal(20, 2, "a\x1b]8;id=7;https://e.org/\x1b\\bc\x1b]8;;\x1b\\d");
    let links: Vec<_> = terminal.row(0).cells().take(4).map(|cell| cell.link.cloned()).collect();
    let link = Some(ccmux_term::Hyperlink { id: "7".into(), uri: "https://e.org/".into() });
    assert_eq!(links, [None, link.clone(), link, None]);
}

#[test]
fn modes() {
    let modes = terminal(10, 4, "\x1b[?1;1000;1006;1004;2004;2026h\x1b=\x1b[>4;2m\x1b[>5u").modes();
    assert!(modes.application_cursor_keys && modes.application_keypad && modes.focus_events);
    assert!(modes.bracketed_paste && modes.synchronized_output);
    assert_eq!((modes.mouse, modes.mouse_encoding), (MouseTracking::Normal, MouseEncoding::Sgr));
    assert_eq!(modes.modify_other_keys, 2);
    assert_eq!(modes.keyboard, KeyboardFlags::DISAMBIGUATE | KeyboardFlags::ALTERNATE_KEYS);

    let keyboard = |bytes: &str| terminal(10, 4, bytes).modes().keyboard.bits();
    assert_eq!(keyboard("\x1b[>1u\x1b[>3u\x1b[<u"), 1);
    assert_eq!(keyboard("\x1b[>1u\x1b[<9u"), 0);
    assert_eq!(keyboard("\x1b[=5u\x1b[=2;2u\x1b[=1;3u"), 6);
    assert_eq!(keyboard("\x1b[>1u\x1b[?1049h"), 0, "each screen has its own stack");
    assert_eq!(keyboard("\x1b[>1u\x1b[?1049h\x1b[>4u\x1b[?1049l"), 1);

    let off = terminal(10, 4, "\x1b[?1000;1002h\x1b[?1006h\x1b[?1002l\x1b[?1006l").modes();
    assert_eq!((off.mouse, off.mouse_encoding), (MouseTracking::Off, MouseEncoding::Default));
}

#[test]
fn cursor_looks() {
    let cursor = terminal(10, 4, "\x1b[5 q").cursor();
    assert_eq!((cursor.shape, cursor.blinking), (CursorShape::Bar, true));
    let cursor = terminal(10, 4, "\x1b[4 q\x1b[?25l").cursor();
    assert_eq!(
        (cursor.shape, cursor.blinking, cursor.visible),
        (CursorShape::Underline, false, false)
    );
    let cursor = terminal(10, 4, "\x1b[4 q\x1b[0 q\x1b[?12h").cursor();
    assert_eq!((cursor.shape, cursor.blinking), (CursorShape::Default, true));
}
