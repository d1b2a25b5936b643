//! The log itself, without threads: appending, rolling over, and what to do when the disk fails.

mod removal;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ccmux_core::ids::PaneUuid;

use super::format::{
    Before, FRAME_PAYLOAD_MAX, FrameRef, HEADER_BYTES, SegmentHeader, VERSION, encode_frame,
    frame_len, move_frame,
};
use super::lag::{Lag, SyncLag};
use super::scan::SpoolIndex;
use super::sync_work::SyncWork;
use super::table::SegmentTable;
use super::tail::Tail;
use super::{SpoolEvent, SpoolOptions};
use crate::persistence::scrollback::layout::{
    POSITION_MAX, SPOOL_DIR, StreamPosition, segment_path,
};
use crate::persistence::storage::{Storage, StorageFile};

/// The state of the spool. Its owner serializes the calls; only [`SyncWork::run`] and the removal of
/// segments run beside them.
#[derive(Debug)]
pub(super) struct SpoolLog {
    storage: Arc<dyn Storage>,
    options: SpoolOptions,
    /// The segment written to; `None` while degraded.
    current: Option<Segment>,
    /// Where the segments before `current` end, for the header of the next one.
    predecessor: (u64, u64),
    /// Where the segments before that one end.
    before: Before,
    /// Where the last segment ends that was written before this boot of the machine.
    earlier: (u64, u64),
    next_number: u64,
    table: SegmentTable,
    tail: Tail,
    lag: Lag,
    /// The current file and earlier ones with frames of the tail, oldest first. A file that failed
    /// is never among them (P8).
    unsynced: Vec<Unsynced>,
    /// Directories with entries that are not durable, the inner one first.
    unsynced_dirs: Vec<&'static str>,
    /// Segments that go after the next sync, oldest first.
    removals: Vec<u64>,
    /// Those that may go now, oldest first, all older than `removals`.
    removable: Vec<u64>,
    /// Somebody removes what was removable.
    is_removing: bool,
    /// Segments below this number are to go as soon as no pane needs them.
    retired_below: u64,
    /// The first of the removals failed. They wait until there is something else to sync.
    is_removal_stuck: bool,
    /// None goes any more: nobody knows whether those that went are gone for good. The next process does.
    is_removal_over: bool,
    /// Counts the times that the unsynced files were given up.
    replacements: u64,
    /// A sync failed and none succeeded since.
    has_sync_failed: bool,
    degraded: Option<String>,
    events: Vec<SpoolEvent>,
}

#[derive(Debug)]
struct Segment {
    header: SegmentHeader,
    file: Arc<dyn StorageFile>,
    len: u64,
}

#[derive(Debug)]
struct Unsynced {
    file: Arc<dyn StorageFile>,
    /// Log position after its last frame.
    end: u64,
}

impl Unsynced {
    fn inherited(file: &Arc<dyn StorageFile>) -> Self {
        Self { file: Arc::clone(file), end: 0 }
    }
}

impl SpoolLog {
    /// A log that goes on after everything in `index`, in a new segment. If there can be none, the
    /// log starts degraded.
    pub(super) fn open(
        storage: Arc<dyn Storage>,
        index: &SpoolIndex,
        options: SpoolOptions,
    ) -> Self {
        let mut log = Self {
            storage,
            options,
            current: None,
            predecessor: index.end(),
            before: index.before_end(),
            earlier: index.end_before_this_boot(),
            next_number: index.next_number(),
            table: index.segment_table(),
            tail: Tail::default(),
            lag: Lag::default(),
            // A killed predecessor left what it had not synced to the operating system alone.
            unsynced: index.files_of_unknown_boot().map(Unsynced::inherited).collect(),
            unsynced_dirs: vec![SPOOL_DIR, ""],
            removals: Vec::new(),
            removable: Vec::new(),
            is_removing: false,
            retired_below: 0,
            is_removal_stuck: false,
            is_removal_over: false,
            replacements: 0,
            has_sync_failed: false,
            degraded: None,
            events: Vec::new(),
        };
        // A sync of the old file proves nothing: one of the predecessor's may have failed, and then the
        // system forgot to write what it still shows (P8).
        log.tail.push(|bytes| index.append_unproven(bytes));
        if let Err(error) = log.begin_segment_again() {
            log.degrade(&error);
        }
        log
    }

