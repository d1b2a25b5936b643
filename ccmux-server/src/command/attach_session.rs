//! `attach-session`: the client's terminal shows a session.

use ccmux_core::decide::Command as Intent;
use ccmux_core::ids::SessionId;
use ccmux_protocol::Hello;

use super::{CommandError, Cx, Flow, Origin, Outcome};
use crate::client::flags::{ClientFlagError, ClientFlags};
use crate::event_loop::ClientId;
use crate::server::Afterwards;

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
    let attachment = cx.server.clients.get(&id).and_then(|client| client.attachment());
    let flags = client_flags(cx, attachment.map(|shown| shown.flags).unwrap_or_default())?;
    if matches!(cx.job.origin, Origin::Attached(_)) {
        detach_others(cx, target.session, id);
        prepare(cx, target, id)?;
        cx.server.show_session(id, target.session);
        cx.server.set_client_flags(id, flags);
        return Ok(());
    }
    let Some(hello) = cx.server.clients.get(&id).and_then(|client| client.hello.as_deref()) else {
        return Ok(());
    };
    if !hello.is_tty {
        return Err(CommandError::new("open terminal failed: not a terminal"));
    }
    check_abilities(hello)?;
    if hello.is_inside_pane() {
        let message = "sessions should be nested with care, unset $CCMUX to force";
        return Err(CommandError::new(message));
    }
    detach_others(cx, target.session, id);
    prepare(cx, target, id)?;
    cx.server.attach(id, target.session, flags);
    Ok(())
}

/// What a session takes over from a client that comes to it, and from `attach-session -c`.
fn prepare(cx: &mut Cx<'_>, target: super::Target, id: ClientId) -> Result<(), CommandError> {
    cx.update_environment(target.session, id)?;
    if cx.command.spec.name == "attach-session"
        && let Some(format) = cx.text('c')
    {
        let cwd = cx.expand(&format, target).into();
        cx.change(Intent::MoveSession { session: target.session, cwd })?;
    }
    Ok(())
}

/// The flags that `-f` and `-r` make of those that a client has.
fn client_flags(cx: &Cx<'_>, old: ClientFlags) -> Result<ClientFlags, ClientFlagError> {
    let flags = if cx.args().has('r') { ClientFlags::LOOKING } else { old };
    flags.changed(&cx.text('f').unwrap_or_default())
}

/// Detaches all other clients of a session if that is wanted: `attach-session -d` and `-x`,
/// `new-session -D` and `-X`, where the other case means something else.
fn detach_others(cx: &mut Cx<'_>, session: SessionId, but: ClientId) {
    let (detach, hang_up) = match cx.command.spec.name {
        "new-session" => ('D', 'X'),
        _ => ('d', 'x'),
    };
    let then = match (cx.args().has(detach), cx.args().has(hang_up)) {
        (_, true) => Afterwards::HangUp,
        (true, false) => Afterwards::Nothing,
        (false, false) => return,
    };
    for id in cx.server.clients_of(session) {
        if id != but {
            cx.server.detach(id, &then);
        }
    }
}

/// Refuses a terminal that moves no cursor, such as a shell in an editor.
pub(super) fn check_abilities(hello: &Hello) -> Result<(), CommandError> {
    match hello.term.as_ref().is_some_and(|term| term == "dumb") {
        true => Err(CommandError::new("open terminal failed: terminal does not support clear")),
        false => Ok(()),
    }
}
