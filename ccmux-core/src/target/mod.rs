//! Targets: which session, window or pane a `-t` means.
//!
//! The rules are those of tmux(1), COMMANDS. A target is divided into a session, a window and a
//! pane part; what is left out comes from what the caller is in. The searches themselves are in
//! `search`; this module divides and puts together.
//!
//! Two places where tmux does not follow its manual are not copied: an offset or direction in
//! another window than the caller's starts at that window's active pane, and an offset that is
//! no number is an error.

mod search;

use crate::ids::{PaneId, SessionId, WindowId};
use crate::model::{State, Timestamp};

use self::search::Search;

/// A pane, and the window and session it is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Target {
    /// The session.
    pub session: SessionId,
    /// The window.
    pub window: WindowId,
    /// The pane.
    pub pane: PaneId,
}

/// A place for a window: an index of a session, taken or free.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WindowIndex {
    /// The session.
    pub session: SessionId,
    /// The index; `None` for the next that is free.
    pub index: Option<u32>,
}

/// Why a target means nothing. The texts are tmux's.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TargetError {
    /// No session, or several, fit the session part.
    #[error("can't find session: {0}")]
    NoSession(String),
    /// No window, or several, fit the window part.
    #[error("can't find window: {0}")]
    NoWindow(String),
    /// No pane fits the pane part.
    #[error("can't find pane: {0}")]
    NoPane(String),
    /// There are no sessions.
    #[error("no current target")]
    NoCurrent,
    /// `=` without a mouse event.
    #[error("no mouse target")]
    NoMouse,
    /// `~` without a marked pane.
    #[error("no marked target")]
    NoMarked,
    /// A pane where the place for a window is asked for.
    #[error("can't specify pane here")]
    PaneGiven,
}

/// What targets are relative to.
#[derive(Clone, Copy)]
pub struct TargetContext<'a> {
    /// Where the caller is: what its client shows, or [`Target::around_pane`]. Without it the most
    /// recently used session stands in.
    pub current: Option<Target>,
    /// Where the mouse event happened that the command is bound to.
    pub mouse: Option<Target>,
    /// When a session was last used.
    pub last_used: &'a dyn Fn(SessionId) -> Timestamp,
    /// Whether a client is attached to a session.
    pub is_attached: &'a dyn Fn(SessionId) -> bool,
    /// The session that the client of that name shows.
    pub client_session: &'a dyn Fn(&str) -> Option<SessionId>,
}

impl std::fmt::Debug for TargetContext<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TargetContext")
            .field("current", &self.current)
            .field("mouse", &self.mouse)
            .finish_non_exhaustive()
    }
}

impl TargetContext<'_> {
    /// A caller outside of everything, sessions never used and unattached.
    pub const fn outside() -> TargetContext<'static> {
        TargetContext {
            current: None,
            mouse: None,
            last_used: &|_| Timestamp(0),
            is_attached: &|_| false,
            client_session: &|_| None,
        }
    }
}

impl Target {
    /// A session, with its current window and that one's active pane.
    pub fn of_session(state: &State, session: SessionId) -> Option<Target> {
        Target::in_session(state, session, state.sessions.get(&session)?.current)
    }

    /// A window of a session, with its active pane.
    pub fn in_session(state: &State, session: SessionId, window: WindowId) -> Option<Target> {
        state.sessions.get(&session)?.index_of(window)?;
        let window = state.windows.get(&window)?;
        Some(Target { session, window: window.id, pane: window.active })
    }

    /// A window, with its active pane; in a group, in the session it was last shown in.
    pub fn of_window(state: &State, window: WindowId) -> Option<Target> {
        let window = state.windows.get(&window)?;
        Some(Target { session: window.session, window: window.id, pane: window.active })
    }

    /// A pane; in a group, in the session its window was last shown in.
    pub fn of_pane(state: &State, pane: PaneId) -> Option<Target> {
        let window = state.window_of(pane)?;
        Some(Target { session: window.session, window: window.id, pane })
    }

    /// Where a program that runs in a pane is, for its commands: in its session, but as in tmux in
    /// the current window and active pane of it, which may be others than its own.
    pub fn around_pane(state: &State, pane: PaneId) -> Option<Target> {
        Target::of_session(state, state.window_of(pane)?.session)
    }
}

/// What a target is asked for, which decides what a single word means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Session,
    Window,
    Pane,
}

/// The parts of a target; empty ones are absent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Parts<'t> {
    session: Option<&'t str>,
    window: Option<&'t str>,
    pane: Option<&'t str>,
    /// `=` before the session: no prefixes and patterns.
    exact_session: bool,
    /// `=` before the window.
    exact_window: bool,
    /// Whether the window part can mean nothing but a window, because of its place.
    window_only: bool,
    /// Whether the pane part can mean nothing but a pane.
    pane_only: bool,
}

