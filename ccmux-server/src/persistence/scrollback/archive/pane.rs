//! Writing one pane's chunks and keyframes.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use ccmux_core::ids::PaneUuid;

use super::{ArchiveJob, Archived, HistoryLimits};
use crate::persistence::scrollback::chunk::{
    ChunkWriter, HistoryBlock, HistoryRead, PaneHistory, chunks_in,
};
use crate::persistence::scrollback::closed::remove_note;
use crate::persistence::scrollback::compress::Compressor;
use crate::persistence::scrollback::keyframe::{Keyframe, keyframes_in};
use crate::persistence::scrollback::layout::{
    CHUNK_SUFFIX, PANES_DIR, StreamPosition, TEMPORARY_SUFFIX, numbered, pane_dir,
};
use crate::persistence::scrollback::removed::RemovalNote;
use crate::persistence::storage::Storage;

/// The files of a pane, and the chunk being written. After any error it must be dropped and opened
/// anew: what a failed file holds is then written to another one (P8).
#[derive(Debug)]
pub(in crate::persistence::scrollback) struct PaneArchive {
    pane: PaneUuid,
    dir: PathBuf,
    writer: Option<ChunkWriter>,
    /// Ascending; the last one is the writer's, if there is a writer and it was published.
    chunks: Vec<StoredChunk>,
    /// Before which line chunks were removed.
    note: RemovalNote,
    /// Ascending.
    keyframes: Vec<StreamPosition>,
    /// The newest keyframe that this process made durable.
    written: Option<StreamPosition>,
    /// First line that the newest keyframe has not cleared.
    cleared: u64,
    /// Number of the line after the last that a keyframe counts on: all before it are durable.
    counted: u64,
    /// Number of the line after the last that this process made durable.
    end_line: Option<u64>,
    /// A chunk is complete at about this length.
    chunk_bytes: u64,
}

#[derive(Clone, Copy, Debug)]
struct StoredChunk {
    first_line: u64,
    bytes: u64,
}

impl PaneArchive {
    /// Looks at what there is of `pane`, and makes its directory durable. `end_line` is where this
    /// process got before.
    pub(in crate::persistence::scrollback) fn open(
        storage: &dyn Storage,
        pane: PaneUuid,
        end_line: Option<u64>,
    ) -> io::Result<Self> {
        let dir = pane_dir(pane);
        storage.create_dir(&dir)?;
        storage.sync_dir(Path::new(""))?;
        storage.sync_dir(Path::new(PANES_DIR))?;
        // One that is written for is not closed.
        remove_note(storage, pane)?;
        let names = storage.list(&dir)?;
        for name in names.iter().filter(|name| name.ends_with(TEMPORARY_SUFFIX)) {
            storage.remove(&dir.join(name))?;
        }
        let note = RemovalNote::open(storage, &dir, &names)?;
        let mut chunks = Vec::new();
        for first_line in chunks_in(storage, &dir)? {
            let bytes = storage.open(&numbered(&dir, first_line, CHUNK_SUFFIX))?.len()?;
            chunks.push(StoredChunk { first_line, bytes });
        }
        // One that cannot be read is nothing to fall back to.
        let (mut keyframes, mut cleared, mut counted) = (Vec::new(), 0, 0);
        for offset in keyframes_in(storage, &dir)? {
            if let Ok(keyframe) = Keyframe::read(storage, &dir, pane, offset)? {
                keyframes.push(keyframe.position);
                cleared = keyframe.history.start;
                counted = keyframe.history.end.max(counted);
            }
        }
        let (writer, chunk_bytes) = (None, super::CHUNK_BYTES);
        Ok(Self {
            pane,
            dir,
            writer,
            chunks,
            note,
            keyframes,
            written: None,
            cleared,
            counted,
            end_line,
            chunk_bytes,
        })
    }

    /// The same with chunks of another length.
    pub(in crate::persistence::scrollback) fn with_chunk_bytes(self, chunk_bytes: u64) -> Self {
        Self { chunk_bytes, ..self }
    }

    /// The lines before `begin` that nobody has proven to be durable, where this process is about to write from
    /// `begin` on for the first time: those that no keyframe counts, in the newest chunk, which was not
    /// synced again if the server was killed or the sync failed. No chunk begins before all lines of the
    /// one before are durable.
    pub(super) fn unproven(&self, begin: u64) -> Range<u64> {
        let newest = self.chunks.iter().rev().find(|chunk| chunk.first_line < begin);
        match newest {
            Some(newest) if self.end_line.is_none() => {
                self.counted.max(newest.first_line).min(begin)..begin
            }
            _ => begin..begin,
        }
    }

