//! Margins on all four sides: what moves, prints, wraps, scrolls, inserts and deletes within them.
//!
//! Behaviour is that of DEC STD 070 and xterm.

use crate::support::{check_replies, check_screens};

/// Five rows of five letters.
const LETTERS: &str = "abcde\r\nfghij\r\nklmno\r\npqrst\r\nuvwxy";
/// Margins at columns 2 and 4 and rows 2 and 4, around ghi, lmn and qrs.
const REGION: &str = "\x1b[?69h\x1b[2;4s\x1b[2;4r";
/// Columns 3 to 6 of a screen of ten.
const SIDES: &str = "\x1b[?69h\x1b[3;6s";

/// Cases in which the screen stays empty.
fn check_cursor(prefix: &str, table: &[(&str, (u16, u16))]) {
    let table: Vec<_> = table.iter().map(|&(bytes, position)| (bytes, "", position)).collect();
    check_screens(prefix, &table);
}

#[test]
fn the_cursor_stops_at_the_margin_ahead() {
    check_cursor(
        SIDES,
        &[
            ("\x1b[3;5H\x1b[99D", (3, 3)),
            ("\x1b[3;3H\x1b[D", (3, 3)),
            ("\x1b[3;2H\x1b[D", (1, 3)),
            ("\x1b[3;2H\x1b[99D", (1, 3)),
            ("\x1b[3;9H\x1b[99D", (3, 3)),
            ("\x1b[3;4H\x1b[99C", (6, 3)),
            ("\x1b[3;1H\x1b[99C", (6, 3)),
            ("\x1b[3;7H\x1b[99C", (10, 3)),
            ("\x1b[3;5H\x08\x08\x08", (3, 3)),
            ("\x1b[3;2H\x08\x08", (1, 3)),
            ("\x1b[3;5H\r", (3, 3)),
            ("\x1b[3;3H\r", (3, 3)),
            ("\x1b[3;2H\r", (1, 3)),
            ("\x1b[3;8H\r", (3, 3)),
            ("\x1b[3;5H\x1b[E", (3, 4)),
            ("\x1b[3;5H\x1b[F", (3, 2)),
            ("\x1b[3;2H\x1b[E", (1, 4)),
            ("\x1b[3;5H\x1bE", (3, 4)),
            ("\x1b[3;2H\x1bE", (1, 4)),
            // Absolute positions disregard the margins.
            ("\x1b[3;5H\x1b[G", (1, 3)),
            ("\x1b[3;5H\x1b[9G", (9, 3)),
            ("\x1b[3;5H\x1b[9`", (9, 3)),
            ("\x1b[3;5H\x1b[2a", (7, 3)),
            ("\x1b[3;5H\x1b[99a", (10, 3)),
            ("\x1b[3;5H\x1b[6d", (5, 6)),
            ("\x1b[3;5H\x1b[2e", (5, 5)),
        ],
    );
    check_cursor(
        "\x1b[2;4r",
        &[
            ("\x1b[4;1H\x1b[9A", (1, 2)),
            ("\x1b[2;1H\x1b[9B", (1, 4)),
            ("\x1b[5;1H\x1b[9A", (1, 2)),
            ("\x1b[1;1H\x1b[A", (1, 1)),
            ("\x1b[5;1H\x1b[9B", (1, 6)),
            ("\x1b[1;1H\x1b[9B", (1, 4)),
            ("\x1b[3;1H\x1b[9e", (1, 6)),
            ("\x1b[3;3H\x1b[9E", (1, 4)),
            ("\x1b[3;3H\x1b[9F", (1, 2)),
            ("\x1b[5;3H\x1b[9E", (1, 6)),
            ("\x1b[1;3H\x1b[9F", (1, 1)),
        ],
    );
}

