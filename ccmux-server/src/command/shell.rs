//! Shell commands of `run-shell` and `if-shell`: run beside the server, waited for by nobody.
//!
//! Output is collected by a thread of its own per command, bounded, and handed back to the loop.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};

use bstr::BString;
use ccmux_core::command::ParsedCommand;

use super::{CommandError, Cx, JobId, Target};
use crate::server::Server;

/// More output than this is cut off.
const OUTPUT_BYTES_MAX: u64 = 1024 * 1024;
/// More shell commands than this at once are refused.
const SHELLS_MAX: usize = 100;

/// What a shell command is run for.
#[derive(Clone, Debug)]
pub(crate) enum ShellPurpose {
    /// Its output is shown (`run-shell`).
    Output,
    /// Its exit status chooses (`if-shell`).
    Condition {
        /// On success.
        then: Vec<ParsedCommand>,
        /// On failure.
        otherwise: Vec<ParsedCommand>,
    },
}

/// A shell command that has ended.
#[derive(Debug)]
struct Ended {
    id: u64,
    output: Vec<u8>,
    code: Option<i32>,
}

/// Shell commands on their way.
#[derive(Debug)]
pub(crate) struct Shells {
    running: Vec<Running>,
    next: u64,
    sender: Sender<Ended>,
    receiver: Receiver<Ended>,
}

#[derive(Debug)]
struct Running {
    id: u64,
    job: JobId,
    is_background: bool,
    command: String,
    purpose: ShellPurpose,
}

impl Default for Shells {
    fn default() -> Self {
        let (sender, receiver) = channel();
        Self { running: Vec::new(), next: 0, sender, receiver }
    }
}

impl Cx<'_> {
    /// Starts a shell command; the job goes on when it has ended, unless in the background.
    pub(super) fn start_shell(
        &mut self,
        command: &str,
        target: Option<Target>,
        purpose: ShellPurpose,
        is_background: bool,
    ) -> Result<(), CommandError> {
        let server = &mut *self.server;
        if server.shells.running.len() >= SHELLS_MAX {
            return Err(CommandError::new("too many shell commands at once"));
        }
        let environment = server.shell_environment(target);
        let directory = target
            .and_then(|target| server.state.sessions.get(&target.session))
            .map_or_else(|| server.home(), |session| session.cwd.clone());
        let mut child = shell(command, environment, &directory);
        let child = child.spawn().or_else(|_| child.current_dir("/").spawn());
        let mut child =
            child.map_err(|error| CommandError::new(format!("failed to run command: {error}")))?;
        let id = server.shells.next;
        server.shells.next += 1;
        let (sender, waker) = (server.shells.sender.clone(), server.waker.clone());
        let stdout = child.stdout.take();
        let collect = move || {
            let mut output = Vec::new();
            if let Some(mut stdout) = stdout {
                // A broken pipe ends the output like its end does.
                let _ = stdout.by_ref().take(OUTPUT_BYTES_MAX).read_to_end(&mut output);
                let _ = std::io::copy(&mut stdout, &mut std::io::sink());
            }
            let code = child.wait().ok().and_then(|status| status.code());
            // The server is gone if nobody listens.
            let _ = sender.send(Ended { id, output, code });
            let _ = waker.wake();
        };
        std::thread::Builder::new()
            .name("shell".to_owned())
            .spawn(collect)
            .map_err(|error| CommandError::new(format!("failed to run command: {error}")))?;
        let (job, command) = (self.job.id, command.to_owned());
        server.shells.running.push(Running { id, job, is_background, command, purpose });
        Ok(())
    }
}

fn shell(
    command: &str,
    environment: impl IntoIterator<Item = (BString, BString)>,
    directory: &BString,
) -> Command {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::process::CommandExt;
    let os = |bytes: &BString| std::ffi::OsStr::from_bytes(bytes).to_owned();
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", command])
        .env_clear()
        .envs(environment.into_iter().map(|(name, value)| (os(&name), os(&value))))
        .current_dir(os(directory))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0);
    shell
}

impl Server {
    /// Takes shell commands that have ended.
    pub(crate) fn take_shells(&mut self) {
        while let Ok(ended) = self.shells.receiver.try_recv() {
            let Some(at) = self.shells.running.iter().position(|shell| shell.id == ended.id) else {
                continue;
            };
            let running = self.shells.running.swap_remove(at);
            self.shell_ended(running, &ended);
        }
    }

    fn shell_ended(&mut self, running: Running, ended: &Ended) {
        // The job of a background command is done; what it chose runs as one of its own.
        let Some(mut job) = self.jobs.take(running.job) else { return };
        if !running.is_background {
            job.wait = None;
        }
        match running.purpose {
            ShellPurpose::Condition { then, otherwise } => {
                let chosen = if ended.code == Some(0) { then } else { otherwise };
                if !job.insert(chosen) {
                    self.complain(&job, "commands are nested too deep");
                }
            }
            ShellPurpose::Output => self.print_shell_output(&mut job, &running.command, ended),
        }
        self.jobs.put_back(job);
        self.has_more = true;
    }

    fn print_shell_output(&mut self, job: &mut super::Job, command: &str, ended: &Ended) {
        let text = String::from_utf8_lossy(&ended.output);
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        match ended.code {
            Some(0) => {}
            Some(code) => {
                lines.push(format!("'{command}' returned {code}"));
                job.exit_code = u8::try_from(code).unwrap_or(1);
            }
            None => {
                lines.push(format!("'{command}' was terminated"));
                job.exit_code = 1;
            }
        }
        for line in lines {
            self.print_for(job, line);
        }
    }

    /// Whether a job has a shell command in the background, and so must stay for its end.
    pub(crate) fn has_shell(&self, job: JobId) -> bool {
        self.shells.running.iter().any(|running| running.job == job)
    }
}
