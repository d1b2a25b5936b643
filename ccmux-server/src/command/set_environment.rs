//! `set-environment`

use ccmux_core::decide::{Command as Intent, VariableEdit};

use super::{CommandError, Cx, Flow, Outcome, Target};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let argv = cx.args().to_argv();
    let name = argv[0].clone();
    if name.is_empty() {
        return Err(CommandError::new("empty variable name"));
    }
    if name.contains(&b'=') {
        return Err(CommandError::new("variable name contains ="));
    }
    let target = if cx.args().has('g') { None } else { Some(session(cx)?) };
    let has_value = argv.len() > 1;
    let edit = match (cx.args().has('u'), cx.args().has('r')) {
        (true, _) if has_value => return Err(CommandError::new("can't specify a value with -u")),
        (_, true) if has_value => return Err(CommandError::new("can't specify a value with -r")),
        (true, _) => VariableEdit::Unset,
        (_, true) => VariableEdit::Hide,
        _ if !has_value => return Err(CommandError::new("no value specified")),
        _ if cx.args().has('F') => {
            let text = cx.args().text_at(1).unwrap_or_default();
            VariableEdit::Set(cx.server.expand(&text, target, None).into())
        }
        _ => VariableEdit::Set(argv[1].clone()),
    };
    let session = target.map(|target| target.session);
    cx.change(Intent::SetEnvironment { session, name, edit })?;
    Ok(Flow::Next)
}

/// The session whose environment is meant.
pub(super) fn session(cx: &Cx<'_>) -> Result<Target, CommandError> {
    cx.session('t').map_err(|error| match cx.text('t') {
        Some(target) => CommandError::new(format!("no such session: {target}")),
        None => error,
    })
}
