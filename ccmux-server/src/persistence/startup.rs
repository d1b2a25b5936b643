//! From a recovery to a running log.
//!
//! Each step leaves a disk that recovers to the same state (P3):
//! 1. the report, and after damage a sync of it: the next start will not find that damage (P4);
//! 2. the file `format`, if there is none;
//! 3. a sync of the old segments, and a verified checkpoint of the recovered state: records that
//!    were replayed may have been in memory only, if a killed server had not synced them yet, and
//!    a sync alone proves nothing if an earlier one had failed. Two checkpoints after damage, and
//!    where `mark` tells of such a failure: no segment must claim that what is in doubt was synced;
//! 4. damaged files into `quarantine/`;
//! 5. a new segment behind the highest number seen, and the file `mark`; then the last damaged
//!    segment, should no other one have stayed.
//!
//! While ends of programs may have to be taken back, no checkpoint covers them: the new segment
//! repeats the records since the newest one. After damage the second checkpoint follows that
//! segment, and holds the same state as the first; only behind that segment are damaged files put
//! into `quarantine/`, because until then nothing else has the numbers that were given out.
//!
//! If a step fails the server starts all the same, degraded, and the later ones are left undone. A report of
//! damage that could not be kept comes before the next checkpoint.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use uuid::Uuid;

use super::checkpoint::{
    CHECKPOINT_DIR, CheckpointStore, Snapshot, VerifiedCheckpoint, checkpoint_path,
};
use super::checkpointer::Checkpointer;
use super::format::{self, FORMAT_FILE, Format, LAYOUT, UuidText};
use super::recovery::breadcrumb::Breadcrumb;
use super::recovery::{Circumstances, Recovery, SetAside, recover};
use super::reports::{REPORTS_FILE, Unkept, keep_report};
use super::storage::{Storage, create_dir_durably, read_whole};
use super::wal::{
    LogHealth, LogStart, MARK_FILE, SEGMENT_BYTES_MAX, Seq, WAL_DIR, Wal, segment_path, withdraw,
};
use super::{Ends, Inherited, OpenError, OpenOptions, Persistence, Recovered, Workers};

pub(super) const QUARANTINE_DIR: &str = "quarantine";

