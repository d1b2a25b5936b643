//! Starting a server, exactly once.
//!
//! Whoever holds the lock may start; the started program inherits the lock. Losers of the race
//! wait for the socket, watching that the lock stays held: if the winner's server dies before it
//! listens, the lock comes free and the next of them is the winner.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use bstr::{BStr, ByteSlice as _};
use command_fds::CommandFdExt as _;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{FdFlags, fcntl_setfd};
use thiserror::Error;

use super::connect::{ConnectError, connect};
use super::lock::{
    LOCK, Launch, LockError, LockOutcome, LockedFile, Registration, lock_or_holder,
    lock_or_holder_at,
};
use super::place::UnsafeReason;
use super::server_args::{LOCK_FD, READY_FD};
use super::{Patience, Place, PlaceError};

/// Servers that may die before they listen, until a starter gives up. More than one, because
/// recovery sets aside what it died of twice.
const DEATHS_MAX: u32 = 5;
/// What is read of a server's report.
const REPORT_BYTES_MAX: u64 = 64 * 1024;

/// Why there is no server.
#[derive(Debug, Error)]
pub enum StartError {
    /// No usable place.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// No usable lock file.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The socket cannot be used.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The program cannot be executed.
    #[error("cannot start the server {}: {source}", exe.display())]
    Spawn {
        /// The program.
        exe: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The server says why it does not run.
    #[error("the server did not start: {message}")]
    Failed {
        /// What it said.
        message: String,
    },
    /// The server ended without a word.
    #[error("the server ended before it was ready ({status})")]
    Died {
        /// How it ended.
        status: ExitStatus,
    },
    /// The program said nothing in time, and was ended.
    #[error("it said nothing for {} seconds", limit.as_secs())]
    Silent {
        /// How long it was given.
        limit: Duration,
    },
    /// Somebody holds the lock, but nobody listens.
    #[error("{} holds the lock on {} but does not answer on {}", holder(*pid), state_dir.display(), socket.display())]
    Timeout {
        /// The state directory.
        state_dir: PathBuf,
        /// The socket.
        socket: PathBuf,
        /// The process that registered last.
        pid: Option<u32>,
    },
}

impl StartError {
    fn timeout(place: &Place, pid: Option<u32>) -> Self {
        let Place { state_dir, socket, .. } = place.clone();
        StartError::Timeout { state_dir, socket, pid }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            StartError::Timeout { pid: Some(pid), .. } => {
                Some(format!("kill -USR1 {pid} makes a server bind its socket again"))
            }
            StartError::Connect(error) => error.hint(),
            StartError::Place(PlaceError::Unsafe { path, reason: UnsafeReason::Mode { .. } }) => {
                let path = path.display();
                Some(format!("if nobody has put anything there, chmod 700 {path} makes it usable"))
            }
            _ => None,
        }
    }
}

/// A connection, and whether it took starting a server. The kernel closes the descriptors of a
/// killed process one after the other, so this may be the backlog of a server that is no more:
/// only an answer shows that there is one, and who gets none connects again.
#[derive(Debug)]
pub struct Connected {
    /// The connection.
    pub stream: UnixStream,
    /// Whether this call started the server.
    pub started: bool,
}

/// Connects to the server of `place`; if there is none, starts one. Gives up when ten seconds pass
/// without a sign of one.
///
/// A server that continues another is started as that one was registered, the first one as
/// `fallback` says.
pub fn connect_or_start(place: &Place, fallback: &Launch) -> Result<Connected, StartError> {
    connect_or(place, fallback, |_| true)
}

/// Like [`connect_or_start`], but starts a server only if it continues another, which vanished or
/// was stopped. After an end that left nothing, or if there never was one, that is
/// [`ConnectError::NotRunning`].
pub fn connect_or_continue(place: &Place, fallback: &Launch) -> Result<Connected, StartError> {
    connect_or(place, fallback, |last| last.is_some_and(|registration| !registration.ended))
}

