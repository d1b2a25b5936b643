//! Panes that are closed and whose output is kept for a while: the note that says so.
//!
//! The note is a file in the pane's directory, written when nothing can take the closing back any
//! more and a last keyframe covers all output. It makes the difference between a directory that is
//! kept and one whose removal was cut short. A pane that the state knows is not closed, whatever a
//! note says: the archiver removes the note when it writes for the pane again.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use ccmux_core::ids::{PaneId, PaneUuid};
use ccmux_core::model::Timestamp;
use serde::{Deserialize, Serialize};

use super::keyframe::Keyframe;
use super::layout::pane_dir;
use super::load::newest_keyframe;
use crate::persistence::storage::{Storage, read_file, unless_passing};

const NOTE_FILE: &str = "closed";
/// Ends in what [`PaneArchive`](super::archive) takes for unfinished.
const NOTE_TEMPORARY: &str = "closed.tmp";
/// More than a note is never read.
const NOTE_BYTES_MAX: u64 = 64 * 1024;
/// What is kept of a command and of a title.
const TEXT_BYTES_MAX: usize = 1024;

/// A closed pane.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClosedPane {
    /// The number that it had; no other pane gets it.
    pub id: PaneId,
    /// What was run in it; empty for a shell, or if it is not known any more.
    pub command: String,
    /// The title that it had last.
    pub title: String,
    /// When it was closed.
    pub at: Timestamp,
}

/// The note as it is stored.
#[derive(Serialize, Deserialize)]
struct Note<'a> {
    pane: u32,
    closed: u64,
    #[serde(default)]
    command: Cow<'a, str>,
    #[serde(default)]
    title: Cow<'a, str>,
}

impl ClosedPane {
    /// Writes the note of `pane`, durably.
    pub(super) fn write(&self, storage: &dyn Storage, pane: PaneUuid) -> io::Result<()> {
        let (dir, text) = (pane_dir(pane), |text| Cow::Borrowed(shortened(text)));
        let note = Note {
            pane: self.id.0,
            closed: self.at.0,
            command: text(&self.command),
            title: text(&self.title),
        };
        let temporary = dir.join(NOTE_TEMPORARY);
        remove_if_there(storage, &temporary)?;
        let file = storage.create(&temporary)?;
        file.write_at(0, &serde_json::to_vec(&note)?)?;
        file.sync()?;
        storage.rename(&temporary, &note_path(pane))?;
        storage.sync_dir(&dir)
    }
}

/// The note of `pane`; `None` if there is none, or none that can be understood.
///
/// # Errors
/// Only what says nothing about the file.
pub fn closed_pane(storage: &dyn Storage, pane: PaneUuid) -> io::Result<Option<ClosedPane>> {
    let read = unless_passing(read_file(storage, &note_path(pane), NOTE_BYTES_MAX))?;
    let note = read.ok().and_then(|bytes| {
        let note: Note<'_> = serde_json::from_slice(&bytes).ok()?;
        Some(ClosedPane {
            id: PaneId(note.pane),
            command: shortened(&note.command).to_owned(),
            title: shortened(&note.title).to_owned(),
            at: Timestamp(note.closed),
        })
    });
    Ok(note)
}

/// The last keyframe of a closed pane, and the history that belongs to it.
///
/// `thaw` is as for [`load_pane`](super::load_pane).
pub fn load_closed(
    storage: &dyn Storage,
    pane: PaneUuid,
    thaw: &mut dyn FnMut(&Keyframe) -> Result<(), String>,
) -> io::Result<Option<Keyframe>> {
    let (keyframe, _newest_bad) = newest_keyframe(storage, pane, thaw, &mut Vec::new())?;
    Ok(keyframe)
}

/// Removes the note of a pane that is not closed.
pub(super) fn remove_note(storage: &dyn Storage, pane: PaneUuid) -> io::Result<()> {
    remove_if_there(storage, &note_path(pane))
}

fn note_path(pane: PaneUuid) -> PathBuf {
    pane_dir(pane).join(NOTE_FILE)
}

fn remove_if_there(storage: &dyn Storage, path: &Path) -> io::Result<()> {
    match storage.remove(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// As much of a text as is kept.
fn shortened(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_BYTES_MAX)]
}
