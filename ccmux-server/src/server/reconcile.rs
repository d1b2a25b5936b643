//! Making the world agree with the state.
//!
//! Effects are nobody's list of things to do: they are the difference between the state and what
//! runs. So the first start, everyday changes and the start after a crash are the same code.

use std::collections::BTreeSet;
use std::time::Duration;

use ccmux_core::change::OptionScope;
use ccmux_core::geometry::Size;
use ccmux_core::ids::{PaneId, SessionId};
use ccmux_core::model::Program;
use ccmux_protocol::{Exit, ExitReason};
use ccmux_term::{Terminal, WIDTH_OVERRIDES_MAX, WidthOverride, Widths};

use super::{Closing, Server, Stopping};
use crate::client::{Client, term_size};
use crate::pane::{Pane, Stage};
use crate::persistence::Seq;

/// So many programs are started in one turn. After a restart of the machine there are as many to
/// start as there are panes, and who attaches must not wait for all of them.
const STARTS_MAX: usize = 4;
/// A server that has nothing left to do waits no longer than this for a client that reads nothing of
/// what it was told, or says nothing.
const LINGER_MAX: Duration = Duration::from_secs(5);

impl Server {
    /// After a record was applied: new panes wait for it, lost ones close after it, sizes follow.
    pub(crate) fn reconcile(&mut self, seq: Seq) {
        self.close_lost_panes(seq);
        self.add_new_panes(seq);
        self.fit_panes();
        self.tell_options();
        self.move_on_clients();
        self.redraw_all();
        self.has_more = true;
    }

    fn close_lost_panes(&mut self, seq: Seq) {
        let lost: Vec<PaneId> =
            self.panes.keys().filter(|id| !self.state.panes.contains_key(id)).copied().collect();
        for id in lost {
            if let Some(pane) = self.panes.remove(&id) {
                let note = self.closing_note(&pane);
                self.scrollback.note_closed(pane.uuid);
                self.closing.push(Closing { pane, seq, is_ending: false, at: None, note });
            }
        }
        self.labels.clear();
    }

    fn add_new_panes(&mut self, seq: Seq) {
        let now = self.now();
        let new: Vec<PaneId> =
            self.state.panes.keys().filter(|id| !self.panes.contains_key(id)).copied().collect();
        for id in new {
            let uuid = self.state.panes[&id].uuid;
            let size = term_size(self.pane_size(id));
            let stage = match self.state.panes[&id].is_empty() {
                true => Stage::Ended,
                false => Stage::Waiting { seq, program: None },
            };
            let cell = self.cell_of_new_pane(id);
            let mut pane = Pane::new(id, uuid, Terminal::new(size), stage);
            if self.is_to_be_private(id) {
                self.scrollback.make_private(uuid);
            }
            // The first input of its stream: by the time of a replay the pane may have another
            // size, and lines would be wrapped and scrolled away as they never were.
            pane.resize(&mut self.scrollback, now, size);
            if cell != pane.terminal.cell_size() {
                pane.set_cell_size(&mut self.scrollback, now, cell);
            }
            self.panes.insert(id, pane);
        }
    }

    /// The size a pane has in its window's layout.
    pub(crate) fn pane_size(&self, id: PaneId) -> Size {
        self.state
            .window_of(id)
            .and_then(|window| window.pane_rect(id))
            .map_or(Size::DEFAULT, |rect| Size { cols: rect.cols, rows: rect.rows })
    }

    /// Gives every pane the size that the layout says, and cells as its session has.
    pub(crate) fn fit_panes(&mut self) {
        let now = self.now();
        let ids: Vec<PaneId> = self.panes.keys().copied().collect();
        for id in ids {
            let size = term_size(self.pane_size(id)).clamped();
            let cell = self.cell_of_pane(id);
            let Some(pane) = self.panes.get_mut(&id) else { continue };
            let cell = cell.filter(|cell| *cell != pane.terminal.cell_size());
            if pane.size() == size && cell.is_none() {
                continue;
            }
            if let Some(cell) = cell {
                pane.set_cell_size(&mut self.scrollback, now, cell);
            }
            if pane.size() != size {
                pane.resize(&mut self.scrollback, now, size);
            }
            self.set_window_size(id);
            self.report_size(id);
        }
    }

    /// Tells a program its new size, if it wants to be told in band.
    fn report_size(&mut self, id: PaneId) {
        match self.panes.get_mut(&id).map(Pane::size_reports) {
            Some(Ok(events)) => self.heed_events(id, events),
            // Whatever is wrong with the ring shows when it is read.
            Some(Err(error)) => tracing::error!(pane = %id, %error, "the ring is damaged"),
            None => {}
        }
    }

    /// Tells every pane's terminal the options that it goes by.
    pub(crate) fn tell_options(&mut self) {
        self.tell_privacy();
        self.choose_widths();
        let now = self.now();
        for pane in self.panes.values_mut() {
            if *pane.terminal.widths() != self.widths {
                pane.set_widths(&mut self.scrollback, now, &self.widths);
            }
            let is_on = self.state.options(OptionScope::Pane(pane.id)).flag("scroll-on-clear");
            if pane.terminal.scroll_on_clear() != is_on {
                pane.set_scroll_on_clear(&mut self.scrollback, now, is_on);
            }
        }
    }

