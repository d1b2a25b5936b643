//! What programs are told: attributes of the device, states of modes and settings, sizes, titles,
//! colours.

use crate::support::{check_replies, run};

#[test]
fn device_reports() {
    check_replies(
        "",
        &[
            ("\x1b[c", "\x1b[?64;1;2;4;6;9;15;16;17;18;21;22;28;29c"),
            ("\x1b[0c", "\x1b[?64;1;2;4;6;9;15;16;17;18;21;22;28;29c"),
            ("\x1bZ", "\x1b[?64;1;2;4;6;9;15;16;17;18;21;22;28;29c"),
            ("\u{9a}", "\x1b[?64;1;2;4;6;9;15;16;17;18;21;22;28;29c"),
            ("\x1b[62;1\"p\x1b[c", "\x1b[?62;1;2;4;6;9;15;22;29c"),
            ("\x1b[61\"p\x1b[c", "\x1b[?1;2c"),
            ("\x1b[>c", "\x1b[>41;400;0c"),
            ("\x1b[>0c", "\x1b[>41;400;0c"),
            ("\x1b[=c", "\x1bP!|00000000\x1b\\"),
            ("\x1b[x", "\x1b[2;1;1;128;128;1;0x"),
            ("\x1b[1x", "\x1b[3;1;1;128;128;1;0x"),
            ("\x1b[2x", ""),
            ("\x1b[\"v", "\x1b[6;10;1;1;1\"w"),
            ("\x1b[?4m\x1b[>4;2m\x1b[?4m\x1b[?5m", "\x1b[>4;0m\x1b[>4;2m"),
            ("\x1b[5n", "\x1b[0n"),
            ("\x1b[3;5H\x1b[6n", "\x1b[3;5R"),
            ("\x1b[6;5H\x1b[?6n", "\x1b[?6;5;1R"),
            ("\x1b[?15n", "\x1b[?13n"),
            ("\x1b[?25n", "\x1b[?20n"),
            ("\x1b[?26n", "\x1b[?27;1;0;0n"),
            ("\x1b[?53n\x1b[?55n", "\x1b[?50n\x1b[?50n"),
            ("\x1b[?56n", "\x1b[?57;0n"),
            ("\x1b[?62n", "\x1b[0*{"),
            ("\x1b[?63;123n", "\x1bP123!~0000\x1b\\"),
            ("\x1b[?75n", "\x1b[?70n"),
            ("\x1b[?85n", "\x1b[?83n"),
            ("\x1b[?996n", "\x1b[?997;1n"),
            ("\x1b[?12345n", ""),
        ],
    );
}

#[test]
fn modes_are_reported() {
    // Each can be set and reset, from either state.
    let private = [
        1, 4, 5, 6, 7, 9, 12, 18, 19, 25, 40, 41, 42, 45, 47, 66, 67, 69, 1000, 1002, 1003, 1004,
        1005, 1006, 1007, 1015, 1016, 1045, 1047, 1049, 2004, 2026, 2031,
    ];
    for mode in private {
        let (_, found) = run(&format!("\x1b[?{mode}h\x1b[?{mode}$p\x1b[?{mode}l\x1b[?{mode}$p"));
        assert_eq!(found, format!("\x1b[?{mode};1$y\x1b[?{mode};2$y"));
    }
    for mode in [2, 4, 12, 20] {
        let (_, found) = run(&format!("\x1b[{mode}h\x1b[{mode}$p\x1b[{mode}l\x1b[{mode}$p"));
        assert_eq!(found, format!("\x1b[{mode};1$y\x1b[{mode};2$y"));
    }
    for mode in [1, 5, 7, 10, 11, 13, 14, 15, 16, 17, 18, 19] {
        let (_, found) = run(&format!("\x1b[{mode}h\x1b[{mode}$p"));
        assert_eq!(found, format!("\x1b[{mode};4$y"));
    }
    check_replies(
        "",
        &[
            ("\x1b[?2027$p", "\x1b[?2027;1$y"),
            ("\x1b[?8$p", "\x1b[?8;3$y"),
            ("\x1b[?9999$p\x1b[3$p", "\x1b[?9999;0$y\x1b[3;0$y"),
            ("\x1b[?7$p\x1b[?25$p\x1b[?1007$p", "\x1b[?7;1$y\x1b[?25;1$y\x1b[?1007;1$y"),
        ],
    );
}

