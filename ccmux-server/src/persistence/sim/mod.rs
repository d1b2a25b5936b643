//! A simulated disk that forgets what was not synced, tears what was half written and fails on
//! demand; every choice follows from a seed.
//!
//! Each file has a *live* image (what reads see), a *durable* one (what the platter holds) and the
//! writes between them; directory entries have the same three. A sync carries the pending writes of
//! one file, or the entries of one directory, over to the durable side, and nothing else does. A
//! power cut ([`SimStorage::power_cut`]) keeps of the pending writes what the seed says: nothing,
//! everything, everything before some instant, or any subset of 512-byte sectors, some of them torn.
//! A kill of the process ([`SimStorage::kill`]) keeps all of them pending.
//!
//! A sync that fails behaves as Linux does: what was pending is dropped, the live image may still
//! show it, and the next sync reports success. Whoever tries that is noted
//! ([`SimStorage::resyncs`]).
//!
//! What is on the platter may decay as well: see [`Decay`].

mod decay;
mod disk;
mod random;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use uuid::Uuid;

pub use self::decay::Decay;
use self::disk::{
    Call, DirImage, Disk, FaultRule, FileImage, FileOp, Loss, Node, Outcome, ROOT, Renamed, names,
    no_space,
};
pub use self::disk::{CallKind, Fault};
pub use self::random::Random;
use super::storage::{Storage, StorageFile};

/// A simulated disk. Clones are handles to the same disk.
#[derive(Clone, Debug)]
pub struct SimStorage {
    disk: Arc<Mutex<Disk>>,
}

impl SimStorage {
    /// An empty disk whose accidents follow from `seed`.
    pub fn new(seed: u64) -> Self {
        Self::from_disk(Disk {
            nodes: vec![Node::Dir(DirImage::default())],
            entry_ops: Vec::new(),
            clock: 0,
            numbered_calls: 0,
            strikes: BTreeMap::new(),
            rules: Vec::new(),
            capacity: None,
            is_off: false,
            boot: 1,
            trace: Vec::new(),
            unreadable: BTreeSet::new(),
            renames: Vec::new(),
            resyncs: Vec::new(),
            random: Random::new(seed),
        })
    }

    /// The number of calls so far that a power cut could strike.
    pub fn calls(&self) -> u64 {
        self.disk().numbered_calls
    }

    /// Lets a fault strike call number `call` (from 1, as counted by [`SimStorage::calls`]).
    pub fn strike(&self, call: u64, fault: Fault) {
        self.disk().strikes.insert(call, fault);
    }

    /// Whether the power is off, or the process was killed, so that every call fails.
    pub fn is_off(&self) -> bool {
        self.disk().is_off
    }

    /// Whether every call fails because the process was killed in one of them ([`Fault::IoUnseen`]).
    pub fn was_killed(&self) -> bool {
        let disk = self.disk();
        disk.is_off && disk.trace.last().is_some_and(|call| call.fault == Some(Fault::IoUnseen))
    }

    /// Whether any fault has struck that could cost something.
    pub fn has_struck(&self) -> bool {
        let is_costly = |call: &Call| !matches!(call.fault, None | Some(Fault::Short));
        self.disk().trace.iter().any(is_costly)
    }

    /// Syncs of files of which a write or a sync had failed before, by the same handle (P8).
    pub fn resyncs(&self) -> Vec<String> {
        self.disk().resyncs.clone()
    }

    /// Makes the `nth` call of `kind` from now on (from 1), and `times - 1` after it, fail.
    pub fn fail(&self, kind: CallKind, nth: u64, times: u64, fault: Fault) {
        assert!(nth > 0, "calls are counted from 1");
        self.disk().rules.push(FaultRule { kind, skip: nth - 1, times, fault, has_struck: false });
    }

    /// Whether a rule made by [`SimStorage::fail`] has made a call fail.
    pub fn has_failed(&self) -> bool {
        self.disk().rules.iter().any(|rule| rule.has_struck)
    }

    /// Takes all faults away.
    pub fn heal(&self) {
        let mut disk = self.disk();
        disk.rules.clear();
        disk.strikes.clear();
    }

