//! `set-option` and `set-window-option`.

use ccmux_core::decide::{Command as Intent, SetOption};
use ccmux_core::options::{Edit, Place};

use super::{CommandError, Cx, Flow, Outcome, Target};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let is_window = cx.args().has('w');
    set(cx, is_window)
}

pub(super) fn exec_window(cx: &mut Cx<'_>) -> Outcome {
    set(cx, true)
}

/// Where options are set or shown: flags, and a target if there is any.
pub(super) fn place(cx: &Cx<'_>, window_flag: bool) -> Result<Place, CommandError> {
    let target: Option<Target> = match cx.pane('t') {
        Ok(target) => Some(target),
        // Global options need no target, so a configuration can set them before any session.
        Err(_) if cx.text('t').is_none() => None,
        Err(_) => {
            let what = match (cx.args().has('p'), window_flag) {
                (true, _) => "pane",
                (false, true) => "window",
                (false, false) => "session",
            };
            let target = cx.text('t').unwrap_or_default();
            return Err(CommandError::new(format!("no such {what}: {target}")));
        }
    };
    Ok(Place {
        server: cx.args().has('s'),
        global: cx.args().has('g'),
        window_flag,
        pane_flag: cx.args().has('p'),
        session: target.map(|target| target.session),
        window: target.map(|target| target.window),
        pane: target.map(|target| target.pane),
    })
}

fn set(cx: &mut Cx<'_>, window_flag: bool) -> Outcome {
    let is_quiet = cx.args().has('q');
    let place = place(cx, window_flag)?;
    let target = place.pane.and_then(|pane| cx.server.target_of_pane(pane));
    let name = cx.args().text_at(0).unwrap_or_default();
    let name = cx.server.expand(&name, target, cx.job.origin.client());
    let mut value = cx.args().text_at(1);
    if cx.args().has('F') {
        value = value.map(|text| cx.server.expand(&text, target, cx.job.origin.client()));
    }
    let unsets = cx.args().has('u') || cx.args().has('U');
    let edit = match (unsets, cx.args().has('a')) {
        (true, _) => Edit::Unset,
        (false, true) => Edit::Append(value),
        (false, false) => Edit::Set(value),
    };
    let result = cx.change(Intent::SetOption(SetOption {
        name,
        place,
        edit,
        only_if_unset: cx.args().has('o'),
        and_panes: cx.args().has('U'),
    }));
    match result {
        Err(_) if is_quiet => Ok(Flow::Next),
        result => result.map(|_| {
            cx.server.fit_sessions();
            Flow::Next
        }),
    }
}