#[test]
fn settings_are_reported() {
    check_replies(
        "",
        &[
            ("\x1bP$qm\x1b\\", "\x1bP1$r0m\x1b\\"),
            ("\x1b[1m\x1bP$qm\x1b\\", "\x1bP1$r0;1m\x1b\\"),
            ("\x1b[2;5r\x1bP$qr\x1b\\", "\x1bP1$r2;5r\x1b\\"),
            ("\x1bP$qs\x1b\\", "\x1bP1$r1;10s\x1b\\"),
            ("\x1b[4 q\x1bP$q q\x1b\\", "\x1bP1$r4 q\x1b\\"),
            ("\x1bP$qt\x1b\\", "\x1bP1$r6t\x1b\\"),
            ("\x1bP$q*|\x1b\\", "\x1bP1$r6*|\x1b\\"),
            ("\x1bP$q$|\x1b\\", "\x1bP1$r10$|\x1b\\"),
            ("\x1bP$q$}\x1b\\", "\x1bP1$r0$}\x1b\\"),
            ("\x1bP$q$~\x1b\\", "\x1bP1$r0$~\x1b\\"),
            ("\x1bP$q+q\x1b\\", "\x1bP0$r\x1b\\"),
            ("\x1bP$q*}\x1b\\", "\x1bP0$r\x1b\\"),
            ("\x1bP+q436F\x1b\\", "\x1bP1+r436F=323536\x1b\\"),
            ("\x1bP+q5463\x1b\\", "\x1bP1+r5463\x1b\\"),
            ("\x1bP+q536D756C78\x1b\\", "\x1bP1+r536D756C78=1B5B343A25703125646D\x1b\\"),
        ],
    );
}

#[test]
fn the_state_of_the_presentation_is_reported_and_taken_back() {
    check_replies(
        "",
        &[
            ("\x1b[2;3H\x1b[1$w", "\x1bP1$u2;3;1;@;@;@;0;2;@;BBBB\x1b\\"),
            ("\x1b[1;4;5;7;8m\x1b[1$w", "\x1bP1$u1;1;1;_;@;@;0;2;@;BBBB\x1b\\"),
            ("\x1b[1\"q\x1b[?6h\x1b[1$w", "\x1bP1$u1;1;1;@;A;A;0;2;@;BBBB\x1b\\"),
            ("0123456789\x1b[1$w", "\x1bP1$u1;10;1;@;@;H;0;2;@;BBBB\x1b\\"),
            ("\x1b)0\x0e\x1b|\x1bN\x1b[1$w", "\x1bP1$u1;1;1;@;@;B;1;3;@;B0BB\x1b\\"),
            ("\x1b.A\x1b(%5\x1bO\x1b[1$w", "\x1bP1$u1;1;1;@;@;D;0;2;D;%5BAB\x1b\\"),
            ("\x1b~\x1b[1$w", "\x1bP1$u1;1;1;@;@;@;0;1;@;BBBB\x1b\\"),
            ("\x1b[2$w", "\x1bP2$u1/9\x1b\\"),
            ("\x1b[3g\x1b[4G\x1bH\x1b[2$w", "\x1bP2$u4\x1b\\"),
            ("\x1bP2$t3/5/99/x\x1b\\\x1b[2$w", "\x1bP2$u3/5\x1b\\"),
            // What was reported comes back.
            (
                "\x1bP1$t2;10;1;_;A;I;1;3;D;B0A%5\x1b\\\x1b[1$w",
                "\x1bP1$u2;10;1;_;A;I;1;3;D;B0A%5\x1b\\",
            ),
            // What is not well-formed does nothing.
            ("\x1bP1$t2;3;1;@;@;@;0;2;@\x1b\\\x1b[6n", "\x1b[1;1R"),
            ("\x1bP1$t2;3;1;@;@;@;0;2;@;BBB\x1b\\\x1b[6n", "\x1b[1;1R"),
            ("\x1bP1$t2;3;1;@;@;@;4;2;@;BBBB\x1b\\\x1b[6n", "\x1b[1;1R"),
            ("\x1bP1$t2;3;1;@@;@;@;0;2;@;BBBB\x1b\\\x1b[6n", "\x1b[1;1R"),
        ],
    );
}

