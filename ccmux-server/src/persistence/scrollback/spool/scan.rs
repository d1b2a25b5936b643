//! Reading the spool back: which frames of which pane are where.
//!
//! A segment is walked from frame to frame. Where a head does not hold its checksum the next frame
//! is looked for at every aligned place; where only a payload does not, the walk goes on behind it.
//! Either way the pane's sequence numbers show afterwards whose frames are missing.
//!
//! What was written in this boot of the machine is there unless it decayed: no power was cut since. Of
//! what an earlier boot left, bytes after the last valid frame of the newest segment are a torn tail
//! and no damage; so are newer files without a header, which were never synced.

mod headers;
mod judge;
mod unproven;

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use ccmux_core::ids::PaneUuid;
use ccmux_core::model::Timestamp;
use uuid::Uuid;

use self::headers::{headless, set_aside_in};
use super::format::{
    ALIGNMENT, Before, FRAME_HEADER_BYTES, FrameHeader, FrameKind, HEADER_BYTES, HeaderError,
    SegmentHeader,
};
use super::replay::{Replay, SegmentFile, StreamGap};
use super::table::SegmentTable;
use crate::persistence::scrollback::Damage;
use crate::persistence::scrollback::layout::{
    GONE_SUFFIX, SEGMENT_SUFFIX, SPOOL_DIR, StreamPosition, number_of,
};
use crate::persistence::storage::{Storage, StorageFile, insist, read_whole, unless_passing};

/// A longer segment was not made by ccmux.
const SEGMENT_BYTES_MAX: u64 = 1 << 30;

/// Every valid frame of the spool, by pane.
#[derive(Debug, Default)]
pub struct SpoolIndex {
    segments: Vec<SegmentInfo>,
    panes: HashMap<PaneUuid, Vec<FrameEntry>>,
    damage: Vec<Damage>,
    /// Segments without a valid header, with their lengths: nothing is in them.
    torn: Vec<(u64, u64)>,
    /// Headers of segments that are in the place of another one, or in the quarantine.
    elsewhere: Vec<SegmentHeader>,
    /// Segments that an earlier start found damaged and moved to the quarantine.
    set_aside: Vec<u64>,
    /// Segments up to this one were removed because nobody needed them.
    gone_to: u64,
    next_number: u64,
    /// The highest number in a header, of whatever file. It is not given again: two segments of one number could
    /// take each other's place.
    highest_said: u64,
    /// Segments behind the end of the log, with their lengths: nothing in them counts.
    void: Vec<(u64, u64)>,
    /// What is missing of the log, until it is known whether that was ever on the disk.
    missing: Vec<Missing>,
    /// The frames that are to be written again, in the order of their places.
    unproven: Vec<FrameEntry>,
}

/// A piece of the log that is not there or not valid.
#[derive(Debug)]
struct Missing {
    /// None of what is missed only if a power cut took it.
    damage: Option<Damage>,
    /// Its segment.
    number: u64,
    /// Where in that it begins; 0 for all of it.
    from: u64,
}

#[derive(Debug)]
pub(super) struct SegmentInfo {
    number: u64,
    pub(super) file: Arc<dyn StorageFile>,
    bytes: u64,
    end: u64,
    salt: u64,
    /// Where its first frame begins.
    frames_at: usize,
    /// It was written in this boot of the machine.
    is_of_this_boot: bool,
    /// Where its header says that the log ended when its boot began.
    earlier: (u64, u64),
    /// In which boot of the machine it was written; for want of that, by which process.
    era: Era,
    /// Up to here its frames say that it was synced.
    synced_to: u64,
    /// The log began again with it, and up to here it repeats what was not known to be synced then.
    repeats_to: Option<u64>,
    /// Up to here nothing of it is missing.
    intact_to: u64,
    /// It goes on where the one before it ends, and repeats nothing of what was written before.
    is_continuing: bool,
}

/// Where a frame is and what its head says.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameEntry {
    pub(super) offset: u64,
    pub(super) sequence: u64,
    pub(super) time: Timestamp,
    pub(super) segment: u32,
    /// Where the payload is.
    pub(super) position: u32,
    pub(super) len: u32,
    pub(super) payload_crc: u32,
    pub(super) kind: FrameKind,
}

