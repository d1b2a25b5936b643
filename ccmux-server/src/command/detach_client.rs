//! `detach-client`: clients go back to the terminal they came from.

use super::{Cx, Flow, Outcome};
use crate::server::Afterwards;

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    // Without any client there is nothing to do, whichever session is meant.
    let client = cx.client('t')?;
    let then = match cx.args().value('E') {
        Some(command) => Afterwards::Run(command.into()),
        None if cx.args().has('P') => Afterwards::HangUp,
        None => Afterwards::Nothing,
    };
    let clients = if cx.text('s').is_some() {
        cx.server.clients_of(cx.session('s')?.session)
    } else if cx.args().has('a') {
        cx.server.clients.keys().copied().filter(|id| *id != client).collect()
    } else {
        vec![client]
    };
    for id in clients {
        cx.server.detach(id, &then);
    }
    Ok(Flow::Next)
}
