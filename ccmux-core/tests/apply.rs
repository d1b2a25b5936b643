//! Changes that do not fit, as damage may leave them, and what a record must not leave behind.

use ccmux_core::change::{Change, CloseReason, NewPane};
use ccmux_core::geometry::{Size, SplitDirection};
use ccmux_core::ids::{PaneId, PaneUuid, SessionId, WindowId};
use ccmux_core::layout::{Layout, LayoutError, NewPaneSize, Split};
use ccmux_core::model::{Environment, NextIds, Program, Timestamp};
use ccmux_core::{ApplyError, State, apply, apply_all};

fn pane(id: u32) -> NewPane {
    NewPane {
        id: PaneId(id),
        uuid: PaneUuid(uuid::Uuid::from_u128(id.into())),
        program: Program::default(),
        created: Timestamp(0),
    }
}

fn session(id: u32, name: &str) -> Change {
    Change::SessionCreated {
        id: SessionId(id),
        name: name.to_owned(),
        created: Timestamp(0),
        cwd: "/".into(),
        environment: Environment::new(),
        size: Size::DEFAULT,
    }
}

fn window(id: u32, session: u32, index: u32, new: u32) -> Change {
    Change::WindowCreated {
        id: WindowId(id),
        session: SessionId(session),
        index,
        name: String::new(),
        pane: pane(new),
    }
}

fn close_window(id: u32) -> Change {
    Change::WindowClosed { id: WindowId(id), reason: CloseReason::Command }
}

/// Two sessions, the first with two windows, the first of which has two panes.
fn state() -> State {
    let half = Split {
        direction: SplitDirection::Vertical,
        size: NewPaneSize::Half,
        before: false,
        full: false,
    };
    let layout = Layout::single(PaneId(0), Size::DEFAULT).split(PaneId(0), PaneId(2), half);
    let layout = layout.expect("there is room");
    let mut state = State::default();
    let changes = [
        session(0, "a"),
        window(0, 0, 0, 0),
        window(1, 0, 1, 1),
        Change::PaneCreated { window: WindowId(0), pane: pane(2), layout },
        session(1, "b"),
        window(2, 1, 0, 3),
    ];
    apply_all(&mut state, &changes).expect("the record fits");
    state.check().expect("the state is sound");
    state
}

#[test]
fn what_does_not_fit_is_refused_and_leaves_no_trace() {
    let alone = Layout::single(PaneId(0), Size::DEFAULT);
    let same_uuid = NewPane { uuid: pane(3).uuid, ..pane(9) };
    let zoom = |window, zoomed| Change::Zoomed { window: WindowId(window), zoomed };
    let join = |id, window| Change::PaneJoined {
        id: PaneId(id),
        window: WindowId(window),
        layout: alone.clone(),
    };
    for (change, error) in [
        (session(0, "c"), ApplyError::IdReused("$0".to_owned())),
        (session(u32::MAX, "c"), ApplyError::IdReused("$4294967295".to_owned())),
        (session(2, "b"), ApplyError::SessionName("b".to_owned())),
        (session(2, "x:y"), ApplyError::SessionName("x:y".to_owned())),
        (
            Change::SessionRenamed { id: SessionId(0), name: String::new() },
            ApplyError::SessionName(String::new()),
        ),
        (Change::SessionClosed { id: SessionId(0) }, ApplyError::SessionNotEmpty(SessionId(0))),
        (Change::SessionClosed { id: SessionId(7) }, ApplyError::NoSession(SessionId(7))),
        (window(1, 0, 5, 9), ApplyError::IdReused("@1".to_owned())),
        (window(9, 0, 5, 1), ApplyError::IdReused("%1".to_owned())),
        (window(9, 0, 1, 9), ApplyError::IndexInUse { session: SessionId(0), index: 1 }),
        (window(9, 7, 1, 9), ApplyError::NoSession(SessionId(7))),
        (
            Change::WindowMoved { id: WindowId(1), session: SessionId(1), index: 0 },
            ApplyError::IndexInUse { session: SessionId(1), index: 0 },
        ),
        (close_window(9), ApplyError::NoWindow(WindowId(9))),
        (Change::PaneSelected { id: PaneId(9) }, ApplyError::NoPane(PaneId(9))),
        (
            Change::PaneClosed { id: PaneId(1), reason: CloseReason::Command },
            ApplyError::Layout(LayoutError::LastPane(PaneId(1))),
        ),
        (
            Change::PaneCreated { window: WindowId(0), pane: pane(9), layout: alone.clone() },
            ApplyError::LayoutMismatch(WindowId(0)),
        ),
        (
            Change::PaneCreated { window: WindowId(0), pane: same_uuid, layout: alone.clone() },
            ApplyError::IdReused(pane(3).uuid.to_string()),
        ),
        (
            Change::LayoutChanged {
                window: WindowId(0),
                layout: alone.clone(),
                preset: None,
                selected: false,
            },
            ApplyError::LayoutMismatch(WindowId(0)),
        ),
        (zoom(1, true), ApplyError::ZoomedAlone(WindowId(1))),
        (join(0, 0), ApplyError::LayoutMismatch(WindowId(0))),
        (join(1, 0), ApplyError::LayoutMismatch(WindowId(0))),
        (
            Change::PaneBroken {
                id: PaneId(1),
                window: WindowId(9),
                session: SessionId(0),
                index: 9,
                name: String::new(),
            },
            ApplyError::Layout(LayoutError::LastPane(PaneId(1))),
        ),
    ] {
        let mut state = state();
        assert_eq!(apply(&mut state, &change), Err(error), "{change:?}");
        assert_eq!(state, self::state(), "{change:?}");
    }
}

