//! History chunks: a pane's lines in compressed blocks.

mod format;
mod history;
mod index;
#[cfg(test)]
mod tests;
mod writer;

use ccmux_core::model::Timestamp;

pub(super) use self::format::BLOCK_RAW_MAX;
pub(super) use self::history::chunks_in;
pub use self::history::{HistoryRead, PaneHistory};
pub(super) use self::writer::ChunkWriter;

/// Some history lines, as the emulator encoded them: what is compressed and read as one. About
/// 64 KiB is a good size; the most is 16 MiB.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HistoryBlock {
    /// Number of the first line.
    pub first_line: u64,
    /// How many lines; at least one.
    pub count: u32,
    /// The lines, one after another; only the emulator can tell them apart.
    pub bytes: Vec<u8>,
    /// A stream offset at which all of them were complete.
    pub offset: u64,
    /// When they were taken.
    pub time: Timestamp,
    /// The times of the lines lie before them, which they do not in what earlier versions stored.
    pub has_times: bool,
}

impl HistoryBlock {
    /// Number of the line after the last.
    pub fn end_line(&self) -> u64 {
        self.first_line + u64::from(self.count)
    }
}
