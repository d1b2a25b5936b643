//! Keepers: starting, adopting, replacing and letting go of them.
//!
//! A keeper is replaced only when the kernel says that it is gone (its `alive` lock is free). One
//! that lives but does not answer is shown as unreachable and never replaced: two readers of one
//! pty would split the stream.

use std::path::PathBuf;
use std::time::Duration;

use bstr::BString;
use ccmux_core::ids::{PaneId, PaneUuid};
use ccmux_core::model::{ExitStatus, Program};
use ccmux_keeper::{
    ChildEnd, ChildSpec, KeeperCommand, Link, LinkError, LinkEvent, Orphan, WindowSize, lock_alive,
};

use super::Server;
use crate::event_loop::Event;
use crate::pane::environment::overlay;
use crate::pane::{Held, Live, Pane, Stage};
use crate::persistence::Seq;
use crate::persistence::restoration::write_number;

/// The signal a closed pane's program gets: its terminal hung up.
const SIGHUP: i32 = 1;
/// How soon a lost keeper is looked at again.
const RETRY_INTERVAL: Duration = Duration::from_millis(20);

impl Server {
    /// The directory of a pane.
    pub(crate) fn pane_dir(&self, uuid: PaneUuid) -> PathBuf {
        self.surroundings.state_dir.join("panes").join(uuid.to_string())
    }

    /// Starts a keeper and the program of a pane. Its record must be settled.
    pub(crate) fn start_program(&mut self, id: PaneId, program: Option<Program>) {
        // A keeper that lives already has a program; a second one would split its stream.
        if self.adopt_keeper(id) {
            return;
        }
        let recorded = self.state.panes.get(&id).map(|pane| pane.program.clone());
        let (Some(program), Some(pane)) = (program.or(recorded), self.panes.get(&id)) else {
            return;
        };
        let (uuid, size, stream_offset) = (pane.uuid, pane.size(), pane.output.consumed);
        let child = self.child_spec(id, &program, window_size(size), stream_offset);
        let result = self.start_keeper(id, uuid, child);
        self.began(id, result, |link| Stage::Starting { link });
    }

    fn start_keeper(
        &self,
        id: PaneId,
        uuid: PaneUuid,
        child: ChildSpec,
    ) -> Result<Link, LinkError> {
        let pane_dir = self.pane_dir(uuid);
        create_private_dir(&pane_dir)?;
        write_number(&pane_dir, id)?;
        let alive = lock_alive(&pane_dir)?
            .ok_or_else(|| std::io::Error::other("a keeper of this pane is still alive"))?;
        Link::spawn(&self.keeper_command(), alive, child)
    }

    fn keeper_command(&self) -> KeeperCommand {
        KeeperCommand { exe: self.surroundings.exe.clone(), args: vec!["keeper".into()] }
    }

    /// Greets the keeper of a pane that an earlier server left, or finds that there is none.
    ///
    /// Returns whether a keeper lives.
    pub(crate) fn adopt_keeper(&mut self, id: PaneId) -> bool {
        let Some(uuid) = self.panes.get(&id).map(|pane| pane.uuid) else { return false };
        let pane_dir = self.pane_dir(uuid);
        match lock_alive(&pane_dir) {
            Ok(Some(_free)) => return false,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return false,
            Ok(None) => {}
            Err(error) => tracing::error!(pane = %id, %error, "cannot look at a keeper's lock"),
        }
        let result = Link::adopt(&pane_dir);
        self.began(id, result, |link| Stage::Adopting { link });
        true
    }

    /// A conversation with a keeper began, or did not.
    fn began(
        &mut self,
        id: PaneId,
        result: Result<Link, LinkError>,
        stage: impl FnOnce(Link) -> Stage,
    ) {
        let watched = result.and_then(|link| {
            use std::os::fd::AsFd;
            self.watcher.both(link.as_fd(), Event::Keeper(id))?;
            Ok(link)
        });
        let Some(pane) = self.panes.get_mut(&id) else { return };
        match watched {
            Ok(link) => pane.stage = stage(link),
            Err(error) => {
                tracing::error!(pane = %id, %error, "no conversation with the keeper");
                pane.stage = Stage::Unreachable { why: error.to_string() };
                self.redraw_pane(id);
            }
        }
    }

    /// Takes what a keeper has to say.
    pub(crate) fn hear_keeper(&mut self, id: PaneId) {
        let Some(link) = self.panes.get_mut(&id).and_then(Pane::link) else {
            return self.hear_closing(id);
        };
        let events = match link.receive() {
            Ok(events) => events,
            Err(error) => {
                tracing::error!(pane = %id, %error, "a keeper does not speak the protocol");
                vec![LinkEvent::Closed]
            }
        };
        for event in events {
            match event {
                LinkEvent::Ready { keeper_pid, child_pid, master, ring } => {
                    self.keeper_ready(id, keeper_pid, Held { master, ring, child_pid });
                }
                LinkEvent::Failed(failure) => self.keeper_failed(id, &failure),
                LinkEvent::Bell => {}
                LinkEvent::Closed => self.keeper_lost(id),
            }
        }
    }

