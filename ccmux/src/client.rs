//! The client process: what the flags say, as options of the client.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::absolute;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail};
use bstr::BString;
use ccmux_client::ClientOptions;
use clap::Parser as _;

use crate::flags::Flags;
use crate::surroundings::surroundings;
use crate::words::words;
use crate::{backup, doctor};

/// Runs a client with the arguments of this process.
pub(crate) fn run(args: Vec<OsString>) -> ExitCode {
    let program = std::iter::once(OsString::from("ccmux"));
    let flags = match Flags::try_parse_from(program.chain(args)) {
        Ok(flags) => flags,
        Err(error) => {
            // Nobody may be left to tell.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        }
    };
    match try_run(flags) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "ccmux: {}", words(&error));
            ExitCode::FAILURE
        }
    }
}

fn try_run(flags: Flags) -> anyhow::Result<u8> {
    let surroundings = surroundings();
    if flags.control_mode > 0 {
        bail!("control mode is not supported");
    }
    if let Some(command) = flags.shell_command {
        let shell = surroundings.env("SHELL").unwrap_or_else(|| OsString::from("/bin/sh"));
        let error = Command::new(&shell).args([OsStr::new("-c"), &command]).exec();
        return Err(error).with_context(|| shell.display().to_string());
    }
    let place = surroundings.resolve(flags.label.as_deref(), flags.socket_path.as_deref())?;
    if let Some((word, args)) = flags.argv.split_first() {
        let args = args.to_vec();
        match word.to_str() {
            Some("backup") => return backup::run_backup(&place, surroundings, args),
            Some("doctor") => return Ok(doctor::run(place, args)),
            Some("restore") => return backup::run_restore(&place, surroundings.uid, args),
            _ => {}
        }
    }
    let mut config_files = Vec::new();
    for file in &flags.config_files {
        config_files.push(absolute(file).with_context(|| file.display().to_string())?);
    }
    let launch = surroundings.launch(&place, &config_files);
    if flags.foreground {
        let words = launch.args.iter().map(|word| OsStr::from_bytes(word));
        let error = Command::new(&surroundings.exe).args(words).exec();
        return Err(error).with_context(|| surroundings.exe.display().to_string());
    }
    let argv = flags.argv.into_iter().map(|word| BString::from(word.into_vec())).collect();
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let never_starts = flags.never_starts;
    let options = ClientOptions { place, launch, never_starts, surroundings, version, argv };
    Ok(ccmux_client::run(&options))
}
