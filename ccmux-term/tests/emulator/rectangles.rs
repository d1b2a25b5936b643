//! Protected text, rectangles and checksums.

use ccmux_term::{Attributes, Underline};

use crate::support::{check_replies, check_screens, run};

const LETTERS: &str = "abcde\r\nfghij\r\nklmno\r\npqrst\r\nuvwxy";
const REGION: &str = "\x1b[?69h\x1b[2;4s\x1b[2;4r";

#[test]
fn selective_erasing_leaves_protected_text() {
    // b and d are protected.
    check_screens(
        "a\x1b[1\"qb\x1b[0\"qc\x1b[1\"qd\x1b[2\"qe\x1b[1;3H",
        &[
            ("\x1b[?K", "ab d", (3, 1)),
            ("\x1b[?0K", "ab d", (3, 1)),
            ("\x1b[?1K", " b de", (3, 1)),
            ("\x1b[?2K", " b d", (3, 1)),
            ("\x1b[?J", "ab d", (3, 1)),
            ("\x1b[?1J", " b de", (3, 1)),
            ("\x1b[?2J", " b d", (3, 1)),
            ("\x1b[?3J", "abcde", (3, 1)),
            ("\x1b[2;5Hx\x1b[?1J", " b d", (6, 2)),
            ("\x1b[2;5Hx\x1b[1;3H\x1b[?J", "ab d", (3, 1)),
            ("\x1b[1;1;1;5${", " b d", (3, 1)),
            ("\x1b[${", " b d", (3, 1)),
            // What does not heed DECSCA.
            ("\x1b[K", "ab", (3, 1)),
            ("\x1b[2K", "", (3, 1)),
            ("\x1b[2J", "", (3, 1)),
            ("\x1b[J", "ab", (3, 1)),
            ("\x1b[1J", "   de", (3, 1)),
            ("\r\x1b[4X", "    e", (1, 1)),
            ("\x1b[1;1;1;5$z", "", (3, 1)),
            // Printing over it, and protection that was taken away.
            ("\x1b[1;2HB\x1b[?2K", "   d", (3, 1)),
            ("\x1b[!p\x1b[?2K", "", (3, 1)),
            ("\x1b[!p\x1b[1;1Hx\x1b[1\"q\x1b[0\"q\x1b[?2K", " b d", (2, 1)),
            // It comes back with the cursor.
            ("\x1b[1\"q\x1b7\x1b[0\"q\x1b8x\x1b[?2K", " bxd", (4, 1)),
            ("\x1b[?47h\x1b[1\"qx\x1b[0\"qy\x1b[?2J", "  x", (5, 1)),
        ],
    );
    // Margins do not matter.
    check_screens(
        &["\x1b[1\"q", LETTERS, "\x1b[0\"q\x1b[3;3HX", REGION].concat(),
        &[
            ("\x1b[2;2H\x1b[?J", "abcde|fghij|kl no|pqrst|uvwxy", (2, 2)),
            ("\x1b[4;4H\x1b[?1J", "abcde|fghij|kl no|pqrst|uvwxy", (4, 4)),
            ("\x1b[3;3H\x1b[?2K", "abcde|fghij|kl no|pqrst|uvwxy", (3, 3)),
        ],
    );
    // A wide character is protected or erased as a whole.
    check_screens(
        "",
        &[
            ("\x1b[1\"q日\x1b[0\"q本\x1b[1;2H\x1b[?2K", "日", (2, 1)),
            ("\x1b[1\"qa\x1b[0\"q日\x1b[1;3H\x1b[?1K", "a", (3, 1)),
        ],
    );
}

