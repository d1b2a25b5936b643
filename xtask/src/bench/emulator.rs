//! The emulator beside others: throughput by kind of output, memory of a line of history.
//!
//! What measures is in `bench-peers`, outside the workspace, with the others as dependencies.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use super::report::{Budget, Measure, Unit};

/// The one that budgets are relative to; the others are shown beside it.
const REFERENCE: &str = "alacritty_terminal";
const OURS: &str = "ccmux-term";
/// Bytes that a plain line of 79 characters may take.
const LINE_BYTES: f64 = 130.0;

#[derive(Deserialize)]
struct Number {
    what: String,
    peer: String,
    value: f64,
}

/// Measures everything; rows of payloads in the order in which they were measured.
pub(super) fn run() -> Result<Vec<Measure>> {
    let directory = crate::build::root()?.join("bench-peers");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["run", "--release", "--locked", "--quiet"]).current_dir(directory);
    let output = cargo.stderr(std::process::Stdio::inherit()).output().context("cargo starts")?;
    ensure!(output.status.success(), "bench-peers fails");
    let mut order = Vec::new();
    let mut numbers: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
    for line in String::from_utf8(output.stdout)?.lines() {
        let Number { what, peer, value } = serde_json::from_str(line)?;
        if !numbers.contains_key(&what) {
            order.push(what.clone());
        }
        numbers.entry(what).or_default().insert(peer, value);
    }
    let mut rows = Vec::new();
    for what in order {
        let of = |peer: &str| {
            numbers[&what].get(peer).copied().with_context(|| format!("{what} of {peer}"))
        };
        let is_line = what == "history_line";
        let unit = if is_line { Unit::Bytes } else { Unit::MegabytesPerSecond };
        let ours = of(OURS)?;
        let budget = match () {
            () if is_line => Budget::Most(LINE_BYTES),
            () if what.starts_with("dense_ascii") => Budget::LeastRatio(3.0),
            () => Budget::LeastRatio(1.2),
        };
        for (peer, value) in &numbers[&what] {
            if peer == OURS {
                continue;
            }
            rows.push(Measure {
                limit: Some(*value),
                budget: (peer == REFERENCE).then_some(budget),
                ..Measure::new(format!("{what}, beside {peer}"), unit, ours)
            });
        }
    }
    Ok(rows)
}
