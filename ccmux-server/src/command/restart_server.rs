//! `restart-server`: the executable on the disk, or another, takes over.

use super::{Cx, Flow, Outcome, Wait};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let exe = cx.args().text_at(0).map(|text| super::source_file::absolute(cx, &text));
    cx.server.begin_handover(cx.job.id, exe.as_deref())?;
    // Who takes the proof clears the wait, or the server ends.
    Ok(Flow::Wait(Wait::Proof))
}
