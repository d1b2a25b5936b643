//! What reads bytes that others wrote, fed with any bytes at all: one function for each format.
//!
//! Each [`Target`] takes an input and panics where something is wrong: with what reads it, or with a
//! property that holds for every input. What decodes encodes again to the same meaning; recovering
//! twice gives the same; nothing is read forever, nothing comes out that is longer than its limit.
//!
//! Two callers: the fuzz targets in `fuzz/`, which look for inputs that break something, and the
//! tests here, which run what they have found, and a fixed number of mutations of it, on every
//! change. Checksums would stop nearly every mutated input at the door, so inputs are tried as they
//! are and then once more with their checksums made right (`repair`).

mod files;
mod pack;
pub(super) mod repair;
mod seeds;
mod stash;
mod streams;
#[cfg(test)]
mod tests;
mod texts;

pub use self::seeds::{SeedError, seeds};

/// A format, and what is tried with it.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The directory of its corpus in `fuzz/corpus`, and the fuzz target.
    pub name: &'static str,
    /// Tries an input; returns whether it was understood at least in part.
    pub run: fn(&[u8]) -> bool,
}

/// Every format.
pub const TARGETS: &[Target] = &[
    Target { name: "log", run: files::log },
    Target { name: "record", run: files::record },
    Target { name: "checkpoint", run: files::checkpoint },
    Target { name: "spool", run: files::spool },
    Target { name: "keyframe", run: files::keyframe },
    Target { name: "chunk", run: files::chunk },
    Target { name: "terminal", run: streams::terminal },
    Target { name: "emulator", run: streams::emulator },
    Target { name: "history", run: streams::history },
    Target { name: "frames", run: streams::frames },
    Target { name: "keeper", run: ccmux_keeper::fuzz_connection },
    Target { name: "stash", run: stash::stash },
    Target { name: "commands", run: texts::commands },
    Target { name: "format", run: texts::format },
    Target { name: "layout", run: texts::layout },
    Target { name: "input", run: texts::input },
];

/// Tries an input with the target of that name, for the fuzz targets.
///
/// # Panics
/// If something is wrong, or there is no such target.
pub fn fuzz(name: &str, input: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.expect("the name of a target").run)(input);
}
