//! Acknowledged hard changes a second.
//!
//! The bare loop and the log alone are measured by an example of `ccmux-server`. Through the socket
//! every change is a command line with a connection of its own, as it is with the executable: the
//! writers are threads here, so that starting processes is not what is measured.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use ccmux_testkit::{Commander, TestEnv};

use super::{Bench, Budget, Measure};
use crate::bench::report::{Unit, float};
use crate::bench::screen::now;

/// How many write at once.
const WRITERS: [u32; 3] = [1, 8, 32];
/// How long each number of writers is measured.
const TIME: Duration = Duration::from_secs(3);

pub(super) fn run(bench: &Bench, place: &Path) -> Result<Vec<Measure>> {
    let example = crate::build::example("ccmux-server", "commits")?;
    let output = Command::new(example).arg(place).arg("1.5").output()?;
    ensure!(output.status.success(), "the example fails: {output:?}");
    let rates: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let rate = |name: &str| rates[name].as_f64().with_context(|| format!("no rate {name}"));
    let bare = rate("bare")?;
    let env = TestEnv::new_below(&bench.executables.ccmux, place);
    env.ok(&["new-session", "-d", "exec tail -f /dev/null"]);
    let mut rows = vec![Measure {
        limit: Some(bare),
        ..Measure::new("a bare loop in preallocated space", Unit::PerSecond, rate("preallocated")?)
    }];
    for writers in WRITERS {
        let name = format!("hard changes, the log alone, {writers} at once");
        rows.push(Measure {
            limit: Some(bare),
            // The bare loop is one writer.
            budget: (writers == 1).then_some(Budget::LeastRatio(0.8)),
            ..Measure::new(name, Unit::PerSecond, rate(&format!("log{writers}"))?)
        });
    }
    for writers in WRITERS {
        let name = format!("hard changes, by command lines, {writers} at once");
        let value = through_socket(&env, writers)?;
        rows.push(Measure { limit: Some(bare), ..Measure::new(name, Unit::PerSecond, value) });
    }
    Ok(rows)
}

fn through_socket(env: &TestEnv, writers: u32) -> Result<f64> {
    let (count, start) = (AtomicU64::new(0), now());
    let write = |writer: u32| -> Result<()> {
        let (commander, name) = (Commander::new(env), format!("@option{writer}"));
        while start.elapsed() < TIME {
            let value = count.fetch_add(1, Ordering::Relaxed).to_string();
            commander.run(&["set-option", "-g", &name, &value])?;
        }
        Ok(())
    };
    run_all(writers, &write)?;
    Ok(float(count.into_inner()) / start.elapsed().as_secs_f64())
}

/// Runs so many writers at once.
pub(super) fn run_all(writers: u32, write: &(impl Fn(u32) -> Result<()> + Sync)) -> Result<()> {
    thread::scope(|scope| {
        let threads: Vec<_> = (0..writers).map(|n| scope.spawn(move || write(n))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("a writer does not panic"))
    })
}
