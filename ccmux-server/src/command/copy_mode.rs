//! `copy-mode`: look at, search and copy the history of a pane.

use ccmux_core::target::TargetError;

use super::{Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    if cx.args().has('s') {
        cx.pane('s')?;
    }
    let target = cx.pane('t')?;
    if cx.args().has('M') {
        return Err(TargetError::NoMouse.into());
    }
    if cx.args().has('q') {
        cx.server.leave_mode(target.pane);
        return Ok(Flow::Next);
    }
    cx.server.enter_copy_mode(target.pane, cx.args().has('e'));
    if cx.args().has('u') {
        cx.server.copy_command(target.pane, "page-up", None, 1)?;
    }
    Ok(Flow::Next)
}
