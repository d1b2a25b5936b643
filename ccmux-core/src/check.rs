//! The invariants of a [`State`], checked one by one: in tests, in debug builds, after a recovery.

use std::collections::BTreeSet;

use crate::ids::{PaneId, WindowId};
use crate::model::{Session, State, Window};

/// A cross reference of the state is broken; the text says which.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct InvariantViolation(String);

/// Fails with the formatted text unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($text:tt)*) => {
        if !$condition {
            return Err(InvariantViolation(format!($($text)*)));
        }
    };
}

impl State {
    /// Checks every cross reference between sessions, windows and panes.
    pub fn check(&self) -> Result<(), InvariantViolation> {
        let mut names = BTreeSet::new();
        for (id, session) in &self.sessions {
            ensure!(*id == session.id, "session {} is filed under {id}", session.id);
            ensure!(id.0 < self.next.session, "session {id} is not below the next id");
            ensure!(names.insert(&session.name), "two sessions are named {:?}", session.name);
            let allowed = !session.name.is_empty() && !session.name.contains([':', '.']);
            ensure!(allowed, "session {id} has the name {:?}", session.name);
            self.check_session(session)?;
            self.check_group(session)?;
        }
        for (id, window) in &self.windows {
            ensure!(*id == window.id, "window {} is filed under {id}", window.id);
            ensure!(id.0 < self.next.window, "window {id} is not below the next id");
            let index = self.window_index(*id);
            ensure!(index.is_some(), "window {id} is not in its session {}", window.session);
            self.check_window(window)?;
        }
        let has_marked = self.marked.is_none_or(|id| self.panes.contains_key(&id));
        ensure!(has_marked, "the marked pane is not there");
        let mut uuids = BTreeSet::new();
        for (id, pane) in &self.panes {
            ensure!(*id == pane.id, "pane {} is filed under {id}", pane.id);
            ensure!(id.0 < self.next.pane, "pane {id} is not below the next id");
            ensure!(uuids.insert(pane.uuid), "two panes have the uuid {}", pane.uuid);
            let found = self.windows.get(&pane.window).is_some_and(|w| w.layout.contains(*id));
            ensure!(found, "pane {id} is not in the layout of its window {}", pane.window);
        }
        Ok(())
    }

    fn check_session(&self, session: &Session) -> Result<(), InvariantViolation> {
        let id = session.id;
        let windows: BTreeSet<WindowId> = session.windows.values().copied().collect();
        ensure!(windows.len() == session.windows.len(), "session {id} has a window twice");
        ensure!(windows.contains(&session.current), "session {id} has a foreign current window");
        ensure!(session.size.cols > 0 && session.size.rows > 0, "session {id} has no extent");
        for window in &windows {
            let owner = self.windows.get(window).map(|window| window.session);
            let is_shared = owner.is_some_and(|owner| self.group_of(id).contains(&owner));
            ensure!(is_shared, "window {window} of session {id} belongs to {owner:?}");
        }
        let last: BTreeSet<WindowId> = session.last.iter().copied().collect();
        ensure!(last.len() == session.last.len(), "session {id} remembers a window twice");
        ensure!(last.is_subset(&windows), "session {id} remembers a foreign window");
        ensure!(!last.contains(&session.current), "session {id} remembers its current window");
        Ok(())
    }

    fn check_group(&self, session: &Session) -> Result<(), InvariantViolation> {
        for other in session.group.iter().flat_map(|group| self.sessions_in(group)) {
            let (id, other_id) = (session.id, other.id);
            let is_same = session.windows == other.windows;
            ensure!(is_same, "sessions {id} and {other_id} of a group differ in their windows");
        }
        Ok(())
    }

    fn check_window(&self, window: &Window) -> Result<(), InvariantViolation> {
        let id = window.id;
        let listed = window.layout.panes();
        let panes: BTreeSet<PaneId> = listed.iter().copied().collect();
        ensure!(panes.len() == listed.len(), "window {id} has a pane twice");
        for pane in &panes {
            let owner = self.panes.get(pane).map(|pane| pane.window);
            ensure!(owner == Some(id), "pane {pane} of window {id} belongs to {owner:?}");
        }
        ensure!(panes.contains(&window.active), "window {id} has a foreign active pane");
        ensure!(!window.zoomed || panes.len() > 1, "window {id} is zoomed with one pane");
        let last: BTreeSet<PaneId> = window.last.iter().copied().collect();
        ensure!(last.len() == window.last.len(), "window {id} remembers a pane twice");
        ensure!(last.is_subset(&panes), "window {id} remembers a foreign pane");
        ensure!(!last.contains(&window.active), "window {id} remembers its active pane");
        Ok(())
    }
}
