//! A decision in the making: changes so far, and the state as it will be after them.

use std::borrow::Cow;

use crate::apply;
use crate::change::Change;
use crate::ids::{PaneId, SessionId, WindowId};
use crate::model::{Pane, Session, State, Window};

use super::CommandError;

pub(super) struct Draft<'a> {
    state: Cow<'a, State>,
    changes: Vec<Change>,
    /// How many of the changes `state` has: it is copied only when somebody looks at it again.
    applied: usize,
}

impl<'a> Draft<'a> {
    pub(super) fn new(state: &'a State) -> Draft<'a> {
        Draft { state: Cow::Borrowed(state), changes: Vec::new(), applied: 0 }
    }

    pub(super) fn push(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// The state with all changes so far.
    pub(super) fn state(&mut self) -> &State {
        for change in &self.changes[self.applied..] {
            apply(self.state.to_mut(), change).expect("BUG: decided a change that does not apply");
        }
        self.applied = self.changes.len();
        &self.state
    }

    pub(super) fn finish(self) -> Vec<Change> {
        self.changes
    }

    pub(super) fn session(&mut self, id: SessionId) -> Result<&Session, CommandError> {
        self.state().sessions.get(&id).ok_or(CommandError::NoSession(id))
    }

    pub(super) fn window(&mut self, id: WindowId) -> Result<&Window, CommandError> {
        self.state().windows.get(&id).ok_or(CommandError::NoWindow(id))
    }

    pub(super) fn pane(&mut self, id: PaneId) -> Result<&Pane, CommandError> {
        self.state().panes.get(&id).ok_or(CommandError::NoPane(id))
    }

    /// The window of a pane.
    pub(super) fn window_of(&mut self, id: PaneId) -> Result<&Window, CommandError> {
        let window = self.pane(id)?.window;
        self.window(window)
    }

    pub(super) fn next_window_id(&mut self) -> Result<WindowId, CommandError> {
        below_max(self.state().next.window).map(WindowId)
    }

    pub(super) fn next_pane_id(&mut self) -> Result<PaneId, CommandError> {
        below_max(self.state().next.pane).map(PaneId)
    }
}

pub(super) fn below_max(id: u32) -> Result<u32, CommandError> {
    if id == u32::MAX { Err(CommandError::NoIdsLeft) } else { Ok(id) }
}
