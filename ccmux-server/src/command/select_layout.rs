//! `select-layout`, `next-layout` and `previous-layout`.

use ccmux_core::decide::{Command as Intent, LayoutChoice};

use super::{Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let target = cx.pane('t')?;
    let layout = if cx.args().has('n') {
        LayoutChoice::Next
    } else if cx.args().has('p') {
        LayoutChoice::Previous
    } else if cx.args().has('E') {
        LayoutChoice::Spread(target.pane)
    } else if cx.args().has('o') {
        LayoutChoice::Restore
    } else {
        match cx.args().text_at(0) {
            None => LayoutChoice::Again,
            Some(text) => match text.parse() {
                Ok(preset) => LayoutChoice::Preset(preset),
                Err(_) => LayoutChoice::Text(text),
            },
        }
    };
    cx.change(Intent::SelectLayout { window: target.window, layout })?;
    Ok(Flow::Next)
}

pub(super) fn exec_next(cx: &mut Cx<'_>) -> Outcome {
    let window = cx.window('t')?.window;
    cx.change(Intent::SelectLayout { window, layout: LayoutChoice::Next })?;
    Ok(Flow::Next)
}

pub(super) fn exec_previous(cx: &mut Cx<'_>) -> Outcome {
    let window = cx.window('t')?.window;
    cx.change(Intent::SelectLayout { window, layout: LayoutChoice::Previous })?;
    Ok(Flow::Next)
}
