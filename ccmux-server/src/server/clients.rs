//! Conversations with clients: greeting, commands, attaching, leaving.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use bstr::BString;
use ccmux_core::change::OptionScope;
use ccmux_core::command::{ParsedCommand, parse_argv};
use ccmux_core::ids::SessionId;
use ccmux_protocol::{
    ClientFrame, Exit, ExitReason, Hello, Refusal, RefusalCode, Resume, ServerFrame, VersionRange,
    Welcome,
};

use super::Server;
use crate::client::caps::caps;
use crate::client::connection::Connection;
use crate::client::flags::ClientFlags;
use crate::client::identity::Identity;
use crate::client::resume::{OpenedPrompt, ResumeToken};
use crate::client::{Client, ClientStage};
use crate::command::{Origin, Wait};
use crate::event_loop::{ClientId, Event};

/// More clients than this are refused.
const CLIENTS_MAX: usize = 1000;
/// How soon clients that could not be accepted are tried again.
const ACCEPT_INTERVAL: Duration = Duration::from_millis(100);

/// What a client does once it is detached and its terminal given back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Afterwards {
    /// It ends.
    Nothing,
    /// It hangs up on its parent (`detach-client -P`).
    HangUp,
    /// It becomes a shell that runs this command (`detach-client -E`).
    Run(BString),
}