#[test]
fn margins_are_set_and_reset() {
    check_cursor(
        "",
        &[
            // Setting them moves the cursor home.
            ("\x1b[3;5H\x1b[2;4r", (1, 1)),
            ("\x1b[?69h\x1b[3;5H\x1b[2;4s", (1, 1)),
            ("\x1b[?69h\x1b[3;5H", (5, 3)),
            // Impossible ones change nothing.
            ("\x1b[3;5H\x1b[4;4r", (5, 3)),
            ("\x1b[3;5H\x1b[5;4r", (5, 3)),
            ("\x1b[?69h\x1b[3;5H\x1b[4;4s", (5, 3)),
            ("\x1b[?69h\x1b[3;5H\x1b[5;4s", (5, 3)),
            ("\x1b[?69h\x1b[3;5H\x1b[99;99s", (5, 3)),
            // Without the mode the sequence saves the cursor.
            ("\x1b[3;5H\x1b[2;4s\x1b[H\x1b[u", (5, 3)),
            ("\x1b[?69h\x1b[3;5H\x1b[s\x1b[2;2H\x1b[u", (1, 1)),
            // Right beyond the screen is the border.
            ("\x1b[?69h\x1b[3;99s\x1b[3;5H\x1b[99C", (10, 3)),
            // Allowed once more, they stay.
            ("\x1b[?69h\x1b[3;6s\x1b[?69h\x1b[3;5H\x1b[99D", (3, 3)),
            ("\x1b[?69h\x1b[;4s\x1b[3;3H\x1b[99D", (1, 3)),
            // Resets.
            ("\x1b[?69h\x1b[3;6s\x1b[?69l\x1b[3;5H\x1b[99D", (1, 3)),
            ("\x1b[?69h\x1b[3;6s\x1b[s\x1b[3;5H\x1b[99D", (1, 3)),
            ("\x1b[?69h\x1b[3;6s\x1b[!p\x1b[3;5H\x1b[99D", (1, 3)),
            ("\x1b[?69h\x1b[3;6s\x1bc\x1b[3;5H\x1b[99D", (1, 3)),
            ("\x1b[2;4r\x1b[!p\x1b[3;5H\x1b[9B", (5, 6)),
            ("\x1b[2;4r\x1b[r\x1b[3;5H\x1b[9B", (5, 6)),
            // A VT320 has no side margins.
            ("\x1b[63;1\"p\x1b[?69h\x1b[3;6s\x1b[3;5H\x1b[99D", (1, 3)),
        ],
    );
    check_replies(
        "",
        &[
            ("\x1b[?69$p\x1b[?69h\x1b[?69$p", "\x1b[?69;2$y\x1b[?69;1$y"),
            ("\x1b[?69h\x1b[3;6s\x1bP$qs\x1b\\", "\x1bP1$r3;6s\x1b\\"),
            ("\x1b[?69h\x1b[3;6s\x1b[?69l\x1bP$qs\x1b\\", "\x1bP1$r1;10s\x1b\\"),
            ("\x1b[63;1\"p\x1b[?69h\x1b[?69$p", "\x1b[?69;2$y"),
        ],
    );
}

#[test]
fn origin_mode_counts_from_the_margins() {
    check_cursor(
        REGION,
        &[
            ("\x1b[?6h", (2, 2)),
            ("\x1b[?6h\x1b[2;2H", (3, 3)),
            ("\x1b[?6h\x1b[9;9H", (4, 4)),
            ("\x1b[?6h\x1b[2;2f", (3, 3)),
            ("\x1b[?6h\x1b[2G", (3, 2)),
            ("\x1b[?6h\x1b[9G", (4, 2)),
            ("\x1b[?6h\x1b[2`", (3, 2)),
            ("\x1b[?6h\x1b[2d", (2, 3)),
            ("\x1b[?6h\x1b[9d", (2, 4)),
            ("\x1b[?6h\x1b[2a", (4, 2)),
            ("\x1b[?6h\x1b[9a", (4, 2)),
            ("\x1b[?6h\x1b[2e", (2, 4)),
            ("\x1b[?6h\x1b[3;3H\r", (2, 4)),
            ("\x1b[?6h\x1b[3;3H\x1b[2Z", (2, 4)),
            ("\x1b[3;3H\x1b[2Z", (1, 3)),
            ("\x1b[?6h\x1b[?6l", (1, 1)),
            ("\x1b[?6h\x1b[3;4r", (2, 3)),
            ("\x1b[3;3H\x1b7\x1b[?6h\x1b8\x1b[H", (1, 1)),
            ("\x1b[?6h\x1b7\x1b[?6l\x1b8\x1b[H", (2, 2)),
            ("\x1b[?6h\x1b[!p\x1b[H", (1, 1)),
        ],
    );
    check_replies(
        REGION,
        &[
            ("\x1b[?6h\x1b[2;3H\x1b[6n", "\x1b[2;3R"),
            ("\x1b[?6h\x1b[2;3H\x1b[?6n", "\x1b[?2;3;1R"),
            ("\x1b[?6h\x1b[?69l\x1b[2;3H\x1b[6n", "\x1b[2;3R"),
        ],
    );
}

