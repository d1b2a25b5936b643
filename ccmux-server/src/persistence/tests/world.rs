//! A small server for tests: it makes up commands, logs and applies them, and remembers every state
//! it went through.

use std::collections::BTreeMap;
use std::sync::Arc;

use bstr::BString;
use ccmux_core::apply_all;
use ccmux_core::change::{Change, CloseReason, NewPane, OptionScope};
use ccmux_core::geometry::{Size, SplitDirection};
use ccmux_core::ids::{PaneId, PaneUuid, SessionId, WindowId};
use ccmux_core::layout::{NewPaneSize, Split};
use ccmux_core::model::{Ended, Environment, ExitStatus, NextIds, Program, State, Timestamp};
use uuid::Uuid;

use crate::persistence::sim::Random;
use crate::persistence::storage::Storage;
use crate::persistence::{
    LogEntry, OpenError, OpenOptions, Persistence, Recovered, Seq, Workers, startup,
};

/// The boot that most tests happen in.
pub(super) const BOOT: Uuid = Uuid::from_u128(0xb007);
/// The one after it.
pub(super) const NEXT_BOOT: Uuid = Uuid::from_u128(0xb008);

/// Small, so that a short script rotates.
pub(super) const SEGMENT_BYTES: u64 = 8192;

pub(super) fn options(boot: Uuid, now: Timestamp) -> OpenOptions {
    let mut entropy = [7; 16];
    entropy[..8].copy_from_slice(&now.0.to_le_bytes());
    OpenOptions {
        now,
        boot,
        entropy,
        notifier: Arc::new(|| ()),
        watermarks: Vec::new(),
        segment_bytes: SEGMENT_BYTES,
    }
}

/// Opens a store without threads.
pub(super) fn open(
    storage: &(impl Storage + Clone + 'static),
    boot: Uuid,
    now: Timestamp,
) -> Result<(Persistence, Recovered), OpenError> {
    startup::open(Arc::new(storage.clone()), &options(boot, now), Workers::None)
}

/// A state that some prefix of the log leads to.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    /// As it was.
    pub(super) state: State,
    /// As it is once a shutdown has followed: without the trailing ends of programs.
    pub(super) undone: State,
    /// As it may be as well, where nobody can tell which of several moments alike was recovered before.
    pub(super) undone_otherwise: Vec<State>,
    /// When the last program ended.
    pub(super) last_end: Timestamp,
}

/// What makes up commands.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) state: State,
    pub(super) now: Timestamp,
    /// Every state gone through, by the number of the record that led to it.
    pub(super) history: BTreeMap<Seq, Moment>,
    /// Everything up to here was acknowledged.
    pub(super) acknowledged: Seq,
    before_ends: Option<State>,
    before_ends_otherwise: Vec<Option<State>>,
    last_end: Timestamp,
    random: Random,
}

impl Moment {
    /// Whether this is the state without the trailing ends of programs.
    pub(super) fn is_undone(&self, state: &State) -> bool {
        self.undone().any(|undone| same(undone, state))
    }

