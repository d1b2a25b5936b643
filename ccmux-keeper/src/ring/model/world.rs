//! What there is: a program on a pty, a keeper, a server, their socket, the ring and the spool.
//!
//! A server may be killed and started, a keeper killed and replaced, at every step and inside every
//! step, as often as the scenario says. A keeper and a server that are both gone take ring and pty
//! with them.

use std::cell::RefCell;
use std::rc::Rc;

use super::super::header::Word;
use super::super::memory::{Cells, Memory as _};
use super::super::{KeeperRing, ServerRing};
use super::keeper::Keeper;
use super::memory::{Backing, Small, WORDS, place};
use super::server::Server;

/// Bytes that the ring holds.
const CAPACITY: usize = 2;

/// Bytes that the program prints before it exits.
pub(super) const TOTAL: usize = 3;

/// What the program prints: text, each byte another one.
pub(super) fn output(offset: usize) -> u8 {
    b'a' + u8::try_from(offset).expect("a short stream")
}

/// Whether the byte at `offset` ends a query, which the terminal answers.
pub(super) fn is_query(offset: usize) -> bool {
    offset % 2 == 1
}

/// A mistake that the search must find.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mistake {
    /// The keeper publishes what it is about to read.
    PublishBeforeReading,
    /// The keeper does not lay the pattern that shows how far a read came.
    NoPattern,
    /// The keeper waits for room without looking again after it has said so.
    KeeperSleepsBlindly,
    /// The keeper takes the program for ended a byte too early.
    DrainedTooEarly,
    /// The keeper waits with a bell unpaid.
    BellForgotten,
    /// The server gives free what it has not spooled yet.
    FreeBeforeSpooling,
    /// The server waits for output without looking again after it has said so.
    ServerSleepsBlindly,
    /// The server answers and then says that it has.
    AnswerBeforeMarking,
    /// A server that comes answers what it replays.
    AnswerReplayed,
    /// The server looks for the end after it has looked for bytes.
    EndAfterHead,
    /// The server does not wake a keeper that waits for room.
    RoomKeptSecret,
}

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
    /// A store, if the process lives to see it.
    fn set(&mut self, change: impl FnOnce(&mut Shared)) {
        if let Some(left) = self.stores_left.checked_sub(1) {
            self.stores_left = left;
            change(self);
        }
    }
}

impl Cells for Handle {
    fn load(&self, word: Word) -> u64 {
        self.borrow().words[place(word)]
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

/// One direction of the connection, as its reader finds it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Inbox {
    /// HELLO to a keeper, READY to a server.
    pub(super) frame: bool,
    pub(super) bell: bool,
    pub(super) is_closed: bool,
}

impl Inbox {
    pub(super) fn has_news(self) -> bool {
        self.frame || self.bell || self.is_closed
    }
}

/// A state of the search.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct World {
    pub(super) shared: Shared,
    /// Bytes that the program has printed, and that were read from the pty.
    pub(super) printed: usize,
    pub(super) read: usize,
    pub(super) keeper: Option<Keeper>,
    pub(super) server: Option<Server>,
    /// The keeper was replaced, so the one that runs now is not the program's parent.
    pub(super) is_replaced: bool,
    pub(super) to_keeper: Inbox,
    pub(super) to_server: Inbox,
    /// The keeper has accepted the server that runs.
    pub(super) is_accepted: bool,
    /// Bytes in the spool: all before this offset, as the program printed them.
    pub(super) spooled: usize,
    /// How often each query was answered.
    pub(super) answers: [u8; TOTAL],
    /// A server was killed between saying that it answers and doing so.
    pub(super) is_excused: bool,
    pub(super) keeper_kills: u8,
    pub(super) server_kills: u8,
    pub(super) outcome: Outcome,
}

/// What became of the pane.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Outcome {
    Open,
    /// The server has seen the end of the program.
    Ended,
    /// Keeper and server were gone at once, and the program with them.
    Lost,
}

impl World {
    /// A pane with a keeper that reads and a server that listens.
    pub(super) fn new(keeper_kills: u8, server_kills: u8) -> Self {
        let (words, data) = ([0; WORDS.len()], [0; CAPACITY]);
        let shared = Shared { words, data, stores_left: u32::MAX };
        let mut world = Self {
            shared,
            printed: 0,
            read: 0,
            keeper: None,
            server: None,
            is_replaced: false,
            to_keeper: Inbox::default(),
            to_server: Inbox::default(),
            is_accepted: true,
            spooled: 0,
            answers: [0; TOTAL],
            is_excused: false,
            keeper_kills,
            server_kills,
            outcome: Outcome::Open,
        };
        let handle = world.handle();
        let ring = KeeperRing::begin(Ring::new(Rc::clone(&handle)), 0);
        ring.memory.store(Word::ChildState, 1);
        world.keeper = Some(Keeper::new(&ring));
        let server = ServerRing::attach(Ring::new(Rc::clone(&handle)));
        world.server = Some(Server::new(&server.expect("a fresh ring"), 0));
        world.take_back(&handle);
        world
    }

