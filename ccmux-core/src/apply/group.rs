//! Changes of session groups: whose windows a session shares.

use crate::ids::SessionId;
use crate::model::{Session, State};

use super::window::adopt_window;
use super::{ApplyError, session};

/// A session joins a group; see [`crate::change::Change::SessionGrouped`].
pub(super) fn join(state: &mut State, id: SessionId, group: &str) -> Result<(), ApplyError> {
    let shared = state.sessions_in(group).next().map(|member| member.windows.clone());
    let session = session(state, id)?;
    if session.group.is_some() {
        return Err(ApplyError::SessionGrouped(id));
    }
    if let Some(windows) = shared {
        if !session.windows.is_empty() {
            return Err(ApplyError::SessionGrouped(id));
        }
        let first = windows.values().next().copied();
        session.current = first.unwrap_or(session.current);
        session.windows = windows;
    }
    session.group = Some(group.to_owned());
    Ok(())
}

/// A session goes; its windows stay with the others of its group, if there are any.
pub(super) fn close(state: &mut State, id: SessionId) -> Result<(), ApplyError> {
    let windows: Vec<_> = session(state, id)?.windows.values().copied().collect();
    let heir = state.group_of(id).into_iter().find(|member| *member != id);
    match heir {
        None if !windows.is_empty() => return Err(ApplyError::SessionNotEmpty(id)),
        None => {}
        Some(heir) => {
            for window in windows {
                if state.windows.get(&window).is_some_and(|window| window.session == id) {
                    adopt_window(state, window, heir)?;
                }
            }
        }
    }
    state.sessions.remove(&id);
    Ok(())
}

/// Changes the window list of a session, and with it those of its group.
pub(super) fn for_each_member(
    state: &mut State,
    id: SessionId,
    mut change: impl FnMut(&mut Session),
) {
    for member in state.group_of(id) {
        if let Some(session) = state.sessions.get_mut(&member) {
            change(session);
        }
    }
}
