//! Answers and other events.

use ccmux_term::{Event, LineMarks, Size, Terminal};

use crate::screen::terminal;
use crate::support::replies;

#[test]
fn queries_are_answered() {
    let version = concat!("\x1bP>|ccmux ", env!("CARGO_PKG_VERSION"), "\x1b\\");
    let table = [
        ("\x1b[c", "\x1b[?64;1;2;4;6;9;15;16;17;18;21;22;28;29c"),
        ("\x1b[0c\x1b[1c", "\x1b[?64;1;2;4;6;9;15;16;17;18;21;22;28;29c"),
        ("\x1bZ", "\x1b[?64;1;2;4;6;9;15;16;17;18;21;22;28;29c"),
        ("\x1b[>c", "\x1b[>41;400;0c"),
        ("\x1b[=c", "\x1bP!|00000000\x1b\\"),
        ("\x1b[5n", "\x1b[0n"),
        ("\x1b[2;3H\x1b[6n", "\x1b[2;3R"),
        ("\x1b[2;3H\x1b[?6n", "\x1b[?2;3;1R"),
        ("\x1b[2;4r\x1b[?6h\x1b[2;3H\x1b[6n", "\x1b[2;3R"),
        ("0123456789\x1b[6n", "\x1b[1;10R"),
        ("\x1b[?996n", "\x1b[?997;1n"),
        ("\x1b]11;#ffffff\x07\x1b[?996n", "\x1b[?997;2n"),
        ("\x1b[>q", version),
        ("\x1b['|\x1b[1;1'z\x1b[1'{\x1b[1;1;2;2'w\x1b[1'|", "\x1b[0&w\x1b[0&w"),
        (
            "\x1b[?7$p\x1b[?6$p\x1b[?2027$p\x1b[?60$p\x1b[?9999$p",
            "\x1b[?7;1$y\x1b[?6;2$y\x1b[?2027;1$y\x1b[?60;4$y\x1b[?9999;0$y",
        ),
        ("\x1b[4h\x1b[4$p\x1b[20$p\x1b[3$p", "\x1b[4;1$y\x1b[20;2$y\x1b[3;0$y"),
        ("\x1b[?u\x1b[>5u\x1b[?u", "\x1b[?0u\x1b[?5u"),
        ("\x1b[18t\x1b[14t\x1b[16t", "\x1b[8;4;10t\x1b[4;64;80t\x1b[6;16;8t"),
        // Titles are never reported.
        ("\x1b]2;x\x07\x1b[21t\x1b[20t", ""),
        ("\x1bP$qm\x1b\\", "\x1bP1$r0m\x1b\\"),
        (
            "\x1b[1;31;48;5;99;58:2::1:2:3;4:3m\x1bP$qm\x1b\\",
            "\x1bP1$r0;1;4:3;31;48:5:99;58:2::1:2:3m\x1b\\",
        ),
        ("\x1b[2;3r\x1bP$qr\x1b\\", "\x1bP1$r2;3r\x1b\\"),
        ("\x1b[3 q\x1bP$q q\x1b\\", "\x1bP1$r3 q\x1b\\"),
        ("\x1bP$qx\x1b\\", "\x1bP0$r\x1b\\"),
        ("\x1bP+q436F;6162\x1b\\", "\x1bP1+r436F=323536\x1b\\\x1bP0+r\x1b\\"),
        ("\x1b]4;1;?\x07", "\x1b]4;1;rgb:cdcd/0000/0000\x07"),
        (
            "\x1b]4;1;rgb:12/34/56;1;?;2;?\x1b\\",
            "\x1b]4;1;rgb:1212/3434/5656\x1b\\\x1b]4;2;rgb:0000/cdcd/0000\x1b\\",
        ),
        ("\x1b]4;1;#123\x07\x1b]104;1\x07\x1b]4;1;?\x07", "\x1b]4;1;rgb:cdcd/0000/0000\x07"),
        ("\x1b]4;1;rgbi:0.5/0.5/0.5;1;?\x07", "\x1b]4;1;rgb:c1c1/bbbb/bbbb\x07"),
        ("\x1b]11;CIEXYZ:.5/.5/.5\x07\x1b]11;?\x07", "\x1b]11;rgb:dddd/b5b5/a0a0\x07"),
        ("\x1b]11;CIELab:50/0/0\x07\x1b]11;?\x07", "\x1b]11;rgb:8383/7d7d/7e7e\x07"),
        ("\x1b]4;231;?\x07", "\x1b]4;231;rgb:ffff/ffff/ffff\x07"),
        ("\x1b]10;?;?\x07", "\x1b]10;rgb:e5e5/e5e5/e5e5\x07\x1b]11;rgb:0000/0000/0000\x07"),
        (
            "\x1b]11;rgb:f/8/0\x07\x1b]11;?\x07\x1b]111\x07\x1b]11;?\x07",
            "\x1b]11;rgb:ffff/8888/0000\x07\x1b]11;rgb:0000/0000/0000\x07",
        ),
    ];
    for (query, expected) in table {
        let found = replies(&mut terminal(10, 4, query));
        assert_eq!(String::from_utf8_lossy(&found), expected, "{}", query.escape_debug());
    }
}

