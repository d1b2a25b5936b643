//! Windows: create, name, close, select, and their indexes.

use crate::change::{Change, CloseReason, NewPane, OptionScope};
use crate::ids::{SessionId, WindowId};
use crate::model::Session;

use super::draft::Draft;
use super::{CommandError, Facts, MoveWindow, NewWindow, WindowPlace, name, pane, session_flag};

/// tmux keeps window indexes in a signed integer.
const INDEX_MAX: u32 = i32::MAX as u32;

/// The option `base-index` as an index.
pub(super) fn base_index(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(0).min(INDEX_MAX)
}

pub(super) fn create(
    draft: &mut Draft<'_>,
    new: NewWindow,
    facts: &Facts,
) -> Result<(), CommandError> {
    draft.session(new.session)?;
    if let Some(name) = new.name.as_ref().filter(|_| new.reuse_named) {
        match windows_named(draft, new.session, name)?[..] {
            [] => {}
            [window] => {
                return if new.select { select(draft, new.session, window, false) } else { Ok(()) };
            }
            _ => return Err(CommandError::MultipleWindows(name.clone())),
        }
    }
    let id = draft.next_window_id()?;
    let pane_id = draft.next_pane_id()?;
    let index = make_place(draft, new.session, new.place)?;
    let existing = draft.session(new.session)?.windows.get(&index).copied();
    let mut replaces_current = false;
    if let Some(existing) = existing {
        if !new.kill_existing {
            return Err(CommandError::NewWindowIndexInUse(index));
        }
        replaces_current = draft.session(new.session)?.current == existing;
        draft.push(Change::WindowClosed { id: existing, reason: CloseReason::Command });
    }
    let scope = OptionScope::Session(new.session);
    let named = new.name.is_some();
    let name = new.name.unwrap_or_else(|| name::window_name(draft.state(), scope, &new.program));
    let pane = NewPane { id: pane_id, uuid: facts.uuid, program: new.program, created: facts.now };
    draft.push(Change::WindowCreated { id, session: new.session, index, name, pane });
    if named {
        keep_name(draft, id);
    }
    if new.select || replaces_current {
        select(draft, new.session, id, false)?;
    }
    Ok(())
}

fn windows_named(
    draft: &mut Draft<'_>,
    session: SessionId,
    name: &str,
) -> Result<Vec<WindowId>, CommandError> {
    let windows: Vec<WindowId> = draft.session(session)?.windows.values().copied().collect();
    let windows_by_id = &draft.state().windows;
    let has_name = |id: &WindowId| windows_by_id.get(id).is_some_and(|window| window.name == name);
    Ok(windows.into_iter().filter(has_name).collect())
}

/// Turns automatic renaming off for a window that somebody named.
pub(super) fn keep_name(draft: &mut Draft<'_>, id: WindowId) {
    let scope = OptionScope::Window(id);
    let options = draft.state().options_at(scope);
    if options.is_some_and(|set| set.get("automatic-rename").is_none_or(|value| value != "off")) {
        draft.push(Change::OptionSet {
            scope,
            name: "automatic-rename".to_owned(),
            value: Some("off".to_owned()),
        });
    }
}

pub(super) fn rename(
    draft: &mut Draft<'_>,
    id: WindowId,
    name: String,
) -> Result<(), CommandError> {
    if draft.window(id)?.name != name {
        draft.push(Change::WindowRenamed { id, name });
    }
    keep_name(draft, id);
    Ok(())
}

pub(super) fn rename_automatically(
    draft: &mut Draft<'_>,
    id: WindowId,
    name: String,
) -> Result<(), CommandError> {
    let same = draft.window(id)?.name == name;
    if !same && draft.state().options(OptionScope::Window(id)).flag("automatic-rename") {
        draft.push(Change::WindowNamed { id, name });
    }
    Ok(())
}

pub(super) fn kill(draft: &mut Draft<'_>, id: WindowId) -> Result<(), CommandError> {
    close(draft, id, CloseReason::Command)
}

