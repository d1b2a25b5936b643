//! What programs print, by kind, as bytes that are the same in every run.

use std::fmt::Write as _;

/// Bytes of each, at least.
const PAYLOAD_BYTES: usize = 1 << 20;

/// A kind of output and what makes it for a screen of so many columns and rows.
pub(crate) type Payload = (&'static str, fn(usize, usize) -> Vec<u8>);

/// The kinds that emulators are compared by.
pub(crate) const PAYLOADS: [Payload; 6] = [
    ("dense_ascii", dense_ascii),
    ("heavy_sgr", heavy_sgr),
    ("cjk_and_emoji", cjk_and_emoji),
    ("cursor_motion", cursor_motion),
    ("scroll_region", scroll_region),
    ("full_screen", full_screen),
];

/// Calls `unit` with 0, 1, 2, ... until there is enough.
pub(crate) fn repeat(mut unit: impl FnMut(usize, &mut String)) -> Vec<u8> {
    let mut text = String::new();
    let mut number = 0;
    while text.len() < PAYLOAD_BYTES {
        unit(number, &mut text);
        number += 1;
    }
    text.into_bytes()
}

/// Lines that fill the screen's width but for one column.
fn dense_ascii(cols: usize, _rows: usize) -> Vec<u8> {
    repeat(|number, text| {
        let start = number % 26;
        text.extend((0..cols - 1).map(|x| char::from(b'a' + ((start + x) % 26) as u8)));
        text.push_str("\r\n");
    })
}

fn heavy_sgr(cols: usize, _rows: usize) -> Vec<u8> {
    repeat(|number, text| {
        for word in 0..cols / 10 {
            let color = (number * 7 + word * 13) % 256;
            let _ =
                write!(text, "\x1b[1;38;5;{color}mword{word}\x1b[0m \x1b[4;3{}mx\x1b[m", word % 8);
        }
        text.push_str("\r\n");
    })
}

fn cjk_and_emoji(cols: usize, _rows: usize) -> Vec<u8> {
    const EMOJI: [&str; 6] = ["😀", "🚀", "❤️", "👩‍💻", "👍🏽", "🇩🇪"];
    repeat(|number, text| {
        for x in 0..cols / 8 {
            let ideographs = (0..2).filter_map(|n| {
                char::from_u32(0x4e00 + ((number * 38 + 2 * x + n) % 20_000) as u32)
            });
            text.extend(ideographs);
            text.push_str(EMOJI[(number + x) % EMOJI.len()]);
            text.push_str(" é");
        }
        text.push_str("\r\n");
    })
}

fn cursor_motion(cols: usize, rows: usize) -> Vec<u8> {
    repeat(|number, text| {
        let (row, col) = (number * 7 % rows + 1, number * 13 % cols + 1);
        let _ = write!(text, "\x1b[{row};{col}H*\x1b[D\x1b[C\x1b[A");
    })
}

/// As an editor or a pager scrolls: a region between a header and a footer, forth and back.
fn scroll_region(cols: usize, rows: usize) -> Vec<u8> {
    repeat(|number, text| {
        let _ = write!(text, "\x1b[2;{}r", rows - 1);
        if number % 4 == 3 {
            let _ = write!(text, "\x1b[2;1H\x1bM{number:>8} back");
        } else {
            let _ = write!(text, "\x1b[{};1H\n{number:>8} ", rows - 1);
            text.extend((0..cols / 2).map(|x| char::from(b'!' + ((number + x) % 90) as u8)));
        }
        text.push_str("\x1b[r");
    })
}

fn full_screen(cols: usize, rows: usize) -> Vec<u8> {
    let mut payload = b"\x1b[?1049h".to_vec();
    payload.extend(repeat(|frame, text| {
        text.push_str("\x1b[H");
        for y in 0..rows {
            let _ = write!(text, "\x1b[{};1H\x1b[7m{:>4}\x1b[27m ", y + 1, frame + y);
            text.extend((0..cols - 10).map(|x| char::from(b' ' + ((frame + x + y) % 90) as u8)));
            text.push_str("\x1b[K");
        }
    }));
    payload
}
