//! What the tests of the emulator share: streams of plausible and of broken output.

use ccmux_term::{Event, Size, Terminal};
use proptest::prelude::*;
use proptest::sample::select;

/// One piece of output: text, a control, a sequence, or noise.
pub(crate) fn fragment() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => "[ -~]{1,30}".prop_map(String::into_bytes),
        4 => select(TEXTS).prop_map(|text| text.as_bytes().to_vec()),
        4 => select(vec![b"\r\n".to_vec(), b"\n".to_vec(), b"\r".to_vec(), b"\t".to_vec(), b"\x08".to_vec()]),
        6 => control_sequence(),
        3 => select(SEQUENCES).prop_map(|text| text.as_bytes().to_vec()),
        2 => sgr(),
        1 => proptest::collection::vec(any::<u8>(), 1..12),
    ]
}

/// A stream of fragments.
pub(crate) fn stream(fragments: usize) -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(fragment(), 0..fragments).prop_map(|parts| parts.concat())
}

/// A small screen, so that wrapping and scrolling happen all the time.
pub(crate) fn size() -> impl Strategy<Value = Size> {
    (1_u16..24, 1_u16..9).prop_map(|(cols, rows)| Size { cols, rows })
}

fn control_sequence() -> impl Strategy<Value = Vec<u8>> {
    let params = proptest::collection::vec(prop_oneof![4 => 0_u16..12, 1 => any::<u16>()], 0..4);
    (params, select(b"@ABCDEFGHIJKLMPSTXZ`abcdefghlmnrsu".to_vec())).prop_map(|(params, last)| {
        let params: Vec<String> = params.iter().map(u16::to_string).collect();
        format!("\x1b[{}{}", params.join(";"), char::from(last)).into_bytes()
    })
}

fn sgr() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(
        select(vec![
            "0",
            "1",
            "4",
            "7",
            "31",
            "44",
            "38;5;200",
            "48;2;1;2;3",
            "4:3",
            "58:2::9:8:7",
        ]),
        1..4,
    )
    .prop_map(|codes| format!("\x1b[{}m", codes.join(";")).into_bytes())
}

const TEXTS: &[&str] = &[
    "日本語",
    "한글",
    "e\u{301}",
    "👩‍💻",
    "👍🏽",
    "❤\u{fe0f}",
    "🇩🇪",
    "🇩",
    "\u{301}",
    "\u{200d}",
    "👨‍👩‍👧‍👦",
    "ｗ",
    "a\u{300}\u{301}\u{302}",
    "✂\u{fe0f}",
    "🏽",
    "\u{fe0f}",
];

const SEQUENCES: &[&str] = &[
    "\x1b[?1049h",
    "\x1b[?1049l",
    "\x1b[?47h",
    "\x1b[?47l",
    "\x1b[?1047l",
    "\x1b[?1048h",
    "\x1b7",
    "\x1b8",
    "\x1bM",
    "\x1bD",
    "\x1bE",
    "\x1bc",
    "\x1bH",
    "\x1b#8",
    "\x1b(0",
    "\x1b(B",
    "\x1b)0",
    "\x0e",
    "\x0f",
    "\x1bN",
    "\x1b[?6h",
    "\x1b[?6l",
    "\x1b[?7l",
    "\x1b[?7h",
    "\x1b[4h",
    "\x1b[4l",
    "\x1b[20h",
    "\x1b[20l",
    "\x1b[2J",
    "\x1b[3J",
    "\x1b[J",
    "\x1b[K",
    "\x1b[2;4r",
    "\x1b[3;4r",
    "\x1b[r",
    "\x1b[!p",
    "\x1b[?25l",
    "\x1b[?2004h",
    "\x1b[?1000h",
    "\x1b[?1006h",
    "\x1b[?2026h",
    "\x1b[>1u",
    "\x1b[>5u",
    "\x1b[<u",
    "\x1b[=3;2u",
    "\x1b[?45h",
    "\x1b[5 q",
    "\x1b[>4;2m",
    "\x1b]0;title\x07",
    "\x1b]2;t\u{e4}\x1b\\",
    "\x1b[22t",
    "\x1b[23t",
    "\x1b]8;;http://a\x07",
    "\x1b]8;id=1;http://b\x1b\\",
    "\x1b]8;;\x07",
    "\x1b]7;file:///tmp\x07",
    "\x1b]4;1;rgb:1/2/3\x07",
    "\x1b]11;#123456\x07",
    "\x1b]104\x07",
    "\x1b]133;A\x07",
    "\x1b]133;D;1\x07",
    "\x1b]52;c;aGk=\x07",
    "\x1bP$qm\x1b\\",
    "\x1b[5n",
    "\x1b[6n",
    "\x1b[c",
    "\x1b[3g",
    "\x1b[5b",
    "\x1b[200b",
    "\x1b_ignored\x1b\\",
    "\x1b]0;cut",
    "\x1bP1;2|cut",
    "\x1b[38;5",
    "\x1b[?",
    "\x18",
];

/// Bytes of all replies, in order.
pub(crate) fn replies(terminal: &mut Terminal) -> Vec<u8> {
    let reply = |event| match event {
        Event::Reply(bytes) => bytes,
        _ => Vec::new(),
    };
    terminal.take_events().into_iter().flat_map(reply).collect()
}
