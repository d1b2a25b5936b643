//! The way in: the socket clients connect to, and the lock that says whose it is.
//!
//! Temporary directories are cleaned. A server whose socket is gone binds it again, as soon as the
//! system tells of it (inotify), or when it gets SIGUSR1, as in tmux.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use ccmux_protocol::rendezvous::{LockedFile, Place, Registration, bind};

use super::Server;
use crate::event_loop::Event;

/// How soon a socket that could not be bound again is tried once more.
const REBIND_INTERVAL: Duration = Duration::from_secs(2);

/// What makes this process the server of its place.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) listener: UnixListener,
    pub(crate) place: Place,
    pub(crate) lock: LockedFile,
    pub(crate) registration: Registration,
    /// Whether the lock file says so; if not, the disk did not take it yet.
    pub(crate) is_registered: bool,
    /// When to look for clients again that could not be let in.
    pub(crate) retry_at: Option<Duration>,
    /// Tells when the socket may be gone; `None` where the system does not.
    watch: Option<OwnedFd>,
    /// When to bind the socket again that could not be bound.
    rebind_at: Option<Duration>,
}

impl Door {
    /// A door whose socket is bound.
    pub(crate) fn new(
        listener: UnixListener,
        place: Place,
        lock: LockedFile,
        registration: Registration,
    ) -> Self {
        Self {
            listener,
            place,
            lock,
            registration,
            is_registered: true,
            retry_at: None,
            watch: None,
            rebind_at: None,
        }
    }

    /// When something is to be tried again.
    pub(crate) fn deadlines(&self) -> impl Iterator<Item = Duration> {
        self.retry_at.into_iter().chain(self.rebind_at)
    }

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

impl Server {
    /// Begins to listen: from here on clients are served.
    pub(crate) fn listen(&mut self, mut door: Door) -> Result<()> {
        door.listener.set_nonblocking(true).context("setting up the socket")?;
        self.watcher
            .readable(door.listener.as_fd(), Event::Accept)
            .context("watching the socket")?;
        self.watch_socket(&mut door);
        self.door = Some(door);
        Ok(())
    }

    /// Registers this server, if the disk did not take that when it started.
    pub(crate) fn register_if_due(&mut self) {
        let Some(door) = self.door.as_mut().filter(|door| !door.is_registered) else { return };
        match door.lock.register(&door.registration) {
            Ok(()) => door.is_registered = true,
            Err(error) => tracing::warn!(%error, "this server could not be registered yet"),
        }
    }

    /// Asks to be told when the socket goes. A server that is not told goes on without.
    fn watch_socket(&self, door: &mut Door) {
        let watched = removals(&door.place.socket).and_then(|watch| {
            watch.map_or(Ok(()), |watch| {
                self.watcher.readable(watch.as_fd(), Event::SocketGone)?;
                door.watch = Some(watch);
                Ok(())
            })
        });
        if let Err(error) = watched {
            tracing::warn!(%error, "nobody will tell when the socket goes");
        }
    }

    /// The socket may be gone, or the directory that it was in.
    pub(crate) fn look_at_socket(&mut self) {
        let Some(door) = &self.door else { return };
        if let Some(watch) = &door.watch {
            let mut events = [0; 4096];
            while rustix::io::read(watch, &mut events).is_ok_and(|len| len > 0) {}
        }
        if !door.place.socket.exists() {
            tracing::warn!("the socket is gone");
            self.rebind();
        }
    }

    /// Tries again what could not be bound.
    pub(crate) fn rebind_if_due(&mut self) {
        let now = self.elapsed();
        if self.door.as_ref().and_then(|door| door.rebind_at).is_some_and(|at| at <= now) {
            self.rebind();
        }
    }

    /// Binds the socket again: somebody cleaned the directory it was in.
    pub(crate) fn rebind(&mut self) {
        let (uid, at) = (self.surroundings.uid, self.elapsed() + REBIND_INTERVAL);
        let Some(mut door) = self.door.take() else { return };
        let bound = door.place.prepare(uid).map_err(anyhow::Error::from).and_then(|()| {
            let listener = bind(&door.place)?;
            listener.set_nonblocking(true)?;
            self.watcher.readable(listener.as_fd(), Event::Accept)?;
            Ok(listener)
        });
        match bound {
            Ok(listener) => {
                self.watcher.forget(door.listener.as_fd());
                door.listener = listener;
                door.rebind_at = None;
                self.watch_socket(&mut door);
                tracing::info!("listening again");
            }
            Err(error) => {
                // Once is enough, for each time that it goes.
                if door.rebind_at.replace(at).is_none() {
                    tracing::error!(%error, "the socket cannot be bound again; trying on");
                }
            }
        }
        self.door = Some(door);
    }
}

/// Becomes readable when a socket may have gone, or the directory that it is in. Other files of that
/// directory, which may be `/tmp`, wake nobody.
#[cfg(target_os = "linux")]
fn removals(socket: &Path) -> std::io::Result<Option<OwnedFd>> {
    use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};
    let watch = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
    let gone = WatchFlags::DELETE_SELF | WatchFlags::MOVE_SELF;
    // A bound socket lives on without its name: what changes is the number of its links.
    add_watch(&watch, socket, gone | WatchFlags::ATTRIB)?;
    if let Some(directory) = socket.parent() {
        add_watch(&watch, directory, gone)?;
    }
    Ok(Some(watch))
}

#[cfg(not(target_os = "linux"))]
fn removals(_socket: &Path) -> std::io::Result<Option<OwnedFd>> {
    Ok(None)
}
