//! Speed and memory beside the installed tmux, dtach and a bare pty.
//!
//! Every number is taken of all peers in turn within one run, several rounds of it, because
//! machines differ and change; what means something is a ratio. Nothing here passes or fails: a
//! benchmark that is a test flakes, and a test that is a benchmark measures the wrong thing.

mod emulator;
mod flood;
mod latency;
mod payload;
mod peer;
mod persistence;
mod report;
mod resources;
mod screen;

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};

use peer::{Executables, Peer, Scene};
pub(crate) use persistence::{PrintArgs, print};
use report::{Row, median};
use tempfile::TempDir;

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// What to measure; everything if nothing is named.
    sections: Vec<Section>,
    /// How often each peer is measured.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Measures this executable and builds none.
    #[arg(long)]
    executable: Option<PathBuf>,
    /// Where to put what is measured on a disk; a temporary directory if it is not given.
    #[arg(long)]
    place: Option<PathBuf>,
    /// Of persistence, measures these parts alone.
    #[arg(long = "only")]
    parts: Vec<persistence::Part>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Section {
    /// Throughput of a program that floods its pane.
    Flood,
    /// Echo of keys, start, attach, restart.
    Latency,
    /// Memory, idle processor time.
    Resources,
    /// Changes a second, how soon output is durable, recovery, disk space.
    Persistence,
    /// The emulator beside others, in processor time.
    Emulator,
}

/// How measurements are made.
#[derive(Debug)]
struct Bench {
    executables: Executables,
    rounds: u32,
    /// A directory on the disk that is measured.
    place: TempDir,
}

pub(crate) fn run(args: &BenchArgs) -> Result<()> {
    let bench = Bench {
        executables: Executables {
            ccmux: match &args.executable {
                // The worlds that are measured are not here.
                Some(executable) => executable.canonicalize().context("the executable")?,
                None => crate::build::executable(true)?,
            },
        },
        rounds: args.rounds,
        place: match &args.place {
            Some(parent) => TempDir::with_prefix_in("ccmux-bench-", parent)?,
            None => TempDir::with_prefix("ccmux-bench-")?,
        },
    };
    let sections: &[Section] =
        if args.sections.is_empty() { Section::value_variants() } else { &args.sections };
    let (mut rows, mut persistence) = (Vec::new(), None);
    for section in sections {
        rows.extend(match section {
            Section::Flood => flood::run(&bench)?,
            Section::Latency => latency::run(&bench)?,
            Section::Resources => resources::run(&bench)?,
            Section::Emulator => {
                println!("\n{}", report::measures(&emulator::run()?));
                Vec::new()
            }
            Section::Persistence => {
                persistence = Some(persistence::run(&bench, &args.parts)?);
                Vec::new()
            }
        });
    }
    if !rows.is_empty() {
        println!("\n{}", report::table(&rows));
    }
    if let Some(table) = persistence {
        println!("\n{table}");
    }
    Ok(())
}

impl Bench {
    /// Measures each peer in turn, round by round, every time in a world of its own.
    fn sample<T>(
        &self,
        peers: &[Peer],
        measure: impl Fn(&Scene) -> Result<T>,
    ) -> Result<Vec<(Peer, Vec<T>)>> {
        let mut samples: Vec<(Peer, Vec<T>)> = peers.iter().map(|p| (*p, Vec::new())).collect();
        for _ in 0..self.rounds {
            for (peer, taken) in &mut samples {
                let scene = Scene::new(*peer, &self.executables);
                taken.push(measure(&scene).with_context(|| peer.name())?);
            }
        }
        Ok(samples)
    }

    /// Fills `row` with the median of each peer's rounds.
    fn compare(
        &self,
        mut row: Row,
        peers: &[Peer],
        measure: impl Fn(&Scene) -> Result<f64>,
    ) -> Result<Row> {
        for (peer, mut rounds) in self.sample(peers, measure)? {
            row.values.push((peer, median(&mut rounds)));
        }
        // A long run shows that it goes on.
        println!("{}", report::table(std::slice::from_ref(&row)).lines().last().unwrap_or(""));
        Ok(row)
    }
}
