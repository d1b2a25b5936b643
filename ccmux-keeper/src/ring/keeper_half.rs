//! The writing half of a ring.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::doorbell::{Wake, fall_asleep, publish};
use super::header::{PATTERN_BYTES, Word, pack_child_state, unpack_child_state};
use super::mapping::Mapping;
use super::memory::{Cells, Memory};
use super::{ChildEnd, ChildState, OFFSET_MAX, READ_BYTES_MAX, RingError, check};

/// The keeper's end: takes bytes from the pty, publishes them and the program's state.
///
/// There is one at a time; the `alive` lock sees to that.
#[derive(Debug)]
pub struct KeeperRing<M = Mapping> {
    pub(super) memory: M,
    pub(super) pattern: [u8; PATTERN_BYTES],
    pub(super) head: u64,
    pub(super) guard: u64,
    pub(super) spooled: u64,
}

impl KeeperRing {
    /// Makes a new, empty ring whose first byte will have the stream offset `start`.
    pub fn create(start: u64) -> Result<KeeperRing, RingError> {
        let start = check("stream offset", start, 0, OFFSET_MAX)?;
        Ok(KeeperRing::begin(Mapping::create()?, start))
    }

    /// Continues the ring of a keeper that was killed.
    ///
    /// Bytes the dead keeper had read but not published are found by the missing guard pattern
    /// (R2) and published. The pattern consists of bytes that UTF-8 never contains, so for text
    /// the result is exact. Where such bytes are among those found, output that ended in the
    /// pattern's very bytes cannot be told from the pattern: the place is then marked in doubt
    /// ([`ServerRing::doubt`](super::ServerRing::doubt)).
    pub fn adopt(file: OwnedFd) -> Result<KeeperRing, RingError> {
        let mapping = Mapping::open(file)?;
        mapping.populate().map_err(|source| RingError::Map { step: "populate it", source })?;
        KeeperRing::resume(mapping)
    }
}

impl<M: Memory> KeeperRing<M> {
    /// An empty ring in fresh memory.
    pub(super) fn begin(memory: M, start: u64) -> KeeperRing<M> {
        for word in [Word::Guard, Word::Head, Word::Spooled, Word::Answered] {
            memory.store(word, start);
        }
        let pattern = memory.pattern();
        KeeperRing { memory, pattern, head: start, guard: start, spooled: start }
    }

    /// The ring that another keeper left in `memory`.
    pub(super) fn resume(memory: M) -> Result<KeeperRing<M>, RingError> {
        let capacity = M::CAPACITY as u64;
        let spooled = check("spooled", memory.load(Word::Spooled), 0, OFFSET_MAX)?;
        let most = spooled + capacity;
        let head = check("head", memory.load(Word::Head), spooled, most)?;
        let most = most.min(head + READ_BYTES_MAX as u64);
        let most = most.min(head + (M::CAPACITY - M::position(head)) as u64);
        let guard = check("guard", memory.load(Word::Guard), head, most)?;
        let pattern = memory.pattern();
        let mut ring = KeeperRing { memory, pattern, head, guard, spooled };
        ring.memory.store(Word::KeeperSleeping, 0);
        ring.publish_leftovers();
        Ok(ring)
    }

    /// The offset after the last published byte.
    pub fn head(&self) -> u64 {
        self.head
    }

    /// The free bytes into which the next read of the pty may go; empty when the ring is full.
    pub fn vacant(&mut self) -> Result<&mut [u8], RingError> {
        self.refresh_spooled()?;
        let room = M::CAPACITY - (self.head - self.spooled) as usize;
        let len = room.min(READ_BYTES_MAX).min(M::CAPACITY - M::position(self.head));
        let end = self.head + len as u64;
        if self.guard < end {
            let from = self.guard;
            let fresh = self.memory.bytes_mut(from, (end - from) as usize);
            lay_pattern(fresh, &self.pattern, M::position(from) % PATTERN_BYTES);
            self.guard = end;
            self.memory.store(Word::Guard, end);
        }
        Ok(self.memory.bytes_mut(self.head, len))
    }

