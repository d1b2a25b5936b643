//! The user's terminal: taken over, and given back.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::{fmt, panic, thread};

use ccmux_protocol::rendezvous::Patience;
use ccmux_protocol::{Size, TerminalSize};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, fcntl_getfl, fcntl_setfl, fstat, open};
use rustix::io::Errno;
use rustix::termios::{
    OptionalActions, QueueSelector, Termios, isatty, tcflush, tcgetattr, tcgetwinsize, tcsetattr,
    ttyname,
};

use crate::answers::{ANSWER_MAX, LAST_QUESTION, PARTING_MAX, drop_answers};

/// Ends whatever escape sequence was cut, before the terminal is given back.
const CUT: &[u8] = b"\x1b\\";

/// What gives a terminal back if the server never said how: no mouse, paste or focus reports, the
/// keyboard as before, plain text, a cursor, wrapping, no scroll region, the main screen.
const LEAVE: &[u8] = b"\x1b[?2026l\x1b[?1003l\x1b[?1002l\x1b[?1000l\x1b[?1006l\x1b[?2004l\
    \x1b[?1004l\x1b[<u\x1b[?7h\x1b[?25h\x1b[r\x1b[m\x1b[?1049l";

/// How long to wait for a terminal that takes no bytes (held with `C-s`, say) when it is given
/// back: for each of the few writes that this needs.
const STUCK: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// The terminal of our stdin.
#[derive(Debug)]
pub(crate) struct TerminalName {
    fd: OwnedFd,
    /// Its path.
    pub(crate) path: PathBuf,
}

impl TerminalName {
    /// The terminal, if stdin is one.
    pub(crate) fn of_stdin() -> Option<Self> {
        TerminalName::of(rustix::stdio::stdin())
    }

    pub(crate) fn of(fd: BorrowedFd<'_>) -> Option<Self> {
        if !isatty(fd) {
            return None;
        }
        // Without a path (in a container, say) there is still the descriptor.
        let path = ttyname(fd, Vec::new()).unwrap_or_default();
        let path = PathBuf::from(OsStr::from_bytes(path.as_bytes()));
        Some(TerminalName { fd: fd.try_clone_to_owned().ok()?, path })
    }

    /// Its size; `None` if it does not know.
    pub(crate) fn size(&self) -> Option<TerminalSize> {
        size_of(self.fd.as_fd())
    }

    /// A descriptor that does not block, and the flags to put back afterwards, if any. Opened anew
    /// where possible: flags are shared with everybody who inherited the same one, the user's
    /// shell for instance.
    fn open_nonblocking(&self) -> io::Result<(OwnedFd, Option<OFlags>)> {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let is_same = |fd: &OwnedFd| matches!((fstat(fd), fstat(&self.fd)), (Ok(a), Ok(b)) if a.st_rdev == b.st_rdev);
        match open(&self.path, flags, Mode::empty()) {
            Ok(fd) if is_same(&fd) => Ok((fd, None)),
            _ => {
                let fd = self.fd.try_clone()?;
                let before = fcntl_getfl(&fd)?;
                fcntl_setfl(&fd, before | OFlags::NONBLOCK)?;
                Ok((fd, Some(before)))
            }
        }
    }
}

/// A terminal in raw mode. Given back when it is dropped, if not before.
#[derive(Debug)]
pub(crate) struct Terminal {
    fd: OwnedFd,
    /// Shared with the panic hook.
    hold: Arc<Mutex<Hold>>,
    /// Output that the terminal has not taken yet, from `written` on.
    pending: Vec<u8>,
    written: usize,
}

/// What it takes to give a terminal back.
struct Hold {
    fd: OwnedFd,
    flags: Option<OFlags>,
    /// The modes of the line discipline as we found them.
    cooked: Termios,
    leave: Vec<u8>,
    is_raw: bool,
    is_drawn: bool,
    /// For how long it may still answer what it was asked last, if it has not.
    asked: Option<Patience>,
}

