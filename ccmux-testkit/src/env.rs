//! A world of its own for the real executable.

use std::ffi::OsString;
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Instant;
use std::{fs, thread};

use ccmux_protocol::rendezvous::{Registration, registration};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::DEADLINE;
use crate::end::{end_all, processes};
use crate::process::Process;
use crate::screen::{Answering, Attached};
use crate::small_disk::SmallDisk;
use crate::watch::Watch;

/// How much of a server's log is shown when a test fails.
const LOG_TAIL_BYTES: usize = 8 * 1024;

/// A home directory, a state directory and a place for sockets, in a temporary directory that is
/// made first and removed last; and the environment that leads there. Dropping it ends every
/// process that was started in it.
#[derive(Debug)]
pub struct TestEnv {
    exe: PathBuf,
    vars: Vec<(OsString, OsString)>,
    disk: Option<SmallDisk>,
    dir: TempDir,
}

/// What became of a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finished {
    /// The exit status; `None` if a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
}

impl TestEnv {
    /// A world for `exe`; pass `env!("CARGO_BIN_EXE_ccmux")`.
    pub fn new(exe: impl Into<PathBuf>) -> Self {
        let dir = TempDir::with_prefix("ccmux-").expect("a temporary directory can be made");
        Self::in_directory(exe.into(), dir)
    }

    /// A world in a temporary directory below `parent`: on a disk of the caller's choice.
    ///
    /// # Panics
    /// If nothing can be made there.
    pub fn new_below(exe: impl Into<PathBuf>, parent: &Path) -> Self {
        let dir = tempfile::Builder::new().prefix("ccmux-").tempdir_in(parent);
        Self::in_directory(exe.into(), dir.expect("a temporary directory can be made"))
    }

    fn in_directory(exe: PathBuf, dir: TempDir) -> Self {
        let at = |name: &str| OsString::from(dir.path().join(name));
        for name in ["home", "state", "run"] {
            fs::create_dir(at(name)).expect("the temporary directory is ours");
        }
        let vars = [
            ("HOME", at("home")),
            ("XDG_STATE_HOME", at("state")),
            ("XDG_RUNTIME_DIR", at("run")),
            ("XDG_CONFIG_HOME", at("home/.config")),
            ("TERM", "xterm-256color".into()),
            ("SHELL", "/bin/sh".into()),
            ("PATH", "/usr/local/bin:/usr/bin:/bin".into()),
            ("LANG", "C.UTF-8".into()),
            ("PS1", "$ ".into()),
        ];
        let vars = vars.map(|(name, value)| (name.into(), value)).into();
        TestEnv { exe, vars, disk: None, dir }
    }

    /// A world whose state directory is a small disk of its own, for everything that is started in
    /// it; `None`, which is said, if this machine does not allow it.
    ///
    /// # Panics
    /// If it fails although the user is root.
    pub fn on_small_disk(exe: impl Into<PathBuf>, bytes: u64) -> Option<Self> {
        let mut env = Self::new(exe);
        let state_dir = env.state_dir();
        fs::create_dir_all(&state_dir).expect("the temporary directory is ours");
        env.disk = Some(SmallDisk::mount(&state_dir, &env.home(), bytes)?);
        Some(env)
    }

    /// The directory of this world.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The home directory, where every client starts.
    pub fn home(&self) -> PathBuf {
        self.path().join("home")
    }

    /// The state directory of the default server.
    pub fn state_dir(&self) -> PathBuf {
        let path = self.path().join("state/ccmux/default");
        self.disk.as_ref().map_or_else(|| path.clone(), |disk| disk.outside(&path))
    }

    /// Lets nothing be made, renamed or removed in a directory of the state directory any more, or
    /// again; only on a small disk.
    ///
    /// # Panics
    /// If it cannot be done.
    pub fn set_read_only(&self, directory: &str, is_read_only: bool) {
        let disk = self.disk.as_ref().expect("only on a small disk");
        let path = self.path().join("state/ccmux/default").join(directory);
        disk.set_read_only(&path, is_read_only);
    }

    /// The socket of the default server.
    pub fn socket(&self) -> PathBuf {
        self.path().join("run/ccmux/default")
    }