fn connect_or(
    place: &Place,
    fallback: &Launch,
    may_start: impl Fn(Option<Registration>) -> bool,
) -> Result<Connected, StartError> {
    let mut patience = Patience::new();
    let mut deaths = 0;
    let mut started = false;
    loop {
        let not_running = match connect(place) {
            Ok(stream) => return Ok(Connected { stream, started }),
            Err(error @ ConnectError::NotRunning { .. }) => error,
            Err(error) => return Err(error.into()),
        };
        let mut holder = None;
        match lock_or_holder(place)? {
            LockOutcome::Held(registration) => holder = registration.map(|holder| holder.pid),
            LockOutcome::Locked(mut lock) => {
                if !may_start(lock.registration()) {
                    return Err(not_running.into());
                }
                match start_server(place, lock, fallback) {
                    // It may have been killed again already.
                    Ok(()) => match connect(place) {
                        Ok(stream) => return Ok(Connected { stream, started: true }),
                        Err(_) => started = true,
                    },
                    Err(StartError::Died { .. }) if deaths < DEATHS_MAX => deaths += 1,
                    Err(error) => return Err(error),
                }
            }
        }
        if !patience.pause() {
            return Err(StartError::timeout(place, holder));
        }
    }
}

/// Starts a server with the lock that we hold, and waits until it listens.
pub fn start_server(place: &Place, lock: LockedFile, fallback: &Launch) -> Result<(), StartError> {
    spawn_server(lock, fallback)?.wait(place)
}

/// What became of [`revive`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Revival {
    /// Somebody holds the lock: a server, one being started, or one that is just dying. So whoever
    /// is still without a server asks again later.
    Present,
    /// This call started a server. The caller reaps it, as any child.
    Started,
    /// No server has registered, so nobody knows how to start one.
    Unregistered,
}

/// Gets the server of a state directory going again unless one is there, and does not wait for
/// it. `exe` is for when the executable that the last one registered is gone.
pub fn revive(state_dir: &Path, exe: &Path) -> Result<Revival, StartError> {
    match lock_or_holder_at(state_dir.join(LOCK))? {
        LockOutcome::Held(_) => Ok(Revival::Present),
        LockOutcome::Locked(mut lock) => {
            let registration = lock.registration();
            let Some(registration) = registration.filter(|last| last.launch.is_for(&lock)) else {
                return Ok(Revival::Unregistered);
            };
            let fallback =
                Launch { exe: exe.as_os_str().as_bytes().into(), ..registration.launch.clone() };
            spawn_first_of(&lock, &[&registration.launch, &fallback])?;
            Ok(Revival::Started)
        }
    }
}

/// Starts a server with the lock that we hold, and does not wait: as the last one was registered,
/// if it has not [`ended`](Registration::ended) and its executable still exists, else as
/// `fallback` says. A state directory that was moved or copied, or is reached by another socket now, is
/// not where that one would serve.
pub fn spawn_server(mut lock: LockedFile, fallback: &Launch) -> Result<Starting, StartError> {
    let registration = lock.registration();
    let wanted = fallback.socket();
    let is_here = |launch: &Launch| {
        launch.is_for(&lock) && launch.socket().is_none_or(|socket| Some(socket) == wanted)
    };
    let continued = registration.filter(|last| !last.ended && is_here(&last.launch));
    match continued {
        None => spawn(&lock, fallback),
        Some(registration) => spawn_first_of(&lock, &[&registration.launch, fallback]),
    }
    // Our copy of the lock closes here; the server has had its own since it was forked.
}

/// A server that was started and has not reported yet.
#[derive(Debug)]
pub struct Starting {
    child: Child,
    ready: OwnedFd,
}

impl Starting {
    /// The program's process id.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the server listens, or says or shows that it never will.
    pub fn wait(self, place: &Place) -> Result<(), StartError> {
        let Starting { mut child, ready } = self;
        let Some(report) = read_report(ready, &Patience::new()) else {
            let error = StartError::timeout(place, Some(child.id()));
            reap(child);
            return Err(error);
        };
        if report == "ok" {
            reap(child);
            return Ok(());
        }
        // Either it said what is wrong and ends, or the pipe closed because it ended. Once it is gone
        // the lock is free for whoever tries again.
        let wait_failed = |source| StartError::Spawn { exe: PathBuf::new(), source };
        let status = child.wait().map_err(wait_failed)?;
        match report.is_empty() {
            true => Err(StartError::Died { status }),
            false => Err(StartError::Failed { message: report }),
        }
    }