    /// Publishes the first `len` of the [`vacant`](Self::vacant) bytes.
    pub fn publish(&mut self, len: usize) -> Wake {
        assert!(len as u64 <= self.guard - self.head, "BUG: published more than was vacant");
        self.head += len as u64;
        publish(&self.memory, Word::Head, self.head, Word::ServerSleeping)
    }

    /// Declares that the keeper will wait for room; false if there is some already.
    pub fn sleep_while_full(&mut self) -> Result<bool, RingError> {
        let (head, memory) = (self.head, &self.memory);
        let known = self.spooled;
        fall_asleep(memory, Word::KeeperSleeping, || {
            let spooled = check("spooled", memory.load(Word::Spooled), known, head)?;
            Ok(head - spooled == M::CAPACITY as u64)
        })
    }

    /// What was last recorded of the program, by this keeper or the one before it.
    pub fn child_state(&self) -> Result<ChildState, RingError> {
        read_child_state(&self.memory)
    }

    /// Records the running program.
    pub fn set_running(&mut self, pid: u32) {
        self.memory.store(Word::ChildPid, pid.into());
        self.memory.store(Word::ChildState, pack_child_state(ChildState::Running));
    }

    /// Records how the program ended; output may still be on its way.
    pub fn set_ended(&mut self, end: ChildEnd) {
        self.memory.store(Word::ChildState, pack_child_state(ChildState::Ended(end)));
    }

    /// Declares that no byte will follow the present head.
    pub fn set_drained(&mut self) -> Wake {
        publish(&self.memory, Word::Drained, 1, Word::ServerSleeping)
    }

    /// Whether [`set_drained`](Self::set_drained) was called, by this keeper or the one before it.
    pub fn is_drained(&self) -> bool {
        self.memory.load(Word::Drained) != 0
    }

    fn refresh_spooled(&mut self) -> Result<(), RingError> {
        self.spooled = check("spooled", self.memory.load(Word::Spooled), self.spooled, self.head)?;
        Ok(())
    }

    /// Publishes what was read before the previous keeper died, see [`adopt`](Self::adopt).
    fn publish_leftovers(&mut self) {
        let len = (self.guard - self.head) as usize;
        let phase = M::position(self.head) % PATTERN_BYTES;
        let pattern = self.pattern;
        let flight = self.memory.bytes_mut(self.head, len);
        let found = flight
            .iter()
            .enumerate()
            .rposition(|(index, byte)| *byte != pattern[(phase + index) % PATTERN_BYTES])
            .map_or(0, |last| last + 1);
        let doubtful = flight[..found].iter().any(|byte| never_in_utf8(*byte));
        self.head += found as u64;
        if doubtful {
            // Before the head: whoever sees the bytes sees the doubt.
            self.memory.store(Word::Doubt, self.head + 1);
        }
        self.memory.store(Word::Head, self.head);
    }
}

impl AsFd for KeeperRing {
    /// The memory-backed file, to hand over.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.memory.file().as_fd()
    }
}

pub(super) fn read_child_state(memory: &impl Cells) -> Result<ChildState, RingError> {
    let word = memory.load(Word::ChildState);
    unpack_child_state(word).ok_or(RingError::Corrupt {
        field: "child state",
        found: word,
        least: 0,
        most: 4,
    })
}

fn never_in_utf8(byte: u8) -> bool {
    matches!(byte, 0xc0 | 0xc1 | 0xf5..)
}

/// Fills `span` with the pattern, beginning at the pattern's byte `phase`.
fn lay_pattern(span: &mut [u8], pattern: &[u8; PATTERN_BYTES], phase: usize) {
    let (head, rest) = span.split_at_mut(span.len().min(PATTERN_BYTES - phase));
    head.copy_from_slice(&pattern[phase..phase + head.len()]);
    for chunk in rest.chunks_mut(PATTERN_BYTES) {
        chunk.copy_from_slice(&pattern[..chunk.len()]);
    }
}
