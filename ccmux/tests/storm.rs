//! Kills of the server and of keepers while panes are busy: nothing ends, not a byte is lost.
//!
//! The flooding program prints numbered lines of every kind in bursts, so that the whole stream is
//! known in advance and can be compared with history and screen.

use std::fmt::Write as _;

use ccmux_testkit::{Attached, Process, TestEnv};
use rustix::process::Signal;

/// Lines of one burst; four kinds of about 64, 75, 60 and 220 bytes make it more than 1 MB.
const BURST_LINES: u32 = 11_000;

/// Waits for a line of input, prints a burst, and so on.
const FLOOD: &str = r#"
BEGIN {
    long = "";
    for (i = 0; i < 20; i++) long = long "0123456789";
    n = 0;
    while ((getline line) > 0 && line != "stop") {
        for (i = 0; i < BURST; i++) {
            n++;
            if (n % 4 == 0) printf "L%08d plain text of an ordinary length, as programs print\n", n;
            if (n % 4 == 1) printf "L%08d \033[1;3%dmcoloured\033[0m and \033[48;5;%dmpainted\033[m text\n", n, n % 8, n % 256;
            if (n % 4 == 2) printf "L%08d wide: 日本語 中文字 한국어 ok\n", n;
            if (n % 4 == 3) printf "L%08d %s\n", n, long;
        }
        printf "burst done %d\n", n;
        fflush();
    }
}
"#;

fn expected_line(n: u32) -> String {
    match n % 4 {
        0 => format!("L{n:08} plain text of an ordinary length, as programs print"),
        1 => format!("L{n:08} coloured and painted text"),
        2 => format!("L{n:08} wide: 日本語 中文字 한국어 ok"),
        _ => format!("L{n:08} {}", "0123456789".repeat(20)),
    }
}

/// A small generator for reproducible choices (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}

/// A server with a flooding pane `%0` and an attached client.
struct Scene {
    env: TestEnv,
    client: Attached,
}

impl Scene {
    fn new() -> Self {
        let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
        let script = env.home().join("flood.awk");
        let text = FLOOD.replace("BURST", &BURST_LINES.to_string());
        std::fs::write(&script, text).expect("the script is written");
        let command = format!("stty -echo; exec awk -f {}", script.display());
        env.ok(&["new-session", "-d", "-s", "storm", "-x", "80", "-y", "23", &command]);
        let client = env.attach(80, 24);
        client.wait_text("[storm]");
        Self { env, client }
    }

    /// What the pane has shown, as whole lines.
    fn lines(&self, pane: &str) -> Vec<String> {
        let text = self.env.ok(&["capture-pane", "-p", "-J", "-S", "-", "-t", pane]);
        text.lines().map(|line| line.trim_end().to_owned()).collect()
    }

    /// Asserts that the flooding pane has shown exactly `bursts` bursts.
    fn assert_whole(&self, bursts: u32) {
        let found = self.lines("%0");
        let mut at = found.iter();
        for burst in 0..bursts {
            let first = burst * BURST_LINES + 1;
            for n in first..first + BURST_LINES {
                assert_eq!(at.next(), Some(&expected_line(n)), "line {n} of the stream");
            }
            let done = format!("burst done {}", first + BURST_LINES - 1);
            assert_eq!(at.next(), Some(&done));
        }
        let rest: Vec<_> = at.filter(|line| !line.is_empty()).collect();
        assert!(rest.is_empty(), "nothing follows: {rest:?}");
    }
}

/// Goal: promise 1. Method: kill the server at seeded moments of a flood, some of them before the
/// next server listens; then compare every line, and the pids of the programs.
#[test]
fn a_storm_of_kills_ends_nothing_and_loses_nothing() {
    let seed = 0x5703_0001;
    println!("seed {seed:#x}");
    let mut random = Random(seed);
    let scene = Scene::new();
    let env = &scene.env;
    env.ok(&["split-window", "-d", "-t", "%0", "VARIABLE=kept exec sh"]);
    env.ok(&["select-layout", "-t", "storm", "even-vertical"]);
    let programs = env.ok(&["list-panes", "-s", "-F", "#{pane_id} #{pane_pid}"]);
    let mut servers = std::collections::BTreeSet::new();
    let rounds = 25;
    for round in 0..rounds {
        env.ok(&["send-keys", "-t", "%0", "go", "Enter"]);
        // Somewhere in the burst: a line number that the attached client gets to see.
        let past = random.below(u64::from(BURST_LINES) * 3 / 4) as u32;
        let target = round * BURST_LINES + past;
        scene.client.wait_screen("the flood goes on", |screen| {
            let newest = screen.text().lines().filter_map(line_number).max();
            newest.is_some_and(|n| n >= target)
        });
        assert!(servers.insert(env.kill_server()), "a server of its own each round");
        if round % 5 == 4 {
            // The next one is killed as soon as it has registered, before it listens.
            let server = next_server(env, &servers);
            servers.insert(server.pid());
            server.signal(Signal::KILL);
            server.wait_gone();
        }
        let done = format!("burst done {}", (round + 1) * BURST_LINES);
        scene.client.wait_text(&done);
    }
    assert!(servers.len() >= 25, "{servers:?}");
    assert_eq!(env.ok(&["list-panes", "-s", "-F", "#{pane_id} #{pane_pid}"]), programs);
    scene.assert_whole(rounds);
    env.ok(&["send-keys", "-t", "%1", "echo \"it is $VARIABLE\"", "Enter"]);
    scene.client.wait_text("it is kept");
}

/// Waits for a server that is none of those known.
fn next_server(env: &TestEnv, known: &std::collections::BTreeSet<u32>) -> Process {
    env.wait_registration(|registration| {
        if known.contains(&registration.pid) {
            return None;
        }
        Process::open(registration.pid).ok().flatten()
    })
}

fn line_number(line: &str) -> Option<u32> {
    line.strip_prefix('L')?.get(..8)?.parse().ok()
}

/// The same with kills of keepers: the server starts others, and programs live on.
#[test]
fn killed_keepers_are_replaced_and_programs_live_on() {
    let scene = Scene::new();
    let env = &scene.env;
    let program = env.ok(&["display-message", "-p", "-t", "%0", "#{pane_pid}"]);
    let rounds = 4;
    for round in 0..rounds {
        env.ok(&["send-keys", "-t", "%0", "go", "Enter"]);
        let target = round * BURST_LINES + BURST_LINES / 3;
        scene.client.wait_screen("the flood goes on", |screen| {
            let newest = screen.text().lines().filter_map(line_number).max();
            newest.is_some_and(|n| n >= target)
        });
        for keeper in env.keepers() {
            keeper.signal(Signal::KILL);
            keeper.wait_gone();
        }
        scene.client.wait_text(&format!("burst done {}", (round + 1) * BURST_LINES));
    }
    assert_eq!(env.ok(&["display-message", "-p", "-t", "%0", "#{pane_pid}"]), program);
    let mut text = String::new();
    for line in scene.lines("%0").iter().filter(|line| line.contains("lost")) {
        writeln!(text, "{line}").expect("writing to a String cannot fail");
    }
    // At most one read in flight may be lost with a keeper, and then it is marked.
    if text.is_empty() {
        scene.assert_whole(rounds);
    }
}
