//! Several files in one input.
//!
//! ```text
//! file = length of the path, 1 byte | path | length, 4 bytes | contents
//! ```
//!
//! An input that ends early has shorter files: every input is some files.

use std::path::Path;

use crate::persistence::sim::SimStorage;
use crate::persistence::storage::Storage as _;

/// A path and contents.
pub(super) type File = (String, Vec<u8>);

pub(super) fn pack(files: &[File]) -> Vec<u8> {
    let mut input = Vec::new();
    for (path, contents) in files {
        input.push(path.len() as u8);
        input.extend_from_slice(path.as_bytes());
        input.extend_from_slice(&(contents.len() as u32).to_le_bytes());
        input.extend_from_slice(contents);
    }
    input
}

pub(super) fn unpack(mut input: &[u8]) -> Vec<File> {
    fn take<'a>(input: &mut &'a [u8], len: usize) -> &'a [u8] {
        let (taken, rest) = input.split_at(len.min(input.len()));
        *input = rest;
        taken
    }
    let mut files = Vec::new();
    while let Some(len) = take(&mut input, 1).first() {
        let path = String::from_utf8_lossy(take(&mut input, usize::from(*len))).into_owned();
        let len = take(&mut input, 4).try_into().map_or(0, u32::from_le_bytes);
        files.push((path, take(&mut input, len as usize).to_vec()));
    }
    files
}

/// A disk with these files, as far as a disk can have them.
pub(super) fn disk_with(files: &[File]) -> SimStorage {
    let disk = SimStorage::new(1);
    for (path, contents) in files {
        let path = Path::new(path);
        let written = path.parent().map_or(Ok(()), |dir| disk.create_dir(dir));
        let written = written.and_then(|()| disk.create(path)?.write_at(0, contents));
        // Not every name can be one.
        drop(written);
    }
    disk
}
