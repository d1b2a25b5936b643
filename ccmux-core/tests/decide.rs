//! What commands decide: the changes of one record, and tmux's words for why not.

use ccmux_core::change::{Change, CloseReason, OptionScope};
use ccmux_core::decide::{
    BreakPane, JoinPane, LayoutChoice, MoveWindow, NewSession, NewWindow, RespawnPane, SetOption,
    SplitWindow, VariableEdit, WindowPlace,
};
use ccmux_core::geometry::{Extent, Size, SplitDirection};
use ccmux_core::ids::{PaneId, PaneUuid, SessionId, WindowId};
use ccmux_core::layout::{NewPaneSize, Split};
use ccmux_core::model::{Ended, Environment, ExitStatus, Program, Timestamp};
use ccmux_core::options::{Edit, Place};
use ccmux_core::{Command, CommandError, Facts, State, apply_all, decide};

const HALF: Split = Split {
    direction: SplitDirection::Vertical,
    size: NewPaneSize::Half,
    before: false,
    full: false,
};

/// A state and the commands run on it.
#[derive(Default)]
struct World {
    state: State,
    commands: u64,
}

impl World {
    /// One session `a` with window `@0` and pane `%0`.
    fn new() -> World {
        let mut world = World::default();
        world.run(new_session(Some("a")));
        world
    }

    fn try_run(&mut self, command: Command) -> Result<Vec<Change>, CommandError> {
        self.commands += 1;
        let facts = Facts {
            now: Timestamp(self.commands),
            uuid: PaneUuid(uuid::Uuid::from_u128(self.commands.into())),
        };
        let changes = decide(&self.state, command, &facts)?;
        apply_all(&mut self.state, &changes).expect("what was decided applies");
        self.state.check().expect("the state is sound");
        Ok(changes)
    }

    #[track_caller]
    fn run(&mut self, command: Command) -> Vec<Change> {
        self.try_run(command).expect("the command is accepted")
    }

    #[track_caller]
    fn refuse(&mut self, command: Command) -> String {
        self.try_run(command).expect_err("the command is refused").to_string()
    }

    fn set(&mut self, name: &str, value: &str) {
        self.run(Command::SetOption(SetOption {
            name: name.to_owned(),
            place: Place { global: true, ..Place::default() },
            edit: Edit::Set(Some(value.to_owned())),
            only_if_unset: false,
            and_panes: false,
        }));
    }

    /// The names of sessions, and the indexes and names of their windows.
    fn names(&self) -> String {
        let mut lines = Vec::new();
        for session in self.state.sessions.values() {
            let windows: Vec<String> = session
                .windows
                .iter()
                .map(|(index, id)| format!("{index}:{}", self.state.windows[id].name))
                .collect();
            lines.push(format!("{}[{}]", session.name, windows.join(" ")));
        }
        lines.join(" ")
    }
}

fn shell(command: &str) -> Program {
    Program { argv: vec![command.into()], ..Program::default() }
}

fn new_session(name: Option<&str>) -> Command {
    Command::NewSession(NewSession { name: name.map(str::to_owned), ..NewSession::default() })
}

fn new_window(session: u32, command: &str) -> NewWindow {
    NewWindow {
        session: SessionId(session),
        place: WindowPlace::Next,
        kill_existing: false,
        name: None,
        reuse_named: false,
        select: true,
        program: shell(command),
    }
}

fn split(target: u32) -> Command {
    Command::SplitWindow(SplitWindow {
        target: PaneId(target),
        split: HALF,
        select: true,
        zoom: false,
        program: Program::default(),
    })
}

fn respawn(pane: u32, kill: bool) -> RespawnPane {
    RespawnPane {
        pane: PaneId(pane),
        argv: Vec::new(),
        cwd: None,
        environment: Environment::new(),
        kill,
    }
}

#[test]
fn session_names() {
    let mut world = World::new();
    world.run(new_session(Some("x:y.z")));
    // $2 takes its own number for a name; a name that is a number makes later ones skip it.
    world.run(new_session(None));
    world.run(new_session(Some("4")));
    world.run(new_session(None));
    let names: Vec<&str> = world.state.sessions.values().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["a", "x_y_z", "2", "4", "5"]);
    assert_eq!(world.state.next.session, 6);

    assert_eq!(world.refuse(new_session(Some("a"))), "duplicate session: a");
    assert_eq!(world.refuse(new_session(Some(""))), "invalid session: ");
    let rename = |name: &str| Command::RenameSession { session: SessionId(1), name: name.into() };
    assert_eq!(world.refuse(rename("a")), "duplicate session: a");
    assert_eq!(world.refuse(rename("")), "invalid session: ");
    assert_eq!(world.run(rename("x.y.z")), []);
    assert_eq!(world.run(rename("b")).len(), 1);
}

