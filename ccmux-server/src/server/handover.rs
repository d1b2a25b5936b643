//! `restart-server`: another executable takes over, and nothing ends.
//!
//! First the other one proves that it can go on; then everything goes to the disk, and this
//! process starts it and waits until it listens (`ccmux_protocol::rendezvous`). Keepers are not
//! told: to them and to attached clients it is what a kill is, and shorter. If the other one does
//! not listen in time, this executable is a server again.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::mpsc::{Receiver, TryRecvError, channel};

use anyhow::Context as _;
use ccmux_protocol::rendezvous::{Launch, Proof, hand_over, prove, take_back};
use ccmux_protocol::{Exit, ServerFrame};

use super::{Server, Stopping};
use crate::client::{Client, ClientStage};
use crate::command::{CommandError, JobId};
use crate::event_loop::ClientId;

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
    /// It can go on, and is to.
    Agreed {
        launch: Launch,
        proof: Proof,
        /// Who is told how it went.
        client: Option<ClientId>,
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
        let Some(mut job) = self.jobs.take(job) else { return };
        match verdict {
            Ok(proof) => {
                tracing::info!(%exe, version = proof.version, "handing over");
                self.handover = Handover::Agreed { launch, proof, client: job.origin.client() };
                self.stopping = Stopping::HandingOver;
            }
            Err(why) => {
                job.wait = None;
                job.has_failed = true;
                self.complain(&job, &format!("{exe} cannot take over: {why}"));
                self.has_more = true;
            }
        }
        self.jobs.put_back(job);
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
        let Handover::Agreed { launch, proof, client } = std::mem::take(&mut self.handover) else {
            unreachable!("BUG: handing over what was not agreed on");
        };
        let issued = self.persistence.issued();
        self.persistence.wait_durable(issued);
        let ids: Vec<ClientId> = self.clients.keys().copied().collect();
        for id in ids {
            self.release_client(id);
            let client = self.clients.get_mut(&id);
            // What it was told must not be cut off; one that looks at a session comes back.
            if let Some(client) = client.filter(|client| client.attachment().is_none()) {
                client.connection.flush_last();
            }
        }
        let requester = client.and_then(|id| self.clients.remove(&id));
        let requester = requester.filter(|c| matches!(c.stage, ClientStage::Commanding));
        let door = self.door.take().context("there is no lock to hand over")?;
        drop(door.listener);
        self.finish();
        let old = env!("CARGO_PKG_VERSION");
        let result = hand_over(&door.lock, &launch);
        let exe = launch.exe.to_string();
        match result {
            Ok(()) => {
                tracing::info!(%exe, version = proof.version, "handed over");
                let text = format!("ccmux {} has taken over from {old}\n", proof.version);
                answer(requester, &ServerFrame::Stdout(text.into_bytes()), 0);
                Ok(())
            }
            Err(error) => {
                tracing::error!(%exe, %error, "it did not take over");
                let note = format!("{exe} did not take over: {error}; ccmux {old} goes on");
                answer(requester, &ServerFrame::Stderr(format!("{note}\n").into_bytes()), 1);
                let own = crate::daemon::own_executable()?;
                Err(take_back(&door.lock, &own, &door.registration.launch, &note).into())
            }
        }
    }
}

/// Tells who asked for it how it went.
fn answer(client: Option<Client>, text: &ServerFrame, code: u8) {
    let Some(mut client) = client else { return };
    client.connection.send(text);
    client.connection.send(&ServerFrame::Exit(Exit::done(code)));
    client.connection.flush_last();
}
