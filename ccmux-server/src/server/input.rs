//! What people type: from a client's bytes to bindings, prompts, copy mode and panes.

use std::time::Duration;

use ccmux_core::bindings;
use ccmux_core::command::{CommandList, ParseError};
use ccmux_core::decide::Command as Intent;
use ccmux_core::ids::PaneId;
use ccmux_core::key::Key;

use super::Server;
use super::commit::Cause;
use crate::client::input::{InputEvent, MouseAction, MouseButton, MouseEvent};
use crate::client::keys::{PREFIX, ROOT};
use crate::client::prompt::{PromptKind, PromptOutcome};
use crate::command::{Origin, prompt_answered, prompt_changed};
use crate::event_loop::ClientId;
use crate::pane::encode::{encode_key, encode_mouse};

/// How far one step of the wheel scrolls.
const WHEEL_ROWS: usize = 5;

impl Server {
    /// Takes bytes that a client's terminal sent.
    pub(crate) fn take_input(&mut self, id: ClientId, bytes: &[u8]) {
        let mut events = Vec::new();
        let (now, escape_time) = (self.elapsed(), self.escape_time());
        let Some(attachment) = self.clients.get_mut(&id).and_then(|c| c.attachment_mut()) else {
            return;
        };
        attachment.pacing.typed(now);
        attachment.decoder.feed(bytes, &mut events);
        attachment.escape_at = attachment.decoder.is_waiting().then_some(now + escape_time);
        self.take_input_events(id, events);
    }

    /// A held-back Escape was the key.
    pub(crate) fn flush_escape(&mut self, id: ClientId) {
        let mut events = Vec::new();
        let Some(attachment) = self.clients.get_mut(&id).and_then(|c| c.attachment_mut()) else {
            return;
        };
        attachment.escape_at = None;
        attachment.decoder.flush(&mut events);
        self.take_input_events(id, events);
    }

    fn take_input_events(&mut self, id: ClientId, events: Vec<InputEvent>) {
        if events.is_empty() {
            return;
        }
        if !events.iter().all(InputEvent::is_answer) {
            self.use_client(id);
        }
        for event in events {
            match event {
                InputEvent::Key(key) => self.press(id, key),
                InputEvent::Mouse(mouse) => self.mouse(id, mouse),
                InputEvent::PasteStart => self.paste_start(id),
                InputEvent::PasteData(data) => self.paste_data(id, &data),
                InputEvent::PasteEnd => self.paste_end(id),
                InputEvent::Focus(is_focused) => self.focus(id, is_focused),
                InputEvent::Clipboard(data) => self.take_clipboard(id, &data),
                InputEvent::Version(version) => self.take_version(id, &version),
                InputEvent::Extensions(extensions) => self.take_extensions(id, extensions),
                InputEvent::Cell(cell) => self.take_cell(id, cell),
            }
        }
    }

    fn escape_time(&self) -> Duration {
        let millis = self.server_options().number("escape-time");
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }

    /// The active pane of what a client looks at.
    pub(crate) fn pane_of_client(&self, id: ClientId) -> Option<PaneId> {
        self.target_of_client(id).map(|target| target.pane)
    }

    /// One key of a client: a prompt's, a binding's, or the program's.
    fn press(&mut self, id: ClientId, key: Key) {
        let now = self.elapsed();
        let Some(attachment) = self.clients.get_mut(&id).and_then(|c| c.attachment_mut()) else {
            return;
        };
        attachment.keys.expire(now);
        if attachment.message.as_ref().is_some_and(|message| message.ignores_keys) {
            return;
        }
        if attachment.message.take().is_some() {
            attachment.is_dirty = true;
        }
        // As in tmux, who only looks answers nothing.
        if attachment.prompt.is_some() && !attachment.flags.read_only {
            return self.press_in_prompt(id, key);
        }
        let table = attachment.keys.table().map(str::to_owned);
        let is_repeating = attachment.keys.is_repeating();
        let pane = self.pane_of_client(id);
        let mode_table = pane.and_then(|pane| self.mode_table(pane));
        let first = table.as_deref().or(mode_table).unwrap_or(ROOT).to_owned();
        // Keys of a repeat that mean nothing in its table count as if the repeat were over.
        let tables = match (&table, is_repeating) {
            (Some(_), true) => vec![first.clone(), mode_table.unwrap_or(ROOT).to_owned()],
            (None, _) if first != ROOT => vec![first.clone(), ROOT.to_owned()],
            (Some(_), false) | (None, _) => vec![first.clone()],
        };
        for (at, name) in tables.iter().enumerate() {
            let is_base = name == ROOT || Some(name.as_str()) == mode_table;
            if is_base && self.is_prefix(id, key) {
                return self.enter_table(id, PREFIX);
            }
            // A repeat is for the keys that repeat: another key of its table ends it and starts
            // over, or the prefix could not be pressed again while it lasts.
            let binding = bindings::lookup(&self.state, name, key)
                .filter(|binding| at > 0 || !is_repeating || binding.repeat);
            if let Some(binding) = binding {
                let (commands, repeat) = (bindings::commands(binding), binding.repeat);
                self.after_binding(id, name, repeat);
                if self.is_read_only(id) && !commands.as_ref().is_ok_and(only_look) {
                    return self.tell_error(id, "client is read-only");
                }
                return self.run_commands(id, commands);
            }
            if at == 0 && is_repeating {
                self.leave_table(id);
            }
        }
        let was_in_table = table.is_some() && !is_repeating;
        self.leave_table(id);
        if was_in_table || mode_table.is_some() {
            return;
        }
        if let Some(pane) = pane {
            self.key_to_pane(id, pane, key);
        }
    }

