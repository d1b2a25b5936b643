//! `rotate-window`

use ccmux_core::decide::Command as Intent;

use super::{Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let window = cx.window('t')?.window;
    let (down, keep_zoom) = (cx.args().has('D'), cx.args().has('Z'));
    cx.change(Intent::RotateWindow { window, down, keep_zoom })?;
    Ok(Flow::Next)
}