/// As xterm answers, of which a bold colour below 8 is a bright one.
#[test]
fn styles_are_pushed_and_popped() {
    let ask = "\x1bP$qm\x1b\\";
    let table = [
        ("\x1b[1;31m\x1b[#{\x1b[0;4m\x1b[#}", "0;1;31"),
        ("\x1b[1;31m\x1b[1#{\x1b[0;4;32m\x1b[#}", "0;1;4;32"),
        ("\x1b[1;3;31;42m\x1b[30;31#{\x1b[m\x1b[#}", "0;31;42"),
        ("\x1b[4:3;58:5:9m\x1b[4#{\x1b[0;7m\x1b[#}", "0;7;4:3;58:5:9"),
        ("\x1b[53;9m\x1b[#p\x1b[m\x1b[#q", "0;9;53"),
        ("\x1b[1m\x1b[#}", "0;1"),
        ("\x1b[1m\x1b[99#{\x1b[0;3m\x1b[#}", "0;3"),
        ("\x1b[1m\x1b[#{\x1bc\x1b[#}", "0"),
    ];
    for (bytes, expected) in table {
        let found = replies(&mut terminal(10, 4, &format!("{bytes}{ask}")));
        let expected = format!("\x1bP1$r{expected}m\x1b\\");
        assert_eq!(String::from_utf8_lossy(&found), expected, "{}", bytes.escape_debug());
    }
    // The oldest of too many is gone.
    let mut many = String::from("\x1b[1m\x1b[#{\x1b[0m");
    many += &"\x1b[3m\x1b[#{".repeat(10);
    let mut terminal = terminal(10, 4, &many);
    assert!(Terminal::restore(&terminal.keyframe()).unwrap() == terminal);
    terminal.advance("\x1b[m\x1b[#}".repeat(10).as_bytes());
    terminal.advance(format!("{ask}\x1b[m\x1b[#}}{ask}").as_bytes());
    assert_eq!(replies(&mut terminal), b"\x1bP1$r0;3m\x1b\\\x1bP1$r0m\x1b\\");
}

#[test]
fn common_styles_of_a_rectangle_are_reported() {
    let text = "\x1b[1;31mab\x1b[4mc\r\n\x1b[0;1;44mdef";
    let table = [
        ("\x1b[1;1;1;2#|", "\x1b[0;1;31m"),
        ("\x1b[1;3;1;3#|", "\x1b[0;1;4;31m"),
        ("\x1b[1;1;1;3#|", "\x1b[0;1;31m"),
        ("\x1b[1;1;2;3#|", "\x1b[0;1m"),
        ("\x1b[#|", "\x1b[0m"),
        ("\x1b[2;2;1;1#|", ""),
    ];
    for (query, expected) in table {
        let found = replies(&mut terminal(10, 4, &format!("{text}{query}")));
        assert_eq!(String::from_utf8_lossy(&found), expected, "{}", query.escape_debug());
    }
}

#[test]
fn default_colours_are_the_owners() {
    let mut terminal = Terminal::new(Size { cols: 10, rows: 2 });
    terminal.set_default_colors((1, 2, 3), (255, 254, 253));
    terminal.advance(b"\x1bc\x1b]11;?\x07\x1b[?996n");
    let expected = b"\x1b]11;rgb:ffff/fefe/fdfd\x07\x1b[?997;2n".to_vec();
    assert_eq!(terminal.take_events(), [Event::Reply(expected)]);
}

