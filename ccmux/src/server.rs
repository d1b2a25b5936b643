//! The server process.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use ccmux_protocol::rendezvous::ServerTask;

use crate::surroundings::surroundings;

/// Runs a server with the arguments after the word `server`.
pub(crate) fn run(args: &[OsString]) -> ExitCode {
    match ServerTask::parse(args.iter().cloned(), &surroundings()) {
        Ok(ServerTask::Serve(args)) => ccmux_server::daemon::run(args),
        Ok(ServerTask::Prove(place, ready)) => ccmux_server::handover::prove(&place, ready),
        Err(error) => {
            // Whoever started it by hand reads this; a starter has been told already.
            let _ = writeln!(std::io::stderr(), "ccmux server: {error}");
            ExitCode::FAILURE
        }
    }
}
