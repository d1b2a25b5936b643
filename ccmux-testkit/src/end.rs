//! Finding and ending everything that was started in a [`TestEnv`](crate::TestEnv).
//!
//! Servers, keepers and programs in panes outlive whoever started them, by design, so no handle
//! leads to them. What they have in common is the environment: a home directory that no other test
//! ever had.

use std::path::Path;

use rustix::process::Signal;

use crate::process::Process;
#[cfg(target_os = "linux")]
use crate::stat::Stat;

/// Ends every process of the world of `home`.
///
/// The server is stopped before the rest is killed: it would replace its keepers, and they it.
pub(crate) fn end_all(home: &Path, server: impl Fn() -> Option<u32>) {
    let Some(server) = server() else { return end_found(home) };
    let server = Process::open(server).ok().flatten();
    // The number may have come to mean another process since it was registered.
    let server = server.filter(|server| is_of(home, server.pid()));
    if let Some(server) = &server {
        server.signal(Signal::STOP);
    }
    end_found(home);
    if let Some(server) = server {
        server.signal(Signal::KILL);
        server.wait_gone();
    }
    // One that a keeper started in between.
    end_found(home);
}

/// Ends processes until none is found, because each may just have started another.
fn end_found(home: &Path) {
    loop {
        let found = processes(home);
        if found.is_empty() {
            return;
        }
        for (process, _) in &found {
            process.signal(Signal::KILL);
        }
        for (process, _) in &found {
            process.wait_gone();
        }
    }
}

/// Every process whose `HOME` is `home`, with its arguments.
#[cfg(target_os = "linux")]
pub(crate) fn processes(home: &Path) -> Vec<(Process, Vec<String>)> {
    let pids = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    // Opened first, then looked at: so it is the process opened that has the home.
    pids.filter_map(|pid| Process::open(pid).ok().flatten())
        .filter(|process| is_of(home, process.pid()) && process.is_alive())
        .map(|process| {
            let args =
                std::fs::read(format!("/proc/{}/cmdline", process.pid())).unwrap_or_default();
            let args = args.split(|&byte| byte == 0);
            let args = args.map(|word| String::from_utf8_lossy(word).into_owned()).collect();
            (process, args)
        })
        .collect()
}

#[cfg(target_os = "linux")]
fn is_of(home: &Path, pid: u32) -> bool {
    use std::os::unix::ffi::OsStrExt as _;

    let entry = [b"HOME=", home.as_os_str().as_bytes()].concat();
    loop {
        // Of other users, and of processes that have ended, it cannot be read or is empty.
        let Ok(environ) = std::fs::read(format!("/proc/{pid}/environ")) else { return false };
        // It is empty, too, for a moment at the beginning of a program, when whoever started it may
        // already count on it.
        if !environ.is_empty() || !Stat::of(pid).is_some_and(|stat| stat.is_executing()) {
            return environ.split(|&byte| byte == 0).any(|var| var == entry);
        }
        std::thread::yield_now();
    }
}

/// Elsewhere the server is all that can be found.
#[cfg(not(target_os = "linux"))]
pub(crate) fn processes(_home: &Path) -> Vec<(Process, Vec<String>)> {
    Vec::new()
}

#[cfg(not(target_os = "linux"))]
fn is_of(_home: &Path, _pid: u32) -> bool {
    true
}
