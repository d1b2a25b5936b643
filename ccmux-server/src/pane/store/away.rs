//! Panes without a spool: private ones, and those whose output the disk refuses.
//!
//! Such a pane is *away*: nothing that it prints is spooled. What it has printed is in its ring until a
//! keyframe in its stash covers it, and the stash is with the keeper, so a killed server takes none
//! of it. Once the disk is well, a pane that is not private *comes home*: a keyframe, and the history
//! before it, go to the disk, and when they are durable and nothing has happened in the pane
//! meanwhile, the spool goes on from there.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use ccmux_core::ids::PaneUuid;
use ccmux_keeper::Stash;

use super::{Known, Scrollback};
use crate::persistence::scrollback::{
    ArchiveJob, Health, HistorySource, Keyframe, StashedPane, StreamPosition,
};

/// Output that can be kept nowhere stays in the ring up to this, so that the next server shows it;
/// the rest is room for the program to print into.
const HELD_BACK: u64 = ccmux_keeper::CAPACITY as u64 * 3 / 4;

/// What is known of a pane that is away.
#[derive(Debug, Default)]
pub(super) struct Away {
    /// It shall never be on the disk (`history-persist off`).
    pub(super) is_private: bool,
    memory: Option<Memory>,
    /// The system had no memory for a stash, so what the ring can hold has to do.
    has_no_memory: bool,
    /// Its last keyframe is on the way to the disk.
    is_coming_home: bool,
}

/// A stash and who holds it.
#[derive(Debug)]
struct Memory {
    stashed: StashedPane,
    descriptor: OwnedFd,
    /// The keeper holds it, too.
    is_handed: bool,
}

impl Away {
    /// The disk refuses its output.
    pub(super) fn refused() -> Self {
        Self::default()
    }

    fn private() -> Self {
        Self { is_private: true, ..Self::default() }
    }

    /// What memory holds of it.
    pub(super) fn stash(&self) -> Option<&StashedPane> {
        self.memory.as_ref().map(|memory| &memory.stashed)
    }
}

impl Known {
    pub(super) fn is_private(&self) -> bool {
        self.away.as_ref().is_some_and(|away| away.is_private)
    }

    /// Takes note of a keyframe that is durable; returns whether it brought the pane home.
    pub(super) fn comes_home(&mut self, keyframe: Option<StreamPosition>) -> bool {
        let Some(away) = self.away.as_mut().filter(|away| away.is_coming_home) else {
            return false;
        };
        away.is_coming_home = false;
        let is_home = keyframe == Some(self.position);
        if is_home {
            self.away = None;
        }
        is_home
    }
}

impl Scrollback {
    /// Whether a pane has no spool.
    pub(crate) fn is_away(&self, pane: PaneUuid) -> bool {
        self.panes.get(&pane).is_some_and(|known| known.away.is_some())
    }

    /// Whether nothing of a pane may get to the disk.
    pub(crate) fn is_private(&self, pane: PaneUuid) -> bool {
        self.panes.get(&pane).is_some_and(Known::is_private)
    }

    /// Whether memory that outlives the server holds what a pane shows.
    pub(crate) fn is_stashed(&self, pane: PaneUuid) -> bool {
        self.memory(pane).is_some_and(|memory| memory.is_handed)
    }

    /// Whether there is a stash of a pane.
    pub(crate) fn has_stash(&self, pane: PaneUuid) -> bool {
        self.memory(pane).is_some()
    }

    fn memory(&self, pane: PaneUuid) -> Option<&Memory> {
        self.panes.get(&pane)?.away.as_ref()?.memory.as_ref()
    }

    fn away_mut(&mut self, pane: PaneUuid) -> Option<&mut Away> {
        self.panes.get_mut(&pane)?.away.as_mut()
    }

    /// From now on nothing that a pane prints gets to the disk. What is there stays until
    /// [`Scrollback::purge`].
    pub(crate) fn make_private(&mut self, pane: PaneUuid) {
        let known = self.panes.entry(pane).or_default();
        let away = known.away.get_or_insert_with(Away::private);
        (away.is_private, away.is_coming_home) = (true, false);
    }

