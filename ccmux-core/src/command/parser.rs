//! From tokens to statements: words, blocks in braces, conditions and assignments.
//!
//! Conditions are decided and assignments made while reading; what is left are command lines whose
//! words nobody has looked at yet.

use bstr::{BString, ByteSlice};

use super::error::{ParseError, ParseErrorKind};
use super::lexer::{Lexer, Token, assignment};
use super::{CommandList, ParseContext};

/// Braces and conditions within each other; what people write stays under five.
const DEPTH_MAX: usize = 50;

/// A command as it was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Statement {
    /// The line it ends on.
    pub(super) line: u32,
    /// Commands of one line are a group; see [`super::ParsedCommand::group`].
    pub(super) group: u32,
    /// Its name and arguments; never empty.
    pub(super) words: Vec<Word>,
}

/// A part of a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Word {
    /// A word.
    Text(BString),
    /// Commands in braces.
    Block(Vec<Statement>),
    /// Commands that somebody has read already.
    Commands(CommandList),
}

/// `NAME=value` between commands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Assignment {
    pub(super) line: u32,
    pub(super) name: String,
    pub(super) value: BString,
    pub(super) is_hidden: bool,
}

/// What a text says.
#[derive(Debug, Default)]
pub(super) struct Script {
    pub(super) assignments: Vec<Assignment>,
    pub(super) statements: Vec<Statement>,
}

/// What ends a list of statements.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Until {
    End,
    Brace,
    /// `%elif`, `%else` or `%endif`, which are left to be read.
    Condition,
}

/// The statements being read, and where the group of the next one stands.
#[derive(Default)]
struct List {
    statements: Vec<Statement>,
    group: u32,
    place: Place,
}

/// Where in a line a list is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Place {
    /// Before the first command: there is nothing for a `;` to end.
    #[default]
    Start,
    /// After a command: a `;` or the end of the line must follow.
    AfterCommand,
    /// After a `;`.
    AfterSemicolon,
}

impl List {
    /// Ends a group, if there is anything in it.
    fn end_group(&mut self) {
        if self.statements.last().is_some_and(|last| last.group == self.group) {
            self.group += 1;
        }
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    context: &'a ParseContext<'a>,
    peeked: Option<(Token, u32)>,
    assignments: Vec<Assignment>,
    depth: usize,
}

/// Reads a whole text.
pub(super) fn read(text: &[u8], context: &ParseContext<'_>) -> Result<Script, ParseError> {
    let mut parser = Parser {
        lexer: Lexer::new(text, context),
        context,
        peeked: None,
        assignments: Vec::new(),
        depth: 0,
    };
    let mut list = List::default();
    parser.statements(&mut list, Until::End, true)?;
    Ok(Script { assignments: parser.assignments, statements: list.statements })
}

impl Parser<'_> {
    fn error(&self, line: u32, kind: ParseErrorKind) -> ParseError {
        ParseError { source_name: self.context.source_name.map(str::to_owned), line, kind }
    }

    fn peek(&mut self) -> Result<&(Token, u32), ParseError> {
        if self.peeked.is_none() {
            let token = self.lexer.token();
            self.peeked = Some(token.map_err(|kind| self.error(self.lexer.line(), kind))?);
        }
        Ok(self.peeked.as_ref().expect("just filled"))
    }

    fn take(&mut self) -> Result<(Token, u32), ParseError> {
        self.peek()?;
        Ok(self.peeked.take().expect("just filled"))
    }

    fn syntax_error<T>(&mut self) -> Result<T, ParseError> {
        let line = self.peek()?.1;
        Err(self.error(line, ParseErrorKind::Syntax))
    }

