//! The keeper process. Injects what the keeper must not know: how a server is started.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use ccmux_protocol::rendezvous::{Revival, revive};

/// Runs the keeper of the pane directory `args[0]`.
pub(crate) fn run(args: &[OsString]) -> ExitCode {
    let [pane_dir] = args else { return ExitCode::FAILURE };
    let pane_dir = Path::new(pane_dir);
    take_name();
    ccmux_keeper::run(pane_dir, &mut || start_server(pane_dir))
}

/// Gets the server of the pane going: the state directory is two levels up. The keeper reaps every
/// child of its own, the server among them.
fn start_server(pane_dir: &Path) -> bool {
    let Some(state_dir) = pane_dir.parent().and_then(Path::parent) else { return false };
    let exe = std::env::current_exe().unwrap_or_default();
    matches!(revive(state_dir, &exe), Ok(Revival::Present | Revival::Started))
}

/// Names the process as it was told to be called, which says the pane. The kernel took the name of
/// the executable's path, and keepers are started from `/proc/self/exe`.
#[cfg(target_os = "linux")]
fn take_name() {
    use std::os::unix::ffi::OsStringExt as _;
    let name = std::env::args_os().next().map(OsString::into_vec).unwrap_or_default();
    if let Ok(name) = std::ffi::CString::new(name) {
        // Only people read it.
        let _ = rustix::thread::set_name(&name);
    }
}

/// Elsewhere `ps` shows the arguments.
#[cfg(not(target_os = "linux"))]
fn take_name() {}
