//! Making a server of what an earlier one left: state, screens, keepers.

use std::sync::Arc;

use anyhow::{Context, Result};
use ccmux_core::bindings;
use ccmux_core::change::{Change, OptionScope};
use ccmux_core::ids::{PaneId, PaneUuid};
use ccmux_core::model::{Program, State};
use ccmux_keeper::is_alive;
use ccmux_term::Terminal;

use super::commit::Cause;
use super::keepers::create_private_dir;
use super::{Server, Stopping, Surroundings};
use crate::client::term_size;
use crate::clock::Clock;
use crate::command::{Jobs, Shells};
use crate::event_loop::{Event, Poller};
use crate::pane::store::Scrollback;
use crate::pane::store::thaw;
use crate::pane::{Pane, Stage};
use crate::persistence::ballast::Ballasted;
use crate::persistence::modes::close_to_others;
use crate::persistence::restoration::{self, Fate};
use crate::persistence::scrollback::{Keyframe, ReplayItem, SpoolIndex};
use crate::persistence::storage::{FsStorage, Storage};
use crate::persistence::{Notifier, OpenOptions, Persistence, Recovered, Seq};
use crate::signals::Signals;

/// One-shot events of a replay that may still have to be acted upon are at most so many.
const REPLAYED_EVENTS_MAX: usize = 10_000;

impl Server {
    /// A server on the state directory, with every pane as it was.
    pub(crate) fn restore(
        surroundings: Surroundings,
        clock: Box<dyn Clock>,
        poller: &Poller,
        signals: Signals,
    ) -> Result<Self> {
        let storage =
            FsStorage::open(&surroundings.state_dir).context("opening the state directory")?;
        match close_to_others(&surroundings.state_dir) {
            Ok(0) => {}
            Ok(count) => tracing::warn!(count, "other users could get at files; not any more"),
            Err(error) => tracing::warn!(%error, "cannot see to it that files are private"),
        }
        let storage = Arc::new(Ballasted::new(Arc::new(storage)));
        Self::restore_on(storage, surroundings, clock, poller, signals)
    }

    /// A server on a storage, with every pane as it was.
    pub(super) fn restore_on(
        storage: Arc<dyn Storage>,
        surroundings: Surroundings,
        clock: Box<dyn Clock>,
        poller: &Poller,
        signals: Signals,
    ) -> Result<Self> {
        let waker = poller.waker();
        let notifier: Notifier = {
            let waker = Arc::clone(&waker);
            // The loop is gone when it cannot be woken, and the process with it.
            Arc::new(move || drop(waker.wake()))
        };
        let options = OpenOptions::new(clock.now(), Arc::clone(&notifier))
            .context("collecting random bytes")?;
        let entropy = options.entropy;
        let random = std::fs::File::open("/dev/urandom").context("opening random bytes")?;
        let (persistence, recovered) = Persistence::open(Arc::clone(&storage), &options)?;
        let Recovered { state, report, store, is_new_boot, is_after_shutdown, closed_below } =
            recovered;
        tracing::info!(%report, "recovered");
        let salt = u64::from_le_bytes(entropy[..8].try_into().expect("eight of sixteen bytes"));
        let (scrollback, index) = Scrollback::open(storage, store, salt, &notifier)
            .context("opening what panes have printed")?;
        let watcher = poller.watcher().context("setting up the event loop")?;
        {
            use std::os::fd::AsFd;
            watcher.readable(signals.as_fd(), Event::Signal).context("watching signals")?;
        }
        let mut server = Self {
            state,
            panes: std::collections::BTreeMap::new(),
            closing: Vec::new(),
            clients: std::collections::BTreeMap::new(),
            jobs: Jobs::default(),
            shells: Shells::default(),
            format_shells: std::cell::RefCell::default(),
            persistence,
            hard: Seq(0),
            scrollback,
            clock,
            watcher,
            waker,
            signals,
            surroundings,
            recovery: report,
            recovery_shown: false,
            widths: ccmux_term::Widths::default(),
            is_new_boot,
            is_after_shutdown,
            doomed: Vec::new(),
            purges: Vec::new(),
            labels: std::collections::BTreeMap::new(),
            shown_degraded: None,
            pane_damage: Vec::new(),
            findings_kept: 0,
            to_set_aside: Vec::new(),
            stopping: Stopping::No,
            has_had_sessions: false,
            is_killed: false,
            handover: super::handover::Handover::None,
            lingering: None,
            note: None,
            door: None,
            reaping: Vec::new(),
            scopes: super::scopes::Scopes::default(),
            activity: std::collections::BTreeMap::new(),
            resizing: std::collections::BTreeMap::new(),
            cells: std::collections::BTreeMap::new(),
            unread_clients: Vec::new(),
            configuring: Vec::new(),
            has_met_starter: false,
            has_met_keepers: false,
            config_errors: Vec::new(),
            clock_due: None,
            next_client: 0,
            scratch: Vec::new(),
            random,
            has_more: false,
        };
        server.load_panes(&index, closed_below)?;
        server.keep_findings();
        // Only now: a start that is cut short leaves the damage for the next one to find.
        for damage in std::mem::take(&mut server.to_set_aside) {
            server.scrollback.set_aside(&damage);
        }
        Ok(server)
    }

