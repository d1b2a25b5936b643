//! The images of the simulated disk, and what failures do to them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::random::Random;
use crate::persistence::storage::check_path;

pub(super) const SECTOR: usize = 512;
pub(super) const ROOT: usize = 0;

/// What a call asks for, to aim faults at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "named as the methods of `Storage` and `StorageFile`")]
pub enum CallKind {
    Create,
    Open,
    Rename,
    Remove,
    CreateDir,
    RemoveDirAll,
    List,
    SyncDir,
    Write,
    Read,
    SetLen,
    Allocate,
    Sync,
}

impl CallKind {
    /// Whether the call can change what a crash leaves behind; only such calls are numbered.
    fn is_numbered(self) -> bool {
        !matches!(self, CallKind::Open | CallKind::Read | CallKind::List)
    }
}

/// What happens to a call instead of success.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// It starts, then the power goes: this and every later call fails.
    PowerCut,
    /// EIO. A write may have been done in part; a sync drops what it should have synced.
    Io,
    /// The same, and nobody sees it: the process is killed in this call.
    IoUnseen,
    /// ENOSPC. A write may have been done in part.
    NoSpace,
    /// EMFILE: the process has no descriptor left for it.
    TooManyFiles,
    /// It succeeds; but if it is a sync, one bit of what it carries over is wrong.
    Rot,
    /// It succeeds; but a read brings less than was asked for, and a write is done in two calls, the
    /// second of which can be struck as well.
    Short,
}

/// Which calls a fault strikes: from the `first`-th of its kind counted from now, `times` of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct FaultRule {
    pub(super) kind: CallKind,
    pub(super) skip: u64,
    pub(super) times: u64,
    pub(super) fault: Fault,
    pub(super) has_struck: bool,
}

/// A call as it went, for the report of a failure.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) number: u64,
    pub(super) kind: CallKind,
    pub(super) target: Target,
    pub(super) fault: Option<Fault>,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, kind, target, fault } = self;
        match target {
            Target::Path(path) => write!(f, "{number} {kind:?} {}", path.display())?,
            Target::Node(node) => write!(f, "{number} {kind:?} file {node}")?,
        }
        fault.map_or(Ok(()), |fault| write!(f, " -> {fault:?}"))
    }
}

#[derive(Clone, Debug)]
pub(super) enum Target {
    Path(PathBuf),
    Node(usize),
}

#[derive(Clone, Debug)]
pub(super) struct Disk {
    pub(super) nodes: Vec<Node>,
    /// Changes of directory entries not yet durable, in order.
    pub(super) entry_ops: Vec<EntryOp>,
    /// Orders all pending changes of the disk.
    pub(super) clock: u64,
    pub(super) numbered_calls: u64,
    /// Faults by the number of the call they strike.
    pub(super) strikes: BTreeMap<u64, Fault>,
    pub(super) rules: Vec<FaultRule>,
    pub(super) capacity: Option<u64>,
    pub(super) is_off: bool,
    /// Counts the power cuts.
    pub(super) boot: u64,
    pub(super) trace: Vec<Call>,
    /// Files and directories that cannot be read, whoever tries.
    pub(super) unreadable: BTreeSet<usize>,
    /// Every rename so far, with what had the new name before.
    pub(super) renames: Vec<Renamed>,
    /// Syncs of files of which a write or sync had failed.
    pub(super) resyncs: Vec<String>,
    pub(super) random: Random,
}

/// A rename as it went.
#[derive(Clone, Debug)]
pub(super) struct Renamed {
    pub(super) node: usize,
    pub(super) from: (usize, String),
    pub(super) to: (usize, String),
    pub(super) replaced: Option<usize>,
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    File(FileImage),
    Dir(DirImage),
}

#[derive(Clone, Default, Debug)]
pub(super) struct FileImage {
    pub(super) live: Vec<u8>,
    pub(super) durable: Vec<u8>,
    pub(super) pending: Vec<(u64, FileOp)>,
}

#[derive(Clone, Default, Debug)]
pub(super) struct DirImage {
    pub(super) live: BTreeMap<String, usize>,
    pub(super) durable: BTreeMap<String, usize>,
}

