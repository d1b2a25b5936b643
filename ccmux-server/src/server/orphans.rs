//! Keepers and panes that the state and the world do not agree about, at a start.

use std::collections::BTreeSet;

use ccmux_core::change::Change;
use ccmux_core::decide::{Command as Intent, Facts, NewSession, decide};
use ccmux_core::ids::{PaneId, PaneUuid};
use ccmux_core::model::{NextIds, Program};
use ccmux_keeper::{AliveLock, ChildState, Link, LinkError};

use super::commit::Cause;
use super::{Closing, Server};
use crate::client::term_size;
use crate::event_loop::Event;
use crate::pane::{Pane, Stage};
use crate::persistence::scrollback::SpoolIndex;
use crate::persistence::{Seq, restoration};

/// The session for panes whose records were lost.
const RECOVERED: &str = "recovered";

/// A number further beyond the known ones than this was never given out.
const LOST_NUMBERS_MAX: u32 = 1_000_000;

impl Server {
    /// Keepers and files of panes that the state does not know.
    ///
    /// A pane gets its number before its program is started. One below `closed_below` was closed
    /// and the server killed before it had told the keeper: that is finished now. Any other is
    /// one whose record was lost. If its program is not, it goes to a session of its own, with the
    /// number that its program knows; else what is left of it is set aside, and said to be. No
    /// number found is given out again. A directory without a number is one whose removal was cut
    /// short, or that nothing was ever put into. One with a note belongs to a closed pane whose output
    /// is kept.
    ///
    /// Of panes whose record was lost the log says so before their numbers count as given out, and
    /// until the last of them is looked after: a start that is cut short is made up for by the next.
    pub(super) fn settle_orphans(
        &mut self,
        index: &SpoolIndex,
        closed_below: PaneId,
    ) -> anyhow::Result<()> {
        let known: BTreeSet<_> = self.state.panes.values().map(|pane| pane.uuid).collect();
        let stored = match self.scrollback.stored_panes() {
            Ok(stored) => stored.into_iter().filter(|uuid| !known.contains(uuid)),
            // What was noted of orphans stays as it is, for the next start.
            Err(error) => {
                tracing::error!(%error, "the panes' directories cannot be listed");
                return Ok(());
            }
        };
        let stored: Vec<_> =
            stored.map(|uuid| (uuid, restoration::read_number(&self.pane_dir(uuid)))).collect();
        if stored.iter().any(|(_, number)| number.is_some_and(|id| id >= closed_below)) {
            self.persistence.note_orphans(Some(closed_below), self.now());
        }
        let mut is_all_done = true;
        let total = self.history_total();
        let next = self.state.next.pane;
        let numbers_lost = closed_below.0..next.saturating_add(LOST_NUMBERS_MAX);
        let is_lost = |id: PaneId| numbers_lost.contains(&id.0);
        let (mut gone, mut lost, mut beyond) = (Vec::new(), Vec::new(), next);
        for (uuid, number) in stored {
            let lost_number = number.filter(|id| is_lost(*id));
            beyond = beyond.max(lost_number.map_or(0, |id| id.0 + 1));
            match self.scrollback.is_kept(uuid, total) {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(%uuid, %error, "cannot look at a pane's files");
                    is_all_done = false;
                    continue;
                }
            }
            match (ccmux_keeper::lock_alive(&self.pane_dir(uuid)), lost_number) {
                (Ok(Some(free)), _) => match number.filter(|id| *id >= closed_below) {
                    Some(id) => gone.push((id, uuid, free)),
                    None => self.bury_orphan(index, uuid, number)?,
                },
                (Ok(None), Some(id)) => lost.push((id, uuid)),
                (Ok(None), None) => self.finish_closing(index, uuid, number)?,
                (Err(error), _) => {
                    tracing::error!(%uuid, %error, "cannot look at a keeper's lock");
                    is_all_done = false;
                }
            }
        }
        is_all_done &= self.set_lost_aside(index, &gone);
        lost.sort();
        for (id, uuid) in lost {
            self.reserve_panes(id.0);
            self.load_pane(index, PaneId(self.state.next.pane), uuid)?;
            is_all_done &= self.adopt_lost(uuid);
        }
        self.reserve_panes(beyond);
        if is_all_done {
            self.persistence.note_orphans(None, self.now());
        }
        Ok(())
    }

    /// Keeps the files of panes whose records were lost, and whose programs are gone, too, where a
    /// person can find them. Returns whether all are there.
    fn set_lost_aside(
        &mut self,
        index: &SpoolIndex,
        gone: &[(PaneId, PaneUuid, AliveLock)],
    ) -> bool {
        if gone.is_empty() {
            return true;
        }
        let uuids: Vec<PaneUuid> = gone.iter().map(|(_, uuid, _)| *uuid).collect();
        let places = self.scrollback.places_aside(&uuids);
        for (at, (id, uuid, _)) in gone.iter().enumerate() {
            let what = format!("the record of pane {id} is lost and its program gone");
            let found = match &places {
                Ok(places) => format!("{what}; what it printed is in {}", places[at].display()),
                Err(error) => format!("{what}; panes/{uuid} could not be set aside: {error}"),
            };
            tracing::error!(%uuid, found, "a pane is lost");
            self.pane_damage.push(found);
        }
        // First of all: the next start will not find what is set aside.
        self.keep_findings();
        let Ok(places) = places else { return false };
        let mut is_done = true;
        for (uuid, place) in uuids.into_iter().zip(places) {
            if let Err(error) = self.scrollback.set_pane_aside(index, uuid, &place) {
                tracing::error!(%uuid, %error, "a lost pane could not be set aside");
                let found = format!("panes/{uuid} could not be set aside after all: {error}");
                self.pane_damage.push(found);
                is_done = false;
            }
        }
        is_done
    }

    /// Gives out no pane's number below `next`.
    fn reserve_panes(&mut self, next: u32) {
        if next > self.state.next.pane {
            let next = NextIds { pane: next, ..self.state.next };
            let cause = Cause::event("recovery", "numbers of panes without a record");
            if let Err(error) = self.commit(&[Change::IdsReserved { next }], &cause) {
                tracing::error!(%error, "numbers of lost panes may be given out again");
            }
        }
    }

    /// An adopted keeper's ring is here: the stream goes on where spool and keyframe end.
    pub(crate) fn catch_up(&mut self, id: PaneId) {
        let Some(pane) = self.panes.get_mut(&id) else { return };
        let replayed = std::mem::take(&mut pane.replayed);
        let loaded = pane.output.consumed;
        let is_after_shutdown = self.is_after_shutdown;
        let Some(held) = pane.held() else { return };
        let is_over = matches!(held.ring.child_state(), Ok(ChildState::Ended(_)));
        pane.is_shut_down = is_after_shutdown && is_over;
        let Some(held) = pane.held() else { return };
        let (spooled, answered) = (held.ring.spooled(), held.ring.answered());
        let head = match held.ring.head() {
            Ok(head) => head,
            Err(error) => return tracing::error!(pane = %id, %error, "the ring is damaged"),
        };
        let mut found = None;
        if loaded > head {
            // Frames that the keeper never published cannot be; files of another pane, perhaps.
            let more = loaded - head;
            found =
                Some(format!("pane {id}: {more} bytes more are stored than its keeper ever read"));
            let mark = restoration::doubt_mark(more);
            pane.apply(|terminal| terminal.advance(&mark));
            pane.output.consumed = head;
            pane.output.is_touched = true;
        } else if loaded < spooled {
            let lost = spooled - loaded;
            found = Some(format!("pane {id}: {lost} bytes of output were stored and are gone"));
            let mark = restoration::gap_mark(lost);
            pane.apply(|terminal| terminal.advance(&mark));
            pane.output.consumed = spooled;
            pane.output.is_touched = true;
        }
        let (consumed, uuid) = (pane.output.consumed, pane.uuid);
        if let Some(found) = found {
            tracing::error!(found, "the keeper knows better");
            self.pane_damage.push(found);
            self.keep_findings();
        }
        let Some(pane) = self.panes.get_mut(&id) else { return };
        let kept = self.scrollback.dispensable(uuid, consumed);
        let Some(held) = pane.held() else { return };
        let pending: Vec<_> =
            replayed.into_iter().filter(|(offset, _)| *offset > answered).collect();
        let marked = held
            .ring
            .set_spooled(spooled.max(kept))
            .and_then(|_awake| held.ring.set_answered(consumed.max(answered)));
        if let Err(error) = marked {
            return tracing::error!(pane = %id, %error, "the ring is damaged");
        }
        // A keeper that waits for room is rung whether or not it says that it sleeps.
        if let Some(link) = pane.link() {
            let _ = link.bell();
        }
        for (_, events) in pending {
            self.heed_events(id, events);
        }
    }

    /// A closed pane whose keeper had not been told before the server was killed.
    fn finish_closing(
        &mut self,
        index: &SpoolIndex,
        uuid: PaneUuid,
        number: Option<PaneId>,
    ) -> anyhow::Result<()> {
        tracing::info!(%uuid, "a pane's closing is finished");
        let pane = self.load_closing(index, uuid, number)?;
        let note = self.closing_note(&pane);
        self.closing.push(Closing { pane, seq: Seq(0), is_ending: false, at: None, note });
        self.has_more = true;
        Ok(())
    }

    /// A closed pane whose keeper is gone, and whose files were not dealt with before the server was
    /// killed.
    fn bury_orphan(
        &mut self,
        index: &SpoolIndex,
        uuid: PaneUuid,
        number: Option<PaneId>,
    ) -> anyhow::Result<()> {
        let pane = self.load_closing(index, uuid, number)?;
        let note = self.closing_note(&pane);
        self.bury(pane, note);
        Ok(())
    }

    /// A pane that the state does not know, with its output if that may have to be kept.
    fn load_closing(
        &mut self,
        index: &SpoolIndex,
        uuid: PaneUuid,
        number: Option<PaneId>,
    ) -> anyhow::Result<Pane> {
        // Numbers are never reused, so the token of this one is free.
        let id = number.unwrap_or(PaneId(u32::MAX));
        if number.is_some() && self.keeps_closed() && !self.panes.contains_key(&id) {
            self.load_pane(index, id, uuid)?;
            if let Some(pane) = self.panes.remove(&id) {
                return Ok(pane);
            }
        }
        let terminal = ccmux_term::Terminal::new(term_size(ccmux_core::geometry::Size::DEFAULT));
        Ok(Pane::new(id, uuid, terminal, Stage::Ended))
    }

    /// Begins a conversation with the keeper of a pane that is closed.
    pub(super) fn greet(&self, uuid: PaneUuid, id: PaneId) -> Result<Link, LinkError> {
        use std::os::fd::AsFd;
        let link = Link::adopt(&self.pane_dir(uuid))?;
        self.watcher.both(link.as_fd(), Event::Keeper(id))?;
        Ok(link)
    }

    /// A living program whose pane's record was lost: it gets a session of its own. Returns whether
    /// it has one.
    fn adopt_lost(&mut self, uuid: PaneUuid) -> bool {
        let facts = Facts { now: self.now(), uuid };
        let cause = Cause::event("recovery", "a program without a record");
        let mut number = 0;
        let name = loop {
            let name = match number {
                0 => RECOVERED.to_owned(),
                n => format!("{RECOVERED}-{n}"),
            };
            if self.state.session_named(&name).is_none() {
                break name;
            }
            number += 1;
        };
        let intent = Intent::NewSession(NewSession {
            name: Some(name),
            program: Program { cwd: self.home(), ..Program::default() },
            cwd: self.home(),
            ..NewSession::default()
        });
        let result = decide(&self.state, intent, &facts)
            .map_err(crate::command::CommandError::from)
            .and_then(|changes| self.commit(&changes, &cause));
        if let Err(error) = result {
            self.panes.retain(|id, _| self.state.panes.contains_key(id));
            tracing::error!(%uuid, %error, "a program could not be taken in");
            return false;
        }
        let found = self.panes.values().find(|pane| pane.uuid == uuid).map(|pane| pane.id);
        if let Some(id) = found {
            self.adopt_keeper(id);
        }
        true
    }
}
