//! How soon output survives a power cut.
//!
//! The server itself measures it, for its `status`: from the moment at which it has taken a piece of
//! output from a pane until the sync that covers it is done.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use ccmux_testkit::TestEnv;
use clap::Args;

use super::world::{attach, pause};
use super::{Bench, Budget, Measure};
use crate::bench::flood;
use crate::bench::report::{Unit, float, median};
use crate::bench::screen::now;

const PANES: u32 = 24;
/// How long the panes print.
const TIME: Duration = Duration::from_secs(14);
/// The beginning, with its starts of programs, is not looked at.
const SETTLING: Duration = Duration::from_secs(3);
/// A program prints so often.
const TICK: Duration = Duration::from_millis(20);

#[derive(Debug, Args)]
pub(crate) struct PrintArgs {
    /// Bytes a second.
    rate: u64,
    /// For how long.
    seconds: u64,
}

/// The program in a pane: lines at a steady rate.
pub(crate) fn print(args: &PrintArgs) -> Result<()> {
    let (start, mut printed) = (now(), 0);
    let mut out = std::io::stdout().lock();
    let line = b"an ordinary line of output, of about the length that programs print, 79 wide..\n";
    while start.elapsed().as_secs() < args.seconds {
        let elapsed = u64::try_from(start.elapsed().as_millis())?;
        let due = args.rate * elapsed / 1000;
        let mut piece = Vec::new();
        while printed < due {
            piece.extend_from_slice(line);
            printed += line.len() as u64;
        }
        out.write_all(&piece)?;
        out.flush()?;
        pause(TICK);
    }
    Ok(())
}

pub(super) fn run(bench: &Bench, place: &Path) -> Result<Vec<Measure>> {
    let bare = flood::bare_rate(bench)?;
    let wanted = bare / 2.0;
    let printer = std::env::current_exe()?;
    let each = wanted * 1e6 / f64::from(PANES);
    let seconds = (TIME + SETTLING).as_secs();
    let program = format!("exec {} print {each:.0} {seconds}", printer.display());
    let env = TestEnv::new_below(&bench.executables.ccmux, place);
    env.ok(&["new-session", "-d", "-x", "80", "-y", "24", "exec tail -f /dev/null"]);
    let _terminal = attach(&env)?;
    for _ in 0..PANES {
        env.ok(&["new-window", "-d", &program]);
    }
    pause(SETTLING);
    let (start, before) = (now(), printed(&env));
    let (mut p50, mut p99) = (Vec::new(), Vec::new());
    while start.elapsed() + Duration::from_secs(2) < TIME {
        pause(Duration::from_secs(1));
        let status = env.status();
        let output = |what: &str| status["output"][what].as_u64().context("the status tells it");
        p50.push(float(output("sync_p50_us")?) / 1e3);
        p99.push(float(output("sync_p99_us")?) / 1e3);
    }
    let rate = float(printed(&env) - before) / 1e6 / start.elapsed().as_secs_f64();
    // Each is of the last few thousand pieces: the worst of them counts.
    let worst = p99.iter().copied().fold(0.0, f64::max);
    let what = format!("output durable after, {PANES} panes");
    Ok(vec![
        Measure {
            limit: Some(bare),
            ..Measure::new(format!("{PANES} panes print"), Unit::MegabytesPerSecond, rate)
        },
        Measure::new(format!("{what}, p50"), Unit::Milliseconds, median(&mut p50)),
        Measure {
            budget: Some(Budget::Most(50.0)),
            ..Measure::new(format!("{what}, p99 of the worst second"), Unit::Milliseconds, worst)
        },
    ])
}

/// Bytes of output that the server has taken.
fn printed(env: &TestEnv) -> u64 {
    let status = env.status();
    let panes = status["panes"].as_array().expect("the status has panes");
    panes.iter().filter_map(|pane| pane["offset"].as_u64()).sum()
}
