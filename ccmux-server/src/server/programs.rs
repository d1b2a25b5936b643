//! What runs in panes, as the process table has it: names for windows, directories for later.
//!
//! Looked at when something was printed, and a moment after the first look, because a shell may have
//! become another program by then; never by a clock: a silent pane costs nothing.

use std::time::Duration;

use bstr::BString;
use ccmux_core::decide::Command as Intent;
use ccmux_core::ids::PaneId;
use ccmux_core::model::Program;
use ccmux_keeper::{ChildSpec, WindowSize};

use super::Server;
use super::commit::Cause;
use crate::pane::Pane;
use crate::pane::environment::overlay;

/// A pane's program is looked at no more often than this, and only after it printed.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

impl Pane {
    /// When the program is to be looked at again.
    pub(crate) fn look_due(&self) -> Option<Duration> {
        let looked = self.looked_at.unwrap_or_default();
        let is_news =
            self.looked_at.is_none_or(|at| self.output.last_at >= at) || !self.is_looked_at_again;
        (is_news && self.child_pid().is_some()).then_some(looked + LOOK_INTERVAL)
    }

    /// The process in the foreground of the pane's terminal, or else its program.
    pub(crate) fn foreground_pid(&self) -> Option<u32> {
        let group = match &self.stage {
            crate::pane::Stage::Live(live) => rustix::termios::tcgetpgrp(&live.held.master).ok(),
            _ => None,
        };
        group.and_then(|pid| u32::try_from(pid.as_raw_pid()).ok()).or(self.child_pid())
    }
}

/// The name of a process's executable.
#[cfg(target_os = "linux")]
pub(crate) fn process_name(pid: u32) -> Option<String> {
    // `comm` is cut at 15 bytes; the command line has the whole name.
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let first = line.split(|&byte| byte == 0).next().unwrap_or_default();
    let name = first.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    let name = String::from_utf8_lossy(name);
    let name = name.trim_start_matches('-').split(' ').next().unwrap_or_default().to_owned();
    if !name.is_empty() {
        return Some(name);
    }
    let comm = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(comm.trim_end().to_owned())
}

/// The directory a process is in.
#[cfg(target_os = "linux")]
pub(crate) fn process_directory(pid: u32) -> Option<BString> {
    use std::os::unix::ffi::OsStringExt;
    let path = std::fs::read_link(format!("/proc/{pid}/cwd")).ok()?;
    Some(path.into_os_string().into_vec().into())
}

/// Elsewhere programs tell their names by titles alone.
#[cfg(not(target_os = "linux"))]
pub(crate) fn process_name(_pid: u32) -> Option<String> {
    None
}

/// Elsewhere programs tell their directory by OSC 7 alone.
#[cfg(not(target_os = "linux"))]
pub(crate) fn process_directory(_pid: u32) -> Option<BString> {
    None
}

impl Server {
    /// Logs the directory that a pane's program is in, if it went there since the last look.
    ///
    /// Called whenever all that a program printed has been taken, before it is shown: so when a
    /// person sees a prompt, the directory it was printed in survives whatever is killed then.
    pub(crate) fn look_at_directory(&mut self, id: PaneId) {
        let Some(pane) = self.panes.get_mut(&id) else { return };
        let Some(cwd) = pane.child_pid().and_then(process_directory) else { return };
        // The program's own word for the same directory (OSC 7, with symbolic links) stands.
        if pane.seen_directory.as_ref() == Some(&cwd) {
            return;
        }
        pane.seen_directory = Some(cwd.clone());
        if self.state.panes.get(&id).is_some_and(|pane| pane.cwd.as_ref() != Some(&cwd)) {
            let cause = Cause::event("program", "directory");
            self.change_silently(&cause, Intent::SetCwd { pane: id, cwd });
        }
    }

    /// What to run in a pane, with its complete environment.
    pub(super) fn child_spec(
        &self,
        id: PaneId,
        program: &Program,
        size: WindowSize,
        stream_offset: u64,
    ) -> ChildSpec {
        let mut env = self.surroundings.environment.clone();
        overlay(&mut env, &self.state.environment);
        let session = self.state.session_of(id);
        if let Some(session) = session {
            overlay(&mut env, &session.environment);
        }
        let options = self.pane_options(id);
        let socket = self.surroundings.socket.display();
        let session_number = session.map_or(0, |session| session.id.0);
        let ours = [
            ("TERM", options.string("default-terminal").to_owned()),
            ("COLORTERM", "truecolor".to_owned()),
            ("TERM_PROGRAM", "ccmux".to_owned()),
            ("TERM_PROGRAM_VERSION", env!("CARGO_PKG_VERSION").to_owned()),
            ("CCMUX", format!("{socket},{},{session_number}", crate::own_pid())),
            ("CCMUX_PANE", id.to_string()),
        ];
        env.extend(ours.map(|(name, value)| (name.into(), value.into())));
        overlay(&mut env, &program.environment);
        let shell = self.default_shell(id, &env);
        let (argv, argv0) = match program.argv.as_slice() {
            [] => {
                // As login(1) does it: a name that begins with a dash makes a login shell.
                let base = shell.rsplit(|&byte| byte == b'/').next().unwrap_or(&shell);
                let mut argv0 = BString::from("-");
                argv0.extend_from_slice(base);
                (vec![shell.clone()], Some(argv0))
            }
            [command] => (vec![shell.clone(), "-c".into(), command.clone()], None),
            argv => (argv.to_vec(), None),
        };
        env.insert("SHELL".into(), shell);
        ChildSpec {
            argv,
            argv0,
            env: env.into_iter().collect(),
            cwd: Some(program.cwd.clone()),
            size,
            oom_score_adj: self.surroundings.oom_score_adj,
            stream_offset,
        }
    }

    /// Looks at a pane's program if it is due: its directory is logged, and its window named after
    /// it (`automatic-rename`).
    pub(crate) fn look_at_program(&mut self, id: PaneId) {
        let now = self.elapsed();
        let Some(pane) = self.panes.get_mut(&id) else { return };
        if pane.look_due().is_none_or(|due| due > now) {
            return;
        }
        pane.is_looked_at_again = pane.looked_at.is_some();
        pane.looked_at = Some(now + Duration::from_nanos(1));
        let Some(pid) = pane.foreground_pid() else { return };
        self.look_at_directory(id);
        let Some(name) = process_name(pid) else { return };
        let Some(window) = self.state.window_of(id) else { return };
        if window.active == id && window.name != name {
            let window = window.id;
            let cause = Cause::event("program", "name");
            self.change_silently(&cause, Intent::RenameWindowAutomatically { window, name });
        }
    }
}
