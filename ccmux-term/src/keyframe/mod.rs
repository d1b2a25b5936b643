//! Keyframes: a terminal as bytes, complete but for the sealed history lines in memory.
//!
//! The keyframe law: for any bytes `a` and `b`,
//! `restore(keyframe(a)); advance(b)` equals `advance(a ++ b)` to the last field, history lines
//! that lie before the keyframe excepted.
//!
//! ```text
//! "ccKF", version byte
//! number   columns, rows, time of the last input
//! links    count, each: id, URI (length and bytes)
//! pens     count, each: style (with the link's index), flag: protected; pen 0 is the default and
//!          not written
//! images   tables of pictures and placements (see `images`)
//! screens  the shown one, the other one; each: rows (see `cells`)
//! overflow count, flag, rows
//! head     of the scrollback: cells, marks byte, flag
//! history  start, end of the sealed lines, cleared before, limit + 1 (0: none)
//! recent   count, then the lines as in the history, then their times
//! cursor, pens in use, saved cursors, margins, modes, settings, titles, tabs, palette, widths,
//! state of pictures (see `images`)
//! parser   state byte; outside the ground state, everything it holds
//! styles   that were pushed, if there are any: count, each: parts, style
//! ```
//!
//! Numbers and styles are those of `wire`. Equal terminals need not give equal bytes (the order of
//! pens may differ). Reading checks everything that the emulator relies on, so that no bytes,
//! however damaged, restore to a terminal that panics.

mod cells;
mod images;
mod read;
mod write;

use thiserror::Error;

pub(crate) use self::read::read;
pub(crate) use self::write::write;
use crate::CodecError;

const MAGIC: &[u8; 4] = b"ccKF";
const VERSION: u8 = 6;
/// The first one with pictures.
const IMAGES_VERSION: u8 = 6;
/// The first one with mode 2027 and widths of one's own.
const UNICODE_VERSION: u8 = 5;
/// The first one with times and overflow.
const TIMES_VERSION: u8 = 4;
/// The first one with side margins, protection and settings.
const CONTROLS_VERSION: u8 = 3;
/// The oldest one that is read: it has no recent lines.
const OLDEST_VERSION: u8 = 1;

/// Why a keyframe cannot be restored.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum KeyframeError {
    /// The bytes are not a keyframe.
    #[error("not a keyframe")]
    Magic,
    /// The keyframe is of another version of the format.
    #[error("keyframe of version {0}, this program reads versions {OLDEST_VERSION} to {VERSION}")]
    Version(u8),
    /// The keyframe is damaged.
    #[error("damaged keyframe")]
    Damaged(#[from] CodecError),
}