/// Between two eras the power may have been cut. What was written in one of them was there for all that
/// was written after it in the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Era {
    Boot(Uuid),
    /// In a boot that is not known.
    Process(u64),
}

impl Era {
    fn of(header: &SegmentHeader) -> Self {
        if header.boot.is_nil() { Self::Process(header.process()) } else { Self::Boot(header.boot) }
    }
}

impl FrameEntry {
    /// Where its payload ends in the segment.
    fn payload_end(&self) -> u64 {
        u64::from(self.position) + u64::from(self.len)
    }

    /// The point after the frame.
    pub(super) fn end(&self) -> StreamPosition {
        StreamPosition {
            offset: self.offset + self.kind.stream_bytes(self.len as usize),
            frames: self.sequence + 1,
        }
    }
}

impl SpoolIndex {
    /// Reads all segments of the store with the id `store`, in the boot `boot` of the machine. What is
    /// broken is in [`SpoolIndex::damage`]. Changes nothing on disk.
    ///
    /// # Errors
    /// Only what says nothing about the files: a machine that is out of descriptors or memory.
    pub fn scan(storage: &dyn Storage, store: Uuid, boot: Uuid) -> io::Result<Self> {
        let mut index = Self { set_aside: set_aside_in(storage)?, ..Self::default() };
        let names = match unless_passing(insist(|| storage.list(Path::new(SPOOL_DIR))))? {
            Ok(names) => names,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                index.damage.push(Damage::Spool { reason: error.to_string() });
                Vec::new()
            }
        };
        let numbers_in = |suffix| names.iter().filter_map(move |name| number_of(name, suffix));
        let numbers: Vec<u64> = numbers_in(SEGMENT_SUFFIX).collect();
        index.gone_to = numbers_in(GONE_SUFFIX).max().unwrap_or(0);
        let used = numbers.iter().chain(&index.set_aside).chain([&index.gone_to]).max();
        index.next_number = used.map_or(1, |last| last.saturating_add(1));
        let headers = index.open_segments(storage, (store, boot), &numbers)?;
        index.judge_torn(&headers);
        let mut bytes = Vec::new();
        for at in 0..headers.len() {
            let said_end = said_end(headers[at].number, &headers[at + 1..], &index.elsewhere);
            index.scan_segment(at, &headers[at], said_end, &mut bytes)?;
        }
        index.judge_missing();
        index.sort_out_copies();
        Ok(index)
    }

    fn note_missing(&mut self, number: u64, from: usize, to: usize) {
        let (from, to) = (from as u64, to as u64);
        let damage = Some(Damage::SpoolBytes { number, from, to });
        self.missing.push(Missing { damage, number, from });
    }

    fn scan_segment(
        &mut self,
        at: usize,
        header: &SegmentHeader,
        said_end: Option<u64>,
        bytes: &mut Vec<u8>,
    ) -> io::Result<()> {
        let segment = &mut self.segments[at];
        let number = segment.number;
        match unless_passing(insist(|| read_whole(&*segment.file, SEGMENT_BYTES_MAX)))? {
            Ok(read) => *bytes = read,
            Err(error) => {
                segment.end = said_end.unwrap_or(header.frames_at as u64);
                // No power cut makes a file unreadable.
                segment.intact_to = u64::MAX;
                self.damage.push(Damage::Segment { number, reason: error.to_string() });
                return Ok(());
            }
        }
        let said_end = said_end.map(|end| end as usize);
        let limit = said_end.unwrap_or(bytes.len()).min(bytes.len());
        let mut position = header.frames_at;
        let mut end = position;
        let mut synced_to = 0;
        let (mut is_repeating, mut repeated_to) = (header.repeats_to.is_none(), 0);
        let mut is_intact = true;
        let (mut is_continuing, mut has_frames) = (segment.is_continuing, false);
        while let Some((start, frame)) = next_frame(&bytes[..limit], position, header.salt) {
            if start > position {
                self.note_missing(number, position, start);
                is_intact = false;
            }
            is_continuing &= frame.unsynced.is_some() && (start == position || has_frames);
            has_frames = true;
            is_repeating &= start == position && frame.unsynced.is_none();
            if is_repeating {
                repeated_to = (start + frame.frame_len()) as u64;
            }
            let synced =
                frame.unsynced.map_or(0, |unsynced| (start as u64).saturating_sub(unsynced));
            synced_to = synced_to.max(synced);
            position = start + frame.frame_len();
            end = position;
            let payload_at = start + FRAME_HEADER_BYTES;
            let payload = &bytes[payload_at..payload_at + frame.len as usize];
            if crc32c::crc32c(payload) != frame.payload_crc {
                self.note_missing(number, start, position);
                is_intact = false;
                continue;
            }
            if is_intact {
                self.segments[at].intact_to = position as u64;
            }
            self.panes.entry(frame.pane).or_default().push(FrameEntry {
                offset: frame.offset,
                sequence: frame.sequence,
                time: frame.time,
                segment: at as u32,
                position: payload_at as u32,
                len: frame.len,
                payload_crc: frame.payload_crc,
                kind: frame.kind,
            });
        }
        if repeated_to > 0 {
            // The header of an older version does not say how much there was: what there is counts as all.
            self.segments[at].repeats_to = Some(repeated_to);
            self.segments[at].intact_to = self.segments[at].intact_to.max(repeated_to);
        }
        self.segments[at].synced_to = synced_to;
        // What is gone of its beginning may have been repetitions.
        self.segments[at].is_continuing = is_continuing && has_frames;
        self.segments[at].end = end as u64;
        match said_end {
            Some(said_end) if end < said_end => self.note_missing(number, end, said_end),
            // A write that a kill cut short leaves the beginning of a frame.
            None if self.segments[at].is_of_this_boot
                && bytes.len().saturating_sub(end) >= FRAME_HEADER_BYTES
                && FrameHeader::decode(&bytes[end..], header.salt, end as u64).is_none() =>
            {
                let (from, to) = (end as u64, bytes.len() as u64);
                self.damage.push(Damage::SpoolBytes { number, from, to });
            }
            _ => {}
        }
        Ok(())
    }

    /// What was found damaged, except missing frames of a pane: its [`Replay`] shows those.
    pub fn damage(&self) -> &[Damage] {
        &self.damage
    }

    /// The panes that have frames.
    pub fn panes(&self) -> impl Iterator<Item = PaneUuid> {
        self.panes.keys().copied()
    }

    /// The frames of `pane` after `from`.
    pub fn replay(&self, pane: PaneUuid, from: StreamPosition) -> Replay {
        let frames = self.frames(pane);
        let start = frames.partition_point(|frame| frame.end().frames <= from.frames);
        let readable = |s: &SegmentInfo| SegmentFile { file: Arc::clone(&s.file), end: s.end };
        let files = self.segments.iter().map(readable).collect();
        Replay::new(files, frames[start..].to_vec(), from)
    }

    /// Where the stream of `pane` goes on: after its last frame, or at `from` if that is later.
    ///
    /// The offset is the greatest that any of the frames reached: what is appended at a lower one
    /// would be taken for an overlap, and not be read again.
    pub fn end_of(&self, pane: PaneUuid, from: StreamPosition) -> StreamPosition {
        let ends = self.frames(pane).iter().map(FrameEntry::end);
        let ends = ends.filter(|end| end.frames > from.frames);
        ends.fold(from, |reached, end| StreamPosition {
            offset: end.offset.max(reached.offset),
            frames: end.frames,
        })
    }

    /// The pieces of the stream of `pane` after `from` that are missing between valid frames.
    pub(in crate::persistence::scrollback) fn gaps(
        &self,
        pane: PaneUuid,
        from: StreamPosition,
    ) -> Vec<StreamGap> {
        let mut gaps = Vec::new();
        let mut position = from;
        for frame in self.frames(pane).iter().filter(|frame| frame.sequence >= from.frames) {
            let offset = frame.offset.max(position.offset);
            let before = StreamPosition { offset, frames: frame.sequence };
            if before.frames > position.frames || before.offset > position.offset {
                gaps.push(StreamGap { from: position, to: before });
            }
            position = frame.end();
            position.offset = position.offset.max(offset);
        }
        gaps
    }

    fn frames(&self, pane: PaneUuid) -> &[FrameEntry] {
        self.panes.get(&pane).map_or(&[], Vec::as_slice)
    }

    /// Number and valid end of the newest segment that holds anything. Of others the header may never
    /// get to the disk, and nobody should build on them.
    pub(super) fn end(&self) -> (u64, u64) {
        self.last().map_or((0, 0), |segment| (segment.number, segment.end))
    }

    /// Numbers and valid ends of the segments before the newest one that holds anything. Of one that is gone
    /// the newest alone may have said where those before it end.
    pub(super) fn before_end(&self) -> Before {
        let mut before = Before::default();
        let newest = self.last().map_or(0, |last| last.number);
        let earlier =
            self.segments.iter().rev().filter(|segment| {
                segment.number < newest && segment.end > segment.frames_at as u64
            });
        for (pair, segment) in before.iter_mut().zip(earlier) {
            *pair = (segment.number, segment.end);
        }
        before
    }

    fn last(&self) -> Option<&SegmentInfo> {
        let holds_any = |segment: &&SegmentInfo| segment.end > segment.frames_at as u64;
        self.segments.iter().rev().find(holds_any)
    }

    /// Number and valid end of the last segment that was written before this boot of the machine.
    pub(super) fn end_before_this_boot(&self) -> (u64, u64) {
        let of_this_boot = self.segments.iter().find(|segment| segment.is_of_this_boot);
        of_this_boot.map_or_else(|| self.end(), |segment| segment.earlier)
    }

    /// The files of segments of which it is not known whether the power was cut since they were written,
    /// oldest first.
    pub(super) fn files_of_unknown_boot(&self) -> impl Iterator<Item = &Arc<dyn StorageFile>> {
        let of_unknown = |segment: &&SegmentInfo| matches!(segment.era, Era::Process(_));
        self.segments.iter().filter(of_unknown).map(|segment| &segment.file)
    }

    pub(super) fn next_number(&self) -> u64 {
        self.next_number.max(self.highest_said.saturating_add(1))
    }

    pub(super) fn segment_table(&self) -> SegmentTable {
        let mut table = SegmentTable::default();
        let mut ends = vec![HashMap::new(); self.segments.len()];
        for (&pane, frames) in &self.panes {
            for frame in frames {
                ends[frame.segment as usize].insert(pane, frame.end());
            }
        }
        let mut void: Vec<(u64, u64)> = self.void.iter().chain(&self.torn).copied().collect();
        void.sort_unstable();
        let mut void = void.into_iter().peekable();
        for (segment, ends) in self.segments.iter().zip(ends) {
            while let Some((number, bytes)) = void.next_if(|(number, _)| *number < segment.number) {
                table.push(number, bytes);
            }
            table.push(segment.number, segment.bytes);
            for (pane, end) in ends {
                table.recover_need(pane, end);
            }
        }
        void.for_each(|(number, bytes)| table.push(number, bytes));
        table
    }
}