    fn is_prefix(&self, id: ClientId, key: Key) -> bool {
        let Some(attachment) = self.clients.get(&id).and_then(|c| c.attachment()) else {
            return false;
        };
        let options = self.session_options(attachment.session);
        options.key("prefix") == Some(key) || options.key("prefix2") == Some(key)
    }

    fn enter_table(&mut self, id: ClientId, table: &str) {
        if let Some(attachment) = self.clients.get_mut(&id).and_then(|c| c.attachment_mut()) {
            attachment.keys.enter(table);
            attachment.is_dirty = true;
        }
    }

    fn leave_table(&mut self, id: ClientId) {
        if let Some(attachment) = self.clients.get_mut(&id).and_then(|c| c.attachment_mut()) {
            // Most keys are typed in no table but the first, and change nothing to be drawn.
            attachment.is_dirty |= attachment.keys.table().is_some();
            attachment.keys.reset();
        }
    }

    /// The table after a bound key: the same again for a while if the key repeats.
    fn after_binding(&mut self, id: ClientId, table: &str, is_repeatable: bool) {
        let now = self.elapsed();
        let Some(client) = self.clients.get(&id) else { return };
        let Some(session) = client.attachment().map(|attachment| attachment.session) else {
            return;
        };
        let time = self.session_options(session).number("repeat-time");
        let Some(attachment) = self.clients.get_mut(&id).and_then(|c| c.attachment_mut()) else {
            return;
        };
        match u64::try_from(time) {
            Ok(millis) if is_repeatable && millis > 0 && attachment.keys.table().is_some() => {
                attachment.keys.repeat(table, now + Duration::from_millis(millis));
            }
            _ => attachment.keys.reset(),
        }
        attachment.is_dirty = true;
    }

    /// Runs commands for an attached client; what is wrong with them is shown to it.
    pub(crate) fn run_commands(&mut self, id: ClientId, commands: Result<CommandList, ParseError>) {
        match commands {
            Ok(list) => {
                self.jobs.add(Origin::Attached(id), None, list.commands);
                // Keys that follow must meet the state that this one makes.
                self.run_jobs();
            }
            Err(error) => self.tell_error(id, &error.to_string()),
        }
    }

    fn press_in_prompt(&mut self, id: ClientId, key: Key) {
        let Some(attachment) = self.clients.get_mut(&id).and_then(|c| c.attachment_mut()) else {
            return;
        };
        let Some(open) = &mut attachment.prompt else { return };
        attachment.is_dirty = true;
        let history = attachment.prompt_histories.entry(open.prompt_type).or_default();
        let outcome = open.prompt.press(key, history);
        match outcome {
            PromptOutcome::Open => return,
            PromptOutcome::Changed(text) => {
                let purpose = open.purpose.clone();
                return prompt_changed(self, id, purpose, text);
            }
            _ => {}
        }
        let Some(open) = attachment.prompt.take() else { return };
        if let PromptOutcome::Answered(answer) = &outcome
            && matches!(open.prompt.kind(), PromptKind::Line | PromptKind::Incremental)
        {
            history.push(answer);
        }
        let key_counts = matches!(outcome, PromptOutcome::AnsweredBefore(_));
        prompt_answered(self, id, open, outcome);
        if key_counts {
            self.press(id, key);
        }
    }

    /// A key that nothing is bound to goes to the program, unless the client only looks.
    fn key_to_pane(&mut self, id: ClientId, pane: PaneId, key: Key) {
        if self.is_read_only(id) || self.has_input_off(pane) {
            return;
        }
        // The key that starts a shell is not for it.
        if !self.start_shell_in_vacant(pane) {
            self.send_key(pane, key);
        }
    }

    /// Writes a key to a pane's program.
    pub(crate) fn send_key(&mut self, id: PaneId, key: Key) {
        let Some(pane) = self.panes.get_mut(&id) else { return };
        let mut bytes = Vec::new();
        encode_key(key, pane.key_modes(), &mut bytes);
        self.send_bytes(id, &bytes);
    }

    /// Writes bytes to a pane's program, and to its fellows when they are synchronized, as far as
    /// they take input.
    pub(crate) fn send_bytes(&mut self, id: PaneId, bytes: &[u8]) {
        for id in self.synchronized_with(id) {
            let Some(pane) = self.panes.get_mut(&id) else { continue };
            if !pane.write(bytes) {
                tracing::warn!(pane = %id, "input dropped: the program reads none");
            }
        }
    }