#[test]
fn guarded_areas_are_left_by_all_erasing() {
    // b is guarded.
    check_screens(
        "a\x1bVb\x1bWc\x1b[1;2H",
        &[
            ("\x1b[K", "ab", (2, 1)),
            ("\x1b[1K", " bc", (2, 1)),
            ("\x1b[2K", " b", (2, 1)),
            ("\x1b[J", "ab", (2, 1)),
            ("\x1b[1J", " bc", (2, 1)),
            ("\x1b[2J", " b", (2, 1)),
            ("\r\x1b[3X", " b", (1, 1)),
            ("\x1b[?2K", " b", (2, 1)),
            ("\x1b[?2J", " b", (2, 1)),
            // Rectangles heed the other kind only.
            ("\x1b[1;1;1;3${", "", (2, 1)),
            ("\x1b[1;1;1;3$z", "", (2, 1)),
            ("\x1bc", "", (1, 1)),
        ],
    );
    check_replies(
        "",
        &[
            ("\x1bP$q\"q\x1b\\", "\x1bP1$r0\"q\x1b\\"),
            ("\x1b[1\"q\x1bP$q\"q\x1b\\", "\x1bP1$r1\"q\x1b\\"),
            ("\x1b[1\"q\x1b[2\"q\x1bP$q\"q\x1b\\", "\x1bP1$r0\"q\x1b\\"),
            ("\x1b[1\"q\x1b[m\x1bP$q\"q\x1b\\", "\x1bP1$r1\"q\x1b\\"),
        ],
    );
}

#[test]
fn rectangles_are_copied() {
    check_screens(
        LETTERS,
        &[
            ("\x1b[2;2;3;3;1;4;4;1$v", "abcde|fghij|klmno|pqrgh|uvwlm", (6, 5)),
            // Over itself, either way.
            ("\x1b[2;2;4;4;1;3;3;1$v", "abcde|fghij|klghi|pqlmn|uvqrs", (6, 5)),
            ("\x1b[2;2;4;4;1;1;1;1$v", "ghide|lmnij|qrsno|pqrst|uvwxy", (6, 5)),
            // Defaults: the whole screen, to its beginning.
            ("\x1b[2;2$v", "ghij|lmno|qrst|vwxy", (6, 5)),
            ("\x1b[;;2;2;;4;4$v", "abcde|fghij|klmno|pqrab|uvwfg", (6, 5)),
            // Cut at the borders.
            ("\x1b[1;1;3;3;1;5;9;1$v", "abcde|fghij|klmno|pqrst|uvwxy   ab|        fg", (6, 5)),
            ("\x1b[6;10;9;99;1;1;1;1$v", " bcde|fghij|klmno|pqrst|uvwxy", (6, 5)),
            // A rectangle that ends before it begins.
            ("\x1b[3;3;2;2;1;1;1;1$v", "abcde|fghij|klmno|pqrst|uvwxy", (6, 5)),
        ],
    );
    check_screens(
        &[LETTERS, REGION].concat(),
        &[
            ("\x1b[1;1;2;2;1;4;4;1$v", "abcde|fghij|klmno|pqrab|uvwfg", (1, 1)),
            ("\x1b[?6h\x1b[1;1;2;2;1;2;2;1$v", "abcde|fghij|klgho|pqlmt|uvwxy", (2, 2)),
            ("\x1b[?6h\x1b[1;1;9;9;1;2;2;1$v", "abcde|fghij|klgho|pqlmt|uvwxy", (2, 2)),
        ],
    );
    check_screens(
        "日本語\r\nabcdef",
        &[
            ("\x1b[1;2;1;5;1;2;1;1$v", "日本語| 本 ef", (7, 2)),
            ("\x1b[2;1;2;1;1;1;2;1$v", " a本語|abcdef", (7, 2)),
        ],
    );
}

