//! Beginning and end: configuration, signals, the socket, news of the helper threads, and stopping.

use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bstr::ByteSlice as _;
use ccmux_core::change::OptionScope;
use ccmux_core::command::{ParseContext, parse_lenient};
use ccmux_core::ids::PaneId;
use ccmux_core::model::{State, Timestamp};
use ccmux_protocol::{Exit, ExitReason};
use ccmux_term::copy_mode::LineSource as _;

use super::{Server, Stopping};
use crate::client::{Client, ClientStage};
use crate::command::Origin;
use crate::event_loop::Event;
use crate::pane::mode::PaneLines;
use crate::pane::store::StoreNews;
use crate::pane::{Pane, Stage};
use crate::persistence::LogHealth;
use crate::persistence::scrollback::HistoryLimits;

/// How long the first client is shown what was special about the start.
const NOTE_SHOWN: Duration = Duration::from_secs(10);
/// How long a server that ends waits for its clients in all.
const PARTING_MAX: Duration = Duration::from_secs(2);
/// A configuration file larger than this is not read.
const CONFIG_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// How much history a pane keeps on the disk.
pub(super) fn history_limits(state: &State, id: PaneId) -> HistoryLimits {
    let options = state.options(OptionScope::Pane(id));
    let bytes = |mebibytes: i64| u64::try_from(mebibytes).unwrap_or(0) << 20;
    HistoryLimits {
        lines: options.limit("history-limit").map(u64::from),
        bytes: bytes(options.number("history-disk-limit")),
        total: bytes(state.options(OptionScope::Server).number("history-disk-total")),
    }
}

impl Server {
    /// Reads the configuration: the files of `-f`, else the first default one that there is.
    pub(crate) fn load_configuration(&mut self, mut files: Vec<PathBuf>) {
        let is_default = files.is_empty();
        if is_default {
            files = self.default_config_files();
        }
        for path in files {
            match read_bounded(&path) {
                Ok(text) => {
                    self.run_configuration(&path, &text);
                    if is_default {
                        return;
                    }
                }
                Err(error) if is_default && error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => self.config_errors.push(format!("{}: {error}", path.display())),
            }
        }
    }

    /// ccmux's own configuration, or else tmux's.
    fn default_config_files(&self) -> Vec<PathBuf> {
        let variable = |name: &str| {
            let value = self.surroundings.environment.get(&bstr::BString::from(name))?;
            value.to_path().ok().filter(|path| path.is_absolute()).map(Path::to_owned)
        };
        let home = variable("HOME");
        let config = variable("XDG_CONFIG_HOME").or_else(|| Some(home.as_ref()?.join(".config")));
        let mut files = Vec::new();
        files.extend(config.as_ref().map(|dir| dir.join("ccmux/ccmux.conf")));
        files.extend(home.as_ref().map(|dir| dir.join(".ccmux.conf")));
        files.extend(home.as_ref().map(|dir| dir.join(".tmux.conf")));
        files.extend(config.as_ref().map(|dir| dir.join("tmux/tmux.conf")));
        files
    }

    fn run_configuration(&mut self, path: &Path, text: &[u8]) {
        let name = path.display().to_string();
        let (list, errors) = self.with_parse_context(|context| {
            parse_lenient(text, &ParseContext { source_name: Some(&name), ..*context })
        });
        self.config_errors.extend(errors.iter().map(ToString::to_string));
        let job = self.jobs.add(Origin::Config(path.to_owned()), None, list.commands);
        self.configuring.push(job);
        self.run_jobs();
    }

    /// Whether the configuration is still being read: it may wait for shell commands.
    pub(crate) fn is_configuring(&self) -> bool {
        self.configuring.iter().any(|job| self.jobs.contains(*job))
    }

    /// Takes signals that have arrived.
    pub(crate) fn take_signals(&mut self) {
        let arrived = self.signals.take();
        if arrived.terminate {
            self.leave();
        }
        if arrived.rebind {
            self.rebind();
        }
        if arrived.child {
            self.reap();
            self.reap_scopes();
        }
    }

    /// Stops in order, as a SIGTERM wants it.
    pub(crate) fn leave(&mut self) {
        tracing::info!("told to stop");
        let now = self.now();
        self.persistence.mark_shutdown(now);
        self.stopping = Stopping::Leaving;
    }