#[test]
fn text_wraps_between_the_side_margins() {
    check_screens(
        SIDES,
        &[
            ("\x1b[1;3Habcdefgh", "  abcd|  efgh", (6, 2)),
            ("\x1b[1;3Habcd", "  abcd", (6, 1)),
            ("\x1b[1;3Habcd\x08X", "  abXd", (6, 1)),
            ("abcdefgh", "abcdef|  gh", (5, 2)),
            // Right of the margins text ends at the border, and goes on at the left margin.
            ("\x1b[1;7Habcde", "      abcd|  e", (4, 2)),
            ("\x1b[?7l\x1b[1;3Habcdef", "  abcf", (6, 1)),
            ("\x1b[?7l\x1b[1;9Habcdef", "        af", (10, 1)),
            ("\x1b[1;6H日x", "|  日x", (6, 2)),
            ("\x1b[1;5H日x", "    日|  x", (4, 2)),
            ("\x1b[?7l\x1b[1;6H日x", "     x", (6, 1)),
            ("\x1b[1;3Habcdé", "  abcd|  é", (4, 2)),
            ("\x1b[1;6He\u{301}x", "     e\u{301}|  x", (4, 2)),
            // The region scrolls, and nothing beside it.
            ("\x1b[5;1Habcdefghij\x1b[6;3Hklmnop", "|||  cdef|abklmn|  op", (5, 6)),
            ("\x1b[3;4r\x1b[4;3Habcdefgh", "||  abcd|  efgh", (6, 4)),
            ("\x1b[2;4r\x1b[5;3Habcdef", "||||  abcd|  ef", (5, 6)),
            // The last row below the region does not.
            ("\x1b[2;4r\x1b[6;3Habcdef", "|||||  efcd", (5, 6)),
            // Inserting ends at the right margin.
            ("abcdefgh\x1b[1;4H\x1b[4hX\x1b[4l", "abcXde|  gh", (5, 1)),
            ("\x1b[?69labcdefgh\x1b[?69h\x1b[3;6s\x1b[1;4H\x1b[4hX", "abcXdegh", (5, 1)),
            // Nothing is inserted beside the margins.
            ("\x1b[?69labcdefgh\x1b[?69h\x1b[3;6s\x1b[1;8H\x1b[4hX", "abcdefgX", (9, 1)),
            ("\x1b[?69labcdefgh\x1b[?69h\x1b[3;6s\x1b[1;1H\x1b[4hX", "Xbcdefgh", (2, 1)),
            ("\x1b[?69labcdefgh\x1b[?69h\x1b[3;6s\x1b[1;2H\x1b[4hXYZ", "aXYZcdgh", (5, 1)),
            // Repeating, too.
            ("\x1b[1;3Ha\x1b[5b", "  aaaa|  aa", (5, 2)),
            ("\x1b[2;4r\x1b[4;3Ha\x1b[5b", "||  aaaa|  aa", (5, 4)),
            ("\x1b[?69l\x1b[2;4r\x1b[4;8Ha\x1b[3b", "||       aaa|a", (2, 4)),
        ],
    );
    check_screens(
        "",
        &[
            // A row that wrapped at a margin is no line: it does not wrap anew.
            ("\x1b[?69h\x1b[3;6s\x1b[1;3Habcdef\x1b[?69l\x1b[8;6;20t", "  abcd|  ef", (5, 2)),
        ],
    );
}

