//! From the ring through the spool into the emulator.
//!
//! The order is the contract: bytes are in the spool before the emulator sees them, and the keeper
//! may overwrite them only then. `answered` moves before an answer goes out, so that no query is
//! answered twice, whenever the server is killed.

use std::time::Duration;

use ccmux_core::model::Timestamp;
use ccmux_keeper::{ChildEnd, RingError, Wake};
use ccmux_term::{Event as TermEvent, Size};

use super::mode::PaneMode;
use super::store::Scrollback;
use super::{Pane, Stage};
use crate::persistence::scrollback::{
    ArchiveJob, FrameKind, HistoryBlock, HistoryLimits, Keyframe,
};

/// How much one pane may print in one turn before clients and other panes are looked after.
const TURN_BYTES_MAX: usize = 128 * 1024;
/// How much is emulated at once: small enough for the caches, large enough to amortize the spool.
const PIECE_BYTES_MAX: usize = 32 * 1024;
/// History lines are stored and compressed in blocks of about this size.
const BLOCK_BYTES: usize = 64 * 1024;

/// What a turn of feeding brought.
#[derive(Debug, Default)]
pub(crate) struct Fed {
    /// Facts the program told the outside world, in order.
    pub(crate) events: Vec<TermEvent>,
    /// Whether anything was printed.
    pub(crate) has_printed: bool,
    /// Whether there was more than one turn may take.
    pub(crate) has_more: bool,
    /// The program ended and all it printed has been consumed.
    pub(crate) end: Option<ChildEnd>,
}

impl Pane {
    /// Takes what the program has printed, up to one turn's worth.
    pub(crate) fn feed(
        &mut self,
        scrollback: &mut Scrollback,
        (now, elapsed): (Timestamp, Duration),
        scratch: &mut Vec<u8>,
    ) -> Result<Fed, RingError> {
        let mut fed = Fed::default();
        let mut budget = TURN_BYTES_MAX;
        while budget > 0 {
            if !self.feed_piece(scrollback, now, scratch, &mut fed)? {
                break;
            }
            budget = budget.saturating_sub(scratch.len());
            self.output.last_at = elapsed;
        }
        fed.has_more = budget == 0;
        if let Some(held) = self.held().filter(|_| !fed.has_more) {
            let (head, end) = (held.ring.head()?, held.ring.end()?);
            if head == self.output.consumed {
                fed.end = end;
            }
        }
        Ok(fed)
    }

    fn feed_piece(
        &mut self,
        scrollback: &mut Scrollback,
        now: Timestamp,
        scratch: &mut Vec<u8>,
        fed: &mut Fed,
    ) -> Result<bool, RingError> {
        let (uuid, from) = (self.uuid, self.output.consumed);
        let Some(held) = self.held() else { return Ok(false) };
        scratch.clear();
        if held.ring.copy_from(from, PIECE_BYTES_MAX, scratch)? == 0 {
            return Ok(false);
        }
        scrollback.append(uuid, from, now, FrameKind::Bytes, scratch);
        let to = from + scratch.len() as u64;
        let wake = held.ring.set_spooled(to)?;
        self.output.consumed = to;
        if let (Wake::Ring, Some(link)) = (wake, self.link()) {
            // A connection that cannot take a byte is one that the loop hears of anyway.
            let _ = link.bell();
        }
        self.terminal.advance(scratch);
        let events = self.terminal.take_events();
        if !events.is_empty() {
            if let Some(held) = self.held() {
                held.ring.set_answered(to)?;
            }
            fed.events.extend(events);
        }
        fed.has_printed = true;
        self.is_shown_unfinished = false;
        Ok(true)
    }

    /// Puts bytes of ccmux's own into the pane's stream, as if its program had printed them.
    ///
    /// Only for panes without a ring: the offsets of a running program are its keeper's.
    pub(crate) fn print(&mut self, scrollback: &mut Scrollback, now: Timestamp, bytes: &[u8]) {
        debug_assert!(self.held().is_none(), "BUG: the stream belongs to the keeper");
        scrollback.append(self.uuid, self.output.consumed, now, FrameKind::Bytes, bytes);
        self.output.consumed += bytes.len() as u64;
        self.output.is_touched = true;
        self.terminal.advance(bytes);
        self.terminal.take_events();
    }

