//! Recovery: what is on the disk -> the state after some prefix of the log, and a report.
//!
//! Reads only; what follows from it (a checkpoint, a new segment, setting aside) is done by
//! [`super::Persistence::open`] and may be cut short at any point. The decisions are a table in
//! `docs/persistence-format.md`; the one that carries the rest: *a record is lost if anything on
//! the disk proves that it was durable and the replay does not reach it; whatever else is missing
//! behind the last intact record is a torn tail, and no damage.*
//!
//! Numbers are never given out twice: the log goes on behind the highest number seen anywhere, in a
//! segment that says which record it follows. What lies between is void from then on.

pub(super) mod breadcrumb;
mod chain;
mod dump;
mod judge;
mod replay;
mod report;
mod survey;

use std::collections::BTreeSet;
use std::path::PathBuf;

use ccmux_core::change::Change;
use ccmux_core::ids::PaneId;
use ccmux_core::model::{NextIds, State, Timestamp};
use uuid::Uuid;

use self::breadcrumb::Breadcrumb;
use self::chain::{Link, walk};
pub(crate) use self::dump::{dump_checkpoints, dump_log};
use self::judge::{Findings, Redundancy};
use self::replay::{Ending, Understood, ending, next_ids, replay, understand};
pub use self::report::{Damage, RecoveryReport};
use self::survey::{CheckpointFile, SegmentFile, Survey, survey};
use super::OpenError;
use super::checkpoint::{BadCheckpoint, EmptiedBy, GoodCheckpoint, Snapshot};
use super::format::{FORMAT_FILE, Format, FormatFile};
use super::record::{Encoded, LogEntry, LogRecord};
use super::storage::Storage;
use super::wal::{Carried, HeaderError, MARK_FILE, Seq};

/// How long the end of a program can be taken for the beginning of a shutdown.
pub(super) const UNDO_MS: u64 = 10_000;

/// What recovery has to know besides the disk.
pub(super) struct Circumstances<'a> {
    pub(super) now: Timestamp,
    /// The boot of the machine this is.
    pub(super) boot: Uuid,
    /// Records known elsewhere to have been durable, and where that is written.
    pub(super) watermarks: &'a [(String, Seq)],
    /// A record at which recovery crashed again and again.
    pub(super) poisoned: Option<Seq>,
}

/// What recovery decided.
#[derive(Debug)]
pub(super) struct Recovery {
    /// The state after record `reached`.
    pub(super) state: State,
    pub(super) reached: Seq,
    /// The highest number seen anywhere; the log goes on behind it.
    pub(super) highest: Seq,
    /// The record whose state the log goes on from: `reached`, or an earlier one if all numbers
    /// since are known to be void. None if only a checkpoint leads to `reached`.
    pub(super) follows: Option<Seq>,
    /// The last record that is on the disk for certain, because it outlived the boot of the machine in which
    /// it was written. What is proven to have been durable may rest on a checkpoint that decayed since.
    pub(super) outlived: Seq,
    /// The boot of the machine in which the log was last written.
    pub(super) last_boot: Option<Uuid>,
    /// Why there is no session, if there is none but was one before.
    pub(super) emptied_by: Option<EmptiedBy>,
    /// There is a file `mark` of this boot of the machine.
    pub(super) is_marked: bool,
    /// Records were found that `mark` does not vouch for, and that no power cut has passed over: a write or a
    /// sync may have failed, so that nothing proves that they are on the disk or ever will be. Or some are
    /// missing that a checkpoint has: once later ones are synced they would be taken for damaged.
    pub(super) is_in_doubt: bool,
    /// Ends of programs that a shutdown may still turn out to have caused.
    pub(super) unsettled: Option<Unsettled>,
    /// Ends of programs are final, and only a checkpoint or a record can keep the next boot from taking
    /// them back.
    pub(super) has_final_ends: bool,
    /// The log ends in a request to end.
    pub(super) is_after_shutdown: bool,
    /// The records since the checkpoint, as they are, if there are unsettled ones among them.
    pub(super) carried: Option<Carried>,
    /// What the records that are carried follow.
    pub(super) base: Option<Snapshot>,
    /// A pane with a smaller number that the state does not know was closed, any other was not.
    pub(super) closed_below: PaneId,
    /// The file `format`, if it is good.
    pub(super) format: Option<Format>,
    /// The store that the files belong to; none if there are none.
    pub(super) store: Option<Uuid>,
    /// Checkpoints that can be read, newest first.
    pub(super) good_checkpoints: Vec<GoodCheckpoint>,
    /// The segments on the disk, of whatever quality.
    pub(super) segments: BTreeSet<Seq>,
    pub(super) set_aside: Vec<SetAside>,
    pub(super) report: RecoveryReport,
}

