//! How many bytes per second the emulator takes, by kind of output.
//!
//! History is released as the server does, so that lines are encoded but do not gather.

use std::fmt::Write as _;
use std::hint::black_box;

use ccmux_term::{Size, Terminal};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Bytes per payload.
const PAYLOAD_BYTES: usize = 1 << 20;
/// A name and what makes the bytes.
type Payload = (&'static str, fn() -> Vec<u8>);

/// Bytes per call of `advance`.
const CHUNK_BYTES: usize = 64 * 1024;

fn repeat(mut line: impl FnMut(usize, &mut String)) -> Vec<u8> {
    let mut text = String::new();
    let mut number = 0;
    while text.len() < PAYLOAD_BYTES {
        line(number, &mut text);
        number += 1;
    }
    text.into_bytes()
}

fn dense_ascii() -> Vec<u8> {
    repeat(|number, text| {
        let start = number % 26;
        text.extend((0..79).map(|x| char::from(b'a' + ((start + x) % 26) as u8)));
        text.push_str("\r\n");
    })
}

fn short_lines() -> Vec<u8> {
    repeat(|number, text| {
        let _ = write!(text, "{number}\r\n");
    })
}

fn long_lines() -> Vec<u8> {
    repeat(|number, text| {
        text.extend((0..1000).map(|x| char::from(b'!' + ((number + x) % 90) as u8)));
        text.push_str("\r\n");
    })
}

fn heavy_sgr() -> Vec<u8> {
    repeat(|number, text| {
        for word in 0..8 {
            let color = (number * 7 + word * 13) % 256;
            let _ =
                write!(text, "\x1b[1;38;5;{color}mword{word}\x1b[0m \x1b[4;3{}mx\x1b[m", word % 8);
        }
        text.push_str("\r\n");
    })
}

fn true_color() -> Vec<u8> {
    repeat(|number, text| {
        for x in 0..79 {
            let (r, g) = ((number * 3 + x) % 256, (number + x * 3) % 256);
            let _ = write!(text, "\x1b[38;2;{r};{g};128;48;2;{g};{r};64m#");
        }
        text.push_str("\x1b[0m\r\n");
    })
}

fn cjk() -> Vec<u8> {
    repeat(|number, text| {
        text.extend(
            (0..38).filter_map(|x| char::from_u32(0x4e00 + (number * 38 + x) as u32 % 20000)),
        );
        text.push_str("\r\n");
    })
}

fn emoji() -> Vec<u8> {
    const EMOJI: [&str; 6] = ["😀", "🚀", "❤️", "👩‍💻", "👍🏽", "🇩🇪"];
    repeat(|number, text| {
        for x in 0..20 {
            text.push_str(EMOJI[(number + x) % EMOJI.len()]);
            text.push_str(" é");
        }
        text.push_str("\r\n");
    })
}

fn full_screen() -> Vec<u8> {
    let mut payload = b"\x1b[?1049h".to_vec();
    payload.extend(repeat(|frame, text| {
        text.push_str("\x1b[H");
        for y in 0..24 {
            let _ = write!(text, "\x1b[{};1H\x1b[7m{:>4}\x1b[27m ", y + 1, frame + y);
            text.extend((0..70).map(|x| char::from(b' ' + ((frame + x + y) % 90) as u8)));
            text.push_str("\x1b[K");
        }
    }));
    payload
}

fn cursor_motion() -> Vec<u8> {
    repeat(|number, text| {
        let (row, col) = (number * 7 % 24 + 1, number * 13 % 80 + 1);
        let _ = write!(text, "\x1b[{row};{col}H*\x1b[D\x1b[C\x1b[A");
    })
}

fn advance(c: &mut Criterion) {
    let payloads: [Payload; 9] = [
        ("dense_ascii", dense_ascii),
        ("short_lines", short_lines),
        ("long_lines", long_lines),
        ("heavy_sgr", heavy_sgr),
        ("true_color", true_color),
        ("cjk", cjk),
        ("emoji", emoji),
        ("full_screen", full_screen),
        ("cursor_motion", cursor_motion),
    ];
    let mut group = c.benchmark_group("advance");
    for (name, payload) in payloads {
        let payload = payload();
        group.throughput(Throughput::Bytes(payload.len() as u64));
        let mut terminal = Terminal::new(Size { cols: 80, rows: 24 });
        group.bench_function(name, |b| {
            b.iter(|| {
                for chunk in payload.chunks(CHUNK_BYTES) {
                    terminal.advance(black_box(chunk));
                    terminal.release_history(terminal.history_end());
                }
                black_box(terminal.take_events().len())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, advance);
criterion_main!(benches);
