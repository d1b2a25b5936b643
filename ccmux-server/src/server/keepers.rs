//! Keepers: starting, adopting, replacing and letting go of them.
//!
//! A keeper is replaced only when the kernel says that it is gone (its `alive` lock is free). One
//! that lives but does not answer is shown as unreachable and never replaced: two readers of one
//! pty would split the stream.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

use ccmux_core::ids::{PaneId, PaneUuid};
use ccmux_core::model::{ExitStatus, Program};
use ccmux_keeper::{
    ChildEnd, ChildSpec, KeeperCommand, Link, LinkError, LinkEvent, Orphan, lock_alive,
};

use super::Server;
use super::respawn::forget_respawn;
use super::retries::RETRY_INTERVAL;
use crate::event_loop::Event;
use crate::pane::{Contact, Held, Live, Pane, Stage};
use crate::persistence::restoration::{forget_vacant, write_number};

/// How soon a keeper that could not be started is started again.
const START_INTERVAL: Duration = Duration::from_secs(1);

/// What a pane shows where its output cannot be read any more.
const TROUBLE_MARK: &[u8] =
    b"\x1b[m\r\n\x1b[2m[the output cannot be read here; some may be lost]\r\n\
    [if nothing follows: respawn-pane -k starts the program anew, kill-pane closes the pane]\
    \x1b[m\r\n";

impl Server {
    /// The directory of a pane.
    pub(crate) fn pane_dir(&self, uuid: PaneUuid) -> PathBuf {
        self.surroundings.state_dir.join("panes").join(uuid.to_string())
    }

    /// Starts a keeper and the program of a pane, once no other keeper of it lives: that one hangs
    /// up a moment before it lets go of its lock. The pane's record must be settled.
    pub(crate) fn start_program(&mut self, id: PaneId, program: Option<Program>) {
        let Some(uuid) = self.panes.get(&id).map(|pane| pane.uuid) else { return };
        if matches!(lock_alive(&self.pane_dir(uuid)), Ok(None)) {
            let at = self.elapsed() + RETRY_INTERVAL;
            if let Some(pane) = self.panes.get_mut(&id) {
                pane.stage = Stage::Parting { program, why: None, at };
            }
            return;
        }
        let recorded = self.state.panes.get(&id).map(|pane| pane.program.clone());
        let (Some(runs), Some(pane)) = (program.clone().or(recorded), self.panes.get(&id)) else {
            return;
        };
        let (size, stream_offset) = (pane.window_size(), pane.output.consumed);
        let child = self.child_spec(id, &runs, size, stream_offset);
        let began = match self.start_keeper(id, uuid, child) {
            Ok(link) => self.watched(id, Ok(link)),
            Err(error) => return self.start_failed(id, program, &error),
        };
        match began {
            Ok(link) => self.set_stage(id, Stage::Starting { link }),
            // It may have started the program all the same.
            Err(error) => self.unreachable(id, describe(&error), None),
        }
    }

    /// No keeper can be started, because a disk is full, perhaps: that is said, and tried again.
    fn start_failed(&mut self, id: PaneId, program: Option<Program>, error: &LinkError) {
        let why = describe(error);
        let (now, at) = (self.now(), self.elapsed() + START_INTERVAL);
        let Some(pane) = self.panes.get_mut(&id) else { return };
        let was_said = pane.start_error.replace(why.clone()).is_some_and(|last| last == why);
        if !was_said {
            tracing::error!(pane = %id, why, "no program can be started; trying again");
            let text = format!("\x1b[m[no program can be started yet: {why}]\r\n");
            pane.print(&mut self.scrollback, now, text.as_bytes());
        }
        pane.stage = Stage::Parting { program, why: Some(why), at };
        self.redraw_pane(id);
    }

