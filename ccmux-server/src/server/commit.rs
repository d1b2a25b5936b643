//! How a change becomes true: decided, logged, applied, and then made so.

use std::io::Read as _;

use ccmux_core::apply::apply_all;
use ccmux_core::change::Change;
use ccmux_core::decide::{Command as Intent, Facts, decide};
use ccmux_core::ids::{PaneId, PaneUuid};
use ccmux_core::model::ExitStatus;
use ccmux_protocol::{Exit, ServerFrame};

use super::{Server, Stopping};
use crate::client::{Client, RecordStanding};
use crate::command::{CommandError, Job};
use crate::event_loop::ClientId;
use crate::open_files::shortage;
use crate::pane::{Pane, Stage};
use crate::persistence::{LogEntry, LogHealth, Seq};

/// Who made a change: for the log, and for people who read it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Cause {
    /// `client 3`, `config`, `program`, `terminal`.
    pub(crate) actor: String,
    /// The command line, or what else happened.
    pub(crate) what: String,
}

impl Cause {
    /// Something that no command asked for.
    pub(crate) fn event(actor: &str, what: &str) -> Self {
        Self { actor: actor.to_owned(), what: what.to_owned() }
    }
}

impl Server {
    /// What `decide` is told of the world.
    pub(crate) fn facts(&self) -> Facts {
        let mut bytes = [0; 16];
        (&self.random).read_exact(&mut bytes).expect("the kernel's random bytes never end");
        let uuid = PaneUuid(uuid::Builder::from_random_bytes(bytes).into_uuid());
        Facts { now: self.now(), uuid }
    }

    /// Decides, logs and applies what a command of a job wants; returns the changes.
    ///
    /// The job will not be answered before hard changes are durable, and waits for the programs of
    /// panes that were created before its next command runs.
    pub(crate) fn change(
        &mut self,
        job: &mut Job,
        cause: &Cause,
        intent: Intent,
    ) -> Result<Vec<Change>, CommandError> {
        let changes = decide(&self.state, intent, &self.facts())?;
        if changes.iter().any(|change| self.starts_another(change))
            && let Some(why) = shortage()
        {
            return Err(CommandError::new(why));
        }
        let seq = self.commit(&changes, cause)?;
        if let Some(seq) = seq.filter(|_| changes.iter().any(|change| !change.is_soft())) {
            job.hard = job.hard.max(Some(seq));
        }
        job.started.extend(changes.iter().filter_map(created_pane));
        Ok(changes)
    }

    /// Whether there is a keeper more with a change.
    fn starts_another(&self, change: &Change) -> bool {
        match change {
            Change::WindowCreated { pane, .. } | Change::PaneCreated { pane, .. } => {
                !pane.program.is_none() && !self.state.panes.contains_key(&pane.id)
            }
            _ => false,
        }
    }

    /// Changes that nobody waits for: what programs and terminals did.
    pub(crate) fn change_silently(&mut self, cause: &Cause, intent: Intent) {
        let result = decide(&self.state, intent, &self.facts())
            .map_err(CommandError::from)
            .and_then(|changes| self.commit(&changes, cause));
        if let Err(error) = result {
            tracing::warn!(%error, ?cause, "a change was not possible");
        }
    }

    /// Logs and applies changes as one record, then makes the world agree with them.
    ///
    /// Returns the record's number; `None` when there is nothing to change.
    pub(crate) fn commit(
        &mut self,
        changes: &[Change],
        cause: &Cause,
    ) -> Result<Option<Seq>, CommandError> {
        if changes.is_empty() {
            return Ok(None);
        }
        let entry = LogEntry {
            time: self.now(),
            actor: cause.actor.clone(),
            cause: cause.what.clone(),
            changes: changes.to_vec(),
        };
        let respawned = changes.iter().filter_map(|change| match change {
            Change::PaneRespawned { id, .. } => Some(*id),
            _ => None,
        });
        let respawned: Vec<PaneId> = respawned.collect();
        self.note_respawns(&respawned);
        // A record too large for the log is refused before anything has changed.
        let seq =
            self.persistence.log(&entry).map_err(|error| CommandError::new(error.to_string()))?;
        if !entry.is_soft() {
            self.hard = seq;
        }
        self.label_panes(changes);
        if let Err(error) = apply_all(&mut self.state, changes) {
            // The log now says something that the state cannot hold: going on would make replay
            // and memory differ for ever. Dying is safe, the programs live on.
            panic!("BUG: a decided change does not apply: {error}");
        }
        for id in respawned {
            self.respawn(id, seq);
        }
        self.reconcile(seq);
        Ok(Some(seq))
    }

