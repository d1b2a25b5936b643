//! What the modifiers of one `#{...:...}` ask for, put together.

use crate::command::parse_number;

use super::styled::{CellOf, display_width, first_columns, last_columns, pad};
use super::text::{basename, dirname, quote_for_shell, strip};
use super::time;

/// What the modifiers of one `#{...}` ask for.
#[derive(Default)]
pub(super) struct Effects {
    pub(super) source: Source,
    pub(super) time: Option<TimeForm>,
    pub(super) basename: bool,
    pub(super) dirname: bool,
    pub(super) quote: Option<Quote>,
    pub(super) again: Option<Again>,
    pub(super) substitutions: Vec<Substitution>,
    /// Columns that stay: the first ones, or with a negative number the last.
    pub(super) limit: i64,
    /// What marks a cut.
    pub(super) marker: Option<String>,
    /// Columns to pad to.
    pub(super) width: i64,
    pub(super) measure: Option<Measure>,
}

/// Where the value comes from.
#[derive(Default)]
pub(super) enum Source {
    #[default]
    Variable,
    Literal,
    Character,
    Colour,
    Sessions,
    Windows,
    Panes,
    WindowNamed,
    SessionNamed,
    Search(Flags),
    Compare(Comparison),
    Arithmetic(Vec<String>),
}

pub(super) enum Comparison {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Match(Flags),
}

impl Comparison {
    /// How it is written.
    pub(super) fn sign(&self) -> &'static str {
        match self {
            Comparison::Or => "||",
            Comparison::And => "&&",
            Comparison::Equal => "==",
            Comparison::NotEqual => "!=",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
            Comparison::Match(_) => "m",
        }
    }
}

pub(super) struct Flags {
    pub(super) is_regex: bool,
    pub(super) ignore_case: bool,
}

impl Flags {
    pub(super) fn of(arguments: &[String]) -> Flags {
        let has = |flag| arguments.first().is_some_and(|flags| flags.contains(flag));
        Flags { is_regex: has('r'), ignore_case: has('i') }
    }
}

pub(super) enum TimeForm {
    Pretty,
    Format(String),
}

pub(super) enum Quote {
    Shell,
    Hash,
}

pub(super) enum Again {
    Plain,
    Time,
}

pub(super) enum Measure {
    Length,
    Width,
}

pub(super) struct Substitution {
    pub(super) pattern: String,
    pub(super) with: String,
    pub(super) ignore_case: bool,
}

impl Effects {
    pub(super) fn add(&mut self, name: &str, arguments: Vec<String>) {
        let first = arguments.first().map_or("", String::as_str);
        match name {
            "l" => self.source = Source::Literal,
            "a" => self.source = Source::Character,
            "c" => self.source = Source::Colour,
            "S" => self.source = Source::Sessions,
            "W" => self.source = Source::Windows,
            "P" => self.source = Source::Panes,
            "N" if first.contains('s') => self.source = Source::SessionNamed,
            "N" => self.source = Source::WindowNamed,
            "C" => self.source = Source::Search(Flags::of(&arguments)),
            "e" => self.source = Source::Arithmetic(arguments),
            "m" => self.source = Source::Compare(Comparison::Match(Flags::of(&arguments))),
            "||" => self.source = Source::Compare(Comparison::Or),
            "&&" => self.source = Source::Compare(Comparison::And),
            "==" => self.source = Source::Compare(Comparison::Equal),
            "!=" => self.source = Source::Compare(Comparison::NotEqual),
            "<" => self.source = Source::Compare(Comparison::Less),
            "<=" => self.source = Source::Compare(Comparison::LessOrEqual),
            ">" => self.source = Source::Compare(Comparison::Greater),
            ">=" => self.source = Source::Compare(Comparison::GreaterOrEqual),
            "b" => self.basename = true,
            "d" => self.dirname = true,
            "n" => self.measure = Some(Measure::Length),
            "w" => self.measure = Some(Measure::Width),
            "E" => self.again = Some(Again::Plain),
            "T" => self.again = Some(Again::Time),
            "q" if first.contains(['e', 'h']) => self.quote = Some(Quote::Hash),
            "q" if arguments.is_empty() => self.quote = Some(Quote::Shell),
            "t" => {
                self.time = Some(match arguments.get(1) {
                    _ if first.contains('p') => TimeForm::Pretty,
                    Some(format) if first.contains('f') => TimeForm::Format(strip(format)),
                    _ => TimeForm::Format(time::CTIME.to_owned()),
                });
            }
            "=" => {
                self.limit = number(first);
                self.marker = arguments.get(1).cloned();
            }
            "p" => self.width = number(first),
            "s" => self.add_substitution(arguments),
            _ => {}
        }
    }

    /// Turns a path into one of its parts, and quotes.
    pub(super) fn refine(&self, value: &str) -> String {
        let mut value = value;
        if self.basename {
            value = basename(value);
        }
        if self.dirname {
            value = dirname(value);
        }
        match self.quote {
            Some(Quote::Shell) => quote_for_shell(value),
            Some(Quote::Hash) => value.replace('#', "##"),
            None => value.to_owned(),
        }
    }

    fn add_substitution(&mut self, arguments: Vec<String>) {
        let mut arguments = arguments.into_iter();
        let (Some(pattern), Some(with)) = (arguments.next(), arguments.next()) else { return };
        let ignore_case = arguments.next().is_some_and(|flags| flags.contains('i'));
        self.substitutions.push(Substitution { pattern, with, ignore_case });
    }

    /// Cuts, pads and measures.
    pub(super) fn fit(&self, value: String, cell: &CellOf<'_>) -> String {
        let value = match self.width {
            0 => self.cut(value, cell),
            width => pad(self.cut(value, cell), width, cell),
        };
        match self.measure {
            None => value,
            Some(Measure::Length) => value.len().to_string(),
            Some(Measure::Width) => display_width(&value, cell).to_string(),
        }
    }

    fn cut(&self, value: String, cell: &CellOf<'_>) -> String {
        let columns = usize::try_from(self.limit.unsigned_abs()).unwrap_or(usize::MAX);
        let cut = match self.limit {
            0 => return value,
            1.. => first_columns(&value, columns, cell),
            _ => last_columns(&value, columns, cell),
        };
        match &self.marker {
            Some(marker) if cut != value && self.limit > 0 => cut + marker,
            Some(marker) if cut != value => marker.clone() + &cut,
            _ => cut,
        }
    }
}

/// A number of columns; what is none is 0.
fn number(text: &str) -> i64 {
    parse_number(text.as_bytes(), i64::from(i32::MIN)..=i64::from(i32::MAX)).unwrap_or(0)
}
