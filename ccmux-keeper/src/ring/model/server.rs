//! The course of a server with one pane, step by step: as `ccmux-server` adopts a keeper
//! (`server/orphans.rs`, `server/keepers.rs`), feeds a pane (`pane/feed.rs`) and goes to sleep
//! (`server/turn.rs`), with the ring's real operations.

use std::ops::Range;
use std::rc::Rc;

use super::super::doorbell::Wake;
use super::super::header::Word;
use super::super::memory::Cells as _;
use super::super::{RingError, ServerRing};
use super::away::{Away, Need};
use super::keeper::Keeper;
use super::rules::{Mistake, Rules};
use super::shared::Ring;
use super::world::{Inbox, Outcome, World, is_query, output};

/// Bytes that are spooled and emulated at once, and in one turn.
const PIECE: usize = 2;

/// What a server knows by itself.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Server {
    at: At,
    ring: Option<Known>,
    /// Where the stream goes on that it has emulated.
    pub(super) consumed: usize,
    /// If the pane has no spool.
    pub(super) away: Option<Away>,
    /// The keeper that runs has said READY.
    is_live: bool,
}

/// What it knows of a ring.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Known {
    head: u64,
    spooled: u64,
    answered: u64,
    end_seen: bool,
}

/// The step that is next.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum At {
    /// HELLO is sent; READY has to come.
    Meet,
    CatchUpSpooled,
    CatchUpAnswered,
    CatchUpBell(Range<usize>),
    Hear,
    Copy,
    Append(usize),
    Free(usize),
    Bell(usize),
    Emulate(usize),
    Mark(Range<usize>),
    Answer(Range<usize>),
    End,
    Head {
        has_ended: bool,
    },
    /// Looks after a pane that is away, before it goes to sleep or takes more.
    KeepAway {
        is_idle: bool,
    },
    Stash,
    /// The second half of a keyframe that is written over another one.
    StashRest,
    Hand,
    Release,
    ReleaseBell,
    Arm,
    Wait,
}

type Half = ServerRing<Ring>;

impl Known {
    fn of(ring: &Half) -> Self {
        let ServerRing { head, spooled, answered, end_seen, .. } = *ring;
        Self { head, spooled, answered, end_seen }
    }
}

impl Server {
    /// One that has just started the keeper.
    pub(super) fn new(ring: &Half) -> Self {
        let ring = Some(Known::of(ring));
        Self { at: At::Hear, ring, consumed: 0, away: None, is_live: true }
    }

    /// One that has read what is on the disk, and sends HELLO.
    fn starting(stored: usize) -> Self {
        Self { at: At::Meet, ring: None, consumed: stored, away: None, is_live: false }
    }

    /// Whether the pty and the ring live as long as it does.
    pub(super) fn holds_ring(&self) -> bool {
        self.ring.is_some()
    }

    /// The queries that it is about to answer.
    pub(super) fn answering(&self) -> Option<Range<usize>> {
        match &self.at {
            At::CatchUpBell(range) | At::Answer(range) => Some(range.clone()),
            _ => None,
        }
    }

    /// The offset before which queries were answered, by it or by another.
    fn answered(&self) -> usize {
        self.ring.as_ref().map_or(0, |ring| ring.answered as usize)
    }

    /// Whether its next step depends on the disk.
    pub(super) fn looks_at_disk(&self) -> bool {
        match self.at {
            At::Copy | At::Append(_) => self.away.is_none(),
            At::Hear => self.away.is_none_or(Away::is_coming_home),
            At::Wait | At::End | At::Head { .. } | At::KeepAway { .. } => true,
            _ => false,
        }
    }

    /// Whether the ring has what is kept nowhere else, and the keeper could take a stash.
    pub(super) fn has_unkept(&self) -> bool {
        self.is_live && self.ring.as_ref().is_some_and(|ring| ring.spooled < self.consumed as u64)
    }