    fn keeper_ready(&mut self, id: PaneId, keeper_pid: u32, held: Held) {
        let Some(pane) = self.panes.get_mut(&id) else { return };
        let is_adopted = matches!(pane.stage, Stage::Adopting { .. });
        let stage = std::mem::replace(&mut pane.stage, Stage::Ended);
        let (Stage::Starting { link } | Stage::Adopting { link } | Stage::Replacing { link, .. }) =
            stage
        else {
            pane.stage = stage;
            return;
        };
        pane.stage = Stage::Live(Live { link, held, keeper_pid });
        if is_adopted {
            self.catch_up(id);
            if let Some(pane) = self.panes.get_mut(&id) {
                pane.close_cut_paste();
            }
        }
        // A window size set again makes full-screen programs repaint what a dead server missed.
        self.set_window_size(id);
        if let Some(pane) = self.panes.get_mut(&id) {
            pane.flush_input();
        }
        self.move_to_scope(id);
        self.has_more = true;
    }

    fn keeper_failed(&mut self, id: PaneId, failure: &ccmux_keeper::Failure) {
        let Some(pane) = self.panes.get_mut(&id) else { return };
        if pane.held().is_some() {
            // It read output before and cannot any more; its successor may.
            return tracing::error!(pane = %id, %failure, "a keeper cannot go on");
        }
        tracing::warn!(pane = %id, %failure, "a program could not be started");
        self.let_go(id);
        let now = self.now();
        let Some(pane) = self.panes.get_mut(&id) else { return };
        if let Stage::Starting { link } = std::mem::replace(&mut pane.stage, Stage::Ended) {
            self.reaping.push(link);
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
        let Some(pane) = self.panes.get_mut(&id) else { return };
        let uuid = pane.uuid;
        let is_found = matches!(pane.stage, Stage::Adopting { .. });
        let stage = std::mem::replace(&mut pane.stage, Stage::Ended);
        let (held, link) = match stage {
            Stage::Live(live) => (Some(live.held), Some(live.link)),
            Stage::Replacing { held, link } => (Some(held), Some(link)),
            Stage::Starting { link } | Stage::Adopting { link } => (None, Some(link)),
            Stage::Respawning { link, program } => {
                self.reaping.push(link);
                return self.start_after_parting(id, program);
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
            (Ok(None), held) => self.try_again_soon(id, held, is_found),
            (Ok(Some(_)), None) => self.program_lost(id, is_found),
            (Err(error), _) => {
                if let Some(pane) = self.panes.get_mut(&id) {
                    pane.stage = Stage::Unreachable { why: error.to_string() };
                }
            }
        }
        self.redraw_pane(id);
    }

    /// A keeper that was killed lets go of its lock a moment after its connection; one that lives
    /// can be spoken with again.
    fn try_again_soon(&mut self, id: PaneId, held: Option<Held>, is_found: bool) {
        let at = self.elapsed() + RETRY_INTERVAL;
        if let Some(pane) = self.panes.get_mut(&id) {
            pane.stage = Stage::Lost { held, is_found, at };
        }
    }

    /// Keeper and pty of a pane are gone. One of an earlier server that was gone before it was
    /// heard from is like one that was gone at the start.
    fn program_lost(&mut self, id: PaneId, is_found: bool) {
        if is_found {
            self.restore_pane(id);
            self.has_more = true;
        } else {
            self.log_program_end(id, ExitStatus::Unknown);
        }
    }

    /// Starts the next program of a pane once its old keeper is gone. It hangs up a moment before
    /// it lets go of its lock.
    fn start_after_parting(&mut self, id: PaneId, program: Option<Program>) {
        let Some(uuid) = self.panes.get(&id).map(|pane| pane.uuid) else { return };
        if matches!(lock_alive(&self.pane_dir(uuid)), Ok(None)) {
            let at = self.elapsed() + RETRY_INTERVAL;
            if let Some(pane) = self.panes.get_mut(&id) {
                pane.stage = Stage::Parting { program, at };
            }
        } else {
            self.start_program(id, program);
        }
    }

    /// Looks again at keepers that were about to be gone.
    pub(crate) fn retry_parting(&mut self) {
        let now = self.elapsed();
        let due = |pane: &&Pane| matches!(pane.stage, Stage::Parting { at, .. } if at <= now);
        let due: Vec<PaneId> = self.panes.values().filter(due).map(|pane| pane.id).collect();
        for id in due {
            let Some(pane) = self.panes.get_mut(&id) else { continue };
            if let Stage::Parting { program, .. } = std::mem::replace(&mut pane.stage, Stage::Ended)
            {
                self.start_after_parting(id, program);
            }
        }
    }

    /// Looks again at keepers whose connection was lost.
    pub(crate) fn retry_lost(&mut self) {
        let now = self.elapsed();
        let due: Vec<PaneId> = self
            .panes
            .values()
            .filter(|pane| matches!(pane.stage, Stage::Lost { at, .. } if at <= now))
            .map(|pane| pane.id)
            .collect();
        for id in due {
            let Some(pane) = self.panes.get_mut(&id) else { continue };
            let uuid = pane.uuid;
            let stage = std::mem::replace(&mut pane.stage, Stage::Ended);
            let Stage::Lost { held, is_found, .. } = stage else { continue };
            let is_free = lock_alive(&self.pane_dir(uuid)).is_ok_and(|lock| lock.is_some());
            match (is_free, held) {
                (true, Some(held)) => self.replace_keeper(id, held),
                (true, None) => self.program_lost(id, is_found),
                (false, held) => {
                    if !self.adopt_keeper(id) || self.is_unreachable(id) {
                        self.try_again_soon(id, held, is_found);
                    }
                }
            }
        }
    }

    /// Starts a keeper that goes on where a killed one stopped.
    fn replace_keeper(&mut self, id: PaneId, held: Held) {
        let Some(uuid) = self.panes.get(&id).map(|pane| pane.uuid) else { return };
        let Ok(Some(alive)) = lock_alive(&self.pane_dir(uuid)) else {
            return self.try_again_soon(id, Some(held), false);
        };
        tracing::warn!(pane = %id, "a keeper was killed; starting another");
        let orphan = Orphan {
            child_pid: held.child_pid,
            master: &held.master,
            ring: &held.ring,
            oom_score_adj: self.surroundings.oom_score_adj,
        };
        let result = Link::replace(&self.keeper_command(), alive, &orphan);
        self.began(id, result, |link| Stage::Replacing { link, held });
    }

    fn is_unreachable(&self, id: PaneId) -> bool {
        self.panes.get(&id).is_some_and(|pane| matches!(pane.stage, Stage::Unreachable { .. }))
    }

    /// Stops watching a pane's link and pty, and keeps the link for reaping.
    fn let_go(&mut self, id: PaneId) {
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
    }

    /// Tells the keeper of a closed pane to end its program; the record of it is settled.
    ///
    /// Returns false if there is no keeper to tell.
    pub(crate) fn end_keeper(pane: &mut Pane) -> bool {
        let Some(link) = pane.link() else { return false };
        // A link that fails is one whose keeper is gone; its close is heard of.
        let _ = link.end(SIGHUP).and_then(|()| link.release());
        true
    }

    /// A pane gets a new program once the record of it is settled; the old one is ended first.
    pub(crate) fn respawn(&mut self, id: PaneId, seq: Seq) {
        let now = self.now();
        let Some(pane) = self.panes.get_mut(&id) else { return };
        pane.mode = None;
        pane.reset(&mut self.scrollback, now);
        match pane.stage {
            Stage::Ended | Stage::Waiting { .. } => {
                pane.stage = Stage::Waiting { seq, program: None };
            }
            _ => pane.respawn = Some(seq),
        }
    }

    /// Ends the old programs of panes that get a new one.
    pub(crate) fn end_respawning(&mut self) {
        let due: Vec<PaneId> = self
            .panes
            .values()
            .filter(|pane| pane.respawn.is_some_and(|seq| self.is_settled(seq)))
            .map(|pane| pane.id)
            .collect();
        for id in due {
            let Some(pane) = self.panes.get_mut(&id) else { continue };
            // One that is on its way, or lost for the moment, is ended once it can be spoken with.
            if !matches!(pane.stage, Stage::Live(_)) {
                continue;
            }
            pane.respawn = None;
            self.dismiss_keeper(id);
        }
    }

    /// Ends what runs in a live pane and lets its keeper go; the recorded program follows.
    pub(super) fn dismiss_keeper(&mut self, id: PaneId) {
        let Some(pane) = self.panes.get_mut(&id) else { return };
        Self::end_keeper(pane);
        if let Some(held) = pane.held() {
            use std::os::fd::AsFd;
            self.watcher.forget(held.master.as_fd());
        }
        pane.unwatch_input();
        if let Stage::Live(live) = std::mem::replace(&mut pane.stage, Stage::Ended) {
            pane.stage = Stage::Respawning { link: live.link, program: None };
        }
    }

    /// A keeper of a closed pane is heard from: when it is gone, so are the pane's files. Not
    /// before, because they are how a server finds a keeper whose end was cut short.
    fn hear_closing(&mut self, id: PaneId) {
        let Some(at) = self.closing.iter().position(|closing| closing.pane.id == id) else {
            return;
        };
        let closing = &mut self.closing[at];
        let Some(link) = closing.pane.link() else { return };
        let events = link.receive().unwrap_or_else(|_| vec![LinkEvent::Closed]);
        let is_ready = events.iter().any(|event| matches!(event, LinkEvent::Ready { .. }));
        if is_ready && closing.is_ending {
            let _ = link.end(SIGHUP).and_then(|()| link.release());
        }
        if events.iter().any(|event| matches!(event, LinkEvent::Closed | LinkEvent::Failed(_))) {
            let closing = self.closing.swap_remove(at);
            self.bury(closing.pane);
        }
    }

    /// Removes what is left of a pane whose keeper is gone.
    pub(crate) fn bury(&mut self, pane: Pane) {
        use std::os::fd::AsFd;
        self.remove_files(pane.uuid);
        match pane.stage {
            Stage::Live(Live { link, held, .. }) => {
                self.watcher.forget(held.master.as_fd());
                self.watcher.forget(link.as_fd());
                self.reaping.push(link);
            }
            Stage::Starting { link }
            | Stage::Adopting { link }
            | Stage::Respawning { link, .. }
            | Stage::Replacing { link, .. } => {
                self.watcher.forget(link.as_fd());
                self.reaping.push(link);
            }
            Stage::Waiting { .. }
            | Stage::Parting { .. }
            | Stage::Lost { .. }
            | Stage::Unreachable { .. }
            | Stage::Ended => {}
        }
        self.has_more = true;
    }

    /// Collects keepers that have ended.
    pub(crate) fn reap(&mut self) {
        self.reaping.retain_mut(|link| matches!(link.try_reap(), Ok(None)) && link.is_child());
    }

    /// Tells the kernel how large a pane is; its program gets SIGWINCH.
    pub(crate) fn set_window_size(&mut self, id: PaneId) {
        let Some(pane) = self.panes.get_mut(&id) else { return };
        let size = pane.size();
        if let Some(held) = pane.held() {
            if let Err(error) = ccmux_keeper::set_window_size(&held.master, window_size(size)) {
                tracing::warn!(pane = %id, %error, "the window size could not be set");
            }
            held.ring.set_window_size(window_size(size));
        }
    }

    /// What to run in a pane, with its complete environment.
    fn child_spec(
        &self,
        id: PaneId,
        program: &Program,
        size: WindowSize,
        stream_offset: u64,
    ) -> ChildSpec {
        let mut env = self.surroundings.environment.clone();
        overlay(&mut env, &self.state.environment);
        let session = self.state.session_of(id);
        if let Some(session) = session {
            overlay(&mut env, &session.environment);
        }
        let options = self.pane_options(id);
        let socket = self.surroundings.socket.display();
        let session_number = session.map_or(0, |session| session.id.0);
        let ours = [
            ("TERM", options.string("default-terminal").to_owned()),
            ("COLORTERM", "truecolor".to_owned()),
            ("TERM_PROGRAM", "ccmux".to_owned()),
            ("TERM_PROGRAM_VERSION", env!("CARGO_PKG_VERSION").to_owned()),
            ("CCMUX", format!("{socket},{},{session_number}", crate::own_pid())),
            ("CCMUX_PANE", id.to_string()),
        ];
        env.extend(ours.map(|(name, value)| (name.into(), value.into())));
        overlay(&mut env, &program.environment);
        let shell = self.default_shell(id, &env);
        let (argv, argv0) = match program.argv.as_slice() {
            [] => {
                // As login(1) does it: a name that begins with a dash makes a login shell.
                let base = shell.rsplit(|&byte| byte == b'/').next().unwrap_or(&shell);
                let mut argv0 = BString::from("-");
                argv0.extend_from_slice(base);
                (vec![shell.clone()], Some(argv0))
            }
            [command] => (vec![shell.clone(), "-c".into(), command.clone()], None),
            argv => (argv.to_vec(), None),
        };
        env.insert("SHELL".into(), shell);
        ChildSpec {
            argv,
            argv0,
            env: env.into_iter().collect(),
            cwd: Some(program.cwd.clone()),
            size,
            oom_score_adj: self.surroundings.oom_score_adj,
            stream_offset,
        }
    }
}

fn window_size(size: ccmux_term::Size) -> WindowSize {
    WindowSize { rows: size.rows, cols: size.cols, width_px: 0, height_px: 0 }
}

fn create_private_dir(path: &std::path::Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}
