//! Hermetic test environment for ccmux.
//!
//! Nothing here sleeps: whatever is waited for is an event, under one generous [`DEADLINE`] that
//! matters only on failure and then shows what there was.

mod pty_process;

use std::time::Duration;

pub use pty_process::{Display, PtyProcess, Tail};

/// For everything that is waited for.
pub const DEADLINE: Duration = Duration::from_mins(1);
