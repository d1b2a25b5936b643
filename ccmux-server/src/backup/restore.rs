//! Putting a backup where a server will find it.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::archive::{Source, unpack};
use super::{BackupError, private_dir, sync_dir, sync_tree};
use crate::doctor::{Examination, Severity, examine};

/// What an ended server leaves that is no state.
const LEFTOVERS: [&str; 3] = ["lock", "server.log", "server.log.old"];

/// A backup that was restored.
#[derive(Debug)]
pub struct Restored {
    /// What is there now.
    pub contents: Examination,
    /// Where what was there before has been moved to.
    pub before: Option<PathBuf>,
}

/// A backup that was unpacked, examined and made durable beside the place where it is to be.
#[derive(Debug)]
pub struct Unpacked {
    tree: TempDir,
    contents: Examination,
    directory: PathBuf,
}

/// Looks whether there is room for a backup at `directory`, that of a server's state.
///
/// # Errors
/// Programs of what is there run, or there is something and it may not be replaced.
pub fn check_place(directory: &Path, may_replace: bool) -> Result<(), BackupError> {
    let is_occupied = is_occupied(directory).map_err(BackupError::io(directory))?;
    if is_occupied && !may_replace {
        return Err(BackupError::Occupied { path: directory.to_owned() });
    }
    match keepers(directory) {
        0 => Ok(()),
        keepers => Err(BackupError::InUse { path: directory.to_owned(), keepers }),
    }
}

impl Unpacked {
    /// Unpacks the backup `file` beside `directory`, where nothing is changed.
    pub fn open(file: &Path, directory: &Path) -> Result<Self, BackupError> {
        let source = Source::new(File::open(file).map_err(BackupError::io(file))?);
        let parent = directory.parent().unwrap_or(Path::new("/"));
        let failed = |error| BackupError::io(parent)(error);
        DirBuilder::new().recursive(true).mode(0o700).create(parent).map_err(failed)?;
        let tree = private_dir(parent).map_err(failed)?;
        let why = |why| BackupError::NotABackup { path: file.to_owned(), why };
        unpack(&source, tree.path()).map_err(why)?;
        let contents = examine(tree.path()).map_err(failed)?;
        let findings = &contents.findings;
        let refused = findings.iter().find(|finding| finding.severity == Severity::Refusal);
        if let Some(finding) = refused {
            return Err(why(finding.what.clone()));
        }
        sync_tree(tree.path()).map_err(failed)?;
        let contents = Examination { directory: directory.to_owned(), ..contents };
        Ok(Self { tree, contents, directory: directory.to_owned() })
    }

    /// Puts it in the place of what is at the directory, in one step; what was there is moved aside.
    /// The caller holds the lock of the directory, which therefore is there.
    pub fn put_in_place(self, may_replace: bool) -> Result<Restored, BackupError> {
        let directory = &self.directory;
        // Since it was asked for, a server may have come and gone.
        check_place(directory, may_replace)?;
        let failed = |error| BackupError::io(directory)(error);
        exchange(self.tree.path(), directory).map_err(failed)?;
        // What was there is under the temporary name now, and is looked at once more.
        let is_worthless = matches!(is_occupied(self.tree.path()), Ok(false));
        let before = if is_worthless {
            None
        } else {
            let aside = free_name(directory);
            fs::rename(self.tree.keep(), &aside).map_err(failed)?;
            Some(aside)
        };
        sync_dir(directory.parent().unwrap_or(Path::new("/"))).map_err(failed)?;
        Ok(Restored { contents: self.contents, before })
    }
}

/// Exchanges two directories.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn exchange(a: &Path, b: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE)?)
}

/// Exchanges two directories; a crash in between leaves `b` under another name.
#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn exchange(a: &Path, b: &Path) -> io::Result<()> {
    let aside = free_name(b);
    fs::rename(b, &aside)?;
    fs::rename(a, b)?;
    fs::rename(&aside, a)
}

/// Whether there is anything but what an ended server leaves.
fn is_occupied(directory: &Path) -> io::Result<bool> {
    match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        entries => {
            for entry in entries? {
                let name = entry?.file_name();
                if !LEFTOVERS.iter().any(|leftover| name == *leftover) {
                    return Ok(true);
                }
            }
            Ok(false)
        }
    }
}

/// How many keepers of the state at `directory` live, as far as that can be told.
fn keepers(directory: &Path) -> usize {
    let panes = fs::read_dir(directory.join("panes")).into_iter().flatten().flatten();
    panes.filter(|pane| ccmux_keeper::is_alive(&pane.path()).unwrap_or(true)).count()
}

/// A name beside `directory` that nothing has.
fn free_name(directory: &Path) -> PathBuf {
    let name = directory.file_name().unwrap_or_default().to_string_lossy();
    let names = (1..).map(|n: u32| directory.with_file_name(format!("{name}.before-{n}")));
    names.into_iter().find(|path| !path.exists()).expect("there are more numbers than files")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ccmux_core::model::Timestamp;

    use super::*;
    use crate::backup::back_up;
    use crate::persistence::storage::FsStorage;
    use crate::persistence::{OpenOptions, Persistence};

    /// Unpacking takes its time, in which somebody may begin to work where the backup is to go.
    #[test]
    fn what_came_while_it_was_unpacked_is_not_replaced_unasked() {
        let temp = tempfile::tempdir().unwrap();
        let store = temp.path().join("store");
        let storage = Arc::new(FsStorage::open(&store).unwrap());
        let options = OpenOptions::new(Timestamp(1), Arc::new(|| ())).unwrap();
        drop(Persistence::open(storage, &options).unwrap());
        let file = temp.path().join("backup");
        back_up(&store, &file, false).unwrap();

        let target = temp.path().join("target");
        let unpacked = Unpacked::open(&file, &target).unwrap();
        check_place(&target, false).unwrap();
        fs::create_dir(&target).unwrap();
        fs::write(target.join("lock"), b"").unwrap();
        fs::write(target.join("format"), b"of somebody").unwrap();
        let refused = unpacked.put_in_place(false).unwrap_err();
        assert!(matches!(refused, BackupError::Occupied { .. }), "{refused}");
        assert_eq!(fs::read(target.join("format")).unwrap(), b"of somebody");

        let unpacked = Unpacked::open(&file, &target).unwrap();
        let restored = unpacked.put_in_place(true).unwrap();
        let before = restored.before.unwrap();
        assert_eq!(fs::read(before.join("format")).unwrap(), b"of somebody");
        let names = |dir: &Path| {
            let entries = fs::read_dir(dir).unwrap();
            let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        assert!(names(&target).contains(&"wal".into()), "{:?}", names(&target));
        let left = ["backup", "store", "target", "target.before-1"].map(std::ffi::OsString::from);
        assert_eq!(names(temp.path()), left, "nothing else is left");
    }
}
