//! `last-pane`: selects the pane that was active before, or switches its input.

use ccmux_core::decide::{Command as Intent, CommandError as Refusal};

use super::select_pane::switched_input;
use super::{Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let window = cx.window('t')?.window;
    let intent = match switched_input(cx) {
        Some(off) => {
            let last = cx.server.state.windows[&window].last_pane();
            Intent::SwitchInput { pane: last.ok_or(Refusal::NoLastPane)?, off }
        }
        None => Intent::LastPane { window, keep_zoom: cx.args().has('Z') },
    };
    cx.change(intent)?;
    Ok(Flow::Next)
}
