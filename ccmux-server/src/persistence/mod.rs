//! Everything the server must never forget: the structural log, its checkpoints, and their recovery.

pub mod scrollback;
#[cfg(any(test, feature = "test-hooks"))]
pub mod sim;
pub mod storage;
