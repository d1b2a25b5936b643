//! SIGKILL at each system call of a server: the first, the second, and so on, of each kind that
//! changes something.
//!
//! strace kills the server as it enters the call. Keepers and clients start servers anew. Whatever
//! was acknowledged is there in the end, and the output of the pane is whole.

use std::collections::BTreeSet;
use std::fs::DirEntry;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use ccmux_testkit::{Flood, Random, TestEnv};
use rustix::process::{Pid, Signal};

use super::{Missing, keeping_evidence};

/// Calls that change the disk, or tell somebody of it.
const CALLS: [&str; 8] =
    ["pwrite64", "fdatasync", "fsync", "renameat", "openat", "unlinkat", "fallocate", "sendmsg"];
/// No call is made so often in the script.
const CALLS_MAX: u32 = 400;
/// A call chosen at random is one of so many: of most kinds there are more.
const SOME_MAX: u64 = 24;
/// What the program in the pane prints meanwhile.
const BURSTS: u32 = 3;

/// One kill; returns whether it came to that.
type Round = fn(&Path, &str, u32) -> Result<bool>;
/// When the server is killed.
const MOMENTS: [(&str, Round); 2] = [("work", at_work), ("start", at_start)];

/// Why there can be no such kills on this machine.
pub(super) fn missing() -> Option<Missing> {
    let output = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).output();
    match output {
        Ok(output) if output.status.success() => None,
        // ptrace is refused.
        Ok(output) => {
            let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            Some(Missing::Capability(why))
        }
        Err(error) => Some(Missing::Tool(format!("strace: {error}"))),
    }
}

/// Kills at calls chosen at random, of each kind in turn, while `goes_on`, which is told the number
/// of each; at least one.
pub(super) fn run_some(exe: &Path, seed: u64, goes_on: &mut dyn FnMut(u32) -> bool) -> Result<()> {
    let mut random = Random::seeded(seed);
    let (mut kills, mut number) = (0, 0);
    let kinds = CALLS.iter().flat_map(|call| MOMENTS.map(|moment| (*call, moment)));
    let mut kinds = kinds.cycle();
    while number == 0 || goes_on(number + 1) {
        number += 1;
        let (call, (when, round)) = kinds.next().context("there are kinds of calls")?;
        let at = 1 + u32::try_from(random.below(SOME_MAX))?;
        let was_killed = round(exe, call, at);
        kills += u32::from(
            was_killed
                .with_context(|| format!("seed {seed}, number {number}: {call} {at} at {when}"))?,
        );
    }
    println!("torture: {kills} kills at system calls of seed {seed}, nothing was lost");
    Ok(())
}

/// Kills at every `step`th call of each kind.
pub(super) fn run(exe: &Path, step: u32) -> Result<()> {
    for call in CALLS {
        for (when, round) in MOMENTS {
            let (mut kills, mut at) = (0, 1);
            while at < CALLS_MAX {
                let was_killed = round(exe, call, at);
                if !was_killed.with_context(|| format!("{call} {at} at {when}"))? {
                    break;
                }
                kills += 1;
                at += step;
            }
            println!("torture: {kills} kills at {call} at {when}, nothing was lost");
        }
    }
    Ok(())
}

/// A server that dies at call number `at` of its work, if it comes to that; returns whether it did.
fn at_work(exe: &Path, call: &str, at: u32) -> Result<bool> {
    let env = TestEnv::new(exe);
    let name = format!("work-{call}-{at}");
    keeping_evidence(&env.state_dir(), &name, || kill_at_work(&env, call, at))
}

fn kill_at_work(env: &TestEnv, call: &str, at: u32) -> Result<bool> {
    let mut work = Work::begin(env);
    let server = env.server();
    let threads: Vec<_> =
        std::fs::read_dir(format!("/proc/{}/task", server.pid()))?.collect::<Result<_, _>>()?;
    let mut strace = strace(env, call, at);
    // Its threads, and not what they start.
    for thread in &threads {
        strace.arg("-p").arg(thread.file_name());
    }
    let mut strace = strace.stderr(Stdio::piped()).spawn().context("strace starts")?;
    let mut said = BufReader::new(strace.stderr.take().context("it is piped")?).lines();
    for _ in &threads {
        let line = said.next().context("strace ends")??;
        // One that wrote a checkpoint may have ended meanwhile.
        let is_over = |thread: &DirEntry| {
            let is_meant = |word: &str| thread.file_name() == word;
            line.split(|c: char| !c.is_ascii_digit()).any(is_meant) && !thread.path().exists()
        };
        let is_known = line.contains("attached") || threads.iter().any(is_over);
        ensure!(is_known, "strace: {line}");
    }
    work.go_on(env);
    let was_killed = !server.is_alive();
    end(&mut strace)?;
    work.check(env)?;
    Ok(was_killed)
}

/// A server that dies at call number `at` of its start, if it comes to that.
fn at_start(exe: &Path, call: &str, at: u32) -> Result<bool> {
    let env = TestEnv::new(exe);
    let name = format!("start-{call}-{at}");
    keeping_evidence(&env.state_dir(), &name, || kill_at_start(&env, call, at))
}

