//! From the ring through the spool into the emulator.
//!
//! The order is the contract: bytes are in the spool before the emulator sees them, and the keeper
//! may overwrite them only then. `answered` moves before an answer goes out, so that no query is
//! answered twice, whenever the server is killed.

use std::time::Duration;

use ccmux_core::model::Timestamp;
use ccmux_keeper::ring::{ChildEnd, RingError, Wake};
use ccmux_term::Event as TermEvent;

use super::{Pane, Stage};
use crate::persistence::scrollback::{FrameKind, Scrollback};

/// How much one pane may print in one turn before clients and other panes are looked after.
const TURN_BYTES_MAX: usize = 128 * 1024;
/// How much is emulated at once: small enough for the caches, large enough to amortize the spool.
const PIECE_BYTES_MAX: usize = 32 * 1024;

/// What a turn of feeding brought.
#[derive(Debug, Default)]
pub(crate) struct Fed {
    /// Facts the program told the outside world, in order.
    pub(crate) events: Vec<TermEvent>,
    /// Whether anything was printed.
    pub(crate) is_fed: bool,
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
            link.bell();
        }
        self.terminal.advance(scratch);
        let events = self.terminal.take_events();
        if !events.is_empty() {
            if let Some(held) = self.held() {
                held.ring.set_answered(to)?;
            }
            fed.events.extend(events);
        }
        fed.is_fed = true;
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
