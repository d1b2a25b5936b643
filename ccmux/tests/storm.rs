//! Kills of the server and of keepers while panes are busy: nothing ends, not a byte is lost.
//!
//! The flooding program prints numbered lines of every kind in bursts, so that the whole stream is
//! known in advance and can be compared with history and screen.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

use ccmux_testkit::{Attached, Flood, Process, Random, TestEnv};
use rustix::process::Signal;

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
/// and an attached client that shows all three.
struct Scene {
    env: TestEnv,
    client: Attached,
    flood: Flood,
    bursts: u32,
    keys: u32,
    servers: BTreeSet<u32>,
}

impl Scene {
    fn new() -> Self {
        let mut env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
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
        let (flood, servers) = (Flood::of("%0"), BTreeSet::new());
        Self { env, client, flood, bursts: 0, keys: 0, servers }
    }

    /// The programs of all panes, by process id.
    fn programs(&self) -> String {
        self.env.ok(&["list-panes", "-s", "-F", "#{pane_id} #{pane_pid}"])
    }

    /// Begins a burst once the server is back, and returns when the client has seen a seeded part of
    /// it, or all of it, or a seeded time has passed, 300 ms at most.
    fn flood_for_a_while(&mut self, random: &mut Random) {
        self.flood.go(&self.env);
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

    fn wait_burst(&self) {
        self.client.wait_text(&Flood::done(self.bursts));
    }

    /// Kills a server that serves.
    fn kill_server(&mut self) {
        assert!(self.servers.insert(self.env.kill_server()), "a server of its own each time");
    }

    /// Kills a server and then the next one before its socket is up. False if it was too quick.
    fn kill_server_twice(&mut self) -> bool {
        let starts = self.env.watch_starts();
        self.servers.insert(self.env.kill_server());
        let server = starts.wait();
        let before = socket_identity(&self.env);
        server.signal(Signal::KILL);
        server.wait_gone();
        self.servers.insert(server.pid());
        before == socket_identity(&self.env)
    }

    /// Kills the server while all is quiet: the client shows what it showed, by the next server.
    fn compare_across_a_kill(&mut self) {
        let env = &self.env;
        self.client.wait_shows_panes(env);
        let before = self.client.picture();
        let captured = self.captured();
        self.servers.insert(env.kill_server());
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
    fn assert_full_screen_is_alive(&mut self) {
        self.keys += 1;
        let key = char::from(b'a' + u8::try_from(self.keys % 26).expect("below 26"));
        self.client.type_keys(&key.to_string());
        self.client.wait_text(&format!("key {key} is the {}th", self.keys));
    }

    fn assert_variable_is_set(&self) {
        self.env.ok(&["send-keys", "-t", "%1", "clear; echo \"it is $VARIABLE\"", "Enter"]);
        self.client.wait_screen("the variable", |screen| {
            screen.text().lines().any(|line| line.starts_with("it is kept"))
        });
    }
}

/// Changes whenever the socket is bound anew.
fn socket_identity(env: &TestEnv) -> (u64, i64, i64) {
    let metadata = fs::symlink_metadata(env.socket()).expect("a killed server leaves its socket");
    (metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
}

/// Without the status line, which has a clock.
fn without_last_row(picture: &ccmux_testkit::Picture) -> String {
    let text = format!("{picture:?}");
    text.rsplit_once('\n').expect("there are rows").0.to_owned()
}

/// Goal: promise 1. Method: kill the server at seeded moments of a flood: just when it is back, in
/// the middle, and before the next one listens; then compare every line, every screen, and the
/// pids of the programs.
#[test]
fn a_storm_of_kills_ends_nothing_and_loses_nothing() {
    let mut random = Random::seeded(0x5703_0001);
    let mut scene = Scene::new();
    let programs = scene.programs();
    scene.assert_full_screen_is_alive();
    let mut early = 0;
    for round in 0..25 {
        scene.flood_for_a_while(&mut random);
        scene.kill_server();
        if round % 5 == 2 {
            // One that answers and is killed for it.
            scene.kill_server();
        }
        if round % 5 == 4 {
            let caught = (0..20).any(|_| scene.kill_server_twice());
            assert!(caught, "the next server was always too quick");
            early += 1;
        }
        scene.wait_burst();
        if round % 8 == 7 {
            scene.compare_across_a_kill();
        }
    }
    assert_eq!(early, 5);
    assert!(scene.servers.len() >= 25, "{:?}", scene.servers);
    assert_eq!(scene.programs(), programs);
    scene.flood.assert_whole(&scene.env, scene.bursts);
    scene.assert_full_screen_is_alive();
    scene.assert_variable_is_set();
    scene.client.wait_shows_panes(&scene.env);
}

/// The same with kills of keepers: the server starts others, and programs live on. What a keeper
/// had read and not published may be missing, at most one read, and then it is marked.
#[test]
fn killed_keepers_are_replaced_and_programs_live_on() {
    let mut random = Random::seeded(0x5703_0002);
    let mut scene = Scene::new();
    let programs = scene.programs();
    for round in 0..12 {
        scene.flood_for_a_while(&mut random);
        match round % 3 {
            // All keepers, and the server lives.
            0 => kill_all(&scene.env.keepers()),
            // The server, and all keepers as soon as the next one holds what they hold.
            1 => {
                scene.kill_server();
                let keepers = wait_live(&scene.env);
                kill_all(&keepers);
            }
            // All keepers, and the server as soon as it has replaced them.
            _ => {
                kill_all(&scene.env.keepers());
                wait_live(&scene.env);
                scene.kill_server();
            }
        }
        scene.wait_burst();
    }
    assert_eq!(scene.programs(), programs);
    scene.flood.assert_whole_but_for_marks(&scene.env, scene.bursts);
    scene.compare_across_a_kill();
    scene.assert_full_screen_is_alive();
    scene.assert_variable_is_set();
}

/// Server and one keeper at once: that pane is restored, the others do not notice.
#[test]
fn server_and_one_keeper_killed_at_once_cost_that_pane_alone() {
    let mut random = Random::seeded(0x5703_0003);
    let mut scene = Scene::new();
    let programs = scene.programs();
    let keeper = keeper_of(&scene.env, "%1");
    scene.flood_for_a_while(&mut random);
    let server = scene.env.server();
    // Stopped first, so that it cannot take the keeper's place.
    server.signal(Signal::STOP);
    keeper.signal(Signal::KILL);
    server.signal(Signal::KILL);
    keeper.wait_gone();
    server.wait_gone();
    scene.wait_burst();
    scene.client.wait_text("[restored ");
    let others = |programs: &str| -> Vec<String> {
        programs.lines().filter(|line| !line.starts_with("%1 ")).map(str::to_owned).collect()
    };
    assert_eq!(others(&scene.programs()), others(&programs));
    scene.flood.assert_whole(&scene.env, scene.bursts);
    scene.assert_full_screen_is_alive();
    scene.client.wait_shows_panes(&scene.env);
}

fn kill_all(processes: &[Process]) {
    for process in processes {
        process.signal(Signal::KILL);
    }
    for process in processes {
        process.wait_gone();
    }
}

/// Waits until the server has a living keeper for each pane, and returns them.
fn wait_live(env: &TestEnv) -> Vec<Process> {
    loop {
        let status = env.status();
        let panes = status["panes"].as_array().expect("a list of panes");
        let keepers = panes.iter().map(|pane| pane["keeper_pid"].as_u64());
        let Some(pids) = keepers.collect::<Option<Vec<u64>>>() else { continue };
        let open =
            |pid| Process::open(u32::try_from(pid).expect("a pid")).expect("it can be opened");
        if let Some(keepers) = pids.into_iter().map(open).collect() {
            return keepers;
        }
    }
}

fn keeper_of(env: &TestEnv, pane: &str) -> Process {
    let status = env.status();
    let panes = status["panes"].as_array().expect("a list of panes");
    let found = panes.iter().find(|found| found["id"] == pane).expect("the pane is there");
    let pid = found["keeper_pid"].as_u64().expect("it has a keeper");
    Process::open(u32::try_from(pid).expect("a pid")).expect("it can be opened").expect("it lives")
}
