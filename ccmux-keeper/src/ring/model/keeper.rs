//! The course of a keeper, step by step: as `keeper::Keeper::hold` and `keeper::pane::Pane::pump`
//! go, with the ring's real operations.

use std::rc::Rc;

use super::super::doorbell::Wake;
use super::super::header::Word;
use super::super::memory::{Cells as _, Memory as _};
use super::super::{ChildEnd, ChildState, KeeperRing};
use super::rules::{Mistake, Rules};
use super::shared::Ring;
use super::world::{StashWord, World};

/// Reads after which a server that sleeps is rung.
const READS_PER_BELL: u8 = 2;

/// What a keeper knows by itself.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Keeper {
    at: At,
    head: u64,
    guard: u64,
    spooled: u64,
    has_ended: bool,
    owes_bell: bool,
    reads: u8,
    is_blocked: bool,
    is_over: bool,
    holds_stash: bool,
}

/// The step that is next.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum At {
    /// Started, with REPLACE in its socket.
    Adopt,
    Hear,
    Vacant,
    Read(usize),
    Publish(usize),
    Sleep,
    Finish,
    Pay,
    Wait,
}

type Half = KeeperRing<Ring>;

impl Keeper {
    pub(super) fn new(ring: &Half) -> Self {
        Self {
            at: At::Wait,
            head: ring.head,
            guard: ring.guard,
            spooled: ring.spooled,
            has_ended: false,
            owes_bell: false,
            reads: 0,
            is_blocked: false,
            is_over: false,
            holds_stash: false,
        }
    }

    /// One that is to go on where another was killed.
    pub(super) fn replacing() -> Self {
        Self {
            at: At::Adopt,
            head: 0,
            guard: 0,
            spooled: 0,
            has_ended: false,
            owes_bell: false,
            reads: 0,
            is_blocked: false,
            is_over: false,
            holds_stash: false,
        }
    }

    /// Whether it listens for servers.
    pub(super) fn is_listening(&self) -> bool {
        self.at != At::Adopt
    }

    pub(super) fn holds_stash(&self) -> bool {
        self.holds_stash
    }

    /// What it held is memory that the server has given up.
    pub(super) fn forget_stash(&mut self) {
        self.holds_stash = false;
    }

    /// Whether its next step depends on what the program has printed.
    pub(super) fn looks_at_pty(&self) -> bool {
        matches!(self.at, At::Adopt | At::Hear | At::Vacant | At::Wait)
    }

    /// Whether nobody can see how soon the next step follows the one at `before`.
    fn is_unseen(&self, before: At) -> bool {
        match (before, self.at) {
            // Who wakes hears at once: it could as well have woken later.
            (At::Wait, At::Hear) => true,
            (_, At::Pay) => !self.owes_bell,
            _ => false,
        }
    }

    /// Forgets what is looked at again before it is used.
    pub(super) fn forget_unread(&mut self) {
        self.spooled = 0;
    }
}

impl World {
    /// Does an operation of the ring's keeper half.
    fn with_keeper<T>(&mut self, keeper: &mut Keeper, act: impl FnOnce(&mut Half) -> T) -> T {
        let handle = self.handle();
        let memory = Ring::new(Rc::clone(&handle));
        let pattern = memory.pattern();
        let Keeper { head, guard, spooled, .. } = *keeper;
        let mut ring = KeeperRing { memory, pattern, head, guard, spooled };
        let result = act(&mut ring);
        (keeper.head, keeper.guard, keeper.spooled) = (ring.head, ring.guard, ring.spooled);
        drop(ring);
        self.take_back(&handle);
        result
    }

