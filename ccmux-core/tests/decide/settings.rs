//! Options and environment.

use ccmux_core::Command;
use ccmux_core::change::{Change, OptionScope};
use ccmux_core::decide::{SetOption, VariableEdit};
use ccmux_core::ids::{PaneId, SessionId, WindowId};
use ccmux_core::options::{Edit, Place};

use crate::world::World;

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