    fn start_keeper(
        &self,
        id: PaneId,
        uuid: PaneUuid,
        child: ChildSpec,
    ) -> Result<Link, LinkError> {
        if let Some(why) = crate::open_files::shortage() {
            return Err(std::io::Error::other(why).into());
        }
        let pane_dir = self.pane_dir(uuid);
        create_private_dir(&pane_dir)?;
        write_number(&pane_dir, id)?;
        let alive = lock_alive(&pane_dir)?
            .ok_or_else(|| std::io::Error::other("a keeper of this pane is still alive"))?;
        // From here on a request for another program counts as done: none is ever run twice.
        forget_respawn(&pane_dir)?;
        forget_vacant(&pane_dir)?;
        let link = Link::spawn(&self.keeper_command(id), alive, child)?;
        Ok(self.with_stash(uuid, link))
    }

    /// Gives a keeper that is being started what is there of the pane's earlier output; if that fails,
    /// it gets it when it is ready.
    fn with_stash(&self, uuid: PaneUuid, mut link: Link) -> Link {
        if let Some(stash) = self.scrollback.stash_descriptor(uuid) {
            let _ = link.stash(stash);
        }
        link
    }

    /// How the keeper of a pane is started: under a name that people recognize in `ps`.
    fn keeper_command(&self, id: PaneId) -> KeeperCommand {
        KeeperCommand {
            exe: self.surroundings.exe.clone(),
            name: Some(format!("ccmux:{id}").into()),
            args: vec!["keeper".into()],
            open_files: self.surroundings.open_files,
        }
    }

    /// Greets the keeper of a pane that an earlier server left, or finds that there is none.
    ///
    /// Returns whether a keeper lives.
    pub(crate) fn adopt_keeper(&mut self, id: PaneId) -> bool {
        self.adopt_again(id, None).is_ok()
    }

    /// Greets the keeper of a pane of which this server holds something already. Returns that if
    /// the keeper is gone.
    pub(super) fn adopt_again(
        &mut self,
        id: PaneId,
        held: Option<Held>,
    ) -> Result<(), Option<Held>> {
        let Some(uuid) = self.panes.get(&id).map(|pane| pane.uuid) else { return Err(held) };
        let pane_dir = self.pane_dir(uuid);
        match lock_alive(&pane_dir) {
            Ok(Some(_free)) => return Err(held),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(held),
            Ok(None) => {}
            Err(error) => tracing::error!(pane = %id, %error, "cannot look at a keeper's lock"),
        }
        match self.watched(id, Link::adopt(&pane_dir)) {
            Ok(link) => {
                self.set_stage(id, Stage::Adopting { link, held });
                // Whatever it answers: its ring may be unusable.
                self.end_respawning();
            }
            Err(error) => self.unreachable(id, describe(&error), held),
        }
        Ok(())
    }

    /// Has a conversation with a keeper watched by the loop, if it began.
    fn watched(&self, id: PaneId, began: Result<Link, LinkError>) -> Result<Link, LinkError> {
        use std::os::fd::AsFd;
        let link = began?;
        self.watcher.both(link.as_fd(), Event::Keeper(id))?;
        Ok(link)
    }

    fn set_stage(&mut self, id: PaneId, stage: Stage) {
        if let Some(pane) = self.panes.get_mut(&id) {
            pane.stage = stage;
        }
    }

    /// Takes what a keeper has to say.
    pub(crate) fn hear_keeper(&mut self, id: PaneId) {
        let Some(link) = self.panes.get_mut(&id).and_then(Pane::link) else {
            return self.hear_closing(id);
        };
        let events = match link.receive() {
            Ok(events) => events,
            Err(LinkError::Io(error)) => {
                tracing::info!(pane = %id, %error, "the connection to a keeper broke");
                vec![LinkEvent::Closed]
            }
            Err(error) => return self.keeper_unintelligible(id, &error),
        };
        for event in events {
            match event {
                LinkEvent::Ready { keeper_pid, child_pid, master, ring, stash } => {
                    self.keeper_ready(id, keeper_pid, Held { master, ring, child_pid }, stash);
                }
                LinkEvent::Failed(failure) => self.keeper_failed(id, &failure),
                LinkEvent::Bell => {}
                LinkEvent::Closed => self.keeper_lost(id),
            }
        }
    }

