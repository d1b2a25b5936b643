//! Changes of panes and of the windows they are in.

use crate::change::NewPane;
use crate::ids::{PaneId, WindowId};
use crate::layout::{Layout, LayoutError};
use crate::model::{Ended, ExitStatus, OptionSet, Pane, State, Window};

use super::window::{NewWindow, add_window, remove_window};
use super::{ApplyError, not_below, pane, push_recent, window};

pub(super) fn create_pane(
    state: &mut State,
    id: WindowId,
    new: &NewPane,
    layout: &Layout,
) -> Result<(), ApplyError> {
    pane_is_new(state, new)?;
    let window = window(state, id)?;
    fits(layout, window, |panes| panes.push(new.id))?;
    window.layout = layout.clone();
    insert_pane(state, id, new);
    Ok(())
}

pub(super) fn select_pane(window: &mut Window, id: PaneId) {
    let old = std::mem::replace(&mut window.active, id);
    push_recent(&mut window.last, old, id);
}

/// Takes a pane off a window that keeps others; the active pane becomes the one before (in time,
/// else by index), or the next one if it was the first.
pub(super) fn take_from_window(state: &mut State, id: PaneId) -> Result<(), ApplyError> {
    let window_id = pane(state, id)?.window;
    let size = state.window_size(window_id).ok_or(ApplyError::NoWindow(window_id))?;
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

pub(super) fn break_pane(
    state: &mut State,
    id: PaneId,
    new: NewWindow<'_>,
) -> Result<(), ApplyError> {
    // Everything that can be refused comes before the first step that changes something.
    new.check(state)?;
    take_from_window(state, id)?;
    add_window(state, new, id)?;
    pane(state, id)?.window = new.id;
    Ok(())
}

pub(super) fn join_pane(
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

pub(super) fn swap_panes(state: &mut State, a: PaneId, b: PaneId) -> Result<(), ApplyError> {
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

pub(super) fn pane_is_new(state: &State, pane: &NewPane) -> Result<(), ApplyError> {
    not_below(pane.id.0, state.next.pane, &pane.id)?;
    if state.panes.values().any(|other| other.uuid == pane.uuid) {
        return Err(ApplyError::IdReused(pane.uuid.to_string()));
    }
    Ok(())
}

/// Whether a layout holds exactly the panes a window has, once `edit` changed their list.
pub(super) fn fits(
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

pub(super) fn insert_pane(state: &mut State, window: WindowId, new: &NewPane) {
    state.next.pane = new.id.0 + 1;
    // Whether it ended or never was, nothing runs and the pane stays. That is no change of its own:
    // the end of a program is taken back if a shutdown follows.
    let never_was = Ended { status: ExitStatus::Unknown, time: new.created };
    let pane = Pane {
        id: new.id,
        uuid: new.uuid,
        window,
        program: new.program.clone(),
        cwd: None,
        title: bstr::BString::default(),
        created: new.created,
        ended: new.program.is_none().then_some(never_was),
        input_off: false,
        options: OptionSet::new(),
    };
    state.panes.insert(new.id, pane);
}
