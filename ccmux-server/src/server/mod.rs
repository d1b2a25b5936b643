//! The one owner of everything: the state, the panes, the clients, the log.
//!
//! A turn of the loop takes events, lets running commands go on, feeds panes a bounded amount of
//! output, and paints the clients that are ready for a picture. All of it is ordinary method calls
//! on one thread; helper threads only ever hand back owned values.

mod away;
pub(crate) mod capture;
mod clients;
mod closed;
mod closing;
pub(crate) mod commit;
mod dead;
mod door;
mod events;
mod format_shells;
mod handover;
mod input;
mod keepers;
mod lifecycle;
mod modes;
mod orphans;
mod paste;
mod programs;
mod reconcile;
mod respawn;
mod restore;
mod retries;
mod scopes;
mod shutdown;
mod sizes;
mod targets;
#[cfg(test)]
mod tests;
mod turn;
mod variables;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bstr::BString;
use ccmux_core::ids::{PaneId, SessionId};
use ccmux_core::model::{State, Timestamp};
use ccmux_keeper::Link;
use ccmux_term::CellSize;

use crate::client::Client;
use crate::clock::Clock;
use crate::command::{JobId, Jobs, Shells};
use crate::event_loop::{ClientId, Watcher};
use crate::pane::Pane;
use crate::pane::store::Scrollback;
use crate::persistence::scrollback::ClosedPane;
use crate::persistence::{Persistence, RecoveryReport, Seq};
use crate::signals::Signals;
pub(crate) use clients::Afterwards;
pub(crate) use closed::ClosedLines;
pub(crate) use door::Door;
use format_shells::FormatShells;
pub(crate) use sizes::SizePolicy;

/// What the server was told when it was started; does not change.
#[derive(Debug)]
pub(crate) struct Surroundings {
    /// The state directory.
    pub(crate) state_dir: PathBuf,
    /// The client socket.
    pub(crate) socket: PathBuf,
    /// Its own executable, for keepers.
    pub(crate) exe: PathBuf,
    /// The environment new programs get, before session and pane add theirs.
    pub(crate) environment: BTreeMap<BString, BString>,
    /// `oom_score_adj` of keepers and programs; the server's own is higher.
    pub(crate) oom_score_adj: Option<i32>,
    /// The soft limit of open files of keepers and programs; the server's own is as high as may be.
    pub(crate) open_files: Option<u64>,
    /// When this server started.
    pub(crate) started: Timestamp,
    /// The machine's name, for `#{host}`.
    pub(crate) host: String,
    /// The user.
    pub(crate) uid: u32,
}

impl Surroundings {
    /// A shell, to which the script and its arguments are still to be given, that runs like a
    /// program in a pane.
    pub(crate) fn shell(&self) -> std::process::Command {
        crate::oom::shell(self.oom_score_adj, self.open_files)
    }
}

/// A pane that the state no longer has, until its removal is durable and its program gone.
#[derive(Debug)]
pub(crate) struct Closing {
    pub(crate) pane: Pane,
    pub(crate) seq: Seq,
    /// Its keeper has been told, or is to be told as soon as it can be spoken with.
    pub(crate) is_ending: bool,
    /// When to look at its keeper.
    pub(crate) at: Option<Duration>,
    /// What is written down of it if its output is kept.
    pub(crate) note: ClosedPane,
}

/// Whether and how the server is about to stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stopping {
    /// It is not.
    No,
    /// SIGTERM: programs live on with their keepers.
    Leaving,
    /// The last session is closed, or `kill-server`: nothing is left to keep.
    Emptied,
    /// `restart-server`: another executable goes on.
    HandingOver,
}

