//! Random scripts on the simulated disk: work, faults, accidents, accidents inside the recovery from
//! accidents, decay. The suite runs a fixed few, `cargo xtask torture --minutes` others for longer.
//!
//! A script follows from its seed alone. One that fails is made shorter before it is shown.

mod found;
mod script;

use std::fmt::Debug;
use std::time::{Duration, Instant};

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use crate::persistence::scrollback::tests::script as output;
use crate::persistence::sim::Random;

pub(in crate::persistence) use self::script::decay;

/// How often a script that fails is made shorter, at most.
const SHRINKS_MAX: u32 = 2000;

/// Runs `cases` scripts that follow from `seed`; the error tells of the first that fails.
fn check<S: Strategy>(
    seed: u64,
    cases: u32,
    scripts: &S,
    run: fn(&S::Value) -> Result<(), String>,
) -> Result<(), String>
where
    S::Value: Debug,
{
    let (mut random, mut bytes) = (Random::new(seed), [0; 32]);
    for part in bytes.chunks_mut(8) {
        part.copy_from_slice(&random.next_u64().to_le_bytes());
    }
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: SHRINKS_MAX,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let result = TestRunner::new_with_rng(config, rng)
        .run(scripts, |script| run(&script).map_err(proptest::test_runner::TestCaseError::fail));
    result.map_err(|error| match error {
        TestError::Fail(why, script) => format!("{why}\nthe shortest script: {script:#?}"),
        TestError::Abort(why) => why.to_string(),
    })
}

/// What a seed stands for: a script for the log, and one for what panes print.
fn check_both(seed: u64, cases: u32) -> Result<(), String> {
    check(seed, cases, &script::scripts(), script::run)?;
    check(seed, cases, &output::scripts(), output::run)
}

/// Goal: P1 to P5 and P8, for the log and for output. Method: scripts of everything that happens to a
/// server and its disk, each checked against a model in memory after each accident.
#[test]
fn random_scripts_keep_every_promise() {
    check_both(1, 24).unwrap();
}

/// The number that an argument of the test program gives, as in `minutes=10`.
fn argument(name: &str) -> Option<u64> {
    let value = |arg: String| arg.strip_prefix(name)?.strip_prefix('=')?.parse().ok();
    std::env::args().find_map(value)
}

/// The same with other seeds, for minutes; `cargo xtask torture --seed N --minutes M` runs it, and
/// `--case N` repeats a script that failed.
#[test]
#[ignore = "takes the minutes that it is given"]
#[expect(clippy::disallowed_methods, reason = "it is bounded by wall-clock time")]
fn for_minutes() {
    if let Some(case) = argument("case") {
        return check_both(case, 1).unwrap();
    }
    let limit = Duration::from_secs(argument("minutes").unwrap_or(1) * 60);
    let seed = argument("seed").unwrap_or(1);
    let (mut random, mut scripts, start) = (Random::new(seed), 0, Instant::now());
    while start.elapsed() < limit {
        let case = random.next_u64();
        if let Err(why) = check_both(case, 1) {
            panic!("case {case} (number {scripts} of seed {seed}): {why}");
        }
        scripts += 1;
    }
    println!("{scripts} scripts for the log and as many for output kept every promise");
}