impl<'t> Parts<'t> {
    fn divide(target: &'t str, kind: Kind) -> Parts<'t> {
        let (session, rest) = match target.split_once(':') {
            Some((session, rest)) => (Some(session), rest),
            None => (None, target),
        };
        let (before, pane) = match rest.split_once('.') {
            Some((before, pane)) => (before, Some(pane)),
            None => (rest, None),
        };
        let mut parts = Parts {
            session,
            pane,
            window_only: session.is_some(),
            pane_only: pane.is_some(),
            ..Parts::default()
        };
        match (session, pane, before.as_bytes().first()) {
            (Some(_), ..) | (_, Some(_), _) | (_, _, Some(b'@')) => parts.window = Some(before),
            (_, _, Some(b'$')) => parts.session = Some(before),
            (_, _, Some(b'%')) => parts.pane = Some(before),
            _ => match kind {
                Kind::Session => parts.session = Some(before),
                Kind::Window => parts.window = Some(before),
                Kind::Pane => parts.pane = Some(before),
            },
        }
        parts.take_exact();
        let present = |part: Option<&'t str>| part.filter(|part| !part.is_empty());
        parts.session = present(parts.session);
        parts.window = present(parts.window).map(window_token);
        parts.pane = present(parts.pane).map(pane_token);
        parts
    }

    fn take_exact(&mut self) {
        if let Some(rest) = self.session.and_then(|part| part.strip_prefix('=')) {
            (self.session, self.exact_session) = (Some(rest), true);
        }
        if let Some(rest) = self.window.and_then(|part| part.strip_prefix('=')) {
            (self.window, self.exact_window) = (Some(rest), true);
        }
    }
}

/// The short form of a token for windows.
fn window_token(part: &str) -> &str {
    match part {
        "{start}" => "^",
        "{last}" => "!",
        "{end}" => "$",
        "{next}" => "+",
        "{previous}" => "-",
        other => other,
    }
}

/// The short form of a token for panes; places lose their braces.
fn pane_token(part: &str) -> &str {
    match part {
        "{last}" => "!",
        "{next}" => "+",
        "{previous}" => "-",
        "{top}" => "top",
        "{bottom}" => "bottom",
        "{left}" => "left",
        "{right}" => "right",
        "{top-left}" => "top-left",
        "{top-right}" => "top-right",
        "{bottom-left}" => "bottom-left",
        "{bottom-right}" => "bottom-right",
        other => other,
    }
}

/// Finds what targets mean in a state.
#[derive(Clone, Copy, Debug)]
pub struct Targets<'a> {
    state: &'a State,
    context: TargetContext<'a>,
}

