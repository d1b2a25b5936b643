//! What is damaged, and what a power cut took before it was there.

use std::cmp::Ordering;

use super::{
    Damage, Era, FRAME_HEADER_BYTES, FrameEntry, HEADER_BYTES, Missing, SegmentHeader, SegmentInfo,
    SpoolIndex, headless,
};

impl SpoolIndex {
    /// A segment that nobody builds on and that has no header was never synced, if the power may have
    /// been cut since, or its making was cut short. Else it is damaged.
    pub(super) fn judge_torn(&mut self, headers: &[SegmentHeader]) {
        let torn = std::mem::take(&mut self.torn);
        let is_void = |number| headers.iter().any(|h| h.predecessor < number && number < h.number);
        let (lost, torn) = torn.into_iter().partition(|&(number, bytes)| {
            bytes >= HEADER_BYTES as u64 && self.is_of_this_boot(number) && !is_void(number)
        });
        self.torn = torn;
        let lost: Vec<(u64, u64)> = lost;
        self.damage.extend(lost.into_iter().map(|(number, _)| headless(number)));
    }

    /// Whether the segment, be it there or not, was certainly written in this boot of the machine: then
    /// so is all that stands in segments behind one of this boot.
    fn is_of_this_boot(&self, number: u64) -> bool {
        self.segments.iter().any(|segment| segment.number <= number && segment.is_of_this_boot)
    }

    /// Tells what was on the disk and is damaged from what a power cut took before it was there. The
    /// log ends where it took something: nothing behind that was promised to anybody.
    ///
    /// No power cut took anything of what was written in this boot. What was left of an earlier one when
    /// another began is known to have been there: only in the last the log can end, in whichever process
    /// of it. There frames are asked. Segments are synced in their order, so one that says of others in
    /// its segment that they were synced says so of all segments before, back to the one with which the
    /// log began again because a sync had failed or a process was killed. That one repeats what is not
    /// known to be synced of what stands before it, and so takes its place: whole, because it was synced
    /// whole. If not all of the repetitions are there none of what is in it, or behind it, ever was on the disk for
    /// certain, and the log ends as if it had never begun again.
    ///
    /// A segment ends before what nobody misses at its end. Who builds on it says so, and then nobody has to know
    /// any more which later segment took the place of that.
    pub(super) fn judge_missing(&mut self) {
        let last = self.segments.last().map(|segment| segment.era);
        let earlier = self.segments.iter().rev().find(|segment| Some(segment.era) != last);
        let end_of_earlier = earlier.map_or(0, |segment| segment.number);
        let is_boot_known = matches!(last, Some(Era::Boot(_)));
        let was_there = |index: &Self, number| {
            index.is_of_this_boot(number) || (is_boot_known && number <= end_of_earlier)
        };
        let is_torn = |&at: &usize| {
            let segment = &self.segments[at];
            let is_whole = segment.repeats_to.is_none_or(|to| segment.intact_to >= to);
            !is_whole && !was_there(self, segment.number) && !self.is_witnessed(at)
        };
        let torn: Vec<u64> =
            (0..self.segments.len()).filter(is_torn).map(|at| self.segments[at].number).collect();
        let missing = std::mem::take(&mut self.missing).into_iter();
        let mut pieces: Vec<(u64, u64, Option<Damage>)> = missing
            .map(|Missing { damage, number, from }| (number, from, damage))
            .chain(torn.iter().map(|&number| (number, 0, None)))
            .collect();
        pieces.sort_by_key(|&(number, from, _)| (number, from));
        let mut unmissed = Vec::new();
        for (number, from, damage) in pieces {
            let is_repeated = self.is_repeated(number, from, &torn);
            let was_synced =
                self.segments.iter().any(|segment| match segment.number.cmp(&number) {
                    Ordering::Less => false,
                    Ordering::Equal => segment.synced_to > from.max(segment.frames_at as u64),
                    Ordering::Greater => {
                        !is_repeated && segment.synced_to > segment.frames_at as u64
                    }
                });
            let is_lost = was_synced || (!is_repeated && was_there(self, number));
            match damage {
                _ if is_lost => self.damage.extend(damage),
                _ if !is_repeated && number > end_of_earlier => {
                    self.end_before(number, from);
                    break;
                }
                Some(Damage::SpoolBytes { to, .. }) => unmissed.push((number, from, to)),
                _ => {}
            }
        }
        for (number, from, to) in unmissed.into_iter().rev() {
            let ends_there =
                |segment: &&mut SegmentInfo| (segment.number, segment.end) == (number, to);
            if let Some(segment) = self.segments.iter_mut().find(ends_there) {
                segment.end = from;
            }
        }
    }

    /// Whether a frame says that the segment was synced, if nothing failed before.
    fn is_witnessed(&self, at: usize) -> bool {
        let (first, later) = (&self.segments[at], &self.segments[at + 1..]);
        let goes_on = later.iter().take_while(|later| later.repeats_to.is_none());
        let mut run = std::iter::once(first).chain(goes_on);
        run.any(|segment| segment.synced_to > segment.frames_at as u64)
    }

    /// Whether a later segment of the same era takes the place of this one from there on: the log began
    /// again with it, and nothing says that what stands there had been synced by then. Those that are
    /// `torn` take no place.
    fn is_repeated(&self, number: u64, from: u64, torn: &[u64]) -> bool {
        let mut rest = self.segments.iter().skip_while(|segment| segment.number < number);
        // Of a segment that is missing the next one knows the era.
        let Some(era) = rest.clone().next().map(|segment| segment.era) else {
            return false;
        };
        rest.any(|later| {
            let begins_again = later.repeats_to.is_some() && !torn.contains(&later.number);
            let repeats = later.number > number && later.era == era && begins_again;
            repeats && (number, from) >= self.proven_before(later.number)
        })
    }

    /// Forgets what stands at `from` of segment `number`, and behind.
    fn end_before(&mut self, number: u64, from: u64) {
        for frames in self.panes.values_mut() {
            frames.retain(|frame| place(&self.segments, frame) < (number, from));
        }
        self.panes.retain(|_, frames| !frames.is_empty());
        let kept = self.segments.partition_point(|segment| (segment.number, 0) < (number, from));
        self.void
            .extend(self.segments.drain(kept..).map(|segment| (segment.number, segment.bytes)));
        // It may be there, without a header.
        self.void.extend((from == 0).then_some((number, 0)));
        if let Some(last) = self.segments.last_mut().filter(|last| last.number == number) {
            last.end = from;
        }
    }

    /// The last place of which a frame in a segment before `number` says that all up to it was synced.
    fn proven_before(&self, number: u64) -> (u64, u64) {
        let is_witness = |segment: &&SegmentInfo| {
            segment.number < number && segment.synced_to > segment.frames_at as u64
        };
        let last = self.segments.iter().rev().find(is_witness);
        last.map_or((0, 0), |segment| (segment.number, segment.synced_to))
    }
}

/// The segment in which a frame stands, and where in that.
fn place(segments: &[SegmentInfo], frame: &FrameEntry) -> (u64, u64) {
    let start = u64::from(frame.position) - FRAME_HEADER_BYTES as u64;
    (segments[frame.segment as usize].number, start)
}
