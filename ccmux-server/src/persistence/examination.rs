//! What a recovery would find in a store, without one.

use std::sync::Arc;

use ccmux_core::ids::PaneId;
use ccmux_core::model::{State, Timestamp};
use uuid::Uuid;

use super::OpenError;
use super::read_only::ReadOnly;
use super::recovery::breadcrumb::Breadcrumb;
use super::recovery::{Circumstances, RecoveryReport, recover};
use super::storage::Storage;

/// What the next start would begin with.
#[derive(Debug)]
pub struct LogExamination {
    /// The state that would be recovered.
    pub state: State,
    /// What the recovery would report.
    pub report: RecoveryReport,
    /// The identity of the store; none if there is nothing in it.
    pub store: Option<Uuid>,
    /// How many log segments there are.
    pub segments: usize,
    /// How many checkpoints can be used.
    pub checkpoints: usize,
    /// The log was last written before the machine was started.
    pub is_new_boot: bool,
    /// The server that wrote last was told to stop: it has put everything on the disk.
    pub is_after_shutdown: bool,
    /// A pane with a smaller number that the state does not know was closed, any other was not.
    pub closed_below: PaneId,
}

/// Recovers the structural log of `storage` in memory. Nothing on the disk is changed, whatever is
/// found.
///
/// # Errors
/// As for [`Persistence::open`](super::Persistence::open): the store must not or cannot be read.
pub fn examine_log(
    storage: &Arc<dyn Storage>,
    now: Timestamp,
    boot: Uuid,
) -> Result<LogExamination, OpenError> {
    let storage = ReadOnly::new(Arc::clone(storage));
    let mut breadcrumb = Breadcrumb::read(&storage, boot);
    let poisoned = breadcrumb.poisoned();
    let circumstances = Circumstances { now, boot, watermarks: &[], poisoned };
    let recovery = recover(&storage, &circumstances, &mut breadcrumb)?;
    Ok(LogExamination {
        closed_below: recovery.closed_below,
        is_after_shutdown: recovery.is_after_shutdown,
        is_new_boot: recovery.last_boot.is_some_and(|last| last != boot),
        state: recovery.state,
        report: recovery.report,
        store: recovery.store,
        segments: recovery.segments.len(),
        checkpoints: recovery.good_checkpoints.len(),
    })
}
