//! Running jobs: the part of a turn that executes commands.

use ccmux_core::command::ParsedCommand;
use ccmux_core::model::Pane;
use ccmux_protocol::{Exit, ServerFrame};

use super::job::{Printing, Rest, Step};
use super::{Cx, Flow, Job, JobId, Origin, Outcome, Wait, exec_of};
use crate::event_loop::ClientId;
use crate::pane::Stage;
use crate::server::Server;

/// No command of a job prints anything before its reader has taken all but so much of what the
/// earlier ones did.
const UNREAD_MAX: usize = 256 * 1024;

impl Server {
    /// Lets every job go on as far as it can.
    pub(crate) fn run_jobs(&mut self) {
        for id in self.jobs.ids() {
            self.run_job(id);
        }
    }

    fn run_job(&mut self, id: JobId) {
        let Some(mut job) = self.jobs.take(id) else { return };
        loop {
            if let Some(wait) = &job.wait {
                if !self.is_over(wait) {
                    self.ask_for_stdin(&mut job);
                    return self.jobs.put_back(job);
                }
                job.wait = None;
                self.print_started(&mut job);
            }
            if job.printing.is_some() && !self.print_on(&mut job) {
                return self.jobs.put_back(job);
            }
            if self.is_unread(&job) {
                return self.jobs.put_back(job);
            }
            if job.steps.front().is_some_and(tells_others) && !self.is_settled(self.hard) {
                job.wait = Some(Wait::Settled(self.hard));
                continue;
            }
            match job.steps.pop_front() {
                Some(step) => self.run_step(&mut job, &step),
                None if self.is_answerable(&job) => return self.answer(job),
                None => {
                    job.wait = if self.has_shell(id) {
                        Some(Wait::Shell)
                    } else {
                        job.hard.map(Wait::Settled)
                    };
                }
            }
        }
    }

    fn is_over(&self, wait: &Wait) -> bool {
        match wait {
            Wait::Settled(seq) => self.is_settled(*seq),
            Wait::Started(panes) => panes.iter().all(|id| {
                self.panes.get(id).is_none_or(|pane| {
                    pane.respawn.is_none()
                        && !matches!(
                            pane.stage,
                            Stage::Waiting { .. }
                                | Stage::Starting { .. }
                                | Stage::Respawning { .. }
                                | Stage::Parting { why: None, .. }
                        )
                })
            }),
            Wait::Until(until) => self.elapsed() >= *until,
            // Whoever answers clears the wait.
            Wait::Answer | Wait::Shell | Wait::Proof | Wait::Stdin => false,
            Wait::Feeding(pane) => !self.state.panes.get(pane).is_some_and(Pane::is_empty),
            Wait::Buried { until } => self.closing.is_empty() || self.elapsed() >= *until,
            Wait::Beginning { configuration, keepers } => {
                let is_early =
                    *configuration && self.is_configuring() || *keepers && self.is_meeting();
                !is_early
            }
        }
    }

    /// Whether so much of a job's output waits, for the disk or for its reader, that it should not
    /// make more. Either wakes the loop when it has taken something.
    pub(crate) fn is_unread(&self, job: &Job) -> bool {
        let Origin::OneShot(id) = job.origin else { return false };
        self.clients.get(&id).is_some_and(|client| client.unread_bytes() >= UNREAD_MAX)
    }

    fn is_answerable(&self, job: &Job) -> bool {
        job.hard.is_none_or(|seq| self.is_settled(seq)) && !self.has_shell(job.id)
    }

    /// What `-P` asked for, now that the pane has a program.
    pub(super) fn print_started(&mut self, job: &mut Job) {
        let Some((format, target)) = job.print_when_started.take() else { return };
        let text = self.expand(&format, Some(target), job.origin.client());
        self.print_for(job, text);
    }

    /// Prints more of what is printed piece by piece, if its reader has taken what there was. Returns whether that was
    /// all.
    fn print_on(&mut self, job: &mut Job) -> bool {
        let Some(Printing { mut rest, form }) = job.printing.take() else { return true };
        let reader = job.origin.client().and_then(|id| self.clients.get(&id));
        let may_go_on = reader.is_none_or(|client| client.unread_bytes() < UNREAD_MAX);
        let mut lines = Vec::new();
        let is_done = may_go_on
            && match &mut rest {
                Rest::Capture(capture) => self.capture_piece(capture, &mut lines),
                Rest::Closed(closed) => closed.piece(&mut lines),
            };
        if !lines.is_empty() {
            let lines: Vec<Vec<u8>> = lines.iter().map(|line| form.write(line)).collect();
            self.print_for(job, lines.join(&b'\n'));
        }
        if !is_done {
            job.printing = Some(Printing { rest, form });
            // A reader that is slow wakes the loop when it has taken something.
            self.has_more |= may_go_on;
        }
        is_done
    }

