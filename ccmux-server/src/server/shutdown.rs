//! What a shutdown of the machine ends is there again afterwards.
//!
//! A shutdown ends programs first, or the server first, or both at once; keepers that ignore it
//! may live on, with programs that have ended. So the end of a program is not what it seems for ten
//! seconds, nor is one that a server finds when the one before it was told to stop.

use std::collections::BTreeSet;

use ccmux_core::ids::PaneId;

use super::Server;
use crate::pane::Stage;
use crate::persistence::Seq;

impl Server {
    /// When every keeper has been looked at, what ends from now on ends by itself.
    pub(super) fn settle_shutdown(&mut self) {
        if !self.is_after_shutdown {
            return;
        }
        let is_open = self.panes.values().any(|pane| {
            pane.is_shut_down
                || matches!(
                    pane.stage,
                    Stage::Adopting { .. } | Stage::Lost { .. } | Stage::Parting { .. }
                )
        });
        if !is_open {
            self.is_after_shutdown = false;
            let now = self.now();
            self.persistence.settle(now);
        }
    }

    /// A program that a shutdown ended, whose keeper lived on: it is restored as if the keeper were
    /// gone, and the keeper is let go.
    pub(super) fn restore_shut_down(&mut self, id: PaneId) {
        self.dismiss_keeper(id);
        let restored = self.mark_restored(id);
        let Some(pane) = self.panes.get_mut(&id) else { return };
        pane.is_shut_down = false;
        match (restored, std::mem::replace(&mut pane.stage, Stage::Ended)) {
            (Some(program), Stage::Respawning { link, .. }) => {
                pane.stage = Stage::Respawning { link, program: Some(program) };
            }
            // The keeper was killed meanwhile. If it holds its lock still, that is waited for.
            (Some(program), _) => {
                pane.stage = Stage::Waiting { seq: Seq(0), program: Some(program) };
                self.has_more = true;
            }
            (None, Stage::Respawning { link, .. }) => {
                use std::os::fd::AsFd;
                self.watcher.forget(link.as_fd());
                self.reaping.push(link);
            }
            (None, other) => pane.stage = other,
        }
        self.redraw_pane(id);
    }

    /// Gives up spooled output of panes that are not there, unless they may come back.
    pub(super) fn forget_unknown_output(&mut self) {
        if self.persistence.may_take_back() {
            return;
        }
        let closing = self.closing.iter().map(|closing| &closing.pane);
        let panes = self.panes.values().chain(closing).map(|pane| pane.uuid);
        let known: BTreeSet<_> =
            panes.chain(self.doomed.iter().map(|doomed| doomed.uuid)).collect();
        self.scrollback.retain(|uuid| known.contains(&uuid));
    }
}
