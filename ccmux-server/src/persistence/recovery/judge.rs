//! What is damaged, what that cost, and what is to be kept out of the way.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use uuid::Uuid;

use super::SetAside;
use super::chain::{Chain, walk};
use super::replay::Understood;
use super::report::{Damage, RecoveryReport};
use super::survey::{CheckpointFile, SegmentFile, Survey};
use crate::persistence::checkpoint::{BadCheckpoint, EmptiedBy, Snapshot};
use crate::persistence::format::{FORMAT_FILE, FormatFile};
use crate::persistence::wal::{HeaderError, Seq, WAL_DIR};

/// What a recovery collects on its way.
#[derive(Debug, Default)]
pub(super) struct Findings {
    damage: Vec<Damage>,
    notes: Vec<String>,
    set_aside: Vec<SetAside>,
    cut_at: Option<Seq>,
    lost: Option<(Seq, Seq)>,
}

impl Findings {
    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Tells of damage at a place once, however much is to be said of it: what is wrong, then what that cost.
    fn damage(&mut self, file: String, offset: usize, what: String) {
        let offset = offset as u64;
        let is_there = |known: &&mut Damage| known.file == file && known.offset == offset;
        match self.damage.iter_mut().find(is_there) {
            Some(known) => {
                let _infallible = write!(known.what, "; {what}");
            }
            None => self.damage.push(Damage { file, offset, what }),
        }
    }

    /// The first record that the replay had to leave out, intact as it may be.
    pub(super) fn cut_at(&self) -> Option<Seq> {
        self.cut_at
    }

    pub(super) fn judge_format(&mut self, survey: &Survey) {
        let has_files = !survey.checkpoints.is_empty() || !survey.segments.is_empty();
        match &survey.format {
            FormatFile::Missing if has_files => {
                self.damage(FORMAT_FILE.into(), 0, "it is missing; made anew".into());
            }
            FormatFile::Damaged(why) => {
                self.damage(FORMAT_FILE.into(), 0, format!("{why}; made anew"));
                self.set_aside.push(SetAside::Move(FORMAT_FILE.into()));
            }
            FormatFile::Missing | FormatFile::Newer { .. } | FormatFile::Good(_) => {}
        }
    }

