//! The files themselves: how large, whose, and who else can read them.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

use super::{Examination, Finding, Severity};

/// No directory of a store is deeper than this.
const DEPTH_MAX: usize = 4;
/// So many files are named; the others are counted.
const NAMED_MAX: usize = 5;

/// What a state directory has at least one of.
const PARTS: [&str; 7] = ["checkpoints", "format", "lock", "mark", "panes", "spool", "wal"];

/// Whether there is anything in a directory that a server makes in its state directory.
pub fn is_state_directory(directory: &Path) -> bool {
    PARTS.iter().any(|part| directory.join(part).symlink_metadata().is_ok())
}

/// Adds up sizes by the first component of the path, and finds files that others could read.
pub(super) fn look_over(directory: &Path, examination: &mut Examination) {
    let mut open = Vec::new();
    if let Ok(metadata) = directory.metadata()
        && is_open(&metadata)
    {
        open.push(".".to_owned());
    }
    if let Err(error) = walk(directory, Path::new(""), 0, examination, &mut open) {
        let meaning = "what is behind it was not looked at";
        let place = directory.display().to_string();
        examination.findings.push(Finding::new(Severity::Warning, &place, &error, meaning));
    }
    if !open.is_empty() {
        let named = open.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(" ");
        let more = match open.len().saturating_sub(NAMED_MAX) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let what = format!("other users can get at {named}{more}");
        let meaning = "ccmux makes files 0600 and directories 0700; chmod -R go= puts it right";
        examination.findings.push(Finding::new(Severity::Warning, "files", &what, meaning));
    }
    let quarantined = std::fs::read_dir(directory.join("quarantine")).map_or(0, Iterator::count);
    if quarantined > 0 {
        let what = format!("{quarantined} files set aside by earlier recoveries");
        let meaning = "nothing needs them; remove them when you have looked at them";
        examination.findings.push(Finding::new(Severity::Note, "quarantine", &what, meaning));
    }
}

fn walk(
    directory: &Path,
    below: &Path,
    depth: usize,
    examination: &mut Examination,
    open: &mut Vec<String>,
) -> io::Result<()> {
    for entry in std::fs::read_dir(directory.join(below))? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        // What is gone meanwhile is not there.
        let Ok(metadata) = entry.metadata() else { continue };
        let kind = metadata.file_type();
        if kind.is_symlink() || kind.is_socket() {
            continue;
        }
        if is_open(&metadata) {
            open.push(path.display().to_string());
        }
        if kind.is_dir() {
            if depth < DEPTH_MAX {
                walk(directory, &path, depth + 1, examination, open)?;
            }
            continue;
        }
        let part = match path.components().count() {
            1 => "other".into(),
            _ => path.iter().next().unwrap_or_default().to_string_lossy(),
        };
        *examination.disk.entry(part.into_owned()).or_default() += metadata.blocks() * 512;
    }
    Ok(())
}

fn is_open(metadata: &Metadata) -> bool {
    metadata.mode() & 0o077 != 0
}