impl Recovery {
    /// The number that [`Snapshot::closed_below`] has to keep, because `state` gives out none of
    /// those that records behind damage did.
    pub(super) fn orphans_below(&self) -> Option<PaneId> {
        (self.closed_below.0 < self.state.next.pane).then_some(self.closed_below)
    }
}

/// A trailing run of ends of programs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Unsettled {
    /// When they are final.
    pub(super) until: Timestamp,
    /// The first of them among the records since the checkpoint.
    pub(super) first: usize,
}

/// A damaged file, to be kept out of the way.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum SetAside {
    /// Nothing of it is used.
    Move(PathBuf),
    /// Its intact beginning stays in use.
    Copy(PathBuf),
}

impl SetAside {
    /// Where it is.
    pub(super) fn path(&self) -> &PathBuf {
        let (Self::Move(path) | Self::Copy(path)) = self;
        path
    }
}

/// Decides what the state is. Changes nothing on the disk but the breadcrumb, which names every
/// record while it is applied.
pub(super) fn recover(
    storage: &dyn Storage,
    circumstances: &Circumstances<'_>,
    breadcrumb: &mut Breadcrumb<'_>,
) -> Result<Recovery, OpenError> {
    let survey = survey(storage)?;
    refuse_other_versions(&survey)?;
    let mut findings = Findings::default();
    let format = match survey.format {
        FormatFile::Good(format) => Some(format),
        _ => None,
    };
    let store = format.map(|format| format.store.0).or_else(|| store_of(&survey));
    findings.judge_format(&survey);
    let good = findings.judge_checkpoints(&survey.checkpoints, store);
    let segments = findings.judge_segments(&survey.segments, store);
    let base = good.first().copied();
    let base_seq = base.map_or(Seq(0), |snapshot| snapshot.seq);

    let chain = walk(&segments, base_seq);
    let mut records = understand(&chain, &mut findings)?;
    let poisoned = records.iter().position(|record| Some(record.seq) == circumstances.poisoned);
    let is_terminating = base.is_some_and(|snapshot| snapshot.is_terminating);
    let mut ending = ending(&records, is_terminating, circumstances.boot, circumstances.now);
    if let Some(at) = poisoned {
        findings.cut(&records[at], "recovery crashed at it twice");
        records.truncate(at);
        ending = Ending::default();
    }
    let kept = ending.undone_from.unwrap_or(records.len());
    let replayed = replay(base, &records[..kept], &mut |seq| breadcrumb.replaying(seq));
    // What kills the server from here on is not the fault of the last record.
    breadcrumb.replayed();
    if let Some((at, error)) = &replayed.refused {
        findings.cut(&records[*at], &format!("it does not fit the state before it: {error}"));
        ending = Ending::default();
    }
    let left_out = findings.cut_at().or_else(|| Some(records[ending.undone_from?].seq));
    let reached = left_out.map_or(chain.reached, |seq| Seq(seq.0 - 1));
    // Numbers that are void may be those of earlier records, which an earlier segment still holds and only
    // the segment that gave them up makes void: nothing may follow one.
    let kept_until =
        left_out.map_or(chain.reached, |seq| last_before(&records, seq).unwrap_or(base_seq));

    // What was logged behind records that never were, because the disk took none, does not show that what
    // only a checkpoint has was in the log.
    let is_unled = |segment: &&SegmentFile| {
        segment.follows().is_none() && segment.first > chain.reached.next()
    };
    let led = segments.iter().position(is_unled).unwrap_or(segments.len());
    let mark = survey.mark.filter(|mark| Some(mark.store) == store);
    let mut proof = Proof::gather(&segments, format.as_ref(), circumstances.watermarks);
    proof.heed_checkpoints(&survey.checkpoints);
    proof.raise(mark.map_or(Seq(0), |mark| mark.durable), MARK_FILE);
    let proven = proof.seq;
    let has_hole = findings.judge_covered(&segments[..led], &chain, base_seq);
    // What was written and never synced is there as long as no power goes.
    proof.raise(mark.map_or(Seq(0), |mark| mark.proves(circumstances.boot)), MARK_FILE);
    findings.judge_end(&segments, &chain, (proof.seq, proven), &proof.source);
    // The log was shortened when the newest was verified, whatever became of that one since.
    let second = survey.checkpoints.get(1).map(|file| file.seq).filter(|second| *second < base_seq);
    let redundancy = second.map_or(Redundancy::Whole, |second| {
        findings.judge_redundancy(&segments, led, second, base_seq)
    });
    let is_led_to = redundancy == Redundancy::Whole;
    let mark_of_this_boot = mark.filter(|mark| mark.is_of(circumstances.boot));
    let vouched = mark_of_this_boot.map(|mark| mark.vouched);
    let kept_from = second.unwrap_or(base_seq);
    // Nothing may lead from the one to the other.
    let kept = walk(&segments, kept_from);
    let is_in_doubt = kept.links.iter().chain(&chain.links).any(|link| {
        let boot = circumstances.boot;
        let may_be_of_this_boot = link
            .segment
            .header
            .is_ok_and(|it| it.boot == boot || it.boot.is_nil() || boot.is_nil());
        may_be_of_this_boot && Some(link.found.frame.seq) > vouched
    });
    // What an earlier boot left was on the disk: only that outlived it.
    let has_outlived = |link: &&Link<'_>| {
        let boot = link.segment.header.as_ref().map_or(Uuid::nil(), |header| header.boot);
        !boot.is_nil() && !circumstances.boot.is_nil() && boot != circumstances.boot
    };
    let outlived = chain.links.iter().filter(has_outlived).map(|link| link.found.frame.seq).max();
    let mut state = replayed.state;
    let replayed_next = state.next;
    let closed_below = replayed.closed_below.unwrap_or(PaneId(state.next.pane));
    for segment in &segments {
        raise(&mut state.next, next_ids(segment, reached.next()));
    }
    if let Err(violation) = state.check() {
        findings.note(format!("BUG: the recovered state is inconsistent: {violation}"));
    }
    let highest = segments.iter().map(|segment| segment.highest());
    let highest = highest.chain([proof.seq, chain.reached]).max().unwrap_or_default();
    // A segment without a record is begun again under the same name, and must not forget the void
    // that it bridges: only its header tells it from a loss. One that follows the last record bridges
    // nothing, nor does one without a header.
    let blank = segments.iter().find(|segment| segment.first == highest.next());
    let bridged = blank
        .filter(|segment| segment.scan.records.is_empty() && segment.follows() != Some(reached));
    // Behind numbers that are void there will be another checkpoint, to which the newest one leads.
    let stays_newest = reached == base_seq && highest == base_seq;
    let follows = match bridged.map_or(Some(reached), |segment| segment.follows()) {
        // The records between the two newest checkpoints were never logged, or there are none.
        Some(_) if !is_led_to && stays_newest => followed_alike(&good),
        Some(_) if bridged.is_none() && stays_newest => led_alike(&segments, &good),
        follows => follows.map(|follows| follows.min(kept_until)),
    };
    let newest = segments.iter().rev().find_map(|segment| segment.header.as_ref().ok());
    let last_boot = match mark_of_this_boot {
        Some(_) => Some(circumstances.boot),
        None => newest.map(|header| header.boot),
    };
    let carried = ending.unsettled.map(|unsettled| {
        let mut records: Vec<Encoded> = chain.links.iter().map(Link::encoded).collect();
        if state.next != replayed_next {
            // No checkpoint holds what void records gave out. A reservation behind the ends of programs
            // would make them final.
            let entry = LogEntry {
                time: circumstances.now,
                actor: "recovery".into(),
                cause: "numbers of lost records".into(),
                changes: vec![Change::IdsReserved { next: state.next }],
            };
            records.insert(unsettled.first, LogRecord::Entry(entry).encode());
            let (time, closed_below) = (circumstances.now, Some(closed_below));
            records.push(LogRecord::Orphans { time, closed_below }.encode());
        }
        // The checkpoint's own number may be void, and the segment that says so is replaced by this one. Where only
        // the checkpoint leads there, its number is all that can be followed.
        let first = chain.links.first().filter(|link| link.found.frame.seq == link.segment.first);
        let follows = first.and_then(|link| link.segment.follows()).unwrap_or(base_seq);
        Carried { follows: follows.min(base_seq), records }
    });
    let base_of_carried = carried.as_ref().map(|_| base.cloned().unwrap_or_default());
    let emptied_by = findings.reason_if_lost(reached).or(replayed.emptied_by);
    let (report, set_aside) = findings.into_parts();
    Ok(Recovery {
        state,
        reached,
        highest,
        follows,
        outlived: outlived.unwrap_or_default(),
        last_boot,
        is_marked: mark_of_this_boot.is_some(),
        is_in_doubt: is_in_doubt || has_hole || redundancy == Redundancy::Missing,
        emptied_by,
        unsettled: ending.unsettled,
        has_final_ends: ending.is_final,
        is_after_shutdown: ending.is_asked,
        carried,
        base: base_of_carried,
        closed_below,
        format,
        store,
        good_checkpoints: good
            .iter()
            .map(|snapshot| GoodCheckpoint {
                seq: snapshot.seq,
                is_empty: snapshot.state.sessions.is_empty(),
            })
            .collect(),
        segments: survey.segments.iter().map(|segment| segment.first).collect(),
        set_aside,
        report: RecoveryReport {
            checkpoint: base.map(|snapshot| snapshot.seq),
            replayed: replayed.applied,
            reached,
            undone: ending.undone,
            ..report
        },
    })
}

