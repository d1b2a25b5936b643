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
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--locked", "-p", "ccmux", "--message-format=json"]);
    cargo.args(is_release.then_some("--release")).current_dir(root()?);
    let output = cargo.stderr(Stdio::inherit()).output().context("cargo starts")?;
    ensure!(output.status.success(), "ccmux does not build");
    let messages = String::from_utf8_lossy(&output.stdout);
    let message = messages.lines().rev().find(|line| line.contains("\"executable\":\""));
    let message: serde_json::Value =
        serde_json::from_str(message.context("cargo names no executable")?)?;
    message["executable"].as_str().map(Into::into).context("cargo names no executable")
}
