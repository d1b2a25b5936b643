//! The pane: output from the pty into the ring, and the program's end.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::process::{Pid, WaitStatus};

use super::Source;
use super::pace::Pace;
use super::program::Program;
use crate::child::{ChildSpec, open_pty, spawn};
use crate::ring::{ChildEnd, ChildState, KeeperRing, RingError, Wake};
use crate::wire::message::{FailedStep, Failure, ToServer};

/// Reads before the connections are looked at again.
const READS_PER_TURN: usize = 64;

/// Reads after which a sleeping server is rung although there is more to read. A bell for each
/// read would wake a quick server for 4 KiB at a time, and cost more than the reading.
const READS_PER_BELL: usize = 16;

/// What is taken from the pty after the program has ended. Its own output is a few KiB by then;
/// the bound is for one that it left behind in the background.
const DRAIN_BYTES_MAX: usize = 1024 * 1024;

const RETRY_DELAY_FIRST: Duration = Duration::from_millis(10);
const RETRY_DELAY_MAX: Duration = Duration::from_secs(1);

/// A pty, the program on it, and where its output goes.
#[derive(Debug)]
pub(super) struct Pane {
    master: OwnedFd,
    ring: KeeperRing,
    child_pid: u32,
    program: Program,
    output: Output,
    /// The server sleeps and was not rung yet.
    owes_bell: bool,
    drained_bytes: usize,
    pace: Pace,
}

/// Where the output stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Output {
    /// `poll` will tell when there is more.
    Awaited,
    /// The ring is full; the server's bell will tell when there is room.
    Blocked,
    /// No process has the terminal open, yet the program lives and may open it again. `poll`
    /// would report the hang-up without end, so look again after a while.
    HungUp { again: Instant, delay: Duration },
    /// The ring's header is damaged; nothing can be published.
    Broken,
    /// The program has ended and all its output is in the ring.
    Over,
}

impl Pane {
    /// Starts a program.
    pub(super) fn start(spec: &ChildSpec, now: Instant) -> Result<Pane, Failure> {
        let mut ring =
            KeeperRing::create(spec.stream_offset).map_err(|error| Failure::from_ring(&error))?;
        let (master, terminal) =
            open_pty(spec.size).map_err(|error| Failure::from_io(FailedStep::Pty, &error))?;
        let (child_pid, pid) = spawn(spec, terminal)
            .and_then(|child_pid| Ok((child_pid, process_id(child_pid)?)))
            .map_err(|error| Failure::from_io(FailedStep::Exec, &error))?;
        ring.set_running(child_pid);
        Ok(Pane {
            master,
            ring,
            child_pid,
            program: Program::Own(pid),
            output: Output::Awaited,
            owes_bell: false,
            drained_bytes: 0,
            pace: Pace::new(now),
        })
    }

    /// Goes on where a killed keeper stopped.
    pub(super) fn adopt(
        child_pid: u32,
        master: OwnedFd,
        ring: OwnedFd,
        now: Instant,
    ) -> Result<Pane, Failure> {
        let mut ring = KeeperRing::adopt(ring).map_err(|error| Failure::from_ring(&error))?;
        let state = ring.child_state().map_err(|error| Failure::from_ring(&error))?;
        let pid =
            process_id(child_pid).map_err(|error| Failure::from_io(FailedStep::Other, &error))?;
        let program = match state {
            ChildState::Ended(_) => Program::Ended,
            ChildState::Running | ChildState::NotStarted => Program::foreign(pid),
        };
        if program.has_ended() && !matches!(state, ChildState::Ended(_)) {
            ring.set_ended(ChildEnd::Unknown);
        }
        let output = if ring.is_drained() { Output::Over } else { Output::Awaited };
        let pace = Pace::new(now);
        Ok(Pane {
            master,
            ring,
            child_pid,
            program,
            output,
            owes_bell: false,
            drained_bytes: 0,
            pace,
        })
    }

    /// What to tell a server: the program, the pty and the ring.
    pub(super) fn ready(&self) -> io::Result<ToServer> {
        Ok(ToServer::Ready {
            child_pid: self.child_pid,
            master: self.master.try_clone()?,
            ring: self.ring.as_fd().try_clone_to_owned()?,
        })
    }

    /// Lists what to poll for.
    pub(super) fn watch<'a>(&'a self, watch: &mut impl FnMut(Source, BorrowedFd<'a>, PollFlags)) {
        if self.output == Output::Awaited {
            watch(Source::Output, self.master.as_fd(), PollFlags::IN);
        }
        if let Some(program) = self.program.descriptor() {
            watch(Source::Program, program, PollFlags::IN);
        }
    }

    /// When to look again without being told.
    pub(super) fn deadline(&self, now: Instant) -> Option<Instant> {
        let look = match self.output {
            Output::HungUp { again, .. } => Some(again),
            _ if self.program.needs_looking() => Some(now + RETRY_DELAY_MAX),
            _ => None,
        };
        [look, self.pace.deadline()].into_iter().flatten().min()
    }

