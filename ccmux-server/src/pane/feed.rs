//! From the ring through the spool into the emulator.
//!
//! The order is the contract: bytes are in the spool before the emulator sees them, and the keeper
//! may overwrite them only then. `answered` moves before an answer goes out, so that no query is
//! answered twice, whenever the server is killed.

use std::time::Duration;

use ccmux_core::model::Timestamp;
use ccmux_keeper::{ChildEnd, RingError, Wake};
use ccmux_term::{Event as TermEvent, LineTime, Terminal, Widths};

use super::fault;
use super::store::Scrollback;
use super::{Output, Pane, Stage};
use crate::persistence::scrollback::{
    ArchiveJob, Frame, FrameKind, HistoryBlock, HistoryLimits, Keyframe,
};

/// How much one pane may print in one turn before clients and other panes are looked after. It is emulated at
/// once: small enough for the caches, large enough for most lines of a flood to be off the screen again.
const TURN_BYTES_MAX: usize = 128 * 1024;
/// A pane that printed so much in a turn prints on: what comes within a moment is worth waiting for. No echo
/// is so long.
const FLOOD_BYTES: usize = 8 * 1024;
/// Where so much was there at once nothing is waited for: as much comes while that is emulated, and a ring
/// that fills up meanwhile would stop the program.
const GATHERED_BYTES: usize = 64 * 1024;
/// History lines are stored and compressed in blocks of about this size.
const BLOCK_BYTES: usize = 64 * 1024;

/// A keyframe is taken this long after output paused.
const KEYFRAME_PAUSE: Duration = Duration::from_millis(400);
/// A keyframe is taken at the latest after so many bytes: what a restart would have to replay.
const KEYFRAME_BYTES: u64 = 4 * 1024 * 1024;
/// A pause is worth a keyframe of so many bytes for each byte printed since the last one. Pictures make it
/// large, and are in each of them: a prompt is no reason to write them all again.
const KEYFRAME_SHARE: u64 = 16;
/// So large a one is written whatever was printed: a large screen without pictures has less.
const KEYFRAME_BYTES_FREE: u64 = 256 * 1024;

/// So much output of a pane without a spool is in its ring alone before it is stashed: with what a
/// turn takes it leaves the program some room.
const STASH_BYTES: u64 = 96 * 1024;

/// The first byte of an option's frame; its value follows.
const SCROLL_ON_CLEAR: u8 = 1;
/// The option that is a title which a person gave.
const TITLE: u8 = 2;
/// The option that is `codepoint-widths`.
const WIDTHS: u8 = 3;
/// The option that is the size of a cell in pixels.
pub(super) const CELL_SIZE: u8 = 4;
/// What is looked at of such a title; the terminal keeps less.
const TITLE_BYTES_MAX: usize = 16 * 1024;

/// What is shown where a keeper was killed while it read bytes that look like its pattern.
const DOUBT_MARK: &[u8] = b"\x1b[m\r\n\x1b[2m[some output may be missing here]\x1b[m\r\n";

/// What a turn of feeding brought.
#[derive(Debug, Default)]
pub(crate) struct Fed {
    /// Facts the program told the outside world, in order.
    pub(crate) events: Vec<TermEvent>,
    /// Whether anything was printed.
    pub(crate) has_printed: bool,
    /// Whether there was so much that there is more, to be taken at once.
    pub(crate) has_more: bool,
    /// The program ended and all it printed has been consumed.
    pub(crate) end: Option<ChildEnd>,
}

impl Output {
    /// Whether a keyframe should be taken: after much output, when it pauses, or to let go of old
    /// spool segments. The last also if nothing was printed since the newest keyframe: only the
    /// second one at the same point gives up the spool before it.
    pub(crate) fn is_keyframe_due(&self, now: Duration, is_pinning: bool) -> bool {
        let is_paused = self.keyframe_deadline().is_some_and(|at| at <= now);
        let is_long = self.consumed - self.keyframed >= KEYFRAME_BYTES;
        !self.is_archiving && (is_paused || is_long || is_pinning)
    }

