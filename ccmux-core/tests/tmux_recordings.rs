//! What tmux makes of commands, replayed: layouts, active panes, current windows and messages must
//! be the same after every step. `recordings/record.py` made the recordings and says how they read.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::str::FromStr;

use ccmux_core::decide::{
    BreakPane, JoinPane, LayoutChoice, MoveWindow, NewSession, NewWindow, PaneResize, SetOption,
    SplitWindow, SwapPane, WindowPlace,
};
use ccmux_core::geometry::{Direction, Size, SplitDirection};
use ccmux_core::ids::{PaneId, PaneUuid, SessionId, WindowId};
use ccmux_core::layout::{NewPaneSize, Split};
use ccmux_core::model::{Program, Timestamp};
use ccmux_core::options::{Edit, Place};
use ccmux_core::{Command, Facts, State, apply_all, decide};

#[test]
fn layouts() {
    replay(include_str!("recordings/layouts.txt"));
}

#[test]
fn windows() {
    replay(include_str!("recordings/windows.txt"));
}

fn replay(recording: &str) {
    let mut state = State::default();
    let mut recency = Recency::default();
    let mut lines = recording.lines().enumerate().peekable();
    while let Some((number, line)) = lines.next() {
        let Some(command) = line.strip_prefix("> ") else { continue };
        let mut expected = String::new();
        while let Some((_, line)) = lines.next_if(|(_, line)| !line.starts_with("> ")) {
            writeln!(expected, "{line}").unwrap();
        }
        let facts = Facts {
            now: Timestamp(number as u64),
            uuid: PaneUuid(uuid::Uuid::from_u128(number as u128)),
        };
        recency.before(&mut state, command);
        let mut found = String::new();
        match decide(&state, read(&state, command), &facts) {
            Ok(changes) => apply_all(&mut state, &changes).unwrap(),
            Err(error) => writeln!(found, "! {error}").unwrap(),
        }
        state.check().unwrap();
        forget_as_recorded(&mut state, &expected);
        show(&state, &mut found);
        assert_eq!(found, expected, "line {}: {command}", number + 1);
        recency.after(&state, command);
    }
}

/// Drops what the recorded version forgot: where the pane it would have gone back to is gone, later
/// versions go to the one before.
fn forget_as_recorded(state: &mut State, expected: &str) {
    for line in expected.lines().filter(|line| line.contains(" last= ")) {
        let id = line.split(' ').nth(3).and_then(|id| id.parse().ok());
        if let Some(window) = id.and_then(|id: WindowId| state.windows.get_mut(&id)) {
            window.last.clear();
        }
    }
}

/// The recorded version remembers one pane per window to go back to (later ones remember all, and
/// so does ccmux), but knows when each was last selected, which decides between neighbours. So for
/// each command the state is given the memory that the recorded version had.
#[derive(Default)]
struct Recency {
    step: usize,
    active: BTreeMap<WindowId, PaneId>,
    selected: BTreeMap<PaneId, usize>,
    last: BTreeMap<WindowId, Vec<PaneId>>,
}

impl Recency {
    fn before(&self, state: &mut State, command: &str) {
        for (id, window) in &mut state.windows {
            window.last = self.last.get(id).cloned().unwrap_or_default();
            if command.starts_with("select-pane") {
                let mut panes = window.layout.panes();
                panes.retain(|id| *id != window.active && self.selected.contains_key(id));
                panes.sort_by_key(|id| std::cmp::Reverse(self.selected[id]));
                let rest = panes.into_iter().filter(|id| window.last.first() != Some(id));
                let rest: Vec<PaneId> = rest.collect();
                window.last.extend(rest);
            }
        }
    }

    fn after(&mut self, state: &State, command: &str) {
        self.step += 1;
        // Whoever becomes active because another pane left was not selected.
        let left = ["kill-pane", "break-pane"].iter().any(|name| command.starts_with(name));
        for (id, window) in &state.windows {
            if self.active.insert(*id, window.active) != Some(window.active) && !left {
                self.selected.insert(window.active, self.step);
            }
            let last = window.last.first().copied().into_iter().collect();
            self.last.insert(*id, last);
        }
    }
}