    fn deeper(&mut self) -> Result<(), ParseError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            let line = self.lexer.line();
            return Err(self.error(line, ParseErrorKind::TooDeep));
        }
        Ok(())
    }

    /// Reads statements; keeps them only where `is_active`, that is in branches that are taken.
    fn statements(
        &mut self,
        list: &mut List,
        until: Until,
        is_active: bool,
    ) -> Result<(), ParseError> {
        loop {
            let (token, _) = self.peek()?;
            match (token, until) {
                (Token::Close, Until::Brace) => {
                    self.take()?;
                    return Ok(());
                }
                (Token::End, Until::End)
                | (Token::Elif | Token::Else | Token::Endif, Until::Condition) => return Ok(()),
                (Token::Newline, _) => {
                    self.take()?;
                    list.end_group();
                    list.place = Place::Start;
                }
                (Token::Semicolon, _) => match list.place {
                    Place::Start => return self.syntax_error(),
                    Place::AfterCommand => {
                        self.take()?;
                        list.place = Place::AfterSemicolon;
                    }
                    // Two of them are how a list of several lines is printed on one.
                    Place::AfterSemicolon => {
                        self.take()?;
                        list.end_group();
                    }
                },
                _ if list.place == Place::AfterCommand => return self.syntax_error(),
                (Token::If, _) => {
                    self.condition(list, is_active)?;
                    list.place = Place::AfterCommand;
                }
                (Token::Hidden, _) => {
                    self.take()?;
                    if !self.assignment(true, is_active)? {
                        return self.syntax_error();
                    }
                    list.place = Place::AfterCommand;
                }
                (Token::Word(_), _) => {
                    self.assignment(false, is_active)?;
                    if let Some(words) = self.command(is_active)?
                        && is_active
                    {
                        let (words, line) = words;
                        list.statements.push(Statement { line, group: list.group, words });
                    }
                    list.place = Place::AfterCommand;
                }
                _ => return self.syntax_error(),
            }
        }
    }

    /// Makes an assignment if one comes next; says whether.
    fn assignment(&mut self, is_hidden: bool, is_active: bool) -> Result<bool, ParseError> {
        let (Token::Word(word), line) = self.peek()? else { return Ok(false) };
        let line = *line;
        let Some((name, value)) = assignment(word) else { return Ok(false) };
        let (name, value) = (name.to_owned(), BString::from(value));
        if is_active {
            self.lexer.assign(&name, value.clone());
            self.assignments.push(Assignment { line, name, value, is_hidden });
        }
        self.take()?;
        Ok(true)
    }

    /// The words of a command and the line it ends on, if one comes next.
    fn command(&mut self, is_active: bool) -> Result<Option<(Vec<Word>, u32)>, ParseError> {
        let mut words = Vec::new();
        let mut last_line = 0;
        loop {
            match self.peek()? {
                (Token::Word(word), _) if words.is_empty() && assignment(word).is_some() => {
                    return self.syntax_error();
                }
                (Token::Word(_), _) => {
                    let (Token::Word(word), line) = self.take()? else {
                        unreachable!("BUG: another token than was peeked")
                    };
                    words.push(Word::Text(word));
                    last_line = line;
                }
                (Token::Open, _) if !words.is_empty() => {
                    self.take()?;
                    self.deeper()?;
                    let mut list = List::default();
                    self.statements(&mut list, Until::Brace, is_active)?;
                    self.depth -= 1;
                    last_line = self.lexer.line();
                    words.push(Word::Block(list.statements));
                }
                _ => return Ok((!words.is_empty()).then_some((words, last_line))),
            }
        }
    }

    /// `%if` to `%endif`; the statements of the branch that holds go to `list`.
    fn condition(&mut self, list: &mut List, is_active: bool) -> Result<(), ParseError> {
        self.deeper()?;
        let mut is_decided = false;
        let mut is_last = false;
        loop {
            if is_last && self.peek()?.0 != Token::Endif {
                return self.syntax_error();
            }
            let (token, _) = self.take()?;
            is_last = token == Token::Else;
            let holds = match token {
                Token::If | Token::Elif => {
                    let (Token::Word(_), _) = self.peek()? else { return self.syntax_error() };
                    let (Token::Word(text), _) = self.take()? else {
                        unreachable!("BUG: another token than was peeked")
                    };
                    // A condition that cannot matter is not evaluated: it may cost something.
                    is_active
                        && !is_decided
                        && crate::format::is_true(&(self.context.format)(&text.to_str_lossy()))
                }
                Token::Else => !is_decided,
                Token::Endif => break,
                _ => unreachable!("BUG: a branch ended with {token:?}"),
            };
            is_decided |= holds;
            list.place = Place::Start;
            self.statements(list, Until::Condition, is_active && holds)?;
        }
        self.depth -= 1;
        Ok(())
    }
}
