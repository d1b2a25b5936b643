//! `next-window`, `previous-window` and `last-window`.

use ccmux_core::decide::Command as Intent;

use super::{CommandError, Cx, Flow, Outcome};

pub(super) fn exec_next(cx: &mut Cx<'_>) -> Outcome {
    let session = cx.session('t')?.session;
    if cx.args().has('a') {
        return Err(CommandError::new("no next window"));
    }
    cx.change(Intent::NextWindow { session })?;
    Ok(Flow::Next)
}

pub(super) fn exec_previous(cx: &mut Cx<'_>) -> Outcome {
    let session = cx.session('t')?.session;
    if cx.args().has('a') {
        return Err(CommandError::new("no previous window"));
    }
    cx.change(Intent::PreviousWindow { session })?;
    Ok(Flow::Next)
}

pub(super) fn exec_last(cx: &mut Cx<'_>) -> Outcome {
    let session = cx.session('t')?.session;
    cx.change(Intent::LastWindow { session })?;
    Ok(Flow::Next)
}
