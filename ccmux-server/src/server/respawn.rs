//! The end of one program in a pane that stays: another one follows, or nothing.

use std::path::Path;

use ccmux_core::ids::PaneId;

use super::Server;
use super::keepers::create_private_dir;
use crate::pane::{Pane, Stage};
use crate::persistence::Seq;

/// Name of the file in a pane's directory that names the record of a request for another program,
/// until that one is about to be started.
const RESPAWN_FILE: &str = "respawn";

impl Server {
    /// Notes that panes get new programs with the next record. A server that is killed before it
    /// has ended the old program leaves a keeper that knows nothing of the new one.
    pub(super) fn note_respawns(&self, panes: &[PaneId]) {
        let Seq(issued) = self.persistence.issued();
        for pane in panes.iter().filter_map(|id| self.panes.get(id)) {
            let pane_dir = self.pane_dir(pane.uuid);
            let noted = create_private_dir(&pane_dir).and_then(|()| {
                std::fs::write(pane_dir.join(RESPAWN_FILE), (issued + 1).to_string())
            });
            if let Err(error) = noted {
                tracing::warn!(pane = %pane.id, %error, "a kill of the server may lose a respawn");
            }
        }
    }

    /// Whether an earlier server was killed between the record of a pane's new program and its
    /// start. A machine that was started anew may show files of long before; then nothing counts.
    pub(super) fn is_respawn_pending(&self, id: PaneId) -> bool {
        let Some(pane) = self.panes.get(&id) else { return false };
        let pane_dir = self.pane_dir(pane.uuid);
        let noted = std::fs::read_to_string(pane_dir.join(RESPAWN_FILE)).ok();
        let Some(noted) = noted.and_then(|text| text.trim().parse().ok()) else { return false };
        // A record that was lost is not obeyed, and its number will be another one's.
        let is_pending = Seq(noted) <= self.persistence.issued() && !self.is_new_boot;
        if !is_pending && let Err(error) = forget_respawn(&pane_dir) {
            tracing::error!(pane = %id, %error, "an old request for another program stays");
        }
        is_pending
    }

    /// A pane gets a new program once the record of it is settled; the old one is ended first.
    pub(crate) fn respawn(&mut self, id: PaneId, seq: Seq) {
        let now = self.now();
        let Some(pane) = self.panes.get_mut(&id) else { return };
        pane.mode = None;
        pane.has_said_end = false;
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
            // One that is lost for the moment is ended once it can be spoken with.
            match std::mem::replace(&mut pane.stage, Stage::Ended) {
                stage @ (Stage::Live(_)
                | Stage::Starting { .. }
                | Stage::Adopting { .. }
                | Stage::Replacing { .. }) => {
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
            if self.scrollback.is_away(pane.uuid) {
                // The keeper holds what no disk does.
                continue;
            }
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
        if pane.respawn.is_none() {
            self.say_dead(id);
        }
    }

    /// Ends what runs in a pane whose keeper can be spoken with, and lets the keeper go; the
    /// recorded program follows.
    pub(super) fn dismiss_keeper(&mut self, id: PaneId) {
        let Some(pane) = self.panes.get_mut(&id) else { return };
        Self::end_keeper(pane);
        if let Some(held) = pane.held() {
            use std::os::fd::AsFd;
            self.watcher.forget(held.master.as_fd());
        }
        pane.unwatch_input();
        if let Some(link) = std::mem::replace(&mut pane.stage, Stage::Ended).into_link() {
            pane.stage = Stage::Respawning { link, program: None };
        }
    }
}

/// A pane's new program is about to be started, or will not be.
pub(super) fn forget_respawn(pane_dir: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(pane_dir.join(RESPAWN_FILE)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
