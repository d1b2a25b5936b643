//! The course of a server with one pane, step by step: as `ccmux-server` adopts a keeper
//! (`server/orphans.rs`, `server/keepers.rs`), feeds a pane (`pane/feed.rs`) and goes to sleep
//! (`server/turn.rs`), with the ring's real operations.

use std::ops::Range;
use std::rc::Rc;

use super::super::doorbell::Wake;
use super::super::header::Word;
use super::super::memory::Cells as _;
use super::super::{RingError, ServerRing};
use super::keeper::Keeper;
use super::world::{Inbox, Mistake, Outcome, Ring, World, is_query, output};

/// Bytes that are spooled and emulated at once.
const PIECE: usize = 2;

/// What a server knows by itself.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Server {
    at: At,
    ring: Option<Known>,
    /// Where the stream goes on that it has emulated.
    consumed: usize,
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
    /// One that has spooled and emulated everything before `consumed`.
    pub(super) fn new(ring: &Half, consumed: usize) -> Self {
        Self { at: At::Hear, ring: Some(Known::of(ring)), consumed }
    }

    /// Whether the pty and the ring live as long as it does.
    pub(super) fn holds_ring(&self) -> bool {
        self.ring.is_some()
    }

    /// Whether it has said that it answers what it has not answered yet.
    pub(super) fn owes_answers(&self) -> bool {
        matches!(self.at, At::CatchUpBell(_) | At::Answer(_))
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
    pub(super) fn step_server(
        &mut self,
        mistake: Option<Mistake>,
    ) -> Result<Option<&'static str>, String> {
        let Some(mut server) = self.server.clone() else {
            return Ok(self.start_server());
        };
        let label = self.take_server_step(&mut server, mistake);
        self.server = Some(server);
        label
    }

    /// The keeper calls for one until it comes.
    fn start_server(&mut self) -> Option<&'static str> {
        if !self.keeper.as_ref().is_some_and(Keeper::is_listening) {
            return None;
        }
        self.to_keeper.frame = true;
        self.server = Some(Server { at: At::Meet, ring: None, consumed: self.spooled });
        Some("a server starts")
    }

    fn take_server_step(
        &mut self,
        server: &mut Server,
        mistake: Option<Mistake>,
    ) -> Result<Option<&'static str>, String> {
        let is = |this| mistake == Some(this);
        let consumed = server.consumed;
        let (label, next) = match server.at.clone() {
            At::Meet => {
                if !self.to_server.frame {
                    return Ok(None);
                }
                self.take_ready(server)?;
                ("the server is greeted", At::CatchUpSpooled)
            }
            At::CatchUpSpooled => {
                let known = server.ring.as_ref().expect("READY brought it");
                if (consumed as u64) < known.spooled {
                    return Err(format!("only {consumed} of {} bytes are spooled", known.spooled));
                }
                let freed = self.with_server(server, |ring| ring.set_spooled(consumed as u64));
                let _rung_in_any_case = freed.map_err(wrong)?;
                ("the server frees what is spooled", At::CatchUpAnswered)
            }
            At::CatchUpAnswered => {
                let answered = self.with_server(server, |ring| ring.answered());
                let offset = answered.max(consumed as u64);
                self.with_server(server, |ring| ring.set_answered(offset)).map_err(wrong)?;
                let from = if is(Mistake::AnswerReplayed) { 0 } else { answered as usize };
                ("the server marks replayed queries", At::CatchUpBell(from..consumed))
            }
            At::CatchUpBell(range) => {
                self.ring_keeper();
                ("the server rings in any case", At::Answer(range))
            }
            At::Hear => {
                self.hear_keeper(server)?;
                ("the server hears", At::Copy)
            }
            At::Copy => {
                let count = self.copy_piece(server)?;
                let next = match count {
                    0 if is(Mistake::EndAfterHead) => At::Head { has_ended: true },
                    0 => At::End,
                    _ if is(Mistake::FreeBeforeSpooling) => At::Free(count),
                    _ => At::Append(count),
                };
                ("the server takes bytes", next)
            }
            At::Append(count) => {
                self.spooled = consumed + count;
                let is_freed = is(Mistake::FreeBeforeSpooling);
                ("the server spools", if is_freed { At::Emulate(count) } else { At::Free(count) })
            }
            At::Free(count) => {
                let to = (consumed + count) as u64;
                let wake = self.with_server(server, |ring| ring.set_spooled(to)).map_err(wrong)?;
                let is_secret = is(Mistake::RoomKeptSecret);
                let next = match wake {
                    Wake::Ring if !is_secret => At::Bell(count),
                    _ if is(Mistake::FreeBeforeSpooling) => At::Append(count),
                    _ => At::Emulate(count),
                };
                ("the server frees", next)
            }
            At::Bell(count) => {
                self.ring_keeper();
                let is_freed = is(Mistake::FreeBeforeSpooling);
                ("the server rings", if is_freed { At::Append(count) } else { At::Emulate(count) })
            }
            At::Emulate(count) => {
                server.consumed += count;
                let range = consumed..consumed + count;
                let next = match range.clone().any(is_query) {
                    false => At::Copy,
                    true if is(Mistake::AnswerBeforeMarking) => At::Answer(range),
                    true => At::Mark(range),
                };
                ("the server emulates", next)
            }
            At::Mark(range) => {
                let to = range.end as u64;
                self.with_server(server, |ring| ring.set_answered(to)).map_err(wrong)?;
                let is_late = is(Mistake::AnswerBeforeMarking);
                ("the server marks queries", if is_late { At::Copy } else { At::Answer(range) })
            }
            At::Answer(range) => {
                self.answer(range.clone())?;
                let is_early = is(Mistake::AnswerBeforeMarking) && !range.is_empty();
                ("the server answers", if is_early { At::Mark(range) } else { At::Copy })
            }
            At::End => {
                let has_ended = self.with_server(server, ServerRing::end).map_err(wrong)?.is_some();
                let next = match (has_ended, is(Mistake::EndAfterHead)) {
                    (false, _) => At::Arm,
                    (true, false) => At::Head { has_ended },
                    (true, true) => return self.end(),
                };
                ("the server looks for the end", next)
            }
            At::Head { has_ended } => {
                let head = self.with_server(server, ServerRing::head).map_err(wrong)?;
                let is_all = head == consumed as u64;
                let next = match (is_all, is(Mistake::EndAfterHead)) {
                    (true, true) => At::End,
                    (true, false) if has_ended => return self.end(),
                    _ => At::Arm,
                };
                ("the server looks whether it has all", next)
            }
            At::Arm => {
                let armed = self.with_server(server, |ring| ring.arm_bell(consumed as u64));
                let is_blind = is(Mistake::ServerSleepsBlindly);
                if is_blind {
                    let handle = self.handle();
                    handle.store(Word::ServerSleeping, 1);
                    self.take_back(&handle);
                }
                let may_sleep = armed.map_err(wrong)? || is_blind;
                ("the server goes to sleep", if may_sleep { At::Wait } else { At::Copy })
            }
            At::Wait => {
                if !self.to_server.has_news() {
                    return Ok(None);
                }
                ("the server wakes", At::Hear)
            }
        };
        server.at = next;
        Ok(Some(label))
    }

    /// Maps the ring that READY brought.
    fn take_ready(&mut self, server: &mut Server) -> Result<(), String> {
        self.to_server.frame = false;
        self.to_server.bell = false;
        let handle = self.handle();
        let ring = ServerRing::attach(Ring::new(Rc::clone(&handle))).map_err(wrong)?;
        let doubt = Word::Doubt;
        if handle.load(doubt) != 0 {
            return Err("text is in doubt".to_owned());
        }
        server.ring = Some(Known::of(&ring));
        drop(ring);
        self.take_back(&handle);
        Ok(())
    }

    /// Takes what the keeper sent; one that is gone is replaced.
    fn hear_keeper(&mut self, server: &mut Server) -> Result<(), String> {
        if self.to_server.frame {
            self.take_ready(server)?;
        }
        self.to_server.bell = false;
        if self.to_server.is_closed {
            self.to_server = Inbox::default();
            self.to_keeper = Inbox::default();
            self.keeper = Some(Keeper::replacing());
            self.is_replaced = true;
        }
        Ok(())
    }

    /// Copies a piece and compares it with what the program printed.
    fn copy_piece(&mut self, server: &mut Server) -> Result<usize, String> {
        let from = server.consumed;
        let mut bytes = Vec::new();
        let copy = |ring: &mut Half| ring.copy_from(from as u64, PIECE, &mut bytes);
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
