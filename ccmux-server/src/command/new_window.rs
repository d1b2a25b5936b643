//! `new-window`

use ccmux_core::decide::{Command as Intent, NewWindow, WindowPlace};

use super::context::created;
use super::{Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let (session, place) = if cx.args().has('a') || cx.args().has('b') {
        let target = cx.window('t')?;
        let place = match cx.args().has('a') {
            true => WindowPlace::After(target.window),
            false => WindowPlace::Before(target.window),
        };
        (target.session, place)
    } else {
        let (session, index) = cx.window_place('t')?;
        (session, index.map_or(WindowPlace::Next, WindowPlace::At))
    };
    let target = cx.server.target_of_session(session);
    let intent = Intent::NewWindow(NewWindow {
        session,
        place,
        kill_existing: cx.args().has('k'),
        name: cx.text('n').map(|name| cx.server.expand(&name, target, None)),
        reuse_named: cx.args().has('S'),
        select: !cx.args().has('d'),
        program: cx.program(target)?,
    });
    let changes = cx.change(intent)?;
    cx.print_created(created(&changes), "#{session_name}:#{window_index}.#{pane_index}");
    Ok(Flow::Next)
}
