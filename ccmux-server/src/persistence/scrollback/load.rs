//! What is on disk of a pane, put together for a start of the server. Changes nothing.

use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use ccmux_core::ids::PaneUuid;

use super::chunk::PaneHistory;
use super::damage::Damage;
use super::keyframe::{Keyframe, keyframes_in};
use super::layout::{PANES_DIR, StreamPosition, pane_dir, removed_pane};
use super::spool::{Replay, SpoolIndex};
use crate::persistence::storage::{Storage, insist, unless_passing};

/// A pane as it was: a keyframe, then the inputs after it.
#[derive(Debug)]
pub struct PaneImage {
    /// The newest keyframe that is valid and can be thawed; without one the terminal starts empty.
    pub keyframe: Option<Keyframe>,
    /// The inputs after the keyframe, with their gaps.
    pub frames: Replay,
    /// Where the stream goes on after the frames. To be told to
    /// [`Spool::resume`](super::Spool::resume); the ring is read from here, or from what it calls
    /// spooled if that is later.
    pub resume: StreamPosition,
    /// The history lines on disk that count. Usually those that the keyframe names. If the stream
    /// has a gap right after the keyframe, lines that were archived during the gap count too: then
    /// the end is later than the keyframe's, and the terminal has to go on numbering from it.
    pub history: Range<u64>,
    /// What is not as it was.
    pub damage: Vec<Damage>,
}

impl PaneImage {
    /// What is lost if nothing is there of a pane, though nothing that is there says so.
    /// `has_shown` says that it has printed something.
    pub fn lost_all(&self, pane: PaneUuid, has_shown: bool) -> Option<Damage> {
        let lines = self.history.end - self.history.start;
        let is_blank = self.keyframe.is_none() && self.resume == StreamPosition::default();
        let is_known = has_shown || lines > 0;
        (is_blank && is_known && self.damage.is_empty()).then_some(Damage::Pane { pane, lines })
    }
}

/// Loads what there is of `pane`. What is broken is damage.
///
/// `thaw` makes a terminal of a keyframe, or says what is wrong with it; the last call that
/// succeeded was for the keyframe that is returned.
///
/// # Errors
/// Only what says nothing about the files: a machine that is out of descriptors or memory.
pub fn load_pane(
    storage: &Arc<dyn Storage>,
    index: &SpoolIndex,
    pane: PaneUuid,
    thaw: &mut dyn FnMut(&Keyframe) -> Result<(), String>,
) -> io::Result<PaneImage> {
    let mut damage = Vec::new();
    let (keyframe, newest_bad) = newest_keyframe(&**storage, pane, thaw, &mut damage)?;
    let position = keyframe.as_ref().map_or(StreamPosition::default(), |known| known.position);
    let gaps = index.gaps(pane, position);
    let resume = index.end_of(pane, position);
    let lost_up_to = match gaps.first() {
        Some(gap) if gap.from == position => Some(gap.to.offset),
        // Nothing follows: what the bad keyframe covered is the gap.
        _ if resume == position && keyframe.is_none() => Some(newest_bad.unwrap_or(u64::MAX)),
        _ if resume == position => newest_bad,
        _ => None,
    };
    damage.extend(gaps.into_iter().map(|gap| Damage::Stream { pane, gap }));

    let mut history = keyframe.as_ref().map_or(0..0, |known| known.history.clone());
    let mut lost = |lines, reason: String| damage.push(Damage::History { pane, lines, reason });
    match unless_passing(PaneHistory::open(Arc::clone(storage), pane, history.clone()))? {
        Ok(mut stored) => {
            let missing = stored.missing_at_start()?;
            if keyframe.as_ref().is_some_and(|known| known.has_note) && !missing.is_empty() {
                lost(missing, unexplained(stored.removed_before()).to_owned());
            }
            let missing = stored.missing_at_end()?;
            if !missing.is_empty() {
                lost(missing, "no chunk holds them".to_owned());
            }
            if let Some(offset) = lost_up_to {
                history.end = history.end.max(stored.end_before(offset)?);
            }
            let removed = stored.removed_before().unwrap_or(0);
            history.start = history.start.max(removed).min(history.end);
        }
        Err(error) => lost(history.clone(), error.to_string()),
    }
    let frames = index.replay(pane, position);
    Ok(PaneImage { keyframe, frames, resume, history, damage })
}

/// Why lines are lost that come before the first chunk.
fn unexplained(removed_before: Option<u64>) -> &'static str {
    if removed_before.is_some() {
        "no chunk holds them, and no limit had them removed"
    } else {
        "no chunk holds them; whether a limit had them removed is not known, as the note of that is missing, too"
    }
}

/// The newest keyframe that is valid, and the offset of the newest that is not, if that is newer.
pub(super) fn newest_keyframe(
    storage: &dyn Storage,
    pane: PaneUuid,
    thaw: &mut dyn FnMut(&Keyframe) -> Result<(), String>,
    damage: &mut Vec<Damage>,
) -> io::Result<(Option<Keyframe>, Option<u64>)> {
    let dir = pane_dir(pane);
    let offsets = unless_passing(keyframes_in(storage, &dir))?.unwrap_or_else(|error| {
        damage.push(Damage::Directory { pane, reason: error.to_string() });
        Vec::new()
    });
    let mut newest_bad = None;
    for offset in offsets.into_iter().rev() {
        let read = Keyframe::read(storage, &dir, pane, offset)?
            .and_then(|keyframe| thaw(&keyframe).map(|()| keyframe));
        match read {
            Ok(keyframe) => return Ok((Some(keyframe), newest_bad)),
            Err(reason) => {
                newest_bad = newest_bad.or(Some(offset));
                let file = Keyframe::path(&dir, offset);
                damage.push(Damage::Keyframe { pane, file, reason });
            }
        }
    }
    Ok((None, newest_bad))
}

/// The panes that have a directory, whether or not anyone knows them.
pub fn stored_panes(storage: &dyn Storage) -> io::Result<Vec<PaneUuid>> {
    Ok(directories(storage)?.iter().filter_map(|name| name.parse().ok()).collect())
}

/// The panes that were being removed when a server was killed: what is left of them is no loss.
pub fn half_removed_panes(storage: &dyn Storage) -> io::Result<Vec<PaneUuid>> {
    Ok(directories(storage)?.iter().filter_map(|name| removed_pane(name)).collect())
}

fn directories(storage: &dyn Storage) -> io::Result<Vec<String>> {
    match insist(|| storage.list(Path::new(PANES_DIR))) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        names => names,
    }
}
