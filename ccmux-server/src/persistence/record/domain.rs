//! The tables of what is stored: every field of every change and of the state, once.

use std::collections::BTreeMap;

use bstr::BString;
use ccmux_core::change::{Change, CloseReason, NewPane, OptionScope};
use ccmux_core::geometry::Size;
use ccmux_core::ids::{PaneId, PaneUuid, SessionId, WindowId};
use ccmux_core::key::{Key, KeyCode, Modifiers};
use ccmux_core::layout::{Layout, Preset};
use ccmux_core::model::{
    Binding, Buffer, Ended, Environment, ExitStatus, NextIds, OptionSet, Pane, Program, Session,
    State, Timestamp, Window,
};
use serde::{Deserialize, Deserializer, Serialize};

use super::DecodeError;
use super::stored::{Stored, stored_enum, stored_struct};

stored_enum!(Change as DiskChange {
    SessionCreated {
        id: SessionId,
        name: String,
        created: Timestamp,
        cwd: BString,
        environment: Environment,
        size: Size,
    }
    SessionGrouped { id: SessionId, group: String, }
    SessionRenamed { id: SessionId, name: String, }
    SessionMoved { id: SessionId, cwd: BString, }
    SessionResized { id: SessionId, size: Size, }
    SessionClosed { id: SessionId, }
    WindowCreated { id: WindowId, session: SessionId, index: u32, name: String, pane: NewPane, }
    WindowRenamed { id: WindowId, name: String, }
    WindowNamed { id: WindowId, name: String, }
    WindowMoved { id: WindowId, session: SessionId, index: u32, }
    WindowClosed { id: WindowId, reason: CloseReason, }
    WindowsSwapped { a: WindowId, b: WindowId, }
    WindowSelected { id: WindowId, }
    WindowAdopted { id: WindowId, session: SessionId, }
    PaneCreated { window: WindowId, pane: NewPane, layout: Layout, }
    PaneClosed { id: PaneId, reason: CloseReason, }
    PaneSelected { id: PaneId, }
    PaneEnded { id: PaneId, ended: Ended, }
    PaneRespawned { id: PaneId, program: Program, }
    PaneBroken { id: PaneId, window: WindowId, session: SessionId, index: u32, name: String, }
    PaneJoined { id: PaneId, window: WindowId, layout: Layout, }
    PanesSwapped { a: PaneId, b: PaneId, }
    PaneTitled { id: PaneId, title: BString, }
    PaneMarked { id: Option<PaneId>, }
    PaneInputSwitched { id: PaneId, off: bool, }
    PaneMoved { id: PaneId, cwd: BString, }
    LayoutChanged {
        window: WindowId,
        layout: Layout,
        preset: Option<Preset>,
        #[serde(default)]
        selected: bool,
    }
    Zoomed { window: WindowId, zoomed: bool, }
    OptionSet { scope: OptionScope, name: String, value: Option<String>, }
    EnvironmentSet {
        session: Option<SessionId>,
        name: BString,
        // Absent removes the entry, `null` hides the variable.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
        value: Option<Option<BString>>,
    }
    KeyBound { table: String, key: Key, binding: Option<Binding>, }
    BufferSet { buffer: Buffer, }
    BufferRenamed { name: String, new_name: String, }
    BufferDeleted { name: String, }
    IdsReserved { next: NextIds, }
});

stored_struct!(NewPane as DiskNewPane {
    id: PaneId,
    uuid: PaneUuid,
    program: Program,
    created: Timestamp,
});

stored_struct!(State as DiskState {
    sessions: BTreeMap<SessionId, Session>,
    windows: BTreeMap<WindowId, Window>,
    panes: BTreeMap<PaneId, Pane>,
    next: NextIds,
    server_options: OptionSet,
    session_options: OptionSet,
    window_options: OptionSet,
    environment: Environment,
    bindings: BTreeMap<(String, Key), Option<Binding>>,
    #[serde(default)]
    buffers: Vec<Buffer>,
    #[serde(default)]
    next_buffer: u32,
    #[serde(default)]
    marked: Option<PaneId>,
});

stored_struct!(Buffer as DiskBuffer {
    name: String,
    data: BString,
    created: Timestamp,
    is_automatic: bool,
});

stored_struct!(Session as DiskSession {
    id: SessionId,
    name: String,
    created: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    cwd: BString,
    windows: BTreeMap<u32, WindowId>,
    current: WindowId,
    last: Vec<WindowId>,
    environment: Environment,
    options: OptionSet,
    size: Size,
});

stored_struct!(Window as DiskWindow {
    id: WindowId,
    session: SessionId,
    name: String,
    layout: Layout,
    active: PaneId,
    last: Vec<PaneId>,
    zoomed: bool,
    preset: Option<Preset>,
    #[serde(default)]
    old_layout: Option<Layout>,
    options: OptionSet,
});

stored_struct!(Pane as DiskPane {
    id: PaneId,
    uuid: PaneUuid,
    window: WindowId,
    program: Program,
    cwd: Option<BString>,
    title: BString,
    created: Timestamp,
    ended: Option<Ended>,
    #[serde(default)]
    input_off: bool,
    options: OptionSet,
});

stored_struct!(Program as DiskProgram {
    argv: Vec<BString>,
    cwd: BString,
    environment: Environment,
});

stored_struct!(NextIds as DiskNextIds {
    session: u32,
    window: u32,
    pane: u32,
});

stored_struct!(Binding as DiskBinding {
    command: String,
    repeat: bool,
    note: Option<String>,
});

stored_struct!(Size as DiskSize {
    cols: u16,
    rows: u16,
});

stored_struct!(Ended as DiskEnded {
    status: ExitStatus,
    time: Timestamp,
});

