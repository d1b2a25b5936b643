//! What stands before the colon in `#{...:...}`.

use super::text::skip;

/// One modifier: its name and its arguments, which are not expanded yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Modifier<'t> {
    pub(super) name: &'t str,
    pub(super) arguments: Vec<&'t str>,
}

/// Names of one letter that never take arguments.
const BARE: &str = "labcdnwETSWP<>";
const DOUBLE: [&str; 6] = ["||", "&&", "!=", "==", "<=", ">="];
/// Names of one letter that may take arguments.
const WITH_ARGUMENTS: &str = "mCNst=peq";

/// Divides `modifiers:rest`; what has no modifiers is all rest. Modifiers are divided by `;`, and
/// their arguments are one text (`=5`), or several between any punctuation (`s/a/b/`).
pub(super) fn divide(text: &str) -> (Vec<Modifier<'_>>, &str) {
    let mut modifiers = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.strip_prefix(';').unwrap_or(rest);
        if let Some(after) = rest.strip_prefix(':') {
            return (modifiers, after);
        }
        match one(rest) {
            Some((modifier, after)) => {
                modifiers.push(modifier);
                rest = after;
            }
            None => return (Vec::new(), text),
        }
    }
}

fn is_at_end(text: &str) -> bool {
    text.starts_with([';', ':'])
}

/// A modifier at the start of a text, and what follows it.
fn one(text: &str) -> Option<(Modifier<'_>, &str)> {
    let bare = |len: usize| {
        let (name, after) = text.split_at_checked(len)?;
        is_at_end(after).then_some((Modifier { name, arguments: Vec::new() }, after))
    };
    if text.starts_with(|c| BARE.contains(c))
        && let Some(found) = bare(1)
    {
        return Some(found);
    }
    if DOUBLE.iter().any(|double| text.starts_with(double))
        && let Some(found) = bare(2)
    {
        return Some(found);
    }
    if !text.starts_with(|c| WITH_ARGUMENTS.contains(c)) {
        return None;
    }
    if let Some(found) = bare(1) {
        return Some(found);
    }
    let (name, after) = text.split_at(1);
    let (arguments, after) = arguments(after)?;
    Some((Modifier { name, arguments }, after))
}

fn arguments(text: &str) -> Option<(Vec<&str>, &str)> {
    let first = text.bytes().next()?;
    if !first.is_ascii_punctuation() || first == b'-' {
        let end = skip(text, b":;")?;
        return Some((vec![&text[..end]], &text[end..]));
    }
    let ends = [first, b':', b';'];
    let mut arguments = Vec::new();
    let mut rest = text;
    // Here `rest` begins with the divider.
    loop {
        let after = &rest[1..];
        if is_at_end(after) {
            return Some((arguments, after));
        }
        let end = skip(after, &ends)?;
        arguments.push(&after[..end]);
        rest = &after[end..];
        if is_at_end(rest) {
            return Some((arguments, rest));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str) -> String {
        let (modifiers, rest) = divide(text);
        let shown: Vec<String> = modifiers
            .iter()
            .map(|modifier| format!("{}({})", modifier.name, modifier.arguments.join("|")))
            .collect();
        format!("{} {rest}", shown.join(" "))
    }

    #[test]
    fn modifiers_are_divided_from_names() {
        for (text, expected) in [
            ("session_name", " session_name"),
            (":x", " x"),
            ("b:x", "b() x"),
            ("T;=/10:x", "T() =(10) x"),
            ("=/10/..:x", "=(10|..) x"),
            ("=-5:x", "=(-5) x"),
            ("p10;=5:x", "p(10) =(5) x"),
            ("==:a,b", "==() a,b"),
            ("<:a,b", "<() a,b"),
            ("<=:a,b", "<=() a,b"),
            ("m/ri:a,b", "m(ri) a,b"),
            ("s/a/b/:x", "s(a|b) x"),
            ("s/a/b:x", "s(a|b) x"),
            ("s/a/b/i;=5:x", "s(a|b|i) =(5) x"),
            ("s|a|b|:x", "s(a|b) x"),
            ("s/a//:x", "s(a|) x"),
            ("e|+|f|4:1,2", "e(+|f|4) 1,2"),
            ("e|+||4:1,2", "e(+||4) 1,2"),
            ("t/f/%H#:%M:x", "t(f|%H#:%M) x"),
            ("=/#{a:b}:x", "=(#{a:b}) x"),
            ("foo:x", " foo:x"),
            ("bx:x", " bx:x"),
            ("=5", " =5"),
            ("s/a", " s/a"),
            ("é:x", " é:x"),
            ("sé:x", "s(é) x"),
        ] {
            assert_eq!(show(text), expected, "{text}");
        }
    }
}
