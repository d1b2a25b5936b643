//! Every interleaving of the doorbell protocol, with store buffers.
//!
//! The code under test is the real one; only the memory is a model. Each side is a function whose
//! course depends on nothing but the results of its operations, so a state of the search is the
//! memory plus each side's results so far: to find a side's next operation, it is run again from
//! its start with those results, and stops listening after the first new one.

use std::cell::Cell;
use std::collections::HashSet;

use super::super::header::Word;
use super::super::memory::Cells;
use super::{Wake, fall_asleep, publish};

/// Bytes to transfer through a ring that holds one.
const TOTAL: u64 = 2;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Op {
    Load(Word),
    Store(Word, u64),
    Swap(Word, u64),
    Fence,
    /// Ring the other side.
    Ring,
    /// Wait for the other side's bell.
    Wait,
}

/// One side's view: results so far, then one new operation, then nothing any more.
struct Replay<'a> {
    results: &'a [u64],
    next: Cell<usize>,
    wanted: Cell<Option<Op>>,
}

impl Replay<'_> {
    fn op(&self, op: Op) -> u64 {
        if let Some(result) = self.results.get(self.next.get()) {
            self.next.set(self.next.get() + 1);
            return *result;
        }
        if self.wanted.get().is_none() {
            self.wanted.set(Some(op));
        }
        0
    }

    fn has_stopped(&self) -> bool {
        self.wanted.get().is_some()
    }

    fn ring_if(&self, wake: Wake) {
        if wake == Wake::Ring {
            self.op(Op::Ring);
        }
    }
}

impl Cells for Replay<'_> {
    fn load(&self, word: Word) -> u64 {
        self.op(Op::Load(word))
    }
    fn store(&self, word: Word, value: u64) {
        self.op(Op::Store(word, value));
    }
    fn swap(&self, word: Word, value: u64) -> u64 {
        self.op(Op::Swap(word, value))
    }
    fn fence(&self) {
        self.op(Op::Fence);
    }
}

/// As the keeper does: publish while there is room, else sleep.
fn keeper(cells: &Replay<'_>) {
    let mut head = 0;
    while head < TOTAL && !cells.has_stopped() {
        if cells.load(Word::Spooled) == head {
            head += 1;
            cells.ring_if(publish(cells, Word::Head, head, Word::ServerSleeping));
        } else if fall_asleep(cells, Word::KeeperSleeping, || {
            Ok::<_, ()>(cells.load(Word::Spooled) != head)
        }) == Ok(true)
        {
            cells.op(Op::Wait);
        }
    }
}

/// As the server does: take what is there, else sleep.
fn server(cells: &Replay<'_>) {
    let mut seen = 0;
    while seen < TOTAL && !cells.has_stopped() {
        let head = cells.load(Word::Head);
        if head > seen {
            seen = head;
            cells.ring_if(publish(cells, Word::Spooled, seen, Word::KeeperSleeping));
        } else if fall_asleep(cells, Word::ServerSleeping, || {
            Ok::<_, ()>(cells.load(Word::Head) == seen)
        }) == Ok(true)
        {
            cells.op(Op::Wait);
        }
    }
}

const SIDES: [fn(&Replay<'_>); 2] = [keeper, server];

#[derive(Clone, PartialEq, Eq, Hash, Default)]
struct World {
    memory: [u64; 4],
    sides: [Side; 2],
}

#[derive(Clone, PartialEq, Eq, Hash, Default)]
struct Side {
    results: Vec<u64>,
    /// Stores the other side does not see yet, oldest first.
    buffer: Vec<(usize, u64)>,
    has_bell: bool,
}

fn place(word: Word) -> usize {
    match word {
        Word::Head => 0,
        Word::Spooled => 1,
        Word::KeeperSleeping => 2,
        Word::ServerSleeping => 3,
        other => panic!("{other:?} is no part of the protocol"),
    }
}

impl World {
    fn wanted(&self, side: usize) -> Option<Op> {
        let results = &self.sides[side].results;
        let replay = Replay { results, next: Cell::new(0), wanted: Cell::new(None) };
        SIDES[side](&replay);
        replay.wanted.get()
    }

    fn drain_oldest(&mut self, side: usize) {
        let (at, value) = self.sides[side].buffer.remove(0);
        self.memory[at] = value;
    }

    fn drain(&mut self, side: usize) {
        while !self.sides[side].buffer.is_empty() {
            self.drain_oldest(side);
        }
    }

    /// Performs `op`; false if it has to wait.
    fn perform(&mut self, side: usize, op: Op, with_fences: bool) -> bool {
        let mut result = 0;
        match op {
            Op::Load(word) => {
                let own = self.sides[side].buffer.iter().rev().find(|store| store.0 == place(word));
                result = own.map_or_else(|| self.memory[place(word)], |store| store.1);
            }
            Op::Store(word, value) => self.sides[side].buffer.push((place(word), value)),
            Op::Swap(word, value) => {
                self.drain(side);
                result = std::mem::replace(&mut self.memory[place(word)], value);
            }
            Op::Fence if with_fences => self.drain(side),
            Op::Fence => {}
            Op::Ring => {
                // The kernel's locks order what came before the bell before its arrival.
                self.drain(side);
                self.sides[1 - side].has_bell = true;
            }
            Op::Wait => {
                if !std::mem::take(&mut self.sides[side].has_bell) {
                    return false;
                }
            }
        }
        self.sides[side].results.push(result);
        true
    }
}

/// Searches all interleavings; the number of states, or `Err` if one leaves a side asleep.
fn search(with_fences: bool) -> Result<usize, String> {
    let mut known = HashSet::new();
    let mut open = vec![World::default()];
    while let Some(world) = open.pop() {
        if !known.insert(world.clone()) {
            continue;
        }
        let wanted = [world.wanted(0), world.wanted(1)];
        let mut successors = Vec::new();
        for (side, op) in wanted.into_iter().enumerate() {
            if let Some(op) = op {
                let mut next = world.clone();
                if next.perform(side, op, with_fences) {
                    successors.push(next);
                }
            }
            if !world.sides[side].buffer.is_empty() {
                let mut next = world.clone();
                next.drain_oldest(side);
                successors.push(next);
            }
        }
        if successors.is_empty() && wanted != [None, None] {
            return Err(format!("asleep for ever: {wanted:?}"));
        }
        open.extend(successors);
    }
    Ok(known.len())
}

/// Goal: R3. Method: the keeper moves two bytes through a ring that holds one, so that both
/// sides fall asleep and ring; in no interleaving does one sleep for ever.
#[test]
fn no_interleaving_loses_a_wake_up() {
    let states = search(true).unwrap();
    assert!(states > 1_000, "only {states} states: the search does not search");
}

/// The search can fail: without the fences both sides may miss each other.
#[test]
fn without_fences_a_wake_up_is_lost() {
    let error = search(false).unwrap_err();
    assert!(error.contains("asleep for ever"), "{error}");
}
