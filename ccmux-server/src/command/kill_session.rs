//! `kill-session`

use ccmux_core::decide::Command as Intent;

use super::{Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let session = cx.session('t')?.session;
    if cx.args().has('C') {
        // Clears the alerts of its windows, of which there are none to clear.
        return Ok(Flow::Next);
    }
    cx.change(match cx.args().has('a') {
        true => Intent::KillOtherSessions { session },
        false => Intent::KillSession { session },
    })?;
    Ok(Flow::Next)
}
