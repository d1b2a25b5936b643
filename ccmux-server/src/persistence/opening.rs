//! What a server tells of itself when it opens a store, and why it may not.

use std::io;

use ccmux_core::model::Timestamp;
use uuid::Uuid;

use super::facts::{boot_id, entropy};
use super::wal::{self, Notifier, Seq};

/// What opening a store needs to know.
pub struct OpenOptions {
    /// The time.
    pub now: Timestamp,
    /// The boot of the machine, see [`boot_id`].
    pub boot: Uuid,
    /// Random bytes, different each time, see [`entropy`].
    pub entropy: [u8; 16],
    /// Called by helper threads when durability, health or a checkpoint may have changed.
    pub notifier: Notifier,
    /// Records known elsewhere to have been durable, and where that is written.
    pub watermarks: Vec<(String, Seq)>,
    /// What log segments are preallocated to, and after which the next one is begun.
    pub segment_bytes: u64,
}

impl std::fmt::Debug for OpenOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { now, boot, watermarks, .. } = self;
        f.debug_struct("OpenOptions")
            .field("now", now)
            .field("boot", boot)
            .field("watermarks", watermarks)
            .finish_non_exhaustive()
    }
}

impl OpenOptions {
    /// Options for this machine and moment.
    pub fn new(now: Timestamp, notifier: Notifier) -> io::Result<Self> {
        let (boot, entropy) = (boot_id(), entropy()?);
        let segment_bytes = wal::SEGMENT_BYTES;
        Ok(Self { now, boot, entropy, notifier, watermarks: Vec::new(), segment_bytes })
    }
}

/// The store was not opened, and nothing in it was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It could not be looked at.
    #[error("cannot read {path} of the state directory: {error}")]
    Read {
        /// The file or directory.
        path: String,
        /// The error.
        error: io::Error,
    },
    /// A newer ccmux wrote it and says that this one cannot read it.
    #[error("the state directory was written by a newer ccmux (layout {layout})")]
    Newer {
        /// Its layout version.
        layout: u32,
    },
    /// A file of it has a format that this version does not read.
    #[error("{file} has format version {version}, which this ccmux does not read")]
    OtherVersion {
        /// Which file.
        file: String,
        /// Its version.
        version: u32,
    },
    /// A record that must not be passed over is not understood.
    #[error("{file} at {offset}: this ccmux does not understand record {seq}: {why}")]
    NotUnderstood {
        /// The record.
        seq: Seq,
        /// Its file.
        file: String,
        /// Where it begins.
        offset: u64,
        /// What is not understood.
        why: String,
    },
}
