//! Keepers and panes that the state and the world do not agree about, at a start.

use ccmux_core::decide::{Command as Intent, Facts, NewSession, decide};
use ccmux_core::ids::{PaneId, PaneUuid};
use ccmux_core::model::Program;
use ccmux_keeper::{ChildState, Link, LinkError};

use super::commit::Cause;
use super::{Closing, Server};
use crate::client::term_size;
use crate::event_loop::Event;
use crate::pane::{Pane, Stage};
use crate::persistence::Seq;

/// The session for panes whose records were lost.
const RECOVERED: &str = "recovered";

impl Server {
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
        if loaded > head {
            // Frames that the keeper never published cannot be; files of another pane, perhaps.
            tracing::error!(pane = %id, loaded, head, "more output is stored than was ever read");
            let mark = crate::persistence::restoration::doubt_mark(loaded - head);
            pane.apply(|terminal| terminal.advance(&mark));
            pane.output.consumed = head;
            pane.output.is_touched = true;
        } else if loaded < spooled {
            let lost = spooled - loaded;
            tracing::error!(pane = %id, lost, "spooled output is gone");
            let mark = crate::persistence::restoration::gap_mark(lost);
            pane.apply(|terminal| terminal.advance(&mark));
            pane.output.consumed = spooled;
            pane.output.is_touched = true;
        }
        let consumed = pane.output.consumed;
        let Some(held) = pane.held() else { return };
        let pending: Vec<_> =
            replayed.into_iter().filter(|(offset, _)| *offset > answered).collect();
        let marked = held
            .ring
            .set_spooled(consumed)
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
    pub(crate) fn finish_closing(&mut self, uuid: PaneUuid, number: Option<PaneId>) {
        tracing::info!(%uuid, "a pane's closing is finished");
        // Numbers are never reused, so the token of this one is free.
        let id = number.unwrap_or(PaneId(u32::MAX));
        let terminal = ccmux_term::Terminal::new(term_size(ccmux_core::geometry::Size::DEFAULT));
        let pane = Pane::new(id, uuid, terminal, Stage::Ended);
        self.closing.push(Closing { pane, seq: Seq(0), is_ending: false, at: None });
        self.has_more = true;
    }

    /// Begins a conversation with the keeper of a pane that is closed.
    pub(super) fn greet(&self, uuid: PaneUuid, id: PaneId) -> Result<Link, LinkError> {
        use std::os::fd::AsFd;
        let link = Link::adopt(&self.pane_dir(uuid))?;
        self.watcher.both(link.as_fd(), Event::Keeper(id))?;
        Ok(link)
    }

    /// A living program whose pane's record was lost: it gets a session of its own.
    pub(crate) fn adopt_lost(&mut self, uuid: PaneUuid) {
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
            return tracing::error!(%uuid, %error, "a program could not be taken in");
        }
        let found = self.panes.values().find(|pane| pane.uuid == uuid).map(|pane| pane.id);
        if let Some(id) = found {
            self.adopt_keeper(id);
        }
    }
}
