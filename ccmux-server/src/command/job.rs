//! Running lists of commands: one after the other, each waiting for what it must wait for.
//!
//! A [`Job`] is a list on its way. It stops at a command that has to wait (for its record to be on
//! the disk, for a program to start, for a person's answer, for a shell command) and goes on when
//! that has happened; other jobs run meanwhile. Its origin gets the output, and for a one-shot
//! client the exit status, once every hard change is durable.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::time::Duration;

use ccmux_core::command::ParsedCommand;
use ccmux_core::ids::PaneId;
use ccmux_core::target::Target;

use super::stdin::Stdin;
use crate::event_loop::ClientId;
use crate::persistence::Seq;
use crate::server::ClosedLines;
use crate::server::capture::Capture;

/// Commands that put others in front of themselves (`source-file`, `if-shell`) nest at most so
/// deep; tmux stops file inclusion at 50 too.
pub(crate) const NESTING_MAX: u16 = 50;

/// Numbers a job.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct JobId(u64);

/// Who wants the commands, and gets to hear of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Origin {
    /// A command line: output goes to the client's stdout, the end is its exit status.
    OneShot(ClientId),
    /// A key or a prompt of an attached client: output is shown in the pane, errors at the bottom.
    Attached(ClientId),
    /// A configuration file, read at the start: errors are shown to the first client.
    Config(PathBuf),
    /// What a command line left to run in the background: nobody hears of it any more.
    Background,
}

impl Origin {
    /// The client, if there is one.
    pub(crate) fn client(&self) -> Option<ClientId> {
        match self {
            Origin::OneShot(id) | Origin::Attached(id) => Some(*id),
            Origin::Config(_) | Origin::Background => None,
        }
    }
}

/// What a job waits for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Wait {
    /// Until the record is on the disk, or the server is openly degraded.
    Settled(Seq),
    /// Until the panes' programs have started, or failed to.
    Started(Vec<PaneId>),
    /// Until the client has answered a prompt.
    Answer,
    /// Until a shell command has ended.
    Shell,
    /// Until an executable has proved that it can take over, or that it cannot.
    Proof,
    /// Until the standard input that a command wants has been read; the command is run again then.
    Stdin,
    /// Until an empty pane has been fed all standard input, or is no empty pane any more.
    Feeding(PaneId),
    /// Until then (`run-shell -d`).
    Until(Duration),
    /// Until the keepers of closed panes are gone, but no longer than this.
    Buried {
        /// When the wait ends in any case: one that is stopped may stay.
        until: Duration,
    },
    /// At the start of the server, until its first commands may be run.
    Beginning {
        /// Until the configuration has been read.
        configuration: bool,
        /// Until keepers have answered and programs have started.
        keepers: bool,
    },
}

/// A command of a job, with how deep it is nested.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) command: ParsedCommand,
    pub(crate) nesting: u16,
}

/// Lines of a pane that are printed in the next turns, as their reader takes them.
#[derive(Debug)]
pub(crate) struct Printing {
    /// What is left.
    pub(crate) rest: Rest,
    /// How a line is written.
    pub(crate) form: LineForm,
}

/// What is still to be printed.
#[derive(Debug)]
pub(crate) enum Rest {
    /// Of a pane.
    Capture(Capture),
    /// Of what is kept of a closed one.
    Closed(Box<ClosedLines>),
}

/// How a captured line is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LineForm {
    /// With escape sequences for its styles.
    pub(crate) with_style: bool,
    /// With the spaces at its end.
    pub(crate) keep_spaces: bool,
    /// With control characters and backslashes spelt out.
    pub(crate) escaped: bool,
}

/// A list of commands on its way.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) id: JobId,
    pub(crate) origin: Origin,
    pub(crate) steps: VecDeque<Step>,
    pub(crate) wait: Option<Wait>,
    /// What its commands made or were given as the current target.
    pub(crate) current: Option<Target>,
    /// Lines printed for an attached client, shown when the job ends.
    pub(crate) output: Vec<String>,
    pub(crate) has_failed: bool,
    /// The exit status that a command asked for.
    pub(crate) exit_code: u8,
    /// The newest hard record of its commands.
    pub(crate) hard: Option<Seq>,
    /// Panes whose programs must start before the next command.
    pub(crate) started: Vec<PaneId>,
    /// `-P`: a format to print once this pane's program has started.
    pub(crate) print_when_started: Option<(String, Target)>,
    /// What `capture-pane` prints, before anything else goes on.
    pub(crate) printing: Option<Printing>,
    /// Standard input, as far as a command wants it and has got it.
    pub(crate) stdin: Option<Stdin>,
    /// The client has been asked for a piece of standard input and has not answered yet.
    pub(crate) is_stdin_asked: bool,
    /// How deep the command that runs now is nested.
    pub(crate) nesting: u16,
}

