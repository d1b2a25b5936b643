//! Keeper and ring against a server, in every interleaving, as long as there are others: a test of
//! `ccmux-keeper` that is ignored otherwise.

use anyhow::{Context as _, Result};

const TEST: &str =
    "ring::model::search::neither_longer_output_nor_more_refusals_break_the_contract";

/// Searches everything. There is no seed in it.
pub(super) fn run() -> Result<()> {
    super::run_ignored("ccmux-keeper", TEST, &[]).context("a promise was broken")
}
