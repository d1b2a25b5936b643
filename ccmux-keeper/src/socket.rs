//! The socket in a pane's directory, through which a server adopts a living keeper.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rustix::fs::Mode;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType};
use uuid::Uuid;

const NAME: &str = "keeper.sock";

/// The longest path that a socket address takes everywhere (macOS: 104 with the final NUL).
const ADDRESS_BYTES_MAX: usize = 103;

/// The pane's uuid: the name of its directory.
pub(crate) fn pane_uuid(pane_dir: &Path) -> io::Result<Uuid> {
    let name = pane_dir.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    Uuid::try_parse(name).map_err(|_| {
        let message = format!("not named by a pane's uuid: {}", pane_dir.display());
        io::Error::new(io::ErrorKind::InvalidInput, message)
    })
}

/// Listens in `pane_dir`, non-blocking. The caller holds the `alive` lock, so a socket that is
/// already there belongs to a keeper that is gone.
pub(crate) fn listen(pane_dir: &Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(pane_dir.join(NAME)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let address = Address::in_dir(pane_dir)?;
    let before = rustix::process::umask(Mode::RWXG | Mode::RWXO);
    let listener = UnixListener::bind(&address.path);
    rustix::process::umask(before);
    let listener = listener?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Connects to the keeper that listens in `pane_dir`, without ever waiting: a keeper that has not
/// got round to accepting is an error of kind `WouldBlock`.
pub(crate) fn connect(pane_dir: &Path) -> io::Result<UnixStream> {
    let address = Address::in_dir(pane_dir)?;
    let socket = rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
    rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&socket, true)?;
    rustix::net::connect(&socket, &SocketAddrUnix::new(&address.path)?)?;
    let stream = UnixStream::from(socket);
    check_peer(peer_uid(&stream)?)?;
    Ok(stream)
}

/// Refuses a peer that runs as another user.
pub(crate) fn check_peer(uid: Option<u32>) -> io::Result<()> {
    let own = rustix::process::geteuid().as_raw();
    match uid {
        Some(uid) if uid != own => {
            let message = format!("the peer runs as user {uid}, not {own}");
            Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
        }
        _ => Ok(()),
    }
}

/// The user the peer runs as.
#[cfg(target_os = "linux")]
pub(crate) fn peer_uid(stream: &UnixStream) -> io::Result<Option<u32>> {
    Ok(Some(rustix::net::sockopt::socket_peercred(stream)?.uid.as_raw()))
}

/// Not to be had without unsafe calls here; the socket lies in a directory of mode 0700, and it
/// is of mode 0600 itself.
#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "as its Linux twin")]
pub(crate) fn peer_uid(_stream: &UnixStream) -> io::Result<Option<u32>> {
    Ok(None)
}

/// A path to the socket that is short enough for a socket address.
struct Address {
    path: PathBuf,
    /// Keeps a path through `/proc/self/fd` valid.
    _directory: Option<OwnedFd>,
}

impl Address {
    fn in_dir(pane_dir: &Path) -> io::Result<Address> {
        let path = pane_dir.join(NAME);
        if path.as_os_str().len() <= ADDRESS_BYTES_MAX {
            return Ok(Address { path, _directory: None });
        }
        Address::through_descriptor(pane_dir)
    }

    #[cfg(target_os = "linux")]
    fn through_descriptor(pane_dir: &Path) -> io::Result<Address> {
        use std::os::fd::AsRawFd as _;

        use rustix::fs::OFlags;

        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = rustix::fs::open(pane_dir, flags, Mode::empty())?;
        let path = PathBuf::from(format!("/proc/self/fd/{}/{NAME}", directory.as_raw_fd()));
        Ok(Address { path, _directory: Some(directory) })
    }

    #[cfg(not(target_os = "linux"))]
    fn through_descriptor(pane_dir: &Path) -> io::Result<Address> {
        let message = format!(
            "{} is too long for a socket ({ADDRESS_BYTES_MAX} bytes); use a shorter state directory",
            pane_dir.join(NAME).display()
        );
        Err(io::Error::new(io::ErrorKind::InvalidInput, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Another user cannot be had in a test, so the credentials are given.
    #[test]
    fn a_peer_of_another_user_is_refused() {
        let own = rustix::process::geteuid().as_raw();
        assert!(check_peer(Some(own)).is_ok());
        let error = check_peer(Some(own + 1)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        assert!(error.to_string().contains(&format!("user {}", own + 1)), "{error}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_path_longer_than_a_socket_address_works() {
        let temporary = tempfile::TempDir::new().unwrap();
        let mut dir = temporary.path().to_owned();
        while dir.as_os_str().len() < 300 {
            dir.push("a-directory-with-a-long-name");
        }
        std::fs::create_dir_all(&dir).unwrap();
        let listener = listen(&dir).unwrap();
        let stream = connect(&dir).unwrap();
        let (peer, _) = listener.accept().unwrap();
        assert_eq!(peer_uid(&peer).unwrap(), peer_uid(&stream).unwrap());
        // A second keeper takes the place over.
        drop(listener);
        assert_eq!(connect(&dir).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        let _listener = super::listen(&dir).unwrap();
        connect(&dir).unwrap();
    }
}
