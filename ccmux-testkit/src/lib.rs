//! Hermetic test environment for ccmux: the real executable, in a world of its own.
//!
//! [`TestEnv`] is a temporary directory with a home, state and sockets, and everything that was
//! started in it ends with it. [`TestEnv::attach`] is a client in a pseudo-terminal whose screen is
//! emulated, so that a test waits for what a user would see.
//!
//! Nothing here sleeps: whatever is waited for is an event, under one generous [`DEADLINE`] that
//! matters only on failure and then shows the screen and the server's log.

mod commander;
mod compare;
mod end;
mod env;
mod flood;
pub mod golden;
mod picture;
mod process;
mod pty_process;
mod random;
mod recorder;
mod screen;
mod small_disk;
mod starts;
#[cfg(target_os = "linux")]
mod stat;
mod storm;
mod watch;

use std::time::Duration;

pub use commander::Commander;
pub use env::{Finished, TestEnv};
pub use flood::Flood;
pub use picture::{Area, Picture};
pub use process::Process;
pub use pty_process::{Display, PtyProcess, Tail};
pub use random::Random;
pub use recorder::Recorder;
pub use screen::{Attached, Screen};
pub use starts::Starts;
pub use storm::Storm;

/// For everything that is waited for.
pub const DEADLINE: Duration = Duration::from_mins(1);
