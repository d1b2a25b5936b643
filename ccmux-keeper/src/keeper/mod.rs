//! The keeper process: one pane's pty, program and ring, and whoever serves them.
//!
//! A loop around `poll(2)`; no runtime, no allocation in the path of the output. One thread runs it, and
//! while the program floods another one, which the first waits for: `precedence` says why. The
//! process ends on RELEASE, or when it has nothing to hold: no signal but SIGKILL ends it, and no
//! death of a server does.
//!
//! * `setup` makes the process a daemon, `pane` moves output, `program` watches and signals the
//!   program, `visitors` holds the connections to servers, `backoff` decides when to start a server,
//!   `pace` tells a flood, `precedence` lets the keeper come after the program that floods.
//!
//! Invariants
//! * K1 Nothing a server does or fails to do stops the pty from being read, except a full ring.
//! * K2 A bell or frame is read before the ring is looked at, so what was published before it is
//!   seen.
//! * K3 The program's status is in the ring before the ring is marked drained, and stays there
//!   until RELEASE.

mod backoff;
mod pace;
mod pane;
mod precedence;
mod program;
mod setup;
mod visitors;

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::process::{WaitOptions, wait};

use self::backoff::Backoff;
use self::pane::Pane;
use self::precedence::SessionRank;
use self::setup::Setup;
use self::visitors::{Heard, Parting, Visitors};
use crate::socket::pane_uuid;
use crate::wire::message::{Failure, ToKeeper, ToServer};

/// Stack of the thread that runs in a flood.
const STACK_BYTES: usize = 256 * 1024;

/// Runs a keeper for the pane whose directory this is, until it is released.
///
/// To be called first thing in `main`, before any thread is started or file opened: standard
/// input must be the connection to the server that started it, standard output the locked `alive`
/// file, and every other descriptor is closed.
///
/// `starter` is called when the server has vanished: it shall get one going unless there is one,
/// exactly once however many keepers try, return at once, and say whether a server was there or
/// was started. It is called again, at growing intervals, until a server adopts the keeper or
/// after eight times.
pub fn run(pane_dir: &Path, starter: &mut (dyn FnMut() -> bool + Send)) -> ExitCode {
    // Without standard error there is no one to tell; the server sees the connection close.
    match Keeper::new(pane_dir, starter).and_then(Keeper::hold) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

struct Keeper<'a> {
    setup: Setup,
    visitors: Visitors,
    pane: Option<Pane>,
    /// What the server left here for the next one.
    stash: Option<OwnedFd>,
    backoff: Backoff,
    rank: SessionRank,
    starter: &'a mut (dyn FnMut() -> bool + Send),
}

/// Who comes first, the keeper or the program.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Precedence {
    /// The keeper, as any other process would.
    Keeper,
    /// The program: it floods.
    Program,
}

/// Whether to go on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stay {
    Hold,
    Leave,
}

/// What became of a message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reply {
    Done,
    /// There is nothing to hold any more.
    Release,
    /// It must not come now: the server breaks the protocol.
    OutOfPlace,
}

/// What `poll` may find ready.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Children,
    Listener,
    Server,
    Candidate,
    Output,
    Program,
}

