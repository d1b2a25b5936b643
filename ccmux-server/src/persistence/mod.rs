//! Everything the server must never forget: the structural log, its checkpoints, and their recovery.

pub mod record;
#[cfg(any(test, feature = "test-hooks"))]
pub mod sim;
pub mod storage;
