//! Who goes first when memory runs out: the server, because nothing is lost with it.
//!
//! Going below what was inherited takes privileges, but a process may always raise itself. So the
//! server does, and keepers and programs keep what the server was given, which is what a program
//! started by the person's shell would have. The kernel adds the value, in thousandths of the
//! machine's memory, to how much a process uses: with [`ABOVE_PROGRAMS`] the server is chosen
//! before any program that uses less than a tenth of the memory more than it. A runaway program
//! is still chosen before the server, as it should be.

use std::process::Command;

/// How much easier the server is to choose than programs.
#[cfg(target_os = "linux")]
const ABOVE_PROGRAMS: i32 = 100;

/// Makes this process easier to choose; returns what others keep. `None` if it could not be done.
#[cfg(target_os = "linux")]
pub(crate) fn yield_to_programs() -> Option<i32> {
    let own = crate::own_pid();
    let inherited = score_adj(own)?;
    let raised = inherited.saturating_add(ABOVE_PROGRAMS).min(1000);
    if raised == inherited {
        return None;
    }
    std::fs::write(path(own), raised.to_string()).ok()?;
    Some(inherited)
}

/// The `oom_score_adj` of a process.
#[cfg(target_os = "linux")]
pub(crate) fn score_adj(pid: u32) -> Option<i32> {
    std::fs::read_to_string(path(pid)).ok()?.trim().parse().ok()
}

/// A shell, to which the script and its arguments are still to be given, that runs with the place
/// and the limit of open files of programs and not with the server's.
///
/// The shell changes its place before it becomes the one that runs the script: whoever did that
/// from outside would be too late for what a script starts at once.
pub(crate) fn shell(score_adj: Option<i32>, open_files: Option<u64>) -> Command {
    const TAKE_PLACE: &str = r#"[ -z "$0" ] || echo "$0" > /proc/self/oom_score_adj
        [ -z "$1" ] || ulimit -S -n "$1"; shift; exec /bin/sh -c "$@""#;
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c");
    if score_adj.is_some() || open_files.is_some() {
        let score_adj = score_adj.map(|value| value.to_string()).unwrap_or_default();
        let open_files = open_files.map(|value| value.to_string()).unwrap_or_default();
        shell.args([TAKE_PLACE, &score_adj, &open_files]);
    }
    shell
}

#[cfg(target_os = "linux")]
fn path(pid: u32) -> String {
    format!("/proc/{pid}/oom_score_adj")
}

/// Elsewhere there is no such order to be in.
#[cfg(not(target_os = "linux"))]
pub(crate) fn yield_to_programs() -> Option<i32> {
    None
}

/// Elsewhere there is no such order to be in.
#[cfg(not(target_os = "linux"))]
pub(crate) fn score_adj(_pid: u32) -> Option<i32> {
    None
}
