//! Changes of windows and of where they are.

use crate::change::NewPane;
use crate::ids::{PaneId, SessionId, WindowId};
use crate::layout::Layout;
use crate::model::{OptionSet, Session, State, Window};

use super::group::for_each_member;
use super::pane::{insert_pane, pane_is_new};
use super::{ApplyError, not_below, push_recent, session, window};

/// A window about to exist.
#[derive(Clone, Copy)]
pub(super) struct NewWindow<'a> {
    pub(super) id: WindowId,
    pub(super) session: SessionId,
    pub(super) index: u32,
    pub(super) name: &'a str,
}

impl NewWindow<'_> {
    /// Whether its id and its place are free.
    pub(super) fn check(&self, state: &mut State) -> Result<(), ApplyError> {
        not_below(self.id.0, state.next.window, &self.id)?;
        index_is_free(state, self.session, self.index)
    }
}

pub(super) fn create_window(
    state: &mut State,
    new: NewWindow<'_>,
    pane: &NewPane,
) -> Result<(), ApplyError> {
    pane_is_new(state, pane)?;
    add_window(state, new, pane.id)?;
    insert_pane(state, new.id, pane);
    Ok(())
}

/// A window with one pane, which is not in the table of panes yet or comes from another window.
pub(super) fn add_window(
    state: &mut State,
    new: NewWindow<'_>,
    pane: PaneId,
) -> Result<(), ApplyError> {
    new.check(state)?;
    state.next.window = new.id.0 + 1;
    let size = session(state, new.session)?.size;
    for_each_member(state, new.session, |session| link(session, new.index, new.id));
    let window = Window {
        id: new.id,
        session: new.session,
        name: new.name.to_owned(),
        layout: Layout::single(pane, size),
        active: pane,
        last: Vec::new(),
        zoomed: false,
        preset: None,
        old_layout: None,
        options: OptionSet::new(),
    };
    state.windows.insert(new.id, window);
    Ok(())
}

pub(super) fn select_window(state: &mut State, id: WindowId) -> Result<(), ApplyError> {
    let owner = window(state, id)?.session;
    let session = session(state, owner)?;
    let old = std::mem::replace(&mut session.current, id);
    push_recent(&mut session.last, old, id);
    Ok(())
}

/// A window of a group is shown in another session of it.
pub(super) fn adopt_window(
    state: &mut State,
    id: WindowId,
    by: SessionId,
) -> Result<(), ApplyError> {
    if session(state, by)?.index_of(id).is_none() {
        return Err(ApplyError::NoWindow(id));
    }
    window(state, id)?.session = by;
    fit_window(state, id)
}

/// Gives a window the size that it is meant to have.
pub(super) fn fit_window(state: &mut State, id: WindowId) -> Result<(), ApplyError> {
    let size = state.window_size(id).ok_or(ApplyError::NoWindow(id))?;
    let window = window(state, id)?;
    window.layout = window.layout.resize(size);
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

pub(super) fn remove_window(state: &mut State, id: WindowId) {
    let Some(window) = state.windows.remove(&id) else { return };
    state.panes.retain(|_, pane| pane.window != id);
    for_each_member(state, window.session, |session| unlink(session, id));
}

pub(super) fn move_window(
    state: &mut State,
    id: WindowId,
    to: SessionId,
    index: u32,
) -> Result<(), ApplyError> {
    let from = window(state, id)?.session;
    session(state, to)?;
    index_is_free(state, to, index)?;
    if state.group_of(to).contains(&from) {
        for_each_member(state, to, |session| {
            session.windows.retain(|_, other| *other != id);
            session.windows.insert(index, id);
        });
        return Ok(());
    }
    for_each_member(state, from, |session| unlink(session, id));
    for_each_member(state, to, |session| link(session, index, id));
    window(state, id)?.session = to;
    fit_window(state, id)
}

pub(super) fn swap_windows(state: &mut State, a: WindowId, b: WindowId) -> Result<(), ApplyError> {
    let (of_a, of_b) = (window(state, a)?.session, window(state, b)?.session);
    let other = |id: WindowId| match id {
        id if id == a => b,
        id if id == b => a,
        id => id,
    };
    let mut sessions = vec![of_a];
    if !state.group_of(of_a).contains(&of_b) {
        sessions.push(of_b);
    }
    for id in sessions {
        for_each_member(state, id, |session| {
            session.current = other(session.current);
            for id in session.last.iter_mut().chain(session.windows.values_mut()) {
                *id = other(*id);
            }
        });
    }
    for (id, to) in [(a, of_b), (b, of_a)] {
        window(state, id)?.session = to;
        fit_window(state, id)?;
    }
    Ok(())
}

fn index_is_free(state: &mut State, id: SessionId, index: u32) -> Result<(), ApplyError> {
    if session(state, id)?.windows.contains_key(&index) {
        return Err(ApplyError::IndexInUse { session: id, index });
    }
    Ok(())
}
