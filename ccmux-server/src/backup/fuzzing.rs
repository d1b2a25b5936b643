//! Any bytes at all as a backup; see `persistence::fuzzing`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tar::{Builder, EntryType, Header};
use tempfile::TempDir;

use super::archive::{LABEL, header, pack, unpack_from};
use crate::doctor::examine;
use crate::persistence::fuzzing::repair::repair;

/// How an input is tried, by its first byte: as it is, or as a tar archive that is compressed, or as one
/// whose checksums are made right first, those of the files in it, too.
pub(crate) const WAYS: u8 = 3;
/// Archives that are longer when unpacked are not tried: what they take is the disk's.
const TAR_BYTES_MAX: u64 = 1 << 20;
/// Files that are longer are in no seed that is not compressed.
const SHORT_BYTES: usize = 4096;
/// What the headers of an archive are multiples of.
const BLOCK: usize = 512;

/// What an archive leaves is inside of where it is unpacked to, no more than was in it, and for nobody
/// else; the doctor can look at it, and packed and unpacked again it is the same.
pub(crate) fn backup(input: &[u8]) -> bool {
    let Some((way, bytes)) = input.split_first() else { return false };
    let archive = match way % WAYS {
        0 => bytes.to_vec(),
        1 => compressed(bytes),
        _ => compressed(&repaired(bytes)),
    };
    let Some(tar_len) = unpacked_len(&archive) else { return false };
    let outer = TempDir::new().expect("there is room");
    let target = outer.path().join("target");
    fs::create_dir(&target).expect("there is room");
    let unpacked = unpack_from(archive.as_slice(), &target);
    assert_eq!(names_in(outer.path()), ["target"], "it is not only where it should be");
    let files = files_in(&target);
    let bytes: usize = files.values().map(Vec::len).sum();
    assert!(bytes as u64 <= tar_len && (files.len() * BLOCK) as u64 <= tar_len, "out of nothing");
    if unpacked.is_err() {
        return false;
    }
    examine(&target).expect("nothing fails");
    if target.join("spool").is_file() {
        // Of a state without a spool that can be read there is no backup.
        return true;
    }
    let [once, twice] = ["once", "twice"].map(|name| outer.path().join(name));
    assert_eq!(repacked(&target, &once), repacked(&once, &twice), "packed again it differs");
    for (path, contents) in files_in(&once) {
        let is_note = path.extension().is_some_and(|it| it == "gone");
        assert!(is_note || files.get(&path) == Some(&contents), "{} differs", path.display());
    }
    true
}

fn compressed(tar: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(tar, 1).expect("there is memory")
}

/// How long it is when unpacked, up to where it breaks off; `None` if that is too long.
fn unpacked_len(archive: &[u8]) -> Option<u64> {
    let decoder = zstd::Decoder::with_buffer(archive).ok()?;
    let mut decoder = decoder.take(TAR_BYTES_MAX + 1);
    let (mut len, mut piece) = (0, [0; 4096]);
    // What is broken has a length, too.
    while let Ok(read @ 1..) = decoder.read(&mut piece) {
        len += read as u64;
    }
    (len <= TAR_BYTES_MAX).then_some(len)
}

/// With the checksums of its headers made right, and those of the files in it.
fn repaired(tar: &[u8]) -> Vec<u8> {
    let mut tar = tar.to_vec();
    let mut rest = tar.as_mut_slice();
    while let Some((bytes, data)) = rest.split_first_chunk_mut::<BLOCK>()
        && bytes.iter().any(|byte| *byte != 0)
    {
        let mut header = Header::new_old();
        header.as_mut_bytes().copy_from_slice(bytes);
        header.set_cksum();
        bytes.copy_from_slice(header.as_bytes());
        let len = header.entry_size().map_or(usize::MAX, |len| len as usize).min(data.len());
        repair(&mut data[..len]);
        let next = len.next_multiple_of(BLOCK).min(data.len());
        rest = &mut data[next..];
    }
    tar
}

/// Packs `from` and unpacks that into the new directory `to`; returns what is there then.
fn repacked(from: &Path, to: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let archive = tempfile::tempfile().expect("there is room");
    pack(from, &archive).expect("nothing fails");
    fs::create_dir(to).expect("there is room");
    super::unpack(&super::Source::new(archive), to).expect("it can be read");
    files_in(to)
}

fn names_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("it is there");
    let name = |entry: io::Result<fs::DirEntry>| entry.expect("it is there").file_name();
    entries.map(|entry| name(entry).to_string_lossy().into_owned()).collect()
}

/// The files below a directory, and what is in them: nothing but files and directories of the owner's.
fn files_in(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut files, mut pending) = (BTreeMap::new(), vec![directory.to_owned()]);
    while let Some(path) = pending.pop() {
        for entry in fs::read_dir(&path).expect("it is there") {
            let path = entry.expect("it is there").path();
            let metadata = path.symlink_metadata().expect("it is there");
            let others = metadata.permissions().mode() & 0o077;
            assert_eq!(others, 0, "{} is not private", path.display());
            if metadata.is_dir() {
                pending.push(path);
            } else {
                assert!(metadata.is_file(), "{} is no file", path.display());
                let name = path.strip_prefix(directory).expect("it is below").to_owned();
                files.insert(name, fs::read(path).expect("it is there"));
            }
        }
    }
    files
}

/// An entry of any name, with four bytes.
fn named(header: &Header, name: &[u8]) -> Vec<u8> {
    let mut header = header.clone();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_cksum();
    let mut bytes = [header.as_bytes(), b"xxxx".as_slice()].concat();
    bytes.resize(2 * BLOCK, 0);
    bytes
}

