//! Which segments exist, which panes still need each of them, and which are on their way out.

use std::collections::{HashMap, HashSet, VecDeque};

use ccmux_core::ids::PaneUuid;

use crate::persistence::scrollback::layout::StreamPosition;

/// The segments on disk, oldest first; the last one may be the one written to.
#[derive(Debug, Default)]
pub(super) struct SegmentTable {
    segments: VecDeque<SegmentUse>,
    /// Segments that nobody needs and that are still there, oldest first: number and length.
    leaving: VecDeque<(u64, u64)>,
    panes: HashMap<PaneUuid, PaneUse>,
}

#[derive(Debug)]
struct SegmentUse {
    number: u64,
    bytes: u64,
    /// Of each pane with frames here, how many frames it has up to the last one here.
    needs: HashMap<PaneUuid, u64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct PaneUse {
    next: StreamPosition,
    /// Frames before this one are no longer needed.
    released: u64,
}

impl SegmentTable {
    /// Adds a segment after all others.
    pub(super) fn push(&mut self, number: u64, bytes: u64) {
        self.segments.push_back(SegmentUse { number, bytes, needs: HashMap::new() });
    }

    /// Notes that the newest segment holds a frame of `pane` and where the stream goes on.
    pub(super) fn note(&mut self, pane: PaneUuid, next: StreamPosition, frame_len: u64) {
        self.panes.entry(pane).or_default().next = next;
        self.need(pane, next.frames, frame_len);
    }

    /// Notes that the newest segment holds a copy of an earlier frame.
    pub(super) fn note_copy(&mut self, pane: PaneUuid, sequence: u64, frame_len: u64) {
        self.need(pane, sequence + 1, frame_len);
    }

    fn need(&mut self, pane: PaneUuid, frames: u64, frame_len: u64) {
        let segment = self.segments.back_mut().expect("BUG: a frame without a segment");
        segment.bytes += frame_len;
        if self.panes.get(&pane).is_some_and(|known| known.released < frames) {
            segment.needs.insert(pane, frames);
        }
    }

    /// Notes what a recovered segment, the newest so far, holds of `pane`.
    pub(super) fn recover_need(&mut self, pane: PaneUuid, next: StreamPosition) {
        let known = self.panes.entry(pane).or_default();
        if known.next.frames <= next.frames {
            known.next = next;
        }
        self.need(pane, next.frames, 0);
    }

    pub(super) fn next_position(&self, pane: PaneUuid) -> Option<StreamPosition> {
        self.panes.get(&pane).map(|known| known.next)
    }

    /// Lets the stream of `pane` go on at `position`, whatever it was before.
    pub(super) fn resume(&mut self, pane: PaneUuid, position: StreamPosition) {
        self.panes.entry(pane).or_default().next = position;
    }

    /// Gives up the frames of `pane` before `position`.
    pub(super) fn release(&mut self, pane: PaneUuid, position: StreamPosition) {
        let Some(known) = self.panes.get_mut(&pane) else { return };
        known.released = known.released.max(position.frames);
        let released = known.released;
        for segment in &mut self.segments {
            if segment.needs.get(&pane).is_some_and(|&frames| frames <= released) {
                segment.needs.remove(&pane);
            }
        }
    }

    /// Forgets every pane that is not to be kept.
    pub(super) fn retain(&mut self, is_kept: impl Fn(PaneUuid) -> bool) {
        self.panes.retain(|&pane, _| is_kept(pane));
        for segment in &mut self.segments {
            segment.needs.retain(|&pane, _| is_kept(pane));
        }
    }

    pub(super) fn forget(&mut self, pane: PaneUuid) {
        self.panes.remove(&pane);
        for segment in &mut self.segments {
            segment.needs.remove(&pane);
        }
    }

    /// Takes out the oldest segments that no pane needs; never the newest. They are on the disk until
    /// [`SegmentTable::gone`].
    pub(super) fn take_unneeded(&mut self) -> Vec<u64> {
        let mut numbers = Vec::new();
        while self.segments.len() > 1 && self.segments[0].needs.is_empty() {
            let Some(SegmentUse { number, bytes, .. }) = self.segments.pop_front() else { break };
            self.leaving.push_back((number, bytes));
            numbers.push(number);
        }
        numbers
    }

    /// These, which had been taken out, are no longer there.
    pub(super) fn gone(&mut self, numbers: &[u64]) {
        self.leaving.retain(|(number, _)| !numbers.contains(number));
    }

    /// Gives up the oldest segment although panes need it; never the newest. Returns those panes.
    pub(super) fn drop_oldest(&mut self) -> Vec<PaneUuid> {
        if self.segments.len() < 2 {
            return Vec::new();
        }
        let needs = std::mem::take(&mut self.segments[0].needs);
        needs.into_keys().collect()
    }

    /// The panes that need the oldest segment, if it is not also the newest.
    pub(super) fn pinning(&self) -> Vec<PaneUuid> {
        match self.segments.front() {
            Some(oldest) if self.segments.len() > 1 => oldest.needs.keys().copied().collect(),
            _ => Vec::new(),
        }
    }

    /// The panes that need a segment with a number below `number`, which is not the newest.
    pub(super) fn needing_below(&self, number: u64) -> Vec<PaneUuid> {
        let old = self.segments.iter().take_while(|segment| segment.number < number);
        let panes: HashSet<PaneUuid> = old.flat_map(|old| old.needs.keys().copied()).collect();
        panes.into_iter().collect()
    }

    /// Bytes of the segments that are not on their way out.
    pub(super) fn kept_bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// Bytes of those that are.
    pub(super) fn leaving_bytes(&self) -> u64 {
        self.leaving.iter().map(|(_, bytes)| bytes).sum()
    }
}
