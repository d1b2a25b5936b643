//! `ccmux doctor`: looks at a state directory that no server uses.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use ccmux_protocol::rendezvous::Place;
use ccmux_server::doctor::{Dump, DumpError, Severity, dump, examine, is_state_directory};
use clap::{Parser, ValueEnum};

use crate::offline::{lock, parse};
use crate::words::words;

/// Nothing is wrong.
const SOUND: u8 = 0;
/// Something is not as it should be, and nothing is lost.
const WARNING: u8 = 1;
/// Something is lost.
const LOSS: u8 = 2;
/// This version cannot read the store.
const REFUSED: u8 = 3;
/// The store was not looked at.
const NOT_EXAMINED: u8 = 4;

/// Check the state directory of a server that is not running, and change nothing in it.
///
/// Exits with 0 if it is sound, 1 if something is damaged and nothing lost by it, 2 if something is
/// lost, 3 if this version cannot read it, 4 if it could not be looked at.
#[derive(Debug, Parser)]
#[command(name = "ccmux doctor", bin_name = "ccmux doctor")]
struct Args {
    /// Print the findings as JSON.
    #[arg(long, conflicts_with = "dump")]
    json: bool,
    /// Print what is stored instead of checking it.
    #[arg(long, value_name = "what")]
    dump: Option<Part>,
    /// With `--dump pane`: print all output of this pane (`%3`, or the name of its directory)
    /// instead of the list of panes.
    #[arg(value_name = "pane")]
    pane: Option<String>,
    /// Another directory than that of the server (`-L`, `-S`).
    #[arg(long, value_name = "path")]
    state_dir: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Part {
    Wal,
    Checkpoint,
    Pane,
}

/// Runs the doctor on the directory of `place`, or the one that the arguments name.
/// Returns the exit status.
pub(crate) fn run(place: Place, args: Vec<OsString>) -> u8 {
    let args: Args = match parse("ccmux doctor", args) {
        Ok(args) => args,
        Err(SOUND) => return SOUND,
        Err(_) => return NOT_EXAMINED,
    };
    try_run(place, args).unwrap_or_else(|error| {
        if is_broken_pipe(&error) {
            // Whoever reads has read enough.
            return SOUND;
        }
        let _ = writeln!(io::stderr(), "ccmux: {}", words(&error));
        NOT_EXAMINED
    })
}

fn try_run(place: Place, args: Args) -> anyhow::Result<u8> {
    let place = match args.state_dir {
        Some(state_dir) => Place { state_dir: std::path::absolute(state_dir)?, ..place },
        None => place,
    };
    let what = match (args.dump, args.pane) {
        (Some(Part::Wal), None) => Some(Dump::Wal),
        (Some(Part::Checkpoint), None) => Some(Dump::Checkpoint),
        (Some(Part::Pane), None) => Some(Dump::Panes),
        (Some(Part::Pane), Some(pane)) => Some(Dump::Pane(pane)),
        (None, None) => None,
        (_, Some(pane)) => bail!("a pane ({pane}) goes with --dump pane"),
    };
    let directory = place.state_dir.clone();
    if !directory.is_dir() {
        bail!("there is no state directory at {}", directory.display());
    }
    if !is_state_directory(&directory) {
        bail!("{} is no state directory: there is nothing of a server in it", directory.display());
    }
    let _lock = lock(&place)?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    if let Some(what) = what {
        dump(&directory, &what, &mut out).with_context(|| directory.display().to_string())?;
        out.flush()?;
        return Ok(SOUND);
    }
    let examination = examine(&directory).with_context(|| directory.display().to_string())?;
    if args.json {
        serde_json::to_writer_pretty(&mut out, &examination)?;
        writeln!(out)?;
    } else {
        write!(out, "{examination}")?;
    }
    out.flush()?;
    Ok(match examination.worst() {
        None | Some(Severity::Note) => SOUND,
        Some(Severity::Warning) => WARNING,
        Some(Severity::Loss) => LOSS,
        Some(Severity::Refusal) => REFUSED,
    })
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = match error.downcast_ref::<DumpError>() {
        Some(DumpError::Io(io)) => Some(io),
        _ => error.downcast_ref::<io::Error>(),
    };
    io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
