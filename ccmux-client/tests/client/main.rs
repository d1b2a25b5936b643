//! The client as a process: in a terminal, with signals, against servers that the test plays.
//!
//! The client is this test binary, started anew with [`client_process`] as its only test.
#![cfg(test)]

mod reconnecting;
mod talking;
mod world;

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use bstr::BString;
use ccmux_client::{ClientOptions, run};
use ccmux_protocol::rendezvous::{Place, Surroundings};
use rustix::process::getuid;

/// Not a test of its own: the client of the others. Without their arguments it does nothing.
#[test]
fn client_process() {
    let args: Vec<OsString> = std::env::args_os().skip_while(|arg| arg != "--").skip(1).collect();
    let [state_dir, socket, never_starts, argv @ ..] = args.as_slice() else { return };
    let surroundings = Surroundings {
        exe: PathBuf::from("/nonexistent/ccmux"),
        env: std::env::vars_os().collect(),
        cwd: std::env::current_dir().unwrap(),
        uid: getuid().as_raw(),
    };
    let place = Place::at(PathBuf::from(state_dir), PathBuf::from(socket)).unwrap();
    let options = ClientOptions {
        launch: surroundings.launch(&place, &[]),
        place,
        never_starts: never_starts == "-N",
        surroundings,
        version: "test".to_owned(),
        argv: argv.iter().map(|word| BString::from(word.as_bytes())).collect(),
    };
    std::process::exit(i32::from(run(&options)));
}
