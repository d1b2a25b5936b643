//! `list-panes`

use ccmux_core::format::is_true;
use ccmux_core::ids::{SessionId, WindowId};
use ccmux_core::model::Session;

use super::context::by_name;
use super::{Cx, Flow, Outcome, Target};

const IN_WINDOW: &str = "#{pane_index}: [#{pane_width}x#{pane_height}] [history \
    #{history_size}/#{history_limit}, #{history_bytes} bytes] #{pane_id}\
    #{?pane_active, (active),}#{?pane_dead, (dead),}";
const IN_SESSION: &str = "#{window_index}.#{pane_index}: [#{pane_width}x#{pane_height}] [history \
    #{history_size}/#{history_limit}, #{history_bytes} bytes] #{pane_id}\
    #{?pane_active, (active),}#{?pane_dead, (dead),}";
const EVERYWHERE: &str = "#{session_name}:#{window_index}.#{pane_index}: \
    [#{pane_width}x#{pane_height}] [history #{history_size}/#{history_limit}, \
    #{history_bytes} bytes] #{pane_id}#{?pane_active, (active),}#{?pane_dead, (dead),}";

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let (windows, default): (Vec<(SessionId, WindowId)>, _) = if cx.args().has('a') {
        (by_name(&cx.server.state).flat_map(windows_of).collect(), EVERYWHERE)
    } else if cx.args().has('s') {
        let session = cx.session('t')?.session;
        (windows_of(&cx.server.state.sessions[&session]).collect(), IN_SESSION)
    } else {
        let Target { session, window, .. } = cx.window('t')?;
        (vec![(session, window)], IN_WINDOW)
    };
    let format = cx.text('F').unwrap_or(std::borrow::Cow::Borrowed(default));
    let panes: Vec<Target> = windows
        .into_iter()
        .filter_map(|(session, window)| cx.server.target_in_session(session, window))
        .flat_map(|target| {
            let panes = cx.server.state.windows[&target.window].layout.panes();
            panes.into_iter().map(move |pane| Target { pane, ..target })
        })
        .collect();
    for target in panes {
        if cx.text('f').is_none_or(|filter| is_true(&cx.expand(&filter, target))) {
            let line = cx.expand(&format, target);
            cx.print(line);
        }
    }
    Ok(Flow::Next)
}

fn windows_of(session: &Session) -> impl Iterator<Item = (SessionId, WindowId)> {
    session.windows.values().map(|window| (session.id, *window))
}
