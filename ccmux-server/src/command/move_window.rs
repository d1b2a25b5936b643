//! `move-window`

use ccmux_core::decide::{Command as Intent, MoveWindow, WindowPlace};

use super::{Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    if cx.args().has('r') {
        let session = cx.session('t')?.session;
        cx.change(Intent::RenumberWindows { session })?;
        return Ok(Flow::Next);
    }
    let source = cx.window('s')?;
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
    cx.change(Intent::MoveWindow(MoveWindow {
        window: source.window,
        from: source.session,
        session,
        place,
        kill_existing: cx.args().has('k'),
        select: !cx.args().has('d'),
        renumber: cx.text('s').is_none(),
    }))?;
    Ok(Flow::Next)
}
