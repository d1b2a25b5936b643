//! `resize-window`: a window has a size of its own from now on (`window-size manual`).

use ccmux_core::command::parse_number;
use ccmux_core::decide::Command as Intent;
use ccmux_core::geometry::Size;

use super::{CommandError, Cx, Flow, Outcome};
use crate::server::SizePolicy;

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let target = cx.window('t')?;
    let (window, session) = (target.window, target.session);
    let adjustment = match cx.args().text_at(0) {
        None => 1,
        Some(text) => side(&text, "adjustment")?,
    };
    let Some(shown) = cx.server.state.windows.get(&window) else { return Ok(Flow::Next) };
    let Size { mut cols, mut rows } = shown.layout.size();
    if let Some(text) = cx.text('x') {
        cols = side(&text, "width")?;
    }
    if let Some(text) = cx.text('y') {
        rows = side(&text, "height")?;
    }
    // As in tmux, what would leave nothing leaves everything.
    let less = |side: u16| side.checked_sub(adjustment).unwrap_or(side);
    if cx.args().has('L') {
        cols = less(cols);
    } else if cx.args().has('R') {
        cols = cols.saturating_add(adjustment);
    } else if cx.args().has('U') {
        rows = less(rows);
    } else if cx.args().has('D') {
        rows = rows.saturating_add(adjustment);
    }
    let mut size = Size { cols, rows };
    let of_clients = match (cx.args().has('A'), cx.args().has('a')) {
        (true, _) => Some(SizePolicy::Largest),
        (false, true) => Some(SizePolicy::Smallest),
        (false, false) => None,
    };
    if let Some(policy) = of_clients {
        let default = cx.server.session_options(session).size("default-size");
        size = cx.server.size_for(session, policy).unwrap_or(default);
    }
    cx.change(Intent::ResizeWindow { window, size })?;
    Ok(Flow::Next)
}

fn side(text: &str, what: &str) -> Result<u16, CommandError> {
    parse_number(text.as_bytes(), 1..=i64::from(Size::MAX))
        .map(|side| u16::try_from(side).expect("the range was checked"))
        .map_err(|error| CommandError::new(format!("{what} {error}")))
}
