//! The memory that keeper and server of the search share, and the end of a process between two
//! stores.

use std::cell::RefCell;
use std::rc::Rc;

use super::super::header::Word;
use super::super::memory::{Cells, Memory as _};
use super::memory::{Backing, Small, WORDS, place};

/// Bytes that the ring holds.
pub(super) const CAPACITY: usize = 2;

/// The shared memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Shared {
    words: [u64; WORDS.len()],
    data: [u8; CAPACITY],
    /// Stores that are left to the process at work: it is killed when it has none.
    pub(super) stores_left: u32,
}

/// Where the shared memory of the world at work is.
pub(super) type Handle = Rc<RefCell<Shared>>;

/// The memory of the halves.
pub(super) type Ring = Small<Handle, CAPACITY>;

impl Shared {
    pub(super) fn new() -> Self {
        Self { words: [0; WORDS.len()], data: [0; CAPACITY], stores_left: u32::MAX }
    }

    pub(super) fn word(&self, word: Word) -> u64 {
        self.words[place(word)]
    }

    /// A store, if the process lives to see it.
    fn set(&mut self, change: impl FnOnce(&mut Shared)) {
        if let Some(left) = self.stores_left.checked_sub(1) {
            self.stores_left = left;
            change(self);
        }
    }

    /// Puts bytes at a stream offset, as the kernel does.
    pub(super) fn copy_in(&mut self, offset: u64, bytes: impl Iterator<Item = u8>) {
        for (offset, byte) in (offset..).zip(bytes) {
            self.data[Ring::position(offset)] = byte;
        }
    }

    /// Forgets what nobody reads: bytes that are spooled, and those that the pattern was not laid
    /// over yet. The flag of a keeper that is not there is cleared by the next one.
    pub(super) fn forget_unread(&mut self, has_keeper: bool) {
        let unread = self.word(Word::Spooled)..self.word(Word::Guard);
        for at in 0..CAPACITY {
            if !unread.clone().any(|offset| Ring::position(offset) == at) {
                self.data[at] = 0;
            }
        }
        if !has_keeper {
            self.words[place(Word::KeeperSleeping)] = 0;
        }
    }
}

impl Cells for Handle {
    fn load(&self, word: Word) -> u64 {
        self.borrow().word(word)
    }

    fn store(&self, word: Word, value: u64) {
        self.borrow_mut().set(|shared| shared.words[place(word)] = value);
    }

    fn swap(&self, word: Word, value: u64) -> u64 {
        let old = self.load(word);
        self.store(word, value);
        old
    }

    fn fence(&self) {}
}

impl Backing for Handle {
    fn load_byte(&self, at: usize) -> u8 {
        self.borrow().data[at]
    }

    fn store_byte(&self, at: usize, value: u8) {
        self.borrow_mut().set(|shared| shared.data[at] = value);
    }
}