/// The server.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) state: State,
    pub(crate) panes: BTreeMap<PaneId, Pane>,
    /// `codepoint-widths` and the built-in widths, as panes and pictures go by them.
    pub(crate) widths: ccmux_term::Widths,
    pub(crate) closing: Vec<Closing>,
    pub(crate) clients: BTreeMap<ClientId, Client>,
    pub(crate) jobs: Jobs,
    pub(crate) shells: Shells,
    /// Commands in formats; asked for while the server is only read.
    format_shells: RefCell<FormatShells>,
    pub(crate) persistence: Persistence,
    /// The newest hard record of this server.
    pub(crate) hard: Seq,
    pub(crate) scrollback: Scrollback,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) watcher: Watcher,
    pub(crate) waker: Arc<mio::Waker>,
    pub(crate) signals: Signals,
    pub(crate) surroundings: Surroundings,
    /// What recovery found in the log; what it found of panes is in `pane_damage`.
    pub(crate) recovery: RecoveryReport,
    pub(crate) pane_damage: Vec<String>,
    /// How much of that is in `recovery.jsonl`.
    findings_kept: usize,
    /// Damaged files of panes, until it is kept what they were.
    to_set_aside: Vec<crate::persistence::scrollback::Damage>,
    /// Whether a client has been told of damage.
    pub(crate) recovery_shown: bool,
    /// Whether the machine was started anew since the server before this one.
    pub(crate) is_new_boot: bool,
    /// The server before this one was told to stop, and not all of what it left is settled yet.
    is_after_shutdown: bool,
    /// Closed panes whose files stay as long as the closing may be taken back.
    doomed: Vec<closed::Doomed>,
    /// Panes as they were before the change that is being applied, if it may close any.
    labels: BTreeMap<PaneId, closed::Label>,
    /// Panes that have become private, and the record of that: what the disk holds of them is to go.
    purges: Vec<(PaneId, Seq)>,
    pub(crate) stopping: Stopping,
    /// Whether this process has ever had a session.
    has_had_sessions: bool,
    /// `kill-server` was asked for.
    pub(crate) is_killed: bool,
    /// Whether another executable is to go on.
    handover: handover::Handover,
    /// Since when nothing but clients that read nothing keeps a server going that has nothing left to
    /// do, and how much all of them had taken then.
    lingering: Option<(Duration, u64)>,
    /// Something of the start that is told to the first client.
    pub(crate) note: Option<String>,
    /// The socket, once it is bound, and the lock.
    pub(crate) door: Option<Door>,
    /// Links of ended keepers that are still to be reaped.
    reaping: Vec<Link>,
    /// Keepers on their way into scopes of their own.
    scopes: scopes::Scopes,
    /// When each session was last used by this server's clients.
    pub(crate) activity: BTreeMap<SessionId, Timestamp>,
    /// Sizes of sessions on their way to the log.
    resizing: BTreeMap<SessionId, sizes::Resizing>,
    /// How large the cells of the client were that gave a session its size last.
    cells: BTreeMap<SessionId, CellSize>,
    /// Clients that had more to say than one turn takes.
    unread_clients: Vec<ClientId>,
    /// The jobs of the configuration that is read at the start.
    pub(crate) configuring: Vec<JobId>,
    /// Whether the client that started this server has had its turn.
    has_met_starter: bool,
    /// Whether every keeper and program of the start has been heard from, or given up.
    has_met_keepers: bool,
    /// What was wrong with the configuration, for the first client.
    pub(crate) config_errors: Vec<String>,
    /// Why not everything is durable, as the clients have been shown.
    shown_degraded: Option<String>,
    /// When the status line is drawn anew because of the clock.
    clock_due: Option<Duration>,
    next_client: u32,
    scratch: Vec<u8>,
    /// The kernel's random bytes, opened once: there may be no descriptor left later.
    random: std::fs::File,
    /// Whether the last turn left work that must not wait for an event.
    pub(crate) has_more: bool,
}

impl Server {
    /// Wall-clock time.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Time for deadlines.
    pub(crate) fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// Notes that a session was used just now.
    pub(crate) fn touch_session(&mut self, id: SessionId) {
        let now = self.now();
        self.activity.insert(id, now);
    }

    /// The session used last, or else the newest.
    pub(crate) fn last_session(&self) -> Option<SessionId> {
        let used = |id: &SessionId| self.activity.get(id).copied().unwrap_or_default();
        self.state.sessions.keys().copied().max_by_key(|id| (used(id), *id))
    }

    /// Asks for a new picture on every client that looks at a session.
    pub(crate) fn redraw_all(&mut self) {
        for client in self.clients.values_mut() {
            client.redraw();
        }
    }
}