#[test]
fn a_new_session_takes_what_it_is_given_and_else_the_defaults() {
    let mut world = World::default();
    world.set("base-index", "1");
    world.set("default-size", "100x30");
    world.set("default-shell", "/usr/bin/fish");
    world.run(new_session(Some("a")));
    world.run(Command::NewSession(NewSession {
        name: Some("b".to_owned()),
        window_name: Some("edit".to_owned()),
        size: Some(Size { cols: 120, rows: 40 }),
        program: shell("exec vim"),
        ..NewSession::default()
    }));
    assert_eq!(world.names(), "a[1:fish] b[1:edit]");
    assert_eq!(world.state.windows[&WindowId(0)].layout.size(), Size { cols: 100, rows: 30 });
    assert_eq!(world.state.windows[&WindowId(1)].layout.size(), Size { cols: 120, rows: 40 });
    let renames = |window| {
        world.state.options(OptionScope::Window(WindowId(window))).flag("automatic-rename")
    };
    assert!(renames(0));
    assert!(!renames(1));
}

/// Goal: a name that somebody gave stays, one that a program gave follows it.
#[test]
fn names_of_windows_follow_their_program_until_somebody_names_them() {
    let mut world = World::new();
    let follow = |name: &str| Command::RenameWindowAutomatically {
        window: WindowId(0),
        name: name.to_owned(),
    };
    let named = world.run(follow("vim"));
    assert_eq!(named.len(), 1);
    assert!(named[0].is_soft(), "no command asked for it");
    assert_eq!(world.run(follow("vim")), []);
    world.run(Command::RenameWindow { window: WindowId(0), name: "mine".to_owned() });
    assert_eq!(world.run(follow("top")), []);
    assert_eq!(world.names(), "a[0:mine]");
}

#[test]
fn windows_find_their_index() {
    let mut world = World::new();
    world.run(Command::NewWindow(new_window(0, "b")));
    world.run(Command::NewWindow(NewWindow {
        place: WindowPlace::At(4),
        select: false,
        ..new_window(0, "c")
    }));
    world.run(Command::NewWindow(NewWindow {
        place: WindowPlace::After(WindowId(0)),
        ..new_window(0, "d")
    }));
    world.run(Command::NewWindow(NewWindow {
        place: WindowPlace::Before(WindowId(0)),
        ..new_window(0, "e")
    }));
    assert_eq!(world.names(), "a[0:e 1:sh 2:d 3:b 4:c]");

    let at = |index, kill_existing| {
        Command::NewWindow(NewWindow {
            place: WindowPlace::At(index),
            kill_existing,
            ..new_window(0, "f")
        })
    };
    assert_eq!(world.refuse(at(2, false)), "create window failed: index 2 in use");
    world.run(at(2, true));
    assert_eq!(world.names(), "a[0:e 1:sh 2:f 3:b 4:c]");

    let named = |select| {
        Command::NewWindow(NewWindow {
            name: Some("x".to_owned()),
            reuse_named: true,
            select,
            ..new_window(0, "g")
        })
    };
    assert_eq!(world.run(named(false)).len(), 2);
    assert_eq!(world.run(named(true)), [Change::WindowSelected { id: WindowId(6) }]);
    world.run(Command::RenameWindow { window: WindowId(0), name: "x".to_owned() });
    assert_eq!(world.refuse(named(true)), "multiple windows named x");
}

/// Goal: killing the only window with `new-window -k` leaves the session alive.
#[test]
fn the_only_window_can_be_replaced() {
    let mut world = World::new();
    world.run(Command::NewWindow(NewWindow {
        place: WindowPlace::At(0),
        kill_existing: true,
        select: false,
        ..new_window(0, "b")
    }));
    assert_eq!(world.names(), "a[0:b]");
    assert_eq!(world.state.sessions[&SessionId(0)].current, WindowId(1));
}

