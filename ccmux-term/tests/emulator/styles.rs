//! Styles that are set again and again: what is remembered of them makes no difference.

use ccmux_term::{Size, Terminal};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

const SIZE: Size = Size { cols: 20, rows: 4 };

/// Codes of SGR: whole ones, and such that change a part of a style, or of two.
const CODES: &[&str] = &[
    "0;31",
    "1",
    "22",
    "7",
    "27",
    "4:3",
    "24",
    "31",
    "39",
    "44",
    "49",
    "38;5;9",
    "48;2;1;2;3",
    "58:5:7",
    "1;0;3",
    "38;5",
    "38:2::9:8:7",
    "999",
    "",
    "0",
];

/// What has a say in the pen beside SGR, and what is printed with it.
const OTHERS: &[&str] = &[
    "a",
    "text",
    "\x1b[H",
    "\x1b[2;5H",
    "\x1b[K",
    "\x1b[2J",
    "\x1b[3b",
    "\x1b]8;;http://a\x1b\\",
    "\x1b]8;id=1;http://a\x1b\\",
    "\x1b]8;;\x1b\\",
    "\x1b[1\"q",
    "\x1b[0\"q",
    "\x1b[?1J",
    "\x1b7",
    "\x1b8",
    "\x1b[#{",
    "\x1b[#}",
    "\x1b[!p",
    "\x1bc",
    "\x1b[?1049h",
    "\x1b[?1049l",
];

/// Goal: how output was cut makes no difference. Method: a terminal that is fed at once beside one that is fed
/// byte by byte, which takes each sequence apart.
fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
    let [mut at_once, mut by_bytes] = [(); 2].map(|()| Terminal::new(SIZE));
    at_once.advance(bytes);
    for byte in bytes {
        by_bytes.advance(&[*byte]);
    }
    prop_assert_eq!(at_once.screen_lines(), by_bytes.screen_lines());
    prop_assert!(at_once == by_bytes, "they differ in what is not shown");
    Ok(())
}

/// Ids of pens are given anew when many are out of use. What was remembered with the old ones is forgotten.
#[test]
fn pens_that_were_renumbered_are_not_mistaken() {
    let mut bytes = String::new();
    for round in 0..12 {
        for n in 0..256 {
            // From the default pen, and from one that differs in each round.
            let styled = format!("\x1b[H\x1b[38;5;{n}mx\x1b[48;5;{round}my");
            bytes.push_str(&styled);
            bytes.push_str("\x1b[1mz\x1b[m.\x1b[4mu\x1b[m");
        }
    }
    check(bytes.as_bytes()).unwrap();
}

/// A few of each, so that the same styles are met again.
fn output() -> impl Strategy<Value = Vec<u8>> {
    (subsequence(CODES, 2..6), subsequence(OTHERS, 2..6)).prop_flat_map(|(codes, others)| {
        let part = prop_oneof![
            select(codes).prop_map(|codes| format!("\x1b[{codes}m")),
            select(others).prop_map(str::to_owned),
        ];
        proptest::collection::vec(part, 0..100).prop_map(|parts| parts.concat().into_bytes())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn styles_are_the_same_however_output_was_cut(bytes in output()) {
        check(&bytes)?;
    }
}
