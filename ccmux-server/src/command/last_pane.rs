//! `last-pane`

use ccmux_core::decide::Command as Intent;

use super::{Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let window = cx.window('t')?.window;
    cx.change(Intent::LastPane { window, keep_zoom: cx.args().has('Z') })?;
    Ok(Flow::Next)
}