    /// Sets a variable for everything started from now on.
    pub fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.vars.retain(|(known, _)| known != name);
        self.vars.push((name.into(), value.into()));
    }

    /// A command line of ccmux in this world, not started yet.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = match &self.disk {
            None => Command::new(&self.exe),
            Some(disk) => disk.enter(&self.exe, &self.home()),
        };
        command.args(args).env_clear().envs(self.vars.iter().cloned()).current_dir(self.home());
        command
    }

    /// Runs a command to its end.
    ///
    /// # Panics
    /// When the deadline passes, with the server's log.
    pub fn ccmux(&self, args: &[&str]) -> Finished {
        self.run(self.command(args))
    }

    /// Runs a command that must succeed and say nothing on stderr; returns what it printed.
    pub fn ok(&self, args: &[&str]) -> String {
        let finished = self.ccmux(args);
        self.assert_ok(args, &finished);
        finished.stdout
    }

    fn assert_ok(&self, args: &[&str], finished: &Finished) {
        let is_ok = finished.code == Some(0) && finished.stderr.is_empty();
        assert!(is_ok, "ccmux {args:?}: {finished:?}\nserver log:\n{}", self.server_log());
    }

    /// Asks again and again until the answer is as wanted, and returns it.
    ///
    /// # Panics
    /// When it never is, with the last answer and the server's log.
    pub fn wait_ok(&self, args: &[&str], mut is_wanted: impl FnMut(&str) -> bool) -> String {
        let is_wanted = |finished: &Finished| {
            self.assert_ok(args, finished);
            is_wanted(&finished.stdout)
        };
        self.wait_ccmux(args, is_wanted).stdout
    }

    /// Like [`TestEnv::wait_ok`], of a command that may fail, because its server is killed say.
    ///
    /// # Panics
    /// When the answer never is as wanted, with the last one and the server's log.
    pub fn wait_ccmux(
        &self,
        args: &[&str],
        mut is_wanted: impl FnMut(&Finished) -> bool,
    ) -> Finished {
        let start = now();
        loop {
            let finished = self.ccmux(args);
            if is_wanted(&finished) {
                return finished;
            }
            if start.elapsed() > DEADLINE {
                let (status, log) = (self.ccmux(&["status"]).stdout, self.server_log());
                panic!("ccmux {args:?} never answers as it should: {finished:?}\n{status}\n{log}");
            }
        }
    }

    /// Like [`TestEnv::wait_ok`], of the status.
    pub fn wait_status(&self, mut is_wanted: impl FnMut(&serde_json::Value) -> bool) {
        self.wait_ok(&["status", "--json"], |answer| {
            serde_json::from_str(answer).is_ok_and(|status| is_wanted(&status))
        });
    }

    /// Runs a prepared command to its end.
    ///
    /// # Panics
    /// When the deadline passes, with the server's log.
    pub fn run(&self, command: Command) -> Finished {
        self.run_reading(command, Stdio::null())
    }

    /// Runs a command to its end that reads these bytes.
    ///
    /// # Panics
    /// When the deadline passes, with the server's log.
    pub fn ccmux_reading(&self, args: &[&str], input: &[u8]) -> Finished {
        let mut file = tempfile::tempfile_in(self.path()).expect("the directory is ours");
        file.write_all(input).and_then(|()| file.rewind()).expect("the disk has room");
        self.run_reading(self.command(args), file.into())
    }

    /// Runs a prepared command to its end with this standard input.
    ///
    /// # Panics
    /// When the deadline passes, with the server's log.
    pub fn run_reading(&self, mut command: Command, stdin: Stdio) -> Finished {
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the executable can be started");
        let pid = Pid::from_child(&child);
        let (mut stdout, mut stderr) = (child.stdout.take(), child.stderr.take());
        let (sender, finished) = channel();
        let collect = thread::spawn(move || {
            let stdout = thread::spawn(move || text(stdout.as_mut()));
            let stderr = text(stderr.as_mut());
            let stdout = stdout.join().expect("reading does not panic");
            let code = child.wait().expect("it is our child").code();
            // Nobody listens after the deadline.
            let _ = sender.send(Finished { code, stdout, stderr });
        });
        let result = finished.recv_timeout(DEADLINE);
        if result.is_err() {
            let _ = kill_process(pid, Signal::KILL);
        }
        collect.join().expect("collecting does not panic");
        result.unwrap_or_else(|_| panic!("{command:?} hangs; server log:\n{}", self.server_log()))
    }

    /// A client in a terminal of this size, attached to the last session or a new one.
    pub fn attach(&self, cols: u16, rows: u16) -> Attached {
        self.attach_with(&[], cols, rows)
    }

    /// A client in a terminal of this size, with these arguments.
    pub fn attach_with(&self, args: &[&str], cols: u16, rows: u16) -> Attached {
        Attached::spawn(self.command(args), cols, rows, Answering::AtOnce, self.state_dir())
            .expect("a client can be started in a pseudo-terminal")
    }

    /// As [`TestEnv::attach`], in a terminal that answers nothing it is asked.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn attach_silent(&self, cols: u16, rows: u16) -> Attached {
        Attached::spawn(self.command(&[]), cols, rows, Answering::Never, self.state_dir())
            .expect("a client can be started in a pseudo-terminal")
    }

    /// A shell script in a terminal of this size, in this world; `$0` in it is the executable.
    pub fn script_in_terminal(&self, script: &str, cols: u16, rows: u16) -> Attached {
        self.script_answered(Answering::AtOnce, script, cols, rows)
    }

    /// As [`TestEnv::script_in_terminal`], in a terminal that answers what it is asked only when the
    /// alternate screen is left.
    pub fn script_in_slow_terminal(&self, script: &str, cols: u16, rows: u16) -> Attached {
        self.script_answered(Answering::WhenLeft, script, cols, rows)
    }

    fn script_answered(
        &self,
        answering: Answering,
        script: &str,
        cols: u16,
        rows: u16,
    ) -> Attached {
        let ours = self.command(&[]);
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(script).arg(ours.get_program()).env_clear();
        command.envs(self.vars.iter().cloned()).current_dir(self.home());
        Attached::spawn(command, cols, rows, answering, self.state_dir())
            .expect("a shell can be started in a pseudo-terminal")
    }

    /// What the server registered in its lock file.
    pub fn registration(&self) -> Option<Registration> {
        registration(&self.state_dir())
    }

    /// What `ccmux status --json` says, waiting for a server that is being started.
    ///
    /// # Panics
    /// If there is none, and none that should be.
    pub fn status(&self) -> serde_json::Value {
        serde_json::from_str(&self.ok(&["status", "--json"])).expect("the status is JSON")
    }

    /// The server that answers now, waiting for one that is being started.
    ///
    /// # Panics
    /// If there is none, and none that should be.
    pub fn server(&self) -> Process {
        loop {
            let pid = self.status()["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok());
            let pid = pid.expect("the status has a process id");
            // It may have been killed since it answered.
            if let Some(server) = Process::open(pid).expect("processes can be opened") {
                return server;
            }
        }
    }

    /// Waits until a server has registered that `found` accepts.
    ///
    /// # Panics
    /// When the deadline passes, with the server's log.
    pub fn wait_registration<T>(&self, mut found: impl FnMut(&Registration) -> Option<T>) -> T {
        let writes = Watch::writes(&self.state_dir().join("lock"));
        loop {
            if let Some(result) = self.registration().as_ref().and_then(&mut found) {
                return result;
            }
            assert!(writes.wait(), "no such server registers; log:\n{}", self.server_log());
        }
    }

    /// Kills the server with SIGKILL and waits until it is gone; returns its process id.
    pub fn kill_server(&self) -> u32 {
        let server = self.server();
        server.signal(Signal::KILL);
        server.wait_gone();
        server.pid()
    }

    /// Every keeper of this world.
    pub fn keepers(&self) -> Vec<Process> {
        self.processes_called("keeper")
    }

    /// Every server of this world, one that is only being started among them.
    pub fn servers(&self) -> Vec<Process> {
        self.processes_called("server")
    }

    fn processes_called(&self, what: &str) -> Vec<Process> {
        let all = processes(&self.home()).into_iter();
        all.filter(|(_, args)| args.get(1).is_some_and(|word| word == what))
            .map(|(process, _)| process)
            // A keeper that starts a program or a server looks like two for a moment, and so does a
            // server that starts a keeper.
            .filter(Process::has_begun)
            .collect()
    }

    /// Ends everything at once, as a power cut does for programs: server first, so that it sees
    /// nothing of it.
    pub fn kill_everything(&self) {
        let keepers = self.keepers();
        let server = self.server();
        // Stopped before any keeper dies, the server cannot log what happens to them.
        server.signal(Signal::STOP);
        for keeper in &keepers {
            keeper.signal(Signal::KILL);
        }
        server.signal(Signal::KILL);
        for process in keepers.iter().chain([&server]) {
            process.wait_gone();
        }
    }

    /// Waits until the server's log says something.
    ///
    /// # Panics
    /// When the deadline passes, with the log.
    pub fn wait_log(&self, what: &str) {
        let log = self.state_dir().join("server.log");
        let writes = Watch::writes(&log);
        let is_said =
            || fs::read(&log).is_ok_and(|log| String::from_utf8_lossy(&log).contains(what));
        while !is_said() {
            assert!(writes.wait(), "the log never says {what:?}:\n{}", self.server_log());
        }
    }

    /// Ends the server in good order, and then its keepers: what it keeps is all on the disk, and
    /// nobody uses it.
    pub fn shut_down(&self) {
        let keepers = self.keepers();
        let server = self.server();
        server.signal(Signal::TERM);
        server.wait_gone();
        for keeper in keepers {
            keeper.signal(Signal::KILL);
            keeper.wait_gone();
        }
    }

    /// The end of the default server's log.
    pub fn server_log(&self) -> String {
        log_tail(&self.state_dir())
    }
}

