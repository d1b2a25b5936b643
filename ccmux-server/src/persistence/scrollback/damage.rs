//! What recovery found broken, for the report and for setting it aside.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use ccmux_core::ids::PaneUuid;

use super::layout::{PANES_DIR, QUARANTINE_DIR, pane_dir, segment_path};
use super::spool::StreamGap;
use crate::persistence::startup::quarantine_path;
use crate::persistence::storage::Storage;

/// In the directory of a pane that is set aside: its last lines, for people.
const TEXT_FILE: &str = "recent.txt";

/// Something that was on disk and is not any more, or not whole.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Damage {
    /// The spool cannot even be listed.
    #[error("the spool is unreadable: {reason}")]
    Spool {
        /// Why.
        reason: String,
    },
    /// A spool segment is lost as a whole.
    #[error("spool segment {number} is lost: {reason}")]
    Segment {
        /// Its number.
        number: u64,
        /// Why.
        reason: String,
    },
    /// Bytes of a spool segment hold no valid frame. What they cost is in the gaps of the panes.
    #[error("spool segment {number} is damaged from byte {from} to {to}")]
    SpoolBytes {
        /// Its number.
        number: u64,
        /// First bad byte.
        from: u64,
        /// First good byte after that, or the end.
        to: u64,
    },
    /// A piece of a pane's stream is lost.
    #[error("pane {pane} lost {} bytes of output at {}", gap.bytes(), gap.from.offset)]
    Stream {
        /// Whose.
        pane: PaneUuid,
        /// What.
        gap: StreamGap,
    },
    /// What there is of a pane cannot be listed. It stays where it is: its keeper may be in use.
    #[error("the directory of pane {pane} is unreadable: {reason}")]
    Directory {
        /// Whose.
        pane: PaneUuid,
        /// Why.
        reason: String,
    },
    /// A keyframe is no good; an older one was used, or none.
    #[error("keyframe {} is damaged: {reason}", file.display())]
    Keyframe {
        /// Whose.
        pane: PaneUuid,
        /// The file, relative to the root of the store.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A pane has shown something, and neither a keyframe nor the spool knows of any of it.
    #[error("pane {pane} lost {}", all_but(*lines))]
    Pane {
        /// Whose.
        pane: PaneUuid,
        /// How many lines of its history are there all the same.
        lines: u64,
    },
    /// Lines of a pane's history are lost.
    #[error("pane {pane} lost history lines {} to {}: {reason}", lines.start, lines.end)]
    History {
        /// Whose.
        pane: PaneUuid,
        /// Which lines.
        lines: Range<u64>,
        /// Why.
        reason: String,
    },
}

impl Damage {
    /// Moves the damaged file, if there is one that is of no use where it is, to the quarantine.
    /// Returns where it is now.
    pub fn set_aside(&self, storage: &dyn Storage) -> io::Result<Option<PathBuf>> {
        let (file, name) = match self {
            Self::Segment { number, .. } => (segment_path(*number), None),
            Self::Keyframe { pane, file, .. } => (file.clone(), Some(pane.to_string())),
            _ => return Ok(None),
        };
        let base = file.file_name().unwrap_or_default().to_string_lossy();
        let name = name.map_or_else(|| base.to_string(), |pane| format!("{pane}-{base}"));
        let dir = Path::new(QUARANTINE_DIR);
        let target = free_place(storage, &name)?;
        match storage.rename(&file, &target) {
            // A missing segment is damage too.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            renamed => renamed?,
        }
        storage.sync_dir(dir)?;
        if let Some(parent) = file.parent() {
            storage.sync_dir(parent)?;
        }
        Ok(Some(target))
    }
}

/// Keeps output of `pane` at `offset` in the quarantine, for whoever looks into it. Returns where
/// it is.
pub fn keep_output(
    storage: &dyn Storage,
    pane: PaneUuid,
    offset: u64,
    output: &[u8],
) -> io::Result<PathBuf> {
    let target = free_place(storage, &format!("{pane}-{offset:016x}.output"))?;
    storage.create(&target)?.write_at(0, output)?;
    storage.sync_dir(Path::new(QUARANTINE_DIR))?;
    Ok(target)
}

/// What is lost of a pane of which only lines of history are left.
fn all_but(lines: u64) -> String {
    match lines {
        0 => "all that it had shown".to_owned(),
        _ => format!("its screen; {lines} lines of its history are left"),
    }
}

/// Where in the quarantine the directories of panes can be put.
pub fn places_aside(storage: &dyn Storage, panes: &[PaneUuid]) -> io::Result<Vec<PathBuf>> {
    storage.create_dir(Path::new(QUARANTINE_DIR))?;
    let place =
        |(passed, pane): (u32, &PaneUuid)| quarantine_path(storage, &pane_dir(*pane), passed);
    (0..).zip(panes).map(place).collect()
}

/// Moves what there is of a pane to a place in the quarantine: its directory, and in that `text`, what
/// it shows of which no file tells a person.
pub fn set_pane_aside(
    storage: &dyn Storage,
    pane: PaneUuid,
    place: &Path,
    text: &[u8],
) -> io::Result<()> {
    let dir = pane_dir(pane);
    let path = dir.join(TEXT_FILE);
    // An attempt that was cut short may have left one.
    match storage.remove(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    if !text.is_empty() {
        let file = storage.create(&path)?;
        file.write_at(0, text)?;
        file.sync()?;
        storage.sync_dir(&dir)?;
    }
    storage.rename(&dir, place)?;
    for changed in [QUARANTINE_DIR, PANES_DIR] {
        storage.sync_dir(Path::new(changed))?;
    }
    Ok(())
}

/// A path in the quarantine, which is made if need be, that no file has: `name`, or with a number.
fn free_place(storage: &dyn Storage, name: &str) -> io::Result<PathBuf> {
    let dir = Path::new(QUARANTINE_DIR);
    storage.create_dir(dir)?;
    storage.sync_dir(Path::new(""))?;
    let taken = storage.list(dir)?;
    let names = (0..).map(|n| if n == 0 { name.to_owned() } else { format!("{name}.{n}") });
    let free = names.filter(|name| !taken.contains(name)).map(|name| dir.join(name)).next();
    Ok(free.expect("there are more numbers than files"))
}
