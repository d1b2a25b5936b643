//! Random scripts on the simulated disk, which is as fast as memory and can do anything to a file.
//!
//! The scripts are a test of `ccmux-server` that is ignored otherwise: the simulated disk and the
//! models are no part of any library.

use anyhow::{Context as _, Result};

const TEST: &str = "persistence::tests::torture::for_minutes";

/// Runs scripts for so long.
pub(super) fn run(seed: u64, minutes: u64) -> Result<()> {
    test(&[format!("seed={seed}"), format!("minutes={minutes}")])
}

/// Runs one script again.
pub(super) fn repeat(case: u64) -> Result<()> {
    test(&[format!("case={case}")])
}

fn test(arguments: &[String]) -> Result<()> {
    let repeat = "a promise was broken; `--case NUMBER` repeats the script";
    super::run_ignored("ccmux-server", TEST, arguments).context(repeat)
}