    pub(super) fn keeper_ready(
        &mut self,
        id: PaneId,
        keeper_pid: u32,
        held: Held,
        stash: Option<OwnedFd>,
    ) {
        let Some(pane) = self.panes.get_mut(&id) else { return };
        let is_adopted = matches!(pane.stage, Stage::Adopting { .. });
        let is_stash_kept = is_adopted && stash.is_some();
        let stage = std::mem::replace(&mut pane.stage, Stage::Ended);
        let (Stage::Starting { link }
        | Stage::Adopting { link, .. }
        | Stage::Replacing { link, .. }) = stage
        else {
            pane.stage = stage;
            return;
        };
        pane.stage = Stage::Live(Live { link, held, keeper_pid });
        pane.start_error = None;
        if is_adopted {
            self.take_stash(id, stash);
            self.catch_up(id);
            if let Some(pane) = self.panes.get_mut(&id) {
                pane.close_cut_paste();
            }
        }
        if let Some(Err(error)) = self.panes.get_mut(&id).map(Pane::note_doubt) {
            // Whatever is wrong with the header shows when the ring is read.
            tracing::error!(pane = %id, %error, "the ring is damaged");
        }
        // A window size set again makes full-screen programs repaint what a dead server missed.
        self.set_window_size(id);
        if let Some(pane) = self.panes.get_mut(&id) {
            pane.flush_input();
            // A keeper that takes another's place does not have it yet.
            self.scrollback.note_handed(pane.uuid, is_stash_kept);
            pane.hand_stash(&mut self.scrollback);
        }
        self.move_to_scope(id);
        // It may have said that it cannot be reached.
        self.redraw_pane(id);
        self.has_more = true;
    }

    /// A keeper lives and says what cannot be: it would say the same at once again.
    fn keeper_unintelligible(&mut self, id: PaneId, error: &LinkError) {
        self.let_go(id);
        let Some(pane) = self.panes.get_mut(&id) else { return };
        match std::mem::replace(&mut pane.stage, Stage::Ended) {
            // What matters is only whether these are gone.
            stage @ (Stage::Respawning { .. } | Stage::Releasing { .. }) => {
                pane.stage = stage;
                self.keeper_lost(id);
            }
            stage => {
                let (link, held) = stage.into_parts();
                self.reaping.extend(link);
                self.unreachable(id, describe(error), held);
            }
        }
    }

    /// Says in a pane that its output cannot be followed: what comes after that, if anything does,
    /// may lack some.
    pub(super) fn mark_trouble(&mut self, id: PaneId) {
        let Some(pane) = self.panes.get_mut(&id).filter(|pane| pane.tries == 0) else { return };
        pane.apply(|terminal| terminal.advance(TROUBLE_MARK));
        pane.output.is_touched = true;
        self.redraw_pane(id);
    }

    fn keeper_failed(&mut self, id: PaneId, failure: &ccmux_keeper::Failure) {
        let Some(pane) = self.panes.get_mut(&id) else { return };
        if matches!(pane.stage, Stage::Live(_)) {
            // It read output before and cannot any more.
            tracing::error!(pane = %id, %failure, "a keeper cannot go on");
            return self.mark_trouble(id);
        }
        let is_asked_to_start = matches!(pane.stage, Stage::Starting { .. });
        tracing::warn!(pane = %id, %failure, "a keeper does not do what it was asked for");
        self.let_go(id);
        let now = self.now();
        let Some(pane) = self.panes.get_mut(&id) else { return };
        let (link, held) = std::mem::replace(&mut pane.stage, Stage::Ended).into_parts();
        self.reaping.extend(link);
        if !is_asked_to_start {
            // Its program may well live.
            return self.unreachable(id, failure.to_string(), held);
        }
        let text = format!("\x1b[m{failure}\r\n");
        pane.print(&mut self.scrollback, now, text.as_bytes());
        for client in self.clients_looking_at(id) {
            self.tell(client, failure.to_string());
        }
        self.log_program_end(id, ExitStatus::Code(127));
    }

