//! The file `replaying`: which record is being replayed, for the case that this kills the server.
//!
//! It is written in place and never synced: a crash of the process keeps it, and one of the machine
//! is no fault of a record. Two crashes at the same record make it *poisoned*.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::persistence::format::UuidText;
use crate::persistence::record::to_json;
use crate::persistence::storage::{Storage, StorageFile, read_whole};
use crate::persistence::wal::Seq;

const PATH: &str = "replaying";
/// The JSON is padded with spaces, so that a shorter text leaves nothing of a longer one.
const BYTES: usize = 192;
const CRASHES_MAX: u32 = 2;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Crumb {
    boot: UuidText,
    /// The record being replayed; 0 before the first and after the last.
    at: Seq,
    /// The record at which earlier recoveries crashed, and how often.
    suspect: Seq,
    crashes: u32,
}

/// Keeps the file while a recovery replays.
#[derive(Debug)]
pub(in crate::persistence) struct Breadcrumb<'a> {
    storage: &'a dyn Storage,
    /// Opened at the first record: a store that is refused is not touched. None once the disk has not taken it.
    file: Option<Box<dyn StorageFile>>,
    is_begun: bool,
    crumb: Crumb,
}

impl<'a> Breadcrumb<'a> {
    /// Reads what an earlier recovery left.
    pub(in crate::persistence) fn read(storage: &'a dyn Storage, boot: Uuid) -> Self {
        let fresh = Crumb { boot: UuidText(boot), at: Seq(0), suspect: Seq(0), crashes: 0 };
        let crumb = match read(storage).filter(|old| old.boot == fresh.boot) {
            None => fresh,
            Some(old) if old.crashes >= CRASHES_MAX || old.at == Seq(0) => old,
            Some(old) if old.at == old.suspect => Crumb { crashes: old.crashes + 1, ..old },
            Some(old) => Crumb { suspect: old.at, crashes: 1, ..fresh },
        };
        Self { storage, file: None, is_begun: false, crumb }
    }

    /// A record that must not be replayed again.
    pub(in crate::persistence) fn poisoned(&self) -> Option<Seq> {
        (self.crumb.crashes >= CRASHES_MAX).then_some(self.crumb.suspect)
    }

    /// Record `seq` is replayed next. A disk that does not take this does without.
    pub(in crate::persistence) fn replaying(&mut self, seq: Seq) {
        if !self.is_begun {
            let path = Path::new(PATH);
            self.file = self.storage.open(path).or_else(|_| self.storage.create(path)).ok();
            self.is_begun = true;
        }
        self.crumb.at = seq;
        self.write();
    }

    /// The replay is over; what follows is not the fault of a record. One that was suspected is innocent, unless
    /// it was left out.
    pub(in crate::persistence) fn replayed(&mut self) {
        self.crumb.at = Seq(0);
        if self.poisoned().is_none() {
            (self.crumb.suspect, self.crumb.crashes) = (Seq(0), 0);
        }
        self.write();
    }

    /// The recovery is over.
    pub(in crate::persistence) fn remove(self) {
        match self.storage.remove(Path::new(PATH)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, "the breadcrumb of the recovery could not be removed");
            }
            _ => {}
        }
    }

    fn write(&mut self) {
        let mut bytes = to_json(&self.crumb);
        debug_assert!(bytes.len() <= BYTES, "BUG: a breadcrumb is of bounded length");
        bytes.resize(BYTES, b' ');
        if let Some(file) = &self.file
            && file.write_at(0, &bytes).is_err()
        {
            // What it says from now on may be wrong: that this start ended at a record that it replayed.
            self.file = None;
            let _best_effort = self.storage.remove(Path::new(PATH));
        }
    }
}

fn read(storage: &dyn Storage) -> Option<Crumb> {
    let file = storage.open(Path::new(PATH)).ok()?;
    let bytes = read_whole(&*file, BYTES as u64).ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persistence::sim::{CallKind, Fault, SimStorage};

    const BOOT: Uuid = Uuid::from_u128(1);

    #[test]
    fn two_crashes_at_a_record_poison_it_until_the_recovery_is_over() {
        let storage = SimStorage::new(0);
        for (crash_at, poisoned) in [(7, None), (7, None), (9, Some(7)), (7, Some(7))] {
            let mut breadcrumb = Breadcrumb::read(&storage, BOOT);
            assert_eq!(breadcrumb.poisoned(), poisoned.map(Seq));
            breadcrumb.replaying(Seq(3));
            breadcrumb.replaying(Seq(crash_at));
        }
        let breadcrumb = Breadcrumb::read(&storage, BOOT);
        assert_eq!(breadcrumb.poisoned(), Some(Seq(7)));
        breadcrumb.remove();
        assert_eq!(Breadcrumb::read(&storage, BOOT).poisoned(), None);
    }

    #[test]
    fn crashes_elsewhere_and_other_boots_poison_nothing() {
        let storage = SimStorage::new(0);
        for crash_at in [7, 8, 7, 8] {
            let mut breadcrumb = Breadcrumb::read(&storage, BOOT);
            assert_eq!(breadcrumb.poisoned(), None);
            breadcrumb.replaying(Seq(crash_at));
        }
        for boot in 2..6 {
            let mut breadcrumb = Breadcrumb::read(&storage, Uuid::from_u128(boot));
            assert_eq!(breadcrumb.poisoned(), None);
            breadcrumb.replaying(Seq(7));
        }
        for _ in 0..4 {
            let mut breadcrumb = Breadcrumb::read(&storage, BOOT);
            breadcrumb.replaying(Seq(7));
            breadcrumb.replayed();
            assert_eq!(breadcrumb.poisoned(), None);
        }
    }

    /// Two kills at the same record, and between them a start that replayed it and could not remove the file.
    #[test]
    fn a_record_that_was_replayed_is_innocent() {
        let storage = SimStorage::new(0);
        for is_killed in [true, false, true, false] {
            let mut breadcrumb = Breadcrumb::read(&storage, BOOT);
            breadcrumb.replaying(Seq(7));
            if !is_killed {
                breadcrumb.replayed();
            }
        }
        assert_eq!(Breadcrumb::read(&storage, BOOT).poisoned(), None);
    }
    /// A start replayed a record at which one before it had been killed, and the disk took half of what it noted: the
    /// next start left the record out.
    #[test]
    fn a_disk_that_takes_half_of_it_makes_no_record_guilty() {
        let storage = SimStorage::new(0);
        Breadcrumb::read(&storage, BOOT).replaying(Seq(7));
        let mut breadcrumb = Breadcrumb::read(&storage, BOOT);
        breadcrumb.replaying(Seq(7));
        storage.fail(CallKind::Write, 1, u64::MAX, Fault::Io);
        breadcrumb.replayed();
        storage.heal();
        assert_eq!(Breadcrumb::read(&storage, BOOT).poisoned(), None);
        assert!(storage.files().is_empty());
    }
}
