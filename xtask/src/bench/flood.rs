//! Throughput: how fast a program can print, with somebody looking and with nobody.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::Bench;
use super::payload::Payload;
use super::peer::{Peer, Scene};
use super::report::{Row, Unit, float, median};
use super::screen::now;

/// Bytes of one flood. What peers may still hold in buffers at the end is a small part of it.
const FLOOD_BYTES: u64 = 32 * 1024 * 1024;

pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let files = tempfile::TempDir::with_prefix("ccmux-bench-")?;
    for payload in Payload::ALL {
        let file = files.path().join("flood");
        let bytes = payload.write(&file, FLOOD_BYTES)?;
        let name = payload.name();
        rows.push(bench.compare(
            Row::new(format!("flood attached, {name}"), Unit::MegabytesPerSecond),
            &Peer::ALL,
            |scene| Ok(rate(bytes, attached(scene, &file)?)),
        )?);
        rows.push(bench.compare(
            Row::new(format!("flood detached, {name}"), Unit::MegabytesPerSecond),
            &[Peer::Dtach, Peer::Tmux, Peer::Ccmux],
            |scene| Ok(rate(bytes, detached(scene, &file)?)),
        )?);
    }
    Ok(rows)
}

/// Megabytes a second that a bare pty lets through.
pub(super) fn bare_rate(bench: &Bench) -> Result<f64> {
    let files = tempfile::TempDir::with_prefix("ccmux-bench-")?;
    let file = files.path().join("flood");
    let bytes = Payload::Ascii.write(&file, FLOOD_BYTES)?;
    let rounds = bench.sample(&[Peer::Pty], |scene| Ok(rate(bytes, attached(scene, &file)?)))?;
    let mut rates: Vec<f64> = rounds.into_iter().flat_map(|(_, rates)| rates).collect();
    Ok(median(&mut rates))
}

pub(super) fn rate(bytes: u64, time: Duration) -> f64 {
    float(bytes) / 1e6 / time.as_secs_f64()
}

/// From the key that starts the flood to the sight of the line behind it.
pub(super) fn attached(scene: &Scene, file: &Path) -> Result<Duration> {
    let script = format!(
        "stty -echo; printf 're%s\\n' ady; read go; cat {}; printf '\\nOV%s\\n' ER; read end",
        file.display()
    );
    let terminal = scene.show(&script)?;
    terminal.look_for("ready").wait()?;
    terminal.time_until("OVER", "\n")
}

/// From the program's start signal to its last write.
fn detached(scene: &Scene, file: &Path) -> Result<Duration> {
    let (go, done) = (fifo(scene, "go")?, fifo(scene, "done")?);
    let script = format!(
        "read line < {}; cat {}; echo done > {}; read end",
        go.display(),
        file.display(),
        done.display()
    );
    scene.start_detached(&script, (80, 23))?;
    let mut starter = OpenOptions::new().write(true).open(&go)?;
    let start = now();
    starter.write_all(b"\n")?;
    drop(starter);
    let mut line = String::new();
    File::open(&done)?.read_to_string(&mut line)?;
    ensure!(line == "done\n", "the flood ends with {line:?}");
    Ok(now().duration_since(start))
}

fn fifo(scene: &Scene, name: &str) -> Result<PathBuf> {
    let path = scene.path(name);
    let status = Command::new("mkfifo").arg(&path).status().context("mkfifo starts")?;
    ensure!(status.success(), "mkfifo {} fails", path.display());
    Ok(path)
}
