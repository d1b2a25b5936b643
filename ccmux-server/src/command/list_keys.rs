//! `list-keys`

use ccmux_core::bindings;
use ccmux_core::key::Key;

use super::{CommandError, Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let table = cx.text('T').map(std::borrow::Cow::into_owned);
    let only_key: Option<Key> = match cx.args().text_at(0) {
        Some(text) => {
            Some(text.parse().map_err(|_| CommandError::new(format!("invalid key: {text}")))?)
        }
        None => None,
    };
    let lines = match cx.args().has('N') {
        true => notes(cx, table.as_deref(), only_key),
        false => bindings::list(&cx.server.state, table.as_deref(), only_key),
    };
    let mut lines = lines.ok_or_else(|| {
        CommandError::new(format!("table {} doesn't exist", table.unwrap_or_default()))
    })?;
    if let Some(key) = only_key.filter(|_| lines.is_empty()) {
        return Err(CommandError::new(format!("unknown key: {key}")));
    }
    if cx.args().has('1') {
        lines.truncate(1);
    }
    for line in lines {
        cx.print(line);
    }
    Ok(Flow::Next)
}

/// Keys with their notes, of one table or of those that need no mode.
fn notes(cx: &Cx<'_>, table: Option<&str>, only_key: Option<Key>) -> Option<Vec<String>> {
    let commands_too = cx.args().has('a');
    let tables = match table {
        Some(table) => vec![table],
        None => vec![bindings::ROOT, bindings::PREFIX],
    };
    let is_all = table.is_none();
    let mut lines = Vec::new();
    for table in tables {
        let prefix = match (cx.text('P'), table) {
            (Some(prefix), _) => prefix.into_owned(),
            (None, bindings::PREFIX) if is_all => {
                let prefix = cx.server.global_session_options().key("prefix");
                prefix.map(|key| format!("{key} ")).unwrap_or_default()
            }
            (None, _) => String::new(),
        };
        let state = &cx.server.state;
        let rows = bindings::list_notes(state, table, only_key, commands_too)?;
        lines.extend(rows.into_iter().map(|(key, note)| (format!("{prefix}{key}"), note)));
    }
    let width = lines.iter().map(|(key, _)| key.chars().count()).max().unwrap_or(0);
    Some(lines.into_iter().map(|(key, note)| format!("{key:width$} {note}")).collect())
}
