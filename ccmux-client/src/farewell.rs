//! The line that an attached client leaves behind, in tmux's words.

use ccmux_protocol::ExitReason;

/// The line for a reason, with its end; `None` when there is nothing to say.
pub(crate) fn farewell(reason: &ExitReason) -> Option<Vec<u8>> {
    let text: &[u8] = match reason {
        ExitReason::Done | ExitReason::Replaced { .. } => return None,
        ExitReason::Detached { session } => {
            return Some([b"[detached (from session ", session.as_slice(), b")]\n"].concat());
        }
        ExitReason::HungUp { session } => {
            let start = b"[detached and SIGHUP (from session ";
            return Some([start, session.as_slice(), b")]\n"].concat());
        }
        ExitReason::Exited | ExitReason::Other => b"exited",
        ExitReason::ServerExited => b"server exited",
        ExitReason::Terminated => b"terminated",
        ExitReason::LostTty => b"lost tty",
        ExitReason::Message { text } => text,
    };
    Some([b"[", text, b"]\n"].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_read_as_in_tmux() {
        let check = |reason, expected: &str| {
            let line = farewell(&reason).map(|line| String::from_utf8(line).unwrap());
            assert_eq!(line.unwrap_or_default(), expected);
        };
        check(ExitReason::Done, "");
        check(ExitReason::Detached { session: "0".into() }, "[detached (from session 0)]\n");
        let hung_up = ExitReason::HungUp { session: "0".into() };
        check(hung_up, "[detached and SIGHUP (from session 0)]\n");
        check(ExitReason::Exited, "[exited]\n");
        check(ExitReason::ServerExited, "[server exited]\n");
        check(ExitReason::Terminated, "[terminated]\n");
        check(ExitReason::LostTty, "[lost tty]\n");
        check(ExitReason::Message { text: "too small".into() }, "[too small]\n");
    }
}
