//! One turn of the loop: take events, let things go on, say how long to sleep.

use std::time::Duration;

use ccmux_core::ids::PaneId;
use ccmux_core::model::Timestamp;

use super::lifecycle::history_limits;
use super::{Door, Server, Stopping};
use crate::event_loop::Event;
use crate::pane::store::Scrollback;
use crate::pane::{Pane, Stage};
use crate::persistence::scrollback::HistoryLimits;

/// Commands of a starting server wait at most so long for keepers: one that is stopped may never
/// answer.
const MEETING_MAX: Duration = Duration::from_secs(5);

/// How long the loop lets a flood gather. A bell for each piece of it would wake the loop for a few KiB at a
/// time, of which every line stays on the screen and is drawn; in a moment a ring gets half full at most.
pub(super) const GATHER: Duration = Duration::from_millis(1);

impl Server {
    /// Takes note of one event. What follows from it happens in [`Server::turn`].
    pub(crate) fn handle(&mut self, event: Event) {
        match event {
            Event::Accept => self.accept_clients(),
            Event::SocketGone => self.look_at_socket(),
            Event::Signal => self.take_signals(),
            // Durable positions and finished archives are looked at in every turn.
            Event::Wake => {}
            Event::Client(id) => self.talk_with_client(id),
            Event::Keeper(id) => self.hear_keeper(id),
            Event::PtyWritable(id) => {
                if let Some(pane) = self.panes.get_mut(&id) {
                    pane.flush_input();
                }
            }
        }
    }

    /// Lets everything go on that can, and returns how long the loop may sleep: `None` for ever.
    pub(crate) fn turn(&mut self) -> Option<Duration> {
        self.has_more = false;
        self.settle();
        self.retry_accepting();
        self.rebind_if_due();
        self.read_on();
        self.retry_lost();
        self.retry_parting();
        self.retry_unreachable();
        self.settle_shutdown();
        self.meet_keepers();
        self.feed_panes();
        self.scrollback.wake_late_syncer();
        self.take_shells();
        self.take_proof();
        self.expire();
        self.run_jobs();
        self.hand_over_when_quiet();
        self.fit_groups();
        self.resume_searches();
        self.take_keyframes();
        self.checkpoint_if_due();
        self.watch_input();
        self.scrollback.wake_late_syncer();
        self.paint_clients();
        self.scrollback.wake_syncer();
        self.start_format_shells();
        self.drop_closed_clients();
        self.watch_clients();
        self.stop_if_empty();
        if self.has_more || self.stopping != Stopping::No || !self.arm_bells() {
            return Some(Duration::ZERO);
        }
        let now = self.elapsed();
        let deadline = self.deadline(now).map(|at| at.saturating_sub(now));
        let is_flooded = self.panes.values().any(|pane| pane.output.is_flooding);
        deadline.into_iter().chain(is_flooded.then_some(GATHER)).min()
    }

    /// Looks whether all panes of the start are as they will be: commands may then ask for process
    /// ids and find programs.
    fn meet_keepers(&mut self) {
        self.has_met_keepers |= self.elapsed() >= MEETING_MAX
            || self.panes.values().all(|pane| {
                let is_failing = matches!(pane.stage, Stage::Parting { why: Some(_), .. });
                let is_settled = matches!(
                    pane.stage,
                    Stage::Live(_)
                        | Stage::Ended
                        | Stage::Releasing { .. }
                        | Stage::Unreachable { .. }
                );
                is_settled || is_failing
            });
    }

    /// Whether commands of the start should still wait for keepers.
    pub(crate) fn is_meeting(&self) -> bool {
        !self.has_met_keepers
    }

    /// Gives every pane with output its share of the turn.
    fn feed_panes(&mut self) {
        let ids: Vec<PaneId> = self.panes.keys().copied().collect();
        for id in ids {
            self.feed_pane(id);
        }
    }

    fn feed_pane(&mut self, id: PaneId) {
        let times = (self.now(), self.elapsed());
        let Some(pane) = self.panes.get_mut(&id) else { return };
        pane.output.is_flooding = false;
        // Lines leave memory through the archiver; where it cannot follow, the program waits.
        if !self.scrollback.has_room() {
            return;
        }
        if pane.held().is_none() || self.scrollback.is_coming_home(pane.uuid) {
            return;
        }
        match pane.feed(&mut self.scrollback, times, &mut self.scratch) {
            Ok(fed) => {
                pane.tries = 0;
                self.has_more |= fed.has_more;
                if fed.has_printed {
                    self.redraw_pane(id);
                }
                self.heed_events(id, fed.events);
                if fed.has_printed && !fed.has_more {
                    self.look_at_directory(id);
                }
                if let Some(end) = fed.end {
                    self.program_ended(id, end);
                }
            }
            Err(error) => {
                let why = format!("the ring is unusable: {error}");
                self.let_go(id);
                let pane = self.panes.get_mut(&id).expect("looked up above");
                let stage = std::mem::replace(&mut pane.stage, Stage::Ended);
                let (link, held) = stage.into_parts();
                self.reaping.extend(link);
                self.mark_trouble(id);
                self.unreachable(id, why, held);
            }
        }
    }