fn kill_at_start(env: &TestEnv, call: &str, at: u32) -> Result<bool> {
    let mut work = Work::begin(env);
    let server = env.server();
    server.signal(Signal::TERM);
    server.wait_gone();
    let foreground = env.command(&["-D"]);
    let mut strace = strace(env, call, at);
    strace.arg("-f").arg(foreground.get_program()).args(foreground.get_args());
    let mut strace = strace.stderr(Stdio::null()).spawn().context("strace starts")?;
    while !env.socket().exists() && strace.try_wait()?.is_none() {
        std::thread::yield_now();
    }
    // It has begun to listen, or it is gone.
    let was_killed = env.ccmux(&["has-session"]).code != Some(0) || strace.try_wait()?.is_some();
    end(&mut strace)?;
    work.go_on(env);
    work.check(env)?;
    Ok(was_killed)
}

/// How long strace may take to let go of what it traces.
const PATIENCE: Duration = Duration::from_secs(10);

/// Lets strace let go of what it traces. Where the process died while a thread of it began, strace waits
/// for that thread for ever, and for the process, of which nothing is left but that.
#[expect(clippy::disallowed_methods, reason = "another program's patience, in no test")]
fn end(strace: &mut Child) -> Result<()> {
    let start = Instant::now();
    if strace.try_wait()?.is_none() {
        rustix::process::kill_process(Pid::from_child(strace), Signal::TERM)?;
    }
    while strace.try_wait()?.is_none() {
        if start.elapsed() > PATIENCE {
            strace.kill()?;
        }
        std::thread::yield_now();
    }
    Ok(())
}

/// Commands and output, which must all be there afterwards.
#[derive(Debug)]
struct Work {
    flood: Flood,
    model: Model,
}

impl Work {
    fn begin(env: &TestEnv) -> Self {
        let command = Flood::command(env);
        env.ok(&[
            "new-session",
            "-d",
            "-s",
            "work",
            "-n",
            "flood",
            "-x",
            "80",
            "-y",
            "24",
            &command,
        ]);
        env.ok(&["set-option", "-g", "@before", "set"]);
        let mut model = Model::default();
        model.certain.extend(["flood".to_owned(), "@before".to_owned()]);
        let flood = Flood::of("work:flood");
        for _ in 0..BURSTS {
            flood.go(env);
        }
        Work { flood, model }
    }

    fn go_on(&mut self, env: &TestEnv) {
        for n in 0..4 {
            let name = format!("w{n}");
            let words = ["new-window", "-d", "-n", &name, "exec tail -f /dev/null"];
            self.model.run(env, &name, &words);
            let name = format!("@o{n}");
            self.model.run(env, &name, &["set-option", "-g", &name, "set"]);
        }
        self.model.remove(env, "w0", &["kill-window", "-t", "work:w0"]);
        env.wait_ccmux(&["capture-pane", "-p", "-t", "work:flood"], |screen| {
            screen.stdout.contains(&Flood::done(BURSTS))
        });
    }

    fn check(&self, env: &TestEnv) -> Result<()> {
        self.flood.assert_whole(env, BURSTS);
        self.model.check(env)
    }
}

fn strace(env: &TestEnv, call: &str, at: u32) -> Command {
    let mut strace = Command::new("strace");
    // -I2: it heeds signals.
    strace.args(["-I2", "-o", "/dev/null", "-e"]);
    strace.arg(format!("trace={call}")).arg("-e");
    strace.arg(format!("inject={call}:signal=KILL:when={at}"));
    let ours = env.command(&[]);
    let variables = ours.get_envs().filter_map(|(name, value)| Some((name, value?)));
    strace.env_clear().envs(variables).current_dir(env.home());
    strace.stdin(Stdio::null()).stdout(Stdio::null());
    strace
}

/// What has been acknowledged, and what may have been done without.
#[derive(Debug, Default)]
struct Model {
    certain: BTreeSet<String>,
    possible: BTreeSet<String>,
    gone: BTreeSet<String>,
}

impl Model {
    fn run(&mut self, env: &TestEnv, name: &str, words: &[&str]) {
        let known =
            if env.ccmux(words).code == Some(0) { &mut self.certain } else { &mut self.possible };
        known.insert(name.to_owned());
    }

    fn remove(&mut self, env: &TestEnv, name: &str, words: &[&str]) {
        self.certain.remove(name);
        let is_certain = env.ccmux(words).code == Some(0);
        let known = if is_certain { &mut self.gone } else { &mut self.possible };
        known.insert(name.to_owned());
    }

    fn check(&self, env: &TestEnv) -> Result<()> {
        let windows = env.ok(&["list-windows", "-a", "-F", "#{window_name}"]);
        let options = env.ok(&["show-options", "-g"]);
        let options = options.lines().filter_map(|line| line.strip_suffix(" set"));
        let found: BTreeSet<String> = windows.lines().chain(options).map(str::to_owned).collect();
        let lost: Vec<_> = self.certain.difference(&found).collect();
        ensure!(lost.is_empty(), "acknowledged and lost: {lost:?}; found {found:?}");
        let back: Vec<_> = found.intersection(&self.gone).collect();
        ensure!(back.is_empty(), "closed and back: {back:?}");
        let is_known =
            |name: &&String| !self.certain.contains(*name) && !self.possible.contains(*name);
        let strange: Vec<_> = found.iter().filter(is_known).collect();
        ensure!(strange.is_empty(), "never made: {strange:?}");
        Ok(())
    }
}