pub(super) fn kill_others(draft: &mut Draft<'_>, id: WindowId) -> Result<(), CommandError> {
    let session = draft.window(id)?.session;
    let windows: Vec<WindowId> = draft.session(session)?.windows.values().copied().collect();
    for other in windows.into_iter().filter(|other| *other != id) {
        draft.push(Change::WindowClosed { id: other, reason: CloseReason::Command });
    }
    // tmux closes the gaps of all sessions here.
    let sessions: Vec<SessionId> = draft.state().sessions.keys().copied().collect();
    sessions.into_iter().try_for_each(|session| after_removal(draft, session))
}

/// Closes a window, and with its last window the session.
pub(super) fn close(
    draft: &mut Draft<'_>,
    id: WindowId,
    reason: CloseReason,
) -> Result<(), CommandError> {
    let session = draft.window(id)?.session;
    draft.push(Change::WindowClosed { id, reason });
    after_removal(draft, session)
}

/// What follows when a session lost windows: it closes, and its group with it, if it has none left,
/// or closes its gaps.
pub(super) fn after_removal(draft: &mut Draft<'_>, id: SessionId) -> Result<(), CommandError> {
    if draft.session(id)?.windows.is_empty() {
        for id in draft.state().group_of(id) {
            draft.push(Change::SessionClosed { id });
        }
    } else if session_flag(draft, id, "renumber-windows") {
        renumber(draft, id)?;
    }
    Ok(())
}

/// Gives windows the indexes from `base-index` on, in their order.
pub(super) fn renumber(draft: &mut Draft<'_>, id: SessionId) -> Result<(), CommandError> {
    draft.session(id)?;
    let base = draft.state().options(OptionScope::Session(id)).number("base-index");
    let windows = draft.session(id)?.windows.clone();
    let mut moves: Vec<(u32, u32, WindowId)> = (base_index(base)..)
        .zip(windows)
        .map(|(to, (from, window))| (from, to, window))
        .filter(|(from, to, _)| from != to)
        .collect();
    // What goes up starts at the top, what goes down at the bottom: so each finds its place free.
    moves.sort_by_key(|(from, to, _)| {
        let up = to > from;
        (!up, if up { u32::MAX - from } else { *from })
    });
    for (_, index, window) in moves {
        draft.push(Change::WindowMoved { id: window, session: id, index });
    }
    Ok(())
}

pub(super) fn select(
    draft: &mut Draft<'_>,
    session: SessionId,
    id: WindowId,
    toggle: bool,
) -> Result<(), CommandError> {
    index_in(draft, session, id)?;
    if draft.session(session)?.current != id {
        adopt(draft, session, id)?;
        draft.push(Change::WindowSelected { id });
    } else if toggle {
        select_last(draft, session)?;
    }
    Ok(())
}

/// A window is shown in a session that has it.
fn adopt(draft: &mut Draft<'_>, session: SessionId, id: WindowId) -> Result<(), CommandError> {
    if draft.window(id)?.session != session {
        draft.push(Change::WindowAdopted { id, session });
    }
    Ok(())
}

pub(super) fn adopt_current(draft: &mut Draft<'_>, id: SessionId) -> Result<(), CommandError> {
    let current = draft.session(id)?.current;
    adopt(draft, id, current)
}

pub(super) fn select_next(draft: &mut Draft<'_>, id: SessionId) -> Result<(), CommandError> {
    let session = draft.session(id)?;
    let next = session.window_after(session.current).filter(|next| *next != session.current);
    select(draft, id, next.ok_or(CommandError::NoNextWindow)?, false)
}

pub(super) fn select_previous(draft: &mut Draft<'_>, id: SessionId) -> Result<(), CommandError> {
    let session = draft.session(id)?;
    let previous = session.window_before(session.current);
    let previous = previous.filter(|previous| *previous != session.current);
    select(draft, id, previous.ok_or(CommandError::NoPreviousWindow)?, false)
}

pub(super) fn select_last(draft: &mut Draft<'_>, id: SessionId) -> Result<(), CommandError> {
    let last = draft.session(id)?.last.first().copied();
    select(draft, id, last.ok_or(CommandError::NoLastWindow)?, false)
}

