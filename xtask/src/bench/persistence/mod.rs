//! What it costs that nothing is forgotten, and how soon it is: the log, the spool, the history.
//!
//! Each number stands beside what the machine can do at all, measured in the same run, where there
//! is such a thing, and beside the budget that it has.

mod bounded;
mod build_log;
mod changes;
mod cost;
mod history;
mod lag;
mod recovery;
mod world;

use std::path::Path;

use anyhow::Result;

use super::Bench;
use super::report::{Budget, Measure, measures};

pub(crate) use lag::PrintArgs;
pub(crate) use lag::print;

/// A disk that forgets nothing because it keeps nothing.
const MEMORY: &str = "/dev/shm";

/// Measures everything, and returns it as a table.
pub(super) fn run(bench: &Bench) -> Result<String> {
    let place = bench.place.path();
    let mut rows = Vec::new();
    for section in [
        changes::run as fn(&Bench, &Path) -> Result<Vec<Measure>>,
        lag::run,
        cost::run,
        recovery::run,
        history::run,
        bounded::run,
    ] {
        let measured = section(bench, place)?;
        // A long run shows that it goes on.
        println!("{}", measures(&measured));
        rows.extend(measured);
    }
    let disk = world::file_system(place)?;
    Ok(format!("State on {disk} at {}.\n\n{}", place.display(), measures(&rows)))
}
