//! A VT52: what a program has after it reset DECANM.

use crate::support::{check_replies, check_screens};

/// As xterm has it; the cursor is reported after `ESC <`.
#[test]
fn sequences_of_a_vt52() {
    check_screens(
        "\x1b[?2l",
        &[
            ("ab\x1bHc", "cb", (2, 1)),
            ("\x1bY\"#x", "||   x", (5, 3)),
            ("\x1bY  x", "x", (2, 1)),
            // Beyond the screen is its border.
            ("\x1bY~~x", "|||||         x", (10, 6)),
            ("\x1bY\"#\x1bAa\x1bBb\x1bCc\x1bDd", "|   a|    b d", (8, 3)),
            ("\x1bY\"#\x1bH\x1bA\x1bDx", "x", (2, 1)),
            ("a\r\nb\x1bH\x1bIx", "x|a|b", (2, 1)),
            ("abc\r\ndef\r\nghi\x1bY!!\x1bJ", "abc|d", (2, 2)),
            ("abc\r\ndef\x1bY !\x1bK", "a|def", (2, 1)),
            ("q\x1bFqx\x1bGq", "q─│q", (5, 1)),
            ("q\x0eqx\x0fq", "q─│q", (5, 1)),
            // Nothing else is a sequence of its own, and text goes on after what is none.
            ("a\x1b[31mb", "a31mb", (6, 1)),
            ("a\x1b]2;b\x07\x1bPc\x1bcd\x1b7e", "a2;bcde", (8, 1)),
            ("a\u{9b}5Cb\u{84}c", "a5Cbc", (6, 1)),
            ("a\x1b(0q", "aq", (3, 1)),
            ("a\x1bY\x1bHb", "b", (2, 1)),
            ("a\x1bY\x18b", "ab", (3, 1)),
            ("a\x1b<\x1b[3Cb", "a   b", (6, 1)),
        ],
    );
}

/// What was designated before is back after a VT52; its style and margins are those of before.
#[test]
fn a_vt52_leaves_what_it_does_not_know() {
    check_screens(
        "",
        &[
            ("\x1b(0q\x1b[?2lq\x1bFq\x1b<q", "─q──", (5, 1)),
            ("\x1b)0\x0e\x1b[?2lq\x1b<q", "q─", (3, 1)),
            ("\x1b[?2l\x1bF\x1b<q\x1b[?2lq", "qq", (3, 1)),
            ("\x1b[2;3r\x1b[?6h\x1b[?2l\x1bY!!a\x1bHb", "b| a", (2, 1)),
            ("\x1b[2;3r\x1b[?2l\x1bY\"  a\nb", "| a|  b", (4, 3)),
        ],
    );
    check_replies(
        "",
        &[
            ("\x1b[31m\x1b[?2l\x1b<\x1bP$qm\x1b\\", "\x1bP1$r0;31m\x1b\\"),
            ("\x1b[?2$p", "\x1b[?2;1$y"),
            ("\x1b[?2l\x1bZ", "\x1b/Z"),
            ("\x1b[?2l\x1b[c\x1b[6n", ""),
            ("\x1b[?2l\x1b<\x1bZ", "\x1b[?64;1;2;4;6;9;15;16;17;18;21;22;28;29c"),
            ("\x1b[?2l\x1bYaa\x1b<\x1b[6n", "\x1b[6;10R"),
            ("\x1b[?67$p\x1b[?67h\x1b[?67$p", "\x1b[?67;2$y\x1b[?67;1$y"),
        ],
    );
}
