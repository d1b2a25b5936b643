//! Panes: split, close, select, and what their programs do.

use bstr::BString;

use crate::change::{Change, CloseReason, NewPane, OptionScope};
use crate::geometry::Direction;
use crate::ids::{PaneId, WindowId};
use crate::layout::LayoutError;
use crate::model::{Ended, ExitStatus, Program};

use super::draft::Draft;
use super::{CommandError, Facts, RespawnPane, SplitWindow, window};

pub(super) fn split(
    draft: &mut Draft<'_>,
    order: SplitWindow,
    facts: &Facts,
) -> Result<(), CommandError> {
    let id = draft.next_pane_id()?;
    let target = draft.window_of(order.target)?;
    let window = target.id;
    let layout = target.layout.split(order.target, id, order.split).map_err(no_space)?;
    unzoom(draft, window)?;
    let pane = NewPane { id, uuid: facts.uuid, program: order.program, created: facts.now };
    draft.push(Change::PaneCreated { window, pane, layout });
    if order.select {
        draft.push(Change::PaneSelected { id });
    }
    if order.zoom {
        draft.push(Change::Zoomed { window, zoomed: true });
    }
    Ok(())
}

fn no_space(error: LayoutError) -> CommandError {
    match error {
        LayoutError::NoSuchPane(pane) => CommandError::NoPane(pane),
        _ => CommandError::NoSpace,
    }
}

/// Ends the zoom of a window. Returns whether there was one.
pub(super) fn unzoom(draft: &mut Draft<'_>, window: WindowId) -> Result<bool, CommandError> {
    let zoomed = draft.window(window)?.zoomed;
    if zoomed {
        draft.push(Change::Zoomed { window, zoomed: false });
    }
    Ok(zoomed)
}

pub(super) fn kill(draft: &mut Draft<'_>, id: PaneId) -> Result<(), CommandError> {
    close(draft, id, CloseReason::Command)
}

pub(super) fn kill_others(draft: &mut Draft<'_>, id: PaneId) -> Result<(), CommandError> {
    let panes = draft.window_of(id)?.layout.panes();
    panes.into_iter().filter(|other| *other != id).try_for_each(|other| kill(draft, other))
}

/// Closes a pane, and with its last pane the window.
fn close(draft: &mut Draft<'_>, id: PaneId, reason: CloseReason) -> Result<(), CommandError> {
    let owner = draft.window_of(id)?;
    let window = owner.id;
    if owner.layout.pane_count() == 1 {
        return window::close(draft, window, reason);
    }
    unzoom(draft, window)?;
    draft.push(Change::PaneClosed { id, reason });
    Ok(())
}

pub(super) fn select(
    draft: &mut Draft<'_>,
    id: PaneId,
    keep_zoom: bool,
) -> Result<(), CommandError> {
    let owner = draft.window_of(id)?;
    if owner.active == id {
        return Ok(());
    }
    let window = owner.id;
    if !keep_zoom {
        unzoom(draft, window)?;
    }
    draft.push(Change::PaneSelected { id });
    Ok(())
}

pub(super) fn select_toward(
    draft: &mut Draft<'_>,
    id: PaneId,
    direction: Direction,
    keep_zoom: bool,
) -> Result<(), CommandError> {
    let window = draft.window_of(id)?;
    match window.layout.neighbour(id, direction, &window.recent_panes()) {
        Some(neighbour) => select(draft, neighbour, keep_zoom),
        None => Ok(()),
    }
}

pub(super) fn select_last(
    draft: &mut Draft<'_>,
    id: WindowId,
    keep_zoom: bool,
) -> Result<(), CommandError> {
    let last = draft.window(id)?.last_pane();
    select(draft, last.ok_or(CommandError::NoLastPane)?, keep_zoom)
}