    /// Loads every pane, then finds its keeper or restores it by policy.
    fn load_panes(&mut self, index: &SpoolIndex, closed_below: PaneId) -> Result<()> {
        let ids: Vec<PaneId> = self.state.panes.keys().copied().collect();
        for id in ids {
            self.load_pane(index, id, self.state.panes[&id].uuid)?;
        }
        for damage in index.damage() {
            self.note_damage(None, damage);
        }
        let ids: Vec<PaneId> = self.state.panes.keys().copied().collect();
        for id in ids {
            let is_respawned = self.is_respawn_pending(id);
            let is_adopted = self.adopt_keeper(id);
            if is_respawned {
                self.respawn(id, Seq(0));
            } else if !is_adopted {
                self.restore_pane(id);
            }
        }
        self.settle_orphans(index, closed_below)?;
        self.forget_unknown_output();
        let ids: Vec<PaneId> = self.panes.keys().copied().collect();
        for id in ids {
            // What was printed just before a kill is on the screen and was not logged yet.
            self.log_soft(id);
        }
        Ok(())
    }

    /// Puts a pane together from what is on the disk of it.
    ///
    /// # Errors
    /// A server that could not read what is there must not go on as if it were not.
    pub(super) fn load_pane(
        &mut self,
        index: &SpoolIndex,
        id: PaneId,
        uuid: PaneUuid,
    ) -> Result<()> {
        if self.is_to_be_private(id) {
            // Its keeper has what there is of it. A start after it became so may find files still.
            self.scrollback.make_private(uuid);
            self.scrollback.purge(uuid);
            let size = term_size(self.pane_size(id)).clamped();
            self.panes.insert(id, Pane::new(id, uuid, Terminal::new(size), Stage::Ended));
            return Ok(());
        }
        let reading = || format!("reading what pane {id} has printed (panes/{uuid})");
        let mut thawed = None;
        let mut thaw = |keyframe: &Keyframe| {
            thawed = Some(thaw(keyframe)?);
            Ok(())
        };
        let mut image = self.scrollback.load(index, uuid, &mut thaw).with_context(reading)?;
        let has_shown =
            self.state.panes.get(&id).is_some_and(|pane| {
                restoration::has_shown(pane, self.now(), self.is_after_shutdown)
            });
        // What the disk refused, a keeper that lives may hold.
        let lost_all = image.lost_all(uuid, has_shown);
        let lost_all = lost_all.filter(|_| !is_alive(&self.pane_dir(uuid)).unwrap_or(false));
        for damage in image.damage.iter().chain(&lost_all) {
            self.note_damage(Some(id), damage);
        }
        let size = term_size(self.pane_size(id)).clamped();
        let keyframed = image.keyframe.as_ref().map_or(0, |keyframe| keyframe.position.offset);
        let mut terminal = thawed.unwrap_or_else(|| Terminal::new(size));
        // Lines that are stored without a keyframe that knows of them are not written over.
        terminal.skip_history(image.history.end);
        let mut pane = Pane::new(id, uuid, terminal, Stage::Ended);
        pane.output.consumed = keyframed;
        pane.output.keyframed = keyframed;
        pane.output.doubted = keyframed;
        let mut replayed = Vec::new();
        for item in image.frames.by_ref() {
            match item {
                ReplayItem::Frame(frame) => {
                    if !pane.replay(&frame) {
                        self.scrollback.keep_faulty(uuid, frame.offset, &frame.payload);
                    }
                    let events = pane.terminal.take_events();
                    if !events.is_empty() && replayed.len() < REPLAYED_EVENTS_MAX {
                        replayed.push((frame.end.offset, events));
                    }
                }
                ReplayItem::Gap(gap) => {
                    let mark = restoration::gap_mark(gap.bytes());
                    pane.apply(|terminal| terminal.advance(&mark));
                }
            }
        }
        if let Some(error) = image.frames.failure() {
            return Err(error).with_context(reading);
        }
        pane.output.consumed = image.resume.offset;
        // A replayed clearing of the history counts for what is on the disk, too.
        self.scrollback.forget_before(uuid, pane.terminal.history_cleared_before());
        pane.output.archived = self.scrollback.stored_end(uuid);
        // Nothing proves that the disk has the name of a keyframe that another process wrote. So there
        // is one of this process soon, however large and even if nothing more is printed.
        pane.output.is_touched = true;
        pane.replayed = replayed;
        self.panes.insert(id, pane);
        Ok(())
    }

    /// Adds what was found of panes to `recovery.jsonl`, as far as it is not there yet.
    pub(super) fn keep_findings(&mut self) {
        let found = &self.pane_damage[self.findings_kept..];
        if found.is_empty() {
            return;
        }
        if let Err(error) = self.scrollback.keep_damage(self.now(), found) {
            tracing::warn!(%error, "what was found damaged of panes could not be kept");
        }
        self.findings_kept = self.pane_damage.len();
    }

