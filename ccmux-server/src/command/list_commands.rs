//! `list-commands`

use ccmux_core::command::{COMMANDS, CommandSpec, find};

use super::{Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let specs: Vec<&CommandSpec> = match cx.args().text_at(0) {
        Some(name) => vec![find(&name).map_err(|kind| super::CommandError::new(kind.to_string()))?],
        None => COMMANDS.iter().collect(),
    };
    for spec in specs {
        let line = match cx.text('F') {
            Some(format) => format
                .replace("#{command_list_name}", spec.name)
                .replace("#{command_list_alias}", spec.alias.unwrap_or_default())
                .replace("#{command_list_usage}", spec.usage),
            None => {
                let alias = spec.alias.map(|alias| format!(" ({alias})")).unwrap_or_default();
                format!("{}{alias} {}", spec.name, spec.usage).trim_end().to_owned()
            }
        };
        cx.print(line);
    }
    Ok(Flow::Next)
}