#[test]
fn moving_windows() {
    let mut world = World::new();
    world.run(new_session(Some("b")));
    world.run(Command::NewWindow(new_window(0, "c")));
    let order = |window, session, place| MoveWindow {
        window: WindowId(window),
        from: SessionId(u32::from(window == 1)),
        session: SessionId(session),
        place,
        kill_existing: false,
        select: true,
        renumber: false,
    };
    let to = |window, session, index| {
        Command::MoveWindow(order(window, session, WindowPlace::At(index)))
    };
    assert_eq!(world.refuse(to(2, 0, 0)), "index in use: 0");
    assert_eq!(world.refuse(to(2, 0, 1)), "same index: 1");
    world.run(to(2, 0, 7));
    assert_eq!(world.names(), "a[0:sh 7:c] b[0:sh]");
    world.run(Command::RenumberWindows { session: SessionId(0) });
    assert_eq!(world.names(), "a[0:sh 1:c] b[0:sh]");
    // The last window of a session takes the session with it.
    let changes = world.run(Command::MoveWindow(MoveWindow {
        kill_existing: true,
        ..order(1, 0, WindowPlace::At(1))
    }));
    assert_eq!(
        changes,
        [
            Change::WindowClosed { id: WindowId(2), reason: CloseReason::Command },
            Change::WindowMoved { id: WindowId(1), session: SessionId(0), index: 1 },
            Change::WindowSelected { id: WindowId(1) },
            Change::SessionClosed { id: SessionId(1) },
        ]
    );
}

#[test]
fn renumbering_works_in_both_directions() {
    let mut world = World::new();
    for name in ["b", "c"] {
        world.run(Command::NewWindow(new_window(0, name)));
    }
    world.set("base-index", "2");
    world.run(Command::RenumberWindows { session: SessionId(0) });
    assert_eq!(world.names(), "a[2:sh 3:b 4:c]");
    world.set("base-index", "1");
    world.set("renumber-windows", "on");
    world.run(Command::KillWindow { window: WindowId(1) });
    assert_eq!(world.names(), "a[1:sh 2:c]");
}

#[test]
fn going_from_window_to_window() {
    let mut world = World::new();
    let session = SessionId(0);
    assert_eq!(world.refuse(Command::NextWindow { session }), "no next window");
    assert_eq!(world.refuse(Command::PreviousWindow { session }), "no previous window");
    assert_eq!(world.refuse(Command::LastWindow { session }), "no last window");
    for name in ["b", "c"] {
        world.run(Command::NewWindow(new_window(0, name)));
    }
    let mut goes_to = |command, window| {
        assert_eq!(world.run(command), [Change::WindowSelected { id: WindowId(window) }]);
    };
    goes_to(Command::NextWindow { session }, 0);
    goes_to(Command::PreviousWindow { session }, 2);
    goes_to(Command::LastWindow { session }, 0);
    goes_to(Command::SelectWindow { session, window: WindowId(1), toggle: false }, 1);
    goes_to(Command::SelectWindow { session, window: WindowId(1), toggle: true }, 0);
}

/// Goal: what closes with a pane is said change by change, and ends that no command asked for can
/// be told from those that one did.
#[test]
fn closing_goes_from_pane_to_window_to_session() {
    let mut world = World::new();
    world.run(split(0));
    let ended = |world: &World| {
        let status = ExitStatus::Code(0);
        CloseReason::ProgramEnded(Ended { status, time: Timestamp(world.commands) })
    };
    let end = |pane| Command::ProgramEnded { pane: PaneId(pane), status: ExitStatus::Code(0) };
    let changes = world.run(end(1));
    assert_eq!(changes, [Change::PaneClosed { id: PaneId(1), reason: ended(&world) }]);
    assert!(changes[0].is_program_end());
    let changes = world.run(end(0));
    assert_eq!(
        changes,
        [
            Change::WindowClosed { id: WindowId(0), reason: ended(&world) },
            Change::SessionClosed { id: SessionId(0) },
        ]
    );
    assert!(changes[0].is_program_end());
    assert_eq!(world.refuse(end(0)), "can't find pane: %0");

    world.run(new_session(Some("b")));
    world.run(new_session(Some("c")));
    let changes = world.run(Command::KillServer);
    assert_eq!(changes.len(), 4);
    assert!(!changes.iter().any(Change::is_program_end));
    assert!(world.state.sessions.is_empty() && world.state.panes.is_empty());
}

#[test]
fn panes_remain_when_told_to() {
    let failed = ExitStatus::Code(1);
    for (option, status, remains) in [
        ("off", failed, false),
        ("on", ExitStatus::Code(0), true),
        ("failed", ExitStatus::Code(0), false),
        ("failed", failed, true),
        ("failed", ExitStatus::Signal(9), true),
        ("failed", ExitStatus::Unknown, true),
    ] {
        let mut world = World::new();
        world.set("remain-on-exit", option);
        world.run(Command::ProgramEnded { pane: PaneId(0), status });
        assert_eq!(world.state.panes.contains_key(&PaneId(0)), remains, "{option} {status:?}");
        if remains {
            let again = Command::ProgramEnded { pane: PaneId(0), status };
            assert_eq!(world.run(again), [], "it ends once");
        }
    }
}

