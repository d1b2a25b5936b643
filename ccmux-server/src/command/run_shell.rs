//! `run-shell`: a shell command outside of any pane.

use std::time::Duration;

use ccmux_core::command::Value;

use super::shell::ShellPurpose;
use super::{CommandError, Cx, Flow, Outcome, Wait};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    if let Some(delay) = cx.text('d') {
        let seconds: f64 = delay.parse().unwrap_or(-1.0);
        Duration::try_from_secs_f64(seconds)
            .map_err(|_| CommandError::new(format!("invalid delay time: {delay}")))?;
        return Err(CommandError::new("run-shell -d is not supported"));
    }
    let target = cx.pane('t').ok();
    if cx.args().has('C') {
        let commands = match cx.args().positional().first() {
            None => Vec::new(),
            Some(Value::Commands(list)) => list.commands.clone(),
            Some(Value::Text(text)) => cx.server.parse_text(text)?.commands,
        };
        return match cx.job.insert(commands) {
            true => Ok(Flow::Next),
            false => Err(CommandError::new("commands are nested too deep")),
        };
    }
    let Some(command) = cx.args().text_at(0) else { return Ok(Flow::Next) };
    let command = cx.server.expand(&command, target, cx.job.origin.client());
    let is_background = cx.args().has('b');
    cx.start_shell(&command, target, ShellPurpose::Output, is_background)?;
    Ok(if is_background { Flow::Next } else { Flow::Wait(Wait::Shell) })
}
