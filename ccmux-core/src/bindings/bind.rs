//! From the arguments of `bind-key` to a binding.

use crate::command::{self, Args, CommandList, ParseContext, ParseError, Value};
use crate::key::{Key, ParseKeyError};
use crate::model::Binding;

use super::{PREFIX, ROOT};

/// What `bind-key` binds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyBinding {
    /// The table.
    pub table: String,
    /// The key.
    pub key: Key,
    /// What it does there.
    pub binding: Binding,
}

/// Why nothing was bound.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BindError {
    /// The first argument is no key.
    #[error(transparent)]
    Key(#[from] ParseKeyError),
    /// The others are no commands.
    #[error(transparent)]
    Commands(#[from] ParseError),
}

/// The binding that the arguments of `bind-key` describe. Commands are a block, a text of their
/// own, or an argv; without any the key does nothing.
pub fn from_args(args: &Args, context: &ParseContext<'_>) -> Result<KeyBinding, BindError> {
    let key = args.text_at(0).unwrap_or_default().parse()?;
    let commands = match &args.positional()[1..] {
        [] => CommandList::default(),
        [Value::Commands(commands)] => commands.clone(),
        [Value::Text(text)] => command::parse(text, context)?,
        several => command::parse_values(several.iter().cloned(), context)?,
    };
    let binding = Binding {
        command: commands.to_string(),
        repeat: args.has('r'),
        note: args.text('N').map(Into::into),
    };
    Ok(KeyBinding { table: table_of(args), key, binding })
}

/// The table that `-T` and `-n` name.
fn table_of(args: &Args) -> String {
    match args.text('T') {
        Some(table) => table.into_owned(),
        None if args.has('n') => ROOT.to_owned(),
        None => PREFIX.to_owned(),
    }
}
