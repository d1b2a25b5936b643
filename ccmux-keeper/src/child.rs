//! The program in a pane: what to start, and starting it on a pseudo-terminal.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use bstr::BString;
use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;
use rustix::termios::Winsize;

use crate::ring::WindowSize;

/// A program to start in a pane.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChildSpec {
    /// The program, looked up in the `PATH` of [`env`](Self::env) if it has no slash, and its
    /// arguments. Not empty.
    pub argv: Vec<BString>,
    /// What the program is told as its own name, if not `argv[0]` (`-bash` for a login shell).
    pub argv0: Option<BString>,
    /// The complete environment; nothing is inherited.
    pub env: Vec<(BString, BString)>,
    /// The directory to start in. Where it cannot be entered, `$HOME` is tried, then `/`.
    pub cwd: Option<BString>,
    /// The size of the pane.
    pub size: WindowSize,
    /// Where the pane's stream goes on: 0 for a new pane, or how much earlier programs in it had
    /// printed. Offsets in the ring count from here.
    pub stream_offset: u64,
    /// The `oom_score_adj` for keeper and program, on systems that have one.
    pub oom_score_adj: Option<i32>,
}

/// Sets the size of a pane's pty; the program is told by SIGWINCH when it changes.
pub fn set_window_size(master: &OwnedFd, size: WindowSize) -> io::Result<()> {
    let WindowSize { rows, cols, width_px, height_px } = size;
    let winsize = Winsize { ws_row: rows, ws_col: cols, ws_xpixel: width_px, ws_ypixel: height_px };
    Ok(rustix::termios::tcsetwinsize(master, winsize)?)
}

/// A fresh pty of the given size: its master, non-blocking, and the terminal side.
///
/// Non-blocking is a property of the open file, so it holds for every descriptor of this master,
/// in whatever process.
pub(crate) fn open_pty(size: WindowSize) -> io::Result<(OwnedFd, OwnedFd)> {
    let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    rustix::io::fcntl_setfd(&master, rustix::io::FdFlags::CLOEXEC)?;
    rustix::pty::grantpt(&master)?;
    rustix::pty::unlockpt(&master)?;
    let name = rustix::pty::ptsname(&master, Vec::new())?;
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let terminal = rustix::fs::open(name.as_c_str(), flags, Mode::empty())?;
    set_utf8(&terminal)?;
    set_window_size(&master, size)?;
    rustix::io::ioctl_fionbio(&master, true)?;
    Ok((master, terminal))
}

/// Makes the line discipline erase whole characters instead of bytes.
fn set_utf8(terminal: &OwnedFd) -> io::Result<()> {
    use rustix::termios::{InputModes, OptionalActions, tcgetattr, tcsetattr};
    let mut attributes = tcgetattr(terminal)?;
    attributes.input_modes |= InputModes::IUTF8;
    Ok(tcsetattr(terminal, OptionalActions::Now, &attributes)?)
}

/// Starts the program as leader of a new session with `terminal` as its controlling terminal;
/// returns its process id. Every other descriptor of this process must be close-on-exec, and
/// every signal it ignores must be ignored by a handler, which an exec resets.
pub(crate) fn spawn(spec: &ChildSpec, terminal: OwnedFd) -> io::Result<u32> {
    let [program, arguments @ ..] = spec.argv.as_slice() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "no program is named"));
    };
    let mut command = Command::new(OsStr::from_bytes(program));
    command.args(arguments.iter().map(|argument| OsStr::from_bytes(argument)));
    if let Some(argument) = &spec.argv0 {
        command.arg0(OsStr::from_bytes(argument));
    }
    command.env_clear();
    command.envs(
        spec.env.iter().map(|(name, value)| (OsStr::from_bytes(name), OsStr::from_bytes(value))),
    );
    command.stdin(terminal.try_clone()?).stdout(terminal.try_clone()?).stderr(terminal);
    #[expect(unsafe_code, reason = "what runs between fork and exec")]
    // SAFETY: two system calls, no allocation, no lock.
    unsafe {
        command.pre_exec(|| {
            rustix::process::setsid()?;
            Ok(rustix::process::ioctl_tiocsctty(rustix::stdio::stdin())?)
        });
    }
    enter_start_directory(spec)?;
    let child = command.spawn();
    // Only so that the keeper does not pin a file system; no reason to disown the program.
    let _ = rustix::process::chdir("/");
    Ok(child?.id())
}

/// Enters the first directory that lets us, for the child to inherit.
fn enter_start_directory(spec: &ChildSpec) -> io::Result<()> {
    let home = spec.env.iter().find(|(name, _)| *name == "HOME").map(|(_, value)| value);
    for directory in [spec.cwd.as_ref(), home].into_iter().flatten() {
        if rustix::process::chdir(directory.as_slice()).is_ok() {
            return Ok(());
        }
    }
    Ok(rustix::process::chdir("/")?)
}