    /// The panes that get what is typed in one: those of its window with `synchronize-panes`, none
    /// if it takes no input itself.
    pub(super) fn synchronized_with(&self, id: PaneId) -> Vec<PaneId> {
        if self.has_input_off(id) {
            return Vec::new();
        }
        match self.state.window_of(id) {
            Some(window) if self.pane_options(id).flag("synchronize-panes") => {
                let panes = window.layout.panes().into_iter();
                panes.filter(|pane| !self.has_input_off(*pane)).collect()
            }
            _ => vec![id],
        }
    }

    /// Whether a pane takes no input (`select-pane -d`).
    pub(crate) fn has_input_off(&self, id: PaneId) -> bool {
        self.state.panes.get(&id).is_some_and(|pane| pane.input_off)
    }

    pub(super) fn is_read_only(&self, id: ClientId) -> bool {
        self.clients.get(&id).and_then(|c| c.attachment()).is_none_or(|a| a.flags.read_only)
    }

    fn focus(&mut self, id: ClientId, is_focused: bool) {
        if let Some(attachment) = self.clients.get_mut(&id).and_then(|c| c.attachment_mut()) {
            attachment.is_focused = is_focused;
        }
        let Some(pane) = self.pane_of_client(id) else { return };
        // Nobody typed it: it is for this pane alone, also if that takes no input.
        if let Some(pane) = self.panes.get_mut(&pane)
            && pane.terminal.modes().focus_events
        {
            pane.write(if is_focused { b"\x1b[I" } else { b"\x1b[O" });
        }
    }

    /// The mouse: to the program that asked for it; with `mouse`, a click selects a pane and the
    /// wheel looks through its history.
    fn mouse(&mut self, id: ClientId, event: MouseEvent) {
        let Some((pane, cell)) = self.pane_at(id, event.x, event.y) else { return };
        if self.is_read_only(id) {
            return;
        }
        let is_ours = self.has_mouse(id);
        let is_press = event.action == MouseAction::Press && event.button == MouseButton::Left;
        if is_ours && is_press && self.pane_of_client(id) != Some(pane) {
            let window = self.state.panes.get(&pane).map(|pane| pane.window);
            if window.is_some_and(|window| self.select_for(id, window, pane)) {
                return;
            }
            let cause = Cause::event("mouse", "select-pane");
            return self.change_silently(&cause, Intent::SelectPane { pane, keep_zoom: false });
        }
        if is_ours && self.wheel(pane, event) {
            return;
        }
        let Some(runtime) = self.panes.get(&pane).filter(|pane| pane.mode.is_none()) else {
            return;
        };
        let mut bytes = Vec::new();
        encode_mouse(event, cell, runtime.mouse(), &mut bytes);
        if !bytes.is_empty() {
            self.send_bytes(pane, &bytes);
        }
    }

    fn has_mouse(&self, id: ClientId) -> bool {
        let attachment = self.clients.get(&id).and_then(|client| client.attachment());
        attachment.is_some_and(|shown| self.session_options(shown.session).flag("mouse"))
    }

    /// Looks through a pane's history by the wheel, unless its program wants the mouse; returns
    /// whether that is what the event was for.
    fn wheel(&mut self, id: PaneId, event: MouseEvent) -> bool {
        let command = match event.button {
            MouseButton::WheelUp => "scroll-up",
            MouseButton::WheelDown => "scroll-down",
            _ => return false,
        };
        let Some(pane) = self.panes.get(&id) else { return false };
        if pane.mode.is_some() {
            // It may have ended with this very step.
            let _ = self.copy_command(id, command, None, WHEEL_ROWS);
            return true;
        }
        if pane.terminal.modes().mouse != ccmux_term::MouseTracking::Off {
            return false;
        }
        if event.button == MouseButton::WheelUp {
            self.enter_copy_mode(id, true);
        }
        true
    }

    /// The pane under a cell of a client's screen, and which of its cells that is.
    fn pane_at(&self, id: ClientId, x: u16, y: u16) -> Option<(PaneId, (u16, u16))> {
        let attachment = self.clients.get(&id)?.attachment()?;
        let session = self.state.sessions.get(&attachment.session)?;
        let window = self.state.windows.get(&session.current)?;
        let y = y.checked_sub(self.window_top(attachment.session))?;
        if y >= self.window_room(attachment).rows {
            return None;
        }
        let corner = attachment.corner.unwrap_or_default();
        let (x, y) = (x.saturating_add(corner.x), y.saturating_add(corner.y));
        let rects = window.visible_layout().rects().into_iter();
        rects
            .map(|(pane, rect)| (pane, x.checked_sub(rect.x), y.checked_sub(rect.y), rect))
            .find_map(|(pane, x, y, rect)| {
                let cell = (x.filter(|x| *x < rect.cols)?, y.filter(|y| *y < rect.rows)?);
                Some((pane, cell))
            })
    }
}

/// Whether commands are for clients that only look, as in tmux: those that say at what.
fn only_look(list: &CommandList) -> bool {
    let looking = ["attach-session", "detach-client", "switch-client"];
    list.commands.iter().all(|command| looking.contains(&command.spec.name))
}
