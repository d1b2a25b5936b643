//! Sessions and windows.

use ccmux_core::Command;
use ccmux_core::change::{Change, CloseReason, OptionScope};
use ccmux_core::decide::{MoveWindow, NewSession, NewWindow, WindowPlace};
use ccmux_core::geometry::Size;
use ccmux_core::ids::{SessionId, WindowId};

use crate::world::{World, new_session, new_window, shell};

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
