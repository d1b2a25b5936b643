//! The size of a pane's screen, in cells and in pixels.
//!
//! Both are inputs of the terminal, so both are frames of the pane's stream; and both are in the size of
//! its pty, which a program asks for with TIOCGWINSZ.

use ccmux_core::model::Timestamp;
use ccmux_keeper::{RingError, WindowSize};
use ccmux_term::{CellSize, Event as TermEvent, Size};

use super::Pane;
use super::feed::CELL_SIZE;
use super::mode::PaneMode;
use super::store::Scrollback;
use crate::persistence::scrollback::FrameKind;

impl Pane {
    /// Gives the terminal another size, as an input of its stream.
    pub(crate) fn resize(&mut self, scrollback: &mut Scrollback, now: Timestamp, size: Size) {
        let payload = pair(size.cols, size.rows);
        scrollback.append(self.uuid, self.output.consumed, now, FrameKind::Resize, &payload);
        self.output.is_touched = true;
        self.apply_at(now, |terminal| terminal.resize(size));
        if let Some(PaneMode { copy, source, .. }) = &mut self.mode {
            source.with(&self.terminal, |lines| copy.resize(size, lines));
        }
    }

    /// Gives the terminal cells of another size, as an input of its stream.
    pub(crate) fn set_cell_size(
        &mut self,
        scrollback: &mut Scrollback,
        now: Timestamp,
        cell: CellSize,
    ) {
        let [a, b, c, d] = pair(cell.width, cell.height);
        let payload = [CELL_SIZE, a, b, c, d];
        scrollback.append(self.uuid, self.output.consumed, now, FrameKind::Option, &payload);
        self.output.is_touched = true;
        self.apply_at(now, |terminal| terminal.set_cell_size(cell));
    }

    pub(super) fn replay_resize(&mut self, time: Timestamp, payload: &[u8]) -> bool {
        let Some((cols, rows)) = unpair(payload) else { return true };
        self.apply_at(time, |terminal| terminal.resize(Size { cols, rows }))
    }

    pub(super) fn replay_cell_size(&mut self, time: Timestamp, payload: &[u8]) -> bool {
        let cell = unpair(payload)
            .and_then(|(width, height)| CellSize::checked(width.into(), height.into()));
        let Some(cell) = cell else { return true };
        self.apply_at(time, |terminal| terminal.set_cell_size(cell))
    }

    /// What its program is told of a new size (mode 2048).
    pub(crate) fn size_reports(&mut self) -> Result<Vec<TermEvent>, RingError> {
        let (consumed, events) = (self.output.consumed, self.terminal.take_events());
        // A replay meets the size again, and must not tell it again.
        if let Some(held) = self.held().filter(|_| !events.is_empty()) {
            held.ring.set_answered(consumed.max(held.ring.answered()))?;
        }
        Ok(events)
    }

    /// The size of its pty.
    pub(crate) fn window_size(&self) -> WindowSize {
        let (Size { cols, rows }, cell) = (self.size(), self.terminal.cell_size());
        let (width_px, height_px) =
            (cols.saturating_mul(cell.width), rows.saturating_mul(cell.height));
        WindowSize { rows, cols, width_px, height_px }
    }
}

fn pair(first: u16, second: u16) -> [u8; 4] {
    let ([a, b], [c, d]) = (first.to_le_bytes(), second.to_le_bytes());
    [a, b, c, d]
}

fn unpair(bytes: &[u8]) -> Option<(u16, u16)> {
    let [a, b, c, d] = bytes.try_into().ok()?;
    Some((u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])))
}
