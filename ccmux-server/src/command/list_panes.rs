//! `list-panes`

use ccmux_core::format::is_true;
use ccmux_core::ids::{PaneId, WindowId};

use super::context::by_name;
use super::{Cx, Flow, Outcome};

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
    let (windows, default): (Vec<WindowId>, _) = if cx.args().has('a') {
        let windows = by_name(&cx.server.state).flat_map(|session| session.windows.values());
        (windows.copied().collect(), EVERYWHERE)
    } else if cx.args().has('s') {
        let session = cx.session('t')?.session;
        (cx.server.state.sessions[&session].windows.values().copied().collect(), IN_SESSION)
    } else {
        (vec![cx.window('t')?.window], IN_WINDOW)
    };
    let format = cx.text('F').unwrap_or(std::borrow::Cow::Borrowed(default));
    let panes: Vec<PaneId> = windows
        .iter()
        .filter_map(|id| cx.server.state.windows.get(id))
        .flat_map(|window| window.layout.panes())
        .collect();
    for pane in panes {
        let Some(target) = cx.server.target_of_pane(pane) else { continue };
        if cx.text('f').is_none_or(|filter| is_true(&cx.expand(&filter, target))) {
            let line = cx.expand(&format, target);
            cx.print(line);
        }
    }
    Ok(Flow::Next)
}
