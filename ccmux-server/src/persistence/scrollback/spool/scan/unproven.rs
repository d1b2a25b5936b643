//! What has to be written again because nothing proves that it is on the disk.
//!
//! A frame may be there several times: a process repeats at its start what is not proven, and one whose
//! sync failed does so, too. The copies before the last one are in files that nobody syncs any more, so
//! they are good until the power goes. If the last copy decays, they are all there is.

use super::{ALIGNMENT, FRAME_HEADER_BYTES, FrameEntry, FrameHeader, SpoolIndex};
use crate::persistence::storage::{insist, read_full};

impl SpoolIndex {
    /// Notes the frames of which no copy is known to be on the disk, and keeps one copy of each frame.
    pub(super) fn sort_out_copies(&mut self) {
        let proven: Vec<u64> = (0..self.segments.len()).map(|at| self.proven_to(at)).collect();
        let is_proven = |frame: &FrameEntry| frame.payload_end() <= proven[frame.segment as usize];
        for frames in self.panes.values_mut() {
            // What was written again is there twice, and out of order.
            if !frames.is_sorted_by(|a, b| a.sequence < b.sequence) {
                frames.sort_by_key(|frame| frame.sequence);
            }
            for copies in frames.chunk_by(|a, b| a.sequence == b.sequence) {
                if !copies.iter().any(is_proven) {
                    self.unproven.push(copies[0]);
                }
            }
            frames.dedup_by_key(|frame| frame.sequence);
        }
        self.unproven.sort_unstable_by_key(|frame| (frame.segment, frame.position));
    }

    /// Up to where all that stands in a segment is on the disk, whatever its place among the segments.
    ///
    /// What an earlier boot left is. In this boot a frame proves it for what its process wrote before it,
    /// but for what was given up: that ends where a segment begins with repetitions, and perhaps where
    /// one is missing that did.
    fn proven_to(&self, at: usize) -> u64 {
        let segment = &self.segments[at];
        if !segment.is_of_this_boot {
            return u64::MAX;
        }
        let mut later = self.segments[at + 1..].iter().take_while(|later| later.is_continuing);
        let is_witnessed = later.any(|later| later.synced_to > later.frames_at as u64);
        if is_witnessed { u64::MAX } else { segment.synced_to }
    }

    /// Appends the frames of this boot of which none says that they were synced, each once, as they stand
    /// in their files.
    pub(in crate::persistence::scrollback::spool) fn append_unproven(&self, out: &mut Vec<u8>) {
        let start = |frame: &FrameEntry| u64::from(frame.position) - FRAME_HEADER_BYTES as u64;
        for frames in self.unproven.chunk_by(|a, b| a.segment == b.segment) {
            let (Some(first), Some(last)) = (frames.first(), frames.last()) else { continue };
            let segment = &self.segments[first.segment as usize];
            let from = start(first);
            let padded = last.payload_end().next_multiple_of(ALIGNMENT as u64);
            let mut bytes = vec![0; (padded - from) as usize];
            let Ok(read) = insist(|| read_full(&*segment.file, from, &mut bytes)) else { continue };
            bytes.truncate(read);
            for frame in frames {
                let at = (start(frame) - from) as usize;
                let Some(rest) = bytes.get(at..) else { continue };
                let Some(head) = FrameHeader::decode(rest, segment.salt, start(frame)) else {
                    continue;
                };
                let Some(whole) = rest.get(..head.frame_len()) else { continue };
                let payload = &whole[FRAME_HEADER_BYTES..][..head.len as usize];
                if crc32c::crc32c(payload) == head.payload_crc {
                    out.extend_from_slice(whole);
                }
            }
        }
    }
}
