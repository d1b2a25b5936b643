//! What programs tell the outside world, and what becomes of it.
//!
//! Nothing here runs, opens, types or focuses anything: titles, directories, the bell, clipboards
//! by policy, and answers to queries are all a program can reach.

use std::fmt::Write as _;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bstr::{BString, ByteSlice as _};
use ccmux_core::decide::Command as Intent;
use ccmux_core::ids::{PaneId, SessionId};
use ccmux_protocol::ServerFrame;
use ccmux_term::Event as TermEvent;

use super::Server;
use super::commit::Cause;
use super::programs::process_directory;
use crate::client::prompt::PromptOutcome;
use crate::client::{Message, OpenPrompt};
use crate::command::prompt_answered;
use crate::event_loop::ClientId;

/// Titles and directories of a pane are logged no faster than this.
const SOFT_INTERVAL: Duration = Duration::from_millis(250);
/// A program's own frame (mode 2026) is shown unfinished after this.
const SYNC_TIMEOUT: Duration = Duration::from_millis(150);
/// Clipboard contents beyond this are not passed on.
const CLIPBOARD_BYTES_MAX: usize = 1024 * 1024;

impl Server {
    /// Acts upon what a pane's program said.
    pub(crate) fn heed_events(&mut self, id: PaneId, events: Vec<TermEvent>) {
        for event in events {
            match event {
                TermEvent::Bell => self.ring_bell(id),
                TermEvent::Title(_) => self.note_soft(id),
                // The log is on the disk, too. Where the program is the system tells.
                TermEvent::Cwd(_) if self.is_private(id) => {}
                TermEvent::Cwd(payload) => {
                    if let (Some(path), Some(pane)) = (path_of(&payload), self.panes.get_mut(&id)) {
                        pane.soft.cwd = Some(path);
                    }
                    self.note_soft(id);
                }
                TermEvent::Reply(bytes) => {
                    if let Some(pane) = self.panes.get_mut(&id) {
                        pane.write(&bytes);
                    }
                }
                TermEvent::Clipboard { selection, data } => {
                    if self.server_options().choice("set-clipboard") == "on" {
                        let selection = selection.to_str_lossy().into_owned();
                        self.set_clipboards(id, &selection, &data);
                        if !self.is_private(id) {
                            self.keep_in_buffer("program", &data);
                        }
                    }
                }
                TermEvent::ClipboardQuery { selection, end } => {
                    self.tell_clipboard(id, &selection, end);
                }
                TermEvent::HistoryCleared { .. } => {
                    if let Some(pane) = self.panes.get(&id) {
                        // Lines that followed in the same turn are not among them.
                        let cleared = pane.terminal.history_cleared_before();
                        self.scrollback.forget_before(pane.uuid, cleared);
                    }
                }
                TermEvent::Passthrough(sequence) => self.pass_through(id, &sequence),
                // The layout owns the size of a pane.
                TermEvent::SizeRequest(_)
                | TermEvent::IconName(_)
                | TermEvent::Notification { .. }
                | TermEvent::Progress { .. }
                | TermEvent::CommandEnd { .. }
                | TermEvent::Mark(_) => {}
            }
        }
    }

    /// The clients that have a pane on their screen.
    pub(crate) fn clients_looking_at(&self, id: PaneId) -> Vec<ClientId> {
        let Some(window) = self.state.window_of(id) else { return Vec::new() };
        let sessions = self.state.sessions_of(window.id).into_iter();
        let shows =
            |id: &SessionId| self.state.sessions.get(id).is_some_and(|s| s.current == window.id);
        sessions.filter(shows).flat_map(|id| self.clients_of(id)).collect()
    }

