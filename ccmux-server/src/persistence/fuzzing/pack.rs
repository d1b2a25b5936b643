//! Several files in one input.
//!
//! ```text
//! file = length of the path, 1 byte | path | length, 4 bytes | contents
//! ```
//!
//! In the contents the byte behind eight zeros says how often eight more of them follow, which are left
//! out: a fuzzer would change little else in what has room for more. An input that ends early has
//! shorter files: every input is some files.

use std::path::Path;

use crate::persistence::sim::SimStorage;
use crate::persistence::storage::Storage as _;

/// Zeros that are followed by a number of others.
const ZEROS: usize = 8;
/// So much may be left out of an input; further zeros are not there.
const LEFT_OUT_MAX: usize = 1 << 20;

/// A path and contents.
pub(super) type File = (String, Vec<u8>);

pub(super) fn pack(files: &[File]) -> Vec<u8> {
    let mut input = Vec::new();
    for (path, contents) in files {
        input.push(path.len() as u8);
        input.extend_from_slice(path.as_bytes());
        let contents = without_zeros(contents);
        input.extend_from_slice(&(contents.len() as u32).to_le_bytes());
        input.extend_from_slice(&contents);
    }
    input
}

fn without_zeros(mut contents: &[u8]) -> Vec<u8> {
    let mut kept = Vec::new();
    while let Some((&byte, rest)) = contents.split_first() {
        if !contents.starts_with(&[0; ZEROS]) {
            kept.push(byte);
            contents = rest;
            continue;
        }
        let zeros = contents.iter().take_while(|byte| **byte == 0).count();
        let more = (zeros / ZEROS - 1).min(u8::MAX.into());
        kept.extend_from_slice(&[0; ZEROS]);
        kept.push(more as u8);
        contents = &contents[(more + 1) * ZEROS..];
    }
    kept
}

fn with_zeros(mut kept: &[u8], left_out: &mut usize) -> Vec<u8> {
    let mut contents = Vec::new();
    while let Some((&byte, rest)) = kept.split_first() {
        if !kept.starts_with(&[0; ZEROS]) {
            contents.push(byte);
            kept = rest;
            continue;
        }
        let more = kept.get(ZEROS).map_or(0, |more| usize::from(*more) * ZEROS);
        let more = more.min(LEFT_OUT_MAX - *left_out);
        *left_out += more;
        contents.resize(contents.len() + ZEROS + more, 0);
        kept = kept.get(ZEROS + 1..).unwrap_or_default();
    }
    contents
}

pub(super) fn unpack(mut input: &[u8]) -> Vec<File> {
    fn take<'a>(input: &mut &'a [u8], len: usize) -> &'a [u8] {
        let (taken, rest) = input.split_at(len.min(input.len()));
        *input = rest;
        taken
    }
    let (mut files, mut left_out) = (Vec::new(), 0);
    while let Some(len) = take(&mut input, 1).first() {
        let path = String::from_utf8_lossy(take(&mut input, usize::from(*len))).into_owned();
        let len = take(&mut input, 4).try_into().map_or(0, u32::from_le_bytes);
        files.push((path, with_zeros(take(&mut input, len as usize), &mut left_out)));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked_with_its_zeros() {
        let zeros = |count| [b"x".to_vec(), vec![0; count], b"y".to_vec()].concat();
        let counts = [0, 7, 8, 9, 15, 16, 17, 2047, 2048, 2049, 3984, 10_000];
        let files: Vec<File> = counts.map(|count| (count.to_string(), zeros(count))).to_vec();
        let input = pack(&files);
        assert_eq!(unpack(&input), files);
        assert!(input.len() < 300, "{}", input.len());
    }

    #[test]
    fn an_input_has_no_more_zeros_than_it_may() {
        let mut run = vec![0; ZEROS];
        run.push(u8::MAX);
        let len = (run.len() * 1000) as u32;
        let input = [&[0], &len.to_le_bytes()[..], &run.repeat(1000)].concat();
        assert_eq!(unpack(&input)[0].1.len(), ZEROS * 1000 + LEFT_OUT_MAX);
    }
}
