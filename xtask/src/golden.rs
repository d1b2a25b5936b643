//! The state directory that is checked in, made anew by the present version.

use std::fs;

use anyhow::{Context as _, Result};
use ccmux_testkit::{TestEnv, golden};

/// Builds ccmux, makes the state, and writes the archive and what is known of it.
pub(crate) fn run() -> Result<()> {
    let root = crate::build::root()?;
    let env = TestEnv::new(crate::build::executable(false)?);
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