    /// Sorts out the checkpoints that can be used, newest first.
    pub(super) fn judge_checkpoints<'a>(
        &mut self,
        files: &'a [CheckpointFile],
        store: Option<Uuid>,
    ) -> Vec<&'a Snapshot> {
        let mut good: Vec<&Snapshot> = Vec::new();
        // From the oldest on, because an empty one is judged by its predecessor.
        for file in files.iter().rev() {
            let verdict = match &file.contents {
                Err(error) => Err(error),
                Ok((_, id)) if Some(*id) != store => Err(&BadCheckpoint::OtherStore),
                Ok((snapshot, _)) => {
                    let is_unexplained =
                        snapshot.state.sessions.is_empty() && snapshot.emptied_by.is_none();
                    if is_unexplained && good.last().is_some_and(|last| last.has_sessions()) {
                        Err(&BadCheckpoint::EmptyWithoutReason)
                    } else {
                        Ok(snapshot)
                    }
                }
            };
            match verdict {
                Ok(snapshot) => good.push(snapshot),
                Err(error) => {
                    let what = format!("{error}; not used");
                    self.damage(file.path().display().to_string(), 0, what);
                    self.set_aside.push(SetAside::Move(file.path()));
                }
            }
        }
        good.reverse();
        good
    }

    /// Sorts out the segments that belong to the store.
    pub(super) fn judge_segments<'a>(
        &mut self,
        segments: &'a [SegmentFile],
        store: Option<Uuid>,
    ) -> Vec<&'a SegmentFile> {
        let mut ours = Vec::new();
        for segment in segments {
            let path = segment.path();
            let file = path.display().to_string();
            match (&segment.header, &segment.unreadable) {
                (_, Some(error)) => {
                    self.damage(file, 0, format!("it cannot be read: {error}"));
                    self.set_aside.push(SetAside::Move(path));
                }
                (Ok(header), _) if Some(header.store) != store => {
                    self.damage(file, 0, "it belongs to another store; not used".into());
                    self.set_aside.push(SetAside::Move(path));
                    continue;
                }
                (Err(HeaderError::Bad), _) if !segment.scan.records.is_empty() => {
                    self.damage(file, 0, "its header is damaged; its records are not".into());
                    self.set_aside.push(SetAside::Copy(path));
                }
                (Ok(header), _) => {
                    if let Some(at) = header.damaged_copy(&segment.bytes) {
                        let which = "one copy of its header is damaged; the other one is used";
                        self.note(format!("{file}:{at}: {which}"));
                    }
                }
                _ => {}
            }
            if segment.scan.is_cut_short {
                let what = "what follows is made up of false records; the search was ended";
                self.damage(segment.path().display().to_string(), segment.scan.end, what.into());
                self.set_aside.push(SetAside::Copy(segment.path()));
            }
            ours.push(segment);
        }
        ours
    }

    /// Ends the replay before a record that is intact and cannot be used.
    pub(super) fn cut(&mut self, record: &Understood<'_>, why: &str) {
        let file = record.segment.path().display().to_string();
        let what = format!("record {} is left out with all after it: {why}", record.seq);
        self.damage(file, record.offset, what);
        self.cut_at = Some(record.seq);
    }

    /// Compares how far the log reaches with how far it is known to have been there, and to have been
    /// durable.
    pub(super) fn judge_end(
        &mut self,
        segments: &[&SegmentFile],
        chain: &Chain<'_>,
        (proven, durable): (Seq, Seq),
        witness: &str,
    ) {
        let broken_at = chain.reached.next();
        let (file, offset) = where_it_breaks(segments, broken_at);
        if segments.is_empty() && chain.reached > Seq(0) {
            // There is always one, from the first start on.
            let what =
                format!("there is no log; what it held after record {} is lost", chain.reached);
            self.damage(file.clone(), offset, what);
        }
        if proven > chain.reached {
            let mut what = format!(
                "records {broken_at} to {proven} are missing; {witness} proves that they were there"
            );
            // Written is not synced: a sync that failed takes them as well as decay does.
            let unconfirmed = durable.max(chain.reached).next();
            if unconfirmed <= proven {
                let _infallible = write!(what, "; from {unconfirmed} on none was called durable");
            }
            self.damage(file.clone(), offset, what);
        }
        let last = proven.max(chain.reached);
        let first = self.cut_at.unwrap_or(broken_at);
        if first <= last {
            self.lost = Some((first, last));
            self.set_aside_from(segments, first);
            return;
        }
        let is_torn = |segment: &&&SegmentFile| {
            segment.highest() > chain.reached
                || (segment.scan.has_debris && is_last_of(segments, segment))
        };
        if segments.iter().any(|segment| is_torn(&segment)) {
            self.note(format!("torn tail at {file}:{offset}: nothing acknowledged was in it"));
        }
    }

    /// Tells of bad records that are not missed, because the checkpoint that the chain begins with has
    /// them, and intact ones follow. Those that `segments` do not prove to have been synced are a torn
    /// piece, and no damage. Returns whether there are any.
    pub(super) fn judge_covered(
        &mut self,
        segments: &[&SegmentFile],
        chain: &Chain<'_>,
        checkpoint: Seq,
    ) -> bool {
        let Some(link) = chain.links.iter().find(|link| link.is_behind_damage()) else {
            return false;
        };
        let segment = link.segment;
        let before = segment.scan.records.last().map(|found| found.frame.seq.next());
        let first = before.unwrap_or(segment.first);
        let (file, offset) = (segment.path().display().to_string(), segment.scan.end);
        if !proves_log(segments, first, checkpoint) {
            self.note(format!("torn piece at {file}:{offset}: checkpoint {checkpoint} has it"));
            return true;
        }
        let what = format!(
            "records {first} to {checkpoint} are damaged; checkpoint {checkpoint} has them"
        );
        self.damage(file, offset, what);
        self.set_aside.push(SetAside::Copy(segment.path()));
        true
    }

    /// Checks the records that nobody needs unless the newest checkpoint breaks: those since the
    /// one before it, which the log is kept for. What stands in segments from `led` on, to which no record
    /// leads, proves nothing.
    pub(super) fn judge_redundancy(
        &mut self,
        segments: &[&SegmentFile],
        led: usize,
        second: Seq,
        newest: Seq,
    ) -> Redundancy {
        let chain = walk(segments, second);
        if chain.reached >= newest {
            return Redundancy::Whole;
        }
        let between = chain.reached.next().next()..=newest.next();
        // So says a segment that only a checkpoint leads to, or that follows one like the second.
        let was_never_logged = segments.iter().any(|segment| {
            let is_led_past = segment.follows().is_none_or(|follows| follows < second);
            between.contains(&segment.first) && is_led_past
        });
        if was_never_logged {
            return Redundancy::NeverLogged;
        }
        if proves_log(&segments[..led], chain.reached.next(), newest) {
            let broken_at = chain.reached.next();
            let (file, offset) = where_it_breaks(segments, broken_at);
            let what =
                format!("records from {broken_at} on are damaged; checkpoint {newest} has them");
            self.damage(file, offset, what);
            if let Some(segment) = segment_of(segments, broken_at) {
                self.set_aside.push(SetAside::Copy(segment.path()));
            }
        }
        Redundancy::Missing
    }

    /// Why the state may be empty although it was not, if the reason is a loss.
    pub(super) fn reason_if_lost(&self, reached: Seq) -> Option<EmptiedBy> {
        self.lost.map(|(first, last)| EmptiedBy {
            seq: reached,
            actor: "recovery".into(),
            cause: format!("records {first} to {last} were lost"),
        })
    }

    pub(super) fn into_parts(mut self) -> (RecoveryReport, Vec<SetAside>) {
        self.set_aside.sort_unstable();
        // What is moved, which comes first, is not copied besides.
        let mut known = BTreeSet::new();
        self.set_aside.retain(|file| known.insert(file.path().clone()));
        let report = RecoveryReport {
            lost: self.lost,
            damage: self.damage,
            notes: self.notes,
            ..RecoveryReport::default()
        };
        (report, self.set_aside)
    }

    fn set_aside_from(&mut self, segments: &[&SegmentFile], first: Seq) {
        for segment in segments.iter().filter(|segment| !segment.is_blank()) {
            if segment.first > first {
                self.set_aside.push(SetAside::Move(segment.path()));
            }
        }
        if let Some(segment) = segment_of(segments, first) {
            self.set_aside.push(SetAside::Copy(segment.path()));
        }
    }
}