impl Drop for TestEnv {
    fn drop(&mut self) {
        end_all(&self.home(), || registration(&self.state_dir()).map(|server| server.pid));
    }
}

/// The end of the log in `state_dir`.
pub(crate) fn log_tail(state_dir: &Path) -> String {
    let Ok(log) = fs::read(state_dir.join("server.log")) else { return "(none)".to_owned() };
    String::from_utf8_lossy(&log[log.len().saturating_sub(LOG_TAIL_BYTES)..]).into_owned()
}

#[expect(clippy::disallowed_methods, reason = "the deadline matters only on failure")]
fn now() -> Instant {
    Instant::now()
}

fn text(pipe: Option<&mut impl std::io::Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        let _ = pipe.read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// A keeper that was just starting the server was counted twice.
    #[test]
    fn a_process_that_starts_another_is_one() {
        let env = TestEnv::new("/bin/sh");
        let go = env.home().join("go");
        rustix::fs::mkfifoat(rustix::fs::CWD, &go, 0o600.into()).expect("home is ours");
        // The shell makes a copy of itself, which executes nothing.
        fs::write(env.home().join("keeper"), "(read line < go) & wait").expect("home is ours");
        let mut child = env.command(&["keeper"]).spawn().expect("it can be started");
        // Opened as soon as the copy reads.
        let pipe = fs::File::options().write(true).open(&go).expect("it is read");
        let all: Vec<_> = processes(&env.home()).into_iter().map(|(_, args)| args).collect();
        assert!(all.len() == 2 && all[0] == all[1], "{all:?}");
        assert_eq!(env.keepers().iter().map(Process::pid).collect::<Vec<_>>(), [child.id()]);
        drop(pipe);
        child.wait().expect("it is our child");
    }

    /// Whoever starts a program goes on before that has an environment, and it was not found.
    #[test]
    fn a_program_that_has_just_begun_is_found() {
        let env = TestEnv::new("/bin/sleep");
        for _ in 0..20 {
            let mut child = env.command(&["1000"]).spawn().expect("it can be started");
            let found = processes(&env.home());
            assert_eq!(found.iter().map(|(it, _)| it.pid()).collect::<Vec<_>>(), [child.id()]);
            assert_eq!(found[0].1[1], "1000");
            child.kill().expect("it is our child");
            child.wait().expect("it is our child");
        }
    }
}
