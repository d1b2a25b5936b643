//! Keepers as processes: programs on real ptys, real kills, real sockets.
//!
//! On Linux, whose pidfds let a test wait for the exit of a process that is not its child.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]
#![expect(clippy::print_stdout, reason = "seeds and measurements, shown when a test fails")]

mod adoption;
mod ends;
mod harness;
mod hostile;
mod literal;
mod precedence;
mod program;
mod wire;
