//! Recordings of what real programs print: `ccmux-term/recordings`, see the README there.
//!
//! A script says how large the terminal is, what runs in it and what is typed. The program runs
//! in namespaces of its own, with a host name, a home and processes that are the same everywhere,
//! so that nothing of the machine is in the recording.

mod script;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use ccmux_testkit::{PtyProcess, Recorder};
use clap::Args;
use script::{Script, Step};

/// A program that prints nothing for so long has drawn all that it was to draw.
const QUIET: Duration = Duration::from_millis(400);
/// A recording is for a repository.
const BYTES_MAX: usize = 64 * 1024;
const DIRECTORY: &str = "ccmux-term/recordings";
/// The world of the program: `$0` is what runs, in a home that was set up by `$1`.
const WORLD: &str = "mount -t tmpfs -o size=4m,mode=755 home /home && hostname host \
    && mkdir /home/user && cd /home/user && eval \"$1\" && eval \"exec $0\"";

#[derive(Debug, Args)]
pub(crate) struct RecordArgs {
    /// Names of scripts, without `.script`.
    #[arg(required = true)]
    names: Vec<String>,
}

/// Records what the scripts say.
pub(crate) fn run(args: &RecordArgs) -> Result<()> {
    let directory = crate::build::root()?.join(DIRECTORY);
    for name in &args.names {
        record(&directory, name).with_context(|| format!("recording {name}"))?;
    }
    println!("now: cargo insta review, or INSTA_UPDATE=always cargo test -p ccmux-term recordings");
    Ok(())
}

fn record(directory: &Path, name: &str) -> Result<()> {
    let text = fs::read_to_string(directory.join(name).with_extension("script"))?;
    let script = Script::parse(&text)?;
    let (cols, rows) = script.size;
    let process = PtyProcess::spawn(command(&script), cols, rows, Recorder::new(cols, rows))?;
    let mut screens = Vec::new();
    for step in &script.steps {
        perform(&process, step, &mut screens);
    }
    let (bytes, events) = process.wait_display("recording", |recorder| {
        Some((recorder.bytes().to_owned(), events(recorder, &screens)))
    });
    ensure!(bytes.len() <= BYTES_MAX, "{} bytes are more than {BYTES_MAX}", bytes.len());
    println!("{name}: {} bytes, {} screens", bytes.len(), screens.len());
    fs::write(directory.join(name).with_extension("bytes"), bytes)?;
    fs::write(directory.join(name).with_extension("events"), events)?;
    Ok(())
}

/// When the terminal got which size, and when its screen is to be looked at, by bytes before.
fn events(recorder: &Recorder, screens: &[usize]) -> String {
    let sizes = recorder.sizes().map(|(at, cols, rows)| (at, format!("size {cols}x{rows}")));
    let screens = screens.iter().map(|at| (*at, "screen".to_owned()));
    let mut events: Vec<(usize, String)> = sizes.chain(screens).collect();
    // What is looked at is there before the size changes.
    events.sort_by_key(|(at, event)| (*at, *at > 0 && event != "screen"));
    let lines: Vec<String> = events.iter().map(|(at, event)| format!("{at} {event}\n")).collect();
    lines.concat()
}

fn command(script: &Script) -> Command {
    let mut command = Command::new("unshare");
    command
        .args(["--user", "--map-root-user", "--mount", "--uts", "--pid", "--fork"])
        .args(["--kill-child", "--mount-proc", "sh", "-c", WORLD])
        .args([&script.run, &script.setup])
        .env_clear()
        .envs([("PATH", "/usr/local/bin:/usr/bin:/bin"), ("HOME", "/home/user"), ("TZ", "UTC")])
        .envs([("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("USER", "user")])
        .envs(script.environment.iter().map(|(name, value)| (name, value)));
    command
}

fn perform(process: &PtyProcess<Recorder>, step: &Step, screens: &mut Vec<usize>) {
    match step {
        Step::Wait(text) => {
            process.wait_display(text, |recorder| recorder.text().contains(text).then_some(()));
        }
        Step::Screen => {
            let length = |recorder: &Recorder| recorder.bytes().len();
            let mut before = process.wait_display("output", |recorder| Some(length(recorder)));
            while process.wait_display_within(QUIET, |recorder| length(recorder) != before) {
                before = process.wait_display("output", |recorder| Some(length(recorder)));
            }
            screens.push(before);
        }
        Step::Type(keys) => process.type_bytes(keys),
        Step::Resize(cols, rows) => process.resize(*cols, *rows),
        Step::End => _ = process.wait_exit(),
    }
}
