//! The model: everything that is true of sessions, windows and panes, and survives the server.
//!
//! A [`State`] is changed by [`mod@crate::apply`] alone, live and in recovery alike, so replaying the
//! log *is* executing it. What a process knows only while it runs (pty, pid, screen, attached
//! clients) is deliberately absent.

use std::collections::BTreeMap;

use bstr::BString;

use crate::change::OptionScope;
use crate::geometry::{Rect, Size};
use crate::ids::{PaneId, PaneUuid, SessionId, WindowId};
use crate::key::Key;
use crate::layout::{Layout, Preset};

/// Milliseconds since the Unix epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Timestamp(pub u64);

/// Environment entries; `None` means "removed from the environment of new programs" (`setenv -r`).
pub type Environment = BTreeMap<BString, Option<BString>>;

/// Options set at one scope, by their full name; absent means inherited. Values are kept in the
/// canonical text form that [`crate::options`] produces and reads.
pub type OptionSet = BTreeMap<String, String>;

/// Everything the server must never forget.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct State {
    /// Sessions by id.
    pub sessions: BTreeMap<SessionId, Session>,
    /// Windows by id; each belongs to one session, or to all sessions of one group.
    pub windows: BTreeMap<WindowId, Window>,
    /// Panes by id; each belongs to exactly one window.
    pub panes: BTreeMap<PaneId, Pane>,
    /// The ids the next creations get.
    pub next: NextIds,
    /// Options of the server (`set -s`).
    pub server_options: OptionSet,
    /// Options all sessions inherit (`set -g`).
    pub session_options: OptionSet,
    /// Options all windows and panes inherit (`set -gw`).
    pub window_options: OptionSet,
    /// The global environment (`setenv -g`).
    pub environment: Environment,
    /// Key bindings that differ from the built-in ones, by table and key; `None` unbinds.
    pub bindings: BTreeMap<(String, Key), Option<Binding>>,
    /// Paste buffers, the newest first.
    pub buffers: Vec<Buffer>,
    /// The number in the name of the next automatic buffer.
    pub next_buffer: u32,
    /// The marked pane (`select-pane -m`); it is so no longer once it leaves its window.
    pub marked: Option<PaneId>,
}

impl State {
    /// The session of that exact name.
    pub fn session_named(&self, name: &str) -> Option<&Session> {
        self.sessions.values().find(|session| session.name == name)
    }

    /// The window a pane belongs to.
    pub fn window_of(&self, pane: PaneId) -> Option<&Window> {
        self.windows.get(&self.panes.get(&pane)?.window)
    }

    /// The session a pane belongs to; in a group, the one its window was last shown in.
    pub fn session_of(&self, pane: PaneId) -> Option<&Session> {
        self.sessions.get(&self.window_of(pane)?.session)
    }

    /// The sessions that share a session's windows, itself among them, in the order of their ids.
    pub fn group_of(&self, id: SessionId) -> Vec<SessionId> {
        match self.sessions.get(&id).map(|session| session.group.as_deref()) {
            None => Vec::new(),
            Some(None) => vec![id],
            Some(Some(group)) => self.sessions_in(group).map(|session| session.id).collect(),
        }
    }

    /// The sessions of a group, in the order of their ids.
    pub fn sessions_in(&self, group: &str) -> impl Iterator<Item = &Session> {
        self.sessions.values().filter(move |session| session.group.as_deref() == Some(group))
    }

    /// The sessions that have a window in their lists.
    pub fn sessions_of(&self, window: WindowId) -> Vec<SessionId> {
        self.windows.get(&window).map_or_else(Vec::new, |window| self.group_of(window.session))
    }

    /// Whether a window's size is one that was set by hand (`window-size manual`).
    pub fn has_own_size(&self, window: WindowId) -> bool {
        self.options(OptionScope::Window(window)).choice("window-size") == "manual"
    }

    /// The size that a window is meant to have: its session's, unless it has one of its own.
    pub fn window_size(&self, window: WindowId) -> Option<Size> {
        let found = self.windows.get(&window)?;
        if self.has_own_size(window) {
            return Some(found.layout.size());
        }
        Some(self.sessions.get(&found.session)?.size)
    }

