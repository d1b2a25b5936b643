//! The emulator beside the data of the Unicode standard: the columns of every character, and the
//! clusters of `GraphemeBreakTest.txt`. The files in `data` are made by `cargo xtask unicode`.

use ccmux_term::{Size, Terminal, WidthOverride, Widths};
use unicode_width::UnicodeWidthChar as _;

const WIDTHS: &str = include_str!("data/widths.txt");
const BREAKS: &str = include_str!("data/GraphemeBreakTest.txt");

/// Whether a character has one column here and none by `unicode-width`: what begins a cluster
/// (GCB=Prepend), because that has to lie somewhere and joins nothing before it, and the soft hyphen,
/// which glibc, xterm and VTE count, because it is there on every line.
fn is_wider(c: char) -> bool {
    matches!(
        u32::from(c),
        0xad | 0x605 | 0x70f | 0x890..=0x891 | 0x8e2 | 0xd4e | 0x111c2..=0x111c3 | 0x113d1
            | 0x1193f | 0x11941 | 0x11a3a | 0x11a84..=0x11a89 | 0x11d46 | 0x11f02
    )
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Columns {
    Control,
    Fixed(u16),
    Ambiguous,
}

fn data_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.starts_with('#'))
}

/// The lines of `widths.txt`.
fn widths() -> Vec<(u32, u32, Columns)> {
    let line = |line: &str| {
        let (range, columns) = line.split_once(' ').expect("columns");
        let (first, last) = range.split_once("..").expect("a range");
        let columns = match columns {
            "c" => Columns::Control,
            "a" => Columns::Ambiguous,
            number => Columns::Fixed(number.parse().expect("a number")),
        };
        let scalar = |text| u32::from_str_radix(text, 16).expect("hexadecimal");
        (scalar(first), scalar(last), columns)
    };
    data_lines(WIDTHS).map(line).collect()
}

fn terminal(ambiguous: u8) -> Terminal {
    let mut terminal = Terminal::new(Size { cols: 20, rows: 1 });
    terminal.set_widths(&Widths::new([WidthOverride::Ambiguous(ambiguous)]));
    terminal
}

/// The table is that of the crate, but for the exceptions named above.
#[test]
fn the_table_of_widths_is_that_of_the_crate() {
    let mut next = 0;
    for (first, last, columns) in widths() {
        assert_eq!(first, next, "the table has a hole");
        next = last + 1;
        for c in (first..=last).filter_map(char::from_u32) {
            let expect = match c.width() {
                _ if is_wider(c) => Some(1),
                // KHMER SIGN BEYYAL: no cell is wider.
                Some(3) => Some(2),
                width => width,
            };
            let got = match columns {
                Columns::Control => None,
                Columns::Fixed(columns) => Some(usize::from(columns)),
                Columns::Ambiguous => Some(1),
            };
            assert_eq!(got, expect, "U+{:04X}: run `cargo xtask unicode`", u32::from(c));
        }
    }
    assert_eq!(next, 0x11_0000);
}

/// What the crate's own table for East Asian contexts calls wide is ambiguous here. (It leaves out
/// letters, which no terminal does.)
#[test]
fn ambiguous_widths_include_those_of_the_crate() {
    for (first, last, columns) in widths() {
        for c in (first..=last).filter_map(char::from_u32) {
            let is_wider = c.width() == Some(1) && c.width_cjk() == Some(2);
            if is_wider && !NEUTRAL.contains(&u32::from(c)) {
                assert_eq!(columns, Columns::Ambiguous, "U+{:04X}", u32::from(c));
            }
        }
    }
}

/// Neutral in East Asian width; the crate makes them wide in East Asian contexts for what they are
/// equivalent to or how lines break at them.
const NEUTRAL: &[u32] = &[
    0x387, 0x2150, 0x2151, 0x2152, 0x2155, 0x2156, 0x2157, 0x2158, 0x2159, 0x215a, 0x219a, 0x219b,
    0x21ae, 0x21ce, 0x21cf, 0x2204, 0x2209, 0x220c, 0x2224, 0x2226, 0x2241, 0x2249, 0x2262, 0x2270,
    0x2271, 0x2284, 0x2285, 0x2288, 0x2289, 0x24ea, 0x2574, 0x2616, 0x2617, 0x2780, 0x2781, 0x2782,
    0x2783, 0x2784, 0x2785, 0x2786, 0x2787, 0x2788, 0x2789, 0x278a, 0x278b, 0x278c, 0x278d, 0x278e,
    0x278f, 0x2790, 0x2791, 0x2792, 0x2793, 0x1f10b, 0x1f10c,
];

