//! `ccmux backup` and `ccmux restore`: a state directory as one file, and back.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::bail;
use ccmux_client::{ClientOptions, ask};
use ccmux_protocol::rendezvous::{LockOutcome, Place, Surroundings, lock_or_holder};
use ccmux_server::backup::{BackupError, Unpacked, back_up, check_place};
use ccmux_server::doctor::{Examination, Finding, Holdings, Severity};
use clap::Parser;

use crate::offline::{lock, parse};
use crate::words::words;

/// Write everything that a server keeps to one compressed file, and check that it can be restored.
///
/// The server may be running. Exits with 1 if what was kept is itself damaged, or if the server has
/// what is not on the disk; what is wrong or missing is said.
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
pub(crate) fn run_backup(
    place: &Place,
    surroundings: Surroundings,
    args: Vec<OsString>,
) -> anyhow::Result<u8> {
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
    let is_live = lock.is_none() && place.lock_path().exists();
    let status = status_of(place, surroundings);
    // Before and after: it may have been so for a moment only, in which something was missed.
    let before = is_live.then(&status);
    let made = back_up(directory, &args.file, lock.is_none())?;
    let after = is_live.then(&status);
    let held = [before, after].into_iter().flatten().map(Held::new).max().unwrap_or_default();
    let (file, bytes) = (args.file.display(), made.bytes);
    let private = match held.private.as_slice() {
        [] => String::new(),
        panes => format!("; nothing that private panes have printed: {}", panes.join(" ")),
    };
    writeln!(io::stdout(), "{file}: {} in {bytes} bytes{private}", summary(&made.contents))?;
    if let Some(missing) = &held.missing {
        // Nobody may be left to tell.
        let _ = writeln!(io::stderr(), "ccmux: warning: {missing}");
    }
    Ok(u8::from(complain(&made.contents.findings) || held.missing.is_some()))
}

/// How the server of `place` is asked for its status.
fn status_of(
    place: &Place,
    surroundings: Surroundings,
) -> impl Fn() -> anyhow::Result<serde_json::Value> {
    let options = ClientOptions {
        place: place.clone(),
        launch: surroundings.launch(place, &[]),
        never_starts: true,
        surroundings,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        argv: vec!["status".into(), "--json".into()],
    };
    move || Ok(serde_json::from_slice(&ask(&options)?.stdout)?)
}

/// What a server has that is not on the disk.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
struct Held {
    /// What should be there and is not, and why, in words.
    missing: Option<String>,
    /// The panes of which nothing is to be there.
    private: Vec<String>,
}

impl Held {
    fn new(status: anyhow::Result<serde_json::Value>) -> Self {
        let status = match status {
            Ok(status) => status,
            Err(error) => {
                let why = words(&error);
                let missing = format!("whether everything was on the disk is not known: {why}");
                return Self { missing: Some(missing), private: Vec::new() };
            }
        };
        let panes = status["panes"].as_array().map(Vec::as_slice).unwrap_or_default();
        let named = |is_wanted: &dyn Fn(&serde_json::Value) -> bool| -> Vec<String> {
            let wanted = panes.iter().filter(|pane| is_wanted(pane));
            wanted.filter_map(|pane| pane["id"].as_str().map(str::to_owned)).collect()
        };
        let is_private = |pane: &serde_json::Value| pane["private"] == true;
        let private = named(&is_private);
        if status["durable"] == true {
            return Self { missing: None, private };
        }
        let why = status["degraded"].as_str().unwrap_or("it does not say why");
        let mut missing = vec![format!(
            "the server is degraded ({why}): this is a backup of what is on the disk, make another \
             when `ccmux status` calls everything durable"
        )];
        let (durable, issued) = (&status["log"]["durable"], &status["log"]["issued"]);
        if durable.as_u64() < issued.as_u64() {
            missing.push(format!("changes after {durable} up to {issued} may be missing"));
        }
        let away = named(&|pane| !is_private(pane) && pane["kept"] != "disk");
        if !away.is_empty() {
            missing.push(format!("what these panes print now is missing: {}", away.join(" ")));
        }
        Self { missing: Some(missing.join("; ")), private }
    }
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
    if contents.worst() == Some(Severity::Refusal) {
        return "what this version cannot read".to_owned();
    }
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_server_has_alone_is_told() {
        let status = |durable: bool, last: u64| {
            json!({
                "durable": durable,
                "degraded": (!durable).then_some("no room"),
                "log": { "issued": last, "durable": 7 },
                "panes": [
                    { "id": "%0", "kept": "disk", "private": false },
                    { "id": "%1", "kept": "keeper", "private": true },
                    { "id": "%2", "kept": "server", "private": false },
                ],
            })
        };
        let held = Held::new(Ok(status(true, 7)));
        assert_eq!(held, Held { missing: None, private: vec!["%1".to_owned()] });
        let missing = Held::new(Ok(status(false, 9))).missing.expect("something is");
        for words in ["degraded (no room)", "; changes after 7 up to 9 may", "is missing: %2"] {
            assert!(missing.contains(words), "{words}: {missing}");
        }
        assert!(!missing.contains("%0") && !missing.contains("%1"), "{missing}");
        let missing = Held::new(Ok(status(false, 7))).missing.expect("something is");
        assert!(!missing.contains("changes"), "{missing}");
        let missing = Held::new(Err(anyhow::anyhow!("it is stopped"))).missing;
        assert!(missing.is_some_and(|words| words.ends_with("is not known: it is stopped")));
    }
}
