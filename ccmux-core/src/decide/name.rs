//! Names of sessions and windows.

use bstr::ByteSlice;

use crate::change::OptionScope;
use crate::model::{Program, State};

use super::CommandError;

/// The name a session gets when somebody asks for `name`: `:` and `.`, which divide targets, and
/// control characters become `_`.
pub fn session_name(name: &str) -> Result<String, CommandError> {
    if name.is_empty() {
        return Err(CommandError::InvalidSessionName(name.to_owned()));
    }
    let clean = |c: char| if c == ':' || c == '.' || c.is_control() { '_' } else { c };
    Ok(name.chars().map(clean).collect())
}

/// The name of a new window: that of the program that starts in it.
pub(super) fn window_name(state: &State, scope: OptionScope, program: &Program) -> String {
    let options = state.options(scope);
    match &program.argv[..] {
        [] => match options.string("default-command") {
            "" => command_name(options.string("default-shell")),
            command => command_name(command),
        },
        [command, ..] => command_name(&command.to_str_lossy()),
    }
}

/// The program that a shell command starts, for people: its first word without directories.
fn command_name(command: &str) -> String {
    let command = command.trim_start_matches([' ', '"', '\'']);
    let command = command.strip_prefix("exec ").unwrap_or(command);
    let command = command.trim_start_matches([' ', '-', '"', '\'']);
    let word = command.split([' ', '"', '\'', ';', '|', '&']).next().unwrap_or_default();
    let base = word.rsplit('/').find(|part| !part.is_empty()).unwrap_or(word);
    base.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_names_hold_no_separators() {
        for (asked, given) in [("a", "a"), ("x:y.z", "x_y_z"), ("é\n", "é_"), ("..", "__")] {
            assert_eq!(session_name(asked).as_deref(), Ok(given));
        }
        assert_eq!(session_name(""), Err(CommandError::InvalidSessionName(String::new())));
    }

    #[test]
    fn windows_are_named_after_their_program() {
        for (command, name) in [
            ("sleep 100", "sleep"),
            ("/bin/sleep 100", "sleep"),
            ("exec  vim x", "vim"),
            ("  top", "top"),
            ("cd /tmp; ls", "cd"),
            ("\"/opt/a\" b", "a"),
            ("-bash", "bash"),
            ("./run.sh", "run.sh"),
            ("/", "/"),
            ("", ""),
        ] {
            assert_eq!(command_name(command), name, "{command}");
        }
    }
}
