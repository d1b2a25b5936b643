//! What panes put on the disk: one place for spool, archiver and the histories they make.
//!
//! The server's view of `persistence::scrollback`: it remembers per pane where the stream stands
//! and which history lines are stored, and turns the events of the helper threads into that.

mod away;

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ccmux_core::ids::PaneUuid;
use ccmux_core::model::Timestamp;
use ccmux_term::Terminal;
use uuid::Uuid;

use super::fault;
use super::history::StoredLines;
use super::text::{load_thawed, write_unstored};
use crate::persistence::scrollback::{
    ArchiveEvent, ArchiveJob, Archived, Archiver, ArchiverOptions, ClosedPane, Damage, FrameKind,
    FrameRef, Health, Keyframe, PaneHistory, PaneImage, Spool, SpoolEvent, SpoolIndex,
    SpoolOptions, StreamPosition, SyncLag, closed_pane, keep_output, load_closed, load_pane,
    places_aside, set_pane_aside, stored_panes,
};
use crate::persistence::storage::Storage;
use crate::persistence::{boot_id, keep_pane_damage};
use away::Away;

/// Output and history of all panes.
#[derive(Debug)]
pub(crate) struct Scrollback {
    storage: Arc<dyn Storage>,
    spool: Spool,
    archiver: Archiver,
    panes: HashMap<PaneUuid, Known>,
    /// Panes that are closed and kept, in the order in which they were closed.
    closed: Vec<KeptPane>,
    /// Those of which that is not written down yet.
    closing: HashSet<PaneUuid>,
    /// Why the disk last refused something.
    refusal: Option<String>,
}

/// A closed pane whose output is kept for a while.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct KeptPane {
    pub(crate) uuid: PaneUuid,
    pub(crate) note: ClosedPane,
    /// What its files take of the disk, once they have been looked at.
    pub(crate) bytes: Option<u64>,
}

/// What is known of one pane's files.
#[derive(Debug, Default)]
struct Known {
    position: StreamPosition,
    /// Stored history lines: first, and the one after the last.
    first_line: u64,
    end_line: u64,
    /// Of these, the ones before this are on the disk.
    disk_end: u64,
    /// Why it has no spool, if so.
    away: Option<Away>,
    /// The history was cleared: the next keyframe is to be all there is.
    is_cleared: bool,
    /// Its pane is closed: what becomes of its output matters no more.
    is_closed: bool,
}

/// What happened to a pane's files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum StoreNews {
    /// A keyframe is on the disk, and history lines before this number.
    Archived {
        /// Whose.
        pane: PaneUuid,
        /// Lines before this one are stored.
        stored_before: u64,
    },
    /// The pane needs a keyframe soon.
    NeedsKeyframe(PaneUuid),
    /// All of the pane is on the disk again, and its stash of no more use.
    CameHome(PaneUuid),
}

impl Scrollback {
    /// Opens what an earlier server left, or an empty store.
    ///
    /// `notify` wakes the server's loop; it is called from helper threads.
    pub(crate) fn open(
        storage: Arc<dyn Storage>,
        store: Uuid,
        salt: u64,
        notify: &Arc<dyn Fn() + Send + Sync>,
    ) -> io::Result<(Self, SpoolIndex)> {
        let boot = boot_id();
        let index = SpoolIndex::scan(&*storage, store, boot)?;
        let call = |notify: &Arc<dyn Fn() + Send + Sync>| -> Box<dyn Fn() + Send + Sync> {
            let notify = Arc::clone(notify);
            Box::new(move || notify())
        };
        let options =
            SpoolOptions { elapsed: crate::clock::uptime, ..SpoolOptions::new(store, boot, salt) };
        let mut spool = Spool::open(Arc::clone(&storage), &index, options, call(notify));
        spool.start_syncer()?;
        let archiver =
            Archiver::start(Arc::clone(&storage), ArchiverOptions::default(), call(notify))?;
        let (panes, closed, closing) = (HashMap::new(), Vec::new(), HashSet::new());
        Ok((Self { storage, spool, archiver, panes, closed, closing, refusal: None }, index))
    }

