//! A state with something of everything, and what there is to know of it: for the state that is
//! checked in, which every later version has to read.

use rustix::process::Signal;

use crate::env::TestEnv;

/// The archive, from the root of the workspace.
pub const ARCHIVE: &str = "ccmux/tests/golden/state.tar.zst";
/// What [`describe`] said of it.
pub const DESCRIPTION: &str = "ccmux/tests/golden/state.txt";

/// Every kind of change that a person makes, before and after a checkpoint.
const BEFORE: &[&str] = &[
    "set-option -g restore-command none",
    "rename-window -t work first",
    "split-window -d -h -t %0 'printf \"\\033[1;31mred\\033[m 日本語 e\u{301}\\n\"; exec tail -f /dev/null'",
    "split-window -d -t %1 'exec tail -f /dev/null'",
    "new-window -d -t work:7 -n second 'exec tail -f /dev/null'",
    "new-session -d -s other -x 100 -y 30 'exec tail -f /dev/null'",
    "rename-session -t other another",
    "set-option -g @user value",
    "set-option -t work status-left kept",
    "set-option -w -t work:7 mode-keys vi",
    "bind-key -r -N 'a note' F5 display-message hello",
    "bind-key -T mine x list-keys",
    "unbind-key z",
    "set-environment -g GLOBAL one",
    "set-environment -t work -r HIDDEN",
    "set-buffer -b named contents",
    "set-buffer automatic",
];
const AFTER: &[&str] = &[
    "kill-pane -t %2",
    "select-layout -t work:0 even-vertical",
    "resize-pane -t %0 -y 5",
    "swap-pane -d -s %0 -t %1",
    "select-window -t work:7",
    "move-window -d -s work:7 -t work:3",
    "set-option -gu @user",
    "set-option -g @later value",
    "rename-window -t work:3 third",
    "select-pane -t %0 -T title",
    "delete-buffer -b named",
];

/// Questions, and what is asked of each pane.
const QUESTIONS: &[&str] = &[
    "list-sessions -F '#{session_id} #{session_name} #{session_windows}'",
    "list-windows -a -F '#{window_id} #{session_name}:#{window_index} #{window_name} #{window_layout}'",
    "list-panes -a -F '#{pane_id} #{session_name}:#{window_index}.#{pane_index} #{pane_active}'",
    "display-message -p -t %0 '#{pane_title}'",
    "show-options -g restore-command",
    "show-options -g @later",
    "show-options -t work",
    "show-options -w -t work:3",
    "list-keys -T mine",
    "list-keys F5",
    "show-environment -g GLOBAL",
    "show-environment -t work",
    "list-buffers -F '#{buffer_name} #{buffer_sample}'",
];

/// Makes the state in `env`, and leaves it as a power cut does: a checkpoint, a log behind it, a spool
/// behind keyframes.
pub fn build(env: &TestEnv) {
    let lines = "seq -f 'line %.0f of the first pane' 40000; read go; echo the last line; \
                 exec tail -f /dev/null";
    env.ok(&["new-session", "-d", "-s", "work", "-x", "80", "-y", "24", lines]);
    env.wait_ok(&["capture-pane", "-p", "-t", "%0"], |text| text.contains("line 40000 "));
    run(env, BEFORE);
    env.wait_ok(&["capture-pane", "-p", "-t", "%1"], |text| text.contains("red"));
    // Stopping in good order makes a checkpoint, chunks and keyframes; what follows is behind them.
    let server = env.server();
    server.signal(Signal::TERM);
    server.wait_gone();
    env.ok(&["start-server"]);
    env.ok(&["send-keys", "-t", "%0", "Enter"]);
    env.wait_ok(&["capture-pane", "-p", "-t", "%0"], |text| text.contains("the last line"));
    run(env, AFTER);
    env.kill_everything();
}

/// All that should be known of the state in `env`, as text. Starts a server.
pub fn describe(env: &TestEnv) -> String {
    env.ok(&["start-server"]);
    let mut text = Vec::new();
    for question in QUESTIONS {
        let answer = run(env, &[*question]);
        text.push(format!("$ {question}\n{answer}"));
    }
    for pane in run(env, &["list-panes -a -F '#{pane_id}'"]).lines() {
        // When a pane was restored differs.
        let all = run(env, &[&format!("capture-pane -p -e -J -S - -t {pane}")]);
        let lines = all.lines().filter(|line| !line.contains("[restored "));
        let lines: Vec<&str> = lines.map(str::trim_end).collect();
        let (first, last) = (lines.first(), lines.iter().rfind(|line| !line.is_empty()));
        let checksum = lines.iter().fold(0_u64, |sum, line| {
            line.bytes().fold(sum, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()))
        });
        text.push(format!("pane {pane}: {first:?} to {last:?}, sum {checksum:016x}\n"));
    }
    text.concat()
}

fn run(env: &TestEnv, lines: &[&str]) -> String {
    let mut said = String::new();
    for line in lines {
        let path = env.home().join("line");
        std::fs::write(&path, line).expect("the home directory is ours");
        said.push_str(&env.ok(&["source-file", path.to_str().expect("the path is text")]));
    }
    said
}
