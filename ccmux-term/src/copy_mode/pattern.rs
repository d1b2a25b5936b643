//! What is searched for.

use std::ops::Range;

use regex::{Regex, RegexBuilder};

use super::scan::Direction;

/// Longest text to search for, in bytes.
const NEEDLE_BYTES_MAX: usize = 1024;
/// Memory that a compiled regular expression may take; one that would take more is refused.
const REGEX_BYTES_MAX: usize = 1 << 20;
/// Characters that make a text more than itself, as in tmux.
const META: &[char] = &['^', '$', '*', '+', '(', ')', '?', '[', ']', '.', '\\'];

/// Why something cannot be searched for.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SearchError {
    /// It is no regular expression.
    #[error("bad regular expression: {0}")]
    Syntax(String),
    /// It is one that would take too much memory.
    #[error("regular expression is too big")]
    TooBig,
    /// It is too long.
    #[error("search text is longer than {NEEDLE_BYTES_MAX} bytes")]
    TooLong,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Syntax {
    Text,
    Regex,
}

/// A text or a regular expression, and in which direction it was searched for.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pub(super) needle: String,
    pub(super) direction: Direction,
    pub(super) syntax: Syntax,
    regex: Regex,
}

impl Pattern {
    /// Case counts only if `needle` has an upper case letter.
    pub(super) fn new(
        needle: &str,
        direction: Direction,
        syntax: Syntax,
    ) -> Result<Self, SearchError> {
        if needle.len() > NEEDLE_BYTES_MAX {
            return Err(SearchError::TooLong);
        }
        let is_text = syntax == Syntax::Text || !needle.contains(META);
        let source = if is_text { regex::escape(needle) } else { needle.to_owned() };
        let regex = RegexBuilder::new(&source)
            .case_insensitive(!needle.chars().any(char::is_uppercase))
            .size_limit(REGEX_BYTES_MAX)
            .build();
        match regex {
            Ok(regex) => Ok(Self { needle: needle.to_owned(), direction, syntax, regex }),
            Err(regex::Error::CompiledTooBig(_)) => Err(SearchError::TooBig),
            Err(error) => Err(SearchError::Syntax(reason(&error.to_string()))),
        }
    }

    /// All matches in a line; those of no length are none.
    pub(super) fn matches(&self, text: &str) -> impl Iterator<Item = Range<usize>> {
        self.regex.find_iter(text).map(|found| found.range()).filter(|range| !range.is_empty())
    }
}

/// The last line of an error, which says what is wrong; before it the pattern is shown.
fn reason(error: &str) -> String {
    let last = error.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}