    /// Takes what helper threads have brought about.
    pub(crate) fn take_persistence_news(&mut self) {
        let now = self.now();
        self.persistence.tick(now);
        for news in self.scrollback.take_news() {
            match news {
                StoreNews::Archived { pane: uuid, stored_before } => {
                    let pane = self.panes.values_mut().find(|pane| pane.uuid == uuid);
                    if let Some(pane) = pane {
                        pane.output.is_archiving = false;
                        pane.terminal.release_history(stored_before);
                        pane.look_again(&self.scrollback);
                        self.has_more = true;
                    }
                }
                StoreNews::NeedsKeyframe(uuid) => {
                    let pane = self.panes.values_mut().find(|pane| pane.uuid == uuid);
                    if let Some(pane) = pane {
                        pane.output.is_touched = true;
                    }
                }
                StoreNews::CameHome(uuid) => self.come_home(uuid),
            }
        }
        let degraded = self.degraded_now();
        if degraded != self.shown_degraded {
            if degraded.is_none() {
                self.register_if_due();
            }
            self.shown_degraded = degraded;
            self.redraw_all();
        }
    }

    /// Why not everything is durable, if so, or what clients still show of that.
    ///
    /// Threads beside this one change it at any time: who needs it twice asks once.
    pub(crate) fn degraded(&self) -> Option<String> {
        self.degraded_now().or_else(|| self.shown_degraded.clone())
    }

    fn degraded_now(&self) -> Option<String> {
        match self.persistence.health() {
            LogHealth::Degraded { why, .. } => Some(why),
            LogHealth::Durable => self.scrollback.degraded(),
        }
    }

    /// Whether not everything is durable.
    pub(crate) fn is_degraded(&self) -> bool {
        self.degraded().is_some()
    }

    /// When persistence wants to be looked at again.
    pub(crate) fn persistence_deadline(&self) -> Option<Duration> {
        let Timestamp(at) = self.persistence.next_deadline()?;
        let wait = at.saturating_sub(self.now().0);
        // A little later, so that the moment has come on a clock of whole milliseconds.
        Some(self.elapsed() + Duration::from_millis(wait + 1))
    }

    /// Watches ptys that have no room for input, and no longer those that have.
    pub(crate) fn watch_input(&mut self) {
        for pane in self.panes.values_mut() {
            let id = pane.id;
            if pane.is_watched_in_vain() {
                if let Some(held) = pane.held() {
                    self.watcher.forget(held.master.as_fd());
                }
                pane.unwatch_input();
            } else if let Some(master) = pane.begin_watching()
                && let Err(error) = self.watcher.writable(master, Event::PtyWritable(id))
            {
                tracing::error!(pane = %id, %error, "a pty cannot be watched");
            }
        }
    }

    /// Forgets a pane's history, in memory and on disk.
    pub(crate) fn clear_pane_history(&mut self, id: PaneId) {
        let now = self.now();
        if let Some(pane) = self.panes.get_mut(&id) {
            pane.clear_history(&mut self.scrollback, now);
            pane.mode = None;
        }
        self.take_keyframes();
        self.redraw_pane(id);
    }

    /// Gives up rows of a pane below its cursor for lines of its history.
    pub(crate) fn trim_terminal(&mut self, id: PaneId) {
        let now = self.now();
        if let Some(pane) = self.panes.get_mut(&id) {
            pane.trim(&mut self.scrollback, now);
        }
        self.redraw_pane(id);
    }

    /// Resets a pane's terminal.
    pub(crate) fn reset_terminal(&mut self, id: PaneId) {
        let now = self.now();
        if let Some(pane) = self.panes.get_mut(&id) {
            pane.reset(&mut self.scrollback, now);
        }
        self.redraw_pane(id);
    }

    /// Tells clients that the server ends.
    pub(crate) fn part_from_clients(&mut self) {
        // There is no loop any more that could tell them later.
        let issued = self.persistence.issued();
        self.persistence.wait_durable(issued);
        let ids: Vec<_> = self.clients.keys().copied().collect();
        for id in ids {
            self.release_client(id);
            let Some(client) = self.clients.get(&id) else { continue };
            if !matches!(client.stage, ClientStage::Leaving) {
                let code = u8::from(matches!(client.stage, ClientStage::Commanding));
                let reason = ExitReason::ServerExited;
                self.exit_client(id, Exit { reason, ..Exit::done(code) });
            }
        }
        self.flush_clients(|_| true);
    }

