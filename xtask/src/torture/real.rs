//! Every kind of real crash in turn, as far as the machine allows it and for as long as it may take.

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::{Missing, power, storms, syscalls};

/// What of the time power cuts and kills at system calls get each; storms get the rest.
const SHARE: u32 = 4;

/// Runs storms, then kills at system calls, then power cuts. What the machine does not allow is
/// said loudly and makes the exit status.
pub(super) fn run(
    exe: &Path,
    seed: u64,
    minutes: u64,
    cannot_mount: Option<Missing>,
) -> Result<ExitCode> {
    println!("torture: real crashes, seed {seed}, {minutes} minutes");
    let (time, start) = (Duration::from_mins(minutes), now());
    let cannot_trace = syscalls::missing();
    let cannot_cut = match cannot_mount {
        None => power::refused()?,
        missing => missing,
    };
    let shares = u32::from(cannot_trace.is_none()) + u32::from(cannot_cut.is_none());
    let mut end = start + time.saturating_sub(time / SHARE * shares);
    storms::run(exe, seed, &mut |_| now() < end)?;
    if cannot_trace.is_none() {
        end += time / SHARE;
        syscalls::run_some(exe, seed, &mut |_| now() < end)?;
    }
    if cannot_cut.is_none() {
        end += time / SHARE;
        power::run(exe, seed, &mut |_| now() < end)?;
    }
    let skipped = [("kills at system calls", cannot_trace), ("power cuts", cannot_cut)].into_iter();
    let mut code = ExitCode::SUCCESS;
    for (what, missing) in skipped.filter_map(|(what, missing)| Some((what, missing?))) {
        println!("torture: SKIPPED: no {what} on this machine: {}", missing.why());
        // A tool that could be installed is the worse reason.
        if code == ExitCode::SUCCESS || matches!(missing, Missing::Tool(_)) {
            code = missing.exit_code();
        }
    }
    println!("torture: done after {:.0} s", start.elapsed().as_secs_f64());
    Ok(code)
}

#[expect(clippy::disallowed_methods, reason = "torture is bounded by wall-clock time")]
fn now() -> Instant {
    Instant::now()
}