    /// A private pane goes to the disk from now on.
    pub(crate) fn make_public(&mut self, pane: PaneUuid) {
        if let Some(away) = self.away_mut(pane) {
            away.is_private = false;
        }
    }

    /// Removes all that the disk holds of a private pane's output. The spool's segments go as soon
    /// as no other pane needs them.
    pub(crate) fn purge(&mut self, pane: PaneUuid) {
        if let Some(known) = self.panes.get_mut(&pane) {
            known.disk_end = 0;
            let stash = known.away.as_ref().and_then(Away::stash);
            known.first_line = stash.map_or(known.end_line, |stash| stash.lines().start);
        }
        self.archiver.purge(pane);
        self.spool.forget(pane);
        self.spool.retire();
    }

    /// The history of a pane was cleared: nothing of it is to stay anywhere.
    pub(crate) fn note_cleared(&mut self, pane: PaneUuid) {
        self.panes.entry(pane).or_default().is_cleared = true;
        self.spool.retire();
    }

    /// A pane is closed.
    pub(crate) fn note_closed(&mut self, pane: PaneUuid) {
        self.panes.entry(pane).or_default().is_closed = true;
    }

    /// The disk refuses: no pane is spooled until it is home again. Returns those that were.
    pub(super) fn send_all_away(&mut self) -> impl Iterator<Item = PaneUuid> {
        let home = self.panes.iter_mut().filter(|(_, known)| known.away.is_none());
        let sent: Vec<PaneUuid> = home
            .map(|(pane, known)| {
                known.away = Some(Away::refused());
                *pane
            })
            .collect();
        sent.into_iter()
    }

    /// How much of a pane's output, which was taken up to `taken`, its ring may give up.
    pub(crate) fn dispensable(&self, pane: PaneUuid, taken: u64) -> u64 {
        let Some(away) = self.panes.get(&pane).and_then(|known| known.away.as_ref()) else {
            return taken;
        };
        let memory = away.memory.as_ref().filter(|memory| memory.is_handed);
        let stashed = memory.map_or(0, |memory| memory.stashed.position().offset);
        let beyond = if away.has_no_memory { taken.saturating_sub(HELD_BACK) } else { 0 };
        stashed.max(beyond)
    }

    /// Makes sure that there is a stash for a pane that is away; returns whether there is.
    pub(crate) fn prepare_stash(&mut self, pane: PaneUuid) -> bool {
        let storage = self.storage();
        let Some(known) = self.panes.get_mut(&pane) else { return false };
        let on_disk = known.first_line..known.disk_end;
        let Some(away) = known.away.as_mut() else { return false };
        if away.memory.is_some() {
            return true;
        }
        let created = Stash::create().and_then(|stash| {
            let descriptor = stash.to_descriptor()?;
            let mut stashed = StashedPane::create(pane, Box::new(stash))?;
            if away.is_private
                && !on_disk.is_empty()
                && let Err(error) = stashed.copy_newest(&storage, on_disk)
            {
                tracing::warn!(%pane, %error, "the history of a pane that became private is lost");
            }
            Ok(Memory { stashed, descriptor, is_handed: false })
        });
        match created {
            Ok(memory) => away.memory = Some(memory),
            Err(error) => {
                if !std::mem::replace(&mut away.has_no_memory, true) {
                    tracing::error!(%pane, %error, "there is no memory for what a pane prints");
                }
                return false;
            }
        }
        away.has_no_memory = false;
        true
    }

    /// Puts lines and a keyframe into a pane's stash. Returns whether they are there.
    pub(crate) fn stash(&mut self, job: ArchiveJob) -> bool {
        let pane = job.pane;
        let Some(known) = self.panes.get_mut(&pane) else { return false };
        let is_sole = std::mem::take(&mut known.is_cleared);
        let Some(away) = known.away.as_mut() else { return false };
        let Some(memory) = away.memory.as_mut() else { return false };
        match memory.stashed.archive(job, is_sole) {
            Ok(_) => {
                let lines = memory.stashed.lines();
                known.end_line = known.end_line.max(lines.end);
                if away.is_private {
                    known.first_line = known.first_line.max(lines.start);
                } else {
                    // What the disk holds of a history that was cleared goes when the pane is home.
                    known.is_cleared = is_sole;
                }
                away.has_no_memory = false;
                true
            }
            Err(error) => {
                known.is_cleared |= is_sole;
                if !std::mem::replace(&mut away.has_no_memory, true) {
                    tracing::error!(%pane, %error, "there is no memory for what a pane prints");
                }
                false
            }
        }
    }

