//! Applying changes: the only way a [`State`] changes, live and in recovery alike.
//!
//! Applying is total: a change that does not fit, which damage alone can cause, is refused with an
//! [`ApplyError`] and leaves the state as it was. Nothing is decided here; where a change leaves
//! something open (which window is current after the current one closed) the answer depends on the
//! state alone.

mod buffer;
mod group;
mod pane;
mod window;

use crate::change::{Change, OptionScope};
use crate::ids::{PaneId, SessionId, WindowId};
use crate::layout::LayoutError;
use crate::model::{OptionSet, Pane, Session, State, Window};

pub(crate) use self::buffer::AUTOMATIC_PREFIX;
use self::pane::{
    break_pane, create_pane, fits, join_pane, select_pane, swap_panes, take_from_window,
};
use self::window::{
    NewWindow, adopt_window, create_window, fit_window, move_window, remove_window, select_window,
    swap_windows,
};

/// A change does not fit the state.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ApplyError {
    /// It names a session that is not there.
    #[error("no session {0}")]
    NoSession(SessionId),
    /// It names a window that is not there.
    #[error("no window {0}")]
    NoWindow(WindowId),
    /// It names a pane that is not there.
    #[error("no pane {0}")]
    NoPane(PaneId),
    /// It creates something under an id that was given out before.
    #[error("id {0} was given out before")]
    IdReused(String),
    /// It gives a session a name that another one has, or that none can have.
    #[error("session name {0:?} is taken or not allowed")]
    SessionName(String),
    /// It puts a window at an index where another one is.
    #[error("index {index} of session {session} is in use")]
    IndexInUse {
        /// The session.
        session: SessionId,
        /// The index.
        index: u32,
    },
    /// It closes a session that has windows.
    #[error("session {0} has windows")]
    SessionNotEmpty(SessionId),
    /// It groups a session that is in a group, or has windows where others are in the group.
    #[error("session {0} cannot join a group")]
    SessionGrouped(SessionId),
    /// The record ends and leaves a session without a window.
    #[error("session {0} has no window")]
    SessionEmpty(SessionId),
    /// Its layout does not hold the panes of the window.
    #[error("the layout does not fit the panes of window {0}")]
    LayoutMismatch(WindowId),
    /// It zooms the only pane of a window, or leaves a zoomed window with one.
    #[error("window {0} has one pane and cannot be zoomed")]
    ZoomedAlone(WindowId),
    /// It names a paste buffer that is not there.
    #[error("no paste buffer {0:?}")]
    NoBuffer(String),
    /// It gives a paste buffer a name that another one has.
    #[error("paste buffer name {0:?} is taken")]
    BufferName(String),
    /// Its layout operation is impossible.
    #[error(transparent)]
    Layout(#[from] LayoutError),
}

/// Applies one change. On an error the state is as before.
pub fn apply(state: &mut State, change: &Change) -> Result<(), ApplyError> {
    let (marked, its_window) = (state.marked, state.marked_window());
    apply_alone(state, change)?;
    if state.marked == marked && state.marked_window() != its_window {
        state.marked = None;
    }
    Ok(())
}