    /// Waits a moment for clients to take what they were told last.
    pub(super) fn flush_clients(&mut self, is_meant: impl Fn(&Client) -> bool) {
        let since = self.clock.elapsed();
        let left = || (since + PARTING_MAX).saturating_sub(self.clock.elapsed());
        for client in self.clients.values_mut().filter(|client| is_meant(client)) {
            client.connection.flush_last(left);
        }
    }

    /// Tells keepers that the server ends in good order: they stay, and start no other server. Those
    /// of closed panes, too, whose ends may have to be taken back.
    pub(crate) fn part_from_keepers(&mut self) {
        let closing = self.closing.iter_mut().map(|closing| &mut closing.pane);
        for pane in self.panes.values_mut().chain(closing) {
            if let Some(link) = pane.link() {
                // A keeper that cannot be told starts a server, which is no loss.
                let _ = link.goodbye();
            }
        }
    }

    /// Makes everything durable and ends.
    pub(crate) fn finish(mut self) {
        let now = self.clock.now();
        let is_emptied = self.stopping == Stopping::Emptied;
        if is_emptied {
            self.end_shells();
        }
        self.remove_doomed();
        let ids: Vec<_> = self.panes.keys().copied().collect();
        for id in ids {
            let limits = history_limits(&self.state, id);
            let Some(pane) = self.panes.get_mut(&id) else { continue };
            let is_behind = pane.output.consumed > pane.output.keyframed || pane.output.is_touched;
            if self.scrollback.is_away(pane.uuid) && matches!(pane.stage, Stage::Live(_)) {
                // Its keeper holds what the disk does not.
                if let Err(error) = pane.stash(&mut self.scrollback, now, limits) {
                    tracing::error!(pane = %id, %error, "the ring is damaged");
                }
            } else if is_behind && !self.scrollback.is_private(pane.uuid) {
                pane.archive(&mut self.scrollback, now, limits);
            }
        }
        self.scrollback.finish();
        let health = self.persistence.finalize(&self.state, now);
        if let LogHealth::Degraded { why, .. } = health {
            tracing::error!(why, "the server ends although not everything is on the disk");
        }
        if let Some(door) = self.door {
            door.close(is_emptied);
        }
    }

    /// Whether the server ends with its last session.
    pub(crate) fn exits_when_empty(&self) -> bool {
        self.server_options().flag("exit-empty")
    }

    /// What `status` tells.
    pub(crate) fn report(&self) -> serde_json::Value {
        let panes: Vec<_> = self.panes.values().map(|pane| self.pane_report(pane)).collect();
        let attached = self.clients.values().filter(|client| client.attachment().is_some());
        let unread: usize = self.clients.values().map(Client::unread_bytes).sum();
        let mut problems: Vec<String> = self
            .recovery
            .damage
            .iter()
            .map(|damage| format!("{}: {}", damage.file, damage.what))
            .collect();
        problems.extend(self.pane_damage.iter().cloned());
        let mut notes: Vec<String> = Vec::new();
        if !self.is_first_to_go() {
            notes.push("keepers are no safer from the out-of-memory killer than the server".into());
        }
        let without_effect = ccmux_core::options::set_without_effect(&self.state);
        if !without_effect.is_empty() {
            notes.push(format!(
                "set, but without effect in this version: {}",
                without_effect.join(", ")
            ));
        }
        if let Some(bytes) = self.scrollback.stuck_bytes() {
            notes.push(format!(
                "files in spool/ cannot be removed: {} MiB that nobody needs, and more to come",
                bytes.div_ceil(1 << 20)
            ));
        }
        let lag = self.scrollback.sync_lag();
        let degraded = self.degraded();
        serde_json::json!({
            "pid": crate::own_pid(),
            "version": env!("CARGO_PKG_VERSION"),
            "started": self.surroundings.started.0 / 1000,
            "socket": self.surroundings.socket.display().to_string(),
            "state_dir": self.surroundings.state_dir.display().to_string(),
            "sessions": self.state.sessions.len(),
            "windows": self.state.windows.len(),
            "panes": panes,
            "clients": attached.count(),
            "unread_bytes": unread,
            "durable": degraded.is_none(),
            "degraded": degraded,
            "scopes": self.scope_report(),
            "log": {
                "issued": self.persistence.issued().0,
                "durable": self.persistence.durable().0,
            },
            "output": {
                "sync_p50_us": micros(lag.p50),
                "sync_p99_us": micros(lag.p99),
                "sync_max_us": micros(lag.max),
                "sync_pieces": lag.frames,
                "unsynced_pieces": lag.pending,
            },
            "recovery": {
                "summary": self.recovery.summary(),
                "clean": self.recovery.is_clean() && self.pane_damage.is_empty(),
                "problems": problems,
            },
            "notes": notes,
        })
    }

