//! Formats: tmux's `#{...}` templates, as tmux(1) has them under FORMATS.
//!
//! What a name stands for is looked up in this order: what the server alone knows (through
//! [`Variables`]), the model, options, environment variables. Shell commands (`#(...)`), the time
//! and searches in a pane's text are asked of the server too, so that an expansion is a function of
//! its arguments.
//!
//! An expansion never fails: a part that cannot be understood ends it, and what came before stands.
//!
//! Invariants
//! * F1 Values are not formats: only `E:` and `T:` expand what a variable holds.
//! * F2 Whatever the format, time and memory are bounded: by nesting depth, by the text read in
//!   all, and by the length of any one value.

mod colour;
mod effects;
mod expand;
mod log;
mod modifier;
mod names;
mod number;
mod styled;
mod substitute;
mod text;
mod time;
mod variable;

use crate::ids::{PaneId, SessionId, WindowId};
use crate::model::State;
use crate::target::Target;

pub use self::names::{VARIABLES, list};
pub use self::styled::{StyledPart, styled_parts};
pub use self::time::strftime;

use self::expand::Expander;

/// What a format speaks of. A session stands for its current window too, and a window for its
/// active pane.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Subject {
    /// The session.
    pub session: Option<SessionId>,
    /// The window.
    pub window: Option<WindowId>,
    /// The pane.
    pub pane: Option<PaneId>,
    /// Which of them the format is about.
    pub kind: SubjectKind,
}

/// Which part of a [`Subject`] a format is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SubjectKind {
    /// None: the server, a key, a command.
    #[default]
    Nothing,
    /// `list-sessions`
    Session,
    /// `list-windows`
    Window,
    /// `list-panes`
    Pane,
}

impl Subject {
    /// A session; nothing if it is not there.
    pub fn session(state: &State, id: SessionId) -> Subject {
        Subject::new(Target::of_session(state, id), SubjectKind::Session)
    }

    /// A window of a session.
    pub fn window(state: &State, session: SessionId, id: WindowId) -> Subject {
        Subject::new(Target::in_session(state, session, id), SubjectKind::Window)
    }

    /// A pane.
    pub fn pane(state: &State, id: PaneId) -> Subject {
        Subject::new(Target::of_pane(state, id), SubjectKind::Pane)
    }

    fn new(target: Option<Target>, kind: SubjectKind) -> Subject {
        target.map_or_else(Subject::default, |Target { session, window, pane }| Subject {
            session: Some(session),
            window: Some(window),
            pane: Some(pane),
            kind,
        })
    }
}

impl From<Target> for Subject {
    /// A pane.
    fn from(target: Target) -> Subject {
        Subject::new(Some(target), SubjectKind::Pane)
    }
}

/// What the server knows and the model does not.
pub trait Variables {
    /// The value of a variable. Asked first, so what is returned here hides the model's.
    fn variable(&self, name: &str, subject: &Subject) -> Option<String>;

    /// The last line that a shell command printed when it last ran. Without shells it is empty.
    fn shell(&self, command: &str, subject: &Subject) -> String {
        let _ = (command, subject);
        String::new()
    }

    /// A time (seconds since the epoch), or the present, in the form of strftime(3), see
    /// [`strftime`]. Without a clock it is empty.
    fn time(&self, seconds: Option<i64>, format: &str) -> String {
        let _ = (seconds, format);
        String::new()
    }

    /// How text falls into cells: the bytes of what the first one shows of a text that is not empty,
    /// and its columns. What has no column of its own and nothing to attach to is one of no columns.
    fn cell(&self, text: &str) -> (usize, usize) {
        styled::one_character(text)
    }

    /// The first line (from 1) of what a pane shows that matches a pattern.
    fn search(&self, pane: PaneId, search: &PaneSearch<'_>) -> Option<u32> {
        let _ = (pane, search);
        None
    }
}

/// What `#{C:...}` looks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PaneSearch<'a> {
    /// A shell pattern for part of a line, or a regular expression.
    pub pattern: &'a str,
    /// `C/r`
    pub is_regex: bool,
    /// `C/i`
    pub ignore_case: bool,
}

/// No variables besides the model's.
#[derive(Clone, Copy, Debug)]
pub struct NoVariables;

impl Variables for NoVariables {
    fn variable(&self, _: &str, _: &Subject) -> Option<String> {
        None
    }
}

/// Expands a format.
pub fn expand(state: &State, variables: &dyn Variables, subject: &Subject, format: &str) -> String {
    Expander::new(state, variables).expand(format, subject, false)
}

/// Expands a format that may have strftime(3) conversions too, as in `status-right`; where one is
/// meant literally it is written `%%`.
pub fn expand_time(
    state: &State,
    variables: &dyn Variables,
    subject: &Subject,
    format: &str,
) -> String {
    Expander::new(state, variables).expand(format, subject, true)
}

/// The same, and how it came about: the lines that `display-message -v` prints.
pub fn expand_verbosely(
    state: &State,
    variables: &dyn Variables,
    subject: &Subject,
    format: &str,
) -> (String, Vec<String>) {
    let expander = Expander::new(state, variables).logging();
    let text = expander.expand(format, subject, true);
    (text, expander.into_log())
}

/// Whether what a format expands to counts as true: neither empty nor `0`.
pub fn is_true(text: &str) -> bool {
    !text.is_empty() && text != "0"
}

#[cfg(test)]
mod tests;