    /// What there is of a pane; its stream goes on after that. `thaw` tries keyframes.
    ///
    /// # Errors
    /// Only what says nothing about the files.
    pub(crate) fn load(
        &mut self,
        index: &SpoolIndex,
        pane: PaneUuid,
        thaw: &mut dyn FnMut(&Keyframe) -> Result<(), String>,
    ) -> io::Result<PaneImage> {
        let image = load_pane(&self.storage, index, pane, thaw)?;
        self.spool.resume(pane, image.resume);
        self.panes.insert(
            pane,
            Known {
                position: image.resume,
                first_line: image.history.start,
                end_line: image.history.end,
                disk_end: image.history.end,
                ..Known::default()
            },
        );
        Ok(image)
    }

    /// Sets a damaged file aside, so that it is not stumbled over again.
    pub(crate) fn set_aside(&self, damage: &Damage) {
        if let Err(error) = damage.set_aside(&*self.storage) {
            tracing::error!(%error, %damage, "a damaged file could not be set aside");
        }
    }

    /// Adds what was found damaged to the record of recoveries.
    pub(crate) fn keep_damage(&self, now: Timestamp, found: &[String]) -> io::Result<()> {
        keep_pane_damage(&*self.storage, now, found)
    }

    /// Keeps output at which the emulator failed, so that the fault can be found.
    pub(crate) fn keep_faulty(&self, pane: PaneUuid, offset: u64, output: &[u8]) {
        if let Err(error) = keep_output(&*self.storage, pane, offset, output) {
            tracing::warn!(%pane, offset, %error, "the output of a fault could not be kept");
        }
    }

    /// The panes that have files, whether or not anybody knows them.
    pub(crate) fn stored_panes(&self) -> io::Result<Vec<PaneUuid>> {
        stored_panes(&*self.storage)
    }

    /// Where in the quarantine there is room for panes that nobody knows.
    pub(crate) fn places_aside(&self, panes: &[PaneUuid]) -> io::Result<Vec<PathBuf>> {
        places_aside(&*self.storage, panes)
    }

    /// Moves what there is of a pane that nobody knows to such a place, with its last lines as text:
    /// a person cannot read a keyframe.
    pub(crate) fn set_pane_aside(
        &mut self,
        index: &SpoolIndex,
        pane: PaneUuid,
        place: &Path,
    ) -> io::Result<()> {
        let (image, thawed) = load_thawed(&self.storage, index, pane)?;
        let mut text = Vec::new();
        write_unstored(pane, image, thawed, &mut text)?;
        set_pane_aside(&*self.storage, pane, place, &text)?;
        self.remove_pane(pane);
        Ok(())
    }

    /// Appends an input of a pane's terminal, before it is applied. A disk that refuses it makes
    /// the store degraded, and the next keyframe covers it.
    pub(crate) fn append(
        &mut self,
        pane: PaneUuid,
        offset: u64,
        time: Timestamp,
        kind: FrameKind,
        payload: &[u8],
    ) {
        let known = self.panes.entry(pane).or_default();
        if known.away.is_none() {
            match self.spool.append(FrameRef { pane, offset, time, kind, payload }) {
                Ok(position) => return known.position = position,
                // The spool said so once, and its health is shown; a line per frame would drown it.
                Err(_) => known.away = Some(Away::refused()),
            }
        }
        let bytes = kind.stream_bytes(payload.len());
        known.position =
            StreamPosition { offset: offset + bytes, frames: known.position.frames + 1 };
    }

    /// Lets what was appended become durable.
    pub(crate) fn wake_syncer(&mut self) {
        self.spool.wake_syncer();
    }

    /// The same, if it has waited for a while already.
    pub(crate) fn wake_late_syncer(&mut self) {
        self.spool.wake_late_syncer();
    }

    /// Where a pane's stream stands.
    pub(crate) fn position(&self, pane: PaneUuid) -> StreamPosition {
        self.panes.get(&pane).map(|known| known.position).unwrap_or_default()
    }

    /// Hands lines and a keyframe to the archiver.
    pub(crate) fn submit(&mut self, job: ArchiveJob) {
        let known = self.panes.entry(job.pane).or_default();
        if std::mem::take(&mut known.is_cleared) {
            self.archiver.rewrite(job, None, true);
        } else {
            self.archiver.submit(job);
        }
    }

    /// Whether the disk keeps up; rings are not read while it does not. A degraded store has
    /// room: panes live on without it.
    pub(crate) fn has_room(&self) -> bool {
        self.refuses().is_some() || (self.spool.has_room() && self.archiver.has_room())
    }

    /// Why the disk refuses output or history, if it does.
    fn refuses(&self) -> Option<String> {
        [self.spool.health(), self.archiver.health()].into_iter().find_map(|health| match health {
            Health::Durable => None,
            Health::Degraded(why) => Some(why),
        })
    }