    /// The window of the marked pane.
    pub fn marked_window(&self) -> Option<WindowId> {
        Some(self.panes.get(&self.marked?)?.window)
    }

    /// The paste buffer of that name.
    pub fn buffer_named(&self, name: &str) -> Option<&Buffer> {
        self.buffers.iter().find(|buffer| buffer.name == name)
    }

    /// The index of a window in its session.
    pub fn window_index(&self, window: WindowId) -> Option<u32> {
        self.sessions.get(&self.windows.get(&window)?.session)?.index_of(window)
    }

    /// The position of a pane in its window, from 0: its index without `pane-base-index`.
    pub fn pane_position(&self, pane: PaneId) -> Option<usize> {
        self.window_of(pane)?.layout.panes().iter().position(|id| *id == pane)
    }

    /// The pane that input to a session goes to: the active one of its current window.
    pub fn active_pane(&self, session: SessionId) -> Option<PaneId> {
        let session = self.sessions.get(&session)?;
        Some(self.windows.get(&session.current)?.active)
    }
}

impl Session {
    /// The index of one of its windows.
    pub fn index_of(&self, window: WindowId) -> Option<u32> {
        self.windows.iter().find(|(_, id)| **id == window).map(|(index, _)| *index)
    }

    /// The window after (by index) the given one, from the last on to the first.
    pub fn window_after(&self, window: WindowId) -> Option<WindowId> {
        let index = self.index_of(window)?;
        let after = self.windows.range(index + 1..).next();
        after.or_else(|| self.windows.first_key_value()).map(|(_, id)| *id)
    }

    /// The window before (by index) the given one, from the first on to the last.
    pub fn window_before(&self, window: WindowId) -> Option<WindowId> {
        let index = self.index_of(window)?;
        let before = self.windows.range(..index).next_back();
        before.or_else(|| self.windows.last_key_value()).map(|(_, id)| *id)
    }
}

impl Window {
    /// What is shown: the layout, or while zoomed the active pane alone.
    pub fn visible_layout(&self) -> Layout {
        if self.zoomed {
            Layout::single(self.active, self.layout.size())
        } else {
            self.layout.clone()
        }
    }

    /// The size a pane of this window has now, zoomed or not: `None` for a pane that is not in it.
    /// A pane hidden by a zoomed one keeps its size.
    pub fn pane_rect(&self, pane: PaneId) -> Option<Rect> {
        if self.zoomed && pane == self.active {
            let Size { cols, rows } = self.layout.size();
            return Some(Rect { x: 0, y: 0, cols, rows });
        }
        self.layout.rect(pane)
    }

    /// The pane that was active before. The other one of two counts as such also if it was never
    /// visited (`split-window -d`).
    pub fn last_pane(&self) -> Option<PaneId> {
        let panes = self.layout.panes();
        let other = || panes.iter().copied().find(|pane| *pane != self.active);
        self.last.first().copied().or_else(|| other().filter(|_| panes.len() == 2))
    }

    /// Its panes from the most recently active one on; panes never active are not among them.
    pub fn recent_panes(&self) -> Vec<PaneId> {
        std::iter::once(self.active).chain(self.last.iter().copied()).collect()
    }
}

/// The next number of each kind. Ids are never reused, not even after a restart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct NextIds {
    /// Next session.
    pub session: u32,
    /// Next window.
    pub window: u32,
    /// Next pane.
    pub pane: u32,
}

/// A session: a named, numbered list of windows with a current one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Its name, unique among sessions, without `:` and `.`.
    pub name: String,
    /// When it was created.
    pub created: Timestamp,
    /// The group it is in: all sessions of a group have the same windows at the same indexes.
    pub group: Option<String>,
    /// The directory new windows start in unless told otherwise.
    pub cwd: BString,
    /// Windows by index.
    pub windows: BTreeMap<u32, WindowId>,
    /// The current window; always one of `windows` between records.
    pub current: WindowId,
    /// Windows that were current before, most recent first, without `current`.
    pub last: Vec<WindowId>,
    /// The session's environment.
    pub environment: Environment,
    /// Options set on this session.
    pub options: OptionSet,
    /// The size its windows were last given; what a detached session keeps.
    pub size: Size,
}

