//! `kill-window`

use ccmux_core::decide::Command as Intent;

use super::{Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let window = cx.window('t')?.window;
    cx.change(match cx.args().has('a') {
        true => Intent::KillOtherWindows { window },
        false => Intent::KillWindow { window },
    })?;
    Ok(Flow::Next)
}
