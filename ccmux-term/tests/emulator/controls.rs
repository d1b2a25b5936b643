//! Controls of one and of eight bits, tabs, character sets, reverse wraparound, repetition, saved
//! modes and resets.

use crate::support::{check_replies, check_screens, run};

#[test]
fn c1_controls_are_characters_or_escape_sequences() {
    check_screens(
        "",
        &[
            ("ab\u{84}c", "ab|  c", (4, 2)),
            ("ab\u{85}c", "ab|c", (2, 2)),
            ("abc\u{88}\r\t", "abc", (4, 1)),
            ("\x1b[2;2Ha\u{8d}b", "  b| a", (4, 1)),
            ("\x1b*0\u{8e}qq", "─q", (3, 1)),
            ("\x1b+0\u{8f}qq", "─q", (3, 1)),
            ("a\u{96}b\u{97}c\u{9b}2K", " b", (4, 1)),
            ("\u{9b}2;3Hx", "|  x", (4, 2)),
            ("a\u{90}$qm\u{9c}b", "ab", (3, 1)),
            ("a\u{9d}2;t\u{9c}b", "ab", (3, 1)),
            ("a\u{9d}2;t\x07b", "ab", (3, 1)),
            ("a\x1b]2;t\u{9c}b", "ab", (3, 1)),
            ("a\u{98}xy\u{9c}b", "ab", (3, 1)),
            ("a\u{9e}xy\u{9c}b", "ab", (3, 1)),
            ("a\u{9f}xy\u{9c}b", "ab", (3, 1)),
            ("a\x1b_xy\u{9c}b", "ab", (3, 1)),
            ("a\x1b_xy\x1b\\b", "ab", (3, 1)),
            ("a\x1b^xy\x1b\\b", "ab", (3, 1)),
            ("a\x1bXxy\x1b\\b", "ab", (3, 1)),
            ("a\x1bP0;0|xy\x1b\\b", "ab", (3, 1)),
            ("a\u{9c}b", "ab", (3, 1)),
            ("a\u{80}\u{81}b", "ab", (3, 1)),
            // The last byte of other characters is none.
            ("a\x1b]2;\u{41c}\x1b\\b", "ab", (3, 1)),
            ("\u{5c9c}", "岜", (3, 1)),
        ],
    );
    assert_eq!(run("\x1b]2;\u{41c}\u{9c}").0.title(), "М");
    assert_eq!(run("\u{9d}2;one\u{9c}").0.title(), "one");
    // Cut at any byte.
    let bytes = "a\u{9d}2;t\u{9c}b\u{98}x\u{9c}\u{9b}2;3Hc".as_bytes();
    for at in 0..=bytes.len() {
        let mut terminal = ccmux_term::Terminal::new(ccmux_term::Size { cols: 10, rows: 6 });
        terminal.advance(&bytes[..at]);
        terminal.take_events();
        let mut terminal =
            ccmux_term::Terminal::restore(&terminal.keyframe()).expect("its own keyframe");
        terminal.advance(&bytes[at..]);
        assert_eq!((terminal.title(), terminal.text().trim_end()), ("t", "ab\n  c"), "at {at}");
    }
}

/// In UTF-8 a single byte is no control, but a program that asks for such controls sends them.
#[test]
fn controls_of_one_byte_are_taken_from_who_asks_for_them() {
    let table: [(&[u8], &str); 7] = [
        (b"\x1b G\x9b2;3Hx", "|  x"),
        (b"\x1b Gab\x84c\x85d", "ab|  c|d"),
        (b"\x1b Ga\x90$qm\x1b\\b\x9fx\x1b\\c", "abc"),
        (b"\x1b G\xe6\x97\xa5\x9b4Gx", "日 x"),
        (b"\x1b G\xff\x1b F\x9b2;3Hx", "\u{fffd}\u{fffd}2;3Hx"),
        (b"\x9b2;3Hx", "\u{fffd}2;3Hx"),
        (b"\x1b G\x1b[61\"p\x9b2;3H", "\u{fffd}2;3H"),
    ];
    for (bytes, rows) in table {
        let mut terminal = ccmux_term::Terminal::new(ccmux_term::Size { cols: 10, rows: 6 });
        terminal.advance(bytes);
        let screen = terminal.text().trim_end_matches('\n').replace('\n', "|");
        assert_eq!(screen, rows, "{}", bytes.escape_ascii());
    }
}

