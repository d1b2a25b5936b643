//! `set-buffer`: puts text into a paste buffer, or renames it.

use std::borrow::Cow;

use ccmux_core::decide::{BufferText, Command as Intent};

use super::{CommandError, Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let name = cx.text('b').map(Cow::into_owned);
    if let Some(new_name) = cx.text('n') {
        cx.change(Intent::RenameBuffer { name, new_name: new_name.into_owned() })?;
        return Ok(Flow::Next);
    }
    let mut argv = cx.args().to_argv();
    let data = argv.pop().ok_or_else(|| CommandError::new("no data specified"))?;
    if cx.args().has('w') {
        cx.set_client_clipboard(&data);
    }
    let text = match cx.args().has('a') {
        true => BufferText::Appended(data),
        false => BufferText::Whole(data),
    };
    cx.change(Intent::SetBuffer { name, text })?;
    Ok(Flow::Next)
}
