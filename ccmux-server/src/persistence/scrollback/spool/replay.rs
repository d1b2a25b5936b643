//! The frames of one pane, read when they are asked for.

use std::io;
use std::sync::Arc;

use ccmux_core::model::Timestamp;

use super::format::FrameKind;
use super::scan::FrameEntry;
use crate::persistence::scrollback::layout::StreamPosition;
use crate::persistence::storage::{StorageFile, insist, read_full, unless_passing};

/// Bytes read at once: frames of one pane often lie close together.
const WINDOW_BYTES: usize = 256 * 1024;

/// What a replay brings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReplayItem {
    /// The next input of the terminal.
    Frame(Frame),
    /// Inputs are lost here.
    Gap(StreamGap),
}

/// A spooled input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    /// What it is.
    pub kind: FrameKind,
    /// Bytes of output before it.
    pub offset: u64,
    /// When it came.
    pub time: Timestamp,
    /// Output, or the arguments of the other kinds.
    pub payload: Vec<u8>,
    /// The point after it.
    pub end: StreamPosition,
}

/// A piece of a stream that is lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StreamGap {
    /// Where the stream stops.
    pub from: StreamPosition,
    /// Where it goes on. Both offsets are equal if only inputs without bytes are lost.
    pub to: StreamPosition,
}

impl StreamGap {
    /// How many bytes of output are lost.
    pub fn bytes(&self) -> u64 {
        self.to.offset.saturating_sub(self.from.offset)
    }
}

/// Frames of one pane in order, with a [`ReplayItem::Gap`] wherever some are missing.
///
/// It ends early at an error that says nothing about the files, see [`Replay::failure`]. Holds its
/// files open, so frames stay readable while the spool goes on and removes segments.
#[derive(Debug)]
pub struct Replay {
    files: Vec<SegmentFile>,
    frames: std::vec::IntoIter<FrameEntry>,
    position: StreamPosition,
    end: StreamPosition,
    window: Window,
    /// The frame after a gap.
    pending: Option<Frame>,
    failure: Option<io::Error>,
}

/// A segment to read from.
#[derive(Clone, Debug)]
pub(super) struct SegmentFile {
    pub(super) file: Arc<dyn StorageFile>,
    /// Where its last valid frame ends.
    pub(super) end: u64,
}

#[derive(Debug, Default)]
struct Window {
    segment: u32,
    start: u64,
    bytes: Vec<u8>,
}

impl Replay {
    pub(super) fn new(
        files: Vec<SegmentFile>,
        frames: Vec<FrameEntry>,
        from: StreamPosition,
    ) -> Self {
        let end = frames.last().map_or(from, FrameEntry::end);
        let (frames, window) = (frames.into_iter(), Window::default());
        Self { files, frames, position: from, end, window, pending: None, failure: None }
    }

    /// Why there are no more items although there are more frames.
    pub fn failure(self) -> Option<io::Error> {
        self.failure
    }

    /// The payload of a frame; `None` if it cannot be read any more.
    fn read(&mut self, entry: &FrameEntry) -> Option<Vec<u8>> {
        let (start, len) = (u64::from(entry.position), entry.len as usize);
        if !self.window.covers(entry.segment, start, len) {
            let file = &self.files[entry.segment as usize];
            let filled = insist(|| self.window.fill(file, entry.segment, start, len));
            if let Err(error) = unless_passing(filled) {
                self.failure = Some(error);
                return None;
            }
        }
        let at = (start.checked_sub(self.window.start)?) as usize;
        let payload = self.window.bytes.get(at..at + len)?;
        (crc32c::crc32c(payload) == entry.payload_crc).then(|| payload.to_vec())
    }

    fn next_frame(&mut self) -> Option<Frame> {
        loop {
            let entry = self.frames.next()?;
            let read = self.read(&entry);
            if self.failure.is_some() {
                return None;
            }
            let Some(mut payload) = read else { continue };
            let (mut kind, mut offset, mut end) = (entry.kind, entry.offset, entry.end());
            if offset < self.position.offset {
                // One that was refused, and whose bytes are there all the same: the keyframe has it.
                if kind == FrameKind::Bytes {
                    let overlap = (self.position.offset - offset).min(payload.len() as u64);
                    payload.drain(..overlap as usize);
                    offset += overlap;
                } else {
                    // Not even its beginning is to be applied again.
                    (kind, offset) = (FrameKind::Bytes, self.position.offset);
                    payload.clear();
                }
                end.offset = end.offset.max(self.position.offset);
            }
            return Some(Frame { kind, offset, time: entry.time, payload, end });
        }
    }
}

impl Window {
    fn covers(&self, segment: u32, start: u64, len: usize) -> bool {
        self.segment == segment
            && self.start <= start
            && start + len as u64 <= self.start + self.bytes.len() as u64
    }

    fn fill(
        &mut self,
        segment_file: &SegmentFile,
        segment: u32,
        start: u64,
        len: usize,
    ) -> io::Result<()> {
        let rest = segment_file.end.saturating_sub(start).min(WINDOW_BYTES as u64);
        self.bytes.resize(len.max(rest as usize), 0);
        (self.segment, self.start) = (segment, start);
        let read = read_full(&*segment_file.file, start, &mut self.bytes);
        self.bytes.truncate(read.as_ref().copied().unwrap_or(0));
        read.map(drop)
    }
}

impl Iterator for Replay {
    type Item = ReplayItem;

    fn next(&mut self) -> Option<ReplayItem> {
        let next = self.pending.take().or_else(|| self.next_frame());
        if self.failure.is_some() {
            return None;
        }
        let mut before = match &next {
            Some(frame) => StreamPosition { offset: frame.offset, frames: frame.end.frames - 1 },
            None => self.end,
        };
        // Nothing moves the stream back, whatever a frame says.
        before.offset = before.offset.max(self.position.offset);
        if before.frames > self.position.frames || before.offset > self.position.offset {
            let gap = StreamGap { from: self.position, to: before };
            self.position = before;
            self.pending = next;
            return Some(ReplayItem::Gap(gap));
        }
        let frame = next?;
        self.position.frames = frame.end.frames;
        self.position.offset = self.position.offset.max(frame.end.offset);
        Some(ReplayItem::Frame(frame))
    }
}
