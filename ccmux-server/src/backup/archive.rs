//! The archive itself: what goes into it in which order, and taking it apart.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek as _, SeekFrom, Write as _};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use tar::{Archive, Builder, EntryType, Header};

/// The first entry.
pub(super) const LABEL: &str = "ccmux-backup.json";
const LABEL_BYTES_MAX: u64 = 64 * 1024;
/// The longest path, with the zero that ends it; no system has longer ones.
const PATH_BYTES_MAX: u64 = 4096;
/// The layout of archives that this code writes, and the newest that it reads.
const LAYOUT: u32 = 1;
/// zstd's own default: history is compressed already.
const LEVEL: i32 = 3;
/// Comes first, because keyframes replace what it holds.
const SPOOL_DIR: &str = "spool";

/// What is taken, in this order, after the spool. Within `panes/` keyframes come before chunks.
const PARTS: [&str; 6] = ["panes", "wal", "checkpoints", "quarantine", "format", "recovery.jsonl"];

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
    pack_spool(directory, &mut builder)?;
    for part in PARTS {
        pack_entry(directory, Path::new(part), &mut builder)?;
    }
    let mut writer = builder.into_inner()?.finish()?;
    writer.flush()
}

/// Packs the spool, of which a server may be removing segments, the oldest first, each of them noted before it
/// goes. What is missing of those that are opened newest first is a beginning of the row, never a hole in it;
/// and a note that is looked for after that knows of all that are missing.
fn pack_spool(directory: &Path, builder: &mut Builder<impl io::Write>) -> io::Result<()> {
    let part = Path::new(SPOOL_DIR);
    let full = directory.join(part);
    let Some(mut segments) = unless_gone(names_in(&full))? else { return Ok(()) };
    segments.retain(|name| has_extension(name, "spool"));
    segments.sort_unstable();
    builder.append_data(&mut header(EntryType::Directory, 0), part, io::empty())?;
    let mut opened = Vec::new();
    for name in segments.iter().rev() {
        let Some(file) = unless_gone(File::open(full.join(name)))? else { break };
        opened.push((part.join(name), file));
    }
    for (path, file) in opened.iter().rev() {
        pack_file(path, file, builder)?;
    }
    pack_note(directory, part, builder)
}

/// Packs the note in a directory that says what was removed there on purpose. It is looked for after all else is
/// packed, so that it knows of all that is missing.
fn pack_note(
    directory: &Path,
    path: &Path,
    builder: &mut Builder<impl io::Write>,
) -> io::Result<()> {
    let names = unless_gone(names_in(&directory.join(path)))?.unwrap_or_default();
    if let Some(name) = names.into_iter().filter(|name| is_note(name)).max() {
        let path = path.join(name);
        builder.append_data(&mut header(EntryType::Regular, 0), path, io::empty())?;
    }
    Ok(())
}

fn is_note(name: &Path) -> bool {
    has_extension(name, "gone")
}

fn names_in(directory: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name().into())).collect()
}

fn has_extension(name: &Path, extension: &str) -> bool {
    name.extension().is_some_and(|it| it == extension)
}

/// Packs a file as long as it is now: it may grow while it is read.
fn pack_file(path: &Path, file: &File, builder: &mut Builder<impl io::Write>) -> io::Result<()> {
    let len = file.metadata()?.len();
    let bytes = Read::take(file, len).chain(io::repeat(0)).take(len);
    builder.append_data(&mut header(EntryType::Regular, len), path, bytes)
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
        let Some(mut names) = unless_gone(names_in(&full))? else { return Ok(()) };
        names.retain(|name| !is_note(name));
        names.sort_by_key(|name| (order(name), name.clone()));
        for name in names {
            pack_entry(directory, &path.join(name), builder)?;
        }
        pack_note(directory, path, builder)?;
    } else if metadata.is_file() && is_state(path) {
        let Some(file) = unless_gone(File::open(&full))? else { return Ok(()) };
        pack_file(path, &file, builder)?;
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
    u8::from(has_extension(name, "chunk"))
}