impl<'a> Keeper<'a> {
    fn new(
        pane_dir: &Path,
        starter: &'a mut (dyn FnMut() -> bool + Send),
    ) -> io::Result<Keeper<'a>> {
        let uuid = pane_uuid(pane_dir)?;
        let (setup, server) = Setup::detach()?;
        let visitors = Visitors::new(pane_dir, uuid, server)?;
        let backoff = Backoff::default();
        let rank = SessionRank::default();
        Ok(Keeper { setup, visitors, pane: None, stash: None, backoff, rank, starter })
    }

    fn hold(mut self) -> io::Result<()> {
        let mut ready = vec![Source::Server];
        loop {
            if self.run(std::mem::take(&mut ready), Precedence::Keeper)? == Stay::Leave
                || self.run_in_flood()? == Stay::Leave
            {
                return Ok(());
            }
        }
    }

    /// Runs in a thread that comes after others, as long as the program floods.
    fn run_in_flood(&mut self) -> io::Result<Stay> {
        let stayed = thread::scope(|scope| {
            let keeper = &mut *self;
            let running =
                thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, || {
                    precedence::yield_thread();
                    keeper.run(Vec::new(), Precedence::Program)
                });
            let running = running.ok()?;
            Some(running.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        // Without another thread the flood goes on as before.
        stayed.unwrap_or_else(|| {
            if let Some(pane) = &mut self.pane {
                pane.calm(now());
            }
            Ok(Stay::Hold)
        })
    }

    /// Goes on until there is nothing to hold, or somebody else should come first.
    fn run(&mut self, mut ready: Vec<Source>, precedence: Precedence) -> io::Result<Stay> {
        loop {
            if self.handle(&ready) == Stay::Leave {
                return Ok(Stay::Leave);
            }
            self.move_output(&ready);
            let now = now();
            let wanted = self.precedence(now);
            self.rank.set_yielding(wanted == Precedence::Program, now);
            if wanted != precedence {
                return Ok(Stay::Hold);
            }
            if self.backoff.is_due(now) {
                let started = (self.starter)();
                self.backoff.tried(self::now(), started);
            }
            ready = self.wait()?;
        }
    }

    /// The keeper's, when it has a server to start: that inherits how soon a thread gets a processor.
    fn precedence(&mut self, now: Instant) -> Precedence {
        let is_flooded = self.pane.as_mut().is_some_and(|pane| pane.is_flooding(now));
        // Elsewhere a nice value is that of a process.
        if cfg!(target_os = "linux") && is_flooded && !self.backoff.is_due(now) {
            Precedence::Program
        } else {
            Precedence::Keeper
        }
    }

    /// Everything but output.
    fn handle(&mut self, ready: &[Source]) -> Stay {
        if ready.contains(&Source::Children) {
            self.setup.clear_child_signal();
            self.reap();
        }
        if let Some(pane) = &mut self.pane {
            pane.look_for_program();
        }
        for source in [Source::Server, Source::Candidate] {
            if ready.contains(&source) {
                let heard = self.visitors.hear(source);
                if self.heed(heard) == Stay::Leave {
                    return Stay::Leave;
                }
            }
        }
        if ready.contains(&Source::Listener) {
            self.visitors.admit();
        }
        Stay::Hold
    }

    fn heed(&mut self, heard: Heard) -> Stay {
        let mut parting = heard.parting;
        for message in heard.messages {
            match self.obey(message) {
                Reply::Done => {}
                Reply::Release => return Stay::Leave,
                Reply::OutOfPlace => {
                    parting = Some(self.visitors.part());
                    break;
                }
            }
        }
        match parting {
            None => {}
            // It brought nothing to hold.
            Some(_) if self.pane.is_none() => return Stay::Leave,
            Some(Parting::Goodbye) => self.backoff.stop(),
            Some(Parting::Vanished) => self.backoff.begin(now()),
        }
        Stay::Hold
    }

    fn obey(&mut self, message: ToKeeper) -> Reply {
        match (message, &mut self.pane) {
            (ToKeeper::Hello { .. }, None) | (ToKeeper::Goodbye, _) => {}
            (ToKeeper::Hello { .. }, Some(pane)) => {
                self.backoff.stop();
                pane.try_again();
                self.announce_stash();
                self.announce_pane();
            }
            (ToKeeper::Start(spec), None) => {
                setup::set_oom_score_adj(spec.oom_score_adj);
                return self.take(Pane::start(&spec, now()));
            }
            (ToKeeper::Replace { child_pid, oom_score_adj, master, ring }, None) => {
                setup::set_oom_score_adj(oom_score_adj);
                return self.take(Pane::adopt(child_pid, master, ring, now()));
            }
            (ToKeeper::Release, _) => return Reply::Release,
            (ToKeeper::End { signal }, Some(pane)) => pane.end_program(signal),
            (ToKeeper::Signal { signal }, Some(pane)) => pane.signal_foreground(signal),
            (ToKeeper::Stash(stash), Some(_)) => self.stash = Some(stash),
            (ToKeeper::Forget, _) => self.stash = None,
            (ToKeeper::Start(_) | ToKeeper::Replace { .. }, Some(_))
            | (ToKeeper::End { .. } | ToKeeper::Signal { .. } | ToKeeper::Stash(_), None) => {
                return Reply::OutOfPlace;
            }
        }
        Reply::Done
    }

    /// Holds a pane that was set up, or reports why it could not be and leaves.
    fn take(&mut self, pane: Result<Pane, Failure>) -> Reply {
        match pane {
            Ok(pane) => {
                self.pane = Some(pane);
                self.announce_pane();
                Reply::Done
            }
            Err(failure) => {
                self.visitors.say(ToServer::Failed(failure));
                Reply::Release
            }
        }
    }

    fn announce_stash(&mut self) {
        let Some(stash) = &self.stash else { return };
        match stash.try_clone() {
            Ok(stash) => self.visitors.say(ToServer::Stashed(stash)),
            // A server that does not hear of it would miss what is in it.
            Err(_) => self.visitors.hang_up(),
        }
    }

    fn announce_pane(&mut self) {
        let Some(pane) = &self.pane else { return };
        match pane.ready() {
            Ok(ready) => {
                self.visitors.say(ready);
                // The server before this one may have taken a bell to its grave.
                self.visitors.bell();
            }
            // Too many open files, say. That passes; losing the pane would not.
            Err(_) => self.visitors.hang_up(),
        }
    }

    /// Collects children: the program, and servers that this keeper started and that have ended.
    fn reap(&mut self) {
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            if let Some(pane) = &mut self.pane {
                pane.child_exited(pid, status);
            }
        }
    }

    fn move_output(&mut self, ready: &[Source]) {
        let Some(pane) = &mut self.pane else { return };
        let visitors = &mut self.visitors;
        let moved = pane.pump(ready.contains(&Source::Output), now(), &mut || visitors.bell());
        if let Err(error) = moved {
            self.visitors.say(ToServer::Failed(Failure::from_ring(&error)));
        }
    }

    fn wait(&self) -> io::Result<Vec<Source>> {
        let mut sources = Vec::with_capacity(6);
        let mut waiting = Vec::with_capacity(6);
        let mut watch = |source, fd, flags| {
            sources.push(source);
            waiting.push(PollFd::from_borrowed_fd(fd, flags));
        };
        watch(Source::Children, self.setup.child_signal(), PollFlags::IN);
        self.visitors.watch(&mut watch);
        let mut deadline =
            [self.backoff.deadline(), self.rank.deadline()].into_iter().flatten().min();
        if let Some(pane) = &self.pane {
            pane.watch(&mut watch);
            deadline = [deadline, pane.deadline(now())].into_iter().flatten().min();
        }
        let timeout = deadline.map(|deadline| {
            let left = deadline.saturating_duration_since(now());
            Timespec::try_from(left).expect("a few seconds fit")
        });
        match rustix::event::poll(&mut waiting, timeout.as_ref()) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(Vec::new()),
            Err(errno) => return Err(errno.into()),
        }
        let events = waiting.iter().map(|fd| !fd.revents().is_empty());
        Ok(sources
            .iter()
            .copied()
            .zip(events)
            .filter(|found| found.1)
            .map(|found| found.0)
            .collect())
    }
}

/// The keeper's clock. It measures nothing that the output or the state depends on.
#[expect(clippy::disallowed_methods, reason = "the one clock of the keeper process")]
fn now() -> Instant {
    Instant::now()
}
