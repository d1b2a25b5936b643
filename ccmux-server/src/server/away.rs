//! Panes of which the disk has nothing: private ones, and those whose output it refuses.
//!
//! What such a pane shows is in memory that its keeper holds for the next server; see
//! `pane::store::away`. Here are the moments at which that matters: the option changes, a keeper
//! hands over what an earlier server left, a pane is on the disk again.

use std::os::fd::OwnedFd;

use ccmux_core::change::OptionScope;
use ccmux_core::ids::{PaneId, PaneUuid};

use super::Server;
use crate::pane::store::thaw;
use crate::pane::{Pane, Stage};

impl Server {
    /// Whether nothing that a pane prints may get to the disk (`history-persist`).
    pub(super) fn is_to_be_private(&self, id: PaneId) -> bool {
        !self.state.options(OptionScope::Pane(id)).flag("history-persist")
    }

    /// Makes panes private, or no longer, as their options say. What the disk holds of one that
    /// becomes private goes once the record of that is settled.
    pub(super) fn tell_privacy(&mut self) {
        let record = self.hard;
        for pane in self.panes.values_mut() {
            let options = self.state.options(OptionScope::Pane(pane.id));
            let is_wanted = !options.flag("history-persist");
            if is_wanted == self.scrollback.is_private(pane.uuid) {
                continue;
            }
            pane.output.is_touched = true;
            if is_wanted {
                self.scrollback.make_private(pane.uuid);
                pane.output.is_archiving = false;
                self.purges.push((pane.id, record));
            } else {
                self.scrollback.make_public(pane.uuid);
                self.purges.retain(|(id, _)| *id != pane.id);
            }
        }
    }

    /// Removes what the disk holds of panes that have become private: once that is settled, and
    /// once their keepers hold it instead.
    pub(super) fn purge_private(&mut self) {
        for (id, record) in std::mem::take(&mut self.purges) {
            let Some(pane) = self.panes.get_mut(&id) else { continue };
            let uuid = pane.uuid;
            let is_safe = self.scrollback.is_stashed(uuid)
                || !matches!(pane.stage, Stage::Live(_))
                || !pane.output.is_touched;
            if self.is_settled(record) && is_safe {
                self.scrollback.purge(uuid);
            } else {
                self.purges.push((id, record));
            }
        }
    }

    /// What an earlier server left with a pane's keeper: if it is later than what the disk holds, the
    /// pane goes on from there.
    pub(super) fn take_stash(&mut self, id: PaneId, descriptor: Option<OwnedFd>) {
        let (Some(descriptor), Some(pane)) = (descriptor, self.panes.get(&id)) else { return };
        let uuid = pane.uuid;
        if self.scrollback.has_stash(uuid) {
            // It is the same memory, and this server knows what is in it.
            return;
        }
        let mut thawed = None;
        let adopted = self.scrollback.adopt_stash(uuid, descriptor, &mut |keyframe| {
            thawed = Some(thaw(keyframe)?);
            Ok(())
        });
        match adopted {
            Ok(Some(keyframe)) => {
                let Some(pane) = self.panes.get_mut(&id) else { return };
                if let Some(terminal) = thawed {
                    pane.terminal = terminal;
                }
                let offset = keyframe.position.offset;
                (pane.output.consumed, pane.output.keyframed) = (offset, offset);
                pane.output.doubted = offset;
                pane.output.archived = keyframe.history.end;
                pane.output.is_touched = false;
                pane.look_again(&self.scrollback);
                self.fit_panes();
                self.tell_options();
                self.log_soft(id);
            }
            Ok(None) => self.forget_stash(uuid),
            Err(error) => {
                tracing::error!(pane = %id, %error, "what a keeper held cannot be used");
                let what = format!("what memory held of pane {id} cannot be used: {error}");
                self.pane_damage.push(what);
                self.keep_findings();
                self.forget_stash(uuid);
            }
        }
    }

    /// All of a pane is on the disk again: its keeper need hold no stash of it, and may write over
    /// what the ring still has. Nothing else may come that would let it.
    pub(super) fn come_home(&mut self, uuid: PaneUuid) {
        self.forget_stash(uuid);
        let Some(pane) = self.panes.values_mut().find(|pane| pane.uuid == uuid) else { return };
        if let Err(error) = pane.release_ring(&self.scrollback) {
            // The next turn reads the ring and reports the damage.
            tracing::error!(pane = %pane.id, %error, "the ring is damaged");
        }
    }

    /// The keeper of a pane need not hold its stash any more.
    pub(super) fn forget_stash(&mut self, uuid: PaneUuid) {
        let pane = self.panes.values_mut().find(|pane| pane.uuid == uuid);
        if let Some(link) = pane.and_then(Pane::link) {
            // A keeper that is not told is one that is gone, or is told by the next server.
            let _ = link.forget_stash();
        }
    }
}
