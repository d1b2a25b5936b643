//! `restart-server`: another executable takes over, and nothing ends.
//!
//! First the other one proves that it can go on; then everything goes to the disk, and this
//! process starts it and waits until it listens (`ccmux_protocol::rendezvous`). Keepers are not
//! told: to them and to attached clients it is what a kill is, and shorter. If the other one does
//! not listen in time, this executable is a server again.
//!
//! Command lines that run get a moment to end. Of those that do not, and of those that have not
//! begun, each is told what it is: cut off, or to be said to the next server, which its client does.
//! A SIGTERM meanwhile is passed on to whoever is the server then.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::Duration;

use anyhow::Context as _;
use ccmux_protocol::rendezvous::{Launch, Proof, hand_over, prove, take_back};
use ccmux_protocol::{Exit, RefusalCode, ServerFrame};
use rustix::process::{Pid, Signal, kill_process};

use super::clients::refuse;
use super::{Server, Stopping};
use crate::client::{Client, ClientStage};
use crate::command::{CommandError, Job, JobId, Origin, Wait};
use crate::event_loop::ClientId;

/// How long command lines that run may delay it.
const DRAIN_MAX: Duration = Duration::from_secs(1);
/// How long who asked for it may take to take its short answer.
const ANSWERING_MAX: Duration = Duration::from_secs(1);

/// What becomes of a wish to hand over.
#[derive(Debug, Default)]
pub(crate) enum Handover {
    /// Nobody wants it.
    #[default]
    None,
    /// The other executable recovers the state in memory.
    Proving {
        /// The command that waits for it.
        job: JobId,
        launch: Launch,
        outcome: Receiver<Result<Proof, String>>,
    },
    /// It can go on, and is to, as soon as nothing is cut off by it, or not much later.
    Agreed {
        /// The command that waits for it, whose client is told how it went.
        job: JobId,
        launch: Launch,
        proof: Proof,
        since: Duration,
    },
}

impl Server {
    /// Has an executable prove that it can take over; without one, the one that is on the disk where
    /// this one was started from.
    pub(crate) fn begin_handover(
        &mut self,
        job: JobId,
        exe: Option<&Path>,
    ) -> Result<(), CommandError> {
        if !matches!(self.handover, Handover::None) {
            return Err(CommandError::new("the server is being restarted already"));
        }
        if let Some(why) = self.degraded() {
            return Err(CommandError::new(format!("not everything is on the disk: {why}")));
        }
        let Some(door) = &self.door else {
            return Err(CommandError::new("the server has only just started"));
        };
        let mut launch = door.registration.launch.clone();
        if let Some(exe) = exe {
            launch.exe = exe.as_os_str().as_bytes().into();
        }
        let (sender, outcome) = channel();
        let (asked, waker) = (launch.clone(), self.waker.clone());
        let ask = move || {
            let proof = prove(&asked).map_err(|error| error.to_string());
            // The server is gone if nobody listens.
            let _ = sender.send(proof);
            let _ = waker.wake();
        };
        std::thread::Builder::new()
            .name("proof".to_owned())
            .spawn(ask)
            .map_err(|error| CommandError::new(format!("cannot start a thread: {error}")))?;
        self.handover = Handover::Proving { job, launch, outcome };
        Ok(())
    }

    /// Takes the outcome of a proof.
    pub(crate) fn take_proof(&mut self) {
        let Handover::Proving { outcome, .. } = &self.handover else { return };
        let outcome = match outcome.try_recv() {
            Ok(outcome) => outcome,
            Err(TryRecvError::Empty) => return,
            Err(TryRecvError::Disconnected) => Err("nobody waits for its proof".to_owned()),
        };
        let Handover::Proving { job, launch, .. } = std::mem::take(&mut self.handover) else {
            return;
        };
        let exe = launch.exe.to_string();
        let spoken = ccmux_keeper::VERSIONS;
        let verdict = outcome.and_then(|proof| {
            let (least, most) = proof.keeper_protocol;
            match (least..=most).contains(spoken.end()) {
                true => Ok(proof),
                false => Err(format!(
                    "it speaks versions {least} to {most} of the keepers' protocol, and keepers \
                     here version {}",
                    spoken.end()
                )),
            }
        });
        let verdict = verdict.and_then(|proof| self.may_hand_over().map(|()| proof));
        match verdict {
            Ok(proof) if self.jobs.contains(job) => {
                let since = self.elapsed();
                self.handover = Handover::Agreed { job, launch, proof, since };
            }
            // Who wanted it is gone.
            Ok(_) => {}
            Err(why) => self.refuse_handover(job, &exe, &why),
        }
    }

    fn refuse_handover(&mut self, job: JobId, exe: &str, why: &str) {
        let Some(mut job) = self.jobs.take(job) else { return };
        job.wait = None;
        job.has_failed = true;
        self.complain(&job, &format!("{exe} cannot take over: {why}"));
        self.has_more = true;
        self.jobs.put_back(job);
    }

