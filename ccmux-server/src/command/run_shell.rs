//! `run-shell`: a shell command outside of any pane.

use std::time::Duration;

use ccmux_core::command::Value;

use super::job::Step;
use super::shell::ShellPurpose;
use super::{CommandError, Cx, Flow, Outcome, Wait};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    if let Some(delay) = cx.text('d') {
        let seconds: f64 = delay.parse().unwrap_or(-1.0);
        let delay = Duration::try_from_secs_f64(seconds)
            .map_err(|_| CommandError::new(format!("invalid delay time: {delay}")))?;
        return Ok(run_after(cx, delay));
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

/// `-d`: the same command without it, when the time has come. What its formats mean is what they
/// mean now.
fn run_after(cx: &mut Cx<'_>, delay: Duration) -> Flow {
    let target = cx.pane('t').ok();
    let is_background = cx.args().has('b');
    let mut later = cx.command.clone();
    later.args = later.args.without('d').without('b');
    if let (false, Some(text)) = (cx.args().has('C'), cx.args().text_at(0)) {
        let text = cx.server.expand(&text, target, cx.job.origin.client());
        later.args = later.args.with_first(text.replace('#', "##").into());
    }
    let wait = Wait::Until(cx.server.elapsed().saturating_add(delay));
    if !is_background {
        let nesting = cx.job.nesting;
        cx.job.steps.push_front(Step { command: later, nesting });
        return Flow::Wait(wait);
    }
    let id = cx.background_job(target);
    if let Some(job) = cx.server.jobs.get_mut(id) {
        job.steps.push_back(Step { command: later, nesting: 0 });
        job.wait = Some(wait);
    }
    Flow::Next
}
