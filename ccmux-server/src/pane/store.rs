//! What panes put on the disk: one place for spool, archiver and the histories they make.
//!
//! The server's view of `persistence::scrollback`: it remembers per pane where the stream stands
//! and which history lines are stored, and turns the events of the helper threads into that.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use ccmux_core::ids::PaneUuid;
use ccmux_core::model::Timestamp;
use ccmux_term::Terminal;
use uuid::Uuid;

use super::fault;
use super::history::StoredLines;
use crate::persistence::scrollback::{
    ArchiveEvent, ArchiveJob, Archiver, ArchiverOptions, Damage, FrameKind, FrameRef, Health,
    Keyframe, PaneHistory, PaneImage, Spool, SpoolEvent, SpoolIndex, SpoolOptions, StreamPosition,
    keep_output, load_pane, set_pane_aside, stored_panes,
};
use crate::persistence::storage::Storage;
use crate::persistence::{boot_id, keep_pane_damage};

/// Output and history of all panes.
#[derive(Debug)]
pub(crate) struct Scrollback {
    storage: Arc<dyn Storage>,
    spool: Spool,
    archiver: Archiver,
    panes: HashMap<PaneUuid, Known>,
}

/// What is known of one pane's files.
#[derive(Clone, Debug, Default)]
struct Known {
    position: StreamPosition,
    /// Stored history lines: first, and the one after the last.
    first_line: u64,
    end_line: u64,
    /// The end of output that is in no spool, because the disk refused it; a keyframe must cover it.
    hole: Option<u64>,
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
        let options = SpoolOptions::new(store, boot, salt);
        let mut spool = Spool::open(Arc::clone(&storage), &index, options, call(notify));
        spool.start_syncer()?;
        let archiver =
            Archiver::start(Arc::clone(&storage), ArchiverOptions::default(), call(notify))?;
        Ok((Self { storage, spool, archiver, panes: HashMap::new() }, index))
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
                hole: None,
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

    /// Moves what there is of a pane that nobody knows to the quarantine. Returns where it is now.
    pub(crate) fn set_pane_aside(
        &mut self,
        index: &SpoolIndex,
        pane: PaneUuid,
    ) -> io::Result<PathBuf> {
        let target = set_pane_aside(&self.storage, index, pane)?;
        self.remove_pane(pane);
        Ok(target)
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
        match self.spool.append(FrameRef { pane, offset, time, kind, payload }) {
            Ok(position) => known.position = position,
            Err(_) => {
                // The spool said so once, and its health is shown; a line per frame would drown it.
                let bytes = if kind == FrameKind::Bytes { payload.len() as u64 } else { 0 };
                known.position.offset = offset + bytes;
                known.hole = Some(offset + bytes);
            }
        }
    }

    /// Lets what was appended become durable.
    pub(crate) fn wake_syncer(&mut self) {
        self.spool.wake_syncer();
    }

    /// Whether output of a pane is on no disk, so that memory should hold what it can of it.
    pub(crate) fn has_hole(&self, pane: PaneUuid) -> bool {
        self.panes.get(&pane).is_some_and(|known| known.hole.is_some())
    }

    /// Where a pane's stream stands.
    pub(crate) fn position(&self, pane: PaneUuid) -> StreamPosition {
        self.panes.get(&pane).map(|known| known.position).unwrap_or_default()
    }

    /// Hands lines and a keyframe to the archiver.
    pub(crate) fn submit(&mut self, job: ArchiveJob) {
        self.archiver.submit(job);
    }

    /// Whether the disk keeps up; rings are not read while it does not. A degraded store has
    /// room: panes live on without it.
    pub(crate) fn has_room(&self) -> bool {
        self.is_degraded() || (self.spool.has_room() && self.archiver.has_room())
    }

    /// Whether the disk refuses output or history.
    pub(crate) fn is_degraded(&self) -> bool {
        self.degraded().is_some()
    }

    /// Why the disk refuses, if it does.
    pub(crate) fn degraded(&self) -> Option<String> {
        [self.spool.health(), self.archiver.health()].into_iter().find_map(|health| match health {
            Health::Durable => None,
            Health::Degraded(why) => Some(why),
        })
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
        let range = known.first_line..known.end_line;
        match PaneHistory::open(Arc::clone(&self.storage), pane, range) {
            Ok(history) => StoredLines::new(history),
            Err(error) => {
                tracing::error!(%pane, %error, "the history of a pane cannot be read");
                StoredLines::default()
            }
        }
    }

    /// Forgets stored history: lines before `end` are gone for good with the next keyframe.
    pub(crate) fn forget_before(&mut self, pane: PaneUuid, end: u64) {
        let known = self.panes.entry(pane).or_default();
        known.first_line = known.first_line.max(end);
        known.end_line = known.end_line.max(end);
    }

    /// Removes everything of a pane that is closed and whose keeper is gone.
    pub(crate) fn remove_pane(&mut self, pane: PaneUuid) {
        self.panes.remove(&pane);
        self.spool.forget(pane);
        self.archiver.remove(pane);
    }

    /// Forgets spooled output of panes that nobody knows any more.
    pub(crate) fn retain(&mut self, is_kept: impl Fn(PaneUuid) -> bool) {
        self.spool.retain(is_kept);
    }

    /// Takes what the helper threads have done.
    pub(crate) fn take_news(&mut self) -> Vec<StoreNews> {
        let mut news = Vec::new();
        for event in self.spool.drain_events() {
            match event {
                SpoolEvent::Degraded(why) => tracing::error!(why, "output is no longer durable"),
                SpoolEvent::Recovered => {
                    tracing::info!("output is durable again");
                    let holes = self.panes.iter().filter(|(_, known)| known.hole.is_some());
                    news.extend(holes.map(|(pane, _)| StoreNews::NeedsKeyframe(*pane)));
                }
                SpoolEvent::Dropped(pane) => news.push(StoreNews::NeedsKeyframe(pane)),
            }
        }
        for event in self.archiver.drain_completions() {
            match event {
                ArchiveEvent::Archived(archived) => {
                    let Some(known) = self.panes.get_mut(&archived.pane) else { continue };
                    if let Some(first) = archived.first_line {
                        known.first_line = known.first_line.max(first);
                    }
                    if let Some(end) = archived.end_line {
                        known.end_line = known.end_line.max(end);
                    }
                    if archived.keyframe.map(|at| at.offset) >= known.hole {
                        known.hole = None;
                    }
                    if let Some(position) = archived.release {
                        self.spool.release(archived.pane, position);
                    }
                    news.push(StoreNews::Archived {
                        pane: archived.pane,
                        stored_before: known.end_line,
                    });
                }
                ArchiveEvent::Removed(_) => {}
                ArchiveEvent::Degraded(why) => tracing::error!(why, "history is not kept"),
                ArchiveEvent::Recovered => tracing::info!("history is kept again"),
            }
        }
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
    if terminal.history_end() == keyframe.history.end {
        Ok(terminal)
    } else {
        Err(format!("its history ends at line {}", terminal.history_end()))
    }
}
