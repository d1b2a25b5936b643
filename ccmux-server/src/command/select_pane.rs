//! `select-pane`: makes a pane the active one, titles, styles or marks it, or switches its input.

use ccmux_core::decide::{Command as Intent, SetOption};
use ccmux_core::geometry::Direction;
use ccmux_core::ids::{PaneId, WindowId};
use ccmux_core::options::{Edit, Place};

use super::{CommandError, Cx, Flow, Origin, Outcome, Target, last_pane};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    if cx.args().has('l') {
        return last_pane::exec(cx);
    }
    let target = cx.pane('t')?;
    if cx.args().has('m') || cx.args().has('M') {
        let unmarks = cx.args().has('M');
        let pane = target.pane;
        cx.change(if unmarks { Intent::Unmark } else { Intent::MarkPane { pane } })?;
        return Ok(Flow::Next);
    }
    if let Some(style) = cx.text('P') {
        set_styles(cx, target, &style)?;
    }
    if cx.args().has('g') {
        let style = cx.server.pane_options(target.pane).string("window-style").to_owned();
        cx.print(style);
        return Ok(Flow::Next);
    }
    let (pane, keep_zoom) = (target.pane, cx.args().has('Z'));
    let direction = direction(cx);
    let beside = match direction {
        Some(direction) => neighbour(cx, pane, direction),
        None => Some(pane),
    };
    let Some(pane_meant) = beside else { return Ok(Flow::Next) };
    let intent = if let Some(off) = switched_input(cx) {
        Intent::SwitchInput { pane: pane_meant, off }
    } else if let Some(title) = cx.text('T') {
        let title = cx.expand(&title, target);
        let title = cx.server.title_terminal(pane_meant, title.as_bytes());
        Intent::SetTitle { pane: pane_meant, title }
    } else if is_for_client_alone(cx, target.window, pane_meant) {
        return Ok(Flow::Next);
    } else if let Some(direction) = direction {
        Intent::SelectPaneToward { pane, direction, keep_zoom }
    } else {
        Intent::SelectPane { pane, keep_zoom }
    };
    cx.change(intent)?;
    Ok(Flow::Next)
}

/// Makes a pane active for the client at hand alone, if it is one with `active-pane` and shows it.
fn is_for_client_alone(cx: &mut Cx<'_>, window: WindowId, pane: PaneId) -> bool {
    let Origin::Attached(client) = cx.job.origin else { return false };
    let shown = cx.server.target_of_client(client).map(|target| target.window);
    shown == Some(window) && cx.server.select_for(client, window, pane)
}

/// `-e` and `-d`: whether a pane is to take no input.
pub(super) fn switched_input(cx: &Cx<'_>) -> Option<bool> {
    ['e', 'd'].into_iter().find(|flag| cx.args().has(*flag)).map(|flag| flag == 'd')
}

fn direction(cx: &Cx<'_>) -> Option<Direction> {
    let directions = [
        ('L', Direction::Left),
        ('R', Direction::Right),
        ('U', Direction::Up),
        ('D', Direction::Down),
    ];
    directions.into_iter().find(|(flag, _)| cx.args().has(*flag)).map(|(_, direction)| direction)
}

fn neighbour(cx: &Cx<'_>, pane: PaneId, direction: Direction) -> Option<PaneId> {
    let window = cx.server.state.window_of(pane)?;
    window.layout.neighbour(pane, direction, &window.recent_panes())
}

/// `-P`: the older way to set the styles of a pane.
fn set_styles(cx: &mut Cx<'_>, target: Target, style: &str) -> Result<(), CommandError> {
    for name in ["window-style", "window-active-style"] {
        cx.change(Intent::SetOption(SetOption {
            name: name.to_owned(),
            place: Place {
                server: false,
                global: false,
                window_flag: false,
                pane_flag: true,
                session: Some(target.session),
                window: Some(target.window),
                pane: Some(target.pane),
            },
            edit: Edit::Set(Some(style.to_owned())),
            only_if_unset: false,
            and_panes: false,
        }))?;
    }
    Ok(())
}