/// A string ends at the one-byte ST of a program that has asked for such controls, unless the byte belongs
/// to a character; wherever the input is cut, and through keyframes.
#[test]
fn strings_end_at_an_st_of_one_byte() {
    let table: [(&[u8], &str, &str); 13] = [
        (b"\x1b G\x9d2;t\x9cb", "t", "b"),
        (b"\x1b Ga\x90$qm\x9cb", "", "ab"),
        (b"\x1b Ga\x9fG\x9cb", "", "ab"),
        (b"\x1b Ga\x9fxy\x9cb", "", "ab"),
        (b"\x1b Ga\x98xy\x9cb", "", "ab"),
        (b"\x1b Ga\x9exy\x9cb", "", "ab"),
        (b"\x1b Ga\x9e\x9cb", "", "ab"),
        // Here it is the last byte of a character, or one in the middle.
        (
            b"\x1b G\x9d2;\xe2\x80\x9c\xc3\x9c\xe7\x9c\xbc\xf0\x9f\x9c\x80\x9cb",
            "\u{201c}\u{dc}\u{773c}\u{1f700}",
            "b",
        ),
        (b"\x1b Ga\x98\xe2\x80\x9c\xc3\x9c\xe7\x9c\xbc\xf0\x9f\x9c\x80\x9cb", "", "ab"),
        // No character goes on with it.
        (b"\x1b G\x9d2;\xc3\xa9\x9cb", "\u{e9}", "b"),
        (b"\x1b Ga\x98\xe0\x9cb", "", "ab"),
        // Not asked for.
        (b"\x1b]2;a\x9cb\x1b\\c", "a\u{fffd}b", "c"),
        (b"\x1bXa\x9cb\x1b\\c", "", "c"),
    ];
    for (bytes, title, rows) in table {
        for at in 0..=bytes.len() {
            let mut terminal = ccmux_term::Terminal::new(ccmux_term::Size { cols: 10, rows: 2 });
            terminal.advance(&bytes[..at]);
            terminal.take_events();
            let mut restored =
                ccmux_term::Terminal::restore(&terminal.keyframe()).expect("its own keyframe");
            for terminal in [&mut terminal, &mut restored] {
                terminal.advance(&bytes[at..]);
                let found = (terminal.title(), terminal.text());
                let found = (found.0, found.1.trim_end());
                assert_eq!(found, (title, rows), "{} at {at}", bytes.escape_ascii());
            }
        }
    }
}

#[test]
fn replies_have_controls_of_the_size_that_is_wanted() {
    check_replies(
        "",
        &[
            ("\x1b G\x1b[5n", "\u{9b}0n"),
            ("\x1b G\x1b[5n\x1b F\x1b[5n", "\u{9b}0n\x1b[0n"),
            ("\x1b G\x1bP$qr\x1b\\", "\u{90}1$r1;6r\u{9c}"),
            ("\x1b G\x1b]4;1;?\x1b\\", "\u{9d}4;1;rgb:cdcd/0000/0000\u{9c}"),
            ("\x1b G\x1bP$q\"p\x1b\\", "\u{90}1$r64;0\"p\u{9c}"),
            ("\x1b[64;2\"p\x1b[5n", "\u{9b}0n"),
            ("\x1b[64;0\"p\x1b[5n", "\u{9b}0n"),
            ("\x1b[64;1\"p\x1b[5n", "\x1b[0n"),
            ("\x1b[61\"p\x1b[5n", "\x1b[0n"),
            ("\x1b[61\"p\x1b G\x1b[5n", "\x1b[0n"),
            ("\x1b G\x1bc\x1b[5n", "\x1b[0n"),
        ],
    );
}

