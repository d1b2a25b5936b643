//! What a stored pane shows, as text.

use std::io::{self, Write};
use std::sync::Arc;

use ccmux_core::ids::{PaneId, PaneUuid};
use ccmux_term::{HistoryLine, Size, Terminal};

use super::store::thaw;
use super::{Pane, Stage};
use crate::persistence::restoration;
use crate::persistence::scrollback::{PaneImage, ReplayItem, SpoolIndex, load_pane};
use crate::persistence::storage::Storage;

/// The size of a terminal of which nothing is known.
const SIZE: Size = Size { cols: 80, rows: 24 };

/// Reads a pane as it was, and the terminal of its keyframe.
pub(crate) fn load_thawed(
    storage: &Arc<dyn Storage>,
    index: &SpoolIndex,
    pane: PaneUuid,
) -> io::Result<(PaneImage, Option<Terminal>)> {
    let mut thawed = None;
    let image = load_pane(storage, index, pane, &mut |keyframe| {
        thawed = Some(thaw(keyframe)?);
        Ok(())
    })?;
    Ok((image, thawed))
}

/// Writes the lines after those that are stored as history, the screen's being the last ones.
/// `thawed` is the terminal of the image's keyframe.
///
/// # Errors
///
/// Frames that cannot be read, and what `out` says.
pub(crate) fn write_unstored(
    uuid: PaneUuid,
    mut image: PaneImage,
    thawed: Option<Terminal>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut written = image.history.end;
    let mut terminal = thawed.unwrap_or_else(|| Terminal::new(SIZE));
    terminal.skip_history(written);
    // What is replayed looks at no number.
    let mut pane = Pane::new(PaneId(0), uuid, terminal, Stage::Ended);
    for item in image.frames.by_ref() {
        match item {
            ReplayItem::Frame(frame) => {
                // A fault shows on the screen, as it would after a start.
                let _is_sound = pane.replay(&frame);
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
    image.frames.failure().map_or(Ok(()), Err)
}

/// Writes the text of a line, and its end unless it goes on in the next one.
pub(crate) fn write_line(line: &HistoryLine, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(line.text.as_bytes())?;
    if line.continues { Ok(()) } else { out.write_all(b"\n") }
}
