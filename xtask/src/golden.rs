//! The state directory that is checked in, made anew by the present version.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use ccmux_testkit::{TestEnv, golden};

/// Builds ccmux, makes the state, and writes the archive and what is known of it.
pub(crate) fn run() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("a workspace")?;
    let status = Command::new("cargo").args(["build", "-p", "ccmux"]).current_dir(root).status();
    ensure!(status.context("cargo starts")?.success(), "ccmux does not build");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    let env = TestEnv::new(target.join("debug/ccmux"));
    golden::build(&env);
    let archive = root.join(golden::ARCHIVE);
    fs::create_dir_all(archive.parent().context("a directory")?)?;
    match fs::remove_file(&archive) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    env.ok(&["backup", archive.to_str().context("the path is text")?]);
    fs::write(root.join(golden::DESCRIPTION), golden::describe(&env))?;
    println!("{} and {} are new", golden::ARCHIVE, golden::DESCRIPTION);
    Ok(())
}
