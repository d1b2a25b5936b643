//! The file `format`: which store this is, who may open it, and how far its log is known to reach.
//!
//! Two lines of text: JSON, and its checksum. `oldest_reader` is honoured even if the checksum
//! fails, because a newer version may have changed what follows it.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::record::to_json;
use super::storage::{Storage, is_damage, read_file};
use super::wal::{SEQ_MAX, Seq};

pub(super) const FORMAT_FILE: &str = "format";
const NEXT_FORMAT: &str = "format.tmp";

/// The layout of the state directory that this code writes, and the newest that it reads.
pub(super) const LAYOUT: u32 = 1;
const BYTES_MAX: u64 = 64 << 10;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Format {
    pub(super) layout: u32,
    pub(super) oldest_reader: u32,
    pub(super) store: UuidText,
    /// A record that was durable: a log that ends before it has lost something.
    pub(super) watermark: Seq,
}

/// A uuid as text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct UuidText(pub(super) Uuid);

impl TryFrom<String> for UuidText {
    type Error = uuid::Error;

    fn try_from(text: String) -> Result<Self, uuid::Error> {
        Uuid::parse_str(&text).map(Self)
    }
}

impl From<UuidText> for String {
    fn from(uuid: UuidText) -> String {
        uuid.0.to_string()
    }
}

/// What the file says.
#[derive(Debug)]
pub(super) enum FormatFile {
    Missing,
    Damaged(String),
    /// Only a newer version may open this store.
    Newer {
        layout: u32,
    },
    Good(Format),
}

/// Reads the file.
///
/// # Errors
/// Only what says nothing about the file.
pub(super) fn read(storage: &dyn Storage) -> io::Result<FormatFile> {
    match read_file(storage, Path::new(FORMAT_FILE), BYTES_MAX) {
        Ok(bytes) => Ok(parse(&bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(FormatFile::Missing),
        Err(error) if is_damage(&error) => Ok(FormatFile::Damaged(error.to_string())),
        Err(error) => Err(error),
    }
}

/// What every version writes.
#[derive(Deserialize)]
struct Versions {
    layout: u32,
    oldest_reader: u32,
}

fn parse(bytes: &[u8]) -> FormatFile {
    let mut lines = bytes.split(|&byte| byte == b'\n');
    let (json, checksum) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let is_sealed = checksum == checksum_line(json).as_bytes();
    if let Ok(Versions { layout, oldest_reader }) = serde_json::from_slice(json)
        && oldest_reader > LAYOUT
        // A later version may seal it in another way; a bit that decayed in this one is no later version.
        && (is_sealed || !checksum.starts_with(b"crc32c "))
    {
        return FormatFile::Newer { layout };
    }
    if !is_sealed {
        return FormatFile::Damaged("its checksum is wrong".into());
    }
    match serde_json::from_slice(json) {
        Ok(Format { watermark, .. }) if watermark > SEQ_MAX => {
            FormatFile::Damaged(format!("its watermark {watermark} is impossible"))
        }
        Ok(format) => FormatFile::Good(format),
        Err(error) => FormatFile::Damaged(error.to_string()),
    }
}

fn checksum_line(json: &[u8]) -> String {
    format!("crc32c {:08x}", crc32c::crc32c(json))
}

/// Replaces the file durably.
pub(super) fn write(storage: &dyn Storage, format: &Format) -> io::Result<()> {
    let mut bytes = to_json(format);
    let checksum = checksum_line(&bytes);
    bytes.extend_from_slice(format!("\n{checksum}\n").as_bytes());
    replace(storage, FORMAT_FILE, NEXT_FORMAT, &bytes)
}

/// Replaces a small file in the root of the store, by way of another name.
pub(super) fn replace(
    storage: &dyn Storage,
    path: &str,
    temporary: &str,
    bytes: &[u8],
) -> io::Result<()> {
    match storage.remove(Path::new(temporary)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = storage.create(Path::new(temporary))?;
    file.write_at(0, bytes)?;
    file.sync()?;
    storage.rename(Path::new(temporary), Path::new(path))?;
    storage.sync_dir(Path::new(""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persistence::sim::SimStorage;

    const FORMAT: Format = Format {
        layout: LAYOUT,
        oldest_reader: LAYOUT,
        store: UuidText(Uuid::from_u128(5)),
        watermark: Seq(9),
    };

    #[test]
    fn reads_as_written_and_replaces() {
        let storage = SimStorage::new(0);
        assert!(matches!(read(&storage).unwrap(), FormatFile::Missing));
        for watermark in [Seq(9), Seq(10)] {
            let format = Format { watermark, ..FORMAT };
            write(&storage, &format).unwrap();
            assert!(matches!(read(&storage).unwrap(), FormatFile::Good(read) if read == format));
        }
    }

    #[test]
    fn damage_is_told_from_a_newer_version() {
        let storage = SimStorage::new(0);
        write(&storage, &FORMAT).unwrap();
        let (_, bytes) = storage.files().remove(0);
        for (at, bit) in (0..bytes.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << bit;
            let is_damaged = matches!(parse(&damaged), FormatFile::Damaged(_));
            assert!(is_damaged || at == bytes.len() - 1, "bit {bit} of byte {at}");
        }
        let newer = br#"{"layout":7,"oldest_reader":6,"other":true}"#;
        assert!(matches!(parse(newer), FormatFile::Newer { layout: 7 }));
    }
}
