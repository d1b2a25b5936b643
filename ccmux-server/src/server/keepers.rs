//! Keepers: starting, adopting, replacing and letting go of them.
//!
//! A keeper is replaced only when the kernel says that it is gone (its `alive` lock is free). One
//! that lives but does not answer is shown as unreachable and never replaced: two readers of one
//! pty would split the stream.

use std::path::PathBuf;

use bstr::BString;
use ccmux_core::ids::{PaneId, PaneUuid};
use ccmux_core::model::{Ended, ExitStatus, Program};
use ccmux_keeper::ring::{ChildEnd, WindowSize};
use ccmux_keeper::{ChildSpec, KeeperCommand, Link, LinkEvent, lock_alive};
use rustix::termios::Winsize;

use super::Server;
use crate::event_loop::Event;
use crate::pane::environment::overlay;
use crate::pane::{Held, Live, Pane, Stage};

/// The signal a closed pane's program gets: its terminal hung up.
const SIGHUP: i32 = 1;

impl Server {
    /// The directory of a pane.
    pub(crate) fn pane_dir(&self, uuid: PaneUuid) -> PathBuf {
        self.surroundings.state_dir.join("panes").join(uuid.to_string())
    }

    /// Starts a keeper and the program of a pane. Its record must be settled.
    pub(crate) fn start_program(&mut self, id: PaneId) {
        let Some(program) = self.state.panes.get(&id).map(|pane| pane.program.clone()) else {
            return;
        };
        let Some(pane) = self.panes.get(&id) else { return };
        let (uuid, size, stream_offset) = (pane.uuid, pane.size(), pane.output.consumed);
        let child = self.child_spec(id, &program, window_size(size), stream_offset);
        let result = self.start_keeper(uuid, child);
        self.began(id, result, |link| Stage::Starting { link });
    }

    fn start_keeper(&self, uuid: PaneUuid, child: ChildSpec) -> std::io::Result<Link> {
        let pane_dir = self.pane_dir(uuid);
        create_private_dir(&pane_dir)?;
        let alive = lock_alive(&pane_dir)?.ok_or_else(|| {
            std::io::Error::other("a keeper of this pane is still alive")
        })?;
        ccmux_keeper::spawn(self.keeper_command(uuid, pane_dir, alive), child)
    }

    fn keeper_command(
        &self,
        uuid: PaneUuid,
        pane_dir: PathBuf,
        alive: std::fs::File,
    ) -> KeeperCommand {
        KeeperCommand {
            exe: self.surroundings.exe.clone(),
            args: vec!["keeper".into()],
            uuid: uuid.0,
            pane_dir,
            alive,
        }
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
        let result = ccmux_keeper::adopt(&pane_dir, uuid.0);
        self.began(id, result, |link| Stage::Adopting { link });
        true
    }

