//! Sessions have the size of the client that was used last, or what else `window-size` says: the
//! largest or the smallest one of all their clients, or one of their own. A session has one size, so
//! what its current window says counts; windows with a size of their own (`manual`) keep that.
//!
//! The cells of a pane have as many pixels as those of the client that was used last; without one, as
//! before. No layout depends on that: it is an input of the pane's terminal, and kept with that.
//!
//! A size is a hard change, because layouts depend on it. The terminal of a client whose window is
//! dragged has another size with every step: the first is taken over at once, those that follow no
//! faster than [`RESIZE_INTERVAL`], the last one always. Whatever a command or a key does meets the
//! newest size.

use std::time::Duration;

use ccmux_core::change::OptionScope;
use ccmux_core::decide::Command as Intent;
use ccmux_core::geometry::Size;
use ccmux_core::ids::{PaneId, SessionId, WindowId};
use ccmux_protocol::TerminalSize;
use ccmux_term::CellSize;

use super::commit::Cause;
use super::{Server, Stopping};
use crate::client::Attachment;
use crate::client::flags::ClientFlags;
use crate::event_loop::ClientId;
use crate::pane::Pane;

/// Sizes of a session that nothing depends on yet are logged no faster than this.
const RESIZE_INTERVAL: Duration = Duration::from_millis(100);

/// The sizes of a session's clients on their way to the log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resizing {
    /// When one was last logged.
    logged_at: Duration,
    /// The newest one, if it is not logged yet.
    waiting: Option<Extent>,
}

/// How large a client's terminal is.
#[derive(Clone, Copy, Debug)]
struct Extent {
    size: Size,
    /// Pixels of a cell, as far as it is known.
    cell: Option<CellSize>,
}

/// Which client gives a session its size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SizePolicy {
    /// The one that was used last.
    Latest,
    /// The largest, each side on its own.
    Largest,
    /// The smallest, each side on its own.
    Smallest,
    /// None.
    Manual,
}

impl Server {
    /// A client's terminal has another size: its session follows now, or in a moment if it just did.
    pub(super) fn resize_client(&mut self, id: ClientId, size: TerminalSize) {
        let (now, wall_clock) = (self.elapsed(), self.now());
        let Some(client) = self.clients.get_mut(&id) else { return };
        client.active = wall_clock;
        let Some(attachment) = client.attachment_mut() else { return };
        attachment.resize_terminal(size);
        let (session, extent) = (attachment.session, Extent::of(attachment));
        self.touch_session(session);
        if self.ignores_size(id) {
            return;
        }
        match self.resizing.get_mut(&session) {
            Some(resizing) if resizing.logged_at + RESIZE_INTERVAL > now => {
                resizing.waiting = Some(extent);
            }
            _ => self.fit_session(session, extent),
        }
    }

    /// Gives a session's windows the size of one of its clients.
    pub(super) fn fit_session_to(&mut self, id: ClientId) {
        if self.ignores_size(id) {
            return;
        }
        let attachment = self.clients.get(&id).and_then(|client| client.attachment());
        if let Some((session, extent)) = attachment.map(|shown| (shown.session, Extent::of(shown)))
        {
            self.fit_session(session, extent);
        }
    }

    /// Whether a client's size is of no account: it was told so, and there are clients whose is.
    fn ignores_size(&self, id: ClientId) -> bool {
        let ignores = |id: &ClientId| {
            self.clients.get(id)?.attachment().map(|attachment| attachment.flags.ignore_size)
        };
        ignores(&id) == Some(true) && self.clients.keys().any(|id| ignores(id) == Some(false))
    }

    /// A client has other flags now; its session may have another size by that.
    pub(crate) fn set_client_flags(&mut self, id: ClientId, flags: ClientFlags) {
        let client = self.clients.get_mut(&id).and_then(|client| client.attachment_mut());
        let Some(attachment) = client.filter(|attachment| attachment.flags != flags) else {
            return;
        };
        attachment.flags = flags;
        let session = attachment.session;
        self.renew_token(id);
        self.fit_to_newest(session);
    }