#[test]
fn malformed_sequences_do_nothing() {
    check_screens(
        "",
        &[
            ("a\x1b[3\x18b", "ab", (3, 1)),
            ("a\x1b[3\x1ab", "ab", (3, 1)),
            ("a\x1b\x18b", "ab", (3, 1)),
            ("a\x1bP1$q\x18b", "ab", (3, 1)),
            ("a\x1b_x\x1ab", "ab", (3, 1)),
            ("a\x1b[3\x1b[2Cb", "a  b", (5, 1)),
            ("a\x1b[1?2Cb", "ab", (3, 1)),
            ("a\x1b[?1;?2hb", "ab", (3, 1)),
            ("a\x1b[  !pb", "ab", (3, 1)),
            ("a\x1b[1\x7f2Cb", "a        b", (10, 1)),
            ("ab\x1b[2\x08Cx", "ab x", (5, 1)),
            ("ab\x1b[\n2Cx", "ab|    x", (6, 2)),
            ("a\x1b#3b\x1b#4c\x1b#5d\x1b#6e", "abcde", (6, 1)),
            ("a\x1b[99999999999Cb", "a        b", (10, 1)),
            ("a\x1b[;;;;Hb", "b", (2, 1)),
        ],
    );
}

#[test]
fn tabs() {
    check_screens(
        "",
        &[
            ("\t", "", (9, 1)),
            ("\t\t", "", (10, 1)),
            ("\x1b[4G\x1bH\x1b[H\t", "", (4, 1)),
            ("\x1b[4G\x1bH\x1b[H\t\t", "", (9, 1)),
            ("\x1b[9G\x1b[g\r\t", "", (10, 1)),
            ("\x1b[9G\x1b[0g\r\t", "", (10, 1)),
            ("\x1b[5G\x1b[g\r\t", "", (9, 1)),
            ("\x1b[3g\t", "", (10, 1)),
            ("\x1b[3g\x1b[?5W\t", "", (9, 1)),
            ("\x1b[3g\x1bc\t", "", (9, 1)),
            ("\x1b[I", "", (9, 1)),
            ("\x1b[2I", "", (10, 1)),
            ("\x1b[99I", "", (10, 1)),
            ("\x1b[10G\x1b[Z", "", (9, 1)),
            ("\x1b[10G\x1b[2Z", "", (1, 1)),
            ("\x1b[9G\x1b[Z", "", (1, 1)),
            ("\x1b[Z", "", (1, 1)),
            // They stop at the right margin, and back they go over the left one.
            ("\x1b[?69h\x1b[3;6s\t", "", (6, 1)),
            ("\x1b[?69h\x1b[3;6s\x1b[5G\x1b[9I", "", (6, 1)),
            ("\x1b[?69h\x1b[3;6s\x1b[7G\t", "", (9, 1)),
            ("\x1b[?69h\x1b[3;6s\x1b[5G\x1b[Z", "", (1, 1)),
            // A full row waits, unless the fix for `more` is on.
            ("0123456789\tx", "0123456789|x", (2, 2)),
            ("\x1b[?41h0123456789\tx", "0123456789|        x", (10, 2)),
            ("\x1b[?41h\x1b[?41l0123456789\tx", "0123456789|x", (2, 2)),
        ],
    );
}