/// The next frame whose head is valid and that fits, at or after `position`.
fn next_frame(bytes: &[u8], position: usize, salt: u64) -> Option<(usize, FrameHeader)> {
    let mut at = position;
    while let Some(rest) = bytes.get(at..).filter(|rest| rest.len() >= FRAME_HEADER_BYTES) {
        match FrameHeader::decode(rest, salt, at as u64) {
            Some(frame) if frame.frame_len() <= rest.len() => return Some((at, frame)),
            _ => at += ALIGNMENT,
        }
    }
    None
}

/// Where segment `number` validly ends, by the headers behind it: one builds on it, or on others that do, or
/// a boot began there.
fn said_end(number: u64, behind: &[SegmentHeader], elsewhere: &[SegmentHeader]) -> Option<u64> {
    let later = || behind.iter().chain(elsewhere);
    let end_in = |later: &SegmentHeader| {
        let predecessor = (later.predecessor, later.predecessor_end);
        let mut named = std::iter::once(&predecessor).chain(later.named_before());
        named.find(|(named, _)| *named == number).map(|(_, end)| *end)
    };
    let of_boot = |later: &SegmentHeader| (later.earlier.0 == number).then_some(later.earlier.1);
    later().find_map(end_in).or_else(|| later().find_map(of_boot))
}
