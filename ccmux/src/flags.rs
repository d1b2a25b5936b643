//! The command line before the command: tmux's global flags.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Parser;

/// A terminal multiplexer that survives the death of its own server.
///
/// Without a command: attaches to the last session, or makes one. The commands, their flags and
/// targets are tmux's; `ccmux list-commands` lists them. Beside them there are `ccmux doctor`,
/// `ccmux backup` and `ccmux restore`, which take `--help`.
#[derive(Debug, Parser)]
#[command(name = "ccmux", version, disable_help_flag = true, override_usage = USAGE)]
pub(crate) struct Flags {
    /// The name of the server, `default` by default.
    #[arg(short = 'L', value_name = "socket-name")]
    pub(crate) label: Option<OsString>,
    /// The path of the server's socket, instead of a name.
    #[arg(short = 'S', value_name = "socket-path")]
    pub(crate) socket_path: Option<PathBuf>,
    /// A configuration file for a server that is started, instead of the default ones; may be
    /// given several times.
    #[arg(short = 'f', value_name = "file")]
    pub(crate) config_files: Vec<PathBuf>,
    /// Do not start a server even if the command would.
    #[arg(short = 'N')]
    pub(crate) never_starts: bool,
    /// Be the server, in the foreground.
    #[arg(short = 'D', conflicts_with = "argv")]
    pub(crate) foreground: bool,
    /// Execute a command with the shell, as a login shell would.
    #[arg(short = 'c', value_name = "shell-command")]
    pub(crate) shell_command: Option<OsString>,
    /// Control mode, which ccmux does not have.
    #[arg(short = 'C', action = clap::ArgAction::Count, hide = true)]
    pub(crate) control_mode: u8,
    /// Accepted for tmux's sake: the terminal's colours are recognised.
    #[arg(short = '2', hide = true)]
    colours: bool,
    /// Accepted for tmux's sake: ccmux is always a login shell's equal.
    #[arg(short = 'l', hide = true)]
    login: bool,
    /// Accepted for tmux's sake: terminals speak UTF-8.
    #[arg(short = 'u', hide = true)]
    utf8: bool,
    /// Accepted for tmux's sake: the server always logs.
    #[arg(short = 'v', action = clap::ArgAction::Count, hide = true)]
    verbose: u8,
    /// Accepted for tmux's sake: the terminal's features are recognised.
    #[arg(short = 'T', value_name = "features", hide = true)]
    features: Vec<String>,
    /// Print help.
    #[arg(long, action = clap::ArgAction::Help)]
    help: Option<bool>,
    /// A command and its arguments; `;` separates several.
    #[arg(value_name = "command", trailing_var_arg = true)]
    pub(crate) argv: Vec<OsString>,
}

const USAGE: &str = "ccmux [-DNV] [-L socket-name | -S socket-path] [-f file] [-c shell-command] \
                     [command [flags]]";

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Flags, clap::Error> {
        Flags::try_parse_from(std::iter::once("ccmux").chain(line.split_whitespace()))
    }

    #[test]
    fn what_follows_the_command_belongs_to_it() {
        let check = |line: &str, label: Option<&str>, argv: &str| {
            let flags = parse(line).unwrap();
            assert_eq!(flags.label.as_deref(), label.map(std::ffi::OsStr::new), "{line}");
            let argv: Vec<&str> = argv.split_whitespace().collect();
            assert_eq!(flags.argv, argv, "{line}");
        };
        check("", None, "");
        check("-L work", Some("work"), "");
        check("-Lwork ls", Some("work"), "ls");
        check("new -d -s x", None, "new -d -s x");
        check(
            "-2u -L a new -L b -V --help -- -x ; ls -F",
            Some("a"),
            "new -L b -V --help -- -x ; ls -F",
        );
        check("send-keys -l -- -2", None, "send-keys -l -- -2");
        check("-- ls", None, "ls");
    }

    #[test]
    fn the_flags_of_tmux_are_accepted() {
        let flags = parse("-2lNuvv -T 256,RGB -f a -f b -S /s -C -c true").unwrap();
        assert!(flags.never_starts);
        assert_eq!(flags.config_files, ["a", "b"].map(PathBuf::from));
        assert_eq!((flags.control_mode, flags.socket_path), (1, Some(PathBuf::from("/s"))));
        assert!(parse("-D").unwrap().foreground);
        assert!(parse("-D ls").is_err());
        assert!(parse("-Z").is_err());
        assert!(parse("-L").is_err());
    }
}
