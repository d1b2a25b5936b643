//! The end of one program in a pane that stays: another one follows, or nothing.

use ccmux_core::ids::PaneId;

use super::Server;
use crate::pane::{Pane, Stage};
use crate::persistence::Seq;

impl Server {
    /// A pane gets a new program once the record of it is settled; the old one is ended first.
    pub(crate) fn respawn(&mut self, id: PaneId, seq: Seq) {
        let now = self.now();
        let Some(pane) = self.panes.get_mut(&id) else { return };
        pane.mode = None;
        pane.reset(&mut self.scrollback, now);
        match pane.stage {
            Stage::Ended | Stage::Waiting { .. } => {
                pane.stage = Stage::Waiting { seq, program: None };
            }
            _ => pane.respawn = Some(seq),
        }
    }

    /// Ends the old programs of panes that get a new one.
    pub(crate) fn end_respawning(&mut self) {
        let due: Vec<PaneId> = self
            .panes
            .values()
            .filter(|pane| pane.respawn.is_some_and(|seq| self.is_settled(seq)))
            .map(|pane| pane.id)
            .collect();
        for id in due {
            let Some(pane) = self.panes.get_mut(&id) else { continue };
            // One that is on its way, or lost for the moment, is ended once it can be spoken with.
            match std::mem::replace(&mut pane.stage, Stage::Ended) {
                stage @ Stage::Live(_) => {
                    pane.stage = stage;
                    pane.respawn = None;
                    self.dismiss_keeper(id);
                }
                Stage::Releasing { link } => {
                    pane.stage = Stage::Respawning { link, program: None };
                    pane.respawn = None;
                }
                Stage::Ended => {
                    pane.respawn = None;
                    self.start_program(id, None);
                }
                stage => pane.stage = stage,
            }
        }
    }

    /// Lets go of the keepers of panes that stay although their programs have ended, once that is
    /// on record.
    pub(crate) fn release_ended(&mut self) {
        let is_due = |pane: &&Pane| pane.end_record.is_some_and(|seq| self.is_settled(seq));
        let due: Vec<PaneId> = self.panes.values().filter(is_due).map(|pane| pane.id).collect();
        for id in due {
            let Some(pane) = self.panes.get_mut(&id) else { continue };
            pane.end_record = None;
            if matches!(pane.stage, Stage::Live(_)) {
                self.dismiss_keeper(id);
                if let Some(pane) = self.panes.get_mut(&id)
                    && let Stage::Respawning { link, .. } =
                        std::mem::replace(&mut pane.stage, Stage::Ended)
                {
                    pane.stage = Stage::Releasing { link };
                }
            }
        }
    }

    /// The keeper of an ended program has left.
    pub(super) fn released(&mut self, id: PaneId) {
        let Some(pane) = self.panes.get_mut(&id) else { return };
        pane.stage = Stage::Ended;
        self.has_more |= pane.respawn.is_some();
    }

    /// Ends what runs in a live pane and lets its keeper go; the recorded program follows.
    pub(super) fn dismiss_keeper(&mut self, id: PaneId) {
        let Some(pane) = self.panes.get_mut(&id) else { return };
        Self::end_keeper(pane);
        if let Some(held) = pane.held() {
            use std::os::fd::AsFd;
            self.watcher.forget(held.master.as_fd());
        }
        pane.unwatch_input();
        if let Stage::Live(live) = std::mem::replace(&mut pane.stage, Stage::Ended) {
            pane.stage = Stage::Respawning { link: live.link, program: None };
        }
    }
}
