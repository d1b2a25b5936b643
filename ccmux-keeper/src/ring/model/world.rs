//! What there is: a program on a pty, a keeper, a server, their socket, the ring, the disk and a stash.
//!
//! A server may be killed and started, a keeper killed and replaced, at every step and inside every
//! step, and the disk may refuse output for a while, as often as the scenario says. A keeper and a
//! server that are both gone take ring, stash and pty with them.

use std::cell::RefCell;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::rc::Rc;

use super::super::header::Word;
use super::super::memory::Cells as _;
use super::super::{KeeperRing, ServerRing};
use super::keeper::Keeper;
use super::memory::Small;
use super::rules::{Mistake, Rules};
use super::server::Server;
use super::shared::{Handle, Shared};

/// Bytes that the program prints before it exits, if nobody says: enough for a second round of the
/// ring.
const TOTAL: usize = 3;

/// What the program prints: text, each byte another one.
pub(super) fn output(offset: usize) -> u8 {
    b'a' + u8::try_from(offset).expect("a short stream")
}

/// Whether the byte at `offset` ends a query, which the terminal answers.
pub(super) fn is_query(offset: usize) -> bool {
    offset % 2 == 1
}

/// However often.
pub(super) const ANY: u8 = u8::MAX;

/// How often something may still go wrong.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Accidents {
    pub(super) keeper_kills: u8,
    pub(super) server_kills: u8,
    /// How often the disk refuses output, until it takes it again.
    pub(super) refusals: u8,
}

impl Accidents {
    /// How many they are, but for what may happen however often.
    pub(super) fn counted(self) -> usize {
        let each = [self.keeper_kills, self.server_kills, self.refusals];
        each.into_iter().filter(|count| *count != ANY).map(usize::from).sum()
    }

    /// After one more kill of a keeper, if there may be one.
    fn without_keeper_kill(self) -> Option<Self> {
        Some(Self { keeper_kills: one_less(self.keeper_kills)?, ..self })
    }

    fn without_server_kill(self) -> Option<Self> {
        Some(Self { server_kills: one_less(self.server_kills)?, ..self })
    }

    pub(super) fn without_refusal(self) -> Option<Self> {
        Some(Self { refusals: one_less(self.refusals)?, ..self })
    }

    /// Whether all that can happen with `other` left can happen with these left.
    pub(super) fn covers(self, other: Accidents) -> bool {
        self.keeper_kills >= other.keeper_kills
            && self.server_kills >= other.server_kills
            && self.refusals >= other.refusals
    }
}

fn one_less(count: u8) -> Option<u8> {
    if count == ANY { Some(ANY) } else { count.checked_sub(1) }
}

/// One direction of the connection, as its reader finds it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Inbox {
    /// HELLO to a keeper, READY to a server.
    pub(super) frame: bool,
    pub(super) bell: bool,
    pub(super) is_closed: bool,
    /// The last word about the stash; to a server only that there is one.
    pub(super) stash: Option<StashWord>,
}

/// STASH or STASHED, and FORGET.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum StashWord {
    Hold,
    Forget,
}

impl Inbox {
    pub(super) fn has_news(self) -> bool {
        self.frame || self.bell || self.is_closed || self.stash.is_some()
    }
}

/// The disk, as one pane sees it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Disk {
    /// Everything before this offset is in a keyframe, or in the spool behind it.
    pub(super) stored: usize,
    pub(super) refuses: bool,
}

/// A state of the search.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct World {
    pub(super) shared: Shared,
    /// Bytes that the program prints before it exits.
    pub(super) total: usize,
    /// Those that it has printed, and those that were read from the pty.
    pub(super) printed: usize,
    pub(super) read: usize,
    pub(super) keeper: Option<Keeper>,
    pub(super) server: Option<Server>,
    pub(super) to_keeper: Inbox,
    pub(super) to_server: Inbox,
    /// The keeper has accepted the server that runs.
    pub(super) is_accepted: bool,
    pub(super) disk: Disk,
    /// What the keyframe in the stash shows: everything before this offset; 0 if there is none.
    pub(super) stash: usize,
    /// A bit for each query that was answered, or whose server was killed when it had said that it
    /// answers.
    pub(super) settled: u32,
    pub(super) left: Accidents,
    pub(super) outcome: Outcome,
}

