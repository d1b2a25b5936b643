//! The server's handle on one keeper: start, replace or adopt it, hear from it, command it.
//!
//! Nothing here blocks. The handle is a descriptor for the server's poll loop: register it for
//! reading and writing and call [`Link::receive`] on any readiness. Dropping a `Link` leaves the
//! keeper alone, exactly as the death of the server does.
//!
//! When a link closes, the keeper is dead or has taken another server. [`lock_alive`] decides:
//! with the lock, [`Link::replace`]; without it, [`Link::adopt`], again later if that fails,
//! because a killed keeper lets go of its lock a moment after its connections.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use uuid::Uuid;

use crate::alive::AliveLock;
use crate::child::ChildSpec;
use crate::ring::{RingError, ServerRing};
use crate::socket::{connect, pane_uuid};
use crate::wire::connection::{Connection, ReceiveError};
use crate::wire::message::{Failure, ToKeeper, ToServer};
use crate::wire::{VERSIONS, WireError};

/// How keepers are started: this executable, these arguments, then the pane's directory. It must
/// end up in [`run`](crate::run).
#[derive(Clone, Debug)]
pub struct KeeperCommand {
    /// The executable.
    pub exe: PathBuf,
    /// What the process is told as its own name, if not the executable's: seen in `ps`.
    pub name: Option<OsString>,
    /// The arguments before the pane's directory.
    pub args: Vec<OsString>,
    /// The soft limit of open files for the keeper and its program, if not this process's own.
    pub open_files: Option<u64>,
}

/// What is left of a pane whose keeper was killed: all that a new keeper needs.
#[derive(Debug)]
pub struct Orphan<'a> {
    /// The program's process id.
    pub child_pid: u32,
    /// The pty.
    pub master: &'a OwnedFd,
    /// The ring. It may be used on until the new keeper's [`LinkEvent::Ready`] brings another
    /// mapping of the same ring.
    pub ring: &'a ServerRing,
    /// As in [`ChildSpec`].
    pub oom_score_adj: Option<i32>,
}

/// A connection to one keeper.
#[derive(Debug)]
pub struct Link {
    connection: Connection,
    uuid: Uuid,
    keeper_pid: Option<u32>,
    stash: Option<OwnedFd>,
    process: Option<Child>,
    is_closed: bool,
}

/// What a keeper has to say.
#[derive(Debug)]
pub enum LinkEvent {
    /// The program runs, or has ended: look at the ring, now. After an adoption set the window
    /// size once more, so that full-screen programs repaint.
    Ready {
        /// The keeper's process id.
        keeper_pid: u32,
        /// The program's process id.
        child_pid: u32,
        /// The pty, for input and window sizes. Never read from it: two readers split the stream.
        /// It is non-blocking; that is shared with the keeper and must stay so.
        master: OwnedFd,
        /// The pane's output.
        ring: ServerRing,
        /// What an earlier server left with the keeper ([`Link::stash`]), not yet looked at.
        stash: Option<OwnedFd>,
    },
    /// The keeper could not do it. Unless the pane was [`Ready`](LinkEvent::Ready) before,
    /// `Closed` follows and nothing is left running.
    Failed(Failure),
    /// There is news in the ring.
    Bell,
    /// The keeper is gone, or has taken another server. The link is of no further use.
    Closed,
}

