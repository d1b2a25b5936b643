//! Which segments go, and when: none that a pane needs, none before an older one is gone, none before a later one
//! is synced.

use ccmux_core::ids::PaneUuid;

use super::{HEADER_BYTES, SPOOL_DIR, Segment, SpoolEvent, SpoolLog};
use crate::persistence::scrollback::spool::sync_work::Removed;

impl SpoolLog {
    pub(super) fn remove_unneeded(&mut self) {
        self.removals.extend(self.table.take_unneeded());
    }

    /// Gives up the oldest output once the segments together are larger than allowed.
    pub(super) fn enforce_total(&mut self) {
        self.remove_unneeded();
        while self.table.kept_bytes() > self.options.total_bytes {
            let panes = self.table.drop_oldest();
            if panes.is_empty() {
                break;
            }
            self.events.extend(panes.into_iter().map(SpoolEvent::Dropped));
            self.remove_unneeded();
        }
    }

    /// Lets all that was written so far go as soon as no pane needs it, instead of once the spool
    /// has grown long: the panes that need it are among the pinning ones from now on.
    pub(in crate::persistence::scrollback::spool) fn retire(&mut self) {
        let has_frames = |segment: &Segment| segment.len > HEADER_BYTES as u64;
        if self.current.as_ref().is_some_and(has_frames)
            && let Err(error) = self.begin_segment()
        {
            self.degrade(&error);
        }
        self.retired_below =
            self.current.as_ref().map_or(self.next_number, |now| now.header.number);
        self.remove_unneeded();
    }

    pub(in crate::persistence::scrollback::spool) fn pinning(&self) -> Vec<PaneUuid> {
        let mut panes = self.table.needing_below(self.retired_below);
        if self.table.kept_bytes() > self.options.pin_bytes {
            panes.extend(self.table.pinning());
        }
        panes
    }

    /// Whether the disk would hold more than it should before segments that are on their way out are gone
    /// (P6). A disk that removes nothing at all holds nobody back: nobody knows whether it ever will, and
    /// programs that stand still for good are worse than a disk that fills up. Until then all output is
    /// stored; after that the disk refuses it, as any full one does. People are told at once.
    pub(super) fn waits_for_removals(&self) -> bool {
        let leaving = self.table.leaving_bytes();
        let bytes_max = self.options.total_bytes + self.options.leaving_bytes_max;
        let is_removing = self.may_remove() && !self.is_removal_stuck;
        leaving > 0 && is_removing && self.table.kept_bytes() + leaving > bytes_max
    }

    /// Bytes of segments that nobody needs and the disk does not remove; `None` while it does.
    pub(in crate::persistence::scrollback::spool) fn stuck_bytes(&self) -> Option<u64> {
        let is_stuck = self.is_removal_stuck || self.is_removal_over;
        is_stuck.then(|| self.table.leaving_bytes())
    }

    /// Whether segments may go after the next sync: not while there is no segment that follows them.
    pub(super) fn may_remove(&self) -> bool {
        self.current.is_some() && !self.is_removal_over
    }

    /// These go after a later sync, in their order.
    pub(super) fn put_back(&mut self, segments: &[u64]) {
        self.removals.extend(segments);
        self.removals.sort_unstable();
    }

    /// Whether there are segments to be removed, and nobody does so.
    pub(in crate::persistence::scrollback::spool) fn has_removable(&self) -> bool {
        !self.removable.is_empty() && !self.is_removing
    }

    /// Segments to be removed, oldest first; none while others are being removed.
    pub(in crate::persistence::scrollback::spool) fn begin_removal(&mut self) -> Vec<u64> {
        if !self.has_removable() {
            return Vec::new();
        }
        self.is_removing = true;
        std::mem::take(&mut self.removable)
    }

    /// Takes in how far the removal of `segments` came. A later segment must not go before one that is
    /// left.
    pub(in crate::persistence::scrollback::spool) fn finish_removal(
        &mut self,
        segments: &[u64],
        removed: Removed,
    ) {
        self.is_removing = false;
        if let Some(error) = removed.unsynced {
            self.is_removal_over = true;
            // The syncer may wait for this very directory.
            self.mark_dirs(&[SPOOL_DIR]);
            self.give_files_up(&error);
        }
        let (gone, rest) = segments.split_at(removed.count);
        self.table.gone(gone);
        let was_stuck = std::mem::replace(&mut self.is_removal_stuck, !rest.is_empty());
        let [first, ..] = rest else { return };
        if !was_stuck {
            tracing::warn!(number = first, "a spool segment stays: it cannot be removed");
        }
        let later = std::mem::take(&mut self.removable);
        self.put_back(&later);
        self.put_back(rest);
    }
}