    /// Writes lines of its own chunks again, to a file that was never written to by another process: a sync of
    /// theirs would prove nothing (P8). If one of them cannot be read they stay as they are.
    pub(super) fn take_over(
        &mut self,
        storage: &dyn Storage,
        source: &mut PaneHistory,
        lines: Range<u64>,
        compressor: &mut Compressor,
    ) -> io::Result<()> {
        let end = source.missing_at_end()?.start.min(lines.end);
        let mut line = lines.start;
        let mut writer: Option<ChunkWriter> = None;
        while line < end {
            let HistoryRead::Block { block, valid } = source.read(line) else {
                tracing::warn!(pane = %self.pane, line, "cannot read what may not be durable");
                return match writer {
                    Some(writer) => storage.remove(&writer.temporary_path(&self.dir)),
                    None => Ok(()),
                };
            };
            let writer = match &mut writer {
                Some(writer) => writer,
                none => none.insert(self.create_chunk(storage, block.first_line)?),
            };
            writer.append(&block, compressor)?;
            line = valid.end;
        }
        if writer.is_some() {
            self.writer = writer;
            self.sync_chunk(storage)?;
            self.end_line = Some(line);
        }
        Ok(())
    }

    /// Copies history from another place, from `line` on. Where this process got before it goes on.
    pub(in crate::persistence::scrollback) fn copy_history(
        &mut self,
        storage: &dyn Storage,
        source: &mut PaneHistory,
        line: u64,
        compressor: &mut Compressor,
    ) -> io::Result<()> {
        let mut line = line.max(source.first_line()).max(self.end_line.unwrap_or(0));
        while line < source.end_line() {
            match source.read(line) {
                HistoryRead::Block { block, valid } => {
                    self.write_blocks(storage, std::slice::from_ref(&*block), compressor)?;
                    self.end_line = Some(block.end_line());
                    line = valid.end.max(line + 1);
                }
                HistoryRead::Missing(lines) => line = lines.end.max(line + 1),
            }
        }
        Ok(())
    }

    /// Lets the next line begin a chunk: what is cleared and what is not shall not share one.
    pub(in crate::persistence::scrollback) fn close_chunk(&mut self) {
        self.writer = None;
    }

    /// Does `job` as [`PaneArchive::archive`] does, and removes what there was before: no older
    /// keyframe stays, and no line that the keyframe does not count.
    pub(in crate::persistence::scrollback) fn archive_anew(
        &mut self,
        storage: &dyn Storage,
        job: &mut ArchiveJob,
        compressor: &mut Compressor,
    ) -> io::Result<Archived> {
        self.close_chunk();
        let mut archived = self.archive(storage, job, compressor)?;
        let Some(keyframe) = &job.keyframe else { return Ok(archived) };
        self.keyframes = vec![keyframe.position];
        for offset in keyframes_in(storage, &self.dir)? {
            if offset != keyframe.position.offset {
                storage.remove(&Keyframe::path(&self.dir, offset))?;
            }
        }
        while self.chunks.first().is_some_and(|chunk| chunk.first_line < keyframe.history.start) {
            self.remove_first(storage)?;
        }
        if self.chunks.is_empty() {
            self.writer = None;
        }
        storage.sync_dir(&self.dir)?;
        archived.first_line = self.chunks.first().map(|chunk| chunk.first_line);
        archived.release = archived.keyframe;
        archived.bytes = self.bytes();
        Ok(archived)
    }

    /// Does `job`: first the lines, synced, then the keyframe. Lines that are durable are taken out
    /// of the job, so that it can be tried again.
    pub(in crate::persistence::scrollback) fn archive(
        &mut self,
        storage: &dyn Storage,
        job: &mut ArchiveJob,
        compressor: &mut Compressor,
    ) -> io::Result<Archived> {
        if !job.blocks.is_empty() {
            let bytes = job.limits.bytes.saturating_sub(job.line_bytes() as u64);
            self.trim(storage, HistoryLimits { bytes, ..job.limits });
            self.write_blocks(storage, &job.blocks, compressor)?;
            let end = job.blocks.drain(..).next_back().map(|block| block.end_line());
            self.end_line = self.end_line.max(end);
        }
        let mut release = None;
        if let Some(keyframe) = &mut job.keyframe {
            self.account(keyframe);
            release = self.write_keyframe(storage, keyframe, compressor)?;
            self.cleared = keyframe.history.start;
            self.counted = keyframe.history.end.max(self.counted);
            if keyframe.history.is_empty() {
                self.remove_cleared(storage, keyframe.history.end);
            }
        }
        self.trim(storage, job.limits);
        Ok(Archived {
            pane: self.pane,
            first_line: self.first_line().map(|first| first.max(self.cleared)),
            end_line: self.end_line,
            keyframe: job.keyframe.as_ref().map(|keyframe| keyframe.position),
            release,
            bytes: self.bytes(),
        })
    }

