//! How soon output survives a power cut, beside a log without a server.
//!
//! The server itself measures it, for its `status`: from the moment at which it has taken a piece of
//! output from a pane until the sync that covers it is done. Both are measured in turn, in short slices: what the
//! disk and other processes are doing at the time is the same for both.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use ccmux_testkit::TestEnv;
use clap::Args;

use super::bare_log::{self, Load, SyncLag};
use super::world::{attach, pause, wait_quiet};
use super::{Bench, Budget, Measure};
use crate::bench::flood;
use crate::bench::report::{Unit, float, median};
use crate::bench::screen::now;

const PANES: u32 = 24;
/// A program prints so often.
const TICK: Duration = Duration::from_millis(20);
/// How often both are measured.
const SLICES: u64 = 4;
/// The beginning of a slice is not looked at: the pieces before it are among the newest ones until then.
const SETTLING: Duration = Duration::from_secs(4);
/// How often it is looked how long the newest pieces took, once a second.
const LOOKS: u64 = 4;
const WORST: &str = "p99 of the worst second";
/// More than all slices take, so that no program is left behind.
const PROGRAM_SECONDS: u64 = 600;

#[derive(Debug, Args)]
pub(crate) struct PrintArgs {
    /// Bytes a second.
    rate: u64,
    /// For how long, at most.
    seconds: u64,
    /// It prints while there is such a file.
    gate: PathBuf,
}

/// The program in a pane: lines at a steady rate.
pub(crate) fn print(args: &PrintArgs) -> Result<()> {
    let start = now();
    let (mut before, mut owed) = (start, 0.0);
    let mut out = std::io::stdout().lock();
    let line = b"an ordinary line of output, of about the length that programs print, 79 wide..\n";
    while start.elapsed().as_secs() < args.seconds {
        let time = now();
        let passed = (time - before).as_secs_f64();
        before = time;
        owed = if args.gate.exists() { owed + float(args.rate) * passed } else { 0.0 };
        let mut piece = Vec::new();
        while owed > 0.0 {
            piece.extend_from_slice(line);
            owed -= float(line.len() as u64);
        }
        out.write_all(&piece)?;
        out.flush()?;
        pause(TICK);
    }
    Ok(())
}

/// What the slices of one of the two show.
#[derive(Debug, Default)]
struct Slices {
    p50: Vec<f64>,
    p99: Vec<f64>,
    /// That of the worst second of each slice.
    worst: Vec<f64>,
}

impl Slices {
    fn take(&mut self, looks: &[SyncLag]) {
        self.p50.extend(looks.iter().map(|look| look.p50));
        self.p99.extend(looks.iter().map(|look| look.p99));
        self.worst.push(looks.iter().map(|look| look.p99).fold(0.0, f64::max));
    }

    /// Of the middle second, of the middle slice's worst one, and of the worst of all.
    fn numbers(&mut self) -> [(&'static str, f64); 4] {
        let worst = self.worst.iter().copied().fold(0.0, f64::max);
        [
            ("p50", median(&mut self.p50)),
            ("p99", median(&mut self.p99)),
            ("p99 of a slice's worst second", median(&mut self.worst)),
            (WORST, worst),
        ]
    }
}

pub(super) fn run(bench: &Bench, place: &Path) -> Result<Vec<Measure>> {
    let bare = flood::bare_rate(bench)?;
    let each = bare / 2.0 * 1e6 / f64::from(PANES);
    let env = TestEnv::new_below(&bench.executables.ccmux, place);
    let gate = env.home().join("gate");
    let printer = std::env::current_exe()?;
    let program =
        format!("exec {} print {each:.0} {PROGRAM_SECONDS} {}", printer.display(), gate.display());
    env.ok(&["new-session", "-d", "-x", "80", "-y", "24", "exec tail -f /dev/null"]);
    let _terminal = attach(&env)?;
    for _ in 0..PANES {
        env.ok(&["new-window", "-d", &program]);
    }
    let (mut ours, mut peers, mut rates) = (Slices::default(), Slices::default(), Vec::new());
    for _ in 0..SLICES {
        File::create_new(&gate)?;
        let (start, before) = (now(), printed(&env));
        ours.take(&watch(|| lag(&env))?);
        let rate = (printed(&env) - before) * 1000 / u64::try_from(start.elapsed().as_millis())?;
        rates.push(float(rate) / 1e6);
        fs::remove_file(&gate)?;
        wait_quiet(&env)?;
        let load = Load { rate, every: TICK / PANES };
        peers.take(&bare_log::run(place, load, |lag| watch(|| Ok(lag())))??);
    }
    let rate = Measure {
        limit: Some(bare),
        ..Measure::new(format!("{PANES} panes print"), Unit::MegabytesPerSecond, median(&mut rates))
    };
    let compared = ours.numbers().into_iter().zip(peers.numbers());
    let compared = compared.map(|((name, value), (_, limit))| Measure {
        limit: Some(limit),
        budget: (name == WORST).then_some(Budget::Most(50.0)),
        ..Measure::new(
            format!("output durable after, {PANES} panes, beside a bare log, {name}"),
            Unit::Milliseconds,
            value,
        )
    });
    Ok([rate].into_iter().chain(compared).collect())
}

/// Looks at the newest pieces, once the slice has settled.
fn watch(look: impl Fn() -> Result<SyncLag>) -> Result<Vec<SyncLag>> {
    pause(SETTLING);
    let looks = (0..LOOKS).map(|_| {
        pause(Duration::from_secs(1));
        look()
    });
    looks.collect()
}

/// How long the server's newest pieces took.
fn lag(env: &TestEnv) -> Result<SyncLag> {
    let status = env.status();
    let output = |what: &str| {
        let micros = status["output"][what].as_u64().context("the status tells it")?;
        anyhow::Ok(float(micros) / 1e3)
    };
    Ok(SyncLag { p50: output("sync_p50_us")?, p99: output("sync_p99_us")? })
}

/// Bytes of output that the server has taken.
fn printed(env: &TestEnv) -> u64 {
    let status = env.status();
    let panes = status["panes"].as_array().expect("the status has panes");
    panes.iter().filter_map(|pane| pane["offset"].as_u64()).sum()
}