/// Recovers a store and opens its log.
pub(super) fn open(
    storage: Arc<dyn Storage>,
    options: &OpenOptions,
    workers: Workers,
) -> Result<(Persistence, Recovered), OpenError> {
    let mut breadcrumb = Breadcrumb::read(&*storage, options.boot);
    let circumstances = Circumstances {
        now: options.now,
        boot: options.boot,
        watermarks: &options.watermarks,
        poisoned: breadcrumb.poisoned(),
    };
    let mut recovery = recover(&*storage, &circumstances, &mut breadcrumb)?;

    // First of all: what follows takes away the damage that it tells of.
    let unkept = keep_report(&*storage, options.now, &recovery.report).err().map(|error| {
        tracing::warn!(%error, "the report of the recovery could not be kept");
        Unkept { now: options.now, report: recovery.report.clone(), why: error.to_string() }
    });
    let unkept = unkept.filter(|unkept| !unkept.report.is_clean());
    let store = recovery.store.unwrap_or_else(|| new_store_id(options.entropy));
    let (mut checkpoints, settled) =
        settle(&storage, &mut recovery, store, options, unkept.as_ref());
    let led_to = recovery.follows.unwrap_or(recovery.reached).min(recovery.reached);
    if settled.is_err() && led_to < recovery.highest {
        // What was taken back is not void before a checkpoint says so. Until then nothing that is logged
        // may be taken for what follows it.
        recovery.highest = recovery.highest.next();
    }
    let durable = match settled {
        Ok(_) if recovery.carried.is_none() => recovery.highest,
        _ => recovery.outlived.max(newest(&checkpoints)).min(recovery.reached),
    };
    let start = LogStart {
        store,
        boot: options.boot,
        entropy: options.entropy,
        issued: recovery.highest,
        durable,
        // Without a checkpoint nothing proves that the records before are on the disk, nor does anything
        // while those in doubt are not logged again.
        follows: recovery.follows.filter(|_| settled.is_ok() && recovery.base.is_none()),
        carried: recovery.carried.take(),
        segments: std::mem::take(&mut recovery.segments),
        segment_bytes: options.segment_bytes,
        now: options.now,
        why: settled.as_ref().err().cloned().unwrap_or_default(),
    };
    let notify = Arc::clone(&options.notifier);
    let wal = match workers {
        Workers::Threads => Wal::start(Arc::clone(&storage), start, Arc::clone(&notify)),
        #[cfg(any(test, feature = "test-hooks"))]
        Workers::None => {
            Wal::start_without_thread(Arc::clone(&storage), start, Arc::clone(&notify))
        }
    };
    let base = recovery.base.take();
    match wal.health() {
        LogHealth::Durable if settled.is_ok() => set_aside(&*storage, &recovery.set_aside),
        // A segment that is to go in favour of another one may be removed later on.
        _ if settled.is_ok() && base.is_none() => {
            let copies = recovery.set_aside.iter().map(|file| SetAside::Copy(file.path().clone()));
            set_aside(&*storage, &copies.collect::<Vec<_>>());
        }
        _ => {}
    }
    if let Some(base) = base.filter(|_| wal.health() == LogHealth::Durable) {
        let snapshot = Snapshot { seq: recovery.highest, time: options.now, ..base };
        replace_damaged(&snapshot, &mut checkpoints, &wal);
    }
    let floor = match settled {
        Ok(Ground::Replaced) => checkpoints.repeated_floor(),
        _ => checkpoints.trim_floor(),
    };
    if let Some(floor) = floor {
        wal.trimmer().trim(&floor);
    }
    if (!recovery.report.is_clean() || recovery.is_in_doubt)
        && let Err(error) = storage.sync_dir(Path::new(WAL_DIR))
    {
        tracing::warn!(%error, "a power cut may bring damaged segments back that were removed");
    }
    if settled.is_ok() {
        breadcrumb.remove();
    }
    let format = Format {
        layout: LAYOUT,
        oldest_reader: LAYOUT,
        store: UuidText(store),
        watermark: recovery.highest,
    };
    let checkpointer =
        Checkpointer::new(storage, checkpoints, wal.trimmer(), format, notify, unkept);
    let closed_below = recovery.orphans_below();
    let recovered = Recovered {
        state: recovery.state,
        report: recovery.report,
        store,
        is_new_boot: recovery.last_boot.is_some_and(|boot| boot != options.boot),
        is_after_shutdown: recovery.is_after_shutdown,
        closed_below: recovery.closed_below,
    };
    let inherited = Inherited {
        emptied_by: recovery.emptied_by,
        ends: Ends {
            // Without a checkpoint a record has to say that they are final.
            unsettled_until: match recovery.unsettled {
                Some(unsettled) => Some(unsettled.until),
                None => (settled.is_err() && recovery.has_final_ends).then_some(options.now),
            },
            is_terminating: recovery.is_after_shutdown,
            settled_by: None,
        },
        closed_below,
    };
    Ok((Persistence::new(wal, checkpointer, workers, inherited), recovered))
}

/// What a recovered state rests on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ground {
    /// The files that were there, and what was added to them.
    Found,
    /// Two checkpoints of this start; no record was or will be between them.
    Replaced,
}

/// Makes what was recovered durable, and puts damage out of the way. The error says what failed.
fn settle(
    storage: &Arc<dyn Storage>,
    recovery: &mut Recovery,
    store: Uuid,
    options: &OpenOptions,
    unkept: Option<&Unkept>,
) -> (CheckpointStore, Result<Ground, String>) {
    let prepared = match unkept {
        Some(Unkept { why, .. }) => {
            Err(format!("cannot note in {REPORTS_FILE} what the recovery found: {why}"))
        }
        None => prepare(&**storage, recovery, store),
    };
    let good = std::mem::take(&mut recovery.good_checkpoints);
    let mut checkpoints = CheckpointStore::open(Arc::clone(storage), store, &good);
    let settled = prepared
        .and_then(|()| make_durable(&**storage, recovery, &mut checkpoints, options))
        .inspect(|_| {
            if recovery.carried.is_some() {
                // What is carried over is not durable yet.
                return;
            }
            let last = take_last_segment(recovery);
            set_aside(&**storage, &recovery.set_aside);
            recovery.set_aside = last.into_iter().collect();
            let watermark = recovery.format.map_or(Seq(0), |format| format.watermark);
            if recovery.highest > watermark
                && let Err(error) = write_format(&**storage, store, recovery.highest)
            {
                tracing::warn!(%error, "the watermark of the log could not be written");
            }
        });
    if settled.is_err() {
        recovery.carried = None;
        recovery.base = None;
    }
    (checkpoints, settled)
}

