//! What `list-keys` prints.

use unicode_width::UnicodeWidthStr;

use crate::command::quote;
use crate::key::{Key, KeyCode, Modifiers};
use crate::model::{Binding, State};

use super::{commands, table, table_names};

/// Bindings as the commands that make them, a line each, in columns: of one table or of all, of
/// one key or of all. `None` if there is no such table.
pub fn list(state: &State, only_table: Option<&str>, only_key: Option<Key>) -> Option<Vec<String>> {
    let names = match only_table {
        Some(name) => vec![name],
        None => table_names(state).into_iter().collect(),
    };
    let mut rows = Vec::new();
    for name in names {
        for (key, binding) in table(state, name)? {
            if only_key.is_none_or(|only| only == key) {
                rows.push((name, quote(key.to_string().as_bytes()), binding));
            }
        }
    }
    let table_width = rows.iter().map(|(name, ..)| name.width()).max().unwrap_or(0);
    let key_width = rows.iter().map(|(_, key, _)| key.width()).max().unwrap_or(0);
    let has_repeat = rows.iter().any(|(.., binding)| binding.repeat);
    let line = |(name, key, binding): &(&str, String, &Binding)| {
        let repeat = match (has_repeat, binding.repeat) {
            (false, _) => "",
            (true, true) => "-r ",
            (true, false) => "   ",
        };
        let (name, key) = (padded(name, table_width), padded(key, key_width));
        format!("bind-key {repeat}-T {name} {key} {}", escaped(binding)).trim_end().to_owned()
    };
    Some(rows.iter().map(line).collect())
}

/// Keys of a table with their notes, for `list-keys -N`. Keys without a note are left out, or with
/// `commands_too` go with their commands. `None` if there is no such table.
pub fn list_notes(
    state: &State,
    name: &str,
    only_key: Option<Key>,
    commands_too: bool,
) -> Option<Vec<(String, String)>> {
    let bindings = table(state, name)?.into_iter();
    let shown = bindings.filter(|(key, _)| only_key.is_none_or(|only| only == *key));
    let line = |(key, binding): (Key, &Binding)| {
        let note = binding.note.clone().filter(|note| !note.is_empty());
        let text = note.or_else(|| commands_too.then(|| escaped(binding)))?;
        Some((key.to_string(), text))
    };
    Some(shown.filter_map(line).collect())
}

/// The commands as further arguments of `bind-key`; text that is not understood stays as it is.
fn escaped(binding: &Binding) -> String {
    commands(binding).map_or_else(|_| binding.command.clone(), |list| list.to_escaped_string())
}

fn padded(text: &str, width: usize) -> String {
    text.to_owned() + &" ".repeat(width.saturating_sub(text.width()))
}

/// Where a key stands among others: as its number in tmux orders it, which has shift, control and
/// meta in its highest bits, in this order, and counts control characters as characters.
pub(super) fn position(key: Key) -> ((bool, bool, bool), u8, u32) {
    let mut held = key.modifiers;
    let (group, number) = match key.code {
        KeyCode::Char(c @ (' ' | 'a'..='z' | '\\' | ']' | '^' | '_'))
            if held.contains(Modifiers::CTRL) =>
        {
            held.remove(Modifiers::CTRL);
            (0, u32::from(c) & 0x1f)
        }
        KeyCode::Tab if held.contains(Modifiers::SHIFT) => {
            held.remove(Modifiers::SHIFT);
            (2, 7)
        }
        KeyCode::Tab => (0, 9),
        KeyCode::Enter => (0, 13),
        KeyCode::Escape => (0, 27),
        KeyCode::Char(c) => (0, u32::from(c)),
        KeyCode::Any => (1, 0),
        KeyCode::Backspace => (1, 1),
        KeyCode::Function(number) => (1, 1 + u32::from(number)),
        KeyCode::Insert => (2, 1),
        KeyCode::Delete => (2, 2),
        KeyCode::Home => (2, 3),
        KeyCode::End => (2, 4),
        KeyCode::PageDown => (2, 5),
        KeyCode::PageUp => (2, 6),
        KeyCode::Up => (2, 8),
        KeyCode::Down => (2, 9),
        KeyCode::Left => (2, 10),
        KeyCode::Right => (2, 11),
        KeyCode::Keypad(c) => (3, u32::from(c)),
    };
    let has = |modifier| held.contains(modifier);
    ((has(Modifiers::SHIFT), has(Modifiers::CTRL), has(Modifiers::META)), group, number)
}
