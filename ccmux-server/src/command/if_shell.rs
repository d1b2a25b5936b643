//! `if-shell`: one of two commands, as a shell command or a format says.

use ccmux_core::command::Value;
use ccmux_core::format::is_true;

use super::shell::ShellPurpose;
use super::{CommandError, Cx, Flow, Outcome, Wait};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let target = cx.pane('t').ok();
    let condition = cx.args().text_at(0).unwrap_or_default();
    let condition = cx.server.expand(&condition, target, cx.job.origin.client());
    let branch = |index: usize| -> Result<_, CommandError> {
        Ok(match cx.args().positional().get(index) {
            None => Vec::new(),
            Some(Value::Commands(list)) => list.commands.clone(),
            Some(Value::Text(text)) => cx.server.parse_text(text)?.commands,
        })
    };
    let (then, otherwise) = (branch(1)?, branch(2)?);
    if cx.args().has('F') {
        let chosen = if is_true(&condition) { then } else { otherwise };
        return match cx.job.insert(chosen) {
            true => Ok(Flow::Next),
            false => Err(CommandError::new("commands are nested too deep")),
        };
    }
    let is_background = cx.args().has('b');
    let purpose = ShellPurpose::Condition { then, otherwise };
    cx.start_shell(&condition, target, purpose, is_background)?;
    Ok(if is_background { Flow::Next } else { Flow::Wait(Wait::Shell) })
}