#[test]
fn respawning() {
    let mut world = World::new();
    world.run(split(0));
    world.set("pane-base-index", "1");
    let pane = |kill| Command::RespawnPane(respawn(1, kill));
    let window = |kill| Command::RespawnWindow { window: WindowId(0), respawn: respawn(9, kill) };
    assert_eq!(world.refuse(pane(false)), "respawn pane failed: pane a:0.2 still active");
    assert_eq!(world.refuse(window(false)), "respawn window failed: window a:0 still active");
    world.set("remain-on-exit", "on");
    world.run(Command::ProgramEnded { pane: PaneId(1), status: ExitStatus::Code(0) });
    world.run(pane(false));
    assert_eq!(world.state.panes[&PaneId(1)].ended, None);
    world.run(pane(true));
    world.run(window(true));
    assert_eq!(world.state.windows[&WindowId(0)].layout.panes(), [PaneId(0)]);
}

#[test]
fn splitting_needs_room() {
    let mut world = World::new();
    world.run(Command::ResizeSession { session: SessionId(0), size: Size { cols: 5, rows: 2 } });
    assert_eq!(world.refuse(split(0)), "no space for new pane");
    assert_eq!(world.refuse(split(7)), "can't find pane: %7");
    let sideways = Split { direction: SplitDirection::Horizontal, ..HALF };
    let order = SplitWindow {
        target: PaneId(0),
        split: Split { size: NewPaneSize::Extent(Extent::Cells(90)), ..sideways },
        select: false,
        zoom: true,
        program: Program::default(),
    };
    world.run(Command::SplitWindow(order));
    let window = &world.state.windows[&WindowId(0)];
    assert_eq!(window.layout.rects()[0].1.cols, 1);
    assert_eq!(window.active, PaneId(0));
    assert!(window.zoomed);
}

#[test]
fn panes_go_from_window_to_window() {
    let mut world = World::new();
    world.run(split(0));
    let join = |source, target| {
        Command::JoinPane(JoinPane {
            source: PaneId(source),
            target: PaneId(target),
            session: SessionId(target / 2),
            split: HALF,
            select: true,
        })
    };
    assert_eq!(world.refuse(join(1, 1)), "source and target panes must be different");
    let order = BreakPane {
        pane: PaneId(1),
        from: SessionId(0),
        session: SessionId(0),
        place: WindowPlace::At(0),
        name: None,
        select: true,
    };
    assert_eq!(world.refuse(Command::BreakPane(order.clone())), "index in use: 0");
    world.run(Command::BreakPane(BreakPane { place: WindowPlace::Next, ..order }));
    assert_eq!(world.names(), "a[0:sh 1:sh]");
    // The window that the pane leaves empty is gone.
    world.run(join(1, 0));
    assert_eq!(world.names(), "a[0:sh]");
    world.run(Command::ResizeSession { session: SessionId(0), size: Size { cols: 9, rows: 3 } });
    world.run(new_session(Some("b")));
    assert_eq!(world.refuse(join(2, 0)), "create pane failed: pane too small");
    // A session that is left empty is gone, too.
    world.run(Command::ResizeSession { session: SessionId(0), size: Size::DEFAULT });
    let changes = world.run(join(2, 0));
    assert_eq!(changes.last(), Some(&Change::SessionClosed { id: SessionId(1) }));
}

#[test]
fn layout_strings_are_refused_in_tmuxs_words() {
    let mut world = World::new();
    world.run(split(0));
    for (text, message) in [
        ("foo", "invalid layout: foo"),
        ("0000,80x24,0,0,0", "invalid layout: 0000,80x24,0,0,0"),
        ("b25d,80x24,0,0,0", "have 2 panes but need 1: b25d,80x24,0,0,0"),
    ] {
        let layout = LayoutChoice::Text(text.to_owned());
        assert_eq!(world.refuse(Command::SelectLayout { window: WindowId(0), layout }), message);
    }
    let mut choose = |layout| world.run(Command::SelectLayout { window: WindowId(0), layout });
    // What is there counts as the layout before, for `-o`.
    assert_eq!(choose(LayoutChoice::Again).len(), 1);
    assert_eq!(choose(LayoutChoice::Again), []);
    assert_eq!(choose(LayoutChoice::Next).len(), 1);
    assert_eq!(choose(LayoutChoice::Again).len(), 1);
    assert_eq!(choose(LayoutChoice::Again), []);
}

