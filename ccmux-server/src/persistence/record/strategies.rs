//! Random changes and states, for tests.

use bstr::BString;
use ccmux_core::change::{Change, CloseReason, NewPane, OptionScope};
use ccmux_core::geometry::{Size, SplitDirection};
use ccmux_core::ids::{PaneId, PaneUuid, SessionId, WindowId};
use ccmux_core::key::{Key, KeyCode, Modifiers};
use ccmux_core::layout::{Layout, NewPaneSize, Preset, PresetOptions, Split};
use ccmux_core::model::{
    Binding, Buffer, Ended, Environment, ExitStatus, NextIds, OptionSet, Pane, Program, Session,
    State, Timestamp, Window,
};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

/// How many kinds of change there are; see [`ordinal`].
pub(crate) const CHANGE_KINDS: usize = 35;

/// Numbers the kinds of change: no wildcard, so that a new one is noticed here.
pub(crate) fn ordinal(change: &Change) -> usize {
    match change {
        Change::SessionCreated { .. } => 0,
        Change::SessionRenamed { .. } => 1,
        Change::SessionResized { .. } => 2,
        Change::SessionClosed { .. } => 3,
        Change::WindowCreated { .. } => 4,
        Change::WindowRenamed { .. } => 5,
        Change::WindowMoved { .. } => 6,
        Change::WindowClosed { .. } => 7,
        Change::WindowsSwapped { .. } => 8,
        Change::WindowSelected { .. } => 9,
        Change::PaneCreated { .. } => 10,
        Change::PaneClosed { .. } => 11,
        Change::PaneSelected { .. } => 12,
        Change::PaneEnded { .. } => 13,
        Change::PaneRespawned { .. } => 14,
        Change::PaneBroken { .. } => 15,
        Change::PaneJoined { .. } => 16,
        Change::PanesSwapped { .. } => 17,
        Change::PaneTitled { .. } => 18,
        Change::PaneMoved { .. } => 19,
        Change::LayoutChanged { .. } => 20,
        Change::Zoomed { .. } => 21,
        Change::OptionSet { .. } => 22,
        Change::EnvironmentSet { .. } => 23,
        Change::KeyBound { .. } => 24,
        Change::IdsReserved { .. } => 25,
        Change::BufferSet { .. } => 26,
        Change::BufferRenamed { .. } => 27,
        Change::BufferDeleted { .. } => 28,
        Change::WindowNamed { .. } => 29,
        Change::PaneInputSwitched { .. } => 30,
        Change::PaneMarked { .. } => 31,
        Change::SessionGrouped { .. } => 32,
        Change::WindowAdopted { .. } => 33,
        Change::SessionMoved { .. } => 34,
    }
}

/// Any change at all, not one that fits a state.
pub(crate) fn change() -> impl Strategy<Value = Change> {
    prop_oneof![sessions_and_windows(), panes(), the_rest()]
}

/// Any state, not a consistent one.
pub(crate) fn state() -> impl Strategy<Value = State> {
    let tables = (
        btree_map(session_id(), session(), 0..3),
        btree_map(window_id(), window(), 0..3),
        btree_map(pane_id(), pane(), 0..3),
        next_ids(),
    );
    let options = (option_set(), option_set(), option_set());
    let bindings = btree_map((any::<String>(), key()), option::of(binding()), 0..3);
    (
        tables,
        options,
        environment(),
        bindings,
        (vec(buffer(), 0..3), any::<u32>()),
        option::of(pane_id()),
    )
        .prop_map(
            |(tables, options, environment, bindings, (buffers, next_buffer), marked)| {
                let (sessions, windows, panes, next) = tables;
                let (server_options, session_options, window_options) = options;
                State {
                    sessions,
                    windows,
                    panes,
                    next,
                    server_options,
                    session_options,
                    window_options,
                    environment,
                    bindings,
                    buffers,
                    next_buffer,
                    marked,
                }
            },
        )
}

