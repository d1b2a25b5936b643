//! The file `recovery.jsonl`: what each start has found, a line each.

use std::io;
use std::path::Path;

use ccmux_core::model::Timestamp;
use serde::Serialize;

use super::format;
use super::record::to_json;
use super::recovery::{RecoveryReport, SetAside};
use super::startup::{QUARANTINE_DIR, set_aside};
use super::storage::{Storage, StorageFile, create_dir_durably, insist, is_damage, read_full};

/// The name of the file.
pub(super) const REPORTS_FILE: &str = "recovery.jsonl";
const REPORTS_BYTES_MAX: u64 = 256 << 10;

/// What a recovery found of panes, beside the report of the log.
#[derive(Serialize)]
struct PaneFindings<'a> {
    panes: &'a [String],
}

/// Adds to `recovery.jsonl` what was found damaged of panes, for good.
pub(crate) fn keep_pane_damage(
    storage: &dyn Storage,
    now: Timestamp,
    panes: &[String],
) -> io::Result<()> {
    append_line(storage, now, &PaneFindings { panes })?.sync()?;
    storage.sync_dir(Path::new(""))
}

/// What a recovery found damaged, while the disk does not take the report. Until it does no checkpoint may hide it (P4).
#[derive(Debug)]
pub(super) struct Unkept {
    pub(super) now: Timestamp,
    pub(super) report: RecoveryReport,
    /// Why the disk did not.
    pub(super) why: String,
}

impl Unkept {
    /// Tries again.
    pub(super) fn keep(&self, storage: &dyn Storage) -> io::Result<()> {
        keep_report(storage, self.now, &self.report)
    }
}

/// Adds what a recovery did to `recovery.jsonl`; for good, if it tells of damage.
pub(super) fn keep_report(
    storage: &dyn Storage,
    now: Timestamp,
    report: &RecoveryReport,
) -> io::Result<()> {
    let file = append_line(storage, now, report)?;
    if report.is_clean() {
        return Ok(());
    }
    file.sync()?;
    storage.sync_dir(Path::new(""))
}

/// Adds a line to `recovery.jsonl`; the oldest half goes when it has become long.
fn append_line(
    storage: &dyn Storage,
    now: Timestamp,
    found: &impl Serialize,
) -> io::Result<Box<dyn StorageFile>> {
    #[derive(Serialize)]
    struct Line<'a, T> {
        time: u64,
        version: &'static str,
        #[serde(flatten)]
        found: &'a T,
    }
    let mut line = to_json(&Line { time: now.0, version: env!("CARGO_PKG_VERSION"), found });
    line.push(b'\n');
    let path = Path::new(REPORTS_FILE);
    let (file, last) = match insist(|| open_reports(storage)) {
        Ok(opened) => opened,
        // What was told before is of no use there, and what is to be told now must not be lost for it.
        Err(error) if is_damage(&error) => {
            create_dir_durably(storage, Path::new(QUARANTINE_DIR))?;
            set_aside(storage, &[SetAside::Move(path.to_owned())]);
            open_reports(storage)?
        }
        Err(error) => return Err(error),
    };
    let len = file.len()?;
    if len <= REPORTS_BYTES_MAX {
        if last != b'\n' {
            // What was being written when the power went is no line.
            line.insert(0, b'\n');
        }
        file.write_at(len, &line)?;
        return Ok(file);
    }
    let mut recent = vec![0; (REPORTS_BYTES_MAX / 2) as usize];
    let read = read_full(&*file, len - REPORTS_BYTES_MAX / 2, &mut recent)?;
    recent.truncate(read);
    let whole_lines = recent.iter().position(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let mut kept = recent.split_off(whole_lines);
    kept.extend_from_slice(&line);
    format::replace(storage, REPORTS_FILE, "recovery.tmp", &kept)?;
    storage.open(path)
}

/// Opens `recovery.jsonl`, or makes it; with its last byte, or a line feed if there is none.
fn open_reports(storage: &dyn Storage) -> io::Result<(Box<dyn StorageFile>, u8)> {
    let path = Path::new(REPORTS_FILE);
    let file = match storage.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => storage.create(path)?,
        opened => opened?,
    };
    let mut last = [b'\n'];
    if let Some(at) = file.len()?.checked_sub(1) {
        read_full(&*file, at, &mut last)?;
    }
    Ok((file, last[0]))
}
