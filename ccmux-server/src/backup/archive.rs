//! The archive itself: what goes into it in which order, and taking it apart.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use tar::{Archive, Builder, EntryType, Header};

/// The first entry.
const LABEL: &str = "ccmux-backup.json";
const LABEL_BYTES_MAX: u64 = 64 * 1024;
/// The layout of archives that this code writes, and the newest that it reads.
const LAYOUT: u32 = 1;
/// zstd's own default: history is compressed already.
const LEVEL: i32 = 3;

/// What is taken, in this order. Within `panes/` keyframes come before chunks.
const PARTS: [&str; 7] =
    ["spool", "panes", "wal", "checkpoints", "quarantine", "format", "recovery.jsonl"];

/// What an archive says of itself.
#[derive(Debug, Serialize, Deserialize)]
struct Label {
    layout: u32,
    version: String,
}

/// Writes what is stored in `directory` as an archive.
pub(super) fn pack(directory: &Path, file: &File) -> io::Result<()> {
    let mut compressor = zstd::Encoder::new(BufWriter::new(file), LEVEL)?;
    compressor.include_checksum(true)?;
    let mut builder = Builder::new(compressor);
    let label = Label { layout: LAYOUT, version: env!("CARGO_PKG_VERSION").to_owned() };
    let label = serde_json::to_vec(&label)?;
    builder.append_data(&mut header(EntryType::Regular, label.len() as u64), LABEL, &*label)?;
    for part in PARTS {
        pack_entry(directory, Path::new(part), &mut builder)?;
    }
    let mut writer = builder.into_inner()?.finish()?;
    writer.flush()
}

fn pack_entry(
    directory: &Path,
    path: &Path,
    builder: &mut Builder<impl io::Write>,
) -> io::Result<()> {
    let full = directory.join(path);
    // What is gone was not needed any more.
    let Some(metadata) = unless_gone(full.symlink_metadata())? else { return Ok(()) };
    if metadata.is_dir() {
        builder.append_data(&mut header(EntryType::Directory, 0), path, io::empty())?;
        let Some(entries) = unless_gone(fs::read_dir(&full))? else { return Ok(()) };
        let mut names: Vec<PathBuf> = Vec::new();
        for entry in entries {
            names.push(entry?.file_name().into());
        }
        names.sort_by_key(|name| (order(name), name.clone()));
        for name in names {
            pack_entry(directory, &path.join(name), builder)?;
        }
    } else if metadata.is_file() && is_state(path) {
        let Some(file) = unless_gone(File::open(&full))? else { return Ok(()) };
        // A file may grow while it is read, and is what it was then.
        let len = file.metadata()?.len();
        let bytes = Read::take(&file, len).chain(io::repeat(0)).take(len);
        builder.append_data(&mut header(EntryType::Regular, len), path, bytes)?;
    }
    Ok(())
}

fn unless_gone<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        result => result.map(Some),
    }
}

/// Chunks come after the keyframes that count on them.
fn order(name: &Path) -> u8 {
    u8::from(name.extension().is_some_and(|extension| extension == "chunk"))
}

/// Locks are no state, nor is what is being written.
fn is_state(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name != "alive")
        && path.extension().is_none_or(|extension| extension != "tmp")
}

fn header(kind: EntryType, len: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(len);
    header.set_mode(if kind == EntryType::Directory { 0o700 } else { 0o600 });
    header
}

/// An archive to read.
#[derive(Debug)]
pub(super) struct Source(File);

impl Source {
    pub(super) fn new(file: File) -> Self {
        Self(file)
    }
}

/// Writes what is in an archive into the empty directory `target`.
///
/// # Errors
/// What is wrong with it, in words: it is no backup, of a newer version, damaged, or does not fit.
pub(super) fn unpack(source: &Source, target: &Path) -> Result<(), String> {
    let mut file = &source.0;
    file.seek(SeekFrom::Start(0)).map_err(|error| error.to_string())?;
    let decoder = zstd::Decoder::new(BufReader::new(file)).map_err(|error| error.to_string())?;
    let mut archive = Archive::new(decoder);
    let mut is_labelled = false;
    for entry in archive.entries().map_err(|error| error.to_string())? {
        let mut entry = entry.map_err(|error| error.to_string())?;
        let path = entry.path().map_err(|error| error.to_string())?.into_owned();
        if !is_labelled {
            check_label(&path, &mut entry)?;
            is_labelled = true;
            continue;
        }
        let is_inside = path.components().all(|part| matches!(part, Component::Normal(_)));
        let unpacked = match (is_inside, entry.header().entry_type()) {
            (true, EntryType::Directory) => {
                fs::DirBuilder::new().mode(0o700).create(target.join(&path))
            }
            (true, EntryType::Regular) => unpack_file(&mut entry, &target.join(&path)),
            _ => return Err(format!("{} has no place in a backup", path.display())),
        };
        unpacked.map_err(|error| format!("{}: {error}", path.display()))?;
    }
    if !is_labelled {
        return Err("it is empty".to_owned());
    }
    // The checksum of all comes last, behind what the archive itself needs.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(|error| error.to_string())?;
    Ok(())
}

fn check_label(path: &Path, entry: &mut impl Read) -> Result<(), String> {
    if path != Path::new(LABEL) {
        return Err(format!("it does not begin with {LABEL}"));
    }
    let mut label = Vec::new();
    entry.take(LABEL_BYTES_MAX).read_to_end(&mut label).map_err(|error| error.to_string())?;
    let label: Label = serde_json::from_slice(&label).map_err(|error| error.to_string())?;
    match label.layout {
        ..=LAYOUT => Ok(()),
        layout => Err(format!("ccmux {} wrote it (layout {layout})", label.version)),
    }
}

fn unpack_file(entry: &mut impl Read, path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(path)?;
    io::copy(entry, &mut file).map(drop)
}