    /// Appends a frame and hands it to the operating system.
    pub(super) fn append(&mut self, frame: &FrameRef<'_>) -> io::Result<StreamPosition> {
        if frame.payload.len() > FRAME_PAYLOAD_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "frame too long to spool"));
        }
        let before = self
            .table
            .next_position(frame.pane)
            .unwrap_or(StreamPosition { offset: frame.offset, frames: 0 });
        debug_assert!(frame.offset >= before.offset, "BUG: the stream of {} went back", frame.pane);
        if frame.offset.max(before.frames) > POSITION_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "stream too long to spool"));
        }
        let len = frame_len(frame.payload.len()) as u64;
        let is_full = self.current.as_ref().is_some_and(|segment| {
            segment.len > HEADER_BYTES as u64 && segment.len + len > self.options.segment_bytes
        });
        if is_full {
            self.begin_segment().inspect_err(|error| self.degrade(error))?;
        }
        if let Err(error) = self.write_frame(frame, before.frames) {
            if self.current.is_none() {
                return Err(error);
            }
            self.replace_segment(&error);
            if self.current.is_none() {
                return Err(error);
            }
            self.write_frame(frame, before.frames).inspect_err(|error| self.degrade(error))?;
        }
        let next = StreamPosition {
            offset: frame.offset + frame.kind.stream_bytes(frame.payload.len()),
            frames: before.frames + 1,
        };
        self.table.note(frame.pane, next, len);
        self.lag.appended(self.tail.end(), (self.options.elapsed)());
        if let Some(unsynced) = self.unsynced.last_mut() {
            unsynced.end = self.tail.end();
        }
        Ok(next)
    }

    fn write_frame(&mut self, frame: &FrameRef<'_>, sequence: u64) -> io::Result<()> {
        let Some(segment) = &mut self.current else {
            let reason = self.degraded.as_deref().unwrap_or("no segment");
            return Err(io::Error::other(format!("the spool is degraded: {reason}")));
        };
        let (salt, position) = (segment.header.salt, segment.len);
        let unsynced = self.tail.len() as u64;
        let encode =
            |out: &mut Vec<u8>| encode_frame(out, frame, sequence, salt, position, unsynced);
        let bytes = self.tail.push(encode);
        let len = bytes.len();
        match segment.file.write_at(position, bytes) {
            Ok(()) => segment.len += len as u64,
            Err(error) => {
                self.tail.pop(len);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Goes on in a new segment; the frames so far stay where they are.
    fn begin_segment(&mut self) -> io::Result<()> {
        let header = self.next_header()?;
        let segment = self.create_segment(header, &header.encode())?;
        self.table.push(segment.header.number, segment.len);
        self.adopt(segment);
        self.enforce_total();
        Ok(())
    }

    /// Gives up the unsynced files and writes their frames again, to a new segment (P8).
    fn replace_segment(&mut self, cause: &io::Error) {
        tracing::warn!(%cause, "a spool segment failed, going on in a new one");
        self.replacements += 1;
        self.unsynced.clear();
        self.leave_segment();
        if let Err(error) = self.begin_segment_again() {
            self.degrade(&error);
        }
    }

    /// Goes on in a new segment, which begins with all frames that are not durable, and says so if there
    /// are none.
    fn begin_segment_again(&mut self) -> io::Result<()> {
        let mut header = self.next_header()?;
        let mut bytes = vec![0; HEADER_BYTES];
        let mut copies = Vec::new();
        let mut rest = self.tail.frames_mut();
        while !rest.is_empty() {
            let (pane, sequence, len) = move_frame(rest, header.salt, bytes.len() as u64);
            let (frame, after) = rest.split_at_mut(len);
            // What was forgotten is not written again.
            if self.table.next_position(pane).is_some() {
                copies.push((pane, sequence, len as u64));
                bytes.extend_from_slice(frame);
            }
            rest = after;
        }
        header.repeats_to = Some(bytes.len() as u64);
        bytes[..HEADER_BYTES].copy_from_slice(&header.encode());
        let segment = self.create_segment(header, &bytes)?;
        self.table.push(segment.header.number, HEADER_BYTES as u64);
        for (pane, sequence, len) in copies {
            self.table.note_copy(pane, sequence, len);
        }
        self.adopt(segment);
        Ok(())
    }

    /// Writes no more to the current segment. The next one builds on it up to here and not only to what
    /// is durable: if the process is killed before the new segment is written, the frames in the old one
    /// are the only ones there are. On one without frames, which may never get to the disk, nothing is
    /// built.
    fn leave_segment(&mut self) {
        if let Some(segment) = self.current.take().filter(|old| old.len > HEADER_BYTES as u64) {
            self.build_on(&segment);
        }
    }

    fn build_on(&mut self, segment: &Segment) {
        self.predecessor = (segment.header.number, segment.len);
        self.before = segment.header.before_next();
    }

    fn next_header(&mut self) -> io::Result<SegmentHeader> {
        let number = self.next_number;
        let next = number.checked_add(1);
        self.next_number = next.ok_or_else(|| io::Error::other("there is no number left"))?;
        if let Some(segment) = self.current.take() {
            self.build_on(&segment);
            self.current = Some(segment);
        }
        Ok(SegmentHeader {
            version: VERSION,
            number,
            store: self.options.store,
            salt: SegmentHeader::salt_of(self.options.salt, number),
            predecessor: self.predecessor.0,
            predecessor_end: self.predecessor.1,
            repeats_to: None,
            boot: self.options.boot,
            earlier: self.earlier,
            before: self.before,
            frames_at: HEADER_BYTES,
        })
    }

    fn create_segment(&self, header: SegmentHeader, bytes: &[u8]) -> io::Result<Segment> {
        let path = segment_path(header.number);
        let file: Arc<dyn StorageFile> = match self.storage.create(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.storage.create_dir(Path::new(SPOOL_DIR))?;
                self.storage.create(&path)?
            }
            created => created?,
        }
        .into();
        if let Err(error) = file.write_at(0, bytes) {
            // Half a segment is of no use, and on a full disk its space is.
            let _best_effort = self.storage.remove(&path);
            return Err(error);
        }
        Ok(Segment { header, file, len: bytes.len() as u64 })
    }

    fn adopt(&mut self, segment: Segment) {
        self.mark_dirs(&[SPOOL_DIR]);
        let (file, end) = (Arc::clone(&segment.file), self.tail.end());
        self.unsynced.push(Unsynced { file, end });
        self.current = Some(segment);
    }

    fn mark_dirs(&mut self, dirs: &[&'static str]) {
        for dir in dirs {
            if !self.unsynced_dirs.contains(dir) {
                self.unsynced_dirs.push(dir);
            }
        }
    }

    /// Stops taking frames until [`SpoolLog::retry`] succeeds. The tail stays, to be written again.
    fn degrade(&mut self, error: &io::Error) {
        self.leave_segment();
        if self.degraded.is_none() {
            tracing::error!(%error, "output is no longer spooled");
            self.events.push(SpoolEvent::Degraded(error.to_string()));
        }
        self.degraded = Some(error.to_string());
    }

    /// Whether no frames are taken, so that [`SpoolLog::retry`] should be called now and then.
    pub(super) fn needs_retry(&self) -> bool {
        self.current.is_none()
    }

    /// Tries to leave degraded mode; it is left once the next sync succeeds.
    pub(super) fn retry(&mut self) {
        if self.needs_retry() {
            self.replace_segment(&io::Error::other("trying again"));
        }
    }

    /// Whether there is anything to sync.
    pub(super) fn is_dirty(&self) -> bool {
        let has_changes = self.tail.len() > 0 || !self.unsynced_dirs.is_empty();
        let has_removals = !self.removals.is_empty() && !self.is_removal_stuck && self.may_remove();
        (has_changes && !self.unsynced.is_empty()) || has_removals
    }

    /// What the next sync has to do; `None` if there is nothing.
    pub(super) fn begin_sync(&mut self) -> Option<SyncWork> {
        if !self.is_dirty() {
            return None;
        }
        // While there is no file to sync the directories wait for the next one.
        let has_files = !self.unsynced.is_empty();
        Some(SyncWork {
            files: self.unsynced.iter().map(|unsynced| Arc::clone(&unsynced.file)).collect(),
            dirs: if has_files { std::mem::take(&mut self.unsynced_dirs) } else { Vec::new() },
            removals: if self.may_remove() {
                std::mem::take(&mut self.removals)
            } else {
                Vec::new()
            },
            target: if has_files { self.tail.end() } else { self.tail.start() },
            replacements: self.replacements,
        })
    }

    /// Takes in how `work` went.
    pub(super) fn finish_sync(&mut self, work: &SyncWork, result: io::Result<()>) {
        let Err(error) = result else { return self.synced(work) };
        self.put_back(&work.removals);
        self.mark_dirs(&work.dirs);
        // Else the files were given up in the meantime, and their frames written again.
        if work.replacements == self.replacements {
            self.give_files_up(&error);
        }
    }

    /// Writes again what is not known to be durable.
    fn give_files_up(&mut self, error: &io::Error) {
        if self.has_sync_failed || self.current.is_none() {
            self.unsynced.clear();
            self.degrade(error);
        } else {
            self.has_sync_failed = true;
            self.replace_segment(error);
        }
    }

    fn synced(&mut self, work: &SyncWork) {
        // An older one may have been left while the sync ran.
        let is_next =
            self.removals.first().is_none_or(|left| work.removals.iter().all(|it| it < left));
        if is_next {
            self.removable.extend(&work.removals);
        } else {
            self.put_back(&work.removals);
        }
        self.tail.release(work.target);
        let durable = self.tail.start();
        self.lag.synced(durable, (self.options.elapsed)());
        let current = self.current.as_ref().map(|segment| &segment.file);
        self.unsynced.retain(|unsynced| {
            unsynced.end > durable || current.is_some_and(|file| Arc::ptr_eq(file, &unsynced.file))
        });
        if work.replacements != self.replacements || work.files.is_empty() {
            return;
        }
        self.has_sync_failed = false;
        if self.current.is_some() && self.degraded.take().is_some() {
            tracing::info!("output is spooled again");
            self.events.push(SpoolEvent::Recovered);
        }
    }

    /// Gives up the frames of a pane before `position`.
    pub(super) fn release(&mut self, pane: PaneUuid, position: StreamPosition) {
        self.table.release(pane, position);
        self.remove_unneeded();
    }

    pub(super) fn forget(&mut self, pane: PaneUuid) {
        self.table.forget(pane);
        self.remove_unneeded();
    }

    pub(super) fn retain(&mut self, is_kept: impl Fn(PaneUuid) -> bool) {
        self.table.retain(is_kept);
        self.remove_unneeded();
    }

    pub(super) fn position(&self, pane: PaneUuid) -> Option<StreamPosition> {
        self.table.next_position(pane)
    }

    pub(super) fn resume(&mut self, pane: PaneUuid, position: StreamPosition) {
        self.table.resume(pane, position);
    }

    /// Log positions: durable up to, appended up to.
    pub(super) fn progress(&self) -> (u64, u64) {
        (self.tail.start(), self.tail.end())
    }

    /// How long the oldest frame that is not durable has been so.
    pub(super) fn waited(&self) -> Duration {
        self.lag.oldest().map_or(Duration::ZERO, |at| (self.options.elapsed)().saturating_sub(at))
    }

    pub(super) fn lag(&self) -> SyncLag {
        self.lag.summary()
    }

    pub(super) fn has_room(&self) -> bool {
        self.tail.len() < self.options.unsynced_bytes_max && !self.waits_for_removals()
    }

    pub(super) fn degraded(&self) -> Option<&str> {
        self.degraded.as_deref()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.table.kept_bytes() + self.table.leaving_bytes()
    }

    pub(super) fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    pub(super) fn take_events(&mut self) -> Vec<SpoolEvent> {
        std::mem::take(&mut self.events)
    }
}
