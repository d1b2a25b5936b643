//! Memory of a few bytes for the halves of a ring: its rounds are what matters, not its size.

use std::cell::RefCell;

use super::super::header::{PATTERN_BYTES, Word};
use super::super::memory::{Cells, Memory};

/// The words that the model has.
pub(super) const WORDS: [Word; 9] = [
    Word::Head,
    Word::Guard,
    Word::Doubt,
    Word::KeeperSleeping,
    Word::ChildState,
    Word::Drained,
    Word::Spooled,
    Word::Answered,
    Word::ServerSleeping,
];

/// A byte that no program of the model prints.
const PATTERN: u8 = 0xf5;

/// Where a word is among [`WORDS`].
pub(super) fn place(word: Word) -> usize {
    WORDS.iter().position(|known| *known == word).expect("a word of the model")
}

/// Single words and bytes, which each model keeps in its own way.
pub(super) trait Backing: Cells {
    fn load_byte(&self, at: usize) -> u8;
    fn store_byte(&self, at: usize, value: u8);
}

/// Memory for a half: hands out bytes for writing, and lets the others see them at the latest when
/// this side stores its next word. That is as late as plain writes may come.
#[derive(Debug)]
pub(super) struct Small<B, const CAPACITY: usize> {
    backing: B,
    /// Position and contents of the bytes handed out.
    span: RefCell<(usize, Vec<u8>)>,
}

impl<B: Backing, const CAPACITY: usize> Small<B, CAPACITY> {
    pub(super) fn new(backing: B) -> Self {
        Self { backing, span: RefCell::default() }
    }

    fn flush(&self) {
        let (at, bytes) = std::mem::take(&mut *self.span.borrow_mut());
        for (at, byte) in (at..).zip(bytes) {
            if self.backing.load_byte(at) != byte {
                self.backing.store_byte(at, byte);
            }
        }
    }
}

impl<B: Backing, const CAPACITY: usize> Cells for Small<B, CAPACITY> {
    fn load(&self, word: Word) -> u64 {
        self.backing.load(word)
    }

    fn store(&self, word: Word, value: u64) {
        self.flush();
        self.backing.store(word, value);
    }

    fn swap(&self, word: Word, value: u64) -> u64 {
        self.flush();
        self.backing.swap(word, value)
    }

    fn fence(&self) {
        self.flush();
        self.backing.fence();
    }
}

impl<B: Backing, const CAPACITY: usize> Memory for Small<B, CAPACITY> {
    const CAPACITY: usize = CAPACITY;

    fn pattern(&self) -> [u8; PATTERN_BYTES] {
        [PATTERN; PATTERN_BYTES]
    }

    fn copy_out(&self, offset: u64, len: usize, out: &mut Vec<u8>) {
        let places = (offset..).take(len).map(Self::position);
        out.extend(places.map(|at| self.backing.load_byte(at)));
    }

    fn bytes_mut(&mut self, offset: u64, len: usize) -> &mut [u8] {
        self.flush();
        let start = Self::position(offset);
        assert!(len <= CAPACITY - start, "a span crosses the end of the ring");
        let bytes = (start..start + len).map(|at| self.backing.load_byte(at)).collect();
        let span = self.span.get_mut();
        *span = (start, bytes);
        &mut span.1
    }
}
