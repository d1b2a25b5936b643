//! Why text is not a command. The messages are tmux's.

use std::fmt;

use super::spec::CommandSpec;

/// Text or an argv that is no command, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParseError {
    /// The file, if the text came from one.
    pub source_name: Option<String>,
    /// The line, from 1; for a command of several lines its last.
    pub line: u32,
    /// What is wrong.
    pub kind: ParseErrorKind,
}

/// What is wrong with the text of a command.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ParseErrorKind {
    /// Words, braces or conditions do not fit together.
    #[error("syntax error")]
    Syntax,
    /// A backslash and digits that are no octal number of three digits up to `\377`.
    #[error("invalid octal escape")]
    OctalEscape,
    /// `\u` or `\U` without its digits, or with those of no character.
    #[error("invalid \\{0} argument")]
    UnicodeEscape(char),
    /// `${` without a name and `}`.
    #[error("invalid environment variable")]
    EnvironmentVariable,
    /// Braces or conditions nest deeper than anybody means them to.
    #[error("blocks nest too deep")]
    TooDeep,
    /// No command has the name.
    #[error("unknown command: {0}")]
    UnknownCommand(String),
    /// Several commands begin with the name.
    #[error("ambiguous command: {name}, could be: {}", candidates.join(", "))]
    AmbiguousCommand {
        /// As it was given.
        name: String,
        /// Those that begin so.
        candidates: Vec<&'static str>,
    },
    /// `-?`: how to call the command is what was asked for.
    #[error("{}", .0.usage_line())]
    Usage(&'static CommandSpec),
    /// The arguments do not fit the command.
    #[error("command {}: {error}", spec.name)]
    Arguments {
        /// The command.
        spec: &'static CommandSpec,
        /// What does not fit.
        error: ArgsError,
    },
}

/// How arguments do not fit a command.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ArgsError {
    /// The command has no such flag.
    #[error("unknown flag -{0}")]
    UnknownFlag(char),
    /// The command has no such long flag.
    #[error("unknown flag --{0}")]
    UnknownLongFlag(String),
    /// No command could have such a flag.
    #[error("invalid flag -{0}")]
    InvalidFlag(char),
    /// The flag takes a value, and nothing follows.
    #[error("-{0} expects an argument")]
    MissingValue(char),
    /// The value of a flag is a block of commands.
    #[error("-{0} argument must be a string")]
    ValueIsBlock(char),
    /// An argument is a block of commands; counted from 1.
    #[error("argument {0} must be \"string\"")]
    ArgumentIsBlock(usize),
    /// Too few arguments.
    #[error("too few arguments (need at least {0})")]
    TooFew(usize),
    /// Too many arguments.
    #[error("too many arguments (need at most {0})")]
    TooMany(usize),
}

impl ParseError {
    /// The command whose arguments were wrong, so that its usage can be shown.
    pub fn spec(&self) -> Option<&'static CommandSpec> {
        match &self.kind {
            ParseErrorKind::Usage(spec) | ParseErrorKind::Arguments { spec, .. } => Some(spec),
            _ => None,
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source_name {
            Some(name) => write!(f, "{name}:{}: {}", self.line, self.kind),
            None => self.kind.fmt(f),
        }
    }
}

impl std::error::Error for ParseError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.kind)
    }
}
