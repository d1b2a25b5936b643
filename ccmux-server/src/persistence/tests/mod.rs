//! Tests of the whole layer.

mod crash_matrix;
mod damage;
mod decision_table;
mod faults;
mod orphans;
mod real_directory;
mod set_aside;
mod shutdown;
mod store;
mod threads;
mod torture;
mod world;

pub(in crate::persistence) use self::torture::decay;

use super::Persistence;

impl Persistence {
    /// Does what the committer would do, now.
    fn commit_now(&self) {
        self.wal.commit_now();
    }
}
