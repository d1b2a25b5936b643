//! What a server is given by whoever starts it.
//!
//! The command line is private between [`Surroundings::launch`], which writes it, and
//! [`ServerTask::parse`], which reads it:
//!
//! ```text
//! ccmux server --state-dir DIR --socket PATH [-f CONFIG]... [--lock-fd N --ready-fd N]
//!     [--note TEXT] [--stop] [--prove]
//! ```
//!
//! Without the descriptors (started by hand, or by a service manager) the server takes the lock
//! itself and reports to nobody; without directory and socket it resolves its place like a client.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Write as _;
use std::os::fd::{FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use bstr::{BString, ByteSlice as _};
use thiserror::Error;

use super::handover::Proof;
use super::lock::{LockError, LockOutcome};
use super::start::to_path;
use super::{Launch, LockedFile, Place, PlaceError, PlaceOptions, lock_or_holder};

const SERVER: &str = "server";
const STATE_DIR: &str = "--state-dir";
const SOCKET: &str = "--socket";
const CONFIG: &str = "-f";
pub(super) const LOCK_FD: &str = "--lock-fd";
pub(super) const READY_FD: &str = "--ready-fd";
pub(super) const NOTE: &str = "--note";
pub(super) const PROVE: &str = "--prove";
pub(super) const STOP: &str = "--stop";

/// The process that we are, as far as a server inherits it. Read once, by the executable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Surroundings {
    /// The executable.
    pub exe: PathBuf,
    /// The environment.
    pub env: Vec<(OsString, OsString)>,
    /// The working directory.
    pub cwd: PathBuf,
    /// The user.
    pub uid: u32,
}

/// What a server needs to run.
#[derive(Debug)]
pub struct ServerArgs {
    /// Where it lives. Its directories exist and are private.
    pub place: Place,
    /// Its lock, held.
    pub lock: LockedFile,
    /// Where it reports that it listens, or why it does not.
    pub ready: Option<ReadyPipe>,
    /// What is to be told to whoever attaches first.
    pub note: Option<String>,
    /// It was told to stop while another server was to take over, and stops as soon as it serves.
    pub was_told_to_stop: bool,
    /// The configuration files of `-f`; empty means the default ones.
    pub config_files: Vec<PathBuf>,
    /// How to start it again, for [`Registration::launch`](super::Registration::launch).
    pub launch: Launch,
}

/// What a process that is called as a server is to do.
#[derive(Debug)]
pub enum ServerTask {
    /// Serve.
    Serve(ServerArgs),
    /// Recover the state of this place in memory, change nothing, and report on it.
    Prove(Place, ReadyPipe),
}

/// Why a server cannot run with its arguments.
#[derive(Debug, Error)]
pub enum ServerArgsError {
    /// Not the command line of a server.
    #[error(
        "{0}\nusage: ccmux server [-L NAME | -S PATH | --state-dir DIR --socket PATH] [-f CONFIG]..."
    )]
    Usage(String),
    /// No usable place.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// No lock.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// Another server is there.
    #[error("a server is already running on {}{}", socket.display(), of_process(*pid))]
    AlreadyRunning {
        /// Its socket.
        socket: PathBuf,
        /// Its process, if it has registered.
        pid: Option<u32>,
    },
}

impl Surroundings {
    /// How to start a server at `place` with this executable and environment.
    pub fn launch(&self, place: &Place, config_files: &[PathBuf]) -> Launch {
        let mut args = vec![OsStr::new(SERVER), OsStr::new(STATE_DIR), place.state_dir.as_os_str()];
        args.extend([OsStr::new(SOCKET), place.socket.as_os_str()]);
        for file in config_files {
            args.extend([OsStr::new(CONFIG), file.as_os_str()]);
        }
        Launch {
            exe: bytes(self.exe.as_os_str()),
            args: args.into_iter().map(bytes).collect(),
            env: self.env.iter().map(|(name, value)| (bytes(name), bytes(value))).collect(),
            cwd: bytes(self.cwd.as_os_str()),
        }
    }

    /// A variable of the environment.
    pub fn env(&self, name: &str) -> Option<OsString> {
        self.env.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }

    /// The place of the server that a client with these flags wants.
    pub fn resolve(
        &self,
        label: Option<&OsStr>,
        socket_path: Option<&Path>,
    ) -> Result<Place, PlaceError> {
        let env = |name: &str| self.env(name);
        Place::resolve(&PlaceOptions { label, socket_path, env: &env, uid: self.uid })
    }
}

impl Launch {
    /// Whether it starts a server that this is the lock of, whatever path leads there.
    pub(super) fn is_for(&self, lock: &LockedFile) -> bool {
        self.argument(STATE_DIR).is_none_or(|state_dir| lock.is_in(state_dir))
    }

    /// The socket of the server that it starts.
    pub(super) fn socket(&self) -> Option<&Path> {
        self.argument(SOCKET)
    }

    fn argument(&self, name: &str) -> Option<&Path> {
        let at = self.args.iter().position(|arg| arg == name)?;
        self.args.get(at + 1).map(|value| to_path(value.as_bstr()))
    }
}

impl ServerTask {
    /// Reads what follows the word `server`, creates the directories and takes the lock, or takes
    /// it over from the starter. To be called once, early: the descriptors named by the arguments
    /// become ours.
    pub fn parse(
        args: impl IntoIterator<Item = OsString>,
        surroundings: &Surroundings,
    ) -> Result<ServerTask, ServerArgsError> {
        let words = Words::read(args)?;
        // First of all, so that every later failure is reported to the starter.
        let ready = words.ready_fd.map(take_descriptor).transpose()?;
        let mut ready = ready.map(|fd| ReadyPipe(File::from(fd)));
        words.task(surroundings, &mut ready).inspect_err(|error| {
            if let Some(ready) = ready.take() {
                ready.fail(&error.to_string());
            }
        })
    }
}

