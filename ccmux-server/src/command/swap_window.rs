//! `swap-window`

use ccmux_core::decide::Command as Intent;

use super::{Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let (source, target) = (cx.source_window('s')?, cx.window('t')?);
    cx.change(Intent::SwapWindow {
        sessions: (source.session, target.session),
        source: source.window,
        target: target.window,
        follow: cx.args().has('d'),
    })?;
    Ok(Flow::Next)
}
