//! `show-options` and `show-window-options`.

use ccmux_core::command::quote;
use ccmux_core::options::{OptionKind, OptionName, OptionSpec, specs};

use super::set_option::place;
use super::{CommandError, Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let is_window = cx.args().has('w');
    show(cx, is_window)
}

pub(super) fn exec_window(cx: &mut Cx<'_>) -> Outcome {
    show(cx, true)
}

fn show(cx: &mut Cx<'_>, window_flag: bool) -> Outcome {
    let place = place(cx, window_flag)?;
    let lines = match cx.args().text_at(0) {
        Some(text) => {
            let target = place.pane.and_then(|pane| cx.server.target_of_pane(pane));
            let text = cx.server.expand(&text, target, cx.job.origin.client());
            match OptionName::parse(&text).map_err(CommandError::from).and_then(|name| {
                let scope = place.scope_of(&name)?;
                one(cx, scope, &name)
            }) {
                Ok(lines) => lines,
                Err(_) if cx.args().has('q') => Vec::new(),
                Err(error) => return Err(error),
            }
        }
        None => {
            let scope = place.scope_by_flags()?;
            all(cx, scope)
        }
    };
    for line in lines {
        cx.print(line);
    }
    Ok(Flow::Next)
}

fn is_text(kind: OptionKind) -> bool {
    use OptionKind::{Command, String, Style};
    matches!(kind, String | Style | Command)
}

type Scope = ccmux_core::change::OptionScope;

fn is_global(scope: Scope) -> bool {
    matches!(scope, Scope::Server | Scope::GlobalSession | Scope::GlobalWindow)
}

fn line(cx: &Cx<'_>, name: &str, value: &str, is_inherited: bool, is_text: bool) -> String {
    if cx.args().has('v') {
        return value.to_owned();
    }
    let mark = if is_inherited { "*" } else { "" };
    let value = if is_text { quoted(value) } else { value.to_owned() };
    format!("{name}{mark} {value}")
}

/// As tmux prints strings: quoted where the language would read them otherwise.
fn quoted(value: &str) -> String {
    quote(value.as_bytes())
}

/// One option by name: nothing where it is not set, unless `-A` lets it inherit.
fn one(cx: &Cx<'_>, scope: Scope, name: &OptionName) -> Result<Vec<String>, CommandError> {
    let view = cx.server.state.options(scope);
    let set_here =
        |key: &str| cx.server.state.options_at(scope).is_some_and(|set| set.contains_key(key));
    let shows_inherited = cx.args().has('A') || is_global(scope);
    let Some(spec) = name.spec() else {
        return match view.text(&name.name) {
            Some(value) if set_here(&name.name) || cx.args().has('A') => {
                Ok(vec![line(cx, &name.name, value, !set_here(&name.name), true)])
            }
            _ => Err(CommandError::new(format!("invalid option: {}", name.name))),
        };
    };
    if !set_here(spec.name) && !shows_inherited {
        return Ok(Vec::new());
    }
    let is_inherited = cx.args().has('A') && !set_here(spec.name) && !is_global(scope);
    if !spec.is_array() {
        let default = cx.server.surrounding_default(view, spec.name);
        let value = default.as_deref().or(view.text(spec.name)).unwrap_or_default();
        return Ok(vec![line(cx, spec.name, value, is_inherited, is_text(spec.kind))]);
    }
    let members = view.array(spec.name);
    if members.is_empty() && name.index.is_none() {
        return Ok(if cx.args().has('v') { Vec::new() } else { vec![spec.name.to_owned()] });
    }
    Ok(members
        .into_iter()
        .filter(|(index, _)| name.index.is_none_or(|only| only == *index))
        .map(|(index, value)| {
            line(cx, &format!("{}[{index}]", spec.name), value, is_inherited, true)
        })
        .collect())
}

/// Every option of a scope: all that there are at a global one, those set at others.
fn all(cx: &Cx<'_>, scope: Scope) -> Vec<String> {
    let mut lines = Vec::new();
    let belongs = |spec: &OptionSpec| spec.scopes.contains(scopes_of(scope));
    let is_wanted = |spec: &OptionSpec| cx.args().has('H') || !spec.is_hook();
    for spec in specs().iter().filter(|spec| belongs(spec) && is_wanted(spec)) {
        let name = OptionName { name: spec.name.to_owned(), index: None };
        lines.extend(one(cx, scope, &name).unwrap_or_default());
    }
    let user = cx.server.state.options_at(scope).into_iter().flatten();
    for (name, value) in user.filter(|(name, _)| name.starts_with('@')) {
        lines.push(line(cx, name, value, false, true));
    }
    lines
}

fn scopes_of(scope: Scope) -> ccmux_core::options::Scopes {
    use ccmux_core::options::Scopes;
    match scope {
        Scope::Server => Scopes::SERVER,
        Scope::GlobalSession | Scope::Session(_) => Scopes::SESSION,
        Scope::GlobalWindow | Scope::Window(_) => Scopes::WINDOW,
        Scope::Pane(_) => Scopes::PANE,
    }
}