    /// Whether the log takes nothing for now.
    fn is_log_degraded(&self) -> bool {
        matches!(self.persistence.health(), LogHealth::Degraded { .. })
    }

    /// Whether a record is on the disk, or will not be for now and everybody is told so.
    pub(crate) fn is_settled(&self, seq: Seq) -> bool {
        self.persistence.durable() >= seq || self.is_log_degraded()
    }

    /// Tells a client of a command line what it made of the state, or found there.
    ///
    /// Whoever is told of a change takes it for done, be it another's: so it is told once the
    /// newest hard record is settled. Pictures of attached clients wait for nothing.
    pub(crate) fn tell_client(&mut self, id: ClientId, frame: ServerFrame) {
        if let Some(client) = self.clients.get_mut(&id) {
            client.hold(self.hard, frame);
        }
        self.release_client(id);
    }

    /// Tells a client to end, as soon as what it was used for is settled. Whether that is durable
    /// is said as it is then.
    pub(crate) fn exit_client(&mut self, id: ClientId, exit: Exit) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        let session = client.attachment().map(|attachment| attachment.session);
        client.exit(self.hard, exit);
        self.release_client(id);
        if let Some(session) = session {
            self.fit_without(session);
        }
    }

    /// Lets go what clients are to be told of records that have been settled.
    pub(crate) fn release_clients(&mut self) {
        let ids: Vec<ClientId> = self.clients.keys().copied().collect();
        for id in ids {
            self.release_client(id);
        }
    }

    pub(crate) fn release_client(&mut self, id: ClientId) {
        if !self.clients.get(&id).is_some_and(Client::has_held) {
            return;
        }
        // One look for both questions: the committer changes the answers at any time.
        let (durable, is_log_degraded) = (self.persistence.durable(), self.is_log_degraded());
        let is_degraded = is_log_degraded || self.is_degraded();
        let Some(client) = self.clients.get_mut(&id) else { return };
        client.release(|seq| match (durable >= seq, is_log_degraded) {
            (false, false) => RecordStanding::Pending,
            (true, _) if !is_degraded => RecordStanding::Durable,
            _ => RecordStanding::Lost,
        });
    }

    /// A program ended: the pane goes, or remains to show it (`remain-on-exit`).
    pub(crate) fn log_program_end(&mut self, id: PaneId, status: ExitStatus) {
        if !self.state.panes.contains_key(&id) {
            return;
        }
        let was_known = self.state.panes.get(&id).is_some_and(|pane| pane.ended.is_some());
        let cause = Cause::event("program", "ended");
        self.change_silently(&cause, Intent::ProgramEnded { pane: id, status });
        // A pane with a keeper says so once that has left, unless it stays with it.
        let is_over =
            |pane: &Pane| matches!(pane.stage, Stage::Ended) || self.scrollback.is_away(pane.uuid);
        if !was_known && self.panes.get(&id).is_some_and(is_over) {
            self.say_dead(id);
        }
    }

    /// A checkpoint, when enough has been logged since the last one.
    pub(crate) fn checkpoint_if_due(&mut self) {
        if self.stopping == Stopping::No && self.persistence.checkpoint_due(self.now()) {
            let now = self.now();
            if let Err(refusal) = self.persistence.checkpoint(&self.state, now) {
                tracing::warn!(%refusal, "no checkpoint now");
            }
        }
    }
}

/// The pane that a change brings into being, or whose program it starts anew.
fn created_pane(change: &Change) -> Option<PaneId> {
    match change {
        Change::WindowCreated { pane, .. } | Change::PaneCreated { pane, .. } => Some(pane.id),
        Change::PaneRespawned { id, .. } => Some(*id),
        _ => None,
    }
}
