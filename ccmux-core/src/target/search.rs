//! Looking for the parts of a target. Every search tries its rules in tmux's order; a rule that
//! several things fit finds none.

use crate::change::OptionScope;
use crate::command::parse_number;
use crate::geometry::Direction;
use crate::ids::{PaneId, SessionId, WindowId};
use crate::model::{Session, State, Window};
use crate::pattern;

use super::{Parts, Target, TargetContext, TargetError};

pub(super) struct Search<'a, 't> {
    pub(super) state: &'a State,
    pub(super) context: TargetContext<'a>,
    pub(super) current: Target,
    pub(super) parts: Parts<'t>,
}

impl Search<'_, '_> {
    /// A session by id, name, client, start of its name, or pattern.
    pub(super) fn session(&self, name: &str) -> Result<SessionId, TargetError> {
        self.find_session(name).ok_or_else(|| TargetError::NoSession(name.to_owned()))
    }

    fn find_session(&self, name: &str) -> Option<SessionId> {
        if name.starts_with('$') {
            return name.parse().ok().filter(|id| self.state.sessions.contains_key(id));
        }
        let sessions = || self.state.sessions.values();
        if let Some(session) = self.state.session_named(name) {
            return Some(session.id);
        }
        if let Some(id) = (self.context.client_session)(name) {
            return Some(id);
        }
        if self.parts.exact_session {
            return None;
        }
        let by_prefix = only(sessions().filter(|session| session.name.starts_with(name)));
        let found = match by_prefix {
            Found::None => {
                only(sessions().filter(|session| pattern::matches(name, &session.name, false)))
            }
            found => found,
        };
        found.one().map(|session| session.id)
    }

    pub(super) fn target_of_session(&self, session: SessionId) -> Result<Target, TargetError> {
        Target::of_session(self.state, session).ok_or(TargetError::NoCurrent)
    }

    pub(super) fn target_of_window(
        &self,
        session: SessionId,
        window: WindowId,
    ) -> Result<Target, TargetError> {
        Target::in_session(self.state, session, window).ok_or(TargetError::NoCurrent)
    }

    /// A window by itself: in the most recently used of the sessions that have it.
    fn anywhere(&self, window: WindowId) -> Option<Target> {
        let sessions = self.state.sessions_of(window).into_iter();
        let best = sessions.max_by_key(|id| ((self.context.last_used)(*id), *id))?;
        Target::in_session(self.state, best, window)
    }

    /// A pane by itself.
    fn pane_anywhere(&self, pane: PaneId) -> Option<Target> {
        let found = self.anywhere(self.state.panes.get(&pane)?.window)?;
        Some(Target { pane, ..found })
    }

    /// A window without a session part: by id, or in the current session; where its place allows
    /// it, the current window of a session of that name.
    pub(super) fn window(&self, window: &str) -> Result<Target, TargetError> {
        let found = if window.starts_with('@') {
            window.parse().ok().and_then(|id| self.anywhere(id))
        } else if let Some(id) = self.find_window(self.current.session, window) {
            Target::in_session(self.state, self.current.session, id)
        } else if self.parts.window_only {
            None
        } else {
            self.find_session(window).and_then(|id| Target::of_session(self.state, id))
        };
        found.ok_or_else(|| TargetError::NoWindow(window.to_owned()))
    }

    /// A window of a session.
    pub(super) fn window_in(
        &self,
        session: SessionId,
        window: &str,
    ) -> Result<WindowId, TargetError> {
        let found = self.find_window(session, window);
        found.ok_or_else(|| TargetError::NoWindow(window.to_owned()))
    }

    fn find_window(&self, session: SessionId, window: &str) -> Option<WindowId> {
        let session = self.state.sessions.get(&session)?;
        if window.starts_with('@') {
            return window.parse().ok().filter(|id| session.index_of(*id).is_some());
        }
        let offset = offset(window).filter(|_| !self.parts.exact_window);
        if let Some(offset) = offset {
            return at_offset(session, offset);
        }
        self.token(session, window)
            .or_else(|| session.windows.get(&index(window)?).copied())
            .or_else(|| self.window_named(session, window))
    }