fn sessions_and_windows() -> impl Strategy<Value = Change> {
    prop_oneof![
        (session_id(), any::<String>(), time(), bytes(), environment(), size()).prop_map(
            |(id, name, created, cwd, environment, size)| Change::SessionCreated {
                id,
                name,
                created,
                cwd,
                environment,
                size
            }
        ),
        (session_id(), any::<String>()).prop_map(|(id, name)| Change::SessionRenamed { id, name }),
        (session_id(), size()).prop_map(|(id, size)| Change::SessionResized { id, size }),
        (session_id(), any::<String>())
            .prop_map(|(id, group)| Change::SessionGrouped { id, group }),
        (window_id(), session_id()).prop_map(|(id, session)| Change::WindowAdopted { id, session }),
        session_id().prop_map(|id| Change::SessionClosed { id }),
        (session_id(), bytes()).prop_map(|(id, cwd)| Change::SessionMoved { id, cwd }),
        (window_id(), session_id(), any::<u32>(), any::<String>(), new_pane()).prop_map(
            |(id, session, index, name, pane)| Change::WindowCreated {
                id,
                session,
                index,
                name,
                pane
            }
        ),
        (window_id(), any::<String>()).prop_map(|(id, name)| Change::WindowRenamed { id, name }),
        (window_id(), any::<String>()).prop_map(|(id, name)| Change::WindowNamed { id, name }),
        (window_id(), session_id(), any::<u32>())
            .prop_map(|(id, session, index)| Change::WindowMoved { id, session, index }),
        (window_id(), close_reason()).prop_map(|(id, reason)| Change::WindowClosed { id, reason }),
        (window_id(), window_id()).prop_map(|(a, b)| Change::WindowsSwapped { a, b }),
        window_id().prop_map(|id| Change::WindowSelected { id }),
        (window_id(), layout(), option::of(preset()), any::<bool>()).prop_map(
            |(window, layout, preset, selected)| Change::LayoutChanged {
                window,
                layout,
                preset,
                selected
            }
        ),
        (window_id(), any::<bool>()).prop_map(|(window, zoomed)| Change::Zoomed { window, zoomed }),
    ]
}

fn panes() -> impl Strategy<Value = Change> {
    prop_oneof![
        (window_id(), new_pane(), layout())
            .prop_map(|(window, pane, layout)| Change::PaneCreated { window, pane, layout }),
        (pane_id(), close_reason()).prop_map(|(id, reason)| Change::PaneClosed { id, reason }),
        pane_id().prop_map(|id| Change::PaneSelected { id }),
        (pane_id(), ended()).prop_map(|(id, ended)| Change::PaneEnded { id, ended }),
        (pane_id(), program()).prop_map(|(id, program)| Change::PaneRespawned { id, program }),
        (pane_id(), window_id(), session_id(), any::<u32>(), any::<String>()).prop_map(
            |(id, window, session, index, name)| Change::PaneBroken {
                id,
                window,
                session,
                index,
                name
            }
        ),
        (pane_id(), window_id(), layout()).prop_map(|(id, window, layout)| Change::PaneJoined {
            id,
            window,
            layout
        }),
        (pane_id(), pane_id()).prop_map(|(a, b)| Change::PanesSwapped { a, b }),
        (pane_id(), bytes()).prop_map(|(id, title)| Change::PaneTitled { id, title }),
        (pane_id(), any::<bool>()).prop_map(|(id, off)| Change::PaneInputSwitched { id, off }),
        option::of(pane_id()).prop_map(|id| Change::PaneMarked { id }),
        (pane_id(), bytes()).prop_map(|(id, cwd)| Change::PaneMoved { id, cwd }),
    ]
}

