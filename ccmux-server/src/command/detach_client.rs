//! `detach-client`: clients go back to the terminal they came from.

use super::{Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    // Without any client there is nothing to do, whichever session is meant.
    let client = cx.client('t')?;
    if cx.text('s').is_some() {
        let target = cx.session('s')?;
        for id in cx.server.clients_of(target.session) {
            cx.server.detach(id);
        }
        return Ok(Flow::Next);
    }
    if cx.args().has('a') {
        let others: Vec<_> = cx.server.clients.keys().copied().filter(|id| *id != client).collect();
        for id in others {
            cx.server.detach(id);
        }
    } else {
        cx.server.detach(client);
    }
    Ok(Flow::Next)
}