/// The same without what follows for the mark.
fn apply_alone(state: &mut State, change: &Change) -> Result<(), ApplyError> {
    match change {
        Change::SessionCreated { id, name, created, cwd, environment, size } => {
            not_below(id.0, state.next.session, id)?;
            name_is_free(state, name)?;
            state.next.session = id.0 + 1;
            let session = Session {
                id: *id,
                name: name.clone(),
                group: None,
                created: *created,
                cwd: cwd.clone(),
                windows: std::collections::BTreeMap::new(),
                // Dangles until the window of the same record is created.
                current: WindowId(state.next.window),
                last: Vec::new(),
                environment: environment.clone(),
                options: OptionSet::new(),
                size: size.clamped(),
            };
            state.sessions.insert(*id, session);
        }
        Change::SessionRenamed { id, name } => {
            if session(state, *id)?.name != *name {
                name_is_free(state, name)?;
            }
            session(state, *id)?.name.clone_from(name);
        }
        Change::SessionMoved { id, cwd } => session(state, *id)?.cwd.clone_from(cwd),
        Change::SessionResized { id, size } => {
            let size = size.clamped();
            session(state, *id)?.size = size;
            let owned = state.windows.values().filter(|window| window.session == *id);
            let owned: Vec<WindowId> = owned.map(|window| window.id).collect();
            owned.into_iter().try_for_each(|window| fit_window(state, window))?;
        }
        Change::SessionGrouped { id, group } => group::join(state, *id, group)?,
        Change::SessionClosed { id } => group::close(state, *id)?,
        Change::WindowCreated { id, session, index, name, pane } => {
            let new = NewWindow { id: *id, session: *session, index: *index, name };
            create_window(state, new, pane)?;
        }
        Change::WindowRenamed { id, name } | Change::WindowNamed { id, name } => {
            window(state, *id)?.name.clone_from(name);
        }
        Change::WindowMoved { id, session, index } => {
            move_window(state, *id, *session, *index)?;
        }
        Change::WindowsSwapped { a, b } => swap_windows(state, *a, *b)?,
        Change::WindowClosed { id, .. } => {
            window(state, *id)?;
            remove_window(state, *id);
        }
        Change::WindowSelected { id } => select_window(state, *id)?,
        Change::WindowAdopted { id, session } => adopt_window(state, *id, *session)?,
        Change::PaneCreated { window, pane, layout } => {
            create_pane(state, *window, pane, layout)?;
        }
        Change::PaneClosed { id, .. } => {
            take_from_window(state, *id)?;
            state.panes.remove(id);
        }
        Change::PaneSelected { id } => {
            let window_id = pane(state, *id)?.window;
            select_pane(window(state, window_id)?, *id);
        }
        Change::PaneEnded { id, ended } => pane(state, *id)?.ended = Some(*ended),
        Change::PaneRespawned { id, program } => {
            let pane = pane(state, *id)?;
            pane.program = program.clone();
            pane.cwd = None;
            pane.ended = None;
        }
        Change::PaneBroken { id, window, session, index, name } => {
            let new = NewWindow { id: *window, session: *session, index: *index, name };
            break_pane(state, *id, new)?;
        }
        Change::PaneJoined { id, window, layout } => join_pane(state, *id, *window, layout)?,
        Change::PanesSwapped { a, b } => swap_panes(state, *a, *b)?,
        Change::PaneTitled { id, title } => pane(state, *id)?.title.clone_from(title),
        Change::PaneInputSwitched { id, off } => pane(state, *id)?.input_off = *off,
        Change::PaneMarked { id } => {
            if let Some(id) = id {
                pane(state, *id)?;
            }
            state.marked = *id;
        }
        Change::PaneMoved { id, cwd } => pane(state, *id)?.cwd = Some(cwd.clone()),
        Change::LayoutChanged { window: id, layout, preset, selected } => {
            let window = window(state, *id)?;
            fits(layout, window, |_| ())?;
            let old = std::mem::replace(&mut window.layout, layout.clone());
            if *selected {
                window.old_layout = Some(old);
            }
            window.preset = preset.or(window.preset);
        }
        Change::Zoomed { window: id, zoomed } => {
            let window = window(state, *id)?;
            if *zoomed && window.layout.pane_count() == 1 {
                return Err(ApplyError::ZoomedAlone(*id));
            }
            window.zoomed = *zoomed;
        }
        Change::OptionSet { scope, name, value } => {
            let options = options_of(state, *scope)?;
            match value {
                Some(value) => options.insert(name.clone(), value.clone()),
                None => options.remove(name),
            };
        }
        Change::EnvironmentSet { session: id, name, value } => {
            let environment = match id {
                Some(id) => &mut session(state, *id)?.environment,
                None => &mut state.environment,
            };
            match value {
                Some(value) => environment.insert(name.clone(), value.clone()),
                None => environment.remove(name),
            };
        }
        Change::KeyBound { table, key, binding } => {
            state.bindings.insert((table.clone(), *key), binding.clone());
        }
        Change::BufferSet { buffer } => buffer::set(state, buffer),
        Change::BufferRenamed { name, new_name } => buffer::rename(state, name, new_name)?,
        Change::BufferDeleted { name } => buffer::delete(state, name)?,
        Change::IdsReserved { next } => {
            state.next.session = state.next.session.max(next.session);
            state.next.window = state.next.window.max(next.window);
            state.next.pane = state.next.pane.max(next.pane);
        }
    }
    Ok(())
}