    /// When a keyframe should be taken if nothing more is printed. Never, if it is to be about as large as
    /// the last one and too little was printed for that: the spool has it until then.
    pub(crate) fn keyframe_deadline(&self) -> Option<Duration> {
        let is_behind = self.consumed > self.keyframed || self.is_touched;
        let worth = KEYFRAME_BYTES_FREE + (self.consumed - self.keyframed) * KEYFRAME_SHARE;
        let is_due = is_behind && self.keyframe_bytes <= worth;
        (is_due && !self.is_archiving).then_some(self.last_at + KEYFRAME_PAUSE)
    }
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
        self.output.is_flooding = false;
        // A second piece of a flood would be small: what came meanwhile.
        while budget > 0 && !self.output.is_flooding {
            if !self.feed_piece(scrollback, now, (scratch, budget), &mut fed)? {
                break;
            }
            budget = budget.saturating_sub(scratch.len());
            self.output.last_at = elapsed;
            self.output.is_flooding = TURN_BYTES_MAX - budget >= FLOOD_BYTES;
        }
        fed.has_more = TURN_BYTES_MAX - budget >= GATHERED_BYTES;
        let consumed = self.output.consumed;
        if let Some(held) = self.held().filter(|_| !fed.has_more) {
            fed.end = held.ring.end_after(consumed)?;
        }
        Ok(fed)
    }

    fn feed_piece(
        &mut self,
        scrollback: &mut Scrollback,
        now: Timestamp,
        (scratch, budget): (&mut Vec<u8>, usize),
        fed: &mut Fed,
    ) -> Result<bool, RingError> {
        self.mark_doubt();
        let (uuid, from, doubt) = (self.uuid, self.output.consumed, self.output.doubt);
        let Some(held) = self.held() else { return Ok(false) };
        let answered = held.ring.answered();
        // A piece ends where output may be missing, and where an earlier server has answered.
        let most = [doubt, Some(answered)]
            .into_iter()
            .flatten()
            .filter(|at| *at > from)
            .fold(budget, |most, at| usize::try_from(at - from).map_or(most, |len| len.min(most)));
        scratch.clear();
        if held.ring.copy_from(from, most, scratch)? == 0 {
            return Ok(false);
        }
        scrollback.append(uuid, from, now, FrameKind::Bytes, scratch);
        let to = from + scratch.len() as u64;
        // What no disk and no stash holds stays in the ring.
        let spooled = held.ring.spooled().max(scrollback.dispensable(uuid, to));
        let wake = held.ring.set_spooled(spooled)?;
        self.output.consumed = to;
        if let (Wake::Ring, Some(link)) = (wake, self.link()) {
            // A connection that cannot take a byte is one that the loop hears of anyway.
            let _ = link.bell();
        }
        if !self.apply_at(now, |terminal| terminal.advance(scratch)) && !scrollback.is_private(uuid)
        {
            scrollback.keep_faulty(uuid, from, scratch);
        }
        let mut events = self.terminal.take_events();
        if to <= answered {
            events.retain(is_said_again);
        } else if !events.is_empty()
            && let Some(held) = self.held()
        {
            held.ring.set_answered(to)?;
        }
        fed.events.extend(events);
        fed.has_printed = true;
        self.is_shown_unfinished = false;
        self.mark_doubt();
        Ok(true)
    }

    /// Takes note of the place in a ring that just arrived where output may be missing.
    pub(crate) fn note_doubt(&mut self) -> Result<(), RingError> {
        let Some(held) = self.held() else { return Ok(()) };
        let doubt = held.ring.doubt()?;
        // A keyframe from behind that place shows the mark already.
        self.output.doubt = doubt.filter(|at| *at > self.output.doubted);
        Ok(())
    }

    /// Marks such a place once everything before it is shown.
    fn mark_doubt(&mut self) {
        let Some(at) = self.output.doubt.filter(|at| *at <= self.output.consumed) else { return };
        (self.output.doubted, self.output.doubt) = (at, None);
        self.output.is_touched = true;
        self.apply(|terminal| terminal.advance(DOUBT_MARK));
    }

    /// Puts bytes of ccmux's own into the pane's stream, as if its program had printed them. Returns
    /// what they told the outside world.
    ///
    /// Only for panes without a ring: the offsets of a running program are its keeper's.
    pub(crate) fn print(
        &mut self,
        scrollback: &mut Scrollback,
        now: Timestamp,
        bytes: &[u8],
    ) -> Vec<TermEvent> {
        debug_assert!(self.held().is_none(), "BUG: the stream belongs to the keeper");
        scrollback.append(self.uuid, self.output.consumed, now, FrameKind::Bytes, bytes);
        self.output.consumed += bytes.len() as u64;
        self.output.is_touched = true;
        self.apply_at(now, |terminal| terminal.advance(bytes));
        self.terminal.take_events()
    }

    /// Applies an input to the terminal; returns false if the emulator failed at it.
    pub(crate) fn apply(&mut self, input: impl FnOnce(&mut Terminal)) -> bool {
        let Err(why) = fault::apply(&mut self.terminal, input) else { return true };
        tracing::error!(pane = %self.id, at = self.output.consumed, why, "the emulator failed");
        self.output.is_touched = true;
        false
    }

    /// The same for an input that was made at a time which the spool knows.
    pub(super) fn apply_at(&mut self, time: Timestamp, input: impl FnOnce(&mut Terminal)) -> bool {
        self.terminal.set_time(LineTime::from_millis(time.0));
        self.apply(input)
    }

    /// Clears the history, as an input of the stream.
    pub(crate) fn clear_history(&mut self, scrollback: &mut Scrollback, now: Timestamp) {
        scrollback.append(self.uuid, self.output.consumed, now, FrameKind::Clear, &[]);
        self.output.is_touched = true;
        self.apply_at(now, Terminal::clear_history);
        self.cleared_at = Some(self.terminal.history_end());
        self.terminal.take_events();
        scrollback.forget_before(self.uuid, self.terminal.history_end());
        scrollback.note_cleared(self.uuid);
    }

    /// Whether its history was cleared on request and no line has come into it since: what is left
    /// of it is not to be kept either when the pane is closed.
    pub(crate) fn is_cleared(&self) -> bool {
        self.cleared_at == Some(self.terminal.history_end())
    }

    /// Resets the terminal, as an input of the stream (`send-keys -R`).
    pub(crate) fn reset(&mut self, scrollback: &mut Scrollback, now: Timestamp) {
        scrollback.append(self.uuid, self.output.consumed, now, FrameKind::Reset, &[]);
        self.output.is_touched = true;
        self.apply_at(now, Terminal::reset);
    }

    /// Gives up rows below the cursor for lines of the history, as an input of the stream.
    pub(crate) fn trim(&mut self, scrollback: &mut Scrollback, now: Timestamp) {
        scrollback.append(self.uuid, self.output.consumed, now, FrameKind::Trim, &[]);
        self.output.is_touched = true;
        self.apply_at(now, Terminal::trim);
    }

    /// Sets whether clearing the screen moves it into the history, as an input of the stream.
    pub(crate) fn set_scroll_on_clear(
        &mut self,
        scrollback: &mut Scrollback,
        now: Timestamp,
        is_on: bool,
    ) {
        let payload = [SCROLL_ON_CLEAR, u8::from(is_on)];
        scrollback.append(self.uuid, self.output.consumed, now, FrameKind::Option, &payload);
        self.output.is_touched = true;
        self.apply_at(now, |terminal| terminal.set_scroll_on_clear(is_on));
    }

    /// Sets how many columns characters take, as an input of the stream.
    pub(crate) fn set_widths(
        &mut self,
        scrollback: &mut Scrollback,
        now: Timestamp,
        widths: &Widths,
    ) {
        let mut payload = vec![WIDTHS];
        widths.encode(&mut payload);
        scrollback.append(self.uuid, self.output.consumed, now, FrameKind::Option, &payload);
        self.output.is_touched = true;
        self.apply_at(now, |terminal| terminal.set_widths(widths));
    }

    /// Gives the terminal a title, as an input of the stream. What can be kept of it is the title
    /// then.
    pub(crate) fn set_title(&mut self, scrollback: &mut Scrollback, now: Timestamp, title: &[u8]) {
        let title = &title[..title.len().min(TITLE_BYTES_MAX)];
        let payload = [&[TITLE], title].concat();
        scrollback.append(self.uuid, self.output.consumed, now, FrameKind::Option, &payload);
        self.output.is_touched = true;
        self.apply_at(now, |terminal| terminal.set_title(title));
        self.terminal.take_events();
    }

    /// Applies an input found in the spool; returns false if the emulator failed at it.
    pub(crate) fn replay(&mut self, frame: &Frame) -> bool {
        let time = frame.time;
        match (frame.kind, frame.payload.as_slice()) {
            (FrameKind::Bytes, bytes) => self.apply_at(time, |terminal| terminal.advance(bytes)),
            (FrameKind::Resize, payload) => self.replay_resize(time, payload),
            (FrameKind::Clear, _) => {
                let is_sound = self.apply_at(time, Terminal::clear_history);
                self.cleared_at = Some(self.terminal.history_end());
                is_sound
            }
            (FrameKind::Reset, _) => self.apply_at(time, Terminal::reset),
            (FrameKind::Trim, _) => self.apply_at(time, Terminal::trim),
            (FrameKind::Option, [SCROLL_ON_CLEAR, is_on]) => {
                self.apply_at(time, |terminal| terminal.set_scroll_on_clear(*is_on != 0))
            }
            (FrameKind::Option, [WIDTHS, widths @ ..]) => match Widths::decode(widths) {
                Ok(widths) => self.apply_at(time, |terminal| terminal.set_widths(&widths)),
                Err(_) => true,
            },
            (FrameKind::Option, [TITLE, title @ ..]) => {
                self.apply_at(time, |terminal| terminal.set_title(title))
            }
            (FrameKind::Option, [CELL_SIZE, cell @ ..]) => self.replay_cell_size(time, cell),
            (FrameKind::Option, _) => true,
        }
    }

    /// Hands history lines and a keyframe to the archiver.
    pub(crate) fn archive(
        &mut self,
        scrollback: &mut Scrollback,
        now: Timestamp,
        limits: HistoryLimits,
    ) {
        let job = self.archive_job(scrollback, (now, limits), self.output.archived);
        self.note_archived(&job);
        self.output.is_archiving = true;
        scrollback.submit(job);
    }

    /// Hands over what brings a pane home that had no spool.
    pub(crate) fn bring_home(
        &mut self,
        scrollback: &mut Scrollback,
        now: Timestamp,
        limits: HistoryLimits,
    ) {
        let stored = scrollback.stored_end(self.uuid);
        let job = self.archive_job(scrollback, (now, limits), stored);
        self.note_archived(&job);
        self.output.is_archiving = true;
        scrollback.bring_home(job);
    }

    /// Whether what a pane without a spool has printed should be put into its stash.
    pub(crate) fn is_stash_due(&mut self) -> bool {
        let Output { consumed, is_touched, .. } = self.output;
        let Stage::Live(live) = &self.stage else { return false };
        is_touched || consumed.saturating_sub(live.held.ring.spooled()) >= STASH_BYTES
    }

    /// Puts a keyframe and history lines into the stash, and lets the ring go on behind that.
    ///
    /// Only for panes with a keeper: no other process would hold the stash.
    pub(crate) fn stash(
        &mut self,
        scrollback: &mut Scrollback,
        now: Timestamp,
        limits: HistoryLimits,
    ) -> Result<(), RingError> {
        if !scrollback.prepare_stash(self.uuid) {
            self.output.is_touched = false;
            return Ok(());
        }
        let stored = scrollback.stored_end(self.uuid);
        let job = self.archive_job(scrollback, (now, limits), stored);
        self.output.is_touched = false;
        let (keyframe_bytes, end_line) = (job.keyframe_bytes(), self.terminal.history_sealed_end());
        if !scrollback.stash(job) {
            return Ok(());
        }
        self.note_keyframe(keyframe_bytes, end_line);
        self.terminal.release_history(scrollback.stored_end(self.uuid));
        self.hand_stash(scrollback);
        self.release_ring(scrollback)
    }

    /// Leaves the stash with the keeper, if it does not hold it yet.
    pub(crate) fn hand_stash(&mut self, scrollback: &mut Scrollback) {
        let Stage::Live(live) = &mut self.stage else { return };
        let Some(descriptor) = scrollback.stash_to_hand(self.uuid) else { return };
        let handed = descriptor.map_err(Into::into).and_then(|it| live.link.stash(it));
        if let Err(error) = &handed {
            tracing::warn!(pane = %self.id, %error, "the keeper could not be given the stash");
        }
        // What waits in this process for room in the socket would end with it.
        let is_handed = handed.is_ok() && !live.link.wants_write();
        scrollback.note_handed(self.uuid, is_handed);
    }

    /// Lets the keeper write over what is kept elsewhere.
    pub(crate) fn release_ring(&mut self, scrollback: &Scrollback) -> Result<(), RingError> {
        let (uuid, consumed) = (self.uuid, self.output.consumed);
        let Some(held) = self.held() else { return Ok(()) };
        let spooled = held.ring.spooled().max(scrollback.dispensable(uuid, consumed));
        if held.ring.set_spooled(spooled)? == Wake::Ring
            && let Some(link) = self.link()
        {
            // A connection that cannot take a byte is one that the loop hears of anyway.
            let _ = link.bell();
        }
        Ok(())
    }

    fn note_archived(&mut self, job: &ArchiveJob) {
        self.note_keyframe(job.keyframe_bytes(), self.terminal.history_sealed_end());
    }

    fn note_keyframe(&mut self, bytes: u64, end_line: u64) {
        self.output.keyframe_bytes = bytes;
        self.output.archived = end_line;
        self.output.keyframed = self.output.consumed;
        self.output.is_touched = false;
    }

    /// History lines from `from` on, and a keyframe.
    fn archive_job(
        &self,
        scrollback: &Scrollback,
        (now, limits): (Timestamp, HistoryLimits),
        from: u64,
    ) -> ArchiveJob {
        let end = self.terminal.history_sealed_end();
        let mut blocks = Vec::new();
        let mut from = from.max(self.terminal.history_start());
        while from < end {
            let batch = self.terminal.history_batch(from..end, BLOCK_BYTES);
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
                has_times: true,
            });
        }
        let kept = limits.lines.unwrap_or(u64::MAX);
        let start = scrollback
            .stored_start(self.uuid)
            .max(self.terminal.history_cleared_before())
            .max(self.terminal.history_end().saturating_sub(kept));
        let keyframe = Keyframe {
            position: scrollback.position(self.uuid),
            history: start.min(end)..end,
            has_note: true,
            time: now,
            bytes: self.terminal.keyframe(),
        };
        ArchiveJob { pane: self.uuid, blocks, keyframe: Some(keyframe), limits }
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

