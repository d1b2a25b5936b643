//! What reads bytes that others wrote, fed with any bytes at all: one function for each format.
//!
//! Each [`Target`] takes an input and panics where something is wrong: with what reads it, or with a
//! property that holds for every input. What decodes encodes again to the same meaning; recovering
//! twice gives the same; nothing is read forever, nothing comes out that is longer than its limit.
//!
//! Two callers: the fuzz targets in `fuzz/`, which look for inputs that break something, and the
//! tests here, which run what they have found, and a fixed number of mutations of it, on every
//! change. Checksums would stop nearly every mutated input at the door, so inputs are tried as they
//! are and with their checksums made right (`repair`): one after the other, or, where trying takes
//! long, as the first byte of the input says, which the tests set to each way.

mod files;
mod pack;
pub(crate) mod repair;
mod seeds;
mod stash;
mod streams;
#[cfg(test)]
mod tests;
mod texts;

pub use self::seeds::{SeedError, seeds};
use crate::backup::fuzzing as backup;
use crate::client::fuzzing as client;

/// A format, and what is tried with it.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The directory of its corpus in `fuzz/corpus`, and the fuzz target.
    pub name: &'static str,
    /// Tries an input; returns whether it was understood at least in part.
    pub run: fn(&[u8]) -> bool,
    /// In how many ways an input can be tried, of which its first byte says one; 1 if it says none.
    pub ways: u8,
}

impl Target {
    const fn new(name: &'static str, run: fn(&[u8]) -> bool) -> Self {
        Self { name, run, ways: 1 }
    }

    const fn with_ways(self, ways: u8) -> Self {
        Self { ways, ..self }
    }
}

/// Every format.
pub const TARGETS: &[Target] = &[
    Target::new("log", files::log).with_ways(files::FILE_WAYS),
    Target::new("record", files::record),
    Target::new("checkpoint", files::checkpoint),
    Target::new("spool", files::spool).with_ways(files::FILE_WAYS),
    Target::new("keyframe", files::keyframe),
    Target::new("chunk", files::chunk),
    Target::new("terminal", streams::terminal),
    Target::new("emulator", streams::emulator),
    Target::new("pictures", ccmux_term::fuzz_pictures),
    Target::new("history", streams::history),
    Target::new("frames", streams::frames),
    Target::new("keeper", ccmux_keeper::fuzz_connection),
    Target::new("stash", stash::stash),
    Target::new("backup", backup::backup).with_ways(backup::WAYS),
    Target::new("resume", client::resume),
    Target::new("commands", texts::commands),
    Target::new("format", texts::format),
    Target::new("layout", texts::layout),
    Target::new("input", texts::input),
];

/// Tries an input with the target of that name, for the fuzz targets.
///
/// # Panics
/// If something is wrong, or there is no such target.
pub fn fuzz(name: &str, input: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.expect("the name of a target").run)(input);
}
