//! The ccmux executable: picks what this process is.
//!
//! `ccmux keeper DIR` and `ccmux server ...` are how ccmux starts itself; everything else is a
//! client. The keeper comes first and leanest: there is one per pane, for days.

mod backup;
mod client;
mod doctor;
mod flags;
mod keeper;
mod offline;
mod server;
mod surroundings;
mod words;

use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    match args.first().and_then(|word| word.to_str()) {
        Some("keeper") => keeper::run(&args[1..]),
        Some("server") => server::run(&args[1..]),
        _ => client::run(args),
    }
}
