//! `refresh-client`: a client's screen is drawn anew.

use super::{CommandError, Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let client = cx.client('t')?;
    if ['A', 'B', 'C'].into_iter().any(|flag| cx.args().has(flag)) {
        return Err(CommandError::new("not a control client"));
    }
    if let Some(attachment) =
        cx.server.clients.get_mut(&client).and_then(|client| client.attachment_mut())
    {
        if !cx.command.args.has('S') {
            attachment.painter.invalidate();
        }
        attachment.is_dirty = true;
    }
    Ok(Flow::Next)
}