pub(super) fn program_ended(
    draft: &mut Draft<'_>,
    id: PaneId,
    status: ExitStatus,
    facts: &Facts,
) -> Result<(), CommandError> {
    if draft.pane(id)?.ended.is_some() {
        return Ok(());
    }
    let ended = Ended { status, time: facts.now };
    let remains = match draft.state().options(OptionScope::Pane(id)).choice("remain-on-exit") {
        "on" => true,
        "failed" => status != ExitStatus::Code(0),
        _ => false,
    };
    if remains {
        draft.push(Change::PaneEnded { id, ended });
        return Ok(());
    }
    close(draft, id, CloseReason::ProgramEnded(ended))
}

pub(super) fn respawn(draft: &mut Draft<'_>, order: RespawnPane) -> Result<(), CommandError> {
    let id = order.pane;
    let pane = draft.pane(id)?;
    if pane.ended.is_none() && !order.kill {
        return Err(pane_active(draft, id));
    }
    let old = pane.program.clone();
    let mut program = Program {
        argv: if order.argv.is_empty() { old.argv } else { order.argv },
        cwd: order.cwd.unwrap_or(old.cwd),
        environment: order.environment,
    };
    if program.is_none() {
        program.argv.clear();
    }
    draft.push(Change::PaneRespawned { id, program });
    Ok(())
}

fn pane_active(draft: &mut Draft<'_>, id: PaneId) -> CommandError {
    let state = draft.state();
    let window = state.panes[&id].window;
    let base = state.options(OptionScope::Window(window)).number("pane-base-index");
    CommandError::PaneActive {
        session: state.session_of(id).map(|session| session.name.clone()).unwrap_or_default(),
        window: state.window_index(window).unwrap_or_default(),
        pane: state.pane_position(id).unwrap_or_default() + usize::try_from(base).unwrap_or(0),
    }
}

pub(super) fn respawn_window(
    draft: &mut Draft<'_>,
    id: WindowId,
    order: RespawnPane,
) -> Result<(), CommandError> {
    let panes = draft.window(id)?.layout.panes();
    let state = draft.state();
    let runs = |pane: &PaneId| state.panes.get(pane).is_some_and(|pane| pane.ended.is_none());
    if panes.iter().any(runs) && !order.kill {
        let session = state.session_of(panes[0]);
        return Err(CommandError::WindowActive {
            session: session.map(|session| session.name.clone()).unwrap_or_default(),
            window: state.window_index(id).unwrap_or_default(),
        });
    }
    kill_others(draft, panes[0])?;
    respawn(draft, RespawnPane { pane: panes[0], kill: true, ..order })
}

pub(super) fn set_title(
    draft: &mut Draft<'_>,
    id: PaneId,
    title: BString,
) -> Result<(), CommandError> {
    if draft.pane(id)?.title != title {
        draft.push(Change::PaneTitled { id, title });
    }
    Ok(())
}

pub(super) fn switch_input(
    draft: &mut Draft<'_>,
    id: PaneId,
    off: bool,
) -> Result<(), CommandError> {
    if draft.pane(id)?.input_off != off {
        draft.push(Change::PaneInputSwitched { id, off });
    }
    Ok(())
}

pub(super) fn mark(draft: &mut Draft<'_>, id: PaneId) -> Result<(), CommandError> {
    let window = draft.window_of(id)?;
    if window.zoomed && window.active != id {
        return Ok(());
    }
    if draft.state().marked == Some(id) {
        unmark(draft);
    } else {
        draft.push(Change::PaneMarked { id: Some(id) });
    }
    Ok(())
}

pub(super) fn unmark(draft: &mut Draft<'_>) {
    if draft.state().marked.is_some() {
        draft.push(Change::PaneMarked { id: None });
    }
}

pub(super) fn set_cwd(draft: &mut Draft<'_>, id: PaneId, cwd: BString) -> Result<(), CommandError> {
    if draft.pane(id)?.cwd.as_ref() != Some(&cwd) {
        draft.push(Change::PaneMoved { id, cwd });
    }
    Ok(())
}
