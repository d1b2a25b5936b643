//! How long a person waits: for the echo of a key, for a start, for an attach, for the next server.

use std::time::Duration;

use anyhow::Result;

use super::Bench;
use super::payload::Payload;
use super::peer::{Peer, Scene, open_windows, token};
use super::report::{Row, Unit, median, percentile};
use super::screen::{Terminal, now};

/// Keys timed in one round.
const KEYS: u32 = 400;
/// A pause between keys, far longer than an echo takes: a fast typist's.
const BETWEEN_KEYS: Duration = Duration::from_millis(15);
/// Panes that a killed server had.
const PANES: usize = 20;
const HISTORY_LINES: u32 = 100_000;

pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = echo(bench)?;
    rows.push(bench.compare(
        Row::new("start to first output", Unit::Milliseconds),
        &Peer::ALL,
        start,
    )?);
    rows.push(bench.compare(
        Row::new("attach with 100k lines", Unit::Milliseconds),
        &Peer::MULTIPLEXERS,
        attach,
    )?);
    rows.push(bench.compare(
        Row::new("kill -9 of the server to first frame, 20 panes", Unit::Milliseconds),
        &[Peer::Ccmux],
        |scene| restart(scene, 0),
    )?);
    rows.push(bench.compare(
        Row::new("kill -9 to first frame, 20 panes of 100k lines", Unit::Milliseconds),
        &[Peer::Ccmux],
        |scene| restart(scene, HISTORY_LINES),
    )?);
    Ok(rows)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Keys echoed by a program in raw mode, alone and beside a pane that floods.
fn echo(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let files = tempfile::TempDir::with_prefix("ccmux-bench-")?;
    let file = files.path().join("flood");
    Payload::Ascii.write(&file, 4 * 1024 * 1024)?;
    for (name, flood, peers) in
        [("idle", None, &Peer::ALL[..]), ("beside a flood", Some(&file), &Peer::MULTIPLEXERS)]
    {
        let (mut middle, mut high) = (
            Row::new(format!("echo {name}, p50"), Unit::Milliseconds),
            Row::new(format!("echo {name}, p99"), Unit::Milliseconds),
        );
        for samples in bench.sample(peers, |scene| {
            let terminal = scene.show("stty raw -echo; printf 're%s' ady; exec cat")?;
            terminal.look_for("ready").wait()?;
            if let Some(file) = flood {
                let flood = format!("while :; do cat {}; done", file.display());
                scene.control(&["split-window", "-d", &flood])?;
            }
            type_keys(&terminal)
        })? {
            let (peer, rounds) = samples;
            let mut all: Vec<f64> = rounds.into_iter().flatten().collect();
            middle.values.push((peer, median(&mut all)));
            high.values.push((peer, percentile(&mut all, 99)));
        }
        rows.extend([middle, high]);
    }
    Ok(rows)
}

/// Types letters that no flood contains, each into the same cell and unlike the one before.
fn type_keys(terminal: &Terminal) -> Result<Vec<f64>> {
    let mut times = Vec::new();
    for n in 0..KEYS {
        let letter = char::from_u32(0x410 + n % 32).expect("a Cyrillic capital");
        let time = terminal.time_until(&letter.to_string(), &format!("\r{letter}"))?;
        times.push(milliseconds(time));
        bench_pause(BETWEEN_KEYS);
    }
    Ok(times)
}

#[expect(clippy::disallowed_methods, reason = "a typist pauses between keys")]
fn bench_pause(time: Duration) {
    std::thread::sleep(time);
}

/// From the start of the command to the sight of what the program prints.
fn start(scene: &Scene) -> Result<f64> {
    let begin = now();
    let terminal = scene.show("printf 're%s' ady; read end")?;
    Ok(milliseconds(terminal.look_for("ready").wait()?.duration_since(begin)))
}

fn attach(scene: &Scene) -> Result<f64> {
    scene.configure("set -g history-limit 200000\n")?;
    let script = format!("seq 1 {HISTORY_LINES}; printf 're%s' ady; read end");
    // Looked at once, so that the lines are known to be there.
    let terminal = scene.show(&script)?;
    terminal.look_for("ready").wait()?;
    drop(terminal);
    let begin = now();
    let terminal = scene.attach((80, 24))?;
    Ok(milliseconds(terminal.look_for("ready").wait()?.duration_since(begin)))
}

/// A client sees its screen again after the server was killed.
fn restart(scene: &Scene, lines: u32) -> Result<f64> {
    scene.configure("set -g history-limit 200000\n")?;
    let terminal = open_windows(scene, PANES, &format!("seq 1 {lines}"))?;
    let sighting = terminal.look_for(&token(PANES - 1));
    let begin = now();
    scene.kill_server();
    Ok(milliseconds(sighting.wait()?.duration_since(begin)))
}