    /// Hands keyframes and history to the archiver: after much output, and when it pauses.
    pub(super) fn take_keyframes(&mut self) {
        let now = self.elapsed();
        let pinning = self.scrollback.pinning();
        for pane in self.panes.values_mut() {
            if self.scrollback.is_away(pane.uuid) {
                let limits = history_limits(&self.state, pane.id);
                Self::keep_away(&mut self.scrollback, pane, (self.clock.now(), limits));
            } else if pane.output.is_keyframe_due(now, pinning.contains(&pane.uuid))
                && self.scrollback.has_room()
            {
                let limits = history_limits(&self.state, pane.id);
                pane.archive(&mut self.scrollback, self.clock.now(), limits);
            }
        }
    }

    /// What a pane without a spool needs: to come home, if the disk takes it, or else to have what
    /// it prints stashed.
    fn keep_away(
        scrollback: &mut Scrollback,
        pane: &mut Pane,
        (now, limits): (Timestamp, HistoryLimits),
    ) {
        if !pane.output.is_archiving && scrollback.may_come_home(pane.uuid) {
            pane.bring_home(scrollback, now, limits);
        } else if pane.is_stash_due() {
            if let Err(error) = pane.stash(scrollback, now, limits) {
                // The next turn reads the ring and reports the damage.
                tracing::error!(pane = %pane.id, %error, "the ring is damaged");
            }
            pane.look_again(scrollback);
        }
    }

    /// Declares to every keeper that the server sleeps; false if one has published meanwhile. That of a flood
    /// is looked at again in a moment, and rings no bell until then.
    fn arm_bells(&mut self) -> bool {
        let mut may_sleep = true;
        for pane in self.panes.values_mut() {
            // It is fed again when the archiver has news of it.
            if pane.output.is_flooding || self.scrollback.is_coming_home(pane.uuid) {
                continue;
            }
            match pane.arm_bell() {
                Ok(is_idle) => may_sleep &= is_idle,
                // The next turn reads the ring and reports the damage.
                Err(_) => may_sleep = false,
            }
        }
        may_sleep || !self.scrollback.has_room()
    }

    /// The next moment at which something happens by itself.
    fn deadline(&self, now: Duration) -> Option<Duration> {
        let clients = self
            .clients
            .values()
            .filter_map(|client| client.attachment()?.deadline(now, client.has_heard_all()));
        // Without room they wait for news of the helper threads, not for a moment.
        let has_room = self.scrollback.has_room();
        let is_spooled = |pane: &&Pane| has_room && !self.scrollback.is_away(pane.uuid);
        let keyframes = self.panes.values().filter(is_spooled);
        let keyframes = keyframes.filter_map(|pane| pane.output.keyframe_deadline());
        clients
            .chain(keyframes)
            .chain(self.pane_deadlines())
            .chain(self.lost_deadlines())
            .chain(self.is_meeting().then_some(MEETING_MAX))
            .chain(self.jobs.deadlines())
            .chain(self.clock_deadline())
            .chain(self.size_deadlines())
            .chain(self.persistence_deadline())
            .chain(self.closed_deadline())
            .chain(self.handover_deadline())
            .chain(self.lingering_deadline())
            .chain(self.door.iter().flat_map(Door::deadlines))
            .min()
    }

    /// When lost keepers are looked at again.
    fn lost_deadlines(&self) -> impl Iterator<Item = Duration> + '_ {
        let panes = self.panes.values().filter_map(|pane| match pane.stage {
            Stage::Lost { at, .. } | Stage::Parting { at, .. } | Stage::Unreachable { at, .. } => {
                Some(at)
            }
            _ => None,
        });
        panes.chain(self.closing.iter().filter_map(|closing| closing.at))
    }

    /// Clients that had more to say than one turn takes go on.
    fn read_on(&mut self) {
        for id in std::mem::take(&mut self.unread_clients) {
            self.talk_with_client(id);
        }
    }
}
