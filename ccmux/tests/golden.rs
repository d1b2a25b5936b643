//! The state directory that is checked in can be read: it stands for those that people have.
//!
//! `cargo xtask golden` makes it anew. Until release 0.1.0 that is right after every change of a
//! format; from then on never again.

use std::fs;
use std::path::Path;

use ccmux_testkit::{TestEnv, golden};

#[test]
fn the_state_that_is_checked_in_is_read_whole() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("it is in a workspace");
    let archive = root.join(golden::ARCHIVE);
    let expected = fs::read_to_string(root.join(golden::DESCRIPTION)).expect("it is checked in");
    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    env.ok(&["restore", archive.to_str().expect("the path is text")]);
    let doctor = env.ccmux(&["doctor"]);
    assert_eq!(doctor.code, Some(0), "{doctor:?}");
    assert_eq!(golden::describe(&env), expected);
    assert_eq!(env.status()["recovery"]["clean"], true, "{}", env.status());
}