    fn undone(&self) -> impl Iterator<Item = &State> {
        std::iter::once(&self.undone).chain(&self.undone_otherwise)
    }
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let nothing = State::default();
        let last_end = Timestamp(0);
        let undone_otherwise = Vec::new();
        let nothing =
            Moment { state: nothing.clone(), undone: nothing, undone_otherwise, last_end };
        Self {
            state: State::default(),
            now: Timestamp(1_000_000),
            history: BTreeMap::from([(Seq(0), nothing)]),
            acknowledged: Seq(0),
            before_ends: None,
            before_ends_otherwise: Vec::new(),
            last_end,
            random: Random::new(seed),
        }
    }

    /// Makes up a command and carries it out.
    pub(super) fn act(&mut self, persistence: &mut Persistence) -> Seq {
        let (changes, cause) = self.make_up();
        self.run(persistence, cause, changes)
    }

    /// Logs and applies some changes.
    pub(super) fn run(
        &mut self,
        persistence: &mut Persistence,
        cause: &str,
        changes: Vec<Change>,
    ) -> Seq {
        self.now.0 += 10;
        let (time, actor, cause) = (self.now, "test".to_owned(), cause.to_owned());
        let entry = LogEntry { time, actor, cause, changes };
        let seq = persistence.log(&entry).unwrap();
        if entry.is_program_end() {
            self.before_ends.get_or_insert(self.state.clone());
            for before_ends in &mut self.before_ends_otherwise {
                before_ends.get_or_insert(self.state.clone());
            }
            self.last_end = entry.time;
        } else if !entry.is_soft() {
            self.ends_are_final();
        }
        apply_all(&mut self.state, &entry.changes).unwrap();
        self.remember(seq);
        seq
    }

    /// Notes what the log says is durable.
    pub(super) fn observe(&mut self, persistence: &Persistence) {
        self.acknowledged = self.acknowledged.max(persistence.durable());
    }

    /// The last record.
    pub(super) fn last(&self) -> Seq {
        self.history.keys().last().copied().unwrap_or_default()
    }

    /// The ends of programs so far are final.
    pub(super) fn settle(&mut self, persistence: &mut Persistence) {
        self.now.0 += 10_000;
        persistence.tick(self.now);
        self.ends_are_final();
        self.remember(persistence.issued());
    }

    /// Goes on with what was recovered: nothing later than it happened.
    pub(super) fn resume(&mut self, persistence: &Persistence, recovered: State) {
        if recovered != self.state {
            self.ends_are_final();
        }
        self.state = recovered;
        self.remember(persistence.issued());
    }

    /// Goes on with what was recovered after an accident, and is durable: nothing earlier and nothing
    /// that was lost can come back. If `is_final` no end of a program is in doubt any more, as in another boot
    /// of the machine.
    pub(super) fn rebase(
        &mut self,
        issued: Seq,
        recovered: Recovered,
        is_final: bool,
        past: &[Moment],
    ) {
        self.go_on_with(recovered, is_final, past);
        // Ends from long ago are final, although the record that said so is lost.
        if self.now.0 >= self.last_end.0 + 10_000 {
            self.ends_are_final();
        }
        self.acknowledged = Seq(0);
        self.history.clear();
        self.remember(Seq(0));
        self.remember(issued);
    }

    /// The same, when it is not durable.
    pub(super) fn go_on(
        &mut self,
        issued: Seq,
        recovered: Recovered,
        is_final: bool,
        past: &[Moment],
    ) {
        let reached = recovered.report.reached;
        self.go_on_with(recovered, is_final, past);
        // A checkpoint may hold ends from long ago, whatever else failed.
        if self.now.0 >= self.last_end.0 + 10_000 {
            self.before_ends_otherwise.push(None);
        }
        // What was recorded behind it is lost. The next start may find no number beyond it.
        self.history.retain(|seq, _| *seq <= reached);
        self.remember(reached);
        self.remember(issued);
    }

    fn go_on_with(&mut self, recovered: Recovered, is_final: bool, past: &[Moment]) {
        let Recovered { state: recovered, report, .. } = recovered;
        // One that was lost can look the same, and was perhaps in doubt.
        let alike = self.history.range(..=report.reached).rev();
        let alike = alike.filter(|(_, moment)| same(&moment.state, &recovered));
        // What was acknowledged was not lost, so that none before that is meant.
        let mut is_behind = false;
        let mut alike = alike.map_while(|(seq, moment)| {
            let was_behind = std::mem::replace(&mut is_behind, *seq <= self.acknowledged);
            (!was_behind).then_some(moment)
        });
        let found = alike.next();
        self.last_end = found.map_or(self.last_end, |moment| moment.last_end);
        let past = past.iter().filter(|moment| same(&moment.state, &recovered));
        let undone = found.into_iter().chain(alike).chain(past).flat_map(Moment::undone);
        let mut before_ends = undone.map(|undone| {
            let is_in_doubt = !is_final && !same(undone, &recovered);
            is_in_doubt.then(|| undone.clone())
        });
        self.before_ends = before_ends.next().flatten();
        self.before_ends_otherwise = before_ends.collect();
        self.state = recovered;
    }

    fn ends_are_final(&mut self) {
        self.before_ends = None;
        self.before_ends_otherwise.clear();
    }

    fn remember(&mut self, seq: Seq) {
        let undone = |before: &Option<State>| before.as_ref().unwrap_or(&self.state).clone();
        let moment = Moment {
            state: self.state.clone(),
            undone: undone(&self.before_ends),
            undone_otherwise: self.before_ends_otherwise.iter().map(undone).collect(),
            last_end: self.last_end,
        };
        self.history.insert(seq, moment);
    }

    /// A random command that fits the state.
    fn make_up(&mut self) -> (Vec<Change>, &'static str) {
        let windows: Vec<WindowId> = self.state.windows.keys().copied().collect();
        let panes: Vec<PaneId> = self.state.panes.keys().copied().collect();
        if panes.is_empty() {
            return (self.new_session(), "new-session");
        }
        let window = windows[self.random.below(windows.len() as u64) as usize];
        let pane = panes[self.random.below(panes.len() as u64) as usize];
        let number = self.random.below(1000);
        match self.random.below(18) {
            0 if windows.len() < 8 => (self.new_session(), "new-session"),
            1 if windows.len() < 8 => (self.new_window(window), "new-window"),
            2 | 3 => match self.split(pane) {
                Some(change) => (vec![change], "split-window"),
                None => (vec![Change::PaneSelected { id: pane }], "select-pane"),
            },
            4 => (vec![Change::PaneSelected { id: pane }], "select-pane"),
            5 => (vec![Change::WindowSelected { id: window }], "select-window"),
            6 => {
                let title = BString::from(format!("title \u{1f}{number}"));
                (vec![Change::PaneTitled { id: pane, title }], "title")
            }
            7 => {
                let cwd = BString::from(&b"/tmp/\xff"[..]);
                (vec![Change::PaneMoved { id: pane, cwd }], "cwd")
            }
            8 => {
                let name = format!("name{number}");
                (vec![Change::WindowRenamed { id: window, name }], "rename-window")
            }
            9 | 10 => {
                // Long enough that records cross sectors and segments fill up.
                let value = Some("v".repeat(self.random.below(1500) as usize));
                let scope = OptionScope::Window(window);
                (vec![Change::OptionSet { scope, name: "@long".into(), value }], "set-option")
            }
            11 => {
                let (name, value) = (format!("N{number}").into(), Some(None));
                (vec![Change::EnvironmentSet { session: None, name, value }], "set-environment")
            }
            16 => match self.new_session_with(window) {
                Some(changes) => (changes, "new-session -t"),
                None => (vec![Change::PaneSelected { id: pane }], "select-pane"),
            },
            17 => {
                let members = self.state.sessions_of(window);
                let session = members[self.random.below(members.len() as u64) as usize];
                (vec![Change::WindowAdopted { id: window, session }], "select-window")
            }
            12 => (self.close(pane, CloseReason::Command), "kill-pane"),
            13 | 14 => {
                let ended = Ended { status: ExitStatus::Code(0), time: self.now };
                (self.close(pane, CloseReason::ProgramEnded(ended)), "program ended")
            }
            _ => {
                let size = Size { cols: 80 + number as u16, rows: 24 };
                let id = self.state.windows[&window].session;
                (vec![Change::SessionResized { id, size }], "resize")
            }
        }
    }

    pub(super) fn new_session(&mut self) -> Vec<Change> {
        let NextIds { session, window, .. } = self.state.next;
        let session_id = SessionId(session);
        let created = Change::SessionCreated {
            id: session_id,
            name: format!("session{session}"),
            created: self.now,
            cwd: "/home".into(),
            environment: Environment::new(),
            size: Size { cols: 200, rows: 100 },
        };
        let pane = self.new_pane();
        let name = "sh".into();
        let id = WindowId(window);
        vec![created, Change::WindowCreated { id, session: session_id, index: 0, name, pane }]
    }

    /// A session that shares the windows of the one that a window is in, if there are few.
    fn new_session_with(&mut self, window: WindowId) -> Option<Vec<Change>> {
        if self.state.sessions.len() >= 8 {
            return None;
        }
        let owner = self.state.windows[&window].session;
        let mut changes = Vec::new();
        let group = self.state.sessions[&owner].group.clone().unwrap_or_else(|| {
            let group = format!("group{owner}");
            changes.push(Change::SessionGrouped { id: owner, group: group.clone() });
            group
        });
        let created = self.new_session().swap_remove(0);
        let id = SessionId(self.state.next.session);
        changes.extend([created, Change::SessionGrouped { id, group }]);
        Some(changes)
    }

    pub(super) fn new_window(&mut self, beside: WindowId) -> Vec<Change> {
        let session = self.state.windows[&beside].session;
        let index = self.state.sessions[&session].windows.keys().max().map_or(0, |last| last + 1);
        let (id, name, pane) = (WindowId(self.state.next.window), "sh".into(), self.new_pane());
        vec![Change::WindowCreated { id, session, index, name, pane }]
    }

    pub(super) fn split(&mut self, target: PaneId) -> Option<Change> {
        let window = self.state.window_of(target)?;
        let (id, layout) = (window.id, window.layout.clone());
        let direction =
            if self.random.coin() { SplitDirection::Horizontal } else { SplitDirection::Vertical };
        let split = Split { direction, size: NewPaneSize::Half, before: false, full: false };
        let pane = self.new_pane();
        let layout = layout.split(target, pane.id, split).ok()?;
        Some(Change::PaneCreated { window: id, pane, layout })
    }

    /// Closes a pane, with its window and session if it is their last.
    pub(super) fn close(&self, pane: PaneId, reason: CloseReason) -> Vec<Change> {
        let window = self.state.window_of(pane).unwrap();
        if window.layout.pane_count() > 1 {
            return vec![Change::PaneClosed { id: pane, reason }];
        }
        let mut changes = vec![Change::WindowClosed { id: window.id, reason }];
        if self.state.sessions[&window.session].windows.len() == 1 {
            let members = self.state.group_of(window.session).into_iter();
            changes.extend(members.map(|id| Change::SessionClosed { id }));
        }
        changes
    }

    fn new_pane(&mut self) -> NewPane {
        let uuid = u128::from(self.random.next_u64()) << 64 | u128::from(self.random.next_u64());
        NewPane {
            id: PaneId(self.state.next.pane),
            uuid: PaneUuid(Uuid::from_u128(uuid)),
            program: Program { argv: vec!["sh".into()], ..Program::default() },
            created: self.now,
        }
    }
}

/// Whether two states are the same but for ids kept back.
pub(super) fn same(a: &State, b: &State) -> bool {
    let State {
        sessions,
        windows,
        panes,
        next: _,
        server_options,
        session_options,
        window_options,
        environment,
        bindings,
        buffers,
        next_buffer,
        marked,
    } = a;
    *panes == b.panes
        && *windows == b.windows
        && *sessions == b.sessions
        && *server_options == b.server_options
        && *session_options == b.session_options
        && *window_options == b.window_options
        && *environment == b.environment
        && *bindings == b.bindings
        && *buffers == b.buffers
        && *next_buffer == b.next_buffer
        && *marked == b.marked
}
