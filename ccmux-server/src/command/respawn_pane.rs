//! `respawn-pane`: a program starts anew in a pane that is there.

use ccmux_core::decide::{Command as Intent, RespawnPane};

use super::{Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let target = cx.pane('t')?;
    let cwd = cx.text('c').map(|format| cx.expand(&format, target).into());
    cx.change(Intent::RespawnPane(RespawnPane {
        pane: target.pane,
        argv: cx.args().to_argv(),
        cwd,
        environment: cx.environment()?,
        kill: cx.args().has('k'),
    }))?;
    Ok(Flow::Next)
}
