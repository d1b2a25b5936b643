//! Whatever is decided can be applied and leaves a sound state; what cannot be applied changes
//! nothing.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;

use ccmux_core::change::OptionScope;
use ccmux_core::decide::{
    BreakPane, GroupChoice, JoinPane, LayoutChoice, MoveWindow, NewSession, NewWindow, PaneResize,
    RespawnPane, SetOption, SplitWindow, SwapPane, VariableEdit, WindowPlace,
};
use ccmux_core::geometry::{Direction, Extent, Size, SplitDirection};
use ccmux_core::ids::{PaneId, PaneUuid, SessionId, WindowId};
use ccmux_core::layout::{NewPaneSize, Preset, Split};
use ccmux_core::model::{Binding, Environment, ExitStatus, Program, Timestamp};
use ccmux_core::options::{Edit, Place};
use ccmux_core::{Change, Command, Facts, State, apply, apply_all, decide};
use proptest::prelude::*;
use proptest::sample::Index;

/// Raw material for a command; what it means depends on the state it meets.
#[derive(Clone, Debug)]
struct Seed {
    kind: u8,
    a: Index,
    b: Index,
    number: u16,
    flags: u8,
}

fn seed() -> impl Strategy<Value = Seed> {
    (any::<u8>(), any::<Index>(), any::<Index>(), 0u16..90, any::<u8>())
        .prop_map(|(kind, a, b, number, flags)| Seed { kind, a, b, number, flags })
}

impl Seed {
    fn flag(&self, bit: u8) -> bool {
        self.flags & (1 << bit) != 0
    }

    fn direction(&self) -> Direction {
        [Direction::Left, Direction::Right, Direction::Up, Direction::Down]
            [usize::from(self.number) % 4]
    }

    fn split(&self) -> Split {
        Split {
            direction: if self.flag(0) {
                SplitDirection::Horizontal
            } else {
                SplitDirection::Vertical
            },
            size: if self.flag(1) {
                NewPaneSize::Half
            } else {
                NewPaneSize::Extent(Extent::Cells(self.number))
            },
            before: self.flag(2),
            full: self.flag(3),
        }
    }

    fn place(&self, state: &State, session: SessionId) -> WindowPlace {
        let windows: Vec<WindowId> =
            state.sessions.get(&session).map_or(vec![], |s| s.windows.values().copied().collect());
        match self.number % 4 {
            0 => WindowPlace::Next,
            1 => WindowPlace::At(u32::from(self.number) % 7),
            _ if windows.is_empty() => WindowPlace::Next,
            2 => WindowPlace::After(windows[self.b.index(windows.len())]),
            _ => WindowPlace::Before(windows[self.b.index(windows.len())]),
        }
    }

    /// An id that exists, or now and then one that does not.
    fn pick<T: Copy>(&self, index: Index, ids: &[T], none: T) -> T {
        if ids.is_empty() || self.flags == 255 { none } else { ids[index.index(ids.len())] }
    }

