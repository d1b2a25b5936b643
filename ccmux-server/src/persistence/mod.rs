//! Everything the server must never forget: the structural log, its checkpoints, and their recovery.

#[cfg(any(test, feature = "test-hooks"))]
pub mod sim;
pub mod storage;