#[test]
fn character_sets() {
    check_screens(
        "",
        &[
            ("\x1b(0lqk\x1b(Bq", "┌─┐q", (5, 1)),
            ("\x1b)0\x0eq\x0fq", "─q", (3, 1)),
            ("\x1b*0\x1bnq\x0fq", "─q", (3, 1)),
            ("\x1b+0\x1boq\x0fq", "─q", (3, 1)),
            ("\x1b*0\x1bNqq", "─q", (3, 1)),
            ("\x1b+0\x1bOqq", "─q", (3, 1)),
            ("\x1b(A#", "£", (2, 1)),
            ("\x1b(>abc", "αβχ", (4, 1)),
            ("\x1b(<iw", "é\u{153}", (3, 1)),
            ("\x1b(%5iw", "é\u{153}", (3, 1)),
            ("\x1b-A\x0ei", "é", (2, 1)),
            ("\x1b-A\x0e}\x7f\x0f\x7f}", "ýÿ}", (4, 1)),
            ("\x1b-A\x1b~\x7f\x0e\x7f", "ÿ", (2, 1)),
            ("\x1b.A\x1bni", "é", (2, 1)),
            ("\x1b/A\x1boi", "é", (2, 1)),
            // National sets need DECNRCM.
            ("\x1b(K[\\]", "[\\]", (4, 1)),
            ("\x1b[?42h\x1b(K[\\]{|}~@", "ÄÖÜäöüß§", (9, 1)),
            ("\x1b[?42h\x1b(4#{", "£¨", (3, 1)),
            ("\x1b[?42h\x1b(C[`", "Äé", (3, 1)),
            ("\x1b[?42h\x1b(5[`", "Äé", (3, 1)),
            ("\x1b[?42h\x1b(R@{", "àé", (3, 1)),
            ("\x1b[?42h\x1b(f@{", "àé", (3, 1)),
            ("\x1b[?42h\x1b(Q@^", "àî", (3, 1)),
            ("\x1b[?42h\x1b(9@^", "àî", (3, 1)),
            ("\x1b[?42h\x1b(Y@{", "§à", (3, 1)),
            ("\x1b[?42h\x1b(E[\\", "ÆØ", (3, 1)),
            ("\x1b[?42h\x1b(`[\\", "ÆØ", (3, 1)),
            ("\x1b[?42h\x1b(6[\\", "ÆØ", (3, 1)),
            ("\x1b[?42h\x1b(%6[\\", "ÃÇ", (3, 1)),
            ("\x1b[?42h\x1b(Z[\\", "¡Ñ", (3, 1)),
            ("\x1b[?42h\x1b(H@[", "ÉÄ", (3, 1)),
            ("\x1b[?42h\x1b(7@[", "ÉÄ", (3, 1)),
            ("\x1b[?42h\x1b(=#_", "ùè", (3, 1)),
            ("\x1b[?42h\x1b(Kab", "ab", (3, 1)),
            // What puts ASCII back.
            ("\x1b(0\x1b[!pq", "q", (2, 1)),
            ("\x1b(0\x1bcq", "q", (2, 1)),
            ("\x1b7\x1b(0\x1b8q", "q", (2, 1)),
            ("\x1b(0\x1b7\x1b(B\x1b8q", "─", (2, 1)),
            ("\x1b(0q\x1b[b", "──", (3, 1)),
            ("\x1b(0A\x1b[b", "AA", (3, 1)),
        ],
    );
}