stored_struct!(Key as DiskKey {
    code: KeyCode,
    modifiers: Modifiers,
});

/// Tells a field that is there and `null` from one that is not there.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

#[derive(Serialize, Deserialize, Debug)]
#[serde(rename_all = "kebab-case")]
pub(super) enum DiskExitStatus {
    Code(i32),
    Signal(i32),
    Unknown,
}

impl Stored for ExitStatus {
    type Disk = DiskExitStatus;

    fn to_disk(&self) -> DiskExitStatus {
        match *self {
            ExitStatus::Code(code) => DiskExitStatus::Code(code),
            ExitStatus::Signal(signal) => DiskExitStatus::Signal(signal),
            ExitStatus::Unknown => DiskExitStatus::Unknown,
        }
    }

    fn from_disk(disk: DiskExitStatus) -> Result<Self, DecodeError> {
        Ok(match disk {
            DiskExitStatus::Code(code) => ExitStatus::Code(code),
            DiskExitStatus::Signal(signal) => ExitStatus::Signal(signal),
            DiskExitStatus::Unknown => ExitStatus::Unknown,
        })
    }
}

#[derive(Serialize, Deserialize, Debug)]
#[serde(rename_all = "kebab-case")]
pub(super) enum DiskCloseReason {
    Command,
    ProgramEnded(DiskEnded),
}

impl Stored for CloseReason {
    type Disk = DiskCloseReason;

    fn to_disk(&self) -> DiskCloseReason {
        match self {
            CloseReason::Command => DiskCloseReason::Command,
            CloseReason::ProgramEnded(ended) => DiskCloseReason::ProgramEnded(ended.to_disk()),
        }
    }

    fn from_disk(disk: DiskCloseReason) -> Result<Self, DecodeError> {
        Ok(match disk {
            DiskCloseReason::Command => CloseReason::Command,
            DiskCloseReason::ProgramEnded(ended) => {
                CloseReason::ProgramEnded(Stored::from_disk(ended)?)
            }
        })
    }
}

#[derive(Serialize, Deserialize, Debug)]
#[serde(rename_all = "kebab-case")]
pub(super) enum DiskOptionScope {
    Server,
    GlobalSession,
    GlobalWindow,
    Session(u32),
    Window(u32),
    Pane(u32),
}

impl Stored for OptionScope {
    type Disk = DiskOptionScope;

    fn to_disk(&self) -> DiskOptionScope {
        match *self {
            OptionScope::Server => DiskOptionScope::Server,
            OptionScope::GlobalSession => DiskOptionScope::GlobalSession,
            OptionScope::GlobalWindow => DiskOptionScope::GlobalWindow,
            OptionScope::Session(id) => DiskOptionScope::Session(id.0),
            OptionScope::Window(id) => DiskOptionScope::Window(id.0),
            OptionScope::Pane(id) => DiskOptionScope::Pane(id.0),
        }
    }

    fn from_disk(disk: DiskOptionScope) -> Result<Self, DecodeError> {
        Ok(match disk {
            DiskOptionScope::Server => OptionScope::Server,
            DiskOptionScope::GlobalSession => OptionScope::GlobalSession,
            DiskOptionScope::GlobalWindow => OptionScope::GlobalWindow,
            DiskOptionScope::Session(id) => OptionScope::Session(SessionId(id)),
            DiskOptionScope::Window(id) => OptionScope::Window(WindowId(id)),
            DiskOptionScope::Pane(id) => OptionScope::Pane(PaneId(id)),
        })
    }
}

#[derive(Serialize, Deserialize, Debug)]
#[serde(rename_all = "kebab-case")]
pub(super) enum DiskKeyCode {
    Char(char),
    Function(u8),
    Enter,
    Tab,
    Backspace,
    Escape,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
    Insert,
    Delete,
    Keypad(char),
    Any,
}

/// Pairs each variant of two enums by name, both ways.
macro_rules! key_codes {
    (plain: $($plain:ident)*; with: $($with:ident)*) => {
        impl Stored for KeyCode {
            type Disk = DiskKeyCode;

            fn to_disk(&self) -> DiskKeyCode {
                match *self {
                    $(KeyCode::$plain => DiskKeyCode::$plain,)*
                    $(KeyCode::$with(what) => DiskKeyCode::$with(what),)*
                }
            }

            fn from_disk(disk: DiskKeyCode) -> Result<Self, DecodeError> {
                Ok(match disk {
                    $(DiskKeyCode::$plain => KeyCode::$plain,)*
                    $(DiskKeyCode::$with(what) => KeyCode::$with(what),)*
                })
            }
        }
    };
}

key_codes!(
    plain: Enter Tab Backspace Escape Up Down Left Right Home End PageUp PageDown Insert Delete Any;
    with: Char Function Keypad
);

/// The letters of tmux's key names: any of `S`, `M` and `C`.
impl Stored for Modifiers {
    type Disk = String;

    fn to_disk(&self) -> String {
        MODIFIERS
            .iter()
            .filter(|(_, flag)| self.contains(*flag))
            .map(|(letter, _)| letter)
            .collect()
    }

    fn from_disk(disk: String) -> Result<Self, DecodeError> {
        let flag_of = |letter: char| MODIFIERS.iter().find(|(known, _)| *known == letter);
        disk.chars()
            .map(|letter| flag_of(letter).map(|(_, flag)| *flag))
            .collect::<Option<Modifiers>>()
            .ok_or_else(|| DecodeError::value("modifiers", &disk))
    }
}

const MODIFIERS: [(char, Modifiers); 3] =
    [('S', Modifiers::SHIFT), ('M', Modifiers::META), ('C', Modifiers::CTRL)];