    fn pane_report(&self, pane: &Pane) -> serde_json::Value {
        let kept = match (self.scrollback.is_away(pane.uuid), self.scrollback.is_stashed(pane.uuid))
        {
            (false, _) => "disk",
            (true, true) => "keeper",
            (true, false) => "server",
        };
        let stored = self.history_of(pane);
        let lines = PaneLines::new(&stored, &pane.terminal);
        let history = lines.end() - lines.start();
        pane_report(pane, kept, self.scrollback.is_private(pane.uuid), history)
    }

    /// Whether the out-of-memory killer would take the server before its keepers.
    fn is_first_to_go(&self) -> bool {
        let own = crate::oom::score_adj(crate::own_pid());
        self.surroundings.oom_score_adj.is_some()
            && self.panes.values().filter_map(|pane| keeper_pid(&pane.stage)).all(|keeper| {
                // One that has just ended has no place any more.
                crate::oom::score_adj(keeper).is_none_or(|its| Some(its) < own)
            })
    }

    /// Tells the first client after a recovery what was lost in it, if anything was.
    pub(crate) fn show_recovery(&mut self, id: crate::event_loop::ClientId) {
        self.show_config_errors(id);
        if let Some(note) = self.note.take() {
            self.tell_for(id, note, Some(NOTE_SHOWN));
        }
        if self.recovery_shown || (self.recovery.is_clean() && self.pane_damage.is_empty()) {
            return;
        }
        self.recovery_shown = true;
        let text = "The state was damaged; `ccmux status` tells what was lost".to_owned();
        self.tell_for(id, text, Some(NOTE_SHOWN));
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn pane_report(pane: &Pane, kept: &str, is_private: bool, history: u64) -> serde_json::Value {
    let (state, why) = match &pane.stage {
        Stage::Waiting { .. } => ("waiting", None),
        Stage::Starting { .. } | Stage::Respawning { .. } => ("starting", None),
        Stage::Parting { why, .. } => ("starting", why.as_deref()),
        Stage::Adopting { .. } => ("adopting", None),
        Stage::Live(_) => ("live", None),
        Stage::Replacing { .. } | Stage::Lost { .. } => ("replacing its keeper", None),
        Stage::Unreachable { why, .. } => ("unreachable", Some(why.as_str())),
        Stage::Releasing { .. } | Stage::Ended => ("ended", None),
    };
    let hint = matches!(pane.stage, Stage::Unreachable { .. }).then(|| {
        let id = pane.id;
        format!(
            "tried again by itself; `respawn-pane -k -t {id}` starts its program anew, \
             `kill-pane -t {id}` closes it"
        )
    });
    serde_json::json!({
        "id": pane.id.to_string(),
        "uuid": pane.uuid.to_string(),
        "state": state,
        "why": why,
        "hint": hint,
        "pid": pane.child_pid(),
        "keeper_pid": keeper_pid(&pane.stage),
        "offset": pane.output.consumed,
        "history_lines": history,
        "kept": kept,
        "private": is_private,
    })
}

/// The keeper of a pane, while its program runs.
pub(super) fn keeper_pid(stage: &Stage) -> Option<u32> {
    match stage {
        Stage::Live(live) => Some(live.keeper_pid),
        _ => None,
    }
}

fn read_bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    if std::fs::metadata(path)?.len() > CONFIG_BYTES_MAX {
        return Err(std::io::Error::other(format!("larger than {CONFIG_BYTES_MAX} bytes")));
    }
    std::fs::read(path)
}
