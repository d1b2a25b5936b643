//! `attach-session`: the client's terminal shows a session.

use super::{CommandError, Cx, Flow, Origin, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    if cx.server.state.sessions.is_empty() {
        return Err(CommandError::new("no sessions"));
    }
    let target = if cx.text('t').is_some() {
        cx.session('t')?
    } else {
        let last = cx.server.last_session().and_then(|id| cx.server.target_of_session(id));
        last.ok_or_else(|| CommandError::new("no sessions"))?
    };
    attach(cx, target)?;
    Ok(Flow::Next)
}

/// Makes the client of a job look at a session, once its terminal is known to be one.
pub(super) fn attach(cx: &mut Cx<'_>, target: super::Target) -> Result<(), CommandError> {
    let Some(id) = cx.job.origin.client() else { return Ok(()) };
    if matches!(cx.job.origin, Origin::Attached(_)) {
        cx.server.show_session(id, target.session);
        return Ok(());
    }
    let Some(hello) = cx.server.clients.get(&id).and_then(|client| client.hello.as_deref()) else {
        return Ok(());
    };
    if !hello.is_tty {
        return Err(CommandError::new("open terminal failed: not a terminal"));
    }
    if hello.is_inside_pane() {
        let message = "sessions should be nested with care, unset $CCMUX to force";
        return Err(CommandError::new(message));
    }
    let flags = cx.text('f').unwrap_or_default();
    let is_read_only = cx.args().has('r') || flags.split(',').any(|flag| flag == "read-only");
    if cx.args().has('d') || cx.args().has('D') {
        detach_others(cx, target.session, id);
    }
    cx.server.attach(id, target.session, is_read_only);
    Ok(())
}

fn detach_others(
    cx: &mut Cx<'_>,
    session: ccmux_core::ids::SessionId,
    but: crate::event_loop::ClientId,
) {
    for id in cx.server.clients_of(session) {
        if id != but {
            cx.server.detach(id);
        }
    }
}