impl Terminal {
    /// Makes the terminal raw.
    pub(crate) fn take(name: &TerminalName) -> io::Result<Self> {
        let (fd, flags) = name.open_nonblocking()?;
        let cooked = tcgetattr(&fd)?;
        let hold = Hold {
            fd: fd.try_clone()?,
            flags,
            cooked,
            leave: LEAVE.to_vec(),
            is_raw: false,
            is_drawn: false,
            asked: None,
        };
        let hold = Arc::new(Mutex::new(hold));
        let terminal = Terminal { fd, hold, pending: Vec::new(), written: 0 };
        terminal.take_again()?;
        Ok(terminal)
    }

    /// Makes the terminal raw after [`give_back`](Self::give_back), or after somebody else
    /// changed it.
    pub(crate) fn take_again(&self) -> io::Result<()> {
        self.with_hold(Hold::take)
    }

    /// Restores what [`take`](Self::take) found: the screen, if anything was drawn, and the modes.
    /// What is pending is dropped. Nothing happens if it is done already.
    pub(crate) fn give_back(&mut self) {
        self.pending.clear();
        self.written = 0;
        self.with_hold(Hold::give_back);
    }

    /// From now on a panic of this thread gives the terminal back before it is reported.
    pub(crate) fn give_back_on_panic(&self) {
        let hold = Arc::clone(&self.hold);
        let thread = thread::current().id();
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            // Whoever panics while holding it was about to do the same.
            if thread::current().id() == thread
                && let Ok(mut hold) = hold.try_lock()
            {
                hold.give_back();
            }
            report(info);
        }));
    }

    /// Replaces the bytes that give the screen back.
    pub(crate) fn set_leave(&self, leave: Vec<u8>) {
        self.with_hold(|hold| hold.leave = leave);
    }

    /// What is drawn next asks the terminal something: what it answers is not to be read by whoever has
    /// the terminal afterwards.
    pub(crate) fn note_asked(&self) {
        self.with_hold(|hold| hold.asked = Some(Patience::of(ANSWER_MAX)));
    }

    /// It has answered.
    pub(crate) fn note_answered(&self) {
        self.with_hold(|hold| hold.asked = None);
    }

    /// Whether anything was drawn since the terminal was taken.
    pub(crate) fn is_drawn(&self) -> bool {
        self.with_hold(|hold| hold.is_drawn)
    }

    /// The size; `None` if the terminal does not know.
    pub(crate) fn size(&self) -> Option<TerminalSize> {
        size_of(self.fd.as_fd())
    }

    /// Reads what was typed. `Ok(None)` means that nothing was, `Ok(Some(0))` that the terminal
    /// is gone.
    pub(crate) fn read(&self, bytes: &mut [u8]) -> io::Result<Option<usize>> {
        match rustix::io::read(&self.fd, bytes) {
            Ok(n) => Ok(Some(n)),
            Err(Errno::AGAIN | Errno::INTR) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Adds output. It reaches the terminal with [`write_pending`](Self::write_pending).
    pub(crate) fn draw(&mut self, bytes: &[u8]) {
        self.with_hold(|hold| hold.is_drawn = true);
        self.pending.extend_from_slice(bytes);
    }

    /// Whether there is output that the terminal has not taken.
    pub(crate) fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Writes as much output as the terminal takes now.
    pub(crate) fn write_pending(&mut self) -> io::Result<()> {
        while self.written < self.pending.len() {
            match rustix::io::write(&self.fd, &self.pending[self.written..]) {
                Ok(n) => self.written += n,
                Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
                Err(errno) => return Err(errno.into()),
            }
        }
        self.pending.clear();
        self.written = 0;
        Ok(())
    }

    fn with_hold<T>(&self, action: impl FnOnce(&mut Hold) -> T) -> T {
        action(&mut self.hold.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl AsFd for Terminal {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.give_back();
    }
}

impl Hold {
    fn take(&mut self) -> io::Result<()> {
        let mut raw = self.cooked.clone();
        raw.make_raw();
        tcsetattr(&self.fd, OptionalActions::Now, &raw)?;
        self.is_raw = true;
        Ok(())
    }

    /// Errors are of no use here: a terminal that is gone needs nothing.
    fn give_back(&mut self) {
        let asked = self.asked.take().filter(|patience| !patience.left().is_zero());
        if self.is_drawn {
            self.is_drawn = false;
            let bytes = [CUT, &self.leave].concat();
            let is_written = self.write_all(&bytes).is_ok();
            if self.is_raw
                && let Some(patience) = asked
            {
                self.drop_answers(is_written, &Patience::of(patience.left().min(PARTING_MAX)));
            }
        }
        if self.is_raw {
            self.is_raw = false;
            let _ = tcsetattr(&self.fd, OptionalActions::Now, &self.cooked);
            if let Some(flags) = self.flags {
                let _ = fcntl_setfl(&self.fd, flags);
            }
        }
    }

    /// Waits for answers that are still to come, so that nobody else reads them.
    fn drop_answers(&self, takes_bytes: bool, patience: &Patience) {
        let is_asked = takes_bytes && self.write_all(LAST_QUESTION).is_ok();
        if !is_asked || !drop_answers(&self.fd, patience) {
            // At least what has come.
            let _ = tcflush(&self.fd, QueueSelector::IFlush);
        }
    }

    fn write_all(&self, mut bytes: &[u8]) -> rustix::io::Result<()> {
        while !bytes.is_empty() {
            match rustix::io::write(&self.fd, bytes) {
                Ok(n) => bytes = &bytes[n..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    let mut fds = [PollFd::new(&self.fd, PollFlags::OUT)];
                    if poll(&mut fds, Some(&STUCK)) == Ok(0) {
                        return Err(Errno::TIMEDOUT);
                    }
                }
                Err(errno) => return Err(errno),
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hold").field("fd", &self.fd).finish_non_exhaustive()
    }
}

fn size_of(fd: BorrowedFd<'_>) -> Option<TerminalSize> {
    let size = tcgetwinsize(fd).ok()?;
    // Without cells there is nothing to divide by.
    let cell = (size.ws_xpixel.checked_div(size.ws_col)?, size.ws_ypixel.checked_div(size.ws_row)?);
    Some(TerminalSize {
        cells: Size { cols: size.ws_col, rows: size.ws_row },
        cell_px: (cell.0 > 0 && cell.1 > 0).then_some(cell),
    })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use ccmux_testkit::{PtyProcess, Tail};

    use super::*;

    /// Not a test of its own: the process of the next. Without its argument it does nothing.
    #[test]
    fn panicking_process() {
        if std::env::args().next_back().as_deref() == Some("panics") {
            let name = TerminalName::of_stdin().unwrap();
            let mut terminal = Terminal::take(&name).unwrap();
            terminal.give_back_on_panic();
            terminal.draw(b"picture");
            terminal.write_pending().unwrap();
            panic!("as asked");
        }
    }

    /// C1, for panics: the terminal is whole again before the message appears on it.
    #[test]
    fn a_panic_gives_the_terminal_back_before_it_is_reported() {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let test = "terminal::tests::panicking_process";
        command.args(["--exact", test, "--nocapture", "--", "panics"]);
        let process = PtyProcess::spawn(command, 80, 24, Tail::default()).unwrap();
        assert!(!process.wait_exit().success());
        assert!(!process.is_raw());
        let text = process
            .wait_display("output", |tail| Some(String::from_utf8_lossy(&tail.bytes).into_owned()));
        let leave = String::from_utf8([CUT, LEAVE].concat()).unwrap();
        let (before, after) = text.split_once(&leave).unwrap();
        assert!(before.ends_with("picture"), "{text:?}");
        assert!(after.contains("as asked"), "{text:?}");
        assert!(!after.contains(&leave), "{text:?}");
    }
}
