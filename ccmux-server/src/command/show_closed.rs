//! `show-closed`: all that a closed pane has shown, as far as it is kept.

use ccmux_core::ids::PaneId;

use super::job::{LineForm, Printing, Rest};
use super::{CommandError, Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let name = cx.args().text_at(0).unwrap_or_default();
    let id: Option<PaneId> = name.parse().ok();
    // The one closed last, if a damaged log made two of one number.
    let found = cx.server.scrollback.closed().iter().rev().find(|pane| Some(pane.note.id) == id);
    let uuid =
        found.ok_or_else(|| CommandError::new(format!("can't find closed pane: {name}")))?.uuid;
    let lines = cx.server.read_closed(uuid);
    let lines = lines.map_err(|error| CommandError::new(format!("{name}: {error}")))?;
    let Some(lines) = lines else {
        return Err(CommandError::new(format!("{name}: nothing of it can be read")));
    };
    let form = LineForm { with_style: cx.args().has('e'), keep_spaces: true, escaped: false };
    cx.job.printing = Some(Printing { rest: Rest::Closed(Box::new(lines)), form });
    Ok(Flow::Next)
}
