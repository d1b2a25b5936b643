//! What lines take in memory.

use super::*;

/// Bytes of memory for each of many lines of 80 columns, with a new time every so many lines.
fn bytes_per_line(every: u64) -> usize {
    const LINES: u64 = 200_000;
    let mut history = History::new();
    for number in 0..LINES {
        let time = LineTime::from_millis(1_700_000_000_000 + number / every * 1000);
        history.push(time, |out| encode_plain(out, [b'x'; 80].into_iter()));
    }
    let block = |block: &Block| block.bytes.capacity() + size_of::<Block>();
    let blocks: usize = history.blocks.iter().map(block).sum();
    (blocks + history.times.memory_bytes()) / LINES as usize
}

#[test]
fn a_plain_line_takes_little_memory() {
    assert!(bytes_per_line(1) <= 130, "a line every second: {}", bytes_per_line(1));
    assert!(bytes_per_line(50) <= 93, "50 lines a second: {}", bytes_per_line(50));
}

/// Lines that are gone take their times with them.
#[test]
fn times_go_with_their_lines() {
    let mut history = History::new();
    for number in 0..10_000 {
        history.push(LineTime::from_millis(number * 1000), |out| {
            encode_plain(out, b"x".iter().copied());
        });
    }
    history.release(u64::MAX);
    assert!(history.times.runs(0..u64::MAX).count() <= RECENT_LINES_MAX);
    assert_eq!(history.times.get(9_999).seconds(), Some(9_999));
    history.clear();
    assert!(history.times.runs(0..u64::MAX).count() <= 1);
}