#[test]
fn rectangles_are_filled_and_erased() {
    check_screens(
        LETTERS,
        &[
            ("\x1b[33;2;2;4;4$x", "abcde|f!!!j|k!!!o|p!!!t|uvwxy", (6, 5)),
            ("\x1b[33;5;5;99;99$x", "abcde|fghij|klmno|pqrst|uvwx!!!!!!|    !!!!!!", (6, 5)),
            ("\x1b[33;4;4;3;3$x", "abcde|fghij|klmno|pqrst|uvwxy", (6, 5)),
            ("\x1b[7;2;2;4;4$x", "abcde|fghij|klmno|pqrst|uvwxy", (6, 5)),
            ("\x1b[233;2;2;2;2$x", "abcde|féhij|klmno|pqrst|uvwxy", (6, 5)),
            ("\x1b[2;2;4;4$z", "abcde|f   j|k   o|p   t|uvwxy", (6, 5)),
            ("\x1b[$z", "", (6, 5)),
            ("\x1b[4;4;3;3$z", "abcde|fghij|klmno|pqrst|uvwxy", (6, 5)),
            ("\x1b[2;2;4;4${", "abcde|f   j|k   o|p   t|uvwxy", (6, 5)),
            ("\x1b[4;4;3;3${", "abcde|fghij|klmno|pqrst|uvwxy", (6, 5)),
        ],
    );
    let full = ["!!!!!!!!!!"; 6].join("|");
    check_screens("", &[("\x1b[33$x", &full, (1, 1))]);
    check_screens(
        &[LETTERS, REGION].concat(),
        &[
            ("\x1b[33;1;1;2;2$x", "!!cde|!!hij|klmno|pqrst|uvwxy", (1, 1)),
            ("\x1b[?6h\x1b[33;1;1;2;2$x", "abcde|f!!ij|k!!no|pqrst|uvwxy", (2, 2)),
            ("\x1b[?6h\x1b[33$x", "abcde|f!!!j|k!!!o|p!!!t|uvwxy", (2, 2)),
            ("\x1b[1;1;2;2$z", "  cde|  hij|klmno|pqrst|uvwxy", (1, 1)),
            ("\x1b[?6h\x1b[1;1;2;2$z", "abcde|f  ij|k  no|pqrst|uvwxy", (2, 2)),
            ("\x1b[?6h\x1b[1;1;2;2${", "abcde|f  ij|k  no|pqrst|uvwxy", (2, 2)),
        ],
    );
    check_screens(
        "日本語",
        &[("\x1b[33;1;2;1;3$x", " !! 語", (7, 1)), ("\x1b[1;4;1;4$z", "日  語", (7, 1))],
    );
    let (terminal, _) = run("\x1b[1;31m\x1b[65;1;1;1;2$x");
    let style = terminal.row(0).cells().next().expect("ten cells").style;
    assert_eq!((style.attributes, style.fg), (Attributes::BOLD, ccmux_term::Color::Indexed(1)));
}

/// The attributes of a screen of letters as rows of `B` (bold), `U` (underlined), `I` (reversed),
/// `+` (several) and `.`.
fn attributes(bytes: &str) -> String {
    let (terminal, _) = run(&[LETTERS, bytes].concat());
    let look = |cell: ccmux_term::CellRef<'_>| {
        let style = cell.style;
        match (style.attributes, style.underline) {
            (Attributes::BOLD, Underline::None) => 'B',
            (Attributes::REVERSE, Underline::None) => 'I',
            (attributes, Underline::Single) if attributes.is_empty() => 'U',
            (attributes, Underline::None) if attributes.is_empty() => '.',
            _ => '+',
        }
    };
    let row = |y| terminal.row(y).cells().map(look).collect::<String>();
    (0..4).map(row).collect::<Vec<_>>().join("|")
}

#[test]
fn attributes_of_rectangles_are_changed() {
    let table = [
        ("\x1b[2*x\x1b[2;2;3;3;1$r", "..........|.BB.......|.BB.......|.........."),
        ("\x1b[2*x\x1b[2;2;3;3;4$r", "..........|.UU.......|.UU.......|.........."),
        ("\x1b[2*x\x1b[2;2;3;3;1;7$r", "..........|.++.......|.++.......|.........."),
        (
            "\x1b[2*x\x1b[2;2;3;3;7$r\x1b[2;2;2;2;27$r",
            "..........|..I.......|.II.......|..........",
        ),
        ("\x1b[2*x\x1b[2;2;3;3;1$r\x1b[2;2;2;9$r", "..........|..........|.BB.......|.........."),
        ("\x1b[2*x\x1b[2;2;3;3;1$r\x1b[2;2;2;9;0$r", "..........|..........|.BB.......|.........."),
        ("\x1b[2*x\x1b[2;2;3;3;1$t", "..........|.BB.......|.BB.......|.........."),
        ("\x1b[2*x\x1b[2;2;3;3;1$t\x1b[2;2;2;3;1$t", "..........|..........|.BB.......|.........."),
        ("\x1b[2*x\x1b[2;2;2;2;4$t\x1b[2;2;2;3;4$t", "..........|..U.......|..........|.........."),
        // A stream goes over the ends of rows.
        ("\x1b[2;9;3;2;1$r", "..........|........BB|BB........|.........."),
        ("\x1b[1*x\x1b[2;9;4;2;1$r", "..........|........BB|BBBBBBBBBB|BB........"),
        ("\x1b[2*x\x1b[0*x\x1b[2;9;3;2;1$r", "..........|........BB|BB........|.........."),
        ("\x1b[2*x\x1b[3;3;2;2;1$r", "..........|..........|..........|.........."),
        (
            "\x1b[2*x\x1b[?69h\x1b[2;4s\x1b[?6h\x1b[1;1;1;9;1$r",
            ".BBB......|..........|..........|..........",
        ),
    ];
    for (bytes, expected) in table {
        assert_eq!(attributes(bytes), expected, "{}", bytes.escape_debug());
    }
    check_replies(
        "",
        &[("\x1bP$q*x\x1b\\\x1b[2*x\x1bP$q*x\x1b\\", "\x1bP1$r0*x\x1b\\\x1bP1$r2*x\x1b\\")],
    );
}

