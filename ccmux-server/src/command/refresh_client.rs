//! `refresh-client`: a client's screen is drawn anew, or shows another part of a window that is
//! larger, or the client gets other flags, or its terminal is asked for its clipboard.

use ccmux_core::command::parse_number;
use ccmux_core::geometry::Direction;

use super::{CommandError, Cx, Flow, Outcome};
use crate::client::visible::Pan;
use crate::event_loop::ClientId;

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let client = cx.client('t')?;
    if ['c', 'L', 'R', 'U', 'D'].into_iter().any(|flag| cx.args().has(flag)) {
        return pan(cx, client);
    }
    if ['A', 'B', 'C'].into_iter().any(|flag| cx.args().has(flag)) {
        return Err(CommandError::new("not a control client"));
    }
    if cx.args().has('l') {
        let pane = match cx.args().text_at(0) {
            Some(name) => {
                Some(cx.server.with_targets(cx.job, |targets| targets.pane(Some(&name)))?)
            }
            None => None,
        };
        cx.server.ask_clipboard(client, pane.map(|target| target.pane));
        return Ok(Flow::Next);
    }
    let list = cx.text('f').or_else(|| cx.text('F')).map(std::borrow::Cow::into_owned);
    let Some(attachment) =
        cx.server.clients.get_mut(&client).and_then(|client| client.attachment_mut())
    else {
        return Ok(Flow::Next);
    };
    if let Some(list) = list {
        let flags = attachment.flags.changed(&list)?;
        cx.server.set_client_flags(client, flags);
        return Ok(Flow::Next);
    }
    if !cx.command.args.has('S') {
        attachment.painter.invalidate();
    }
    attachment.is_dirty = true;
    Ok(Flow::Next)
}

/// Shows another part of a window that is larger than the client.
fn pan(cx: &mut Cx<'_>, client: ClientId) -> Outcome {
    let amount = match cx.args().text_at(0) {
        None => 1,
        Some(text) => parse_number(text.as_bytes(), 1..=i64::from(i32::MAX))
            .map_err(|error| CommandError::new(format!("adjustment {error}")))?,
    };
    let amount = u16::try_from(amount).unwrap_or(u16::MAX);
    let directions = [
        ('L', Direction::Left),
        ('R', Direction::Right),
        ('U', Direction::Up),
        ('D', Direction::Down),
    ];
    let direction = directions.into_iter().find(|(flag, _)| cx.args().has(*flag));
    let follows = cx.args().has('c');
    let server = &mut *cx.server;
    let Some(attachment) = server.clients.get(&client).and_then(|client| client.attachment())
    else {
        return Ok(Flow::Next);
    };
    // Where all of the window is shown there is nothing to move.
    let Some(shown) = attachment.corner else { return Ok(Flow::Next) };
    let (session, room) = (attachment.session, server.window_room(attachment));
    let window = server.state.sessions.get(&session).map(|session| session.current);
    let window = window.and_then(|id| server.state.windows.get(&id));
    let pan = match (window, direction) {
        (Some(window), Some((_, direction))) if !follows => {
            let moved = shown.moved(direction, amount);
            let corner = moved.within(window.layout.size(), room);
            Some(Pan { window: window.id, corner })
        }
        _ => None,
    };
    if let Some(attachment) =
        server.clients.get_mut(&client).and_then(|client| client.attachment_mut())
    {
        attachment.pan = pan;
        // Further steps go on from here, also those before the next picture.
        attachment.corner = Some(pan.map_or(shown, |pan| pan.corner));
        attachment.is_dirty = true;
    }
    Ok(Flow::Next)
}