    /// Whether nobody can see how soon the next step follows the one at `before`: nobody looks at
    /// what it changes but another server, and a kill between the two leaves what a kill before both
    /// leaves.
    fn is_unseen(&self, before: &At, rules: Rules) -> bool {
        match (before, &self.at) {
            (_, At::Append(_)) => !rules.has(Mistake::FreeBeforeSpooling),
            // Who wakes hears at once: it could as well have woken later.
            (_, At::Emulate(_))
            | (At::Wait, At::Hear)
            | (At::End | At::Head { .. }, At::KeepAway { .. })
            | (At::KeepAway { .. }, At::Stash) => true,
            _ => false,
        }
    }

    /// What follows a piece: others are heard before the next one is taken.
    fn turn_over(&self) -> At {
        if self.away.is_some() { At::KeepAway { is_idle: false } } else { At::Hear }
    }

    /// What follows when there is nothing to take.
    fn idle(&self) -> At {
        if self.away.is_some() { At::KeepAway { is_idle: true } } else { At::Arm }
    }

    /// Forgets what is looked at again before it is used.
    pub(super) fn forget_unread(&mut self) {
        if let Some(ring) = &mut self.ring {
            ring.head = 0;
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "as map_err passes it")]
fn wrong(error: RingError) -> String {
    format!("the server finds: {error}")
}

impl World {
    /// Does an operation of the ring's server half.
    fn with_server<T>(&mut self, server: &mut Server, act: impl FnOnce(&mut Half) -> T) -> T {
        let handle = self.handle();
        let known = server.ring.as_ref().expect("it has a ring here");
        let Known { head, spooled, answered, end_seen } = *known;
        let memory = Ring::new(Rc::clone(&handle));
        let mut ring = ServerRing { memory, head, spooled, answered, end_seen };
        let result = act(&mut ring);
        server.ring = Some(Known::of(&ring));
        drop(ring);
        self.take_back(&handle);
        result
    }

    /// Lets the server do its next step, or starts one; `None` if it waits.
    pub(super) fn step_server(&mut self, rules: Rules) -> Result<Option<&'static str>, String> {
        let Some(mut server) = self.server.clone() else {
            return Ok(self.start_server());
        };
        let label = loop {
            let before = server.at.clone();
            let label = self.take_server_step(&mut server, rules);
            let is_over = !rules.is_reduced || !matches!(label, Ok(Some(_)));
            if is_over || !server.is_unseen(&before, rules) {
                break label;
            }
        };
        self.server = Some(server);
        label
    }

