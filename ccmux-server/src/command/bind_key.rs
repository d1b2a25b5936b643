//! `bind-key` and `unbind-key`.

use std::collections::BTreeSet;

use ccmux_core::bindings;
use ccmux_core::command::Value;
use ccmux_core::decide::Command as Intent;
use ccmux_core::key::Key;
use ccmux_core::model::Binding;

use super::{CommandError, Cx, Flow, Outcome};

fn table(cx: &Cx<'_>) -> String {
    match cx.text('T') {
        Some(table) => table.into_owned(),
        None if cx.args().has('n') => "root".to_owned(),
        None => "prefix".to_owned(),
    }
}

fn key(text: &str) -> Result<Key, CommandError> {
    text.parse().map_err(|_| CommandError::new(format!("unknown key: {text}")))
}

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let text = cx.args().text_at(0).unwrap_or_default();
    let key = key(&text)?;
    let command = match &cx.args().positional()[1..] {
        [] => String::new(),
        [Value::Commands(commands)] => commands.to_string(),
        [Value::Text(text)] => {
            cx.server.parse_text(text)?.to_string()
        }
        words => {
            let argv: Vec<_> = words.iter().map(|word| word.to_text().into_owned()).collect();
            cx.server.with_parse_context(|context| ccmux_core::command::parse_argv(&argv, context))?.to_string()
        }
    };
    let note = cx.text('N').map(std::borrow::Cow::into_owned);
    let binding = Binding { command, repeat: cx.args().has('r'), note };
    cx.change(Intent::BindKey { table: table(cx), key, binding })?;
    Ok(Flow::Next)
}

pub(super) fn exec_unbind(cx: &mut Cx<'_>) -> Outcome {
    let table = table(cx);
    let keys: BTreeSet<Key> = if cx.args().has('a') {
        if cx.args().text_at(0).is_some() {
            return Err(CommandError::new("key given with -a"));
        }
        bindings::keys_of(&cx.server.state, &table).into_iter().collect()
    } else {
        let text = cx.args().text_at(0).ok_or_else(|| CommandError::new("missing key"))?;
        match (key(&text), cx.args().has('q')) {
            (Ok(key), _) => [key].into(),
            (Err(_), true) => return Ok(Flow::Next),
            (Err(error), false) => return Err(error),
        }
    };
    cx.change(Intent::UnbindKeys { table, keys: keys.into_iter().collect() })?;
    Ok(Flow::Next)
}
