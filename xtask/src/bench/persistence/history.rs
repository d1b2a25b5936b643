//! What 100,000 lines of a build's output take on the disk.

use std::path::Path;

use anyhow::Result;
use ccmux_testkit::TestEnv;

use super::world::{history_bytes, wait_quiet};
use super::{Bench, Measure, build_log};
use crate::bench::report::{Unit, float};

const LINES: u32 = 100_000;

pub(super) fn run(bench: &Bench, place: &Path) -> Result<Vec<Measure>> {
    let env = TestEnv::new_below(&bench.executables.ccmux, place);
    let file = env.home().join("build.log");
    let printed = build_log::write(&file, LINES)?;
    let program = format!("cat {}; printf 'OV%s' ER; exec tail -f /dev/null", file.display());
    env.ok(&["new-session", "-d", "-x", "120", "-y", "40", &program]);
    env.wait_ok(&["capture-pane", "-p"], |text| text.contains("OVER"));
    wait_quiet(&env)?;
    let mebibytes = |bytes: u64| float(bytes) / 1024.0 / 1024.0;
    Ok(vec![Measure {
        limit: Some(mebibytes(printed)),
        ..Measure::new(
            "history of a build log of 100k lines, beside its size",
            Unit::Mebibytes,
            mebibytes(history_bytes(&env)),
        )
    }])
}