    /// Sends a program's sequence on to terminals, if `allow-passthrough` says so: those that show the
    /// pane's screen, or with `all` those whose sessions have its window.
    fn pass_through(&mut self, id: PaneId, sequence: &[u8]) {
        if self.panes.get(&id).is_none_or(|pane| pane.mode.is_some()) {
            return;
        }
        let clients = match self.pane_options(id).choice("allow-passthrough") {
            "on" if self.is_visible(id) => self.clients_looking_at(id),
            "all" => self.clients_with(id),
            _ => return,
        };
        for client in clients {
            let client = self.clients.get_mut(&client);
            if let Some(attachment) = client.and_then(|client| client.attachment_mut()) {
                attachment.pass_through(sequence);
            }
        }
    }

    /// Whether a pane is among those that its window shows: not behind a zoomed one.
    fn is_visible(&self, id: PaneId) -> bool {
        self.state.window_of(id).is_some_and(|window| !window.zoomed || window.active == id)
    }

    /// The clients whose sessions have the window of a pane.
    fn clients_with(&self, id: PaneId) -> Vec<ClientId> {
        let window = self.state.panes.get(&id).map(|pane| pane.window);
        let sessions = window.map(|window| self.state.sessions_of(window)).unwrap_or_default();
        sessions.into_iter().flat_map(|session| self.clients_of(session)).collect()
    }

    fn is_private(&self, id: PaneId) -> bool {
        self.panes.get(&id).is_some_and(|pane| self.scrollback.is_private(pane.uuid))
    }

    fn ring_bell(&mut self, id: PaneId) {
        for client in self.clients_looking_at(id) {
            self.send_when_flushed(client, b"\x07");
        }
    }

    /// Sends bytes to a terminal beside its pictures. A client that lags does without.
    fn send_when_flushed(&mut self, id: ClientId, bytes: &[u8]) {
        if let Some(client) = self.clients.get_mut(&id)
            && client.has_heard_all()
            && client.attachment().is_some()
        {
            client.connection.send(&ServerFrame::Output(bytes.to_vec()));
        }
    }

    /// Answers a program that asks for the clipboard with the newest paste buffer, if programs have
    /// the clipboard at all (`set-clipboard`).
    fn tell_clipboard(&mut self, id: PaneId, selection: &[u8], end: &str) {
        if self.server_options().choice("set-clipboard") != "on" {
            return;
        }
        let data = self.state.buffers.first().map(|buffer| buffer.data.as_slice());
        let data = data.filter(|data| data.len() <= CLIPBOARD_BYTES_MAX).unwrap_or_default();
        // A program that asks again and again and reads nothing costs no more than the question.
        if let Some(pane) = self.panes.get_mut(&id).filter(|pane| pane.has_room_for(2 * data.len()))
        {
            let selection = selection.to_str_lossy();
            let answer = format!("\x1b]52;{selection};{}{end}", STANDARD.encode(data));
            pane.write(answer.as_bytes());
        }
    }

    /// Puts text into the clipboards of the terminals that show a pane (OSC 52).
    pub(crate) fn set_clipboards(&mut self, id: PaneId, selection: &str, data: &[u8]) {
        for client in self.clients_looking_at(id) {
            self.set_clipboard_of(client, selection, data);
        }
    }

    /// Puts text into the clipboard of a client's terminal (OSC 52).
    pub(crate) fn set_clipboard_of(&mut self, client: ClientId, selection: &str, data: &[u8]) {
        if data.len() > CLIPBOARD_BYTES_MAX {
            return;
        }
        let selection: String = selection.chars().filter(char::is_ascii_alphanumeric).collect();
        let mut text = String::new();
        write!(text, "\x1b]52;{selection};{}\x07", STANDARD.encode(data))
            .expect("writing to a String cannot fail");
        self.send_when_flushed(client, text.as_bytes());
    }

    /// A pane's title or directory changed: logged now, or in a moment if it just was.
    fn note_soft(&mut self, id: PaneId) {
        let now = self.elapsed();
        let Some(pane) = self.panes.get_mut(&id) else { return };
        let due = pane.soft.logged_at.map_or(now, |at| at + SOFT_INTERVAL);
        if due > now {
            pane.soft.due = Some(due);
        } else {
            self.log_soft(id);
        }
    }

