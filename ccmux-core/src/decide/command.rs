//! What can be asked for: one variant of [`Command`] for each intent that changes the state, its
//! targets resolved to ids.

use bstr::BString;

use crate::geometry::{Direction, Size};
use crate::ids::{PaneId, SessionId, WindowId};
use crate::key::Key;
use crate::model::{Binding, ExitStatus};

use super::{
    BreakPane, JoinPane, LayoutChoice, MoveWindow, NewSession, NewWindow, PaneResize, RespawnPane,
    SetOption, SplitWindow, SwapPane, VariableEdit,
};

/// Something that changes the state, with its targets resolved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Creates a session with a window and a pane.
    NewSession(NewSession),
    /// Renames a session.
    RenameSession {
        /// Which.
        session: SessionId,
        /// What somebody typed; see [`super::session_name`].
        name: String,
    },
    /// Lets new windows of a session start in another directory.
    MoveSession {
        /// Which.
        session: SessionId,
        /// The directory.
        cwd: BString,
    },
    /// Closes a session with its windows.
    KillSession {
        /// Which.
        session: SessionId,
    },
    /// `kill-session -a`
    KillOtherSessions {
        /// The one that stays.
        session: SessionId,
    },
    /// Closes all sessions.
    KillServer,
    /// Gives a session a size: that of its clients, or one set by hand.
    ResizeSession {
        /// Which.
        session: SessionId,
        /// The size of its windows.
        size: Size,
    },
    /// Creates a window with a pane.
    NewWindow(NewWindow),
    /// Renames a window for good: it is no longer renamed automatically.
    RenameWindow {
        /// Which.
        window: WindowId,
        /// The name.
        name: String,
    },
    /// Renames a window after what runs in it, unless `automatic-rename` is off.
    RenameWindowAutomatically {
        /// Which.
        window: WindowId,
        /// The name.
        name: String,
    },
    /// Closes a window with its panes.
    KillWindow {
        /// Which.
        window: WindowId,
    },
    /// `kill-window -a`: all others of its session.
    KillOtherWindows {
        /// The one that stays.
        window: WindowId,
    },
    /// Makes a window its session's current one.
    SelectWindow {
        /// In this session.
        session: SessionId,
        /// Which.
        window: WindowId,
        /// `-T`: if it is current, go to the last one instead.
        toggle: bool,
    },
    /// Lets a session's current window have that session's size, not that of another session of
    /// the group.
    AdoptWindow {
        /// The session.
        session: SessionId,
    },
    /// Goes to the next window by index.
    NextWindow {
        /// In this session.
        session: SessionId,
    },
    /// Goes to the previous window by index.
    PreviousWindow {
        /// In this session.
        session: SessionId,
    },
    /// Goes back to the window that was current before.
    LastWindow {
        /// In this session.
        session: SessionId,
    },
    /// Moves a window.
    MoveWindow(MoveWindow),
    /// `move-window -r`: closes the gaps between indexes.
    RenumberWindows {
        /// In this session.
        session: SessionId,
    },
    /// Lets two windows trade places.
    SwapWindow {
        /// The sessions in which they were meant, the one of `source` first.
        sessions: (SessionId, SessionId),
        /// `-s`
        source: WindowId,
        /// `-t`
        target: WindowId,
        /// `-d`: sessions go on showing the windows they showed.
        follow: bool,
    },
    /// Splits a pane.
    SplitWindow(SplitWindow),
    /// Closes a pane.
    KillPane {
        /// Which.
        pane: PaneId,
    },
    /// `kill-pane -a`: all others of its window.
    KillOtherPanes {
        /// The one that stays.
        pane: PaneId,
    },
    /// Makes a pane its window's active one.
    SelectPane {
        /// Which.
        pane: PaneId,
        /// `-Z`
        keep_zoom: bool,
    },
    /// Makes the pane beside another one active.
    SelectPaneToward {
        /// The other one.
        pane: PaneId,
        /// On which side.
        direction: Direction,
        /// `-Z`
        keep_zoom: bool,
    },
    /// Goes back to the pane that was active before.
    LastPane {
        /// In this window.
        window: WindowId,
        /// `-Z`
        keep_zoom: bool,
    },
    /// Gives a window a size of its own.
    ResizeWindow {
        /// Which.
        window: WindowId,
        /// The size.
        size: Size,
    },
    /// Resizes or zooms a pane.
    ResizePane {
        /// Which.
        pane: PaneId,
        /// How.
        resize: PaneResize,
    },
    /// Lets two panes trade places.
    SwapPane(SwapPane),
    /// Lets all panes of a window move on by one place.
    RotateWindow {
        /// Which.
        window: WindowId,
        /// `-D`: the last pane comes first; otherwise the first goes last.
        down: bool,
        /// `-Z`
        keep_zoom: bool,
    },
    /// Makes a pane a window of its own.
    BreakPane(BreakPane),
    /// Moves a pane beside another one.
    JoinPane(JoinPane),
    /// Arranges the panes of a window.
    SelectLayout {
        /// Which.
        window: WindowId,
        /// How.
        layout: LayoutChoice,
    },
    /// The program of a pane has ended: the pane goes, or stays by `remain-on-exit`.
    ProgramEnded {
        /// Which.
        pane: PaneId,
        /// How.
        status: ExitStatus,
    },
    /// Starts a program in a pane that is there.
    RespawnPane(RespawnPane),
    /// `respawn-window`: the same in a window's first pane, the others close.
    RespawnWindow {
        /// Which.
        window: WindowId,
        /// The program and the rest; its `pane` does not count.
        respawn: RespawnPane,
    },
    /// A pane has a new title.
    SetTitle {
        /// Which.
        pane: PaneId,
        /// The title.
        title: BString,
    },
    /// `select-pane -d` and `-e`: a pane takes no input, or takes it again.
    SwitchInput {
        /// Which.
        pane: PaneId,
        /// Whether it takes none.
        off: bool,
    },
    /// `select-pane -m`: marks a pane that can be seen in its window; unmarks the marked one.
    MarkPane {
        /// Which.
        pane: PaneId,
    },
    /// `select-pane -M`: no pane is marked.
    Unmark,
    /// The program of a pane is in a new directory.
    SetCwd {
        /// Which.
        pane: PaneId,
        /// The directory.
        cwd: BString,
    },
    /// Sets or unsets an option.
    SetOption(SetOption),
    /// Changes an environment variable of new programs.
    SetEnvironment {
        /// Of this session, or of all.
        session: Option<SessionId>,
        /// The variable.
        name: BString,
        /// How.
        edit: VariableEdit,
    },
    /// Puts text into a paste buffer.
    SetBuffer {
        /// Its name; `None` for a new one that ccmux names.
        name: Option<String>,
        /// What is put into it. Nothing changes if it is empty.
        text: BufferText,
    },
    /// Renames a paste buffer.
    RenameBuffer {
        /// Which; `None` for the newest.
        name: Option<String>,
        /// The new name.
        new_name: String,
    },
    /// Deletes a paste buffer.
    DeleteBuffer {
        /// Which; `None` for the newest.
        name: Option<String>,
    },
    /// Binds a key.
    BindKey {
        /// The key table.
        table: String,
        /// The key.
        key: Key,
        /// What it does.
        binding: Binding,
    },
    /// Unbinds keys.
    UnbindKeys {
        /// The key table.
        table: String,
        /// The keys.
        keys: Vec<Key>,
    },
}

/// What a paste buffer gets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BufferText {
    /// This, instead of what it had.
    Whole(BString),
    /// This, after what it had.
    Appended(BString),
}
