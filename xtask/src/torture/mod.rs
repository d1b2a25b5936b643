//! Real crashes, again and again: what the suite does once, with other seeds and for longer.
//!
//! Everything here is seeded; a failure prints the seed and the round, and the state it found is
//! kept. A machine that does not allow something is told so by an exit status of its own.

mod power;
mod script;
mod simulated;
mod syscalls;

use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};
use clap::Args;

/// The exit status if this machine does not allow what was asked for.
const NOT_ALLOWED: u8 = 3;
/// Says that mounts made from here on are seen by nobody else.
const INSIDE: &str = "--inside";

#[derive(Debug, Args)]
pub(crate) struct TortureArgs {
    /// Power cuts of a real file system (ext4 on a loop device); needs root.
    #[arg(long)]
    power: bool,
    /// SIGKILL at every so many-th system call of each kind; needs strace.
    #[arg(long, value_name = "step")]
    syscalls: Option<u32>,
    /// Scripts on the simulated disk, for so many minutes.
    #[arg(long, value_name = "minutes")]
    minutes: Option<u64>,
    /// Repeats the script on the simulated disk that a number stands for, as a failure tells it.
    #[arg(long, value_name = "number")]
    case: Option<u64>,
    /// How many power cuts.
    #[arg(long, default_value_t = 20)]
    rounds: u32,
    /// Where the random choices begin.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[arg(long, hide = true)]
    inside: bool,
}

/// Runs what was asked for; the first failure ends it.
pub(crate) fn run(args: &TortureArgs) -> Result<ExitCode> {
    if let Some(minutes) = args.minutes {
        simulated::run(args.seed, minutes)?;
    }
    if let Some(case) = args.case {
        simulated::repeat(case)?;
    }
    if !args.power && args.syscalls.is_none() {
        return Ok(ExitCode::SUCCESS);
    }
    let exe = crate::build::executable(false)?;
    if args.power {
        if let Some(why) = power::missing() {
            println!("torture: no power cuts here: {why}");
            return Ok(ExitCode::from(NOT_ALLOWED));
        }
        if !args.inside {
            return run_inside();
        }
        power::run(&exe, args.seed, args.rounds)?;
    }
    if let Some(step) = args.syscalls {
        if let Some(why) = syscalls::missing() {
            println!("torture: no kills at system calls here: {why}");
            return Ok(ExitCode::from(NOT_ALLOWED));
        }
        syscalls::run(&exe, step.max(1))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs the same in a mount namespace of its own: nothing stays mounted, however this ends.
fn run_inside() -> Result<ExitCode> {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private"]).arg(std::env::current_exe()?);
    let status = command.args(std::env::args_os().skip(1)).arg(INSIDE).status();
    let code = status.context("unshare starts")?.code().unwrap_or(1);
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}