/// What became of the pane.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum Outcome {
    Open,
    /// The server has seen the end of the program.
    Ended,
    /// Keeper and server were gone at once, and the program with them.
    Lost,
}

/// A state that may come next, and what leads to it.
pub(super) type Next = (&'static str, World);

impl World {
    /// A pane with a keeper that reads and a server that listens.
    pub(super) fn new(left: Accidents) -> Self {
        let mut world = Self {
            shared: Shared::new(),
            total: TOTAL,
            printed: 0,
            read: 0,
            keeper: None,
            server: None,
            to_keeper: Inbox::default(),
            to_server: Inbox::default(),
            is_accepted: true,
            disk: Disk::default(),
            stash: 0,
            settled: 0,
            left,
            outcome: Outcome::Open,
        };
        let handle = world.handle();
        let ring = KeeperRing::begin(Small::new(Rc::clone(&handle)), 0);
        ring.memory.store(Word::ChildState, 1);
        world.keeper = Some(Keeper::new(&ring));
        let server = ServerRing::attach(Small::new(Rc::clone(&handle)));
        world.server = Some(Server::new(&server.expect("a fresh ring")));
        world.take_back(&handle);
        world
    }

    /// The same where the disk refuses output already.
    pub(super) fn refused(left: Accidents) -> Self {
        let disk = Disk { refuses: true, ..Disk::default() };
        World { disk, ..World::new(left) }
    }

    /// The same with a program that prints more, or less.
    pub(super) fn printing(self, total: usize) -> Self {
        World { total, ..self }
    }

    /// What tells this state from others; if `is_reduced` without the accidents that may still come,
    /// and without what nobody looks at any more.
    pub(super) fn key(&self, is_reduced: bool) -> u64 {
        let mut hasher = DefaultHasher::new();
        if !is_reduced {
            self.hash(&mut hasher);
            return hasher.finish();
        }
        let mut world = self.clone();
        world.left = Accidents::default();
        let has_keeper = self.keeper.as_ref().is_some_and(Keeper::is_listening);
        world.shared.forget_unread(has_keeper);
        if let Some(keeper) = &mut world.keeper {
            keeper.forget_unread();
        }
        if let Some(server) = &mut world.server {
            server.forget_unread();
        }
        // What the disk has a stash is not asked for.
        let is_away = self.server.as_ref().is_some_and(|server| server.away.is_some());
        if !is_away && world.stash <= world.disk.stored {
            world.stash = 0;
        }
        world.hash(&mut hasher);
        hasher.finish()
    }

    /// Every state that may come next, with what leads to it; or what is wrong already.
    pub(super) fn successors(&self, rules: Rules) -> Result<Vec<Next>, String> {
        if self.outcome != Outcome::Open {
            return Ok(Vec::new());
        }
        let mut next = Vec::new();
        let is_looked_for = self.keeper.as_ref().is_some_and(Keeper::looks_at_pty);
        if self.printed < self.total && (is_looked_for || !rules.is_reduced) {
            next.push(("the program prints", World { printed: self.printed + 1, ..self.clone() }));
        }
        self.add_disk(rules, &mut next);
        self.add_keeper_steps(rules, &mut next)?;
        self.add_server_steps(rules, &mut next)?;
        if next.is_empty() {
            return Err("asleep for ever".to_owned());
        }
        if let Some(left) = self.without_keeper_kill() {
            next.push(("the keeper is killed", self.without_keeper(self.shared, left)));
        }
        if let Some(left) = self.without_server_kill() {
            next.push(("the server is killed", self.without_server(self.shared, left)));
        }
        Ok(next)
    }

    /// The next step of the keeper; and the keeper killed after each store within it.
    fn add_keeper_steps(&self, rules: Rules, next: &mut Vec<Next>) -> Result<(), String> {
        let Some((step, stores)) = self.after(|world| world.step_keeper(rules))? else {
            return Ok(());
        };
        next.push(step);
        let Some(left) = self.without_keeper_kill() else { return Ok(()) };
        for stores in 1..stores {
            let shared = self.cut_short(stores, |world| world.step_keeper(rules));
            next.push(("the keeper is killed within", self.without_keeper(shared, left)));
        }
        Ok(())
    }

    /// The same of the server.
    fn add_server_steps(&self, rules: Rules, next: &mut Vec<Next>) -> Result<(), String> {
        let Some((step, stores)) = self.after(|world| world.step_server(rules))? else {
            return Ok(());
        };
        next.push(step);
        let Some(left) = self.without_server_kill() else { return Ok(()) };
        for stores in 1..stores {
            let shared = self.cut_short(stores, |world| world.step_server(rules));
            next.push(("the server is killed within", self.without_server(shared, left)));
        }
        Ok(())
    }

    /// What comes of a whole step, and how many stores it has.
    fn after(
        &self,
        step: impl Fn(&mut World) -> Result<Option<&'static str>, String>,
    ) -> Result<Option<(Next, u32)>, String> {
        let mut world = self.clone();
        let Some(label) = step(&mut world)? else { return Ok(None) };
        let stores = u32::MAX - world.shared.stores_left;
        world.shared.stores_left = u32::MAX;
        Ok(Some(((label, world), stores)))
    }

    /// What a process leaves that is killed after so many stores of a step. After the last of them
    /// is after the step, and before the first before it.
    fn cut_short(
        &self,
        stores: u32,
        step: impl Fn(&mut World) -> Result<Option<&'static str>, String>,
    ) -> Shared {
        let mut cut = self.clone();
        cut.shared.stores_left = stores;
        // What it makes of a memory that it does not reach any more does not matter.
        let _ = step(&mut cut);
        cut.shared.stores_left = u32::MAX;
        cut.shared
    }

    fn without_keeper_kill(&self) -> Option<Accidents> {
        self.left.without_keeper_kill().filter(|_| self.keeper.is_some())
    }

    fn without_server_kill(&self) -> Option<Accidents> {
        self.left.without_server_kill().filter(|_| self.server.is_some())
    }

    fn without_keeper(&self, shared: Shared, left: Accidents) -> World {
        let mut world = World { shared, keeper: None, left, ..self.clone() };
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

    fn without_server(&self, shared: Shared, left: Accidents) -> World {
        let mut world = World { shared, server: None, left, ..self.clone() };
        if let Some(range) = self.server.as_ref().and_then(Server::answering) {
            let answered = shared.word(Word::Answered) as usize;
            for offset in range.filter(|offset| *offset < answered) {
                world.settled |= 1 << offset;
            }
        }
        world.to_server = Inbox::default();
        world.to_keeper.is_closed = true;
        // One that was not accepted yet takes its HELLO along.
        world.to_keeper.frame = false;
        world.is_accepted = false;
        let Some(keeper) = &world.keeper else {
            world.outcome = Outcome::Lost;
            return world;
        };
        if !keeper.holds_stash() && world.to_keeper.stash != Some(StashWord::Hold) {
            world.stash = 0;
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
    pub(super) fn has_exited(&self, rules: Rules) -> bool {
        // What is read once the end is known includes all that came before it.
        self.printed + usize::from(rules.has(Mistake::DrainedTooEarly)) >= self.total
    }

    /// Puts bytes of the program into the memory, as the kernel does.
    pub(super) fn copy_in(&mut self, head: u64, count: usize) {
        self.shared.copy_in(head, (self.read..self.read + count).map(output));
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
            if self.settled & 1 << offset != 0 {
                return Err(format!("the query at {offset} is answered twice"));
            }
            self.settled |= 1 << offset;
        }
        Ok(())
    }

    /// What must be true where a server has seen the end.
    pub(super) fn check_end(&self) -> Result<(), String> {
        let (stored, total) = (self.disk.stored, self.total);
        if stored != total {
            return Err(format!("the end is seen after {stored} of {total} bytes"));
        }
        match (0..total).find(|at| is_query(*at) && self.settled & 1 << at == 0) {
            Some(offset) => Err(format!("the query at {offset} is forgotten")),
            None => Ok(()),
        }
    }
}
