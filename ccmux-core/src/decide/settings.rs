//! Options, environment, key bindings.

use std::collections::BTreeMap;

use bstr::BString;

use crate::change::{Change, OptionScope};
use crate::ids::SessionId;
use crate::key::Key;
use crate::model::Binding;
use crate::options::{Edit, OptionError, OptionName, edit};

use super::draft::Draft;
use super::{CommandError, SetOption, VariableEdit};

pub(super) fn set_option(draft: &mut Draft<'_>, order: &SetOption) -> Result<(), CommandError> {
    let name = OptionName::parse(&order.name)?;
    let scope = order.place.scope_of(&name)?;
    // A target that is gone has no options.
    let set = draft.state().options_at(scope).ok_or(match scope {
        OptionScope::Session(id) => CommandError::NoSession(id),
        OptionScope::Window(id) => CommandError::NoWindow(id),
        OptionScope::Pane(id) => CommandError::NoPane(id),
        _ => CommandError::Option(OptionError::Invalid(order.name.clone())),
    })?;
    let is_set = set.contains_key(&name.to_string());
    if order.only_if_unset && order.edit != Edit::Unset && is_set {
        return Err(OptionError::AlreadySet(order.name.clone()).into());
    }
    if order.and_panes
        && let OptionScope::Window(window) = scope
    {
        for pane in draft.window(window)?.layout.panes() {
            apply_edit(draft, OptionScope::Pane(pane), &name, &Edit::Unset)?;
        }
    }
    apply_edit(draft, scope, &name, &order.edit)?;
    if name.to_string() == "window-size" {
        fit_freed(draft);
    }
    Ok(())
}

/// Windows that had a size of their own until now get that of their session.
fn fit_freed(draft: &mut Draft<'_>) {
    let state = draft.state();
    let mut freed = BTreeMap::new();
    for window in state.windows.values().filter(|window| !state.has_own_size(window.id)) {
        if let Some(session) = state.sessions.get(&window.session)
            && window.layout.resize(session.size) != window.layout
        {
            freed.insert(session.id, session.size);
        }
    }
    for (id, size) in freed {
        draft.push(Change::SessionResized { id, size });
    }
}

/// Pushes what an edit changes, leaving out what is so already.
fn apply_edit(
    draft: &mut Draft<'_>,
    scope: OptionScope,
    name: &OptionName,
    how: &Edit,
) -> Result<(), CommandError> {
    let state = draft.state();
    let old = state.options_at(scope);
    let mut edited = edit(state, scope, name, how)?;
    edited.retain(|(name, value)| old.and_then(|set| set.get(name)) != value.as_ref());
    for (name, value) in edited {
        draft.push(Change::OptionSet { scope, name, value });
    }
    Ok(())
}

pub(super) fn set_environment(
    draft: &mut Draft<'_>,
    session: Option<SessionId>,
    name: BString,
    edit: VariableEdit,
) -> Result<(), CommandError> {
    if name.is_empty() {
        return Err(CommandError::EmptyVariableName);
    }
    if name.contains(&b'=') {
        return Err(CommandError::VariableNameHasEquals(name));
    }
    let value = match edit {
        VariableEdit::Set(value) => Some(Some(value)),
        VariableEdit::Hide => Some(None),
        VariableEdit::Unset => None,
    };
    let environment = match session {
        Some(id) => &draft.session(id)?.environment,
        None => &draft.state().environment,
    };
    if environment.get(&name) != value.as_ref() {
        draft.push(Change::EnvironmentSet { session, name, value });
    }
    Ok(())
}

pub(super) fn bind(draft: &mut Draft<'_>, table: String, key: Key, binding: Option<Binding>) {
    let present = draft.state().bindings.get(&(table.clone(), key));
    if present != Some(&binding) {
        draft.push(Change::KeyBound { table, key, binding });
    }
}
