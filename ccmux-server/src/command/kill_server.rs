//! `kill-server`: every session closes, as a logged change, and the server ends.

use ccmux_core::decide::Command as Intent;

use super::{Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    cx.change(Intent::KillServer)?;
    cx.server.is_killed = true;
    Ok(Flow::Next)
}