#[test]
fn index_and_reverse_index_scroll_the_region() {
    check_screens(
        &[LETTERS, REGION].concat(),
        &[
            ("\x1b[4;3H\x1bD", "abcde|flmnj|kqrso|p   t|uvwxy", (3, 4)),
            ("\x1b[4;3H\n", "abcde|flmnj|kqrso|p   t|uvwxy", (3, 4)),
            ("\x1b[4;3H\x0b", "abcde|flmnj|kqrso|p   t|uvwxy", (3, 4)),
            ("\x1b[4;3H\x0c", "abcde|flmnj|kqrso|p   t|uvwxy", (3, 4)),
            ("\x1b[4;3H\x1bE", "abcde|flmnj|kqrso|p   t|uvwxy", (2, 4)),
            ("\x1b[4;3H\x1b[20h\n", "abcde|flmnj|kqrso|p   t|uvwxy", (2, 4)),
            ("\x1b[2;3H\x1bM", "abcde|f   j|kghio|plmnt|uvwxy", (3, 2)),
            // At the margin but beside the region nothing happens.
            ("\x1b[4;5H\x1bD", "abcde|fghij|klmno|pqrst|uvwxy", (5, 4)),
            ("\x1b[4;1H\n", "abcde|fghij|klmno|pqrst|uvwxy", (1, 4)),
            ("\x1b[4;5H\x1bE", "abcde|fghij|klmno|pqrst|uvwxy", (2, 4)),
            ("\x1b[2;5H\x1bM", "abcde|fghij|klmno|pqrst|uvwxy", (5, 2)),
            ("\x1b[2;1H\x1bM", "abcde|fghij|klmno|pqrst|uvwxy", (1, 2)),
            // Outside top and bottom they stop at the borders.
            ("\x1b[6;3H\n\n", "abcde|fghij|klmno|pqrst|uvwxy", (3, 6)),
            ("\x1b[1;3H\x1bM", "abcde|fghij|klmno|pqrst|uvwxy", (3, 1)),
            ("\x1b[5;3H\x1bM\x1bM\x1bM\x1bM", "abcde|f   j|kghio|plmnt|uvwxy", (3, 2)),
            ("\x1b[1;3H\n\n\n\n", "abcde|flmnj|kqrso|p   t|uvwxy", (3, 4)),
        ],
    );
}

#[test]
fn scrolling_stays_in_the_region() {
    check_screens(
        &[LETTERS, REGION].concat(),
        &[
            ("\x1b[S", "abcde|flmnj|kqrso|p   t|uvwxy", (1, 1)),
            ("\x1b[2S", "abcde|fqrsj|k   o|p   t|uvwxy", (1, 1)),
            ("\x1b[99S", "abcde|f   j|k   o|p   t|uvwxy", (1, 1)),
            ("\x1b[T", "abcde|f   j|kghio|plmnt|uvwxy", (1, 1)),
            ("\x1b[2T", "abcde|f   j|k   o|pghit|uvwxy", (1, 1)),
            ("\x1b[99T", "abcde|f   j|k   o|p   t|uvwxy", (1, 1)),
            ("\x1b[^", "abcde|f   j|kghio|plmnt|uvwxy", (1, 1)),
            ("\x1b[3;3H\x1b[ @", "abcde|fhi j|kmn o|prs t|uvwxy", (3, 3)),
            ("\x1b[3;3H\x1b[2 @", "abcde|fi  j|kn  o|ps  t|uvwxy", (3, 3)),
            ("\x1b[3;3H\x1b[ A", "abcde|f ghj|k lmo|p qrt|uvwxy", (3, 3)),
            ("\x1b[3;3H\x1b[99 A", "abcde|f   j|k   o|p   t|uvwxy", (3, 3)),
            ("\x1b[1;1H\x1b[ A", "abcde|fghij|klmno|pqrst|uvwxy", (1, 1)),
            // Only with all margins at the borders rows become history: none of these did.
            ("\x1b[?69l\x1b[r\x1b[S", "fghij|klmno|pqrst|uvwxy", (1, 1)),
        ],
    );
    let (terminal, _) = crate::support::run(&[LETTERS, REGION, "\x1b[99S"].concat());
    assert_eq!(terminal.history_end(), 0);
    let sides = "\x1b[?69h\x1b[2;4s\x1b[99S\x1b[6;3H\n\n\n";
    assert_eq!(crate::support::run(&[LETTERS, sides].concat()).0.history_end(), 0);
}

