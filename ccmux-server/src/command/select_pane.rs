//! `select-pane`: makes a pane the active one, or titles it.

use ccmux_core::decide::Command as Intent;
use ccmux_core::geometry::Direction;

use super::{CommandError, Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let keep_zoom = cx.args().has('Z');
    if cx.args().has('l') {
        let window = cx.window('t')?.window;
        cx.change(Intent::LastPane { window, keep_zoom })?;
        return Ok(Flow::Next);
    }
    let target = cx.pane('t')?;
    if cx.args().has('m') || cx.args().has('M') {
        return Err(CommandError::new("marked panes are not supported"));
    }
    if let Some(title) = cx.text('T') {
        let title = cx.expand(&title, target);
        let title = cx.server.title_terminal(target.pane, title.as_bytes());
        cx.change(Intent::SetTitle { pane: target.pane, title })?;
        return Ok(Flow::Next);
    }
    let directions = [
        ('L', Direction::Left),
        ('R', Direction::Right),
        ('U', Direction::Up),
        ('D', Direction::Down),
    ];
    let direction = directions.into_iter().find(|(flag, _)| cx.args().has(*flag));
    cx.change(match direction {
        Some((_, direction)) => {
            Intent::SelectPaneToward { pane: target.pane, direction, keep_zoom }
        }
        None => Intent::SelectPane { pane: target.pane, keep_zoom },
    })?;
    Ok(Flow::Next)
}