#[test]
fn events_come_in_order() {
    let table: &[(&str, &[Event])] = &[
        ("\x07\x07", &[Event::Bell]),
        ("\x1b]2;a\x07\x1b]2;b\x07", &[Event::Title("b".into())]),
        ("\x1b]0;a\x07", &[Event::IconName("a".into()), Event::Title("a".into())]),
        ("\x1b]0;\x07", &[]),
        ("\x1b]2;a\u{9b}\u{7}b", &[Event::Title("a".into())]),
        ("\x1b]7;file://h/tmp\x1b\\", &[Event::Cwd(b"file://h/tmp".to_vec())]),
        (
            "\x1b]52;c;aGk=\x07",
            &[Event::Clipboard { selection: b"c".to_vec(), data: b"hi".to_vec() }],
        ),
        ("\x1b]52;;aGk=\x07", &[Event::Clipboard { selection: Vec::new(), data: b"hi".to_vec() }]),
        ("\x1b]52;;?\x07", &[Event::ClipboardQuery { selection: b"s0".to_vec(), end: "\x07" }]),
        ("\x1b]52;p;?\x07", &[Event::ClipboardQuery { selection: b"p".to_vec(), end: "\x07" }]),
        ("\x1b]52;c;!\x07", &[]),
        ("\x1b]9;done\x07", &[Event::Notification { title: String::new(), body: "done".into() }]),
        ("\x1b]777;notify;t;b\x07", &[Event::Notification { title: "t".into(), body: "b".into() }]),
        ("\x1b]99;;hi\x1b\\", &[Event::Notification { title: "hi".into(), body: String::new() }]),
        (
            "\x1b]99;i=1:d=0;he\x1b\\\x1b]99;i=1:d=0:e=1;YWQ=\x1b\\\x1b]99;i=1:p=body;text\x1b\\",
            &[Event::Notification { title: "head".into(), body: "text".into() }],
        ),
        // Parts of another one end the first.
        (
            "\x1b]99;i=1:d=0;one\x1b\\\x1b]99;i=2:p=body;two\x1b\\",
            &[Event::Notification { title: String::new(), body: "two".into() }],
        ),
        ("\x1b]99;p=icon;x\x1b\\", &[]),
        ("\x1b]9;9;\"/a b\"\x07", &[Event::Cwd(b"file:///a b".to_vec())]),
        ("\x1b]9;9;C:\\x\x07", &[]),
        ("\x1b]1337;CurrentDir=/a%b\x07", &[Event::Cwd(b"file:///a%25b".to_vec())]),
        ("\x1b]1337;SetMark\x07", &[]),
        ("\x1b[8;30;100t", &[Event::SizeRequest(Size { cols: 100, rows: 30 })]),
        ("\x1b[8;30t\x1b[8;31t", &[Event::SizeRequest(Size { cols: 10, rows: 31 })]),
        ("\x1b[8;65535;65535t", &[Event::SizeRequest(Size { cols: 10_000, rows: 104 })]),
        (
            "\x1bPtmux;\x1b\x1b]52;c;aGk=\x07\x1b\\x",
            &[Event::Passthrough(b"\x1b]52;c;aGk=\x07".to_vec())],
        ),
        ("\x1bPtmux;\x1b\x1bPq~\x1b\x1b\\\x1b\\", &[Event::Passthrough(b"\x1bPq~\x1b\\".to_vec())]),
        // Neither a passthrough nor ended by a doubled ESC.
        ("\x1bPtmuy;\x1b\x1b]2;t\x07", &[Event::Title("t".into())]),
        ("\x1bP1$tmux;\x1b\x1b]2;t\x07", &[Event::Title("t".into())]),
        ("\x1b]9;4;1;40\x07", &[Event::Progress { state: 1, percent: 40 }]),
        ("\x1b]133;D;3\x07", &[Event::CommandEnd { status: Some(3) }]),
        ("\x1b]133;D\x07", &[Event::CommandEnd { status: None }]),
        ("\x1b]133;A;k=v\x07", &[Event::Mark(LineMarks::PROMPT)]),
        ("\x07\x1b[5n\x07", &[Event::Bell, Event::Reply(b"\x1b[0n".to_vec()), Event::Bell]),
    ];
    for (bytes, expected) in table {
        assert_eq!(&terminal(10, 2, bytes).take_events(), expected, "{}", bytes.escape_debug());
    }
}

#[test]
fn titles_are_kept_and_stacked() {
    let table = [
        ("\x1b]2;one\x07", "one"),
        ("\x1b]0;one; two\x07", "one; two"),
        ("\x1b]1;icon\x07", ""),
        ("\x1b]2;a\x07\x1b[22;0t\x1b]2;b\x07\x1b[23;0t", "a"),
        ("\x1b]2;a\x07\x1b[23t", "a"),
        ("\x1b]2;a\x07\x1bc", ""),
        ("\x1b]2;a\x01b\x07", "ab"),
    ];
    for (bytes, expected) in table {
        assert_eq!(terminal(10, 2, bytes).title(), expected, "{}", bytes.escape_debug());
    }
}

#[test]
fn events_are_bounded() {
    let mut terminal = Terminal::new(Size { cols: 10, rows: 2 });
    for _ in 0..100_000 {
        terminal.advance(b"\x1b[c\x07");
    }
    assert!(terminal.take_events().len() <= 1024);
    for _ in 0..100_000 {
        terminal.advance(b"\x1b[c");
    }
    assert!(replies(&mut terminal).len() <= 64 * 1024);
}

#[test]
fn size_changes_are_reported_in_band() {
    let mut terminal = terminal(10, 4, "\x1b[?2048h");
    terminal.resize(Size { cols: 20, rows: 5 });
    assert_eq!(replies(&mut terminal), b"\x1b[48;4;10;64;80t\x1b[48;5;20;80;160t");
}
