//! `clear-history`: forgets what scrolled out of a pane, in memory and on disk.

use super::{Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let target = cx.pane('t')?;
    cx.server.clear_pane_history(target.pane);
    Ok(Flow::Next)
}
