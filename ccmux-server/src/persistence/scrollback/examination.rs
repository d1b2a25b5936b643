//! What there is of a pane on the disk, all of it, read and checked.

use std::collections::BTreeSet;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use ccmux_core::ids::PaneUuid;

use super::chunk::{HistoryRead, PaneHistory};
use super::damage::Damage;
use super::keyframe::{Keyframe, keyframes_in};
use super::layout::{StreamPosition, pane_dir};
use super::load::load_pane;
use super::spool::{ReplayItem, SpoolIndex, StreamGap};
use crate::persistence::storage::Storage;

/// What is stored of a pane.
#[derive(Debug, Default)]
pub struct PaneExamination {
    /// Good keyframes.
    pub keyframes: usize,
    /// History lines that can be read.
    pub lines: u64,
    /// Bytes of output that only the spool holds.
    pub spooled_bytes: u64,
    /// What the next start would find damaged.
    pub damage: Vec<Damage>,
    /// What is damaged, too, and not needed as long as the newest keyframe is good.
    pub spare: Vec<Damage>,
}

/// Reads every keyframe, every spooled frame and every block of history of `pane`.
///
/// `thaw` makes a terminal of a keyframe, or says what is wrong with it. `has_shown` says that the
/// pane has printed something that must be here.
///
/// # Errors
/// Only what says nothing about the files.
pub fn examine_pane(
    storage: &Arc<dyn Storage>,
    index: &SpoolIndex,
    pane: PaneUuid,
    has_shown: bool,
    thaw: &mut dyn FnMut(&Keyframe) -> Result<(), String>,
) -> io::Result<PaneExamination> {
    let mut found = PaneExamination::default();
    let mut image = load_pane(storage, index, pane, thaw)?;
    found.damage.extend(image.lost_all(pane, has_shown));
    found.keyframes += usize::from(image.keyframe.is_some());
    let mut judged: BTreeSet<u64> = image.keyframe.iter().map(|k| k.position.offset).collect();
    let mut missing = Vec::new();
    for damage in image.damage {
        match damage {
            // Told below, with every other line that cannot be read; a gap comes with the frames.
            Damage::Stream { .. } => {}
            Damage::History { lines, reason, .. } => missing.push((lines, reason)),
            damage => found.damage.push(damage),
        }
    }
    let dir = pane_dir(pane);
    let offsets = keyframes_in(&**storage, &dir).unwrap_or_default();
    let is_damaged = |offset: &u64| {
        let path = Keyframe::path(&dir, *offset);
        found.damage.iter().any(|d| matches!(d, Damage::Keyframe { file, .. } if *file == path))
    };
    judged.extend(offsets.iter().copied().filter(is_damaged));
    if let Some(&newest) = judged.last()
        && newest > image.resume.offset
    {
        // It covered output that nothing else holds.
        let to = StreamPosition { offset: newest, ..image.resume };
        found.damage.push(Damage::Stream { pane, gap: StreamGap { from: image.resume, to } });
    }
    for offset in offsets {
        if judged.contains(&offset) {
            continue;
        }
        let read = Keyframe::read(&**storage, &dir, pane, offset)?;
        match read.and_then(|keyframe| thaw(&keyframe)) {
            Ok(()) => found.keyframes += 1,
            Err(reason) => {
                let file = Keyframe::path(&dir, offset);
                found.spare.push(Damage::Keyframe { pane, file, reason });
            }
        }
    }
    for item in image.frames.by_ref() {
        match item {
            ReplayItem::Frame(frame) => {
                found.spooled_bytes += frame.kind.stream_bytes(frame.payload.len());
            }
            ReplayItem::Gap(gap) => found.damage.push(Damage::Stream { pane, gap }),
        }
    }
    if let Some(error) = image.frames.failure() {
        return Err(error);
    }
    examine_history(storage, pane, image.history, missing, &mut found);
    Ok(found)
}

fn examine_history(
    storage: &Arc<dyn Storage>,
    pane: PaneUuid,
    range: Range<u64>,
    missing: Vec<(Range<u64>, String)>,
    found: &mut PaneExamination,
) {
    let mut lost = |lines, reason: String| {
        found.damage.push(Damage::History { pane, lines, reason });
    };
    let mut history = match PaneHistory::open(Arc::clone(storage), pane, range.clone()) {
        Ok(history) => history,
        Err(error) => return lost(range, error.to_string()),
    };
    let mut line = history.first_line();
    for (lines, reason) in missing.into_iter().filter(|(lines, _)| lines.start < line) {
        lost(lines, reason);
    }
    while line < history.end_line() {
        match history.read(line) {
            HistoryRead::Block { valid, .. } => {
                found.lines += valid.end - line;
                line = valid.end;
            }
            HistoryRead::Missing(lines) => {
                let lines = line..lines.end.clamp(line + 1, history.end_line());
                line = lines.end;
                lost(lines, "no chunk holds them intact".to_owned());
            }
        }
    }
}
