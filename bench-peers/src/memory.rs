//! How much memory an emulator takes for a line of history: what it has allocated, counted.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::peer::{Make, Peer};

/// Lines printed into the history.
const LINES: usize = 9_000;

/// Bytes that are allocated.
static LIVE: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: everything is passed on to the system's allocator; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: as promised by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as promised by the caller.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The peer's name, and its bytes per line of 79 plain characters on a screen of 80 columns.
pub fn of_line(make: Make) -> (&'static str, f64) {
    let mut peer = make(80, 24);
    // The screen itself is not counted.
    print_lines(&mut *peer, 100);
    let before = LIVE.load(Ordering::Relaxed);
    print_lines(&mut *peer, LINES);
    let bytes = LIVE.load(Ordering::Relaxed).saturating_sub(before);
    (peer.name(), bytes as f64 / LINES as f64)
}

fn print_lines(peer: &mut dyn Peer, lines: usize) {
    for n in 0..lines {
        let line: String =
            (0..79).map(|x| char::from(b'!' + ((n * 31 + x * 7) % 90) as u8)).collect();
        peer.advance(&format!("{line}\r\n"));
    }
}
