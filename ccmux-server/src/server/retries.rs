//! Keepers that cannot be spoken with for now: when they are looked at again.
//!
//! ```text
//! Live, Replacing --hung up--> Lost --answers--> Adopting
//!                               |  cannot be spoken with: Unreachable, less and less often
//!                               +--gone: replaced, if the pty is held; else the program is lost
//! a program to be started, and a keeper that is not gone or cannot be started: Parting
//! ```

use std::time::Duration;

use ccmux_core::ids::PaneId;

use super::Server;
use crate::pane::{Contact, Held, Pane, Stage};

/// How soon a lost keeper is looked at again.
pub(super) const RETRY_INTERVAL: Duration = Duration::from_millis(20);
/// How soon, at the latest, a keeper that cannot be spoken with is looked at again.
const UNREACHABLE_INTERVAL_MAX: Duration = Duration::from_secs(10);

impl Server {
    /// A keeper cannot be spoken with, and may live: it is looked at again, less and less often.
    pub(crate) fn unreachable(&mut self, id: PaneId, why: String, held: Option<Held>) {
        let now = self.elapsed();
        let Some(pane) = self.panes.get_mut(&id) else { return };
        if pane.tries == 0 {
            tracing::error!(pane = %id, why, "no conversation with the keeper");
        }
        pane.tries += 1;
        pane.stage = Stage::Unreachable { why, held, at: now + retry_wait(pane.tries) };
        self.redraw_pane(id);
    }

    /// Looks again at keepers that could not be spoken with. One that is gone by now is replaced
    /// if its pty is held. Else its program is gone, too: the pane is restored, and nothing is
    /// taken for an end that nobody saw.
    pub(crate) fn retry_unreachable(&mut self) {
        let now = self.elapsed();
        let due = |pane: &&Pane| matches!(pane.stage, Stage::Unreachable { at, .. } if at <= now);
        let due: Vec<PaneId> = self.panes.values().filter(due).map(|pane| pane.id).collect();
        for id in due {
            let Some(pane) = self.panes.get_mut(&id) else { continue };
            let stage = std::mem::replace(&mut pane.stage, Stage::Ended);
            let Stage::Unreachable { held, .. } = stage else { continue };
            match self.adopt_again(id, held) {
                Ok(()) => {}
                Err(Some(held)) => self.replace_keeper(id, held),
                Err(None) => self.program_lost(id, Contact::Found),
            }
        }
    }

    /// A keeper that was killed lets go of its lock a moment after its connection; one that lives
    /// can be spoken with again.
    pub(super) fn try_again_soon(&mut self, id: PaneId, held: Option<Held>, contact: Contact) {
        let at = self.elapsed() + RETRY_INTERVAL;
        if let Some(pane) = self.panes.get_mut(&id) {
            pane.stage = Stage::Lost { held, contact, at };
        }
    }

    /// Looks again at keepers whose connection was lost.
    pub(crate) fn retry_lost(&mut self) {
        let now = self.elapsed();
        let due: Vec<PaneId> = self
            .panes
            .values()
            .filter(|pane| matches!(pane.stage, Stage::Lost { at, .. } if at <= now))
            .map(|pane| pane.id)
            .collect();
        for id in due {
            let Some(pane) = self.panes.get_mut(&id) else { continue };
            let stage = std::mem::replace(&mut pane.stage, Stage::Ended);
            let Stage::Lost { held, contact, .. } = stage else { continue };
            match self.adopt_again(id, held) {
                Ok(()) => {}
                Err(Some(held)) => self.replace_keeper(id, held),
                Err(None) => self.program_lost(id, contact),
            }
        }
    }

    /// Looks again at keepers that were about to be gone.
    pub(crate) fn retry_parting(&mut self) {
        let now = self.elapsed();
        let due = |pane: &&Pane| matches!(pane.stage, Stage::Parting { at, .. } if at <= now);
        let due: Vec<PaneId> = self.panes.values().filter(due).map(|pane| pane.id).collect();
        for id in due {
            let Some(pane) = self.panes.get_mut(&id) else { continue };
            if let Stage::Parting { program, .. } = std::mem::replace(&mut pane.stage, Stage::Ended)
            {
                self.start_program(id, program);
            }
        }
    }
}

/// How long to wait before a keeper that could not be spoken with so often is tried again.
pub(super) fn retry_wait(tries: u32) -> Duration {
    (RETRY_INTERVAL * 2_u32.saturating_pow(tries.clamp(1, 16) - 1)).min(UNREACHABLE_INTERVAL_MAX)
}