pub(super) fn relocate(draft: &mut Draft<'_>, order: MoveWindow) -> Result<(), CommandError> {
    let id = order.window;
    let from = order.from;
    index_in(draft, from, id)?;
    draft.session(order.session)?;
    if are_two_of_a_group(draft, from, order.session) {
        return Err(CommandError::SessionsGrouped);
    }
    let index = make_place(draft, order.session, order.place)?;
    let existing = draft.session(order.session)?.windows.get(&index).copied();
    let mut select_it = order.select;
    match existing {
        None => {}
        Some(existing) if existing == id => return Err(CommandError::SameIndex(index)),
        Some(_) if !order.kill_existing => return Err(CommandError::IndexInUse(index)),
        Some(existing) => {
            select_it |= draft.session(order.session)?.current == existing;
            draft.push(Change::WindowClosed { id: existing, reason: CloseReason::Command });
        }
    }
    draft.push(Change::WindowMoved { id, session: order.session, index });
    unmark_in(draft, id);
    if select_it {
        select(draft, order.session, id, false)?;
    }
    if draft.session(from)?.windows.is_empty() || order.renumber {
        after_removal(draft, from)?;
    }
    Ok(())
}

pub(super) fn swap(
    draft: &mut Draft<'_>,
    (of_source, of_target): (SessionId, SessionId),
    (source, target): (WindowId, WindowId),
    follow: bool,
) -> Result<(), CommandError> {
    draft.window(source)?;
    draft.window(target)?;
    if are_two_of_a_group(draft, of_source, of_target) {
        return Err(CommandError::SwapInGroup);
    }
    if source == target {
        return Ok(());
    }
    draft.push(Change::WindowsSwapped { a: source, b: target });
    unmark_in(draft, source);
    unmark_in(draft, target);
    if follow {
        select(draft, of_target, source, false)?;
        if of_source != of_target {
            select(draft, of_source, target, false)?;
        }
    }
    Ok(())
}

/// Whether windows of the one session are the other's already.
fn are_two_of_a_group(draft: &mut Draft<'_>, a: SessionId, b: SessionId) -> bool {
    a != b && draft.state().group_of(a).contains(&b)
}

/// A window that gets another place loses the mark, as in tmux.
fn unmark_in(draft: &mut Draft<'_>, id: WindowId) {
    if draft.state().marked_window() == Some(id) {
        pane::unmark(draft);
    }
}

/// The index of a place, made free where the place means to push others up.
pub(super) fn make_place(
    draft: &mut Draft<'_>,
    id: SessionId,
    place: WindowPlace,
) -> Result<u32, CommandError> {
    match place {
        WindowPlace::At(index) => Ok(index),
        WindowPlace::Next => {
            draft.session(id)?;
            let base = draft.state().options(OptionScope::Session(id)).number("base-index");
            first_free(draft.session(id)?, base_index(base))
        }
        WindowPlace::After(window) => {
            let index = index_in(draft, id, window)?;
            push_up(draft, id, index + 1)
        }
        WindowPlace::Before(window) => {
            let index = index_in(draft, id, window)?;
            push_up(draft, id, index)
        }
    }
}

fn index_in(
    draft: &mut Draft<'_>,
    session: SessionId,
    window: WindowId,
) -> Result<u32, CommandError> {
    draft.session(session)?.index_of(window).ok_or(CommandError::NoWindow(window))
}

fn first_free(session: &Session, from: u32) -> Result<u32, CommandError> {
    let mut indexes = (from..=INDEX_MAX).filter(|index| !session.windows.contains_key(index));
    indexes.next().ok_or(CommandError::NoFreeIndex)
}

/// Frees an index by moving the unbroken run of windows that starts there up by one.
fn push_up(draft: &mut Draft<'_>, id: SessionId, index: u32) -> Result<u32, CommandError> {
    let session = draft.session(id)?;
    let free = first_free(session, index)?;
    let run: Vec<(u32, WindowId)> =
        session.windows.range(index..free).map(|(index, id)| (*index, *id)).collect();
    for (index, window) in run.into_iter().rev() {
        draft.push(Change::WindowMoved { id: window, session: id, index: index + 1 });
    }
    Ok(index)
}
