//! What is damaged, and what a power cut took before it was there.

use std::cmp::Ordering;

use super::{
    Era, FRAME_HEADER_BYTES, FrameEntry, HEADER_BYTES, Missing, SegmentHeader, SegmentInfo,
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
    /// its segment that they were synced says so of all segments before; but for one that was given up
    /// because a sync failed. What had not been synced of that is repeated in the next, and so is what a
    /// killed process left.
    pub(super) fn judge_missing(&mut self) {
        let last = self.segments.last().map(|segment| segment.era);
        let earlier = self.segments.iter().rev().find(|segment| Some(segment.era) != last);
        let end_of_earlier = earlier.map_or(0, |segment| segment.number);
        let is_boot_known = matches!(last, Some(Era::Boot(_)));
        let mut skipped = Vec::new();
        let mut missing = std::mem::take(&mut self.missing);
        missing.sort_by_key(|missing| (missing.number, missing.from));
        for Missing { damage, number, from } in missing {
            let is_repeated = self.is_repeated(number, from);
            let was_synced =
                self.segments.iter().any(|segment| match segment.number.cmp(&number) {
                    Ordering::Less => false,
                    Ordering::Equal => segment.synced_to > from,
                    Ordering::Greater => {
                        !is_repeated && segment.synced_to > segment.frames_at as u64
                    }
                });
            let was_there =
                self.is_of_this_boot(number) || (is_boot_known && number <= end_of_earlier);
            if was_synced || (!is_repeated && was_there) {
                self.damage.push(damage);
            } else if is_repeated {
                skipped.push((number, from));
            } else if number > end_of_earlier {
                let (number, from) = self.first_cut(&skipped, (number, from));
                return self.end_before(number, from);
            }
        }
    }

    /// Where the log ends that was cut at `cut`. If that is in what a segment repeats of earlier ones, the
    /// pieces of those that were passed over for that are missing as well.
    fn first_cut(&self, skipped: &[(u64, u64)], cut: (u64, u64)) -> (u64, u64) {
        let at = self.segments.partition_point(|segment| segment.number < cut.0);
        let Some(segment) = self.segments.get(at).filter(|segment| segment.number == cut.0) else {
            return cut;
        };
        let repeated_to = segment.repeated_to;
        if segment.synced_to >= repeated_to || cut.1 > repeated_to {
            return cut;
        }
        let before = self.segments[..at].iter().rev().find(|earlier| earlier.repeated_to > 0);
        let from = before.map_or(0, |earlier| earlier.number);
        // The last of what is repeated may be there as well as not.
        match skipped.iter().copied().find(|piece| piece.0 >= from) {
            Some(piece) if !self.is_unbroken(piece, cut) => piece,
            _ => cut,
        }
    }

    /// Whether the frames before `cut` follow on those before `piece` in every pane, though that is
    /// missing.
    fn is_unbroken(&self, piece: (u64, u64), cut: (u64, u64)) -> bool {
        self.panes.values().all(|frames| {
            let place = |frame: &&FrameEntry| place(&self.segments, frame);
            let (before, mut behind): (Vec<&FrameEntry>, Vec<&FrameEntry>) =
                frames.iter().filter(|frame| place(frame) < cut).partition(|it| place(it) < piece);
            behind.sort_unstable_by_key(|frame| frame.sequence);
            let last = before.iter().map(|frame| frame.sequence).max();
            let mut next = last.map(|last| last + 1).or(behind.first().map(|first| first.sequence));
            behind.iter().all(|frame| {
                let follows = next >= Some(frame.sequence);
                next = next.max(Some(frame.sequence + 1));
                follows
            })
        })
    }

    /// Whether a later segment of the same era repeats what was not durable of this one: all that was not
    /// when a sync failed or a process was killed, in however many segments it stood.
    fn is_repeated(&self, number: u64, from: u64) -> bool {
        let mut rest = self.segments.iter().skip_while(|segment| segment.number < number);
        // Of a segment that is missing the next one knows the era.
        let Some(era) = rest.clone().next().map(|segment| segment.era) else {
            return false;
        };
        rest.any(|later| {
            let repeats = later.number > number && later.era == era && later.repeated_to > 0;
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
