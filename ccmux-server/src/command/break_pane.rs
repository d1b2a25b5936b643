//! `break-pane`: a pane becomes a window of its own.

use ccmux_core::decide::{BreakPane, Command as Intent, WindowPlace};

use super::{Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let source = cx.pane('s')?;
    let (session, place) = match cx.text('t') {
        Some(_) => {
            let (session, index) = cx.window_place('t')?;
            (session, index.map_or(WindowPlace::Next, WindowPlace::At))
        }
        None => (source.session, WindowPlace::Next),
    };
    let place = match cx.args().has('a') {
        true => WindowPlace::After(source.window),
        false => place,
    };
    cx.change(Intent::BreakPane(BreakPane {
        pane: source.pane,
        from: source.session,
        session,
        place,
        name: cx.text('n').map(std::borrow::Cow::into_owned),
        select: !cx.args().has('d'),
    }))?;
    cx.print_created(Some(source.pane), "#{session_name}:#{window_index}.#{pane_index}");
    Ok(Flow::Next)
}
