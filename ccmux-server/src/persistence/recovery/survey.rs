//! Reading everything that recovery decides on, before anything is decided.

use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::persistence::OpenError;
use crate::persistence::checkpoint::{
    self, BadCheckpoint, CHECKPOINT_DIR, Snapshot, checkpoint_path, checkpoint_seq,
};
use crate::persistence::format::{self, FORMAT_FILE, FormatFile};
use crate::persistence::storage::{Storage, insist, is_damage, read_file};
use crate::persistence::wal::{
    HeaderError, MARK_FILE, Mark, SEGMENT_BYTES_MAX, Scan, SegmentHeader, Seq, WAL_DIR, read_mark,
    scan, segment_first, segment_path,
};

/// All that is on the disk.
#[derive(Debug)]
pub(super) struct Survey {
    pub(super) format: FormatFile,
    pub(super) mark: Option<Mark>,
    /// Newest first.
    pub(super) checkpoints: Vec<CheckpointFile>,
    /// In the order of their names.
    pub(super) segments: Vec<SegmentFile>,
}

/// A checkpoint, good or bad.
#[derive(Debug)]
pub(super) struct CheckpointFile {
    pub(super) seq: Seq,
    pub(super) contents: Result<(Snapshot, Uuid), BadCheckpoint>,
}

impl CheckpointFile {
    pub(super) fn path(&self) -> PathBuf {
        checkpoint_path(self.seq)
    }
}

/// A segment of the log.
#[derive(Debug)]
pub(super) struct SegmentFile {
    /// From its name.
    pub(super) first: Seq,
    pub(super) header: Result<SegmentHeader, HeaderError>,
    /// Why it could not be read at all.
    pub(super) unreadable: Option<io::Error>,
    pub(super) bytes: Vec<u8>,
    pub(super) scan: Scan,
}

impl SegmentFile {
    pub(super) fn path(&self) -> PathBuf {
        segment_path(self.first)
    }

    /// The record that its first one builds on; without a header the one numbered before it.
    pub(super) fn follows(&self) -> Option<Seq> {
        match &self.header {
            Ok(header) => header.follows,
            Err(_) => Some(Seq(self.first.0.saturating_sub(1))),
        }
    }

    /// The last record for which the segment proves that it was durable.
    pub(super) fn synced_through(&self) -> Seq {
        let header = self.header.as_ref().ok().map(|header| header.synced_through);
        let found = self.scan.records.iter().chain(&self.scan.beyond);
        let frames = found.filter_map(|found| found.frame.synced_through());
        header.into_iter().chain(frames).max().unwrap_or_default()
    }

    /// The greatest number the segment shows to have been given out.
    pub(super) fn highest(&self) -> Seq {
        let found = self.scan.records.iter().chain(&self.scan.beyond);
        let records = found.map(|found| found.frame.seq).max().unwrap_or_default();
        records.max(Seq(self.first.0.saturating_sub(1)))
    }

    /// Whether it holds nothing: preallocated, or not even begun.
    pub(super) fn is_blank(&self) -> bool {
        self.scan.records.is_empty() && self.scan.beyond.is_empty() && self.unreadable.is_none()
    }
}

/// Reads the store.
///
/// # Errors
/// Only what may pass: a file that cannot be read because it is damaged is part of the survey.
pub(super) fn survey(storage: &dyn Storage) -> Result<Survey, OpenError> {
    // Before the log: a server that is at work moves it on behind what it logs.
    let mark = read_mark(storage).map_err(unread(Path::new(MARK_FILE)))?;
    let format = format::read(storage).map_err(unread(Path::new(FORMAT_FILE)))?;
    let mut checkpoints = Vec::new();
    for seq in numbered(storage, CHECKPOINT_DIR, checkpoint_seq)?.into_iter().rev() {
        match checkpoint::read(storage, seq) {
            Err(BadCheckpoint::Io(error)) if !is_damage(&error) => {
                return Err(unread(&checkpoint_path(seq))(error));
            }
            contents => checkpoints.push(CheckpointFile { seq, contents }),
        }
    }
    let mut segments = Vec::new();
    for first in numbered(storage, WAL_DIR, segment_first)? {
        let segment = read_segment(storage, first);
        segments.push(segment.map_err(unread(&segment_path(first)))?);
    }
    Ok(Survey { format, mark, checkpoints, segments })
}

fn numbered(
    storage: &dyn Storage,
    dir: &str,
    number: fn(&str) -> Option<Seq>,
) -> Result<Vec<Seq>, OpenError> {
    let dir = Path::new(dir);
    let names = match insist(|| storage.list(dir)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        listed => listed.map_err(unread(dir))?,
    };
    let mut numbers: Vec<Seq> = names.iter().filter_map(|name| number(name)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

fn unread(path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let path = path.display().to_string();
    move |error| OpenError::Read { path, error }
}

fn read_segment(storage: &dyn Storage, first: Seq) -> io::Result<SegmentFile> {
    // A little above the limit, so that no rounding of ours calls a file damaged.
    let bytes_max = SEGMENT_BYTES_MAX + (1 << 20);
    let (bytes, unreadable) = match read_file(storage, &segment_path(first), bytes_max) {
        Ok(bytes) => (bytes, None),
        Err(error) if is_damage(&error) => (Vec::new(), Some(error)),
        Err(error) => return Err(error),
    };
    let header = SegmentHeader::decode(&bytes);
    // A header that names another first record than the file's name is as good as none.
    let header = header
        .and_then(|header| if header.first == first { Ok(header) } else { Err(HeaderError::Bad) });
    let scan = scan(&bytes, first, header.as_ref().ok());
    Ok(SegmentFile { first, header, unreadable, bytes, scan })
}
