//! Sessions: create, rename, close, resize.

use crate::change::{Change, CloseReason, NewPane, OptionScope};
use crate::geometry::Size;
use crate::ids::SessionId;

use super::draft::{Draft, below_max};
use super::{CommandError, Facts, NewSession, name, window};

pub(super) fn create(
    draft: &mut Draft<'_>,
    new: NewSession,
    facts: &Facts,
) -> Result<(), CommandError> {
    let (id, session_name) = id_and_name(draft, new.name.as_deref())?;
    let window_id = draft.next_window_id()?;
    let pane_id = draft.next_pane_id()?;
    let options = draft.state().options(OptionScope::GlobalSession);
    let size = new.size.unwrap_or_else(|| options.size("default-size")).clamped();
    let index = window::base_index(options.number("base-index"));
    draft.push(Change::SessionCreated {
        id,
        name: session_name,
        created: facts.now,
        cwd: new.cwd,
        environment: new.environment,
        size,
    });
    let named = new.window_name.is_some();
    let window_name = new.window_name.unwrap_or_else(|| {
        name::window_name(draft.state(), OptionScope::GlobalSession, &new.program)
    });
    draft.push(Change::WindowCreated {
        id: window_id,
        session: id,
        index,
        name: window_name,
        pane: NewPane { id: pane_id, uuid: facts.uuid, program: new.program, created: facts.now },
    });
    if named {
        window::keep_name(draft, window_id);
    }
    Ok(())
}

/// A session without a name is named after its id; ids whose number is a name already are skipped.
fn id_and_name(
    draft: &mut Draft<'_>,
    name: Option<&str>,
) -> Result<(SessionId, String), CommandError> {
    let state = draft.state();
    let next = below_max(state.next.session)?;
    if let Some(name) = name {
        let name = name::session_name(name)?;
        if state.session_named(&name).is_some() {
            return Err(CommandError::DuplicateSession(name));
        }
        return Ok((SessionId(next), name));
    }
    let free = (next..u32::MAX).find(|id| state.session_named(&id.to_string()).is_none());
    let id = free.ok_or(CommandError::NoIdsLeft)?;
    Ok((SessionId(id), id.to_string()))
}

pub(super) fn rename(draft: &mut Draft<'_>, id: SessionId, name: &str) -> Result<(), CommandError> {
    let name = name::session_name(name)?;
    if draft.session(id)?.name == name {
        return Ok(());
    }
    if draft.state().session_named(&name).is_some() {
        return Err(CommandError::DuplicateSession(name));
    }
    draft.push(Change::SessionRenamed { id, name });
    Ok(())
}

pub(super) fn kill(draft: &mut Draft<'_>, id: SessionId) -> Result<(), CommandError> {
    let windows: Vec<_> = draft.session(id)?.windows.values().copied().collect();
    for window in windows {
        draft.push(Change::WindowClosed { id: window, reason: CloseReason::Command });
    }
    draft.push(Change::SessionClosed { id });
    Ok(())
}

pub(super) fn kill_others(draft: &mut Draft<'_>, id: SessionId) -> Result<(), CommandError> {
    draft.session(id)?;
    let sessions: Vec<_> = draft.state().sessions.keys().copied().collect();
    sessions.into_iter().filter(|other| *other != id).try_for_each(|other| kill(draft, other))
}

pub(super) fn kill_all(draft: &mut Draft<'_>) -> Result<(), CommandError> {
    let sessions: Vec<_> = draft.state().sessions.keys().copied().collect();
    sessions.into_iter().try_for_each(|id| kill(draft, id))
}

pub(super) fn resize(draft: &mut Draft<'_>, id: SessionId, size: Size) -> Result<(), CommandError> {
    let size = size.clamped();
    if draft.session(id)?.size != size {
        draft.push(Change::SessionResized { id, size });
    }
    Ok(())
}
