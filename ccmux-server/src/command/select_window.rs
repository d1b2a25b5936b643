//! `select-window`

use ccmux_core::decide::Command as Intent;

use super::{Cx, Flow, Outcome, Target};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let relative: Option<fn(_) -> Intent> = if cx.args().has('n') {
        Some(|session| Intent::NextWindow { session })
    } else if cx.args().has('p') {
        Some(|session| Intent::PreviousWindow { session })
    } else if cx.args().has('l') {
        Some(|session| Intent::LastWindow { session })
    } else {
        None
    };
    match relative {
        Some(intent) => {
            let session = cx.session('t')?.session;
            cx.change(intent(session))?;
        }
        None => {
            let Target { session, window, .. } = cx.window('t')?;
            cx.change(Intent::SelectWindow { session, window, toggle: cx.args().has('T') })?;
        }
    }
    Ok(Flow::Next)
}