    /// A descriptor of a pane's stash, for a keeper that is being started.
    pub(crate) fn stash_descriptor(&self, pane: PaneUuid) -> Option<OwnedFd> {
        self.memory(pane)?.descriptor.try_clone().ok()
    }

    /// A descriptor of a pane's stash, if its keeper does not hold it yet.
    pub(crate) fn stash_to_hand(&self, pane: PaneUuid) -> Option<io::Result<OwnedFd>> {
        let memory = self.memory(pane).filter(|memory| !memory.is_handed)?;
        Some(memory.descriptor.try_clone())
    }

    /// Whether the keeper of a pane holds its stash.
    pub(crate) fn note_handed(&mut self, pane: PaneUuid, is_handed: bool) {
        if let Some(memory) = self.away_mut(pane).and_then(|away| away.memory.as_mut()) {
            memory.is_handed = is_handed;
        }
    }

    /// Takes over what an earlier server left in a stash, if that is later than what the disk holds.
    /// Returns the keyframe to go on from.
    ///
    /// # Errors
    /// What was handed over is no stash.
    pub(crate) fn adopt_stash(
        &mut self,
        pane: PaneUuid,
        descriptor: OwnedFd,
        thaw: &mut dyn FnMut(&Keyframe) -> Result<(), String>,
    ) -> io::Result<Option<Keyframe>> {
        let stash = Stash::open(descriptor)?;
        let descriptor = stash.to_descriptor()?;
        let (stashed, keyframe) = StashedPane::open(pane, Box::new(stash), thaw)?;
        let known = self.panes.entry(pane).or_default();
        let (stored, found) = (known.position, keyframe.position);
        if (found.frames, found.offset) <= (stored.frames, stored.offset) {
            return Ok(None);
        }
        known.position = found;
        known.first_line = known.first_line.max(keyframe.history.start);
        known.end_line = keyframe.history.end;
        known.disk_end = known.disk_end.min(known.end_line);
        let away = known.away.get_or_insert_with(Away::refused);
        if away.is_private {
            known.first_line = known.first_line.max(stashed.lines().start);
        }
        away.memory = Some(Memory { stashed, descriptor, is_handed: true });
        Ok(Some(keyframe))
    }

    /// Whether a pane that is away can be brought home now.
    pub(crate) fn may_come_home(&self, pane: PaneUuid) -> bool {
        let is_refused = |away: &Away| !away.is_private && !away.is_coming_home;
        self.spool.health() == Health::Durable
            && self.panes.get(&pane).and_then(|known| known.away.as_ref()).is_some_and(is_refused)
    }

    /// Hands over what brings a pane home: its last lines and keyframe.
    pub(crate) fn bring_home(&mut self, job: ArchiveJob) {
        let Some(known) = self.panes.get_mut(&job.pane) else { return };
        let Some(away) = known.away.as_mut() else { return };
        away.is_coming_home = true;
        let source = away.stash().map(|stash| {
            let lines = stash.lines();
            let lines = lines.start.max(known.disk_end).min(lines.end)..lines.end;
            HistorySource { storage: Arc::clone(stash.storage()), lines }
        });
        let is_cleared = std::mem::take(&mut known.is_cleared);
        self.archiver.rewrite(job, source, is_cleared);
    }

    /// Whether a pane is on its way home and must not be fed until it is there. Where the disk
    /// fails again it goes on without.
    pub(crate) fn is_coming_home(&self, pane: PaneUuid) -> bool {
        let away = self.panes.get(&pane).and_then(|known| known.away.as_ref());
        away.is_some_and(|away| away.is_coming_home) && !self.archiver.is_failing(pane)
    }
}
