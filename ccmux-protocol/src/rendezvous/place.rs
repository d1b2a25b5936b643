//! Where the server of a given name lives.

use std::ffi::{OsStr, OsString};
use std::fs::{DirBuilder, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Component, Path, PathBuf, absolute};

use thiserror::Error;

use super::lock::LOCK;

const DEFAULT_NAME: &str = "default";

/// Where one server lives. Paths are absolute; nothing is created by resolving.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The name (`-L`), or one made from the socket path (`-S`).
    pub name: String,
    /// The directory of everything the server keeps.
    pub state_dir: PathBuf,
    /// The socket where clients reach it.
    pub socket: PathBuf,
}

/// What determines a [`Place`].
#[expect(missing_debug_implementations, reason = "holds a closure")]
pub struct PlaceOptions<'a> {
    /// `-L`.
    pub label: Option<&'a OsStr>,
    /// `-S`; goes before `label`.
    pub socket_path: Option<&'a Path>,
    /// Looks up a variable of the environment.
    pub env: &'a dyn Fn(&str) -> Option<OsString>,
    /// The user.
    pub uid: u32,
}

/// Why there is no usable place.
#[derive(Debug, Error)]
pub enum PlaceError {
    /// A name that cannot be a file name.
    #[error("invalid server name: {}", .0.display())]
    Name(OsString),
    /// Neither `$XDG_STATE_HOME` nor `$HOME` says where state belongs.
    #[error("neither HOME nor XDG_STATE_HOME is set to an absolute path")]
    NoHome,
    /// The path of `-S` does not name a file.
    #[error("invalid socket path: {}", .0.display())]
    SocketPath(PathBuf),
    /// A directory that others own or can enter.
    #[error("directory {} {reason}", path.display())]
    Unsafe {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it.
        reason: UnsafeReason,
    },
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

/// What is wrong with a directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum UnsafeReason {
    /// Not a directory.
    #[error("is not a directory")]
    NotADirectory,
    /// A symbolic link, that could be pointed elsewhere.
    #[error("is a symbolic link")]
    Symlink,
    /// Another user could change what is in it.
    #[error("belongs to another user (uid {uid})")]
    Owner {
        /// That user.
        uid: u32,
    },
    /// The permission bits let others in.
    #[error("has unsafe permissions ({mode:04o}, expected 0700)")]
    Mode {
        /// The permission bits.
        mode: u32,
    },
}

/// The log of the servers that keep their state in a directory.
pub fn server_log(state_dir: &Path) -> PathBuf {
    state_dir.join("server.log")
}

impl Place {
    /// Finds the place: `-S`, else `-L`, else the server whose pane we are in (`$CCMUX`), else the
    /// one named `default`.
    pub fn resolve(options: &PlaceOptions<'_>) -> Result<Place, PlaceError> {
        if let Some(path) = options.socket_path {
            return Place::at_socket(path, options);
        }
        if let Some(label) = options.label {
            return Place::named(label, options);
        }
        match (options.env)("CCMUX") {
            Some(value) if !value.is_empty() => Place::of_pane(&value, options),
            _ => Place::named(OsStr::new(DEFAULT_NAME), options),
        }
    }

    /// The log of the servers that live here.
    pub fn server_log(&self) -> PathBuf {
        server_log(&self.state_dir)
    }

    /// The place that a starter already resolved.
    pub fn at(state_dir: PathBuf, socket: PathBuf) -> Result<Place, PlaceError> {
        let name = file_name(state_dir.file_name().unwrap_or_default())?;
        Ok(Place { name, state_dir, socket })
    }

    /// The file whose lock makes a process the server of this place.
    pub fn lock_path(&self) -> PathBuf {
        self.state_dir.join(LOCK)
    }

    /// Creates the state directory and, where it is ours, the socket's directory; refuses them
    /// when others own or can enter them.
    pub fn prepare(&self, uid: u32) -> Result<(), PlaceError> {
        ensure_private_directory(&self.state_dir, uid)?;
        match self.socket.parent() {
            Some(parent) if self.owns_socket_dir() => ensure_private_directory(parent, uid),
            _ => Ok(()),
        }
    }

    /// Only the socket of a named server is called by its name; with `-S` the directory is the
    /// user's choice.
    fn owns_socket_dir(&self) -> bool {
        self.socket.file_name().is_some_and(|file| file == self.name.as_str())
    }

    fn named(label: &OsStr, options: &PlaceOptions<'_>) -> Result<Place, PlaceError> {
        let name = file_name(label)?;
        let state_dir = state_home(options)?.join(&name);
        let socket = runtime_dir(options).join(&name);
        Ok(Place { name, state_dir, socket })
    }

