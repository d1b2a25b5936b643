//! The server process.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use ccmux_protocol::rendezvous::ServerArgs;

use crate::surroundings::surroundings;

/// Runs a server with the arguments after the word `server`.
pub(crate) fn run(args: &[OsString]) -> ExitCode {
    match ServerArgs::parse(args.iter().cloned(), &surroundings()) {
        Ok(args) => ccmux_server::daemon::run(args),
        Err(error) => {
            // Whoever started it by hand reads this; a starter has been told already.
            let _ = writeln!(std::io::stderr(), "ccmux server: {error}");
            ExitCode::FAILURE
        }
    }
}
