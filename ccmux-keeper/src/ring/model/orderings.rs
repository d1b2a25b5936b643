//! Whether the orderings in `memory` suffice: loom runs both halves with every value that a load
//! may return where nothing orders it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use loom::model::Builder;
use loom::sync::Notify;
use loom::sync::atomic::{AtomicU8, AtomicU64, Ordering, fence};
use loom::thread;

use super::super::doorbell::Wake;
use super::super::header::Word;
use super::super::memory::{Cells, FENCE, LOAD, STORE, SWAP};
use super::super::{ChildEnd, KeeperRing, ServerRing};
use super::memory::{Backing, Small, WORDS, place};

/// Bytes that the ring holds: the fewest, so that each is overwritten soon.
const CAPACITY: usize = 1;

/// Bytes that go through it.
const TOTAL: u8 = 2;

/// How the shared words are accessed.
#[derive(Clone, Copy, Debug)]
struct Orderings {
    load: Ordering,
    store: Ordering,
    fence: Ordering,
}

/// As `memory` has it.
const REAL: Orderings = Orderings { load: LOAD, store: STORE, fence: FENCE };

/// Shared memory in which nothing is ordered but by the words' orderings.
struct Shared {
    words: [AtomicU64; WORDS.len()],
    bytes: [AtomicU8; CAPACITY],
    orderings: Orderings,
}

impl Cells for Arc<Shared> {
    fn load(&self, word: Word) -> u64 {
        self.words[place(word)].load(self.orderings.load)
    }

    fn store(&self, word: Word, value: u64) {
        self.words[place(word)].store(value, self.orderings.store);
    }

    fn swap(&self, word: Word, value: u64) -> u64 {
        self.words[place(word)].swap(value, SWAP)
    }

    fn fence(&self) {
        fence(self.orderings.fence);
    }
}

impl Backing for Arc<Shared> {
    fn load_byte(&self, at: usize) -> u8 {
        self.bytes[at].load(Ordering::Relaxed)
    }

    fn store_byte(&self, at: usize, value: u8) {
        self.bytes[at].store(value, Ordering::Relaxed);
    }
}

type Ring = Small<Arc<Shared>, CAPACITY>;

/// The byte at an offset of the output.
fn output(offset: u8) -> u8 {
    b'a' + offset
}

/// As the keeper does: read and publish while there is room, else wait for it; then the end.
fn keep(mut ring: KeeperRing<Ring>, room: &Notify, news: &Notify) {
    let mut printed = 0;
    while printed < TOTAL {
        let vacant = ring.vacant().unwrap();
        if let Some(byte) = vacant.first_mut() {
            *byte = output(printed);
            printed += 1;
            if ring.publish(1) == Wake::Ring {
                news.notify();
            }
        } else if ring.sleep_while_full().unwrap() {
            room.wait();
        }
    }
    ring.set_ended(ChildEnd::Exited(0));
    if ring.set_drained() == Wake::Ring {
        news.notify();
    }
}

/// As the server does: take and give free while there are bytes, else look for the end, else wait.
fn serve(mut ring: ServerRing<Ring>, room: &Notify, news: &Notify) {
    let mut seen = 0;
    loop {
        let mut bytes = Vec::new();
        ring.copy_from(seen, usize::MAX, &mut bytes).unwrap();
        for byte in &bytes {
            assert_eq!(*byte, output(seen as u8), "at offset {seen}");
            seen += 1;
        }
        if !bytes.is_empty() {
            if ring.set_spooled(seen).unwrap() == Wake::Ring {
                room.notify();
            }
        } else if let Some(end) = ring.end_after(seen).unwrap() {
            assert_eq!((seen, end), (u64::from(TOTAL), ChildEnd::Exited(0)));
            return;
        } else if ring.arm_bell(seen).unwrap() {
            news.wait();
        }
    }
}

fn check(orderings: Orderings) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(move || {
        let words = std::array::from_fn(|_| AtomicU64::new(0));
        let bytes = std::array::from_fn(|_| AtomicU8::new(0));
        let shared = Arc::new(Shared { words, bytes, orderings });
        let keeper = KeeperRing::begin(Ring::new(Arc::clone(&shared)), 0);
        let server = ServerRing::attach(Ring::new(shared)).unwrap();
        let bells = Arc::new((Notify::new(), Notify::new()));
        let theirs = Arc::clone(&bells);
        let keeper = thread::spawn(move || keep(keeper, &theirs.0, &theirs.1));
        serve(server, &bells.0, &bells.1);
        keeper.join().unwrap();
    });
}

/// Goal: R1 and R3 on any processor. Method: two bytes go through a ring that holds one, with the
/// real orderings; each arrives as it was printed, both sides come to their end, and the end of the
/// program is seen after the last byte.
#[test]
fn no_processor_loses_a_byte_or_a_wake_up() {
    check(REAL);
}

/// Each of the orderings is needed, and loom sees it.
#[test]
fn weaker_orderings_are_seen_to_fail() {
    for (orderings, harm) in [
        (Orderings { load: Ordering::Relaxed, ..REAL }, "drained"),
        (Orderings { store: Ordering::Relaxed, ..REAL }, "drained"),
        (Orderings { fence: Ordering::AcqRel, ..REAL }, "deadlock"),
    ] {
        let panic = catch_unwind(AssertUnwindSafe(|| check(orderings))).expect_err(harm);
        let message = panic.downcast_ref::<String>().expect("a message");
        assert!(message.contains(harm), "{orderings:?}: {message}");
    }
}
