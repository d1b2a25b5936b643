//! From statements to commands: aliases, names and arguments.

use bstr::{BString, ByteSlice};

use super::args::{Args, ArgsFailure, Value};
use super::error::{ParseError, ParseErrorKind};
use super::parser::{self, Assignment, Statement, Word};
use super::spec::{CommandSpec, find};
use super::{CommandList, ParseContext, ParsedCommand};

/// Makes commands of statements. What cannot be one goes to `failed`, which decides whether to go
/// on without the rest of its group.
pub(super) struct Builder<'a, 'f> {
    pub(super) context: &'a ParseContext<'a>,
    pub(super) failed: &'f mut dyn FnMut(ParseError) -> Result<(), ParseError>,
}

impl Builder<'_, '_> {
    /// The commands of a text, after those that make its assignments: tmux makes them while it
    /// reads, before anything runs.
    pub(super) fn script(&mut self, script: parser::Script) -> Result<CommandList, ParseError> {
        let mut commands = Vec::new();
        for (group, assignment) in (0..).zip(script.assignments) {
            commands.push(set_environment(assignment, group));
        }
        let first_group = commands.last().map_or(0, |last: &ParsedCommand| last.group + 1);
        let mut rest = self.statements(script.statements)?;
        for command in &mut rest.commands {
            command.group += first_group;
        }
        commands.append(&mut rest.commands);
        Ok(CommandList { commands })
    }

    /// The commands of a list of statements, in groups numbered from 0.
    pub(super) fn statements(
        &mut self,
        statements: Vec<Statement>,
    ) -> Result<CommandList, ParseError> {
        let mut commands: Vec<ParsedCommand> = Vec::new();
        let mut groups = Groups::default();
        let mut failed_group = None;
        for statement in statements {
            if failed_group == Some(statement.group) {
                continue;
            }
            let group = groups.number(statement.group);
            let written_group = statement.group;
            match self.statement(statement, group) {
                Ok(mut list) => commands.append(&mut list),
                Err(error) => {
                    (self.failed)(error)?;
                    failed_group = Some(written_group);
                }
            }
        }
        Ok(CommandList { commands })
    }

    fn statement(
        &mut self,
        statement: Statement,
        group: u32,
    ) -> Result<Vec<ParsedCommand>, ParseError> {
        let Statement { line, mut words, .. } = statement;
        let name = match words.remove(0) {
            Word::Text(name) => name.to_str_lossy().into_owned(),
            // Only arguments of another command can begin so, and no command is called that.
            Word::Block(_) | Word::Commands(_) => "{".to_owned(),
        };
        if let Some(expansion) = (self.context.alias)(&name) {
            return self.alias(&expansion, words, line, group);
        }
        Ok(vec![self.command(&name, words, line, group)?])
    }

    /// Commands an alias stands for; the arguments go to the last of them. Aliases are not looked
    /// up within aliases, so none can refer to itself.
    fn alias(
        &mut self,
        expansion: &str,
        rest: Vec<Word>,
        line: u32,
        group: u32,
    ) -> Result<Vec<ParsedCommand>, ParseError> {
        let no_aliases = ParseContext { alias: &|_| None, ..*self.context };
        let at_line = |error: ParseError| ParseError { line, ..error };
        let mut statements =
            parser::read(expansion.as_bytes(), &no_aliases).map_err(at_line)?.statements;
        if let Some(last) = statements.last_mut() {
            last.words.extend(rest);
        }
        let mut builder = Builder { context: &no_aliases, failed: self.failed };
        statements
            .into_iter()
            .map(|Statement { mut words, .. }| {
                let Word::Text(name) = words.remove(0) else {
                    unreachable!("BUG: a statement begins with a block")
                };
                builder.command(&name.to_str_lossy(), words, line, group)
            })
            .collect()
    }

    fn command(
        &mut self,
        name: &str,
        words: Vec<Word>,
        line: u32,
        group: u32,
    ) -> Result<ParsedCommand, ParseError> {
        let source_name = self.context.source_name;
        let error = |kind| ParseError { source_name: source_name.map(str::to_owned), line, kind };
        let spec = find(name).map_err(error)?;
        let mut values = Vec::with_capacity(words.len());
        for word in words {
            values.push(match word {
                Word::Text(text) => Value::Text(text),
                Word::Block(statements) => Value::Commands(self.block(statements)?),
                Word::Commands(commands) => Value::Commands(commands),
            });
        }
        let args = arguments(spec, values).map_err(error)?;
        Ok(ParsedCommand { spec, args, line, group })
    }

    /// A block is whole or not at all: half of a binding would do something nobody asked for.
    fn block(&mut self, statements: Vec<Statement>) -> Result<CommandList, ParseError> {
        Builder { context: self.context, failed: &mut Err }.statements(statements)
    }
}

fn arguments(spec: &'static CommandSpec, values: Vec<Value>) -> Result<Args, ParseErrorKind> {
    Args::parse(spec, values).map_err(|failure| match failure {
        ArgsFailure::Usage => ParseErrorKind::Usage(spec),
        ArgsFailure::Error(error) => ParseErrorKind::Arguments { spec, error },
    })
}

/// Groups as they were written may have gaps; those of a list have none.
#[derive(Default)]
struct Groups {
    written: Option<u32>,
    next: u32,
}

impl Groups {
    fn number(&mut self, written: u32) -> u32 {
        if self.written != Some(written) {
            self.written = Some(written);
            self.next += 1;
        }
        self.next - 1
    }
}

fn set_environment(assignment: Assignment, group: u32) -> ParsedCommand {
    let Assignment { line, name, value, is_hidden } = assignment;
    let flags = if is_hidden { "-gh" } else { "-g" };
    let words: [BString; 4] = [flags.into(), "--".into(), name.into(), value];
    let spec = find("set-environment").expect("the table has set-environment");
    let args = arguments(spec, words.into_iter().map(Value::Text).collect())
        .expect("a name and a value fit set-environment");
    ParsedCommand { spec, args, line, group }
}

/// Divides arguments into commands at `;` arguments and at those that end in `;`; `\;` at the end
/// is a `;` that divides nothing. Between groups there are two, in one argument or in two.
pub(super) fn divide(arguments: impl IntoIterator<Item = Value>) -> Vec<Statement> {
    let mut statements = Vec::new();
    let mut words = Vec::new();
    let mut group = 0;
    let mut end_command = |words: &mut Vec<Word>| {
        if words.is_empty() {
            group += 1;
        } else {
            statements.push(Statement { line: 1, group, words: std::mem::take(words) });
        }
    };
    for argument in arguments {
        let text = match argument {
            Value::Text(text) => text,
            Value::Commands(commands) => {
                words.push(Word::Commands(commands));
                continue;
            }
        };
        let Some(before) = text.strip_suffix(b";") else {
            words.push(Word::Text(text));
            continue;
        };
        if let Some(before) = before.strip_suffix(b"\\") {
            words.push(Word::Text([before, b";"].concat().into()));
            continue;
        }
        if before == b";" {
            end_command(&mut words);
        } else if !before.is_empty() {
            words.push(Word::Text(before.into()));
        }
        end_command(&mut words);
    }
    end_command(&mut words);
    statements
}
