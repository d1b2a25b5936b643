//! Applying changes: the only way a [`State`] changes, live and in recovery alike.
//!
//! Applying is total: a change that does not fit, which damage alone can cause, is refused with an
//! [`ApplyError`] and leaves the state as it was. Nothing is decided here; where a change leaves
//! something open (which window is current after the current one closed) the answer depends on the
//! state alone.

use crate::change::{Change, NewPane, OptionScope};
use crate::geometry::Size;
use crate::ids::{PaneId, SessionId, WindowId};
use crate::layout::{Layout, LayoutError};
use crate::model::{OptionSet, Pane, Session, State, Window};

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
    /// The record ends and leaves a session without a window.
    #[error("session {0} has no window")]
    SessionEmpty(SessionId),
    /// Its layout does not hold the panes of the window.
    #[error("the layout does not fit the panes of window {0}")]
    LayoutMismatch(WindowId),
    /// It zooms the only pane of a window, or leaves a zoomed window with one.
    #[error("window {0} has one pane and cannot be zoomed")]
    ZoomedAlone(WindowId),
    /// Its layout operation is impossible.
    #[error(transparent)]
    Layout(#[from] LayoutError),
}

/// Applies one change. On an error the state is as before.
pub fn apply(state: &mut State, change: &Change) -> Result<(), ApplyError> {
    match change {
        Change::SessionCreated { id, name, created, cwd, environment, size } => {
            not_below(id.0, state.next.session, id)?;
            name_is_free(state, name)?;
            state.next.session = id.0 + 1;
            let session = Session {
                id: *id,
                name: name.clone(),
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
        Change::SessionResized { id, size } => {
            let size = size.clamped();
            session(state, *id)?.size = size;
            for window in state.windows.values_mut().filter(|window| window.session == *id) {
                window.layout = window.layout.resize(size);
            }
        }
        Change::SessionClosed { id } => {
            if !session(state, *id)?.windows.is_empty() {
                return Err(ApplyError::SessionNotEmpty(*id));
            }
            state.sessions.remove(id);
        }
        Change::WindowCreated { id, session, index, name, pane } => {
            create_window(state, *id, *session, *index, name, pane)?;
        }
        Change::WindowRenamed { id, name } => window(state, *id)?.name.clone_from(name),
        Change::WindowMoved { id, session, index } => {
            move_window(state, *id, *session, *index)?;
        }
        Change::WindowsSwapped { a, b } => swap_windows(state, *a, *b)?,
        Change::WindowClosed { id, .. } => {
            window(state, *id)?;
            remove_window(state, *id);
        }
        Change::WindowSelected { id } => {
            let session_id = window(state, *id)?.session;
            let session = session(state, session_id)?;
            let old = std::mem::replace(&mut session.current, *id);
            push_recent(&mut session.last, old, *id);
        }
        Change::PaneCreated { window: id, pane, layout } => {
            pane_is_new(state, pane)?;
            let window = window(state, *id)?;
            fits(layout, window, |panes| panes.push(pane.id))?;
            window.layout = layout.clone();
            insert_pane(state, *id, pane);
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
            break_pane(state, *id, *window, *session, *index, name)?;
        }
        Change::PaneJoined { id, window, layout } => join_pane(state, *id, *window, layout)?,
        Change::PanesSwapped { a, b } => swap_panes(state, *a, *b)?,
        Change::PaneTitled { id, title } => pane(state, *id)?.title.clone_from(title),
        Change::PaneMoved { id, cwd } => pane(state, *id)?.cwd = Some(cwd.clone()),
        Change::LayoutChanged { window: id, layout, preset } => {
            let window = window(state, *id)?;
            fits(layout, window, |_| ())?;
            window.layout = layout.clone();
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
    if let Some(empty) = result.sessions.values().find(|session| session.windows.is_empty()) {
        return Err(ApplyError::SessionEmpty(empty.id));
    }
    *state = result;
    Ok(())
}

fn may_empty_a_session(change: &Change) -> bool {
    matches!(
        change,
        Change::SessionCreated { .. }
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

/// The size that a window is meant to have.
fn size_of(state: &mut State, id: WindowId) -> Result<Size, ApplyError> {
    let owner = window(state, id)?.session;
    Ok(session(state, owner)?.size)
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

fn index_is_free(state: &mut State, id: SessionId, index: u32) -> Result<(), ApplyError> {
    if session(state, id)?.windows.contains_key(&index) {
        return Err(ApplyError::IndexInUse { session: id, index });
    }
    Ok(())
}

fn pane_is_new(state: &State, pane: &NewPane) -> Result<(), ApplyError> {
    not_below(pane.id.0, state.next.pane, &pane.id)?;
    if state.panes.values().any(|other| other.uuid == pane.uuid) {
        return Err(ApplyError::IdReused(pane.uuid.to_string()));
    }
    Ok(())
}

/// Whether a layout holds exactly the panes a window has, once `edit` changed their list.
fn fits(
    layout: &Layout,
    window: &Window,
    edit: impl FnOnce(&mut Vec<PaneId>),
) -> Result<(), ApplyError> {
    let mut wanted = window.layout.panes();
    edit(&mut wanted);
    wanted.sort_unstable();
    let mut found = layout.panes();
    found.sort_unstable();
    if wanted == found { Ok(()) } else { Err(ApplyError::LayoutMismatch(window.id)) }
}

fn insert_pane(state: &mut State, window: WindowId, new: &NewPane) {
    state.next.pane = new.id.0 + 1;
    let pane = Pane {
        id: new.id,
        uuid: new.uuid,
        window,
        program: new.program.clone(),
        cwd: None,
        title: bstr::BString::default(),
        created: new.created,
        ended: None,
        options: OptionSet::new(),
    };
    state.panes.insert(new.id, pane);
}

fn create_window(
    state: &mut State,
    id: WindowId,
    session_id: SessionId,
    index: u32,
    name: &str,
    pane: &NewPane,
) -> Result<(), ApplyError> {
    pane_is_new(state, pane)?;
    add_window(state, id, session_id, index, name, pane.id)?;
    insert_pane(state, id, pane);
    Ok(())
}

/// A window with one pane, which is not in the table of panes yet or comes from another window.
fn add_window(
    state: &mut State,
    id: WindowId,
    session_id: SessionId,
    index: u32,
    name: &str,
    pane: PaneId,
) -> Result<(), ApplyError> {
    not_below(id.0, state.next.window, &id)?;
    index_is_free(state, session_id, index)?;
    state.next.window = id.0 + 1;
    let size = session(state, session_id)?.size;
    link(session(state, session_id)?, index, id);
    let window = Window {
        id,
        session: session_id,
        name: name.to_owned(),
        layout: Layout::single(pane, size),
        active: pane,
        last: Vec::new(),
        zoomed: false,
        preset: None,
        options: OptionSet::new(),
    };
    state.windows.insert(id, window);
    Ok(())
}

fn link(session: &mut Session, index: u32, window: WindowId) {
    if session.windows.is_empty() {
        session.current = window;
    }
    session.windows.insert(index, window);
}

/// Takes a window off its session; the session's current window becomes the one before (in time,
/// else by index).
fn unlink(session: &mut Session, window: WindowId) {
    if session.current == window {
        let successor = session.last.first().copied().or_else(|| session.window_before(window));
        session.current = successor.unwrap_or(window);
    }
    let current = session.current;
    session.last.retain(|id| *id != window && *id != current);
    session.windows.retain(|_, id| *id != window);
}

fn remove_window(state: &mut State, id: WindowId) {
    let Some(window) = state.windows.remove(&id) else { return };
    state.panes.retain(|_, pane| pane.window != id);
    if let Some(session) = state.sessions.get_mut(&window.session) {
        unlink(session, id);
    }
}

fn move_window(
    state: &mut State,
    id: WindowId,
    to: SessionId,
    index: u32,
) -> Result<(), ApplyError> {
    let from = window(state, id)?.session;
    let size = session(state, to)?.size;
    index_is_free(state, to, index)?;
    if from == to {
        let session = session(state, to)?;
        session.windows.retain(|_, other| *other != id);
        session.windows.insert(index, id);
        return Ok(());
    }
    unlink(session(state, from)?, id);
    link(session(state, to)?, index, id);
    let window = window(state, id)?;
    window.session = to;
    window.layout = window.layout.resize(size);
    Ok(())
}

fn swap_windows(state: &mut State, a: WindowId, b: WindowId) -> Result<(), ApplyError> {
    let (of_a, of_b) = (window(state, a)?.session, window(state, b)?.session);
    let other = |id: WindowId| match id {
        id if id == a => b,
        id if id == b => a,
        id => id,
    };
    let mut sessions = vec![of_a, of_b];
    sessions.dedup();
    for id in sessions {
        let session = session(state, id)?;
        session.current = other(session.current);
        for id in session.last.iter_mut().chain(session.windows.values_mut()) {
            *id = other(*id);
        }
    }
    for (id, to) in [(a, of_b), (b, of_a)] {
        let size = session(state, to)?.size;
        let window = window(state, id)?;
        window.session = to;
        window.layout = window.layout.resize(size);
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

fn select_pane(window: &mut Window, id: PaneId) {
    let old = std::mem::replace(&mut window.active, id);
    push_recent(&mut window.last, old, id);
}

/// Takes a pane off a window that keeps others; the active pane becomes the one before (in time,
/// else by index), or the next one if it was the first.
fn take_from_window(state: &mut State, id: PaneId) -> Result<(), ApplyError> {
    let window_id = pane(state, id)?.window;
    let size = size_of(state, window_id)?;
    let window = window(state, window_id)?;
    // A layout that had outgrown its window may fit again.
    let layout = window.layout.close(id)?.resize(size);
    if window.zoomed && layout.pane_count() == 1 {
        return Err(ApplyError::ZoomedAlone(window_id));
    }
    if window.active == id {
        let panes = window.layout.panes();
        let position = panes.iter().position(|pane| *pane == id).unwrap_or(0);
        let beside = if position == 0 { panes[1] } else { panes[position - 1] };
        window.active = window.last.first().copied().unwrap_or(beside);
    }
    let active = window.active;
    window.last.retain(|pane| *pane != id && *pane != active);
    window.layout = layout;
    Ok(())
}

fn break_pane(
    state: &mut State,
    id: PaneId,
    new: WindowId,
    to: SessionId,
    index: u32,
    name: &str,
) -> Result<(), ApplyError> {
    // Everything that can be refused comes before the first step that changes something.
    not_below(new.0, state.next.window, &new)?;
    index_is_free(state, to, index)?;
    take_from_window(state, id)?;
    add_window(state, new, to, index, name, id)?;
    pane(state, id)?.window = new;
    Ok(())
}

fn join_pane(
    state: &mut State,
    id: PaneId,
    to: WindowId,
    layout: &Layout,
) -> Result<(), ApplyError> {
    let from = pane(state, id)?.window;
    let target = window(state, to)?;
    if from == to {
        return Err(ApplyError::LayoutMismatch(to));
    }
    fits(layout, target, |panes| panes.push(id))?;
    match take_from_window(state, id) {
        Err(ApplyError::Layout(LayoutError::LastPane(_))) => {
            pane(state, id)?.window = to;
            remove_window(state, from);
        }
        taken => taken?,
    }
    pane(state, id)?.window = to;
    window(state, to)?.layout = layout.clone();
    Ok(())
}

fn swap_panes(state: &mut State, a: PaneId, b: PaneId) -> Result<(), ApplyError> {
    let (of_a, of_b) = (pane(state, a)?.window, pane(state, b)?.window);
    if of_a == of_b {
        let window = window(state, of_a)?;
        window.layout = window.layout.swap(a, b)?;
        return Ok(());
    }
    let with_b = window(state, of_a)?.layout.replace(a, b)?;
    let with_a = window(state, of_b)?.layout.replace(b, a)?;
    for (id, layout, left, came) in [(of_a, with_b, a, b), (of_b, with_a, b, a)] {
        let window = window(state, id)?;
        window.layout = layout;
        window.last.retain(|pane| *pane != left);
        if window.active == left {
            window.active = came;
        }
    }
    pane(state, a)?.window = of_b;
    pane(state, b)?.window = of_a;
    Ok(())
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
