//! `kill-server`: every session closes, as a logged change, and the server ends.

use std::time::Duration;

use ccmux_core::decide::Command as Intent;

use super::{Cx, Flow, Outcome, Wait};

/// How long the answer waits for keepers to leave.
const LEAVING_MAX: Duration = Duration::from_secs(2);

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    cx.change(Intent::KillServer)?;
    cx.server.is_killed = true;
    // What follows the answer must meet the next server, not this one on its way out.
    Ok(Flow::Wait(Wait::Buried { until: cx.server.elapsed() + LEAVING_MAX }))
}