    fn command(&self, state: &State) -> Command {
        let sessions: Vec<SessionId> = state.sessions.keys().copied().collect();
        let windows: Vec<WindowId> = state.windows.keys().copied().collect();
        let panes: Vec<PaneId> = state.panes.keys().copied().collect();
        let session = self.pick(self.a, &sessions, SessionId(999));
        let window = self.pick(self.a, &windows, WindowId(999));
        let pane = self.pick(self.a, &panes, PaneId(999));
        let other_session = self.pick(self.b, &sessions, SessionId(998));
        let other_window = self.pick(self.b, &windows, WindowId(998));
        let other_pane = self.pick(self.b, &panes, PaneId(998));
        let select = self.flag(4);
        let keep_zoom = self.flag(5);
        // One of the sessions that have a window.
        let owner =
            |window: WindowId, index| self.pick(index, &state.sessions_of(window), SessionId(999));
        let name = self.flags.is_multiple_of(3).then(|| format!("n{}", self.number % 4));
        let program = Program::default();
        match self.kind % 48 {
            0 | 1 => Command::NewSession(NewSession {
                name,
                group: self.group(session),
                size: self.flag(1).then_some(Size { cols: self.number, rows: 24 }),
                ..NewSession::default()
            }),
            2 => Command::RenameSession { session, name: format!("s:{}", self.number % 5) },
            3 => Command::KillSession { session },
            4 if self.flags < 20 => Command::KillOtherSessions { session },
            5 if self.flags < 10 => Command::KillServer,
            6 => Command::ResizeSession {
                session,
                size: Size { cols: self.number, rows: u16::from(self.flags) / 4 },
            },
            7..=9 => Command::NewWindow(NewWindow {
                session,
                place: self.place(state, session),
                kill_existing: self.flag(0),
                name,
                reuse_named: self.flag(1),
                select,
                program,
            }),
            10 => Command::RenameWindow { window, name: name.unwrap_or_default() },
            11 => Command::RenameWindowAutomatically { window, name: format!("{}", self.number) },
            12 => Command::KillWindow { window },
            13 => Command::KillOtherWindows { window },
            14 => Command::SelectWindow { session: owner(window, self.b), window, toggle: select },
            15 => Command::NextWindow { session },
            16 => Command::PreviousWindow { session },
            17 => Command::LastWindow { session },
            18 => Command::MoveWindow(MoveWindow {
                window,
                from: owner(window, self.b),
                session: other_session,
                place: self.place(state, other_session),
                kill_existing: self.flag(0),
                select,
                renumber: self.flag(1),
            }),
            19 => Command::RenumberWindows { session },
            20 => Command::SwapWindow {
                sessions: (owner(window, self.b), owner(other_window, self.a)),
                source: window,
                target: other_window,
                follow: select,
            },
            21..=24 => Command::SplitWindow(SplitWindow {
                target: pane,
                split: self.split(),
                select,
                zoom: keep_zoom,
                program,
            }),
            25 => Command::KillPane { pane },
            26 => Command::KillOtherPanes { pane },
            27 => Command::SelectPane { pane, keep_zoom },
            28 => Command::SelectPaneToward { pane, direction: self.direction(), keep_zoom },
            29 => Command::LastPane { window, keep_zoom },
            30 => Command::ResizePane { pane, resize: self.resize() },
            31 => {
                Command::SwapPane(SwapPane { source: pane, target: other_pane, select, keep_zoom })
            }
            32 => Command::RotateWindow { window, down: select, keep_zoom },
            33 => Command::BreakPane(BreakPane {
                pane,
                from: state.panes.get(&pane).map_or(session, |pane| owner(pane.window, self.a)),
                session: other_session,
                place: self.place(state, other_session),
                name,
                select,
            }),
            34 => Command::JoinPane(JoinPane {
                source: pane,
                target: other_pane,
                session: state
                    .panes
                    .get(&other_pane)
                    .map_or(session, |pane| owner(pane.window, self.a)),
                split: self.split(),
                select,
            }),
            35 => Command::SelectLayout { window, layout: self.layout(pane) },
            36 => Command::ProgramEnded { pane, status: ExitStatus::Code(i32::from(select)) },
            37 => Command::RespawnPane(self.respawn(pane)),
            38 => Command::RespawnWindow { window, respawn: self.respawn(pane) },
            39 => Command::SetTitle { pane, title: "title".into() },
            40 => Command::SetCwd { pane, cwd: "/tmp".into() },
            41 => Command::SetOption(self.option(session, window, pane)),
            42 => Command::SetEnvironment {
                session: select.then_some(session),
                name: "NAME".into(),
                edit: if keep_zoom { VariableEdit::Hide } else { VariableEdit::Unset },
            },
            43 => Command::SwitchInput { pane, off: select },
            44 => Command::MarkPane { pane },
            45 => Command::Unmark,
            46 => Command::AdoptWindow { session },
            _ => Command::BindKey {
                table: "root".to_owned(),
                key: "C-x".parse().unwrap(),
                binding: Binding { command: "x".to_owned(), repeat: select, note: None },
            },
        }
    }

    fn group(&self, session: SessionId) -> Option<GroupChoice> {
        match self.number % 4 {
            0 | 1 => Some(GroupChoice::With(session)),
            2 => Some(GroupChoice::Named(format!("n{}", self.flags % 3))),
            _ => None,
        }
    }

    fn resize(&self) -> PaneResize {
        match self.flags % 3 {
            0 => PaneResize::ToggleZoom,
            1 => PaneResize::Toward(self.direction(), self.number),
            _ => PaneResize::To {
                cols: self.flag(3).then_some(Extent::Cells(self.number)),
                rows: self.flag(4).then_some(Extent::Percent(50)),
            },
        }
    }

    fn layout(&self, pane: PaneId) -> LayoutChoice {
        match self.flags % 7 {
            0 => LayoutChoice::Preset(Preset::ALL[usize::from(self.number) % 5]),
            1 => LayoutChoice::Again,
            2 => LayoutChoice::Next,
            3 => LayoutChoice::Previous,
            4 => LayoutChoice::Spread(pane),
            5 => LayoutChoice::Restore,
            _ => LayoutChoice::Text("b25d,80x24,0,0,0".to_owned()),
        }
    }

