//! What a client's terminal understands: by its names and what it answered, and by what options say
//! of such names.

use ccmux_core::options::View;
use ccmux_core::pattern;
use ccmux_protocol::Hello;
use ccmux_term::compose::OutputCaps;

use super::identity::Identity;

/// What a terminal understands; `options` are the server's.
pub(crate) fn caps(hello: &Hello, identity: &Identity, options: View<'_>) -> OutputCaps {
    let text =
        |value: &Option<bstr::BString>| value.as_ref().map(ToString::to_string).unwrap_or_default();
    let term = text(&hello.term);
    let guess = OutputCaps::from_env(&term, &text(&hello.colorterm), &text(&hello.term_program))
        .with_program(identity.version.as_deref().unwrap_or_default())
        .with_extensions(&identity.extensions);
    let features = said_of(&term, options, "terminal-features").into_iter();
    let guess = features.fold(guess, |caps, name| caps.with_feature(&name));
    let overrides = said_of(&term, options, "terminal-overrides").into_iter();
    overrides.fold(guess, |caps, capability| caps.with_override(&capability))
}

/// What an array of `pattern:item:item` says of a terminal.
fn said_of(term: &str, options: View<'_>, name: &str) -> Vec<String> {
    let entries = options.array(name).into_iter();
    let of_term = entries.filter_map(|(_, entry)| {
        let mut items = items(entry).into_iter();
        let is_meant = pattern::matches(&items.next()?, term, false);
        is_meant.then_some(items)
    });
    of_term.flatten().collect()
}

/// The parts between colons; two colons are one that divides nothing.
fn items(entry: &str) -> Vec<String> {
    let mut items = vec![String::new()];
    let mut rest = entry.chars().peekable();
    while let Some(c) = rest.next() {
        match (c, rest.peek()) {
            (':', Some(':')) => {
                rest.next();
                push(&mut items, ':');
            }
            (':', _) => items.push(String::new()),
            (c, _) => push(&mut items, c),
        }
    }
    items
}

fn push(items: &mut [String], c: char) {
    if let Some(last) = items.last_mut() {
        last.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_divided_by_single_colons() {
        assert_eq!(items("xterm*:RGB:Sync"), ["xterm*", "RGB", "Sync"]);
        assert_eq!(items("*:Smulx=\\E[4::%p1%dm:Tc"), ["*", "Smulx=\\E[4:%p1%dm", "Tc"]);
        assert_eq!(items(""), [""]);
    }
}
