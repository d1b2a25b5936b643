//! Panes that stay although their programs have ended (`remain-on-exit`): what they say.

use ccmux_core::ids::PaneId;
use ccmux_term::compose::write_line;

use super::Server;
use crate::client::status_line::line;
use crate::pane::Stage;
use crate::persistence::restoration::CALM;

impl Server {
    /// Whether no program runs in a pane, and none is about to: it ended, it never was, or it was
    /// lost with the machine and a key starts a shell (`restore-command none`). The record of a lost
    /// one says nothing of its end, which nobody saw.
    pub(super) fn is_dead(&self, id: PaneId) -> bool {
        let has_ended = self.state.panes.get(&id).is_some_and(|pane| pane.ended.is_some());
        has_ended || self.panes.get(&id).is_some_and(|pane| matches!(pane.stage, Stage::Ended))
    }

    /// Says below what a program printed that it has ended, as `remain-on-exit-format` wants it.
    ///
    /// For panes whose keeper is gone. One whose keeper holds what no disk does has a ring still, and
    /// what is said there is no part of its stream.
    pub(super) fn say_dead(&mut self, id: PaneId) {
        let has_ended = |id| self.state.panes.get(id).is_some_and(|pane| pane.ended.is_some());
        let has_said = |id| self.panes.get(id).is_none_or(|pane| pane.has_said_end);
        if !has_ended(&id) || has_said(&id) {
            return;
        }
        let format = self.pane_options(id).string("remain-on-exit-format");
        if format.is_empty() {
            return;
        }
        let (text, now) = (self.expand(format, self.target_of_pane(id), None), self.now());
        let Some(pane) = self.panes.get_mut(&id) else { return };
        pane.has_said_end = true;
        let size = pane.size();
        let said = write_line(&line(&text, size.cols));
        let mut bytes = format!("{CALM}\x1b[{};1H\n\r", size.rows).into_bytes();
        bytes.extend_from_slice(&said);
        bytes.extend_from_slice(b"\x1b[?25l");
        if pane.held().is_some() {
            pane.apply(|terminal| terminal.advance(&bytes));
            pane.output.is_touched = true;
        } else {
            pane.print(&mut self.scrollback, now, &bytes);
        }
        self.redraw_pane(id);
    }
}
