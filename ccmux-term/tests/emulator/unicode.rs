//! Characters outside ASCII: clusters, widths, and bytes that are none.

use ccmux_term::compose::columns;
use ccmux_term::{Size, Terminal, WIDTH_OVERRIDES_MAX, WidthOverride, Widths};
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
    "\u{600}",
    "ि",
    "\u{1100}",
    "\x1b[?2027l",
    "\x1b[?2027h",
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

fn terminal(text: &str) -> Terminal {
    let mut terminal = Terminal::new(Size { cols: 40, rows: 2 });
    terminal.advance(text.as_bytes());
    terminal
}

/// The printed cells of the first row, each with its columns.
fn cells(terminal: &Terminal) -> Vec<(String, u8)> {
    let cells = terminal.row(0).cells().take_while(|cell| !cell.is_blank());
    cells.map(|cell| (cell.text().to_owned(), cell.width)).collect()
}

/// Goal: what is seen as one character is one cell, as wide as it is drawn; without mode 2027 each
/// character that has a width has a cell, as `wcwidth` counts.
#[test]
fn clusters_are_cells_if_mode_2027_is_on() {
    for (text, clustered, separate) in [
        ("👨\u{200d}👩\u{200d}👧x", &[2_u8, 1] as &[u8], &[2_u8, 2, 2, 1] as &[u8]),
        ("🇩🇪🇫🇷🇩", &[2, 2, 1], &[1, 1, 1, 1, 1]),
        ("👍🏽👍", &[2, 2], &[2, 2, 2]),
        ("☝🏽", &[2], &[1, 2]),
        ("a🏽", &[2], &[1, 2]),
        ("❤\u{fe0f}❤\u{fe0e}❤", &[2, 1, 1], &[1, 1, 1]),
        // No cell that was printed is taken back.
        ("⌚\u{fe0e}⌚", &[2, 2], &[2, 2]),
        ("1\u{fe0f}\u{20e3}", &[2], &[1]),
        ("a\u{fe0f}", &[1], &[1]),
        ("🏴\u{e0067}\u{e0062}\u{e007f}", &[2], &[2]),
        ("🏳\u{fe0f}\u{200d}🌈", &[2], &[1, 2]),
        ("a\u{200d}👩", &[1, 2], &[1, 2]),
        ("👩\u{301}\u{200d}👩", &[2], &[2, 2]),
        ("क्ष", &[1], &[1, 1]),
        ("क्\u{200d}ष", &[1], &[1, 1]),
        // The non-joiner forbids the conjunct.
        ("क्\u{200c}ष", &[1, 1], &[1, 1]),
        ("कि", &[1], &[1, 1]),
        ("ᄒ\u{1161}\u{11ab}", &[2], &[2]),
        ("ᄀ각", &[2], &[2, 2]),
        ("한국", &[2, 2], &[2, 2]),
        ("\u{600}12", &[1, 1], &[1, 1, 1]),
        ("\u{d4e}ക", &[1], &[1, 1]),
        ("e\u{301}\u{302}x", &[1, 1], &[1, 1]),
        ("a\u{ad}b", &[1, 1, 1], &[1, 1, 1]),
    ] {
        for (mode, expect) in [("\x1b[?2027h", clustered), ("\x1b[?2027l", separate)] {
            let terminal = terminal(&format!("{mode}{text}"));
            let cells = cells(&terminal);
            let widths: Vec<u8> = cells.iter().map(|(_, width)| *width).collect();
            assert_eq!(widths, expect, "{text:?} after {mode:?}: {cells:?}");
            let texts: String = cells.into_iter().map(|(text, _)| text).collect();
            assert_eq!(texts, text, "after {mode:?}");
            let x = u16::from(expect.iter().sum::<u8>());
            assert_eq!(terminal.cursor().x, x, "{text:?} after {mode:?}");
        }
    }
}

/// A program that moves the cursor means the cell it moves to, whatever is to the left of it. A mark
/// has no cell to go to, so it attaches all the same.
#[test]
fn only_what_was_printed_together_is_one_cluster() {
    for (text, expect) in [
        ("🇩\x1b[1;2H🇪", &["🇩", "🇪"]),
        ("👩\u{200d}\x1b[1;3H🔬", &["👩\u{200d}", "🔬"]),
        ("क्\x1b[1;2Hष", &["क्", "ष"]),
        ("\u{600}\x1b[1;2H1", &["\u{600}", "1"]),
        ("xe\x1b[1;3H\u{301}", &["x", "e\u{301}"]),
    ] {
        let texts: Vec<String> = cells(&terminal(text)).into_iter().map(|cell| cell.0).collect();
        assert_eq!(texts, expect, "{text:?}");
    }
}