    /// Hands over when no command line would be cut off by it, or when they had their time.
    pub(crate) fn hand_over_when_quiet(&mut self) {
        let Handover::Agreed { job, ref launch, since, .. } = self.handover else { return };
        let is_told_later =
            |other: &Job| other.id == job || !matches!(other.origin, Origin::OneShot(_));
        let is_quiet = self.jobs.all_quiet_but(is_told_later);
        if self.stopping != Stopping::No || !is_quiet && self.elapsed() < since + DRAIN_MAX {
            return;
        }
        let exe = launch.exe.to_string();
        match self.may_hand_over() {
            Ok(()) => {
                tracing::info!(%exe, "handing over");
                self.stopping = Stopping::HandingOver;
            }
            Err(why) => {
                self.handover = Handover::None;
                self.refuse_handover(job, &exe, &why);
            }
        }
    }

    /// When it is handed over whatever is on its way.
    pub(super) fn handover_deadline(&self) -> Option<Duration> {
        match self.handover {
            Handover::Agreed { since, .. } => Some(since + DRAIN_MAX),
            _ => None,
        }
    }

    /// Tells everybody with a command line, but `requester`, how it ends for them: nothing that has
    /// begun is done twice, and what has not is left to the next server.
    pub(super) fn part_with_commands(&mut self, requester: Option<ClientId>) {
        let ids: Vec<ClientId> = self.clients.keys().copied().collect();
        for id in ids.into_iter().filter(|id| Some(*id) != requester) {
            let has_begun = self
                .jobs
                .of_client(id)
                .is_some_and(|job| !matches!(job.wait, Some(Wait::Beginning { .. })));
            let Some(client) = self.clients.get_mut(&id) else { continue };
            match client.stage {
                ClientStage::Commanding if has_begun => {
                    let words = b"the server was restarted before this command was done\n";
                    client.say(ServerFrame::Stderr(words.to_vec()));
                    self.exit_client(id, Exit::done(1));
                }
                ClientStage::Greeting | ClientStage::Commanding => {
                    let message = "the server is being restarted";
                    refuse(client, RefusalCode::Restarting, message, None);
                }
                ClientStage::Attached(_) | ClientStage::Leaving => {}
            }
            self.jobs.forget_client(id);
            self.release_client(id);
        }
    }

    /// Whether what was agreed to when the proof began still holds.
    fn may_hand_over(&self) -> Result<(), String> {
        let is_over = self.state.sessions.is_empty() && self.exits_when_empty();
        if self.stopping != Stopping::No || self.is_killed || is_over {
            return Err("the server is ending".to_owned());
        }
        let is_durable = self.persistence.wait_durable(self.persistence.issued());
        match self.degraded() {
            Some(why) => Err(format!("not everything is on the disk: {why}")),
            None if !is_durable => Err("not everything is on the disk".to_owned()),
            None => Ok(()),
        }
    }

    /// Puts everything on the disk and lets the other executable serve. Returns once it does;
    /// otherwise this process becomes a server again, and an error says why that failed, too.
    pub(crate) fn hand_over(mut self) -> anyhow::Result<()> {
        let Handover::Agreed { launch, proof, job, .. } = std::mem::take(&mut self.handover) else {
            unreachable!("BUG: handing over what was not agreed on");
        };
        let client = self.jobs.get_mut(job).and_then(|job| job.origin.client());
        let issued = self.persistence.issued();
        self.persistence.wait_durable(issued);
        self.part_with_commands(client);
        // What they were told must not be cut off; who looks at a session comes back.
        self.flush_clients(|client| client.attachment().is_none());
        let requester = client.and_then(|id| self.clients.remove(&id));
        let requester = requester.filter(|c| matches!(c.stage, ClientStage::Commanding));
        let terminate = self.signals.terminate();
        let door = self.door.take().context("there is no lock to hand over")?;
        drop(door.listener);
        self.finish();
        let old = env!("CARGO_PKG_VERSION");
        let result = hand_over(&door.lock, &launch);
        let exe = launch.exe.to_string();
        match result {
            Ok(successor) => {
                tracing::info!(%exe, version = proof.version, "handed over");
                let text = format!("ccmux {} has taken over from {old}\n", proof.version);
                answer(requester, &ServerFrame::Stdout(text.into_bytes()), 0);
                if terminate.load(Ordering::SeqCst) {
                    stop_process(successor);
                }
                Ok(())
            }
            Err(error) => {
                tracing::error!(%exe, %error, "it did not take over");
                let was_told_to_stop = terminate.load(Ordering::SeqCst);
                let what = match was_told_to_stop {
                    false => "goes on",
                    true => "was told to stop meanwhile",
                };
                let note = format!("{exe} did not take over: {error}; ccmux {old} {what}");
                answer(requester, &ServerFrame::Stderr(format!("{note}\n").into_bytes()), 1);
                let own = crate::daemon::own_executable()?;
                let launch = &door.registration.launch;
                Err(take_back(&door.lock, &own, launch, &note, was_told_to_stop).into())
            }
        }
    }
}

/// Passes on that this server was told to stop.
fn stop_process(pid: u32) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    // It may have ended already.
    let _ = pid.map(|pid| kill_process(pid, Signal::TERM));
}

/// Tells who asked for it how it went.
fn answer(client: Option<Client>, text: &ServerFrame, code: u8) {
    let Some(mut client) = client else { return };
    client.connection.send(text);
    client.connection.send(&ServerFrame::Exit(Exit::done(code)));
    client.connection.flush_last(|| ANSWERING_MAX);
}
