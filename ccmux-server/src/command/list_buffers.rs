//! `list-buffers`

use ccmux_core::format::is_true;

use super::{Cx, Flow, Outcome};

const FORMAT: &str = "#{buffer_name}: #{buffer_size} bytes: \"#{buffer_sample}\"";

#[expect(clippy::unnecessary_wraps, reason = "the signature is that of all commands")]
pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let format = cx.text('F').unwrap_or(std::borrow::Cow::Borrowed(FORMAT));
    let filter = cx.text('f');
    let client = cx.job.origin.client();
    let lines: Vec<String> = cx
        .server
        .state
        .buffers
        .iter()
        .filter(|buffer| {
            let expanded = |filter| cx.server.expand_for_buffer(filter, buffer, client);
            filter.as_deref().is_none_or(|filter| is_true(&expanded(filter)))
        })
        .map(|buffer| cx.server.expand_for_buffer(&format, buffer, client))
        .collect();
    for line in lines {
        cx.print(line);
    }
    Ok(Flow::Next)
}
