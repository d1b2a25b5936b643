//! Panes of several kinds that are busy while servers and keepers are killed.
//!
//! The flooding programs print numbered lines of every kind in bursts, so that the whole stream is
//! known in advance and can be compared with history and screen.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;

use crate::env::TestEnv;
use crate::flood::Flood;
use crate::picture::Picture;
use crate::process::Process;
use crate::random::Random;
use crate::screen::Attached;

/// Paints a screen of its own once, and then only what changes with a key: what it does not paint
/// again must be there again without it.
const FULL_SCREEN: &str = r#"
stty raw -echo
printf '\033[?1049h\033[2J\033[2;1H\033[1;44;33m title \033[m\033[4;38;5;196mlined\033[m plain'
printf '\033[3;5H\033[48;2;1;2;3m\033[38;2;250;128;7mtrue colour\033[m 日本 \033[3;7mmore\033[27m of it'
printf '\033[4;8r\033[4;1H\033[2mone\r\ntwo\r\nthree\r\nfour\r\nfive\r\nsix\033[m\033[10;3H\033[5 q'
count=0
while key=$(dd bs=1 count=1 2>/dev/null); do
    count=$((count + 1))
    printf '\033[9;2H\033[7mkey %s\033[m is the %dth\033[10;%dH' "$key" $count $((3 + count))
done
"#;

/// A flooding pane `%0`, an idle shell `%1` and a full-screen program `%2`, which has the focus;
/// and an attached client that shows all three. [`Storm::add_hidden_flood`] adds another.
#[derive(Debug)]
pub struct Storm {
    /// Its world.
    pub env: TestEnv,
    /// Who looks at the panes.
    pub client: Attached,
    /// The program of `%0`.
    pub flood: Flood,
    /// Bursts that it was made to print.
    pub bursts: u32,
    /// The process ids of the servers that were killed, which may come again.
    pub servers: Vec<u32>,
    keys: u32,
    hidden: Option<Flood>,
}

impl Storm {
    /// Starts all of it; pass `env!("CARGO_BIN_EXE_ccmux")`.
    pub fn new(exe: impl Into<PathBuf>) -> Self {
        let mut env = TestEnv::new(exe);
        // The client's terminal takes every colour as it is.
        env.set("COLORTERM", "truecolor");
        let command = Flood::command(&env);
        env.ok(&["new-session", "-d", "-s", "storm", "-x", "80", "-y", "49", &command]);
        env.ok(&["split-window", "-d", "-t", "%0", "VARIABLE=kept exec sh"]);
        let script = env.home().join("full_screen.sh");
        fs::write(&script, FULL_SCREEN).expect("the home directory is ours");
        let command = format!("exec sh {}", script.display());
        env.ok(&["split-window", "-t", "%1", &command]);
        env.ok(&["select-layout", "-t", "storm", "even-vertical"]);
        let client = env.attach(80, 50);
        client.wait_text("[storm]");
        client.wait_text("six");
        let (flood, servers) = (Flood::of("%0"), Vec::new());
        Self { env, client, flood, bursts: 0, servers, keys: 0, hidden: None }
    }

    /// A second flood, in a window that nobody looks at.
    pub fn add_hidden_flood(&mut self) {
        let command = Flood::command_named(&self.env, "hidden");
        self.env.ok(&["new-window", "-d", "-n", "hidden", &command]);
        self.hidden = Some(Flood::named("hidden", "storm:hidden"));
    }

    /// The programs of all panes, by process id.
    pub fn programs(&self) -> String {
        self.env.ok(&["list-panes", "-s", "-F", "#{pane_id} #{pane_pid}"])
    }

    /// Begins a burst of every flood once the server is back, and returns when the client has seen a
    /// seeded part of one, or all of it, or a seeded time has passed, 300 ms at most.
    pub fn flood_for_a_while(&mut self, random: &mut Random) {
        for flood in self.hidden.iter().chain([&self.flood]) {
            flood.go(&self.env);
        }
        let burst = Flood::BURST_LINES;
        let past = u32::try_from(random.below(u64::from(burst) + 1)).expect("it is small");
        let target = self.bursts * burst + past;
        self.bursts += 1;
        let limit = Duration::from_millis(random.below(301));
        self.client.wait_display_within(limit, |screen| {
            let newest = screen.text().lines().filter_map(Flood::line_number).max();
            newest.is_some_and(|n| n >= target)
        });
    }

    /// Waits until all has been printed that was begun.
    pub fn wait_burst(&self) {
        self.client.wait_text(&Flood::done(self.bursts));
        if self.hidden.is_some() {
            let screen = ["capture-pane", "-p", "-t", "storm:hidden"];
            self.env.wait_ok(&screen, |text| text.contains(&Flood::done(self.bursts)));
        }
    }

