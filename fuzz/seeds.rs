//! Writes the seeds of every corpus, `seed-*`, from the state directory that is checked in. To be
//! run after a change of a draft format (`cargo xtask golden` comes first).

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use ccmux_server::persistence::fuzzing::{TARGETS, seeds};

fn main() -> Result<()> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let seeds = seeds(&own.join("../ccmux/tests/golden/state.tar.zst"))?;
    for target in TARGETS {
        let dir = own.join("corpus").join(target.name);
        fs::create_dir_all(&dir)?;
        for entry in fs::read_dir(&dir)? {
            let path = entry?.path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("seed-")) {
                fs::remove_file(path)?;
            }
        }
        let own = seeds.iter().filter(|(name, _)| *name == target.name);
        for (at, (_, seed)) in own.enumerate() {
            let path = dir.join(format!("seed-{at:03}"));
            fs::write(&path, seed).with_context(|| path.display().to_string())?;
        }
    }
    Ok(())
}