#[test]
fn lines_are_inserted_and_deleted_in_the_region() {
    check_screens(
        &[LETTERS, REGION].concat(),
        &[
            ("\x1b[2;3H\x1b[L", "abcde|f   j|kghio|plmnt|uvwxy", (2, 2)),
            ("\x1b[3;3H\x1b[L", "abcde|fghij|k   o|plmnt|uvwxy", (2, 3)),
            ("\x1b[2;3H\x1b[99L", "abcde|f   j|k   o|p   t|uvwxy", (2, 2)),
            ("\x1b[1;3H\x1b[L", "abcde|fghij|klmno|pqrst|uvwxy", (3, 1)),
            ("\x1b[5;3H\x1b[L", "abcde|fghij|klmno|pqrst|uvwxy", (3, 5)),
            ("\x1b[2;1H\x1b[L", "abcde|fghij|klmno|pqrst|uvwxy", (1, 2)),
            ("\x1b[2;5H\x1b[L", "abcde|fghij|klmno|pqrst|uvwxy", (5, 2)),
            ("\x1b[2;3H\x1b[M", "abcde|flmnj|kqrso|p   t|uvwxy", (2, 2)),
            ("\x1b[3;3H\x1b[2M", "abcde|fghij|k   o|p   t|uvwxy", (2, 3)),
            ("\x1b[2;3H\x1b[99M", "abcde|f   j|k   o|p   t|uvwxy", (2, 2)),
            ("\x1b[1;3H\x1b[M", "abcde|fghij|klmno|pqrst|uvwxy", (3, 1)),
            ("\x1b[2;5H\x1b[M", "abcde|fghij|klmno|pqrst|uvwxy", (5, 2)),
            ("\x1b[2;1H\x1b[M", "abcde|fghij|klmno|pqrst|uvwxy", (1, 2)),
        ],
    );
}

#[test]
fn characters_are_inserted_and_deleted_up_to_the_right_margin() {
    check_screens(
        "abcdefgh\x1b[?69h\x1b[3;6s",
        &[
            ("\x1b[1;4H\x1b[@", "abc degh", (4, 1)),
            ("\x1b[1;4H\x1b[2@", "abc  dgh", (4, 1)),
            ("\x1b[1;3H\x1b[99@", "ab    gh", (3, 1)),
            ("\x1b[1;1H\x1b[@", "abcdefgh", (1, 1)),
            ("\x1b[1;7H\x1b[@", "abcdefgh", (7, 1)),
            ("\x1b[1;4H\x1b[P", "abcef gh", (4, 1)),
            ("\x1b[1;4H\x1b[2P", "abcf  gh", (4, 1)),
            ("\x1b[1;3H\x1b[99P", "ab    gh", (3, 1)),
            ("\x1b[1;1H\x1b[P", "abcdefgh", (1, 1)),
            ("\x1b[1;7H\x1b[P", "abcdefgh", (7, 1)),
            // Erasing disregards the margins.
            ("\x1b[1;4H\x1b[4X", "abc    h", (4, 1)),
            ("\x1b[1;1H\x1b[4X", "    efgh", (1, 1)),
            ("\x1b[1;4H\x1b[K", "abc", (4, 1)),
            ("\x1b[1;4H\x1b[1K", "    efgh", (4, 1)),
            ("\x1b[1;4H\x1b[2K", "", (4, 1)),
        ],
    );
    // A wide character that is cut by a margin is gone.
    check_screens(
        "a日本語x\x1b[?69h\x1b[3;6s",
        &[
            ("\x1b[1;3H\x1b[@", "a   本 x", (3, 1)),
            ("\x1b[1;4H\x1b[P", "a日    x", (4, 1)),
            ("\x1b[S", "a      x", (1, 1)),
        ],
    );
}