    /// Reads `codepoint-widths`, of which, as in tmux, what is no entry does nothing, and
    /// `variation-selector-always-wide`.
    fn choose_widths(&mut self) {
        let options = self.state.options(OptionScope::Server);
        let is_narrow = !options.flag("variation-selector-always-wide");
        let selector = is_narrow.then_some(WidthOverride::SelectorKeepsNarrow);
        let entries = options.array("codepoint-widths");
        let chosen = entries.iter().filter_map(|(_, entry)| WidthOverride::parse(entry));
        let chosen: Vec<_> = selector.into_iter().chain(chosen).take(WIDTH_OVERRIDES_MAX).collect();
        if self.widths.overrides() != chosen {
            self.widths = Widths::new(chosen);
        }
    }

    /// Clients whose session is gone leave, or go to another one (`detach-on-destroy off`).
    fn move_on_clients(&mut self) {
        let next = self.last_session();
        let ids: Vec<_> = self.clients.keys().copied().collect();
        for id in ids {
            let Some(attachment) = self.clients.get(&id).and_then(|client| client.attachment())
            else {
                continue;
            };
            if self.state.sessions.contains_key(&attachment.session) {
                continue;
            }
            match next.filter(|_| self.moves_on(attachment.session)) {
                Some(session) => self.show_session(id, session),
                None => {
                    self.exit_client(id, Exit { reason: ExitReason::Exited, ..Exit::done(0) });
                }
            }
        }
        let known: BTreeSet<SessionId> = self.state.sessions.keys().copied().collect();
        self.activity.retain(|id, _| known.contains(id));
        self.resizing.retain(|id, _| known.contains(id));
        self.cells.retain(|id, _| known.contains(id));
    }

    /// Whether clients of a session that is gone go to another one.
    fn moves_on(&self, _gone: SessionId) -> bool {
        // The session's own options went with it; the global ones decide.
        self.global_session_options().choice("detach-on-destroy") == "off"
    }

    /// Does what had to wait for records to be durable.
    pub(crate) fn settle(&mut self) {
        self.take_persistence_news();
        self.release_clients();
        self.remove_doomed();
        self.purge_private();
        let ready: Vec<(PaneId, Option<Program>)> = self
            .panes
            .values()
            .filter_map(|pane| match pane.stage {
                Stage::Waiting { seq, ref program } if self.is_settled(seq) => {
                    Some((pane.id, program.clone()))
                }
                _ => None,
            })
            .take(STARTS_MAX)
            .collect();
        // The others, if there are any, in the next turn.
        self.has_more |= ready.len() == STARTS_MAX;
        for (id, program) in ready {
            self.start_program(id, program);
        }
        self.end_respawning();
        self.release_ended();
        let now = self.elapsed();
        for at in 0..self.closing.len() {
            if !self.closing[at].is_ending && self.is_settled(self.closing[at].seq) {
                let closing = &mut self.closing[at];
                closing.is_ending = true;
                if !Self::end_keeper(&mut closing.pane) {
                    closing.at = Some(now);
                }
            }
        }
        self.look_at_closing();
    }

    /// Ends the server when nothing is left of what it was for.
    pub(crate) fn stop_if_empty(&mut self) {
        let is_empty = self.state.sessions.is_empty();
        // A server that was just started waits for the command it was started for.
        self.has_had_sessions |= !is_empty;
        if self.is_killed && self.persistence.is_unsettled() {
            let now = self.now();
            self.persistence.settle(now);
        }
        if is_empty && (self.has_had_sessions || self.is_killed) {
            self.give_up_stdin();
        }
        // Until the last ends of programs are final this may be the beginning of a shutdown, whose
        // SIGTERM takes them back.
        let is_over = self.stopping == Stopping::No
            && is_empty
            && (self.has_had_sessions || self.is_killed)
            && self.closing.is_empty()
            && !self.persistence.is_unsettled()
            && (self.exits_when_empty() || self.is_killed);
        if !is_over {
            self.lingering = None;
        } else if self.jobs.is_quiet() && self.clients.values().all(Client::is_done) {
            self.stopping = Stopping::Emptied;
        } else {
            self.linger();
        }
    }

    /// Whoever still has something to read is waited for, but not for ever if it reads nothing.
    fn linger(&mut self) {
        if !self.jobs.all_quiet_but(|job| self.is_unread(job)) {
            self.lingering = None;
            return;
        }
        let now = self.elapsed();
        let taken = self.clients.values().map(|client| client.connection.sent_bytes()).sum();
        match self.lingering {
            Some((since, before)) if before == taken => {
                if now >= since + LINGER_MAX {
                    tracing::warn!("clients that read nothing are given up");
                    self.stopping = Stopping::Emptied;
                }
            }
            _ => self.lingering = Some((now, taken)),
        }
    }

    /// When clients that read nothing are given up.
    pub(super) fn lingering_deadline(&self) -> Option<Duration> {
        self.lingering.map(|(since, _)| since + LINGER_MAX)
    }
}