    /// Gives a pane's terminal a title that a person chose, and returns what is kept of it: after a
    /// restart the terminal says what the title is.
    pub(crate) fn title_terminal(&mut self, id: PaneId, title: &[u8]) -> BString {
        let now = self.now();
        let Some(pane) = self.panes.get_mut(&id) else { return title.into() };
        pane.set_title(&mut self.scrollback, now, title);
        pane.terminal.title().into()
    }

    /// Logs a pane's title and directory, if they are not what is known.
    pub(super) fn log_soft(&mut self, id: PaneId) {
        let now = self.elapsed();
        let Some(pane) = self.panes.get_mut(&id) else { return };
        pane.soft.due = None;
        pane.soft.logged_at = Some(now);
        let title = BString::from(pane.terminal.title());
        let cwd = pane.soft.cwd.take();
        if cwd.is_some() {
            pane.seen_directory = pane.child_pid().and_then(process_directory);
        }
        let is_private = self.scrollback.is_private(pane.uuid);
        let Some(known) = self.state.panes.get(&id) else { return };
        let is_new_title = !is_private && !title.is_empty() && known.title != title;
        let is_new_cwd = cwd.is_some() && known.cwd != cwd;
        if is_new_title {
            let cause = Cause::event("program", "title");
            self.change_silently(&cause, Intent::SetTitle { pane: id, title });
        }
        if let Some(cwd) = cwd.filter(|_| is_new_cwd) {
            let cause = Cause::event("program", "directory");
            self.change_silently(&cause, Intent::SetCwd { pane: id, cwd });
        }
    }

    /// Does what is due by the clock.
    pub(crate) fn expire(&mut self) {
        let now = self.elapsed();
        let ids: Vec<PaneId> = self.panes.keys().copied().collect();
        for id in ids {
            let Some(pane) = self.panes.get_mut(&id) else { continue };
            if pane.soft.due.is_some_and(|due| due <= now) {
                self.log_soft(id);
            }
            self.look_at_program(id);
            let Some(pane) = self.panes.get_mut(&id) else { continue };
            if pane.terminal.modes().synchronized_output
                && now.saturating_sub(pane.output.last_at) >= SYNC_TIMEOUT
                && !pane.is_shown_unfinished
            {
                pane.is_shown_unfinished = true;
                self.redraw_pane(id);
            }
        }
        let ids: Vec<ClientId> = self.clients.keys().copied().collect();
        for id in ids {
            self.expire_client(id, now);
        }
        self.fit_due();
        self.redraw_clock(now);
    }

    fn expire_client(&mut self, id: ClientId, now: Duration) {
        let Some(attachment) = self.clients.get_mut(&id).and_then(|c| c.attachment_mut()) else {
            return;
        };
        if attachment.keys.expire(now) {
            attachment.is_dirty = true;
        }
        if attachment.message.as_ref().and_then(|m| m.until).is_some_and(|until| until <= now) {
            attachment.message = None;
            attachment.is_dirty = true;
        }
        if attachment.escape_at.is_some_and(|at| at <= now) {
            self.flush_escape(id);
        }
    }

