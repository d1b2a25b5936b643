//! `start-server`: there is nothing left to do once a server runs it.

use super::{Cx, Flow, Outcome};

#[expect(clippy::unnecessary_wraps, reason = "the signature is that of all commands")]
pub(super) fn exec(_: &mut Cx<'_>) -> Outcome {
    Ok(Flow::Next)
}
