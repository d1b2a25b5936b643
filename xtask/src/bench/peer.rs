//! The programs that are compared, and a world of its own for each measurement.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use ccmux_testkit::TestEnv;

use super::screen::Terminal;

/// What stands between the program and the terminal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Peer {
    /// Nothing: the upper limit.
    Pty,
    /// dtach, which keeps a program and emulates nothing.
    Dtach,
    /// The installed tmux.
    Tmux,
    /// ccmux, as built here.
    Ccmux,
}

impl Peer {
    pub(super) const ALL: [Peer; 4] = [Peer::Pty, Peer::Dtach, Peer::Tmux, Peer::Ccmux];
    /// Those that know sessions, windows and panes.
    pub(super) const MULTIPLEXERS: [Peer; 2] = [Peer::Tmux, Peer::Ccmux];

    pub(super) fn name(self) -> &'static str {
        match self {
            Peer::Pty => "bare pty",
            Peer::Dtach => "dtach",
            Peer::Tmux => "tmux",
            Peer::Ccmux => "ccmux",
        }
    }
}

/// Where the measured executables are.
#[derive(Clone, Debug)]
pub(super) struct Executables {
    pub(super) ccmux: PathBuf,
}

impl Executables {
    fn of(&self, peer: Peer) -> &Path {
        match peer {
            Peer::Pty => Path::new("/bin/sh"),
            Peer::Dtach => Path::new("dtach"),
            Peer::Tmux => Path::new("tmux"),
            Peer::Ccmux => &self.ccmux,
        }
    }
}

/// One peer in a temporary home of its own. Dropping it ends everything started there.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) peer: Peer,
    env: TestEnv,
}

impl Scene {
    pub(super) fn new(peer: Peer, executables: &Executables) -> Self {
        Scene { peer, env: TestEnv::new(executables.of(peer)) }
    }

    /// The same, on a disk of the caller's choice.
    pub(super) fn new_below(peer: Peer, executables: &Executables, parent: &Path) -> Self {
        Scene { peer, env: TestEnv::new_below(executables.of(peer), parent) }
    }

    /// A path in the temporary home.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.env.home().join(name)
    }

    /// Writes a configuration for tmux's language, read by the first command.
    pub(super) fn configure(&self, lines: &str) -> Result<()> {
        std::fs::write(self.path("conf"), lines).context("the configuration is written")
    }

    /// Starts `script` and looks at it in a terminal of 80 by 24.
    pub(super) fn show(&self, script: &str) -> Result<Terminal> {
        let command = match self.peer {
            Peer::Pty => self.env.command(&["-c", script]),
            Peer::Dtach => {
                self.env.command(&["-A", &self.socket(), "-E", "-z", "/bin/sh", "-c", script])
            }
            Peer::Tmux | Peer::Ccmux => self.multiplexer(&["new-session", script]),
        };
        Terminal::open(command, (80, 24))
    }

    /// Starts `script` in a window of this size (where the peer knows windows), without a terminal
    /// that looks at it.
    pub(super) fn start_detached(&self, script: &str, size: (u16, u16)) -> Result<()> {
        let (cols, rows) = (size.0.to_string(), size.1.to_string());
        let mut command = match self.peer {
            Peer::Pty => anyhow::bail!("a bare pty cannot be left alone"),
            Peer::Dtach => {
                self.env.command(&["-n", &self.socket(), "-E", "-z", "/bin/sh", "-c", script])
            }
            Peer::Tmux | Peer::Ccmux => {
                self.multiplexer(&["new-session", "-d", "-x", &cols, "-y", &rows, script])
            }
        };
        let output = command.output().context("the peer starts")?;
        ensure!(output.status.success(), "{}: {output:?}", self.peer.name());
        Ok(())
    }

    /// Looks at what was started before, in a terminal of this size.
    pub(super) fn attach(&self, size: (u16, u16)) -> Result<Terminal> {
        let command = match self.peer {
            Peer::Pty => anyhow::bail!("a bare pty cannot be attached to"),
            Peer::Dtach => self.env.command(&["-a", &self.socket(), "-E", "-z"]),
            Peer::Tmux | Peer::Ccmux => self.multiplexer(&["attach-session"]),
        };
        Terminal::open(command, size)
    }

    /// Runs a command of tmux's language, and returns what it printed.
    pub(super) fn control(&self, args: &[&str]) -> Result<String> {
        let output = self.multiplexer(args).output().context("the peer starts")?;
        ensure!(output.status.success(), "{} {args:?}: {output:?}", self.peer.name());
        Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    }

    /// The server, and what helps it: processes whose memory and time count.
    pub(super) fn servers(&self) -> Result<Vec<u32>> {
        let server = self.control(&["display-message", "-p", "#{pid}"])?;
        let mut pids = vec![server.parse().context("a process id")?];
        if self.peer == Peer::Ccmux {
            pids.extend(self.env.keepers().iter().map(ccmux_testkit::Process::pid));
        }
        Ok(pids)
    }

    /// Kills the server and waits until it is gone.
    pub(super) fn kill_server(&self) {
        self.env.kill_server();
    }

    fn multiplexer(&self, args: &[&str]) -> Command {
        let configuration = self.path("conf");
        let configuration = if configuration.exists() { configuration } else { "/dev/null".into() };
        let configuration = configuration.to_string_lossy();
        let socket = self.socket();
        let mut all = vec!["-f", &configuration];
        if self.peer == Peer::Tmux {
            all.extend(["-u", "-S", &socket]);
        }
        all.extend(args);
        self.env.command(&all)
    }

    fn socket(&self) -> String {
        self.path("socket").to_string_lossy().into_owned()
    }
}

/// A session of `count` windows, each of which runs `before`, prints its [`token`] and waits; the
/// last one is in the terminal that is returned.
pub(super) fn open_windows(scene: &Scene, count: usize, before: &str) -> Result<Terminal> {
    let script = |n| {
        let token = token(n);
        let (front, back) = token.split_at(1);
        format!("{before}; printf '{front}%s' {back}; exec cat")
    };
    let terminal = scene.show(&script(0))?;
    terminal.look_for(&token(0)).wait()?;
    for n in 1..count {
        let sighting = terminal.look_for(&token(n));
        scene.control(&["new-window", &script(n)])?;
        sighting.wait()?;
    }
    Ok(terminal)
}

/// What window `n` prints. No two have a character in common in the same place, or a multiplexer
/// that paints only what differs would never send all of it.
pub(super) fn token(n: usize) -> String {
    let letter = char::from(b'A' + u8::try_from(n % 26).expect("a letter"));
    letter.to_string().repeat(8)
}
