//! The arguments of a command, checked against its spec: flags with their values, and the rest.

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

use bstr::{BStr, BString, ByteSlice};

use super::CommandList;
use super::error::ArgsError;
use super::print::quote;
use super::spec::{Blocks, CommandSpec, FlagKind};

/// An argument of a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// Text.
    Text(BString),
    /// Commands that were given in braces.
    Commands(CommandList),
}

impl Value {
    /// The text; commands are printed.
    pub fn to_text(&self) -> Cow<'_, BStr> {
        match self {
            Value::Text(text) => Cow::Borrowed(text.as_bstr()),
            Value::Commands(commands) => Cow::Owned(commands.to_string().into()),
        }
    }
}

/// The arguments of a command: known flags, each with a value if it takes one, and as many other
/// arguments as the command takes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Args {
    /// Flags in order of their letters, each with how often it was given or its values in order.
    flags: Vec<(char, Given)>,
    positional: Vec<Value>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Given {
    Times(usize),
    Values(Vec<BString>),
}

/// A number that is none, or out of its range. The words are tmux's, which puts the name of what
/// was asked for before them: `width too small`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NumberError {
    /// Not a decimal number.
    #[error("invalid")]
    Invalid,
    /// Less than the least.
    #[error("too small")]
    TooSmall,
    /// More than the most.
    #[error("too large")]
    TooLarge,
}

/// Reads a decimal number within a range.
pub fn parse_number(text: &[u8], range: RangeInclusive<i64>) -> Result<i64, NumberError> {
    let text = text.to_str().map_err(|_| NumberError::Invalid)?.trim_start();
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NumberError::Invalid);
    }
    let is_negative = text.starts_with('-');
    let number = text.parse().unwrap_or(if is_negative { i64::MIN } else { i64::MAX });
    if number < *range.start() {
        Err(NumberError::TooSmall)
    } else if number > *range.end() {
        Err(NumberError::TooLarge)
    } else {
        Ok(number)
    }
}