#[test]
fn windows_and_titles_are_reported() {
    check_replies(
        "",
        &[
            ("\x1b[11t", "\x1b[1t"),
            ("\x1b[13t\x1b[13;2t", "\x1b[3;0;0t\x1b[3;0;0t"),
            ("\x1b[14t\x1b[14;2t", "\x1b[4;96;80t\x1b[4;96;80t"),
            ("\x1b[15t", "\x1b[5;96;80t"),
            ("\x1b[16t", "\x1b[6;16;8t"),
            ("\x1b[18t", "\x1b[8;6;10t"),
            ("\x1b[19t", "\x1b[9;6;10t"),
            ("\x1b]2;t\x07\x1b[21t", "\x1b]lt\x1b\\"),
            ("\x1b]1;i\x07\x1b[20t", "\x1b]Li\x1b\\"),
            ("\x1b]0;b\x07\x1b[20t\x1b[21t", "\x1b]Lb\x1b\\\x1b]lb\x1b\\"),
            // The stack: both, the icon's name, the title.
            (
                "\x1b]0;a\x07\x1b[22;0t\x1b]0;x\x07\x1b[23;0t\x1b[20t\x1b[21t",
                "\x1b]La\x1b\\\x1b]la\x1b\\",
            ),
            (
                "\x1b]0;a\x07\x1b[22t\x1b]0;x\x07\x1b[23;1t\x1b[20t\x1b[21t",
                "\x1b]La\x1b\\\x1b]lx\x1b\\",
            ),
            (
                "\x1b]0;a\x07\x1b[22t\x1b]0;x\x07\x1b[23;2t\x1b[20t\x1b[21t",
                "\x1b]Lx\x1b\\\x1b]la\x1b\\",
            ),
            (
                "\x1b]0;a\x07\x1b[22t\x1b]0;x\x07\x1b[23;1t\x1b[23;2t\x1b[20t\x1b[21t",
                "\x1b]La\x1b\\\x1b]lx\x1b\\",
            ),
            (
                "\x1b]2;x\x07\x1b]1;i\x07\x1b[22;1t\x1b]1;y\x07\x1b[23;1t\x1b[20t\x1b[21t",
                "\x1b]Li\x1b\\\x1b]lx\x1b\\",
            ),
            (
                "\x1b]1;x\x07\x1b]2;t\x07\x1b[22;2t\x1b]2;y\x07\x1b[23;2t\x1b[20t\x1b[21t",
                "\x1b]Lx\x1b\\\x1b]lt\x1b\\",
            ),
            (
                "\x1b]1;i\x07\x1b]2;t\x07\x1b[22;1t\x1b[22;2t\x1b]0;x\x07\x1b[23;0t\x1b[20t\x1b[21t",
                "\x1b]Li\x1b\\\x1b]lt\x1b\\",
            ),
            (
                "\x1b]1;a\x07\x1b[22;1t\x1b]1;b\x07\x1b[22;1t\x1b]1;z\x07\x1b[23;1t\x1b[20t\x1b[23;1t\x1b[20t",
                "\x1b]Lb\x1b\\\x1b]La\x1b\\",
            ),
            (
                "\x1b]2;a\x07\x1b[22;2t\x1b]2;b\x07\x1b[22;2t\x1b]2;z\x07\x1b[23;2t\x1b[21t\x1b[23;2t\x1b[21t",
                "\x1b]lb\x1b\\\x1b]la\x1b\\",
            ),
            ("\x1b]2;a\x07\x1b[22;3t\x1b]2;b\x07\x1b[23;3t\x1b[21t", "\x1b]lb\x1b\\"),
            // Hexadecimal ones.
            ("\x1b[>0t\x1b]2;6162\x07\x1b]1;61\x07\x1b[21t\x1b[20t", "\x1b]lab\x1b\\\x1b]La\x1b\\"),
            ("\x1b[>1t\x1b]2;ab\x07\x1b]1;a\x07\x1b[21t\x1b[20t", "\x1b]l6162\x1b\\\x1b]L61\x1b\\"),
            ("\x1b[>0;1t\x1b]2;6162\x07\x1b[21t", "\x1b]l6162\x1b\\"),
            ("\x1b[>0t\x1b]2;xyz\x07\x1b[21t", "\x1b]l\x1b\\"),
            ("\x1b[>0;1t\x1b[>0;1T\x1b]2;ab\x07\x1b[21t", "\x1b]lab\x1b\\"),
            ("\x1b[>0;1t\x1bc\x1b]2;ab\x07\x1b[21t", "\x1b]lab\x1b\\"),
        ],
    );
}