    fn respawn(&self, pane: PaneId) -> RespawnPane {
        RespawnPane {
            pane,
            argv: Vec::new(),
            cwd: None,
            environment: Environment::default(),
            kill: self.flag(0),
        }
    }

    fn option(&self, session: SessionId, window: WindowId, pane: PaneId) -> SetOption {
        let (name, value) = [
            ("renumber-windows", None),
            ("base-index", Some("1")),
            ("remain-on-exit", Some("failed")),
            ("remain-on-exit", Some("on")),
            ("@mine", Some("x")),
            ("update-environment[3]", Some("X")),
            ("main-pane-width", Some("50%")),
            ("nonsense", Some("1")),
        ][usize::from(self.number) % 8];
        SetOption {
            name: name.to_owned(),
            place: Place {
                global: self.flag(0),
                pane_flag: self.flag(1),
                session: Some(session),
                window: Some(window),
                pane: Some(pane),
                ..Place::default()
            },
            edit: match (self.flag(2), self.flag(3)) {
                (true, true) => Edit::Unset,
                (true, false) => Edit::Append(value.map(str::to_owned)),
                _ => Edit::Set(value.map(str::to_owned)),
            },
            only_if_unset: self.flag(4),
            and_panes: self.flag(5),
        }
    }
}

fn facts(number: u128) -> Facts {
    Facts {
        now: Timestamp(u64::try_from(number).unwrap()),
        uuid: PaneUuid(uuid::Uuid::from_u128(number)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// Every decision applies as one record, change by change, and leaves a sound state whose ids
    /// only ever grow. A stranger state takes the same record whole, and stays sound, or not at all.
    #[test]
    fn decisions_apply_and_keep_the_state_sound(seeds in prop::collection::vec(seed(), 1..80)) {
        let mut state = State::default();
        let mut stranger = State::default();
        let mut panes_ever = BTreeSet::new();
        for (number, seed) in (1..).zip(&seeds) {
            let before = state.clone();
            let command = seed.command(&state);
            let Ok(changes) = decide(&state, command.clone(), &facts(number)) else {
                assert_eq!(state, before);
                continue;
            };
            apply_all(&mut state, &changes).unwrap();
            state.check().unwrap_or_else(|broken| panic!("{command:?}: {broken}"));
            let mut one_by_one = before.clone();
            for change in &changes {
                apply(&mut one_by_one, change).unwrap();
            }
            assert_eq!(one_by_one, state);
            for pane in state.panes.keys().filter(|pane| !before.panes.contains_key(pane)) {
                assert!(panes_ever.insert(*pane), "{pane} was there before");
            }
            assert!(state.next.session >= before.next.session);
            assert!(state.next.window >= before.next.window);
            assert!(state.next.pane >= before.next.pane);

            let stranger_before = stranger.clone();
            match apply_all(&mut stranger, &changes) {
                Ok(()) => stranger.check().unwrap(),
                Err(_) => assert_eq!(stranger, stranger_before),
            }
            // Every second record is missed, so that the two drift apart.
            if number % 2 == 0 {
                stranger = stranger_before;
            }
        }
    }

    /// A single change that does not fit leaves no trace.
    #[test]
    fn a_change_that_does_not_fit_leaves_no_trace(
        here in prop::collection::vec(seed(), 1..30),
        there in prop::collection::vec(seed(), 1..30),
    ) {
        let grow = |seeds: &[Seed]| {
            let mut state = State::default();
            let mut changes: Vec<Change> = Vec::new();
            for (number, seed) in (1..).zip(seeds) {
                let decided = decide(&state, seed.command(&state), &facts(number));
                let decided = decided.unwrap_or_default();
                apply_all(&mut state, &decided).unwrap();
                changes.extend(decided);
            }
            (state, changes)
        };
        let (mut state, _) = grow(&here);
        let (_, changes) = grow(&there);
        for change in changes {
            let before = state.clone();
            if apply(&mut state, &change).is_err() {
                assert_eq!(state, before);
            }
            // Within a record a session may be empty; nothing else may be out of joint.
            let empty = state.sessions.values().any(|session| session.windows.is_empty());
            if empty {
                state = before;
            } else {
                state.check().unwrap_or_else(|broken| panic!("{change:?}: {broken}"));
            }
        }
    }
}

/// Goal: options and names read after a session was closed do not linger under its id.
#[test]
fn options_of_what_is_gone_are_gone() {
    let state = State::default();
    assert!(state.options_at(OptionScope::Session(SessionId(3))).is_none());
    let view = state.options(OptionScope::Pane(PaneId(3)));
    assert_eq!(view.choice("remain-on-exit"), "off");
}
