//! Regular expressions in formats: `#{m/r:...}` and `#{s/.../.../:...}`.

use regex::{Captures, Regex, RegexBuilder};

use super::expand::VALUE_MAX;

/// What a compiled expression may take; people's patterns take a few hundred bytes.
const REGEX_BYTES_MAX: usize = 256 * 1024;

/// Compiles an expression; `None` if it is none or too large.
pub(super) fn regex(pattern: &str, ignore_case: bool) -> Option<Regex> {
    let mut builder = RegexBuilder::new(pattern);
    builder.case_insensitive(ignore_case).size_limit(REGEX_BYTES_MAX).build().ok()
}

/// Replaces each match; in the replacement `\1` to `\9` stand for groups and `\0` for the match.
/// A pattern that begins with `^` matches once. Without a valid pattern the text stays.
pub(super) fn substitute(text: &str, pattern: &str, with: &str, ignore_case: bool) -> String {
    let Some(regex) = regex(pattern, ignore_case) else { return text.to_owned() };
    let mut result = String::new();
    let mut copied = 0;
    for captures in regex.captures_iter(text) {
        let whole = captures.get_match();
        result.push_str(&text[copied..whole.start()]);
        push_replacement(&mut result, with, &captures);
        copied = whole.end();
        if pattern.starts_with('^') || result.len() > VALUE_MAX {
            break;
        }
    }
    result.push_str(&text[copied..]);
    result
}

fn push_replacement(result: &mut String, with: &str, captures: &Captures<'_>) {
    let mut chars = with.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            result.push(c);
            continue;
        }
        match chars.next() {
            Some(digit @ '0'..='9') => {
                let group = digit as usize - '0' as usize;
                result.push_str(captures.get(group).map_or("", |group| group.as_str()));
            }
            Some(other) => result.push(other),
            None => result.push('\\'),
        }
        if result.len() > VALUE_MAX {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_are_replaced() {
        for (text, pattern, with, expected) in [
            ("alpha", "a", "X", "XlphX"),
            ("alpha", "(a)(l)", r"\2\1", "lapha"),
            ("alpha", "^a", "X", "Xlpha"),
            ("aaa", "^a", "X", "Xaa"),
            ("alpha", "x*", "-", "-a-l-p-h-a-"),
            ("alpha", "(", "X", "alpha"),
            ("alpha", "l", r"<\0\1\\>", r"a<l\>pha"),
            ("日本", "本", "x", "日x"),
            ("", "a", "X", ""),
        ] {
            assert_eq!(substitute(text, pattern, with, false), expected, "{pattern} {with}");
        }
        assert_eq!(substitute("aAbB", "a", "x", true), "xxbB");
    }

    #[test]
    fn growth_is_bounded() {
        let long = "a".repeat(60_000);
        assert!(substitute(&long, "a", &long, false).len() < 4 * VALUE_MAX);
        assert!(substitute("a", "(a)", &r"\1".repeat(VALUE_MAX), false).len() <= VALUE_MAX + 1);
        assert!(regex("(a{1000}){1000}", false).is_none());
    }
}