    /// Gives the terminal another size, as an input of its stream.
    pub(crate) fn resize(&mut self, scrollback: &mut Scrollback, now: Timestamp, size: Size) {
        let mut payload = [0; 4];
        payload[..2].copy_from_slice(&size.cols.to_le_bytes());
        payload[2..].copy_from_slice(&size.rows.to_le_bytes());
        scrollback.append(self.uuid, self.output.consumed, now, FrameKind::Resize, &payload);
        self.output.is_touched = true;
        self.terminal.resize(size);
        if let Some(PaneMode { copy, source, .. }) = &mut self.mode {
            source.with(&self.terminal, |lines| copy.resize(size, lines));
        }
    }

    /// Clears the history, as an input of the stream.
    pub(crate) fn clear_history(&mut self, scrollback: &mut Scrollback, now: Timestamp) {
        scrollback.append(self.uuid, self.output.consumed, now, FrameKind::Clear, &[]);
        self.output.is_touched = true;
        self.terminal.clear_history();
        self.terminal.take_events();
        scrollback.forget_before(self.uuid, self.terminal.history_end());
    }

    /// Resets the terminal, as an input of the stream (`send-keys -R`).
    pub(crate) fn reset(&mut self, scrollback: &mut Scrollback, now: Timestamp) {
        scrollback.append(self.uuid, self.output.consumed, now, FrameKind::Reset, &[]);
        self.output.is_touched = true;
        self.terminal.reset();
    }

    /// Applies an input found in the spool.
    pub(crate) fn replay(&mut self, kind: FrameKind, payload: &[u8]) {
        match (kind, payload) {
            (FrameKind::Bytes, bytes) => self.terminal.advance(bytes),
            (FrameKind::Resize, [a, b, c, d]) => {
                let cols = u16::from_le_bytes([*a, *b]);
                let rows = u16::from_le_bytes([*c, *d]);
                self.terminal.resize(Size { cols, rows });
            }
            (FrameKind::Clear, _) => self.terminal.clear_history(),
            (FrameKind::Reset, _) => self.terminal.reset(),
            (FrameKind::Resize | FrameKind::Option | FrameKind::Timeout, _) => {}
        }
    }

    /// Hands history lines and a keyframe to the archiver.
    pub(crate) fn archive(
        &mut self,
        scrollback: &mut Scrollback,
        now: Timestamp,
        lines_max: Option<u64>,
    ) {
        let end = self.terminal.history_end();
        let mut blocks = Vec::new();
        let mut from = self.output.archived.max(self.terminal.history_start());
        while from < end {
            let batch = self.terminal.history_batch(from, BLOCK_BYTES);
            let Some(count) = u32::try_from(batch.count).ok().filter(|count| *count > 0) else {
                break;
            };
            from = batch.first_line + batch.count;
            blocks.push(HistoryBlock {
                first_line: batch.first_line,
                count,
                bytes: batch.bytes,
                offset: self.output.consumed,
                time: now,
            });
        }
        let start = scrollback.stored_start(self.uuid).max(self.terminal.history_cleared_before());
        let keyframe = Keyframe {
            position: scrollback.position(self.uuid),
            history: start.min(end)..end,
            time: now,
            bytes: self.terminal.keyframe(),
        };
        self.output.archived = end;
        self.output.keyframed = self.output.consumed;
        self.output.is_touched = false;
        self.output.is_archiving = true;
        let limits = HistoryLimits { lines: lines_max, bytes: u64::MAX };
        let job = ArchiveJob { pane: self.uuid, blocks, keyframe: Some(keyframe), limits };
        scrollback.submit(job, lines_max);
    }

    /// Declares that the server goes to sleep; false if the keeper has published more meanwhile.
    pub(crate) fn arm_bell(&mut self) -> Result<bool, RingError> {
        let consumed = self.output.consumed;
        match &mut self.stage {
            Stage::Live(live) => live.held.ring.arm_bell(consumed),
            Stage::Replacing { held, .. } => held.ring.arm_bell(consumed),
            _ => Ok(true),
        }
    }
}