    /// The connection to a keeper closed. If the keeper is gone, another takes over its pty.
    fn keeper_lost(&mut self, id: PaneId) {
        self.let_go(id);
        let now = self.elapsed();
        let Some(pane) = self.panes.get_mut(&id) else { return };
        let uuid = pane.uuid;
        let contact = match pane.stage {
            Stage::Adopting { held: None, .. } => Contact::Found,
            Stage::Starting { .. } => Contact::Asked,
            _ => Contact::Ready,
        };
        let stage = std::mem::replace(&mut pane.stage, Stage::Ended);
        let (held, link) = match stage {
            Stage::Live(live) => (Some(live.held), Some(live.link)),
            Stage::Replacing { held, link } => {
                // One that cannot take over is not followed by the next at once.
                self.reaping.push(link);
                pane.stage = Stage::Lost { held: Some(held), contact, at: now + START_INTERVAL };
                return self.redraw_pane(id);
            }
            Stage::Releasing { link } => {
                self.reaping.push(link);
                return self.released(id);
            }
            Stage::Starting { link } => (None, Some(link)),
            Stage::Adopting { link, held } => (held, Some(link)),
            Stage::Respawning { link, program } => {
                self.reaping.push(link);
                return self.start_program(id, program);
            }
            Stage::Ended => return,
            other @ (Stage::Waiting { .. }
            | Stage::Parting { .. }
            | Stage::Lost { .. }
            | Stage::Unreachable { .. }) => {
                pane.stage = other;
                return;
            }
        };
        self.reaping.extend(link);
        let pane_dir = self.pane_dir(uuid);
        match (lock_alive(&pane_dir), held) {
            (Ok(Some(_free)), Some(held)) => self.replace_keeper(id, held),
            (Ok(None), held) => self.try_again_soon(id, held, contact),
            (Ok(Some(_)), None) => self.program_lost(id, contact),
            (Err(error), held) => self.unreachable(id, error.to_string(), held),
        }
        self.redraw_pane(id);
    }

    /// Keeper and pty of a pane are gone. One of an earlier server that was gone before it was
    /// heard from is like one that was gone at the start.
    pub(super) fn program_lost(&mut self, id: PaneId, contact: Contact) {
        let Some(pane) = self.panes.get_mut(&id) else { return };
        if let Some(seq) = pane.respawn.take() {
            // The state speaks of the program that follows already.
            pane.stage = Stage::Waiting { seq, program: None };
            self.has_more = true;
            return;
        }
        match contact {
            Contact::Found => {
                self.restore_pane(id);
                self.has_more = true;
            }
            Contact::Asked => self.start_lost(id),
            Contact::Ready => self.log_program_end(id, ExitStatus::Unknown),
        }
    }

    /// A keeper is gone that had not said that the program runs. Whether it did for a moment, nobody
    /// knows, but that is no end of a program: the pane stays, and what follows in it is what the
    /// policy says of a program that is gone. Said once, however many keepers come to this end.
    fn start_lost(&mut self, id: PaneId) {
        const WHY: &str = "the keeper was killed while it started the program";
        let at = self.elapsed() + START_INTERVAL;
        let Some(pane) = self.panes.get_mut(&id) else { return };
        let was_said = pane.start_error.replace(WHY.into()).is_some_and(|last| last == WHY);
        tracing::warn!(pane = %id, "{WHY}");
        let program = if was_said { self.program_by_policy(id) } else { self.mark_restored(id) };
        let Some(pane) = self.panes.get_mut(&id) else { return };
        pane.stage = match program {
            Some(_) => Stage::Parting { program, why: Some(WHY.into()), at },
            None => Stage::Ended,
        };
        self.redraw_pane(id);
    }

