//! How long the next server takes when there is much to recover.

use std::path::Path;

use anyhow::Result;
use ccmux_testkit::{Commander, TestEnv};

use super::changes::run_all;
use super::world::{attach, disk_bytes, forget_cached, history_bytes, wait_quiet, wait_until};
use super::{Bench, Budget, Measure};
use crate::bench::report::{Unit, float, median};
use crate::bench::screen::now;

const PANES: u32 = 50;
/// Changes made, each of which is a record of the log.
const RECORDS: u32 = 10_000;
const WRITERS: u32 = 8;
/// What all panes have printed.
const HISTORY_BYTES: u64 = 1 << 30;
/// What every pane prints last.
const TOKEN: &str = "ALL OF IT";

pub(super) fn run(bench: &Bench, place: &Path) -> Result<Vec<Measure>> {
    let env = TestEnv::new_below(&bench.executables.ccmux, place);
    build(&env)?;
    let stored = float(history_bytes(&env)) / 1024.0 / 1024.0;
    let log = float(disk_bytes(&env.state_dir().join("wal"), &|_| true)) / 1024.0 / 1024.0;
    let mut after_server = Vec::new();
    let terminal = attach(&env)?;
    terminal.look_for(TOKEN).wait()?;
    for _ in 0..bench.rounds {
        let sighting = terminal.look_for(TOKEN);
        let start = now();
        env.kill_server();
        after_server.push(sighting.wait()?.duration_since(start).as_secs_f64() * 1e3);
    }
    drop(terminal);
    let mut after_all = Vec::new();
    for _ in 0..bench.rounds {
        env.kill_everything();
        forget_cached(&env.state_dir())?;
        let start = now();
        let terminal = attach(&env)?;
        let seen = terminal.look_for(TOKEN).wait()?;
        after_all.push(seen.duration_since(start).as_secs_f64() * 1e3);
        // Its shells have started: what is killed next is a server at rest.
        wait_quiet(&env)?;
    }
    let what = format!("first frame, {PANES} panes, 1 GiB printed, {RECORDS} changes");
    let budget = Some(Budget::Most(250.0));
    let row = |how: &str, times: &mut [f64]| {
        Measure::new(format!("{what}: {how}"), Unit::Milliseconds, median(times))
    };
    Ok(vec![
        Measure::new(format!("history of {PANES} panes that is read"), Unit::Mebibytes, stored),
        Measure::new("log that is read", Unit::Mebibytes, log),
        Measure { budget, ..row("server killed", &mut after_server) },
        Measure { budget, ..row("all killed, nothing cached", &mut after_all) },
    ])
}

/// Fifty panes that have printed what cannot be compressed well, and many changes.
fn build(env: &TestEnv) -> Result<()> {
    // Four bytes of text are made of three.
    let bytes = HISTORY_BYTES / u64::from(PANES) * 3 / 4;
    let program = |n: u32| {
        let done = env.home().join(format!("done{n}"));
        let (front, back) = TOKEN.split_at(3);
        format!(
            "head -c {bytes} /dev/urandom | base64 -w 100; printf '%s%s\\n' '{front}' '{back}'; \
             : > {}; exec tail -f /dev/null",
            done.display()
        )
    };
    env.ok(&["new-session", "-d", "-x", "80", "-y", "24", &program(0)]);
    for n in 1..PANES {
        env.ok(&["new-window", "-d", &program(n)]);
    }
    let is_done = || (0..PANES).all(|n| env.home().join(format!("done{n}")).exists());
    wait_until("the panes print", is_done)?;
    run_all(WRITERS, &|writer| {
        let (commander, name) = (Commander::new(env), format!("@option{writer}"));
        for n in 0..RECORDS / WRITERS {
            commander.run(&["set-option", "-g", &name, &n.to_string()])?;
        }
        Ok(())
    })?;
    wait_quiet(env)
}
