//! Shell patterns as fnmatch(3) knows them, without its flags: `*`, `?`, `[a-z]`, `[!a-z]`,
//! `[[:alpha:]]`, and a backslash before a character that stands for itself.
//!
//! Matching takes at most the product of the two lengths, whatever the pattern.

/// Whether all of `text` matches `pattern`. With `ignore_case` letters match both their cases.
pub fn matches(pattern: &str, text: &str, ignore_case: bool) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // Where to go on when a try fails: after the last star, one more character of text under it.
    let mut retry = None;
    while t < text.len() {
        if pattern.get(p) == Some(&'*') {
            p += 1;
            retry = Some((p, t + 1));
            continue;
        }
        if let Some(len) = one(&pattern[p..], text[t], ignore_case) {
            p += len;
            t += 1;
            continue;
        }
        let Some((after_star, next)) = retry else { return false };
        (p, t) = (after_star, next);
        retry = Some((after_star, next + 1));
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// How much of the pattern the character takes, if it fits.
fn one(pattern: &[char], c: char, ignore_case: bool) -> Option<usize> {
    match pattern {
        [] => None,
        ['?', ..] => Some(1),
        ['[', rest @ ..] => match bracket(rest, c, ignore_case) {
            Some((true, len)) => Some(len + 1),
            Some((false, _)) => None,
            // Without its end a bracket is a character like others.
            None => (c == '[').then_some(1),
        },
        ['\\', escaped, ..] => same(*escaped, c, ignore_case).then_some(2),
        [first, ..] => same(*first, c, ignore_case).then_some(1),
    }
}

fn same(a: char, b: char, ignore_case: bool) -> bool {
    a == b || ignore_case && a.to_lowercase().eq(b.to_lowercase())
}

/// Whether a character is in the set after `[`, and the length of the set with its `]`; `None` if
/// it does not end.
fn bracket(pattern: &[char], c: char, ignore_case: bool) -> Option<(bool, usize)> {
    let negated = matches!(pattern.first(), Some('!' | '^'));
    let mut at = usize::from(negated);
    let first = at;
    let mut found = false;
    loop {
        match pattern.get(at..)? {
            [']', ..] if at > first => return Some((found != negated, at + 1)),
            ['[', ':', rest @ ..] => {
                let len = rest.windows(2).position(|pair| pair == [':', ']'])?;
                let name: String = rest[..len].iter().collect();
                found |= in_class(&name, c);
                at += len + 4;
            }
            ['\\', escaped, ..] => {
                found |= same(*escaped, c, ignore_case);
                at += 2;
            }
            [low, '-', high, ..] if *high != ']' => {
                let within = |c: char| (*low..=*high).contains(&c);
                found |= within(c)
                    || ignore_case
                        && (c.to_lowercase().any(within) || c.to_uppercase().any(within));
                at += 3;
            }
            [only, ..] => {
                found |= same(*only, c, ignore_case);
                at += 1;
            }
            [] => return None,
        }
    }
}

fn in_class(name: &str, c: char) -> bool {
    match name {
        "alpha" => c.is_alphabetic(),
        "digit" => c.is_ascii_digit(),
        "alnum" => c.is_alphanumeric(),
        "upper" => c.is_uppercase(),
        "lower" => c.is_lowercase(),
        "space" => c.is_whitespace(),
        "blank" => matches!(c, ' ' | '\t'),
        "punct" => c.is_ascii_punctuation(),
        "print" => !c.is_control(),
        "graph" => !c.is_control() && !c.is_whitespace(),
        "cntrl" => c.is_control(),
        "xdigit" => c.is_ascii_hexdigit(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns_match_as_fnmatch_does() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "abc", true),
            ("a*c", "abc", true),
            ("a*c", "abcd", false),
            ("*b*", "abc", true),
            ("a*b*c*d", "a1b2c3c4d", true),
            ("?", "é", true),
            ("??", "é", false),
            ("[abc]x", "bx", true),
            ("[!abc]x", "bx", false),
            ("[^abc]x", "dx", true),
            ("[a-c]", "b", true),
            ("[a-c]", "d", false),
            ("[]a]", "]", true),
            ("[a-]", "-", true),
            ("[[:digit:]]*", "1a", true),
            ("[[:digit:]]", "a", false),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("[\\]]", "]", true),
            ("[a", "[a", true),
            ("[a", "a", false),
            ("ABC", "abc", false),
            ("a\\", "a\\", true),
        ] {
            assert_eq!(matches(pattern, text, false), expected, "{pattern} {text}");
        }
        assert!(matches("ÄB[c-d]*", "äbCd", true));
    }

    /// A pattern that makes naive matching exponential.
    #[test]
    fn many_stars_take_no_time() {
        assert!(!matches(&"a*".repeat(200), &"a".repeat(2000).replace("aaaaaaaaaa", "b"), false));
        assert!(!matches(&format!("{}b", "*a".repeat(100)), &"a".repeat(3000), false));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn no_pattern_panics_and_literals_match(pattern in "[a-c*?\\[\\]!^:\\\\-]{0,12}", text in "\\PC{0,6}") {
            let _ = matches(&pattern, &text, true);
            let literal: String = text.chars().flat_map(|c| ['\\', c]).collect();
            prop_assert!(matches(&literal, &text, false));
        }
    }
}
