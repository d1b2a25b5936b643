//! Sessions have the size of the client that was used last.
//!
//! A size is a hard change, because layouts depend on it. The terminal of a client whose window is
//! dragged has another size with every step: the first is taken over at once, those that follow no
//! faster than [`RESIZE_INTERVAL`], the last one always. Whatever a command or a key does meets the
//! newest size.

use std::time::Duration;

use ccmux_core::decide::Command as Intent;
use ccmux_core::geometry::Size;
use ccmux_core::ids::SessionId;

use super::Server;
use super::commit::Cause;
use crate::event_loop::ClientId;

/// Sizes of a session that nothing depends on yet are logged no faster than this.
const RESIZE_INTERVAL: Duration = Duration::from_millis(100);

/// The sizes of a session's clients on their way to the log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resizing {
    /// When one was last logged.
    logged_at: Duration,
    /// The newest one, if it is not logged yet.
    waiting: Option<Size>,
}

impl Server {
    /// A client's terminal has another size: its session follows now, or in a moment if it just did.
    pub(super) fn resize_client(&mut self, id: ClientId, size: Size) {
        let (now, wall_clock) = (self.elapsed(), self.now());
        let Some(client) = self.clients.get_mut(&id) else { return };
        client.active = wall_clock;
        let Some(attachment) = client.attachment_mut() else { return };
        attachment.resize(size);
        let session = attachment.session;
        self.touch_session(session);
        match self.resizing.get_mut(&session) {
            Some(resizing) if resizing.logged_at + RESIZE_INTERVAL > now => {
                resizing.waiting = Some(size);
            }
            _ => self.fit_session(session, size),
        }
    }

    /// Gives a session's windows the size of one of its clients.
    pub(super) fn fit_session_to(&mut self, id: ClientId) {
        let attachment = self.clients.get(&id).and_then(|client| client.attachment());
        if let Some((session, size)) = attachment.map(|shown| (shown.session, shown.size)) {
            self.fit_session(session, size);
        }
    }

    /// Gives a session's windows the size that a terminal of this size has room for.
    fn fit_session(&mut self, session: SessionId, size: Size) {
        if let Some(resizing) = self.resizing.get_mut(&session) {
            resizing.waiting = None;
        }
        let rows = size.rows.saturating_sub(self.status_rows(session)).max(1);
        let size = Size { cols: size.cols, rows };
        if self.state.sessions.get(&session).is_some_and(|session| session.size != size) {
            let logged_at = self.elapsed();
            self.resizing.insert(session, Resizing { logged_at, waiting: None });
            let cause = Cause::event("terminal", "resized");
            self.change_silently(&cause, Intent::ResizeSession { session, size });
        }
    }

    /// Sizes follow options: the status line may have come or gone.
    pub(crate) fn fit_sessions(&mut self) {
        let mut newest: Vec<_> = self
            .clients
            .values()
            .filter_map(|client| Some((client.active, client.id, client.attachment()?.session)))
            .collect();
        newest.sort_unstable();
        for (_, id, session) in newest {
            if self.clients_of(session).last() == Some(&id) {
                self.fit_session_to(id);
            }
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
        let due: Vec<(SessionId, Size)> = self
            .resizing
            .iter()
            .filter(|(_, resizing)| is_due(resizing))
            .filter_map(|(session, resizing)| Some((*session, resizing.waiting?)))
            .collect();
        for (session, size) in due {
            self.fit_session(session, size);
        }
    }

    /// When a size that waits is taken over.
    pub(super) fn size_deadlines(&self) -> impl Iterator<Item = Duration> + '_ {
        let waiting = self.resizing.values().filter(|resizing| resizing.waiting.is_some());
        waiting.map(|resizing| resizing.logged_at + RESIZE_INTERVAL)
    }
}
