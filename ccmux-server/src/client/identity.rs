//! What a client's terminal says of itself: its name (XTVERSION), the pixels of its cells, and its
//! extensions (DA1).
//!
//! It is asked with the first picture, and nobody waits: until it answers it is taken for what its
//! names say. The answers come among what is typed, and never count as keys (see `input`). The token
//! of the client carries them, so that the next server need not ask again.

use ccmux_core::change::OptionScope;
use ccmux_protocol::{Hello, ServerFrame};
use ccmux_term::CellSize;
use ccmux_term::compose::{OutputCaps, QUESTIONS, enter_more, leave};
use serde::{Deserialize, Serialize};

use super::caps::caps;
use super::{Attachment, Client};
use crate::event_loop::ClientId;
use crate::server::Server;

/// Bytes kept of a name.
const VERSION_BYTES_MAX: usize = 128;
/// Extensions kept; there are fewer numbers of them.
const EXTENSIONS_MAX: usize = 64;

/// What a terminal answered.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// Its name, with a version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    /// The parameters of its answer to DA1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) extensions: Vec<u16>,
    /// Width and height of its cells in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cell: Option<(u16, u16)>,
}

impl Identity {
    /// The same with no more than is kept of answers.
    pub(crate) fn within_bounds(mut self) -> Self {
        self.version = self.version.map(|name| name_of(&name));
        self.extensions.truncate(EXTENSIONS_MAX);
        self
    }

    /// Whether it answered nothing.
    pub(crate) fn is_unknown(&self) -> bool {
        *self == Self::default()
    }
}

/// What is kept of a name.
fn name_of(text: &str) -> String {
    let mut name: String = text.chars().filter(|c| !c.is_control()).collect();
    name.truncate(name.floor_char_boundary(VERSION_BYTES_MAX));
    name
}

impl Attachment {
    /// What goes to the terminal with its next picture if it has not been asked.
    pub(super) fn questions(&mut self) -> &'static [u8] {
        if std::mem::replace(&mut self.is_asked, true) {
            return b"";
        }
        self.decoder.await_answers();
        QUESTIONS
    }
}

impl Attachment {
    /// The size of its terminal's cells, if it is known and can be true: what the pty says, since that
    /// follows another font, or else what the terminal has answered.
    pub(crate) fn cell(&self) -> Option<CellSize> {
        let mut known = [self.cell_px, self.identity.cell].into_iter().flatten();
        known.find_map(|(width, height)| CellSize::checked(width.into(), height.into()))
    }

    /// What its pty says of the size of its cells.
    pub(super) fn set_cell_px(&mut self, cell_px: Option<(u16, u16)>) {
        self.cell_px = cell_px;
        self.scale_pictures();
    }

    fn set_identity(&mut self, identity: Identity) {
        self.identity = identity;
        self.scale_pictures();
    }

    fn scale_pictures(&mut self) {
        if let Some(cell) = self.cell() {
            self.painter.set_cell_size(cell);
            self.is_dirty = true;
        }
    }
}

impl Client {
    /// Notes what is known of its terminal, which may be nothing.
    pub(crate) fn know_terminal(&mut self, identity: Identity) {
        let may_be_asked = |hello: &Hello| {
            hello.term.as_ref().is_some_and(|term| OutputCaps::may_be_asked(&term.to_string()))
        };
        let may_be_asked = self.hello.as_deref().is_some_and(may_be_asked);
        if let Some(attachment) = self.attachment_mut() {
            attachment.is_asked = !identity.is_unknown() || !may_be_asked;
            attachment.set_identity(identity);
        }
    }

    /// Its terminal understands something else than it was taken for.
    fn set_caps(&mut self, caps: OutputCaps) {
        let Some(attachment) = self.attachment_mut().filter(|shown| shown.caps != caps) else {
            return;
        };
        let before = std::mem::replace(&mut attachment.caps, caps);
        if attachment.is_entered {
            attachment.before_picture.extend(enter_more(before, caps));
        }
        attachment.painter.set_caps(caps, &mut attachment.before_picture);
        attachment.is_dirty = true;
        // First, so that a terminal is never left with more than is taken back.
        self.say(ServerFrame::Leave(leave(caps)));
    }
}

impl Server {
    /// A client's terminal answered XTVERSION.
    pub(crate) fn take_version(&mut self, id: ClientId, version: &[u8]) {
        let name = name_of(&String::from_utf8_lossy(version));
        self.learn(id, |identity| identity.version = Some(name));
    }

    /// A client's terminal answered DA1.
    pub(crate) fn take_extensions(&mut self, id: ClientId, mut extensions: Vec<u16>) {
        extensions.truncate(EXTENSIONS_MAX);
        self.learn(id, |identity| identity.extensions = extensions);
        // The last answer, unless it was asked for its clipboard meanwhile.
        let Some(client) = self.clients.get_mut(&id) else { return };
        if client.attachment().is_some_and(|attachment| attachment.clipboard.is_none()) {
            client.say(ServerFrame::Answered);
        }
    }

    /// A client's terminal answered how large its cells are.
    pub(crate) fn take_cell(&mut self, id: ClientId, cell: CellSize) {
        self.learn(id, |identity| identity.cell = Some((cell.width, cell.height)));
        let attachment = self.clients.get(&id).and_then(|client| client.attachment());
        if let Some(session) = attachment.map(|attachment| attachment.session) {
            self.fit_to_newest(session);
        }
    }

    fn learn(&mut self, id: ClientId, note: impl FnOnce(&mut Identity)) {
        let options = self.state.options(OptionScope::Server);
        let Some(client) = self.clients.get_mut(&id) else { return };
        let Some(attachment) = client.attachment_mut() else { return };
        let mut identity = attachment.identity.clone();
        note(&mut identity);
        attachment.set_identity(identity.clone());
        if let Some(hello) = client.hello.as_deref() {
            let caps = caps(hello, &identity, options);
            client.set_caps(caps);
        }
        self.renew_token(id);
    }
}
