//! `swap-pane`

use ccmux_core::decide::{Command as Intent, SwapPane};

use super::{Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let target = cx.pane('t')?;
    let source = match (cx.args().has('D'), cx.args().has('U')) {
        (false, false) => cx.source_pane('s')?.pane,
        (is_down, _) => neighbour(cx, target, is_down),
    };
    cx.change(Intent::SwapPane(SwapPane {
        source,
        target: target.pane,
        select: !cx.args().has('d'),
        keep_zoom: cx.args().has('Z'),
    }))?;
    Ok(Flow::Next)
}

/// The pane after or before the target in its window, going round.
fn neighbour(cx: &Cx<'_>, target: super::Target, is_down: bool) -> ccmux_core::ids::PaneId {
    let panes = cx.server.state.windows[&target.window].layout.panes();
    let at = panes.iter().position(|pane| *pane == target.pane).unwrap_or(0);
    let step = if is_down { 1 } else { panes.len() - 1 };
    panes[(at + step) % panes.len()]
}
