//! A program in a pseudo-terminal, as a user would run it.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::fs::{Mode, OFlags, open};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::DEADLINE;

/// How much of the output is kept as it came.
const TAIL_BYTES: usize = 1024 * 1024;

/// What takes the output of a program. Runs on the thread that reads the pseudo-terminal.
pub trait Display: Send + 'static {
    /// Takes output. What is returned goes to the program as if it had been typed: the answers of
    /// a terminal.
    fn show(&mut self, output: &[u8]) -> Vec<u8>;

    /// The terminal got another size.
    fn resize(&mut self, cols: u16, rows: u16);

    /// What a person would see, for the message of a test that failed.
    fn dump(&self) -> String;
}

/// The bytes themselves, for tests of what a program prints.
#[derive(Debug, Default)]
pub struct Tail {
    /// The last mebibyte.
    pub bytes: Vec<u8>,
}

/// A running program, its terminal, and a thread that reads what it prints. Dropping it ends the
/// program.
#[derive(Debug)]
pub struct PtyProcess<D> {
    pid: Pid,
    master: OwnedFd,
    shared: Arc<Shared<D>>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared<D> {
    state: Mutex<State<D>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<D> {
    display: D,
    /// The terminal takes no output.
    is_paused: bool,
    /// All output has been read.
    is_drained: bool,
    status: Option<ExitStatus>,
}

impl<D: Display> PtyProcess<D> {
    /// Starts `command` as the leader of a session on a new terminal.
    pub fn spawn(mut command: Command, cols: u16, rows: u16, display: D) -> io::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        set_size(&master, cols, rows)?;
        let path = ptsname(&master, Vec::new())?;
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let slave = open(path, flags, Mode::empty())?;
        command
            .stdin(Stdio::from(slave.try_clone()?))
            .stdout(Stdio::from(slave.try_clone()?))
            .stderr(Stdio::from(slave));
        lead_session_on_stdin(&mut command);
        let child = command.spawn()?;
        // It holds our copies of the terminal, without which the end of output is not seen.
        drop(command);
        let pid = Pid::from_child(&child);
        let state = State { display, is_paused: false, is_drained: false, status: None };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let reader = {
            let (master, shared) = (master.try_clone()?, Arc::clone(&shared));
            thread::Builder::new().name("pty".into()).spawn(move || shared.read_all(&master))?
        };
        let waiter = {
            let shared = Arc::clone(&shared);
            thread::Builder::new().name("wait".into()).spawn(move || shared.wait_for_end(child))?
        };
        Ok(PtyProcess { pid, master, shared, threads: vec![reader, waiter] })
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().cast_unsigned()
    }

    /// Types.
    pub fn type_bytes(&self, bytes: &[u8]) {
        write_all(&self.master, bytes).expect("the terminal takes what is typed");
    }

    /// Gives the terminal another size.
    pub fn resize(&self, cols: u16, rows: u16) {
        // Before the program hears of it, so that what it then draws fits.
        self.shared.lock().display.resize(cols, rows);
        set_size(&self.master, cols, rows).expect("the terminal takes a size");
    }

    /// The same for a terminal that knows the pixels of its cells: another size, or another font.
    pub fn resize_with_cells(&self, cols: u16, rows: u16, cell: (u16, u16)) {
        self.shared.lock().display.resize(cols, rows);
        let (width, height) = (cols * cell.0, rows * cell.1);
        let size = Winsize { ws_col: cols, ws_row: rows, ws_xpixel: width, ws_ypixel: height };
        tcsetwinsize(&self.master, size).expect("the terminal takes a size");
    }

    /// Stops or resumes taking output: a terminal held with `C-s`.
    pub fn pause(&self, is_paused: bool) {
        self.shared.lock().is_paused = is_paused;
        self.shared.changed.notify_all();
    }

    /// Whether the terminal hands on each byte as it is typed, as it does not for a shell's
    /// commands.
    pub fn is_raw(&self) -> bool {
        let modes = tcgetattr(&self.master).expect("a terminal has modes").local_modes;
        !modes.intersects(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }

    /// Sends a signal, unless the program has ended.
    pub fn signal(&self, signal: Signal) {
        // A process that was not waited for keeps its id.
        let state = self.shared.lock();
        if state.status.is_none() {
            kill_process(self.pid, signal).expect("our own child takes signals");
        }
    }

    /// Waits until the program has stopped, as `C-z` stops it.
    pub fn wait_stopped(&self) {
        let options = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let status = waitid(WaitId::Pid(self.pid), options).expect("it is our child");
        assert!(status.is_some_and(|status| status.stopped()), "the program ended");
    }

    /// Waits for a state of the display and returns what `found` makes of it.
    ///
    /// # Panics
    /// When the deadline passes, with the display.
    pub fn wait_display<T>(&self, what: &str, mut found: impl FnMut(&D) -> Option<T>) -> T {
        self.wait(what, |state| found(&state.display))
    }

    /// Waits for a state of the display, but not longer than this; returns whether it came.
    pub fn wait_display_within(&self, limit: Duration, mut found: impl FnMut(&D) -> bool) -> bool {
        self.try_wait_within(limit, |state| found(&state.display).then_some(())).is_some()
    }

    /// Waits for the end of the program, and for the end of its output.
    pub fn wait_exit(&self) -> ExitStatus {
        self.wait("the end of the program", |state| state.status.filter(|_| state.is_drained))
    }

    /// Waits for the end of the program and of its output, but not longer than this.
    pub fn wait_exit_within(&self, limit: Duration) -> Option<ExitStatus> {
        self.try_wait_within(limit, |state| state.status.filter(|_| state.is_drained))
    }

    /// Like [`PtyProcess::wait_display`], for who has more to say than that it did not come.
    pub(crate) fn try_wait_display<T>(&self, mut found: impl FnMut(&D) -> Option<T>) -> Option<T> {
        self.try_wait(|state| found(&state.display))
    }

    fn wait<T>(&self, what: &str, found: impl FnMut(&State<D>) -> Option<T>) -> T {
        self.try_wait(found).unwrap_or_else(|| {
            let state = self.shared.lock();
            panic!("no {what}; exit status {:?}; shown:\n{}", state.status, state.display.dump())
        })
    }

    fn try_wait<T>(&self, found: impl FnMut(&State<D>) -> Option<T>) -> Option<T> {
        self.try_wait_within(DEADLINE, found)
    }

    fn try_wait_within<T>(
        &self,
        limit: Duration,
        mut found: impl FnMut(&State<D>) -> Option<T>,
    ) -> Option<T> {
        let mut result = None;
        let state = self.shared.lock();
        let waited = self.shared.changed.wait_timeout_while(state, limit, |state| {
            result = found(state);
            result.is_none()
        });
        drop(waited.unwrap_or_else(PoisonError::into_inner));
        result
    }
}

impl<D> Drop for PtyProcess<D> {
    fn drop(&mut self) {
        {
            let mut state = self.shared.lock();
            state.is_paused = false;
            if state.status.is_none() {
                let _ = kill_process(self.pid, Signal::KILL);
            }
        }
        self.shared.changed.notify_all();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl<D> Shared<D> {
    fn lock(&self) -> MutexGuard<'_, State<D>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_for_end(&self, mut child: Child) {
        // First without taking the status: until that is done under the lock, the process id is
        // ours to signal.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let process = WaitId::Pid(Pid::from_child(&child));
        while matches!(waitid(process.clone(), options), Err(rustix::io::Errno::INTR)) {}
        let mut state = self.lock();
        state.status = child.wait().ok();
        drop(state);
        self.changed.notify_all();
    }
}

impl<D: Display> Shared<D> {
    fn read_all(&self, master: &OwnedFd) {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let state = self.lock();
            let paused = self.changed.wait_while(state, |state| state.is_paused);
            drop(paused.unwrap_or_else(PoisonError::into_inner));
            match rustix::io::read(master, &mut buffer) {
                Err(rustix::io::Errno::INTR) => {}
                // The last program that had the terminal open is gone (EIO on Linux).
                Ok(0) | Err(_) => break,
                Ok(n) => {
                    let mut state = self.lock();
                    let answer = state.display.show(&buffer[..n]);
                    // Before anybody sees what was shown: what a test types then comes after the
                    // answer. The program may be gone, which the next read shows.
                    let _ = write_all(master, &answer);
                    drop(state);
                    self.changed.notify_all();
                }
            }
        }
        self.lock().is_drained = true;
        self.changed.notify_all();
    }
}

impl Display for Tail {
    fn show(&mut self, output: &[u8]) -> Vec<u8> {
        self.bytes.extend_from_slice(output);
        let excess = self.bytes.len().saturating_sub(TAIL_BYTES);
        self.bytes.drain(..excess);
        Vec::new()
    }

    fn resize(&mut self, _cols: u16, _rows: u16) {}

    fn dump(&self) -> String {
        self.bytes.escape_ascii().to_string()
    }
}

#[expect(unsafe_code, reason = "a session of its own can only be made between fork and exec")]
fn lead_session_on_stdin(command: &mut Command) {
    let prepare = || {
        rustix::process::setsid()?;
        rustix::process::ioctl_tiocsctty(rustix::stdio::stdin())?;
        Ok(())
    };
    // SAFETY: both are plain system calls, which are allowed between fork and exec.
    unsafe { command.pre_exec(prepare) };
}

fn set_size(master: &OwnedFd, cols: u16, rows: u16) -> rustix::io::Result<()> {
    tcsetwinsize(master, Winsize { ws_col: cols, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 })
}

fn write_all(master: &OwnedFd, mut bytes: &[u8]) -> rustix::io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(master.as_fd(), bytes) {
            Ok(n) => bytes = &bytes[n..],
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}