impl Server {
    /// Takes every connection that waits. One that cannot be taken, for want of descriptors perhaps,
    /// is not told of again: it is tried again in a moment.
    pub(crate) fn accept_clients(&mut self) {
        let now = self.elapsed();
        loop {
            let Some(door) = &mut self.door else { return };
            match door.listener.accept() {
                Ok((stream, _)) => {
                    if door.retry_at.take().is_some() {
                        tracing::info!("clients are accepted again");
                    }
                    self.welcome(stream);
                }
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => {
                        door.retry_at = None;
                        return;
                    }
                    io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted => {}
                    _ => {
                        if door.retry_at.replace(now + ACCEPT_INTERVAL).is_none() {
                            tracing::error!(%error, "clients cannot be accepted; trying again");
                        }
                        return;
                    }
                },
            }
        }
    }

    /// Tries again to take connections that could not be taken.
    pub(super) fn retry_accepting(&mut self) {
        let now = self.elapsed();
        if self.door.as_ref().is_some_and(|door| door.retry_at.is_some_and(|at| at <= now)) {
            self.accept_clients();
        }
    }

    pub(super) fn welcome(&mut self, stream: std::os::unix::net::UnixStream) {
        let peer = ccmux_protocol::rendezvous::peer_uid(&stream);
        let is_ours = may_talk(&peer, self.surroundings.uid);
        let connection = match Connection::new(stream) {
            Ok(connection) => connection,
            Err(error) => return tracing::error!(%error, "a client could not be set up"),
        };
        let id = ClientId(self.next_client);
        self.next_client = self.next_client.wrapping_add(1);
        let mut client = Client::new(id, connection, self.now());
        if !is_ours {
            let message = "this server belongs to another user";
            refuse(&mut client, RefusalCode::Peer, message, None);
        } else if self.clients.len() >= CLIENTS_MAX {
            let message = format!("there are {CLIENTS_MAX} clients already");
            refuse(&mut client, RefusalCode::Busy, &message, None);
        }
        match self.watcher.readable(client.connection.as_fd(), Event::Client(id)) {
            Ok(()) => {
                self.clients.insert(id, client);
            }
            Err(error) => tracing::error!(%error, "a client could not be watched"),
        }
    }

    /// Watches for room where something is left to be sent, and nowhere else: the loop would be woken
    /// whenever a client has read something.
    pub(crate) fn watch_clients(&mut self) {
        for (id, client) in &mut self.clients {
            let is_for_room = !client.connection.is_flushed();
            if is_for_room == client.is_watched_for_room {
                continue;
            }
            let fd = client.connection.as_fd();
            match self.watcher.rewatch(fd, Event::Client(*id), is_for_room) {
                Ok(()) => client.is_watched_for_room = is_for_room,
                Err(error) => tracing::error!(%error, "a client could not be watched"),
            }
        }
    }

    /// Reads what a client says and writes what it can take.
    pub(crate) fn talk_with_client(&mut self, id: ClientId) {
        let mut frames = Vec::new();
        let Some(client) = self.clients.get_mut(&id) else { return };
        client.connection.flush();
        match client.connection.receive(&mut frames) {
            Ok(has_more) => {
                if has_more {
                    self.unread_clients.push(id);
                    self.has_more = true;
                }
            }
            Err(error) => {
                let message = error.to_string();
                refuse(client, RefusalCode::Protocol, &message, None);
                return;
            }
        }
        let mut frames = frames.into_iter().peekable();
        while let Some(frame) = frames.next() {
            // Of sizes in a row only the last one is one.
            let is_over = matches!(frame, ClientFrame::Resize(_))
                && matches!(frames.peek(), Some(ClientFrame::Resize(_)));
            if !is_over {
                self.take_frame(id, frame);
            }
        }
    }

    fn take_frame(&mut self, id: ClientId, frame: ClientFrame) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        match (&client.stage, frame) {
            (ClientStage::Greeting, ClientFrame::Hello(hello)) if client.hello.is_none() => {
                greet(client, hello);
            }
            (ClientStage::Greeting, ClientFrame::Command(argv)) if client.hello.is_some() => {
                self.begin_command_line(id, &argv);
            }
            (ClientStage::Greeting, ClientFrame::Resume(resume)) if client.hello.is_some() => {
                self.resume(id, &resume);
            }
            (ClientStage::Commanding, ClientFrame::Stdin(bytes)) => {
                if !self.take_stdin(id, bytes) {
                    self.refuse_frame(id, "Stdin");
                }
            }
            (ClientStage::Commanding, ClientFrame::StdinEnd(end)) => {
                if !self.end_stdin(id, end) {
                    self.refuse_frame(id, "StdinEnd");
                }
            }
            (ClientStage::Attached(_), ClientFrame::Input(bytes)) => self.take_input(id, &bytes),
            (ClientStage::Attached(_), ClientFrame::Resize(size)) => self.resize_client(id, size),
            (ClientStage::Attached(_), ClientFrame::Wakeup(size)) => {
                client.wake_up(size);
                self.use_client(id);
            }
            (ClientStage::Attached(_), ClientFrame::Goodbye) => {
                self.detach(id, &Afterwards::Nothing);
            }
            // What a client sends while its command line still runs came too early to matter.
            (ClientStage::Leaving, _)
            | (
                ClientStage::Commanding,
                ClientFrame::Input(_) | ClientFrame::Resize(_) | ClientFrame::Goodbye,
            ) => {}
            (_, frame) => {
                let kind = format!("{frame:?}");
                self.refuse_frame(id, kind.split(['(', ' ']).next().unwrap_or_default());
            }
        }
    }

    fn refuse_frame(&mut self, id: ClientId, kind: &str) {
        if let Some(client) = self.clients.get_mut(&id) {
            let message = format!("{kind} does not belong here");
            refuse(client, RefusalCode::Protocol, &message, None);
        }
    }

    /// Whether a client is the one that this server was started for. Its command must meet what the
    /// configuration makes; those of the configuration's own shell commands must not wait for it.
    fn is_starter(&mut self, id: ClientId) -> bool {
        let ours = format!("{},{},", self.surroundings.socket.display(), crate::own_pid());
        let hello = self.clients.get(&id).and_then(|client| client.hello.as_deref());
        let place = hello.and_then(|hello| hello.env("CCMUX"));
        if place.is_some_and(|place| place.starts_with(ours.as_bytes())) {
            return false;
        }
        !std::mem::replace(&mut self.has_met_starter, true)
    }

    fn begin_command_line(&mut self, id: ClientId, argv: &[BString]) {
        let default = [BString::from(if self.state.sessions.is_empty() {
            "new-session"
        } else {
            "attach-session"
        })];
        let argv = if argv.is_empty() { &default } else { argv };
        let parsed = self.with_parse_context(|context| parse_argv(argv, context));
        let Some(client) = self.clients.get_mut(&id) else { return };
        match parsed {
            Ok(list) => {
                client.stage = ClientStage::Commanding;
                let keepers = self.is_meeting() && !list.commands.iter().all(is_prompt);
                let job = self.jobs.add(Origin::OneShot(id), None, list.commands);
                let configuration = self.is_starter(id) && self.is_configuring();
                if let Some(job) = self.jobs.get_mut(job) {
                    job.wait = Some(Wait::Beginning { configuration, keepers });
                }
                self.has_more = true;
            }
            Err(error) => {
                let mut text = format!("{error}\n");
                if let Some(spec) = error.spec() {
                    let usage = spec.usage_line();
                    if !text.contains(&usage) {
                        text = format!("{text}{usage}\n");
                    }
                }
                client.say(ServerFrame::Stderr(text.into_bytes()));
                self.exit_client(id, Exit::done(1));
            }
        }
    }

    /// Takes up an attachment that an earlier server held.
    fn resume(&mut self, id: ClientId, resume: &Resume) {
        let token = ResumeToken::read(&resume.token);
        let known =
            |token: &ResumeToken| self.state.sessions.contains_key(&SessionId(token.session));
        match token.filter(known) {
            Some(token) => {
                let ResumeToken { session, flags, copying, prompt, terminal } = token;
                // Before the attachment, whose token says what is looked at.
                for copying in copying {
                    self.resume_copying(&copying);
                }
                self.attach_known(id, SessionId(session), flags, terminal);
                if let Some(open) = prompt.and_then(OpenedPrompt::reopen) {
                    self.open_prompt(id, open);
                }
                if let Some(attachment) = self.clients.get_mut(&id).and_then(|c| c.attachment_mut())
                {
                    attachment.is_entered = resume.is_drawn;
                }
            }
            None => self.exit_client(id, Exit { reason: ExitReason::Exited, ..Exit::done(0) }),
        }
    }

    /// Makes a client with a terminal look at a session.
    pub(crate) fn attach(&mut self, id: ClientId, session: SessionId, flags: ClientFlags) {
        self.attach_known(id, session, flags, Identity::default());
    }

    /// The same of a client whose terminal has said what it is.
    fn attach_known(
        &mut self,
        id: ClientId,
        session: SessionId,
        flags: ClientFlags,
        identity: Identity,
    ) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        let options = self.state.options(OptionScope::Server);
        client.attach(session, flags, self.hard, |hello| caps(hello, &identity, options));
        client.know_terminal(identity);
        self.release_client(id);
        self.renew_token(id);
        self.use_client(id);
        self.show_recovery(id);
    }

    /// Makes an attached client look at another session.
    pub(crate) fn show_session(&mut self, id: ClientId, session: SessionId) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        if let Some(attachment) = client.attachment_mut() {
            if attachment.session != session {
                attachment.last_session = Some(attachment.session);
                attachment.session = session;
            }
            attachment.is_dirty = true;
        }
        self.renew_token(id);
        self.use_client(id);
    }

    /// Gives a client the token for the case that this server vanishes, if it changed.
    pub(crate) fn renew_token(&mut self, id: ClientId) {
        let client = self.clients.get(&id);
        let Some(session) = client.and_then(|c| c.attachment()).map(|a| a.session) else { return };
        let copying = self.copying(session);
        if let Some(client) = self.clients.get_mut(&id) {
            client.renew_token(copying);
        }
    }

    /// Notes that a client was used: its session is the last one, and takes the client's size.
    pub(crate) fn use_client(&mut self, id: ClientId) {
        let now = self.now();
        let Some(client) = self.clients.get_mut(&id) else { return };
        client.active = now;
        let Some(attachment) = client.attachment() else { return };
        let session = attachment.session;
        self.touch_session(session);
        self.fit_session_to(id);
    }

    /// Ends a client's attachment in good order.
    pub(crate) fn detach(&mut self, id: ClientId, then: &Afterwards) {
        self.paste_end(id);
        let Some(client) = self.clients.get(&id) else { return };
        let Some(attachment) = client.attachment() else { return };
        let id_of_session = attachment.session;
        let name = self.state.sessions.get(&id_of_session).map(|session| &session.name);
        let session = BString::from(name.cloned().unwrap_or_default());
        let reason = match then {
            Afterwards::Nothing => ExitReason::Detached { session },
            Afterwards::HangUp => ExitReason::HungUp { session },
            Afterwards::Run(command) => ExitReason::Replaced {
                shell: self.shell_of_session(id_of_session),
                command: command.clone(),
            },
        };
        self.exit_client(id, Exit { reason, ..Exit::done(0) });
    }

    /// Forgets clients that are gone, and what they still wanted.
    pub(crate) fn drop_closed_clients(&mut self) {
        let closed: Vec<ClientId> = self
            .clients
            .values()
            .filter(|client| client.is_gone())
            .map(|client| client.id)
            .collect();
        for id in closed {
            self.paste_end(id);
            if let Some(client) = self.clients.remove(&id) {
                self.watcher.forget(client.connection.as_fd());
                self.jobs.forget_client(id);
                if let Some(attachment) = client.attachment() {
                    self.fit_without(attachment.session);
                }
                self.redraw_all();
            }
        }
    }
}

