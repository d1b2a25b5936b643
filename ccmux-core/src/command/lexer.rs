//! From text to tokens: quotes, escapes, variables, `~`, comments and continued lines.
//!
//! Variables are replaced while reading, so an assignment holds for what comes after it; the
//! parser therefore never reads further ahead than one token.

use std::collections::BTreeMap;

use bstr::BString;

use super::ParseContext;
use super::error::ParseErrorKind;

/// What the text is made of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Token {
    /// A word, quotes and escapes undone.
    Word(BString),
    /// `;`
    Semicolon,
    /// `{`
    Open,
    /// `}`
    Close,
    /// The end of a line.
    Newline,
    /// `%if`
    If,
    /// `%elif`
    Elif,
    /// `%else`
    Else,
    /// `%endif`
    Endif,
    /// `%hidden`
    Hidden,
    /// The end of the text.
    End,
}

/// A place in the text. Copied to look ahead.
#[derive(Clone, Copy, Debug)]
struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
    line: u32,
    /// Backslashes still to be read that are known not to continue the line.
    backslashes: usize,
}

impl Cursor<'_> {
    /// The next byte. A backslash before the end of a line, unless escaped itself, joins it with
    /// the next one, in quotes and out.
    fn next(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.get(self.at)?;
            if byte == b'\\' && self.backslashes == 0 {
                let rest = &self.text[self.at..];
                let run = rest.iter().take_while(|byte| **byte == b'\\').count();
                let continues = run % 2 == 1 && rest.get(run) == Some(&b'\n');
                self.backslashes = if continues { run - 1 } else { run };
                if self.backslashes == 0 {
                    self.at += 2;
                    self.line += 1;
                    continue;
                }
            }
            self.backslashes = self.backslashes.saturating_sub(1);
            self.at += 1;
            if byte == b'\n' {
                self.line += 1;
            }
            return Some(byte);
        }
    }

    fn peek(mut self) -> Option<u8> {
        self.next()
    }
}

/// In which quotes a byte of a word stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Quotes {
    None,
    Single,
    Double,
}

