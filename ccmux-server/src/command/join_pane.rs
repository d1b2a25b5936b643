//! `join-pane`: a pane moves beside another one.

use ccmux_core::decide::{Command as Intent, JoinPane};

use super::split_window::split;
use super::{Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let (source, target) = (cx.source_pane('s')?, cx.pane('t')?);
    let split = split(cx)?;
    cx.change(Intent::JoinPane(JoinPane {
        source: source.pane,
        target: target.pane,
        session: target.session,
        split,
        select: !cx.args().has('d'),
    }))?;
    Ok(Flow::Next)
}