/// The state as the recording shows it.
fn show(state: &State, text: &mut String) {
    let mut sessions: Vec<_> = state.sessions.values().collect();
    sessions.sort_by_key(|session| &session.name);
    for session in sessions {
        for (index, id) in &session.windows {
            let window = &state.windows[id];
            let flag = |on: bool, flag| if on { flag } else { "" };
            let current = flag(session.current == *id, "*");
            let last = flag(session.last.first() == Some(id), "-");
            let zoomed = flag(window.zoomed, "Z");
            let last_pane = window.last.first().map(ToString::to_string).unwrap_or_default();
            let panes: Vec<String> =
                window.layout.panes().iter().map(ToString::to_string).collect();
            let panes = panes.join("/");
            let (name, active, layout) = (&session.name, window.active, &window.layout);
            writeln!(
                text,
                "= {name} {index} {id} .{current}{last}{zoomed} {active} last={last_pane} {layout} {panes}/"
            )
            .unwrap();
        }
    }
}

/// The flags and arguments of one recorded command.
struct Words<'a> {
    flags: BTreeMap<char, &'a str>,
    arguments: Vec<&'a str>,
}

impl<'a> Words<'a> {
    /// `with_value` are the flags that take one.
    fn read(words: &[&'a str], with_value: &str) -> Words<'a> {
        let mut result = Words { flags: BTreeMap::new(), arguments: Vec::new() };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.strip_prefix('-').and_then(|rest| rest.chars().next()) {
                Some(flag) if with_value.contains(flag) => {
                    result.flags.insert(flag, words.next().unwrap());
                }
                Some(flag) => {
                    result.flags.insert(flag, "");
                }
                None => result.arguments.push(word),
            }
        }
        result
    }

    fn has(&self, flag: char) -> bool {
        self.flags.contains_key(&flag)
    }

    fn id<T: FromStr<Err: std::fmt::Debug>>(&self, flag: char) -> T {
        self.flags[&flag].parse().unwrap()
    }

    fn number(&self, flag: char) -> u16 {
        self.flags[&flag].parse().unwrap()
    }

    fn direction(&self) -> Option<Direction> {
        let directions = [
            ('L', Direction::Left),
            ('R', Direction::Right),
            ('U', Direction::Up),
            ('D', Direction::Down),
        ];
        directions.into_iter().find(|(flag, _)| self.has(*flag)).map(|(_, direction)| direction)
    }

    fn split(&self) -> Split {
        Split {
            direction: if self.has('h') {
                SplitDirection::Horizontal
            } else {
                SplitDirection::Vertical
            },
            size: match self.flags.get(&'l') {
                Some(size) => NewPaneSize::Extent(size.parse().unwrap()),
                None => NewPaneSize::Half,
            },
            before: self.has('b'),
            full: self.has('f'),
        }
    }

    /// The session and place that `-t`, `-a` and `-b` name.
    fn place(&self, state: &State) -> (SessionId, WindowPlace) {
        let target = self.flags[&'t'];
        if let Ok(window) = target.parse() {
            let session = state.windows[&window].session;
            let place = if self.has('a') {
                WindowPlace::After(window)
            } else if self.has('b') {
                WindowPlace::Before(window)
            } else {
                WindowPlace::At(state.window_index(window).unwrap())
            };
            return (session, place);
        }
        let (session, index) = target.split_once(':').unwrap();
        let session = state.session_named(session).unwrap().id;
        match index.parse() {
            Ok(index) => (session, WindowPlace::At(index)),
            Err(_) => (session, WindowPlace::Next),
        }
    }
}

fn read(state: &State, command: &str) -> Command {
    let command = command.trim_end_matches(" 'exec sleep 100000'");
    let words: Vec<&str> = command.split(' ').collect();
    let (name, words) = words.split_first().unwrap();
    let with_value = match *name {
        "new-session" | "resize-pane" | "resize-window" => "tsxyl",
        _ => "tsl",
    };
    let words = Words::read(words, with_value);
    let session = || {
        let name = words.flags[&'t'].trim_end_matches(':');
        state.session_named(name).unwrap().id
    };
    let (select, keep_zoom) = (!words.has('d'), words.has('Z'));
    let program = Program { argv: vec!["exec sleep 100000".into()], ..Program::default() };
    match *name {
        "new-session" => Command::NewSession(NewSession {
            name: words.flags.get(&'s').map(|name| (*name).to_owned()),
            size: Some(Size { cols: words.number('x'), rows: words.number('y') }),
            program,
            ..NewSession::default()
        }),
        "kill-session" => Command::KillSession { session: session() },
        "new-window" => {
            let (session, place) = words.place(state);
            Command::NewWindow(NewWindow {
                session,
                place,
                kill_existing: words.has('k'),
                name: None,
                reuse_named: false,
                select,
                program,
            })
        }
        "kill-window" if words.has('a') => Command::KillOtherWindows { window: words.id('t') },
        "kill-window" => Command::KillWindow { window: words.id('t') },
        "select-window" => {
            let window = words.id('t');
            let session = state.windows[&window].session;
            Command::SelectWindow { session, window, toggle: words.has('T') }
        }
        "next-window" => Command::NextWindow { session: session() },
        "previous-window" => Command::PreviousWindow { session: session() },
        "last-window" => Command::LastWindow { session: session() },
        "move-window" if words.has('r') => Command::RenumberWindows { session: session() },
        "move-window" => {
            let (session, place) = words.place(state);
            Command::MoveWindow(MoveWindow {
                window: words.id('s'),
                from: state.windows[&words.id('s')].session,
                session,
                place,
                kill_existing: words.has('k'),
                select,
                renumber: !words.has('s'),
            })
        }
        "swap-window" => {
            let (source, target) = (words.id('s'), words.id('t'));
            let sessions = (state.windows[&source].session, state.windows[&target].session);
            Command::SwapWindow { sessions, source, target, follow: words.has('d') }
        }
        "split-window" => Command::SplitWindow(SplitWindow {
            target: words.id('t'),
            split: words.split(),
            select,
            zoom: keep_zoom,
            program,
        }),
        "kill-pane" if words.has('a') => Command::KillOtherPanes { pane: words.id('t') },
        "kill-pane" => Command::KillPane { pane: words.id('t') },
        "select-pane" => match words.direction() {
            Some(direction) => {
                Command::SelectPaneToward { pane: words.id('t'), direction, keep_zoom }
            }
            None => Command::SelectPane { pane: words.id('t'), keep_zoom },
        },
        "last-pane" => Command::LastPane { window: words.id('t'), keep_zoom },
        "resize-pane" => Command::ResizePane { pane: words.id('t'), resize: resize(&words) },
        "resize-window" => Command::ResizeSession {
            session: state.windows[&words.id::<WindowId>('t')].session,
            size: Size { cols: words.number('x'), rows: words.number('y') },
        },
        "swap-pane" => Command::SwapPane(SwapPane {
            source: words.id('s'),
            target: words.id('t'),
            select,
            keep_zoom,
        }),
        "rotate-window" => {
            Command::RotateWindow { window: words.id('t'), down: words.has('D'), keep_zoom }
        }
        "break-pane" => {
            let (session, place) = words.place(state);
            Command::BreakPane(BreakPane {
                pane: words.id('s'),
                from: state.window_of(words.id('s')).unwrap().session,
                session,
                place,
                name: None,
                select,
            })
        }
        "join-pane" => Command::JoinPane(JoinPane {
            source: words.id('s'),
            target: words.id('t'),
            session: state.window_of(words.id('t')).unwrap().session,
            split: words.split(),
            select,
        }),
        "select-layout" => select_layout(state, &words),
        "set-option" => Command::SetOption(SetOption {
            name: words.arguments[0].to_owned(),
            place: Place {
                global: words.has('g'),
                window: words.flags.get(&'t').map(|id| id.parse().unwrap()),
                ..Place::default()
            },
            edit: Edit::Set(words.arguments.get(1).map(|value| (*value).to_owned())),
            only_if_unset: false,
            and_panes: false,
        }),
        other => panic!("no {other} in recordings"),
    }
}

fn resize(words: &Words<'_>) -> PaneResize {
    if words.has('Z') {
        return PaneResize::ToggleZoom;
    }
    match words.direction() {
        Some(direction) => PaneResize::Toward(direction, words.arguments[0].parse().unwrap()),
        None => PaneResize::To {
            cols: words.flags.get(&'x').map(|extent| extent.parse().unwrap()),
            rows: words.flags.get(&'y').map(|extent| extent.parse().unwrap()),
        },
    }
}

fn select_layout(state: &State, words: &Words<'_>) -> Command {
    if words.has('E') {
        let pane: PaneId = words.id('t');
        let window = state.panes[&pane].window;
        return Command::SelectLayout { window, layout: LayoutChoice::Spread(pane) };
    }
    let layout = match words.arguments.first() {
        _ if words.has('n') => LayoutChoice::Next,
        _ if words.has('p') => LayoutChoice::Previous,
        None => LayoutChoice::Again,
        Some(name) => match name.parse() {
            Ok(preset) => LayoutChoice::Preset(preset),
            Err(_) => LayoutChoice::Text((*name).to_owned()),
        },
    };
    Command::SelectLayout { window: words.id('t'), layout }
}