    /// Limits the sum of all file lengths; what would grow beyond it fails with ENOSPC.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.disk().capacity = bytes;
    }

    /// Another disk with the same contents, pending ones included; this one lives on.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self::from_disk(self.disk().clone())
    }

    /// The disk after the process was killed: nothing is lost, nothing more is synced.
    ///
    /// Handles to this disk go dead, as those of a killed process do.
    #[must_use]
    pub fn kill(&self) -> Self {
        self.restart(|_| ())
    }

    /// The disk after a power cut that keeps of the unsynced what `seed` says. Handles go dead.
    #[must_use]
    pub fn power_cut(&self, seed: u64) -> Self {
        self.restart(|disk| {
            disk.boot += 1;
            disk.lose_unsynced(&mut Random::new(seed));
        })
    }

    /// The boot of the machine: after a power cut it is another one.
    pub fn boot(&self) -> Uuid {
        Uuid::from_u128(0xb007_0000 + u128::from(self.disk().boot))
    }

    fn restart(&self, lose: impl FnOnce(&mut Disk)) -> Self {
        let mut old = self.disk();
        let mut disk = old.clone();
        old.is_off = true;
        drop(old);
        disk.is_off = false;
        disk.strikes.clear();
        disk.numbered_calls = 0;
        disk.rules.clear();
        disk.trace.clear();
        lose(&mut disk);
        Self::from_disk(disk)
    }

    /// Every file a reader sees, with its contents, sorted by path.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let disk = self.disk();
        disk.live_files().into_iter().map(|(path, file)| (path, file.live.clone())).collect()
    }

    /// The calls since the disk was started, one a line, for the report of a failure.
    pub fn trace(&self) -> String {
        self.disk().trace.iter().map(Call::to_string).collect::<Vec<_>>().join("\n")
    }

    fn from_disk(disk: Disk) -> Self {
        Self { disk: Arc::new(Mutex::new(disk)) }
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn file(&self, node: usize) -> Box<dyn StorageFile> {
        Box::new(SimFile { storage: self.clone(), node, has_failed: false.into() })
    }
}

impl Storage for SimStorage {
    fn create(&self, path: &Path) -> io::Result<Box<dyn StorageFile>> {
        let mut disk = self.disk();
        let outcome = disk.begin(CallKind::Create, path)?;
        let (dir, name) = disk.parent_of(path)?;
        if disk.entries(dir)?.contains_key(&name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        outcome.fail_cleanly()?;
        let node = disk.add(Node::File(FileImage::default()));
        disk.set_entries(&[(dir, name, Some(node))]);
        outcome.finish()?;
        drop(disk);
        Ok(self.file(node))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn StorageFile>> {
        let mut disk = self.disk();
        disk.begin(CallKind::Open, path)?.finish()?;
        disk.file_at(path)?;
        let node = disk.find(path)?;
        drop(disk);
        Ok(self.file(node))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        let outcome = disk.begin(CallKind::Rename, from)?;
        let node = disk.find(from)?;
        let (from_dir, from_name) = disk.parent_of(from)?;
        let (to_dir, to_name) = disk.parent_of(to)?;
        let replaced = disk.entries(to_dir)?.get(&to_name).copied();
        outcome.fail_cleanly()?;
        let (from, to) = ((from_dir, from_name.clone()), (to_dir, to_name.clone()));
        disk.renames.push(Renamed { node, from, to, replaced });
        disk.set_entries(&[(from_dir, from_name, None), (to_dir, to_name, Some(node))]);
        outcome.finish()
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        let outcome = disk.begin(CallKind::Remove, path)?;
        disk.file_at(path)?;
        let (dir, name) = disk.parent_of(path)?;
        outcome.fail_cleanly()?;
        disk.set_entries(&[(dir, name, None)]);
        outcome.finish()
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        let outcome = disk.begin(CallKind::CreateDir, path)?;
        outcome.fail_cleanly()?;
        let mut dir = ROOT;
        for name in names(path)? {
            dir = if let Some(&node) = disk.entries(dir)?.get(&name) {
                node
            } else {
                let node = disk.add(Node::Dir(DirImage::default()));
                disk.set_entries(&[(dir, name, Some(node))]);
                node
            };
        }
        disk.entries(dir)?;
        outcome.finish()
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        let outcome = disk.begin(CallKind::RemoveDirAll, path)?;
        let node = disk.find(path)?;
        let names: Vec<String> = disk.entries(node)?.keys().cloned().collect();
        let (dir, name) = disk.parent_of(path)?;
        outcome.fail_cleanly()?;
        // Children one by one, as a real removal goes. A subtree goes with its entry.
        for child in names {
            disk.set_entries(&[(node, child, None)]);
            // What is done at one instant is lost or kept together.
            disk.clock += 1;
        }
        disk.set_entries(&[(dir, name, None)]);
        outcome.finish()
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let mut disk = self.disk();
        disk.begin(CallKind::List, path)?.finish()?;
        let node = disk.find(path)?;
        if disk.unreadable.contains(&node) {
            return Err(rustix::io::Errno::IO.into());
        }
        Ok(disk.entries(node)?.keys().cloned().collect())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        let outcome = disk.begin(CallKind::SyncDir, path)?;
        let dir = disk.find(path)?;
        disk.entries(dir)?;
        // A failed or interrupted sync of a directory leaves its entries pending.
        outcome.finish()?;
        let (synced, pending) =
            std::mem::take(&mut disk.entry_ops).into_iter().partition(|op| op.dir == dir);
        disk.entry_ops = pending;
        disk.apply_entries(synced);
        Ok(())
    }
}

#[derive(Debug)]
struct SimFile {
    storage: SimStorage,
    node: usize,
    /// A write or a sync failed.
    has_failed: AtomicBool,
}

impl SimFile {
    /// Applies a change of contents or length, unless `outcome` or the capacity forbids it.
    fn change(&self, kind: CallKind, op: &FileOp) -> io::Result<()> {
        let mut disk = self.storage.disk();
        let mut outcome = disk.begin_on(kind, self.node)?;
        let mut op = op.clone();
        if outcome.fault == Some(Fault::Short)
            && let Some((first, rest)) = op.divide(disk.random.below(op.bytes()))
        {
            self.note_failure(self.apply(&mut disk, outcome, &first))?;
            outcome = disk.begin_on(kind, self.node)?;
            op = rest;
        }
        self.note_failure(self.apply(&mut disk, outcome, &op))
    }

    fn apply(&self, disk: &mut Disk, outcome: Outcome, op: &FileOp) -> io::Result<()> {
        let room = disk.room();
        let luck = disk.random.below(op.bytes() + 1);
        let at = disk.clock;
        let file = disk.file_mut(self.node);
        let growth = op.end().saturating_sub(file.live.len() as u64);
        let excess = growth.saturating_sub(room);
        let fitting = op.bytes().saturating_sub(excess);
        let result = match outcome.finish() {
            Ok(()) if excess > 0 => Err(no_space()),
            result => result,
        };
        let done = match (&result, outcome.fault) {
            // A power cut strikes after the call was issued: the images decide what stays of it.
            (Ok(()), _) | (Err(_), Some(Fault::PowerCut)) => Some(op.clone()),
            (Err(_), Some(_)) => op.first(luck.min(fitting)),
            (Err(_), None) => op.first(fitting),
        };
        if let Some(done) = done {
            done.apply(&mut file.live);
            file.pending.push((at, done));
        }
        result
    }

    fn note_failure(&self, result: io::Result<()>) -> io::Result<()> {
        self.has_failed.fetch_or(result.is_err(), Ordering::SeqCst);
        result
    }
}

impl StorageFile for SimFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.change(CallKind::Write, &FileOp::Write { offset, bytes: bytes.into() })
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let mut disk = self.storage.disk();
        let outcome = disk.begin_on(CallKind::Read, self.node)?;
        outcome.finish()?;
        if disk.unreadable.contains(&self.node) {
            return Err(rustix::io::Errno::IO.into());
        }
        let live = &disk.file_mut(self.node).live;
        let rest = live.get(offset as usize..).unwrap_or_default();
        let whole = rest.len().min(buf.len());
        let is_short = outcome.fault == Some(Fault::Short);
        let n = if is_short { whole.div_ceil(2) } else { whole };
        buf[..n].copy_from_slice(&rest[..n]);
        Ok(n)
    }