    /// The clients of a session whose sizes count.
    fn counting(&self, session: SessionId) -> impl Iterator<Item = ClientId> + '_ {
        self.clients_of(session).into_iter().filter(|id| !self.ignores_size(*id))
    }

    /// Gives a session the size of the client that was used last among those that count.
    pub(crate) fn fit_to_newest(&mut self, session: SessionId) {
        let used = |id: &ClientId| self.clients.get(id).map(|client| client.active);
        if let Some(newest) = self.counting(session).max_by_key(used) {
            self.fit_session_to(newest);
        }
    }

    /// A client looks at a session no longer, and its size is of no account any more.
    pub(super) fn fit_without(&mut self, session: SessionId) {
        if self.stopping == Stopping::No {
            self.fit_to_newest(session);
        }
    }

    /// What `window-size` says of a session: where its current window has a size of its own, what it
    /// says of the others.
    fn size_policy(&self, session: SessionId) -> SizePolicy {
        let window = self.state.sessions.get(&session).map(|session| session.current);
        let own = window.map_or("manual", |window| {
            self.state.options(OptionScope::Window(window)).choice("window-size")
        });
        let name = match own {
            "manual" => self.state.options(OptionScope::GlobalWindow).choice("window-size"),
            name => name,
        };
        match name {
            "largest" => SizePolicy::Largest,
            "smallest" => SizePolicy::Smallest,
            "manual" => SizePolicy::Manual,
            _ => SizePolicy::Latest,
        }
    }

    /// The size that all clients of a session, and of those that share its windows, come to; `None`
    /// if there are none.
    pub(crate) fn size_for(&self, session: SessionId, policy: SizePolicy) -> Option<Size> {
        let rooms = self.state.group_of(session).into_iter().flat_map(|member| {
            let status_rows = self.status_rows(member);
            let sizes = self
                .counting(member)
                .filter_map(|id| Some(self.clients.get(&id)?.attachment()?.size));
            sizes.map(move |size| room(size, status_rows)).collect::<Vec<_>>()
        });
        let pick: fn(u16, u16) -> u16 = match policy {
            SizePolicy::Smallest => u16::min,
            _ => u16::max,
        };
        rooms.reduce(|a, b| Size { cols: pick(a.cols, b.cols), rows: pick(a.rows, b.rows) })
    }

    /// Gives a session's windows the size that there is room for, and the cells of `latest`, the client
    /// that was used last.
    fn fit_session(&mut self, session: SessionId, latest: Extent) {
        if let Some(resizing) = self.resizing.get_mut(&session) {
            resizing.waiting = None;
        }
        let (policy, mut members) = (self.size_policy(session), vec![session]);
        let size = match policy {
            SizePolicy::Latest => Some(room(latest.size, self.status_rows(session))),
            SizePolicy::Manual => None,
            SizePolicy::Largest | SizePolicy::Smallest => {
                members = self.state.group_of(session);
                self.size_for(session, policy)
            }
        };
        // Before the sizes, so that a program hears of both at once.
        let is_cell_new = self.note_cell(&members, latest.cell);
        for member in members {
            if let Some(size) = size {
                self.resize_session(member, size);
            }
        }
        self.adopt_window(session);
        if is_cell_new {
            self.fit_panes();
        }
    }

    /// The cells that sessions have from now on, where they are known; returns whether they are other
    /// ones.
    fn note_cell(&mut self, sessions: &[SessionId], cell: Option<CellSize>) -> bool {
        let mut is_new = false;
        for (session, cell) in sessions.iter().zip(std::iter::repeat(cell)) {
            let Some(cell) = cell else { continue };
            is_new |= self.cells.insert(*session, cell) != Some(cell);
        }
        is_new
    }

    /// How large the cells of a pane are to be, if a client has told.
    pub(super) fn cell_of_pane(&self, id: PaneId) -> Option<CellSize> {
        self.cells.get(&self.state.window_of(id)?.session).copied()
    }

    /// The same of a pane that is being made: as in the other panes of its session, where no client is
    /// known.
    pub(super) fn cell_of_new_pane(&self, id: PaneId) -> CellSize {
        let session = |id: PaneId| self.state.window_of(id).map(|window| window.session);
        let beside = || {
            let is_beside = |other: &&Pane| session(other.id) == session(id);
            self.panes.values().find(is_beside).map(|pane| pane.terminal.cell_size())
        };
        self.cell_of_pane(id).or_else(beside).unwrap_or_default()
    }

    fn resize_session(&mut self, session: SessionId, size: Size) {
        if self.state.sessions.get(&session).is_some_and(|session| session.size != size) {
            let logged_at = self.elapsed();
            self.resizing.insert(session, Resizing { logged_at, waiting: None });
            let cause = Cause::event("terminal", "resized");
            self.change_silently(&cause, Intent::ResizeSession { session, size });
        }
    }

    /// The window that a session of a group shows gets the session's size.
    fn adopt_window(&mut self, session: SessionId) {
        let is_foreign = self.state.sessions.get(&session).is_some_and(|shown| {
            self.state.windows.get(&shown.current).is_some_and(|window| window.session != session)
        });
        if is_foreign {
            let cause = Cause::event("terminal", "shows a window");
            self.change_silently(&cause, Intent::AdoptWindow { session });
        }
    }

    /// A window that clients see has the size of one of their sessions, not that of a session of
    /// the group in which nobody sees it.
    pub(super) fn fit_groups(&mut self) {
        let is_seen_in = |session: SessionId, window: WindowId| {
            let shown = self.state.sessions.get(&session);
            shown.is_some_and(|shown| shown.current == window)
                && self.clients_of(session).into_iter().any(|id| !self.ignores_size(id))
        };
        let grouped = self.state.sessions.values().filter(|session| session.group.is_some());
        let foreign: Vec<SessionId> = grouped
            .filter(|session| {
                let owner = self.state.windows.get(&session.current).map(|window| window.session);
                owner.is_some_and(|owner| {
                    owner != session.id
                        && !is_seen_in(owner, session.current)
                        && is_seen_in(session.id, session.current)
                })
            })
            .map(|session| session.id)
            .collect();
        for session in foreign {
            self.adopt_window(session);
        }
    }

    /// Sizes follow options: the status line may have come or gone.
    pub(crate) fn fit_sessions(&mut self) {
        let sessions: Vec<SessionId> = self.state.sessions.keys().copied().collect();
        for session in sessions {
            self.fit_to_newest(session);
        }
        self.redraw_all();
    }

    /// Takes over every size that waits: somebody is about to depend on it.
    pub(crate) fn fit_waiting(&mut self) {
        self.fit_waiting_since(None);
    }

    /// Takes over the sizes whose time has come.
    pub(super) fn fit_due(&mut self) {
        self.fit_waiting_since(Some(self.elapsed()));
    }

    fn fit_waiting_since(&mut self, now: Option<Duration>) {
        let is_due =
            |resizing: &Resizing| now.is_none_or(|now| resizing.logged_at + RESIZE_INTERVAL <= now);
        let due: Vec<(SessionId, Extent)> = self
            .resizing
            .iter()
            .filter(|(_, resizing)| is_due(resizing))
            .filter_map(|(session, resizing)| Some((*session, resizing.waiting?)))
            .collect();
        for (session, extent) in due {
            self.fit_session(session, extent);
        }
    }

    /// When a size that waits is taken over.
    pub(super) fn size_deadlines(&self) -> impl Iterator<Item = Duration> + '_ {
        let waiting = self.resizing.values().filter(|resizing| resizing.waiting.is_some());
        waiting.map(|resizing| resizing.logged_at + RESIZE_INTERVAL)
    }
}

impl Extent {
    fn of(attachment: &Attachment) -> Self {
        Self { size: attachment.size, cell: attachment.cell() }
    }
}

/// What a terminal of this size has room for beside the status line.
fn room(size: Size, status_rows: u16) -> Size {
    Size { cols: size.cols, rows: size.rows.saturating_sub(status_rows).max(1) }
}
