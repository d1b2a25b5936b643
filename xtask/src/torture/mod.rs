//! Real crashes, again and again: what the suite does once, with other seeds and for longer.
//!
//! Everything here is seeded; a failure prints the seed and the round, and the state it found is
//! kept in `target/torture/`. A machine that does not allow something is told so by an exit status
//! of its own.

mod power;
mod real;
mod ring;
mod script;
mod simulated;
mod storms;
mod syscalls;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, ensure};
use clap::Args;

/// The exit status if this machine does not allow what was asked for.
pub(crate) const NOT_ALLOWED: u8 = 3;
/// The exit status if only a tool is missing that could be installed.
pub(crate) const NOT_INSTALLED: u8 = 4;
/// How long to go on if nobody says.
const MINUTES: u64 = 4;
/// Says that mounts made from here on are seen by nobody else.
const INSIDE: &str = "--inside";

#[derive(Debug, Args)]
pub(crate) struct TortureArgs {
    /// Storms of SIGKILL over server and keepers, kills at system calls and power cuts, as far as
    /// this machine allows them, for so many `--minutes`.
    #[arg(long)]
    real: bool,
    /// Every interleaving of keeper, server and kills at the ring, with longer output than the suite has
    /// time for.
    #[arg(long)]
    ring: bool,
    /// Power cuts of a real file system (ext4 on a loop device); needs root.
    #[arg(long)]
    power: bool,
    /// SIGKILL at every so many-th system call of each kind; needs strace.
    #[arg(long, value_name = "step")]
    syscalls: Option<u32>,
    /// Repeats the script on the simulated disk that a number stands for, as a failure tells it.
    #[arg(long, value_name = "number")]
    case: Option<u64>,
    /// How many power cuts.
    #[arg(long, default_value_t = 20)]
    rounds: u32,
    /// Where the random choices begin.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long scripts on the simulated disk are run, or `--real` may take; 4 minutes if nothing else
    /// is asked for.
    #[arg(long)]
    minutes: Option<u64>,
    #[arg(long, hide = true)]
    inside: bool,
}

/// Why something cannot be done on this machine.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Missing {
    /// A tool that could be installed.
    Tool(String),
    /// The kernel, or whoever set up this machine, does not allow it.
    Capability(String),
}

impl Missing {
    fn why(&self) -> &str {
        match self {
            Missing::Tool(why) | Missing::Capability(why) => why,
        }
    }

    fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Missing::Tool(_) => NOT_INSTALLED,
            Missing::Capability(_) => NOT_ALLOWED,
        })
    }
}

/// Runs what was asked for; the first failure ends it.
pub(crate) fn run(args: &TortureArgs) -> Result<ExitCode> {
    let minutes = args.minutes.unwrap_or(MINUTES);
    if let Some(case) = args.case {
        simulated::repeat(case)?;
        return Ok(ExitCode::SUCCESS);
    }
    if args.ring {
        ring::run()?;
        return Ok(ExitCode::SUCCESS);
    }
    if !args.real && !args.power && args.syscalls.is_none() {
        simulated::run(args.seed, minutes)?;
        return Ok(ExitCode::SUCCESS);
    }
    let exe = crate::build::executable(false)?;
    let cannot_mount = (args.real || args.power).then(power::missing).flatten();
    if args.power
        && let Some(missing) = &cannot_mount
    {
        println!("torture: no power cuts here: {}", missing.why());
        return Ok(missing.exit_code());
    }
    if (args.power || args.real) && cannot_mount.is_none() && !args.inside {
        return run_inside();
    }
    if args.real {
        return real::run(&exe, args.seed, minutes, cannot_mount);
    }
    if args.power {
        if let Some(missing) = power::refused()? {
            println!("torture: no power cuts here: {}", missing.why());
            return Ok(missing.exit_code());
        }
        power::run(&exe, args.seed, &mut |round| round <= args.rounds)?;
    }
    if let Some(step) = args.syscalls {
        if let Some(missing) = syscalls::missing() {
            println!("torture: no kills at system calls here: {}", missing.why());
            return Ok(missing.exit_code());
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

/// Runs a test of a crate's library that is ignored otherwise. What it is to do stands among its
/// arguments, where the test harness takes it for the name of one more test.
fn run_ignored(package: &str, test: &str, arguments: &[String]) -> Result<()> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["test", "--locked", "-p", package, "--lib", "--"]);
    cargo.args(["--ignored", "--exact", "--show-output", test]).args(arguments);
    let status = cargo.current_dir(crate::build::root()?).status().context("cargo starts")?;
    ensure!(status.success(), "{test} fails");
    Ok(())
}

/// Does something with a state directory. If that fails, or panics, a copy is kept under `name`.
fn keeping_evidence<T>(
    state_dir: &Path,
    name: &str,
    work: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let result = catch_unwind(AssertUnwindSafe(work));
    if !matches!(result, Ok(Ok(_))) {
        match keep(state_dir, name) {
            Ok(copy) => println!("torture: {name} failed; the state is in {}", copy.display()),
            Err(error) => println!("torture: {name} failed; the state is lost: {error}"),
        }
    }
    result.unwrap_or_else(|panic| resume_unwind(panic))
}

fn keep(state_dir: &Path, name: &str) -> Result<PathBuf> {
    let place = crate::build::root()?.join("target/torture");
    std::fs::create_dir_all(&place)?;
    let place = tempfile::Builder::new().prefix(&format!("{name}-")).tempdir_in(place)?.keep();
    let status = Command::new("cp").args(["-a", "--"]).arg(state_dir).arg(&place).status()?;
    if !status.success() {
        // The server lives on, and removes what it needs no more.
        println!("torture: not everything of it could be copied");
    }
    Ok(place)
}
