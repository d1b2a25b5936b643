//! `has-session`: fails unless the session exists.

use super::{Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    cx.session('t')?;
    Ok(Flow::Next)
}