/// Whether an event counts although an earlier server has heeded it: it is about what this server
/// holds, and nobody notices that it happens twice.
fn is_said_again(event: &TermEvent) -> bool {
    matches!(event, TermEvent::Title(_) | TermEvent::Cwd(_) | TermEvent::HistoryCleared { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keyframes_are_due_at_pauses_after_much_output_and_for_the_spool() {
        let at = Duration::from_secs(9);
        let whole = Output { consumed: 70, keyframed: 70, last_at: at, ..Output::default() };
        assert!(!whole.is_keyframe_due(at * 2, false));
        assert!(whole.is_keyframe_due(at, true), "a quiet pane lets go of the spool, too");
        let behind = Output { consumed: 71, ..whole };
        assert!(!behind.is_keyframe_due(at + KEYFRAME_PAUSE / 2, false));
        assert!(behind.is_keyframe_due(at + KEYFRAME_PAUSE, false));
        let touched = Output { is_touched: true, ..whole };
        assert!(touched.is_keyframe_due(at + KEYFRAME_PAUSE, false));
        // One with pictures.
        let large = |printed| Output {
            consumed: 70 + printed,
            keyframe_bytes: KEYFRAME_BYTES_FREE + KEYFRAME_SHARE * 1000,
            ..touched
        };
        for printed in [0, 999] {
            let large = large(printed);
            assert!(!large.is_keyframe_due(at * 2, false), "{printed} bytes are too few");
            assert_eq!(large.keyframe_deadline(), None, "nobody waits for it");
            assert!(large.is_keyframe_due(at * 2, true), "the spool is to go");
        }
        assert!(large(1000).is_keyframe_due(at + KEYFRAME_PAUSE, false));
        assert!(large(KEYFRAME_BYTES).is_keyframe_due(at, false));
        let long = Output { consumed: 70 + KEYFRAME_BYTES, ..whole };
        assert!(long.is_keyframe_due(at, false));
        let on_its_way = Output { is_archiving: true, ..long };
        assert!(!on_its_way.is_keyframe_due(at * 2, true));
        assert_eq!(on_its_way.keyframe_deadline(), None, "news of it come by themselves");
    }
}
