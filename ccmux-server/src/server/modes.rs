//! Copy mode and views: entering, their keys, and what is copied.

use ccmux_core::bindings;
use ccmux_core::ids::{PaneId, SessionId};
use ccmux_core::key::Key;
use ccmux_term::copy_mode::{
    CopiedText, CopyMode, CopyOptions, CopyOutcome, CopyPlace, CopyTarget, ModeKeys, copy_command,
};
use ccmux_term::{HistoryLine, Terminal};

use super::Server;
use super::lifecycle::history_limits;
use crate::client::resume::Copying;
use crate::command::{CommandError, Origin};
use crate::event_loop::ClientId;
use crate::pane::Pane;
use crate::pane::history::StoredLines;
use crate::pane::mode::{ModeSource, PaneMode, Portion};

impl Server {
    /// The key table of a pane's mode, if it is in one.
    pub(crate) fn mode_table(&self, id: PaneId) -> Option<&'static str> {
        self.panes.get(&id)?.mode.as_ref()?;
        Some(match self.mode_keys(id) {
            ModeKeys::Vi => "copy-mode-vi",
            ModeKeys::Emacs => "copy-mode",
        })
    }

    fn mode_keys(&self, id: PaneId) -> ModeKeys {
        let options = self.pane_options(id);
        let default = self.surrounding_default(options, "mode-keys");
        match default.as_deref().unwrap_or(options.choice("mode-keys")) {
            "vi" => ModeKeys::Vi,
            _ => ModeKeys::Emacs,
        }
    }

    /// The first history line of a pane that `history-limit` lets people see.
    pub(super) fn history_bound(&self, pane: &Pane) -> u64 {
        let limit = history_limits(&self.state, pane.id).lines;
        pane.terminal.history_end().saturating_sub(limit.unwrap_or(u64::MAX))
    }

    /// The history of a pane as far as people see it.
    pub(super) fn history_of(&self, pane: &Pane) -> StoredLines {
        self.scrollback.stored_lines(pane.uuid).bounded(self.history_bound(pane))
    }

    /// Shows a pane's history instead of its screen.
    pub(crate) fn enter_copy_mode(&mut self, id: PaneId, exit_at_bottom: bool) {
        let Some(pane) = self.panes.get(&id) else { return };
        if pane.mode.is_some() {
            return;
        }
        let source = ModeSource::Pane(self.history_of(pane));
        self.enter_mode(id, source, exit_at_bottom);
    }

    fn enter_mode(&mut self, id: PaneId, source: ModeSource, exit_at_bottom: bool) {
        let options = CopyOptions {
            keys: self.mode_keys(id),
            word_separators: self.word_separators(id),
            wrap_search: self.pane_options(id).flag("wrap-search"),
            exit_at_bottom,
            last_search: self.panes.get(&id).and_then(|pane| pane.last_search.clone()),
        };
        let Some(pane) = self.panes.get_mut(&id) else { return };
        let cursor = match source {
            ModeSource::Pane(_) => (pane.terminal.cursor().x, pane.terminal.cursor().y),
            ModeSource::Text(_) => (0, 0),
        };
        let size = pane.terminal.size();
        let mut copy =
            source.with(&pane.terminal, |lines| CopyMode::new(lines, size, cursor, options));
        if let (ModeSource::Text(_), Some(top)) = (&source, copy_command("history-top")) {
            source.with(&pane.terminal, |lines| copy.run(top, None, lines));
        }
        let (is_searching, portion) = (false, Portion::default());
        pane.mode = Some(PaneMode { copy, source, repeat: None, is_searching, portion });
        self.redraw_pane(id);
    }

    /// Where the history of a session's panes is being looked at.
    pub(crate) fn copying(&self, session: SessionId) -> Vec<Copying> {
        let windows =
            self.state.sessions.get(&session).into_iter().flat_map(|s| s.windows.values());
        windows
            .filter_map(|id| self.state.windows.get(id))
            .flat_map(|window| window.layout.panes())
            .filter_map(|id| {
                let mode = self.panes.get(&id)?.mode.as_ref()?;
                let ModeSource::Pane(_) = mode.source else { return None };
                let place = mode.copy.place();
                Some(Copying {
                    pane: id.0,
                    top: (place.top_line, place.top_row),
                    cursor: (place.cursor_line, place.cursor_offset),
                })
            })
            .collect()
    }

    /// Goes on looking at a pane's history where an earlier server left off: keys that were meant
    /// for copy mode must not reach the program.
    pub(crate) fn resume_copying(&mut self, copying: &Copying) {
        let id = PaneId(copying.pane);
        self.enter_copy_mode(id, false);
        let Some(pane) = self.panes.get_mut(&id) else { return };
        let Some(PaneMode { copy, source, .. }) = &mut pane.mode else { return };
        let place = CopyPlace {
            top_line: copying.top.0,
            top_row: copying.top.1,
            cursor_line: copying.cursor.0,
            cursor_offset: copying.cursor.1,
        };
        source.with(&pane.terminal, |lines| copy.return_to(place, lines));
    }

    fn word_separators(&self, id: PaneId) -> String {
        let session = self.state.session_of(id).map(|session| session.id);
        let options = session
            .map_or_else(|| self.global_session_options(), |session| self.session_options(session));
        options.string("word-separators").to_owned()
    }

    /// Shows what a command printed, in the pane that a client looks at.
    pub(crate) fn show_output(&mut self, client: ClientId, lines: Vec<String>) {
        let Some(pane) = self.pane_of_client(client) else { return };
        self.leave_mode(pane);
        self.enter_mode(pane, ModeSource::text(lines), false);
    }

    /// Goes back to the pane's screen.
    pub(crate) fn leave_mode(&mut self, id: PaneId) {
        if let Some(pane) = self.panes.get_mut(&id) {
            pane.mode = None;
        }
        self.redraw_pane(id);
    }

    /// Runs a command of copy mode (`send-keys -X`).
    pub(crate) fn copy_command(
        &mut self,
        id: PaneId,
        name: &str,
        argument: Option<&str>,
        repeat: usize,
    ) -> Result<(), CommandError> {
        let Some(pane) = self.panes.get_mut(&id) else { return Ok(()) };
        let Some(mode) = &mut pane.mode else { return Err(CommandError::new("not in a mode")) };
        let Some(command) = copy_command(name) else {
            return Err(CommandError::new(format!("unknown copy mode command: {name}")));
        };
        let count = u32::try_from(repeat).unwrap_or(u32::MAX);
        let PaneMode { copy, source, .. } = mode;
        let outcome =
            source.with(&pane.terminal, |lines| copy.run_counted(command, count, argument, lines));
        pane.last_search = copy.last_search().or(pane.last_search.take());
        self.after_copy_command(id, outcome)
    }

    fn after_copy_command(&mut self, id: PaneId, outcome: CopyOutcome) -> Result<(), CommandError> {
        let is_searching = outcome == CopyOutcome::Searching;
        if let Some(mode) = self.panes.get_mut(&id).and_then(|pane| pane.mode.as_mut()) {
            mode.is_searching = is_searching;
        }
        self.redraw_pane(id);
        match outcome {
            CopyOutcome::Continue => {}
            CopyOutcome::Searching => self.has_more = true,
            CopyOutcome::Exit => self.leave_mode(id),
            CopyOutcome::Copy(copied) => self.copied(id, copied),
            CopyOutcome::Refused(error) => return Err(CommandError::new(error.to_string())),
        }
        Ok(())
    }

    /// Lets searches that have far to go do a portion.
    pub(crate) fn resume_searches(&mut self) {
        let searching: Vec<PaneId> = self
            .panes
            .values()
            .filter(|pane| pane.mode.as_ref().is_some_and(|mode| mode.is_searching))
            .map(|pane| pane.id)
            .collect();
        for id in searching {
            let Some(pane) = self.panes.get_mut(&id) else { continue };
            let Some(PaneMode { copy, source, portion, .. }) = &mut pane.mode else { continue };
            let (began, bytes) = (self.clock.elapsed(), portion.bytes);
            let outcome = source.with(&pane.terminal, |lines| copy.resume(lines, bytes));
            *portion = portion.after(self.clock.elapsed().saturating_sub(began));
            // Only a command can be refused.
            let _ = self.after_copy_command(id, outcome);
        }
    }

    /// Copied text goes into a paste buffer, and to the clipboards of the terminals that look on
    /// (OSC 52).
    fn copied(&mut self, id: PaneId, copied: CopiedText) {
        let CopiedText { text, target, exits } = copied;
        if let CopyTarget::Pipe(_) | CopyTarget::BufferAndPipe(_) = target {
            tracing::info!("copy-pipe runs no command, it only copies");
        }
        if self.server_options().choice("set-clipboard") != "off" {
            self.set_clipboards(id, "c", &text);
        }
        self.keep_in_buffer("copy mode", &text);
        if exits {
            self.leave_mode(id);
        }
    }

    /// A key typed into a mode by `send-keys`.
    pub(crate) fn press_in_mode(&mut self, id: PaneId, key: Key) {
        let Some(table) = self.mode_table(id) else { return };
        let Some(binding) = bindings::lookup(&self.state, table, key) else { return };
        let Ok(commands) = bindings::commands(binding) else { return };
        let client = self.find_client(None, None).ok();
        let origin = client.map_or_else(|| Origin::Config("send-keys".into()), Origin::Attached);
        self.jobs.add(origin, self.target_of_pane(id), commands.commands);
        self.has_more = true;
    }

    /// The rows of the screen that a pane's alternate screen hides; `None` if it shows no such.
    pub(crate) fn other_screen(&self, id: PaneId) -> Option<Vec<HistoryLine>> {
        let terminal = &self.panes.get(&id)?.terminal;
        if !terminal.modes().alternate_screen {
            return None;
        }
        let mut other = Terminal::restore(&terminal.keyframe()).ok()?;
        other.advance(b"\x18\x1b[?47l");
        Some((0..other.size().rows).map(|y| other.row_line(y)).collect())
    }
}
