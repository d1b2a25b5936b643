//! The executable that tasks work with.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

/// The root of the workspace.
pub(crate) fn root() -> Result<&'static Path> {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask is in a workspace")
}

/// Builds ccmux, as users have it or as tests do, and returns where the executable is.
pub(crate) fn executable(is_release: bool) -> Result<PathBuf> {
    let profile: &[&str] = if is_release { &["--release"] } else { &[] };
    build(&[&["-p", "ccmux"], profile].concat())
}

/// Builds an example of a crate, as fast as it can be, and returns where it is.
pub(crate) fn example(of: &str, name: &str) -> Result<PathBuf> {
    build(&["-p", of, "--example", name, "--release"])
}

fn build(what: &[&str]) -> Result<PathBuf> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--locked", "--message-format=json"]).args(what).current_dir(root()?);
    let output = cargo.stderr(Stdio::inherit()).output().context("cargo starts")?;
    ensure!(output.status.success(), "cargo build {} fails", what.join(" "));
    let messages = String::from_utf8_lossy(&output.stdout);
    let message = messages.lines().rev().find(|line| line.contains("\"executable\":\""));
    let message: serde_json::Value =
        serde_json::from_str(message.context("cargo names no executable")?)?;
    message["executable"].as_str().map(Into::into).context("cargo names no executable")
}