/// One entry that has no place in a backup, whatever its contents.
fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    let file = header(EntryType::Regular, 4);
    let mut huge = file.clone();
    huge.set_size(u64::MAX);
    let mut link = header(EntryType::Symlink, 0);
    link.set_link_name("/").expect("it is short");
    let linked = [named(&link, b"panes"), named(&file, b"panes/x")].concat();
    let mut hard = header(EntryType::Link, 0);
    hard.set_link_name("/etc/passwd").expect("it is short");
    let mut checksum = named(&file, b"format");
    checksum[0] = b'g';
    // Longer than any path.
    let mut long = named(&header(EntryType::GNULongName, 8192), b"././@LongLink");
    long.resize(BLOCK, 0);
    long.resize(BLOCK + 8192, b'x');
    let long = [long, named(&file, b"x")].concat();
    vec![
        ("a path that leads out", named(&file, b"../out")),
        ("a path that leads out later", named(&file, b"panes/../../out")),
        ("an absolute path", named(&file, b"/no/such/directory/out")),
        ("a link to a directory", linked),
        ("a hard link", named(&hard, b"format")),
        ("a device", named(&header(EntryType::Char, 0), b"format")),
        ("a fifo", named(&header(EntryType::Fifo, 0), b"format")),
        ("more than there is", named(&huge, b"format")),
        ("a file twice", [named(&file, b"format"), named(&file, b"format")].concat()),
        ("a wrong checksum", checksum),
        ("a sparse file", named(&header(EntryType::GNUSparse, 4), b"format")),
        ("a header of headers", named(&header(EntryType::XHeader, 4), b"pax")),
        ("a path that is too long", long),
    ]
}

/// Archives to begin with: of these files, as this code writes it; and those that are refused.
pub(crate) fn seeds(files: &[(String, Vec<u8>)]) -> Vec<Vec<u8>> {
    let whole = compressed(&tar_of(files.iter()));
    let short = tar_of(files.iter().filter(|(_, contents)| contents.len() < SHORT_BYTES));
    let mut seeds = vec![[&[0], whole.as_slice()].concat(), [&[2], short.as_slice()].concat()];
    seeds.extend(
        hostile().into_iter().map(|(_, entry)| [&[1], labelled(&entry).as_slice()].concat()),
    );
    seeds
}

fn tar_of<'a>(files: impl Iterator<Item = &'a (String, Vec<u8>)>) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for directory in ["spool", "panes", "wal", "checkpoints"] {
        let mut header = header(EntryType::Directory, 0);
        builder.append_data(&mut header, directory, io::empty()).expect("there is memory");
    }
    for (path, contents) in files {
        let mut header = header(EntryType::Regular, contents.len() as u64);
        builder.append_data(&mut header, path, contents.as_slice()).expect("there is memory");
    }
    labelled(&builder.into_inner().expect("there is memory"))
}

/// Entries behind the one that says what the archive is.
fn labelled(entries: &[u8]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    let label = br#"{"layout":1,"version":"0.1.0"}"#;
    let mut header = header(EntryType::Regular, label.len() as u64);
    builder.append_data(&mut header, LABEL, label.as_slice()).expect("there is memory");
    let mut tar = std::mem::take(builder.get_mut());
    tar.extend_from_slice(entries);
    tar
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpacked(tar: &[u8], outer: &Path) -> Result<(), String> {
        let target = outer.join("target");
        fs::create_dir(&target).unwrap();
        unpack_from(compressed(tar).as_slice(), &target)
    }

    /// Whatever an archive is made to look like, nothing is written but where it is unpacked to.
    #[test]
    fn an_archive_that_was_tampered_with_is_refused() {
        let outer = tempfile::tempdir().unwrap();
        unpacked(&labelled(b""), outer.path()).unwrap();
        for (what, entry) in hostile() {
            let outer = tempfile::tempdir().unwrap();
            let refused = unpacked(&labelled(&entry), outer.path());
            assert!(refused.is_err(), "{what}");
            assert_eq!(names_in(outer.path()), ["target"], "{what}");
        }
        let outer = tempfile::tempdir().unwrap();
        let absolute = outer.path().join("out");
        let entry = named(&header(EntryType::Regular, 4), absolute.as_os_str().as_encoded_bytes());
        unpacked(&labelled(&entry), outer.path()).unwrap_err();
        assert!(!absolute.exists());
    }

    /// A name of a gigabyte of zeros takes a few kilobytes in an archive, and was read into memory.
    #[test]
    fn a_path_takes_bounded_memory() {
        for (len, refusal) in [(4096, "File name too long"), (4097, "a path of more than 4096")] {
            let name = vec![b'x'; len];
            let mut long = header(EntryType::GNULongName, len as u64);
            long.set_cksum();
            let mut file = header(EntryType::Regular, 0);
            file.set_cksum();
            let padding = vec![0; len.next_multiple_of(BLOCK) - len];
            let entry = [&long.as_bytes()[..], &name, &padding, file.as_bytes()].concat();
            let outer = tempfile::tempdir().unwrap();
            let refused = unpacked(&labelled(&entry), outer.path()).unwrap_err();
            assert!(refused.contains(refusal), "{refused}");
        }
    }

    /// Files that somebody put among ours may have long names, and a backup has them.
    #[test]
    fn a_long_path_comes_back() {
        let outer = tempfile::tempdir().unwrap();
        let from = outer.path().join("from");
        let name = "x".repeat(200);
        fs::create_dir_all(from.join("panes")).unwrap();
        fs::write(from.join("panes").join(&name), b"contents").unwrap();
        let files = repacked(&from, &outer.path().join("to"));
        assert_eq!(files.get(&Path::new("panes").join(name)).unwrap(), b"contents");
    }
}
