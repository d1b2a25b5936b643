//! What it costs that nothing is forgotten, and how soon it is: the log, the spool, the history.
//!
//! Each number stands beside what the machine can do at all, measured in the same run, where there
//! is such a thing, and beside the budget that it has.

mod bare_log;
mod bounded;
mod build_log;
mod changes;
mod cost;
mod history;
mod lag;
mod recovery;
mod world;

use anyhow::Result;
use clap::ValueEnum;

use super::Bench;
use super::report::{Budget, Measure, measures};

pub(crate) use lag::PrintArgs;
pub(crate) use lag::print;

/// A disk that forgets nothing because it keeps nothing.
const MEMORY: &str = "/dev/shm";

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Part {
    /// Acknowledged changes a second.
    Changes,
    /// How soon output is durable.
    Lag,
    /// What a flood loses because it is kept.
    Cost,
    /// The next server's first frame.
    Recovery,
    /// Disk space of a build log.
    History,
    /// The limits of the history's disk space.
    Bounded,
}

/// Measures these parts, or everything if none is named, and returns it as a table.
pub(super) fn run(bench: &Bench, parts: &[Part]) -> Result<String> {
    let place = bench.place.path();
    let mut rows = Vec::new();
    for part in if parts.is_empty() { Part::value_variants() } else { parts } {
        let measured = match part {
            Part::Changes => changes::run(bench, place),
            Part::Lag => lag::run(bench, place),
            Part::Cost => cost::run(bench, place),
            Part::Recovery => recovery::run(bench, place),
            Part::History => history::run(bench, place),
            Part::Bounded => bounded::run(bench, place),
        }?;
        // A long run shows that it goes on.
        println!("{}", measures(&measured));
        rows.extend(measured);
    }
    let disk = world::file_system(place)?;
    Ok(format!("State on {disk} at {}.\n\n{}", place.display(), measures(&rows)))
}
