//! What a flood loses because it is kept: state on the disk beside state in memory, where a sync
//! does nothing.

use std::path::Path;

use anyhow::Result;

use super::{Bench, Budget, MEMORY, Measure};
use crate::bench::flood;
use crate::bench::payload::Payload;
use crate::bench::peer::{Peer, Scene};
use crate::bench::report::{Unit, median};

/// Long enough for several keyframes and segments.
const BYTES: u64 = 96 * 1024 * 1024;
/// How many floods make a round: what is looked for is smaller than what one differs from the next.
const FLOODS: u32 = 3;

pub(super) fn run(bench: &Bench, place: &Path) -> Result<Vec<Measure>> {
    let files = tempfile::TempDir::with_prefix_in("ccmux-bench-", MEMORY)?;
    let file = files.path().join("flood");
    let mut rows = Vec::new();
    for payload in [Payload::Ascii, Payload::Coloured] {
        let bytes = payload.write(&file, BYTES)?;
        let (mut on_disk, mut in_memory) = (Vec::new(), Vec::new());
        for _ in 0..bench.rounds * FLOODS {
            for (parent, into) in [(place, &mut on_disk), (Path::new(MEMORY), &mut in_memory)] {
                let scene = Scene::new_below(Peer::Ccmux, &bench.executables, parent);
                into.push(flood::rate(bytes, flood::attached(&scene, &file)?));
            }
        }
        let what = format!("flood of {}, beside state in memory", payload.name());
        rows.push(Measure {
            limit: Some(median(&mut in_memory)),
            budget: Some(Budget::LeastRatio(0.9)),
            ..Measure::new(what, Unit::MegabytesPerSecond, median(&mut on_disk))
        });
    }
    Ok(rows)
}