#[test]
fn columns_are_inserted_and_deleted() {
    check_screens(
        LETTERS,
        &[
            ("\x1b[3;2H\x1b['}", "a bcde|f ghij|k lmno|p qrst|u vwxy", (2, 3)),
            ("\x1b[1;2H\x1b[2'}", "a  bcde|f  ghij|k  lmno|p  qrst|u  vwxy", (2, 1)),
            ("\x1b[1;1H\x1b[99'}", "", (1, 1)),
            ("\x1b[3;2H\x1b['~", "acde|fhij|kmno|prst|uwxy", (2, 3)),
            ("\x1b[1;2H\x1b[2'~", "ade|fij|kno|pst|uxy", (2, 1)),
            ("\x1b[1;1H\x1b[99'~", "", (1, 1)),
            ("\x1b[1;2H\x1b[ @", "bcde|ghij|lmno|qrst|vwxy", (2, 1)),
            ("\x1b[1;2H\x1b[ A", " abcde| fghij| klmno| pqrst| uvwxy", (2, 1)),
        ],
    );
    check_screens(
        &[LETTERS, REGION].concat(),
        &[
            ("\x1b[3;3H\x1b['}", "abcde|fg hj|kl mo|pq rt|uvwxy", (3, 3)),
            ("\x1b[3;3H\x1b[99'}", "abcde|fg  j|kl  o|pq  t|uvwxy", (3, 3)),
            ("\x1b[3;3H\x1b['~", "abcde|fgi j|kln o|pqs t|uvwxy", (3, 3)),
            ("\x1b[3;3H\x1b[99'~", "abcde|fg  j|kl  o|pq  t|uvwxy", (3, 3)),
            // Outside the region they do nothing.
            ("\x1b[3;1H\x1b['}", "abcde|fghij|klmno|pqrst|uvwxy", (1, 3)),
            ("\x1b[3;5H\x1b['}", "abcde|fghij|klmno|pqrst|uvwxy", (5, 3)),
            ("\x1b[1;3H\x1b['}", "abcde|fghij|klmno|pqrst|uvwxy", (3, 1)),
            ("\x1b[3;1H\x1b['~", "abcde|fghij|klmno|pqrst|uvwxy", (1, 3)),
            ("\x1b[5;3H\x1b['~", "abcde|fghij|klmno|pqrst|uvwxy", (3, 5)),
        ],
    );
}

#[test]
fn back_and_forward_index() {
    check_screens(
        &[LETTERS, REGION].concat(),
        &[
            ("\x1b[3;4H\x1b6", "abcde|fghij|klmno|pqrst|uvwxy", (3, 3)),
            ("\x1b[3;2H\x1b6", "abcde|f ghj|k lmo|p qrt|uvwxy", (2, 3)),
            ("\x1b[3;1H\x1b6", "abcde|fghij|klmno|pqrst|uvwxy", (1, 3)),
            ("\x1b[1;2H\x1b6", "abcde|fghij|klmno|pqrst|uvwxy", (1, 1)),
            ("\x1b[3;6H\x1b6", "abcde|fghij|klmno|pqrst|uvwxy", (5, 3)),
            ("\x1b[3;3H\x1b9", "abcde|fghij|klmno|pqrst|uvwxy", (4, 3)),
            ("\x1b[3;4H\x1b9", "abcde|fhi j|kmn o|prs t|uvwxy", (4, 3)),
            ("\x1b[3;1H\x1b9", "abcde|fghij|klmno|pqrst|uvwxy", (2, 3)),
            ("\x1b[3;10H\x1b9", "abcde|fghij|klmno|pqrst|uvwxy", (10, 3)),
            ("\x1b[1;4H\x1b9", "abcde|fghij|klmno|pqrst|uvwxy", (5, 1)),
        ],
    );
    check_screens(
        "x\x1b[2;1Hy",
        &[
            ("\x1b[H\x1b6", " x| y", (1, 1)),
            ("\x1b[1;10H\x1b9", "", (10, 1)),
            ("\x1b[1;5H\x1b9", "x|y", (6, 1)),
        ],
    );
}

#[test]
fn the_alignment_test_removes_margins() {
    let full = ["EEEEEEEEEE"; 6].join("|");
    check_screens(
        REGION,
        &[
            ("\x1b[3;3H\x1b#8", &full, (1, 1)),
            ("\x1b#8\x1b[2J\x1b[3;3H\x1b[9A", "", (3, 1)),
            ("\x1b#8\x1b[2J\x1b[3;3H\x1b[9D", "", (1, 3)),
            // And origin mode: margins set afterwards do not move positions.
            ("\x1b[?6h\x1b#8\x1b[2J\x1b[2;4r\x1b[3;3H", "", (3, 3)),
        ],
    );
    check_replies(
        "",
        &[(
            "\x1b[1;4:3;7;31;44m\x1b#8\x1b[?6$p\x1bP$qm\x1b\\",
            "\x1b[?6;2$y\x1bP1$r0;31;44m\x1b\\",
        )],
    );
}