/// Reads tokens off the front of a text.
pub(super) struct Lexer<'a> {
    cursor: Cursor<'a>,
    context: &'a ParseContext<'a>,
    /// Variables that the text itself has set.
    assigned: BTreeMap<String, BString>,
    after_condition: bool,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a [u8], context: &'a ParseContext<'a>) -> Lexer<'a> {
        Lexer {
            cursor: Cursor { text, at: 0, line: 1, backslashes: 0 },
            context,
            assigned: BTreeMap::new(),
            after_condition: false,
        }
    }

    /// Sets a variable for the rest of the text.
    pub(super) fn assign(&mut self, name: &str, value: BString) {
        self.assigned.insert(name.to_owned(), value);
    }

    /// The line that is being read.
    pub(super) fn line(&self) -> u32 {
        self.cursor.line
    }

    /// The next token, and the line it ends on (a newline belongs to the line it ends).
    pub(super) fn token(&mut self) -> Result<(Token, u32), ParseErrorKind> {
        let after_condition = std::mem::take(&mut self.after_condition);
        loop {
            let line = self.cursor.line;
            let Some(byte) = self.cursor.next() else { return Ok((Token::End, line)) };
            let token = match byte {
                b' ' | b'\t' => continue,
                b'\r' if self.cursor.peek() == Some(b'\n') => continue,
                b'\n' => Token::Newline,
                b';' => Token::Semicolon,
                b'{' => Token::Open,
                b'}' => Token::Close,
                b'#' if after_condition && self.cursor.peek() == Some(b'{') => self.format()?,
                b'#' => {
                    self.skip_comment();
                    continue;
                }
                b'%' => self.percent()?,
                _ => Token::Word(self.word(byte)?),
            };
            let line = if token == Token::Newline { line } else { self.cursor.line };
            return Ok((token, line));
        }
    }

    /// Up to the end of the line, which stays.
    fn skip_comment(&mut self) {
        while self.cursor.peek().is_some_and(|byte| byte != b'\n') {
            self.cursor.next();
        }
    }

    /// `%if` and the like; percent signs and digits alone are a word.
    fn percent(&mut self) -> Result<Token, ParseErrorKind> {
        let word = self.word(b'%')?;
        let token = match word.as_slice() {
            b"%if" => Token::If,
            b"%elif" => Token::Elif,
            b"%else" => Token::Else,
            b"%endif" => Token::Endif,
            b"%hidden" => Token::Hidden,
            bytes if bytes.iter().all(|byte| *byte == b'%' || byte.is_ascii_digit()) => {
                Token::Word(word)
            }
            _ => return Err(ParseErrorKind::Syntax),
        };
        self.after_condition = matches!(token, Token::If | Token::Elif);
        Ok(token)
    }

    /// A bare format after `%if`, from `#{` to the matching `}`.
    fn format(&mut self) -> Result<Token, ParseErrorKind> {
        let mut text = b"#".to_vec();
        let mut depth = 0;
        loop {
            let byte = self.cursor.next().filter(|byte| *byte != b'\n');
            let byte = byte.ok_or(ParseErrorKind::Syntax)?;
            if byte == b'{' && text.last() == Some(&b'#') {
                depth += 1;
            } else if byte == b'}' {
                depth -= 1;
            }
            text.push(byte);
            if depth == 0 {
                return Ok(Token::Word(text.into()));
            }
        }
    }

    fn word(&mut self, first: u8) -> Result<BString, ParseErrorKind> {
        let mut text = Vec::new();
        let mut quotes = Quotes::None;
        // Where a `~` means a directory: at the start of the word and right after a quote.
        let mut is_start = true;
        let mut next = Some(first);
        while let Some(byte) = next {
            let was_start = std::mem::replace(&mut is_start, false);
            match (byte, quotes) {
                (b'\n', Quotes::Single | Quotes::Double) => {
                    text.push(b'\n');
                    self.skip_indentation();
                }
                (b'\\', Quotes::None | Quotes::Double) => self.escape(&mut text)?,
                (b'~', Quotes::None | Quotes::Double) if was_start => self.tilde(&mut text)?,
                (b'$', Quotes::None | Quotes::Double) => self.variable(&mut text)?,
                (b'\'', Quotes::None) => (quotes, is_start) = (Quotes::Single, true),
                (b'"', Quotes::None) => (quotes, is_start) = (Quotes::Double, true),
                (b'\'', Quotes::Single) | (b'"', Quotes::Double) => {
                    (quotes, is_start) = (Quotes::None, true);
                }
                _ => text.push(byte),
            }
            if quotes == Quotes::None
                && self.cursor.peek().is_none_or(|byte| b" \t\n;}".contains(&byte))
            {
                break;
            }
            next = self.cursor.next();
        }
        if text.last() == Some(&b'\r') && first != b'\r' && self.cursor.peek() == Some(b'\n') {
            text.pop();
        }
        Ok(text.into())
    }

    /// In quotes that span lines, the white space and the comments at the start of a line go.
    fn skip_indentation(&mut self) {
        while let Some(b' ' | b'\t') = self.cursor.peek() {
            self.cursor.next();
        }
        let mut ahead = self.cursor;
        if ahead.next() == Some(b'#')
            && !ahead.peek().is_some_and(|byte| b",#{}:[(".contains(&byte))
        {
            self.skip_comment();
        }
    }

    fn escape(&mut self, text: &mut Vec<u8>) -> Result<(), ParseErrorKind> {
        let byte = self.cursor.next().ok_or(ParseErrorKind::Syntax)?;
        match byte {
            b'0'..=b'7' => {
                let mut value = u32::from(byte - b'0');
                for _ in 0..2 {
                    let digit = self.cursor.next().filter(|byte| (b'0'..=b'7').contains(byte));
                    let digit = digit.ok_or(ParseErrorKind::OctalEscape)?;
                    value = value * 8 + u32::from(digit - b'0');
                }
                text.push(u8::try_from(value).map_err(|_| ParseErrorKind::OctalEscape)?);
            }
            b'a' => text.push(0x07),
            b'b' => text.push(0x08),
            b'e' => text.push(0x1b),
            b'f' => text.push(0x0c),
            b'n' => text.push(b'\n'),
            b'r' => text.push(b'\r'),
            b's' => text.push(b' '),
            b't' => text.push(b'\t'),
            b'v' => text.push(0x0b),
            b'u' => self.unicode('u', 4, text)?,
            b'U' => self.unicode('U', 8, text)?,
            other => text.push(other),
        }
        Ok(())
    }

    fn unicode(
        &mut self,
        kind: char,
        digits: usize,
        text: &mut Vec<u8>,
    ) -> Result<(), ParseErrorKind> {
        let mut value = 0u32;
        for _ in 0..digits {
            let digit = self.cursor.next().and_then(|byte| char::from(byte).to_digit(16));
            value = (value << 4) | digit.ok_or(ParseErrorKind::UnicodeEscape(kind))?;
        }
        let c = char::from_u32(value).ok_or(ParseErrorKind::UnicodeEscape(kind))?;
        text.extend(c.encode_utf8(&mut [0; 4]).bytes());
        Ok(())
    }

    fn tilde(&mut self, text: &mut Vec<u8>) -> Result<(), ParseErrorKind> {
        let mut name = Vec::new();
        while let Some(byte) = self.cursor.peek().filter(|byte| !b"/ \t\n\"';}".contains(byte)) {
            name.push(byte);
            self.cursor.next();
        }
        let user = String::from_utf8_lossy(&name);
        let home = match &*user {
            "" => self.lookup("HOME").or_else(|| (self.context.home)(None)),
            user => (self.context.home)(Some(user)),
        };
        text.extend_from_slice(&home.ok_or(ParseErrorKind::Syntax)?);
        Ok(())
    }

    fn variable(&mut self, text: &mut Vec<u8>) -> Result<(), ParseErrorKind> {
        let in_braces = self.cursor.peek() == Some(b'{');
        if in_braces {
            self.cursor.next();
        } else if !self.cursor.peek().is_some_and(|byte| is_name_byte(byte, true)) {
            text.push(b'$');
            return Ok(());
        }
        let mut name = String::new();
        while let Some(byte) = self.cursor.peek().filter(|byte| is_name_byte(*byte, false)) {
            name.push(char::from(byte));
            self.cursor.next();
        }
        if in_braces && self.cursor.next() != Some(b'}') {
            return Err(ParseErrorKind::EnvironmentVariable);
        }
        text.extend_from_slice(&self.lookup(&name).unwrap_or_default());
        Ok(())
    }

    fn lookup(&self, name: &str) -> Option<BString> {
        self.assigned.get(name).cloned().or_else(|| (self.context.environment)(name))
    }
}

/// Whether a byte may stand in the name of a variable.
fn is_name_byte(byte: u8, is_first: bool) -> bool {
    byte == b'_' || if is_first { byte.is_ascii_alphabetic() } else { byte.is_ascii_alphanumeric() }
}

/// Divides `NAME=value`; `None` for a word that assigns nothing.
pub(super) fn assignment(word: &[u8]) -> Option<(&str, &[u8])> {
    let equals = word.iter().position(|byte| *byte == b'=')?;
    let (name, value) = (&word[..equals], &word[equals + 1..]);
    let is_name =
        is_name_byte(*name.first()?, true) && name.iter().all(|byte| is_name_byte(*byte, false));
    is_name.then_some((std::str::from_utf8(name).ok()?, value))
}