/// `CLUSTER_BYTES_MAX` bytes are kept of a cell's text.
#[test]
fn what_one_cell_holds_is_bounded() {
    let text = format!("a{}b", "\u{301}".repeat(1000));
    let expect = format!("a{}", "\u{301}".repeat(31));
    assert_eq!(cells(&terminal(&text)), [(expect, 1), ("b".to_owned(), 1)]);
    // A longer character does not fit any more, a shorter one does.
    let text = format!("ab{}\u{1e8d0}\u{301}\u{301}", "\u{301}".repeat(30));
    let expect = format!("b{}", "\u{301}".repeat(31));
    assert_eq!(cells(&terminal(&text)), [("a".to_owned(), 1), (expect, 1)]);
}

/// A byte string that is not UTF-8, and what the standard library, which does as section 3.9 of the
/// Unicode standard recommends, makes of it: one replacement per maximal subpart.
#[test]
fn ill_formed_text_is_replaced_at_every_border() {
    let leads = [0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff];
    let tails = [0x41, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf];
    let mut texts: Vec<Vec<u8>> = Vec::new();
    for lead in leads {
        for second in tails {
            texts.push(vec![lead, second]);
            for third in tails {
                texts.push(vec![lead, second, third]);
                texts.push(vec![lead, second, third, 0xbf]);
                texts.push(vec![lead, second, third, 0xe2, 0x82]);
            }
        }
    }
    // Of the standard: tables 3-8 to 3-11.
    for text in [
        b"\xc0\xaf\xe0\x80\xbf\xf0\x81\x82A" as &[u8],
        b"\xed\xa0\x80\xed\xbf\xbf\xed\xafA",
        b"\xf4\x91\x92\x93\xffA\x80\xbfB",
        b"\xe1\x80\xe2\xf0\x91\x92\xf1\xbfA",
    ] {
        texts.push(text.to_vec());
    }
    for text in texts {
        // What has no width goes to the front; the end shows whether something is still waited for.
        let text = [b"a", &text[..], b"z"].concat();
        let expect = String::from_utf8_lossy(&text);
        // A C1 control is carried out, not printed.
        if expect.chars().any(char::is_control) {
            continue;
        }
        for cut in 0..text.len() {
            let mut terminal = Terminal::new(Size { cols: 40, rows: 1 });
            terminal.advance(&text[..cut]);
            terminal.advance(&text[cut..]);
            assert_eq!(terminal.row(0).text(), expect, "{text:x?}, cut at {cut}");
        }
    }
}

#[test]
fn widths_can_be_chosen() {
    let parse = |entry| WidthOverride::parse(entry);
    let range = |first, last, width| Some(WidthOverride::Range { first, last, width });
    for (entry, expect) in [
        ("U+2500=2", range(0x2500, 0x2500, 2)),
        ("U+E0B0-U+E0D6=1", range(0xe0b0, 0xe0d6, 1)),
        ("→=2", range(0x2192, 0x2192, 2)),
        ("==0", range(0x3d, 0x3d, 0)),
        ("ambiguous=2", Some(WidthOverride::Ambiguous(2))),
        ("ambiguous=3", None),
        ("U+2500", None),
        ("U+2500=-1", None),
        ("U+2501-U+2500=1", None),
        ("U+110000=1", None),
        ("U+=1", None),
        ("U+0000000=1", None),
        ("ab=1", None),
        ("=1", None),
        ("", None),
    ] {
        assert_eq!(parse(entry), expect, "{entry:?}");
    }
    let text = "─→·я漢😀\u{301}a";
    for (entries, expect) in [
        (&[] as &[&str], &[1_u8, 1, 1, 1, 2, 2, 1] as &[u8]),
        (&["ambiguous=2"], &[2, 2, 2, 2, 2, 2, 1]),
        (&["ambiguous=2", "U+2500-U+257F=1"], &[1, 2, 2, 2, 2, 2, 1]),
        (&["U+2500-U+257F=1", "ambiguous=2"], &[2, 2, 2, 2, 2, 2, 1]),
        (&["漢=1", "😀=1", "U+301=1"], &[1, 1, 1, 1, 1, 1, 1]),
        // ASCII stays as it is.
        (&["U+0000-U+10FFFF=2"], &[2, 2, 2, 2, 2, 2, 1]),
        // What has no width attaches.
        (&["→=0"], &[1, 1, 1, 2, 2, 1]),
    ] {
        let mut terminal = Terminal::new(Size { cols: 40, rows: 2 });
        let widths = Widths::new(entries.iter().filter_map(|entry| parse(entry)));
        terminal.set_widths(&widths);
        terminal.advance(text.as_bytes());
        let got: Vec<u8> = cells(&terminal).into_iter().map(|cell| cell.1).collect();
        assert_eq!(got, expect, "{entries:?}");
        let mut bytes = Vec::new();
        widths.encode(&mut bytes);
        assert_eq!(Widths::decode(&bytes).as_ref(), Ok(&widths));
        for end in 0..bytes.len() {
            assert!(Widths::decode(&bytes[..end]).is_err(), "{entries:?} cut at {end}");
        }
        let restored = Terminal::restore(&terminal.keyframe()).unwrap();
        assert!(restored == terminal, "{entries:?}");
        // A reset is the program's, the widths are the user's.
        terminal.advance(b"\x1bc");
        assert_eq!(terminal.widths(), &widths);
    }
    let many = std::iter::repeat_n(WidthOverride::Ambiguous(2), WIDTH_OVERRIDES_MAX + 1);
    assert_eq!(Widths::new(many).overrides().len(), WIDTH_OVERRIDES_MAX);
}