#[test]
fn no_record_leaves_an_empty_session() {
    let mut state = state();
    for (changes, empty) in [
        (vec![session(2, "c")], SessionId(2)),
        (vec![close_window(2)], SessionId(1)),
        (
            vec![Change::WindowMoved { id: WindowId(2), session: SessionId(0), index: 5 }],
            SessionId(1),
        ),
    ] {
        assert_eq!(apply_all(&mut state, &changes), Err(ApplyError::SessionEmpty(empty)));
        assert_eq!(state, self::state());
    }
    let whole = [close_window(2), Change::SessionClosed { id: SessionId(1) }];
    assert_eq!(apply_all(&mut state, &whole), Ok(()));
}

/// Goal: a record whose last change does not fit does nothing at all.
#[test]
fn a_record_applies_whole_or_not_at_all() {
    let mut state = state();
    let changes = [close_window(1), close_window(1)];
    assert_eq!(apply_all(&mut state, &changes), Err(ApplyError::NoWindow(WindowId(1))));
    assert_eq!(state, self::state());
}

#[test]
fn what_is_current_passes_on() {
    let mut state = state();
    let select = |id| Change::WindowSelected { id: WindowId(id) };
    apply_all(&mut state, &[window(9, 0, 7, 9), select(9), select(1)]).expect("it fits");
    apply(&mut state, &close_window(1)).expect("it fits");
    let session = &state.sessions[&SessionId(0)];
    assert_eq!((session.current, &session.last[..]), (WindowId(9), &[WindowId(0)][..]));

    let close = Change::PaneClosed { id: PaneId(0), reason: CloseReason::Command };
    apply(&mut state, &close).expect("it fits");
    assert_eq!(state.windows[&WindowId(0)].active, PaneId(2));
    state.check().expect("the state is sound");
}

#[test]
fn reserved_ids_are_not_given_out() {
    let mut state = state();
    let next = NextIds { session: 0, window: 50, pane: 60 };
    apply(&mut state, &Change::IdsReserved { next }).expect("it always fits");
    assert_eq!(state.next, NextIds { session: 2, window: 50, pane: 60 });
    assert!(apply(&mut state, &window(49, 0, 9, 60)).is_err());
    assert!(apply(&mut state, &window(50, 0, 9, 59)).is_err());
    assert_eq!(apply(&mut state, &window(50, 0, 9, 60)), Ok(()));
}