/// One entry of a directory set or removed. The halves of a rename share `at`: a crash keeps both
/// or neither, unless one directory was synced and the other not.
#[derive(Clone, Debug)]
pub(super) struct EntryOp {
    pub(super) at: u64,
    pub(super) dir: usize,
    pub(super) name: String,
    pub(super) node: Option<usize>,
}

#[derive(Clone, Debug)]
pub(super) enum FileOp {
    Write { offset: u64, bytes: Vec<u8> },
    SetLen(u64),
}

/// What a call was told to do before it did anything.
#[derive(Clone, Copy)]
pub(super) struct Outcome {
    pub(super) fault: Option<Fault>,
}

/// What a power cut takes of the pending writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Loss {
    All,
    Nothing,
    /// Everything issued at or after this instant; the last write before it is torn.
    Since(u64),
    /// Any sectors; lengths and directory entries one by one.
    Sectors,
}

impl Outcome {
    /// Fails with the fault, if there is one.
    pub(super) fn finish(self) -> io::Result<()> {
        match self.fault {
            None | Some(Fault::Rot | Fault::Short) => Ok(()),
            Some(Fault::PowerCut) => Err(power_is_off()),
            Some(Fault::Io | Fault::IoUnseen) => Err(rustix::io::Errno::IO.into()),
            Some(Fault::NoSpace) => Err(no_space()),
            Some(Fault::TooManyFiles) => Err(rustix::io::Errno::MFILE.into()),
        }
    }

    /// Fails now, before the call had any effect; a power cut strikes only after it.
    pub(super) fn fail_cleanly(self) -> io::Result<()> {
        if self.fault == Some(Fault::PowerCut) { Ok(()) } else { self.finish() }
    }
}

impl Disk {
    pub(super) fn begin(&mut self, kind: CallKind, path: &Path) -> io::Result<Outcome> {
        check_path(path)?;
        self.begin_call(kind, Target::Path(path.to_owned()))
    }

    pub(super) fn begin_on(&mut self, kind: CallKind, node: usize) -> io::Result<Outcome> {
        self.begin_call(kind, Target::Node(node))
    }

    pub(super) fn begin_call(&mut self, kind: CallKind, target: Target) -> io::Result<Outcome> {
        if self.is_off {
            return Err(power_is_off());
        }
        self.clock += 1;
        let mut fault = None;
        if kind.is_numbered() {
            self.numbered_calls += 1;
            fault = self.strikes.remove(&self.numbered_calls);
        }
        for rule in self.rules.iter_mut().filter(|rule| rule.kind == kind) {
            if rule.skip > 0 {
                rule.skip -= 1;
            } else if rule.times > 0 {
                rule.times -= 1;
                rule.has_struck = true;
                fault = fault.or(Some(rule.fault));
            }
        }
        if kind != CallKind::Read {
            self.trace.push(Call { number: self.numbered_calls, kind, target, fault });
        }
        self.is_off = matches!(fault, Some(Fault::PowerCut | Fault::IoUnseen));
        Ok(Outcome { fault })
    }

