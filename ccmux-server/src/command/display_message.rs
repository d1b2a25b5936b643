//! `display-message`: a format, expanded and shown.

use std::time::Duration;

use ccmux_core::model::Pane;

use super::{CommandError, Cx, Flow, Origin, Outcome};

/// What is shown when no message is given.
const DEFAULT: &str = "[#{session_name}] #{window_index}:#{window_name}, current pane \
    #{pane_index} - (%H:%M %d-%b-%y)";

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    if cx.args().has('I') {
        let pane = cx.pane('t')?.pane;
        return match cx.server.state.panes.get(&pane).is_some_and(Pane::is_empty) {
            true => Ok(cx.feed_stdin_to(pane)),
            false => Err(CommandError::new("pane is not empty")),
        };
    }
    if cx.args().has('F') && cx.args().text_at(0).is_some() {
        return Err(CommandError::new("only one of -F or argument must be given"));
    }
    // Without a session, formats of the server (pid, version) can still be asked for.
    // As in tmux, what is not there has no values: scripts ask this way whether a pane exists.
    let subject = cx.subject('t');
    let format = cx.text('F').map(std::borrow::Cow::into_owned).or_else(|| cx.args().text_at(0));
    let format = format.unwrap_or_else(|| DEFAULT.to_owned());
    let named = cx.text('c').and_then(|_| cx.client('c').ok());
    let client = named.or_else(|| {
        let own = cx.job.origin.client()?;
        cx.server.clients.get(&own)?.attachment().map(|_| own)
    });
    let client_shown = client.or_else(|| cx.client('c').ok());
    if cx.args().has('a') {
        for (name, value) in cx.server.variables(&subject, client_shown) {
            cx.print(format!("{name}={value}"));
        }
        return Ok(Flow::Next);
    }
    let text = match cx.args().has('v') {
        true => {
            let (text, log) = cx.server.expand_verbosely(&format, &subject, client_shown);
            for line in log {
                cx.print(line);
            }
            text
        }
        false => cx.server.expand_time_for(&format, &subject, client_shown),
    };
    if cx.args().has('p') {
        cx.print(text);
        return Ok(Flow::Next);
    }
    let delay = cx.args().number('d', 0..=i64::from(u32::MAX));
    let delay = delay.map_err(|error| CommandError::new(format!("delay {error}")))?;
    match client_shown {
        Some(id) => {
            let millis = delay.and_then(|millis| u64::try_from(millis).ok());
            let time = millis.map(Duration::from_millis);
            match cx.args().has('N') {
                true => cx.server.tell_without_keys(id, text, time),
                false => cx.server.tell_for(id, text, time),
            }
        }
        None if matches!(cx.job.origin, Origin::Config(_)) => cx.print(text),
        // Nobody is there to see it, which is nobody's fault: hooks and plugins do this.
        None => {}
    }
    Ok(Flow::Next)
}
