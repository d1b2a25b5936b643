//! What panes printed: the spool, keyframes and history chunks.
//!
//! ```text
//! ring -> Spool::append -> Terminal -> Archiver: history lines -> chunk -> sync
//!             |                                  then keyframe -> sync -> rename -> sync
//!             +---- frames before a durable keyframe may go <----------------+
//! ```
//!
//! A pane is its newest valid keyframe, plus the spooled frames after it, plus its ring after that.
//! Keyframes and history lines are opaque bytes here; what they mean is the emulator's business.
//! The formats are drawn in `docs/persistence-format.md`.
//!
//! Invariants
//! * A keyframe names the stream position it was taken at and the range of history lines that
//!   belongs to it. Lines at or beyond its end are ignored, and overwritten by what the replay
//!   brings, so neither order of a crash doubles or loses a line.
//! * A keyframe becomes visible only after the chunks it counts on are durable, and the spool it
//!   replaces is given up only after the keyframe is.
//! * Damage costs what it held, in its own pane: the older keyframe, a gap in the stream, missing
//!   lines. It is reported and never stops a start (P4).
//! * Every length read from disk is checked before it is trusted or allocated (P7).
//! * A file whose write or sync failed is never synced again (P8).
//!
//! A private pane, and one whose output the disk refuses, has its keyframes and chunks in a stash
//! ([`StashedPane`]) and nothing in the spool. Nothing here touches the disk for a pane on its own
//! account: the server simply does not append, submit or load for it.

mod archive;
mod bytes;
mod chunk;
mod closed;
mod compress;
mod damage;
mod examination;
mod keyframe;
mod layout;
mod load;
mod removed;
mod spool;
mod stashed;
#[cfg(test)]
pub(in crate::persistence) mod tests;

pub use self::archive::{
    ArchiveEvent, ArchiveJob, Archived, Archiver, ArchiverOptions, HistoryLimits, HistorySource,
};
pub use self::chunk::{HistoryBlock, HistoryRead, PaneHistory};
pub use self::closed::{ClosedPane, closed_pane, load_closed};
pub use self::damage::{Damage, keep_output, places_aside, set_pane_aside};
pub use self::examination::{PaneExamination, examine_pane};
pub use self::keyframe::Keyframe;
#[cfg(any(test, feature = "test-hooks"))]
pub(in crate::persistence) use self::layout::POSITION_MAX;
pub use self::layout::{StreamPosition, pane_dir};
pub use self::load::{PaneImage, half_removed_panes, load_pane, stored_panes};
pub use self::spool::{
    FRAME_PAYLOAD_MAX, Frame, FrameKind, FrameRef, Replay, ReplayItem, Spool, SpoolEvent,
    SpoolIndex, SpoolOptions, StreamGap, SyncLag,
};
pub use self::stashed::StashedPane;

/// Called from any thread when there is something for the server to fetch. It must return at once
/// and not call back.
pub type Notify = Box<dyn Fn() + Send + Sync>;

/// Whether what is handed over becomes durable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Health {
    /// It does.
    Durable,
    /// It does not, for this reason; attempts go on.
    Degraded(String),
}

impl Health {
    fn from_reason(reason: Option<&str>) -> Self {
        reason.map_or(Self::Durable, |reason| Self::Degraded(reason.to_owned()))
    }
}