/// The pipe on which a server reports to its starter.
#[derive(Debug)]
pub struct ReadyPipe(File);

impl ReadyPipe {
    /// Reports that the server listens. The starter may be gone, which is not our concern.
    pub fn ok(mut self) {
        let _ = self.0.write_all(b"ok\n");
    }

    /// Reports a proof.
    pub fn proven(mut self, proof: &Proof) {
        let text =
            serde_json::to_vec(proof).expect("BUG: a proof has nothing that JSON cannot hold");
        let _ = self.0.write_all(&text);
    }

    /// Reports why there will be no server.
    pub fn fail(mut self, message: &str) {
        let _ = self.0.write_all(message.as_bytes());
    }
}

/// The command line, taken apart.
#[derive(Default)]
struct Words {
    label: Option<OsString>,
    socket_path: Option<PathBuf>,
    state_dir: Option<PathBuf>,
    socket: Option<PathBuf>,
    lock_fd: Option<RawFd>,
    ready_fd: Option<RawFd>,
    config_files: Vec<PathBuf>,
    note: Option<String>,
    is_proof: bool,
    was_told_to_stop: bool,
}

impl Words {
    fn read(args: impl IntoIterator<Item = OsString>) -> Result<Words, ServerArgsError> {
        let mut words = Words::default();
        let mut args = args.into_iter();
        while let Some(flag) = args.next() {
            let usage = |what: &str| ServerArgsError::Usage(format!("{}: {what}", flag.display()));
            let mut value = || args.next().ok_or_else(|| usage("a value is missing"));
            match flag.to_str() {
                Some("-L") => words.label = Some(value()?),
                Some("-S") => words.socket_path = Some(value()?.into()),
                Some(STATE_DIR) => words.state_dir = Some(value()?.into()),
                Some(SOCKET) => words.socket = Some(value()?.into()),
                Some(CONFIG) => words.config_files.push(value()?.into()),
                Some(LOCK_FD) => words.lock_fd = Some(descriptor(&value()?)?),
                Some(READY_FD) => words.ready_fd = Some(descriptor(&value()?)?),
                Some(NOTE) => words.note = Some(value()?.to_string_lossy().into_owned()),
                Some(PROVE) => words.is_proof = true,
                Some(STOP) => words.was_told_to_stop = true,
                _ => return Err(usage("unknown argument")),
            }
        }
        Ok(words)
    }

    fn task(
        self,
        surroundings: &Surroundings,
        ready: &mut Option<ReadyPipe>,
    ) -> Result<ServerTask, ServerArgsError> {
        let place = match (self.state_dir, self.socket) {
            (Some(state_dir), Some(socket)) => Place::at(state_dir, socket)?,
            (None, None) => {
                surroundings.resolve(self.label.as_deref(), self.socket_path.as_deref())?
            }
            _ => {
                let message = format!("{STATE_DIR} and {SOCKET} go together");
                return Err(ServerArgsError::Usage(message));
            }
        };
        if self.is_proof {
            let missing = || ServerArgsError::Usage(format!("{PROVE} goes with {READY_FD}"));
            return Ok(ServerTask::Prove(place, ready.take().ok_or_else(missing)?));
        }
        place.prepare(surroundings.uid)?;
        let lock = match self.lock_fd {
            None => take_lock(&place)?,
            Some(fd) => {
                // A session of its own, so that what ends the starter's terminal ends no server.
                // Fails only for the leader of a process group, which has no such terminal.
                let _ = rustix::process::setsid();
                LockedFile::inherited(&place, take_descriptor(fd)?)?
            }
        };
        let launch = surroundings.launch(&place, &self.config_files);
        let Words { config_files, note, was_told_to_stop, .. } = self;
        let ready = ready.take();
        Ok(ServerTask::Serve(ServerArgs {
            place,
            lock,
            ready,
            note,
            was_told_to_stop,
            config_files,
            launch,
        }))
    }
}

fn take_lock(place: &Place) -> Result<LockedFile, ServerArgsError> {
    match lock_or_holder(place)? {
        LockOutcome::Locked(lock) => Ok(lock),
        LockOutcome::Held(holder) => Err(ServerArgsError::AlreadyRunning {
            socket: place.socket.clone(),
            pid: holder.map(|registration| registration.pid),
        }),
    }
}

fn descriptor(value: &OsStr) -> Result<RawFd, ServerArgsError> {
    let number = value.to_str().and_then(|text| text.parse::<RawFd>().ok());
    number
        .filter(|fd| *fd > 2)
        .ok_or_else(|| ServerArgsError::Usage(format!("not a descriptor: {}", value.display())))
}

/// Takes over a descriptor that the starter passed on, and keeps it from programs started later.
#[expect(unsafe_code, reason = "a number on the command line is all there is of the descriptor")]
fn take_descriptor(fd: RawFd) -> Result<OwnedFd, ServerArgsError> {
    // SAFETY: `fcntl` on a number that may not be open does no harm and says so.
    let borrowed = unsafe { std::os::fd::BorrowedFd::borrow_raw(fd) };
    rustix::io::fcntl_setfd(borrowed, rustix::io::FdFlags::CLOEXEC)
        .map_err(|_| ServerArgsError::Usage(format!("descriptor {fd} is not open")))?;
    // SAFETY: the descriptor is open, and passed on for us to own: nothing else in this process
    // was told its number.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn bytes(text: &OsStr) -> BString {
    BString::from(text.as_bytes())
}

fn of_process(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
}