    fn at_socket(path: &Path, options: &PlaceOptions<'_>) -> Result<Place, PlaceError> {
        let invalid = || PlaceError::SocketPath(path.to_owned());
        let absolute = absolute(path).map_err(|_| invalid())?;
        let (Some(parent), Some(Component::Normal(file))) =
            (absolute.parent(), absolute.components().next_back())
        else {
            return Err(invalid());
        };
        // The socket itself may not exist yet, its directory must.
        let parent = parent
            .canonicalize()
            .map_err(|source| PlaceError::Io { path: parent.to_owned(), source })?;
        let socket = parent.join(file);
        let name = format!("socket-{:016x}", fnv1a(socket.as_os_str().as_bytes()));
        let state_dir = state_home(options)?.join(&name);
        Ok(Place { name, state_dir, socket })
    }

    /// `$CCMUX` is `socket,server pid,session`. A socket in a directory that looks like ours
    /// belongs to a named server, even if `$XDG_RUNTIME_DIR` differs in this pane: only the name
    /// leads back to the right state.
    fn of_pane(value: &OsStr, options: &PlaceOptions<'_>) -> Result<Place, PlaceError> {
        let socket = value.as_bytes().split(|&byte| byte == b',').next().unwrap_or_default();
        let socket = Path::new(OsStr::from_bytes(socket));
        let ours = |parent: &Path| {
            parent == runtime_dir(options)
                || parent.file_name().is_some_and(|name| {
                    name == "ccmux" || name == OsStr::new(&format!("ccmux-{}", options.uid))
                })
        };
        match (socket.parent(), socket.file_name()) {
            (Some(parent), Some(name)) if socket.is_absolute() && ours(parent) => {
                let place = Place::named(name, options)?;
                Ok(Place { socket: socket.to_owned(), ..place })
            }
            _ => Place::at_socket(socket, options),
        }
    }
}

/// Creates `path` with mode 0700 if it is missing, its parents too, and refuses it when it is not
/// a directory that only `uid` can enter.
pub fn ensure_private_directory(path: &Path, uid: u32) -> Result<(), PlaceError> {
    let io = |source| PlaceError::Io { path: path.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(path).or_else(|error| {
        // Something else in its place is judged below.
        if error.kind() == io::ErrorKind::AlreadyExists { Ok(()) } else { Err(io(error)) }
    })?;
    let metadata = path.symlink_metadata().map_err(io)?;
    match unsafe_reason(&metadata, uid) {
        Some(reason) => Err(PlaceError::Unsafe { path: path.to_owned(), reason }),
        None => Ok(()),
    }
}

fn unsafe_reason(metadata: &Metadata, uid: u32) -> Option<UnsafeReason> {
    let mode = metadata.mode() & 0o7777;
    if metadata.is_symlink() {
        Some(UnsafeReason::Symlink)
    } else if !metadata.is_dir() {
        Some(UnsafeReason::NotADirectory)
    } else if metadata.uid() != uid {
        Some(UnsafeReason::Owner { uid: metadata.uid() })
    } else if mode & 0o077 != 0 {
        Some(UnsafeReason::Mode { mode })
    } else {
        None
    }
}

/// `$XDG_STATE_HOME/ccmux`, by default `~/.local/state/ccmux`.
fn state_home(options: &PlaceOptions<'_>) -> Result<PathBuf, PlaceError> {
    let base = absolute_var(options, "XDG_STATE_HOME")
        .or_else(|| Some(absolute_var(options, "HOME")?.join(".local/state")));
    Ok(base.ok_or(PlaceError::NoHome)?.join("ccmux"))
}

/// `$XDG_RUNTIME_DIR/ccmux`, by default `/tmp/ccmux-UID`.
fn runtime_dir(options: &PlaceOptions<'_>) -> PathBuf {
    match absolute_var(options, "XDG_RUNTIME_DIR") {
        Some(base) => base.join("ccmux"),
        None => PathBuf::from(format!("/tmp/ccmux-{}", options.uid)),
    }
}

/// The base directory specification has relative paths ignored.
fn absolute_var(options: &PlaceOptions<'_>, name: &str) -> Option<PathBuf> {
    (options.env)(name).map(PathBuf::from).filter(|path| path.is_absolute())
}

fn file_name(label: &OsStr) -> Result<String, PlaceError> {
    match label.to_str() {
        Some(name)
            if !name.is_empty()
                && name.len() <= 128
                && !name.starts_with('.')
                && !name.contains(['/', '\0', ',']) =>
        {
            Ok(name.to_owned())
        }
        _ => Err(PlaceError::Name(label.to_owned())),
    }
}

/// FNV-1a, 64 bits: a name must be the same in every release, which `std`'s hasher is not.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