#[test]
fn no_last_pane_without_another() {
    let mut world = World::new();
    let last = || Command::LastPane { window: WindowId(0), keep_zoom: false };
    assert_eq!(world.refuse(last()), "no last pane");
    world.run(Command::SplitWindow(SplitWindow {
        target: PaneId(0),
        split: HALF,
        select: false,
        zoom: false,
        program: Program::default(),
    }));
    assert_eq!(world.run(last()), [Change::PaneSelected { id: PaneId(1) }]);
}

#[test]
fn environment_variables_have_proper_names() {
    let mut world = World::new();
    let set = |name: &str| Command::SetEnvironment {
        session: Some(SessionId(0)),
        name: name.into(),
        edit: VariableEdit::Set("1".into()),
    };
    assert_eq!(world.refuse(set("")), "empty variable name");
    assert_eq!(world.refuse(set("a=b")), "variable name contains =");
    assert_eq!(world.run(set("A")).len(), 1);
    assert_eq!(world.run(set("A")), []);
}

#[test]
fn options_go_where_they_belong() {
    let place = Place {
        session: Some(SessionId(0)),
        window: Some(WindowId(0)),
        pane: Some(PaneId(0)),
        ..Place::default()
    };
    let on_pane = Place { pane_flag: true, ..place };
    for (name, place, scope) in [
        ("escape-time", place, OptionScope::Server),
        ("status-left-length", place, OptionScope::Session(SessionId(0))),
        ("status-left-length", Place { global: true, ..place }, OptionScope::GlobalSession),
        ("pane-base-index", place, OptionScope::Window(WindowId(0))),
        ("pane-base-index", on_pane, OptionScope::Window(WindowId(0))),
        ("@x", on_pane, OptionScope::Pane(PaneId(0))),
        ("@x", Place { window_flag: true, global: true, ..place }, OptionScope::GlobalWindow),
        ("@x", Place { server: true, ..place }, OptionScope::Server),
    ] {
        let changes = World::new().run(Command::SetOption(SetOption {
            name: name.to_owned(),
            place,
            edit: Edit::Set(Some("7".to_owned())),
            only_if_unset: false,
            and_panes: false,
        }));
        let expected =
            Change::OptionSet { scope, name: name.to_owned(), value: Some("7".to_owned()) };
        assert_eq!(changes, [expected]);
    }
    let nowhere = SetOption {
        name: "status-left".to_owned(),
        place: Place::default(),
        edit: Edit::Unset,
        only_if_unset: false,
        and_panes: false,
    };
    assert_eq!(World::new().refuse(Command::SetOption(nowhere)), "no current session");
}

#[test]
fn set_option_flags() {
    let mut world = World::new();
    let place = Place { window: Some(WindowId(0)), pane: Some(PaneId(0)), ..Place::default() };
    let order = SetOption {
        name: "remain-on-exit".to_owned(),
        place,
        edit: Edit::Set(Some("on".to_owned())),
        only_if_unset: true,
        and_panes: false,
    };
    assert_eq!(world.run(Command::SetOption(order.clone())).len(), 1);
    assert_eq!(world.refuse(Command::SetOption(order.clone())), "already set: remain-on-exit");
    let on_pane = Place { pane_flag: true, ..place };
    world.run(Command::SetOption(SetOption { place: on_pane, ..order.clone() }));
    let unset = SetOption { edit: Edit::Unset, and_panes: true, ..order };
    assert_eq!(world.run(Command::SetOption(unset.clone())).len(), 2);
    assert_eq!(world.run(Command::SetOption(unset)), []);
}

/// It stays whatever `remain-on-exit` says, and recovery starts nothing in it.
#[test]
fn a_pane_without_a_program_is_empty_until_it_gets_one() {
    let mut world = World::new();
    world.run(Command::SplitWindow(SplitWindow {
        target: PaneId(0),
        split: HALF,
        select: true,
        zoom: false,
        program: Program::none("/".into(), Environment::new()),
    }));
    let ended = Ended { status: ExitStatus::Unknown, time: Timestamp(2) };
    assert_eq!(world.state.panes[&PaneId(1)].ended, Some(ended));
    assert!(world.state.panes[&PaneId(1)].is_empty());
    world.run(Command::RespawnPane(respawn(1, false)));
    assert!(!world.state.panes[&PaneId(1)].is_empty());
    assert_eq!(world.state.panes[&PaneId(1)].program.argv, Vec::<bstr::BString>::new());
    // What ended was there once.
    world.set("remain-on-exit", "on");
    world.run(Command::ProgramEnded { pane: PaneId(1), status: ExitStatus::Code(0) });
    assert!(!world.state.panes[&PaneId(1)].is_empty());
}
