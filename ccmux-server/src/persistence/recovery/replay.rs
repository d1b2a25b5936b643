//! From records to a state: understanding them, taking back the beginning of a shutdown, applying.

use ccmux_core::change::Change;
use ccmux_core::ids::PaneId;
use ccmux_core::model::{NextIds, State, Timestamp};
use ccmux_core::{ApplyError, apply, no_session_is_empty};
use uuid::Uuid;

use super::chain::Chain;
use super::judge::Findings;
use super::survey::SegmentFile;
use super::{UNDO_MS, Unsettled};
use crate::persistence::OpenError;
use crate::persistence::checkpoint::{EmptiedBy, Snapshot};
use crate::persistence::record::{FLAG_CRITICAL, LogEntry, LogRecord};
use crate::persistence::wal::Seq;

/// A record that was read.
#[derive(Debug)]
pub(super) struct Understood<'a> {
    pub(super) seq: Seq,
    pub(super) segment: &'a SegmentFile,
    pub(super) offset: usize,
    pub(super) record: LogRecord,
}

/// Reads the records of a chain. One that is not understood is passed over, unless it is critical.
pub(super) fn understand<'a>(
    chain: &Chain<'a>,
    findings: &mut Findings,
) -> Result<Vec<Understood<'a>>, OpenError> {
    let mut understood = Vec::with_capacity(chain.links.len());
    for link in &chain.links {
        let (frame, offset) = (link.found.frame, link.found.offset);
        let payload = &link.segment.bytes[link.found.payload.clone()];
        let (record, why_not) = match LogRecord::decode(frame.kind, payload) {
            Ok(LogRecord::Unknown) => (LogRecord::Unknown, "its kind is unknown".to_owned()),
            Ok(record) => (record, String::new()),
            Err(error) => (LogRecord::Unknown, error.to_string()),
        };
        if record == LogRecord::Unknown {
            let file = link.segment.path().display().to_string();
            if frame.flags & FLAG_CRITICAL != 0 {
                let (offset, why) = (offset as u64, why_not);
                return Err(OpenError::NotUnderstood { seq: frame.seq, file, offset, why });
            }
            findings.note(format!("record {} ({file}) passed over: {why_not}", frame.seq));
        }
        understood.push(Understood { seq: frame.seq, segment: link.segment, offset, record });
    }
    Ok(understood)
}

/// How the log ends, as far as ends of programs go.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ending {
    /// The index of the first record to be taken back.
    pub(super) undone_from: Option<usize>,
    /// How many ends of programs that takes back.
    pub(super) undone: u64,
    /// Ends of programs that stand, but not for certain yet.
    pub(super) unsettled: Option<Unsettled>,
    /// Ends of programs that stand, and of which nothing in the log says that they are final.
    pub(super) is_final: bool,
    /// The log ends in a request to end, whether or not programs had ended by then.
    pub(super) is_asked: bool,
}

