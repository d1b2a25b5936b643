//! The one place that reads the environment of the process.

use std::path::PathBuf;

use ccmux_protocol::rendezvous::Surroundings;

/// What this process was given.
pub(crate) fn surroundings() -> Surroundings {
    Surroundings {
        exe: std::env::current_exe().unwrap_or_else(|_| PathBuf::from("ccmux")),
        env: std::env::vars_os().collect(),
        // A directory that was removed has no name.
        cwd: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
        uid: rustix::process::getuid().as_raw(),
    }
}
