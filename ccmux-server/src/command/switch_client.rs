//! `switch-client`: a client looks at another session, or its next key at another table.

use ccmux_core::ids::SessionId;

use super::{CommandError, Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let client = cx.client('c')?;
    if let Some(table) = cx.text('T') {
        if let Some(attachment) =
            cx.server.clients.get_mut(&client).and_then(|client| client.attachment_mut())
        {
            attachment.keys.enter(&table);
        }
        return Ok(Flow::Next);
    }
    let Some(attachment) = cx.server.clients.get(&client).and_then(|client| client.attachment())
    else {
        return Err(CommandError::new("no current client"));
    };
    let (current, last) = (attachment.session, attachment.last_session);
    if cx.args().has('r') {
        let flags = attachment.flags.toggled();
        cx.server.set_client_flags(client, flags);
    }
    let session = if cx.args().has('n') {
        neighbour(cx, current, 1).ok_or_else(|| CommandError::new("can't find next session"))?
    } else if cx.args().has('p') {
        neighbour(cx, current, -1)
            .ok_or_else(|| CommandError::new("can't find previous session"))?
    } else if cx.args().has('l') {
        last.filter(|id| cx.server.state.sessions.contains_key(id))
            .ok_or_else(|| CommandError::new("can't find last session"))?
    } else if cx.args().has('r') && cx.text('t').is_none() {
        return Ok(Flow::Next);
    } else {
        cx.pane('t').or_else(|_| cx.session('t'))?.session
    };
    cx.update_environment(session, client)?;
    cx.server.show_session(client, session);
    Ok(Flow::Next)
}

/// The session after or before one in the order of names, going round.
fn neighbour(cx: &Cx<'_>, current: SessionId, step: isize) -> Option<SessionId> {
    let mut sessions: Vec<_> = cx.server.state.sessions.values().collect();
    sessions.sort_by(|a, b| a.name.cmp(&b.name));
    let at = sessions.iter().position(|session| session.id == current)?;
    let count = isize::try_from(sessions.len()).ok()?;
    let next = (isize::try_from(at).ok()? + step).rem_euclid(count);
    Some(sessions[usize::try_from(next).ok()?].id)
}
