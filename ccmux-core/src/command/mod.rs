//! tmux's command language: from text or an argv to commands with checked arguments, and back.
//!
//! ```text
//! text -- lexer --> tokens -- parser --> statements -- build --> CommandList -- Display --> text
//! argv ---------------------------------> statements ----^
//! ```
//!
//! Nothing here touches the world: variables, home directories, the formats of `%if` and aliases
//! come from a [`ParseContext`]. Assignments (`NAME=value`) become `set-environment -g` commands
//! at the front of the list.
//!
//! Invariants
//! * C1 A [`ParsedCommand`] fits its spec: its flags are known, those that take values have them,
//!   the number of its other arguments is in range, and blocks stand only where they may.
//! * C2 The printed form of a list is read back as an equal list, whatever bytes its words hold.
//! * C3 No text makes the parser panic, recurse without bound, or read on at the end.

mod args;
mod build;
mod context;
mod error;
mod lexer;
mod parser;
mod print;
mod spec;
mod table;
mod template;

use std::fmt;

use bstr::BString;

pub use self::args::{Args, NumberError, Value, parse_number};
pub use self::context::ParseContext;
pub use self::error::{ArgsError, ParseError, ParseErrorKind};
pub use self::print::quote;
pub use self::spec::{Blocks, CommandSpec, find};
pub use self::table::COMMANDS;
pub use self::template::fill_text;

use self::build::Builder;

/// A command with its arguments.
#[derive(Clone, Debug)]
pub struct ParsedCommand {
    /// Which command.
    pub spec: &'static CommandSpec,
    /// Its arguments, which fit the spec.
    pub args: Args,
    /// The line it ends on, from 1.
    pub line: u32,
    /// Commands divided by `;` are a group, numbered from 0 within its list: when one fails, those
    /// after it in its group do not run.
    pub group: u32,
}

/// Where a command was written does not matter.
impl PartialEq for ParsedCommand {
    fn eq(&self, other: &ParsedCommand) -> bool {
        self.spec == other.spec && self.args == other.args && self.group == other.group
    }
}

impl Eq for ParsedCommand {}

impl fmt::Display for ParsedCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.spec.name, self.args)
    }
}

/// Commands in the order they run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CommandList {
    /// The commands.
    pub commands: Vec<ParsedCommand>,
}

impl CommandList {
    /// Whether there is nothing to run.
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// The text for use as arguments of a command itself (`bind-key x a \; b`), which
    /// [`parse_values`] divides into the same commands.
    pub fn to_escaped_string(&self) -> String {
        self.joined(" \\; ", " \\;\\; ", |command| {
            format!("{}{}", command.spec.name, command.args.semicolons_escaped())
        })
    }

    fn joined(
        &self,
        within_group: &str,
        between_groups: &str,
        print: impl Fn(&ParsedCommand) -> String,
    ) -> String {
        let mut text = String::new();
        for (index, command) in self.commands.iter().enumerate() {
            if let Some(previous) = index.checked_sub(1) {
                let is_same = self.commands[previous].group == command.group;
                text.push_str(if is_same { within_group } else { between_groups });
            }
            text.push_str(&print(command));
        }
        text
    }
}

impl fmt::Display for CommandList {
    /// On one line; `;;` stands between groups.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.joined(" ; ", " ;; ", ToString::to_string))
    }
}

/// Reads commands from text. One error refuses all of it, as in tmux.
pub fn parse(
    text: impl AsRef<[u8]>,
    context: &ParseContext<'_>,
) -> Result<CommandList, ParseError> {
    let script = parser::read(text.as_ref(), context)?;
    Builder { context, failed: &mut Err }.script(script)
}

/// Reads commands from text, leaving out what cannot be understood: an unknown command or wrong
/// arguments cost the rest of their group, a syntax error everything.
///
/// For configuration files: one line meant for another version must not cost all others.
pub fn parse_lenient(
    text: impl AsRef<[u8]>,
    context: &ParseContext<'_>,
) -> (CommandList, Vec<ParseError>) {
    let mut errors = Vec::new();
    let result = parser::read(text.as_ref(), context).and_then(|script| {
        let mut failed = |error| {
            errors.push(error);
            Ok(())
        };
        Builder { context, failed: &mut failed }.script(script)
    });
    match result {
        Ok(commands) => (commands, errors),
        Err(error) => {
            errors.push(error);
            (CommandList::default(), errors)
        }
    }
}

/// Reads commands from the arguments of a process. A `;` of its own or at the end of an argument
/// divides commands; nothing else is special.
pub fn parse_argv(argv: &[BString], context: &ParseContext<'_>) -> Result<CommandList, ParseError> {
    parse_values(argv.iter().cloned().map(Value::Text), context)
}

/// Reads commands from arguments of another command, such as those of `bind-key` after the key.
/// Divided as [`parse_argv`] does.
pub fn parse_values(
    values: impl IntoIterator<Item = Value>,
    context: &ParseContext<'_>,
) -> Result<CommandList, ParseError> {
    Builder { context, failed: &mut Err }.statements(build::divide(values))
}

#[cfg(test)]
mod tests;