    /// Lets a keyframe count no lines that are not here: limits took them, or the disk never had them. What it
    /// counts and is not here later was removed as the note says, or is lost.
    fn account(&self, keyframe: &mut Keyframe) {
        let Range { start, end } = keyframe.history;
        keyframe.history.start = start.max(self.first_line().unwrap_or(end)).min(end);
    }

    /// First line of the oldest chunk, but for lines that were to be removed.
    fn first_line(&self) -> Option<u64> {
        self.chunks.first().map(|chunk| chunk.first_line.max(self.note.line()))
    }

    fn write_blocks(
        &mut self,
        storage: &dyn Storage,
        blocks: &[HistoryBlock],
        compressor: &mut Compressor,
    ) -> io::Result<()> {
        let written = self.end_line.unwrap_or(0);
        for block in blocks.iter().filter(|block| block.end_line() > written) {
            let goes_on = |writer: &ChunkWriter| {
                writer.end_line() == block.first_line && writer.bytes() < self.chunk_bytes
            };
            if !self.writer.as_ref().is_some_and(goes_on) {
                self.finish_chunk(storage)?;
                self.begin_chunk(storage, block.first_line)?;
            }
            let writer = self.writer.as_mut().expect("begun above");
            writer.append(block, compressor)?;
        }
        self.sync_chunk(storage)
    }

    /// Nothing more is written.
    pub(super) fn finish(mut self, storage: &dyn Storage) -> io::Result<()> {
        self.finish_chunk(storage)
    }

    fn finish_chunk(&mut self, storage: &dyn Storage) -> io::Result<()> {
        if let Some(writer) = &mut self.writer {
            writer.finish()?;
            self.sync_chunk(storage)?;
            self.writer = None;
        }
        Ok(())
    }

