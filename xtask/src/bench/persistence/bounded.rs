//! How much of the disk a long flood takes when that is limited.

use std::path::Path;

use anyhow::Result;
use ccmux_testkit::TestEnv;

use super::world::{disk_bytes, history_bytes, wait_until};
use super::{Bench, Budget, Measure};
use crate::bench::payload::Payload;
use crate::bench::report::{Unit, float};

/// What flows: an hour's worth at a megabyte a second.
const BYTES: u64 = 3_600_000_000;
/// How much of it in one file, printed again and again.
const FILE_BYTES: u64 = 32 << 20;
const PANES: u32 = 4;
/// The limit of each pane and of all, in MiB.
const LIMITS: (u32, u32) = (24, 64);

pub(super) fn run(bench: &Bench, place: &Path) -> Result<Vec<Measure>> {
    let env = TestEnv::new_below(&bench.executables.ccmux, place);
    let file = env.home().join("flood");
    let bytes = Payload::Coloured.write(&file, FILE_BYTES)?;
    let times = BYTES.div_ceil(bytes * u64::from(PANES));
    env.ok(&["new-session", "-d", "-x", "80", "-y", "24", "exec tail -f /dev/null"]);
    env.ok(&["set-option", "-wg", "history-disk-limit", &LIMITS.0.to_string()]);
    env.ok(&["set-option", "-s", "history-disk-total", &LIMITS.1.to_string()]);
    for n in 0..PANES {
        let program = format!(
            "for i in $(seq {times}); do cat {}; done; : > {}; exec tail -f /dev/null",
            file.display(),
            env.home().join(format!("done{n}")).display()
        );
        env.ok(&["new-window", "-d", &program]);
    }
    let (mut history, mut whole) = (0, 0);
    wait_until("the flood comes to its end", || {
        history = history.max(history_bytes(&env));
        whole = whole.max(disk_bytes(&env.state_dir(), &|_| true));
        (0..PANES).all(|n| env.home().join(format!("done{n}")).exists())
    })?;
    let mebibytes = |bytes: u64| float(bytes) / 1024.0 / 1024.0;
    let what = "of 3.6 GB through 4 panes";
    Ok(vec![
        Measure {
            limit: Some(f64::from(LIMITS.1)),
            budget: Some(Budget::MostRatio(1.0)),
            ..Measure::new(
                format!("history {what}, at most, beside its limit"),
                Unit::Mebibytes,
                mebibytes(history),
            )
        },
        Measure::new(format!("whole state {what}, at most"), Unit::Mebibytes, mebibytes(whole)),
    ])
}
