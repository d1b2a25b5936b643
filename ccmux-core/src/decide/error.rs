//! Why a command is refused. The texts are tmux's, word for word, since scripts match them.

use bstr::BString;

use crate::ids::{PaneId, SessionId, WindowId};
use crate::layout::LayoutError;
use crate::options::OptionError;

/// Why a command is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CommandError {
    /// The session is gone.
    #[error("can't find session: {0}")]
    NoSession(SessionId),
    /// The window is gone.
    #[error("can't find window: {0}")]
    NoWindow(WindowId),
    /// The pane is gone.
    #[error("can't find pane: {0}")]
    NoPane(PaneId),
    /// No session can have that name.
    #[error("invalid session: {0}")]
    InvalidSessionName(String),
    /// Another session has that name.
    #[error("duplicate session: {0}")]
    DuplicateSession(String),
    /// A session cannot found a group of its name, because there is one of other sessions.
    #[error("duplicate session group: {0}")]
    DuplicateGroup(String),
    /// A new window cannot go where another one is.
    #[error("create window failed: index {0} in use")]
    NewWindowIndexInUse(u32),
    /// A window cannot go where another one is.
    #[error("index in use: {0}")]
    IndexInUse(u32),
    /// The window is there already.
    #[error("same index: {0}")]
    SameIndex(u32),
    /// A window cannot go from one session of a group to another: it is there.
    #[error("sessions are grouped")]
    SessionsGrouped,
    /// The same, for windows that trade places.
    #[error("can't move window, sessions are grouped")]
    SwapInGroup,
    /// No index is left at or after the one asked for.
    #[error("no free window indexes")]
    NoFreeIndex,
    /// `new-window -S` with a name that several windows have.
    #[error("multiple windows named {0}")]
    MultipleWindows(String),
    /// The session has one window.
    #[error("no next window")]
    NoNextWindow,
    /// The session has one window.
    #[error("no previous window")]
    NoPreviousWindow,
    /// No other window was current.
    #[error("no last window")]
    NoLastWindow,
    /// No other pane was active.
    #[error("no last pane")]
    NoLastPane,
    /// A split needs at least three cells.
    #[error("no space for new pane")]
    NoSpace,
    /// The same, for a pane that moves.
    #[error("create pane failed: pane too small")]
    PaneTooSmall,
    /// A pane cannot be moved beside itself.
    #[error("source and target panes must be different")]
    SamePane,
    /// A layout string does not fit.
    #[error("{cause}: {text}")]
    Layout {
        /// Why.
        cause: LayoutError,
        /// The string.
        text: String,
    },
    /// The program of the pane has not ended.
    #[error("respawn pane failed: pane {session}:{window}.{pane} still active")]
    PaneActive {
        /// Name of its session.
        session: String,
        /// Index of its window.
        window: u32,
        /// Its own index.
        pane: usize,
    },
    /// The program of a pane of the window has not ended.
    #[error("respawn window failed: window {session}:{window} still active")]
    WindowActive {
        /// Name of its session.
        session: String,
        /// Its index.
        window: u32,
    },
    /// An environment variable needs a name.
    #[error("empty variable name")]
    EmptyVariableName,
    /// An environment variable cannot have that name.
    #[error("variable name contains =")]
    VariableNameHasEquals(BString),
    /// The option or its value is wrong.
    #[error(transparent)]
    Option(#[from] OptionError),
    /// There is no paste buffer.
    #[error("no buffer")]
    NoBuffer,
    /// There is no paste buffer of that name.
    #[error("unknown buffer: {0}")]
    UnknownBuffer(String),
    /// A paste buffer needs a name.
    #[error("empty buffer name")]
    EmptyBufferName,
    /// Names are bounded.
    #[error("buffer name too long")]
    BufferNameTooLong,
    /// Another paste buffer has that name.
    #[error("buffer {0} already exists")]
    BufferExists(String),
    /// Paste buffers are bounded.
    #[error("buffer too large: {0} bytes, the limit is {max}", max = super::BUFFER_BYTES_MAX)]
    BufferTooLarge(usize),
    /// All paste buffers together are bounded, and those with names do not go by themselves.
    #[error("no room for another buffer: delete some")]
    BuffersFull,
    /// The numbers for ids are used up, after four thousand million panes.
    #[error("no ids left")]
    NoIdsLeft,
}
