//! The one place that reads the environment of the process.

use std::path::PathBuf;

use ccmux_protocol::rendezvous::Surroundings;

/// What this process was given.
pub(crate) fn surroundings() -> Surroundings {
    Surroundings {
        exe: std::env::current_exe().map_or_else(|_| PathBuf::from("ccmux"), named),
        env: std::env::vars_os().collect(),
        // A directory that was removed has no name.
        cwd: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
        uid: rustix::process::getuid().as_raw(),
    }
}

/// The path of the executable as it was, where the system marks one whose file was replaced: what
/// is there now is what takes over.
fn named(exe: PathBuf) -> PathBuf {
    let name = exe.file_name().and_then(|name| name.to_str());
    match name.and_then(|name| name.strip_suffix(" (deleted)")) {
        Some(name) if !exe.exists() => exe.with_file_name(name),
        _ => exe,
    }
}