/// Takes the last segment out of what is to be moved, if no other one stays: a log without any looks like
/// one that is lost.
fn take_last_segment(recovery: &mut Recovery) -> Option<SetAside> {
    let moved = |first: &Seq| SetAside::Move(segment_path(*first));
    let last = recovery.segments.last().map(moved)?;
    let goes = |first: &Seq| recovery.set_aside.contains(&moved(first));
    recovery.segments.iter().all(goes).then(|| {
        recovery.set_aside.retain(|file| *file != last);
        last
    })
}

fn prepare(storage: &dyn Storage, recovery: &mut Recovery, store: Uuid) -> Result<(), String> {
    let made = [WAL_DIR, CHECKPOINT_DIR, QUARANTINE_DIR]
        .iter()
        .try_for_each(|dir| create_dir_durably(storage, Path::new(dir)));
    made.map_err(|error| format!("cannot create the directories of the store: {error}"))?;
    // A start that was cut short may have moved something there: it must not be gone from where it was
    // before it is there for certain.
    let synced = storage.sync_dir(Path::new(QUARANTINE_DIR));
    synced.map_err(|error| format!("cannot sync {QUARANTINE_DIR}/: {error}"))?;
    if recovery.format.is_some() {
        return Ok(());
    }
    let damaged = SetAside::Move(FORMAT_FILE.into());
    if recovery.set_aside.contains(&damaged) {
        set_aside(storage, std::slice::from_ref(&damaged));
        recovery.set_aside.retain(|file| *file != damaged);
    }
    write_format(storage, store, Seq(0))
        .map_err(|error| format!("cannot write the file {FORMAT_FILE}: {error}"))
}

fn make_durable(
    storage: &dyn Storage,
    recovery: &mut Recovery,
    checkpoints: &mut CheckpointStore,
    options: &OpenOptions,
) -> Result<Ground, String> {
    if recovery.is_marked
        && let Err(error) = withdraw(storage)
    {
        tracing::warn!(%error, "the file {MARK_FILE} vouches for more than is certain");
    }
    let synced = sync_segments(storage, recovery);
    if let Err(error) = &synced {
        tracing::warn!(%error, "the old log could not be synced; checkpoints replace it");
    }
    let is_whole = synced.is_ok() && recovery.report.is_clean() && !recovery.is_in_doubt;
    let base = recovery.base.as_ref().map(|base| base.seq);
    // A damaged file keeps its name until it is set aside: a new one must not take its place.
    let is_taken = |set_aside: &[SetAside], seq: Seq| {
        set_aside.contains(&SetAside::Move(checkpoint_path(seq)))
    };
    let is_next_taken = |set_aside: &[SetAside], seq: Seq| {
        let next = segment_path(seq.next());
        set_aside.iter().any(|file| *file.path() == next)
    };
    let is_any_taken =
        |set_aside: &[SetAside], seq| is_taken(set_aside, seq) || is_next_taken(set_aside, seq);
    if let Some(base) = recovery.base.as_ref().filter(|base| base.seq > newest(checkpoints)) {
        // It was read, and nothing proves that the disk has it.
        checkpoints.write(base).map_err(|error| error.to_string())?;
    }
    if base == Some(newest(checkpoints)) {
        // No checkpoint covers what may still have to be taken back: the new segment repeats it.
        let set_aside = &recovery.set_aside;
        while is_any_taken(set_aside, recovery.highest) {
            recovery.highest = recovery.highest.next();
        }
        recovery.base = recovery.base.take().filter(|_| !is_whole);
        return Ok(Ground::Found);
    }
    while is_any_taken(&recovery.set_aside, recovery.highest) {
        pass_number(recovery);
    }
    if recovery.highest > newest(checkpoints) || !is_whole {
        take_checkpoint(recovery, checkpoints, options)?;
    }
    if is_whole {
        return Ok(Ground::Found);
    }
    // The log behind is no second source any more, so there is a second checkpoint.
    let first = recovery.highest;
    pass_number(recovery);
    while is_any_taken(&recovery.set_aside, recovery.highest) {
        pass_number(recovery);
    }
    recovery.follows = Some(first);
    take_checkpoint(recovery, checkpoints, options)?;
    Ok(Ground::Replaced)
}