    /// Asserts that every flood has shown every byte, once, in order; with `marks`, but for what
    /// marks say is lost: at most one read of a keeper each.
    pub fn assert_whole(&self, marks: bool) {
        for flood in self.hidden.iter().chain([&self.flood]) {
            match marks {
                true => flood.assert_whole_but_for_marks(&self.env, self.bursts),
                false => flood.assert_whole(&self.env, self.bursts),
            }
        }
    }

    /// Kills a server that serves.
    pub fn kill_server(&mut self) {
        self.servers.push(self.env.kill_server());
    }

    /// Kills a server and then the next one before its socket is up. False if it was too quick.
    pub fn kill_server_twice(&mut self) -> bool {
        let starts = self.env.watch_starts();
        self.servers.push(self.env.kill_server());
        let server = starts.wait();
        let before = socket_identity(&self.env);
        server.signal(Signal::KILL);
        server.wait_gone();
        self.servers.push(server.pid());
        before == socket_identity(&self.env)
    }

    /// Kills all keepers.
    pub fn kill_keepers(&self) {
        kill_all(&self.env.keepers());
    }

    /// Kills the server, and all keepers as soon as the next one holds what they hold.
    pub fn kill_server_then_keepers(&mut self) {
        self.kill_server();
        kill_all(&self.wait_live());
    }

    /// Kills all keepers, and the server as soon as it has replaced them.
    pub fn kill_keepers_then_server(&mut self) {
        self.kill_keepers();
        self.wait_live();
        self.kill_server();
    }

    /// Kills the server while all is quiet: the client shows what it showed, by the next server.
    pub fn compare_across_a_kill(&mut self) {
        let env = &self.env;
        self.client.wait_shows_panes(env);
        let before = self.client.picture();
        let captured = self.captured();
        self.servers.push(env.kill_server());
        // What only the next server can have drawn.
        env.ok(&["set-option", "-g", "status-left", "next one "]);
        self.client.wait_text("next one ");
        self.client.wait_shows_panes(env);
        assert_eq!(self.captured(), captured);
        env.ok(&["set-option", "-gu", "status-left"]);
        self.client.wait_text("[storm]");
        let after = self.client.picture();
        assert_eq!(without_last_row(&after), without_last_row(&before));
    }

    fn captured(&self) -> Vec<String> {
        ["%0", "%1", "%2"].map(|pane| self.env.ok(&["capture-pane", "-e", "-p", "-t", pane])).into()
    }

    /// The full-screen program reacts to a key typed by the user.
    pub fn assert_full_screen_is_alive(&mut self) {
        self.keys += 1;
        let key = char::from(b'a' + u8::try_from(self.keys % 26).expect("below 26"));
        self.client.type_keys(&key.to_string());
        self.client.wait_text(&format!("key {key} is the {}th", self.keys));
    }

    /// The shell is the one that was started.
    pub fn assert_variable_is_set(&self) {
        self.env.ok(&["send-keys", "-t", "%1", "clear; echo \"it is $VARIABLE\"", "Enter"]);
        self.client.wait_screen("the variable", |screen| {
            screen.text().lines().any(|line| line.starts_with("it is kept"))
        });
    }

    /// Waits until the server has a living keeper for each pane, and returns them.
    fn wait_live(&self) -> Vec<Process> {
        let open = |pane: &serde_json::Value| {
            let pid = u32::try_from(pane["keeper_pid"].as_u64()?).expect("a pid");
            Process::open(pid).expect("it can be opened")
        };
        let mut live = None;
        self.env.wait_status(|status| {
            let panes = status["panes"].as_array().expect("a list of panes");
            live = panes.iter().map(open).collect();
            live.is_some()
        });
        live.expect("it was waited for")
    }
}

/// Changes whenever the socket is bound anew. `None` if a server was killed while it did that: it
/// had removed the old socket.
fn socket_identity(env: &TestEnv) -> Option<(u64, i64, i64)> {
    match fs::symlink_metadata(env.socket()) {
        Ok(metadata) => Some((metadata.ino(), metadata.ctime(), metadata.ctime_nsec())),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => panic!("the socket cannot be looked at: {error}"),
    }
}

/// Without the status line, which has a clock.
fn without_last_row(picture: &Picture) -> String {
    let text = format!("{picture:?}");
    text.rsplit_once('\n').expect("there are rows").0.to_owned()
}

fn kill_all(processes: &[Process]) {
    for process in processes {
        process.signal(Signal::KILL);
    }
    for process in processes {
        process.wait_gone();
    }
}
