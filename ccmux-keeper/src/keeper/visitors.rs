//! The servers that talk to a keeper: the one it serves, and one that has just knocked.
//!
//! A new server replaces the old one, but only once its HELLO is accepted: a stray connection, or
//! a server of an incompatible release, must not cut off the one at work.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use rustix::event::PollFlags;
use uuid::Uuid;

use super::Source;
use crate::socket::{check_peer, listen, peer_uid};
use crate::wire::VERSIONS;
use crate::wire::connection::{Connection, ReceiveError};
use crate::wire::message::{FailedStep, Failure, ToKeeper, ToServer};

#[derive(Debug)]
pub(super) struct Visitors {
    uuid: Uuid,
    listener: UnixListener,
    server: Option<Visitor>,
    candidate: Option<Visitor>,
}

/// What a visitor said since it was last heard, and how it left, if it did.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// In order. A HELLO is among them once it was accepted and answered.
    pub(super) messages: Vec<ToKeeper>,
    pub(super) parting: Option<Parting>,
}

/// How a server left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Parting {
    /// On purpose.
    Goodbye,
    /// It was killed, or broke the protocol.
    Vanished,
}

impl Visitors {
    /// Begins with the server that started this keeper.
    pub(super) fn new(pane_dir: &Path, uuid: Uuid, server: UnixStream) -> io::Result<Visitors> {
        let mut server = Visitor::new(server)?;
        match listen(pane_dir) {
            Ok(listener) => Ok(Visitors { uuid, listener, server: Some(server), candidate: None }),
            Err(error) => {
                server.say(ToServer::Failed(Failure::from_io(FailedStep::Listen, &error)))?;
                Err(error)
            }
        }
    }

    /// Lists what to poll for.
    pub(super) fn watch<'a>(&'a self, watch: &mut impl FnMut(Source, BorrowedFd<'a>, PollFlags)) {
        watch(Source::Listener, self.listener.as_fd(), PollFlags::IN);
        for (source, visitor) in
            [(Source::Candidate, &self.candidate), (Source::Server, &self.server)]
        {
            if let Some(Visitor { connection, .. }) = visitor {
                let mut flags = PollFlags::IN;
                flags.set(PollFlags::OUT, connection.wants_write());
                watch(source, connection.as_fd(), flags);
            }
        }
    }

    /// Listens to the server or the candidate.
    pub(super) fn hear(&mut self, source: Source) -> Heard {
        if source == Source::Candidate { self.hear_candidate() } else { self.hear_server() }
    }

    fn hear_server(&mut self) -> Heard {
        let Some(server) = &mut self.server else { return Heard::default() };
        let (messages, is_gone) = server.hear(self.uuid);
        Heard { messages, parting: is_gone.then(|| self.part()) }
    }

    /// Whoever has knocked becomes the server when its HELLO is accepted.
    fn hear_candidate(&mut self) -> Heard {
        let Some(candidate) = &mut self.candidate else { return Heard::default() };
        let (messages, is_gone) = candidate.hear(self.uuid);
        if candidate.has_greeted {
            self.server = self.candidate.take();
            Heard { messages, parting: is_gone.then(|| self.part()) }
        } else {
            if is_gone {
                self.candidate = None;
            }
            Heard::default()
        }
    }

    /// Accepts whoever knocks, if it is us. A newer one takes the place of one that is silent.
    pub(super) fn admit(&mut self) {
        // An error of `accept` is the visitor's, or passes; polling finds the next one.
        let Ok((stream, _)) = self.listener.accept() else { return };
        let admitted = peer_uid(&stream).and_then(check_peer);
        if let Ok(visitor) = admitted.and_then(|()| Visitor::new(stream)) {
            self.candidate = Some(visitor);
        }
    }

    /// Sends to the server, if there is one.
    pub(super) fn say(&mut self, message: ToServer) {
        if let Some(server) = &mut self.server
            && server.say(message).is_err()
        {
            self.hang_up();
        }
    }

    /// Rings the server, if there is one.
    pub(super) fn bell(&mut self) {
        if let Some(server) = &mut self.server
            && server.connection.ring_bell().is_err()
        {
            self.hang_up();
        }
    }

    /// Ends the conversation with a server that cannot be served now; it may come again. Both
    /// sides find the connection at its end.
    pub(super) fn hang_up(&self) {
        if let Some(server) = &self.server {
            // It fails only on a connection that is at its end already.
            let _ = rustix::net::shutdown(&server.connection, rustix::net::Shutdown::Both);
        }
    }

    /// Cuts the server off.
    pub(super) fn part(&mut self) -> Parting {
        match self.server.take() {
            Some(Visitor { said_goodbye: true, .. }) => Parting::Goodbye,
            _ => Parting::Vanished,
        }
    }
}

/// One connection to a server.
#[derive(Debug)]
struct Visitor {
    connection: Connection,
    has_greeted: bool,
    said_goodbye: bool,
}

impl Visitor {
    fn new(stream: UnixStream) -> io::Result<Visitor> {
        let connection = Connection::new(stream)?;
        Ok(Visitor { connection, has_greeted: false, said_goodbye: false })
    }

    fn say(&mut self, message: ToServer) -> io::Result<()> {
        let encoded = message.encode().expect("what a keeper says is far below the limit");
        self.connection.send(encoded)
    }

    /// What has come, and whether this visitor has left or must be cut off.
    fn hear(&mut self, own: Uuid) -> (Vec<ToKeeper>, bool) {
        let mut messages = Vec::new();
        let is_gone = self.hear_into(own, &mut messages).unwrap_or(true);
        (messages, is_gone)
    }

    /// Errors say nothing about the messages before them, which stay in `messages`.
    fn hear_into(&mut self, own: Uuid, messages: &mut Vec<ToKeeper>) -> Result<bool, ReceiveError> {
        self.connection.flush()?;
        let received = self.connection.receive(ToKeeper::limit)?;
        for frame in received.frames {
            let Some(message) = ToKeeper::decode(&frame, self.connection.descriptors())? else {
                continue;
            };
            match message {
                ToKeeper::Hello { versions, uuid, .. } if !self.has_greeted => {
                    if let Err(message) = self.greet(versions, uuid, own)? {
                        let step = FailedStep::Hello;
                        self.say(ToServer::Failed(Failure { step, errno: 0, message }))?;
                        return Ok(true);
                    }
                }
                // HELLO comes first, and once.
                ToKeeper::Hello { .. } => return Ok(true),
                _ if !self.has_greeted => return Ok(true),
                ToKeeper::Goodbye => self.said_goodbye = true,
                _ => {}
            }
            messages.push(message);
        }
        Ok(received.closed)
    }

    /// Agrees on a version and says so, or returns why not.
    fn greet(
        &mut self,
        (least, most): (u16, u16),
        meant: Uuid,
        own: Uuid,
    ) -> io::Result<Result<(), String>> {
        let (start, end) = (*VERSIONS.start(), *VERSIONS.end());
        let version = most.min(end);
        if version < least.max(start) {
            return Ok(Err(format!(
                "the server speaks protocol versions {least} to {most}, the keeper {start} to {end}"
            )));
        }
        if meant != own {
            return Ok(Err(format!("this keeper keeps pane {own}, not {meant}")));
        }
        let keeper_pid = rustix::process::getpid().as_raw_pid().cast_unsigned();
        self.say(ToServer::Welcome { version, uuid: own, keeper_pid })?;
        self.has_greeted = true;
        Ok(Ok(()))
    }
}