    /// Whether the program floods, by what was moved lately.
    pub(super) fn is_flooding(&mut self, now: Instant) -> bool {
        self.pace.look(now);
        self.pace.is_flood()
    }

    /// Takes it for calm until another window is over.
    pub(super) fn calm(&mut self, now: Instant) {
        self.pace = Pace::new(now);
    }

    /// Moves output from the pty to the ring as long as there is some and there is room, within
    /// one turn. `bell` rings the server.
    pub(super) fn pump(
        &mut self,
        is_readable: bool,
        now: Instant,
        bell: &mut dyn FnMut(),
    ) -> Result<(), RingError> {
        // Before reading: what is read once the end is known includes all that came before it.
        let has_ended = self.program.has_ended();
        let is_due = has_ended
            || match self.output {
                Output::Awaited => is_readable,
                Output::Blocked => true,
                Output::HungUp { again, .. } => again <= now,
                Output::Broken | Output::Over => false,
            };
        if !is_due || self.output == Output::Over {
            return Ok(());
        }
        let filled = if self.output == Output::Broken {
            Ok(Filled::Dry)
        } else {
            self.fill(has_ended, bell)
        };
        self.pay_bell(bell);
        self.output = match filled {
            Ok(Filled::Full) => Output::Blocked,
            _ if has_ended => self.finish(bell),
            Ok(Filled::HungUp) => self.hung_up(now),
            Ok(Filled::Dry | Filled::TurnOver) => Output::Awaited,
            Err(_) => Output::Broken,
        };
        filled.map(|_| ())
    }

    /// Looks whether a program that is not our child is still there.
    pub(super) fn look_for_program(&mut self) {
        if let Some(end) = self.program.look() {
            self.ring.set_ended(end);
        }
    }

    /// Notes the end of a child, if it was the program.
    pub(super) fn child_exited(&mut self, pid: Pid, status: WaitStatus) {
        if let Some(end) = self.program.child_exited(pid, status) {
            self.ring.set_ended(end);
        }
    }

    /// A new server has come: what went wrong before may go right now.
    pub(super) fn try_again(&mut self) {
        if matches!(self.output, Output::Broken | Output::HungUp { .. }) {
            self.output = Output::Awaited;
        }
    }

    /// Sends a signal to the foreground process group.
    pub(super) fn signal_foreground(&self, signal: i32) {
        self.program.signal_foreground(&self.master, signal);
    }

    /// Sends a signal to everyone on the pty.
    pub(super) fn end_program(&self, signal: i32) {
        self.program.end(&self.master, signal);
    }

    fn fill(&mut self, has_ended: bool, bell: &mut dyn FnMut()) -> Result<Filled, RingError> {
        let mut reads = 0;
        loop {
            if !has_ended && reads == READS_PER_TURN {
                return Ok(Filled::TurnOver);
            }
            if self.drained_bytes >= DRAIN_BYTES_MAX {
                return Ok(Filled::Dry);
            }
            let vacant = self.ring.vacant()?;
            if vacant.is_empty() {
                if self.ring.sleep_while_full()? {
                    return Ok(Filled::Full);
                }
                continue;
            }
            match rustix::io::read(&self.master, vacant) {
                // The end of the file and EIO both say that no one has the terminal open.
                Ok(0) => return Ok(Filled::HungUp),
                Ok(count) => {
                    reads += 1;
                    self.pace.add(count);
                    if has_ended {
                        self.drained_bytes += count;
                    }
                    self.owes_bell |= self.ring.publish(count) == Wake::Ring;
                    if reads % READS_PER_BELL == 0 {
                        self.pay_bell(bell);
                    }
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(Filled::Dry),
                Err(_) => return Ok(Filled::HungUp),
            }
        }
    }

    fn hung_up(&mut self, now: Instant) -> Output {
        // A foreign program without a descriptor may have ended just now.
        self.look_for_program();
        let delay = match self.output {
            Output::HungUp { delay, .. } => (delay * 2).min(RETRY_DELAY_MAX),
            _ => RETRY_DELAY_FIRST,
        };
        Output::HungUp { again: now + delay, delay }
    }

    fn finish(&mut self, bell: &mut dyn FnMut()) -> Output {
        self.owes_bell |= self.ring.set_drained() == Wake::Ring;
        self.pay_bell(bell);
        Output::Over
    }

    fn pay_bell(&mut self, bell: &mut dyn FnMut()) {
        if std::mem::take(&mut self.owes_bell) {
            bell();
        }
    }
}

/// Why moving output has paused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Filled {
    /// There may be more, but others want to be heard.
    TurnOver,
    /// The program has printed no more.
    Dry,
    /// The ring is full.
    Full,
    /// No process has the terminal open.
    HungUp,
}

fn process_id(raw: u32) -> io::Result<Pid> {
    let pid = i32::try_from(raw).ok().and_then(Pid::from_raw);
    pid.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not a process id"))
}