impl<'a> Targets<'a> {
    /// Targets in a state, relative to a context.
    pub fn new(state: &'a State, context: TargetContext<'a>) -> Targets<'a> {
        Targets { state, context }
    }

    /// The same relative to the marked pane, if there is one: the sources of `swap-pane`,
    /// `join-pane` and `swap-window`.
    #[must_use]
    pub fn from_marked(mut self) -> Targets<'a> {
        self.context.current = self.marked().or(self.context.current);
        self
    }

    fn marked(&self) -> Option<Target> {
        Target::of_pane(self.state, self.state.marked?)
    }

    /// The session that `target` means (`None` and the empty target: the current one), with its
    /// current window and pane unless the target names others.
    pub fn session(&self, target: Option<&str>) -> Result<Target, TargetError> {
        self.resolve(target, Kind::Session, self.current()?)
    }

    /// The same for `attach-session`: where the most recently used session is asked for, those
    /// without a client come first.
    pub fn session_to_attach(&self, target: Option<&str>) -> Result<Target, TargetError> {
        let current = match self.context.current {
            Some(_) => self.current()?,
            None => self.most_recent(|id| !(self.context.is_attached)(id))?,
        };
        self.resolve(target, Kind::Session, current)
    }

    /// The window that `target` means, with its active pane unless the target names another.
    pub fn window(&self, target: Option<&str>) -> Result<Target, TargetError> {
        self.resolve(target, Kind::Window, self.current()?)
    }

    /// The pane that `target` means.
    pub fn pane(&self, target: Option<&str>) -> Result<Target, TargetError> {
        self.resolve(target, Kind::Pane, self.current()?)
    }

    /// The pane that `target` means, or as much of the target as is there: the active pane of its
    /// window or session. `None` if nothing of it is.
    pub fn nearest_pane(&self, target: Option<&str>) -> Option<Target> {
        let current = self.current().ok()?;
        if let Ok(found) = self.resolve(target, Kind::Pane, current) {
            return Some(found);
        }
        let target = target.unwrap_or_default();
        if is_mouse(target) || is_marked(target) {
            return None;
        }
        let parts = Parts::divide(target, Kind::Pane);
        let search = self.search(current, parts);
        let session = match parts.session {
            Some(name) => search.session(name).ok()?,
            // Only the place of a colon or a period says that the current session is meant.
            None if parts.window_only || parts.pane_only => current.session,
            None => return None,
        };
        let window = parts.window.and_then(|window| search.window_in(session, window).ok());
        match window {
            Some(window) => Target::in_session(self.state, session, window),
            None => Target::of_session(self.state, session),
        }
    }

    /// The place for a window that `target` means (`new-window`, `move-window`).
    pub fn window_index(&self, target: Option<&str>) -> Result<WindowIndex, TargetError> {
        let current = self.current()?;
        let target = target.unwrap_or_default();
        if is_mouse(target) || is_marked(target) {
            let found = self.resolve(Some(target), Kind::Window, current)?;
            let session = self.state.sessions.get(&found.session);
            let index = session.and_then(|session| session.index_of(found.window));
            return Ok(WindowIndex { session: found.session, index });
        }
        let parts = Parts::divide(target, Kind::Window);
        if parts.pane.is_some() {
            return Err(TargetError::PaneGiven);
        }
        let search = self.search(current, parts);
        let session = match parts.session {
            Some(name) => search.session(name)?,
            None => current.session,
        };
        let Some(window) = parts.window else {
            return Ok(WindowIndex { session, index: None });
        };
        if parts.session.is_none() && window.starts_with('@') {
            let session = search.window(window)?.session;
            return Ok(WindowIndex { session, index: search.index_in(session, window) });
        }
        if let Some(index) = search.index_in(session, window) {
            return Ok(WindowIndex { session, index: Some(index) });
        }
        match search.session(window) {
            Ok(session) if !parts.window_only => Ok(WindowIndex { session, index: None }),
            _ => Err(TargetError::NoWindow(window.to_owned())),
        }
    }

    fn search<'t>(&self, current: Target, parts: Parts<'t>) -> Search<'a, 't> {
        Search { state: self.state, context: self.context, current, parts }
    }

    /// Where the caller is, or the most recently used session.
    fn current(&self) -> Result<Target, TargetError> {
        let is_there = |target: &Target| {
            let found = Target::in_session(self.state, target.session, target.window);
            let pane = self.state.panes.get(&target.pane);
            found.is_some() && pane.is_some_and(|pane| pane.window == target.window)
        };
        match self.context.current.filter(is_there) {
            Some(current) => Ok(current),
            None => self.most_recent(|_| true),
        }
    }

    fn most_recent(&self, is_preferred: impl Fn(SessionId) -> bool) -> Result<Target, TargetError> {
        let ids = self.state.sessions.keys().copied();
        let best = ids.max_by_key(|id| (is_preferred(*id), (self.context.last_used)(*id), *id));
        best.and_then(|id| Target::of_session(self.state, id)).ok_or(TargetError::NoCurrent)
    }

    fn resolve(
        &self,
        target: Option<&str>,
        kind: Kind,
        current: Target,
    ) -> Result<Target, TargetError> {
        let target = target.unwrap_or_default();
        if is_mouse(target) {
            let mouse = self.context.mouse.ok_or(TargetError::NoMouse)?;
            let found = Target::of_pane(self.state, mouse.pane);
            return found.ok_or(TargetError::NoMouse);
        }
        if is_marked(target) {
            return self.marked().ok_or(TargetError::NoMarked);
        }
        let parts = Parts::divide(target, kind);
        let search = self.search(current, parts);
        match (parts.session, parts.window, parts.pane) {
            (None, None, None) => Ok(current),
            (Some(session), None, None) => search.target_of_session(search.session(session)?),
            (Some(session), Some(window), None) => {
                let session = search.session(session)?;
                search.target_of_window(session, search.window_in(session, window)?)
            }
            (Some(session), None, Some(pane)) => {
                search.pane_in_session(search.session(session)?, pane)
            }
            (Some(session), Some(window), Some(pane)) => {
                let session = search.session(session)?;
                search.pane_in(session, search.window_in(session, window)?, pane)
            }
            (None, Some(window), Some(pane)) => {
                let found = search.window(window)?;
                search.pane_in(found.session, found.window, pane)
            }
            (None, Some(window), None) => search.window(window),
            (None, None, Some(pane)) => search.pane(pane),
        }
    }
}

fn is_mouse(target: &str) -> bool {
    matches!(target, "=" | "{mouse}")
}

fn is_marked(target: &str) -> bool {
    matches!(target, "~" | "{marked}")
}

#[cfg(test)]
mod tests;
