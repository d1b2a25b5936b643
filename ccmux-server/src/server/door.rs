//! The way in: the socket clients connect to, and the lock that says whose it is.

use std::os::unix::net::UnixListener;
use std::time::Duration;

use ccmux_protocol::rendezvous::{LockedFile, Place, Registration};

/// What makes this process the server of its place.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) listener: UnixListener,
    pub(crate) place: Place,
    pub(crate) lock: LockedFile,
    pub(crate) registration: Registration,
    /// When to look for clients again that could not be let in.
    pub(crate) retry_at: Option<Duration>,
}

impl Door {
    /// Removes the socket and lets go of the lock, in this order: whoever gets the lock next finds
    /// no socket of this server. `is_final` notes that there is nothing to come back to.
    pub(crate) fn close(mut self, is_final: bool) {
        if is_final {
            self.registration.ended = true;
            if let Err(error) = self.lock.register(&self.registration) {
                tracing::warn!(%error, "the end could not be registered");
            }
        }
        if let Err(error) = std::fs::remove_file(&self.place.socket) {
            tracing::warn!(%error, "the socket could not be removed");
        }
    }
}
