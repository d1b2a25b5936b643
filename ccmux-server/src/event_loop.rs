//! One closed [`Event`] enum from one poller; nothing else wakes the server.
//!
//! Readiness is edge-triggered: whoever gets an event reads or writes until it would block. The
//! loop never polls on a timer of its own: [`Poller::wait`] sleeps until the next deadline that
//! the server names, or for ever.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

use ccmux_core::ids::PaneId;
use mio::unix::SourceFd;
use mio::{Interest, Poll, Registry, Token, Waker};

/// Numbers a connection of a client, for the life of the server process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct ClientId(pub(crate) u32);

/// Something happened outside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Event {
    /// A client wants to connect.
    Accept,
    /// The socket may be gone.
    SocketGone,
    /// A signal was delivered.
    Signal,
    /// A helper thread has news: records or output became durable, something was archived.
    Wake,
    /// A client's socket can be read or written, or closed.
    Client(ClientId),
    /// A keeper's connection has frames or doorbells, or closed.
    Keeper(PaneId),
    /// A pane's pty takes input again.
    PtyWritable(PaneId),
}

impl Event {
    fn token(self) -> Token {
        let (kind, index) = match self {
            Event::Accept => (0, 0),
            Event::Signal => (1, 0),
            Event::Wake => (2, 0),
            Event::Client(ClientId(index)) => (3, index),
            Event::Keeper(PaneId(index)) => (4, index),
            Event::PtyWritable(PaneId(index)) => (5, index),
            Event::SocketGone => (6, 0),
        };
        Token((index as usize) << 3 | kind)
    }

    fn from_token(Token(bits): Token) -> Option<Self> {
        let index = u32::try_from(bits >> 3).ok()?;
        Some(match bits & 7 {
            0 => Event::Accept,
            1 => Event::Signal,
            2 => Event::Wake,
            3 => Event::Client(ClientId(index)),
            4 => Event::Keeper(PaneId(index)),
            5 => Event::PtyWritable(PaneId(index)),
            6 => Event::SocketGone,
            _ => return None,
        })
    }
}

/// Waits for [`Event`]s.
#[derive(Debug)]
pub(crate) struct Poller {
    poll: Poll,
    ready: mio::Events,
    waker: Arc<Waker>,
}

impl Poller {
    /// A poller with nothing registered but its waker.
    pub(crate) fn new() -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), Event::Wake.token())?);
        Ok(Self { poll, ready: mio::Events::with_capacity(256), waker })
    }

    /// Wakes the loop with [`Event::Wake`] from any thread.
    pub(crate) fn waker(&self) -> Arc<Waker> {
        Arc::clone(&self.waker)
    }

    /// A handle that registers descriptors while the loop owns the poller.
    pub(crate) fn watcher(&self) -> io::Result<Watcher> {
        self.poll.registry().try_clone().map(Watcher)
    }

    /// Sleeps until something happens or `timeout` is over; appends what happened to `out`.
    pub(crate) fn wait(
        &mut self,
        timeout: Option<Duration>,
        out: &mut Vec<Event>,
    ) -> io::Result<()> {
        match self.poll.poll(&mut self.ready, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            result => result?,
        }
        out.extend(self.ready.iter().filter_map(|event| Event::from_token(event.token())));
        Ok(())
    }
}

/// Registers descriptors with the loop.
#[derive(Debug)]
pub(crate) struct Watcher(Registry);

impl Watcher {
    /// Reports `event` whenever `fd` becomes readable.
    pub(crate) fn readable(&self, fd: BorrowedFd<'_>, event: Event) -> io::Result<()> {
        self.add(fd, event, Interest::READABLE)
    }

    /// Reports `event` whenever `fd` becomes writable.
    pub(crate) fn writable(&self, fd: BorrowedFd<'_>, event: Event) -> io::Result<()> {
        self.add(fd, event, Interest::WRITABLE)
    }

    /// Reports `event` whenever `fd` becomes readable or writable.
    pub(crate) fn both(&self, fd: BorrowedFd<'_>, event: Event) -> io::Result<()> {
        self.add(fd, event, Interest::READABLE | Interest::WRITABLE)
    }

    /// Changes what of `fd`, watched already, reports `event`: that it becomes readable, and writable
    /// too if `is_for_room`. What it is at this moment is reported once more.
    pub(crate) fn rewatch(
        &self,
        fd: BorrowedFd<'_>,
        event: Event,
        is_for_room: bool,
    ) -> io::Result<()> {
        let room = is_for_room.then_some(Interest::WRITABLE);
        let interest = room.map_or(Interest::READABLE, |room| Interest::READABLE | room);
        self.0.reregister(&mut SourceFd(&fd.as_raw_fd()), event.token(), interest)
    }

    fn add(&self, fd: BorrowedFd<'_>, event: Event, interest: Interest) -> io::Result<()> {
        self.0.register(&mut SourceFd(&fd.as_raw_fd()), event.token(), interest)
    }

    /// Stops watching `fd`; must happen before it is closed while a duplicate of it lives on.
    pub(crate) fn forget(&self, fd: BorrowedFd<'_>) {
        // An error means that it was not watched, which is what was asked for.
        let _ = self.0.deregister(&mut SourceFd(&fd.as_raw_fd()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_name_their_events() {
        for event in [
            Event::Accept,
            Event::Signal,
            Event::SocketGone,
            Event::Wake,
            Event::Client(ClientId(u32::MAX)),
            Event::Keeper(PaneId(7)),
            Event::PtyWritable(PaneId(0)),
        ] {
            assert_eq!(Event::from_token(event.token()), Some(event));
        }
    }
}
