//! Putting a backup where a server will find it.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

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

/// Unpacks the backup `file` beside `directory`, examines it, and puts it in the place of that, in
/// one step. What is there already is moved aside if `may_replace`, else nothing is done. The caller
/// keeps servers away.
pub fn restore(file: &Path, directory: &Path, may_replace: bool) -> Result<Restored, BackupError> {
    let source = Source::new(File::open(file).map_err(BackupError::io(file))?);
    let is_occupied = is_occupied(directory).map_err(BackupError::io(directory))?;
    if is_occupied && !may_replace {
        return Err(BackupError::Occupied { path: directory.to_owned() });
    }
    let keepers = keepers(directory);
    if keepers > 0 {
        return Err(BackupError::InUse { path: directory.to_owned(), keepers });
    }
    let parent = directory.parent().unwrap_or(Path::new("/"));
    let failed = |error| BackupError::io(parent)(error);
    DirBuilder::new().recursive(true).mode(0o700).create(parent).map_err(failed)?;
    let unpacked = private_dir(parent).map_err(failed)?;
    let why = |why| BackupError::NotABackup { path: file.to_owned(), why };
    unpack(&source, unpacked.path()).map_err(why)?;
    let contents = examine(unpacked.path()).map_err(failed)?;
    let refused = contents.findings.iter().find(|finding| finding.severity == Severity::Refusal);
    if let Some(finding) = refused {
        return Err(why(finding.what.clone()));
    }
    sync_tree(unpacked.path()).map_err(failed)?;
    let aside = directory.exists().then(|| free_name(directory));
    if let Some(aside) = &aside {
        fs::rename(directory, aside).map_err(failed)?;
    }
    if let Err(error) = fs::rename(unpacked.path(), directory) {
        if let Some(aside) = &aside {
            fs::rename(aside, directory).map_err(failed)?;
        }
        return Err(failed(error));
    }
    // It is not temporary any more.
    let _moved = unpacked.keep();
    sync_dir(parent).map_err(failed)?;
    let before = aside.filter(|aside| {
        // Locks and logs are nothing to keep.
        is_occupied || fs::remove_dir_all(aside).is_err()
    });
    Ok(Restored { contents: Examination { directory: directory.to_owned(), ..contents }, before })
}

/// Whether there is anything but what an ended server leaves.
fn is_occupied(directory: &Path) -> std::io::Result<bool> {
    match fs::read_dir(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
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

/// How many keepers of the state at `directory` live.
fn keepers(directory: &Path) -> usize {
    let panes = fs::read_dir(directory.join("panes")).into_iter().flatten().flatten();
    panes.filter(|pane| ccmux_keeper::is_alive(&pane.path()).unwrap_or(false)).count()
}

/// A name beside `directory` that nothing has.
fn free_name(directory: &Path) -> PathBuf {
    let name = directory.file_name().unwrap_or_default().to_string_lossy();
    let names = (1..).map(|n: u32| directory.with_file_name(format!("{name}.before-{n}")));
    names.into_iter().find(|path| !path.exists()).expect("there are more numbers than files")
}