    /// Deadlines of panes, for [`Server::deadline`].
    pub(crate) fn pane_deadlines(&self) -> impl Iterator<Item = Duration> + '_ {
        self.panes.values().flat_map(|pane| {
            let mid_frame = pane.terminal.modes().synchronized_output && !pane.is_shown_unfinished;
            [
                pane.soft.due,
                mid_frame.then_some(pane.output.last_at + SYNC_TIMEOUT),
                pane.look_due(),
            ]
            .into_iter()
            .flatten()
        })
    }

    /// The next time the status line shows something else because of the clock.
    pub(crate) fn clock_deadline(&self) -> Option<Duration> {
        self.clock_due
    }

    fn redraw_clock(&mut self, now: Duration) {
        let interval = self.global_session_options().number("status-interval");
        let is_shown = self.clients.values().any(|client| client.attachment().is_some());
        let Some(interval) = u64::try_from(interval).ok().filter(|seconds| *seconds > 0) else {
            self.clock_due = None;
            return;
        };
        if !is_shown {
            self.clock_due = None;
            return;
        }
        match self.clock_due {
            Some(due) if due > now => {}
            Some(_) => {
                self.redraw_all();
                self.clock_due = Some(now + Duration::from_secs(interval));
            }
            None => self.clock_due = Some(now + Duration::from_secs(interval)),
        }
    }

    /// Shows a text at the bottom of a client for as long as `display-time` says.
    pub(crate) fn tell(&mut self, id: ClientId, text: String) {
        self.tell_for(id, text, None);
    }

    /// Shows a text at the bottom of a client; zero means until a key.
    pub(crate) fn tell_for(&mut self, id: ClientId, text: String, time: Option<Duration>) {
        let now = self.elapsed();
        let time = time.unwrap_or_else(|| {
            let millis = self.global_session_options().number("display-time");
            Duration::from_millis(u64::try_from(millis).unwrap_or(0))
        });
        let until = (!time.is_zero()).then(|| now + time);
        if let Some(client) = self.clients.get_mut(&id) {
            client.show_message(Message { text, until, ignores_keys: false });
        }
    }

    /// The same, and nothing is made of keys meanwhile. Until a key would be for ever.
    pub(crate) fn tell_without_keys(&mut self, id: ClientId, text: String, time: Option<Duration>) {
        self.tell_for(id, text, time);
        let attachment = self.clients.get_mut(&id).and_then(|client| client.attachment_mut());
        if let Some(message) = attachment.and_then(|attachment| attachment.message.as_mut()) {
            message.ignores_keys = message.until.is_some();
        }
    }

    /// Asks a client something. A question it is being asked already is given up.
    pub(crate) fn open_prompt(&mut self, id: ClientId, open: OpenPrompt) {
        let Some(attachment) = self.clients.get_mut(&id).and_then(|c| c.attachment_mut()) else {
            return;
        };
        attachment.is_dirty = true;
        attachment.message = None;
        if let Some(old) = attachment.prompt.replace(open) {
            prompt_answered(self, id, old, PromptOutcome::Cancelled);
        }
    }

    /// What was wrong with the configuration, shown to the first client that can show it.
    pub(crate) fn show_config_errors(&mut self, id: ClientId) {
        let errors = std::mem::take(&mut self.config_errors);
        if !errors.is_empty() {
            self.show_output(id, errors);
        }
    }
}

/// The path in the payload of an OSC 7: `file://host/path`, percent-encoded, or a bare path.
fn path_of(payload: &[u8]) -> Option<BString> {
    let encoded = match payload.strip_prefix(b"file://") {
        Some(rest) => &rest[rest.find_byte(b'/')?..],
        None => payload,
    };
    if !encoded.starts_with(b"/") {
        return None;
    }
    let mut path = Vec::with_capacity(encoded.len());
    let mut bytes = encoded.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            path.push(byte);
            continue;
        }
        let digits = [bytes.next()?, bytes.next()?];
        let digits = std::str::from_utf8(&digits).ok()?.to_owned();
        path.push(u8::from_str_radix(&digits, 16).ok()?);
    }
    (!path.contains(&0)).then(|| path.into())
}

#[cfg(test)]
mod tests {
    use super::path_of;

    #[test]
    fn directories_are_read_from_urls() {
        for (payload, path) in [
            ("file://host/home/me", Some("/home/me")),
            ("file:///tmp/a%20b%c3%a4", Some("/tmp/a bä")),
            ("/plain", Some("/plain")),
            ("file://host", None),
            ("http://host/x", None),
            ("/bad%2", None),
            ("/nul%00", None),
        ] {
            assert_eq!(path_of(payload.as_bytes()), path.map(Into::into), "{payload}");
        }
    }
}
