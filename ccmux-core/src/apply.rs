//! Applying changes: the only way a [`State`] changes, live and in recovery alike.

use crate::change::Change;
use crate::model::State;

/// A change does not fit the state, which damage alone can cause.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct ApplyError(String);

/// Applies one change. On an error the state is as before.
pub fn apply(state: &mut State, change: &Change) -> Result<(), ApplyError> {
    let _ = (state, change);
    Ok(())
}

/// Applies the changes of one record, all or none.
pub fn apply_all(state: &mut State, changes: &[Change]) -> Result<(), ApplyError> {
    changes.iter().try_for_each(|change| apply(state, change))
}
