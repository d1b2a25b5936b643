//! `list-clients`

use super::{Cx, Flow, Outcome};

const FORMAT: &str = "#{client_name}: #{session_name} [#{client_width}x#{client_height} \
    #{client_termname}] #{?client_utf8,(utf8) ,}#{?client_readonly,(ro),}";

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let only = cx.text('t').is_some().then(|| cx.session('t')).transpose()?;
    let format = cx.text('F').unwrap_or(std::borrow::Cow::Borrowed(FORMAT));
    let ids: Vec<_> = cx.server.clients.keys().copied().collect();
    for id in ids {
        let Some(target) = cx.server.target_of_client(id) else { continue };
        if only.is_none_or(|only| only.session == target.session) {
            let line = cx.server.expand(&format, Some(target), Some(id));
            cx.print(line.trim_end());
        }
    }
    Ok(Flow::Next)
}