    fn len(&self) -> io::Result<u64> {
        let mut disk = self.storage.disk();
        disk.begin_on(CallKind::Read, self.node)?.finish()?;
        Ok(disk.file_mut(self.node).live.len() as u64)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change(CallKind::SetLen, &FileOp::SetLen(len))
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        let longer = len.max(self.len()?);
        self.change(CallKind::Allocate, &FileOp::SetLen(longer))
    }

    fn sync(&self) -> io::Result<()> {
        let mut disk = self.storage.disk();
        let outcome = disk.begin_on(CallKind::Sync, self.node)?;
        if self.has_failed.load(Ordering::SeqCst) {
            let call = disk.trace.last().map(ToString::to_string).unwrap_or_default();
            disk.resyncs.push(call);
        }
        let mut random = disk.random.fork();
        let file = disk.file_mut(self.node);
        match outcome.fault {
            None | Some(Fault::Rot | Fault::Short) => {
                for (_, op) in file.pending.drain(..) {
                    op.apply(&mut file.durable);
                }
                if outcome.fault == Some(Fault::Rot) && !file.durable.is_empty() {
                    let bit = random.below(file.durable.len() as u64 * 8);
                    file.durable[(bit / 8) as usize] ^= 1 << (bit % 8);
                }
            }
            Some(Fault::PowerCut) => {}
            Some(Fault::Io | Fault::IoUnseen | Fault::NoSpace | Fault::TooManyFiles) => {
                file.durable = file.survivor(&mut random, Loss::Sectors);
                file.pending.clear();
                if random.coin() {
                    file.live.clone_from(&file.durable);
                }
            }
        }
        self.note_failure(outcome.finish())
    }

    fn forget_cached(&self) {
        let mut disk = self.storage.disk();
        let file = disk.file_mut(self.node);
        file.live.clone_from(&file.durable);
        for (_, op) in &file.pending {
            op.apply(&mut file.live);
        }
    }
}