/// A keeper that cannot be talked to. The link is of no further use.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The connection failed.
    #[error("connection to the keeper failed")]
    Io(#[from] io::Error),
    /// It broke the protocol.
    #[error("the keeper broke the protocol")]
    Wire(#[from] WireError),
    /// It handed over an unusable ring.
    #[error("the keeper's ring is unusable")]
    Ring(#[from] RingError),
    /// It speaks a protocol version that was not offered.
    #[error("the keeper chose protocol version {0}")]
    Version(u16),
    /// It keeps another pane.
    #[error("the keeper keeps pane {found}, not {expected}")]
    WrongPane {
        /// The pane it keeps.
        found: Uuid,
        /// The pane of this link.
        expected: Uuid,
    },
}

impl Link {
    /// Starts a keeper that starts `program`. `Ready` or `Failed` follows.
    pub fn spawn(
        command: &KeeperCommand,
        alive: AliveLock,
        program: ChildSpec,
    ) -> Result<Link, LinkError> {
        Link::start(command, alive, ToKeeper::Start(program))
    }

    /// Starts a keeper that goes on where a killed one stopped. `Ready` or `Failed` follows.
    pub fn replace(
        command: &KeeperCommand,
        alive: AliveLock,
        orphan: &Orphan<'_>,
    ) -> Result<Link, LinkError> {
        let replace = ToKeeper::Replace {
            child_pid: orphan.child_pid,
            oom_score_adj: orphan.oom_score_adj,
            master: orphan.master.try_clone()?,
            ring: orphan.ring.as_fd().try_clone_to_owned()?,
        };
        Link::start(command, alive, replace)
    }

    /// Connects to the living keeper of a pane. `Ready` follows.
    ///
    /// Errors are to be tried again later as long as the keeper's lock is held.
    pub fn adopt(pane_dir: &Path) -> Result<Link, LinkError> {
        let uuid = pane_uuid(pane_dir)?;
        Link::open(connect(pane_dir)?, uuid, None)
    }

    /// What the keeper has said since the last call. To be called on any readiness, and until
    /// readiness is reported again there is nothing more.
    pub fn receive(&mut self) -> Result<Vec<LinkEvent>, LinkError> {
        if self.is_closed {
            return Ok(Vec::new());
        }
        self.connection.flush()?;
        let received = self.connection.receive(ToServer::limit).map_err(|error| match error {
            ReceiveError::Io(error) => LinkError::Io(error),
            ReceiveError::Wire(error) => LinkError::Wire(error),
        })?;
        if received.is_partial {
            // The rest would have to wait for a readiness that may not be reported again.
            return Err(WireError::Flood.into());
        }
        let mut events = Vec::new();
        for frame in received.frames {
            let message = ToServer::decode(&frame, self.connection.descriptors())?;
            events.extend(message.map(|message| self.accept(message)).transpose()?.flatten());
        }
        if received.doorbell {
            events.push(LinkEvent::Bell);
        }
        if received.closed {
            self.is_closed = true;
            events.push(LinkEvent::Closed);
        }
        Ok(events)
    }

    /// Whether something waits until the connection can be written. Of interest to a poll loop
    /// that asks for readiness anew each time; [`receive`](Self::receive) does the writing.
    pub fn wants_write(&self) -> bool {
        self.connection.wants_write()
    }

    /// Wakes a keeper that waits for room in the ring
    /// ([`ServerRing::set_spooled`](crate::ServerRing::set_spooled) says when).
    pub fn bell(&mut self) -> io::Result<()> {
        self.connection.ring_bell()
    }

    /// Lets the keeper go. It exits, which closes its descriptor of the pty; a program that still
    /// runs is hung up once the server has closed its own.
    pub fn release(&mut self) -> Result<(), LinkError> {
        self.send(ToKeeper::Release)
    }

    /// Sends `signal` (SIGHUP, as a rule) to the program's process group and the one in the
    /// foreground, and wakes them if stopped. The keeper stays, to report the end.
    pub fn end(&mut self, signal: i32) -> Result<(), LinkError> {
        self.send(ToKeeper::End { signal })
    }

    /// Sends `signal` to the foreground process group, as a key on the terminal would.
    pub fn signal(&mut self, signal: i32) -> Result<(), LinkError> {
        self.send(ToKeeper::Signal { signal })
    }

    /// Announces an orderly stop of the server: the keeper shall not start another one.
    pub fn goodbye(&mut self) -> Result<(), LinkError> {
        self.send(ToKeeper::Goodbye)
    }

    /// Leaves `stash` with the keeper, in the place of any other: the next server gets it.
    pub fn stash(&mut self, stash: OwnedFd) -> Result<(), LinkError> {
        self.send(ToKeeper::Stash(stash))
    }

    /// The keeper shall let go of the stash.
    pub fn forget_stash(&mut self) -> Result<(), LinkError> {
        self.send(ToKeeper::Forget)
    }

    /// The keeper's process id, once known.
    pub fn keeper_pid(&self) -> Option<u32> {
        self.process.as_ref().map(Child::id).or(self.keeper_pid)
    }

    /// Reaps the keeper if this server is its parent and it has exited. To be called on SIGCHLD;
    /// once it returns a status the keeper has let go of its lock.
    pub fn try_reap(&mut self) -> io::Result<Option<ExitStatus>> {
        match &mut self.process {
            Some(process) => process.try_wait(),
            None => Ok(None),
        }
    }

    /// Whether the keeper was started by this process, which then must reap it.
    pub fn is_child(&self) -> bool {
        self.process.is_some()
    }

    fn start(
        command: &KeeperCommand,
        alive: AliveLock,
        instruction: ToKeeper,
    ) -> Result<Link, LinkError> {
        let pane_dir = alive.pane_dir().to_owned();
        let uuid = pane_uuid(&pane_dir)?;
        // An instruction that cannot be sent must not leave a keeper behind.
        let instruction = instruction.encode()?;
        let (ours, theirs) = UnixStream::pair()?;
        let process = start_process(command, &pane_dir, theirs, alive.into_file())?;
        let mut link = Link::open(ours, uuid, Some(process))?;
        link.connection.send(instruction)?;
        Ok(link)
    }

    fn open(stream: UnixStream, uuid: Uuid, process: Option<Child>) -> Result<Link, LinkError> {
        let connection = Connection::new(stream)?;
        let mut link =
            Link { connection, uuid, keeper_pid: None, stash: None, process, is_closed: false };
        let server_pid = rustix::process::getpid().as_raw_pid().cast_unsigned();
        let versions = (*VERSIONS.start(), *VERSIONS.end());
        link.send(ToKeeper::Hello { versions, uuid, server_pid })?;
        Ok(link)
    }

    fn send(&mut self, message: ToKeeper) -> Result<(), LinkError> {
        Ok(self.connection.send(message.encode()?)?)
    }

    fn accept(&mut self, message: ToServer) -> Result<Option<LinkEvent>, LinkError> {
        match message {
            ToServer::Welcome { version, uuid, keeper_pid } => {
                if !VERSIONS.contains(&version) {
                    return Err(LinkError::Version(version));
                }
                if uuid != self.uuid {
                    return Err(LinkError::WrongPane { found: uuid, expected: self.uuid });
                }
                self.keeper_pid = Some(keeper_pid);
                Ok(None)
            }
            ToServer::Ready { child_pid, master, ring } => {
                let Some(keeper_pid) = self.keeper_pid else {
                    return Err(WireError::Unexpected { frame: "READY" }.into());
                };
                let (ring, stash) = (ServerRing::open(ring)?, self.stash.take());
                Ok(Some(LinkEvent::Ready { keeper_pid, child_pid, master, ring, stash }))
            }
            ToServer::Failed(failure) => Ok(Some(LinkEvent::Failed(failure))),
            ToServer::Stashed(stash) => {
                self.stash = Some(stash);
                Ok(None)
            }
        }
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.connection.as_fd()
    }
}

impl AsRawFd for Link {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

/// Starts the keeper's process with its connection as standard input and the locked file as
/// standard output: the two descriptors that a plain spawn can hand over on every system.
fn start_process(
    command: &KeeperCommand,
    pane_dir: &Path,
    connection: UnixStream,
    alive: File,
) -> io::Result<Child> {
    let mut process = Command::new(&command.exe);
    if let Some(name) = &command.name {
        process.arg0(name);
    }
    if let Some(soft) = command.open_files {
        limit_open_files(&mut process, soft);
    }
    process
        .args(&command.args)
        .arg(pane_dir)
        .stdin(Stdio::from(OwnedFd::from(connection)))
        .stdout(Stdio::from(alive))
        .stderr(Stdio::null())
        .current_dir("/")
        .spawn()
}

/// Has a process started with this soft limit of open files; the hard one stays.
fn limit_open_files(process: &mut Command, soft: u64) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = Rlimit { current: Some(soft), ..getrlimit(Resource::Nofile) };
    #[expect(unsafe_code, reason = "what runs between fork and exec")]
    // SAFETY: one system call, no allocation, no lock.
    unsafe {
        process.pre_exec(move || Ok(setrlimit(Resource::Nofile, limit)?));
    }
}