    /// Prints a line for whoever wanted a job.
    pub(crate) fn print_for(&mut self, job: &mut Job, line: impl Into<Vec<u8>>) {
        let mut line: Vec<u8> = line.into();
        if matches!(job.origin, Origin::OneShot(_)) {
            line.push(b'\n');
        }
        self.print_raw_for(job, line);
    }

    /// Prints bytes as they are; in a view they begin a line.
    pub(crate) fn print_raw_for(&mut self, job: &mut Job, bytes: Vec<u8>) {
        match &job.origin {
            Origin::OneShot(id) => {
                self.tell_client(*id, ServerFrame::Stdout(bytes));
            }
            Origin::Attached(_) | Origin::Config(_) => {
                let text = String::from_utf8_lossy(&bytes);
                job.output.extend(text.split('\n').map(str::to_owned));
            }
            Origin::Background => {}
        }
    }

    fn run_step(&mut self, job: &mut Job, step: &Step) {
        job.nesting = step.nesting;
        self.fit_waiting();
        let outcome = self.execute(job, &step.command);
        match outcome {
            Ok(Flow::Wait(wait)) => {
                if wait == Wait::Stdin {
                    job.steps.push_front(step.clone());
                }
                job.wait = Some(wait);
            }
            Ok(Flow::Next) => {
                let started = std::mem::take(&mut job.started);
                if started.is_empty() {
                    self.print_started(job);
                } else {
                    job.wait = Some(Wait::Started(started));
                }
            }
            Err(error) => {
                job.has_failed = true;
                match &job.origin {
                    // Of a file that it reads itself only the message is known.
                    Origin::Config(path) if step.nesting == 0 => self.config_errors.push(format!(
                        "{}:{}: {error}",
                        path.display(),
                        step.command.line
                    )),
                    _ => self.complain(job, &error.to_string()),
                }
                let group = step.command.group;
                while job
                    .steps
                    .front()
                    .is_some_and(|next| next.nesting == step.nesting && next.command.group == group)
                {
                    job.steps.pop_front();
                }
            }
        }
    }

    fn execute(&mut self, job: &mut Job, command: &ParsedCommand) -> Outcome {
        let exec = exec_of(command.spec.name).expect("a test holds that every spec has a command");
        exec(&mut Cx { server: self, job, command })
    }

    /// Tells whoever wanted a command what was wrong with it.
    pub(crate) fn complain(&mut self, job: &Job, message: &str) {
        match &job.origin {
            Origin::OneShot(id) => {
                let text = format!("{message}\n").into_bytes();
                self.tell_client(*id, ServerFrame::Stderr(text));
            }
            Origin::Attached(id) => self.tell_error(*id, message),
            Origin::Config(path) => {
                self.config_errors.push(format!("{}: {message}", path.display()));
            }
            Origin::Background => tracing::info!(message, "a background command failed"),
        }
    }

    /// Shows at the bottom what was wrong; tmux begins such a message with a capital letter.
    pub(crate) fn tell_error(&mut self, id: ClientId, message: &str) {
        let mut chars = message.chars();
        let first = chars.next().into_iter().flat_map(char::to_uppercase);
        self.tell(id, first.chain(chars).collect());
    }

    /// The end of a job: exit status, or what it printed, shown.
    fn answer(&mut self, job: Job) {
        match job.origin {
            Origin::OneShot(id) => {
                let Some(client) = self.clients.get(&id) else { return };
                if client.attachment().is_some() && !job.has_failed {
                    return;
                }
                let code = if job.has_failed { 1 } else { job.exit_code };
                self.exit_client(id, Exit::done(code));
            }
            Origin::Attached(id) => {
                if !job.output.is_empty() {
                    self.show_output(id, job.output);
                }
            }
            Origin::Config(_) => {
                self.config_errors.extend(job.output);
            }
            Origin::Background => {}
        }
    }
}

/// Whether a command hands what it finds to a program, which may tell others of it: that is a reply
/// too, and comes after the changes that it may speak of.
fn tells_others(step: &Step) -> bool {
    let args = &step.command.args;
    match step.command.spec.name {
        "run-shell" => !args.has('C'),
        "if-shell" => !args.has('F'),
        _ => false,
    }
}
