//! Characters outside ASCII: what is printed together looks as what is printed one by one.

use ccmux_term::{Size, Terminal};
use proptest::prelude::*;
use proptest::sample::select;

/// One of each kind of character, and of each thing that may come between them.
const PIECES: &[&str] = &[
    "a",
    " ",
    "ab cd ef gh ij",
    "é",
    "漢",
    "한",
    "\u{301}",
    "\u{200d}",
    "\u{fe0f}",
    "\u{fe0e}",
    "❤",
    "😀",
    "👩",
    "🏽",
    "🇩",
    "🇪",
    "\u{1161}",
    "\u{94d}",
    "क",
    "\u{ad}",
    "\u{20000}",
    "\u{e0001}",
    "\u{ffff}",
    "\r",
    "\n",
    "\x1b[K",
    "\x1b[4G",
    "\x1b[4h",
    "\x1b[4l",
    "\x1b[?7l",
    "\x1b[?7h",
    "\x0e",
    "\x0f",
    "\x1b)0",
    "\x1bN",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn text_in_one_piece_prints_as_one_character_after_the_other(
        pieces in proptest::collection::vec(select(PIECES), 0..60),
        (cols, rows) in (1_u16..30, 1_u16..4),
    ) {
        let text = pieces.concat();
        let (mut whole, mut single) = (Terminal::new(Size { cols, rows }), Terminal::new(Size { cols, rows }));
        whole.advance(text.as_bytes());
        for c in text.chars() {
            single.advance(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        prop_assert_eq!(whole.text(), single.text());
        prop_assert_eq!(whole.cursor(), single.cursor());
        prop_assert!(whole == single, "differs in what is not text");
    }
}
