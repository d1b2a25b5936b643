//! `rename-session`

use ccmux_core::decide::Command as Intent;

use super::{Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let target = cx.session('t')?;
    let name = cx.args().text_at(0).unwrap_or_default();
    let name = cx.expand(&name, target);
    cx.change(Intent::RenameSession { session: target.session, name })?;
    Ok(Flow::Next)
}