    /// The keeper calls for one until it comes.
    fn start_server(&mut self) -> Option<&'static str> {
        if !self.keeper.as_ref().is_some_and(Keeper::is_listening) {
            return None;
        }
        self.to_keeper.frame = true;
        self.server = Some(Server::starting(self.disk.stored));
        Some("a server starts")
    }

    fn take_server_step(
        &mut self,
        server: &mut Server,
        rules: Rules,
    ) -> Result<Option<&'static str>, String> {
        let consumed = server.consumed;
        let (label, next) = match server.at.clone() {
            At::Meet => {
                if !self.to_server.frame {
                    return Ok(None);
                }
                let has_stash = self.to_server.stash.is_some();
                self.take_ready(server)?;
                if has_stash {
                    self.take_stash(server, rules);
                }
                ("the server is greeted", At::CatchUpSpooled)
            }
            At::CatchUpSpooled => {
                let spooled = server.ring.as_ref().expect("READY brought it").spooled;
                if (consumed as u64) < spooled {
                    return Err(format!("only {consumed} of {spooled} bytes are kept"));
                }
                let _rung_in_any_case = self.free(server, consumed, rules)?;
                ("the server frees what is kept", At::CatchUpAnswered)
            }
            At::CatchUpAnswered => {
                let answered = self.with_server(server, |ring| ring.answered());
                let offset = answered.max(consumed as u64);
                self.with_server(server, |ring| ring.set_answered(offset)).map_err(wrong)?;
                let from = if rules.has(Mistake::AnswerReplayed) { 0 } else { answered as usize };
                // What the disk has was replayed; a keyframe tells of no query.
                let range = from..self.disk.stored;
                ("the server marks replayed queries", At::CatchUpBell(range))
            }
            At::CatchUpBell(range) => {
                self.ring_keeper();
                let is_asked = range.clone().any(is_query);
                let next = if is_asked { At::Answer(range) } else { server.turn_over() };
                ("the server rings in any case", next)
            }
            At::Hear => {
                self.hear_keeper(server, rules)?;
                let is_home = self.hear_disk(server, rules);
                let next = match is_home && !rules.has(Mistake::HomeKeepsRing) {
                    true => At::Release,
                    false if self.is_coming_home(server) => At::KeepAway { is_idle: true },
                    false => At::Copy,
                };
                ("the server hears", next)
            }
            At::Copy => {
                let count = self.copy_piece(server, rules)?;
                let next = match count {
                    0 if rules.has(Mistake::EndAfterHead) => At::Head { has_ended: true },
                    0 => At::End,
                    _ if rules.has(Mistake::FreeBeforeSpooling) => At::Free(count),
                    _ => At::Append(count),
                };
                ("the server takes bytes", next)
            }
            At::Append(count) => {
                self.spool(server, count, rules)?;
                let is_freed = rules.has(Mistake::FreeBeforeSpooling);
                ("the server spools", if is_freed { At::Emulate(count) } else { At::Free(count) })
            }
            At::Free(count) => {
                let wake = self.free(server, consumed + count, rules)?;
                let is_secret = rules.has(Mistake::RoomKeptSecret);
                let next = match wake {
                    Wake::Ring if !is_secret => At::Bell(count),
                    _ if rules.has(Mistake::FreeBeforeSpooling) => At::Append(count),
                    _ => At::Emulate(count),
                };
                ("the server frees", next)
            }
            At::Bell(count) => {
                self.ring_keeper();
                let is_freed = rules.has(Mistake::FreeBeforeSpooling);
                ("the server rings", if is_freed { At::Append(count) } else { At::Emulate(count) })
            }
            At::Emulate(count) => {
                server.consumed += count;
                let range = consumed..consumed + count;
                let is_new = range.end > server.answered() || rules.has(Mistake::AnsweredAgain);
                let next = match is_new && range.clone().any(is_query) {
                    false => server.turn_over(),
                    true if rules.has(Mistake::AnswerBeforeMarking) => At::Answer(range),
                    true => At::Mark(range),
                };
                ("the server emulates", next)
            }
            At::Mark(range) => {
                let to = range.end as u64;
                self.with_server(server, |ring| ring.set_answered(to)).map_err(wrong)?;
                let is_late = rules.has(Mistake::AnswerBeforeMarking);
                let next = if is_late { server.turn_over() } else { At::Answer(range) };
                ("the server marks queries", next)
            }
            At::Answer(range) => {
                self.answer(range.clone())?;
                let is_early = rules.has(Mistake::AnswerBeforeMarking) && !range.is_empty();
                let next = if is_early { At::Mark(range) } else { server.turn_over() };
                ("the server answers", next)
            }
            At::End => {
                let has_ended = self.with_server(server, ServerRing::end).map_err(wrong)?.is_some();
                let next = match (has_ended, rules.has(Mistake::EndAfterHead)) {
                    (false, _) => server.idle(),
                    (true, false) => At::Head { has_ended },
                    (true, true) => return self.end(),
                };
                ("the server looks for the end", next)
            }
            At::Head { has_ended } => {
                let head = self.with_server(server, ServerRing::head).map_err(wrong)?;
                let is_all = head == consumed as u64;
                let next = match (is_all, rules.has(Mistake::EndAfterHead)) {
                    (true, true) => At::End,
                    // Of one that is away not everything is on the disk.
                    (true, false) if has_ended && server.away.is_none() => return self.end(),
                    _ => server.idle(),
                };
                ("the server looks whether it has all", next)
            }
            At::KeepAway { is_idle } => {
                let next = match self.keep_away(server, rules) {
                    Need::Patience => At::Wait,
                    Need::Stash if rules.has(Mistake::StashedInPlace) => {
                        self.stash = 0;
                        At::StashRest
                    }
                    Need::Stash => At::Stash,
                    Need::Nothing if is_idle => At::Arm,
                    Need::Nothing => At::Hear,
                };
                ("the server looks after a pane without a spool", next)
            }
            At::Stash | At::StashRest => {
                self.stash_keyframe(server);
                let is_late = rules.has(Mistake::FreeBeforeHanding);
                let is_handed = server.away.is_some_and(Away::is_handed);
                let next = if is_late || is_handed { At::Release } else { At::Hand };
                ("the server stashes a keyframe", next)
            }
            At::Hand => {
                self.hand_stash(server);
                let is_late = rules.has(Mistake::FreeBeforeHanding);
                ("the server hands over the stash", if is_late { At::Hear } else { At::Release })
            }
            At::Release => {
                let wake = self.free(server, consumed, rules)?;
                let next = match wake {
                    Wake::Ring => At::ReleaseBell,
                    Wake::Awake if rules.has(Mistake::FreeBeforeHanding) => At::Hand,
                    Wake::Awake => At::Hear,
                };
                ("the server frees what is kept", next)
            }
            At::ReleaseBell => {
                self.ring_keeper();
                let is_late = rules.has(Mistake::FreeBeforeHanding);
                ("the server rings", if is_late { At::Hand } else { At::Hear })
            }
            At::Arm => {
                let armed = self.with_server(server, |ring| ring.arm_bell(consumed as u64));
                let is_blind = rules.has(Mistake::ServerSleepsBlindly);
                if is_blind {
                    let handle = self.handle();
                    handle.store(Word::ServerSleeping, 1);
                    self.take_back(&handle);
                }
                let may_sleep = armed.map_err(wrong)? || is_blind;
                ("the server goes to sleep", if may_sleep { At::Wait } else { At::Copy })
            }
            At::Wait => {
                if !self.to_server.has_news() && !self.has_disk_news(server) {
                    return Ok(None);
                }
                ("the server wakes", At::Hear)
            }
        };
        server.at = next;
        Ok(Some(label))
    }

    /// Gives free what was taken and is kept elsewhere.
    fn free(&mut self, server: &mut Server, taken: usize, rules: Rules) -> Result<Wake, String> {
        let kept = self.dispensable(server, taken, rules) as u64;
        let freed = self.with_server(server, |ring| ring.set_spooled(ring.spooled().max(kept)));
        freed.map_err(wrong)
    }

    /// Maps the ring that READY brought.
    fn take_ready(&mut self, server: &mut Server) -> Result<(), String> {
        self.to_server.frame = false;
        self.to_server.bell = false;
        self.to_server.stash = None;
        let handle = self.handle();
        let ring = ServerRing::attach(Ring::new(Rc::clone(&handle))).map_err(wrong)?;
        if handle.load(Word::Doubt) != 0 {
            return Err("text is in doubt".to_owned());
        }
        server.ring = Some(Known::of(&ring));
        server.is_live = true;
        drop(ring);
        self.take_back(&handle);
        Ok(())
    }

    /// Takes what the keeper sent; one that is gone is replaced.
    fn hear_keeper(&mut self, server: &mut Server, rules: Rules) -> Result<(), String> {
        if self.to_server.frame {
            self.take_ready(server)?;
            self.hand_stash_again(server);
        }
        self.to_server.bell = false;
        if self.to_server.is_closed {
            self.to_server = Inbox::default();
            self.to_keeper = Inbox::default();
            self.keeper = Some(Keeper::replacing());
            server.is_live = false;
            self.replace_with_stash(server, rules);
        }
        Ok(())
    }

    /// Copies a piece and compares it with what the program printed.
    fn copy_piece(&mut self, server: &mut Server, rules: Rules) -> Result<usize, String> {
        let from = server.consumed;
        // What another server has answered is a piece of its own.
        let most = match server.answered().checked_sub(from) {
            None | Some(0) => PIECE,
            Some(_) if rules.has(Mistake::AnsweredAgain) => PIECE,
            Some(answered) => answered.min(PIECE),
        };
        let mut bytes = Vec::new();
        let copy = |ring: &mut Half| ring.copy_from(from as u64, most, &mut bytes);
        let count = self.with_server(server, copy).map_err(wrong)?;
        match (from..).zip(&bytes).find(|(offset, byte)| output(*offset) != **byte) {
            Some((offset, byte)) => Err(format!("byte {offset} is {:?}", char::from(*byte))),
            None => Ok(count),
        }
    }

    fn end(&mut self) -> Result<Option<&'static str>, String> {
        self.check_end()?;
        self.outcome = Outcome::Ended;
        Ok(Some("the server sees the end"))
    }
}
