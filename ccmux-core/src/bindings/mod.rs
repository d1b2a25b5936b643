//! Key tables: what keys do, by default and as the state overrides it.
//!
//! The default bindings are a text in the command language (`defaults.conf`), read once. A state
//! holds only what differs from them, so new defaults reach old states. The tables of the defaults
//! are always there; others exist while they have a binding.

mod bind;
mod list;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use crate::command::{self, CommandList, ParseContext, ParseError};
use crate::key::{Key, KeyCode};
use crate::model::{Binding, State};

pub use self::bind::{BindError, KeyBinding, from_args};
pub use self::list::{list, list_notes};

/// Keys for everybody, without the prefix.
pub const ROOT: &str = "root";
/// Keys after the prefix.
pub const PREFIX: &str = "prefix";
/// Keys in copy mode where `mode-keys` is `emacs`.
pub const COPY_MODE: &str = "copy-mode";
/// Keys in copy mode where `mode-keys` is `vi`.
pub const COPY_MODE_VI: &str = "copy-mode-vi";

type Table = BTreeMap<Key, Binding>;

static DEFAULTS: LazyLock<BTreeMap<String, Table>> = LazyLock::new(|| {
    let mut tables: BTreeMap<String, Table> =
        [ROOT, PREFIX, COPY_MODE, COPY_MODE_VI].map(|name| (name.to_owned(), Table::new())).into();
    let list = command::parse(include_str!("defaults.conf"), &ParseContext::bare())
        .expect("the default bindings are in the command language");
    for command in &list.commands {
        let KeyBinding { table, key, binding } = from_args(&command.args, &ParseContext::bare())
            .expect("the default bindings are bindings");
        let table = tables.get_mut(&table).expect("the default bindings are for default tables");
        let replaced = table.insert(key, binding);
        assert_eq!(replaced, None, "BUG: {key} is bound twice by default");
    }
    tables
});

/// What a key does in a table: its own binding, or that of `Any`.
pub fn lookup<'a>(state: &'a State, table: &str, key: Key) -> Option<&'a Binding> {
    exact(state, table, key).or_else(|| exact(state, table, Key::plain(KeyCode::Any)))
}

/// What a key does in a table unless a state says otherwise.
pub fn default_binding(table: &str, key: Key) -> Option<&'static Binding> {
    DEFAULTS.get(table)?.get(&key.canonical())
}

fn exact<'a>(state: &'a State, table: &str, key: Key) -> Option<&'a Binding> {
    let key = key.canonical();
    match state.bindings.get(&(table.to_owned(), key)) {
        Some(binding) => binding.as_ref(),
        None => default_binding(table, key),
    }
}

/// All bindings of a table, in the order `list-keys` has them; `None` if there is no such table.
pub fn table<'a>(state: &'a State, name: &str) -> Option<Vec<(Key, &'a Binding)>> {
    let defaults = DEFAULTS.get(name);
    let mut merged: BTreeMap<Key, &Binding> =
        defaults.into_iter().flatten().map(|(key, binding)| (*key, binding)).collect();
    for ((_, key), binding) in state.bindings.iter().filter(|((table, _), _)| table == name) {
        match binding {
            Some(binding) => merged.insert(*key, binding),
            None => merged.remove(key),
        };
    }
    if merged.is_empty() && defaults.is_none() {
        return None;
    }
    let mut bindings: Vec<(Key, &Binding)> = merged.into_iter().collect();
    bindings.sort_by_key(|(key, _)| list::position(*key));
    Some(bindings)
}

/// The names of all tables.
pub fn table_names(state: &State) -> BTreeSet<&str> {
    let bound = state.bindings.iter().filter(|(_, binding)| binding.is_some());
    let of_state = bound.map(|((table, _), _)| table.as_str());
    DEFAULTS.keys().map(String::as_str).chain(of_state).collect()
}

/// The commands of a binding. They are canonical text, so only damage can make this fail.
pub fn commands(binding: &Binding) -> Result<CommandList, ParseError> {
    command::parse(&binding.command, &ParseContext::bare())
}

#[cfg(test)]
mod tests;
