//! Keyframes: a terminal frozen at a point of its stream; all integers little-endian.
//!
//! ```text
//! keyframe = 0   8  "ccmuxkey"
//!            8   4  version, 2; 1 if no note says what of the history was removed
//!            12  4  crc32c of everything else
//!            16 16  pane
//!            32  8  stream offset
//!            40  8  frames before it
//!            48  8  first line of the history
//!            56  8  end of the history
//!            64  8  time, milliseconds since 1970
//!            72  4  length of the terminal
//!            76  4  length of the compressed terminal
//!            80     terminal, zstd, to the end of the file
//! ```

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use ccmux_core::ids::PaneUuid;
use ccmux_core::model::Timestamp;

use super::bytes::{Fields, u32_at, u64_at, uuid_at};
use super::compress::{Compressor, Effort};
use super::layout::{KEYFRAME_SUFFIX, POSITION_MAX, StreamPosition, number_of, numbered};
use crate::persistence::storage::{Storage, insist, read_file, unless_passing};

const MAGIC: &[u8; 8] = b"ccmuxkey";
const VERSION: u32 = 2;
/// What earlier versions wrote.
const VERSION_WITHOUT_NOTE: u32 = 1;
const HEADER_BYTES: usize = 80;
/// Longest terminal, before compression.
const RAW_MAX: usize = 256 << 20;

/// A terminal, frozen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Keyframe {
    /// The point of the stream after the last input that was applied.
    pub position: StreamPosition,
    /// The history lines that belong to it: from the first not cleared up to those it still holds
    /// itself.
    pub history: Range<u64>,
    /// All lines of `history` were there when it was written, and a note beside it says which were removed
    /// since. Of what earlier versions stored nothing says why the first lines are not there.
    pub has_note: bool,
    /// When it was taken.
    pub time: Timestamp,
    /// The terminal, as the emulator encoded it.
    pub bytes: Vec<u8>,
}

impl Keyframe {
    pub(super) fn path(dir: &Path, offset: u64) -> PathBuf {
        numbered(dir, offset, KEYFRAME_SUFFIX)
    }

    pub(super) fn encode(
        &self,
        pane: PaneUuid,
        compressor: &mut Compressor,
    ) -> io::Result<Vec<u8>> {
        assert!(self.bytes.len() <= RAW_MAX, "BUG: a keyframe too long to be read back");
        let payload = compressor.compress(&self.bytes, Effort::Thorough)?;
        let fields = Fields::<HEADER_BYTES>::new()
            .put(0, MAGIC)
            .u32(8, if self.has_note { VERSION } else { VERSION_WITHOUT_NOTE })
            .put(16, pane.0.as_bytes())
            .u64(32, self.position.offset)
            .u64(40, self.position.frames)
            .u64(48, self.history.start)
            .u64(56, self.history.end)
            .u64(64, self.time.0)
            .u32(72, self.bytes.len() as u32)
            .u32(76, payload.len() as u32);
        let crc = checksum(&fields.0, &payload);
        let mut bytes = Vec::with_capacity(HEADER_BYTES + payload.len());
        bytes.extend_from_slice(&fields.u32(12, crc).0);
        bytes.extend_from_slice(&payload);
        Ok(bytes)
    }

    pub(super) fn decode(pane: PaneUuid, bytes: &[u8]) -> Result<Self, String> {
        let Some((head, payload)) = bytes.split_at_checked(HEADER_BYTES) else {
            return Err("shorter than a header".to_owned());
        };
        let (version, raw_len) = (u32_at(head, 8), u32_at(head, 72) as usize);
        let numbers = [32, 40, 48, 56].map(|at| u64_at(head, at));
        let problem = if &head[..8] != MAGIC {
            "not a keyframe"
        } else if u32_at(head, 12) != checksum(head, payload) {
            "checksum"
        } else if !matches!(version, VERSION | VERSION_WITHOUT_NOTE) {
            "unknown version"
        } else if PaneUuid(uuid_at(head, 16)) != pane {
            "of another pane"
        } else if u32_at(head, 76) as usize != payload.len() || raw_len > RAW_MAX {
            "length"
        } else if numbers.iter().any(|number| *number > POSITION_MAX) || numbers[2] > numbers[3] {
            "numbers"
        } else {
            let [offset, frames, first, end] = numbers;
            let bytes = zstd::bulk::decompress(payload, raw_len).map_err(|e| e.to_string())?;
            return Ok(Self {
                position: StreamPosition { offset, frames },
                history: first..end,
                has_note: version == VERSION,
                time: Timestamp(u64_at(head, 64)),
                bytes,
            });
        };
        Err(problem.to_owned())
    }

    /// Reads a keyframe and writes it again, which must give the same; `None` if it is none.
    #[cfg(any(test, feature = "test-hooks"))]
    pub(in crate::persistence) fn reencode(pane: PaneUuid, bytes: &[u8]) -> Option<Self> {
        let keyframe = Self::decode(pane, bytes).ok()?;
        let mut compressor = Compressor::new().expect("there is memory");
        let again = keyframe.encode(pane, &mut compressor).expect("there is memory");
        assert_eq!(Self::decode(pane, &again).as_ref(), Ok(&keyframe), "it reads differently");
        Some(keyframe)
    }

    /// Reads and checks the keyframe of `pane` at `offset`; the inner error says what is wrong with it.
    ///
    /// # Errors
    /// Only what says nothing about the file.
    pub(super) fn read(
        storage: &dyn Storage,
        dir: &Path,
        pane: PaneUuid,
        offset: u64,
    ) -> io::Result<Result<Self, String>> {
        let bytes_max = (HEADER_BYTES + RAW_MAX) as u64;
        let read = unless_passing(read_file(storage, &Self::path(dir, offset), bytes_max))?;
        let keyframe = read
            .map_err(|error| error.to_string())
            .and_then(|bytes| Self::decode(pane, &bytes))
            .and_then(|keyframe| {
                let is_its_name = keyframe.position.offset == offset;
                if is_its_name { Ok(keyframe) } else { Err("name".to_owned()) }
            });
        Ok(keyframe)
    }
}

fn checksum(head: &[u8], payload: &[u8]) -> u32 {
    let crc = crc32c::crc32c_append(crc32c::crc32c(&head[..12]), &head[16..]);
    crc32c::crc32c_append(crc, payload)
}

/// Stream offsets of the keyframes in a pane's directory, ascending.
pub(super) fn keyframes_in(storage: &dyn Storage, dir: &Path) -> io::Result<Vec<u64>> {
    match insist(|| storage.list(dir)) {
        Ok(names) => Ok(names.iter().filter_map(|name| number_of(name, KEYFRAME_SUFFIX)).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