impl Args {
    /// Sorts what follows the name of a command into flags and the rest.
    pub(super) fn parse(
        spec: &CommandSpec,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Args, ArgsFailure> {
        let mut args = Args::default();
        let mut values = values.into_iter().peekable();
        while let Some(Value::Text(text)) =
            values.next_if(|value| matches!(value, Value::Text(text) if is_flags(text)))
        {
            if text == "--" {
                break;
            }
            args.take_flags(spec, text.as_bstr(), &mut values)?;
        }
        args.positional.extend(values);
        args.check(spec)?;
        Ok(args)
    }

    /// Reads `-abc` or `-tvalue`, or `-t` with the value that follows.
    fn take_flags(
        &mut self,
        spec: &CommandSpec,
        text: &BStr,
        values: &mut impl Iterator<Item = Value>,
    ) -> Result<(), ArgsFailure> {
        if let Some(name) = text.strip_prefix(b"--").filter(|_| !spec.long_flags.is_empty()) {
            let name = name.to_str_lossy();
            let flag = spec.long_flags.iter().find(|(long, _)| *long == name);
            let (_, flag) = flag.ok_or_else(|| ArgsError::UnknownLongFlag(name.into_owned()))?;
            self.add_switch(*flag);
            return Ok(());
        }
        for (_, end, flag) in text.char_indices().skip(1) {
            if flag == '?' {
                return Err(ArgsFailure::Usage);
            }
            if !flag.is_ascii_alphanumeric() {
                return Err(ArgsError::InvalidFlag(flag).into());
            }
            match spec.flag_kind(flag).ok_or(ArgsError::UnknownFlag(flag))? {
                FlagKind::Switch => self.add_switch(flag),
                FlagKind::Value => {
                    let rest = &text[end..];
                    let value = if rest.is_empty() {
                        match values.next().ok_or(ArgsError::MissingValue(flag))? {
                            Value::Text(text) => text,
                            Value::Commands(_) => return Err(ArgsError::ValueIsBlock(flag).into()),
                        }
                    } else {
                        BString::from(rest)
                    };
                    self.add_value(flag, value);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn add_switch(&mut self, flag: char) {
        if let Given::Times(times) = self.entry(flag, Given::Times(0)) {
            *times += 1;
        }
    }

    fn add_value(&mut self, flag: char, value: BString) {
        if let Given::Values(values) = self.entry(flag, Given::Values(Vec::new())) {
            values.push(value);
        }
    }

    fn entry(&mut self, flag: char, empty: Given) -> &mut Given {
        let at = match self.flags.binary_search_by_key(&flag, |(known, _)| *known) {
            Ok(at) => at,
            Err(at) => {
                self.flags.insert(at, (flag, empty));
                at
            }
        };
        &mut self.flags[at].1
    }

    fn check(&self, spec: &CommandSpec) -> Result<(), ArgsError> {
        for (index, value) in self.positional.iter().enumerate() {
            let may_be_block = match spec.blocks {
                Blocks::Never => false,
                Blocks::From(first) => index >= first,
                Blocks::WithFlag(flag) => self.has(flag),
            };
            if matches!(value, Value::Commands(_)) && !may_be_block {
                return Err(ArgsError::ArgumentIsBlock(index + 1));
            }
        }
        let count = self.positional.len();
        if count < spec.args_min {
            return Err(ArgsError::TooFew(spec.args_min));
        }
        match spec.args_max {
            Some(max) if count > max => Err(ArgsError::TooMany(max)),
            _ => Ok(()),
        }
    }

    fn given(&self, flag: char) -> Option<&Given> {
        let at = self.flags.binary_search_by_key(&flag, |(known, _)| *known).ok()?;
        Some(&self.flags[at].1)
    }

    /// Replaces every value, those of flags included, by what `map` makes of it.
    pub(super) fn map_values(&mut self, map: &dyn Fn(&Value) -> Value) {
        for (_, given) in &mut self.flags {
            if let Given::Values(values) = given {
                for value in values {
                    *value = map(&Value::Text(std::mem::take(value))).to_text().into_owned();
                }
            }
        }
        for value in &mut self.positional {
            *value = map(value);
        }
    }

    /// The same for use as arguments of another command: a `;` that ends a word divides nothing.
    pub(super) fn semicolons_escaped(&self) -> Args {
        let mut args = self.clone();
        args.map_values(&|value| match value {
            Value::Text(text) => match text.strip_suffix(b";") {
                Some(before) => Value::Text([before, b"\\;"].concat().into()),
                None => value.clone(),
            },
            Value::Commands(_) => value.clone(),
        });
        args
    }

    /// The same without a flag.
    #[must_use]
    pub fn without(mut self, flag: char) -> Args {
        self.flags.retain(|(known, _)| *known != flag);
        self
    }

    /// The same with another text as the first argument that is no flag.
    #[must_use]
    pub fn with_first(mut self, text: BString) -> Args {
        if let Some(first) = self.positional.first_mut() {
            *first = Value::Text(text);
        }
        self
    }

    /// Whether a flag was given, with a value or without.
    pub fn has(&self, flag: char) -> bool {
        self.given(flag).is_some()
    }

    /// How often a flag was given.
    pub fn count(&self, flag: char) -> usize {
        match self.given(flag) {
            None => 0,
            Some(Given::Times(times)) => *times,
            Some(Given::Values(values)) => values.len(),
        }
    }

    /// The value of a flag; of several the last.
    pub fn value(&self, flag: char) -> Option<&BStr> {
        self.values(flag).last()
    }

    /// All values of a flag that may be given several times (`-e`), in order.
    pub fn values(&self, flag: char) -> impl Iterator<Item = &BStr> {
        let values: &[BString] = match self.given(flag) {
            Some(Given::Values(values)) => values,
            _ => &[],
        };
        values.iter().map(|value| value.as_bstr())
    }

    /// The value of a flag that is a name, a target or a format; what is not UTF-8 is replaced.
    pub fn text(&self, flag: char) -> Option<Cow<'_, str>> {
        self.value(flag).map(|value| value.to_str_lossy())
    }

    /// The value of a flag as a number.
    pub fn number(
        &self,
        flag: char,
        range: RangeInclusive<i64>,
    ) -> Result<Option<i64>, NumberError> {
        self.value(flag).map(|text| parse_number(text, range)).transpose()
    }

    /// The arguments that are no flags.
    pub fn positional(&self) -> &[Value] {
        &self.positional
    }

    /// One of those as text, commands printed; what is not UTF-8 is replaced.
    pub fn text_at(&self, index: usize) -> Option<String> {
        self.positional.get(index).map(|value| value.to_text().to_str_lossy().into_owned())
    }

    /// All of those as bytes, commands printed: an argv.
    pub fn to_argv(&self) -> Vec<BString> {
        self.positional.iter().map(|value| value.to_text().into_owned()).collect()
    }
}

/// Whether a word is a flag: a dash with something after it.
fn is_flags(text: &[u8]) -> bool {
    text.len() > 1 && text[0] == b'-'
}

/// Arguments that do not fit, or a question how they should.
pub(super) enum ArgsFailure {
    Usage,
    Error(ArgsError),
}

impl From<ArgsError> for ArgsFailure {
    fn from(error: ArgsError) -> ArgsFailure {
        ArgsFailure::Error(error)
    }
}

impl fmt::Display for Args {
    /// Switches first, then flags with values, then the rest, as tmux prints them. Each part has a
    /// space before it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut switches = String::new();
        for (flag, given) in &self.flags {
            if let Given::Times(times) = given {
                switches.extend(std::iter::repeat_n(*flag, *times));
            }
        }
        if !switches.is_empty() {
            write!(f, " -{switches}")?;
        }
        for (flag, given) in &self.flags {
            if let Given::Values(values) = given {
                for value in values {
                    write!(f, " -{flag} {}", quote(value))?;
                }
            }
        }
        if matches!(self.positional.first(), Some(Value::Text(text)) if is_flags(text)) {
            f.write_str(" --")?;
        }
        for value in &self.positional {
            match value {
                Value::Text(text) => write!(f, " {}", quote(text))?,
                Value::Commands(commands) if commands.is_empty() => f.write_str(" { }")?,
                Value::Commands(commands) => write!(f, " {{ {commands} }}")?,
            }
        }
        Ok(())
    }
}