#[test]
fn reverse_wraparound() {
    check_screens(
        "",
        &[
            ("\x1b[2;1H\x08", "", (1, 2)),
            ("\x1b[2;3H\x08\x08\x08", "", (1, 2)),
            // Mode 45: along a line that had wrapped.
            ("\x1b[?45h\x1b[2;1H\x08", "", (1, 2)),
            ("\x1b[?45h01234567890\x08\x08", "0123456789|0", (10, 1)),
            ("\x1b[?45h01234567890\x1b[2D", "0123456789|0", (10, 1)),
            ("\x1b[?45h01234567890\x1b[99D", "0123456789|0", (1, 1)),
            ("\x1b[?45h012345678901234567890123\x1b[99D", "0123456789|0123456789|0123", (1, 1)),
            ("ab\r\n\x1b[?45h01234567890123\x1b[99D", "ab|0123456789|0123", (1, 2)),
            ("\x1b[?45h\x1b[?7l\x1b[2;1H\x08", "", (1, 2)),
            // A pending wrap counts as a column.
            ("\x1b[?45h0123456789\x08", "0123456789", (10, 1)),
            ("\x1b[?45h0123456789\x08\x08", "0123456789", (9, 1)),
            ("0123456789\x08", "0123456789", (9, 1)),
            // Mode 1045: to any row, and around the region.
            ("\x1b[?1045h\x1b[2;1H\x08", "", (10, 1)),
            ("\x1b[?1045h\x1b[2;1H\x1b[12D", "", (9, 6)),
            ("\x1b[?1045h\x08", "", (10, 6)),
            ("\x1b[?1045h\x1b[2;4r\x1b[2;1H\x08", "", (10, 4)),
            ("\x1b[?1045h\x1b[2;4r\x1b[6;1H\x08", "", (10, 5)),
            ("\x1b[?1045h\x1b[?69h\x1b[3;6s\x1b[2;3H\x08", "", (6, 1)),
            ("\x1b[?1045h\x1b[?69h\x1b[3;6s\x1b[2;1H\x08", "", (6, 1)),
            ("\x1b[?1045h\x1b[?7l\x1b[2;1H\x08", "", (1, 2)),
            ("\x1b[?1045h\x1b[?1045l\x1b[2;1H\x08", "", (1, 2)),
            ("\x1b[?1045h\x1b[!p\x1b[2;1H\x08", "", (1, 2)),
            ("\x1b[?1045h\x1b[65535D", "", (6, 5)),
        ],
    );
}

#[test]
fn repetition() {
    check_screens(
        "",
        &[
            ("a\x1b[b", "aa", (3, 1)),
            ("a\x1b[2b", "aaa", (4, 1)),
            ("a\x1b[12b", "aaaaaaaaaa|aaa", (4, 2)),
            ("\x1b[6;8Ha\x1b[3b", "||||       aaa|a", (2, 6)),
            ("日\x1b[5b", "日日日日日|日", (3, 2)),
            ("a\x1b[b\x1b[b", "aaa", (4, 1)),
            ("a\r\x1b[b", "a", (1, 1)),
            ("\x1b[5b", "", (1, 1)),
            ("\x1b[4hab\r\x1b[4lx\x1b[b", "xx", (3, 1)),
            ("ab\r\x1b[4hx\x1b[b", "xxab", (3, 1)),
        ],
    );
    // No more than a screenful at a time.
    let (terminal, _) = run("a\x1b[65535b");
    assert_eq!(terminal.screen_lines()[0].text.len(), 61);
}

#[test]
fn modes_are_saved_and_restored() {
    check_screens(
        "",
        &[
            ("\x1b[?7h\x1b[?7s\x1b[?7l\x1b[?7r\x1b[9Gabc", "        ab|c", (2, 2)),
            ("\x1b[?7l\x1b[?7s\x1b[?7h\x1b[?7r\x1b[9Gabc", "        ac", (10, 1)),
        ],
    );
    check_replies(
        "",
        &[
            (
                "\x1b[?1;2004h\x1b[?1;2004s\x1b[?1;2004l\x1b[?1r\x1b[?1$p\x1b[?2004$p",
                "\x1b[?1;1$y\x1b[?2004;2$y",
            ),
            (
                "\x1b[?1002h\x1b[?1000;1002s\x1b[?1003h\x1b[?1002;1000r\x1b[?1002$p",
                "\x1b[?1002;1$y",
            ),
            ("\x1b[?1045h\x1b[?1045s\x1b[?1045l\x1b[?1045r\x1b[?1045$p", "\x1b[?1045;1$y"),
            ("\x1b[?1h\x1b[?1s\x1bc\x1b[?1r\x1b[?1$p", "\x1b[?1;2$y"),
        ],
    );
}

