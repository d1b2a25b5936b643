//! What a state directory holds, readable: for emergencies and for the curious.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use ccmux_core::ids::{PaneId, PaneUuid};
use ccmux_term::{HistoryLine, Size, Terminal};
use thiserror::Error;

use crate::clock::{Clock as _, SystemClock};
use crate::pane::history::StoredLines;
use crate::pane::store::thaw;
use crate::pane::{Pane, Stage};
use crate::persistence::scrollback::{
    PaneHistory, PaneImage, ReplayItem, SpoolIndex, closed_pane, load_pane, pane_dir, stored_panes,
};
use crate::persistence::storage::{FsStorage, Storage};
use crate::persistence::{
    OpenError, ReadOnly, boot_id, dump_checkpoints, dump_log, examine_log, restoration,
};

/// The size of a terminal of which nothing is known.
const SIZE: Size = Size { cols: 80, rows: 24 };

/// What to show.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Dump {
    /// Every record of the structural log.
    Wal,
    /// The newest checkpoint.
    Checkpoint,
    /// The panes, a line each.
    Panes,
    /// All output of one pane, as text: a number (`%3`) or the name of its directory.
    Pane(String),
}

/// There is nothing to show.
#[derive(Debug, Error)]
pub enum DumpError {
    /// The directory could not be read, or the output not written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The store cannot be understood.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// There is no such pane.
    #[error("no pane {0} in the store")]
    NoPane(String),
}

/// Writes what is asked for of the store at `directory` to `out`. Changes nothing there.
pub fn dump(directory: &Path, what: &Dump, out: &mut dyn Write) -> Result<(), DumpError> {
    let storage: Arc<dyn Storage> =
        Arc::new(ReadOnly::new(Arc::new(FsStorage::open_existing(directory)?)));
    match what {
        Dump::Wal => dump_log(&*storage, out)?,
        Dump::Checkpoint => dump_checkpoints(&*storage, out)?,
        Dump::Panes | Dump::Pane(_) => {
            let panes = Panes::read(directory, storage)?;
            match what {
                Dump::Pane(name) => panes.dump(name, out)?,
                _ => panes.list(out)?,
            }
        }
    }
    Ok(())
}

/// The panes of a store, known to its state or not.
struct Panes {
    storage: Arc<dyn Storage>,
    index: SpoolIndex,
    /// Number and title of each, as far as they are known.
    known: BTreeMap<PaneUuid, (Option<PaneId>, String)>,
}

impl Panes {
    fn read(directory: &Path, storage: Arc<dyn Storage>) -> Result<Self, DumpError> {
        let boot = boot_id();
        let log = examine_log(&storage, SystemClock::new().now(), boot)?;
        let index = SpoolIndex::scan(&*storage, log.store.unwrap_or_default(), boot)?;
        let mut known: BTreeMap<PaneUuid, (Option<PaneId>, String)> = BTreeMap::new();
        for pane in index.panes().chain(stored_panes(&*storage)?) {
            let number = restoration::read_number(&directory.join(pane_dir(pane)));
            let (number, title) = match closed_pane(&*storage, pane)? {
                Some(note) => (Some(note.id), format!("closed: {}", note.title)),
                None => (number, "not in the state".to_owned()),
            };
            known.insert(pane, (number, title));
        }
        for (id, pane) in &log.state.panes {
            known.insert(pane.uuid, (Some(*id), pane.title.to_string()));
        }
        Ok(Self { storage, index, known })
    }

    fn list(&self, out: &mut dyn Write) -> io::Result<()> {
        for (&uuid, (id, title)) in &self.known {
            let id = id.map_or("-".to_owned(), |id| id.to_string());
            let image = self.load(uuid)?.0;
            let lines = image.history.end - image.history.start;
            writeln!(out, "{id:<6} {uuid} {lines:>9} lines  {}", title.escape_debug())?;
        }
        Ok(())
    }

    fn find(&self, name: &str) -> Option<PaneUuid> {
        let uuid = name.parse().ok().filter(|uuid| self.known.contains_key(uuid));
        let number: Option<PaneId> = name.parse().ok();
        let has_number = |other: Option<PaneId>| number.is_some() && other == number;
        uuid.or_else(|| {
            let mut known = self.known.iter();
            known.find(|(_, (number, _))| has_number(*number)).map(|(&uuid, _)| uuid)
        })
    }

    fn load(&self, pane: PaneUuid) -> io::Result<(PaneImage, Option<Terminal>)> {
        let mut thawed = None;
        let image = load_pane(&self.storage, &self.index, pane, &mut |keyframe| {
            thawed = Some(thaw(keyframe)?);
            Ok(())
        })?;
        Ok((image, thawed))
    }

    /// The history, then the screen.
    fn dump(&self, name: &str, out: &mut dyn Write) -> Result<(), DumpError> {
        let uuid = self.find(name).ok_or_else(|| DumpError::NoPane(name.to_owned()))?;
        let (image, thawed) = self.load(uuid)?;
        let stored = image.history.clone();
        let history = PaneHistory::open(Arc::clone(&self.storage), uuid, stored.clone())?;
        let first = history.first_line();
        let lines = StoredLines::new([history]);
        for number in first..stored.end {
            match lines.line(number) {
                Some(line) => write_line(&line, out)?,
                None => writeln!(out, "[line {number} cannot be read]")?,
            }
        }
        let mut terminal = thawed.unwrap_or_else(|| Terminal::new(SIZE));
        terminal.skip_history(stored.end);
        let mut pane = Pane::new(PaneId(0), uuid, terminal, Stage::Ended);
        let mut written = stored.end;
        for item in image.frames {
            match item {
                ReplayItem::Frame(frame) => {
                    // A fault shows on the screen, as it would after a start.
                    let _is_sound = pane.replay(frame.kind, &frame.payload);
                    let _unseen = pane.terminal.take_events();
                }
                ReplayItem::Gap(gap) => {
                    let mark = restoration::gap_mark(gap.bytes());
                    pane.apply(|terminal| terminal.advance(&mark));
                }
            }
            let end = pane.terminal.history_sealed_end();
            for number in written.max(pane.terminal.history_start())..end {
                if let Some(line) = pane.terminal.history_line(number) {
                    write_line(&line, out)?;
                }
            }
            written = end;
            pane.terminal.release_history(end);
        }
        for number in written..pane.terminal.history_end() {
            if let Some(line) = pane.terminal.history_line(number) {
                write_line(&line, out)?;
            }
        }
        let screen = pane.terminal.screen_lines();
        let used = screen.iter().rposition(|line| !line.text.is_empty()).map_or(0, |at| at + 1);
        for line in &screen[..used] {
            write_line(line, out)?;
        }
        Ok(())
    }
}

fn write_line(line: &HistoryLine, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(line.text.as_bytes())?;
    if line.continues { Ok(()) } else { out.write_all(b"\n") }
}
