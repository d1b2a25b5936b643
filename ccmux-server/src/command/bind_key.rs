//! `bind-key` and `unbind-key`.

use ccmux_core::bindings::{self, KeyBinding};
use ccmux_core::decide::Command as Intent;
use ccmux_core::key::Key;

use super::{CommandError, Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let bound = cx.server.with_parse_context(|context| bindings::from_args(cx.args(), context));
    let KeyBinding { table, key, binding } =
        bound.map_err(|error| CommandError::new(error.to_string()))?;
    cx.change(Intent::BindKey { table, key, binding })?;
    Ok(Flow::Next)
}

pub(super) fn exec_unbind(cx: &mut Cx<'_>) -> Outcome {
    let table = match cx.text('T') {
        Some(table) => table.into_owned(),
        None if cx.args().has('n') => bindings::ROOT.to_owned(),
        None => bindings::PREFIX.to_owned(),
    };
    let is_quiet = cx.args().has('q');
    let Some(rows) = bindings::table(&cx.server.state, &table) else {
        return match is_quiet {
            true => Ok(Flow::Next),
            false => Err(CommandError::new(format!("table {table} doesn't exist"))),
        };
    };
    let keys: Vec<Key> = match (cx.args().has('a'), cx.args().text_at(0)) {
        (true, Some(_)) => return Err(CommandError::new("key given with -a")),
        (true, None) => rows.into_iter().map(|(key, _)| key).collect(),
        (false, None) => return Err(CommandError::new("missing key")),
        (false, Some(text)) => match text.parse() {
            Ok(key) => vec![key],
            Err(_) if is_quiet => return Ok(Flow::Next),
            Err(_) => return Err(CommandError::new(format!("unknown key: {text}"))),
        },
    };
    cx.change(Intent::UnbindKeys { table, keys })?;
    Ok(Flow::Next)
}
