//! What an expansion did, in tmux's words, for whoever looks for a mistake in a format.

use std::cell::RefCell;

/// More than so many bytes are not logged; the log ends with a line that says so.
const LOG_BYTES_MAX: usize = 1024 * 1024;

/// A log, if one is wanted.
#[derive(Default)]
pub(super) struct Log(Option<RefCell<Lines>>);

#[derive(Default)]
struct Lines {
    lines: Vec<String>,
    bytes: usize,
}

impl Log {
    /// A log that is kept.
    pub(super) fn kept() -> Log {
        Log(Some(RefCell::default()))
    }

    /// Adds what happened at a depth, the outermost being 1.
    pub(super) fn add(&self, depth: usize, what: impl FnOnce() -> String) {
        let Some(lines) = &self.0 else { return };
        let mut lines = lines.borrow_mut();
        if lines.bytes > LOG_BYTES_MAX {
            return;
        }
        let line = format!("#{:depth$}{}", "", what());
        lines.bytes += line.len();
        let is_last = lines.bytes > LOG_BYTES_MAX;
        lines.lines.push(if is_last { "# and so on".to_owned() } else { line });
    }

    /// Its lines.
    pub(super) fn into_lines(self) -> Vec<String> {
        self.0.map(|lines| lines.into_inner().lines).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use crate::format::{NoVariables, Subject, expand_verbosely};
    use crate::ids::SessionId;
    use crate::test_state::three_sessions;

    fn log(format: &str) -> Vec<String> {
        let state = three_sessions();
        let subject = Subject::session(&state, SessionId(0));
        expand_verbosely(&state, &NoVariables, &subject, format).1
    }

    /// As recorded from tmux 3.3a, with other names.
    #[test]
    fn it_reads_as_in_tmux() {
        let check = |format: &str, lines: &[&str]| {
            assert_eq!(log(format).join("\n"), lines.join("\n"), "{format}");
        };
        check(
            "x#{nope}##",
            &[
                "# expanding format: x#{nope}##",
                "# found #{}: nope",
                "# format 'nope' not found",
                "# replaced 'nope' with ''",
                "# found ##",
                "# result is: x#",
            ],
        );
        check(
            "#{?session_name,#{b:session_path},no}#S",
            &[
                "# expanding format: #{?session_name,#{b:session_path},no}#S",
                "# found #{}: ?session_name,#{b:session_path},no",
                "# condition is: session_name",
                "# condition 'session_name' found: alpha",
                "# condition 'session_name' is true",
                "#  expanding format: #{b:session_path}",
                "#  found #{}: b:session_path",
                "#  modifier 0 is b",
                "#  format 'session_path' found: home",
                "#  replaced 'b:session_path' with 'home'",
                "#  result is: home",
                "# replaced '?session_name,#{b:session_path},no' with 'home'",
                "# found #S: session_name",
                "# format 'session_name' found: alpha",
                "# replaced 'session_name' with 'alpha'",
                "# result is: homealpha",
            ],
        );
        check(
            "#{==:a,b}",
            &[
                "# expanding format: #{==:a,b}",
                "# found #{}: ==:a,b",
                "# modifier 0 is ==",
                "#  expanding format: a",
                "#  result is: a",
                "#  expanding format: b",
                "#  result is: b",
                "# compare == left is: a",
                "# compare == right is: b",
                "# replaced '==:a,b' with '0'",
                "# result is: 0",
            ],
        );
        check(
            "#{?nope,a,b}",
            &[
                "# expanding format: #{?nope,a,b}",
                "# found #{}: ?nope,a,b",
                "# condition is: nope",
                "#  expanding format: nope",
                "#  result is: nope",
                "# condition 'nope' not found; assuming false",
                "# condition 'nope' is false",
                "#  expanding format: b",
                "#  result is: b",
                "# replaced '?nope,a,b' with 'b'",
                "# result is: b",
            ],
        );
        check(
            "#{s/p/b/:session_name}",
            &[
                "# expanding format: #{s/p/b/:session_name}",
                "# found #{}: s/p/b/:session_name",
                "#  expanding format: p",
                "#  result is: p",
                "#  expanding format: b",
                "#  result is: b",
                "# modifier 0 is s",
                "# modifier 0 argument 0: p",
                "# modifier 0 argument 1: b",
                "# format 'session_name' found: alpha",
                "# substitute 'p' to 'b': albha",
                "# replaced 's/p/b/:session_name' with 'albha'",
                "# result is: albha",
            ],
        );
    }

    #[test]
    fn it_is_bounded() {
        let format = "#{l:x}".repeat(60_000);
        let lines = log(&format);
        assert_eq!(lines.last().map(String::as_str), Some("# and so on"));
        let bytes: usize = lines.iter().map(String::len).sum();
        assert!(bytes <= super::LOG_BYTES_MAX + 100, "{bytes}");
    }
}
