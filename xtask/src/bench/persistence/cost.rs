//! What a flood loses because it is kept, or because it must not be: state on the disk beside state in
//! memory, where a sync does nothing.

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
        // Each a state directory's parent, and whether the pane is private.
        let ways = [(place, false), (place, true), (Path::new(MEMORY), false)];
        let mut rates = [const { Vec::new() }; 3];
        for _ in 0..bench.rounds * FLOODS {
            for ((parent, is_private), into) in ways.iter().zip(&mut rates) {
                let scene = Scene::new_below(Peer::Ccmux, &bench.executables, parent);
                if *is_private {
                    scene.configure("set-option -g history-persist off\n")?;
                }
                into.push(flood::rate(bytes, flood::attached(&scene, &file)?));
            }
        }
        let [on_disk, private, in_memory] = rates.map(|mut rates| median(&mut rates));
        for (what, rate) in [("flood of", on_disk), ("private flood of", private)] {
            let what = format!("{what} {}, beside state in memory", payload.name());
            rows.push(Measure {
                limit: Some(in_memory),
                budget: Some(Budget::LeastRatio(0.9)),
                ..Measure::new(what, Unit::MegabytesPerSecond, rate)
            });
        }
    }
    Ok(rows)
}
