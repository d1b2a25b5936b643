//! Which records count, in which order.
//!
//! Two segments can hold the same number: after a failed sync what was not acknowledged is written
//! again, and after a recovery numbers are void. The later segment wins: its header says which
//! record it follows, and what older segments hold beyond that record does not count.

use super::survey::SegmentFile;
use crate::persistence::record::Encoded;
use crate::persistence::wal::{Found, Frame, Seq};

/// The records that follow a checkpoint, without a gap.
#[derive(Debug)]
pub(super) struct Chain<'a> {
    pub(super) links: Vec<Link<'a>>,
    /// The last number in reach.
    pub(super) reached: Seq,
}

/// A record and where it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link<'a> {
    pub(super) segment: &'a SegmentFile,
    pub(super) found: &'a Found,
}

impl Link<'_> {
    /// Whether it stands behind a bad record.
    pub(super) fn is_behind_damage(&self) -> bool {
        self.found.offset >= self.segment.scan.end
    }

    /// The record as it is.
    pub(super) fn encoded(&self) -> Encoded {
        let Frame { kind, flags, .. } = self.found.frame;
        Encoded { kind, flags, payload: self.segment.bytes[self.found.payload.clone()].to_vec() }
    }
}

/// Follows the log from record `from`, which is not part of the chain, as far as it goes.
pub(super) fn walk<'a>(segments: &[&'a SegmentFile], from: Seq) -> Chain<'a> {
    let mut links = Vec::new();
    let mut reached = from;
    for (segment, limit) in segments.iter().zip(limits(segments)) {
        if limit < segment.first {
            // All of it was taken over, and what lies before it. One whose records were, but nothing
            // before them, still tells what is void.
            continue;
        }
        // The number of the checkpoint that it begins with may be void: that of a record whose end of a program was
        // taken back.
        let leads_on = |follows| follows == reached || (reached == from && follows < from);
        if segment.follows().is_some_and(leads_on) && reached < segment.first {
            // Whatever numbers lie between are void.
            reached = Seq(segment.first.0 - 1);
        }
        // Those behind a bad record go on where that is not needed, because a checkpoint has it: if the
        // header says that they belong there.
        let beyond = segment.header.as_ref().map_or(&[][..], |_| &segment.scan.beyond);
        let found = segment.scan.records.iter().chain(beyond);
        for found in found.filter(|found| found.frame.seq < limit) {
            if found.frame.seq == reached.next() {
                reached = found.frame.seq;
                links.push(Link { segment, found });
            }
        }
    }
    Chain { links, reached }
}

/// For each segment the first number that a later one has taken over.
fn limits(segments: &[&SegmentFile]) -> Vec<Seq> {
    let mut limit = Seq(u64::MAX);
    let mut limits: Vec<Seq> = segments
        .iter()
        .rev()
        .map(|segment| {
            let own = limit;
            let taken_over = segment.follows().map_or(segment.first, Seq::next);
            // A segment that was never begun takes nothing over.
            if segment.header.is_ok() || !segment.is_blank() {
                limit = limit.min(taken_over);
            }
            own
        })
        .collect();
    limits.reverse();
    limits
}