/// Locks are no state, nor is what is being written.
fn is_state(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name != "alive")
        && path.extension().is_none_or(|extension| extension != "tmp")
}

pub(super) fn header(kind: EntryType, len: u64) -> Header {
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
    unpack_from(BufReader::new(file), target)
}

/// The same of an archive that comes from anywhere.
pub(super) fn unpack_from(reader: impl BufRead, target: &Path) -> Result<(), String> {
    let decoder = zstd::Decoder::with_buffer(reader).map_err(|error| error.to_string())?;
    let mut archive = Archive::new(decoder);
    let (mut is_labelled, mut long_path) = (false, None);
    // Raw: names of any length would be read into memory before they are seen here.
    for entry in archive.entries().map_err(|error| error.to_string())?.raw(true) {
        let mut entry = entry.map_err(|error| error.to_string())?;
        let kind = entry.header().entry_type();
        if kind == EntryType::GNULongName && long_path.is_none() {
            long_path = Some(read_long_path(&mut entry)?);
            continue;
        }
        let path = match long_path.take() {
            Some(path) => path,
            None => entry.path().map_err(|error| error.to_string())?.into_owned(),
        };
        if !is_labelled {
            check_label(&path, &mut entry)?;
            is_labelled = true;
            continue;
        }
        let is_inside = path.components().all(|part| matches!(part, Component::Normal(_)));
        let unpacked = match (is_inside, kind) {
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

/// A path that is too long for the header of its entry, which comes next.
fn read_long_path(entry: &mut impl Read) -> Result<PathBuf, String> {
    let mut path = Vec::new();
    let mut entry = entry.take(PATH_BYTES_MAX + 1);
    entry.read_to_end(&mut path).map_err(|error| error.to_string())?;
    if path.len() as u64 > PATH_BYTES_MAX {
        return Err(format!("it has a path of more than {PATH_BYTES_MAX} bytes"));
    }
    path.pop_if(|last| *last == 0);
    Ok(OsString::from_vec(path).into())
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const SEGMENTS: u64 = 6;
    const GONE_BEFORE: u64 = 2;
    const GONE_AFTER: u64 = 5;
    const PANE: &str = "00000000-0000-0000-0000-000000000001";

    /// Takes everything, and does something at the `countdown`-th write.
    struct Disturbed<F> {
        countdown: u64,
        act: F,
        written: Vec<u8>,
    }

    impl<F: FnMut()> io::Write for Disturbed<F> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.countdown = self.countdown.saturating_sub(1);
            if self.countdown == 0 {
                (self.act)();
            }
            self.written.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn segment(directory: &Path, number: u64) -> PathBuf {
        directory.join(format!("spool/{number:020}.spool"))
    }

    fn gone(directory: &Path, number: u64) -> PathBuf {
        directory.join(format!("spool/{number:020}.gone"))
    }

    /// A spool of which segments were removed already.
    fn spool() -> io::Result<tempfile::TempDir> {
        let directory = tempfile::TempDir::new()?;
        fs::create_dir(directory.path().join("spool"))?;
        for number in GONE_BEFORE + 1..=SEGMENTS {
            fs::write(segment(directory.path(), number), [b'x'; 1000])?;
        }
        fs::write(gone(directory.path(), GONE_BEFORE), "")?;
        Ok(directory)
    }

    /// Removes segments as a server does.
    fn remove(directory: &Path) {
        let noted = fs::rename(gone(directory, GONE_BEFORE), gone(directory, GONE_AFTER));
        if noted.is_ok() {
            for number in GONE_BEFORE + 1..=GONE_AFTER {
                fs::remove_file(segment(directory, number)).expect("nobody else removes it");
            }
        }
    }

    /// A live backup had segments whose predecessor was neither there nor noted as gone, or had been removed
    /// between two that were there. After a restore the first were behind the end of the log: they were lost.
    #[test]
    fn whenever_segments_go_none_is_missed_in_the_archive() {
        let mut writes = 0;
        loop {
            writes += 1;
            let directory = spool().unwrap();
            let act = || remove(directory.path());
            let disturbed = Disturbed { countdown: writes, act, written: Vec::new() };
            let mut builder = Builder::new(disturbed);
            pack_spool(directory.path(), &mut builder).unwrap();
            let disturbed = builder.into_inner().unwrap();
            let (is_over, archive) = (disturbed.countdown > 0, disturbed.written);
            check(&archive, writes);
            if is_over {
                break;
            }
        }
        assert!(writes > 2 * (SEGMENTS - GONE_BEFORE), "{writes}");
    }

    /// The same for the chunks of a pane, of which only the note tells that they were not lost.
    #[test]
    fn whenever_chunks_go_the_archive_says_so() {
        const KEPT_FROM: u64 = 300;
        let file = |directory: &Path, line: u64, suffix: &str| {
            directory.join(format!("panes/{PANE}/{line:020}.{suffix}"))
        };
        for writes in 1.. {
            let directory = tempfile::TempDir::new().unwrap();
            let directory = directory.path();
            fs::create_dir_all(directory.join("panes").join(PANE)).unwrap();
            fs::write(file(directory, 7, "keyframe"), "terminal").unwrap();
            fs::write(file(directory, 0, "gone"), "").unwrap();
            for line in (0..600).step_by(100) {
                fs::write(file(directory, line, "chunk"), [b'x'; 1000]).unwrap();
            }
            let act = || {
                let noted =
                    fs::rename(file(directory, 0, "gone"), file(directory, KEPT_FROM, "gone"));
                for line in (0..KEPT_FROM).step_by(100).filter(|_| noted.is_ok()) {
                    fs::remove_file(file(directory, line, "chunk")).unwrap();
                }
            };
            let disturbed = Disturbed { countdown: writes, act, written: Vec::new() };
            let mut builder = Builder::new(disturbed);
            pack_entry(directory, Path::new("panes"), &mut builder).unwrap();
            let disturbed = builder.into_inner().unwrap();
            let (is_over, archive) = (disturbed.countdown > 0, disturbed.written);
            let (chunks, noted) = contents(&archive, "chunk");
            let [noted] = noted[..] else { panic!("{noted:?} at write {writes}") };
            let is_there = |line: u64| chunks.contains(&line);
            assert!((noted..600).step_by(100).all(is_there), "at write {writes}: {chunks:?}");
            if is_over {
                assert!(writes > 10, "{writes}");
                break;
            }
        }
    }

    /// The numbers of the files that it is about, and of the notes.
    fn contents(archive: &[u8], extension: &str) -> (BTreeSet<u64>, Vec<u64>) {
        let (mut found, mut noted) = (BTreeSet::new(), Vec::new());
        for entry in Archive::new(archive).entries().unwrap() {
            let path = entry.unwrap().path().unwrap().into_owned();
            let number = |path: &Path| path.file_stem()?.to_str()?.parse::<u64>().ok();
            match number(&path) {
                Some(number) if has_extension(&path, "gone") => noted.push(number),
                Some(number) if has_extension(&path, extension) => found.extend([number]),
                _ => {}
            }
        }
        (found, noted)
    }

    fn check(archive: &[u8], writes: u64) {
        let (segments, noted) = contents(archive, "spool");
        let first = *segments.first().unwrap();
        assert_eq!(segments, (first..=SEGMENTS).collect(), "at write {writes}");
        assert_eq!(noted.len(), 1, "at write {writes}");
        assert!(noted[0] >= first - 1, "at write {writes}: {segments:?}, gone to {noted:?}");
    }

    /// An error is no absence: a backup without the spool would look whole.
    #[test]
    fn a_spool_that_is_not_there_is_left_out_and_one_that_cannot_be_read_is_not() {
        let directory = tempfile::TempDir::new().unwrap();
        let mut builder = Builder::new(Vec::new());
        pack_spool(directory.path(), &mut builder).unwrap();
        fs::write(directory.path().join("spool"), "no directory").unwrap();
        pack_spool(directory.path(), &mut builder).unwrap_err();
    }
}