#[test]
fn a_selector_may_make_nothing_wide() {
    for (overrides, expect) in [
        (&[] as &[WidthOverride], &[2_u8, 1, 2] as &[u8]),
        (&[WidthOverride::SelectorKeepsNarrow], &[1, 1, 2]),
        (&[WidthOverride::SelectorKeepsNarrow, WidthOverride::Ambiguous(2)], &[1, 1, 2]),
    ] {
        let widths = Widths::new(overrides.iter().copied());
        let mut terminal = Terminal::new(Size { cols: 10, rows: 2 });
        terminal.set_widths(&widths);
        terminal.advance("❤\u{fe0f}❤👍\u{fe0f}".as_bytes());
        let got: Vec<u8> = cells(&terminal).into_iter().map(|cell| cell.1).collect();
        assert_eq!(got, expect, "{overrides:?}");
        assert!(Terminal::restore(&terminal.keyframe()).unwrap() == terminal, "{overrides:?}");
        let mut bytes = Vec::new();
        widths.encode(&mut bytes);
        let decoded = Widths::decode(&bytes).unwrap();
        assert_eq!(decoded, widths);
        assert_eq!(columns("❤\u{fe0f}", &decoded), usize::from(expect[0]));
    }
}

/// A line that comes back from the history falls into cells by the widths and the mode of now.
#[test]
fn lines_that_come_back_are_cut_by_the_chosen_widths() {
    for (mode, expect) in [("", 4), ("\x1b[?2027l", 6)] {
        let mut terminal = Terminal::new(Size { cols: 20, rows: 2 });
        terminal.set_widths(&Widths::new([WidthOverride::Ambiguous(2)]));
        terminal.advance(format!("{mode}─👍🏽\r\nx\r\ny").as_bytes());
        terminal.resize(Size { cols: 20, rows: 3 });
        let columns: u8 = cells(&terminal).iter().map(|(_, width)| width).sum();
        assert_eq!(columns, expect, "{:?}", terminal.text());
    }
}

/// A reset, soft or hard, sets mode 2027 as it was at the beginning, and XTSAVE knows it.
#[test]
fn mode_2027_is_reset_saved_and_restored() {
    let flag = |text: &str| terminal(text).modes().grapheme_clusters;
    assert!(flag(""));
    assert!(!flag("\x1b[?2027l"));
    assert!(flag("\x1b[?2027l\x1b[!p"));
    assert!(flag("\x1b[?2027l\x1bc"));
    assert!(!flag("\x1b[?2027l\x1b[?2027s\x1b[?2027h\x1b[?2027r"));
    assert!(flag("\x1b[?2027s\x1b[?2027l\x1b[?2027r"));
    let mut off = terminal("\x1b[?2027l\x1b[?2027$p");
    let events = format!("{:?}", off.take_events());
    assert!(events.contains(&format!("{:?}", b"\x1b[?2027;2$y".to_vec())), "{events}");
    assert!(Terminal::restore(&off.keyframe()).unwrap() == off);
}
