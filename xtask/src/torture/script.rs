//! A person at work, at random: commands, and what is known of the state after each.

use std::fmt::Write as _;

use ccmux_testkit::{Random, TestEnv};

/// Windows are closed beyond so many.
const WINDOWS_MAX: usize = 12;
/// Values of options, each set again and again.
const OPTIONS: u64 = 5;

/// What a person does.
#[derive(Debug)]
pub(crate) struct Script {
    random: Random,
    /// Numbers names and values, so that no two are alike.
    made: u32,
}

impl Script {
    pub(crate) fn seeded(seed: u64) -> Self {
        Script { random: Random::seeded(seed), made: 0 }
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.random.below(limit)
    }

    /// The next command, made for the state that there is.
    pub(crate) fn next(&mut self, env: &TestEnv) -> Vec<String> {
        self.made += 1;
        let windows = env.ok(&["list-windows", "-a", "-F", "#{window_id}"]);
        let windows: Vec<&str> = windows.lines().collect();
        let any = windows[self.random.below(windows.len() as u64) as usize];
        let name = format!("name{}", self.made);
        let words: Vec<&str> = match self.random.below(8) {
            0 | 1 if windows.len() < WINDOWS_MAX => {
                vec!["new-window", "-d", "-n", &name, "exec tail -f /dev/null"]
            }
            // The first window stays: its pane prints.
            0..=2 if windows.len() > 2 => vec!["kill-window", "-t", windows[1]],
            3 => vec!["split-window", "-d", "-t", any, "exec tail -f /dev/null"],
            4 => vec!["select-layout", "-t", any, "tiled"],
            5 => vec!["rename-window", "-t", any, &name],
            _ => return self.setting(),
        };
        words.into_iter().map(str::to_owned).collect()
    }

    /// The next command of a kind whose result is known before it is run.
    pub(crate) fn setting(&mut self) -> Vec<String> {
        self.made += 1;
        let option = format!("@option{}", self.random.below(OPTIONS));
        vec!["set-option".into(), "-g".into(), option, format!("value{}", self.made)]
    }
}

/// Everything that the commands change, as text.
pub(crate) fn snapshot(env: &TestEnv) -> String {
    let format = "#{session_name}:#{window_index} #{window_id} #{window_name} #{pane_id} \
                  #{window_layout}";
    let mut text = env.ok(&["list-panes", "-a", "-F", format]);
    let options = env.ok(&["show-options", "-g"]);
    for line in options.lines().filter(|line| line.starts_with('@')) {
        writeln!(text, "{line}").expect("writing to a String cannot fail");
    }
    text
}

/// What a snapshot becomes by a [`Script::setting`].
pub(crate) fn after_setting(snapshot: &str, command: &[String]) -> String {
    let (name, value) = (&command[2], &command[3]);
    let mut lines: Vec<String> = snapshot.lines().map(str::to_owned).collect();
    let line = format!("{name} {value}");
    match lines.iter_mut().find(|line| line.split(' ').next() == Some(name)) {
        Some(known) => *known = line,
        None => {
            // Options are listed by name, behind the panes.
            let is_before = |other: &&String| !other.starts_with('@') || **other < line;
            let at = lines.iter().take_while(is_before).count();
            lines.insert(at, line);
        }
    }
    lines.join("\n") + "\n"
}
