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

/// A stream of fragments, with pictures among them.
pub(crate) fn stream(fragments: usize) -> impl Strategy<Value = Vec<u8>> {
    let picture = select(PICTURES).prop_map(|text| text.as_bytes().to_vec());
    let part = prop_oneof![14 => fragment(), 1 => picture];
    proptest::collection::vec(part, 0..fragments).prop_map(|parts| parts.concat())
}

/// The same without pictures, which become text when they leave the screen.
pub(crate) fn stream_of_text(fragments: usize) -> impl Strategy<Value = Vec<u8>> {
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
    "\x1b[?69h",
    "\x1b[?69l",
    "\x1b[?69h\x1b[2;5s",
    "\x1b[3;9s",
    "\x1b[ @",
    "\x1b[2 A",
    "\x1b['}",
    "\x1b[3'~",
    "\x1b6",
    "\x1b9",
    "\x1b[1\"q",
    "\x1b[0\"q",
    "\x1bV",
    "\x1bW",
    "\x1b[?2J",
    "\x1b[?K",
    "\x1b[2;2;3;5;1;1;3$v",
    "\x1b[1;3;4;6;1;2;2$v",
    "\x1b[43;2;2;3;4$x",
    "\x1b[1;2;3;4$z",
    "\x1b[1;2;3;4${",
    "\x1b[2*x",
    "\x1b[1;2;3;4;1;7$r",
    "\x1b[1;2;3;4;4$t",
    "\x1b[5#y",
    "\x1b[1;1;1;1;9;9*y",
    "\x1b[?1045h",
    "\x1b[?41h",
    "\x1b[?42h\x1b(K",
    "\x1b(%5",
    "\x1b-A",
    "\x1b}",
    "\x1b[?7;69;1000s",
    "\x1b[?7;69;1000r",
    "\x1b[62;1\"p",
    "\x1b[64;1\"p",
    "\x1b G",
    "\x1b[>0t",
    "\x1b[>1T",
    "\x1b[22;1t",
    "\x1b[23;2t",
    "\x1b]5;1;#fff\x07",
    "\x1b]17;#123\x07",
    "\x1b]119\x07",
    "\x1b[1$w",
    "\x1b[2$w",
    "\x1bP1$t1;9;1;A;A;H;0;2;@;BB0B\x1b\\",
    "\x1bP2$t2/5/7\x1b\\",
    "\u{9b}2;2H",
    "\u{9d}2;c1\u{9c}",
    "\u{98}x\u{9c}",
    "\u{84}",
    "\x1b[?40h\x1b[?3h",
    "\x1b[?2031h",
    "\x1b[#{",
    "\x1b[1;30#{",
    "\x1b[#}",
    "\x1b[1;1;3;4#|",
    "\x1b[?2l",
    "\x1bF",
    "\x1bG",
    "\x1bY\"#",
    "\x1bY",
    "\x1b<",
    "\x1b]99;i=1:d=0;part\x07",
    "\x1b]99;i=1;rest\x07",
];

const PICTURES: &[&str] = &[
    "\x1bPq#1~!9~-~\x1b\\",
    "\x1bP0;1q\"1;1;30;40#2;2;9;9;9@\x1b\\",
    "\x1bPq\"1;1;99;200",
    "\x1b[?80h",
    "\x1b[?80l",
    "\x1b[?8452h",
    "\x1b_Ga=T,s=1,v=1;AAAAAA==\x1b\\",
    "\x1b_Ga=T,s=1,v=2,i=3,c=4,r=2,p=1,z=-1;AAAAAAAAAAA=\x1b\\",
    "\x1b_Ga=t,s=1,v=1,I=3;AAAAAA==\x1b\\",
    "\x1b_Ga=t,i=9,s=1,v=1,m=1;AAAA\x1b\\",
    "\x1b_Gm=0;AA==\x1b\\",
    "\x1b_Ga=p,i=3,p=2,C=1\x1b\\",
    "\x1b_Ga=d,d=i,i=3\x1b\\",
    "\x1b_Ga=d,d=A\x1b\\",
    "\x1b_Ga=q,i=3,s=1,v=1;AAAA",
];

/// Bytes of all replies, in order.
pub(crate) fn replies(terminal: &mut Terminal) -> Vec<u8> {
    let reply = |event| match event {
        Event::Reply(bytes) => bytes,
        _ => Vec::new(),
    };
    terminal.take_events().into_iter().flat_map(reply).collect()
}

/// A screen of 10x6 on which a program draws: sequences are taken one by one, and it gets the sizes
/// it asks for. Replies are collected.
pub(crate) fn run(bytes: &str) -> (Terminal, String) {
    run_on(Size { cols: 10, rows: 6 }, bytes)
}

/// As [`run`], on a screen of another size.
pub(crate) fn run_on(size: Size, bytes: &str) -> (Terminal, String) {
    let mut terminal = Terminal::new(size);
    terminal.set_title_reports(true);
    let mut found = Vec::new();
    for piece in bytes.split_inclusive('\x1b') {
        terminal.advance(piece.as_bytes());
        for event in terminal.take_events() {
            match event {
                Event::Reply(bytes) => found.extend(bytes),
                Event::SizeRequest(size) => terminal.resize(size),
                _ => {}
            }
        }
    }
    found.extend(replies(&mut terminal));
    let found = found.iter().map(|&byte| char::from(byte)).collect();
    (terminal, found)
}

/// Cases on a screen of 10x6: bytes, the rows they give joined by `|` (empty ones at the end left
/// out), and the cursor as column and row from 1. Each one's keyframe has to restore, too.
pub(crate) fn check_screens(prefix: &str, table: &[(&str, &str, (u16, u16))]) {
    let mut failures = Vec::new();
    for &(bytes, rows, position) in table {
        let (terminal, _) = run(&format!("{prefix}{bytes}"));
        let screen = terminal.text().trim_end_matches('\n').replace('\n', "|");
        let found = (screen.as_str(), (terminal.cursor().x + 1, terminal.cursor().y + 1));
        if found != (rows, position) {
            failures.push(format!(
                "{}: {found:?}, not {:?}",
                bytes.escape_debug(),
                (rows, position)
            ));
        }
        check_keyframe(&terminal, bytes, &mut failures);
    }
    conclude(table.len(), &failures);
}

/// Cases on a screen of 10x6: bytes and what they are answered.
pub(crate) fn check_replies(prefix: &str, table: &[(&str, &str)]) {
    let mut failures = Vec::new();
    for &(bytes, expected) in table {
        let (terminal, found) = run(&format!("{prefix}{bytes}"));
        if found != expected {
            failures.push(format!("{}: {found:?}, not {expected:?}", bytes.escape_debug()));
        }
        check_keyframe(&terminal, bytes, &mut failures);
    }
    conclude(table.len(), &failures);
}

fn check_keyframe(terminal: &Terminal, bytes: &str, failures: &mut Vec<String>) {
    let mut terminal = terminal.clone();
    terminal.release_history(terminal.history_end());
    match Terminal::restore(&terminal.keyframe()) {
        Ok(restored) if restored == terminal => {}
        Ok(_) => failures.push(format!("{}: its keyframe differs", bytes.escape_debug())),
        Err(error) => failures.push(format!("{}: {error}", bytes.escape_debug())),
    }
}

fn conclude(cases: usize, failures: &[String]) {
    assert!(failures.is_empty(), "{} of {cases} fail:\n{}", failures.len(), failures.join("\n"));
}