/// The record before the newest checkpoint that led to the same: that of the checkpoint before it, if
/// nothing changed in between.
fn followed_alike(good: &[&Snapshot]) -> Option<Seq> {
    let [newest, second, ..] = good else { return None };
    let Snapshot { seq, time, .. } = **second;
    (Snapshot { seq, time, ..(*newest).clone() } == **second).then_some(seq)
}

/// The record that leads to the newest checkpoint's state, if that is not the checkpoint's own: a start
/// that took back ends of programs, and was cut short behind its checkpoint, left records that lead
/// elsewhere. Without the newest checkpoint they would count again.
fn led_alike(segments: &[&SegmentFile], good: &[&Snapshot]) -> Option<Seq> {
    let Some(newest) = good.first() else { return Some(Seq(0)) };
    let first = Snapshot::default();
    let second = good.get(1).copied().unwrap_or(&first);
    let chain = walk(segments, second.seq);
    if chain.reached < newest.seq {
        return Some(newest.seq);
    }
    // What is passed over was told of when the checkpoint was made.
    let mut records = understand(&chain, &mut Findings::default()).ok()?;
    records.retain(|record| record.seq <= newest.seq);
    let is_led_by = |records: &[Understood<'_>]| {
        let mut replayed = replay(Some(second), records, &mut |_| ());
        // Numbers that are given out are kept, whatever becomes of those who have them.
        replayed.state.next = newest.state.next;
        replayed.refused.is_none() && replayed.state == newest.state
    };
    if is_led_by(&records) {
        return Some(newest.seq);
    }
    let boot_of_none = Uuid::max();
    let ending = ending(&records, second.is_terminating, boot_of_none, newest.time);
    let undone_from =
        ending.undone_from.filter(|undone_from| is_led_by(&records[..*undone_from]))?;
    Some(last_before(&records, records[undone_from].seq).unwrap_or(second.seq))
}