    /// What `understand` makes of the program's report, which has to come within `limit`. Otherwise
    /// the program is gone when the error is returned.
    pub(super) fn report_within<T>(
        self,
        limit: Duration,
        understand: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, StartError> {
        let Starting { mut child, ready } = self;
        let report = read_report(ready, &Patience::of(limit));
        if let Some(understood) = report.as_deref().and_then(understand) {
            reap(child);
            return Ok(understood);
        }
        // It has ended, or is about to, or is good for nothing.
        let _ = child.kill();
        let wait_failed = |source| StartError::Spawn { exe: PathBuf::new(), source };
        let status = child.wait().map_err(wait_failed)?;
        Err(match report {
            None => StartError::Silent { limit },
            Some(report) if report.is_empty() => StartError::Died { status },
            Some(message) => StartError::Failed { message },
        })
    }
}

/// Starts the first program that is there and can be executed.
fn spawn_first_of(lock: &LockedFile, launches: &[&Launch]) -> Result<Starting, StartError> {
    let mut result = None;
    for launch in launches {
        match spawn(lock, launch) {
            Ok(starting) => return Ok(starting),
            Err(error) => result = Some(error),
        }
    }
    Err(result.expect("BUG: nothing to start"))
}

pub(super) fn spawn(lock: &LockedFile, launch: &Launch) -> Result<Starting, StartError> {
    execute(Some(lock.duplicate()?), launch)
}

/// Starts a program that proves something, without the lock.
pub(super) fn spawn_proof(launch: &Launch) -> Result<Starting, StartError> {
    execute(None, launch)
}

fn execute(lock: Option<OwnedFd>, launch: &Launch) -> Result<Starting, StartError> {
    let exe = to_path(launch.exe.as_bstr());
    let failed = |source| StartError::Spawn { exe: exe.to_owned(), source };
    keep_strangers_from_children();
    // Both ends are closed in whatever is executed meanwhile.
    let (ready, theirs) = std::io::pipe().map_err(failed)?;
    let (ready, theirs) = (OwnedFd::from(ready), OwnedFd::from(theirs));
    let os = OsStr::from_bytes;
    let mut command = Command::new(exe);
    command.args(launch.args.iter().map(|arg| os(arg)));
    if let Some(lock) = &lock {
        command.arg(LOCK_FD).arg(lock.as_raw_fd().to_string());
    }
    command
        .arg(READY_FD)
        .arg(theirs.as_raw_fd().to_string())
        .env_clear()
        .envs(launch.env.iter().map(|(name, value)| (os(name), os(value))))
        .current_dir(directory_or_root(to_path(launch.cwd.as_bstr())))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // The descriptors keep their numbers. Moving them to fixed ones could overwrite the pipe
        // on which `Command` reports a failed exec.
        .preserved_fds(lock.into_iter().chain([theirs]).collect());
    // Dropping `command` closes our copies of what the server inherited.
    let child = command.spawn().map_err(failed)?;
    Ok(Starting { child, ready })
}

/// Marks every descriptor close-on-exec that we were given open, by a shell's redirection say: a
/// server would hold it for days, and whoever waits for its end would wait as long.
fn keep_strangers_from_children() {
    let listed = std::fs::read_dir("/dev/fd").into_iter().flatten().flatten();
    let numbers = listed.filter_map(|entry| entry.file_name().to_str()?.parse::<RawFd>().ok());
    for number in numbers.filter(|number| *number > 2) {
        #[expect(unsafe_code, reason = "descriptors that no value owns")]
        // SAFETY: the descriptor is not closed, and it need not be open: then the call fails.
        let stranger = unsafe { BorrowedFd::borrow_raw(number) };
        let _ = fcntl_setfd(stranger, FdFlags::CLOEXEC);
    }
}

/// The report without its line end; empty if the pipe closed without one; `None` when patience
/// ran out.
fn read_report(ready: OwnedFd, patience: &Patience) -> Option<String> {
    let mut report = Vec::new();
    let mut pipe = File::from(ready).take(REPORT_BYTES_MAX);
    loop {
        let mut fds = [PollFd::new(pipe.get_ref(), PollFlags::IN)];
        let left = Timespec::try_from(patience.left()).expect("seconds fit");
        match poll(&mut fds, Some(&left)) {
            Ok(0) => return None,
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => break,
        }
        let mut piece = [0; 4096];
        match pipe.read(&mut piece) {
            Ok(0) | Err(_) => break,
            Ok(n) => report.extend_from_slice(&piece[..n]),
        }
    }
    Some(report.to_str_lossy().trim_end().to_owned())
}

/// Takes the exit status of a server, whenever that is: a starter that lives on (an attached
/// client, a keeper) must not keep a zombie.
fn reap(mut child: Child) {
    // Without a thread the zombie stays until this process ends; nothing worse.
    let _ = thread::Builder::new()
        .name("reap".into())
        .stack_size(64 * 1024)
        .spawn(move || child.wait());
}

fn directory_or_root(cwd: &Path) -> &Path {
    if cwd.is_dir() { cwd } else { Path::new("/") }
}

pub(super) fn to_path(bytes: &BStr) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "somebody".to_owned(), |pid| format!("process {pid}"))
}
