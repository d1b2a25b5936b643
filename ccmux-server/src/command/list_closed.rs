//! `list-closed`: closed panes whose output is kept.

use crate::persistence::restoration::local_time;

use super::{Cx, Flow, Outcome};

#[expect(clippy::unnecessary_wraps, reason = "the signature is that of all commands")]
pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let lines: Vec<String> = cx
        .server
        .scrollback
        .closed()
        .iter()
        .map(|pane| {
            let note = &pane.note;
            let command = if note.command.is_empty() { "-" } else { note.command.as_str() };
            let kib = pane.bytes.map_or("?".to_owned(), |bytes| bytes.div_ceil(1024).to_string());
            format!(
                "{}: closed {}, {kib} KiB, \"{}\", {}",
                note.id,
                local_time(note.at),
                note.title.escape_debug(),
                command.escape_debug(),
            )
        })
        .collect();
    for line in lines {
        cx.print(line);
    }
    Ok(Flow::Next)
}