/// Applies the changes of one record, all or none. No session may be left without a window.
pub fn apply_all(state: &mut State, changes: &[Change]) -> Result<(), ApplyError> {
    if let [change] = changes
        && !may_empty_a_session(change)
    {
        return apply(state, change);
    }
    let mut result = state.clone();
    for change in changes {
        apply(&mut result, change)?;
    }
    no_session_is_empty(&result)?;
    *state = result;
    Ok(())
}

/// What must hold after each record, though not after each of its changes.
pub fn no_session_is_empty(state: &State) -> Result<(), ApplyError> {
    match state.sessions.values().find(|session| session.windows.is_empty()) {
        Some(empty) => Err(ApplyError::SessionEmpty(empty.id)),
        None => Ok(()),
    }
}

fn may_empty_a_session(change: &Change) -> bool {
    matches!(
        change,
        Change::SessionCreated { .. }
            | Change::SessionGrouped { .. }
            | Change::WindowClosed { .. }
            | Change::WindowMoved { .. }
            | Change::PaneJoined { .. }
    )
}

fn session(state: &mut State, id: SessionId) -> Result<&mut Session, ApplyError> {
    state.sessions.get_mut(&id).ok_or(ApplyError::NoSession(id))
}

fn window(state: &mut State, id: WindowId) -> Result<&mut Window, ApplyError> {
    state.windows.get_mut(&id).ok_or(ApplyError::NoWindow(id))
}

fn pane(state: &mut State, id: PaneId) -> Result<&mut Pane, ApplyError> {
    state.panes.get_mut(&id).ok_or(ApplyError::NoPane(id))
}

/// Ids are given out in order; the last one is kept back so that the next always exists.
fn not_below(id: u32, next: u32, shown: &impl std::fmt::Display) -> Result<(), ApplyError> {
    if id < next || id == u32::MAX {
        return Err(ApplyError::IdReused(shown.to_string()));
    }
    Ok(())
}

fn name_is_free(state: &State, name: &str) -> Result<(), ApplyError> {
    let allowed = !name.is_empty() && !name.contains([':', '.']);
    if !allowed || state.session_named(name).is_some() {
        return Err(ApplyError::SessionName(name.to_owned()));
    }
    Ok(())
}

/// Moves `old` to the front of a recency list and takes `current` off it.
fn push_recent<Id: Copy + PartialEq>(recent: &mut Vec<Id>, old: Id, current: Id) {
    recent.retain(|id| *id != old && *id != current);
    if old != current {
        recent.insert(0, old);
    }
}

fn options_of(state: &mut State, scope: OptionScope) -> Result<&mut OptionSet, ApplyError> {
    Ok(match scope {
        OptionScope::Server => &mut state.server_options,
        OptionScope::GlobalSession => &mut state.session_options,
        OptionScope::GlobalWindow => &mut state.window_options,
        OptionScope::Session(id) => &mut session(state, id)?.options,
        OptionScope::Window(id) => &mut window(state, id)?.options,
        OptionScope::Pane(id) => &mut pane(state, id)?.options,
    })
}