    /// Why not all output that should be is on the disk, if so.
    pub(crate) fn degraded(&self) -> Option<String> {
        let is_refused = |known: &Known| {
            !known.is_closed && known.away.as_ref().is_some_and(|away| !away.is_private)
        };
        self.refuses().or_else(|| {
            let why = || self.refusal.clone().unwrap_or_else(|| "not yet".to_owned());
            self.panes.values().any(is_refused).then(why)
        })
    }

    /// How long the newest output took until it was durable.
    pub(crate) fn sync_lag(&self) -> SyncLag {
        self.spool.lag()
    }

    /// Bytes of the spool that nobody needs and the disk does not remove; `None` while it does.
    pub(crate) fn stuck_bytes(&self) -> Option<u64> {
        self.spool.stuck_bytes()
    }

    /// Panes whose old output keeps the spool long.
    pub(crate) fn pinning(&self) -> Vec<PaneUuid> {
        self.spool.pinning()
    }

    /// The first history line that is to be stored, with everything before it stored already.
    pub(crate) fn stored_end(&self, pane: PaneUuid) -> u64 {
        self.panes.get(&pane).map_or(0, |known| known.end_line)
    }

    /// The first history line that is kept on disk.
    pub(crate) fn stored_start(&self, pane: PaneUuid) -> u64 {
        self.panes.get(&pane).map_or(0, |known| known.first_line)
    }

    /// The history of a pane on disk, to read.
    pub(crate) fn stored_lines(&self, pane: PaneUuid) -> StoredLines {
        let Some(known) = self.panes.get(&pane) else { return StoredLines::default() };
        let stash = known.away.as_ref().and_then(Away::stash);
        let disk_end = stash.map_or(known.disk_end, |it| it.lines().start.min(known.disk_end));
        let on_disk = (known.first_line < disk_end)
            .then(|| PaneHistory::open(self.storage(), pane, known.first_line..disk_end));
        let stashed = stash.map(|stash| stash.history(stash.lines()));
        let readable = on_disk.into_iter().chain(stashed).filter_map(|part| {
            part.inspect_err(|error| {
                tracing::error!(%pane, %error, "the history of a pane cannot be read");
            })
            .ok()
        });
        StoredLines::new(readable)
    }

    fn storage(&self) -> Arc<dyn Storage> {
        Arc::clone(&self.storage)
    }

    /// Forgets stored history: lines before `end` are gone for good with the next keyframe.
    pub(crate) fn forget_before(&mut self, pane: PaneUuid, end: u64) {
        let known = self.panes.entry(pane).or_default();
        known.first_line = known.first_line.max(end);
        known.end_line = known.end_line.max(end);
        known.disk_end = known.disk_end.max(end);
    }

    /// Removes everything of a pane that is closed and whose keeper is gone.
    pub(crate) fn remove_pane(&mut self, pane: PaneUuid) {
        self.panes.remove(&pane);
        self.spool.forget(pane);
        self.archiver.remove(pane);
    }

    /// Keeps what there is of a pane that is closed and whose keeper is gone, and whose last keyframe
    /// was submitted. `total` bounds all history.
    pub(crate) fn keep_closed(&mut self, pane: PaneUuid, note: ClosedPane, total: u64) {
        self.closing.insert(pane);
        self.archiver.keep_closed(pane, note, total);
    }

    /// Whether there is a note that a pane which the state does not know is closed and kept; it is,
    /// then.
    ///
    /// # Errors
    /// Only what says nothing about the file.
    pub(crate) fn is_kept(&mut self, pane: PaneUuid, total: u64) -> io::Result<bool> {
        let Some(note) = closed_pane(&*self.storage, pane)? else { return Ok(false) };
        self.archiver.keep_closed(pane, note.clone(), total);
        self.note_kept(KeptPane { uuid: pane, note, bytes: None });
        Ok(true)
    }

    fn note_kept(&mut self, pane: KeptPane) {
        self.closed.retain(|known| known.uuid != pane.uuid);
        let at = self.closed.partition_point(|known| known.note.at <= pane.note.at);
        self.closed.insert(at, pane);
    }

    /// Closed panes that are kept, in the order in which they were closed.
    pub(crate) fn closed(&self) -> &[KeptPane] {
        &self.closed
    }

