//! `suspend-client`: a client gives its terminal back and stops, until it is continued.

use ccmux_protocol::ServerFrame;

use super::{Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let client = cx.client('t')?;
    cx.server.tell_client(client, ServerFrame::Suspend);
    Ok(Flow::Next)
}
