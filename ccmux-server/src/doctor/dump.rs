//! What a state directory holds, readable: for emergencies and for the curious.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use ccmux_core::ids::{PaneId, PaneUuid};
use thiserror::Error;

use crate::clock::{Clock as _, SystemClock};
use crate::pane::history::StoredLines;
use crate::pane::text::{load_thawed, write_line, write_unstored};
use crate::persistence::scrollback::{
    Damage, PaneHistory, SpoolIndex, closed_pane, pane_dir, stored_panes,
};
use crate::persistence::storage::{FsStorage, Storage};
use crate::persistence::{
    OpenError, ReadOnly, boot_id, dump_checkpoints, dump_log, examine_log, restoration,
};

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
            let image = load_thawed(&self.storage, &self.index, uuid)?.0;
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

    /// The history, then the screen.
    fn dump(&self, name: &str, out: &mut dyn Write) -> Result<(), DumpError> {
        let uuid = self.find(name).ok_or_else(|| DumpError::NoPane(name.to_owned()))?;
        let (image, thawed) = load_thawed(&self.storage, &self.index, uuid)?;
        let stored = image.history.clone();
        let history = PaneHistory::open(Arc::clone(&self.storage), uuid, stored.clone())?;
        let first = history.first_line();
        let is_before = |damage: &&Damage| matches!(damage, Damage::History { lines, .. } if lines.start < first);
        for damage in image.damage.iter().filter(is_before) {
            writeln!(out, "[{damage}]")?;
        }
        let lines = StoredLines::new([history]);
        for number in first..stored.end {
            match lines.line(number) {
                Some(line) => write_line(&line, out)?,
                None => writeln!(out, "[line {number} cannot be read]")?,
            }
        }
        write_unstored(uuid, image, thawed, out)?;
        Ok(())
    }
}