impl Job {
    /// Puts commands in front of what is left, one level deeper.
    ///
    /// Returns false, and changes nothing, past [`NESTING_MAX`].
    pub(crate) fn insert(&mut self, commands: Vec<ParsedCommand>) -> bool {
        let nesting = self.nesting + 1;
        if nesting > NESTING_MAX {
            return false;
        }
        for command in commands.into_iter().rev() {
            self.steps.push_front(Step { command, nesting });
        }
        true
    }
}

/// The jobs on their way.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    jobs: BTreeMap<JobId, Job>,
    next: u64,
}

impl Jobs {
    /// Adds a job that will run in the next turn.
    pub(crate) fn add(
        &mut self,
        origin: Origin,
        current: Option<Target>,
        commands: Vec<ParsedCommand>,
    ) -> JobId {
        let id = JobId(self.next);
        self.next += 1;
        let steps = commands.into_iter().map(|command| Step { command, nesting: 0 }).collect();
        let job = Job {
            id,
            origin,
            steps,
            wait: None,
            current,
            output: Vec::new(),
            has_failed: false,
            exit_code: 0,
            hard: None,
            started: Vec::new(),
            print_when_started: None,
            printing: None,
            stdin: None,
            is_stdin_asked: false,
            nesting: 0,
        };
        self.jobs.insert(id, job);
        id
    }

    /// The ids of all jobs, oldest first.
    pub(crate) fn ids(&self) -> Vec<JobId> {
        self.jobs.keys().copied().collect()
    }

    /// A job that is waiting.
    pub(crate) fn get_mut(&mut self, id: JobId) -> Option<&mut Job> {
        self.jobs.get_mut(&id)
    }

    /// The job that has asked this client for standard input.
    pub(crate) fn asking(&mut self, client: ClientId) -> Option<&mut Job> {
        let origin = Origin::OneShot(client);
        self.jobs.values_mut().find(|job| job.is_stdin_asked && job.origin == origin)
    }

    /// The jobs that wait for standard input, which may never end.
    pub(crate) fn reading_stdin(&self) -> Vec<JobId> {
        let is_reading = |job: &&Job| matches!(job.wait, Some(Wait::Stdin | Wait::Feeding(_)));
        self.jobs.values().filter(is_reading).map(|job| job.id).collect()
    }

    /// Whether a job is not done; one that is taken out counts as done.
    pub(crate) fn contains(&self, id: JobId) -> bool {
        self.jobs.contains_key(&id)
    }

    /// Takes a job out, to run it; [`Jobs::put_back`] unless it is done.
    pub(crate) fn take(&mut self, id: JobId) -> Option<Job> {
        self.jobs.remove(&id)
    }

    /// Returns a job that is not done.
    pub(crate) fn put_back(&mut self, job: Job) {
        self.jobs.insert(job.id, job);
    }

    /// Drops what a vanished client still wanted; what has been logged stays.
    pub(crate) fn forget_client(&mut self, client: ClientId) {
        self.jobs.retain(|_, job| job.origin.client() != Some(client));
    }

    /// When a wait ends whatever happens.
    pub(crate) fn deadlines(&self) -> impl Iterator<Item = Duration> + '_ {
        self.jobs.values().filter_map(|job| match job.wait {
            Some(Wait::Until(until) | Wait::Buried { until }) => Some(until),
            _ => None,
        })
    }

    /// Whether nothing is on its way that somebody waits for.
    pub(crate) fn is_quiet(&self) -> bool {
        self.all_quiet_but(|_| false)
    }

    /// The same, but for jobs of which that is not to count.
    pub(crate) fn all_quiet_but(&self, is_left_out: impl Fn(&Job) -> bool) -> bool {
        self.jobs.values().all(|job| job.origin == Origin::Background || is_left_out(job))
    }

    /// The job of a client's command line.
    pub(crate) fn of_client(&self, client: ClientId) -> Option<&Job> {
        self.jobs.values().find(|job| job.origin == Origin::OneShot(client))
    }
}
