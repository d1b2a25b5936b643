//! Finding one's way in the text of a format.

/// The position of the first byte of `ends` that is not within `#{...}` and not escaped by `#`.
pub(super) fn skip(text: &str, ends: &[u8]) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 0usize;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte == b'#'
            && let Some(b',' | b'#' | b'{' | b'}' | b':') = bytes.get(at + 1)
        {
            depth += usize::from(bytes[at + 1] == b'{');
            at += 2;
            continue;
        }
        if byte == b'}' && depth > 0 {
            depth -= 1;
            if depth > 0 || !ends.contains(&b'}') {
                at += 1;
                continue;
            }
        }
        if depth == 0 && ends.contains(&byte) {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// Takes the `#` off escaped characters that are not within `#{...}`.
pub(super) fn strip(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut depth = 0usize;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('#', Some(next @ (',' | '#' | '{' | '}' | ':'))) => {
                depth += usize::from(*next == '{');
                if depth > 0 {
                    result.push('#');
                }
                result.extend(chars.next());
            }
            ('}', _) => {
                depth = depth.saturating_sub(1);
                result.push(c);
            }
            _ => result.push(c),
        }
    }
    result
}

/// Divides at the first comma that counts.
pub(super) fn split_comma(text: &str) -> Option<(&str, &str)> {
    let at = skip(text, b",")?;
    Some((&text[..at], &text[at + 1..]))
}

/// The position of the `)` that closes a `(` before `text`.
pub(super) fn closing_parenthesis(text: &str) -> Option<usize> {
    let mut depth = 1usize;
    text.bytes().position(|byte| {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        depth == 0
    })
}

/// Characters that mean something to sh(1), with a backslash before each.
pub(super) fn quote_for_shell(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for c in text.chars() {
        if "|&;<>()$`\\\"'*?[# =%".contains(c) {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted
}

/// The last part of a path, as basename(3).
pub(super) fn basename(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    match (path, trimmed) {
        ("", _) => ".",
        (_, "") => "/",
        _ => trimmed.rsplit('/').next().unwrap_or(trimmed),
    }
}

/// A path without its last part, as dirname(3).
pub(super) fn dirname(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    match trimmed.rfind('/') {
        _ if trimmed.is_empty() && !path.is_empty() => "/",
        None => ".",
        Some(at) => match trimmed[..at].trim_end_matches('/') {
            "" => "/",
            parent => parent,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_found_outside_of_braces_and_escapes() {
        for (text, ends, expected) in [
            ("a,b", ",", Some(1)),
            ("#{a,b},c", ",", Some(6)),
            ("#{a#{b,}},c", ",", Some(9)),
            ("a#,b,c", ",", Some(4)),
            ("a##,b", ",", Some(3)),
            ("#{a}", "}", Some(3)),
            ("#{a#}b}", "}", Some(6)),
            ("#{a#{b}}c}", "}", Some(7)),
            ("a}", ",", None),
            ("#{a,", ",", None),
        ] {
            assert_eq!(skip(text, ends.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn escapes_are_taken_off_outside_of_braces() {
        assert_eq!(strip("%H#:%M#,##"), "%H:%M,#");
        assert_eq!(strip("#{a#,b}#}"), "#{a#,b}}");
        assert_eq!(strip("#"), "#");
    }

    #[test]
    fn paths_divide_as_in_posix() {
        for (path, dir, base) in [
            ("/usr/lib", "/usr", "lib"),
            ("/usr/", "/", "usr"),
            ("usr", ".", "usr"),
            ("/", "/", "/"),
            ("//", "/", "/"),
            ("", ".", "."),
            (".", ".", "."),
            ("a//b//", "a", "b"),
        ] {
            assert_eq!((dirname(path), basename(path)), (dir, base), "{path}");
        }
    }
}
