//! Shell commands in formats, `#(...)`: what each printed last, and when it runs again.
//!
//! Drawing never waits for a command: it shows what the last run printed, nothing at first, and
//! asks for another run when that is older than `status-interval`. The runs are started after the
//! turn's pictures, and a picture is made anew when one has printed something else.

use std::collections::BTreeMap;
use std::time::Duration;

use ccmux_core::format::Subject;
use ccmux_core::target::Target;

use super::Server;

/// More commands than this are not remembered; those longest not asked for go first.
const REMEMBERED_MAX: usize = 100;

/// The commands that formats asked for.
#[derive(Debug, Default)]
pub(crate) struct FormatShells {
    commands: BTreeMap<String, Remembered>,
    /// Those to start, and for which target.
    due: Vec<(String, Option<Target>)>,
}

#[derive(Debug)]
struct Remembered {
    /// The last line that it printed when it last ran.
    line: String,
    started: Duration,
    asked: Duration,
    is_running: bool,
}

impl FormatShells {
    /// What a command printed last; it runs again if that was longer ago than `interval`, or with
    /// none, never.
    fn ask(
        &mut self,
        command: &str,
        target: Option<Target>,
        now: Duration,
        interval: Option<Duration>,
    ) -> String {
        if let Some(known) = self.commands.get_mut(command) {
            known.asked = now;
            let is_old = interval.is_some_and(|interval| now >= known.started + interval);
            if is_old && !known.is_running {
                (known.is_running, known.started) = (true, now);
                self.due.push((command.to_owned(), target));
            }
            return known.line.clone();
        }
        if self.commands.len() >= REMEMBERED_MAX {
            let idle = self.commands.iter().filter(|(_, known)| !known.is_running);
            let oldest = idle.min_by_key(|(_, known)| known.asked).map(|(name, _)| name.clone());
            let Some(oldest) = oldest else { return String::new() };
            self.commands.remove(&oldest);
        }
        let known = Remembered { line: String::new(), started: now, asked: now, is_running: true };
        self.commands.insert(command.to_owned(), known);
        self.due.push((command.to_owned(), target));
        String::new()
    }

    /// Notes the end of a run; returns whether it printed something else than the one before.
    fn ended(&mut self, command: &str, output: &[u8]) -> bool {
        let Some(known) = self.commands.get_mut(command) else { return false };
        known.is_running = false;
        let text = String::from_utf8_lossy(output);
        let line = text.lines().next_back().unwrap_or_default();
        if known.line == line {
            return false;
        }
        line.clone_into(&mut known.line);
        true
    }
}

impl Server {
    /// What a command of a format printed last.
    pub(crate) fn ask_format_shell(&self, command: &str, subject: &Subject) -> String {
        let target = match *subject {
            Subject { session: Some(session), window: Some(window), pane: Some(pane), .. } => {
                Some(Target { session, window, pane })
            }
            _ => None,
        };
        let options = subject
            .session
            .map_or_else(|| self.global_session_options(), |id| self.session_options(id));
        let seconds = u64::try_from(options.number("status-interval")).unwrap_or(0);
        let interval = (seconds > 0).then(|| Duration::from_secs(seconds));
        self.format_shells.borrow_mut().ask(command, target, self.elapsed(), interval)
    }

    /// Starts what formats asked for in this turn.
    pub(crate) fn start_format_shells(&mut self) {
        for (command, target) in std::mem::take(&mut self.format_shells.get_mut().due) {
            if let Err(error) = self.run_format_shell(&command, target) {
                tracing::warn!(%error, command, "a command of a format cannot be run");
                self.format_shells.get_mut().ended(&command, b"");
            }
        }
    }

    /// A command of a format has ended.
    pub(crate) fn format_shell_ended(&mut self, command: &str, output: &[u8]) {
        if self.format_shells.get_mut().ended(command, output) {
            self.redraw_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Option<Duration> = Some(Duration::from_secs(5));

    fn started(shells: &mut FormatShells) -> Vec<String> {
        std::mem::take(&mut shells.due).into_iter().map(|(command, _)| command).collect()
    }

    #[test]
    fn a_command_runs_once_per_interval_and_shows_its_last_line() {
        let mut shells = FormatShells::default();
        let at = Duration::from_secs;
        assert_eq!(shells.ask("date", None, at(0), INTERVAL), "");
        assert_eq!(started(&mut shells), ["date"]);
        // It is not started twice, however long it takes.
        assert_eq!(shells.ask("date", None, at(60), INTERVAL), "");
        assert!(started(&mut shells).is_empty());
        assert!(shells.ended("date", b"one\ntwo\n"));
        assert_eq!(shells.ask("date", None, at(60), INTERVAL), "two");
        assert_eq!(started(&mut shells), ["date"]);
        assert!(!shells.ended("date", b"two"), "nothing to draw");
        assert_eq!(shells.ask("date", None, at(64), INTERVAL), "two");
        assert_eq!(shells.ask("date", None, at(999), None), "two");
        assert!(started(&mut shells).is_empty());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut shells = FormatShells::default();
        for number in 0..REMEMBERED_MAX as u64 * 2 {
            let command = number.to_string();
            shells.ask(&command, None, Duration::from_secs(number), INTERVAL);
            if number > 0 {
                shells.ended(&command, b"done");
            }
        }
        assert_eq!(shells.commands.len(), REMEMBERED_MAX);
        assert!(shells.commands.contains_key("0"), "what runs is waited for");
    }
}