/// After damage, when the records since the newest checkpoint stand in a new segment: what they
/// follow becomes a second checkpoint right before that segment. Then nothing depends on damaged
/// files any more, and still no checkpoint covers what may have to be taken back.
fn replace_damaged(base: &Snapshot, checkpoints: &mut CheckpointStore, wal: &Wal) {
    if let Err(error) = checkpoints.write(base) {
        return tracing::warn!(%error, "the damaged log is kept, for want of a second checkpoint");
    }
    if let Some(floor) = checkpoints.repeated_floor() {
        wal.trimmer().trim(&floor);
    }
}

/// Leaves the next number to a checkpoint; no record will have it.
fn pass_number(recovery: &mut Recovery) {
    recovery.reached = recovery.highest;
    recovery.follows = Some(recovery.highest);
    recovery.highest = recovery.highest.next();
}

/// The last record that is durable because a checkpoint is.
fn newest(checkpoints: &CheckpointStore) -> Seq {
    checkpoints.newest().map_or(Seq(0), VerifiedCheckpoint::seq)
}

fn take_checkpoint(
    recovery: &Recovery,
    checkpoints: &mut CheckpointStore,
    options: &OpenOptions,
) -> Result<(), String> {
    let snapshot = Snapshot {
        seq: recovery.highest,
        time: options.now,
        state: recovery.state.clone(),
        emptied_by: recovery.emptied_by.clone(),
        is_terminating: recovery.is_after_shutdown,
        closed_below: recovery.orphans_below(),
    };
    checkpoints.write(&snapshot).map(drop).map_err(|error| error.to_string())
}

fn sync_segments(storage: &dyn Storage, recovery: &Recovery) -> io::Result<()> {
    for first in &recovery.segments {
        storage.open(&segment_path(*first))?.sync()?;
    }
    storage.sync_dir(Path::new(WAL_DIR))
}

fn write_format(storage: &dyn Storage, store: Uuid, watermark: Seq) -> io::Result<()> {
    let store = UuidText(store);
    format::write(storage, &Format { layout: LAYOUT, oldest_reader: LAYOUT, store, watermark })
}

fn new_store_id(entropy: [u8; 16]) -> Uuid {
    uuid::Builder::from_random_bytes(entropy).into_uuid()
}

/// Puts damaged files into `quarantine/`, under a number that was not used before.
///
/// What cannot be moved stays where it is and is reported again next time.
pub(super) fn set_aside(storage: &dyn Storage, files: &[SetAside]) {
    for file in files {
        let path = file.path();
        let done = quarantine_path(storage, path, 0).and_then(|to| match file {
            SetAside::Move(_) => storage.rename(path, &to),
            SetAside::Copy(_) => copy(storage, path, &to),
        });
        let done = done.and_then(|()| {
            storage.sync_dir(Path::new(QUARANTINE_DIR))?;
            storage.sync_dir(path.parent().unwrap_or(Path::new("")))
        });
        match done {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(path = %path.display(), %error, "a damaged file could not be set aside");
            }
            _ => {}
        }
    }
}

/// A path in `quarantine/` under a number that was not used before, passing over `passed` of those.
pub(super) fn quarantine_path(
    storage: &dyn Storage,
    path: &Path,
    passed: u32,
) -> io::Result<PathBuf> {
    let names = storage.list(Path::new(QUARANTINE_DIR))?;
    let number = |name: &String| name.split('-').next()?.parse::<u32>().ok();
    let next = names.iter().filter_map(number).max().unwrap_or(0) + 1 + passed;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(PathBuf::from(format!("{QUARANTINE_DIR}/{next:06}-{name}")))
}

fn copy(storage: &dyn Storage, from: &Path, to: &Path) -> io::Result<()> {
    let bytes = read_whole(&*storage.open(from)?, 2 * SEGMENT_BYTES_MAX)?;
    let copy = storage.create(to)?;
    copy.write_at(0, &bytes)?;
    copy.sync()
}
