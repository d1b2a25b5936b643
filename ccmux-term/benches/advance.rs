//! How many bytes per second the emulator takes, by kind of output.
//!
//! History is released as the server does, so that lines are encoded but do not gather.

mod payload;

use std::fmt::Write as _;
use std::hint::black_box;

use ccmux_term::{Size, Terminal};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use payload::{PAYLOADS, Payload, repeat};

/// Bytes per call of `advance`.
const CHUNK_BYTES: usize = 64 * 1024;
const SIZES: [Size; 2] = [Size { cols: 80, rows: 24 }, Size { cols: 200, rows: 50 }];

/// Kinds in which no emulator is compared with another.
const MORE: [Payload; 3] =
    [("short_lines", short_lines), ("long_lines", long_lines), ("true_color", true_color)];

fn short_lines(_cols: usize, _rows: usize) -> Vec<u8> {
    repeat(|number, text| {
        let _ = write!(text, "{number}\r\n");
    })
}

fn long_lines(_cols: usize, _rows: usize) -> Vec<u8> {
    repeat(|number, text| {
        text.extend((0..1000).map(|x| char::from(b'!' + ((number + x) % 90) as u8)));
        text.push_str("\r\n");
    })
}

fn true_color(cols: usize, _rows: usize) -> Vec<u8> {
    repeat(|number, text| {
        for x in 0..cols - 1 {
            let (r, g) = ((number * 3 + x) % 256, (number + x * 3) % 256);
            let _ = write!(text, "\x1b[38;2;{r};{g};128;48;2;{g};{r};64m#");
        }
        text.push_str("\x1b[0m\r\n");
    })
}

fn advance(c: &mut Criterion) {
    let mut group = c.benchmark_group("advance");
    for size in SIZES {
        for (name, payload) in PAYLOADS.into_iter().chain(MORE) {
            let payload = payload(usize::from(size.cols), usize::from(size.rows));
            group.throughput(Throughput::Bytes(payload.len() as u64));
            let mut terminal = Terminal::new(size);
            let id = BenchmarkId::new(name, format!("{}x{}", size.cols, size.rows));
            group.bench_function(id, |b| {
                b.iter(|| {
                    for chunk in payload.chunks(CHUNK_BYTES) {
                        terminal.advance(black_box(chunk));
                        terminal.release_history(terminal.history_end());
                    }
                    black_box(terminal.take_events().len())
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, advance);
criterion_main!(benches);
