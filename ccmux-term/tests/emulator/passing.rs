//! Lines that have passed the screen before anybody could see them: nothing tells them from others.

use ccmux_term::{LineTime, Size, Terminal};
use proptest::prelude::*;
use proptest::sample::select;

use crate::support::fragment;

/// What lines are made of that pass, and what is near to that.
fn part() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        12 => "[ -~]{1,9}".prop_map(String::into_bytes),
        8 => select(STYLES).prop_map(|codes| format!("\x1b[{codes}m").into_bytes()),
        8 => select(TEXTS).prop_map(|text| text.as_bytes().to_vec()),
        1 => "[ -~]{20,90}".prop_map(String::into_bytes),
    ]
}

/// Lines, most of them of such parts alone.
fn flood() -> impl Strategy<Value = Vec<u8>> {
    let plain = || proptest::collection::vec(part(), 0..6).prop_map(|parts| parts.concat());
    let odd = prop_oneof![fragment(), select(ODD).prop_map(|text| text.as_bytes().to_vec())];
    let odd =
        (plain(), odd, plain()).prop_map(|(before, odd, after)| [before, odd, after].concat());
    let end =
        prop_oneof![60 => Just("\r\n"), 1 => Just("\n"), 1 => Just("\r"), 1 => Just("\x0b\r\n")];
    let line = (prop_oneof![25 => plain(), 1 => odd], end);
    proptest::collection::vec(line, 0..110).prop_map(|lines| {
        lines.into_iter().flat_map(|(line, end)| [&line, end.as_bytes()].concat()).collect()
    })
}

/// Goal: how output was cut makes no difference. Method: a terminal that is fed at once, so that most
/// lines pass, beside one that is fed byte by byte, so that none does.
fn check(size: Size, floods: &[Vec<u8>]) -> Result<(), TestCaseError> {
    let [mut at_once, mut by_bytes] = [(); 2].map(|()| Terminal::new(size));
    for (second, flood) in floods.iter().enumerate() {
        let time = LineTime::from_millis(1000 * second as u64);
        at_once.set_time(time);
        by_bytes.set_time(time);
        at_once.advance(flood);
        for byte in flood {
            by_bytes.advance(&[*byte]);
        }
        let lines = |terminal: &Terminal| {
            let numbers = terminal.history_start()..terminal.history_end();
            numbers.filter_map(|number| terminal.history_line(number)).collect::<Vec<_>>()
        };
        prop_assert_eq!(lines(&at_once), lines(&by_bytes));
        prop_assert_eq!(at_once.text(), by_bytes.text());
        prop_assert_eq!(at_once.take_events(), by_bytes.take_events());
        prop_assert!(at_once == by_bytes, "they differ in what is not shown");
    }
    Ok(())
}

/// What attaches to a character is lost once its cell is full.
#[test]
fn cells_that_are_full_take_no_more() {
    for base in ["", "a", "語", "\u{600}", "\u{600}a", "가", "🇩", "👩", "👩\u{200d}👩"] {
        for marks in 25..36 {
            let line = format!("{base}{}b\r\n", "\u{301}".repeat(marks));
            check(Size { cols: 9, rows: 3 }, &[line.repeat(9).into_bytes()]).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lines_that_pass_are_like_others(
        (cols, rows) in (1_u16..30, 1_u16..8),
        floods in proptest::collection::vec(flood(), 1..4),
    ) {
        check(Size { cols, rows }, &floods)?;
    }
}

const STYLES: &[&str] = &[
    "",
    "0",
    "1",
    "22",
    "4:3",
    "7",
    "31",
    "44",
    "49",
    "107",
    "38;5;200",
    "48;5;9",
    "48;2;1;2;3",
    "58:2::9:8:7",
    "38;5;",
    "1;31;44",
    "999",
    "0;0;0",
];

/// What changes how the lines after it are taken.
const ODD: &[&str] = &[
    "\x1b]8;;http://a\x07",
    "\x1b]8;;\x07",
    "\x1b[4h",
    "\x1b[4l",
    "\x1b[?7l",
    "\x1b[?7h",
    "\x1b[2;4r",
    "\x1b[r",
    "\x1b(0",
    "\x1b(B",
    "\x1b[?1049h",
    "\x1b[?1049l",
    "\x1b[K",
    "\x1b[1K",
    "\t",
    "\x1b[A",
    "\x1b[44m\x1b[2J",
    "\x1b]133;A\x07",
    "\x1bPq#1~-~\x1b\\",
    "\x1b[20h",
    "\x1b[?69h\x1b[2;5s",
    "\x1b[?69l",
    "\x1b[?2l",
    "\x1b<",
    "\x1b G",
    "\x1b F",
    "\x1b[1\"q",
    "\x1b[?45h\x08\x08",
    "\x1b[3J",
    "\u{9b}A",
];

const TEXTS: &[&str] = &[
    "日本語の文字",
    "한국어",
    "é",
    "e\u{301}",
    "\u{301}",
    "👩‍💻",
    "👍🏽",
    "🇩🇪",
    "🇩",
    "\u{200d}",
    "ไทย",
    "❤\u{fe0f}",
    "ᄀ",
    "ᅡ",
    "\u{600}",
    "\u{a0}",
    "\u{ad}",
    "\u{85}",
    "\u{2028}",
    "क\u{94d}ष",
    "\u{fffd}",
    "→ ✓ … ─",
    "ｗ",
    "a\u{300}\u{301}\u{302}",
    "\u{903}",
    "1\u{fe0f}\u{20e3}",
];
