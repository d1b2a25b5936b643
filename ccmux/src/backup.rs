//! `ccmux backup` and `ccmux restore`: a state directory as one file, and back.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::bail;
use ccmux_protocol::rendezvous::{LockOutcome, Place, lock_or_holder};
use ccmux_server::backup::{BackupError, Unpacked, back_up, check_place};
use ccmux_server::doctor::{Examination, Finding, Holdings, Severity};
use clap::Parser;

use crate::offline::{lock, parse};

/// Write everything that a server keeps to one compressed file, and check that it can be restored.
///
/// The server may be running. Exits with 1 if what was kept is itself damaged; what is wrong is said.
#[derive(Debug, Parser)]
#[command(name = "ccmux backup", bin_name = "ccmux backup")]
struct BackupArgs {
    /// The new file.
    file: PathBuf,
}

/// Put a backup in the place of a server's state. No server and none of its programs may be running.
#[derive(Debug, Parser)]
#[command(name = "ccmux restore", bin_name = "ccmux restore")]
struct RestoreArgs {
    /// Move a state that is there already aside.
    #[arg(long)]
    replace: bool,
    /// The file that `ccmux backup` wrote.
    file: PathBuf,
}

/// Makes a backup of the state of `place`. Returns the exit status.
pub(crate) fn run_backup(place: &Place, args: Vec<OsString>) -> anyhow::Result<u8> {
    let args: BackupArgs = match parse("ccmux backup", args) {
        Ok(args) => args,
        Err(code) => return Ok(code),
    };
    let directory = &place.state_dir;
    if !directory.is_dir() {
        bail!("there is no state directory at {}", directory.display());
    }
    // Kept, if it is free: then no server changes anything meanwhile.
    let lock = match place.lock_path().exists().then(|| lock_or_holder(place)).transpose()? {
        Some(LockOutcome::Locked(lock)) => Some(lock),
        Some(LockOutcome::Held(_)) | None => None,
    };
    let made = back_up(directory, &args.file, lock.is_none())?;
    writeln!(
        io::stdout(),
        "{}: {} in {} bytes",
        args.file.display(),
        summary(&made.contents),
        made.bytes
    )?;
    Ok(u8::from(complain(&made.contents.findings)))
}

/// Restores a backup as the state of `place`. Returns the exit status.
pub(crate) fn run_restore(place: &Place, uid: u32, args: Vec<OsString>) -> anyhow::Result<u8> {
    let args: RestoreArgs = match parse("ccmux restore", args) {
        Ok(args) => args,
        Err(code) => return Ok(code),
    };
    let mut held = lock(place)?;
    advised(check_place(&place.state_dir, args.replace))?;
    let unpacked = Unpacked::open(&args.file, &place.state_dir)?;
    if held.is_none() {
        // From here on there is a lock, and no server comes in between.
        place.prepare(uid)?;
        drop(lock_or_holder(place)?);
        held = lock(place)?;
    }
    let restored = advised(unpacked.put_in_place(args.replace))?;
    drop(held);
    let mut out = io::stdout();
    writeln!(out, "{}: {}", place.state_dir.display(), summary(&restored.contents))?;
    if let Some(before) = restored.before {
        writeln!(out, "what was there before is in {}", before.display())?;
    }
    Ok(u8::from(complain(&restored.contents.findings)))
}

fn summary(contents: &Examination) -> String {
    let Holdings { sessions, panes, lines, spooled_bytes, .. } = contents.holds;
    format!(
        "{sessions} sessions, {panes} panes, {lines} history lines and {spooled_bytes} bytes of \
         output behind them"
    )
}

/// Adds what a person can do about an error.
fn advised<T>(result: Result<T, BackupError>) -> anyhow::Result<T> {
    match result {
        Err(error @ BackupError::Occupied { .. }) => bail!("{error}; --replace moves it aside"),
        Err(error @ BackupError::InUse { .. }) => bail!("{error}; kill-server ends them"),
        result => Ok(result?),
    }
}

/// Says what is wrong with a state; returns whether anything is.
fn complain(findings: &[Finding]) -> bool {
    let mut is_wrong = false;
    for finding in findings.iter().filter(|finding| finding.severity > Severity::Note) {
        is_wrong = true;
        let Finding { severity, place, what, .. } = finding;
        // Nobody may be left to tell.
        let _ = writeln!(io::stderr(), "ccmux: {severity}: {place}: {what}");
    }
    is_wrong
}
