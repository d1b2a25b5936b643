//! `list-sessions`

use ccmux_core::format::is_true;
use ccmux_core::ids::SessionId;

use super::context::by_name;
use super::{Cx, Flow, Outcome};

const FORMAT: &str = "#{session_name}: #{session_windows} windows (created \
    #{t:session_created})#{?session_grouped, (group ,}#{session_group}#{?session_grouped,),}\
    #{?session_attached, (attached),}";

#[expect(clippy::unnecessary_wraps, reason = "the signature is that of all commands")]
pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let format = cx.text('F').unwrap_or(std::borrow::Cow::Borrowed(FORMAT));
    let ids: Vec<SessionId> = by_name(&cx.server.state).map(|session| session.id).collect();
    for id in ids {
        let Some(target) = cx.server.target_of_session(id) else { continue };
        if cx.text('f').is_none_or(|filter| is_true(&cx.expand(&filter, target))) {
            let line = cx.expand(&format, target);
            cx.print(line);
        }
    }
    Ok(Flow::Next)
}
