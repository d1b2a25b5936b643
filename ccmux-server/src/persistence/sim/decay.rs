//! What a disk does to files that were safely on it.

use std::path::{Path, PathBuf};

use super::SimStorage;
use super::disk::{Disk, Node, ROOT, SECTOR, set_entry};

/// A way in which something on the platter decays. Files are chosen among those that there are, in
/// the order of their paths; numbers beyond the last begin again at the first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decay {
    /// A bit is inverted.
    Bit {
        /// Which file.
        file: u64,
        /// Which bit of it.
        bit: u64,
    },
    /// The same bit of both copies of a header is inverted.
    Copies {
        /// Which file.
        file: u64,
        /// Which bit of the first copy.
        bit: u64,
    },
    /// A sector reads as zeros.
    Sector {
        /// Which file.
        file: u64,
        /// Which sector of it.
        sector: u64,
    },
    /// A file is cut off.
    Truncated {
        /// Which file.
        file: u64,
        /// What is left of it.
        bytes: u64,
    },
    /// A file is gone, name and all.
    Gone {
        /// Which file.
        file: u64,
    },
    /// Every read of a file fails, for ever.
    Unreadable {
        /// Which file.
        file: u64,
    },
    /// Two files have changed places.
    Swapped {
        /// One of them.
        file: u64,
        /// The other.
        with: u64,
    },
    /// A rename that was synced has not happened.
    LostRename {
        /// Which of the renames that can still be seen, from the last on.
        back: u64,
    },
}

impl SimStorage {
    /// Lets something decay; returns what, or `None` if there is nothing like that.
    pub fn decay(&self, decay: Decay) -> Option<String> {
        let paths: Vec<PathBuf> = self.files().into_iter().map(|(path, _)| path).collect();
        let count = paths.len() as u64;
        let path = |file: u64| paths.get(file.checked_rem(count)? as usize);
        match decay {
            Decay::Bit { file, bit } => self.decay_bytes(path(file)?, |bytes| {
                let bit = bit.checked_rem(bytes.len() as u64 * 8)?;
                bytes[(bit / 8) as usize] ^= 1 << (bit % 8);
                Some(format!("bit {bit} inverted"))
            }),
            Decay::Copies { file, bit } => self.decay_bytes(path(file)?, |bytes| {
                let at = (bit / 8) as usize;
                let (first, second) = bytes.split_at_mut_checked(4096)?;
                let copies = [first.get_mut(at)?, second.get_mut(at)?];
                for byte in copies {
                    *byte ^= 1 << (bit % 8);
                }
                Some(format!("bit {bit} inverted in both copies"))
            }),
            Decay::Sector { file, sector } => self.decay_bytes(path(file)?, |bytes| {
                let at = (sector.checked_rem(bytes.len().div_ceil(SECTOR) as u64)?) as usize;
                let sector = bytes.chunks_mut(SECTOR).nth(at)?;
                sector.iter().any(|byte| *byte != 0).then(|| sector.fill(0))?;
                Some(format!("sector {at} zeroed"))
            }),
            Decay::Truncated { file, bytes: left } => self.decay_bytes(path(file)?, |bytes| {
                let left = left.checked_rem(bytes.len() as u64)?;
                bytes.truncate(left as usize);
                Some(format!("truncated to {left} bytes"))
            }),
            Decay::Gone { file } => {
                let path = path(file)?;
                self.lose_file(path);
                Some(format!("{} gone", path.display()))
            }
            Decay::Unreadable { file } => {
                let path = path(file)?;
                self.make_unreadable(path);
                Some(format!("{} unreadable", path.display()))
            }
            Decay::Swapped { file, with } => {
                let (a, b) = (path(file)?, path(with)?);
                (a != b).then(|| self.swap(a, b))?;
                Some(format!("{} and {} swapped", a.display(), b.display()))
            }
            Decay::LostRename { back } => self.lose_rename(back),
        }
    }

    /// Edits a file behind everyone's back, on the platter and in memory alike.
    pub fn damage(&self, path: &Path, edit: impl FnOnce(&mut Vec<u8>)) {
        let mut disk = self.disk();
        let file = disk.file_at(path).expect("the damaged file exists");
        edit(&mut file.live);
        file.durable.clone_from(&file.live);
        file.pending.clear();
    }

    /// Inverts one bit of a file, as [`SimStorage::damage`] does.
    pub fn flip_bit(&self, path: &Path, bit: u64) {
        self.damage(path, |bytes| bytes[(bit / 8) as usize] ^= 1 << (bit % 8));
    }

    /// Makes every read of a file, or every listing of a directory, fail from now on.
    pub fn make_unreadable(&self, path: &Path) {
        let mut disk = self.disk();
        let node = disk.find(path).expect("what becomes unreadable exists");
        disk.unreadable.insert(node);
    }

    /// Lets two files change places.
    pub fn swap(&self, a: &Path, b: &Path) {
        let mut disk = self.disk();
        let [at_a, at_b] = [a, b].map(|path| disk.find(path).expect("swapped files exist"));
        for (path, node) in [(a, at_b), (b, at_a)] {
            disk.put_entry(path, Some(node));
        }
    }

    fn lose_file(&self, path: &Path) {
        self.disk().put_entry(path, None);
    }

    fn decay_bytes(
        &self,
        path: &Path,
        edit: impl FnOnce(&mut Vec<u8>) -> Option<String>,
    ) -> Option<String> {
        let mut what = None;
        self.damage(path, |bytes| what = edit(bytes));
        Some(format!("{}: {}", path.display(), what?))
    }

    fn lose_rename(&self, back: u64) -> Option<String> {
        let mut disk = self.disk();
        let seen: Vec<usize> = (0..disk.renames.len()).filter(|&at| disk.is_seen(at)).collect();
        let back = back.checked_rem(seen.len() as u64)? as usize;
        let renamed = disk.renames.remove(seen[seen.len() - 1 - back]);
        disk.put(&renamed.from, Some(renamed.node));
        disk.put(&renamed.to, renamed.replaced);
        Some(format!("{}: its rename from {} lost", renamed.to.1, renamed.from.1))
    }
}

impl Disk {
    /// Sets or removes an entry for good, behind everyone's back.
    fn put(&mut self, (dir, name): &(usize, String), node: Option<usize>) {
        self.entry_ops.retain(|op| op.dir != *dir || op.name != *name);
        if let Node::Dir(image) = &mut self.nodes[*dir] {
            set_entry(&mut image.live, name.clone(), node);
            set_entry(&mut image.durable, name.clone(), node);
        }
    }

    fn put_entry(&mut self, path: &Path, node: Option<usize>) {
        let place = self.parent_of(path).expect("its directory exists");
        self.put(&place, node);
    }

    /// Whether what a rename did is still there, and its old name free.
    fn is_seen(&self, at: usize) -> bool {
        let renamed = &self.renames[at];
        let entry = |(dir, name): &(usize, String)| match &self.nodes[*dir] {
            Node::Dir(image) => image.live.get(name).copied(),
            Node::File(_) => None,
        };
        self.is_reachable(renamed.to.0)
            && entry(&renamed.to) == Some(renamed.node)
            && entry(&renamed.from).is_none()
    }

    fn is_reachable(&self, dir: usize) -> bool {
        let mut pending = vec![ROOT];
        while let Some(node) = pending.pop() {
            if node == dir {
                return true;
            }
            if let Node::Dir(image) = &self.nodes[node] {
                pending.extend(image.live.values());
            }
        }
        false
    }
}