    /// Removes what is kept of panes that were closed before `until`, or then.
    pub(crate) fn expire_closed(&mut self, until: Timestamp) {
        let count = self.closed.partition_point(|known| known.note.at <= until);
        for pane in self.closed.drain(..count) {
            self.archiver.remove(pane.uuid);
        }
    }

    /// All that is kept of a closed pane, to read; `None` if nothing of it can be read.
    pub(crate) fn read_closed(
        &self,
        pane: PaneUuid,
    ) -> io::Result<Option<(StoredLines, Terminal)>> {
        let mut thawed = None;
        let keyframe = load_closed(&*self.storage, pane, &mut |keyframe| {
            thawed = Some(thaw(keyframe)?);
            Ok(())
        })?;
        let Some((keyframe, terminal)) = keyframe.zip(thawed) else { return Ok(None) };
        let history = PaneHistory::open(Arc::clone(&self.storage), pane, keyframe.history)?;
        Ok(Some((StoredLines::new([history]), terminal)))
    }

    /// Forgets spooled output of panes that nobody knows any more.
    pub(crate) fn retain(&mut self, is_kept: impl Fn(PaneUuid) -> bool) {
        let closing = &self.closing;
        self.spool.retain(|pane| is_kept(pane) || closing.contains(&pane));
    }

    /// Takes what the helper threads have done.
    pub(crate) fn take_news(&mut self) -> Vec<StoreNews> {
        let mut news = Vec::new();
        for event in self.spool.drain_events() {
            match event {
                SpoolEvent::Degraded(why) => {
                    tracing::error!(why, "output is no longer durable");
                    self.refusal = Some(why);
                    // What was written and not synced may be lost with the file, too.
                    news.extend(self.send_all_away().map(StoreNews::NeedsKeyframe));
                }
                SpoolEvent::Recovered => {
                    tracing::info!("output is durable again");
                }
                SpoolEvent::Dropped(pane) => news.push(StoreNews::NeedsKeyframe(pane)),
            }
        }
        for event in self.archiver.drain_completions() {
            match event {
                ArchiveEvent::Archived(archived) => {
                    news.extend(self.take_archived(&archived));
                }
                ArchiveEvent::Purged(_) => {}
                ArchiveEvent::Degraded(why) => {
                    tracing::error!(why, "history is not kept");
                    self.refusal = Some(why);
                }
                ArchiveEvent::Removed(pane) => self.closed.retain(|known| known.uuid != pane),
                ArchiveEvent::Kept { pane, note, bytes } => {
                    // One known from the start may have been removed meanwhile.
                    let is_known = self.closed.iter().any(|known| known.uuid == pane);
                    if self.closing.remove(&pane) || is_known {
                        self.note_kept(KeptPane { uuid: pane, note, bytes: Some(bytes) });
                    }
                    self.panes.remove(&pane);
                    self.spool.forget(pane);
                }
                ArchiveEvent::Recovered => tracing::info!("history is kept again"),
            }
        }
        news
    }

    /// Takes in what the archiver has put on the disk.
    fn take_archived(&mut self, archived: &Archived) -> Vec<StoreNews> {
        let pane = archived.pane;
        let Some(known) = self.panes.get_mut(&pane) else { return Vec::new() };
        let mut news = Vec::new();
        // What was on its way when a pane became private counts for nothing, and is removed.
        if !known.is_private() {
            if let Some(first) = archived.first_line {
                known.first_line = known.first_line.max(first);
            }
            if let Some(end) = archived.end_line {
                known.end_line = known.end_line.max(end);
                known.disk_end = known.disk_end.max(end);
            }
            if let Some(position) = archived.release {
                self.spool.release(pane, position);
            }
            if known.comes_home(archived.keyframe) {
                self.spool.resume(pane, known.position);
                news.push(StoreNews::CameHome(pane));
            }
        }
        news.push(StoreNews::Archived { pane, stored_before: known.end_line });
        news
    }

    /// Makes everything durable: the server is about to end in good order.
    pub(crate) fn finish(mut self) {
        self.archiver.finish();
        self.spool.sync();
    }
}

/// The terminal of a keyframe, or what is wrong with it.
pub(crate) fn thaw(keyframe: &Keyframe) -> Result<Terminal, String> {
    let restored = fault::catch(|| Terminal::restore(&keyframe.bytes))?;
    let terminal = restored.map_err(|error| error.to_string())?;
    if terminal.history_sealed_end() == keyframe.history.end {
        Ok(terminal)
    } else {
        Err(format!("its history ends at line {}", terminal.history_sealed_end()))
    }
}
