//! Changes: what the log holds and [`mod@crate::apply`] does.
//!
//! Each change is small, total and already decided: it carries every id, time and size it needs,
//! so that applying it asks nobody and cannot fail on a state it was decided for.

use bstr::BString;

use crate::geometry::Size;
use crate::ids::{PaneId, PaneUuid, SessionId, WindowId};
use crate::key::Key;
use crate::layout::{Layout, Preset};
use crate::model::{Binding, Buffer, Ended, Environment, NextIds, Program, Timestamp};

/// A pane about to exist.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewPane {
    /// Its id.
    pub id: PaneId,
    /// Its identity on disk.
    pub uuid: PaneUuid,
    /// What it runs.
    pub program: Program,
    /// When it was created.
    pub created: Timestamp,
}

/// Where an option lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OptionScope {
    /// `set -s`
    Server,
    /// `set -g`
    GlobalSession,
    /// `set -gw`
    GlobalWindow,
    /// `set`
    Session(SessionId),
    /// `set -w`
    Window(WindowId),
    /// `set -p`
    Pane(PaneId),
}

/// Why a pane or window was removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CloseReason {
    /// A command asked for it; final at once.
    Command,
    /// Its program ended; recovery may undo this shortly after (see DURABILITY on shutdowns).
    ProgramEnded(Ended),
}

