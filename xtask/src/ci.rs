//! What CI runs, step by step: checks, tests, real crashes for a few minutes, and the flake hunt:
//! the suite again and again on a loaded machine.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use rustix::process::geteuid;

use crate::torture::{NOT_ALLOWED, NOT_INSTALLED};

#[derive(Debug, Args)]
pub(crate) struct CiArgs {
    /// How often the suite is repeated under load; fewer than this fitting is a failure.
    #[arg(long, default_value_t = 20)]
    runs: u32,
    /// How long the repeated runs may take together, in minutes.
    #[arg(long, default_value_t = 40)]
    minutes: u64,
    /// Only the flake hunt.
    #[arg(long)]
    only_flakes: bool,
}

/// How long servers, keepers and disks are made to crash.
const TORTURE_MINUTES: &str = "4";

/// The README's test command.
const TEST: &[&str] = &["test", "--workspace"];

const STEPS: &[(&str, &[&str])] = &[
    ("format", &["fmt", "--all", "--check"]),
    ("lints", &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]),
    ("docs", &["doc", "--workspace", "--no-deps", "--locked"]),
    ("mutants fit", &["xtask", "mutants", "--check"]),
    ("tests", TEST),
];

/// Runs every step; the first failure ends it.
pub(crate) fn run(args: &CiArgs) -> Result<()> {
    if !args.only_flakes {
        for (name, words) in STEPS {
            println!("== {name}: cargo {}", words.join(" "));
            let status = cargo(words).status().context("cargo starts")?;
            ensure!(status.success(), "step `{name}` failed");
        }
        crash()?;
    }
    hunt_flakes(args)
}

fn cargo(words: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(words).env("RUSTDOCFLAGS", "-D warnings");
    // Most tests wait for other processes most of the time.
    command.env("RUST_TEST_THREADS", (3 * cores()).to_string());
    command
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}

/// Real crashes. What the kernel of this machine does not allow is left out, loudly: a container may
/// well run as root and have neither loop devices nor ptrace, and no change of ccmux mends that. For
/// root a tool that is not installed is a failure, because that can be mended.
fn crash() -> Result<()> {
    let words = ["torture", "--real", "--minutes", TORTURE_MINUTES];
    println!("== real crashes: cargo xtask {}", words.join(" "));
    let status = Command::new(std::env::current_exe()?).args(words).status()?;
    match status.code() {
        Some(0) => {}
        Some(code) if code == i32::from(NOT_ALLOWED) => {
            println!("== real crashes: SOME WERE LEFT OUT, this machine does not allow them");
        }
        Some(code) if code == i32::from(NOT_INSTALLED) && !geteuid().is_root() => {
            println!("== real crashes: SOME WERE LEFT OUT, their tools are not installed");
        }
        _ => bail!("step `real crashes` failed"),
    }
    Ok(())
}

/// Busy loops, one per core, that end with this value.
struct Load(Vec<Child>);

impl Load {
    fn start() -> Result<Self> {
        let mut load = Self(Vec::new());
        for _ in 0..cores() {
            let burner = Command::new("sh").args(["-c", "while :; do :; done"]).spawn();
            load.0.push(burner.context("the load starts")?);
        }
        Ok(load)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // A burner that is gone already is as good as one that was ended here.
            let _ = child.kill().and_then(|()| child.wait());
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the hunt is bounded by wall-clock time")]
fn hunt_flakes(args: &CiArgs) -> Result<()> {
    let _load = Load::start()?;
    let (start, limit) = (Instant::now(), Duration::from_secs(args.minutes * 60));
    for run in 1..=args.runs {
        if start.elapsed() >= limit {
            bail!("only {} of {} runs fit into {} minutes", run - 1, args.runs, args.minutes);
        }
        let began = Instant::now();
        let output = cargo(TEST).stdin(Stdio::null()).output().context("cargo starts")?;
        if !output.status.success() {
            println!("{}", String::from_utf8_lossy(&output.stdout));
            println!("{}", String::from_utf8_lossy(&output.stderr));
            bail!("run {run} of {} under load failed", args.runs);
        }
        println!("run {run} under load: passed in {:.1} s", began.elapsed().as_secs_f64());
    }
    println!("flake hunt: {} runs in {:.0} s", args.runs, start.elapsed().as_secs_f64());
    Ok(())
}