fn greet(client: &mut Client, hello: Box<Hello>) {
    match VersionRange::OURS.common(hello.versions) {
        Some(version) => {
            client.connection.send(&ServerFrame::Welcome(Welcome {
                version,
                server_pid: crate::own_pid(),
                server_version: env!("CARGO_PKG_VERSION").to_owned(),
            }));
            client.hello = Some(hello);
        }
        None => {
            let (ours, theirs) = (VersionRange::OURS, hello.versions);
            let message = format!(
                "this server speaks protocol {} to {}, the client {} to {}",
                ours.min, ours.max, theirs.min, theirs.max
            );
            let hint = "use the client of the release that started the server";
            refuse(client, RefusalCode::Version, &message, Some(hint));
        }
    }
}

/// Whether a peer may talk with the server of `uid`: that user and root. Where the system does not
/// tell whose a peer is, the modes of socket and directory have kept others out.
fn may_talk(peer: &io::Result<Option<u32>>, uid: u32) -> bool {
    match peer {
        Ok(Some(peer)) => *peer == uid || *peer == 0,
        Ok(None) => cfg!(not(target_os = "linux")),
        Err(_) => false,
    }
}

/// Says no and ends the conversation.
pub(super) fn refuse(client: &mut Client, code: RefusalCode, message: &str, hint: Option<&str>) {
    client.say(ServerFrame::Refused(Refusal {
        code,
        message: message.to_owned(),
        hint: hint.map(str::to_owned),
    }));
    client.stage = ClientStage::Leaving;
}

/// Whether a command does not ask for facts that only keepers know, and is wanted at once.
fn is_prompt(command: &ParsedCommand) -> bool {
    match command.spec.name {
        "attach-session" | "start-server" | "kill-server" | "status" => true,
        "new-session" => command.args.has('A'),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the system does not tell, everybody was refused, the user as well.
    #[test]
    fn the_user_and_root_may_talk() {
        for (peer, expected) in [
            (Ok(Some(1000)), true),
            (Ok(Some(0)), true),
            (Ok(Some(1001)), false),
            (Ok(Some(u32::MAX)), false),
            (Ok(None), cfg!(not(target_os = "linux"))),
            (Err(io::ErrorKind::Other.into()), false),
        ] {
            assert_eq!(may_talk(&peer, 1000), expected, "{peer:?}");
        }
    }
}
