//! Pastes of clients, on their way to the panes that were active when they began.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ccmux_core::decide::{BufferText, Command as Intent};
use ccmux_core::ids::PaneId;

use super::Server;
use super::commit::Cause;
use crate::client::PasteTarget;
use crate::event_loop::ClientId;

/// A terminal that has not said by then what is in its clipboard does not say it at all.
const CLIPBOARD_TIMEOUT: Duration = Duration::from_secs(5);

impl Server {
    /// Types text into a pane's program, in the marks of a paste if asked to and the program wants
    /// them. False if it has no room.
    pub(crate) fn paste_text(&mut self, id: PaneId, text: &[u8], in_marks: bool) -> bool {
        let Some(pane) = self.panes.get_mut(&id) else { return true };
        if !in_marks {
            return pane.write(text);
        }
        let Some(bracketed) = pane.begin_paste() else { return false };
        let has_room = pane.write(text);
        pane.end_paste(bracketed);
        has_room
    }

    /// Keeps text that was copied in a paste buffer that ccmux names.
    pub(crate) fn keep_in_buffer(&mut self, actor: &str, text: &[u8]) {
        let cause = Cause::event(actor, "copy");
        let text = BufferText::Whole(text.into());
        self.change_silently(&cause, Intent::SetBuffer { name: None, text });
    }

    /// Asks a client's terminal for its clipboard (OSC 52): for a pane, or else for a paste buffer.
    pub(crate) fn ask_clipboard(&mut self, id: ClientId, pane: Option<PaneId>) {
        let now = self.elapsed();
        let Some(client) = self.clients.get_mut(&id) else { return };
        let Some(attachment) = client.attachment_mut() else { return };
        let is_asked = attachment.clipboard.as_ref().is_some_and(|(until, _)| *until > now);
        let mut panes = match attachment.clipboard.take() {
            Some((_, panes)) if is_asked => panes,
            _ => Vec::new(),
        };
        panes.extend(pane);
        attachment.clipboard = Some((now + CLIPBOARD_TIMEOUT, panes));
        if !is_asked {
            attachment.pass_through(b"\x1b]52;;?\x1b\\");
        }
    }

    /// A client's terminal says what is in its clipboard. Only who was asked may do so.
    pub(super) fn take_clipboard(&mut self, id: ClientId, data: &[u8]) {
        let now = self.elapsed();
        let attachment = self.clients.get_mut(&id).and_then(|client| client.attachment_mut());
        let asked = attachment.and_then(|attachment| attachment.clipboard.take());
        let Some((_, panes)) = asked.filter(|(until, _)| *until > now) else { return };
        if panes.is_empty() {
            return self.keep_in_buffer("terminal", data);
        }
        let answer = format!("\x1b]52;;{}\x1b\\", STANDARD.encode(data));
        for pane in panes {
            if let Some(pane) = self.panes.get_mut(&pane) {
                pane.write(answer.as_bytes());
            }
        }
    }

    /// A client's terminal begins a bracketed paste.
    pub(super) fn paste_start(&mut self, id: ClientId) {
        // A terminal that begins a second one has forgotten the first.
        self.paste_end(id);
        let pane = self.pane_of_client(id);
        let is_for_pane = !self.is_read_only(id)
            && self
                .clients
                .get(&id)
                .and_then(|client| client.attachment())
                .is_some_and(|attachment| attachment.prompt.is_none());
        let Some(pane) = pane.filter(|_| is_for_pane) else { return };
        let mut targets = Vec::new();
        for pane in self.synchronized_with(pane) {
            let begun = self.panes.get_mut(&pane).and_then(crate::pane::Pane::begin_paste);
            targets.extend(begun.map(|bracketed| PasteTarget { pane, bracketed, is_full: false }));
        }
        if let Some(attachment) = self.clients.get_mut(&id).and_then(|c| c.attachment_mut()) {
            attachment.paste_to = targets;
        }
    }

    /// Some bytes of a client's paste.
    pub(super) fn paste_data(&mut self, id: ClientId, data: &[u8]) {
        let Some(attachment) = self.clients.get_mut(&id).and_then(|c| c.attachment_mut()) else {
            return;
        };
        if let Some(open) = &mut attachment.prompt {
            open.prompt.paste(&String::from_utf8_lossy(data));
            attachment.is_dirty = true;
            return;
        }
        for target in attachment.paste_to.iter_mut().filter(|target| !target.is_full) {
            let Some(pane) = self.panes.get_mut(&target.pane) else { continue };
            if !pane.write(data) {
                target.is_full = true;
                tracing::warn!(pane = %target.pane, "a paste is dropped: the program reads none");
            }
        }
    }

    /// A client's paste is over: its terminal said so, or it is gone.
    pub(crate) fn paste_end(&mut self, id: ClientId) {
        let Some(attachment) = self.clients.get_mut(&id).and_then(|c| c.attachment_mut()) else {
            return;
        };
        for target in std::mem::take(&mut attachment.paste_to) {
            if let Some(pane) = self.panes.get_mut(&target.pane) {
                pane.end_paste(target.bracketed);
            }
        }
    }
}