fn the_rest() -> impl Strategy<Value = Change> {
    prop_oneof![
        (scope(), any::<String>(), any::<Option<String>>())
            .prop_map(|(scope, name, value)| Change::OptionSet { scope, name, value }),
        (option::of(session_id()), bytes(), option::of(option::of(bytes())))
            .prop_map(|(session, name, value)| Change::EnvironmentSet { session, name, value }),
        (any::<String>(), key(), option::of(binding()))
            .prop_map(|(table, key, binding)| Change::KeyBound { table, key, binding }),
        buffer().prop_map(|buffer| Change::BufferSet { buffer }),
        (any::<String>(), any::<String>())
            .prop_map(|(name, new_name)| Change::BufferRenamed { name, new_name }),
        any::<String>().prop_map(|name| Change::BufferDeleted { name }),
        next_ids().prop_map(|next| Change::IdsReserved { next }),
    ]
}

fn buffer() -> impl Strategy<Value = Buffer> {
    (any::<String>(), bytes(), time(), any::<bool>()).prop_map(
        |(name, data, created, is_automatic)| Buffer { name, data, created, is_automatic },
    )
}

fn session_id() -> impl Strategy<Value = SessionId> {
    any::<u32>().prop_map(SessionId)
}

fn window_id() -> impl Strategy<Value = WindowId> {
    any::<u32>().prop_map(WindowId)
}

fn pane_id() -> impl Strategy<Value = PaneId> {
    any::<u32>().prop_map(PaneId)
}

fn time() -> impl Strategy<Value = Timestamp> {
    any::<u64>().prop_map(Timestamp)
}

/// Text as often as not, so that both forms of bytes are met.
fn bytes() -> impl Strategy<Value = BString> {
    prop_oneof![
        any::<String>().prop_map(BString::from),
        vec(any::<u8>(), 0..12).prop_map(BString::from),
    ]
}

fn environment() -> impl Strategy<Value = Environment> {
    btree_map(bytes(), option::of(bytes()), 0..3)
}

fn option_set() -> impl Strategy<Value = OptionSet> {
    btree_map(any::<String>(), any::<String>(), 0..3)
}

fn size() -> impl Strategy<Value = Size> {
    any::<(u16, u16)>().prop_map(|(cols, rows)| Size { cols, rows })
}

fn next_ids() -> impl Strategy<Value = NextIds> {
    any::<(u32, u32, u32)>().prop_map(|(session, window, pane)| NextIds { session, window, pane })
}

fn program() -> impl Strategy<Value = Program> {
    (vec(bytes(), 0..3), bytes(), environment()).prop_map(|(argv, cwd, environment)| Program {
        argv,
        cwd,
        environment,
    })
}

fn uuid() -> impl Strategy<Value = PaneUuid> {
    any::<u128>().prop_map(|bits| PaneUuid(uuid::Uuid::from_u128(bits)))
}

fn new_pane() -> impl Strategy<Value = NewPane> {
    (pane_id(), uuid(), program(), time()).prop_map(|(id, uuid, program, created)| NewPane {
        id,
        uuid,
        program,
        created,
    })
}

fn ended() -> impl Strategy<Value = Ended> {
    let status = prop_oneof![
        any::<i32>().prop_map(ExitStatus::Code),
        any::<i32>().prop_map(ExitStatus::Signal),
        Just(ExitStatus::Unknown),
    ];
    (status, time()).prop_map(|(status, time)| Ended { status, time })
}

fn close_reason() -> impl Strategy<Value = CloseReason> {
    prop_oneof![Just(CloseReason::Command), ended().prop_map(CloseReason::ProgramEnded)]
}

fn scope() -> impl Strategy<Value = OptionScope> {
    prop_oneof![
        Just(OptionScope::Server),
        Just(OptionScope::GlobalSession),
        Just(OptionScope::GlobalWindow),
        session_id().prop_map(OptionScope::Session),
        window_id().prop_map(OptionScope::Window),
        pane_id().prop_map(OptionScope::Pane),
    ]
}

