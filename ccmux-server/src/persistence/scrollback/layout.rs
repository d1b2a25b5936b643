//! Where the files of the scrollback lie, and how positions in a pane's stream are named.

use std::path::{Path, PathBuf};

use ccmux_core::ids::PaneUuid;

/// Directory of the spool segments.
pub(super) const SPOOL_DIR: &str = "spool";
/// Directory of the panes' directories.
pub(super) const PANES_DIR: &str = "panes";
/// Where damaged files are set aside.
pub(super) const QUARANTINE_DIR: &str = "quarantine";

pub(super) const SEGMENT_SUFFIX: &str = ".spool";
/// Of an empty file: the segments up to its number, or the chunks with lines before that, were removed on purpose.
pub(super) const GONE_SUFFIX: &str = ".gone";
pub(super) const CHUNK_SUFFIX: &str = ".chunk";
pub(super) const KEYFRAME_SUFFIX: &str = ".keyframe";
pub(super) const TEMPORARY_SUFFIX: &str = ".tmp";
/// Of a pane's directory that is being removed.
const REMOVED_SUFFIX: &str = ".removed";

/// No stream, no history and no count of frames comes near this: a file that says so is damaged,
/// and sums with what it may say do not overflow.
pub(in crate::persistence) const POSITION_MAX: u64 = 1 << 62;

/// A point in the stream of a pane's inputs.
///
/// The offset alone does not say which of several inputs without bytes (two resizes, say) lie
/// before the point, so frames are counted too. Of two points of one pane the one with more frames
/// is the later one. A frame never moves the offset back; the offset may jump ahead between two
/// frames where a keyframe covers bytes that were not spooled.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StreamPosition {
    /// Bytes of output before this point.
    pub offset: u64,
    /// Spooled frames before this point.
    pub frames: u64,
}

/// The directory of a pane, relative to the root of the store.
pub fn pane_dir(pane: PaneUuid) -> PathBuf {
    Path::new(PANES_DIR).join(pane.to_string())
}

/// Where the directory of a pane is while it is removed: half of it must not be taken for a pane that has
/// lost the other half.
pub(super) fn removed_dir(pane: PaneUuid) -> PathBuf {
    Path::new(PANES_DIR).join(format!("{pane}{REMOVED_SUFFIX}"))
}

/// The pane of a directory named by [`removed_dir`]; `None` for any other name.
pub(super) fn removed_pane(name: &str) -> Option<PaneUuid> {
    name.strip_suffix(REMOVED_SUFFIX)?.parse().ok()
}

/// `dir/<number, 20 digits><suffix>`: names that sort as their numbers do.
pub(super) fn numbered(dir: &Path, number: u64, suffix: &str) -> PathBuf {
    dir.join(format!("{number:020}{suffix}"))
}

/// The number in a name made by [`numbered`]; `None` for any other name.
pub(super) fn number_of(name: &str, suffix: &str) -> Option<u64> {
    let digits = name.strip_suffix(suffix)?;
    let is_ours = digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit());
    if is_ours { digits.parse().ok() } else { None }
}

/// The path of a spool segment.
pub(super) fn segment_path(number: u64) -> PathBuf {
    numbered(Path::new(SPOOL_DIR), number, SEGMENT_SUFFIX)
}

/// The path of the file that says up to where segments were removed.
pub(super) fn gone_path(number: u64) -> PathBuf {
    numbered(Path::new(SPOOL_DIR), number, GONE_SUFFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_names_are_ours() {
        let path = numbered(Path::new("d"), 42, ".chunk");
        assert_eq!(path, Path::new("d/00000000000000000042.chunk"));
        assert_eq!(number_of("00000000000000000042.chunk", ".chunk"), Some(42));
        for name in ["42.chunk", "00000000000000000042.tmp", "+0000000000000000042.chunk", ""] {
            assert_eq!(number_of(name, ".chunk"), None, "{name}");
        }
        assert_eq!(number_of("99999999999999999999.chunk", ".chunk"), None, "beyond u64");
    }
}