    /// A conversation with a keeper began, or did not.
    fn began(
        &mut self,
        id: PaneId,
        result: std::io::Result<Link>,
        stage: impl FnOnce(Link) -> Stage,
    ) {
        let watched = result.and_then(|link| {
            use std::os::fd::AsFd;
            self.watcher.readable(link.as_fd(), Event::Keeper(id))?;
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
        if let Err(error) = rustix::io::ioctl_fionbio(&held.master, true) {
            tracing::error!(pane = %id, %error, "the pty cannot be made non-blocking");
        }
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
        }
        // A window size set again makes full-screen programs repaint what a dead server missed.
        self.set_window_size(id);
        if let Some(pane) = self.panes.get_mut(&id) {
            pane.flush_input();
        }
        self.has_more = true;
    }

    fn keeper_failed(&mut self, id: PaneId, failure: &ccmux_keeper::Failure) {
        tracing::warn!(pane = %id, %failure, "a program could not be started");
        let now = self.now();
        self.let_go(id);
        let Some(pane) = self.panes.get_mut(&id) else { return };
        pane.stage = Stage::Ended;
        let text = format!("\x1b[0m{failure}\r\n");
        pane.print(&mut self.scrollback, now, text.as_bytes());
        let ended = Ended { status: ExitStatus::Code(127), time: now };
        self.log_program_end(id, ended, true);
    }

    /// The connection to a keeper closed. If the keeper is gone, another takes over its pty.
    fn keeper_lost(&mut self, id: PaneId) {
        self.let_go(id);
        let Some(pane) = self.panes.get_mut(&id) else { return };
        let uuid = pane.uuid;
        let held = match std::mem::replace(&mut pane.stage, Stage::Ended) {
            Stage::Live(live) => Some(live.held),
            Stage::Replacing { held, .. } => Some(held),
            _ => None,
        };
        let pane_dir = self.pane_dir(uuid);
        match (lock_alive(&pane_dir), held) {
            (Ok(Some(alive)), Some(held)) => {
                tracing::warn!(pane = %id, "a keeper was killed; starting another");
                let command = self.keeper_command(uuid, pane_dir, alive);
                let oom = self.surroundings.oom_score_adj;
                let result = ccmux_keeper::replace(command, &held.master, &held.ring, held.child_pid, oom);
                self.began(id, result, |link| Stage::Replacing { link, held });
            }
            // It lives: speak with it again.
            (Ok(None), _) => {
                self.adopt_keeper(id);
            }
            (Ok(Some(_)), None) => {
                let time = self.now();
                self.log_program_end(id, Ended { status: ExitStatus::Unknown, time }, true);
            }
            (Err(error), _) => {
                if let Some(pane) = self.panes.get_mut(&id) {
                    pane.stage = Stage::Unreachable { why: error.to_string() };
                }
            }
        }
        self.redraw_pane(id);
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
        let status = match end {
            ChildEnd::Exited(code) => ExitStatus::Code(code),
            ChildEnd::Signaled(signal) => ExitStatus::Signal(signal),
            ChildEnd::Unknown => ExitStatus::Unknown,
        };
        let time = self.now();
        self.log_program_end(id, Ended { status, time }, false);
    }

    /// Tells the keeper of a closed pane to end its program; the record of it is settled.
    ///
    /// Returns false if there is no keeper to tell.
    pub(crate) fn end_keeper(pane: &mut Pane) -> bool {
        let Some(link) = pane.link() else { return false };
        link.end(SIGHUP);
        link.release();
        true
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
            link.end(SIGHUP);
            link.release();
        }
        if events.iter().any(|event| matches!(event, LinkEvent::Closed | LinkEvent::Failed(_))) {
            let closing = self.closing.swap_remove(at);
            self.bury(closing.pane);
        }
    }

    /// Removes what is left of a pane whose keeper is gone.
    pub(crate) fn bury(&mut self, pane: Pane) {
        use std::os::fd::AsFd;
        self.scrollback.remove_pane(pane.uuid);
        match pane.stage {
            Stage::Live(Live { link, held, .. }) => {
                self.watcher.forget(held.master.as_fd());
                self.watcher.forget(link.as_fd());
                self.reaping.push(link);
            }
            Stage::Starting { link } | Stage::Adopting { link } | Stage::Replacing { link, .. } => {
                self.watcher.forget(link.as_fd());
                self.reaping.push(link);
            }
            Stage::Waiting { .. } | Stage::Unreachable { .. } | Stage::Ended => {}
        }
        self.has_more = true;
    }

    /// Collects keepers that have ended.
    pub(crate) fn reap(&mut self) {
        self.reaping.retain_mut(|link| !link.try_reap());
        for pane in self.panes.values_mut() {
            if let Some(link) = pane.link() {
                link.try_reap();
            }
        }
    }

    /// Tells the kernel how large a pane is; its program gets SIGWINCH.
    pub(crate) fn set_window_size(&mut self, id: PaneId) {
        let Some(pane) = self.panes.get_mut(&id) else { return };
        let size = pane.size();
        if let Some(held) = pane.held() {
            let winsize =
                Winsize { ws_row: size.rows, ws_col: size.cols, ws_xpixel: 0, ws_ypixel: 0 };
            if let Err(error) = rustix::termios::tcsetwinsize(&held.master, winsize) {
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
            ("CCMUX", format!("{socket},{},{session_number}", std::process::id())),
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
            cwd: program.cwd.clone(),
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