    /// Every state that may come next, with what leads to it; or what is wrong already.
    pub(super) fn successors(
        &self,
        mistake: Option<Mistake>,
    ) -> Result<Vec<(&'static str, World)>, String> {
        if self.outcome != Outcome::Open {
            return Ok(Vec::new());
        }
        let mut next = Vec::new();
        if self.printed < TOTAL {
            next.push(("the program prints", World { printed: self.printed + 1, ..self.clone() }));
        }
        self.add_steps("keeper", World::step_keeper, mistake, &mut next)?;
        self.add_steps("server", World::step_server, mistake, &mut next)?;
        if next.is_empty() {
            return Err("asleep for ever".to_owned());
        }
        if let Some(kills) = self.keeper_kills.checked_sub(1).filter(|_| self.keeper.is_some()) {
            next.push(("the keeper is killed", self.without_keeper(self.shared, kills)));
        }
        if let Some(kills) = self.server_kills.checked_sub(1).filter(|_| self.server.is_some()) {
            next.push(("the server is killed", self.without_server(self.shared, kills)));
        }
        Ok(next)
    }

    /// The next step of one process; and that process killed after each store within it.
    fn add_steps(
        &self,
        who: &str,
        step: impl Fn(&mut World, Option<Mistake>) -> Result<Option<&'static str>, String>,
        mistake: Option<Mistake>,
        next: &mut Vec<(&'static str, World)>,
    ) -> Result<(), String> {
        let mut whole = self.clone();
        let Some(label) = step(&mut whole, mistake)? else { return Ok(()) };
        let stores = u32::MAX - whole.shared.stores_left;
        whole.shared.stores_left = u32::MAX;
        next.push((label, whole));
        let is_keeper = who == "keeper";
        let kills = if is_keeper { self.keeper_kills } else { self.server_kills };
        let Some(kills) = kills.checked_sub(1) else { return Ok(()) };
        // Killed after the last of them is killed after the step, and before the first before it.
        for stores_left in 1..stores {
            let mut cut = self.clone();
            cut.shared.stores_left = stores_left;
            // What it makes of a memory that it does not reach any more does not matter.
            let _ = step(&mut cut, mistake);
            let shared = Shared { stores_left: u32::MAX, ..cut.shared };
            next.push(if is_keeper {
                ("the keeper is killed within", self.without_keeper(shared, kills))
            } else {
                ("the server is killed within", self.without_server(shared, kills))
            });
        }
        Ok(())
    }

    fn without_keeper(&self, shared: Shared, keeper_kills: u8) -> World {
        let mut world = World { shared, keeper: None, keeper_kills, ..self.clone() };
        world.to_keeper = Inbox::default();
        world.to_server.is_closed = true;
        world.is_accepted = false;
        // READY on its way holds both; so does a server that has read one.
        let is_held =
            world.server.as_ref().is_some_and(Server::holds_ring) || world.to_server.frame;
        if !is_held {
            world.outcome = Outcome::Lost;
        }
        world
    }

    fn without_server(&self, shared: Shared, server_kills: u8) -> World {
        let mut world = World { shared, server: None, server_kills, ..self.clone() };
        world.is_excused |= self.server.as_ref().is_some_and(Server::owes_answers);
        world.to_server = Inbox::default();
        world.to_keeper.is_closed = true;
        // One that was not accepted yet takes its HELLO along.
        world.to_keeper.frame = false;
        world.is_accepted = false;
        if world.keeper.is_none() {
            world.outcome = Outcome::Lost;
        }
        world
    }

    /// The shared memory for the halves that are at work in this state.
    pub(super) fn handle(&self) -> Handle {
        Rc::new(RefCell::new(self.shared))
    }

    pub(super) fn take_back(&mut self, handle: &Handle) {
        self.shared = *handle.borrow();
    }

    /// Whether the program has exited, or is taken for it.
    pub(super) fn has_exited(&self, mistake: Option<Mistake>) -> bool {
        // What is read once the end is known includes all that came before it.
        let is_early = mistake == Some(Mistake::DrainedTooEarly);
        self.printed + usize::from(is_early) >= TOTAL
    }

    /// Puts bytes of the program into the memory, as the kernel does.
    pub(super) fn copy_in(&mut self, head: u64, count: usize) {
        for (place, offset) in (head..).zip(self.read..self.read + count) {
            self.shared.data[Ring::position(place)] = output(offset);
        }
        self.read += count;
    }

    /// Rings the server that the keeper has accepted.
    pub(super) fn ring_server(&mut self) {
        self.to_server.bell |= self.is_accepted;
    }

    /// Rings the keeper, if it is there.
    pub(super) fn ring_keeper(&mut self) {
        self.to_keeper.bell |= self.keeper.is_some();
    }

    /// Counts an answer that went out.
    pub(super) fn answer(&mut self, offsets: std::ops::Range<usize>) -> Result<(), String> {
        for offset in offsets.filter(|offset| is_query(*offset)) {
            self.answers[offset] += 1;
            if self.answers[offset] > 1 {
                return Err(format!("the query at {offset} is answered twice"));
            }
        }
        Ok(())
    }

    /// What must be true where a server has seen the end.
    pub(super) fn check_end(&self) -> Result<(), String> {
        if self.spooled != TOTAL {
            return Err(format!("the end is seen after {} of {TOTAL} bytes", self.spooled));
        }
        let unanswered = (0..TOTAL).find(|at| is_query(*at) && self.answers[*at] == 0);
        match unanswered {
            Some(offset) if !self.is_excused => Err(format!("the query at {offset} is forgotten")),
            _ => Ok(()),
        }
    }
}