fn key() -> impl Strategy<Value = Key> {
    use KeyCode::*;
    let plain = vec![
        Enter, Tab, Backspace, Escape, Up, Down, Left, Right, Home, End, PageUp, PageDown, Insert,
        Delete, Any,
    ];
    let code = prop_oneof![
        any::<char>().prop_map(Char),
        any::<char>().prop_map(Keypad),
        any::<u8>().prop_map(Function),
        prop::sample::select(plain),
    ];
    let modifiers = (0..=Modifiers::all().bits()).prop_map(Modifiers::from_bits_truncate);
    (code, modifiers).prop_map(|(code, modifiers)| Key { code, modifiers })
}

fn binding() -> impl Strategy<Value = Binding> {
    any::<(String, bool, Option<String>)>().prop_map(|(command, repeat, note)| Binding {
        command,
        repeat,
        note,
    })
}

fn preset() -> impl Strategy<Value = Preset> {
    prop::sample::select(Preset::ALL.to_vec())
}

/// Layouts as commands make them: splits, closed panes, presets and other sizes.
fn layout() -> impl Strategy<Value = Layout> {
    let split = (any::<prop::sample::Index>(), any::<bool>(), any::<bool>(), any::<bool>());
    let last = (option::of(preset()), option::of((1u16..300, 1u16..300)), any::<bool>());
    (vec(split, 0..6), last).prop_map(|(splits, (preset, resized, close))| {
        let mut layout = Layout::single(PaneId(0), Size { cols: 200, rows: 100 });
        for (number, (target, horizontal, before, full)) in splits.into_iter().enumerate() {
            let panes = layout.panes();
            let direction =
                if horizontal { SplitDirection::Horizontal } else { SplitDirection::Vertical };
            let split = Split { direction, size: NewPaneSize::Half, before, full };
            let new = PaneId(number as u32 + 1);
            layout = layout.split(panes[target.index(panes.len())], new, split).unwrap_or(layout);
        }
        if let Some(preset) = preset {
            layout = layout.preset(preset, &PresetOptions::default(), layout.size());
        }
        if let Some((cols, rows)) = resized {
            layout = layout.resize(Size { cols, rows });
        }
        if close {
            layout = layout.close(layout.panes()[0]).unwrap_or(layout);
        }
        layout
    })
}

fn session() -> impl Strategy<Value = Session> {
    let names = (session_id(), any::<String>(), option::of(any::<String>()), time(), bytes());
    let windows = (btree_map(any::<u32>(), window_id(), 0..3), window_id(), vec(window_id(), 0..3));
    (names, windows, environment(), option_set(), size()).prop_map(
        |(
            (id, name, group, created, cwd),
            (windows, current, last),
            environment,
            options,
            size,
        )| {
            Session {
                id,
                name,
                group,
                created,
                cwd,
                windows,
                current,
                last,
                environment,
                options,
                size,
            }
        },
    )
}

fn window() -> impl Strategy<Value = Window> {
    let ids = (window_id(), session_id(), any::<String>());
    let arrangement = (layout(), any::<bool>(), option::of(preset()), option::of(layout()));
    (ids, arrangement, pane_id(), vec(pane_id(), 0..3), option_set()).prop_map(
        |((id, session, name), (layout, zoomed, preset, old_layout), active, last, options)| {
            Window { id, session, name, layout, active, last, zoomed, preset, old_layout, options }
        },
    )
}

fn pane() -> impl Strategy<Value = Pane> {
    let ids = (pane_id(), uuid(), window_id());
    let facts = (program(), option::of(bytes()), bytes());
    (ids, facts, time(), option::of(ended()), (any::<bool>(), option_set())).prop_map(
        |((id, uuid, window), (program, cwd, title), created, ended, (input_off, options))| Pane {
            id,
            uuid,
            window,
            program,
            cwd,
            title,
            created,
            ended,
            input_off,
            options,
        },
    )
}
