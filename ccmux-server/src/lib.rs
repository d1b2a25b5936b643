//! The ccmux daemon: event loop, panes, clients, commands and persistence.
//!
//! [`daemon::run`] is the process. `server` owns everything; `event_loop` is what wakes it;
//! `pane`, `client` and `command` are what it works with; `persistence` is what it never forgets.

pub mod backup;
mod client;
mod clock;
mod command;
pub mod daemon;
pub mod doctor;
mod event_loop;
pub mod handover;
mod log_file;
mod oom;
mod open_files;
mod pane;
pub mod persistence;
mod server;
mod signals;

/// The process id of this server, which clients, keepers and people are told.
#[expect(clippy::disallowed_methods, reason = "identity, never part of a path")]
fn own_pid() -> u32 {
    std::process::id()
}