    fn note_damage(
        &mut self,
        pane: Option<PaneId>,
        damage: &crate::persistence::scrollback::Damage,
    ) {
        tracing::error!(%damage, "found damaged");
        self.to_set_aside.push(damage.clone());
        // People know panes by their numbers.
        let place = pane.map(|id| format!("pane {id}: ")).unwrap_or_default();
        self.pane_damage.push(format!("{place}{damage}"));
    }

    /// A pane whose keeper is gone: its screen stays, the place is marked, and by policy a program
    /// follows.
    pub(crate) fn restore_pane(&mut self, id: PaneId) {
        let program = self.mark_restored(id);
        let Some(pane) = self.panes.get_mut(&id) else { return };
        // No record is waited for: the pane's own is durable already.
        pane.stage = match program {
            Some(program) => Stage::Waiting { seq: Seq(0), program: Some(program) },
            None => Stage::Ended,
        };
    }

    /// What the policy says of a pane without its keeper.
    fn fate(&self, id: PaneId) -> Option<Fate> {
        let policy = self.pane_options(id).choice("restore-command").to_owned();
        Some(restoration::fate(self.state.panes.get(&id)?, &policy))
    }

    /// What is to run by policy in a pane whose place was marked already.
    pub(super) fn program_by_policy(&self, id: PaneId) -> Option<Program> {
        match self.fate(id)? {
            Fate::Start(program, _) => Some(program),
            Fate::Remain | Fate::Wait(_) => None,
        }
    }

    /// Marks the place where a pane was restored, and returns what is to run there by policy. One
    /// that waits since an earlier start is marked already.
    pub(crate) fn mark_restored(&mut self, id: PaneId) -> Option<Program> {
        let now = self.now();
        let fate = self.fate(id)?;
        let uuid = self.panes.get(&id)?.uuid;
        let pane_dir = self.pane_dir(uuid);
        let pane = self.panes.get_mut(&id)?;
        pane.replayed.clear();
        let (program, what) = match fate {
            Fate::Remain => return None,
            Fate::Start(program, what) => (Some(program), what.to_owned()),
            Fate::Wait(_) if restoration::is_vacant(&pane_dir) => return None,
            Fate::Wait(what) => (None, format!("{what}; a key starts a shell")),
        };
        let what = match self.scrollback.is_private(uuid) {
            true => format!("{what}; the pane is private, and nothing of it was kept"),
            false => what,
        };
        let text = restoration::restored_mark(&pane.terminal, now, &what);
        pane.print(&mut self.scrollback, now, &text);
        if program.is_none()
            && let Err(error) =
                create_private_dir(&pane_dir).and_then(|()| restoration::note_vacant(&pane_dir))
        {
            tracing::warn!(pane = %id, %error, "the next start will mark the pane once more");
        }
        program
    }

    /// Starts a shell in a pane whose program was lost and not followed by another
    /// (`restore-command none`). Returns whether it is such a pane.
    pub(super) fn start_shell_in_vacant(&mut self, id: PaneId) -> bool {
        let Some(recorded) = self.state.panes.get(&id) else { return false };
        let Fate::Start(program, _) = restoration::fate(recorded, "shell") else { return false };
        let Some(pane) = self.panes.get_mut(&id) else { return false };
        if !matches!(pane.stage, Stage::Ended) {
            return false;
        }
        pane.stage = Stage::Waiting { seq: Seq(0), program: Some(program) };
        self.has_more = true;
        true
    }

    /// Options, variables and keys of an earlier life, of which no session is left.
    fn forget_settings(&mut self) {
        let state = &self.state;
        let options = [OptionScope::Server, OptionScope::GlobalSession, OptionScope::GlobalWindow]
            .into_iter()
            .flat_map(|scope| {
                let names = state.options_at(scope).into_iter().flat_map(|set| set.keys());
                names.map(move |name| Change::OptionSet { scope, name: name.clone(), value: None })
            });
        let variables = state.environment.keys().map(|name| Change::EnvironmentSet {
            session: None,
            name: name.clone(),
            value: None,
        });
        let keys = state.bindings.keys().map(|(table, key)| Change::KeyBound {
            table: table.clone(),
            key: *key,
            binding: bindings::default_binding(table, *key).cloned(),
        });
        let changes: Vec<Change> = options.chain(variables).chain(keys).collect();
        if let Err(error) = self.commit(&changes, &Cause::event("server", "new beginning")) {
            tracing::error!(%error, "the settings of an earlier life stay");
        }
    }

    /// Reads the configuration where this is a new beginning, and lets the loop begin.
    ///
    /// While an earlier server is continued, what was set by hand must stay. One that has `ended`
    /// left nothing to come back to: then people expect the configuration and nothing else.
    pub(crate) fn begin(&mut self, config_files: Vec<std::path::PathBuf>, has_ended: bool) {
        let is_new = has_ended && self.state.sessions.is_empty();
        if is_new {
            self.forget_settings();
        }
        if is_new || self.state == State::default() || self.is_new_boot {
            self.load_configuration(config_files);
        }
        self.fit_panes();
        self.tell_options();
        self.has_more = true;
    }
}
