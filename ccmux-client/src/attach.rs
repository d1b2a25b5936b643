//! An attached terminal: bytes to and from the server, until one of them ends it.
//!
//! One thread polls terminal, server and signals. Finding another server takes waiting, so a
//! second thread does that and hands over the connection.
//!
//! ```text
//!            +--------- Attached ----------+
//!            v                             |
//!  Online (drawn) -- lost --> Offline -- connected --> Online (resuming)
//!                                ^                        |
//!                                +--------- lost ---------+
//! ```

use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use ccmux_protocol::rendezvous::Patience;
use ccmux_protocol::{
    ClientFrame, Exit, ExitReason, Hello, Refusal, RefusalCode, Resume, ServerFrame, TerminalSize,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::deaths::Deaths;
use crate::error::ClientError;
use crate::link::{Link, Received};
use crate::outbox::Outbox;
use crate::signals::{Signal, Signals};
use crate::terminal::Terminal;

const READ_BYTES: usize = 4096;
/// Typed bytes that are held for a server that does not take them. Then the terminal's own buffer
/// fills.
const HELD_BYTES_MAX: usize = 64 * 1024;
/// The longest frame that is put together from parts. Longer than any terminal needs.
const FRAME_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How the next server is found.
pub(crate) struct Reconnect {
    /// Finds a server and exchanges greetings; runs on a thread of its own.
    pub(crate) find: Arc<Find>,
    /// Where servers say why they end.
    pub(crate) log: PathBuf,
}

type Find = dyn Fn(&Hello) -> Result<Link, ClientError> + Send + Sync;

/// A terminal and the server that draws on it.
pub(crate) struct Attachment {
    terminal: Terminal,
    line: Line,
    /// The server takes nothing any more; it may still have something to say.
    is_deaf: bool,
    outbox: Outbox,
    signals: Signals,
    hello: Hello,
    reconnect: Reconnect,
    /// What leads back to our session on the next server.
    token: Option<Vec<u8>>,
    /// The beginning of a frame that comes in parts.
    part: Vec<u8>,
    /// `Attached` frames that are still to come. Until then output is of a time when the terminal
    /// was in another state.
    awaited: u32,
    /// Runs while there is no server, or none that has taken us up again.
    patience: Option<Patience>,
    deaths: Deaths,
}

enum Line {
    Online(Link),
    Offline(Search),
}

/// A server being looked for.
struct Search {
    /// Readable when the result is there.
    done: UnixStream,
    result: Receiver<Result<Link, ClientError>>,
}

/// What the poll found.
#[derive(Default, Debug)]
struct Ready {
    input: bool,
    is_terminal_gone: bool,
    server: bool,
    signals: bool,
    search: bool,
}

impl Attachment {
    /// An attachment to the server at the other end of `link`, which has sent `Attached`.
    pub(crate) fn new(
        terminal: Terminal,
        link: Link,
        hello: Hello,
        signals: Signals,
        reconnect: Reconnect,
    ) -> Self {
        Attachment {
            terminal,
            line: Line::Online(link),
            is_deaf: false,
            outbox: Outbox::default(),
            signals,
            hello,
            reconnect,
            token: None,
            part: Vec::new(),
            awaited: 0,
            patience: None,
            deaths: Deaths::default(),
        }
    }

    /// Runs to the end. The terminal is given back when this returns. `early` is what the server
    /// said before `Attached` and is to be followed.
    pub(crate) fn run(mut self, early: Vec<ServerFrame>) -> Result<Exit, ClientError> {
        let mut frames = early;
        if let Line::Online(link) = &mut self.line {
            link.set_nonblocking()?;
            frames.extend(link.decoded()?);
            if let Some(exit) = self.follow_all(frames)? {
                return Ok(exit);
            }
        }
        // The size may have changed since the greeting, before its signal was caught.
        self.tell_size()?;
        loop {
            self.send();
            if self.terminal.write_pending().is_err() {
                return Ok(self.leave(ExitReason::LostTty));
            }
            let ready = self.wait()?;
            if let Some(exit) = self.act(&ready)? {
                return Ok(exit);
            }
        }
    }

    fn act(&mut self, ready: &Ready) -> Result<Option<Exit>, ClientError> {
        if ready.signals
            && let Some(exit) = self.take_signals()?
        {
            return Ok(Some(exit));
        }
        if ready.is_terminal_gone || (ready.input && !self.read_input()?) {
            return Ok(Some(self.leave(ExitReason::LostTty)));
        }
        if ready.search {
            return self.end_search();
        }
        if ready.server {
            return self.receive();
        }
        Ok(None)
    }

    /// Waits until there is something to do.
    fn wait(&self) -> Result<Ready, ClientError> {
        let mut terminal = PollFlags::empty();
        if self.outbox.bytes() < HELD_BYTES_MAX {
            terminal |= PollFlags::IN;
        }
        if self.terminal.has_pending() {
            terminal |= PollFlags::OUT;
        }
        // A server is heard only when the terminal has taken what it said before; so it notices
        // that the terminal is slow, and skips frames instead of queueing them.
        let hear = if self.terminal.has_pending() { PollFlags::empty() } else { PollFlags::IN };
        let (line, wanted) = match &self.line {
            Line::Online(link) if self.outbox.is_empty() || self.is_deaf => (link.as_fd(), hear),
            Line::Online(link) => (link.as_fd(), hear | PollFlags::OUT),
            Line::Offline(search) => (search.done.as_fd(), PollFlags::IN),
        };
        let mut fds =
            vec![PollFd::new(&self.terminal, terminal), PollFd::new(&self.signals, PollFlags::IN)];
        // A descriptor that nothing is wanted of would still report that the peer is gone.
        if !wanted.is_empty() {
            fds.push(PollFd::from_borrowed_fd(line, wanted));
        }
        let timeout = match &self.patience {
            Some(patience) if patience.left().is_zero() => return Err(ClientError::NoAnswer),
            Some(patience) => Some(Timespec::try_from(patience.left()).expect("seconds fit")),
            None => None,
        };
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(Ready::default()),
            Err(errno) => return Err(ClientError::Wait(errno.into())),
        }
        let gone = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
        let terminal = fds[0].revents();
        let line = fds.get(2).map_or(PollFlags::empty(), PollFd::revents);
        let is_line_ready = line.intersects(gone | PollFlags::IN);
        let is_offline = matches!(self.line, Line::Offline(_));
        Ok(Ready {
            input: terminal.contains(PollFlags::IN),
            is_terminal_gone: terminal.intersects(gone) && !terminal.contains(PollFlags::IN),
            server: is_line_ready && !is_offline,
            signals: !fds[1].revents().is_empty(),
            search: is_line_ready && is_offline,
        })
    }

    /// Sends what waits, as far as the server takes it.
    fn send(&mut self) {
        if let Line::Online(link) = &mut self.line
            && !self.is_deaf
        {
            self.is_deaf = self.outbox.send(link).is_err();
        }
    }

    /// `false` when the terminal is gone.
    fn read_input(&mut self) -> Result<bool, ClientError> {
        let mut bytes = [0; READ_BYTES];
        match self.terminal.read(&mut bytes) {
            Ok(None) => Ok(true),
            Ok(Some(0)) | Err(_) => Ok(false),
            Ok(Some(n)) => {
                self.outbox.push(&ClientFrame::Input(bytes[..n].to_vec()))?;
                Ok(true)
            }
        }
    }

    fn receive(&mut self) -> Result<Option<Exit>, ClientError> {
        let Line::Online(link) = &mut self.line else { return Ok(None) };
        let received = link.receive_available()?;
        let mut is_lost = matches!(received, Received::Lost(_));
        let (Received::Frames(mut frames) | Received::Lost(mut frames)) = received;
        // Another server takes over: that is the one to go on with.
        frames.retain(|frame| {
            let is_restart = matches!(frame, ServerFrame::Refused(Refusal { code, .. })
                if *code == RefusalCode::Restarting);
            is_lost |= is_restart;
            !is_restart
        });
        let exit = self.follow_all(frames)?;
        if exit.is_none() && is_lost {
            self.search()?;
        }
        Ok(exit)
    }

    fn follow_all(&mut self, frames: Vec<ServerFrame>) -> Result<Option<Exit>, ClientError> {
        for frame in frames {
            if let Some(exit) = self.follow(frame)? {
                return Ok(Some(exit));
            }
        }
        Ok(None)
    }

    /// Does what the server says.
    fn follow(&mut self, frame: ServerFrame) -> Result<Option<Exit>, ClientError> {
        match frame {
            ServerFrame::Attached => {
                self.awaited = self.awaited.saturating_sub(1);
                self.patience = None;
            }
            ServerFrame::Leave(bytes) => self.terminal.set_leave(bytes),
            ServerFrame::Token(token) => self.token = Some(token),
            ServerFrame::OutputPart(bytes) if self.part.len() < FRAME_BYTES_MAX => {
                self.part.extend(bytes);
            }
            ServerFrame::OutputPart(bytes) | ServerFrame::Output(bytes) => {
                let part = std::mem::take(&mut self.part);
                if self.awaited == 0 {
                    self.terminal.draw(&part);
                    self.terminal.draw(&bytes);
                    if let Line::Online(link) = &self.line {
                        self.deaths.has_shown(link.server_pid());
                    }
                }
            }
            ServerFrame::Asks => self.terminal.note_asked(),
            ServerFrame::Answered => self.terminal.note_answered(),
            ServerFrame::Suspend => self.stop()?,
            ServerFrame::Exit(exit) => return Ok(Some(exit)),
            ServerFrame::Refused(refusal) => return Err(ClientError::Refused(refusal)),
            // Not said to an attached client.
            ServerFrame::Welcome(_)
            | ServerFrame::Stdout(_)
            | ServerFrame::Stderr(_)
            | ServerFrame::ReadStdin => {}
        }
        Ok(None)
    }

    fn take_signals(&mut self) -> Result<Option<Exit>, ClientError> {
        for signal in self.signals.take() {
            match signal {
                Signal::Terminate => return Ok(Some(self.leave(ExitReason::Terminated))),
                Signal::HangUp => return Ok(Some(self.leave(ExitReason::LostTty))),
                Signal::Stop => self.stop()?,
                // Who stopped us did not ask, and the terminal was somebody else's meanwhile.
                Signal::Continue => {
                    self.terminal.note_answered();
                    self.terminal.give_back();
                    self.wake_up()?;
                }
                Signal::Resize => self.tell_size()?,
            }
        }
        Ok(None)
    }

    /// Gives the terminal back and stops this process; goes on when it is continued.
    fn stop(&mut self) -> Result<(), ClientError> {
        self.terminal.give_back();
        Signals::stop_process().map_err(ClientError::Signals)?;
        self.signals.forget_continue();
        self.wake_up()
    }

    /// Takes the terminal again and has everything drawn anew.
    fn wake_up(&mut self) -> Result<(), ClientError> {
        self.terminal.take_again().map_err(ClientError::Terminal)?;
        self.look_at_size();
        if let (Line::Online(_), Some(size)) = (&self.line, self.told_size()) {
            self.awaited += 1;
            self.outbox.push(&ClientFrame::Wakeup(size))?;
        }
        Ok(())
    }

    fn tell_size(&mut self) -> Result<(), ClientError> {
        if matches!(self.line, Line::Online(_))
            && self.look_at_size()
            && let Some(size) = self.told_size()
        {
            self.outbox.push(&ClientFrame::Resize(size))?;
        }
        Ok(())
    }

    /// Takes over the terminal's size; returns whether it is another one. What the terminal does not
    /// know stays as it was.
    fn look_at_size(&mut self) -> bool {
        let told = self.told_size();
        if let Some(TerminalSize { cells, cell_px }) = self.terminal.size() {
            self.hello.size = Some(cells);
            self.hello.cell_px = cell_px;
        }
        self.told_size() != told
    }

    fn told_size(&self) -> Option<TerminalSize> {
        let Hello { size, cell_px, .. } = self.hello;
        size.map(|cells| TerminalSize { cells, cell_px })
    }

    /// Looks for another server. The screen stays as it is.
    fn search(&mut self) -> Result<(), ClientError> {
        if self.token.is_none() {
            return Err(ClientError::LostServer);
        }
        if let Line::Online(link) = &self.line {
            self.deaths.is_lost(link.server_pid());
        }
        if let Some(deaths) = self.deaths.too_many() {
            return Err(ClientError::ServersDie { deaths, log: self.reconnect.log.clone() });
        }
        self.part.clear();
        self.patience.get_or_insert_default();
        self.look_at_size();
        let (hello, find) = (self.hello.clone(), Arc::clone(&self.reconnect.find));
        let (done, waker) = UnixStream::pair().map_err(ClientError::Wait)?;
        let (sender, result) = channel();
        let look = move || {
            // Dropping the waker wakes, also if this panics.
            let _waker = waker;
            let _ = sender.send(find(&hello));
        };
        thread::Builder::new().name("reconnect".into()).spawn(look).map_err(ClientError::Wait)?;
        self.line = Line::Offline(Search { done, result });
        Ok(())
    }

    /// Takes up the session on the server that was found.
    fn end_search(&mut self) -> Result<Option<Exit>, ClientError> {
        let Line::Offline(search) = &self.line else { return Ok(None) };
        let mut link = match search.result.recv() {
            Ok(Ok(link)) => link,
            Ok(Err(error)) if error.is_orderly_end() => {
                return Ok(Some(Exit { reason: ExitReason::ServerExited, ..Exit::done(0) }));
            }
            Ok(Err(error)) => return Err(error),
            Err(_) => return Err(ClientError::LostServer),
        };
        link.set_nonblocking()?;
        // A server has nothing more to say before it is told what for; if it has, that comes with
        // the next bytes.
        let resume = Resume {
            is_drawn: self.terminal.is_drawn(),
            token: self.token.clone().unwrap_or_default(),
        };
        self.outbox.start_over(&ClientFrame::Resume(resume))?;
        self.awaited = 1;
        self.line = Line::Online(link);
        self.is_deaf = false;
        self.tell_size()?;
        Ok(None)
    }

    /// Says goodbye, if the server takes it at once, and ends.
    fn leave(&mut self, reason: ExitReason) -> Exit {
        if self.outbox.push(&ClientFrame::Goodbye).is_ok() {
            self.send();
        }
        Exit { reason, ..Exit::done(1) }
    }
}
