//! Panes that are closed: their programs are ended and their keepers let go, and only then their
//! files go, or are kept for a while (`closed`). A keeper that cannot be told for the moment is told later.

use std::os::fd::AsFd;
use std::time::Duration;

use ccmux_core::ids::PaneId;
use ccmux_keeper::{LinkEvent, lock_alive};

use super::Server;
use super::retries::retry_wait;
use crate::pane::{Pane, Stage};
use crate::persistence::scrollback::ClosedPane;

/// The signal a closed pane's program gets: its terminal hung up.
const SIGHUP: i32 = 1;

impl Server {
    /// Tells the keeper of a closed pane to end its program; the record of it is settled.
    ///
    /// Returns false if there is no keeper to tell.
    pub(crate) fn end_keeper(pane: &mut Pane) -> bool {
        let Some(link) = pane.link() else { return false };
        // A link that fails is one whose keeper is gone; its close is heard of.
        let _ = link.end(SIGHUP).and_then(|()| link.release());
        true
    }

    /// A keeper of a closed pane is heard from: when it is gone, so are the pane's files. Not
    /// before, because they are how a server finds a keeper whose end was cut short.
    pub(super) fn hear_closing(&mut self, id: PaneId) {
        let now = self.elapsed();
        for closing in self.closing.iter_mut().filter(|closing| closing.pane.id == id) {
            let Some(link) = closing.pane.link() else { continue };
            let events = link.receive().unwrap_or_else(|_| vec![LinkEvent::Closed]);
            let is_ready = events.iter().any(|event| matches!(event, LinkEvent::Ready { .. }));
            if is_ready && closing.is_ending {
                let _ = link.end(SIGHUP).and_then(|()| link.release());
            }
            if events.iter().any(|event| matches!(event, LinkEvent::Closed | LinkEvent::Failed(_)))
            {
                self.watcher.forget(link.as_fd());
                if let Some(held) = closing.pane.held() {
                    self.watcher.forget(held.master.as_fd());
                }
                let stage = std::mem::replace(&mut closing.pane.stage, Stage::Ended);
                self.reaping.extend(stage.into_link());
                // As a rule it is gone. One that lives would do the same at once again.
                let wait = match closing.pane.tries {
                    0 => Duration::ZERO,
                    tries => retry_wait(tries),
                };
                closing.at = closing.is_ending.then_some(now + wait);
                self.has_more = true;
            }
        }
    }

    /// Looks at keepers of closed panes that could not be told so, or have hung up: those that are
    /// gone are buried, those that live are told.
    pub(crate) fn look_at_closing(&mut self) {
        let now = self.elapsed();
        for mut closing in std::mem::take(&mut self.closing) {
            if closing.at.is_none_or(|at| at > now) {
                self.closing.push(closing);
                continue;
            }
            closing.pane.tries += 1;
            let pane_dir = self.pane_dir(closing.pane.uuid);
            let greeted = match lock_alive(&pane_dir) {
                Ok(Some(_free)) => {
                    self.bury(closing.pane, closing.note);
                    continue;
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    self.bury(closing.pane, closing.note);
                    continue;
                }
                // A lock that cannot be looked at is no free one: the keeper may well live.
                Err(error) => Err(error.into()),
                Ok(None) => self.greet(closing.pane.uuid, closing.pane.id),
            };
            closing.at = match greeted {
                Ok(link) => {
                    closing.pane.stage = Stage::Adopting { link, held: None };
                    // Whatever it answers: its ring may be unusable.
                    Self::end_keeper(&mut closing.pane);
                    None
                }
                Err(_) => Some(now + retry_wait(closing.pane.tries)),
            };
            self.closing.push(closing);
        }
    }

    /// Removes what is left of a pane whose keeper is gone, or keeps it for a while.
    pub(crate) fn bury(&mut self, mut pane: Pane, note: ClosedPane) {
        self.keep_or_remove(&mut pane, note);
        if let Some(held) = pane.held() {
            self.watcher.forget(held.master.as_fd());
        }
        if let Some(link) = pane.link() {
            self.watcher.forget(link.as_fd());
        }
        self.reaping.extend(pane.stage.into_link());
        self.has_more = true;
    }
}
