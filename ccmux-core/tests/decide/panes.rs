//! Panes, their programs and their layouts.

use ccmux_core::Command;
use ccmux_core::change::{Change, CloseReason};
use ccmux_core::decide::{BreakPane, JoinPane, LayoutChoice, SplitWindow, WindowPlace};
use ccmux_core::geometry::{Extent, Size, SplitDirection};
use ccmux_core::ids::{PaneId, SessionId, WindowId};
use ccmux_core::layout::{NewPaneSize, Split};
use ccmux_core::model::{Ended, Environment, ExitStatus, Program, Timestamp};

use crate::world::{HALF, World, new_session, respawn, split};

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