#[test]
fn the_width_changes_with_the_column_mode_if_that_is_allowed() {
    check_screens(
        "abc\x1b[2;4r",
        &[
            ("\x1b[?3h", "abc", (1, 1)),
            ("\x1b[?40h\x1b[?3h", "", (1, 1)),
            ("\x1b[?40h\x1b[?3hx\x1b[?3l", "", (1, 1)),
            ("\x1b[?40h\x1b[?3h\x1b[3;3H\x1b[9B", "", (3, 6)),
        ],
    );
    check_replies(
        "",
        &[
            ("\x1b[?3h\x1b[18t", "\x1b[8;6;10t"),
            ("\x1b[?40h\x1b[?3h\x1b[18t\x1b[?3$p", "\x1b[8;6;132t\x1b[?3;1$y"),
            ("\x1b[?40h\x1b[?3h\x1b[?3l\x1b[18t\x1b[?3$p", "\x1b[8;6;80t\x1b[?3;2$y"),
            ("\x1b[?40h\x1b[?3h\x1b[?40l\x1b[?3l\x1b[18t", "\x1b[8;6;132t"),
            ("\x1b[?40h\x1b[?3h\x1bc\x1b[18t", "\x1b[8;6;80t"),
            ("\x1b[8;4;20t\x1b[18t", "\x1b[8;4;20t"),
            ("\x1b[8;4t\x1b[18t", "\x1b[8;4;10t"),
            ("\x1b[8;;20t\x1b[18t", "\x1b[8;6;20t"),
            ("\x1b[4;64;160t\x1b[18t", "\x1b[8;4;20t"),
            ("\x1b[24t\x1b[18t\x1bP$qt\x1b\\", "\x1b[8;24;10t\x1bP1$r24t\x1b\\"),
            ("\x1b[30*|\x1b[18t\x1bP$q*|\x1b\\", "\x1b[8;30;10t\x1bP1$r30*|\x1b\\"),
            ("\x1b[80$|\x1b[18t\x1bP$q$|\x1b\\", "\x1b[8;6;80t\x1bP1$r80$|\x1b\\"),
            ("\x1b[?2048h\x1b[8;4;20t", "\x1b[48;6;10;96;80t\x1b[48;4;20;64;160t"),
        ],
    );
}

#[test]
fn resets() {
    check_screens(
        "abc\r\n\x1b[2;4r\x1b[3;3H",
        &[
            ("\x1b[!p", "abc", (3, 3)),
            ("\x1b[4h\x1b[!p\x1b[1;1Hx", "xbc", (2, 1)),
            ("\x1b7\x1b[!p\x1b8", "abc", (1, 1)),
            // LNM is none of what it resets.
            ("\x1b[20h\x1b[!p\nx", "abc|||x", (2, 4)),
            ("\x1b[?7l\x1b[!p\x1b[1;9Hxyz", "abc     xy|z", (2, 2)),
            ("\x1bc", "", (1, 1)),
            ("\x1b[?47hx\x1bc\x1b[?47h", "", (1, 1)),
            ("\x1b[?6h\x1bc\x1b[2;2Hx", "| x", (3, 2)),
            ("\x1b[64;1\"p", "abc", (3, 3)),
            ("\x1b[4h\x1b[62;1\"p\x1b[1;1Hx", "xbc", (2, 1)),
        ],
    );
    check_replies(
        "",
        &[
            ("\x1bP$q\"p\x1b\\", "\x1bP1$r64;1\"p\x1b\\"),
            ("\x1b[65;1\"p\x1bP$q\"p\x1b\\", "\x1bP1$r64;1\"p\x1b\\"),
            ("\x1b[62;1\"p\x1bP$q\"p\x1b\\", "\x1bP1$r62;1\"p\x1b\\"),
            ("\x1b[61\"p\x1bP$q\"p\x1b\\", "\x1bP1$r61\"p\x1b\\"),
            ("\x1b[99;1\"p\x1bP$q\"p\x1b\\", "\x1bP1$r64;1\"p\x1b\\"),
            // DECRQM came with level 3.
            ("\x1b[62;1\"p\x1b[4$p\x1b[?7$p", ""),
            ("\x1b[63;1\"p\x1b[4$p", "\x1b[4;2$y"),
        ],
    );
}