/// Finds the trailing run of ends of programs.
///
/// An orderly shutdown of the machine ends the shells first. If the machine was started anew since,
/// or the log ends in a request to end, a run younger than ten seconds was the beginning of that.
/// Soft changes do not interrupt a run, any other command does. A damaged header does not say in which
/// boot a run was written; then it may be the beginning of a shutdown, too: a pane too many can be
/// closed again, one that was forgotten never comes back. `is_terminating` says that the
/// checkpoint before the records covers such a request.
pub(super) fn ending(
    records: &[Understood<'_>],
    is_terminating: bool,
    boot: Uuid,
    now: Timestamp,
) -> Ending {
    let mut asked_to_end = None;
    let mut run: Option<(usize, Timestamp)> = None;
    let mut ends = 0;
    let mut is_interrupted = false;
    for (index, understood) in records.iter().enumerate().rev() {
        match &understood.record {
            LogRecord::Terminating { time } => asked_to_end = asked_to_end.or(Some(*time)),
            LogRecord::Settled { .. } => {
                is_interrupted = true;
                break;
            }
            LogRecord::Entry(entry) if entry.is_program_end() => {
                let last = run.map_or(entry.time, |(_, last)| last);
                let reference = asked_to_end.unwrap_or(last);
                if entry.time.0.saturating_add(UNDO_MS) < reference.0 {
                    is_interrupted = true;
                    break;
                }
                run = Some((index, last));
                ends += 1;
            }
            LogRecord::Entry(entry) if !entry.is_soft() => {
                is_interrupted = true;
                break;
            }
            LogRecord::Entry(_) | LogRecord::Orphans { .. } | LogRecord::Unknown => {}
        }
    }
    let is_asked = asked_to_end.is_some() || (is_terminating && !is_interrupted);
    let Some((first, last)) = run else { return Ending { is_asked, ..Ending::default() } };
    let written_in = records[first].segment.header.map(|header| header.boot);
    if is_asked || written_in != Ok(boot) {
        return Ending { undone_from: Some(first), undone: ends, is_asked, ..Ending::default() };
    }
    // A clock that was set back must not keep it open for ever.
    let until = Timestamp((last.0 + UNDO_MS).min(now.0 + UNDO_MS));
    let unsettled = (now < until).then_some(Unsettled { until, first });
    Ending { unsettled, is_final: unsettled.is_none(), ..Ending::default() }
}

/// A state and how it came about.
#[derive(Debug)]
pub(super) struct Replayed {
    pub(super) state: State,
    pub(super) emptied_by: Option<EmptiedBy>,
    /// How many records were applied.
    pub(super) applied: u64,
    /// The record that does not fit what comes before it, by index: the state is the one before.
    pub(super) refused: Option<(usize, ApplyError)>,
    /// See [`Snapshot::closed_below`].
    pub(super) closed_below: Option<PaneId>,
}

/// Applies records to the state of a checkpoint, or to nothing.
pub(super) fn replay(
    base: Option<&Snapshot>,
    records: &[Understood<'_>],
    replaying: &mut dyn FnMut(Seq),
) -> Replayed {
    let mut state = base.map(|base| base.state.clone()).unwrap_or_default();
    let mut emptied_by = base.and_then(|base| base.emptied_by.clone());
    let mut closed_below = base.and_then(|base| base.closed_below);
    let mut applied = 0;
    for (index, understood) in records.iter().enumerate() {
        if let LogRecord::Orphans { closed_below: noted, .. } = &understood.record {
            closed_below = *noted;
        }
        let LogRecord::Entry(entry) = &understood.record else { continue };
        replaying(understood.seq);
        let applied_all = entry.changes.iter().try_for_each(|change| apply(&mut state, change));
        // What the server would not have done live.
        if let Err(error) = applied_all.and_then(|()| no_session_is_empty(&state)) {
            // Part of the record is in the state now; without it everything fits.
            let before = replay(base, &records[..index], &mut |_| ());
            return Replayed { refused: Some((index, error)), ..before };
        }
        applied += 1;
        emptied_by = emptied_by_entry(&state, understood.seq, entry).or(emptied_by);
    }
    if !state.sessions.is_empty() {
        emptied_by = None;
    }
    Replayed { state, emptied_by, applied, refused: None, closed_below }
}

fn emptied_by_entry(state: &State, seq: Seq, entry: &LogEntry) -> Option<EmptiedBy> {
    let closes = entry.changes.iter().any(|change| matches!(change, Change::SessionClosed { .. }));
    (closes && state.sessions.is_empty()).then(|| EmptiedBy {
        seq,
        actor: entry.actor.clone(),
        cause: entry.cause.clone(),
    })
}

/// The least ids that no record of the segment from `from` on gave out. Such records are void, but
/// a keeper or a directory may go by their ids.
pub(super) fn next_ids(segment: &SegmentFile, from: Seq) -> NextIds {
    let mut next = NextIds::default();
    let found = segment.scan.records.iter().chain(&segment.scan.beyond);
    for found in found.filter(|found| found.frame.seq >= from) {
        let payload = &segment.bytes[found.payload.clone()];
        let Ok(LogRecord::Entry(entry)) = LogRecord::decode(found.frame.kind, payload) else {
            continue;
        };
        for change in &entry.changes {
            reserve(&mut next, change);
        }
    }
    next
}

fn reserve(next: &mut NextIds, change: &Change) {
    let (session, window, pane) = match change {
        Change::SessionCreated { id, .. } => (Some(id.0), None, None),
        Change::WindowCreated { id, pane, .. } => (None, Some(id.0), Some(pane.id.0)),
        Change::PaneCreated { pane, .. } => (None, None, Some(pane.id.0)),
        Change::PaneBroken { window, .. } => (None, Some(window.0), None),
        Change::IdsReserved { next: reserved } => {
            next.session = next.session.max(reserved.session);
            next.window = next.window.max(reserved.window);
            next.pane = next.pane.max(reserved.pane);
            return;
        }
        _ => (None, None, None),
    };
    let raise = |next: &mut u32, id: Option<u32>| {
        *next = id.map_or(*next, |id| (*next).max(id.saturating_add(1)));
    };
    raise(&mut next.session, session);
    raise(&mut next.window, window);
    raise(&mut next.pane, pane);
}
