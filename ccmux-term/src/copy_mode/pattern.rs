//! What is searched for.
//!
//! Of several matches that begin at one place the longest is meant, as POSIX has it and tmux after
//! it (`regexec`); the `regex` crate takes the first alternative that matches. Both begin at the same
//! place, the leftmost. So a match is found as usual, and how far it reaches is asked of an automaton
//! that follows all alternatives.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use regex::{Regex, RegexBuilder};
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input, MatchKind};

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
    /// `None` for a text, all of whose matches are as long as it.
    longest: Option<Longest>,
}

/// Tells how far matches reach.
#[derive(Debug)]
struct Longest {
    dfa: DFA,
    cache: Mutex<Cache>,
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
        let ignores_case = !needle.chars().any(char::is_uppercase);
        let regex = RegexBuilder::new(&source)
            .case_insensitive(ignores_case)
            .size_limit(REGEX_BYTES_MAX)
            .build();
        match regex {
            Ok(regex) => {
                let longest = if is_text { None } else { Longest::new(&source, ignores_case) };
                Ok(Self { needle: needle.to_owned(), direction, syntax, regex, longest })
            }
            Err(regex::Error::CompiledTooBig(_)) => Err(SearchError::TooBig),
            Err(error) => Err(SearchError::Syntax(reason(&error.to_string()))),
        }
    }

    /// All matches in a line; those of no length are none.
    pub(super) fn matches(&self, text: &str) -> impl Iterator<Item = Range<usize>> {
        let mut at = 0;
        let next = move || {
            let found = (at <= text.len()).then(|| self.regex.find_at(text, at))??.range();
            let end = match &self.longest {
                Some(longest) => longest.end(text, found.start).unwrap_or(found.end),
                None => found.end,
            };
            at = match end > found.start {
                true => end,
                false => end + text[end..].chars().next().map_or(1, char::len_utf8),
            };
            Some(found.start..end)
        };
        std::iter::from_fn(next).filter(|range| !range.is_empty())
    }
}

impl Longest {
    /// `None` if it would take too much memory: then matches reach as far as their first alternative.
    fn new(source: &str, ignores_case: bool) -> Option<Self> {
        let dfa = DFA::builder()
            .configure(DFA::config().match_kind(MatchKind::All).unicode_word_boundary(true))
            .syntax(syntax::Config::new().case_insensitive(ignores_case))
            .thompson(thompson::Config::new().nfa_size_limit(Some(REGEX_BYTES_MAX)))
            .build(source)
            .ok()?;
        let cache = Mutex::new(dfa.create_cache());
        Some(Self { dfa, cache })
    }

    /// Where the longest match that begins at `start` ends. `None` if there is none, or if the
    /// automaton cannot tell: next to a word boundary beside characters outside ASCII.
    fn end(&self, text: &str, start: usize) -> Option<usize> {
        let input = Input::new(text).range(start..).anchored(Anchored::Yes);
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        Some(self.dfa.try_search_fwd(&mut cache, &input).ok()??.offset())
    }
}

impl Clone for Longest {
    fn clone(&self) -> Self {
        Self { dfa: self.dfa.clone(), cache: Mutex::new(self.dfa.create_cache()) }
    }
}

/// The last line of an error, which says what is wrong; before it the pattern is shown.
fn reason(error: &str) -> String {
    let last = error.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `regexec` finds them, which was asked for those without Perl's additions.
    #[test]
    fn of_matches_at_one_place_the_longest_is_meant() {
        for (needle, text, expected) in [
            ("(foo|foobar)", "xfoobar foo", &["foobar", "foo"] as &[&str]),
            ("(a|ab)(c|bcd)?", "abcd ac a", &["abcd", "ac", "a"]),
            ("(a?)(ab)?", "ab", &["ab"]),
            ("x*", "axxbx", &["xx", "x"]),
            ("(x|xy|xyz)*", "xyxyz!", &["xyxyz"]),
            ("^(o|on|one)", "one one", &["one"]),
            ("(e|ne)$", "one one", &["ne"]),
            ("(Stra|Straße)", "Straße Stra", &["Straße", "Stra"]),
            ("(stra|straße)", "STRASSE Straße", &["STRA", "Straße"]),
            // What is none of POSIX keeps to its rule.
            ("a.*?b", "a1b2b", &["a1b2b"]),
            (r"\b(w|wo)\b", "w wo won", &["w", "wo"]),
            // A text is itself.
            ("a|ab", "ab a|ab", &["a|ab"]),
        ] {
            for pattern in [
                Pattern::new(needle, Direction::Forward, Syntax::Regex).unwrap(),
                Pattern::new(needle, Direction::Forward, Syntax::Regex).unwrap().clone(),
            ] {
                let found: Vec<&str> = pattern.matches(text).map(|range| &text[range]).collect();
                assert_eq!(found, expected, "{needle} in {text}");
            }
        }
    }

    /// Beside characters outside ASCII a word boundary is left to the other engine.
    #[test]
    fn where_the_automaton_cannot_tell_a_match_is_found_all_the_same() {
        let pattern = Pattern::new(r"\b(ä|äö)", Direction::Forward, Syntax::Regex).unwrap();
        let found: Vec<_> = pattern.matches("ö äö").collect();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].start, 3);
    }
}