/// What there is of the records between the two newest checkpoints.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Redundancy {
    /// They are there, or there are none.
    Whole,
    /// A segment says that they never were.
    NeverLogged,
    /// They are damaged, or a power cut took them.
    Missing,
}

/// Whether segments show that record `seq`, which `checkpoint` has as well, was synced in the log. Those that
/// were begun behind the checkpoint may speak of what only that has, if they speak of nothing later; one
/// to which only a checkpoint leads, because the disk failed when it was begun, in any case.
fn proves_log(segments: &[&SegmentFile], seq: Seq, checkpoint: Seq) -> bool {
    segments.iter().filter(|segment| segment.follows().is_some()).any(|segment| {
        let least = if segment.first <= checkpoint { seq } else { checkpoint.next() };
        segment.synced_through() >= least
    })
}

impl Snapshot {
    fn has_sessions(&self) -> bool {
        !self.state.sessions.is_empty()
    }
}

/// The segment that a record should be in.
fn segment_of<'a>(segments: &[&'a SegmentFile], seq: Seq) -> Option<&'a SegmentFile> {
    segments.iter().rev().find(|segment| segment.first <= seq).copied()
}

/// The file and offset where a record should be and is not.
fn where_it_breaks(segments: &[&SegmentFile], seq: Seq) -> (String, usize) {
    match segment_of(segments, seq) {
        Some(segment) if segment.unreadable.is_some() => (segment.path().display().to_string(), 0),
        Some(segment) => (segment.path().display().to_string(), segment.scan.end),
        None => (WAL_DIR.to_owned(), 0),
    }
}

fn is_last_of(segments: &[&SegmentFile], segment: &SegmentFile) -> bool {
    segments.last().is_some_and(|last| last.first == segment.first)
}
