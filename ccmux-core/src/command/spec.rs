//! What is known of a command before it runs: one row of the table.

use super::error::ParseErrorKind;
use super::table::COMMANDS;

/// A command: its names, and the arguments it takes.
#[derive(Debug)]
pub struct CommandSpec {
    /// Its full name.
    pub name: &'static str,
    /// Its short name.
    pub alias: Option<&'static str>,
    /// Its flags as for getopt(3): a letter, with `:` after it if the flag takes a value.
    pub flags: &'static str,
    /// Long spellings of flags (`--json`); only commands that tmux lacks have any.
    pub long_flags: &'static [(&'static str, char)],
    /// How many arguments it needs besides flags.
    pub args_min: usize,
    /// How many it takes at most; `None` for any number.
    pub args_max: Option<usize>,
    /// Which of those may be commands in braces.
    pub blocks: Blocks,
    /// Whether the start of its name stands for it. Not for commands that tmux lacks: what is short for
    /// one of tmux's must stay so.
    pub is_abbreviated: bool,
    /// Whether it starts a server where none runs; other commands fail then.
    pub starts_server: bool,
    /// Its arguments as tmux's manual writes them.
    pub usage: &'static str,
    /// One line for people.
    pub summary: &'static str,
}

/// Which arguments of a command, flags aside, may be commands in braces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Blocks {
    /// None.
    Never,
    /// Those from this index on.
    From(usize),
    /// All, when this flag is given.
    WithFlag(char),
}

/// Whether a command has a flag, and what follows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum FlagKind {
    Switch,
    Value,
}

impl CommandSpec {
    pub(super) const fn new(
        (name, alias): (&'static str, &'static str),
        flags: &'static str,
        (args_min, args_max): (usize, Option<usize>),
        usage: &'static str,
        summary: &'static str,
    ) -> CommandSpec {
        CommandSpec {
            name,
            alias: if alias.is_empty() { None } else { Some(alias) },
            flags,
            long_flags: &[],
            args_min,
            args_max,
            blocks: Blocks::Never,
            is_abbreviated: true,
            starts_server: false,
            usage,
            summary,
        }
    }

    pub(super) const fn blocks(mut self, blocks: Blocks) -> CommandSpec {
        self.blocks = blocks;
        self
    }

    pub(super) const fn in_full(mut self) -> CommandSpec {
        self.is_abbreviated = false;
        self
    }

    pub(super) const fn starting_server(mut self) -> CommandSpec {
        self.starts_server = true;
        self
    }

    pub(super) const fn long_flags(
        mut self,
        long_flags: &'static [(&'static str, char)],
    ) -> CommandSpec {
        self.long_flags = long_flags;
        self
    }

    pub(super) fn flag_kind(&self, flag: char) -> Option<FlagKind> {
        let mut rest = self.flags.chars().skip_while(|known| *known != flag);
        rest.next().filter(|known| *known != ':')?;
        Some(if rest.next() == Some(':') { FlagKind::Value } else { FlagKind::Switch })
    }

    /// The line that tells how to call it: `usage: kill-pane [-a] [-t target-pane]`.
    pub fn usage_line(&self) -> String {
        format!("usage: {} {}", self.name, self.usage).trim_end().to_owned()
    }
}

/// Specs are rows of one table, so two with the same name are the same.
impl PartialEq for CommandSpec {
    fn eq(&self, other: &CommandSpec) -> bool {
        self.name == other.name
    }
}

impl Eq for CommandSpec {}

/// Finds a command by its name, its alias, or the start of its name where no other begins so.
pub fn find(name: &str) -> Result<&'static CommandSpec, ParseErrorKind> {
    let exact = COMMANDS.iter().find(|spec| spec.name == name || spec.alias == Some(name));
    if let Some(spec) = exact {
        return Ok(spec);
    }
    let is_meant = |spec: &&CommandSpec| spec.is_abbreviated && spec.name.starts_with(name);
    let mut matching = COMMANDS.iter().filter(is_meant);
    match (matching.next(), matching.next()) {
        (None, _) => Err(ParseErrorKind::UnknownCommand(name.to_owned())),
        (Some(spec), None) => Ok(spec),
        (Some(first), Some(second)) => Err(ParseErrorKind::AmbiguousCommand {
            name: name.to_owned(),
            candidates: [first, second].into_iter().chain(matching).map(|spec| spec.name).collect(),
        }),
    }
}
