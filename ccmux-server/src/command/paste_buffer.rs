//! `paste-buffer`: types a paste buffer into a pane.

use std::borrow::Cow;

use bstr::ByteSlice as _;
use ccmux_core::decide::Command as Intent;

use super::{CommandError, Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let pane = cx.pane('t')?.pane;
    if cx.server.state.panes.get(&pane).is_none_or(|pane| pane.ended.is_some()) {
        return Err(CommandError::new("target pane has exited"));
    }
    let state = &cx.server.state;
    let found = match cx.text('b') {
        Some(name) => Some(
            state
                .buffer_named(&name)
                .ok_or_else(|| CommandError::new(format!("no buffer {name}")))?,
        ),
        None => state.buffers.first(),
    };
    let Some(buffer) = found else { return Ok(Flow::Next) };
    let separator = match cx.text('s') {
        Some(separator) => separator,
        None if cx.args().has('r') => Cow::Borrowed("\n"),
        None => Cow::Borrowed("\r"),
    };
    let (name, text) = (buffer.name.clone(), buffer.data.replace("\n", separator.as_bytes()));
    if !cx.server.has_input_off(pane) && !cx.server.paste_text(pane, &text, cx.args().has('p')) {
        return Err(CommandError::new("the program takes no input"));
    }
    if cx.args().has('d') {
        cx.change(Intent::DeleteBuffer { name: Some(name) })?;
    }
    Ok(Flow::Next)
}