    /// Starts a keeper that goes on where a killed one stopped.
    pub(super) fn replace_keeper(&mut self, id: PaneId, held: Held) {
        let Some(uuid) = self.panes.get(&id).map(|pane| pane.uuid) else { return };
        let alive = match lock_alive(&self.pane_dir(uuid)) {
            Ok(Some(alive)) => alive,
            Ok(None) => return self.try_again_soon(id, Some(held), Contact::Ready),
            Err(error) => return self.unreachable(id, error.to_string(), Some(held)),
        };
        tracing::warn!(pane = %id, "a keeper was killed; starting another");
        let orphan = Orphan {
            child_pid: held.child_pid,
            master: &held.master,
            ring: &held.ring,
            oom_score_adj: self.surroundings.oom_score_adj,
        };
        let replaced = Link::replace(&self.keeper_command(id), alive, &orphan)
            .map(|link| self.with_stash(uuid, link));
        match self.watched(id, replaced) {
            Ok(link) => self.set_stage(id, Stage::Replacing { link, held }),
            // The program lives as long as its pty is held here.
            Err(error) => self.unreachable(id, describe(&error), Some(held)),
        }
    }

    /// Stops watching a pane's link and pty, and keeps the link for reaping.
    pub(super) fn let_go(&mut self, id: PaneId) {
        use std::os::fd::AsFd;
        let Some(pane) = self.panes.get_mut(&id) else { return };
        if let Some(link) = pane.link() {
            self.watcher.forget(link.as_fd());
        }
        if let Some(held) = pane.held() {
            self.watcher.forget(held.master.as_fd());
        }
        pane.unwatch_input();
    }

    /// Everything a program printed is consumed and it has ended.
    pub(crate) fn program_ended(&mut self, id: PaneId, end: ChildEnd) {
        if self.panes.get(&id).is_some_and(|pane| pane.respawn.is_some()) {
            // The state speaks of the program that follows already.
            return;
        }
        if self.panes.get(&id).is_some_and(|pane| pane.is_shut_down) {
            return self.restore_shut_down(id);
        }
        let status = match end {
            ChildEnd::Exited(code) => ExitStatus::Code(code),
            ChildEnd::Signaled(signal) => ExitStatus::Signal(signal),
            ChildEnd::Unknown => ExitStatus::Unknown,
        };
        self.log_program_end(id, status);
        let issued = self.persistence.issued();
        let is_kept = self.state.panes.get(&id).is_some_and(|pane| pane.ended.is_some());
        if let Some(pane) = self.panes.get_mut(&id).filter(|_| is_kept) {
            // All of it is in the ring no longer, so the keeper is not needed any more.
            pane.end_record.get_or_insert(issued);
        }
    }

    /// Collects keepers that have ended.
    pub(crate) fn reap(&mut self) {
        self.reaping.retain_mut(|link| matches!(link.try_reap(), Ok(None)) && link.is_child());
    }

    /// Tells the kernel how large a pane is; its program gets SIGWINCH.
    pub(crate) fn set_window_size(&mut self, id: PaneId) {
        let Some(pane) = self.panes.get_mut(&id) else { return };
        let size = pane.window_size();
        if let Some(held) = pane.held() {
            if let Err(error) = ccmux_keeper::set_window_size(&held.master, size) {
                tracing::warn!(pane = %id, %error, "the window size could not be set");
            }
            held.ring.set_window_size(size);
        }
    }
}

pub(super) fn create_private_dir(path: &std::path::Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// What went wrong, for people: what the system says, if it was the system.
fn describe(error: &LinkError) -> String {
    match error {
        LinkError::Io(source) => source.to_string(),
        _ => error.to_string(),
    }
}