/// One change of the state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// A session; its first window follows in the same record.
    SessionCreated {
        /// Its id.
        id: SessionId,
        /// Its unique name.
        name: String,
        /// When.
        created: Timestamp,
        /// Start directory.
        cwd: BString,
        /// Its environment.
        environment: Environment,
        /// Size of its windows.
        size: Size,
    },
    /// A session without a group joins one: it gets the windows of those that are in it, and must
    /// have none of its own then; the first in a group keeps its own.
    SessionGrouped {
        /// Which.
        id: SessionId,
        /// The name of the group.
        group: String,
    },
    /// A session was renamed.
    SessionRenamed {
        /// Which.
        id: SessionId,
        /// The new name.
        name: String,
    },
    /// New windows of a session start in another directory from now on.
    SessionMoved {
        /// Which.
        id: SessionId,
        /// The directory.
        cwd: BString,
    },
    /// A session was given a size by its clients (soft).
    SessionResized {
        /// Which.
        id: SessionId,
        /// The size its windows get, those last shown in other sessions of its group excepted.
        size: Size,
    },
    /// A session whose windows are gone already, or stay with others of its group, is gone too.
    SessionClosed {
        /// Which.
        id: SessionId,
    },
    /// A window with one pane.
    WindowCreated {
        /// Its id.
        id: WindowId,
        /// The session that gets it.
        session: SessionId,
        /// Its index, free before.
        index: u32,
        /// Its name.
        name: String,
        /// Its only pane.
        pane: NewPane,
    },
    /// A window was renamed.
    WindowRenamed {
        /// Which.
        id: WindowId,
        /// The new name.
        name: String,
    },
    /// A window was named after its program (`automatic-rename`; soft).
    WindowNamed {
        /// Which.
        id: WindowId,
        /// The name.
        name: String,
    },
    /// A window moved to another index (or session).
    WindowMoved {
        /// Which.
        id: WindowId,
        /// To this session.
        session: SessionId,
        /// To this index, free before.
        index: u32,
    },
    /// A window is gone with the panes it still had; its session's current window passes on.
    WindowClosed {
        /// Which.
        id: WindowId,
        /// Why.
        reason: CloseReason,
    },
    /// Two windows traded places, possibly across sessions; a session that showed one of them
    /// shows the other in its place.
    WindowsSwapped {
        /// One.
        a: WindowId,
        /// The other.
        b: WindowId,
    },
    /// A window became its session's current one (soft).
    WindowSelected {
        /// Which.
        id: WindowId,
    },
    /// A window is shown in another session of the group that has it (soft): it gets that one's
    /// size, and `WindowSelected` means that one.
    WindowAdopted {
        /// Which.
        id: WindowId,
        /// The session.
        session: SessionId,
    },
    /// A pane joined an existing window; `layout` already has it.
    PaneCreated {
        /// The window.
        window: WindowId,
        /// The pane.
        pane: NewPane,
        /// The window's layout with the pane.
        layout: Layout,
    },
    /// A pane is gone from its window (not its last); the layout closes the hole.
    PaneClosed {
        /// Which.
        id: PaneId,
        /// Why.
        reason: CloseReason,
    },
    /// A pane became its window's active one (soft).
    PaneSelected {
        /// Which.
        id: PaneId,
    },
    /// The program of a pane ended and the pane remains.
    PaneEnded {
        /// Which.
        id: PaneId,
        /// How.
        ended: Ended,
    },
    /// A program was started anew in an existing pane (`respawn-pane`, or after a restoration).
    PaneRespawned {
        /// Which.
        id: PaneId,
        /// Its new identity on disk stays the old one; what it runs may differ.
        program: Program,
    },
    /// A pane left its window, where others remain, for a new window of its own.
    PaneBroken {
        /// Which.
        id: PaneId,
        /// The new window's id.
        window: WindowId,
        /// The session that gets it.
        session: SessionId,
        /// Its index, free before.
        index: u32,
        /// Its name.
        name: String,
    },
    /// A pane joined another window. Its old window closes the hole, and is gone if it has none
    /// left.
    PaneJoined {
        /// Which.
        id: PaneId,
        /// The window that gets it.
        window: WindowId,
        /// That window's layout with the pane.
        layout: Layout,
    },
    /// Two panes traded places, possibly across windows. A window whose active pane left has the
    /// newcomer active.
    PanesSwapped {
        /// One.
        a: PaneId,
        /// The other.
        b: PaneId,
    },
    /// A pane's title (soft).
    PaneTitled {
        /// Which.
        id: PaneId,
        /// The title.
        title: BString,
    },
    /// A pane's directory (soft).
    PaneMoved {
        /// Which.
        id: PaneId,
        /// The directory.
        cwd: BString,
    },
    /// A pane takes input from now on, or no longer does.
    PaneInputSwitched {
        /// Which.
        id: PaneId,
        /// Whether it takes none.
        off: bool,
    },
    /// A pane is the marked one from now on, or none is (soft).
    PaneMarked {
        /// Which, if any.
        id: Option<PaneId>,
    },
    /// A window's layout.
    LayoutChanged {
        /// Which.
        window: WindowId,
        /// The new layout, over the same panes.
        layout: Layout,
        /// The preset it came from, which `next-layout` goes on from; `None` changes nothing.
        preset: Option<Preset>,
        /// Whether `select-layout` gave it: it goes back to the one before (`-o`).
        selected: bool,
    },
    /// A window's active pane fills it, or no longer does.
    Zoomed {
        /// Which.
        window: WindowId,
        /// Whether it does.
        zoomed: bool,
    },
    /// An option was set, or unset with `None`.
    OptionSet {
        /// Where.
        scope: OptionScope,
        /// Its full name.
        name: String,
        /// Canonical text.
        value: Option<String>,
    },
    /// An environment variable of a session, or with `None` the global environment.
    EnvironmentSet {
        /// Where.
        session: Option<SessionId>,
        /// Its name.
        name: BString,
        /// `None` removes the entry; `Some(None)` hides the variable from new programs.
        value: Option<Option<BString>>,
    },
    /// A key was bound, or unbound with `None`.
    KeyBound {
        /// The key table.
        table: String,
        /// The key.
        key: Key,
        /// What it does.
        binding: Option<Binding>,
    },
    /// A paste buffer got a text (soft); it is the newest now. Another of that name is replaced.
    BufferSet {
        /// The buffer.
        buffer: Buffer,
    },
    /// A paste buffer was renamed (soft), and no longer goes by itself.
    BufferRenamed {
        /// Which.
        name: String,
        /// The new name, free before.
        new_name: String,
    },
    /// A paste buffer is gone (soft).
    BufferDeleted {
        /// Which.
        name: String,
    },
    /// Ids below these are taken by something outside the state (a keeper or directory found by
    /// recovery) and will not be given out.
    IdsReserved {
        /// The least ids to give out next.
        next: NextIds,
    },
}

impl Change {
    /// Whether the reply to its command may go out before the change is on the disk.
    ///
    /// Soft changes are focus, the mark, sizes, titles, names that windows have from their programs,
    /// directories and paste buffers: written at once, so that they survive the server, and synced
    /// soon.
    pub fn is_soft(&self) -> bool {
        matches!(
            self,
            Change::SessionResized { .. }
                | Change::WindowNamed { .. }
                | Change::WindowSelected { .. }
                | Change::WindowAdopted { .. }
                | Change::PaneSelected { .. }
                | Change::PaneMarked { .. }
                | Change::PaneTitled { .. }
                | Change::PaneMoved { .. }
                | Change::BufferSet { .. }
                | Change::BufferRenamed { .. }
                | Change::BufferDeleted { .. }
        )
    }

    /// Whether the change removes something because a program ended, which recovery may undo.
    pub fn is_program_end(&self) -> bool {
        matches!(
            self,
            Change::PaneClosed { reason: CloseReason::ProgramEnded(_), .. }
                | Change::WindowClosed { reason: CloseReason::ProgramEnded(_), .. }
        )
    }
}