#[test]
fn checksums_are_xterms() {
    check_replies(
        "ab\r\n\x1b[1mc\x1b[m\u{e9}日",
        &[
            // The sum is negated; a cell that nothing was printed in counts as a space.
            ("\x1b[7;1;1;1;1;1*y", "\x1bP7!~FF9F\x1b\\"),
            ("\x1b[8;1;1;1;1;2*y", "\x1bP8!~FF3D\x1b\\"),
            ("\x1b[9;1;6;9;6;9*y", "\x1bP9!~FFE0\x1b\\"),
            // Blanks at the ends of rows do not count.
            ("\x1b[1;1;1;1;1;9*y", "\x1bP1!~FF3D\x1b\\"),
            ("\x1b[1;1;1;1;2;1*y", "\x1bP1!~FEBC\x1b\\"),
            // Bold counts as 0x80.
            ("\x1b[1;1;2;1;2;1*y", "\x1bP1!~FF1D\x1b\\"),
            // Eight bits.
            ("\x1b[1;1;2;2;2;2*y", "\x1bP1!~FF17\x1b\\"),
            ("\x1b[1;1;2;3;2;3*y", "\x1bP1!~FF1B\x1b\\"),
            // XTCHECKSUM: positive, without attributes, whole characters.
            ("\x1b[1#y\x1b[1;1;1;1;1;1*y", "\x1bP1!~0061\x1b\\"),
            ("\x1b[3#y\x1b[1;1;2;1;2;1*y", "\x1bP1!~0063\x1b\\"),
            ("\x1b[33#y\x1b[1;1;2;2;2;2*y", "\x1bP1!~00E9\x1b\\"),
            ("\x1b[17#y\x1b[1;1;2;3;2;3*y", "\x1bP1!~65E5\x1b\\"),
            ("\x1b[5#y\x1b[1;1;1;1;1;4*y", "\x1bP1!~0103\x1b\\"),
            ("\x1b[9#y\x1b[1;1;6;9;6;9*y", "\x1bP1!~0000\x1b\\"),
            ("\x1b[1#y\x1bc\x1b[1;1;1;1;1;1*y", "\x1bP1!~FFE0\x1b\\"),
            // A rectangle that ends before it begins.
            ("\x1b[1;1;2;2;1;1*y", "\x1bP1!~0000\x1b\\"),
            // In origin mode it counts from the margins.
            ("\x1b[?69h\x1b[2;4s\x1b[?6h\x1b[1;1;1;1;1;1*y", "\x1bP1!~FF9E\x1b\\"),
        ],
    );
    check_replies(
        "",
        &[
            // Protection does not count.
            ("\x1b[1\"qa\x1b[m\x1b[1;1;1;1;1;1*y", "\x1bP1!~FF9F\x1b\\"),
            ("\x1b[4;5;7ma\x1b[1;1;1;1;1;1*y", "\x1bP1!~FF2F\x1b\\"),
            // Hidden text counts as blank, with the attributes that it has beside.
            ("\x1b[8ma\x1b[1;1;1;1;1;1*y", "\x1bP1!~FFE0\x1b\\"),
            ("\x1b[4;5;7;8ma\x1b[1;1;1;1;1;1*y", "\x1bP1!~FF70\x1b\\"),
            ("\x1b[8ma\x1b[2#y\x1b[1;1;1;1;1;1*y", "\x1bP1!~FFE0\x1b\\"),
            ("\x1b[17#ye\u{301}\x1b[1;1;1;1;1;1*y", "\x1bP1!~0366\x1b\\"),
        ],
    );
}
