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
use crate::persistence::restoration::write_number;

/// How soon a lost keeper is looked at again.
const RETRY_INTERVAL: Duration = Duration::from_millis(20);
/// How soon a keeper that could not be started is started again.
const START_INTERVAL: Duration = Duration::from_secs(1);
/// How soon, at the latest, a keeper that cannot be spoken with is looked at again.
const UNREACHABLE_INTERVAL_MAX: Duration = Duration::from_secs(10);

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
        let (size, stream_offset) = (pane.size(), pane.output.consumed);
        let child = self.child_spec(id, &runs, window_size(size), stream_offset);
        match self.start_keeper(id, uuid, child) {
            Ok(link) => self.began(id, Ok(link), |link| Stage::Starting { link }),
            Err(error) => self.start_failed(id, program, &error),
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
            Err(error) => self.unreachable(id, describe(&error)),
        }
    }

    /// A keeper lives and cannot be spoken with: it is looked at again, less and less often.
    pub(crate) fn unreachable(&mut self, id: PaneId, why: String) {
        let now = self.elapsed();
        let Some(pane) = self.panes.get_mut(&id) else { return };
        if pane.tries == 0 {
            tracing::error!(pane = %id, why, "no conversation with the keeper");
        }
        pane.tries += 1;
        pane.stage = Stage::Unreachable { why, at: now + retry_wait(pane.tries) };
        self.redraw_pane(id);
    }

    /// Looks again at keepers that could not be spoken with. Where one is gone by now, so is its
    /// program: the pane is restored, and nothing is taken for an end that nobody saw.
    pub(crate) fn retry_unreachable(&mut self) {
        let now = self.elapsed();
        let due = |pane: &&Pane| matches!(pane.stage, Stage::Unreachable { at, .. } if at <= now);
        let due: Vec<PaneId> = self.panes.values().filter(due).map(|pane| pane.id).collect();
        for id in due {
            if !self.adopt_keeper(id) {
                if let Some(pane) = self.panes.get_mut(&id) {
                    pane.stage = Stage::Ended;
                }
                self.program_lost(id, true);
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
        pane.start_error = None;
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
        let is_found = matches!(pane.stage, Stage::Adopting { .. });
        tracing::warn!(pane = %id, %failure, "a keeper does not do what it was asked for");
        self.let_go(id);
        let now = self.now();
        let Some(pane) = self.panes.get_mut(&id) else { return };
        if let Stage::Starting { link } | Stage::Adopting { link } =
            std::mem::replace(&mut pane.stage, Stage::Ended)
        {
            self.reaping.push(link);
        }
        if is_found {
            // Its program may well live.
            return self.unreachable(id, failure.to_string());
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
        let is_found = matches!(pane.stage, Stage::Adopting { .. });
        let stage = std::mem::replace(&mut pane.stage, Stage::Ended);
        let (held, link) = match stage {
            Stage::Live(live) => (Some(live.held), Some(live.link)),
            Stage::Replacing { held, link } => {
                // One that cannot take over is not followed by the next at once.
                self.reaping.push(link);
                pane.stage = Stage::Lost { held: Some(held), is_found, at: now + START_INTERVAL };
                return self.redraw_pane(id);
            }
            Stage::Releasing { link } => {
                self.reaping.push(link);
                return self.released(id);
            }
            Stage::Starting { link } | Stage::Adopting { link } => (None, Some(link)),
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
            (Ok(None), held) => self.try_again_soon(id, held, is_found),
            (Ok(Some(_)), None) => self.program_lost(id, is_found),
            (Err(error), _) => self.unreachable(id, error.to_string()),
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
        let Some(pane) = self.panes.get_mut(&id) else { return };
        if let Some(seq) = pane.respawn.take() {
            // The state speaks of the program that follows already.
            pane.stage = Stage::Waiting { seq, program: None };
            self.has_more = true;
        } else if is_found {
            self.restore_pane(id);
            self.has_more = true;
        } else {
            self.log_program_end(id, ExitStatus::Unknown);
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
                self.start_program(id, program);
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

/// What went wrong, for people: what the system says, if it was the system.
fn describe(error: &LinkError) -> String {
    match error {
        LinkError::Io(source) => source.to_string(),
        _ => error.to_string(),
    }
}

/// How long to wait before a keeper that could not be spoken with so often is tried again.
pub(super) fn retry_wait(tries: u32) -> Duration {
    (RETRY_INTERVAL * 2_u32.saturating_pow(tries.clamp(1, 16) - 1)).min(UNREACHABLE_INTERVAL_MAX)
}