    fn token(&self, session: &Session, window: &str) -> Option<WindowId> {
        if self.parts.exact_window {
            return None;
        }
        match window {
            "!" => session.last.first().copied(),
            "^" => session.windows.first_key_value().map(|(_, id)| *id),
            "$" => session.windows.last_key_value().map(|(_, id)| *id),
            _ => None,
        }
    }

    fn window_named(&self, session: &Session, name: &str) -> Option<WindowId> {
        let windows = || session.windows.values().filter_map(|id| self.state.windows.get(id));
        let mut found = only(windows().filter(|window| window.name == name));
        if !self.parts.exact_window {
            found = found.or_else(|| only(windows().filter(|w| w.name.starts_with(name))));
            found = found
                .or_else(|| only(windows().filter(|w| pattern::matches(name, &w.name, false))));
        }
        found.one().map(|window| window.id)
    }

    /// The index that a window part means in a session, whether a window is there or not.
    pub(super) fn index_in(&self, session: SessionId, window: &str) -> Option<u32> {
        let session = self.state.sessions.get(&session)?;
        let current = session.index_of(session.current)?;
        if let Some(offset) = offset(window).filter(|_| !self.parts.exact_window) {
            let index = i64::from(current) + offset;
            return u32::try_from(index).ok().filter(|index| *index <= INDEX_MAX);
        }
        if self.token(session, window).is_none()
            && let Some(index) = index(window)
        {
            return Some(index);
        }
        session.index_of(self.find_window(session.id, window)?)
    }

    /// A pane without session and window parts: by id, in the current window, or the active pane
    /// of a window or session of that name.
    pub(super) fn pane(&self, pane: &str) -> Result<Target, TargetError> {
        let found = if pane.starts_with('%') {
            pane.parse().ok().and_then(|id| self.pane_anywhere(id))
        } else if let Some(id) = self.find_pane(self.current.window, pane) {
            Some(Target { pane: id, ..self.current })
        } else if self.parts.pane_only {
            None
        } else {
            // As a window it has the tokens of windows.
            self.window(pane).ok()
        };
        found.ok_or_else(|| TargetError::NoPane(pane.to_owned()))
    }

    /// A pane of a session: by id, or in its current window.
    pub(super) fn pane_in_session(
        &self,
        session: SessionId,
        pane: &str,
    ) -> Result<Target, TargetError> {
        let found = if pane.starts_with('%') {
            let id: Option<PaneId> = pane.parse().ok();
            let window = id.and_then(|id| Some(self.state.panes.get(&id)?.window));
            let found = window.and_then(|id| Target::in_session(self.state, session, id));
            found.zip(id).map(|(found, pane)| Target { pane, ..found })
        } else {
            let found = Target::of_session(self.state, session);
            let pane = found.and_then(|found| self.find_pane(found.window, pane));
            found.zip(pane).map(|(found, pane)| Target { pane, ..found })
        };
        found.ok_or_else(|| TargetError::NoPane(pane.to_owned()))
    }

    /// A pane of a window.
    pub(super) fn pane_in(
        &self,
        session: SessionId,
        window: WindowId,
        pane: &str,
    ) -> Result<Target, TargetError> {
        let found = self.find_pane(window, pane).map(|pane| Target { session, window, pane });
        found.ok_or_else(|| TargetError::NoPane(pane.to_owned()))
    }

