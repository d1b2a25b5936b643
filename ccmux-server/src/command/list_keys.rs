//! `list-keys`

use ccmux_core::bindings;
use ccmux_core::key::Key;
use ccmux_core::model::Binding;

use super::{CommandError, Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let only_table = cx.text('T').map(std::borrow::Cow::into_owned);
    let only_key: Option<Key> = match cx.args().text_at(0) {
        Some(text) => {
            Some(text.parse().map_err(|_| CommandError::new(format!("invalid key: {text}")))?)
        }
        None => None,
    };
    let mut rows: Vec<(String, Key, Binding)> = Vec::new();
    let tables = bindings::tables(&cx.server.state);
    if let Some(table) = only_table.as_ref().filter(|table| !tables.contains(table)) {
        return Err(CommandError::new(format!("table {table} doesn't exist")));
    }
    let with_notes = cx.args().has('N');
    for table in tables {
        let is_wanted = only_table.as_ref().map_or_else(
            || !with_notes || matches!(table.as_str(), "root" | "prefix"),
            |only| *only == table,
        );
        if !is_wanted {
            continue;
        }
        for (key, binding) in bindings::of_table(&cx.server.state, &table) {
            if only_key.is_none_or(|only| only == key) {
                rows.push((table.clone(), key, binding));
            }
        }
    }
    if let Some(key) = only_key.filter(|_| rows.is_empty()) {
        return Err(CommandError::new(format!("unknown key: {key}")));
    }
    if cx.args().has('1') {
        rows.truncate(1);
    }
    for line in if with_notes { with_note(cx, &rows) } else { as_commands(&rows) } {
        cx.print(line);
    }
    Ok(Flow::Next)
}

/// As commands that bind the same again.
fn as_commands(rows: &[(String, Key, Binding)]) -> Vec<String> {
    let key_text = |key: &Key| ccmux_core::command::quote(key.to_string().as_bytes());
    let table_width = rows.iter().map(|(table, ..)| table.len()).max().unwrap_or(0);
    let key_width = rows.iter().map(|(_, key, _)| key_text(key).len()).max().unwrap_or(0);
    let any_repeat = rows.iter().any(|(.., binding)| binding.repeat);
    rows.iter()
        .map(|(table, key, binding)| {
            let repeat = match (binding.repeat, any_repeat) {
                (true, _) => "-r ",
                (false, true) => "   ",
                (false, false) => "",
            };
            let command = ccmux_core::command::parse(
                &binding.command,
                &ccmux_core::command::ParseContext::bare(),
            )
            .map_or_else(|_| binding.command.clone(), |list| list.to_escaped_string());
            let key = key_text(key);
            format!("bind-key {repeat}-T {table:table_width$} {key:key_width$} {command}")
        })
        .collect()
}

/// Keys and what their notes say.
fn with_note(cx: &Cx<'_>, rows: &[(String, Key, Binding)]) -> Vec<String> {
    let prefix = match cx.text('P') {
        Some(prefix) => prefix.into_owned(),
        None => cx
            .server
            .global_session_options()
            .key("prefix")
            .map(|key| format!("{key} "))
            .unwrap_or_default(),
    };
    let label = |table: &str, key: &Key| match table {
        "prefix" => format!("{prefix}{key}"),
        _ => key.to_string(),
    };
    let width = rows.iter().map(|(table, key, _)| label(table, key).len()).max().unwrap_or(0);
    rows.iter()
        .filter_map(|(table, key, binding)| {
            let text = match (&binding.note, cx.args().has('a')) {
                (Some(note), _) => note,
                (None, true) => &binding.command,
                (None, false) => return None,
            };
            Some(format!("{:width$} {text}", label(table, key)))
        })
        .collect()
}
