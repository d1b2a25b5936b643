//! Sessions: create, rename, close, resize.

use bstr::BString;

use crate::change::{Change, CloseReason, NewPane, OptionScope};
use crate::geometry::Size;
use crate::ids::SessionId;

use super::draft::{Draft, below_max};
use super::{CommandError, Facts, GroupChoice, NewSession, name, window};

pub(super) fn create(
    draft: &mut Draft<'_>,
    new: NewSession,
    facts: &Facts,
) -> Result<(), CommandError> {
    let group = new.group.as_ref().map(|choice| choose_group(draft, choice)).transpose()?;
    let prefix = group.as_ref().map(|group| group.prefix.as_str());
    let (id, session_name) = id_and_name(draft, new.name.as_deref(), prefix)?;
    let window_id = draft.next_window_id()?;
    let pane_id = draft.next_pane_id()?;
    let options = draft.state().options(OptionScope::GlobalSession);
    let of_group = group.as_ref().and_then(|group| group.size);
    let size = new.size.or(of_group).unwrap_or_else(|| options.size("default-size")).clamped();
    let index = window::base_index(options.number("base-index"));
    if let Some((founder, group)) = group.as_ref().and_then(|group| Some((group.founder?, group))) {
        draft.push(Change::SessionGrouped { id: founder, group: group.name.clone() });
    }
    draft.push(Change::SessionCreated {
        id,
        name: session_name,
        created: facts.now,
        cwd: new.cwd,
        environment: new.environment,
        size,
    });
    let has_windows = group.as_ref().is_some_and(|group| group.size.is_some());
    if let Some(group) = group {
        draft.push(Change::SessionGrouped { id, group: group.name });
    }
    if has_windows {
        return Ok(());
    }
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

/// What a new session's group is.
struct ChosenGroup {
    name: String,
    /// What the new session is named after unless it is given a name.
    prefix: String,
    /// The session that is in it first.
    founder: Option<SessionId>,
    /// The size of its sessions, if there are any.
    size: Option<Size>,
}

fn choose_group(draft: &mut Draft<'_>, choice: &GroupChoice) -> Result<ChosenGroup, CommandError> {
    match choice {
        GroupChoice::Named(name) => {
            let prefix = name::session_name(name)?;
            let name: String = name.chars().filter(|c| !c.is_control()).collect();
            let size = draft.state().sessions_in(&name).next().map(|member| member.size);
            Ok(ChosenGroup { name, prefix, founder: None, size })
        }
        GroupChoice::With(id) => {
            let session = draft.session(*id)?;
            let (group, name, size) = (session.group.clone(), session.name.clone(), session.size);
            let founder = group.is_none().then_some(*id);
            let name = group.unwrap_or(name);
            if founder.is_some() && draft.state().sessions_in(&name).next().is_some() {
                return Err(CommandError::DuplicateGroup(name));
            }
            let prefix = name.clone();
            Ok(ChosenGroup { name, prefix, founder, size: Some(size) })
        }
    }
}

/// A session without a name is named after its id, in a group with the group's name before it; ids
/// that make a name which is taken are skipped.
fn id_and_name(
    draft: &mut Draft<'_>,
    name: Option<&str>,
    prefix: Option<&str>,
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
    let named = |id: u32| match prefix {
        Some(prefix) => format!("{}-{id}", prefix.replace([':', '.'], "_")),
        None => id.to_string(),
    };
    let free = (next..u32::MAX).find(|id| state.session_named(&named(*id)).is_none());
    let id = free.ok_or(CommandError::NoIdsLeft)?;
    Ok((SessionId(id), named(id)))
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

pub(super) fn move_to(
    draft: &mut Draft<'_>,
    id: SessionId,
    cwd: BString,
) -> Result<(), CommandError> {
    if draft.session(id)?.cwd != cwd {
        draft.push(Change::SessionMoved { id, cwd });
    }
    Ok(())
}

pub(super) fn kill(draft: &mut Draft<'_>, id: SessionId) -> Result<(), CommandError> {
    if draft.state().group_of(id).len() > 1 {
        draft.push(Change::SessionClosed { id });
        return Ok(());
    }
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
