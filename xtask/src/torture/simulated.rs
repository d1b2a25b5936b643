//! Random scripts on the simulated disk, which is as fast as memory and can do anything to a file.
//!
//! The scripts are a test of `ccmux-server` that is ignored otherwise: the simulated disk and the
//! models are no part of any library. What it is to do stands among its arguments, where the test
//! harness takes it for the name of one more test.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};

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
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["test", "--locked", "-p", "ccmux-server", "--lib", "--"]);
    cargo.args(["--ignored", "--exact", "--show-output", TEST]).args(arguments);
    let status = cargo.current_dir(crate::build::root()?).status().context("cargo starts")?;
    ensure!(status.success(), "a promise was broken; `--case NUMBER` repeats the script");
    Ok(())
}
