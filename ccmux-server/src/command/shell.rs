//! Shell commands of `run-shell` and `if-shell`: run beside the server, waited for by nobody.
//!
//! Output is collected by a thread of its own per command, bounded, and handed back to the loop.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};

use bstr::BString;
use ccmux_core::command::ParsedCommand;
use rustix::process::{Pid, Signal, kill_process_group};

use super::{CommandError, Cx, JobId, Origin, Target};
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
    /// A format shows its last line (`#(...)`).
    Format,
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
    /// Who waits for it; nobody for one of a format.
    job: Option<JobId>,
    /// Its process, which leads a group.
    pid: Pid,
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
        let job = if is_background { self.background_job(target) } else { self.job.id };
        self.server.spawn_shell(command, target, purpose, Some(job))
    }

    /// A job for what runs in the background: its own, so that the one that starts it can end.
    pub(super) fn background_job(&mut self, target: Option<Target>) -> JobId {
        let origin = match &self.job.origin {
            Origin::OneShot(_) => Origin::Background,
            origin => origin.clone(),
        };
        self.server.jobs.add(origin, self.job.current.or(target), Vec::new())
    }
}

impl Server {
    /// Runs a command for a format.
    pub(crate) fn run_format_shell(
        &mut self,
        command: &str,
        target: Option<Target>,
    ) -> Result<(), CommandError> {
        self.spawn_shell(command, target, ShellPurpose::Format, None)
    }

    fn spawn_shell(
        &mut self,
        command: &str,
        target: Option<Target>,
        purpose: ShellPurpose,
        job: Option<JobId>,
    ) -> Result<(), CommandError> {
        if self.shells.running.len() >= SHELLS_MAX {
            return Err(CommandError::new("too many shell commands at once"));
        }
        let environment = self.shell_environment(target);
        let directory = target
            .and_then(|target| self.state.sessions.get(&target.session))
            .map_or_else(|| self.home(), |session| session.cwd.clone());
        let mut child = shell(self.surroundings.shell(), command, environment, &directory);
        let child = child.spawn().or_else(|_| child.current_dir("/").spawn());
        let mut child =
            child.map_err(|error| CommandError::new(format!("failed to run command: {error}")))?;
        let id = self.shells.next;
        self.shells.next += 1;
        let (sender, waker) = (self.shells.sender.clone(), self.waker.clone());
        let (stdout, pid) = (child.stdout.take(), Pid::from_child(&child));
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
        let command = command.to_owned();
        self.shells.running.push(Running { id, job, pid, command, purpose });
        Ok(())
    }
}

fn shell(
    mut shell: Command,
    command: &str,
    environment: impl IntoIterator<Item = (BString, BString)>,
    directory: &BString,
) -> Command {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::process::CommandExt;
    let os = |bytes: &BString| std::ffi::OsStr::from_bytes(bytes).to_owned();
    shell
        .arg(command)
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

    /// Ends what still runs, as the server ends.
    pub(crate) fn end_shells(&mut self) {
        self.take_shells();
        for running in &self.shells.running {
            // It may have ended just now.
            let _ = kill_process_group(running.pid, Signal::TERM);
        }
    }

    fn shell_ended(&mut self, running: Running, ended: &Ended) {
        let ShellPurpose::Format = running.purpose else {
            return self.job_shell_ended(running, ended);
        };
        self.format_shell_ended(&running.command, &ended.output);
    }

    fn job_shell_ended(&mut self, running: Running, ended: &Ended) {
        let Some(mut job) = running.job.and_then(|job| self.jobs.take(job)) else { return };
        job.wait = None;
        match running.purpose {
            ShellPurpose::Condition { then, otherwise } => {
                let chosen = if ended.code == Some(0) { then } else { otherwise };
                if !job.insert(chosen) {
                    self.complain(&job, "commands are nested too deep");
                }
            }
            ShellPurpose::Format => {}
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

    /// Whether a job has a shell command that runs, and so must stay for its end.
    pub(crate) fn has_shell(&self, job: JobId) -> bool {
        self.shells.running.iter().any(|running| running.job == Some(job))
    }
}