    fn find_pane(&self, window: WindowId, pane: &str) -> Option<PaneId> {
        let window = self.state.windows.get(&window)?;
        if pane.starts_with('%') {
            return pane.parse().ok().filter(|id| window.layout.contains(*id));
        }
        let is_inside = self.current.window == window.id;
        let from = if is_inside { self.current.pane } else { window.active };
        let toward = |direction| window.layout.neighbour(from, direction, &window.recent_panes());
        match pane {
            "!" => return window.last.first().copied(),
            "{up-of}" => return toward(Direction::Up),
            "{down-of}" => return toward(Direction::Down),
            "{left-of}" => return toward(Direction::Left),
            "{right-of}" => return toward(Direction::Right),
            _ => {}
        }
        let panes = window.layout.panes();
        if let Some(offset) = offset(pane) {
            let at = i64::try_from(panes.iter().position(|id| *id == from)?).ok()?;
            let count = i64::try_from(panes.len()).ok()?;
            return usize::try_from((at + offset).rem_euclid(count)).ok().map(|at| panes[at]);
        }
        if let Some(index) = index(pane) {
            let options = self.state.options(OptionScope::Window(window.id));
            let position = i64::from(index) - options.number("pane-base-index");
            let at = usize::try_from(position).ok().and_then(|at| panes.get(at));
            return at.copied();
        }
        pane_at(window, pane)
    }
}

/// The greatest index a window can have.
const INDEX_MAX: u32 = i32::MAX as u32;

/// An index as it is written.
fn index(part: &str) -> Option<u32> {
    let number = parse_number(part.as_bytes(), 0..=i64::from(INDEX_MAX)).ok()?;
    u32::try_from(number).ok()
}

/// `+`, `-`, `+2`, `-3`.
fn offset(part: &str) -> Option<i64> {
    let (sign, digits) = match part.strip_prefix('+') {
        Some(digits) => (1, digits),
        None => (-1, part.strip_prefix('-')?),
    };
    match digits {
        "" => Some(sign),
        _ => Some(sign * i64::from(index(digits)?)),
    }
}

/// The window so many windows after the current one, around the ends.
fn at_offset(session: &Session, offset: i64) -> Option<WindowId> {
    let windows: Vec<WindowId> = session.windows.values().copied().collect();
    let at = i64::try_from(windows.iter().position(|id| *id == session.current)?).ok()?;
    let count = i64::try_from(windows.len()).ok()?;
    usize::try_from((at + offset).rem_euclid(count)).ok().map(|at| windows[at])
}

/// The pane at a named place of a window. A separator belongs to the pane left of or above it.
fn pane_at(window: &Window, place: &str) -> Option<PaneId> {
    let layout = window.visible_layout();
    let size = layout.size();
    let (left, centre, right) = (0, size.cols / 2, size.cols - 1);
    let (top, middle, bottom) = (0, size.rows / 2, size.rows - 1);
    let (x, y) = match place {
        "top" => (centre, top),
        "bottom" => (centre, bottom),
        "left" => (left, middle),
        "right" => (right, middle),
        "top-left" => (left, top),
        "top-right" => (right, top),
        "bottom-left" => (left, bottom),
        "bottom-right" => (right, bottom),
        _ => return None,
    };
    let holds = |start: u16, extent: u16, at: u16| at >= start && at - start <= extent;
    let rects = layout.rects();
    let at = rects.iter().find(|(_, r)| holds(r.x, r.cols, x) && holds(r.y, r.rows, y));
    at.map(|(id, _)| *id)
}

/// What a rule found.
enum Found<T> {
    None,
    One(T),
    Several,
}

impl<T> Found<T> {
    fn one(self) -> Option<T> {
        match self {
            Found::One(found) => Some(found),
            Found::None | Found::Several => None,
        }
    }

    /// The next rule's turn, unless this one found something.
    fn or_else(self, next: impl FnOnce() -> Found<T>) -> Found<T> {
        match self {
            Found::None => next(),
            found => found,
        }
    }
}

fn only<T>(mut matching: impl Iterator<Item = T>) -> Found<T> {
    match (matching.next(), matching.next()) {
        (None, _) => Found::None,
        (Some(found), None) => Found::One(found),
        (Some(_), Some(_)) => Found::Several,
    }
}
