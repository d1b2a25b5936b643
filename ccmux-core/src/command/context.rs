//! What a text may refer to outside of itself.

use std::fmt;

use bstr::{BString, ByteSlice};

use crate::change::OptionScope;
use crate::model::State;

/// What a text may refer to.
#[derive(Clone, Copy)]
pub struct ParseContext<'a> {
    /// The file the text is from, for errors.
    pub source_name: Option<&'a str>,
    /// The value of an environment variable.
    pub environment: &'a dyn Fn(&str) -> Option<BString>,
    /// The home directory of a user, or of the server's own.
    pub home: &'a dyn Fn(Option<&str>) -> Option<BString>,
    /// Expands the format of an `%if`.
    pub format: &'a dyn Fn(&str) -> String,
    /// What an alias (`command-alias`) stands for.
    pub alias: &'a dyn Fn(&str) -> Option<String>,
}

impl ParseContext<'_> {
    /// No variables, no homes, no aliases, and formats that expand to themselves.
    pub const fn bare() -> ParseContext<'static> {
        ParseContext {
            source_name: None,
            environment: &|_| None,
            home: &|_| None,
            format: &|format| String::from(format),
            alias: &|_| None,
        }
    }
}

impl fmt::Debug for ParseContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParseContext")
            .field("source_name", &self.source_name)
            .finish_non_exhaustive()
    }
}

impl State {
    /// The value of a global environment variable, for [`ParseContext::environment`].
    pub fn global_variable(&self, name: &str) -> Option<BString> {
        self.environment.get(name.as_bytes().as_bstr())?.clone()
    }

    /// What the option `command-alias` has a name stand for, for [`ParseContext::alias`].
    pub fn command_alias(&self, name: &str) -> Option<String> {
        let aliases = self.options(OptionScope::Server).array("command-alias");
        aliases.into_iter().find_map(|(_, entry)| match entry.split_once('=') {
            Some((alias, commands)) if alias == name => Some(commands.to_owned()),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    #[test]
    fn a_state_has_variables_and_aliases() {
        let mut state = State::default();
        state.environment.insert("NAME".into(), Some("value".into()));
        state.environment.insert("HIDDEN".into(), None);
        let context = ParseContext {
            environment: &|name| state.global_variable(name),
            alias: &|name| state.command_alias(name),
            ..ParseContext::bare()
        };
        let list = parse("splitp -h $NAME$HIDDEN", &context).unwrap();
        assert_eq!(list.to_string(), "split-window -h value");
    }
}