    /// Lets the keeper do its next step; `None` if it waits.
    pub(super) fn step_keeper(&mut self, rules: Rules) -> Result<Option<&'static str>, String> {
        let Some(mut keeper) = self.keeper.clone() else { return Ok(None) };
        let label = loop {
            let before = keeper.at;
            let label = self.take_keeper_step(&mut keeper, rules);
            let is_over = !rules.is_reduced || !matches!(label, Ok(Some(_)));
            if is_over || !keeper.is_unseen(before) {
                break label;
            }
        };
        self.keeper = Some(keeper);
        label
    }

    fn take_keeper_step(
        &mut self,
        keeper: &mut Keeper,
        rules: Rules,
    ) -> Result<Option<&'static str>, String> {
        let wrong = |error: super::super::RingError| format!("the keeper finds: {error}");
        let waiting = self.printed - self.read;
        let (label, next) = match keeper.at {
            At::Adopt => {
                self.adopt(keeper, rules)?;
                ("the keeper takes over", self.turn_to_output(keeper))
            }
            At::Hear => {
                self.hear_server(keeper, rules);
                if self.has_exited(rules) && !keeper.has_ended {
                    keeper.has_ended = true;
                    // How it ended makes no difference to any step.
                    self.with_keeper(keeper, |ring| ring.set_ended(ChildEnd::Exited(0)));
                }
                ("the keeper hears", self.turn_to_output(keeper))
            }
            At::Vacant => {
                let len = self.with_keeper(keeper, |ring| ring.vacant().map(|free| free.len()));
                let len = len.map_err(wrong)?;
                let next = match len.min(waiting) {
                    0 if len == 0 => At::Sleep,
                    0 if keeper.has_ended => At::Finish,
                    0 => At::Pay,
                    count if rules.has(Mistake::PublishBeforeReading) => At::Publish(count),
                    count => At::Read(count),
                };
                ("the keeper looks for room", next)
            }
            At::Read(count) => {
                let is_late = rules.has(Mistake::PublishBeforeReading);
                let head = keeper.head - if is_late { count as u64 } else { 0 };
                self.copy_in(head, count);
                ("the keeper reads", if is_late { At::Vacant } else { At::Publish(count) })
            }
            At::Publish(count) => {
                let wake = self.with_keeper(keeper, |ring| ring.publish(count));
                keeper.owes_bell |= wake == Wake::Ring;
                keeper.reads = (keeper.reads + 1) % READS_PER_BELL;
                if keeper.reads == 0 && std::mem::take(&mut keeper.owes_bell) {
                    self.ring_server();
                }
                let is_early = rules.has(Mistake::PublishBeforeReading);
                ("the keeper publishes", if is_early { At::Read(count) } else { At::Vacant })
            }
            At::Sleep => {
                let may_sleep = self.with_keeper(keeper, KeeperRing::sleep_while_full);
                let is_blind = rules.has(Mistake::KeeperSleepsBlindly);
                keeper.is_blocked = may_sleep.map_err(wrong)? || is_blind;
                if is_blind {
                    self.set_word(Word::KeeperSleeping, 1);
                }
                ("the keeper waits for room", if keeper.is_blocked { At::Pay } else { At::Vacant })
            }
            At::Finish => {
                let wake = self.with_keeper(keeper, KeeperRing::set_drained);
                keeper.owes_bell |= wake == Wake::Ring;
                keeper.is_over = true;
                ("the keeper has drained the pty", At::Pay)
            }
            At::Pay => {
                let is_forgotten = rules.has(Mistake::BellForgotten) && keeper.is_blocked;
                if !is_forgotten && std::mem::take(&mut keeper.owes_bell) {
                    self.ring_server();
                }
                ("the keeper rings if need be", At::Wait)
            }
            At::Wait => {
                let has_output = waiting > 0 && !keeper.is_blocked && !keeper.is_over;
                let has_end = self.has_exited(rules) && !keeper.has_ended;
                if !self.to_keeper.has_news() && !has_output && !has_end {
                    return Ok(None);
                }
                ("the keeper wakes", At::Hear)
            }
        };
        keeper.at = next;
        Ok(Some(label))
    }

    /// Moves output if there may be some.
    fn turn_to_output(&self, keeper: &mut Keeper) -> At {
        let has_output = keeper.is_blocked || self.printed > self.read;
        if keeper.is_over || !(keeper.has_ended || has_output) {
            return At::Pay;
        }
        (keeper.reads, keeper.is_blocked) = (0, false);
        At::Vacant
    }

    /// Takes what the server sent; a new one is told READY.
    fn hear_server(&mut self, keeper: &mut Keeper, rules: Rules) {
        let heard = std::mem::take(&mut self.to_keeper);
        let is_lost = heard.frame && rules.has(Mistake::LastWordsUnheard);
        if let Some(word) = heard.stash.filter(|_| !is_lost) {
            keeper.holds_stash = word == StashWord::Hold;
        }
        if heard.frame {
            self.is_accepted = true;
            self.to_server.frame = true;
            self.to_server.stash = keeper.holds_stash.then_some(StashWord::Hold);
            self.ring_server();
        }
    }

    fn adopt(&mut self, keeper: &mut Keeper, rules: Rules) -> Result<(), String> {
        let handle = self.handle();
        if rules.has(Mistake::NoPattern) {
            handle.store(Word::Guard, handle.load(Word::Head));
        }
        let ring = KeeperRing::resume(Ring::new(Rc::clone(&handle)));
        let ring = ring.map_err(|error| format!("a new keeper finds: {error}"))?;
        let is_over = ring.is_drained();
        let has_ended = matches!(ring.child_state(), Ok(ChildState::Ended(_)));
        *keeper = Keeper { has_ended, is_over, ..Keeper::new(&ring) };
        drop(ring);
        self.take_back(&handle);
        self.is_accepted = self.server.is_some() && !self.to_keeper.is_closed;
        self.to_server.frame |= self.is_accepted;
        self.ring_server();
        Ok(())
    }

    fn set_word(&mut self, word: Word, value: u64) {
        let handle = self.handle();
        handle.store(word, value);
        self.take_back(&handle);
    }
}
