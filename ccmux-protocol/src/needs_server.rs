//! Which command lines start a server where none runs.

use bstr::BString;
use ccmux_core::command::{ParseContext, parse_argv};

/// Whether the command line of a client starts a server: an empty one (attach, or make a session)
/// does, and one with a command whose spec says so. A command line that does not parse does not;
/// there is no server then to say what is wrong with it.
pub fn starts_server(argv: &[BString]) -> bool {
    argv.is_empty()
        || parse_argv(argv, &ParseContext::bare())
            .is_ok_and(|list| list.commands.iter().any(|command| command.spec.starts_server))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As tmux 3.3a does with a socket that is not there.
    #[test]
    fn command_lines_start_a_server_as_in_tmux() {
        let check = |line: &str, expected: bool| {
            let argv: Vec<BString> = line.split_whitespace().map(BString::from).collect();
            assert_eq!(starts_server(&argv), expected, "{line:?}");
        };
        for line in ["", "new", "new-session -d", "attach", "a", "at", "start", "start-server"] {
            check(line, true);
        }
        for line in ["list-commands", "lscm new", "list-keys", "lsk -N"] {
            check(line, true);
        }
        for line in ["ls ; new -d", "ls; start"] {
            check(line, true);
        }
        for line in ["ls", "has-session", "has -t x", "new-window", "kill-server", "kill-session"] {
            check(line, false);
        }
        for line in ["source-file /dev/null", "show-options -g", "set -g status off", "detach"] {
            check(line, false);
        }
        for line in ["bind-key x display", "display-message x", "ne", "foo", "new-session -Z"] {
            check(line, false);
        }
    }
}