/// Every character takes the columns of the table, in one piece and byte by byte, in both modes, and
/// whatever is chosen for the ambiguous ones.
#[test]
fn every_character_takes_the_columns_of_the_table() {
    for ambiguous in [1, 2] {
        for is_clustered in [true, false] {
            let mut terminal = terminal(ambiguous);
            terminal.advance(if is_clustered { b"\x1b[?2027h" } else { b"\x1b[?2027l" });
            for (first, last, columns) in widths() {
                let columns = match columns {
                    // Those above 0x7f begin a sequence, which the carriage return does not end.
                    Columns::Control => continue,
                    Columns::Fixed(columns) => columns,
                    Columns::Ambiguous => u16::from(ambiguous),
                };
                for c in (first..=last).filter_map(char::from_u32) {
                    let mut buffer = [0; 4];
                    let bytes = c.encode_utf8(&mut buffer).as_bytes();
                    terminal.advance(b"\r");
                    if is_clustered {
                        bytes.chunks(1).for_each(|byte| terminal.advance(byte));
                    } else {
                        terminal.advance(bytes);
                    }
                    let x = terminal.cursor().x;
                    assert_eq!(x, columns, "U+{:04X}, {ambiguous}, {is_clustered}", u32::from(c));
                }
            }
        }
    }
}

/// A line of `GraphemeBreakTest.txt`: its clusters.
fn clusters(line: &str) -> Vec<Vec<char>> {
    let mut clusters = Vec::new();
    for word in line.split(' ') {
        match word {
            "÷" => clusters.push(Vec::new()),
            "×" => {}
            scalar => {
                let scalar = u32::from_str_radix(scalar, 16).expect("hexadecimal");
                let c = char::from_u32(scalar).expect("a character");
                clusters.last_mut().expect("a line begins with a boundary").push(c);
            }
        }
    }
    assert_eq!(clusters.pop(), Some(Vec::new()), "a line ends in a boundary");
    clusters
}

fn is_zero_width(c: char) -> bool {
    c.width() == Some(0) && !is_wider(c)
}

/// The texts of the cells that a line should fill, with what terminals do otherwise on purpose:
///
/// * Controls are carried out. Those of the data (CR, LF, NUL) end what could be joined, and leave
///   the cursor where it is or at the beginning of the row.
/// * A character of no width goes into the cell before the cursor even if a boundary is between
///   them (a vowel of Hangul after a space, say): it has no cell of its own. At the beginning of a
///   row it is dropped.
fn expected_cells(clusters: &[Vec<char>]) -> Vec<String> {
    let mut cells: Vec<String> = Vec::new();
    for cluster in clusters {
        for (index, &c) in cluster.iter().enumerate() {
            match c {
                '\r' | '\n' | '\0' => cells.clear(),
                _ if is_zero_width(c) => {
                    if let Some(cell) = cells.last_mut() {
                        cell.push(c);
                    }
                }
                _ if index > 0 && !cluster[..index].iter().all(|&c| is_zero_width(c)) => {
                    cells.last_mut().expect("a cluster has begun").push(c);
                }
                _ => cells.push(c.to_string()),
            }
        }
    }
    cells
}

/// The data's text, with a new row for each control: what came before is of no interest.
fn input(clusters: &[Vec<char>]) -> String {
    let text: String = clusters.iter().flatten().collect();
    text.replace(['\r', '\n', '\0'], "\r\n")
}

fn cells(terminal: &Terminal) -> Vec<String> {
    let row = terminal.row(terminal.cursor().y);
    row.cells().take_while(|cell| !cell.is_blank()).map(|cell| cell.text().to_string()).collect()
}

/// All lines of the standard's test, cut at every border of bytes.
#[test]
fn grapheme_clusters_are_those_of_the_standard() {
    let mut count = 0;
    for line in data_lines(BREAKS) {
        let clusters = clusters(line);
        let (text, expect) = (input(&clusters), expected_cells(&clusters));
        let bytes = text.as_bytes();
        for cut in 0..bytes.len() {
            let mut terminal = Terminal::new(Size { cols: 40, rows: 8 });
            terminal.advance(&bytes[..cut]);
            terminal.advance(&bytes[cut..]);
            assert_eq!(cells(&terminal), expect, "{line}, cut at {cut}");
        }
        count += 1;
    }
    assert_eq!(count, 766);
}
