//! `swap-window`

use ccmux_core::decide::Command as Intent;

use super::{Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let (source, target) = (cx.source_window('s')?.window, cx.window('t')?.window);
    cx.change(Intent::SwapWindow { source, target, follow: cx.args().has('d') })?;
    Ok(Flow::Next)
}
