//! The socket: binding it and connecting to it, at paths of any length.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use bstr::ByteSlice as _;
use rustix::process::getuid;
use thiserror::Error;

use super::lock::{LockOutcome, Registration, lock_or_holder, registration};
use super::start::to_path;
use super::{Patience, Place};

/// Why there is no connection.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// Nobody listens there.
    #[error("no server running on {}", socket.display())]
    NotRunning {
        /// The socket.
        socket: PathBuf,
    },
    /// The socket, or who answers on it, belongs to somebody else.
    #[error("{} belongs to another user (uid {uid})", socket.display())]
    Owner {
        /// The socket.
        socket: PathBuf,
        /// Whose it is.
        uid: u32,
    },
    /// Somebody listens there and takes no connection, for as long as anybody waits.
    #[error("the server on {} does not take connections", socket.display())]
    Busy {
        /// The socket.
        socket: PathBuf,
        /// The process that registered last.
        pid: Option<u32>,
    },
    /// The operating system refused.
    #[error("error connecting to {} ({source})", socket.display())]
    Io {
        /// The socket.
        socket: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

impl ConnectError {
    /// What a person can do about it.
    pub(super) fn hint(&self) -> Option<String> {
        match self {
            ConnectError::Busy { pid: Some(pid), .. } => {
                Some(format!("if it was stopped, kill -CONT {pid} makes it go on"))
            }
            _ => None,
        }
    }
}

/// Connects to the server of `place`. Refuses one of another user, who would get to see the
/// environment and everything typed. A server that takes no connections, because it was stopped and
/// more clients wait for it than can, is given ten seconds.
///
/// Who has another runtime directory than the server, or none, looks for another socket: the lock file
/// of the state directory says where that is.
pub fn connect(place: &Place) -> Result<UnixStream, ConnectError> {
    let error = match connect_within(place, Patience::new()) {
        Err(error @ ConnectError::NotRunning { .. }) => error,
        result => return result,
    };
    registered_elsewhere(place)
        .and_then(|elsewhere| connect_within(&elsewhere, Patience::new()).ok())
        .ok_or(error)
}

/// Where the server of this state directory listens, if there is one and that is not where `place` says.
fn registered_elsewhere(place: &Place) -> Option<Place> {
    let is_elsewhere = |last: &Registration| to_path(last.socket.as_bstr()) != place.socket;
    registration(&place.state_dir).filter(is_elsewhere)?;
    // Where the last one listened may be the server of another state directory by now.
    match lock_or_holder(place) {
        Ok(LockOutcome::Held(holder)) => {
            let socket = to_path(holder.filter(is_elsewhere)?.socket.as_bstr()).to_owned();
            Some(Place { socket, ..place.clone() })
        }
        _ => None,
    }
}

/// Like [`connect`], for who has only so much patience.
pub fn connect_within(place: &Place, mut patience: Patience) -> Result<UnixStream, ConnectError> {
    let socket = &place.socket;
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            ConnectError::NotRunning { socket: socket.clone() }
        }
        io::ErrorKind::WouldBlock => {
            let pid = registration(&place.state_dir).map(|server| server.pid);
            ConnectError::Busy { socket: socket.clone(), pid }
        }
        _ => ConnectError::Io { socket: socket.clone(), source },
    };
    let owned_by_us = |uid: u32| {
        let ours = uid == getuid().as_raw();
        if ours { Ok(()) } else { Err(ConnectError::Owner { socket: socket.clone(), uid }) }
    };
    owned_by_us(fs::symlink_metadata(socket).map_err(failed)?.uid())?;
    let stream = with_short_address(socket, |address| connect_patiently(address, &mut patience))
        .map_err(failed)?;
    match peer_uid(&stream).map_err(failed)? {
        Some(uid) => owned_by_us(uid).map(|()| stream),
        None => Ok(stream),
    }
}

/// Connects without waiting in the kernel, which would wait without end for room in the backlog,
/// and no event tells of it. `WouldBlock` if there is none before patience runs out.
#[cfg(target_os = "linux")]
fn connect_patiently(address: &SocketAddr, patience: &mut Patience) -> io::Result<UnixStream> {
    use rustix::io::Errno;
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

    let path = address.as_pathname().ok_or(io::ErrorKind::InvalidInput)?;
    let address = SocketAddrUnix::new(path)?;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    loop {
        match rustix::net::connect(&socket, &address) {
            Ok(()) => break,
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) if patience.pause() => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    let stream = UnixStream::from(socket);
    stream.set_nonblocking(false)?;
    Ok(stream)
}

/// Elsewhere a full backlog refuses at once.
#[cfg(not(target_os = "linux"))]
fn connect_patiently(address: &SocketAddr, _patience: &mut Patience) -> io::Result<UnixStream> {
    UnixStream::connect_addr(address)
}

/// Binds the socket of `place` with mode 0600, replacing what a vanished server left there. Only
/// for the holder of the lock, as is removing the socket at an orderly end.
pub fn bind(place: &Place) -> io::Result<UnixListener> {
    match fs::remove_file(&place.socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = with_short_address(&place.socket, UnixListener::bind_addr)?;
    // Until here the mode is what the umask leaves. The directory is private (or, with `-S`, the
    // user's choice), and the server checks the user of every peer.
    fs::set_permissions(&place.socket, Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// The user at the other end; `None` where the system does not say (outside Linux), where the
/// modes of socket and directory keep others out.
pub fn peer_uid(stream: &UnixStream) -> io::Result<Option<u32>> {
    #[cfg(target_os = "linux")]
    {
        let credentials = rustix::net::sockopt::socket_peercred(stream)?;
        Ok(Some(credentials.uid.as_raw()))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = stream;
        Ok(None)
    }
}

/// Calls `action` with an address that leads to `path`. A path longer than the system's socket
/// addresses (108 bytes on Linux) goes by way of a descriptor of its directory.
fn with_short_address<T>(
    path: &Path,
    action: impl FnOnce(&SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    match SocketAddr::from_pathname(path) {
        Ok(address) => action(&address),
        Err(error) => through_directory(path, error, action),
    }
}

#[cfg(target_os = "linux")]
fn through_directory<T>(
    path: &Path,
    error: io::Error,
    action: impl FnOnce(&SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    use std::os::fd::AsRawFd as _;

    use rustix::fs::{Mode, OFlags};

    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Err(error) };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = rustix::fs::open(parent, flags, Mode::empty())?;
    let short = Path::new("/proc/self/fd").join(directory.as_raw_fd().to_string()).join(name);
    action(&SocketAddr::from_pathname(short)?)
}

#[cfg(not(target_os = "linux"))]
fn through_directory<T>(
    path: &Path,
    _error: io::Error,
    _action: impl FnOnce(&SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    let message = format!("socket path too long: {}", path.display());
    Err(io::Error::new(io::ErrorKind::InvalidInput, message))
}
