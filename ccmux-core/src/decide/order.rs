//! What the larger commands are told: one type each, with its targets resolved to ids.

use bstr::BString;

use crate::geometry::{Direction, Extent, Size};
use crate::ids::{PaneId, SessionId, WindowId};
use crate::layout::{Preset, Split};
use crate::model::{Environment, Program};
use crate::options::{Edit, Place};

/// `new-session`
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NewSession {
    /// `-s`; without it a number.
    pub name: Option<String>,
    /// `-n`; without it the name of the program.
    pub window_name: Option<String>,
    /// `-c`: the directory of the session.
    pub cwd: BString,
    /// What the session adds to, or hides from, the global environment.
    pub environment: Environment,
    /// What runs in its first pane.
    pub program: Program,
    /// `-t`: whose windows it has, instead of one of its own.
    pub group: Option<GroupChoice>,
    /// The client's size, or `-x` and `-y`; without it `default-size`.
    pub size: Option<Size>,
}

/// The group of a new session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum GroupChoice {
    /// That of this session; if it has none, a new one with the session's name.
    With(SessionId),
    /// The one of that name, new if there is none.
    Named(String),
}

/// Where in a session a window goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum WindowPlace {
    /// The first free index from `base-index` on.
    #[default]
    Next,
    /// This index.
    At(u32),
    /// `-a`: right after a window of the session, pushing up what is there.
    After(WindowId),
    /// `-b`: in place of a window of the session, pushing it up.
    Before(WindowId),
}

/// `new-window`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewWindow {
    /// The session that gets it.
    pub session: SessionId,
    /// Where.
    pub place: WindowPlace,
    /// `-k`: what is at [`WindowPlace::At`] goes first.
    pub kill_existing: bool,
    /// `-n`; without it the name of the program.
    pub name: Option<String>,
    /// `-S`: if a window has that name already, select it instead.
    pub reuse_named: bool,
    /// Not `-d`.
    pub select: bool,
    /// What runs in it.
    pub program: Program,
}

/// `move-window`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MoveWindow {
    /// Which.
    pub window: WindowId,
    /// The session in which it was meant.
    pub from: SessionId,
    /// To this session, which may be its own.
    pub session: SessionId,
    /// Where in it.
    pub place: WindowPlace,
    /// `-k`: what is at [`WindowPlace::At`] goes first.
    pub kill_existing: bool,
    /// Not `-d`.
    pub select: bool,
    /// No `-s`: then `renumber-windows` applies to the session it leaves.
    pub renumber: bool,
}

/// `split-window`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SplitWindow {
    /// The pane that is split.
    pub target: PaneId,
    /// How.
    pub split: Split,
    /// Not `-d`.
    pub select: bool,
    /// `-Z`: the window ends up zoomed.
    pub zoom: bool,
    /// What runs in the new pane; [`Program::is_none`] makes an empty one.
    pub program: Program,
}

/// `break-pane`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BreakPane {
    /// Which.
    pub pane: PaneId,
    /// The session in which it was meant.
    pub from: SessionId,
    /// The session that gets the new window.
    pub session: SessionId,
    /// Where in it.
    pub place: WindowPlace,
    /// `-n`; without it the name of the program.
    pub name: Option<String>,
    /// Not `-d`.
    pub select: bool,
}

/// `join-pane`, `move-pane`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct JoinPane {
    /// The pane that moves.
    pub source: PaneId,
    /// The pane that is split for it.
    pub target: PaneId,
    /// The session in which the target was meant.
    pub session: SessionId,
    /// How.
    pub split: Split,
    /// Not `-d`.
    pub select: bool,
}

/// `swap-pane`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SwapPane {
    /// `-s`
    pub source: PaneId,
    /// `-t`
    pub target: PaneId,
    /// Not `-d`.
    pub select: bool,
    /// `-Z`
    pub keep_zoom: bool,
}

/// `respawn-pane`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RespawnPane {
    /// Which.
    pub pane: PaneId,
    /// What to run; empty runs again what ran before.
    pub argv: Vec<BString>,
    /// `-c`; without it where the program started before.
    pub cwd: Option<BString>,
    /// `-e`
    pub environment: Environment,
    /// `-k`: also if the program has not ended.
    pub kill: bool,
}

/// What `resize-pane` does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PaneResize {
    /// `-L`, `-R`, `-U`, `-D`: moves a border by so many cells.
    Toward(Direction, u16),
    /// `-x`, `-y`: gives it an extent; percentages are of the window.
    To {
        /// Columns.
        cols: Option<Extent>,
        /// Rows.
        rows: Option<Extent>,
    },
    /// `-Z`
    ToggleZoom,
}

/// What `select-layout` does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LayoutChoice {
    /// The preset of that name.
    Preset(Preset),
    /// The preset that was last applied, if any.
    Again,
    /// `-n`
    Next,
    /// `-p`
    Previous,
    /// `-E`: a pane and those beside it get equal extents.
    Spread(PaneId),
    /// `-o`: the layout before the last of these commands, if any.
    Restore,
    /// A layout string.
    Text(String),
}

/// How `set-environment` changes a variable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum VariableEdit {
    /// Gives it a value.
    Set(BString),
    /// `-u`: forgets it.
    Unset,
    /// `-r`: hides it from new programs.
    Hide,
}

/// `set-option`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetOption {
    /// The option as it was typed: a prefix will do, arrays take an index.
    pub name: String,
    /// Flags and targets that give the scope.
    pub place: Place,
    /// What to do.
    pub edit: Edit,
    /// `-o`: not if it is set.
    pub only_if_unset: bool,
    /// `-U`: when it is unset in a window, it is in the panes too.
    pub and_panes: bool,
}
