//! `list-windows`

use ccmux_core::format::is_true;
use ccmux_core::ids::{SessionId, WindowId};

use super::context::by_name;
use super::{Cx, Flow, Outcome};

const IN_SESSION: &str = "#{window_index}: #{window_name}#{window_raw_flags} (#{window_panes} \
    panes) [#{window_width}x#{window_height}] [layout #{window_layout}] #{window_id}\
    #{?window_active, (active),}";
const EVERYWHERE: &str = "#{session_name}:#{window_index}: #{window_name}#{window_raw_flags} \
    (#{window_panes} panes) [#{window_width}x#{window_height}] ";

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let (sessions, default): (Vec<SessionId>, _) = if cx.args().has('a') {
        (by_name(&cx.server.state).map(|session| session.id).collect(), EVERYWHERE)
    } else {
        (vec![cx.session('t')?.session], IN_SESSION)
    };
    let format = cx.text('F').unwrap_or(std::borrow::Cow::Borrowed(default));
    let windows: Vec<(SessionId, WindowId)> = sessions
        .iter()
        .flat_map(|id| cx.server.state.sessions[id].windows.values().map(|window| (*id, *window)))
        .collect();
    for (session, window) in windows {
        let Some(target) = cx.server.target_in_session(session, window) else { continue };
        if cx.text('f').is_none_or(|filter| is_true(&cx.expand(&filter, target))) {
            let line = cx.expand(&format, target);
            cx.print(line);
        }
    }
    Ok(Flow::Next)
}
