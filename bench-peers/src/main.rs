//! ccmux's emulator beside others, in one run: bytes a second, and memory of a line of history.
//!
//! Prints one JSON object a line: `what`, `peer`, `value`. Throughput is in megabytes a second of
//! processor time of one thread, because a machine does other things too; each is the median of
//! rounds in which all peers take their turn. `cargo xtask bench emulator` makes a table of it.

mod memory;
#[path = "../../ccmux-term/benches/payload/mod.rs"]
mod payload;
mod peer;

use std::hint::black_box;

use peer::{PEERS, Peer};
use rustix::time::{ClockId, clock_gettime};

/// How often every peer takes its turn.
const ROUNDS: usize = 7;
/// Seconds of processor time of one turn, at least.
const TURN: f64 = 0.1;
/// Bytes that an emulator is given at once.
const CHUNK_BYTES: usize = 64 * 1024;
/// Columns and rows.
const SIZES: [(u16, u16); 2] = [(80, 24), (200, 50)];

fn main() -> anyhow::Result<()> {
    for (cols, rows) in SIZES {
        for (name, make) in payload::PAYLOADS {
            let text = String::from_utf8(make(cols.into(), rows.into()))?;
            let chunks = chunks(&text);
            let mut rates = [const { Vec::new() }; PEERS.len()];
            for _ in 0..ROUNDS {
                for (make, rates) in PEERS.iter().zip(&mut rates) {
                    rates.push(rate(&mut *make(cols, rows), &chunks));
                }
            }
            let what = format!("{name} {cols}x{rows}");
            for (make, mut rates) in PEERS.iter().zip(rates) {
                rates.sort_by(f64::total_cmp);
                print(&what, make(cols, rows).name(), rates[ROUNDS / 2]);
            }
        }
    }
    for make in PEERS {
        let (name, bytes) = memory::of_line(make);
        print("history_line", name, bytes);
    }
    Ok(())
}

fn print(what: &str, peer: &str, value: f64) {
    println!("{}", serde_json::json!({ "what": what, "peer": peer, "value": value }));
}

/// The text in pieces that end between characters: one of the peers takes no others.
fn chunks(mut text: &str) -> Vec<&str> {
    let mut chunks = Vec::new();
    while !text.is_empty() {
        let (chunk, rest) = text.split_at(text.floor_char_boundary(CHUNK_BYTES));
        chunks.push(chunk);
        text = rest;
    }
    chunks
}

/// Megabytes a second of processor time, once the emulator has warmed up.
fn rate(peer: &mut dyn Peer, chunks: &[&str]) -> f64 {
    let mut pass = || {
        for chunk in chunks {
            peer.advance(black_box(chunk));
        }
        chunks.iter().map(|chunk| chunk.len()).sum::<usize>()
    };
    pass();
    let (start, mut bytes) = (processor_time(), 0);
    loop {
        bytes += pass();
        let time = processor_time() - start;
        if time >= TURN {
            return bytes as f64 / 1e6 / time;
        }
    }
}

/// Seconds that this thread has had of a processor.
fn processor_time() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}
