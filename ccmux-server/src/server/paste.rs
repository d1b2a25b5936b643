//! Pastes of clients, on their way to the panes that were active when they began.

use super::Server;
use crate::client::PasteTarget;
use crate::event_loop::ClientId;

impl Server {
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