#[test]
fn colours_are_reported() {
    check_replies(
        "",
        &[
            (
                "\x1b]4;0;rgb:f0f0/f0f0/f0f0;1;rgb:f0f0/0000/0000\x07\x1b]4;0;?;1;?\x1b\\",
                "\x1b]4;0;rgb:f0f0/f0f0/f0f0\x1b\\\x1b]4;1;rgb:f0f0/0000/0000\x1b\\",
            ),
            ("\x1b]4;0;#fff\x07\x1b]4;0;?\x07", "\x1b]4;0;rgb:f0f0/f0f0/f0f0\x07"),
            ("\x1b]4;0;#888\x07\x1b]4;0;?\x07", "\x1b]4;0;rgb:8080/8080/8080\x07"),
            ("\x1b]4;0;#f0f0f0\x07\x1b]4;0;?\x07", "\x1b]4;0;rgb:f0f0/f0f0/f0f0\x07"),
            ("\x1b]4;0;#f00f00f00\x07\x1b]4;0;?\x07", "\x1b]4;0;rgb:f0f0/f0f0/f0f0\x07"),
            ("\x1b]4;0;#f000f000f000\x07\x1b]4;0;?\x07", "\x1b]4;0;rgb:f0f0/f0f0/f0f0\x07"),
            // Special colours, under either number.
            ("\x1b]5;0;#aaaabbbbcccc\x07\x1b]5;0;?\x07", "\x1b]5;0;rgb:aaaa/bbbb/cccc\x07"),
            ("\x1b]4;256;#aaaabbbbcccc\x07\x1b]4;256;?\x07", "\x1b]4;256;rgb:aaaa/bbbb/cccc\x07"),
            ("\x1b]4;257;#aaaabbbbcccc\x07\x1b]5;1;?\x07", "\x1b]5;1;rgb:aaaa/bbbb/cccc\x07"),
            (
                "\x1b]5;0;#fff;1;#888\x07\x1b]5;0;?;1;?\x07",
                "\x1b]5;0;rgb:f0f0/f0f0/f0f0\x07\x1b]5;1;rgb:8080/8080/8080\x07",
            ),
            ("\x1b]5;0;?\x07", "\x1b]5;0;rgb:e5e5/e5e5/e5e5\x07"),
            ("\x1b]5;0;#fff\x07\x1b]105;0\x07\x1b]5;0;?\x07", "\x1b]5;0;rgb:e5e5/e5e5/e5e5\x07"),
            ("\x1b]5;0;#fff\x07\x1b]105\x07\x1b]5;0;?\x07", "\x1b]5;0;rgb:e5e5/e5e5/e5e5\x07"),
            ("\x1b]5;0;#fff\x07\x1b]104;256\x07\x1b]5;0;?\x07", "\x1b]5;0;rgb:e5e5/e5e5/e5e5\x07"),
            ("\x1b]5;5;#fff\x07\x1b]5;5;?\x07\x1b]4;300;?\x07\x1b]4;65535;?\x07", ""),
            ("\x1b]4;1;#fff\x07\x1b]104;1\x07\x1b]4;1;?\x07", "\x1b]4;1;rgb:cdcd/0000/0000\x07"),
            ("\x1b]4;1;#fff\x07\x1b]104\x07\x1b]4;1;?\x07", "\x1b]4;1;rgb:cdcd/0000/0000\x07"),
            // Dynamic ones.
            (
                "\x1b]10;#fff;#888\x07\x1b]10;?;?\x07",
                "\x1b]10;rgb:f0f0/f0f0/f0f0\x07\x1b]11;rgb:8080/8080/8080\x07",
            ),
            (
                "\x1b]12;#123456\x07\x1b]12;?\x07\x1b]112\x07\x1b]12;?\x07",
                "\x1b]12;rgb:1212/3434/5656\x07\x1b]12;rgb:e5e5/e5e5/e5e5\x07",
            ),
            (
                "\x1b]17;#123456\x07\x1b]17;?\x07\x1b]117\x07\x1b]17;?\x07",
                "\x1b]17;rgb:1212/3434/5656\x07\x1b]17;rgb:e5e5/e5e5/e5e5\x07",
            ),
            (
                "\x1b]19;#123456\x07\x1b]19;?\x07\x1b]119\x07\x1b]19;?\x07",
                "\x1b]19;rgb:1212/3434/5656\x07\x1b]19;rgb:0000/0000/0000\x07",
            ),
            (
                "\x1b]13;#010101;#020202\x07\x1b]13;?;?\x07",
                "\x1b]13;rgb:0101/0101/0101\x07\x1b]14;rgb:0202/0202/0202\x07",
            ),
            ("\x1b]20;#123456\x07\x1b]20;?\x07", ""),
            ("\x1b]17;#123456\x07\x1bc\x1b]17;?\x07", "\x1b]17;rgb:e5e5/e5e5/e5e5\x07"),
            // Mode 2031: only a change between dark and light is told.
            ("\x1b[?2031h\x1b]11;#fff\x07\x1b]11;#eee\x07\x1b]111\x07", "\x1b[?997;2n\x1b[?997;1n"),
            ("\x1b]11;#fff\x07", ""),
        ],
    );
    let mut terminal = ccmux_term::Terminal::new(ccmux_term::Size { cols: 10, rows: 2 });
    terminal.advance(b"\x1b[?2031h");
    terminal.set_default_colors((0, 0, 0), (255, 255, 255));
    terminal.set_default_colors((0, 0, 0), (255, 255, 254));
    assert_eq!(crate::support::replies(&mut terminal), b"\x1b[?997;2n");
}