/// A window: panes arranged by a layout.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Window {
    /// Its id.
    pub id: WindowId,
    /// The session it belongs to; in a group, the one it was last shown in, whose size it has.
    pub session: SessionId,
    /// Its name.
    pub name: String,
    /// Where its panes lie; never empty. Kept unzoomed while `zoomed`.
    pub layout: Layout,
    /// The active pane; always one of the layout's.
    pub active: PaneId,
    /// Panes that were active before, most recent first, without `active`.
    pub last: Vec<PaneId>,
    /// Whether the active pane fills the window for now (`resize-pane -Z`).
    pub zoomed: bool,
    /// The preset last applied, for `next-layout`.
    pub preset: Option<Preset>,
    /// The layout before the last `select-layout`, for `select-layout -o`. Panes that it names may
    /// be gone.
    pub old_layout: Option<Layout>,
    /// Options set on this window.
    pub options: OptionSet,
}

/// A pane: one program (or the place where it was) in one rectangle of a window.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pane {
    /// Its id.
    pub id: PaneId,
    /// Its identity on disk and towards its keeper.
    pub uuid: PaneUuid,
    /// The window it belongs to.
    pub window: WindowId,
    /// What runs in it.
    pub program: Program,
    /// The directory its program was last known to be in (OSC 7 or the process table).
    pub cwd: Option<BString>,
    /// Its title, set by its program or by `select-pane -T`.
    pub title: BString,
    /// When it was created.
    pub created: Timestamp,
    /// How its program ended, once it has and the pane remains (`remain-on-exit`); an empty pane
    /// is one from the beginning.
    pub ended: Option<Ended>,
    /// Whether what is typed into it is dropped (`select-pane -d`).
    pub input_off: bool,
    /// Options set on this pane.
    pub options: OptionSet,
}

/// How to start the program of a pane.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Program {
    /// As given on the command line: empty for the default shell; one element is a shell command;
    /// several are an argv that is run as it is. A shell command that is empty is none at all.
    pub argv: Vec<BString>,
    /// The directory it starts in.
    pub cwd: BString,
    /// Extra environment of this pane (`-e NAME=value`).
    pub environment: Environment,
}

impl Program {
    /// No program, for an empty pane: its argv is an empty shell command.
    pub fn none(cwd: BString, environment: Environment) -> Program {
        Program { argv: vec![BString::default()], cwd, environment }
    }

    /// Whether there is none.
    pub fn is_none(&self) -> bool {
        matches!(self.argv.as_slice(), [command] if command.is_empty())
    }
}

impl Pane {
    /// Whether it is an empty one: it never had a program, and shows what is fed to it.
    pub fn is_empty(&self) -> bool {
        self.ended.is_some() && self.program.is_none()
    }
}

/// How a program ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ended {
    /// Its exit status or the signal that ended it.
    pub status: ExitStatus,
    /// When.
    pub time: Timestamp,
}

/// Exit status of a program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExitStatus {
    /// It returned this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// It ended while nobody who could ask was its parent.
    Unknown,
}

/// A key binding: commands in tmux's language, and how the key behaves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Binding {
    /// The commands, in canonical text (what `list-keys` prints).
    pub command: String,
    /// `-r`: the key may be repeated without the prefix for `repeat-time`.
    pub repeat: bool,
    /// `-N`: a note, shown by `list-keys -N`.
    pub note: Option<String>,
}

/// A paste buffer: text that was copied, captured or set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Buffer {
    /// Its name, unique among buffers.
    pub name: String,
    /// The text.
    pub data: BString,
    /// When it got that text.
    pub created: Timestamp,
    /// Whether it was named by ccmux, and goes when there are more than `buffer-limit` such.
    pub is_automatic: bool,
}