    /// Makes the chunk durable, and shows it if nobody has seen it. Those with later lines go then: no keyframe counts
    /// on them, and what they hold is written again. Left there they would take precedence.
    fn sync_chunk(&mut self, storage: &dyn Storage) -> io::Result<()> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        writer.sync()?;
        let (first_line, bytes) = (writer.first_line(), writer.bytes());
        if !writer.is_published() {
            writer.publish(storage, &self.dir)?;
            storage.sync_dir(&self.dir)?;
            let is_later = |chunk: &StoredChunk| chunk.first_line > first_line;
            if self.chunks.last().is_some_and(is_later) {
                while let Some(chunk) = self.chunks.pop_if(|chunk| is_later(chunk)) {
                    remove_if_there(storage, &ChunkWriter::path(&self.dir, chunk.first_line))?;
                }
                storage.sync_dir(&self.dir)?;
            }
            self.chunks.pop_if(|chunk| chunk.first_line == first_line);
            self.chunks.push(StoredChunk { first_line, bytes });
        } else if let Some(chunk) = self.chunks.last_mut() {
            chunk.bytes = bytes;
        }
        Ok(())
    }

    /// Begins a chunk. If what is on the disk is of another course of events there, keyframes that count on it go
    /// first.
    fn begin_chunk(&mut self, storage: &dyn Storage, first_line: u64) -> io::Result<()> {
        let is_of_this_process = first_line < self.end_line.unwrap_or(0);
        if !is_of_this_process && self.counted > first_line {
            self.remove_keyframes_beyond(storage, first_line)?;
            self.counted = first_line;
        }
        self.writer = Some(self.create_chunk(storage, first_line)?);
        Ok(())
    }

    fn create_chunk(&mut self, storage: &dyn Storage, first_line: u64) -> io::Result<ChunkWriter> {
        self.note.admit(storage, &self.dir, first_line)?;
        ChunkWriter::create(storage, &self.dir, self.pane, first_line)
    }

    /// Removes the keyframes that count on lines behind `line`, for good. There are such where the name of one
    /// could not be synced: it was never called durable, and without it the spool has those lines.
    fn remove_keyframes_beyond(&mut self, storage: &dyn Storage, line: u64) -> io::Result<()> {
        let mut is_any_gone = false;
        for offset in keyframes_in(storage, &self.dir)? {
            let read = Keyframe::read(storage, &self.dir, self.pane, offset)?;
            if read.is_ok_and(|keyframe| keyframe.history.end > line) {
                storage.remove(&Keyframe::path(&self.dir, offset))?;
                self.keyframes.retain(|known| known.offset != offset);
                is_any_gone = true;
            }
        }
        if is_any_gone { storage.sync_dir(&self.dir) } else { Ok(()) }
    }

    /// Writes a keyframe and keeps the one before it. Returns the point before which the spool is
    /// no longer needed.
    fn write_keyframe(
        &mut self,
        storage: &dyn Storage,
        keyframe: &Keyframe,
        compressor: &mut Compressor,
    ) -> io::Result<Option<StreamPosition>> {
        let position = keyframe.position;
        let temporary = numbered(&self.dir, position.offset, TEMPORARY_SUFFIX);
        remove_if_there(storage, &temporary)?;
        let file = storage.create(&temporary)?;
        file.write_at(0, &keyframe.encode(self.pane, compressor)?)?;
        file.sync()?;
        let on_disk = keyframes_in(storage, &self.dir)?;
        // Of another course of events, which recovery could not go on with.
        for &later in on_disk.iter().filter(|&&offset| offset > position.offset) {
            storage.remove(&Keyframe::path(&self.dir, later))?;
        }
        self.keyframes.retain(|known| known.offset <= position.offset);
        storage.rename(&temporary, &Keyframe::path(&self.dir, position.offset))?;
        storage.sync_dir(&self.dir)?;

        let newest = self.keyframes.last().copied();
        // As long as the older keyframe can be replayed from, one bad file costs nothing. A pane
        // whose stream stands still would hold on to the spool for ever: it has only the newest, once
        // this process has written it twice.
        let is_repeated = newest.is_some_and(|newest| newest.frames == position.frames);
        let is_own = newest.is_some() && newest == self.written;
        self.keyframes.retain(|known| known.offset != position.offset);
        let release = match is_repeated {
            true if is_own => Some(position),
            true => self.keyframes.last().copied(),
            false => newest,
        };
        self.written = Some(position);
        self.keyframes.push(position);
        let kept_from = self.keyframes.len().saturating_sub(2);
        self.keyframes.drain(..kept_from);
        for offset in on_disk.into_iter().filter(|&offset| offset < self.keyframes[0].offset) {
            storage.remove(&Keyframe::path(&self.dir, offset))?;
        }
        Ok(release)
    }

    /// Removes the oldest chunks that are cleared or beyond `limits`; never the newest.
    fn trim(&mut self, storage: &dyn Storage, limits: HistoryLimits) {
        let end = self.end_line.unwrap_or(0);
        let by_lines = limits.lines.map_or(0, |lines| end.saturating_sub(lines));
        let keep_from = self.cleared.max(by_lines).max(self.note.line());
        let (mut count, mut bytes) = (0, self.bytes());
        while let [oldest, second, ..] = self.chunks[count..]
            && (second.first_line <= keep_from || bytes > limits.bytes)
        {
            (count, bytes) = (count + 1, bytes - oldest.bytes);
        }
        if count > 0 {
            self.remove_chunks(storage, count, self.chunks[count].first_line);
        }
    }

    /// Removes the oldest chunk if there is a newer one. Returns whether it did.
    pub(in crate::persistence::scrollback) fn remove_oldest(
        &mut self,
        storage: &dyn Storage,
    ) -> bool {
        // Where one failed before anyone saw it, that is the newest.
        let writing = self.writer.as_ref().filter(|writer| !writer.is_published());
        let next = match &self.chunks[..] {
            [_, second, ..] => Some(second.first_line),
            [_] => writing.map(ChunkWriter::first_line),
            [] => None,
        };
        next.is_some_and(|next| self.remove_chunks(storage, 1, next))
    }

    /// Removes the chunks of a history that was cleared up to `end`. Chunks from there on are
    /// nobody's yet; when lines with their numbers come they are replaced.
    fn remove_cleared(&mut self, storage: &dyn Storage, end: u64) {
        self.writer = None;
        let count = self.chunks.partition_point(|chunk| chunk.first_line < end);
        if count > 0 {
            self.remove_chunks(storage, count, end);
        }
    }

    /// Removes the oldest chunks, once it is noted that lines before `line` go. Returns whether it did.
    fn remove_chunks(&mut self, storage: &dyn Storage, count: usize, line: u64) -> bool {
        let mut removed = self.note.raise(storage, &self.dir, line);
        for _ in 0..count {
            removed = removed.and_then(|()| self.remove_first(storage));
        }
        removed
            .inspect_err(|error| {
                tracing::warn!(pane = %self.pane, %error, "cannot remove old history");
            })
            .is_ok()
    }

    fn remove_first(&mut self, storage: &dyn Storage) -> io::Result<()> {
        remove_if_there(storage, &ChunkWriter::path(&self.dir, self.chunks[0].first_line))?;
        self.chunks.remove(0);
        Ok(())
    }

    pub(in crate::persistence::scrollback) fn end_line(&self) -> Option<u64> {
        self.end_line
    }

    /// Bytes of all chunks.
    pub(super) fn bytes(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.bytes).sum()
    }
}

fn remove_if_there(storage: &dyn Storage, path: &Path) -> io::Result<()> {
    match storage.remove(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