    pub(super) fn add(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    pub(super) fn entries(&self, dir: usize) -> io::Result<&BTreeMap<String, usize>> {
        match &self.nodes[dir] {
            Node::Dir(image) => Ok(&image.live),
            Node::File(_) => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    pub(super) fn find(&self, path: &Path) -> io::Result<usize> {
        let mut node = ROOT;
        for name in names(path)? {
            node = *self.entries(node)?.get(&name).ok_or(io::ErrorKind::NotFound)?;
        }
        Ok(node)
    }

    pub(super) fn parent_of(&self, path: &Path) -> io::Result<(usize, String)> {
        let mut names = names(path)?;
        let name = names.pop().ok_or(io::ErrorKind::InvalidInput)?;
        let mut dir = ROOT;
        for name in names {
            dir = *self.entries(dir)?.get(&name).ok_or(io::ErrorKind::NotFound)?;
        }
        self.entries(dir)?;
        Ok((dir, name))
    }

    pub(super) fn file_at(&mut self, path: &Path) -> io::Result<&mut FileImage> {
        let node = self.find(path)?;
        match &mut self.nodes[node] {
            Node::File(image) => Ok(image),
            Node::Dir(_) => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    pub(super) fn file_mut(&mut self, node: usize) -> &mut FileImage {
        match &mut self.nodes[node] {
            Node::File(image) => image,
            Node::Dir(_) => unreachable!("BUG: a file handle on a directory"),
        }
    }

    pub(super) fn set_entries(&mut self, ops: &[(usize, String, Option<usize>)]) {
        for (dir, name, node) in ops {
            let Node::Dir(image) = &mut self.nodes[*dir] else { continue };
            set_entry(&mut image.live, name.clone(), *node);
            let (at, dir, name, node) = (self.clock, *dir, name.clone(), *node);
            self.entry_ops.push(EntryOp { at, dir, name, node });
        }
    }

    pub(super) fn apply_entries(&mut self, ops: Vec<EntryOp>) {
        for op in ops {
            if let Node::Dir(image) = &mut self.nodes[op.dir] {
                set_entry(&mut image.durable, op.name, op.node);
            }
        }
    }

    /// Every file reachable from the root, as readers see it.
    pub(super) fn live_files(&self) -> Vec<(PathBuf, &FileImage)> {
        let mut found = Vec::new();
        let mut pending = vec![(PathBuf::new(), ROOT)];
        while let Some((path, node)) = pending.pop() {
            match &self.nodes[node] {
                Node::Dir(dir) => {
                    pending.extend(dir.live.iter().map(|(name, &node)| (path.join(name), node)));
                }
                Node::File(file) => found.push((path, file)),
            }
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        found
    }

    pub(super) fn room(&self) -> u64 {
        let used: u64 = self.live_files().iter().map(|(_, file)| file.live.len() as u64).sum();
        self.capacity.map_or(u64::MAX, |capacity| capacity.saturating_sub(used))
    }

    /// The power is gone: keeps some of what was pending and makes it all there is.
    pub(super) fn lose_unsynced(&mut self, random: &mut Random) {
        let loss = match random.below(6) {
            0 => Loss::All,
            1 => Loss::Nothing,
            2 | 3 => Loss::Since(self.pending_instant(random)),
            _ => Loss::Sectors,
        };
        let mut coin_of = BTreeMap::new();
        let mut kept = std::mem::take(&mut self.entry_ops);
        kept.retain(|op| match loss {
            Loss::All => false,
            Loss::Nothing => true,
            Loss::Since(instant) => op.at < instant,
            Loss::Sectors => *coin_of.entry(op.at).or_insert_with(|| random.coin()),
        });
        self.apply_entries(kept);
        for node in &mut self.nodes {
            match node {
                Node::Dir(image) => image.live.clone_from(&image.durable),
                Node::File(file) => {
                    file.durable = file.survivor(random, loss);
                    file.live.clone_from(&file.durable);
                    file.pending.clear();
                }
            }
        }
    }

    /// Some instant between the first and the last pending change.
    pub(super) fn pending_instant(&self, random: &mut Random) -> u64 {
        let mut instants: Vec<u64> = self.entry_ops.iter().map(|op| op.at).collect();
        for node in &self.nodes {
            if let Node::File(file) = node {
                instants.extend(file.pending.iter().map(|(at, _)| *at));
            }
        }
        instants.sort_unstable();
        instants.get(random.below(instants.len() as u64) as usize).map_or(0, |at| at + 1)
    }
}

impl FileImage {
    /// What is on the platter once `loss` has struck.
    pub(super) fn survivor(&self, random: &mut Random, loss: Loss) -> Vec<u8> {
        let mut image = self.durable.clone();
        match loss {
            Loss::All => {}
            Loss::Nothing => self.pending.iter().for_each(|(_, op)| op.apply(&mut image)),
            Loss::Since(instant) => {
                for (at, op) in self.pending.iter().filter(|(at, _)| *at < instant) {
                    let is_last = *at + 1 == instant;
                    let part = if is_last { random.below(op.bytes() + 1) } else { op.bytes() };
                    if let Some(part) = op.first(part) {
                        part.apply(&mut image);
                    }
                }
            }
            Loss::Sectors => {
                let mut lengths = vec![image.len()];
                let mut full = image.clone();
                let mut versions: BTreeMap<usize, Vec<Vec<u8>>> = BTreeMap::new();
                for (_, op) in &self.pending {
                    op.apply(&mut full);
                    lengths.push(full.len());
                    for start in op.sectors() {
                        let end = full.len().min(start + SECTOR);
                        versions.entry(start).or_default().push(full[start..end].to_vec());
                    }
                }
                for (start, versions) in versions {
                    keep_some_version(&mut image, start, &versions, random);
                }
                image.resize(lengths[random.below(lengths.len() as u64) as usize], 0);
            }
        }
        image
    }
}

impl FileOp {
    /// How many bytes it writes.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            FileOp::Write { bytes, .. } => bytes.len() as u64,
            FileOp::SetLen(_) => 0,
        }
    }

    /// The length a file has at least after it.
    pub(super) fn end(&self) -> u64 {
        match self {
            FileOp::Write { offset, bytes } => offset + bytes.len() as u64,
            FileOp::SetLen(len) => *len,
        }
    }

    /// A write of just the first bytes; `None` for a change of length, which is whole or not at all.
    pub(super) fn first(&self, part: u64) -> Option<FileOp> {
        match self {
            FileOp::Write { offset, bytes } => {
                Some(FileOp::Write { offset: *offset, bytes: bytes[..part as usize].to_vec() })
            }
            FileOp::SetLen(_) => None,
        }
    }

    /// The write of the first bytes and that of the others, if it has two of them.
    pub(super) fn divide(&self, at: u64) -> Option<(FileOp, FileOp)> {
        let FileOp::Write { offset, bytes } = self else { return None };
        let at = 1 + at as usize % bytes.len().checked_sub(1).filter(|rest| *rest > 0)?;
        let (first, rest) = bytes.split_at(at);
        let rest = FileOp::Write { offset: offset + at as u64, bytes: rest.to_vec() };
        Some((FileOp::Write { offset: *offset, bytes: first.to_vec() }, rest))
    }

    pub(super) fn apply(&self, image: &mut Vec<u8>) {
        match self {
            FileOp::Write { offset, bytes } => put(image, *offset as usize, bytes),
            FileOp::SetLen(len) => image.resize(*len as usize, 0),
        }
    }

    /// Where the sectors start that it writes to.
    pub(super) fn sectors(&self) -> impl Iterator<Item = usize> {
        let (start, end) = match self {
            FileOp::Write { offset, bytes } => (*offset as usize, *offset as usize + bytes.len()),
            FileOp::SetLen(_) => (0, 0),
        };
        (start / SECTOR * SECTOR..end).step_by(SECTOR)
    }
}

/// Puts one of the contents that a sector had in turn into `image`, or leaves its old one; now and
/// then only the first bytes of it.
fn keep_some_version(image: &mut Vec<u8>, start: usize, versions: &[Vec<u8>], random: &mut Random) {
    let latest = versions.len() as u64 - 1;
    let version = match random.below(6) {
        0 | 1 => return,
        2 => random.below(latest + 1),
        _ => latest,
    };
    let bytes = &versions[version as usize];
    let is_torn = random.below(4) == 0;
    let kept = if is_torn { random.below(bytes.len() as u64) as usize } else { bytes.len() };
    put(image, start, &bytes[..kept]);
}

pub(super) fn put(image: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    let end = offset + bytes.len();
    if image.len() < end {
        image.resize(end, 0);
    }
    image[offset..end].copy_from_slice(bytes);
}

pub(super) fn set_entry(entries: &mut BTreeMap<String, usize>, name: String, node: Option<usize>) {
    match node {
        Some(node) => entries.insert(name, node),
        None => entries.remove(&name),
    };
}

pub(super) fn names(path: &Path) -> io::Result<Vec<String>> {
    check_path(path)?;
    Ok(path.iter().map(|part| part.to_string_lossy().into_owned()).collect())
}

pub(super) fn power_is_off() -> io::Error {
    io::Error::other("the simulated power is off")
}

pub(super) fn no_space() -> io::Error {
    rustix::io::Errno::NOSPC.into()
}
