//! The environment of a pane's program: the server's, scrubbed, then ours, the session's and the
//! pane's own.

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice};
use ccmux_core::model::Environment;

/// Variables that describe whoever started the server, and would mislead programs in panes: other
/// multiplexers, agents, and the terminal outside.
const SCRUBBED: &[&str] = &[
    "CCMUX",
    "CCMUX_PANE",
    "CLAUDECODE",
    "COLORTERM",
    "COLUMNS",
    "KITTY_WINDOW_ID",
    "LINES",
    "OLDPWD",
    "PWD",
    "SHLVL",
    "STY",
    "TERM",
    "TERMCAP",
    "TERM_PROGRAM",
    "TERM_PROGRAM_VERSION",
    "TMUX",
    "TMUX_PANE",
    "TMUX_PLUGIN_MANAGER_PATH",
    "VTE_VERSION",
    "WINDOW",
    "WINDOWID",
    "_",
];

/// Families of variables that go for the same reason.
const SCRUBBED_PREFIXES: &[&str] =
    &["CLAUDE_CODE_", "GHOSTTY_", "HERDR_", "ITERM_", "KONSOLE_", "WEZTERM_", "ZELLIJ"];

/// Agent settings that share a scrubbed prefix but are a person's own choice.
const KEPT: &[&str] = &[
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
    "CLAUDE_CODE_MAX_OUTPUT_TOKENS",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_VERTEX",
];

/// What is left of an environment once it no longer names its origin.
pub(crate) fn scrubbed(
    variables: impl IntoIterator<Item = (BString, BString)>,
) -> BTreeMap<BString, BString> {
    variables.into_iter().filter(|(name, _)| !is_scrubbed(name.as_bstr())).collect()
}

fn is_scrubbed(name: &BStr) -> bool {
    let is_listed = |list: &[&str]| list.iter().any(|entry| name == entry);
    let has_prefix = SCRUBBED_PREFIXES.iter().any(|prefix| name.starts_with(prefix.as_bytes()));
    is_listed(SCRUBBED) || (has_prefix && !is_listed(KEPT))
}

/// Applies entries over an environment; hidden variables go.
pub(crate) fn overlay(environment: &mut BTreeMap<BString, BString>, entries: &Environment) {
    for (name, value) in entries {
        match value {
            Some(value) => environment.insert(name.clone(), value.clone()),
            None => environment.remove(name),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_starter_reaches_a_pane() {
        let starter = [
            ("HOME", "/home/me"),
            ("TMUX", "/run/x,1,0"),
            ("CLAUDECODE", "1"),
            ("CLAUDE_CODE_CHILD_SESSION", "1"),
            ("CLAUDE_CODE_USE_BEDROCK", "1"),
            ("ZELLIJ_SESSION_NAME", "z"),
            ("TERM", "dumb"),
        ];
        let left = scrubbed(starter.map(|(name, value)| (name.into(), value.into())));
        let names: Vec<_> = left.keys().map(ToString::to_string).collect();
        assert_eq!(names, ["CLAUDE_CODE_USE_BEDROCK", "HOME"]);
    }

    #[test]
    fn later_entries_win_and_hidden_ones_go() {
        let mut environment = scrubbed([("A".into(), "1".into()), ("B".into(), "2".into())]);
        let entries = [("A".into(), None), ("B".into(), Some("3".into()))].into();
        overlay(&mut environment, &entries);
        assert_eq!(environment, [("B".into(), "3".into())].into());
    }
}
