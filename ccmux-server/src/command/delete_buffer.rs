//! `delete-buffer`

use ccmux_core::decide::Command as Intent;

use super::{Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let name = cx.text('b').map(std::borrow::Cow::into_owned);
    cx.change(Intent::DeleteBuffer { name })?;
    Ok(Flow::Next)
}
