//! `kill-pane`

use ccmux_core::decide::Command as Intent;

use super::{Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let pane = cx.pane('t')?.pane;
    cx.change(match cx.args().has('a') {
        true => Intent::KillOtherPanes { pane },
        false => Intent::KillPane { pane },
    })?;
    Ok(Flow::Next)
}