/// The last record before a number, if there is one.
fn last_before(records: &[Understood<'_>], seq: Seq) -> Option<Seq> {
    records.iter().map(|record| record.seq).rfind(|earlier| *earlier < seq)
}

/// The last record that has to be there, and what knows it.
struct Proof {
    seq: Seq,
    source: String,
}

impl Proof {
    fn gather(
        segments: &[&SegmentFile],
        format: Option<&Format>,
        watermarks: &[(String, Seq)],
    ) -> Self {
        let mut proof = Proof { seq: Seq(0), source: String::new() };
        for segment in segments {
            proof.raise(segment.synced_through(), &segment.path().display().to_string());
        }
        if let Some(format) = format {
            proof.raise(format.watermark, FORMAT_FILE);
        }
        for (source, seq) in watermarks {
            proof.raise(*seq, source);
        }
        proof
    }

    /// A checkpoint gets its name when it has been verified, so its name proves what it held even
    /// if it cannot be read any more.
    fn heed_checkpoints(&mut self, files: &[CheckpointFile]) {
        for file in files {
            if let Err(
                BadCheckpoint::Io(_)
                | BadCheckpoint::Header
                | BadCheckpoint::Contents
                | BadCheckpoint::Decode(_)
                | BadCheckpoint::Inconsistent(_),
            ) = file.contents
            {
                self.raise(file.seq, &file.path().display().to_string());
            }
        }
    }

    fn raise(&mut self, seq: Seq, source: &str) {
        if seq > self.seq {
            *self = Proof { seq, source: source.to_owned() };
        }
    }
}

/// The store that the files name, for want of a file `format`: the newest checkpoint's, else the
/// newest segment's, else the mark's.
fn store_of(survey: &Survey) -> Option<Uuid> {
    let checkpoints = survey.checkpoints.iter();
    let stores = checkpoints.filter_map(|file| file.contents.as_ref().ok().map(|(_, id)| *id));
    let segments = survey.segments.iter().rev();
    let stores = stores.chain(segments.filter_map(|file| Some(file.header.ok()?.store)));
    stores.chain(survey.mark.map(|mark| mark.store)).next()
}

/// What another version wrote is not touched, whatever else could be made of it.
fn refuse_other_versions(survey: &Survey) -> Result<(), OpenError> {
    if let FormatFile::Newer { layout } = survey.format {
        return Err(OpenError::Newer { layout });
    }
    for file in &survey.checkpoints {
        if let Err(BadCheckpoint::Version(version)) = file.contents {
            let file = file.path().display().to_string();
            return Err(OpenError::OtherVersion { file, version });
        }
    }
    for file in &survey.segments {
        if let Err(HeaderError::Version(version)) = file.header {
            let file = file.path().display().to_string();
            return Err(OpenError::OtherVersion { file, version });
        }
    }
    Ok(())
}

fn raise(next: &mut NextIds, least: NextIds) {
    next.session = next.session.max(least.session);
    next.window = next.window.max(least.window);
    next.pane = next.pane.max(least.pane);
}
