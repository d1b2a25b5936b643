//! What it costs while nothing happens: private memory, processor time, wake-ups.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::Bench;
use super::peer::{Peer, Scene, open_windows};
use super::report::{Row, Unit, float};
use super::screen::now;

/// Idle panes.
const PANES: usize = 10;
const HISTORY_LINES: u32 = 100_000;
/// How long idleness is watched: two turns of tmux's status line.
const WATCHED: Duration = Duration::from_secs(30);

pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let peers = &Peer::MULTIPLEXERS;
    let memory = bench.compare(
        Row::new("private memory, 10 idle panes", Unit::Mebibytes),
        peers,
        |scene| {
            let _terminal = open_windows(scene, PANES, "true")?;
            memory_of(&scene.servers()?)
        },
    )?;
    let growth = bench.compare(
        Row::new("memory per 100k lines of 200 columns", Unit::Mebibytes),
        peers,
        history_growth,
    )?;
    let mut time = Row::new("idle CPU, 10 panes, one client", Unit::Percent);
    let mut wakeups = Row::new("wake-ups while idle", Unit::PerSecond);
    // One long look says more than several short ones.
    for peer in *peers {
        let scene = Scene::new(peer, &bench.executables);
        let terminal = open_windows(&scene, PANES, "true")?;
        let mut pids = scene.servers()?;
        pids.push(terminal.process.pid());
        let (busy, woken) = watch(&pids)?;
        time.values.push((peer, busy));
        wakeups.values.push((peer, woken));
    }
    Ok(vec![memory, growth, time, wakeups])
}

/// What 100k more lines cost once buffers have the size that floods give them: the growth over
/// the last three hundred thousand of half a million, divided by three.
fn history_growth(scene: &Scene) -> Result<f64> {
    scene.configure("set -g history-limit 1000000\n")?;
    let print = |lines: u32, end: &str| {
        let (front, back) = end.split_at(1);
        format!(
            "read go; awk 'BEGIN {{ for (n = 1; n <= {lines}; n++) printf \"%08d %0190d\\n\", n, n }}'; \
             printf '\\n{front}%s' {back}; "
        )
    };
    let script = format!(
        "stty -echo; printf 're%s' ady; {}{}read end",
        print(2 * HISTORY_LINES, "WARM"),
        print(3 * HISTORY_LINES, "OVER")
    );
    scene.start_detached(&script, (200, 49))?;
    let terminal = scene.attach((200, 50))?;
    terminal.look_for("ready").wait()?;
    terminal.time_until("WARM", "\n")?;
    let before = memory_of(&scene.servers()?)?;
    terminal.time_until("OVER", "\n")?;
    Ok((memory_of(&scene.servers()?)? - before) / 3.0)
}

/// Private memory of processes, and memory they share with one another, once, in MiB.
fn memory_of(pids: &[u32]) -> Result<f64> {
    let mut private_kib = 0;
    // Memory-backed files by inode: the size of the largest mapping's resident part.
    let mut shared_kib: BTreeMap<String, u64> = BTreeMap::new();
    for pid in pids {
        let smaps = fs::read_to_string(format!("/proc/{pid}/smaps"))
            .with_context(|| format!("process {pid} has memory"))?;
        let mut memory_file = None;
        for line in smaps.lines() {
            let mut words = line.split_whitespace();
            let first = words.next().unwrap_or_default();
            if let Some(field) = first.strip_suffix(':') {
                let kib = || -> u64 { line_kib(line) };
                match (field, &memory_file) {
                    ("Private_Clean" | "Private_Dirty", None) => private_kib += kib(),
                    ("Rss", Some(inode)) => {
                        let known = shared_kib.entry(String::clone(inode)).or_default();
                        *known = (*known).max(kib());
                    }
                    _ => {}
                }
            } else {
                let inode = words.nth(3).unwrap_or_default().to_owned();
                memory_file = line.contains("/memfd:").then_some(inode);
            }
        }
    }
    Ok(float(private_kib + shared_kib.values().sum::<u64>()) / 1024.0)
}

fn line_kib(line: &str) -> u64 {
    line.split_whitespace().nth(1).and_then(|word| word.parse().ok()).unwrap_or(0)
}

/// Processor time in percent of one core, and voluntary wake-ups per second.
fn watch(pids: &[u32]) -> Result<(f64, f64)> {
    settle();
    let (begin, before) = (now(), usage(pids)?);
    pause();
    let (time, after) = (now().duration_since(begin).as_secs_f64(), usage(pids)?);
    let busy = float(after.0 - before.0) / 1e9 / time * 100.0;
    Ok((busy, float(after.1 - before.1) / time))
}

#[expect(clippy::disallowed_methods, reason = "idleness is measured over time")]
fn pause() {
    std::thread::sleep(WATCHED);
}

/// What was begun before (a checkpoint, a keyframe) comes to an end first.
#[expect(clippy::disallowed_methods, reason = "idleness begins after a while")]
fn settle() {
    std::thread::sleep(Duration::from_secs(5));
}

/// Nanoseconds run and voluntary context switches, of all threads.
fn usage(pids: &[u32]) -> Result<(u64, u64)> {
    let mut sum = (0, 0);
    for pid in pids {
        for task in fs::read_dir(format!("/proc/{pid}/task"))? {
            let task = task?.path();
            let schedule = fs::read_to_string(task.join("schedstat"))?;
            let first = schedule.split_whitespace().next();
            sum.0 += first.and_then(|word| word.parse::<u64>().ok()).context("a schedstat")?;
            let status = fs::read_to_string(task.join("status"))?;
            let line = status.lines().find(|line| line.starts_with("voluntary_ctxt_switches"));
            sum.1 += line.map_or(0, line_kib);
        }
    }
    Ok(sum)
}
